//! Linear support vector machine, one class against the rest, with the squared hinge.
//!
//! The optimum is that of LIBLINEAR's `L2R_L2LOSS_SVC`; like scikit-learn's
//! `LinearSVC(dual="auto")` on more rows than columns it is searched in the primal, which is smooth
//! and has one unknown for each column, not one for each row: dual coordinate descent takes
//! thousands of passes on a few hard columns.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::categories::Form;
use super::fit::{fit_occurring, require};
use super::lbfgs::{Minimum, minimize};
use super::logistic::{LinearSoftmax, design_matrix};
use super::matmul::{View, matmul};
use super::preprocess::Standardizer;
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::progress::{Cancelled, Progress};

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
        fit_occurring(Form::Columns, (x, y, classes), seed, progress, |x, y, classes| {
            let standardizer = Standardizer::fit(x, progress)?;
            let design = design_matrix(&standardizer, x);
            let machines: Vec<Result<Minimum, Cancelled>> =
                (0..classes as u32).into_par_iter().map(|class| self.separate(&design, y, class, progress)).collect();
            let mut weights = Vec::with_capacity(classes * (x.cols + 1));
            let mut unfinished = 0;
            for machine in machines {
                let machine = machine?;
                unfinished += usize::from(!machine.converged);
                weights.extend(machine.point);
            }
            if unfinished > 0 {
                progress.warn(&format!(
                    "linear_svm did not converge for {unfinished} of {classes} classes in {} iterations: raise \
                     max_iterations or lower c",
                    self.max_iterations
                ));
            }
            Ok(Box::new(LinearSoftmax { standardizer, weights, classes, calibrated: false }))
        })
    }

    fn restore(
        &self,
        arrays: &mut Arrays,
        Width { columns, .. }: Width,
        classes: usize,
    ) -> Result<Box<dyn Model>, ArrayError> {
        Ok(Box::new(LinearSoftmax::take(arrays, columns, classes, false)?))
    }
}

impl LinearSvm {
    /// Minimises |w|² / (2 c rows) + mean of max(0, 1 − t w·x)² with t = +1 for `class` and −1 for
    /// the rest. As in LIBLINEAR the intercept is the weight of a column of ones and is penalised
    /// like the others.
    fn separate(&self, design: &[f64], y: &[u32], class: u32, progress: &dyn Progress) -> Result<Minimum, Cancelled> {
        let rows = y.len();
        let width = design.len() / rows;
        let design = View::new(design, rows, width);
        let penalty = 1.0 / (self.c * rows as f64);
        let mut slacks = vec![0.0; rows];
        minimize(vec![0.0; width], self.tolerance, self.max_iterations, progress, |weights, gradient| {
            matmul(&mut slacks, design, View::new(weights, width, 1));
            let mut loss = 0.0;
            for (slack, &label) in slacks.iter_mut().zip(y) {
                let target = if label == class { 1.0 } else { -1.0 };
                let violation = (1.0 - target * *slack).max(0.0);
                loss += violation * violation;
                *slack = -2.0 * target * violation / rows as f64;
            }
            matmul(gradient, View::new(&slacks, 1, rows), design);
            let mut squares = 0.0;
            for (slope, &weight) in gradient.iter_mut().zip(weights) {
                *slope += penalty * weight;
                squares += weight * weight;
            }
            loss / rows as f64 + penalty / 2.0 * squares
        })
    }
}
