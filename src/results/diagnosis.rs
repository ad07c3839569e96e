//! What a training's curves say.

use serde::{Deserialize, Serialize};

use crate::metric::Metric;

/// One thing that the curves say, with the numbers that it rests on. Losses are in nats; an `epoch` of a variant is where the finding begins or shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// The loss stopped being finite.
    Divergence(Divergence),
    /// A part has one class only.
    SingleClass(SingleClass),
    /// Training loss rises again and again.
    StepTooHigh(StepTooHigh),
    /// Always there when training ended in the usual way.
    EpochKept(EpochKept),
    /// No epoch beat the untrained network.
    NoGain(NoGain),
    /// Training rows against validation rows.
    Gap(Gap),
    /// Validation loss rose again.
    OverFitting(OverFitting),
    /// The network learns too little of the training rows.
    UnderFitting(UnderFitting),
    /// More epochs would help.
    Unfinished(Unfinished),
    /// The last epochs brought nothing.
    Plateau(Plateau),
    /// The score was lost again.
    Fell(Fell),
    /// Hidden units that are always zero.
    DeadUnits(DeadUnits),
}

/// The loss stopped being finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// The first epoch without a finite loss.
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
    /// Different labels in the validation part.
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
    /// How many epochs had a higher training loss than the one before.
    pub epochs_with_rise: usize,
    /// All epochs of the training.
    pub epochs: usize,
    /// Which loss that is.
    pub loss: TrainingLoss,
    /// As a share of the loss before.
    pub largest_rise: f64,
    /// Training loss in the epoch before the largest rise.
    pub loss_before: f64,
    /// Training loss after the largest rise.
    pub loss_after: f64,
    /// In the epoch of the largest rise.
    pub learning_rate: f64,
}

/// The epoch whose weights are kept, and the validation score that chose it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochKept {
    /// 0 is the network before any step.
    pub epoch: usize,
    /// The last epoch of the training.
    pub epochs: usize,
    /// By which the epoch was chosen.
    pub metric: Metric,
    /// On the validation part, in the epoch that is kept.
    pub score: f64,
    /// Why not a later epoch.
    pub why: WhyKept,
}

/// Why an epoch was kept rather than a later one.
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
    /// By which epochs are compared.
    pub metric: Metric,
    /// Validation score of the untrained network.
    pub score_before: f64,
    /// The best validation score of any epoch.
    pub score_best: f64,
}

/// How far training rows are ahead of validation rows at the epoch that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// The epoch that is kept.
    pub epoch: usize,
    /// Of all training rows.
    pub train_accuracy: f64,
    /// Of all validation rows.
    pub valid_accuracy: f64,
    /// The first minus the second.
    pub gap: f64,
    /// Whether the gap is large enough to matter.
    pub judgement: GapJudgement,
}

/// How large the gap between training and validation accuracy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapJudgement {
    /// Training accuracy is so much higher that much of the training set was memorised.
    Strong,
    /// Training accuracy is clearly higher.
    Some,
    /// Too small to matter.
    None,
    /// Validation rows are ahead.
    Reversed,
    /// As large as one that would count, but validation loss still fell when training ended: the network is under-trained, and does not over-fit yet.
    Unfinished,
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
    /// At `epoch`.
    pub valid_loss_least: f64,
    /// At the last epoch.
    pub valid_loss_last: f64,
    /// Training loss at the epoch of the least validation loss.
    pub train_loss_then: f64,
    /// At the last epoch.
    pub train_loss_last: f64,
    /// Whether the epoch that is kept over-fits.
    pub kept: KeptEpoch,
}

/// Where the epoch that is kept lies, seen from the one after which a network over-fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KeptEpoch {
    /// At that epoch or before it.
    NotLater,
    /// After it, although the validation score is not higher there.
    Later,
    /// Later, since the validation score is higher there; so is the loss.
    LaterForScore {
        /// The score by which the epoch was chosen.
        metric: Metric,
        /// At the epoch that is kept.
        score: f64,
        /// At the epoch of the least validation loss.
        score_then: f64,
        /// At the epoch that is kept.
        valid_loss: f64,
    },
}

/// Training loss has stopped falling although training rows are hardly ahead of validation rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnderFitting {
    /// From here on training loss hardly fell.
    pub epoch: usize,
    /// Which loss that is.
    pub loss: TrainingLoss,
    /// At `epoch`.
    pub train_loss_then: f64,
    /// At the last epoch.
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
    /// At the last epoch.
    pub valid_loss_last: f64,
}

/// From here on the validation score hardly moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// From here on every epoch is within `near` of the best.
    pub epoch: usize,
    /// The last epoch of the training.
    pub epochs: usize,
    /// The score that did not move.
    pub metric: Metric,
    /// At `epoch`.
    pub score_then: f64,
    /// The best of all epochs.
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
    /// By which the epoch was chosen.
    pub metric: Metric,
    /// At `epoch`.
    pub score_best: f64,
    /// At the last epoch.
    pub score_last: f64,
}

/// Hidden units of a kind that is exactly zero below its threshold, which are zero for every training row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadUnits {
    /// The one that is kept.
    pub epoch: usize,
    /// How many are zero for every training row.
    pub dead: usize,
    /// All that can die.
    pub units: usize,
    /// Whether there are enough of them to matter.
    pub judgement: DeadUnitsJudgement,
}

/// How much dead units matter.
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
