//! The loss of classes that have an order: the cross-entropy of every cut through the order, with class weights, label smoothing and weights of rows.
//!
//! As CORAL (Cao, Mirjalili and Raschka 2020, arXiv 1901.07884) it asks of each of the K − 1 cuts whether a row lies above it, so that a far mistake is wrong at more
//! cuts than a near one. The probabilities of the cuts are sums of the softmax's, which fall from cut to cut by construction: no weights need be shared by the classes for it, and
//! the network's outputs stay what they are for any other loss. Each cut's cross-entropy is a proper score, and so is their mean: the softmax are
//! probabilities. Of two classes it is the cross-entropy.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::slices::{Argument, Operation, apply};

/// Mean loss in nats over cuts and rows of `logits` (rows × classes) for the true classes `labels`, which are numbered in their order.
///
/// With smoothing ε the target of a row is 1 − ε on its class and ε/K spread over all. Weights of rows and of their classes count as in `cross_entropy`.
pub fn ordinal(
    logits: &Tensor,
    labels: Vec<u32>,
    weights: &Arc<Vec<f32>>,
    of_rows: Vec<f32>,
    smoothing: f32,
) -> Result<Tensor> {
    apply(Ordinal { labels, weights: Arc::clone(weights), of_rows, smoothing }, &[logits])
}

struct Ordinal {
    labels: Vec<u32>,
    weights: Arc<Vec<f32>>,
    of_rows: Vec<f32>,
    smoothing: f32,
}

/// What is needed of a row's cuts, of which number k lies between the classes k and k + 1.
struct Cuts {
    /// Of the softmax.
    p: Vec<f64>,
    /// By cut the probability of the classes up to it, and of those above it.
    below: Vec<f64>,
    above: Vec<f64>,
}

/// Sums of a probability's inverse stay finite from here on.
const LEAST: f64 = 1e-300;

impl Cuts {
    fn of(row: &[f32]) -> Cuts {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut p: Vec<f64> = row.iter().map(|&x| f64::from(x - largest).exp()).collect();
        let total: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= total);
        let cuts = p.len() - 1;
        // Sums of their own from either end: one less the other would lose all of a small one.
        let (mut below, mut above) = (Vec::with_capacity(cuts), vec![0.0; cuts]);
        let mut sum = 0.0;
        for p in &p[..cuts] {
            sum += p;
            below.push(sum);
        }
        sum = 0.0;
        for k in (0..cuts).rev() {
            sum += p[k + 1];
            above[k] = sum;
        }
        let positive = |value: &mut f64| *value = value.max(LEAST);
        below.iter_mut().chain(&mut above).for_each(positive);
        Cuts { p, below, above }
    }
}

impl Ordinal {
    fn weight(&self, row: usize) -> f64 {
        let of_row = self.of_rows.get(row).copied().unwrap_or(1.0);
        f64::from(of_row) * f64::from(self.weights[self.labels[row] as usize])
    }

    fn total_weight(&self) -> f64 {
        let total = (0..self.labels.len()).map(|row| self.weight(row)).sum();
        if total > 0.0 { total } else { 1.0 }
    }

    /// By cut the target's share above it.
    fn targets(&self, label: u32, classes: usize) -> Vec<f64> {
        let smoothing = f64::from(self.smoothing);
        let share = |cut: usize| (classes - 1 - cut) as f64 / classes as f64;
        let is_above = |cut: usize| f64::from(u8::from(label as usize > cut));
        (0..classes - 1).map(|cut| (1.0 - smoothing) * is_above(cut) + smoothing * share(cut)).collect()
    }
}

impl Operation for Ordinal {
    const NAME: &'static str = "ordinal loss";

    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)> {
        let logits = &arguments[0];
        let (rows, classes) = logits.matrix()?;
        if rows != self.labels.len() || classes != self.weights.len() || classes < 2 {
            candle_core::bail!("ordinal loss: {rows}×{classes} logits for {} labels", self.labels.len())
        }
        let mut total = 0.0;
        for (i, (row, &label)) in logits.values.chunks_exact(classes).zip(&self.labels).enumerate() {
            let Cuts { below, above, .. } = Cuts::of(row);
            let cuts = self.targets(label, classes).into_iter().zip(below.iter().zip(&above));
            let loss: f64 =
                cuts.map(|(target, (below, above))| -target * above.ln() - (1.0 - target) * below.ln()).sum();
            total += self.weight(i) * loss / (classes - 1) as f64;
        }
        Ok((vec![(total / self.total_weight()) as f32], Vec::new()))
    }

    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>> {
        let (_, classes) = arguments[0].matrix()?;
        let scale = f64::from(gradient[0]) / self.total_weight() / (classes - 1) as f64;
        let mut slopes = arguments[0].values.to_vec();
        for (i, (row, &label)) in slopes.chunks_exact_mut(classes).zip(&self.labels).enumerate() {
            let Cuts { p, below, above } = Cuts::of(row);
            let targets = self.targets(label, classes);
            let scale = scale * self.weight(i);
            // The slope of −ln S, where S sums up the probabilities of some classes, is p less p / S for those classes. Class j is above the cuts before it
            // and below the others.
            let mut own = vec![0.0; classes];
            let mut sum = 0.0;
            for k in 0..classes - 1 {
                sum += targets[k] / above[k];
                own[k + 1] += sum;
            }
            sum = 0.0;
            for k in (0..classes - 1).rev() {
                sum += (1.0 - targets[k]) / below[k];
                own[k] += sum;
            }
            for ((value, p), own) in row.iter_mut().zip(&p).zip(&own) {
                *value = (scale * p * ((classes - 1) as f64 - own)) as f32;
            }
        }
        Ok(vec![Some(slopes)])
    }
}
