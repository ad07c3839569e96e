//! Whether a model's probabilities can be taken at their word, before and after they were calibrated.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::parts::Parts;

/// What a classifier says of its own certainty, against how often it is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Mean over the rows of |accuracy − confidence| of their bin.
    pub expected_error: f64,
    /// Mean negative log-likelihood of the true class in nats.
    pub log_loss: f64,
    /// Mean probability of the likeliest class.
    pub confidence: f64,
    /// How often the likeliest class is the true one.
    pub accuracy: f64,
    /// From low to high confidence; empty ones are left out.
    pub bins: Vec<Bin>,
}

/// The rows of which the likeliest class has a probability in `(low, high]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Exclusive.
    pub low: f64,
    /// Inclusive.
    pub high: f64,
    /// Never 0.
    pub rows: usize,
    /// Mean probability of the likeliest class.
    pub confidence: f64,
    /// Share of the rows whose likeliest class is the true one.
    pub accuracy: f64,
}

/// A calibration, and what it did to the parts that the model did not learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// Logits are divided by it; above 1 the model was over-confident on validation rows.
    pub temperature: f64,
    /// Absent for the training part, and for parts without rows.
    pub parts: Parts<BeforeAndAfter>,
    /// Added to the logits of each class, in nats; absent where the classes' shares were right without.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bias: Option<IndexMap<String, f64>>,
    /// The logarithm of each class's decision weight; absent where the likeliest class is predicted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<IndexMap<String, f64>>,
}

/// One part's reliability with the model's own probabilities and with the calibrated ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeforeAndAfter {
    /// Of the model's own probabilities.
    pub before: Reliability,
    /// Of the calibrated probabilities.
    pub after: Reliability,
}
