//! What the validation part is asked for, and its scores after one epoch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A score of the validation part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean negative log-likelihood; lower is better.
    Loss,
    /// Share of rows that are right.
    Accuracy,
    /// Unweighted mean of the classes' F1.
    #[default]
    MacroF1,
}

impl Metric {
    /// As it stands in messages.
    pub fn label(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Accuracy => "accuracy",
            Metric::MacroF1 => "macro-F1",
        }
    }

    /// The value with its sign turned so that larger is better.
    pub fn merit(self, value: f64) -> f64 {
        if self == Metric::Loss { -value } else { value }
    }
}

/// Scores of one part after one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartScores {
    /// Mean negative log-likelihood in nats; NaN where it overflowed.
    #[serde(deserialize_with = "crate::number::or_nan")]
    pub loss: f64,
    /// Share of rows that are right.
    pub accuracy: f64,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: f64,
}

impl PartScores {
    /// The score that the metric names.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Loss => self.loss,
            Metric::Accuracy => self.accuracy,
            Metric::MacroF1 => self.macro_f1,
        }
    }
}
