//! A model's safetensors file: tensors by name and shape, as f32.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors};

use super::EncodeError;
use super::candle_model::tensors::TensorSource;
use super::finite::{first_not_finite, position};

/// Bytes of a model.safetensors: twice what the largest encoders of the BERT family have.
pub(crate) const LARGEST: u64 = 4 << 30;

pub(crate) const FILE: &str = "model.safetensors";

/// What to do about a folder without it.
pub(crate) const NO_WEIGHTS: &str = "only safetensors are read, of one file: convert a pytorch_model.bin, or a model in several files, with the transformers library";

/// Why weights of that type are not read, if they are not.
pub(super) fn check_type(found: Dtype) -> Result<(), String> {
    match found {
        Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64 | Dtype::I8 => Ok(()),
        other => Err(format!("its type is {other:?} instead of F32, F16, BF16, F64 or I8")),
    }
}

/// The bytes of a file, read once.
pub(crate) struct Weights {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Weights {
    pub(crate) fn read(folder: &Path) -> Result<Self, EncodeError> {
        let path = folder.join(FILE);
        let bytes = super::files::read_bytes(&path, LARGEST, NO_WEIGHTS)?;
        Ok(Weights { path, bytes })
    }

    pub(crate) fn tensors(&self) -> Result<Tensors<'_>, EncodeError> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|error| EncodeError::Corrupt {
            path: self.path.clone(),
            reason: format!("{error} ({} bytes)", self.bytes.len()),
        })?;
        Ok(Tensors { path: &self.path, tensors })
    }
}

impl TensorSource for Tensors<'_> {
    fn names(&self) -> Vec<&str> {
        self.tensors.names()
    }

    fn dims(&self, name: &str) -> Result<Vec<usize>, EncodeError> {
        self.shape(name)
    }

    fn tensor(&self, name: &str, dims: &[usize]) -> Result<Tensor, EncodeError> {
        let values = self.get(name, dims)?;
        Tensor::from_vec(values, dims, &Device::Cpu).map_err(|error| self.misfit(name, &error.to_string()))
    }

    fn misfit(&self, name: &str, reason: &str) -> EncodeError {
        Tensors::misfit(self, name, reason)
    }
}

pub(crate) struct Tensors<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl Tensors<'_> {
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    pub(crate) fn shape(&self, name: &str) -> Result<Vec<usize>, EncodeError> {
        let tensor = self.tensors.tensor(name).map_err(|_| self.misfit(name, "it is not in the file"))?;
        Ok(tensor.shape().to_vec())
    }

    /// Whole numbers of a list, as indices.
    pub(crate) fn integers(&self, name: &str) -> Result<Vec<usize>, EncodeError> {
        let tensor = self.tensors.tensor(name).map_err(|_| self.misfit(name, "it is not in the file"))?;
        let kind = match (tensor.dtype(), tensor.shape()) {
            (Dtype::I64, [_]) => DType::I64,
            (Dtype::I32, [_]) => DType::I32,
            (other, shape) => {
                return Err(
                    self.misfit(name, &format!("it is {other:?} of shape {shape:?} instead of a list of I64 or I32"))
                );
            }
        };
        let numbers: Vec<i64> = Tensor::from_raw_buffer(tensor.data(), kind, tensor.shape(), &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::I64)?.to_vec1())
            .map_err(|error| self.misfit(name, &error.to_string()))?;
        let index = |number: i64| usize::try_from(number).map_err(|_| self.misfit(name, "it has negative numbers"));
        numbers.into_iter().map(index).collect()
    }

    /// An error that says what is wrong with a tensor.
    pub(crate) fn misfit(&self, name: &str, reason: &str) -> EncodeError {
        EncodeError::Tensor { path: self.path.to_owned(), name: name.to_owned(), reason: reason.to_owned() }
    }

    /// An error if a value is not finite. `rounded` says how the values are rounded, if they are.
    pub(crate) fn check_finite(
        &self,
        name: &str,
        shape: &[usize],
        values: &[f32],
        rounded: &str,
    ) -> Result<(), EncodeError> {
        let Some(index) = first_not_finite(values) else { return Ok(()) };
        Err(EncodeError::NotFinite {
            path: self.path.to_owned(),
            name: name.to_owned(),
            at: position(index, shape),
            value: format!("{}{rounded}", values[index]),
        })
    }

    /// The finite values of a tensor of this very shape; f16, bf16 and 8-bit integers are widened, f64 is narrowed.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EncodeError> {
        let wrong = |reason: String| self.misfit(name, &reason);
        let tensor = self.tensors.tensor(name).map_err(|_| wrong("it is not in the file".to_owned()))?;
        if tensor.shape() != shape {
            return Err(wrong(format!("its shape is {:?} instead of {shape:?}", tensor.shape())));
        }
        check_type(tensor.dtype()).map_err(wrong)?;
        let kind = match tensor.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F64 => DType::F64,
            // model2vec's, whose scale is that of the integers; candle has no such type.
            _ => return Ok(tensor.data().iter().map(|&byte| f32::from(byte as i8)).collect()),
        };
        let values = Tensor::from_raw_buffer(tensor.data(), kind, &[tensor.shape().iter().product()], &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::F32)?.to_vec1())
            .map_err(|error| wrong(error.to_string()))?;
        let rounded = if kind == DType::F64 { " as f32" } else { "" };
        self.check_finite(name, shape, &values, rounded)?;
        Ok(values)
    }

    /// `part.first`, or `part.second` as checkpoints converted from TensorFlow call it.
    pub(crate) fn get_either(
        &self,
        part: &str,
        first: &str,
        second: &str,
        shape: &[usize],
    ) -> Result<Vec<f32>, EncodeError> {
        let old = format!("{part}.{second}");
        if self.contains(&old) { self.get(&old, shape) } else { self.get(&format!("{part}.{first}"), shape) }
    }
}
