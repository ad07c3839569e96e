//! A model's safetensors file: tensors by name and shape, as f32.
//!
//! Knows nothing of what the tensors are for.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors};

use super::EncodeError;

/// The bytes of a file, read once.
pub struct Weights {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Weights {
    pub fn read(folder: &Path) -> Result<Self, EncodeError> {
        let path = folder.join("model.safetensors");
        let bytes = super::folder::read_bytes(
            &path,
            "only safetensors are read, so convert a pytorch_model.bin with the transformers library",
        )?;
        Ok(Weights { path, bytes })
    }

    pub fn tensors(&self) -> Result<Tensors<'_>, EncodeError> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|error| EncodeError::Corrupt {
            path: self.path.clone(),
            reason: format!("{error} ({} bytes)", self.bytes.len()),
        })?;
        Ok(Tensors { path: &self.path, tensors })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

pub struct Tensors<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl Tensors<'_> {
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// The values of a tensor of this very shape; f16 and bf16 are widened.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EncodeError> {
        let wrong = |reason: String| EncodeError::Tensor { path: self.path.to_owned(), name: name.to_owned(), reason };
        let tensor = self.tensors.tensor(name).map_err(|_| wrong("it is not in the file".to_owned()))?;
        if tensor.shape() != shape {
            return Err(wrong(format!("its shape is {:?} instead of {shape:?}", tensor.shape())));
        }
        let kind = match tensor.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                return Err(wrong(format!("its type is {other:?} instead of F32, F16 or BF16")));
            }
        };
        Tensor::from_raw_buffer(tensor.data(), kind, &[tensor.shape().iter().product()], &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::F32)?.to_vec1())
            .map_err(|error| wrong(error.to_string()))
    }

    /// `part.first`, or `part.second` as checkpoints converted from TensorFlow call it.
    pub fn get_either(&self, part: &str, first: &str, second: &str, shape: &[usize]) -> Result<Vec<f32>, EncodeError> {
        let old = format!("{part}.{second}");
        if self.contains(&old) { self.get(&old, shape) } else { self.get(&format!("{part}.{first}"), shape) }
    }
}
