//! Multinomial logistic regression with an L2 penalty, fitted to convergence.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::design::{ByColumn, Design, put_weights, take_weights};
use super::encoding::Form;
use super::fit::{fit_occurring, require, softmax};
use super::lbfgs::minimize;
use super::matmul::{View, matmul};
use super::preprocess::Standardizer;
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::progress::Progress;

/// Rows that one task handles; sums run over such blocks in their order, so that threads do not
/// change the rounding.
const BLOCK: usize = 1024;

/// Multinomial logistic regression, as scikit-learn's `LogisticRegression` on imputed and
/// standardised columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logistic {
    /// Inverse strength of the L2 penalty, above 0; a smaller value regularises more.
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub(crate) c: f64,
    /// The descent ends when no component of the gradient of the mean loss exceeds this.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub(crate) tolerance: f64,
    /// At most so many L-BFGS iterations; a warning tells when they were not enough.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_iterations: usize,
}

impl Default for Logistic {
    fn default() -> Self {
        Logistic { c: 1.0, tolerance: 1e-5, max_iterations: 500 }
    }
}

impl Estimator for Logistic {
    fn minimises_log_loss(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "logistic"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        require(self.c > 0.0 && self.c.is_finite(), self.name(), "c", self.c, "a finite number above 0")?;
        require(self.tolerance > 0.0, self.name(), "tolerance", self.tolerance, "above 0")?;
        require(self.max_iterations > 0, self.name(), "max_iterations", self.max_iterations, "at least 1")
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
        fit_occurring(Form::Sparse, (x, y, classes), seed, progress, |x, y, classes| {
            let standardizer = Standardizer::fit(x, progress)?;
            let design = Design::new(&standardizer, x);
            // Of two classes scikit-learn fits one vector of weights. On dense columns ours are two, each half of it, whose squares add up to half of
            // its; on sparse columns, where the steps of the descent cost more than its slopes, there is one too.
            let one = classes == 2 && x.sparse.cols > 0;
            let (vectors, penalties) = if one { (1, 1.0) } else { (classes, if classes == 2 { 2.0 } else { 1.0 }) };
            let penalty = penalties / (self.c * x.rows as f64);
            let start = vec![0.0; vectors * design.columns()];
            let by_column = ByColumn::new(&design);
            let loss = MeanLoss { design: &design, by_column, y, row_weights: x.weights(), vectors, penalty };
            let mut residuals = vec![0.0; x.rows * vectors];
            let minimum = minimize(start, self.tolerance, self.max_iterations, progress, |weights, gradient| {
                loss.evaluate(weights, gradient, &mut residuals, progress)
            })?;
            if !minimum.converged {
                progress.warn(&format!(
                    "logistic did not converge in {} iterations: raise max_iterations or lower c",
                    self.max_iterations
                ));
            }
            let weights = if one { halves(&minimum.point, design.width) } else { minimum.point };
            Ok(Box::new(LinearSoftmax { standardizer, weights, classes, columns: x.cols, calibrated: true }))
        })
    }

    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        Ok(Box::new(LinearSoftmax::take(arrays, width, classes, true)?))
    }
}

/// The weights of one vector, of the second of two classes, as those of two that lie as far apart.
fn halves(weights: &[f64], width: usize) -> Vec<f64> {
    let (dense, sparse) = weights.split_at(width);
    let dense = [-0.5, 0.5].into_iter().flat_map(|half| dense.iter().map(move |weight| half * weight));
    dense.chain(sparse.iter().flat_map(|weight| [-0.5 * weight, 0.5 * weight])).collect()
}

/// Mean cross-entropy plus `penalty / 2` × the squared weights but for the intercepts.
struct MeanLoss<'a> {
    design: &'a Design<'a>,
    by_column: ByColumn,
    y: &'a [u32],
    /// Empty where all rows count alike.
    row_weights: &'a [f64],
    /// One for each class, or one for the second of two.
    vectors: usize,
    penalty: f64,
}

impl MeanLoss<'_> {
    /// The value and its gradient. Means nothing once it is cancelled. `residuals` is rows × vectors, whatever is in it.
    fn evaluate(&self, weights: &[f64], gradient: &mut [f64], residuals: &mut [f64], progress: &dyn Progress) -> f64 {
        let MeanLoss { design, y, vectors: classes, penalty, .. } = *self;
        let width = design.width;
        let blocks: Vec<(f64, Vec<f64>)> = residuals
            .par_chunks_mut(BLOCK * classes)
            .zip(y.par_chunks(BLOCK))
            .enumerate()
            .map(|(block, (residuals, labels))| {
                if progress.cancelled() {
                    return (0.0, Vec::new());
                }
                let count = labels.len();
                design.scores(block * BLOCK, weights, classes, residuals);
                let own = self.row_weights.get(block * BLOCK..block * BLOCK + count).unwrap_or(&[]);
                let loss = if classes == 1 {
                    binary(residuals, labels, own)
                } else {
                    multinomial(residuals, labels, own, classes)
                };
                for (residuals, weight) in residuals.chunks_exact_mut(classes).zip(own) {
                    residuals.iter_mut().for_each(|residual| *residual *= weight);
                }
                let mut slopes = vec![0.0; classes * width];
                let rows = &design.dense[block * BLOCK * width..(block * BLOCK + count) * width];
                matmul(&mut slopes, View::new(residuals, count, classes).transposed(), View::new(rows, count, width));
                (loss, slopes)
            })
            .collect();
        if progress.cancelled() {
            return 0.0;
        }

        let rows = y.len() as f64;
        let (dense, sparse) = gradient.split_at_mut(classes * width);
        dense.fill(0.0);
        let mut loss = 0.0;
        for (block_loss, slopes) in &blocks {
            loss += block_loss;
            dense.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        self.by_column.sums(residuals, classes, sparse);
        let mut squares = 0.0;
        for (j, (slope, &weight)) in gradient.iter_mut().zip(weights).enumerate() {
            *slope /= rows;
            if j >= classes * width || j % width != width - 1 {
                *slope += penalty * weight;
                squares += weight * weight;
            }
        }
        loss / rows + penalty / 2.0 * squares
    }
}

/// Turns scores into residuals, probabilities less 1 for the class that a row has; gives the sum of the cross-entropies,
/// weighted where there are weights.
fn multinomial(scores: &mut [f64], labels: &[u32], weights: &[f64], classes: usize) -> f64 {
    let mut loss = 0.0;
    for (i, (scores, &label)) in scores.chunks_exact_mut(classes).zip(labels).enumerate() {
        let label = label as usize;
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shifted = scores[label] - largest;
        let mut sum = 0.0;
        for score in scores.iter_mut() {
            *score = (*score - largest).exp();
            sum += *score;
        }
        loss += weights.get(i).unwrap_or(&1.0) * (sum.ln() - shifted);
        scores.iter_mut().for_each(|score| *score /= sum);
        scores[label] -= 1.0;
    }
    loss
}

/// The same of one score for the second of two classes.
fn binary(scores: &mut [f64], labels: &[u32], weights: &[f64]) -> f64 {
    let mut loss = 0.0;
    for (i, (score, &label)) in scores.iter_mut().zip(labels).enumerate() {
        let target = f64::from(label);
        // exp of what is not above 0 neither overflows nor cancels.
        let small = (-score.abs()).exp();
        loss += weights.get(i).unwrap_or(&1.0) * (small.ln_1p() + score.max(0.0) - target * *score);
        let share = if *score >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        *score = share - target;
    }
    loss
}

/// Softmax of linear scores of standardised columns and of sparse ones.
pub(super) struct LinearSoftmax {
    pub(crate) standardizer: Standardizer,
    /// As in a `Design`.
    pub(crate) weights: Vec<f64>,
    pub(crate) classes: usize,
    /// Standardised columns.
    pub(crate) columns: usize,
    pub(crate) calibrated: bool,
}

impl LinearSoftmax {
    pub(crate) fn take(
        arrays: &mut Arrays,
        Width { columns, sparse, .. }: Width,
        classes: usize,
        calibrated: bool,
    ) -> Result<LinearSoftmax, ArrayError> {
        let standardizer = Standardizer::take(arrays, columns)?;
        let weights = take_weights(arrays, classes, columns, sparse)?;
        Ok(LinearSoftmax { standardizer, weights, classes, columns, calibrated })
    }
}

impl Model for LinearSoftmax {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        let design = Design::new(&self.standardizer, x);
        assert_eq!(self.weights.len(), self.classes * design.columns(), "predict with the columns of the fit");
        let mut probabilities = Matrix::zeros(x.rows, self.classes);
        probabilities.data.par_chunks_mut(BLOCK * self.classes).enumerate().for_each(|(block, out)| {
            if progress.cancelled() {
                return;
            }
            let mut scores = vec![0.0; out.len()];
            design.scores(block * BLOCK, &self.weights, self.classes, &mut scores);
            scores.chunks_exact_mut(self.classes).for_each(softmax);
            out.iter_mut().zip(&scores).for_each(|(out, &score)| *out = score as f32);
        });
        probabilities
    }

    fn is_probabilistic(&self) -> bool {
        self.calibrated
    }

    fn put(&self, arrays: &mut Arrays) {
        self.standardizer.put(arrays);
        put_weights(arrays, &self.weights, self.classes, self.columns + 1);
    }
}
