//! Networks that learnt new classes by several strategies: `transfer.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::interval::Interval;
use crate::mcnemar::Test;
use crate::number::or_nan;
use crate::scores::Scores;
use crate::{Metric, Part};

/// Below this p value a difference is called one.
pub const SIGNIFICANCE: f64 = 0.05;

/// What a transfer found; the curves are in a table of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// One of each that was compared, in the order asked for.
    pub strategies: Vec<StrategyRuns>,
    /// The strategy of the network that was chosen on the validation part.
    pub best: Strategy,
    /// By which epochs and networks are chosen.
    pub metric: Metric,
    /// What comparisons and findings are about: the test part, or without one the validation part.
    pub part: Part,
    /// Those that the old network knows.
    pub old_classes: Vec<String>,
    /// Old and new ones.
    pub classes: Vec<String>,
    /// The old network on the rows of its own classes, among which it chooses.
    pub before: Vec<Before>,
    /// What the copying strategies took from the old network; empty when there is none.
    pub tensors: Vec<TensorChange>,
    /// Every strategy but the baseline against it.
    pub comparisons: Vec<Comparison>,
    /// The chosen network against the baseline's best one, row by row; absent where the baseline was chosen.
    pub rows: Option<RowComparison>,
    /// The learning curve over the share of the new classes' training rows, the whole included; empty where none was asked for.
    pub share_runs: Vec<ShareRun>,
    /// The accuracies at every lesser share; p values corrected over all shares and strategies.
    pub share_comparisons: Vec<ShareComparison>,
    /// What the figures come to, the verdict first.
    pub findings: Vec<TransferFinding>,
}

/// Where a network's weights start and what may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Random weights.
    Scratch,
    /// The old network's weights; outputs matched by class name.
    Copy,
    /// As copy, with the first layers frozen, for good or up to an epoch.
    Frozen,
    /// As copy, with a lower learning rate for lower layers (Howard and Ruder 2018, arXiv 1801.06146).
    Discriminative,
}

/// First weights of what the old network does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewRows {
    /// A new class has the mean of the old outputs' weights and starts as likely as the others; a new category value has the vector of the unknown one. Both with noise of a hundredth of the old size.
    #[default]
    Mean,
    /// Random, as in a network from scratch.
    Fresh,
}

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

/// What became of one tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorChange {
    /// As in the model file, e.g. `trunk.layers.0.linear.weight`.
    pub tensor: String,
    /// `None` where the old network has no such tensor.
    pub old_shape: Option<Vec<usize>>,
    /// `None` where the new network has no such tensor.
    pub new_shape: Option<Vec<usize>>,
    /// What was done to it.
    pub action: Action,
    /// Which rows those are, where rows stand for classes or category values.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<MatchedRows>,
}

/// What became of a tensor of the old network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The old values, all of them.
    Copied,
    /// A head: the rows of classes of equal name are the old ones.
    RowsMatchedByClass,
    /// A table of categories: the rows of equal values are the old ones.
    RowsMatchedByValue,
    /// Another size: the part that both have is the old one, the rest random.
    Sliced,
    /// New, or of another kind of shape: random values.
    Reinitialised,
    /// Only the old network has it.
    Skipped,
}

/// Rows of a tensor, matched by what they stand for; `start` is what the added ones began as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedRows {
    /// Of a head: classes.
    Classes {
        /// In both networks.
        kept: Vec<String>,
        /// In the new network only.
        added: Vec<String>,
        /// In the old network only.
        dropped: Vec<String>,
        /// What the added rows began as.
        start: NewRows,
    },
    /// Of a table of categories: how many values.
    Values {
        /// In both networks.
        kept: usize,
        /// In the new network only.
        added: usize,
        /// What the added rows began as.
        start: NewRows,
    },
}

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

impl Strategy {
    /// As written in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Scratch => "scratch",
            Strategy::Copy => "copy",
            Strategy::Frozen => "frozen",
            Strategy::Discriminative => "discriminative",
        }
    }

    /// Whether it starts from the old network's weights.
    pub fn copies(self) -> bool {
        self != Strategy::Scratch
    }
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

impl Run {
    /// The scores to compare by.
    pub fn judged(&self) -> &GroupScores {
        self.test.as_ref().unwrap_or(&self.valid)
    }
}

impl Transfer {
    /// The classes that the old network did not know.
    pub fn new_classes(&self) -> impl Iterator<Item = &String> {
        self.classes.iter().filter(|class| !self.old_classes.contains(class))
    }

    /// A strategy against the baseline; nothing of the baseline itself.
    pub fn comparison(&self, strategy: Strategy) -> Option<&Comparison> {
        self.comparisons.iter().find(|comparison| comparison.strategy == strategy)
    }
}

impl Document for Transfer {
    const NAME: &'static str = "transfer";
    const VERSION: u32 = 1;

    fn classes(&self) -> Vec<&str> {
        self.classes.iter().map(String::as_str).collect()
    }
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
