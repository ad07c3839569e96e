//! The epochs of one training: batches, steps, scores, the best epoch, early stopping.

use std::sync::Arc;

use candle_core::Tensor;
use rayon::prelude::*;

use super::average::Average;
use super::checkpoint::{Checkpoint, Checkpoints, Moving};
use super::class_weights::weights_of_classes;
use super::curves::{Curves, Steps};
use super::optimizer::{Optimizer, is_clipped};
use super::schedule::Schedule;
use super::stopping::{Stopping, replay_by};
use super::{Data, TrainError};
use crate::calibration::decide_by;
use crate::input::Input;
use crate::matrix::Matrix;
use crate::metrics::{Measures, Scores, rarer_of_two};
use crate::network::{Network, Snapshot, Training, cross_entropy, ordinal};
use crate::preprocess::Preprocessing;
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;
use runner_results::scores::Scoring;
use runner_results::spec::{Loss, TrainingSpec};
use runner_results::{Metric, PartScores};

/// Prepared rows: one input for each branch, and the labels.
pub(crate) struct Examples {
    pub(crate) inputs: Vec<Input>,
    pub(crate) labels: Vec<u32>,
    /// By row how much it counts in the loss; empty where all count alike.
    pub(crate) weights: Vec<f32>,
}

/// How lower layers are held back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Restraint {
    /// The first layers, as `Blueprint::levels` counts them, which stand still.
    pub(crate) frozen: usize,
    /// The last epoch in which they stand still; `None` never releases them.
    pub(crate) until: Option<usize>,
    /// The learning rate of each level as a share of that of the next one above; the head has the whole rate.
    pub(crate) rate: f64,
}

/// Which epoch's weights a training leaves.
#[derive(Clone, Copy)]
pub(crate) enum Keep<'a> {
    /// Of the epoch that is best on these rows, the validation part.
    Best(&'a Examples),
    /// Of this epoch, the last one: it was chosen by an earlier training, and no row is held back.
    Epoch(usize),
}

/// What one training needs besides the network.
pub(crate) struct Job<'a> {
    pub(crate) train: &'a Examples,
    pub(crate) keep: Keep<'a>,
    pub(crate) classes: &'a [String],
    /// As in [`Data`].
    pub(crate) scoring: &'a Scoring,
    pub(crate) spec: &'a TrainingSpec,
    /// Of the order of rows and of dropout.
    pub(crate) seed: u64,
    pub(crate) restraint: Restraint,
}

/// What a training leaves besides the network, which has the weights of the best epoch.
pub(crate) struct Outcome {
    pub(crate) curves: Curves,
    pub(crate) best_epoch: usize,
    pub(crate) diverged: Option<usize>,
    /// Epochs that an earlier run had done.
    pub(crate) resumed: usize,
}

/// Rows that one thread scores at once. Few, so that what passes between layers stays in the caches, of an ensemble's members, too.
const ROWS_AT_ONCE: usize = 256;

impl Keep<'_> {
    fn stopping(&self, spec: &TrainingSpec) -> Stopping {
        match *self {
            Keep::Best(_) => Stopping::new(spec),
            Keep::Epoch(epoch) => Stopping::at(epoch),
        }
    }
}

impl Restraint {
    pub(crate) const NONE: Restraint = Restraint { frozen: 0, until: None, rate: 1.0 };

    fn frozen_in(self, epoch: usize) -> usize {
        if self.until.is_none_or(|last| epoch <= last) { self.frozen } else { 0 }
    }
}

impl Examples {
    pub(crate) fn new(data: &Data, preprocessing: &Preprocessing, rows: &[usize]) -> Result<Self, TrainError> {
        let inputs = preprocessing.apply(data.frame, rows)?;
        let weights = rows.iter().filter_map(|&row| data.weights.get(row)).map(|&weight| weight as f32).collect();
        Ok(Examples { inputs, labels: rows.iter().map(|&row| data.labels[row]).collect(), weights })
    }

    pub(crate) fn rows(&self) -> usize {
        self.labels.len()
    }

    fn batch(&self, rows: &[usize]) -> (Vec<Input>, Vec<u32>) {
        let inputs = self.inputs.iter().map(|input| input.take(rows)).collect();
        (inputs, rows.iter().map(|&row| self.labels[row]).collect())
    }
}

/// Trains `network` and leaves it with the weights of the best epoch. Goes on from the state that `checkpoints` holds, if
/// it serves, to the same bits as from the start.
pub(crate) fn run(
    network: &mut Network,
    job: &Job,
    checkpoints: &dyn Checkpoints,
    progress: &dyn Progress,
) -> Result<Outcome, TrainError> {
    let spec = job.spec;
    let smallest = if network.blueprint().needs_two_rows() { 2 } else { 1 };
    let members = network.blueprint().members;
    let batches = batches(job.train.rows(), spec.batch_size, smallest);
    let mut schedule = Schedule::new(&spec.schedule, spec.optimizer.lr, spec.epochs, batches.len());
    let mut optimizer = Optimizer::new(&spec.optimizer, network.parameters());
    optimizer.slow_down(job.restraint.rate, network.blueprint().levels());
    let weights = Arc::new(weights_of_classes(&spec.class_weights, job.classes, job.train.labels.iter().copied())?);
    let mut masks = Stream::new(job.seed, "dropout", 0);
    let mut stopping = job.keep.stopping(spec);
    let metric = spec.early_stopping.metric();
    let mut average = match spec.average {
        Some(decay) => Some(Average::new(network, decay)?),
        None => None,
    };

    let last = match job.keep {
        Keep::Best(_) => spec.epochs,
        Keep::Epoch(epoch) => epoch,
    };
    let mut curves = Curves::default();
    let mut best: Option<Snapshot> = None;
    let mut diverged = None;
    let mut over = false;
    let known = checkpoints.load().and_then(|bytes| Checkpoint::from_bytes(&bytes));
    match known.and_then(|known| serving(known, job, &network.snapshot().ok()?, &optimizer)) {
        Some(known) => {
            curves = known.curves;
            for (epoch, score) in curves.valid(metric).iter().enumerate().skip(1) {
                stopping.epoch_ended(epoch, metric.merit(*score));
                schedule.epoch_ended(metric.merit(*score));
            }
            over = stopping.is_over(curves.len() - 1);
            best = Some(known.best);
            diverged = known.diverged;
            if let Some(moving) = known.moving {
                network.restore(&moving.network).map_err(candle_core::Error::msg)?;
                optimizer.remember(moving.memories);
                masks.seek(moving.masks);
                if let Some(average) = &mut average {
                    average.restore(moving.average);
                }
            }
            let done = (curves.len() - 1) as u64;
            progress.update(done, last as u64, "epochs", &format!("continued from epoch {done} of an earlier run"));
        }
        None => {
            let (train, valid) = scores(network, job, &weights, progress)?;
            curves.push(0, Steps { objective: train.loss, ..Steps::default() }, train, valid);
        }
    }
    let resumed = curves.len() - 1;
    let end = checkpoints.pause().map_or(last, |pause| pause.min(last));
    let over = over || diverged.is_some() || resumed >= end;
    for epoch in curves.len()..=if over { 0 } else { end } {
        let frozen = job.restraint.frozen_in(epoch);
        let order = Stream::new(job.seed, "shuffle", epoch as u64).permutation(job.train.rows());
        let mut sums = Steps::default();
        for (i, span) in batches.iter().enumerate() {
            if progress.cancelled() {
                return Err(Cancelled.into());
            }
            let step = (epoch - 1) * batches.len() + i;
            let (inputs, labels) = job.train.batch(&order[span.clone()]);
            let dropout = spec.dropout_schedule.factor(step as f64 / (spec.epochs * batches.len()) as f64);
            let logits = network.forward_training(inputs, Training { frozen, dropout, masks: &mut masks })?;
            // The loss of an ensemble is the mean of its members' losses.
            let labels = labels.into_iter().flat_map(|label| std::iter::repeat_n(label, members)).collect();
            let of_rows = order[span.clone()].iter().filter_map(|&row| job.train.weights.get(row));
            let of_rows = of_rows.flat_map(|&weight| std::iter::repeat_n(weight, members)).collect();
            let loss = match spec.loss {
                Loss::CrossEntropy => cross_entropy,
                Loss::Ordinal => ordinal,
            };
            let loss = loss(&logits, labels, &weights, of_rows, spec.label_smoothing as f32)?;
            let rate = schedule.rate(step);
            let (objective, norm) = match stepped(&mut optimizer, &loss, rate, schedule.momentum(step), spec, frozen)? {
                Some(both) => both,
                None => {
                    diverged = Some(epoch);
                    break;
                }
            };
            if let Some(average) = &mut average {
                average.step(network, step)?;
            }
            let share = 1.0 / batches.len() as f64;
            sums.objective += objective * share;
            sums.gradient_norm += norm * share;
            sums.gradient_norm_max = sums.gradient_norm_max.max(norm);
            if spec.clip_norm.is_some_and(|limit| is_clipped(norm, limit)) {
                sums.clipped += share;
            }
            sums.learning_rate = rate;
        }
        if diverged.is_some() {
            break;
        }
        let shown = match &mut average {
            Some(average) => average.network()?,
            None => &*network,
        };
        let (train, valid) = scores(shown, job, &weights, progress)?;
        if !(train.loss.is_finite() && valid.loss.is_finite()) {
            diverged = Some(epoch);
            break;
        }
        curves.push(epoch, sums, train, valid);
        let merit = metric.merit(valid.get(metric));
        if stopping.epoch_ended(epoch, merit) {
            best = Some(shown.snapshot()?);
        }
        let note = match job.keep {
            Keep::Best(_) => {
                format!("loss {:.3}, valid {} {:.3}", sums.objective, metric.label(), valid.get(metric))
            }
            Keep::Epoch(_) => format!("loss {:.3}", sums.objective),
        };
        progress.update(epoch as u64, last as u64, "epochs", &note);
        schedule.epoch_ended(merit);
        if stopping.is_over(epoch) {
            break;
        }
        if checkpoints.is_due()
            && let (Some(best_epoch), Some(best)) = (stopping.best(), &best)
        {
            let moving = Some(moving(network, &optimizer, &masks, average.as_ref())?);
            save(checkpoints, Checkpoint { curves: curves.clone(), best_epoch, best: best.clone(), diverged, moving })?;
        }
    }
    let (Some(best_epoch), Some(best)) = (stopping.best(), best) else {
        return Err(TrainError::Diverged { epoch: diverged.unwrap_or(1), lr: spec.optimizer.lr });
    };
    if let Some(epoch) = diverged {
        progress.warn(&format!(
            "the loss is not finite in epoch {epoch}: epoch {best_epoch} is kept; lower the learning rate (now {}) or set clip_norm",
            spec.optimizer.lr
        ));
    }
    // A state that is as far or farther is left where it is.
    if !over {
        let last = curves.len() - 1;
        let at_end = diverged.is_some() || (last == spec.epochs && spec.looks_at_the_end());
        let moving = if at_end { None } else { Some(moving(network, &optimizer, &masks, average.as_ref())?) };
        save(checkpoints, Checkpoint { curves: curves.clone(), best_epoch, best: best.clone(), diverged, moving })?;
    }
    network.restore(&best).map_err(candle_core::Error::msg)?;
    Ok(Outcome { curves, best_epoch, diverged, resumed })
}

/// A checkpoint of the same trajectory as this training would have left it, if it holds all that is needed: of a longer
/// one the rows that this training reaches, provided that its best epoch is among the weights.
fn serving(mut known: Checkpoint, job: &Job, shape: &Snapshot, optimizer: &Optimizer) -> Option<Checkpoint> {
    let spec = job.spec;
    let fits = |snapshot: &Snapshot| {
        snapshot.len() == shape.len()
            && shape.iter().all(|(name, (shape, _))| snapshot.get(name).is_some_and(|(found, _)| found == shape))
    };
    let replay = replay_by(job.keep.stopping(spec), spec, &known.curves, None);
    if replay.best_epoch != Some(known.best_epoch) || !fits(&known.best) {
        return None;
    }
    if replay.is_over {
        known.curves.truncate(replay.last_epoch + 1);
        known.diverged = None;
        known.moving = None;
    } else if known.diverged.is_none() {
        let moving = known.moving.as_ref()?;
        let averaged = spec.average.is_none() || fits(&moving.average);
        if !fits(&moving.network) || !averaged || !optimizer.fits(&moving.memories) {
            return None;
        }
    }
    Some(known)
}

fn moving(
    network: &Network,
    optimizer: &Optimizer,
    masks: &Stream,
    average: Option<&Average>,
) -> Result<Moving, TrainError> {
    Ok(Moving {
        network: network.snapshot()?,
        memories: optimizer.memories(),
        masks: masks.position(),
        average: average.map(Average::snapshot).unwrap_or_default(),
    })
}

fn save(checkpoints: &dyn Checkpoints, state: Checkpoint) -> Result<(), TrainError> {
    checkpoints.save(&state.to_bytes().map_err(candle_core::Error::msg)?);
    Ok(())
}

/// One step; the loss and the gradient's norm, or `None` when either is not finite.
fn stepped(
    optimizer: &mut Optimizer,
    loss: &Tensor,
    rate: f64,
    momentum: Option<f64>,
    spec: &TrainingSpec,
    frozen: usize,
) -> Result<Option<(f64, f64)>, TrainError> {
    let objective = f64::from(loss.to_scalar::<f32>()?);
    if !objective.is_finite() {
        return Ok(None);
    }
    let norm = optimizer.step(&loss.backward()?, rate, momentum, spec.clip_norm, frozen)?;
    Ok(norm.is_finite().then_some((objective, norm)))
}

/// Ranges of at most `size` rows; what is left after them is a batch of its own, unless it has fewer than `smallest`
/// rows: batch norm has no variance of one row, so that row joins the batch before.
fn batches(rows: usize, size: usize, smallest: usize) -> Vec<std::ops::Range<usize>> {
    let size = size.max(smallest);
    let mut all: Vec<_> = (0..rows).step_by(size).map(|start| start..(start + size).min(rows)).collect();
    if all.len() > 1 && all.last().is_some_and(|last| last.len() < smallest) {
        all.pop();
        if let Some(last) = all.last_mut() {
            last.end = rows;
        }
    }
    all
}

/// Scores on the training and on the validation part; where none is held back, those on the training part stand for both.
fn scores(
    network: &Network,
    job: &Job,
    weights: &[f32],
    progress: &dyn Progress,
) -> Result<(PartScores, PartScores), TrainError> {
    let of = |examples: &Examples, metric| score(network, examples, job, weights, metric, progress);
    let metric = Some(job.spec.early_stopping.metric()).filter(|metric| !metric.has_curve());
    Ok(match job.keep {
        Keep::Best(valid) => (of(job.train, None)?, of(valid, metric)?),
        Keep::Epoch(_) => {
            let train = of(job.train, metric)?;
            (train, train)
        }
    })
}

/// Scores of the network as it predicts. A weighted loss shifts probabilities towards the classes that weigh most, which the loss of a part takes
/// back; what is predicted keeps the weights, unless costs decide. `metric` is one that is not among the others.
fn score(
    network: &Network,
    examples: &Examples,
    job: &Job,
    weights: &[f32],
    metric: Option<Metric>,
    progress: &dyn Progress,
) -> Result<PartScores, TrainError> {
    let classes = job.classes;
    let mut logits = logits(network, examples, progress)?;
    let is_costly = job.scoring.costs.is_some();
    let mut predicted = if is_costly { Vec::new() } else { logits.argmax_rows() };
    let shifts: Vec<f32> = weights.iter().map(|weight| weight.ln()).collect();
    let mut row = vec![0.0; classes.len()];
    let mut total = 0.0f64;
    for (i, &label) in examples.labels.iter().enumerate() {
        row.iter_mut().zip(logits.row(i)).zip(&shifts).for_each(|((own, logit), shift)| *own = logit - shift);
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|&x| f64::from(x - largest).exp()).sum();
        total += sum.ln() - f64::from(row[label as usize] - largest);
        if metric.is_some() || is_costly {
            let own = logits.row_mut(i).iter_mut().zip(&row);
            own.for_each(|(own, x)| *own = (f64::from(x - largest).exp() / sum) as f32);
        }
    }
    if is_costly {
        predicted = decide_by(job.scoring.costs.as_ref(), &logits);
    }
    let scores = Scores::new(classes, &examples.labels, &predicted);
    let chosen_by = metric.map(|metric| {
        let rarer = || rarer_of_two(job.train.labels.iter().copied(), classes.len());
        let scoring = Scoring { positive: job.scoring.positive.or_else(rarer), ..job.scoring.clone() };
        let measures = Measures::new(&examples.labels, &predicted, &logits, &scoring, true);
        // The worst where the rows tell nothing, so that any epoch of which they do is better.
        let value = measures.value(metric, &vec![1.0; examples.rows()]).filter(|value| value.is_finite());
        (metric, value.unwrap_or(0.0))
    });
    Ok(PartScores {
        loss: total / examples.rows() as f64,
        accuracy: scores.accuracy,
        macro_f1: scores.macro_f1,
        chosen_by,
    })
}

/// The logits (rows × classes) of every row, as the network predicts.
pub(crate) fn logits(network: &Network, examples: &Examples, progress: &dyn Progress) -> Result<Matrix, TrainError> {
    let rows: Vec<usize> = (0..examples.rows()).collect();
    let pieces = rows.par_chunks(ROWS_AT_ONCE).map(|rows| -> Result<Vec<f32>, TrainError> {
        progress.go_on()?;
        Ok(network.infer(examples.batch(rows).0)?.flatten_all()?.to_vec1()?)
    });
    let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
    Ok(Matrix::from_vec(rows.len(), network.blueprint().classes, pieces.concat()))
}
