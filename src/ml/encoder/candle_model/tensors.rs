//! The tensors of a file as candle asks for them. Each must have the shape that config.json gives it and hold finite numbers, and none of the
//! network's may be left over: of another variant of a kind, or of one with more layers, the vectors would be wrong without a word.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

use super::super::EncodeError;
use super::super::guard::guarded;
use super::{CandleKind, Naming, Network};

/// Where tensors come from: a file, or the list at its head alone.
pub(in super::super) trait TensorSource: Send + Sync {
    fn names(&self) -> Vec<&str>;

    fn dims(&self, name: &str) -> Result<Vec<usize>, EncodeError>;

    fn tensor(&self, name: &str, dims: &[usize]) -> Result<Tensor, EncodeError>;

    fn misfit(&self, name: &str, reason: &str) -> EncodeError;
}

/// The network of a kind with the tensors of `source`.
pub(in super::super) fn network(
    kind: &dyn CandleKind,
    source: &dyn TensorSource,
    config: &Path,
    device: &Device,
) -> Result<Box<dyn Network>, EncodeError> {
    let naming = kind.naming();
    let names = source.names();
    // The shortest, for the file may hold a second network inside the first one's head.
    let before = names.iter().filter_map(|name| name.strip_suffix(naming.anchor));
    let before = before.filter(|before| before.is_empty() || before.ends_with('.')).min_by_key(|before| before.len());
    let before = before.ok_or_else(|| source.misfit(naming.anchor, "it is not in the file"))?;
    let asked = Arc::default();
    let tensors = Asked { source, before, naming, asked: Arc::clone(&asked) };
    let builder = VarBuilder::from_backend(Box::new(tensors), DType::F32, device.clone());
    let network = guarded(|| kind.network(builder));
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    // Even if a network came out: some of candle's do without what they cannot have.
    if let Some(fault) = asked.fault.take() {
        return Err(fault);
    }
    let unsupported = |reason: String| EncodeError::Unsupported { path: config.to_owned(), reason };
    let network = network.ok_or_else(|| unsupported("sizes that contradict each other".to_owned()))?;
    let network = network.map_err(|error| unsupported(error.to_string()))?;
    let root = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let roots: BTreeSet<String> = asked.names.iter().map(|name| root(name)).collect();
    let left_over = |name: &&str| {
        name.strip_prefix(before).is_some_and(|own| {
            let is_unread = UNREAD.iter().chain(naming.unread).any(|end| own.ends_with(end));
            roots.contains(&root(own)) && !asked.names.contains(own) && !is_unread
        })
    };
    match names.iter().copied().find(|name| left_over(name)) {
        Some(name) => Err(source.misfit(name, "an encoder with these settings has no such tensor")),
        None => Ok(network),
    }
}

/// Tables that older versions of transformers saved and that follow from the settings.
const UNREAD: [&str; 2] = ["position_ids", "rotary_emb.inv_freq"];

/// Hands out the tensors of a source and remembers which.
struct Asked<'a> {
    source: &'a dyn TensorSource,
    /// What stands before all names there.
    before: &'a str,
    naming: Naming,
    asked: Arc<Mutex<Record>>,
}

#[derive(Default)]
struct Record {
    /// As candle has them, but for what it puts before all.
    names: BTreeSet<String>,
    /// What was found first, since candle's errors are its own.
    fault: Option<EncodeError>,
}

impl Asked<'_> {
    /// The name of a tensor, and its name in the file.
    fn names<'n>(&self, name: &'n str) -> (&'n str, String) {
        let own = name.strip_prefix(self.naming.candle).unwrap_or(name);
        (own, format!("{}{own}", self.before))
    }

    fn take(&self, name: &str, dims: Option<&[usize]>, device: &Device) -> candle_core::Result<Tensor> {
        let (own, name) = self.names(name);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.names.insert(own.to_owned());
        if self.naming.optional.contains(&own) && !self.source.names().contains(&name.as_str()) {
            return Err(candle_core::Error::Msg(format!("there is no {name}")));
        }
        let tensor = match dims {
            Some(dims) => self.source.tensor(&name, dims),
            None => self.source.dims(&name).and_then(|dims| self.source.tensor(&name, &dims)),
        };
        match tensor {
            Ok(tensor) => tensor.to_device(device),
            Err(fault) => {
                let message = fault.to_string();
                asked.fault.get_or_insert(fault);
                Err(candle_core::Error::Msg(message))
            }
        }
    }
}

impl SimpleBackend for Asked<'_> {
    fn get(&self, shape: Shape, name: &str, _: Init, _: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.take(name, Some(shape.dims()), device)
    }

    fn get_unchecked(&self, name: &str, _: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.take(name, None, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        let (_, name) = self.names(name);
        self.source.names().contains(&name.as_str())
    }
}
