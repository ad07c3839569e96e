//! Two models on the test rows that they have in common, e.g. one model of two runs.

use serde::Serialize;

use crate::interval::IntervalMethod;
use crate::paired_test::Test;

/// Both models on these rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedComparison {
    pub rows: usize,
    /// How many groups of rows that belong together these are of, which are resampled and tested whole; absent where each row stands alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// Whether they are too few for intervals and test to be taken at their word.
    pub few_groups: bool,
    /// Test rows that only one of the two has, or that carry different labels.
    pub left_out: usize,
    pub scores: Vec<ScoreDifference>,
    /// Both predict the same class for every row: their scores differ in nothing, on these rows and by what is predicted.
    pub same_predictions: bool,
    pub both_right: u64,
    pub both_wrong: u64,
    pub right_to_wrong: u64,
    pub wrong_to_right: u64,
    /// Over groups where there are any.
    pub mcnemar: Test,
    /// McNemar's p after Holm's correction over everything that was compared.
    pub adjusted_p: f64,
    /// On B against A by the adjusted p, at 5 %.
    pub verdict: Verdict,
    #[serde(skip)]
    pub flips: Vec<Flip>,
}

impl PairedComparison {
    pub fn score(&self, metric: ScoreMetric) -> Option<&ScoreDifference> {
        self.scores.iter().find(|score| score.metric == metric)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMetric {
    Accuracy,
    MacroF1,
    /// In nats; less is better.
    LogLoss,
}

/// One score of both, and the interval of B − A from resampled rows or groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreDifference {
    pub metric: ScoreMetric,
    pub a: f64,
    pub b: f64,
    pub difference: Difference,
}

/// B − A, with its 95 % interval; without one where no resample differs. The accuracy of two models that are right on the same rows but predict
/// different classes has Tango's then; that of the same predictions has none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub estimate: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// How the interval was made.
    pub method: Option<IntervalMethod>,
}

/// A row on which exactly one of the two is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flip {
    pub row_id: i64,
    pub label: String,
    pub a: String,
    pub b: String,
    /// B is the one that is right.
    pub gained: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Better,
    Worse,
    NoSignificantDifference,
}
