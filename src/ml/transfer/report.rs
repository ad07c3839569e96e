//! What a transfer found, as data: runs, tensors, comparisons, comments.

use serde::{Deserialize, Serialize};

use super::spec::Strategy;
use super::weight_transfer::TensorReport;
use crate::matrix::Matrix;
use crate::metrics::Scores;
use crate::stats::{Interval, Test};
use crate::train::{Curves, Metric};

/// Everything but the networks themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransferReport {
    /// Strategy after strategy, each with all its seeds, on all training rows.
    pub runs: Vec<StrategyRun>,
    /// The same with a share of the new classes' training rows, share after share.
    pub share_runs: Vec<StrategyRun>,
    /// What the copying strategies took from the old network; empty when there is none.
    pub tensors: Vec<TensorReport>,
    /// The part that `comparisons`, `shares` and `rows` are about: the test part, or without one the validation part.
    pub part: Part,
    /// The old network on the rows of its own classes, among which it chooses: on the validation part, and on the test part.
    pub before: Vec<(Part, ClassGroup)>,
    /// Every strategy but the baseline against it.
    pub comparisons: Vec<Comparison>,
    /// The same for accuracy at every lesser share; p values corrected over all shares and strategies.
    pub shares: Vec<ShareComparison>,
    /// The chosen network against the baseline's best one, row by row; absent where the baseline was chosen.
    pub rows: Option<RowComparison>,
    /// Sentences made from the figures, the verdict first.
    pub comments: Vec<String>,
    /// Index in `runs` of the best strategy's best network on the validation part.
    pub best: usize,
    /// By which epochs and networks are chosen.
    pub metric: Metric,
    /// How inputs were prepared, the same for all strategies.
    pub preprocessing: String,
}

/// A part of the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Valid,
    Test,
}

/// Which training a run is: what differs between the trainings of one transfer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    pub strategy: Strategy,
    pub seed: u64,
    /// Of the new classes' training rows.
    pub share: f64,
}

/// One training of one strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyRun {
    pub strategy: Strategy,
    pub seed: u64,
    /// Of the new classes' training rows.
    pub share: f64,
    /// How many rows that are.
    pub new_rows: u64,
    pub curves: Curves,
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
    /// The kept network on the validation part.
    pub valid: GroupScores,
    /// The same on the test part, where there is one. Nothing is chosen by it.
    pub test: Option<GroupScores>,
}

/// Scores of all classes, and of old and new ones, by a network that chooses among all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupScores {
    pub all: Scores,
    /// Rows of classes that the old network knew.
    pub old_classes: ClassGroup,
    /// Rows of new classes.
    pub new_classes: ClassGroup,
    /// Share of the old classes' rows that are right when the network chooses among the old classes alone: what it still knows
    /// of them, apart from taking them for new ones. `None` without such rows.
    pub retained: Option<f64>,
    /// Whether each row is right.
    #[serde(skip)]
    pub hits: Vec<bool>,
}

/// Scores of a part of the classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassGroup {
    pub classes: Vec<String>,
    /// Rows whose true class is one of these.
    pub rows: u64,
    /// Share of those rows that are right; `None` without rows.
    pub accuracy: Option<f64>,
    /// Mean F1 of these classes; `None` without rows.
    pub macro_f1: Option<f64>,
}

/// A strategy against the baseline, paired by seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub strategy: Strategy,
    pub baseline: Strategy,
    /// The best epoch's score on the validation part, by the report's metric; below 0 is better where that is a loss.
    pub valid: Paired,
    /// Share of all rows that are right. This and what follows is of the report's part.
    pub accuracy: Paired,
    /// Share of the old classes' rows that are right.
    pub old_classes: Option<Paired>,
    /// Share of the new classes' rows that are right: recall.
    pub new_classes: Option<Paired>,
    /// Share of the old classes' rows that are right among the old classes.
    pub retained: Option<Paired>,
    /// The mean validation score before any step.
    pub start: f64,
    pub baseline_start: f64,
    /// For each seed the first epoch that is at least as good as the baseline's best one; `None` if never.
    pub epochs_to_baseline_best: Vec<Option<usize>>,
    /// For each seed the baseline's best epoch.
    pub baseline_best_epochs: Vec<usize>,
}

/// One score of two strategies over the same seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    pub mean: f64,
    pub deviation: f64,
    pub baseline_mean: f64,
    pub baseline_deviation: f64,
    /// Of strategy minus baseline.
    pub mean_difference: f64,
    /// Two-sided paired t-test over the seeds; absent for a single seed.
    pub p_value: Option<f64>,
    /// Corrected over the strategies that are compared with the same baseline (Holm 1979).
    pub p_corrected: Option<f64>,
}

/// A strategy's accuracy against the baseline's with a share of the new classes' rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareComparison {
    pub share: f64,
    pub strategy: Strategy,
    pub accuracy: Paired,
}

/// Two networks on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowComparison {
    pub strategy: Strategy,
    pub seed: u64,
    pub baseline: Strategy,
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

impl StrategyRun {
    /// The scores to compare by.
    pub fn judged(&self) -> &GroupScores {
        self.test.as_ref().unwrap_or(&self.valid)
    }
}

impl GroupScores {
    /// `truth` holds indices into `classes`, `logits` a row for each of them.
    pub fn new(classes: &[String], old: &[String], truth: &[u32], logits: &Matrix) -> Self {
        let predicted = logits.argmax_rows();
        let all = Scores::new(classes, truth, &predicted);
        let is_old: Vec<bool> = classes.iter().map(|class| old.contains(class)).collect();
        let among_old = |row: usize| {
            let row = logits.row(row);
            let known = (0..classes.len()).filter(|&class| is_old[class]);
            known.reduce(|best, class| if row[class] > row[best] { class } else { best })
        };
        let (old_classes, new_classes) = (group(&all, &is_old, true), group(&all, &is_old, false));
        let kept = (0..truth.len()).filter(|&row| among_old(row) == Some(truth[row] as usize)).count();
        GroupScores {
            retained: (old_classes.rows > 0).then(|| kept as f64 / old_classes.rows as f64),
            hits: truth.iter().zip(&predicted).map(|(truth, predicted)| truth == predicted).collect(),
            all,
            old_classes,
            new_classes,
        }
    }
}

/// Scores of those classes for which `is_old` is `wanted`.
fn group(scores: &Scores, is_old: &[bool], wanted: bool) -> ClassGroup {
    let members: Vec<usize> = (0..is_old.len()).filter(|&class| is_old[class] == wanted).collect();
    let rows: u64 = members.iter().map(|&c| scores.per_class[c].support).sum();
    let hits: u64 = members.iter().map(|&c| scores.confusion[c][c]).sum();
    let f1: f64 = members.iter().map(|&c| scores.per_class[c].f1).sum();
    ClassGroup {
        classes: members.iter().map(|&c| scores.classes[c].clone()).collect(),
        rows,
        accuracy: (rows > 0).then(|| hits as f64 / rows as f64),
        macro_f1: (rows > 0).then(|| f1 / members.len() as f64),
    }
}
