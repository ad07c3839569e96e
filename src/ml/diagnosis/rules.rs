//! The rules, one function each: when it applies, and what it found.
//!
//! Losses are in nats and taken with the network as it predicts, so that parts compare.

use runner_results::diagnosis::{
    DeadUnits, DeadUnitsJudgement, Divergence, EpochKept, Fell, Gap, GapJudgement, KeptEpoch, NoGain, OverFitting,
    Plateau, SingleClass, StepTooHigh, TrainingLoss, UnderFitting, Unfinished, WhyKept,
};

use super::{Finding, TrainingRun};
use crate::stats::Interval;
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

pub(super) fn divergence(run: &TrainingRun) -> Option<Finding> {
    let epoch = run.diverged?;
    let last = run.curves.len().checked_sub(1)?;
    Some(Finding::Divergence(Divergence {
        epoch,
        learning_rate: run.curves.learning_rate[last],
        gradient_norm: run.curves.gradient_norm[last],
        last_finite_epoch: last,
    }))
}

/// Scores of rows of one class say nothing of how well classes are told apart, and training on such rows teaches nothing.
pub(super) fn single_class(run: &TrainingRun) -> Option<Finding> {
    if run.curves.is_empty() {
        return None;
    }
    let (train_classes, valid_classes) = (run.train_classes, run.valid_classes);
    (train_classes.min(valid_classes) <= 1)
        .then_some(Finding::SingleClass(SingleClass { train_classes, valid_classes }))
}

/// A step that overshoots raises the loss that it should lower.
pub(super) fn step_too_high(run: &TrainingRun) -> Option<Finding> {
    let (plain, losses) = (&run.curves.train_loss, minimised(run));
    let epochs = losses.len().checked_sub(1)?;
    let rise = |losses: &[f64], at: usize| (losses[at] - losses[at - 1]) / losses[at - 1].max(LOW_LOSS);
    // The objective is a mean over an epoch's steps, which dropout may raise by chance: the loss after the epoch rises too where steps overshoot.
    let first = if run.loss == TrainingLoss::Plain { 1 } else { 2 };
    let rises: Vec<(usize, f64)> = (first..=epochs)
        .filter(|&at| rise(plain, at) > BUMP && rise(losses, at) > BUMP)
        .map(|at| (at, rise(losses, at)))
        .collect();
    let (worst, rise) = rises.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let often = epochs >= FEW && 3 * rises.len() >= epochs;
    if !often && rise < SPIKE {
        return None;
    }
    Some(Finding::StepTooHigh(StepTooHigh {
        epoch: worst,
        epochs_with_rise: rises.len(),
        epochs,
        loss: run.loss,
        largest_rise: rise,
        loss_before: losses[worst - 1],
        loss_after: losses[worst],
        learning_rate: run.curves.learning_rate[worst],
    }))
}

pub(super) fn epoch_kept(run: &TrainingRun) -> Option<Finding> {
    let best = row(run)?;
    let score = run.curves.valid(run.metric)[best];
    let last = run.curves.epoch.last()?;
    let merits = trained(run);
    let top = merits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let equals = merits.iter().filter(|merit| **merit == top).count();
    let why = match equals {
        // Gains below `min_delta` do not count.
        _ if run.metric.merit(score) < top => WhyKept::LaterGainsTooSmall,
        1 => WhyKept::Best,
        _ => WhyKept::BestAndEqualled,
    };
    let (epoch, epochs) = (run.best_epoch, *last as usize);
    Some(Finding::EpochKept(EpochKept { epoch, epochs, metric: run.metric, score, why }))
}

/// Training that leaves the score as it was, or worse, taught nothing that shows there.
pub(super) fn no_gain(run: &TrainingRun) -> Option<Finding> {
    let (before, best) = (before_training(run)?, run.curves.valid(run.metric)[row(run)?]);
    if run.metric.merit(best) > run.metric.merit(before) {
        return None;
    }
    Some(Finding::NoGain(NoGain { epoch: run.best_epoch, metric: run.metric, score_before: before, score_best: best }))
}

pub(super) fn gap(run: &TrainingRun) -> Option<Finding> {
    let best = row(run)?;
    let (train, valid) = (run.curves.train_accuracy[best], run.curves.valid_accuracy[best]);
    let gap = train - valid;
    // The interval may be of the average of several networks, whose spread is that of one.
    let is_within = |of: Interval| (of.low..=of.high).contains(&(train + of.estimate - valid));
    let judgement = match gap {
        gap if gap.abs() < GAP => GapJudgement::None,
        _ if run.valid_interval.is_none_or(is_within) => GapJudgement::Chance,
        gap if gap > 0.0 && unfinished(run).is_some() => GapJudgement::Unfinished,
        gap if gap >= STRONG_GAP => GapJudgement::Strong,
        gap if gap > 0.0 => GapJudgement::Some,
        _ => GapJudgement::Reversed,
    };
    let epoch = run.best_epoch;
    Some(Finding::Gap(Gap { epoch, train_accuracy: train, valid_accuracy: valid, gap, judgement }))
}

pub(super) fn over_fitting(run: &TrainingRun) -> Option<Finding> {
    let (onset, last) = (lowest_loss(run)?, run.curves.len() - 1);
    let (train, valid) = (&run.curves.train_loss, &run.curves.valid_loss);
    if valid[last] - valid[onset] <= (RISE * valid[onset]).max(TRIFLE) || train[onset] - train[last] <= TRIFLE {
        return None;
    }
    let scores = run.curves.valid(run.metric);
    let kept = match row(run) {
        Some(kept) if kept > onset && !run.metric.is_loss() && scores[kept] > scores[onset] => {
            KeptEpoch::LaterForScore {
                metric: run.metric,
                score: scores[kept],
                score_then: scores[onset],
                valid_loss: valid[kept],
            }
        }
        Some(kept) if kept > onset => KeptEpoch::Later,
        _ => KeptEpoch::NotLater,
    };
    Some(Finding::OverFitting(OverFitting {
        epoch: onset,
        epochs: last,
        valid_loss_least: valid[onset],
        valid_loss_last: valid[last],
        train_loss_then: train[onset],
        train_loss_last: train[last],
        kept,
    }))
}

/// A network that has stopped learning its own training rows, without any lead over others, is too small or too bridled.
pub(super) fn under_fitting(run: &TrainingRun) -> Option<Finding> {
    let best = row(run)?;
    let (losses, last) = (minimised(run), run.curves.len() - 1);
    let gap = run.curves.train_accuracy[best] - run.curves.valid_accuracy[best];
    let is_learnt = run.curves.train_macro_f1[best] >= LEARNT;
    if last < FEW || gap >= GAP / 2.0 || is_learnt || over_fitting(run).is_some() {
        return None;
    }
    // What is minimised has no value before the first step but the plain loss.
    let first = usize::from(run.loss == TrainingLoss::Objective);
    let onset = (first..=last).find(|&epoch| losses[epoch] <= losses[last] * (1.0 + SETTLED))?;
    if onset > last - (last / 4).max(1) {
        return None;
    }
    Some(Finding::UnderFitting(UnderFitting {
        epoch: onset,
        loss: run.loss,
        train_loss_then: losses[onset],
        train_loss_last: losses[last],
        gap,
    }))
}

pub(super) fn unfinished(run: &TrainingRun) -> Option<Finding> {
    let last = run.curves.len().checked_sub(1)?;
    let (losses, lowest) = (&run.curves.valid_loss, lowest_loss(run)?);
    if last < FEW || lowest < last {
        return None;
    }
    let before = losses[last - (last / 4).max(1)];
    let fall = 1.0 - losses[last] / before;
    let is_falling = fall > SETTLED && before - losses[last] > TRIFLE;
    let found = Unfinished { epoch: last, valid_loss_before: before, valid_loss_last: losses[last] };
    is_falling.then_some(Finding::Unfinished(found))
}

pub(super) fn plateau(run: &TrainingRun) -> Option<Finding> {
    let scores = run.curves.valid(run.metric);
    let last = scores.len().checked_sub(1)?;
    let (merit, best) = (|score: f64| run.metric.merit(score), scores[row(run)?]);
    // A loss has no scale of its own: within 1 % of it; scores within 0.01.
    let near = if run.metric.is_loss() { EQUAL * best.abs() } else { EQUAL };
    // From here on all are: one epoch that falls back is no plateau.
    let is_near = |score: &&f64| (merit(**score) - merit(best)).abs() <= near;
    let reached = scores.len() - scores.iter().rev().take_while(is_near).count();
    if last < FEW || 2 * reached > last || no_gain(run).is_some() {
        return None;
    }
    Some(Finding::Plateau(Plateau {
        epoch: reached,
        epochs: last,
        metric: run.metric,
        score_then: scores[reached],
        score_best: best,
        near: EQUAL,
    }))
}

/// A score that was best early and is worse to the end: what was learnt first was lost again.
pub(super) fn fell(run: &TrainingRun) -> Option<Finding> {
    let scores = run.curves.valid(run.metric);
    let (last, best) = (scores.len().checked_sub(1)?, row(run)?);
    let from = (last - (last / 4).max(1) + 1).min(last);
    let near = if run.metric.is_loss() { RISE * scores[best].abs() } else { EQUAL };
    let is_worse = |score: &f64| run.metric.merit(scores[best]) - run.metric.merit(*score) > near;
    if last < FEW || best >= from || !scores[from..].iter().all(is_worse) || no_gain(run).is_some() {
        return None;
    }
    // A loss that rises while training loss falls is over-fitting, and called that.
    if run.metric == Metric::Loss && over_fitting(run).is_some() {
        return None;
    }
    Some(Finding::Fell(Fell {
        epoch: run.best_epoch,
        epochs: last,
        metric: run.metric,
        score_best: scores[best],
        score_last: scores[last],
    }))
}

pub(super) fn dead_units(run: &TrainingRun) -> Option<Finding> {
    let units = run.units.filter(|units| units.all > 0)?;
    let share = units.dead as f64 / units.all as f64;
    let judgement = match share {
        many if many >= MANY_DEAD => DeadUnitsJudgement::Many,
        some if some >= DEAD => DeadUnitsJudgement::Some,
        _ => DeadUnitsJudgement::Few,
    };
    Some(Finding::DeadUnits(DeadUnits { epoch: run.best_epoch, dead: units.dead, units: units.all, judgement }))
}

/// The training loss after each epoch as training minimises it.
fn minimised<'a>(run: &TrainingRun<'a>) -> &'a [f64] {
    match run.loss {
        TrainingLoss::Plain => &run.curves.train_loss,
        TrainingLoss::Objective => &run.curves.objective,
    }
}

/// The validation score before any step, where the curves begin there.
fn before_training(run: &TrainingRun) -> Option<f64> {
    (*run.curves.epoch.first()? == 0).then(|| run.curves.valid(run.metric)[0])
}

/// How good the validation score is after each epoch of training.
fn trained(run: &TrainingRun) -> Vec<f64> {
    let scores = run.curves.epoch.iter().zip(run.curves.valid(run.metric));
    scores.filter(|(epoch, _)| **epoch > 0).map(|(_, score)| run.metric.merit(*score)).collect()
}

/// The curves' row of the epoch that is kept.
fn row(run: &TrainingRun) -> Option<usize> {
    run.curves.epoch.iter().position(|epoch| *epoch as usize == run.best_epoch)
}

fn lowest_loss(run: &TrainingRun) -> Option<usize> {
    let losses = run.curves.valid_loss.iter().enumerate();
    losses.min_by(|a, b| a.1.total_cmp(b.1)).map(|(epoch, _)| epoch)
}
