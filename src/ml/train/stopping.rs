//! `Stopping`: which epoch is the best so far, and whether training is over.
//!
//! Looks at nothing but the validation part's merits, so that curves of an earlier run lead to the same decisions again.

use super::spec::TrainingSpec;

/// The choice of one training among its epochs.
pub struct Stopping {
    epochs: usize,
    patience: Option<usize>,
    min_delta: f64,
    best: Option<(usize, f64)>,
}

impl Stopping {
    pub fn new(spec: &TrainingSpec) -> Self {
        let stopping = &spec.early_stopping;
        Stopping { epochs: spec.epochs, patience: stopping.patience, min_delta: stopping.min_delta, best: None }
    }

    /// Tells the merit (larger is better) of a finished epoch; true when it is the best so far.
    pub fn epoch_ended(&mut self, epoch: usize, merit: f64) -> bool {
        let better = self.best.is_none_or(|(_, top)| merit > top + self.min_delta);
        if better {
            self.best = Some((epoch, merit));
        }
        better
    }

    /// The best epoch so far, if any has ended.
    pub fn best(&self) -> Option<usize> {
        self.best.map(|(epoch, _)| epoch)
    }

    /// Whether nothing comes after `epoch`, the last one that ended.
    pub fn is_over(&self, epoch: usize) -> bool {
        let waited = self.best.map_or(0, |(top, _)| epoch - top);
        epoch >= self.epochs || self.patience.is_some_and(|patience| waited >= patience)
    }
}
