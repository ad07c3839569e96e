//! Support vector machine with a Gaussian kernel, one machine for each pair of classes.
//!
//! As libsvm behind scikit-learn's `SVC`.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encoding::Form;
use super::fit::{fit_occurring, require, softmax};
use super::kernel::{Gaussian, KernelRows};
use super::matmul::{View, matmul};
use super::preprocess::Standardizer;
use super::smo::{Machine, solve};
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};

/// Rows to predict that one task handles: 64 × 11,000 kernel values take 2.8 MB.
const BLOCK: usize = 64;

/// SVM with the kernel exp(−gamma |a − b|²), as scikit-learn's `SVC` on imputed and standardised
/// columns.
///
/// Its scores are no probabilities: they are the softmax of the votes of the pairs, where the sums
/// of the decision values decide between equal votes (`SVC(decision_function_shape="ovr",
/// break_ties=True)`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RbfSvm {
    /// Price of a margin violation, above 0; a smaller value regularises more.
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub(crate) c: f64,
    /// Width of the kernel, above 0; null for 1 / (columns × variance of all standardised values).
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub(crate) gamma: Option<f64>,
    /// A machine is solved when its largest violation of the optimality conditions is below this.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub(crate) tolerance: f64,
    /// Memory for kernel values of one pair of classes, in MiB, at least 1; as many pairs as there
    /// are threads are solved at once. Where the pair's whole kernel (4 bytes × rows²) does not
    /// fit, the rows used last are kept: slower.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub(crate) cache_mib: usize,
}

impl Default for RbfSvm {
    fn default() -> Self {
        RbfSvm { c: 1.0, gamma: None, tolerance: 1e-3, cache_mib: 400 }
    }
}

impl Estimator for RbfSvm {
    fn name(&self) -> &'static str {
        "rbf_svm"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        require(self.c > 0.0 && self.c.is_finite(), self.name(), "c", self.c, "a finite number above 0")?;
        if let Some(gamma) = self.gamma {
            let holds = gamma > 0.0 && gamma.is_finite();
            require(holds, self.name(), "gamma", gamma, "a finite number above 0, or null for the usual scale")?;
        }
        require(self.tolerance > 0.0, self.name(), "tolerance", self.tolerance, "above 0")?;
        require(self.cache_mib > 0, self.name(), "cache_mib", self.cache_mib, "at least 1")
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
            let gamma = self.gamma.unwrap_or_else(|| usual_gamma(&rows)) as f32;
            let pairs = pairs_of(classes);
            let solved: Vec<Result<Pair, Cancelled>> =
                pairs.par_iter().map(|&pair| self.separate(&rows, x, y, pair, gamma, progress)).collect();
            let solved = solved.into_iter().collect::<Result<Vec<Pair>, Cancelled>>()?;
            let unfinished = solved.iter().filter(|pair| !pair.machine.converged).count();
            if unfinished > 0 {
                progress.warn(&format!(
                    "rbf_svm did not converge for {unfinished} of {} pairs of classes: lower c or raise tolerance",
                    pairs.len()
                ));
            }
            let machines = Machines::new(standardizer, &rows, &solved, pairs, classes, gamma);
            if machines.support.len() == 0 {
                progress.warn(
                    "rbf_svm has no support vectors, so that it predicts the same class for every row: lower `tolerance` (below 2) or raise `c`",
                );
            }
            Ok(Box::new(machines))
        })
    }

    fn restore(
        &self,
        arrays: &mut Arrays,
        Width { columns, .. }: Width,
        classes: usize,
    ) -> Result<Box<dyn Model>, ArrayError> {
        let standardizer = Standardizer::take(arrays, columns)?;
        let pairs = pairs_of(classes);
        let gamma = arrays.take_f32("gamma", &[Some(1)])?[0];
        let offsets = arrays.take_f64("offsets", &[Some(pairs.len())])?;
        let coefficients = arrays.take_f32("coefficients", &[None, Some(pairs.len())])?;
        let count = coefficients.len() / pairs.len().max(1);
        let support = arrays.take_f32("support", &[Some(count), Some(columns)])?;
        let support = Gaussian::new(Matrix::from_vec(count, columns, support), gamma);
        Ok(Box::new(Machines { standardizer, support, pairs, coefficients, offsets, classes }))
    }
}

/// A solved pair of classes and the rows that it was solved on.
struct Pair {
    members: Vec<usize>,
    machine: Machine,
}

impl RbfSvm {
    /// The machine whose decision value is positive for the first class of the pair.
    fn separate(
        &self,
        rows: &Matrix,
        x: &Features,
        y: &[u32],
        (first, second): (u32, u32),
        gamma: f32,
        progress: &dyn Progress,
    ) -> Result<Pair, Cancelled> {
        let members: Vec<usize> = (0..y.len()).filter(|&row| y[row] == first || y[row] == second).collect();
        let targets: Vec<f64> = members.iter().map(|&row| if y[row] == first { 1.0 } else { -1.0 }).collect();
        let kernel = Gaussian::new(rows.take(&members), gamma);
        let mut kernel_rows = KernelRows::new(&kernel, self.cache_mib.saturating_mul(1 << 20), progress)?;
        let bounds: Vec<f64> = members.iter().map(|&row| self.c * x.weight(row)).collect();
        let machine = solve(&mut kernel_rows, &targets, &bounds, self.tolerance, progress)?;
        Ok(Pair { members, machine })
    }
}

/// Every pair of classes once, the smaller number first.
fn pairs_of(classes: usize) -> Vec<(u32, u32)> {
    (0..classes as u32).flat_map(|a| (a + 1..classes as u32).map(move |b| (a, b))).collect()
}

/// scikit-learn's `gamma="scale"`: 1 / (columns × variance of all values).
fn usual_gamma(rows: &Matrix) -> f64 {
    let count = rows.data.len() as f64;
    let mean = rows.data.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let variance = rows.data.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    if variance > 0.0 { 1.0 / (rows.cols as f64 * variance) } else { 1.0 }
}

struct Machines {
    standardizer: Standardizer,
    /// The rows that support any pair.
    support: Gaussian,
    pairs: Vec<(u32, u32)>,
    /// support × pairs.
    coefficients: Vec<f32>,
    offsets: Vec<f64>,
    classes: usize,
}

impl Machines {
    fn new(
        standardizer: Standardizer,
        rows: &Matrix,
        solved: &[Pair],
        pairs: Vec<(u32, u32)>,
        classes: usize,
        gamma: f32,
    ) -> Self {
        let mut dense = vec![0.0f32; rows.rows * pairs.len()];
        for (p, pair) in solved.iter().enumerate() {
            for (&row, &coefficient) in pair.members.iter().zip(&pair.machine.coefficients) {
                dense[row * pairs.len() + p] = coefficient as f32;
            }
        }
        let mut coefficients = Vec::new();
        let mut supporting = Vec::new();
        for (row, values) in dense.chunks_exact(pairs.len()).enumerate() {
            if values.iter().any(|&value| value != 0.0) {
                supporting.push(row);
                coefficients.extend_from_slice(values);
            }
        }
        Machines {
            standardizer,
            support: Gaussian::new(rows.take(&supporting), gamma),
            pairs,
            coefficients,
            offsets: solved.iter().map(|pair| pair.machine.offset).collect(),
            classes,
        }
    }

    /// Votes of the pairs, plus the sum of the decision values squeezed into (−1/3, 1/3).
    fn scores(&self, decisions: &[f32]) -> Vec<f64> {
        let mut votes = vec![0.0; self.classes];
        let mut confidences = vec![0.0; self.classes];
        for ((&(first, second), &sum), offset) in self.pairs.iter().zip(decisions).zip(&self.offsets) {
            let decision = f64::from(sum) + offset;
            votes[if decision > 0.0 { first } else { second } as usize] += 1.0;
            confidences[first as usize] += decision;
            confidences[second as usize] -= decision;
        }
        votes.iter().zip(&confidences).map(|(vote, sum): (&f64, &f64)| vote + sum / (3.0 * (sum.abs() + 1.0))).collect()
    }
}

impl Model for Machines {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        let rows = self.standardizer.apply(x);
        let mut probabilities = Matrix::zeros(x.rows, self.classes);
        let support = self.support.len();
        let coefficients = View::new(&self.coefficients, support, self.pairs.len());
        probabilities.data.par_chunks_mut(BLOCK * self.classes).zip(rows.data.par_chunks(BLOCK * rows.cols)).for_each(
            |(out, block)| {
                if progress.cancelled() {
                    return;
                }
                let count = block.len() / rows.cols;
                let mut kernel = vec![0.0; count * support];
                self.support.fill(block, &mut kernel);
                let mut decisions = vec![0.0; count * self.pairs.len()];
                // Without support vectors the offsets decide alone.
                if support > 0 {
                    matmul(&mut decisions, View::new(&kernel, count, support), coefficients);
                }
                for (out, decisions) in out.chunks_exact_mut(self.classes).zip(decisions.chunks_exact(self.pairs.len()))
                {
                    let mut scores = self.scores(decisions);
                    softmax(&mut scores);
                    out.iter_mut().zip(&scores).for_each(|(out, &score)| *out = score as f32);
                }
            },
        );
        probabilities
    }

    fn is_probabilistic(&self) -> bool {
        false
    }

    fn put(&self, arrays: &mut Arrays) {
        self.standardizer.put(arrays);
        let support = self.support.rows();
        arrays.put_f32("gamma", &[1], &[self.support.gamma()]);
        arrays.put_f64("offsets", &[self.offsets.len()], &self.offsets);
        arrays.put_f32("coefficients", &[support.rows, self.pairs.len()], &self.coefficients);
        arrays.put_f32("support", &[support.rows, support.cols], &support.data);
    }
}
