//! Early stopping of boosting: rows that are held out, and the watch over their log loss.

use super::Features;
use super::fit::softmax;
use super::trees::bins::Bins;
use super::trees::tree::{Tree, add_leaves};
use crate::rng::Stream;

/// Parts `share` of the rows of each class from the others: (kept, held out), both in ascending
/// order. A class of one row is kept.
pub(crate) fn hold_out(y: &[u32], classes: usize, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut is_held_out = vec![false; y.len()];
    for class in 0..classes {
        let mut rows: Vec<usize> = (0..y.len()).filter(|&row| y[row] as usize == class).collect();
        Stream::new(seed, "classical/boosting/hold_out", class as u64).shuffle(&mut rows);
        let count = ((rows.len() as f64 * share).round() as usize).min(rows.len().saturating_sub(1));
        rows[..count].iter().for_each(|&row| is_held_out[row] = true);
    }
    (0..y.len()).partition(|&row| !is_held_out[row])
}

/// Watches the log loss of held-out rows.
pub(crate) struct Stopping<'a> {
    codes: Vec<u8>,
    columns: usize,
    y: &'a [u32],
    /// By row; empty where all count alike.
    weights: Vec<f64>,
    /// rows × classes.
    scores: Vec<f64>,
    patience: usize,
    round: usize,
    /// Rounds up to the one of least loss.
    pub(crate) best_round: usize,
    best_loss: f64,
}

impl<'a> Stopping<'a> {
    /// `None` when no row is held out.
    pub(crate) fn new(bins: &Bins, x: &Features, y: &'a [u32], start: &[f64], patience: usize) -> Option<Self> {
        (!y.is_empty()).then(|| Stopping {
            codes: bins.cuts().rows(x, 0..x.rows),
            columns: x.width(),
            y,
            weights: x.weights().to_vec(),
            scores: start.repeat(y.len()),
            patience,
            round: 0,
            best_round: 0,
            best_loss: f64::INFINITY,
        })
    }

    /// Takes in the trees of one round; true once the loss has not improved for `patience` rounds.
    pub(crate) fn after(&mut self, trees: &[Tree]) -> bool {
        let mut loss = 0.0;
        let rows = self.scores.chunks_exact_mut(trees.len()).zip(self.codes.chunks_exact(self.columns));
        for (i, ((scores, codes), &label)) in rows.zip(self.y).enumerate() {
            add_leaves(scores, trees, codes);
            let mut probabilities = scores.to_vec();
            softmax(&mut probabilities);
            loss -= self.weights.get(i).unwrap_or(&1.0) * probabilities[label as usize].max(1e-15).ln();
        }
        self.round += 1;
        if loss < self.best_loss {
            self.best_loss = loss;
            self.best_round = self.round;
        }
        self.round - self.best_round >= self.patience
    }
}
