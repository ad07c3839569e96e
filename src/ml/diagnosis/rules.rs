//! The rules, one function each: when it applies, and what it says.
//!
//! Losses are in nats and taken with the network as it predicts, so that parts compare.

use super::{Course, Finding, FindingKind, GapJudgement};
use crate::stats::wilson;
use crate::train::Metric;

/// A gap between training and validation accuracy from here on is called over-fitting, and strong from the second on.
const GAP: f64 = 0.05;
const STRONG_GAP: f64 = 0.15;
/// Scores within this of the best count as equal to it: the interval of a few thousand rows is wider.
const EQUAL: f64 = 0.01;
/// Validation loss that rises by less than this share of its least value is noise.
const RISE: f64 = 0.02;
/// A change of a loss in nats that three decimals hardly show, whatever its share.
const TRIFLE: f64 = 0.005;
/// A loss below this is next to nothing: rises are shares of it at least.
const LOW_LOSS: f64 = 0.2;
/// Training rows of which so much macro-F1 is reached are learnt: that is no under-fitting.
const LEARNT: f64 = 0.95;
/// The normal distribution's quantile of a 95 % interval.
const Z: f64 = 1.96;
/// Training loss has settled when it falls by less than this share over the last quarter of the epochs.
const SETTLED: f64 = 0.01;
/// A rise of the training loss within an epoch that counts, as a share of the loss before.
const BUMP: f64 = 0.01;
/// One such rise as large as this is enough; of small ones a third of all epochs.
const SPIKE: f64 = 0.2;
/// Fewer epochs than these say nothing about a tendency.
const FEW: usize = 4;
/// A share of dead units below this costs nothing.
const DEAD: f64 = 0.01;
const MANY_DEAD: f64 = 0.2;

pub(super) fn divergence(course: &Course) -> Option<Finding> {
    let epoch = course.diverged?;
    let last = course.curves.len().checked_sub(1)?;
    let (rate, norm) = (course.curves.learning_rate[last], course.curves.gradient_norm[last]);
    let before = match last {
        0 => "in the very first epoch".to_owned(),
        _ => format!("after a step size of {rate:.2e} and a mean gradient norm of {norm:.2} in epoch {last}"),
    };
    Some(finding(
        FindingKind::Divergence,
        Some(epoch),
        &[("learning_rate", rate), ("gradient_norm", norm), ("last_finite_epoch", last as f64)],
        format!(
            "The loss stopped being finite in epoch {epoch}, {before}: training diverged and ended there. Lower the \
             learning rate or set clip_norm."
        ),
    ))
}

/// Scores of rows of one class say nothing of how well classes are told apart, and training on such rows teaches nothing.
pub(super) fn single_class(course: &Course) -> Option<Finding> {
    if course.curves.is_empty() {
        return None;
    }
    let sentence = match (course.train_classes, course.valid_classes) {
        (..=1, _) => "All training rows have the same class: there is nothing to learn from them.",
        (_, ..=1) => {
            "All validation rows have the same class: their scores, by which the epoch is chosen, do not show how well classes are told apart, nor \
             whether the network over-fits."
        }
        _ => return None,
    };
    let evidence = [("train_classes", course.train_classes as f64), ("valid_classes", course.valid_classes as f64)];
    Some(finding(FindingKind::SingleClass, None, &evidence, sentence.to_owned()))
}

/// A step that overshoots raises the loss that it should lower.
pub(super) fn step_too_high(course: &Course) -> Option<Finding> {
    let losses = &course.curves.train_loss;
    let epochs = losses.len().checked_sub(1)?;
    let rises: Vec<(usize, f64)> = (losses.windows(2).enumerate())
        .map(|(i, pair)| (i + 1, (pair[1] - pair[0]) / pair[0].max(LOW_LOSS)))
        .filter(|(_, rise)| *rise > BUMP)
        .collect();
    let (worst, rise) = rises.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let often = epochs >= FEW && 3 * rises.len() >= epochs;
    if !often && rise < SPIKE {
        return None;
    }
    let rate = course.curves.learning_rate[worst];
    let times = if rises.len() == 1 { "once".to_owned() } else { format!("in {} of {epochs} epochs", rises.len()) };
    Some(finding(
        FindingKind::StepTooHigh,
        Some(worst),
        &[("epochs_with_rise", rises.len() as f64), ("largest_rise", rise), ("learning_rate", rate)],
        format!(
            "Training loss rose {times}, most in epoch {worst} (from {:.3} to {:.3} at a step size of {rate:.2e}): the step \
             size is too high. Lower the learning rate, or raise the batch size.",
            losses[worst - 1],
            losses[worst],
        ),
    ))
}

pub(super) fn epoch_kept(course: &Course) -> Option<Finding> {
    let best = row(course)?;
    let score = course.curves.valid(course.metric)[best];
    let last = course.curves.epoch.last()?;
    let (highest, label) = (if course.metric == Metric::Loss { "lowest" } else { "highest" }, course.metric.label());
    let merits = trained(course);
    let top = merits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let equals = merits.iter().filter(|merit| **merit == top).count();
    let why = match equals {
        // Gains below `min_delta` do not count.
        _ if course.metric.merit(score) < top => {
            format!("validation {label} is {score:.3} there, and later gains are below min_delta")
        }
        1 => format!("validation {label} is {highest} there ({score:.3})"),
        _ => format!("validation {label} is {highest} there ({score:.3}), in no later epoch better"),
    };
    Some(finding(
        FindingKind::EpochKept,
        Some(course.best_epoch),
        &[("score", score), ("epochs", f64::from(*last))],
        format!("The weights of epoch {} of {last} are kept: {why}.", course.best_epoch),
    ))
}

/// Training that leaves the score as it was, or worse, taught nothing that shows there.
pub(super) fn no_gain(course: &Course) -> Option<Finding> {
    let (before, best) = (before_training(course)?, course.curves.valid(course.metric)[row(course)?]);
    if course.metric.merit(best) > course.metric.merit(before) {
        return None;
    }
    let better = if course.metric == Metric::Loss { "lower" } else { "higher" };
    Some(finding(
        FindingKind::NoGain,
        Some(course.best_epoch),
        &[("score_before", before), ("score_best", best)],
        format!(
            "In no epoch is validation {} {better} than before training ({before:.3}): nothing was learnt that it shows.",
            course.metric.label()
        ),
    ))
}

pub(super) fn gap(course: &Course) -> Option<Finding> {
    let best = row(course)?;
    let (train, valid) = (course.curves.train_accuracy[best], course.curves.valid_accuracy[best]);
    let gap = train - valid;
    let (low, high) = wilson(valid, course.valid_rows.max(1.0), Z);
    let judgement = match gap {
        gap if gap.abs() < GAP => GapJudgement::None,
        _ if (low..=high).contains(&train) => GapJudgement::Chance,
        gap if gap >= STRONG_GAP => GapJudgement::Strong,
        gap if gap > 0.0 => GapJudgement::Some,
        _ => GapJudgement::Reversed,
    };
    let words = match judgement {
        GapJudgement::Strong => "the network memorised much of the training set (strong over-fitting)",
        GapJudgement::Some => "some over-fitting",
        GapJudgement::None => "no sign of over-fitting at that epoch",
        GapJudgement::Reversed => {
            "validation rows score higher than training rows, so that the parts may differ in difficulty"
        }
        GapJudgement::Chance => "no more than chance may make on so few validation rows",
    };
    let found = finding(
        FindingKind::Gap,
        Some(course.best_epoch),
        &[("train_accuracy", train), ("valid_accuracy", valid), ("gap", gap)],
        format!(
            "At epoch {} accuracy is {train:.3} on training and {valid:.3} on validation rows, a gap of {gap:.3}: {words}.",
            course.best_epoch
        ),
    );
    Some(Finding { judgement: Some(judgement), ..found })
}

pub(super) fn over_fitting(course: &Course) -> Option<Finding> {
    let (onset, last) = (lowest_loss(course)?, course.curves.len() - 1);
    let (train, valid) = (&course.curves.train_loss, &course.curves.valid_loss);
    if valid[last] - valid[onset] <= (RISE * valid[onset]).max(TRIFLE) || train[onset] - train[last] <= TRIFLE {
        return None;
    }
    let scores = course.curves.valid(course.metric);
    let kept = match row(course) {
        Some(kept) if kept > onset && course.metric != Metric::Loss && scores[kept] > scores[onset] => format!(
            " The epoch kept is a later one: validation {} is higher there ({:.3} against {:.3}), and so is the loss ({:.3}).",
            course.metric.label(),
            scores[kept],
            scores[onset],
            valid[kept]
        ),
        Some(kept) if kept > onset => " The epoch kept is one of them.".to_owned(),
        _ => " The epoch kept is not one of them.".to_owned(),
    };
    let begin = match onset {
        0 => "Over-fitting sets in at once:".to_owned(),
        _ => format!("Over-fitting sets in after epoch {onset}:"),
    };
    Some(finding(
        FindingKind::OverFitting,
        Some(onset),
        &[
            ("valid_loss_least", valid[onset]),
            ("valid_loss_last", valid[last]),
            ("train_loss_then", train[onset]),
            ("train_loss_last", train[last]),
        ],
        format!(
            "{begin} up to epoch {last} validation loss rose from {:.3} to {:.3} while \
             training loss fell from {:.3} to {:.3}.{kept}",
            valid[onset], valid[last], train[onset], train[last],
        ),
    ))
}

/// A network that has stopped learning its own training rows, without any lead over others, is too small or too bridled.
pub(super) fn under_fitting(course: &Course) -> Option<Finding> {
    let best = row(course)?;
    let (losses, last) = (&course.curves.train_loss, course.curves.len() - 1);
    let gap = course.curves.train_accuracy[best] - course.curves.valid_accuracy[best];
    let is_learnt = course.curves.train_macro_f1[best] >= LEARNT;
    if last < FEW || gap >= GAP / 2.0 || is_learnt || over_fitting(course).is_some() {
        return None;
    }
    let ahead = match gap {
        gap if gap > 0.0 => format!("although training rows are only {gap:.3} ahead in accuracy"),
        _ => "although training rows are not ahead in accuracy".to_owned(),
    };
    let onset = (0..=last).find(|&epoch| losses[epoch] <= losses[last] * (1.0 + SETTLED))?;
    if onset > last - (last / 4).max(1) {
        return None;
    }
    Some(finding(
        FindingKind::UnderFitting,
        Some(onset),
        &[("train_loss_then", losses[onset]), ("train_loss_last", losses[last]), ("gap", gap)],
        format!(
            "From epoch {onset} on training loss hardly falls ({:.3}, at the end {:.3}) {ahead}: the network under-fits. More units, less dropout or weight decay, or a higher step size may help.",
            losses[onset], losses[last],
        ),
    ))
}

pub(super) fn unfinished(course: &Course) -> Option<Finding> {
    let last = course.curves.len().checked_sub(1)?;
    let (losses, lowest) = (&course.curves.valid_loss, lowest_loss(course)?);
    if last < FEW || lowest < last {
        return None;
    }
    let before = losses[last - (last / 4).max(1)];
    let fall = 1.0 - losses[last] / before;
    (fall > SETTLED && before - losses[last] > TRIFLE).then(|| {
        finding(
            FindingKind::Unfinished,
            Some(last),
            &[("valid_loss_before", before), ("valid_loss_last", losses[last])],
            format!(
                "Validation loss was still falling at the last epoch ({last}; from {before:.3} to {:.3} over the last \
                 quarter): more epochs may lower it further.",
                losses[last]
            ),
        )
    })
}

pub(super) fn plateau(course: &Course) -> Option<Finding> {
    let scores = course.curves.valid(course.metric);
    let last = scores.len().checked_sub(1)?;
    let (merit, best) = (|score: f64| course.metric.merit(score), scores[row(course)?]);
    // A loss has no scale of its own: within 1 % of it; scores within 0.01.
    let (near, words) = match course.metric {
        Metric::Loss => (EQUAL * best.abs(), format!("{:.0} %", 100.0 * EQUAL)),
        _ => (EQUAL, format!("{EQUAL:.2}")),
    };
    let reached = scores.iter().position(|score| merit(*score) >= merit(best) - near)?;
    if last < FEW || 2 * reached > last || no_gain(course).is_some() {
        return None;
    }
    Some(finding(
        FindingKind::Plateau,
        Some(reached),
        &[("score_then", scores[reached]), ("score_best", best), ("epochs", last as f64)],
        format!(
            "Validation {} comes within {words} of its best ({best:.3}) at epoch {reached} of {last}: the rest is a plateau.",
            course.metric.label()
        ),
    ))
}

pub(super) fn dead_units(course: &Course) -> Option<Finding> {
    let units = course.units.filter(|units| units.all > 0)?;
    let share = units.dead as f64 / units.all as f64;
    let judgement = if share >= MANY_DEAD {
        ": lower the learning rate, or use an activation that cannot die (selu, gelu, mish)"
    } else if share >= DEAD {
        ": they are wasted capacity, but harmless"
    } else {
        ""
    };
    let sentence = match units.dead {
        0 => format!("No dead units (0 of {}).", units.all),
        dead => format!(
            "{dead} of {} hidden units are dead: they are zero for every training row ({:.1} %){judgement}.",
            units.all,
            100.0 * share
        ),
    };
    Some(finding(
        FindingKind::DeadUnits,
        Some(course.best_epoch),
        &[("dead", units.dead as f64), ("units", units.all as f64), ("share", share)],
        sentence,
    ))
}

/// The validation score before any step, where the curves begin there.
fn before_training(course: &Course) -> Option<f64> {
    (*course.curves.epoch.first()? == 0).then(|| course.curves.valid(course.metric)[0])
}

/// How good the validation score is after each epoch of training.
fn trained(course: &Course) -> Vec<f64> {
    let scores = course.curves.epoch.iter().zip(course.curves.valid(course.metric));
    scores.filter(|(epoch, _)| **epoch > 0).map(|(_, score)| course.metric.merit(*score)).collect()
}

/// The curves' row of the epoch that is kept.
fn row(course: &Course) -> Option<usize> {
    course.curves.epoch.iter().position(|epoch| *epoch as usize == course.best_epoch)
}

fn lowest_loss(course: &Course) -> Option<usize> {
    let losses = course.curves.valid_loss.iter().enumerate();
    losses.min_by(|a, b| a.1.total_cmp(b.1)).map(|(epoch, _)| epoch)
}

fn finding(kind: FindingKind, epoch: Option<usize>, evidence: &[(&str, f64)], sentence: String) -> Finding {
    let evidence = evidence.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Finding { kind, epoch: epoch.map(|epoch| epoch as u32), evidence, sentence, judgement: None }
}
