//! What a transfer found, and the trainings behind it.

use runner_results::transfer::Transfer;
use runner_results::transfer::{ClassGroup, GroupScores};

use super::spec::Strategy;
use crate::matrix::Matrix;
use crate::metrics::Scores;
use crate::train::Curves;

/// Everything but the networks themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferReport {
    /// What is written as a document.
    pub found: Transfer,
    /// Strategy after strategy, each with all its seeds, on all training rows.
    pub runs: Vec<StrategyRun>,
    /// The same with a share of the new classes' training rows, share after share.
    pub share_runs: Vec<StrategyRun>,
    /// Index in `runs` of the best strategy's best network on the validation part.
    pub best: usize,
}

/// Which training a run is: what differs between the trainings of one transfer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    /// Where weights start and what may move.
    pub strategy: Strategy,
    /// What its random numbers follow from.
    pub seed: u64,
    /// Of the new classes' training rows.
    pub share: f64,
}

/// One training of one strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategyRun {
    /// By which the network began.
    pub strategy: Strategy,
    /// What its random numbers followed from.
    pub seed: u64,
    /// Of the new classes' training rows.
    pub(crate) share: f64,
    /// How many rows that are.
    pub(crate) new_rows: u64,
    /// One entry for each epoch.
    pub curves: Curves,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
    /// The kept network on the validation part.
    pub(crate) valid: GroupScores,
    /// The same on the test part, where there is one. Nothing is chosen by it.
    pub(crate) test: Option<GroupScores>,
    /// Whether each row of the part that it is judged on is right.
    pub(crate) hits: Vec<bool>,
}

impl StrategyRun {
    /// The scores to compare by.
    pub(crate) fn judged(&self) -> &GroupScores {
        self.test.as_ref().unwrap_or(&self.valid)
    }
}

/// The scores, and whether each row is right. `truth` holds indices into `classes`, `logits` a row for each of them.
pub(crate) fn group_scores(
    classes: &[String],
    old: &[String],
    truth: &[u32],
    logits: &Matrix,
) -> (GroupScores, Vec<bool>) {
    let predicted = logits.argmax_rows();
    let hits = truth.iter().zip(&predicted).map(|(truth, predicted)| truth == predicted).collect();
    let all = Scores::new(classes, truth, &predicted);
    let is_old: Vec<bool> = classes.iter().map(|class| old.contains(class)).collect();
    let among_old = |row: usize| {
        let row = logits.row(row);
        let known = (0..classes.len()).filter(|&class| is_old[class]);
        known.reduce(|best, class| if row[class] > row[best] { class } else { best })
    };
    let (old_classes, new_classes) = (group(&all, &is_old, true), group(&all, &is_old, false));
    let kept = (0..truth.len()).filter(|&row| among_old(row) == Some(truth[row] as usize)).count();
    let retained = (old_classes.rows > 0).then(|| kept as f64 / old_classes.rows as f64);
    (GroupScores { all, old_classes, new_classes, retained }, hits)
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
