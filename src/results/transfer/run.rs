//! One training of a strategy, and how it scored.

use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::Part;
use crate::scores::Scores;

/// The trainings of one strategy on all training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyRuns {
    /// What its trainings have in common.
    pub strategy: Strategy,
    /// One of each seed.
    pub runs: Vec<Run>,
}

/// One training, of one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Every strategy is trained with the same seeds.
    pub seed: u64,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
    /// The kept network on the validation part.
    pub valid: GroupScores,
    /// The first epoch that is at least as good as the baseline's best one with the same seed; absent if never, and of the baseline itself.
    pub epochs_to_target: Option<usize>,
    /// The kept network on the test part, where there is one. Nothing is chosen by it.
    pub test: Option<GroupScores>,
}

/// Scores of all classes, and of old and new ones, by a network that chooses among all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupScores {
    /// Of all rows of the part.
    pub all: Scores,
    /// Rows of classes that the old network knew.
    pub old_classes: ClassGroup,
    /// Rows of new classes.
    pub new_classes: ClassGroup,
    /// Share of the old classes' rows that are right when the network chooses among the old classes alone: what it still knows
    /// of them, apart from taking them for new ones. `None` without such rows.
    pub retained: Option<f64>,
}

/// Scores of a part of the classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassGroup {
    /// The group's classes.
    pub classes: Vec<String>,
    /// Rows whose true class is one of these.
    pub rows: u64,
    /// Share of those rows that are right; `None` without rows.
    pub accuracy: Option<f64>,
    /// Mean F1 of these classes; `None` without rows.
    pub macro_f1: Option<f64>,
}

/// The old network on one part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// The rows that were predicted.
    pub part: Part,
    /// Scores among the old classes.
    pub old_classes: ClassGroup,
}

impl Run {
    /// The scores to compare by.
    pub fn judged(&self) -> &GroupScores {
        self.test.as_ref().unwrap_or(&self.valid)
    }
}

/// One training with a share of the new classes' training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareRun {
    /// Of the new classes' training rows, 0 to 1.
    pub share: f64,
    /// How many rows that are.
    pub new_rows: u64,
    /// As in the comparison with all rows.
    pub strategy: Strategy,
    /// What its random numbers follow from.
    pub seed: u64,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// Scores of all rows of the document's part, and accuracies of those of old and of new classes.
    pub accuracy: f64,
    /// Over all classes.
    pub macro_f1: f64,
    /// Absent where the part has no such rows.
    pub old_classes: Option<f64>,
    /// Absent where the part has no such rows.
    pub new_classes: Option<f64>,
}
