//! `Recipe`: everything about a stored model that is not a tensor, as JSON. With `model.safetensors` it suffices to
//! predict, in any language.
//!
//! Knows nothing of files.

use serde::{Deserialize, Serialize};

use super::Blueprint;
use crate::ml::preprocess::Preprocessing;

/// The layout of this recipe and of the tensors' names; a reader refuses others.
pub const FORMAT: &str = "runner network 1";

/// What stands beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Always `FORMAT`.
    pub format: String,
    /// Names of the outputs, in order.
    pub classes: Vec<String>,
    /// Imputation and scaling of the inputs, fitted on the training part.
    pub inputs: Preprocessing,
    /// Shape, activation and constants of the network.
    pub network: Blueprint,
    /// The loss that the weights minimise; the logits' softmax are probabilities under it.
    pub loss: String,
    /// The logits are divided by it before the softmax; fitted on the validation part, it leaves the likeliest class as it is.
    #[serde(default = "neutral")]
    pub temperature: f64,
}

fn neutral() -> f64 {
    1.0
}
