//! Softmax cross-entropy with class weights and label smoothing, as `torch.nn.CrossEntropyLoss`, and weights of rows.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::slices::{Argument, Operation, apply};

/// Mean loss in nats over the rows of `logits` (rows × classes) for the true classes `labels`.
///
/// With weights w and smoothing ε the loss of a row of class y is −(1−ε)·w_y·log p_y − ε/K·Σ_c w_c·log p_c, and the sum over
/// rows is divided by Σ w_y, as PyTorch does (Szegedy et al. 2016, arXiv 1512.00567, for the smoothing). A row of weight r counts r times, in both sums;
/// all count once where `of_rows` is empty. Where none counts the loss is 0.
pub fn cross_entropy(
    logits: &Tensor,
    labels: Vec<u32>,
    weights: &Arc<Vec<f32>>,
    of_rows: Vec<f32>,
    smoothing: f32,
) -> Result<Tensor> {
    apply(CrossEntropy { labels, weights: Arc::clone(weights), of_rows, smoothing }, &[logits])
}

struct CrossEntropy {
    labels: Vec<u32>,
    weights: Arc<Vec<f32>>,
    of_rows: Vec<f32>,
    smoothing: f32,
}

impl CrossEntropy {
    fn of_row(&self, row: usize) -> f32 {
        self.of_rows.get(row).copied().unwrap_or(1.0)
    }

    fn total_weight(&self) -> f64 {
        let each = self.labels.iter().enumerate();
        let total = each.map(|(row, &y)| f64::from(self.of_row(row)) * f64::from(self.weights[y as usize])).sum();
        if total > 0.0 { total } else { 1.0 }
    }
}

impl Operation for CrossEntropy {
    const NAME: &'static str = "cross-entropy";

    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)> {
        let logits = &arguments[0];
        let (rows, classes) = logits.matrix()?;
        if rows != self.labels.len() || classes != self.weights.len() {
            candle_core::bail!("cross-entropy: {rows}×{classes} logits for {} labels", self.labels.len())
        }
        let share = f64::from(self.smoothing) / classes as f64;
        let mut total = 0.0f64;
        for (i, (row, &label)) in logits.values.chunks_exact(classes).zip(&self.labels).enumerate() {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let normaliser = f64::from(largest) + row.iter().map(|&x| f64::from(x - largest).exp()).sum::<f64>().ln();
            let surprise = |class: usize| f64::from(self.weights[class]) * (normaliser - f64::from(row[class]));
            let own = f64::from(self.of_row(i));
            total += own * (1.0 - f64::from(self.smoothing)) * surprise(label as usize);
            if self.smoothing > 0.0 {
                total += own * share * (0..classes).map(surprise).sum::<f64>();
            }
        }
        Ok((vec![(total / self.total_weight()) as f32], Vec::new()))
    }

    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>> {
        let (_, classes) = arguments[0].matrix()?;
        let scale = gradient[0] / self.total_weight() as f32;
        let share = self.smoothing / classes as f32;
        let shared_weight = share * self.weights.iter().sum::<f32>();
        let mut slopes = arguments[0].values.to_vec();
        for (i, (row, &label)) in slopes.chunks_exact_mut(classes).zip(&self.labels).enumerate() {
            softmax(row);
            let scale = scale * self.of_row(i);
            let own = (1.0 - self.smoothing) * self.weights[label as usize];
            for (class, value) in row.iter_mut().enumerate() {
                // Of Σ_c t_c·(log Σ exp − x_c) with targets t: p·Σt − t.
                let target = share * self.weights[class] + if class == label as usize { own } else { 0.0 };
                *value = scale * (*value * (own + shared_weight) - target);
            }
        }
        Ok(vec![Some(slopes)])
    }
}

fn softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - largest).exp();
        sum += *value;
    }
    for value in row.iter_mut() {
        *value /= sum;
    }
}
