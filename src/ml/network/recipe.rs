//! `Recipe`: everything about a stored model that is not a tensor, as JSON. With `model.safetensors` it suffices to
//! predict, in any language.

use runner_results::costs::CostMatrix;
use serde::{Deserialize, Serialize};

use super::Blueprint;
use crate::preprocess::Preprocessing;

/// The layout of this recipe and of the tensors' names; a reader refuses others.
pub(crate) const FORMAT: &str = "runner network 2";

/// What stands beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// Always `FORMAT`.
    pub(crate) format: String,
    /// Names of the outputs, in order.
    pub(crate) classes: Vec<String>,
    /// Imputation and scaling of the inputs, fitted on the training part.
    pub(crate) inputs: Preprocessing,
    /// Shape, activation and constants of the network.
    pub(crate) network: Blueprint,
    /// The loss that the weights minimise; the logits' softmax are probabilities under it.
    pub(crate) loss: String,
    /// The logits are divided by it before the softmax; fitted on the validation part, as is the bias.
    pub(crate) temperature: f64,
    /// Added to them after that, one for each class, where the classes' shares were off; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bias: Vec<f64>,
    /// Added to the logarithms of the probabilities to find the class that is predicted, one for each class; empty where it is the likeliest one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) decision: Vec<f64>,
    /// What mistakes cost, a row for each true class: predicted is the class of least expected cost, whatever `decision` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) costs: Option<CostMatrix>,
}
