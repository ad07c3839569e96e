//! A weighted average of other stages' models: `metrics.json` of `ensemble`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Metric;
use crate::calibration::CalibrationReport;
use crate::document::Document;
use crate::parts::Parts;
use crate::scores::Scores;

/// What an `ensemble` stage found: `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ensemble {
    /// The score of the validation part is optimistic where it chose the weights: see `cross_fitted_valid`.
    pub parts: Parts<Scores>,
    /// The models that are averaged.
    pub members: Vec<Member>,
    /// What was averaged.
    pub average: Average,
    /// How the weights were chosen.
    pub weights: Weighting,
    /// By which greedy selection chose them, where that is not the log loss.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metric: Option<Metric>,
    /// Of the validation part, each row by weights that were chosen on other rows.
    pub cross_fitted_valid: Scores,
    /// Of the averaged probabilities.
    pub calibration: CalibrationReport,
    /// In the order in which the scores have them.
    pub classes: Vec<String>,
}

/// A model that is averaged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// `STAGE`, or `STAGE/MODEL` of a stage that fitted several.
    pub name: String,
    /// 0 to 1; they sum to 1.
    pub weight: f64,
    /// Alone, on the validation part.
    pub valid: Scores,
}

/// What is averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// Logarithms of probabilities: a member that is sure that a class is wrong has a veto.
    #[default]
    Logits,
    /// Probabilities themselves: a member that is sure is outvoted.
    Probabilities,
}

/// How the weights are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// The weights of least validation log loss, a convex problem.
    #[default]
    Convex,
    /// Members are added one by one, with repetition, each time the one that lowers the validation log loss most (Caruana et al. 2004).
    Greedy,
    /// Every member counts the same.
    Equal,
}

impl Document for Ensemble {
    const NAME: &'static str = "ensemble";
    const VERSION: u32 = 1;

    fn classes(&self) -> Vec<&str> {
        let of_parts = self.parts.iter().flat_map(|scores| &scores.classes);
        self.classes.iter().chain(of_parts).map(String::as_str).collect()
    }
}
