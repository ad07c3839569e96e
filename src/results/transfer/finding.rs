//! What the figures of a transfer come to.

use serde::{Deserialize, Serialize};

use super::{Action, Paired, RowComparison, Strategy};
use crate::number::or_nan;

/// What figures come to, with the numbers that it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TransferFinding {
    /// How the strategies stand beside the baseline by accuracy, each by its corrected test.
    Verdict {
        /// How many trainings each strategy has.
        seeds: usize,
        /// The strategy compared with.
        baseline: Standing,
        /// Significantly.
        more_accurate: Vec<Standing>,
        /// Significantly.
        less_accurate: Vec<Standing>,
        /// None that is significant.
        no_difference: Vec<Standing>,
    },
    /// The old network knew all classes, so that there are no new rows to have shares of.
    NothingNew {
        /// Whether shares of rows were asked for.
        shares: bool,
    },
    /// The chosen network and the baseline's best one on the same rows.
    RowByRow(RowComparison),
    /// How many tensors each action was done to.
    Tensors {
        /// With the number of tensors.
        actions: Vec<(Action, usize)>,
    },
    /// The mean validation scores before any step.
    Start {
        /// The strategy that this is about.
        strategy: Strategy,
        /// The strategy compared with.
        baseline: Strategy,
        /// Of the validation part.
        #[serde(deserialize_with = "or_nan")]
        score: f64,
        /// Of the baseline, on the validation part.
        #[serde(deserialize_with = "or_nan")]
        baseline_score: f64,
    },
    /// In how many epochs a strategy is as good as the baseline becomes.
    Speed {
        /// The strategy that this is about.
        strategy: Strategy,
        /// The strategy compared with.
        baseline: Strategy,
        /// The mean over seeds of the baseline's best validation score.
        #[serde(deserialize_with = "or_nan")]
        target: f64,
        /// How many trainings each strategy has.
        seeds: usize,
        /// Of the seeds with which it gets there; absent where there are none.
        reached: Option<Reached>,
        /// Epochs of the longest training.
        epochs: usize,
    },
    /// The best validation scores.
    End {
        /// The strategy that this is about.
        strategy: Strategy,
        /// The strategy compared with.
        baseline: Strategy,
        /// How many trainings each strategy has.
        seeds: usize,
        /// The best epoch's validation score, by the metric.
        valid: Paired,
    },
    /// The share of the old classes' rows that are right.
    OldClasses {
        /// The strategy that this is about.
        strategy: Strategy,
        /// The strategy compared with.
        baseline: Strategy,
        /// Whose rows are counted.
        classes: Vec<String>,
        /// Share of those rows that are right.
        accuracy: Paired,
    },
    /// The share of the new classes' rows that are right.
    NewClasses {
        /// The strategy that this is about.
        strategy: Strategy,
        /// The strategy compared with.
        baseline: Strategy,
        /// Whose rows are counted.
        classes: Vec<String>,
        /// Share of those rows that are right.
        accuracy: Paired,
    },
    /// What a copying strategy still knows of the old classes.
    Forgotten {
        /// The strategy that this is about.
        strategy: Strategy,
        /// The old network's accuracy on their rows.
        before: f64,
        /// The mean change of it among all classes.
        change: f64,
        /// The same among the old classes alone, and its paired t-test.
        change_among_old: f64,
        /// Two-sided; absent for a single seed.
        p_value: Option<f64>,
        /// Which the other rows are taken for.
        new_classes: Vec<String>,
    },
    /// With which share of the new classes' rows a copying strategy is as accurate as the baseline with all of them.
    Shares {
        /// The strategy that this is about.
        strategy: Strategy,
        /// The strategy compared with.
        baseline: Strategy,
        /// The baseline's mean accuracy with all rows.
        target: f64,
        /// The least share that suffices; absent where none does.
        enough: Option<EnoughRows>,
        /// The greatest share that was tried, and the least with its comparison at equal shares.
        most: f64,
        /// The least share that was tried.
        least: f64,
        /// Strategy against baseline, both at the least share.
        accuracy_at_least: Paired,
    },
    /// A training whose loss stopped being finite.
    Diverged {
        /// The strategy that this is about.
        strategy: Strategy,
        /// Of the network.
        seed: u64,
        /// In which the loss stopped being finite.
        epoch: usize,
        /// The epoch whose weights are kept.
        best_epoch: usize,
    },
    /// The network that is handed on, and its validation score.
    Chosen {
        /// The strategy that this is about.
        strategy: Strategy,
        /// Of the network.
        seed: u64,
        /// Of the validation part.
        #[serde(deserialize_with = "or_nan")]
        score: f64,
    },
}

/// A strategy's accuracy over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Which strategy.
    pub strategy: Strategy,
    /// Mean accuracy over the seeds.
    pub mean: f64,
    /// Sample deviation over the seeds.
    pub deviation: f64,
    /// Corrected; absent of the baseline and where there was no test.
    pub p_corrected: Option<f64>,
}

/// Medians over the seeds that got there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// How many got there.
    pub seeds: usize,
    /// Median epochs of the strategy.
    pub epochs: f64,
    /// Median epochs of the baseline.
    pub baseline_epochs: f64,
}

/// A share of rows that suffices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnoughRows {
    /// 0 to 1.
    pub share: f64,
    /// Of the new classes.
    pub rows: u64,
    /// The mean accuracy with it.
    pub accuracy: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_comes_back_from_json_with_scores_that_are_none() {
        let (strategy, baseline) = (Strategy::Copy, Strategy::Scratch);
        let start = TransferFinding::Start { strategy, baseline, score: f64::INFINITY, baseline_score: 0.5 };
        let text = serde_json::to_string(&start).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"start","strategy":"copy","baseline":"scratch","score":null,"baseline_score":0.5}"#
        );
        let TransferFinding::Start { score, baseline_score, .. } = serde_json::from_str(&text).unwrap() else {
            panic!("{text}")
        };
        assert!(score.is_nan() && baseline_score == 0.5);
    }
}
