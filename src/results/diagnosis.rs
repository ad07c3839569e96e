//! What a training's curves say.

use serde::{Deserialize, Serialize};

use crate::metric::Metric;

/// One thing that the curves say, with the numbers that it rests on. Losses are in nats; an `epoch` of a variant is where the finding begins or shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    Divergence(Divergence),
    SingleClass(SingleClass),
    StepTooHigh(StepTooHigh),
    EpochKept(EpochKept),
    NoGain(NoGain),
    Gap(Gap),
    OverFitting(OverFitting),
    UnderFitting(UnderFitting),
    Unfinished(Unfinished),
    Plateau(Plateau),
    Fell(Fell),
    DeadUnits(DeadUnits),
}

/// The loss stopped being finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    pub epoch: usize,
    /// Of the last epoch with a finite loss.
    pub learning_rate: f64,
    /// Its mean over the steps of that epoch.
    pub gradient_norm: f64,
    /// 0 where it was the very first epoch that diverged.
    pub last_finite_epoch: usize,
}

/// The training or the validation part has a single class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SingleClass {
    /// Different labels in each part.
    pub train_classes: usize,
    pub valid_classes: usize,
}

/// The loss of the training rows that a finding looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainingLoss {
    /// The cross-entropy, which training minimises as it is.
    Plain,
    /// What training minimises: the cross-entropy with class weights or smoothed labels. It may fall while the plain one rises.
    Objective,
}

/// Training loss rises again and again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTooHigh {
    /// Where it rose most.
    pub epoch: usize,
    pub epochs_with_rise: usize,
    /// All epochs of the training.
    pub epochs: usize,
    pub loss: TrainingLoss,
    /// As a share of the loss before.
    pub largest_rise: f64,
    pub loss_before: f64,
    pub loss_after: f64,
    pub learning_rate: f64,
}

/// The epoch whose weights are kept, and the validation score that chose it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochKept {
    pub epoch: usize,
    /// The last epoch of the training.
    pub epochs: usize,
    pub metric: Metric,
    pub score: f64,
    pub why: WhyKept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyKept {
    /// The score is best there.
    Best,
    /// It is, and in later epochs no better.
    BestAndEqualled,
    /// Later epochs are better, by less than `min_delta`.
    LaterGainsTooSmall,
}

/// In no epoch was that score better than before training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoGain {
    /// The one that is kept.
    pub epoch: usize,
    pub metric: Metric,
    pub score_before: f64,
    pub score_best: f64,
}

/// How far training rows are ahead of validation rows at the epoch that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    pub epoch: usize,
    pub train_accuracy: f64,
    pub valid_accuracy: f64,
    /// The first minus the second.
    pub gap: f64,
    pub judgement: GapJudgement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapJudgement {
    Strong,
    Some,
    None,
    /// Validation rows are ahead.
    Reversed,
    /// As large as one that would count, but training accuracy lies within the interval of that on validation rows.
    Chance,
}

/// Validation loss turned while training loss still fell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverFitting {
    /// The epoch of the least validation loss.
    pub epoch: usize,
    /// The last epoch of the training.
    pub epochs: usize,
    pub valid_loss_least: f64,
    pub valid_loss_last: f64,
    /// Training loss at the epoch of the least validation loss.
    pub train_loss_then: f64,
    pub train_loss_last: f64,
    pub kept: KeptEpoch,
}

/// Where the epoch that is kept lies, seen from the one after which a network over-fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KeptEpoch {
    NotLater,
    Later,
    /// Later, since the validation score is higher there; so is the loss.
    LaterForScore {
        metric: Metric,
        score: f64,
        /// At the epoch of the least validation loss.
        score_then: f64,
        valid_loss: f64,
    },
}

/// Training loss has stopped falling although training rows are hardly ahead of validation rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnderFitting {
    pub epoch: usize,
    pub loss: TrainingLoss,
    pub train_loss_then: f64,
    pub train_loss_last: f64,
    /// Accuracy on training rows minus that on validation rows at the epoch that is kept.
    pub gap: f64,
}

/// The validation part was still getting better when training ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The last epoch of the training.
    pub epoch: usize,
    /// At the beginning of the last quarter.
    pub valid_loss_before: f64,
    pub valid_loss_last: f64,
}

/// From here on the validation score hardly moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    pub epoch: usize,
    /// The last epoch of the training.
    pub epochs: usize,
    pub metric: Metric,
    pub score_then: f64,
    pub score_best: f64,
    /// How near to the best counts as equal to it: of a loss as a share of it, else of the score.
    pub near: f64,
}

/// The validation score was best early, and worse throughout the last quarter of the epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fell {
    /// Where it was best: the one that is kept.
    pub epoch: usize,
    /// The last epoch of the training.
    pub epochs: usize,
    pub metric: Metric,
    pub score_best: f64,
    pub score_last: f64,
}

/// Hidden units of a kind that is exactly zero below its threshold, which are zero for every training row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadUnits {
    /// The one that is kept.
    pub epoch: usize,
    pub dead: usize,
    /// All that can die.
    pub units: usize,
    pub judgement: DeadUnitsJudgement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadUnitsJudgement {
    /// Too few to speak of.
    Few,
    /// Wasted capacity, but harmless.
    Some,
    /// So many that the learning rate or the activation is at fault.
    Many,
}
