//! What a transfer found, as data: runs, tensors, comparisons, comments.
//!
//! Knows nothing of how it is shown.

use serde::{Deserialize, Serialize};

use super::graft::TensorReport;
use super::spec::Strategy;
use crate::ml::metrics::Scores;
use crate::ml::train::{Curves, Metric};

/// Everything but the networks themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransferReport {
    /// Strategy after strategy, each with all its seeds.
    pub runs: Vec<StrategyRun>,
    /// What the copying strategies took from the old network; empty when there is none.
    pub tensors: Vec<TensorReport>,
    /// Every strategy but the baseline against it.
    pub comparisons: Vec<Comparison>,
    /// Sentences made from the figures.
    pub comments: Vec<String>,
    /// Index in `runs` of the best strategy's best network on the validation part.
    pub best: usize,
    /// What the validation scores of `comparisons` are.
    pub metric: Metric,
    /// How inputs were prepared, the same for all strategies.
    pub preprocessing: String,
}

/// One training of one strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyRun {
    pub strategy: Strategy,
    pub seed: u64,
    pub curves: Curves,
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
    /// The kept network on the validation part.
    pub valid: Scores,
    /// The same for rows of classes that the old network knew.
    pub old_classes: ClassGroup,
    /// The same for rows of new classes.
    pub new_classes: ClassGroup,
}

/// Scores of a part of the classes, by a network that chooses among all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassGroup {
    pub classes: Vec<String>,
    /// Rows whose true class is one of these.
    pub rows: u64,
    /// Share of those rows that are right; 0 without rows.
    pub accuracy: f64,
    /// Mean F1 of these classes; 0 without classes.
    pub macro_f1: f64,
}

/// A strategy against the baseline, paired by seed. Scores are the best epoch's on the validation part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub strategy: Strategy,
    pub baseline: Strategy,
    pub mean: f64,
    pub deviation: f64,
    pub baseline_mean: f64,
    pub baseline_deviation: f64,
    /// Of strategy minus baseline; below 0 is better where the metric is a loss.
    pub mean_difference: f64,
    /// Two-sided paired t-test over the seeds; absent for a single seed.
    pub p_value: Option<f64>,
    /// The mean score before any step.
    pub start: f64,
    pub baseline_start: f64,
    /// For each seed the first epoch that is at least as good as the baseline's best one; `None` if never.
    pub epochs_to_baseline_best: Vec<Option<usize>>,
    /// For each seed the baseline's best epoch.
    pub baseline_best_epochs: Vec<usize>,
}

/// Scores of all classes, of those that `old` has, and of the others. `truth` and `predicted` are indices into `classes`.
pub fn score_groups(
    classes: &[String],
    old: &[String],
    truth: &[u32],
    predicted: &[u32],
) -> (Scores, ClassGroup, ClassGroup) {
    let scores = Scores::new(classes, truth, predicted);
    let group = |wanted: bool| {
        let members: Vec<usize> = (0..classes.len()).filter(|&c| old.contains(&classes[c]) == wanted).collect();
        let rows: u64 = members.iter().map(|&c| scores.per_class[c].support).sum();
        let hits: u64 = members.iter().map(|&c| scores.confusion[c][c]).sum();
        let f1: f64 = members.iter().map(|&c| scores.per_class[c].f1).sum();
        ClassGroup {
            classes: members.iter().map(|&c| classes[c].clone()).collect(),
            rows,
            accuracy: if rows > 0 { hits as f64 / rows as f64 } else { 0.0 },
            macro_f1: if members.is_empty() { 0.0 } else { f1 / members.len() as f64 },
        }
    };
    let (old_classes, new_classes) = (group(true), group(false));
    (scores, old_classes, new_classes)
}
