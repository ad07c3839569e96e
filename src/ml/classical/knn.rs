//! k nearest neighbours: the classes of the closest training rows vote.
//!
//! Brute force over blocks of a matrix product, which at tens of columns beats a tree of cells.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encoding::Form;
use super::fit::{fit_occurring, require};
use super::matmul::{View, matmul};
use super::preprocess::Standardizer;
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::progress::Progress;

/// Rows to predict that one task handles: 32 × 13,000 distances take 1.7 MB.
const BLOCK: usize = 32;

/// k nearest neighbours, as scikit-learn's `KNeighborsClassifier` on imputed and standardised
/// columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Knn {
    /// Neighbours that vote, each with its row's weight, at least 1; all training rows when there are fewer.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub k: usize,
}

impl Default for Knn {
    fn default() -> Self {
        Knn { k: 25 }
    }
}

impl Estimator for Knn {
    fn name(&self) -> &'static str {
        "knn"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        require(self.k > 0, self.name(), "k", self.k, "at least 1")
    }

    fn fit(
        &self,
        x: &Features,
        y: &[u32],
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Box<dyn Model>, FitError> {
        self.check()?;
        fit_occurring(Form::Columns, (x, y, classes), seed, progress, |x, y, classes| {
            let standardizer = Standardizer::fit(x, progress)?;
            let rows = standardizer.apply(x);
            Ok(Box::new(Neighbours::new(standardizer, rows, y.to_vec(), x.weights().to_vec(), classes, self.k)))
        })
    }

    fn restore(
        &self,
        arrays: &mut Arrays,
        Width { columns, .. }: Width,
        classes: usize,
    ) -> Result<Box<dyn Model>, ArrayError> {
        let standardizer = Standardizer::take(arrays, columns)?;
        let labels = arrays.take_whole("labels", None, classes)?;
        let rows = arrays.take_f32("rows", &[Some(labels.len()), Some(columns)])?;
        if labels.is_empty() {
            return Err(ArrayError::unfit("rows", "has no rows"));
        }
        let weights = match arrays.has(WEIGHTS) {
            true => arrays.take_f64(WEIGHTS, &[Some(labels.len())])?,
            false => Vec::new(),
        };
        if weights.iter().any(|weight| *weight <= 0.0) {
            return Err(ArrayError::unfit(WEIGHTS, "holds a weight that is not above 0"));
        }
        let rows = Matrix::from_vec(labels.len(), columns, rows);
        Ok(Box::new(Neighbours::new(standardizer, rows, labels, weights, classes, self.k)))
    }
}

/// The array of the weights of the rows' votes, where they do not all count alike.
const WEIGHTS: &str = "weights";

struct Neighbours {
    standardizer: Standardizer,
    rows: Matrix,
    /// Squared length of each training row.
    squares: Vec<f32>,
    labels: Vec<u32>,
    /// Of each row's vote; empty where all count alike.
    weights: Vec<f64>,
    classes: usize,
    k: usize,
}

impl Model for Neighbours {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        let queries = self.standardizer.apply(x);
        let mut probabilities = Matrix::zeros(x.rows, self.classes);
        let known = View::new(&self.rows.data, self.rows.rows, self.rows.cols).transposed();
        probabilities
            .data
            .par_chunks_mut(BLOCK * self.classes)
            .zip(queries.data.par_chunks(BLOCK * queries.cols))
            .for_each(|(out, block)| {
                if progress.cancelled() {
                    return;
                }
                let count = block.len() / queries.cols;
                let mut dots = vec![0.0; count * self.rows.rows];
                matmul(&mut dots, View::new(block, count, queries.cols), known);
                let mut nearest = Vec::with_capacity(self.k + 1);
                for (dots, out) in dots.chunks_exact(self.rows.rows).zip(out.chunks_exact_mut(self.classes)) {
                    self.nearest(dots, &mut nearest);
                    for &(_, row) in &nearest {
                        out[self.labels[row] as usize] += self.weights.get(row).map_or(1.0, |&weight| weight as f32);
                    }
                    let all = if self.weights.is_empty() { self.k as f32 } else { out.iter().sum() };
                    out.iter_mut().for_each(|votes| *votes /= all);
                }
            });
        probabilities
    }

    fn put(&self, arrays: &mut Arrays) {
        self.standardizer.put(arrays);
        arrays.put_f32("rows", &[self.rows.rows, self.rows.cols], &self.rows.data);
        arrays.put_whole("labels", &self.labels);
        if !self.weights.is_empty() {
            arrays.put_f64(WEIGHTS, &[self.weights.len()], &self.weights);
        }
    }
}

impl Neighbours {
    /// `rows` are standardised.
    fn new(
        standardizer: Standardizer,
        rows: Matrix,
        labels: Vec<u32>,
        weights: Vec<f64>,
        classes: usize,
        k: usize,
    ) -> Self {
        let squares = (0..rows.rows).map(|i| rows.row(i).iter().map(|v| v * v).sum()).collect();
        Neighbours { standardizer, k: k.min(rows.rows), rows, squares, labels, weights, classes }
    }

    /// The k training rows of smallest distance in ascending order; of equal distances the earlier
    /// rows. `dots` holds the products of the query with all training rows. |x|² − 2 q·x orders
    /// like |q − x|².
    fn nearest(&self, dots: &[f32], nearest: &mut Vec<(f32, usize)>) {
        nearest.clear();
        let mut farthest = f32::INFINITY;
        for (row, (&dot, &square)) in dots.iter().zip(&self.squares).enumerate() {
            let distance = square - 2.0 * dot;
            if distance < farthest || nearest.len() < self.k {
                // Few rows pass: about k ln(rows / k) of them, so inserting into a sorted list is
                // cheap.
                let at = nearest.partition_point(|&(known, _)| known <= distance);
                nearest.insert(at, (distance, row));
                nearest.truncate(self.k);
                if nearest.len() == self.k {
                    farthest = nearest[self.k - 1].0;
                }
            }
        }
    }
}
