//! The BERT family, for devices other than the CPU and as a reference.

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config as BertConfig};
use candle_transformers::models::distilbert::{Config as DistilBertConfig, DistilBertModel};
use candle_transformers::models::xlm_roberta::{Config as RobertaConfig, XLMRobertaModel};
use serde::de::DeserializeOwned;

use super::super::EncodeError;
use super::super::architecture::{Activation, Architecture, Family};
use super::super::kind::Shape;
use super::super::settings::Settings;
use super::{CandleKind, Naming, Network};

pub(in super::super) struct BertFamily {
    shape: Shape,
    config: Config,
}

enum Config {
    Bert(BertConfig),
    DistilBert(DistilBertConfig),
    Roberta(RobertaConfig),
}

impl BertFamily {
    /// # Errors
    /// Candle has not this model, or computes another function.
    pub(in super::super) fn new(architecture: &Architecture, settings: Settings) -> Result<Self, EncodeError> {
        let config = match architecture.family {
            Family::Bert => Config::Bert(config(settings)?),
            // candle computes the tanh form for 'gelu' here, which is another function.
            Family::DistilBert if architecture.activation == Activation::Gelu => {
                return Err(settings.unsupported("distilbert with 'gelu' on this device; run it on the CPU"));
            }
            Family::DistilBert => Config::DistilBert(config(settings)?),
            Family::Roberta => Config::Roberta(config(settings)?),
            Family::MpNet => {
                return Err(settings.unsupported("model_type 'mpnet' on this device; run it on the CPU"));
            }
        };
        Ok(BertFamily { shape: architecture.shape(), config })
    }
}

/// config.json as candle's own type, which wants a key that transformers 5 no longer writes.
fn config<T: DeserializeOwned>(settings: Settings) -> Result<T, EncodeError> {
    let mut config = settings.values.clone();
    if let Some(keys) = config.as_object_mut() {
        keys.entry("position_embedding_type").or_insert("absolute".into());
    }
    serde_json::from_value(config).map_err(|error| settings.unsupported(error))
}

impl CandleKind for BertFamily {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn naming(&self) -> Naming {
        Naming { candle: "", anchor: "embeddings.word_embeddings.weight", optional: &[], unread: &[] }
    }

    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>> {
        Ok(match &self.config {
            Config::Bert(config) => Box::new(BertModel::load(builder, config)?),
            Config::DistilBert(config) => Box::new(DistilBertModel::load(builder, config)?),
            Config::Roberta(config) => Box::new(XLMRobertaModel::new(config, builder)?),
        })
    }
}

impl Network for BertModel {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        self.forward(tokens, &tokens.zeros_like()?, None)
    }
}

impl Network for DistilBertModel {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        // Ones mark what is *not* seen.
        let mask = Tensor::zeros((1, 1, 1, tokens.dim(1)?), DType::U8, tokens.device())?;
        self.forward(tokens, &mask)
    }
}

impl Network for XLMRobertaModel {
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        self.forward(tokens, &tokens.ones_like()?, &tokens.zeros_like()?, None, None, None)
    }
}
