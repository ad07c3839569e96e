//! `Arrays`: the numbers of a fitted model by name, as a safetensors file.
//!
//! The same arrays always give the same bytes. Whole numbers take the narrowest type that holds the largest of them: most
//! numbers of a forest fit one byte. Who reads says what must be there; whatever else is there is an error.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use thiserror::Error;

/// Named lists of numbers. Reading takes them out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays {
    all: BTreeMap<String, Array>,
}

#[derive(Clone, Debug, PartialEq)]
struct Array {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Little endian.
    bytes: Vec<u8>,
}

/// Why arrays are not those of a model.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum ArrayError {
    #[error("the model's arrays cannot be read: {0}")]
    File(String),
    #[error("the model has no array '{0}'")]
    Missing(String),
    #[error("the model's array '{name}' {problem}")]
    Unfit { name: String, problem: String },
}

impl ArrayError {
    pub(super) fn unfit(name: &str, problem: impl Into<String>) -> Self {
        ArrayError::Unfit { name: name.to_owned(), problem: problem.into() }
    }
}

impl Arrays {
    pub(crate) fn from_bytes(file: &[u8]) -> Result<Self, ArrayError> {
        let file = SafeTensors::deserialize(file).map_err(|error| ArrayError::File(error.to_string()))?;
        let array =
            |view: TensorView| Array { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() };
        Ok(Arrays { all: file.tensors().into_iter().map(|(name, view)| (name, array(view))).collect() })
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, ArrayError> {
        let failed = |error: safetensors::SafeTensorError| ArrayError::File(error.to_string());
        let views = self
            .all
            .iter()
            .map(|(name, array)| Ok((name.as_str(), TensorView::new(array.dtype, array.shape.clone(), &array.bytes)?)));
        let views = views.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        safetensors::serialize(views, None).map_err(failed)
    }

    pub(crate) fn put_f32(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.put(name, Dtype::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect());
    }

    pub(crate) fn put_f64(&mut self, name: &str, shape: &[usize], values: &[f64]) {
        self.put(name, Dtype::F64, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect());
    }

    /// Whole numbers as u8, u16 or u32.
    pub(crate) fn put_whole(&mut self, name: &str, values: &[u32]) {
        let largest = values.iter().copied().max().unwrap_or(0);
        let (dtype, bytes) = if largest <= u32::from(u8::MAX) {
            (Dtype::U8, values.iter().map(|&value| value as u8).collect())
        } else if largest <= u32::from(u16::MAX) {
            (Dtype::U16, values.iter().flat_map(|&value| (value as u16).to_le_bytes()).collect())
        } else {
            (Dtype::U32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
        };
        self.put(name, dtype, &[values.len()], bytes);
    }

    fn put(&mut self, name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.all.insert(name.to_owned(), Array { dtype, shape: shape.to_vec(), bytes });
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    /// Finite numbers of this shape; a length of `None` is whatever the file has.
    pub(crate) fn take_f32(&mut self, name: &str, shape: &[Option<usize>]) -> Result<Vec<f32>, ArrayError> {
        let array = self.take(name, shape)?;
        let values: Vec<f32> = match array.dtype {
            Dtype::F32 => array.bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            other => return Err(ArrayError::unfit(name, format!("holds {other} instead of F32"))),
        };
        finite(name, values.iter().all(|value| value.is_finite()))?;
        Ok(values)
    }

    /// The same in double precision.
    pub(crate) fn take_f64(&mut self, name: &str, shape: &[Option<usize>]) -> Result<Vec<f64>, ArrayError> {
        let array = self.take(name, shape)?;
        let values: Vec<f64> = match array.dtype {
            Dtype::F64 => array.bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
            other => return Err(ArrayError::unfit(name, format!("holds {other} instead of F64"))),
        };
        finite(name, values.iter().all(|value| value.is_finite()))?;
        Ok(values)
    }

    /// Whole numbers, each below `bound`; as many as `len` says, where it does.
    pub(crate) fn take_whole(&mut self, name: &str, len: Option<usize>, bound: usize) -> Result<Vec<u32>, ArrayError> {
        let array = self.take(name, &[len])?;
        let values: Vec<u32> = match array.dtype {
            Dtype::U8 => array.bytes.iter().map(|&byte| u32::from(byte)).collect(),
            Dtype::U16 => array.bytes.as_chunks().0.iter().map(|&bytes| u32::from(u16::from_le_bytes(bytes))).collect(),
            Dtype::U32 => array.bytes.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect(),
            other => return Err(ArrayError::unfit(name, format!("holds {other} instead of whole numbers"))),
        };
        match values.iter().find(|&&value| value as usize >= bound) {
            Some(value) => Err(ArrayError::unfit(name, format!("holds {value}, which is not below {bound}"))),
            None => Ok(values),
        }
    }

    fn take(&mut self, name: &str, shape: &[Option<usize>]) -> Result<Array, ArrayError> {
        let array = self.all.remove(name).ok_or_else(|| ArrayError::Missing(name.to_owned()))?;
        let fits = |(found, wanted): (&usize, &Option<usize>)| wanted.is_none_or(|wanted| wanted == *found);
        if array.shape.len() == shape.len() && array.shape.iter().zip(shape).all(fits) {
            return Ok(array);
        }
        let wanted: Vec<String> = shape.iter().map(|n| n.map_or("any".to_owned(), |n| n.to_string())).collect();
        let found: Vec<String> = array.shape.iter().map(usize::to_string).collect();
        Err(ArrayError::unfit(name, format!("is {} where {} is needed", found.join("×"), wanted.join("×"))))
    }

    /// Refuses arrays that nobody took.
    pub(crate) fn finish(self) -> Result<(), ArrayError> {
        match self.all.into_keys().next() {
            Some(name) => Err(ArrayError::unfit(&name, "belongs to another kind of model")),
            None => Ok(()),
        }
    }
}

fn finite(name: &str, holds: bool) -> Result<(), ArrayError> {
    if holds { Ok(()) } else { Err(ArrayError::unfit(name, "holds a value that is not finite")) }
}
