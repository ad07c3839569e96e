//! Rows and weights of each class.

use super::Features;

/// The number of rows of each class.
pub(super) fn class_counts(y: &[u32], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    y.iter().for_each(|&label| counts[label as usize] += 1);
    counts
}

/// The sum of the weights of the rows of each class.
pub(super) fn class_weights(x: &Features, y: &[u32], classes: usize) -> Vec<f64> {
    let mut sums = vec![0.0; classes];
    y.iter().enumerate().for_each(|(row, &label)| sums[label as usize] += x.weight(row));
    sums
}
