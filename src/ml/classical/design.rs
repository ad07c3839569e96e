//! The rows that linear models are fitted on: standardised columns and a column of ones, dense, and behind them sparse columns as they are.

use rayon::prelude::*;

use super::Features;
use super::arrays::{ArrayError, Arrays};
use super::matmul::{View, matmul};
use super::preprocess::Standardizer;
use crate::sparse::Csr;

/// Sparse columns whose sums one task computes.
const COLUMNS: usize = 4096;

/// Rows of a fit, or of a prediction. The weights of a class are one for each dense column, the intercept last of these, then one for each sparse column.
pub(super) struct Design<'a> {
    pub(super) rows: usize,
    /// rows × `width`.
    pub(super) dense: Vec<f64>,
    /// Dense columns, with that of ones.
    pub(super) width: usize,
    pub(super) sparse: &'a Csr,
}

impl<'a> Design<'a> {
    pub(super) fn new(standardizer: &Standardizer, x: &'a Features) -> Self {
        let scaled = standardizer.apply(x);
        let width = x.cols + 1;
        let mut dense = Vec::with_capacity(x.rows * width);
        for i in 0..x.rows {
            dense.extend(scaled.row(i).iter().map(|&value| f64::from(value)));
            dense.push(1.0);
        }
        Design { rows: x.rows, dense, width, sparse: &x.sparse }
    }

    /// Dense and sparse columns.
    pub(super) fn columns(&self) -> usize {
        self.width + self.sparse.cols
    }

    /// Writes the scores of rows from `first` on (rows × classes). `weights` is classes × `width`, then sparse columns × classes.
    pub(super) fn scores(&self, first: usize, weights: &[f64], classes: usize, scores: &mut [f64]) {
        let (count, width) = (scores.len() / classes, self.width);
        let (dense, sparse) = weights.split_at(classes * width);
        let rows = View::new(&self.dense[first * width..(first + count) * width], count, width);
        matmul(scores, rows, View::new(dense, classes, width).transposed());
        if self.sparse.cols > 0 {
            for (i, scores) in (first..).zip(scores.chunks_exact_mut(classes)) {
                add_weighted(self.sparse, i, sparse, scores);
            }
        }
    }
}

/// Adds to `sums` each value of a row of `matrix` times that row of `others` which has the number of its column.
fn add_weighted(matrix: &Csr, row: usize, others: &[f64], sums: &mut [f64]) {
    match sums {
        // Nearly all are of one or two classes, where the sums stay in registers.
        [sum] => {
            *sum += matrix.pairs(row).map(|(column, value)| f64::from(value) * others[column as usize]).sum::<f64>()
        }
        [first, second] => {
            let (pairs, _) = others.as_chunks::<2>();
            for (column, value) in matrix.pairs(row) {
                let [a, b] = pairs[column as usize];
                *first += f64::from(value) * a;
                *second += f64::from(value) * b;
            }
        }
        sums => {
            for (column, value) in matrix.pairs(row) {
                let own = &others[column as usize * sums.len()..];
                sums.iter_mut().zip(own).for_each(|(sum, other)| *sum += f64::from(value) * other);
            }
        }
    }
}

/// The sparse columns of a design by column: what gradients are summed along, whose order no number of threads changes.
pub(super) struct ByColumn(Csr);

impl ByColumn {
    pub(super) fn new(design: &Design) -> Self {
        ByColumn(design.sparse.transposed())
    }

    /// Writes the sum over rows of each column's values times the row of `residuals` (rows × classes): columns × classes.
    pub(super) fn sums(&self, residuals: &[f64], classes: usize, sums: &mut [f64]) {
        sums.par_chunks_mut(COLUMNS * classes).enumerate().for_each(|(block, sums)| {
            sums.fill(0.0);
            for (column, sums) in (block * COLUMNS..).zip(sums.chunks_exact_mut(classes)) {
                add_weighted(&self.0, column, residuals, sums);
            }
        });
    }
}

/// Weights in the order of a `Design` as those of one class after the other, classes × (dense columns, sparse columns, intercept): how files have them.
pub(super) fn put_weights(arrays: &mut Arrays, weights: &[f64], classes: usize, width: usize) {
    let (dense, sparse) = weights.split_at(classes * width);
    let own = |class: usize| {
        let (columns, intercept) = dense[class * width..(class + 1) * width].split_at(width - 1);
        let sparse = sparse.iter().skip(class).step_by(classes);
        columns.iter().chain(sparse).chain(intercept).copied()
    };
    let all: Vec<f64> = (0..classes).flat_map(own).collect();
    arrays.put_f64("weights", &[classes, weights.len() / classes], &all);
}

/// Those of `put_weights`.
pub(super) fn take_weights(
    arrays: &mut Arrays,
    classes: usize,
    columns: usize,
    sparse: usize,
) -> Result<Vec<f64>, ArrayError> {
    let all = arrays.take_f64("weights", &[Some(classes), Some(columns + sparse + 1)])?;
    let of_class = || all.chunks_exact(columns + sparse + 1);
    let dense = of_class().flat_map(|own| own[..columns].iter().chain(own.last()).copied());
    let rest = (0..sparse).flat_map(|column| of_class().map(move |own| own[columns + column]));
    Ok(dense.chain(rest).collect())
}
