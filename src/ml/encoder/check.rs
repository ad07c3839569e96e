//! Whether a model's folder can be opened with these options, by all of its files but the numbers in its tensors, which are most of their bytes.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::Metadata;

use super::architecture::Architecture;
use super::candle_model::tensors::{self, TensorSource};
use super::files::open_file;
use super::folder::ModelFolder;
use super::head;
use super::kind::TransformerKind;
use super::tokens::{Marks, TextTokenizer};
use super::weights::{FILE, LARGEST, NO_WEIGHTS, check_type};
use super::{EncodeError, TransformerOptions};

/// Bytes of the list of tensors at the head of a safetensors file; as the library has it.
const LARGEST_HEADER: u64 = 100_000_000;

/// Bytes that tell the length of that list.
const LENGTH: u64 = 8;

/// What [`super::open`] would refuse, without reading the tensors: files that are missing, damaged or cut short, shapes that do not fit, options out of range.
pub fn check(folder: &Path, options: &TransformerOptions) -> Result<(), EncodeError> {
    let model = ModelFolder::read(folder, options)?;
    let list = TensorList::read(&model.place)?;
    let (dim, vocabulary, marks) = match &model.transformer {
        Some(files) => {
            match &files.kind {
                TransformerKind::Packed(architecture) => list.holds(architecture)?,
                TransformerKind::Candle(kind) => {
                    tensors::network(kind.as_ref(), &list, &files.config_path, &Device::Cpu)?;
                }
            }
            let shape = files.kind.shape();
            (shape.hidden * files.poolings.len(), shape.vocabulary, Marks::Special)
        }
        None => {
            let name = if list.contains("embedding.weight") { "embedding.weight" } else { "embeddings" };
            match list.shape(name)? {
                &[rows, dim] if rows > 0 && dim > 0 => {
                    list.is_of_weights(name)?;
                    if list.contains("weights") {
                        list.is_of_weights("weights")?;
                    }
                    (dim, rows, Marks::Plain)
                }
                shape => {
                    return Err(list.misfit(name, format!("its shape is {shape:?}, no table of tokens by dimensions")));
                }
            }
        }
    };
    TextTokenizer::open(&model, marks, vocabulary)?;
    head::check(dim, &model.steps)
}

/// Zeros, which take no room, for the numbers that are not read.
impl TensorSource for TensorList {
    fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    fn dims(&self, name: &str) -> Result<Vec<usize>, EncodeError> {
        Ok(self.shape(name)?.to_vec())
    }

    fn tensor(&self, name: &str, dims: &[usize]) -> Result<Tensor, EncodeError> {
        self.is_of(name, dims)?;
        let zero = Tensor::zeros(1, DType::F32, &Device::Cpu);
        zero.and_then(|zero| zero.broadcast_as(dims)).map_err(|error| self.misfit(name, error.to_string()))
    }

    fn misfit(&self, name: &str, reason: &str) -> EncodeError {
        TensorList::misfit(self, name, reason.to_owned())
    }
}

/// The list of tensors at the head of a model.safetensors that is as long as the list says.
struct TensorList {
    path: PathBuf,
    list: Metadata,
    names: Vec<String>,
}

impl TensorList {
    fn read(folder: &Path) -> Result<Self, EncodeError> {
        let path = folder.join(FILE);
        let missing = || EncodeError::Missing { path: path.clone(), remedy: NO_WEIGHTS.to_owned() };
        let (file, bytes) = open_file(&path, LARGEST)?.ok_or_else(missing)?;
        let corrupt =
            |reason: String| EncodeError::Corrupt { path: path.clone(), reason: format!("{reason} ({bytes} bytes)") };
        let failed = |source| EncodeError::Read { path: path.clone(), source };
        let header = |file: &File| {
            let mut length = [0; LENGTH as usize];
            let mut file = file;
            file.read_exact(&mut length)?;
            let mut text = Vec::new();
            file.take(u64::from_le_bytes(length).min(LARGEST_HEADER)).read_to_end(&mut text)?;
            Ok((u64::from_le_bytes(length), text))
        };
        if bytes < LENGTH {
            return Err(corrupt("it is too short for a list of tensors".to_owned()));
        }
        let (length, text) = header(&file).map_err(failed)?;
        if text.len() as u64 != length {
            return Err(corrupt(format!("its list of tensors would have {length} bytes")));
        }
        let list: Metadata = serde_json::from_slice(&text).map_err(|error| corrupt(error.to_string()))?;
        let whole = (LENGTH + length).saturating_add(list.data_len() as u64);
        if whole != bytes {
            return Err(corrupt(format!("its list of tensors says that it has {whole} bytes")));
        }
        let names = list.tensors().into_keys().collect();
        Ok(TensorList { path, list, names })
    }

    fn contains(&self, name: &str) -> bool {
        self.list.info(name).is_some()
    }

    fn shape(&self, name: &str) -> Result<&[usize], EncodeError> {
        let info = self.list.info(name).ok_or_else(|| self.misfit(name, "it is not in the file".to_owned()))?;
        Ok(&info.shape)
    }

    fn misfit(&self, name: &str, reason: String) -> EncodeError {
        EncodeError::Tensor { path: self.path.clone(), name: name.to_owned(), reason }
    }

    /// Whether its numbers are of a type that weights may have.
    fn is_of_weights(&self, name: &str) -> Result<(), EncodeError> {
        let info = self.list.info(name).ok_or_else(|| self.misfit(name, "it is not in the file".to_owned()))?;
        check_type(info.dtype).map_err(|reason| self.misfit(name, reason))
    }

    fn is_of(&self, name: &str, shape: &[usize]) -> Result<(), EncodeError> {
        match self.shape(name)? {
            found if found == shape => self.is_of_weights(name),
            found => Err(self.misfit(name, format!("its shape is {found:?} instead of {shape:?}"))),
        }
    }

    /// Whether every tensor of an encoder of that shape is there.
    fn holds(&self, architecture: &Architecture) -> Result<(), EncodeError> {
        let Architecture { hidden, intermediate, .. } = *architecture;
        let names = architecture.names(&|name| self.contains(name));
        self.is_of(&names.words, &[architecture.vocabulary, hidden])?;
        self.is_of(&names.positions, &[architecture.positions, hidden])?;
        if let Some((name, types)) = &names.token_types {
            self.is_of(name, &[*types, hidden])?;
        }
        if let Some((name, buckets)) = &names.relative_bias {
            self.is_of(name, &[*buckets, architecture.heads])?;
        }
        let linear = |part: &str, outputs: usize, inputs: usize| {
            self.is_of(&format!("{part}.weight"), &[outputs, inputs])?;
            self.is_of(&format!("{part}.bias"), &[outputs])
        };
        // Checkpoints converted from TensorFlow have other names.
        let either = |part: &str, first: &str, second: &str| {
            let old = format!("{part}.{second}");
            let name = if self.contains(&old) { old } else { format!("{part}.{first}") };
            self.is_of(&name, &[hidden])
        };
        let norm = |part: &str| {
            either(part, "weight", "gamma")?;
            either(part, "bias", "beta")
        };
        norm(&names.embedding_norm)?;
        for layer in &names.layers {
            layer.qkv.iter().try_for_each(|part| linear(part, hidden, hidden))?;
            linear(&layer.attention_output, hidden, hidden)?;
            norm(&layer.attention_norm)?;
            linear(&layer.intermediate, intermediate, hidden)?;
            linear(&layer.output, hidden, intermediate)?;
            norm(&layer.output_norm)?;
        }
        // With fewer layers than were trained the vectors would be others, without a word.
        let more = Architecture { layers: architecture.layers + 1, ..*architecture };
        let next = more.names(&|name| self.contains(name)).layers.pop();
        match next.map(|layer| format!("{}.weight", layer.qkv[0])).filter(|name| self.contains(name)) {
            Some(name) => Err(self.misfit(&name, format!("the number of layers there is {}", architecture.layers))),
            None => Ok(()),
        }
    }
}
