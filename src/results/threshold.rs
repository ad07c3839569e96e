//! The threshold on the probability of the positive class from which on it is predicted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a threshold is chosen for, of two classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdAim {
    /// The highest F1 of the positive class.
    F1,
    /// The least cost of all mistakes together.
    Cost(Costs),
    /// The fewest false alarms among thresholds that find at least this share of the positive rows, e.g. 0.9.
    Recall(#[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))] f64),
}

/// What mistakes cost, in any unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// A row of the other class that is predicted positive.
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub false_positive: f64,
    /// A positive row that is predicted to be of the other class.
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub false_negative: f64,
}

impl ThresholdAim {
    /// What is wrong with the values, as (path under the parameter, message).
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        match self {
            ThresholdAim::F1 => Vec::new(),
            ThresholdAim::Recall(share) if *share > 0.0 && *share <= 1.0 => Vec::new(),
            ThresholdAim::Recall(share) => vec![("recall", format!("must be above 0 and at most 1; got {share}"))],
            ThresholdAim::Cost(costs) => {
                [("cost.false_positive", costs.false_positive), ("cost.false_negative", costs.false_negative)]
                    .into_iter()
                    .filter(|(_, cost)| !(*cost > 0.0 && cost.is_finite()))
                    .map(|(path, cost)| (path, format!("must be above 0; got {cost}")))
                    .collect()
            }
        }
    }
}

/// A threshold that a model has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The least probability of the positive class that is predicted so.
    pub value: f64,
    /// The positive class.
    pub positive: String,
    /// What it was chosen for.
    pub aim: ThresholdAim,
    /// The rows that chose it.
    pub fitted_on: ThresholdRows,
}

/// The rows that chose a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdRows {
    /// Of the validation part: scores there flatter a metric that depends on the threshold.
    Validation,
    /// Of the training part, each by the model of the other folds, where there are no validation rows.
    CrossFitted,
}
