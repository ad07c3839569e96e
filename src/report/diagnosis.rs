//! What a training's curves say, in English sentences: for pages and the terminal.

use runner_results::diagnosis::{
    DeadUnits, DeadUnitsJudgement, EpochKept, Fell, Finding, Gap, GapJudgement, KeptEpoch, OverFitting, Plateau,
    SingleClass, StepTooHigh, TrainingLoss, UnderFitting, WhyKept,
};

/// The finding in a sentence or two.
pub fn sentence(finding: &Finding) -> String {
    match finding {
        Finding::Divergence(found) => {
            let before = match found.last_finite_epoch {
                0 => "in the very first epoch".to_owned(),
                last => format!(
                    "after a step size of {:.2e} and a mean gradient norm of {:.2} in epoch {last}",
                    found.learning_rate, found.gradient_norm
                ),
            };
            format!(
                "The loss stopped being finite in epoch {}, {before}: training diverged and ended there. Lower the \
                 learning rate or set clip_norm.",
                found.epoch
            )
        }
        Finding::SingleClass(found) => single_class(found).to_owned(),
        Finding::StepTooHigh(found) => step_too_high(found),
        Finding::EpochKept(found) => epoch_kept(found),
        Finding::NoGain(found) => {
            let better = if found.metric.is_loss() { "lower" } else { "higher" };
            format!(
                "In no epoch is validation {} {better} than before training ({:.3}): nothing was learnt that it shows.",
                found.metric.label(),
                found.score_before
            )
        }
        Finding::Gap(found) => gap(found),
        Finding::OverFitting(found) => over_fitting(found),
        Finding::UnderFitting(found) => under_fitting(found),
        Finding::Unfinished(found) => format!(
            "Validation loss was still falling at the last epoch ({}; from {:.3} to {:.3} over the last \
             quarter): more epochs may lower it further.",
            found.epoch, found.valid_loss_before, found.valid_loss_last
        ),
        Finding::Plateau(found) => plateau(found),
        Finding::Fell(found) => fell(found),
        Finding::DeadUnits(found) => dead_units(found),
    }
}

/// Whether the finding is a fault of the training, to be marked where findings are listed.
pub fn is_fault(finding: &Finding) -> bool {
    matches!(finding, Finding::Divergence(_) | Finding::SingleClass(_) | Finding::StepTooHigh(_))
}

fn single_class(found: &SingleClass) -> &'static str {
    match found.train_classes {
        ..=1 => "All training rows have the same class: there is nothing to learn from them.",
        _ => {
            "All validation rows have the same class: their scores, by which the epoch is chosen, do not show how well classes are told apart, nor \
             whether the network over-fits."
        }
    }
}

fn step_too_high(found: &StepTooHigh) -> String {
    let times = match found.epochs_with_rise {
        1 => "once".to_owned(),
        rises => format!("in {rises} of {} epochs", found.epochs),
    };
    format!(
        "{} rose {times}, most in epoch {} (from {:.3} to {:.3} at a step size of {:.2e}): the step \
         size is too high. Lower the learning rate, or raise the batch size.",
        match found.loss {
            TrainingLoss::Plain => "Training loss",
            TrainingLoss::Objective => "The loss that training minimises",
        },
        found.epoch,
        found.loss_before,
        found.loss_after,
        found.learning_rate
    )
}

/// What rose or fell.
fn training_loss(loss: TrainingLoss) -> &'static str {
    match loss {
        TrainingLoss::Plain => "training loss",
        TrainingLoss::Objective => "the loss that training minimises",
    }
}

fn fell(found: &Fell) -> String {
    let fell = if found.metric.is_loss() { "rose" } else { "fell" };
    format!(
        "Validation {} {fell} after epoch {}, from {:.3} to {:.3} at epoch {}: what later epochs learnt does not show on validation rows.",
        found.metric.label(),
        found.epoch,
        found.score_best,
        found.score_last,
        found.epochs
    )
}

fn epoch_kept(found: &EpochKept) -> String {
    let (label, score) = (found.metric.label(), found.score);
    let highest = if found.metric.is_loss() { "lowest" } else { "highest" };
    let why = match found.why {
        WhyKept::LaterGainsTooSmall => {
            format!("validation {label} is {score:.3} there, and later gains are below min_delta")
        }
        WhyKept::Best => format!("validation {label} is {highest} there ({score:.3})"),
        WhyKept::BestAndEqualled => {
            format!("validation {label} is {highest} there ({score:.3}), in no later epoch better")
        }
    };
    format!("The weights of epoch {} of {} are kept: {why}.", found.epoch, found.epochs)
}

fn gap(found: &Gap) -> String {
    let words = match found.judgement {
        GapJudgement::Strong => "the network memorised much of the training set (strong over-fitting)",
        GapJudgement::Some => "some over-fitting",
        GapJudgement::None => "no sign of over-fitting at that epoch",
        GapJudgement::Unfinished => {
            "since validation loss was still falling when training ended, the network is under-trained rather than over-fitted"
        }
        GapJudgement::Reversed => {
            "validation rows score higher than training rows, so that the parts may differ in difficulty"
        }
        GapJudgement::Chance => "no more than chance may make on so few validation rows",
    };
    format!(
        "At epoch {} accuracy is {:.3} on training and {:.3} on validation rows, a gap of {:.3}: {words}.",
        found.epoch, found.train_accuracy, found.valid_accuracy, found.gap
    )
}

fn over_fitting(found: &OverFitting) -> String {
    let kept = match found.kept {
        KeptEpoch::LaterForScore { metric, score, score_then, valid_loss } => format!(
            " The epoch kept is a later one: validation {} is higher there ({score:.3} against {score_then:.3}), and so is the loss ({valid_loss:.3}).",
            metric.label(),
        ),
        KeptEpoch::Later => " The epoch kept is one of them.".to_owned(),
        KeptEpoch::NotLater => " The epoch kept is not one of them.".to_owned(),
    };
    let begin = match found.epoch {
        0 => "Over-fitting sets in at once:".to_owned(),
        onset => format!("Over-fitting sets in after epoch {onset}:"),
    };
    format!(
        "{begin} up to epoch {} validation loss rose from {:.3} to {:.3} while \
         training loss fell from {:.3} to {:.3}.{kept}",
        found.epochs, found.valid_loss_least, found.valid_loss_last, found.train_loss_then, found.train_loss_last
    )
}

fn under_fitting(found: &UnderFitting) -> String {
    let ahead = match found.gap {
        gap if gap > 0.0 => format!("although training rows are only {gap:.3} ahead in accuracy"),
        _ => "although training rows are not ahead in accuracy".to_owned(),
    };
    format!(
        "From epoch {} on {} hardly falls ({:.3}, at the end {:.3}) {ahead}: the network under-fits. More units, less dropout or weight decay, or a higher step size may help.",
        found.epoch,
        training_loss(found.loss),
        found.train_loss_then,
        found.train_loss_last
    )
}

fn plateau(found: &Plateau) -> String {
    // A loss has no scale of its own: a share of it.
    let near = match found.metric.is_loss() {
        true => format!("{:.0} %", 100.0 * found.near),
        false => format!("{:.2}", found.near),
    };
    format!(
        "Validation {} comes within {near} of its best ({:.3}) at epoch {} of {}: the rest is a plateau.",
        found.metric.label(),
        found.score_best,
        found.epoch,
        found.epochs
    )
}

fn dead_units(found: &DeadUnits) -> String {
    let judgement = match found.judgement {
        DeadUnitsJudgement::Many => {
            ": lower the learning rate, or use an activation that cannot die (selu, gelu, mish)"
        }
        DeadUnitsJudgement::Some => ": they are wasted capacity, but harmless",
        DeadUnitsJudgement::Few => "",
    };
    match found.dead {
        0 => format!("No dead units (0 of {}).", found.units),
        dead => format!(
            "{dead} of {} hidden units are dead: they are zero for every training row ({:.1} %){judgement}.",
            found.units,
            100.0 * dead as f64 / found.units.max(1) as f64
        ),
    }
}

#[cfg(test)]
mod tests {
    use runner_results::Metric;
    use runner_results::diagnosis::{Divergence, NoGain, Unfinished};

    use super::*;

    /// Each finding once, with words that it must have.
    #[test]
    fn sentences_name_the_numbers_that_they_rest_on() {
        let metric = Metric::MacroF1;
        let over_fitting = |kept| {
            Finding::OverFitting(OverFitting {
                epoch: 2,
                epochs: 5,
                valid_loss_least: 0.9,
                valid_loss_last: 1.4,
                train_loss_then: 0.7,
                train_loss_last: 0.1,
                kept,
            })
        };
        let gap =
            |judgement| Finding::Gap(Gap { epoch: 3, train_accuracy: 0.92, valid_accuracy: 0.6, gap: 0.32, judgement });
        let kept = |metric, why| Finding::EpochKept(EpochKept { epoch: 3, epochs: 8, metric, score: 0.5, why });
        let dead = |dead, judgement| Finding::DeadUnits(DeadUnits { epoch: 1, dead, units: 200, judgement });
        let later = KeptEpoch::LaterForScore { metric, score: 0.6, score_then: 0.4, valid_loss: 1.4 };
        let expected = [
            (
                Finding::Divergence(Divergence {
                    epoch: 2,
                    learning_rate: 0.01,
                    gradient_norm: 1.5,
                    last_finite_epoch: 1,
                }),
                "in epoch 2, after a step size of 1.00e-2 and a mean gradient norm of 1.50 in epoch 1: training diverged",
            ),
            (
                Finding::SingleClass(SingleClass { train_classes: 1, valid_classes: 5 }),
                "All training rows have the same class",
            ),
            (
                Finding::SingleClass(SingleClass { train_classes: 5, valid_classes: 1 }),
                "All validation rows have the same class",
            ),
            (
                Finding::StepTooHigh(StepTooHigh {
                    epoch: 4,
                    epochs_with_rise: 3,
                    epochs: 6,
                    loss: TrainingLoss::Plain,
                    largest_rise: 0.136,
                    loss_before: 1.1,
                    loss_after: 1.25,
                    learning_rate: 0.01,
                }),
                "in 3 of 6 epochs, most in epoch 4 (from 1.100 to 1.250 at a step size of 1.00e-2)",
            ),
            (kept(metric, WhyKept::Best), "epoch 3 of 8 are kept: validation macro-F1 is highest there (0.500)."),
            (kept(Metric::Loss, WhyKept::BestAndEqualled), "loss is lowest there (0.500), in no later epoch better."),
            (kept(metric, WhyKept::LaterGainsTooSmall), "is 0.500 there, and later gains are below min_delta."),
            (
                Finding::NoGain(NoGain { epoch: 1, metric, score_before: 0.5, score_best: 0.5 }),
                "In no epoch is validation macro-F1 higher than before training (0.500)",
            ),
            (gap(GapJudgement::Strong), "a gap of 0.320: the network memorised much"),
            (gap(GapJudgement::Some), "some over-fitting"),
            (gap(GapJudgement::None), "no sign of over-fitting"),
            (gap(GapJudgement::Reversed), "differ in difficulty"),
            (gap(GapJudgement::Chance), "no more than chance may make on so few validation rows"),
            (
                over_fitting(KeptEpoch::NotLater),
                "Over-fitting sets in after epoch 2: up to epoch 5 validation loss rose from 0.900 to 1.400 while training loss fell from 0.700 to 0.100. The epoch kept is not one of them.",
            ),
            (over_fitting(KeptEpoch::Later), "The epoch kept is one of them."),
            (
                over_fitting(later),
                "validation macro-F1 is higher there (0.600 against 0.400), and so is the loss (1.400)",
            ),
            (
                Finding::UnderFitting(UnderFitting {
                    epoch: 2,
                    loss: TrainingLoss::Plain,
                    train_loss_then: 1.305,
                    train_loss_last: 1.3,
                    gap: 0.01,
                }),
                "From epoch 2 on training loss hardly falls (1.305, at the end 1.300) although training rows are only 0.010 ahead",
            ),
            (
                Finding::Unfinished(Unfinished { epoch: 7, valid_loss_before: 1.1, valid_loss_last: 0.9 }),
                "still falling at the last epoch (7; from 1.100 to 0.900 over the last quarter)",
            ),
            (
                Finding::Plateau(Plateau {
                    epoch: 3,
                    epochs: 8,
                    metric,
                    score_then: 0.6,
                    score_best: 0.603,
                    near: 0.01,
                }),
                "Validation macro-F1 comes within 0.01 of its best (0.603) at epoch 3 of 8: the rest is a plateau.",
            ),
            (
                Finding::UnderFitting(UnderFitting {
                    epoch: 2,
                    loss: TrainingLoss::Objective,
                    train_loss_then: 1.305,
                    train_loss_last: 1.3,
                    gap: 0.01,
                }),
                "From epoch 2 on the loss that training minimises hardly falls",
            ),
            (
                Finding::Fell(Fell { epoch: 1, epochs: 8, metric, score_best: 0.725, score_last: 0.622 }),
                "Validation macro-F1 fell after epoch 1, from 0.725 to 0.622 at epoch 8",
            ),
            (
                Finding::Fell(Fell { epoch: 1, epochs: 8, metric: Metric::Loss, score_best: 0.5, score_last: 0.6 }),
                "Validation loss rose after epoch 1",
            ),
            (
                dead(50, DeadUnitsJudgement::Many),
                "50 of 200 hidden units are dead: they are zero for every training row (25.0 %): lower the learning rate",
            ),
            (dead(0, DeadUnitsJudgement::Few), "No dead units (0 of 200)."),
        ];
        for (finding, words) in expected {
            assert!(sentence(&finding).contains(words), "{}", sentence(&finding));
        }
    }
}
