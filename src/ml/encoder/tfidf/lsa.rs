//! The leading right singular vectors of a sparse matrix, by a seeded randomised subspace iteration (Halko, Martinsson
//! and Tropp, 2011, arXiv 0909.4061, algorithms 4.4 and 5.1; scikit-learn's `TruncatedSVD` does the same).
//!
//! All sums run in an order that depends on the matrix's shape alone, so any number of threads gives the same bits.

use super::super::kernels::{Finish, Panels, Rows, multiply};
use super::super::{EncodeError, parallel};
use super::Project;
use super::vocabulary::SparseRow;
use crate::eigen::symmetric_eigen;
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;
use crate::simd::dispatch;

/// Directions beyond those wanted: they carry the error.
const OVERSAMPLING: usize = 10;
/// Each one multiplies the error by the square of the ratio of the first singular value left out to the last kept.
const ITERATIONS: usize = 4;
/// A matrix's rows are summed in so many parts.
const PARTS: usize = 32;

/// features × `dim`: column `j` is the singular vector of the `j`-th largest singular value, signed so that its entry
/// of largest size is positive; zeros from the rank on.
pub(crate) fn components(
    rows: &[SparseRow],
    features: usize,
    dim: usize,
    seed: u64,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<f32>, EncodeError> {
    let run = Run { threads, progress };
    let width = (dim + OVERSAMPLING).min(rows.len()).min(features);
    let columns = transpose(rows, features);
    let mut stream = Stream::new(seed, "tfidf sketch", 0);
    let sketch =
        Dense { rows: features, columns: width, data: (0..features * width).map(|_| stream.normal() as f32).collect() };
    let mut basis = run.orthonormal(&run.sparse_times(rows, &sketch)?)?;
    for _ in 0..ITERATIONS {
        let image = run.sparse_times(&columns, &basis)?;
        basis = run.orthonormal(&run.sparse_times(rows, &image)?)?;
    }
    // Once more: single precision leaves the first pass short of orthogonal where singular values lie far apart.
    basis = run.orthonormal(&basis)?;
    // With A ≈ Q Qᵀ A, the right singular vectors of A are Aᵀ Q U / σ, where Qᵀ A Aᵀ Q = U σ² Uᵀ.
    let image = run.sparse_times(&columns, &basis)?;
    let vectors = run.orthonormal(&image)?;
    let kept = vectors.columns.min(dim);
    let mut components = vec![0.0; features * dim];
    for j in 0..kept {
        let column = || vectors.data.iter().skip(j).step_by(vectors.columns);
        let largest = column().fold(0.0f32, |a, &b| if b.abs() > a.abs() { b } else { a });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        for (value, component) in column().zip(components.iter_mut().skip(j).step_by(dim)) {
            *component = sign * value;
        }
    }
    Ok(components)
}

/// Row-major.
struct Dense {
    rows: usize,
    columns: usize,
    data: Vec<f32>,
}

fn transpose(rows: &[SparseRow], features: usize) -> Vec<SparseRow> {
    let mut columns = vec![SparseRow::new(); features];
    for (i, row) in (0u32..).zip(rows) {
        for (feature, weight) in row {
            columns[*feature as usize].push((i, *weight));
        }
    }
    columns
}

struct Run<'a> {
    threads: usize,
    progress: &'a dyn Progress,
}

impl Run<'_> {
    /// Computes parts of consecutive rows, `columns` values each, and joins them.
    fn by_rows(
        &self,
        rows: usize,
        columns: usize,
        part: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync,
    ) -> Result<Dense, EncodeError> {
        let size = rows.div_ceil(PARTS).max(1);
        let mut data = vec![0.0; rows * columns];
        parallel::for_each(
            rows.div_ceil(size),
            self.threads,
            self.progress,
            || (),
            |(), i| {
                let range = i * size..((i + 1) * size).min(rows);
                let mut out = vec![0.0; range.len() * columns];
                part(range, &mut out);
                Ok(out)
            },
            |i, out| data[i * size * columns..][..out.len()].copy_from_slice(&out),
        )?;
        Ok(Dense { rows, columns, data })
    }

    fn sparse_times(&self, sparse: &[SparseRow], dense: &Dense) -> Result<Dense, EncodeError> {
        let width = dense.columns.max(1);
        self.by_rows(sparse.len(), width, |range, out| {
            for (weights, row) in sparse[range].iter().zip(out.chunks_exact_mut(width)) {
                dispatch(Project { weights, vectors: &dense.data, row });
            }
        })
    }

    /// An orthonormal basis of the columns of `matrix`: with MᵀM = U Λ Uᵀ it is M U Λ^(-½), in the order of falling Λ.
    /// Directions that single precision cannot tell from none are left out.
    fn orthonormal(&self, matrix: &Dense) -> Result<Dense, EncodeError> {
        let width = matrix.columns;
        let (values, vectors) =
            symmetric_eigen(self.gram(matrix)?, width, &|| self.progress.cancelled()).ok_or(Cancelled)?;
        let largest = values.first().copied().unwrap_or(0.0);
        let rank = values.iter().take_while(|value| **value > largest * 1e-11 && **value > 0.0).count();
        let scaled: Vec<f32> = (0..rank)
            .flat_map(|j| {
                let scale = 1.0 / values[j].sqrt();
                vectors[j * width..(j + 1) * width].iter().map(move |value| (value * scale) as f32)
            })
            .collect();
        let mut panels = Panels::default();
        panels.set_transposed(&scaled, width, rank, width);
        let stride = Panels::padded(rank);
        self.by_rows(matrix.rows, rank, |range, out| {
            let mut wide = vec![0.0; range.len() * stride];
            let rows = Rows { values: &matrix.data[range.start * width..], stride: width, count: range.len() };
            multiply(rows, &panels, Finish::Plain, &mut wide, stride);
            for (out, row) in out.chunks_exact_mut(rank.max(1)).zip(wide.chunks_exact(stride.max(1))) {
                out.copy_from_slice(&row[..rank]);
            }
        })
    }

    /// MᵀM: short blocks in single precision, their sums in double.
    fn gram(&self, matrix: &Dense) -> Result<Vec<f64>, EncodeError> {
        const BLOCK: usize = 128;
        let width = matrix.columns;
        let stride = Panels::padded(width);
        let size = matrix.rows.div_ceil(PARTS).max(1);
        let parts = parallel::map(matrix.rows.div_ceil(size), self.threads, self.progress, |i| {
            let rows = i * size..((i + 1) * size).min(matrix.rows);
            let mut sum = vec![0.0f64; width * width];
            let (mut panels, mut flipped) = (Panels::default(), vec![0.0; width * BLOCK]);
            let mut product = vec![0.0; width * stride];
            for block in matrix.data[rows.start * width..rows.end * width].chunks(BLOCK * width) {
                let depth = block.len() / width;
                for (k, row) in block.chunks_exact(width).enumerate() {
                    for (c, value) in row.iter().enumerate() {
                        flipped[c * BLOCK + k] = *value;
                    }
                }
                panels.set(block, width, width, depth);
                let rows = Rows { values: &flipped, stride: BLOCK, count: width };
                multiply(rows, &panels, Finish::Plain, &mut product, stride);
                for (sum, row) in sum.chunks_exact_mut(width).zip(product.chunks_exact(stride)) {
                    for (sum, value) in sum.iter_mut().zip(row) {
                        *sum += f64::from(*value);
                    }
                }
            }
            Ok(sum)
        })?;
        let mut total = vec![0.0; width * width];
        for part in parts {
            for (total, value) in total.iter_mut().zip(part) {
                *total += value;
            }
        }
        Ok(total)
    }
}
