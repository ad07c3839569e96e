//! Naive Bayes: within a class every column of numbers is an independent normal, every column of categories independently has its values' shares, and
//! the n-grams of texts are drawn independently.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::categories::Values;
use super::class_totals::class_weights;
use super::encoding::Form;
use super::fit::{fit_occurring, require, softmax};
use super::texts::{Vocabulary, Weights};
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::preprocess::unit;
use crate::progress::{Cancelled, Progress};

/// Rows that one task handles.
const BLOCK: usize = 1024;

/// The array that holds [`NormalClasses::unit`], if it is not 1.
const UNIT: &str = "unit";

/// Gaussian naive Bayes, as scikit-learn's `GaussianNB`. A missing value is left out of the
/// estimates and of the sums. Categories are counted, as by `CategoricalNB(alpha=1)`; one
/// that training did not see is left out. So are n-grams of texts, as by `MultinomialNB(alpha=1)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NaiveBayes {
    /// This share of the largest variance of a column is added to all variances, for stability; at
    /// least 0.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub(crate) var_smoothing: f64,
}

impl Default for NaiveBayes {
    fn default() -> Self {
        NaiveBayes { var_smoothing: 1e-9 }
    }
}

impl Estimator for NaiveBayes {
    fn name(&self) -> &'static str {
        "naive_bayes"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        let holds = self.var_smoothing >= 0.0 && self.var_smoothing.is_finite();
        require(holds, self.name(), "var_smoothing", self.var_smoothing, "a finite number of at least 0")
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
        fit_occurring(Form::AsTheyAre, (x, y, classes), seed, progress, |x, y, classes| {
            let all = (0..x.rows).flat_map(|i| x.row(i)).filter(|value| value.is_finite());
            let unit = unit(all.fold(0.0, |largest, value| value.abs().max(largest)));
            let overall = normals_of(x, unit, &vec![0; x.rows], 1, progress)?;
            let largest = overall.iter().map(|normal| normal.variance).fold(0.0, f64::max);
            // The floor keeps a column that is constant in a class from dividing by zero.
            let smoothing = if largest > 0.0 { self.var_smoothing.max(1e-12) * largest } else { 1.0 };
            let mut normals = normals_of(x, unit, y, classes, progress)?;
            for (normal, overall) in normals.iter_mut().zip(overall.iter().cycle()) {
                // A column that is missing in the whole class tells nothing of it.
                if normal.count == 0.0 {
                    *normal = *overall;
                }
                normal.variance += smoothing;
            }
            let weights = class_weights(x, y, classes);
            let all: f64 = weights.iter().sum();
            let priors = weights.iter().map(|weight| (weight / all).ln()).collect();
            let shares = (0..x.categories).map(|column| ValueShares::fit(x, column, y, classes)).collect();
            let grams = GramShares::fit(x, y, classes, progress)?;
            Ok(Box::new(NormalClasses { priors, normals, columns: x.cols, unit, shares, grams }))
        })
    }

    fn restore(
        &self,
        arrays: &mut Arrays,
        Width { columns, categories, texts, .. }: Width,
        classes: usize,
    ) -> Result<Box<dyn Model>, ArrayError> {
        let priors = arrays.take_f64("log_priors", &[Some(classes)])?;
        let mut each = |name| arrays.take_f64(name, &[Some(classes), Some(columns)]);
        let (means, variances) = (each("means")?, each("variances")?);
        let normal = |(mean, variance)| Normal { count: 0.0, mean, rest: 0.0, variance };
        let normals = means.into_iter().zip(variances).map(normal).collect();
        let unit = if arrays.has(UNIT) { arrays.take_f64(UNIT, &[Some(1)])?[0] } else { 1.0 };
        let shares = ValueShares::take(arrays, categories, classes)?;
        let grams = GramShares::take(arrays, texts, classes)?;
        Ok(Box::new(NormalClasses { priors, normals, columns, unit, shares, grams }))
    }
}

#[derive(Clone, Copy)]
struct Normal {
    /// Values that are not missing; of no use once the mean is known.
    count: f64,
    mean: f64,
    /// Sum of the differences to the rounded mean; of no use once the mean is known.
    rest: f64,
    variance: f64,
}

/// The normals of every column in every class, classes × columns.
fn normals_of(
    x: &Features,
    unit: f64,
    y: &[u32],
    classes: usize,
    progress: &dyn Progress,
) -> Result<Vec<Normal>, Cancelled> {
    let mut normals = vec![Normal { count: 0.0, mean: 0.0, rest: 0.0, variance: 0.0 }; classes * x.cols];
    let each = |normals: &mut [Normal], visit: fn(&mut Normal, f64, f64)| {
        for (i, &label) in y.iter().enumerate() {
            if i % BLOCK == 0 {
                progress.go_on()?;
            }
            let weight = x.weight(i);
            for (normal, value) in normals[label as usize * x.cols..].iter_mut().zip(x.row(i)) {
                if value.is_finite() {
                    visit(normal, in_units(value, unit), weight);
                }
            }
        }
        Ok(())
    };
    // Sums first and squares about the mean second: squares of large values would cancel. Between them what rounding took
    // from the sums, which is more than the differences between values that lie far from zero.
    each(&mut normals, |normal, value, weight| {
        normal.count += weight;
        normal.mean += weight * value;
    })?;
    normals.iter_mut().filter(|normal| normal.count > 0.0).for_each(|normal| normal.mean /= normal.count);
    each(&mut normals, |normal, value, weight| normal.rest += weight * (value - normal.mean))?;
    normals.iter_mut().filter(|normal| normal.count > 0.0).for_each(|normal| normal.mean += normal.rest / normal.count);
    each(&mut normals, |normal, value, weight| normal.variance += weight * (value - normal.mean).powi(2))?;
    normals.iter_mut().filter(|normal| normal.count > 0.0).for_each(|normal| normal.variance /= normal.count);
    Ok(normals)
}

/// A value divided by the unit, held where its square stays finite.
fn in_units(value: f64, unit: f64) -> f64 {
    const LARGEST: f64 = 1e100;
    (value / unit).clamp(-LARGEST, LARGEST)
}

struct NormalClasses {
    /// What values are divided by before they are squared, where all of them are so small or so large that squares would vanish or overflow.
    unit: f64,
    /// Logarithms of the shares of the classes.
    priors: Vec<f64>,
    /// classes × columns.
    normals: Vec<Normal>,
    columns: usize,
    /// By column of categories.
    shares: Vec<ValueShares>,
    grams: GramShares,
}

/// Logarithms of the shares of n-grams among those of a class.
struct GramShares {
    vocabularies: Vec<Vocabulary>,
    /// By n-gram and class.
    logs: Vec<f64>,
}

/// The array that holds them.
const LOG_GRAMS: &str = "log_grams";

impl GramShares {
    /// Each n-gram counts as seen once more in every class (Laplace).
    fn fit(x: &Features, y: &[u32], classes: usize, progress: &dyn Progress) -> Result<GramShares, Cancelled> {
        let vocabularies = Vocabulary::fit(&x.texts, y, classes, None);
        let mut logs = vec![1.0; vocabularies.iter().map(Vocabulary::len).sum::<usize>() * classes];
        if !logs.is_empty() {
            let mut weights = Weights::new(&vocabularies, &x.texts);
            for (row, &label) in y.iter().enumerate() {
                if row % BLOCK == 0 {
                    progress.go_on()?;
                }
                for &(gram, count) in weights.counts_of_row(row) {
                    logs[gram as usize * classes + label as usize] += x.weight(row) * f64::from(count);
                }
            }
        }
        let mut totals = vec![0.0; classes];
        for counts in logs.chunks_exact(classes) {
            totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
        }
        for counts in logs.chunks_exact_mut(classes) {
            counts.iter_mut().zip(&totals).for_each(|(count, total)| *count = (*count / total).ln());
        }
        Ok(GramShares { vocabularies, logs })
    }

    fn take(arrays: &mut Arrays, texts: usize, classes: usize) -> Result<GramShares, ArrayError> {
        let vocabularies = Vocabulary::take(arrays, texts)?;
        let count = vocabularies.iter().map(Vocabulary::len).sum();
        let logs = if texts > 0 { arrays.take_f64(LOG_GRAMS, &[Some(count), Some(classes)])? } else { Vec::new() };
        Ok(GramShares { vocabularies, logs })
    }

    fn put(&self, arrays: &mut Arrays, classes: usize) {
        if !self.vocabularies.is_empty() {
            Vocabulary::put(&self.vocabularies, arrays);
            arrays.put_f64(LOG_GRAMS, &[self.logs.len() / classes, classes], &self.logs);
        }
    }
}

/// Logarithms of the shares of a column's values within each class, by number of the value and class; all 0 of what training did not see.
struct ValueShares(Vec<f64>);

/// The arrays that hold how many values each column has, and their shares in turn.
const VALUES: &str = "values";
const LOG_SHARES: &str = "log_shares";

impl ValueShares {
    /// Each value counts as seen once more in every class (Laplace).
    fn fit(x: &Features, column: usize, y: &[u32], classes: usize) -> ValueShares {
        let values = Values::of(x, column);
        let seen = values.counts.iter().filter(|&&count| count > 0).count() as f64;
        let of_class = class_weights(x, y, classes);
        let mut counts = vec![0.0; values.counts.len() * classes];
        for (row, (&value, &label)) in values.of_row.iter().zip(y).enumerate() {
            counts[value as usize * classes + label as usize] += x.weight(row);
        }
        let share = |(at, &count): (usize, &f64)| {
            // What is too rare to be known is like the rare ones together.
            let count = if values.counts[at / classes] > 0 { count } else { counts[at % classes] };
            let total = of_class[at % classes] + seen;
            if values.counts[at / classes] > 0 || values.counts[0] > 0 { ((count + 1.0) / total).ln() } else { 0.0 }
        };
        ValueShares(counts.iter().enumerate().map(share).collect())
    }

    /// By class.
    fn of(&self, value: u32, classes: usize) -> &[f64] {
        let at = value as usize * classes;
        self.0.get(at..at + classes).unwrap_or(&self.0[..classes])
    }

    fn take(arrays: &mut Arrays, categories: usize, classes: usize) -> Result<Vec<ValueShares>, ArrayError> {
        if categories == 0 {
            return Ok(Vec::new());
        }
        let values = arrays.take_whole(VALUES, Some(categories), usize::MAX)?;
        if values.contains(&0) {
            return Err(ArrayError::unfit(VALUES, "has a column without values"));
        }
        let total = values.iter().map(|&count| count as usize).sum();
        let all = arrays.take_f64(LOG_SHARES, &[Some(total), Some(classes)])?;
        let mut rest = all.as_slice();
        let next = |&count: &u32| {
            let (own, after) = rest.split_at(count as usize * classes);
            rest = after;
            ValueShares(own.to_vec())
        };
        Ok(values.iter().map(next).collect())
    }
}

impl Model for NormalClasses {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        assert_eq!((x.cols, x.categories), (self.columns, self.shares.len()), "predict with the columns of the fit");
        let mut probabilities = Matrix::zeros(x.rows, self.priors.len());
        // ln N(x; m, v) but for the constant ln √2π, which the softmax cancels when each class sums
        // the same columns.
        let terms: Vec<f64> = self.normals.iter().map(|normal| 0.5 * normal.variance.ln()).collect();
        let classes = self.priors.len();
        let grams = Weights::new(&self.grams.vocabularies, &x.texts);
        probabilities.data.par_chunks_mut(BLOCK * classes).enumerate().for_each(|(block, out)| {
            if progress.cancelled() {
                return;
            }
            let mut row = Vec::with_capacity(x.cols);
            let mut grams = grams.clone();
            for (i, out) in (block * BLOCK..).zip(out.chunks_exact_mut(classes)) {
                row.clear();
                row.extend(x.row(i));
                let mut scores = self.priors.clone();
                for (class, score) in scores.iter_mut().enumerate() {
                    for (j, &value) in row.iter().enumerate() {
                        if value.is_finite() {
                            let at = class * self.columns + j;
                            let normal = self.normals[at];
                            let distance = in_units(value, self.unit) - normal.mean;
                            *score -= terms[at] + 0.5 * distance.powi(2) / normal.variance;
                        }
                    }
                }
                for (shares, &value) in self.shares.iter().zip(x.codes(i)) {
                    scores.iter_mut().zip(shares.of(value, classes)).for_each(|(score, share)| *score += share);
                }
                for &(gram, count) in grams.counts_of_row(i) {
                    let logs = &self.grams.logs[gram as usize * classes..];
                    scores.iter_mut().zip(logs).for_each(|(score, log)| *score += f64::from(count) * log);
                }
                softmax(&mut scores);
                out.iter_mut().zip(&scores).for_each(|(out, &score)| *out = score as f32);
            }
        });
        probabilities
    }

    fn put(&self, arrays: &mut Arrays) {
        arrays.put_f64("log_priors", &[self.priors.len()], &self.priors);
        for (name, of) in [("means", (|normal| normal.mean) as fn(&Normal) -> f64), ("variances", |n| n.variance)] {
            let values: Vec<f64> = self.normals.iter().map(of).collect();
            arrays.put_f64(name, &[self.priors.len(), self.columns], &values);
        }
        if !self.shares.is_empty() {
            let classes = self.priors.len();
            let counts: Vec<u32> = self.shares.iter().map(|column| (column.0.len() / classes) as u32).collect();
            let all: Vec<f64> = self.shares.iter().flat_map(|column| column.0.iter().copied()).collect();
            arrays.put_whole(VALUES, &counts);
            arrays.put_f64(LOG_SHARES, &[all.len() / classes, classes], &all);
        }
        self.grams.put(arrays, self.priors.len());
        if self.unit != 1.0 {
            arrays.put_f64(UNIT, &[1], &[self.unit]);
        }
    }
}
