//! Strategies against the baseline.

use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::interval::Interval;
use crate::mcnemar::Test;
use crate::number::or_nan;

/// Below this p value a difference is called one.
pub const SIGNIFICANCE: f64 = 0.05;

/// A strategy against the baseline, paired by seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Compared with `baseline`.
    pub strategy: Strategy,
    /// The strategy compared with.
    pub baseline: Strategy,
    /// The best epoch's score on the validation part, by the metric; below 0 is better where that is a loss.
    pub valid: Paired,
    /// Share of all rows that are right. This and what follows is of the document's part.
    pub accuracy: Paired,
    /// Share of the old classes' rows that are right.
    pub old_classes: Option<Paired>,
    /// Share of the new classes' rows that are right: recall.
    pub new_classes: Option<Paired>,
    /// Share of the old classes' rows that are right among the old classes.
    pub retained: Option<Paired>,
    /// The mean validation score before any step.
    #[serde(deserialize_with = "or_nan")]
    pub start: f64,
    /// The baseline's mean validation score before any step.
    #[serde(deserialize_with = "or_nan")]
    pub baseline_start: f64,
    /// For each seed the first epoch that is at least as good as the baseline's best one; `None` if never.
    pub epochs_to_baseline_best: Vec<Option<usize>>,
    /// For each seed the baseline's best epoch.
    pub baseline_best_epochs: Vec<usize>,
}

/// One score of two strategies over the same seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Of the strategy.
    #[serde(deserialize_with = "or_nan")]
    pub mean: f64,
    /// Sample deviation over the seeds.
    #[serde(deserialize_with = "or_nan")]
    pub deviation: f64,
    /// Of the baseline.
    #[serde(deserialize_with = "or_nan")]
    pub baseline_mean: f64,
    /// Sample deviation over the seeds.
    #[serde(deserialize_with = "or_nan")]
    pub baseline_deviation: f64,
    /// Of strategy minus baseline.
    #[serde(deserialize_with = "or_nan")]
    pub mean_difference: f64,
    /// Two-sided paired t-test over the seeds; absent for a single seed.
    pub p_value: Option<f64>,
    /// Corrected over the strategies that are compared with the same baseline (Holm 1979).
    pub p_corrected: Option<f64>,
}

/// What a test of a difference comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Significantly higher than the baseline.
    Higher,
    /// Significantly lower than the baseline.
    Lower,
    /// No significant difference.
    Same,
    /// There is nothing to test with, e.g. of a single seed.
    Untested,
}

impl Outcome {
    /// Of a difference with that p value.
    pub fn of(difference: f64, p: Option<f64>) -> Outcome {
        match p {
            None => Outcome::Untested,
            Some(p) if p < SIGNIFICANCE && difference > 0.0 => Outcome::Higher,
            Some(p) if p < SIGNIFICANCE => Outcome::Lower,
            Some(_) => Outcome::Same,
        }
    }
}

impl Paired {
    /// By the corrected test.
    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.mean_difference, self.p_corrected)
    }
}

/// A strategy's accuracy against the baseline's with a share of the new classes' rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareComparison {
    /// Of the new classes' training rows, 0 to 1.
    pub share: f64,
    /// Compared with the baseline at the same share.
    pub strategy: Strategy,
    /// On the document's part.
    pub accuracy: Paired,
}

/// Two networks on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowComparison {
    /// Of the chosen network.
    pub strategy: Strategy,
    /// Of the chosen network.
    pub seed: u64,
    /// The strategy compared with.
    pub baseline: Strategy,
    /// Of the baseline's best network.
    pub baseline_seed: u64,
    /// Rows on which only the strategy's network is right.
    pub only_ours: u64,
    /// Rows on which only the baseline's is right.
    pub only_theirs: u64,
    /// How many groups of rows that belong together were resampled and tested; absent where each row stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// McNemar's test, over groups where there are any.
    pub mcnemar: Test,
    /// Of the difference in accuracy: 95 %.
    pub difference: Interval,
}
