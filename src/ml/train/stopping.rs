//! `Stopping`: which epoch is the best so far, and whether training is over.
//!
//! Looks at nothing but the validation part's merits, so that curves of an earlier run lead to the same decisions again.

use super::curves::Curves;
use runner_results::spec::TrainingSpec;

/// How far a training gets along given curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The epoch whose weights it keeps, if any has ended.
    pub best_epoch: Option<usize>,
    /// The last one that would have been trained.
    pub last_epoch: usize,
    /// Whether it ends there, and not only the curves.
    pub is_over: bool,
}

/// What a training makes of the curves of its trajectory, which may be those of a longer or shorter one; at most up to `pause`.
pub fn replay(training: &TrainingSpec, curves: &Curves, pause: Option<usize>) -> Replay {
    replay_by(Stopping::new(training), training, curves, pause)
}

pub(crate) fn replay_by(
    mut stopping: Stopping,
    training: &TrainingSpec,
    curves: &Curves,
    pause: Option<usize>,
) -> Replay {
    let metric = training.early_stopping.metric();
    let mut last_epoch = 0;
    let scores = curves.valid(metric).iter().enumerate().skip(1);
    for (epoch, score) in scores.take(pause.unwrap_or(usize::MAX)) {
        stopping.epoch_ended(epoch, metric.merit(*score));
        last_epoch = epoch;
        if stopping.is_over(epoch) {
            break;
        }
    }
    // Of no epoch nothing can be over.
    let is_over = last_epoch > 0 && stopping.is_over(last_epoch);
    Replay { best_epoch: stopping.best(), last_epoch, is_over }
}

/// The choice of one training among its epochs.
pub(crate) struct Stopping {
    epochs: usize,
    /// The last epoch is kept whatever its merit.
    keeps_last: bool,
    patience: Option<usize>,
    min_delta: f64,
    best: Option<(usize, f64)>,
}

impl Stopping {
    pub(crate) fn new(spec: &TrainingSpec) -> Self {
        let stopping = &spec.early_stopping;
        Stopping {
            epochs: spec.epochs,
            keeps_last: false,
            patience: stopping.patience,
            min_delta: stopping.min_delta,
            best: None,
        }
    }

    /// Ends with this epoch, and keeps it.
    pub(crate) fn at(epoch: usize) -> Self {
        Stopping { epochs: epoch, keeps_last: true, patience: None, min_delta: 0.0, best: None }
    }

    /// Tells the merit (larger is better) of a finished epoch; true when it is the best so far.
    pub(crate) fn epoch_ended(&mut self, epoch: usize, merit: f64) -> bool {
        let better = self.keeps_last || self.best.is_none_or(|(_, top)| merit > top + self.min_delta);
        if better {
            self.best = Some((epoch, merit));
        }
        better
    }

    /// The best epoch so far, if any has ended.
    pub(crate) fn best(&self) -> Option<usize> {
        self.best.map(|(epoch, _)| epoch)
    }

    /// Whether nothing comes after `epoch`, the last one that ended.
    pub(crate) fn is_over(&self, epoch: usize) -> bool {
        let waited = self.best.map_or(0, |(top, _)| epoch - top);
        epoch >= self.epochs || self.patience.is_some_and(|patience| waited >= patience)
    }
}
