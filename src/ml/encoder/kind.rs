//! What a transformer is by its config.json, and which engine computes it on a CPU.

use serde_json::Value;

use super::EncodeError;
use super::architecture::{self, Architecture};
use super::candle_model::{self, CandleKind};
use super::settings::Settings;

pub(crate) enum TransformerKind {
    /// Of the BERT family.
    Packed(Architecture),
    /// Through candle-transformers.
    Candle(Box<dyn CandleKind>),
}

/// What the rest of an encoder needs to know of its transformer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Dimensions of a token.
    pub(crate) hidden: usize,
    /// Number of tokens.
    pub(crate) vocabulary: usize,
    /// The longest text in tokens that it can read.
    pub(crate) longest: usize,
    /// The same where no file says how long a text may be.
    pub(crate) usual: usize,
}

impl TransformerKind {
    pub(crate) fn read(settings: Settings) -> Result<Self, EncodeError> {
        if let Some(kind) = candle_model::read(settings)? {
            return Ok(TransformerKind::Candle(kind));
        }
        if let Some(architecture) = Architecture::read(settings)? {
            return Ok(TransformerKind::Packed(architecture));
        }
        let found = match settings.values["model_type"].as_str() {
            Some(other) => format!("model_type '{other}'"),
            None => "no model_type".to_owned(),
        };
        let known = [architecture::MODEL_TYPES, candle_model::MODEL_TYPES].concat().join(", ");
        Err(settings.unsupported(format!("{found}; supported are {known}")))
    }

    pub(crate) fn shape(&self) -> Shape {
        match self {
            TransformerKind::Packed(architecture) => architecture.shape(),
            TransformerKind::Candle(kind) => kind.shape(),
        }
    }
}

/// The name that config.json gives a kind of transformer.
pub(crate) fn model_type(config: &Value) -> &str {
    config["model_type"].as_str().unwrap_or("unknown")
}
