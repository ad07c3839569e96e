//! Work on the rows of matrices in pieces that do not depend on the number of threads.

use rayon::prelude::*;

use super::vectorized;

/// Rows of a piece: a batch of 256 keeps two cores busy, and a piece stays in a core's cache.
pub(crate) const ROWS: usize = 128;

/// Groups of pieces, each with sums of its own: what more threads than these could gain, the sums would cost.
const GROUPS: usize = 4;

/// Columns of a piece of sums over rows.
const COLUMNS: usize = 64;

/// The transpose of a rows × cols matrix. A product that is given it lays out nothing anew for each piece.
pub(crate) fn transposed(matrix: &[f32], cols: usize) -> Vec<f32> {
    let rows = matrix.len() / cols;
    let mut out = vec![0f32; matrix.len()];
    const BLOCK: usize = 16;
    vectorized(|| {
        for top in (0..rows).step_by(BLOCK) {
            for left in (0..cols).step_by(BLOCK) {
                for i in top..rows.min(top + BLOCK) {
                    for j in left..cols.min(left + BLOCK) {
                        out[j * rows + i] = matrix[i * cols + j];
                    }
                }
            }
        }
    });
    out
}

/// Mean and variance (divided by the number of rows) of each column of a matrix that comes in pieces of rows. Two passes, because the difference of squares would
/// cancel for features far from zero.
pub(crate) fn moments(z: &[Vec<f32>], width: usize) -> (Vec<f32>, Vec<f32>) {
    let share = 1.0 / (z.iter().map(Vec::len).sum::<usize>() / width) as f32;
    let rows = || z.iter().flat_map(|piece| piece.chunks_exact(width));
    let mut mean = vec![0f32; width];
    let mut variance = vec![0f32; width];
    let pieces = mean.par_chunks_mut(COLUMNS).zip(variance.par_chunks_mut(COLUMNS)).enumerate();
    pieces.for_each(|(i, (mean, variance))| {
        let span = i * COLUMNS..i * COLUMNS + mean.len();
        vectorized(|| {
            for row in rows() {
                add(mean, &row[span.clone()]);
            }
            mean.iter_mut().for_each(|sum| *sum *= share);
            for row in rows() {
                for ((sum, value), mean) in variance.iter_mut().zip(&row[span.clone()]).zip(&*mean) {
                    let distance = value - mean;
                    *sum += distance * distance;
                }
            }
            variance.iter_mut().for_each(|sum| *sum *= share);
        });
    });
    (mean, variance)
}

/// Rows in a group of pieces of `piece` rows.
pub(crate) fn rows_of_group(rows: usize, piece: usize) -> usize {
    (rows.div_ceil(piece).div_ceil(GROUPS) * piece).max(1)
}

/// `values` in parts of `length`; `count` empty ones where there are no values.
pub(crate) fn parts(values: &mut [f32], length: usize, count: usize) -> Vec<&mut [f32]> {
    if values.is_empty() { (0..count).map(|_| &mut [][..]).collect() } else { values.chunks_mut(length).collect() }
}

/// Sums of pieces, in their order.
pub(crate) fn total(pieces: Vec<Vec<f32>>, length: usize) -> Vec<f32> {
    let mut pieces = pieces.into_iter();
    let mut sums = pieces.next().unwrap_or_else(|| vec![0f32; length]);
    vectorized(|| pieces.for_each(|piece| add(&mut sums, &piece)));
    sums
}

#[inline(always)]
pub(crate) fn add(sums: &mut [f32], row: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}
