//! Ordinal logistic regression: proportional odds with an L2 penalty, fitted to convergence (McCullagh 1980, J. R. Stat. Soc. B 42:109).
//!
//! P(class ≤ k) = σ(θₖ − w·x) with one vector of weights for all classes and thresholds θ that rise. The thresholds are fitted as the first one and the
//! logarithms of the steps between them, so that they rise at every point of the descent.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::class_totals::class_weights;
use super::design::{ByColumn, Design, put_weights, take_weights};
use super::encoding::Form;
use super::fit::{fit_occurring, require};
use super::lbfgs::minimize;
use super::matmul::{View, matmul};
use super::preprocess::Standardizer;
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::progress::Progress;

/// Rows that one task handles; sums run over such blocks in their order, so that threads do not change the rounding.
const BLOCK: usize = 1024;

/// Logistic regression of classes that have an order (proportional odds), on imputed and standardised columns: one vector of weights moves a row up or down among the
/// classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrdinalLogistic {
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

impl Default for OrdinalLogistic {
    fn default() -> Self {
        OrdinalLogistic { c: 1.0, tolerance: 1e-5, max_iterations: 500 }
    }
}

impl Estimator for OrdinalLogistic {
    fn minimises_log_loss(&self) -> bool {
        true
    }

    fn needs_order(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "ordinal_logistic"
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
            let by_column = ByColumn::new(&design);
            let penalty = 1.0 / (self.c * x.rows as f64);
            let mut start = vec![0.0; design.columns()];
            start.extend(steps_of(&marginal(&class_weights(x, y, classes))));
            let loss = MeanLoss { design: &design, by_column, y, row_weights: x.weights(), classes, penalty };
            let mut residuals = vec![0.0; x.rows];
            let minimum = minimize(start, self.tolerance, self.max_iterations, progress, |point, gradient| {
                loss.evaluate(point, gradient, &mut residuals, progress)
            })?;
            if !minimum.converged {
                progress.warn(&format!(
                    "ordinal_logistic did not converge in {} iterations: raise max_iterations or lower c",
                    self.max_iterations
                ));
            }
            let mut weights = minimum.point;
            let thresholds = thresholds_of(&weights.split_off(design.columns()));
            Ok(Box::new(ProportionalOdds { standardizer, weights, thresholds, columns: x.cols }))
        })
    }

    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        let standardizer = Standardizer::take(arrays, width.columns)?;
        let weights = take_weights(arrays, 1, width.columns, width.sparse)?;
        let thresholds = arrays.take_f64(THRESHOLDS, &[Some(classes - 1)])?;
        if thresholds.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(ArrayError::unfit(THRESHOLDS, "does not rise"));
        }
        Ok(Box::new(ProportionalOdds { standardizer, weights, thresholds, columns: width.columns }))
    }
}

const THRESHOLDS: &str = "thresholds";

/// The thresholds of a model without columns: the log-odds of the classes up to each one.
fn marginal(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mut below = 0.0;
    let up_to = weights[..weights.len() - 1].iter().map(|weight| {
        below += weight;
        (below / (total - below)).ln()
    });
    up_to.collect()
}

/// The first threshold and the logarithms of the steps to the others.
fn steps_of(thresholds: &[f64]) -> Vec<f64> {
    let first = thresholds.iter().take(1).copied();
    first.chain(thresholds.windows(2).map(|pair| (pair[1] - pair[0]).ln())).collect()
}

fn thresholds_of(steps: &[f64]) -> Vec<f64> {
    let mut threshold = steps[0];
    let rest = steps[1..].iter().map(|step| {
        threshold += step.exp();
        threshold
    });
    let rest: Vec<f64> = rest.collect();
    std::iter::once(steps[0]).chain(rest).collect()
}

/// Mean negative log-likelihood plus `penalty / 2` × the squared weights.
struct MeanLoss<'a> {
    design: &'a Design<'a>,
    by_column: ByColumn,
    y: &'a [u32],
    /// Empty where all rows count alike.
    row_weights: &'a [f64],
    classes: usize,
    penalty: f64,
}

impl MeanLoss<'_> {
    /// The value at weights and steps of thresholds, and its gradient. Means nothing once it is cancelled. `residuals` is of rows, whatever is in it.
    fn evaluate(&self, point: &[f64], gradient: &mut [f64], residuals: &mut [f64], progress: &dyn Progress) -> f64 {
        let MeanLoss { design, y, penalty, .. } = *self;
        let width = design.width;
        let (weights, steps) = point.split_at(design.columns());
        let thresholds = thresholds_of(steps);
        let blocks: Vec<(f64, Vec<f64>, Vec<f64>)> = residuals
            .par_chunks_mut(BLOCK)
            .zip(y.par_chunks(BLOCK))
            .enumerate()
            .map(|(block, (residuals, labels))| {
                if progress.cancelled() {
                    return (0.0, Vec::new(), Vec::new());
                }
                let count = labels.len();
                design.scores(block * BLOCK, weights, 1, residuals);
                let own = self.row_weights.get(block * BLOCK..block * BLOCK + count).unwrap_or(&[]);
                let mut of_thresholds = vec![0.0; thresholds.len()];
                let mut loss = 0.0;
                for (i, (score, &label)) in residuals.iter_mut().zip(labels).enumerate() {
                    let weight = own.get(i).copied().unwrap_or(1.0);
                    let row = Row::new(*score, label as usize, &thresholds);
                    loss += weight * row.loss;
                    *score = weight * row.by_score;
                    for (slope, threshold) in
                        [(row.by_upper, label as usize), (row.by_lower, (label as usize).wrapping_sub(1))]
                    {
                        if let Some(sum) = of_thresholds.get_mut(threshold) {
                            *sum += weight * slope;
                        }
                    }
                }
                let mut slopes = vec![0.0; width];
                let rows = &design.dense[block * BLOCK * width..(block * BLOCK + count) * width];
                matmul(&mut slopes, View::new(residuals, count, 1).transposed(), View::new(rows, count, width));
                (loss, slopes, of_thresholds)
            })
            .collect();
        if progress.cancelled() {
            return 0.0;
        }

        let rows = y.len() as f64;
        let (own, of_steps) = gradient.split_at_mut(design.columns());
        let (dense, sparse) = own.split_at_mut(width);
        dense.fill(0.0);
        let mut of_thresholds = vec![0.0; self.classes - 1];
        let mut loss = 0.0;
        for (block_loss, slopes, thresholds) in &blocks {
            loss += block_loss;
            dense.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
            of_thresholds.iter_mut().zip(thresholds).for_each(|(sum, slope)| *sum += slope);
        }
        self.by_column.sums(residuals, 1, sparse);
        let mut squares = 0.0;
        for (j, (slope, &weight)) in own.iter_mut().zip(weights).enumerate() {
            *slope /= rows;
            *slope += penalty * weight;
            squares += weight * weight;
            // The thresholds stand for an intercept.
            if j == width - 1 {
                *slope = 0.0;
            }
        }
        // A step moves its own threshold and all above it.
        let mut above = 0.0;
        for k in (0..of_steps.len()).rev() {
            above += of_thresholds[k] / rows;
            of_steps[k] = if k == 0 { above } else { above * steps[k].exp() };
        }
        loss / rows + penalty / 2.0 * squares
    }
}

/// The loss of a row, and its slopes.
struct Row {
    loss: f64,
    by_score: f64,
    /// By the threshold above its class, and by that below.
    by_upper: f64,
    by_lower: f64,
}

impl Row {
    /// p = σ(a) − σ(b) = σ(a)·σ(−b)·(1 − e^(b−a)) for the distances a and b of the score from both thresholds, so that nothing cancels.
    fn new(score: f64, label: usize, thresholds: &[f64]) -> Row {
        let upper = thresholds.get(label).map(|threshold| threshold - score);
        let lower = label.checked_sub(1).map(|below| thresholds[below] - score);
        // −ln σ(x)
        let shortfall = |x: f64| (-x.abs()).exp().ln_1p() + (-x).max(0.0);
        let (of_upper, of_lower) = (upper.map_or(0.0, shortfall), lower.map_or(0.0, |b| shortfall(-b)));
        let gap = match (upper, lower) {
            (Some(a), Some(b)) => -f64::exp_m1(b - a),
            _ => 1.0,
        };
        let above = upper.map_or(0.0, |a| (-shortfall(-a)).exp());
        let below = lower.map_or(0.0, |b| (-shortfall(b)).exp());
        Row {
            loss: of_upper + of_lower - gap.ln(),
            by_score: above - below,
            by_upper: upper.map_or(0.0, |a| -(of_lower - shortfall(-a)).exp() / gap),
            by_lower: lower.map_or(0.0, |b| (of_upper - shortfall(b)).exp() / gap),
        }
    }
}

/// One score for each row, and thresholds between the classes.
struct ProportionalOdds {
    standardizer: Standardizer,
    /// As in a `Design`, with an intercept of 0.
    weights: Vec<f64>,
    /// One less than classes, rising.
    thresholds: Vec<f64>,
    /// Standardised columns.
    columns: usize,
}

impl Model for ProportionalOdds {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        let design = Design::new(&self.standardizer, x);
        assert_eq!(self.weights.len(), design.columns(), "predict with the columns of the fit");
        let classes = self.thresholds.len() + 1;
        let mut probabilities = Matrix::zeros(x.rows, classes);
        probabilities.data.par_chunks_mut(BLOCK * classes).enumerate().for_each(|(block, out)| {
            if progress.cancelled() {
                return;
            }
            let mut scores = vec![0.0; out.len() / classes];
            design.scores(block * BLOCK, &self.weights, 1, &mut scores);
            for (out, &score) in out.chunks_exact_mut(classes).zip(&scores) {
                for (class, out) in out.iter_mut().enumerate() {
                    *out = (-Row::new(score, class, &self.thresholds).loss).exp() as f32;
                }
            }
        });
        probabilities
    }

    fn is_probabilistic(&self) -> bool {
        true
    }

    fn put(&self, arrays: &mut Arrays) {
        self.standardizer.put(arrays);
        put_weights(arrays, &self.weights, 1, self.columns + 1);
        arrays.put_f64(THRESHOLDS, &[self.thresholds.len()], &self.thresholds);
    }
}
