//! Tests of all kinds through the public door, on one small synthetic table.

mod agreement;
mod categories;
mod evaluation;
mod extremes;
mod guarantees;
mod kept;
mod precision;
mod texts;
mod weights;

use super::boosting::Boosting;
use super::forest::{ExtraTrees, RandomForest};
use super::ordinal_logistic::OrdinalLogistic;
use super::{Baselines, Estimator, Features, Model};
use crate::progress::Silent;

/// `rows` rows of four columns and three classes; every eleventh row lacks column 2 if `missing`.
///
/// In Python, for the figures of `agreement.rs`:
/// ```python
/// def table(rows, missing):
///     state, out = 1, []
///     def uniform():
///         nonlocal state
///         state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
///         return (state >> 40) / 2**24
///     for i in range(rows):
///         a, b, c, d = uniform(), uniform(), uniform(), uniform()
///         label = i % 3
///         out.append([a + 0.4 * label, b * b + (0.5 if label == 2 else 0.0), 100.0 * c - 20.0 * a,
///                     np.floor(5.0 * d) + label % 2])
///         if missing and i % 11 == 0: out[-1][2] = np.nan
///     return np.array(out).astype("f"), np.arange(rows) % 3
/// X, y = table(300, True); Xt, yt, Xv, yv = X[:200], y[:200], X[200:], y[200:]
/// scaled = lambda m: make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), m).fit(Xt.astype("d"), yt)
/// ```
fn table(rows: usize, missing: bool) -> (Features, Vec<u32>) {
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    let mut data = Vec::new();
    for i in 0..rows {
        let (a, b, c, d) = (uniform(), uniform(), uniform(), uniform());
        let label = i % 3;
        let third = if missing && i % 11 == 0 { f64::NAN } else { 100.0 * c - 20.0 * a };
        let row = [
            a + 0.4 * label as f64,
            b * b + if label == 2 { 0.5 } else { 0.0 },
            third,
            (5.0 * d).floor() + (label % 2) as f64,
        ];
        // As `astype("f")` rounds them above.
        data.extend(row.map(|value| f64::from(value as f32)));
    }
    (Features::new(rows, 4, data, Vec::new()), (0..rows as u32).map(|i| i % 3).collect())
}

fn rows_of(x: &Features, y: &[u32], rows: std::ops::Range<usize>) -> (Features, Vec<u32>) {
    (x.take(&rows.clone().collect::<Vec<_>>()), y[rows].to_vec())
}

fn fitted(estimator: &dyn Estimator, x: &Features, y: &[u32]) -> Box<dyn Model> {
    estimator.fit(x, y, 3, 0, &Silent).unwrap()
}

/// Of rows of numbers alone, as `table` makes them.
impl Features {
    fn get(&self, i: usize, j: usize) -> f64 {
        self.numbers[i * self.cols + j]
    }

    fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.numbers[i * self.cols..(i + 1) * self.cols]
    }
}

/// Every kind, with few trees.
fn all() -> Vec<(String, Box<dyn Estimator>)> {
    let mut baselines = Baselines::all();
    baselines.ordinal_logistic = Some(OrdinalLogistic::default());
    baselines.random_forest = Some(RandomForest { trees: 20, ..RandomForest::default() });
    baselines.extra_trees = Some(ExtraTrees { trees: 20, ..ExtraTrees::default() });
    baselines.boosting = Some(Boosting { rounds: 20, ..Boosting::default() });
    baselines.estimators()
}

fn classes() -> Vec<String> {
    ["a", "b", "c"].map(String::from).to_vec()
}
