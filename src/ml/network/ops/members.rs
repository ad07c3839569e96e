//! The members' predictions of an ensemble in one network (TabM, Gorishniy et al. 2024, arXiv 2410.24210) as one.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::pieces::ROWS;
use super::slices::with_values;

/// Logits whose softmax is the mean of the members' probabilities; rows·members × classes → rows × classes, row after row.
pub(crate) fn log_mean_probabilities(logits: &Tensor, members: usize) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    let mut out = vec![0f32; rows / members * classes];
    with_values(logits, |logits| {
        let pieces = out.par_chunks_mut(ROWS * classes).zip(logits.par_chunks(ROWS * members * classes));
        pieces.for_each(|(out, logits)| {
            let (mut mean, mut odds) = (vec![0f64; classes], vec![0f64; classes]);
            for (out, group) in out.chunks_exact_mut(classes).zip(logits.chunks_exact(members * classes)) {
                mean.fill(0.0);
                for row in group.chunks_exact(classes) {
                    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    odds.iter_mut().zip(row).for_each(|(odds, x)| *odds = f64::from(x - largest).exp());
                    let sum: f64 = odds.iter().sum();
                    mean.iter_mut().zip(&odds).for_each(|(mean, odds)| *mean += odds / sum / members as f64);
                }
                // A probability of 0 would be a logit of minus infinity.
                out.iter_mut().zip(&mean).for_each(|(out, p)| *out = p.max(1e-30).ln() as f32);
            }
        });
        Ok(())
    })?;
    Tensor::from_vec(out, (rows / members, classes), logits.device())
}
