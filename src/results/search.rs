//! A search over parameters: what was tried, and what came of it: `search.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::Document;
use crate::{Metric, PartScores};

/// Values of the searched parameters by path.
pub type Point = BTreeMap<String, Value>;

/// A search that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// How points were chosen.
    pub method: Method,
    /// What the validation part was asked for.
    pub metric: Metric,
    /// In the order of their indices.
    pub trials: Vec<Trial>,
    /// Index of the best trial that ran to its end; the first of equals.
    pub best: usize,
    /// Whether the clock ended it.
    pub out_of_time: bool,
    /// What varied, and how much it matters.
    pub factors: Vec<Factor>,
}

/// How points are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every combination of choices.
    Grid,
    /// Random search (Bergstra and Bengio 2012).
    #[default]
    Random,
    /// Tree-structured Parzen estimator (Bergstra et al. 2011) over all parameters together, as Optuna's multivariate one; the first ten trials
    /// are random.
    Tpe,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It had all its epochs, or stopped by its own early stopping.
    Complete,
    /// It was among the worse of its rung.
    Pruned,
    /// Its loss was not finite.
    Diverged,
}

/// One point of the space and its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its place among the trials.
    pub index: usize,
    /// The searched parameters by path.
    pub params: Point,
    /// How it ended.
    pub state: State,
    /// The scores of its kept epoch on the validation part; none where the loss was never finite.
    pub valid: Option<PartScores>,
    /// Whose weights are kept; none where the loss was never finite.
    pub best_epoch: Option<usize>,
    /// Epochs that it had.
    pub epochs: usize,
}

/// One thing that varied between trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    /// The parameter's path, e.g. `optimizer.lr`.
    pub path: String,
    /// What of the parameter, where that is not the value itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aspect: Option<Aspect>,
    /// How to draw the values.
    pub scale: Scale,
    /// Its value in each trial; null where it has none.
    pub values: Vec<Value>,
    /// Share of the score's variance over the space that it explains alone (fANOVA), from all trials that have a score; none of too few trials.
    pub importance: Option<f64>,
}

/// What of a list of widths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// How many layers.
    Depth,
    /// Units of the widest.
    Width,
}

/// How the values lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A few values side by side.
    Choice,
    /// Numbers on a linear axis.
    Linear,
    /// Positive numbers on a logarithmic axis.
    Logarithmic,
}

impl State {
    /// As it stands in the table of trials.
    pub fn name(self) -> &'static str {
        match self {
            State::Complete => "complete",
            State::Pruned => "pruned",
            State::Diverged => "diverged",
        }
    }
}

impl Trial {
    /// By the metric, the larger the better; none where the loss was never finite.
    pub fn merit(&self, metric: Metric) -> Option<f64> {
        self.score(metric).map(|score| metric.merit(score))
    }

    /// By the metric; none where the loss was never finite.
    pub fn score(&self, metric: Metric) -> Option<f64> {
        self.valid.map(|scores| scores.get(metric)).filter(|score| score.is_finite())
    }
}

impl Search {
    /// How many trials ended so.
    pub fn ended(&self, state: State) -> usize {
        self.trials.iter().filter(|trial| trial.state == state).count()
    }
}

impl Document for Search {
    const NAME: &'static str = "search";
    const VERSION: u32 = 1;
}
