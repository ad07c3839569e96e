//! The BERT family through candle-transformers: for devices other than the CPU, and what `packed` is tested against.
//!
//! Batches hold sequences of one length, so nothing is padded or masked.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::safetensors::BufferedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use candle_transformers::models::bert::BertModel;
use candle_transformers::models::distilbert::DistilBertModel;
use candle_transformers::models::xlm_roberta::XLMRobertaModel;
use serde::de::DeserializeOwned;

use super::EncodeError;
use super::architecture::{Activation, Family};
use super::batches::{Engine, Session};
use super::finite::{first_not_finite, position};
use super::folder::TransformerFiles;
use super::guard::guarded;
use super::pooling::pool;
use super::weights::Weights;
use crate::progress::Cancelled;
use runner_results::encoder::Pooling;

pub(crate) struct CandleModel {
    network: Network,
    device: Device,
    hidden: usize,
    poolings: Vec<Pooling>,
}

enum Network {
    Bert(BertModel),
    DistilBert(DistilBertModel),
    Roberta(XLMRobertaModel),
}

impl CandleModel {
    pub(crate) fn load(weights: Weights, model: &TransformerFiles, device: &Device) -> Result<Self, EncodeError> {
        let path = weights.path().to_owned();
        let unsupported = |reason: String| EncodeError::Unsupported { path: model.config_path.clone(), reason };
        let failed = |error: candle_core::Error| EncodeError::Corrupt { path: path.clone(), reason: error.to_string() };
        let tensors = BufferedSafetensors::new(weights.into_bytes()).map_err(failed)?;
        let found = Arc::new(Mutex::new(None));
        let tensors = FiniteTensors { tensors, path: path.clone(), found: Arc::clone(&found) };
        let builder = VarBuilder::from_backend(Box::new(tensors), DType::F32, device.clone());
        let failed = |error: candle_core::Error| {
            let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
            found.unwrap_or_else(|| failed(error))
        };
        let network = guarded(|| CandleModel::network(builder, model, &failed, &unsupported));
        let network = network.unwrap_or_else(|| Err(unsupported("sizes that contradict each other".to_owned())))?;
        Ok(CandleModel {
            network,
            device: device.clone(),
            hidden: model.architecture.hidden,
            poolings: model.poolings.clone(),
        })
    }

    fn network(
        builder: VarBuilder,
        model: &TransformerFiles,
        failed: &dyn Fn(candle_core::Error) -> EncodeError,
        unsupported: &dyn Fn(String) -> EncodeError,
    ) -> Result<Network, EncodeError> {
        Ok(match model.architecture.family {
            Family::Bert => Network::Bert(BertModel::load(builder, &config(model)?).map_err(failed)?),
            // candle computes the tanh form for 'gelu' here, which is another function.
            Family::DistilBert if model.architecture.activation == Activation::Gelu => {
                return Err(unsupported("distilbert with 'gelu' on this device; run it on the CPU".to_owned()));
            }
            Family::DistilBert => Network::DistilBert(DistilBertModel::load(builder, &config(model)?).map_err(failed)?),
            Family::Roberta => {
                let name = "embeddings.word_embeddings.weight";
                let builder = if builder.contains_tensor(name) { builder } else { builder.pp("roberta") };
                Network::Roberta(XLMRobertaModel::new(&config(model)?, builder).map_err(failed)?)
            }
            Family::MpNet => {
                return Err(unsupported("model_type 'mpnet' on this device; run it on the CPU".to_owned()));
            }
        })
    }

    /// Sequences of one length → sequences × tokens × hidden.
    fn forward(&self, sequences: &[&[u32]]) -> candle_core::Result<Vec<f32>> {
        let shape = (sequences.len(), sequences[0].len());
        let ids = Tensor::from_vec(sequences.concat(), shape, &self.device)?;
        let types = ids.zeros_like()?;
        let states = match &self.network {
            Network::Bert(network) => network.forward(&ids, &types, None)?,
            // Ones mark what is *not* seen.
            Network::DistilBert(network) => {
                let mask = Tensor::zeros((1, 1, 1, shape.1), DType::U8, &self.device)?;
                network.forward(&ids, &mask)?
            }
            Network::Roberta(network) => network.forward(&ids, &ids.ones_like()?, &types, None, None, None)?,
        };
        states.flatten_all()?.to_vec1()
    }
}

/// The tensors of a file, refused by name where one that the model takes is not finite.
struct FiniteTensors {
    tensors: BufferedSafetensors,
    path: PathBuf,
    /// What was found, since candle's errors are its own.
    found: Arc<Mutex<Option<EncodeError>>>,
}

impl FiniteTensors {
    fn checked(&self, name: &str, tensor: Tensor, device: &Device) -> candle_core::Result<Tensor> {
        let values: Vec<f32> = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
        if let Some(index) = first_not_finite(&values) {
            let error = EncodeError::NotFinite {
                path: self.path.clone(),
                name: name.to_owned(),
                at: position(index, tensor.dims()),
                value: values[index].to_string(),
            };
            let message = error.to_string();
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            return Err(candle_core::Error::Msg(message));
        }
        tensor.to_device(device)
    }
}

impl SimpleBackend for FiniteTensors {
    fn get(&self, shape: Shape, name: &str, init: Init, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let tensor = SimpleBackend::get(&self.tensors, shape, name, init, dtype, &Device::Cpu)?;
        self.checked(name, tensor, device)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let tensor = SimpleBackend::get_unchecked(&self.tensors, name, dtype, &Device::Cpu)?;
        self.checked(name, tensor, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.tensors.contains_tensor(name)
    }
}

/// config.json as candle's own type, which wants a key that transformers 5 no longer writes.
fn config<T: DeserializeOwned>(model: &TransformerFiles) -> Result<T, EncodeError> {
    let mut config = model.config.clone();
    if let Some(keys) = config.as_object_mut() {
        keys.entry("position_embedding_type").or_insert("absolute".into());
    }
    serde_json::from_value(config)
        .map_err(|error| EncodeError::Unsupported { path: model.config_path.clone(), reason: error.to_string() })
}

impl Engine for CandleModel {
    fn name(&self) -> &'static str {
        "candle"
    }

    fn dim(&self) -> usize {
        self.hidden * self.poolings.len()
    }

    fn equal_lengths(&self) -> bool {
        true
    }

    fn sessions(&self, _threads: usize) -> usize {
        1
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(CandleSession(self))
    }
}

struct CandleSession<'a>(&'a CandleModel);

impl Session for CandleSession<'_> {
    fn run(&mut self, sequences: &[&[u32]], out: &mut [f32], cancelled: &dyn Fn() -> bool) -> Result<(), EncodeError> {
        if cancelled() {
            return Err(Cancelled.into());
        }
        let CandleSession(model) = self;
        let states = guarded(|| model.forward(sequences));
        let states = states.ok_or_else(|| EncodeError::Device("sizes that contradict each other".to_owned()))?;
        let states = states.map_err(|error| EncodeError::Device(error.to_string()))?;
        let size = sequences[0].len() * model.hidden;
        for (states, out) in states.chunks_exact(size).zip(out.chunks_exact_mut(model.dim())) {
            pool(&model.poolings, states.chunks_exact(model.hidden), out);
        }
        Ok(())
    }
}
