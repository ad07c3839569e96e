//! Linear support vector machine, one class against the rest, with the squared hinge.
//!
//! The optimum is that of LIBLINEAR's `L2R_L2LOSS_SVC`. Like scikit-learn's `LinearSVC(dual="auto")` it is searched in the primal on no fewer rows
//! than columns, which is smooth and has one unknown for each column, not one for each row: dual coordinate descent takes thousands of passes on a
//! few hard columns. On fewer rows than columns, as of texts, it takes some dozens, and is the quicker one.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::design::{ByColumn, Design};
use super::encoding::Form;
use super::fit::{fit_occurring, require};
use super::lbfgs::{Minimum, minimize};
use super::logistic::LinearSoftmax;
use super::matmul::{View, matmul};
use super::preprocess::Standardizer;
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;

/// Linear SVM, as scikit-learn's `LinearSVC` on imputed and standardised columns. Its scores are no
/// probabilities: they are the softmax of the decision values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LinearSvm {
    /// Price of a margin violation, above 0; a smaller value regularises more.
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub(crate) c: f64,
    /// The descent ends when no component of the gradient, divided by c and the rows, exceeds this.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub(crate) tolerance: f64,
    /// At most so many L-BFGS iterations for each class; a warning tells when they were not enough.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_iterations: usize,
}

impl Default for LinearSvm {
    fn default() -> Self {
        LinearSvm { c: 1.0, tolerance: 1e-5, max_iterations: 500 }
    }
}

impl Estimator for LinearSvm {
    fn name(&self) -> &'static str {
        "linear_svm"
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
            let dual = design.rows < design.columns();
            // Of two classes the second's machine is the first's with the other sign; in the dual, where rows are drawn, it is taken to be.
            let count = if dual && classes == 2 { 1 } else { classes };
            let machines: Vec<Result<Minimum, Cancelled>> = (0..count)
                .into_par_iter()
                .map(|class| {
                    let targets: Vec<f64> =
                        y.iter().map(|&label| if label as usize == class { 1.0 } else { -1.0 }).collect();
                    if dual {
                        self.separate_by_rows(
                            &design,
                            &targets,
                            x.weights(),
                            Stream::new(seed, "classical/linear_svm", class as u64),
                            progress,
                        )
                    } else {
                        self.separate(&design, &by_column, &targets, x.weights(), progress)
                    }
                })
                .collect();
            let mut machines = machines.into_iter().collect::<Result<Vec<_>, Cancelled>>()?;
            let unfinished = machines.iter().filter(|machine| !machine.converged).count();
            if count < classes {
                let other = machines[0].point.iter().map(|weight| -weight).collect();
                machines.push(Minimum { point: other, converged: true });
            }
            let (width, sparse) = (design.width, design.sparse.cols);
            let dense = machines.iter().flat_map(|machine| &machine.point[..width]);
            let rest =
                (0..sparse).flat_map(|column| machines.iter().map(move |machine| &machine.point[width + column]));
            let weights = dense.chain(rest).copied().collect();
            if unfinished > 0 {
                progress.warn(&format!(
                    "linear_svm did not converge for {unfinished} of {classes} classes in {} iterations: raise \
                     max_iterations or lower c",
                    self.max_iterations
                ));
            }
            Ok(Box::new(LinearSoftmax { standardizer, weights, classes, columns: x.cols, calibrated: false }))
        })
    }

    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        Ok(Box::new(LinearSoftmax::take(arrays, width, classes, false)?))
    }
}

impl LinearSvm {
    /// Minimises |w|² / (2 c rows) + mean of the rows' weights × max(0, 1 − t w·x)² with t of `targets`, +1 or −1. As in LIBLINEAR the intercept is the weight of a column of
    /// ones and is penalised like the others.
    fn separate(
        &self,
        design: &Design,
        by_column: &ByColumn,
        targets: &[f64],
        row_weights: &[f64],
        progress: &dyn Progress,
    ) -> Result<Minimum, Cancelled> {
        let (rows, width) = (design.rows, design.width);
        let dense = View::new(&design.dense, rows, width);
        let penalty = 1.0 / (self.c * rows as f64);
        let mut slacks = vec![0.0; rows];
        minimize(vec![0.0; design.columns()], self.tolerance, self.max_iterations, progress, |weights, gradient| {
            design.scores(0, weights, 1, &mut slacks);
            let mut loss = 0.0;
            for (i, (slack, target)) in slacks.iter_mut().zip(targets).enumerate() {
                let violation = (1.0 - target * *slack).max(0.0);
                let weight = row_weights.get(i).copied().unwrap_or(1.0);
                loss += weight * violation * violation;
                *slack = -2.0 * weight * target * violation / rows as f64;
            }
            let (of_dense, of_sparse) = gradient.split_at_mut(width);
            matmul(of_dense, View::new(&slacks, 1, rows), dense);
            by_column.sums(&slacks, 1, of_sparse);
            let mut squares = 0.0;
            for (slope, &weight) in gradient.iter_mut().zip(weights) {
                *slope += penalty * weight;
                squares += weight * weight;
            }
            loss / rows as f64 + penalty / 2.0 * squares
        })
    }

    /// The same minimum by dual coordinate descent (Hsieh et al. 2008), row after row in an order drawn anew for each pass, without the rows that are
    /// not expected to move (shrinking), as LIBLINEAR does. Ends when the projected gradients of a pass lie less than ten times the tolerance apart.
    fn separate_by_rows(
        &self,
        design: &Design,
        targets: &[f64],
        row_weights: &[f64],
        mut stream: Stream,
        progress: &dyn Progress,
    ) -> Result<Minimum, Cancelled> {
        let (rows, width) = (design.rows, design.width);
        let diagonal = |i: usize| 0.5 / (self.c * row_weights.get(i).copied().unwrap_or(1.0));
        let mut weights = vec![0.0; design.columns()];
        let mut alphas = vec![0.0f64; rows];
        let square = |i: usize| {
            let dense: f64 = design.dense[i * width..(i + 1) * width].iter().map(|value| value * value).sum();
            dense + design.sparse.pairs(i).map(|(_, value)| f64::from(value).powi(2)).sum::<f64>() + diagonal(i)
        };
        let squares: Vec<f64> = (0..rows).map(square).collect();
        let tolerance = 10.0 * self.tolerance;
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut active = rows;
        let mut most_before = f64::INFINITY;
        for _ in 0..self.max_iterations {
            if progress.cancelled() {
                return Err(Cancelled);
            }
            let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
            stream.shuffle(&mut order[..active]);
            let mut at = 0;
            while at < active {
                let i = order[at] as usize;
                let own = &design.dense[i * width..(i + 1) * width];
                let (dense, sparse) = weights.split_at_mut(width);
                let of_dense: f64 = own.iter().zip(dense.iter()).map(|(value, weight)| value * weight).sum();
                let of_sparse: f64 =
                    design.sparse.pairs(i).map(|(j, value)| f64::from(value) * sparse[j as usize]).sum();
                let slope = targets[i] * (of_dense + of_sparse) - 1.0 + diagonal(i) * alphas[i];
                let projected = if alphas[i] > 0.0 {
                    slope
                } else if slope > most_before {
                    active -= 1;
                    order.swap(at, active);
                    continue;
                } else {
                    slope.min(0.0)
                };
                (least, most) = (least.min(projected), most.max(projected));
                if projected.abs() > 1e-12 {
                    let before = alphas[i];
                    alphas[i] = (before - slope / squares[i]).max(0.0);
                    let step = (alphas[i] - before) * targets[i];
                    dense.iter_mut().zip(own).for_each(|(weight, value)| *weight += step * value);
                    design.sparse.pairs(i).for_each(|(j, value)| sparse[j as usize] += step * f64::from(value));
                }
                at += 1;
            }
            if most - least <= tolerance {
                if active == rows {
                    return Ok(Minimum { point: weights, converged: true });
                }
                (active, most_before) = (rows, f64::INFINITY);
                continue;
            }
            most_before = if most > 0.0 { most } else { f64::INFINITY };
        }
        Ok(Minimum { point: weights, converged: false })
    }
}
