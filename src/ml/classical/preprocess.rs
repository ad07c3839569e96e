//! Median imputation and standardisation, fitted on training rows: what linear, kernel and distance
//! models need.
//!
//! As scikit-learn's `SimpleImputer(strategy="median")` followed by `StandardScaler()`.

use rayon::prelude::*;

use super::Features;
use super::arrays::{ArrayError, Arrays};
use crate::matrix::Matrix;
use crate::preprocess::{moments, within_range};
use crate::progress::{Cancelled, Progress};

/// Columns, and rows, that one task handles.
const BLOCK: usize = 8;
const ROWS: usize = 256;

/// For each column the median that replaces a missing value, and the mean and deviation that
/// standardise it.
pub(crate) struct Standardizer {
    columns: Vec<Column>,
}

#[derive(Clone, Copy)]
struct Column {
    median: f64,
    mean: f64,
    /// Population deviation of the imputed column; 1 for a constant column, which thus becomes 0.
    deviation: f64,
}

impl Standardizer {
    /// A column without any value is taken as constant: it becomes 0 everywhere. Indicators of categories stay 0 and 1.
    pub(crate) fn fit(x: &Features, progress: &dyn Progress) -> Result<Self, Cancelled> {
        let blocks = (0..x.cols.div_ceil(BLOCK)).into_par_iter();
        let columns = blocks.map(|block| {
            let columns = x.columns(block * BLOCK..((block + 1) * BLOCK).min(x.cols)).into_iter().map(|values| {
                progress.go_on()?;
                Ok(Column::fit(&values))
            });
            columns.collect::<Result<Vec<_>, Cancelled>>()
        });
        let columns = columns.collect::<Result<Vec<_>, Cancelled>>()?;
        let mut columns: Vec<Column> = columns.into_iter().flatten().collect();
        // Divided by its deviation, the indicator of a rare category would outweigh all other columns in a distance.
        columns[x.cols - x.indicators..].fill(Column { median: 0.0, mean: 0.0, deviation: 1.0 });
        Ok(Standardizer { columns })
    }

    /// Standardised values, without any missing. An infinite value, which no fit accepts, counts as
    /// missing here.
    ///
    /// Panics when `x` has another number of columns than the rows of the fit.
    pub(crate) fn apply(&self, x: &Features) -> Matrix {
        assert_eq!(x.cols, self.columns.len(), "predict with the columns of the fit");
        let mut scaled = Matrix::zeros(x.rows, x.cols);
        scaled.data.par_chunks_mut(ROWS * x.cols.max(1)).enumerate().for_each(|(block, out)| {
            for (i, out) in (block * ROWS..).zip(out.chunks_exact_mut(x.cols)) {
                for ((out, value), column) in out.iter_mut().zip(x.row(i)).zip(&self.columns) {
                    let filled = if value.is_finite() { value } else { column.median };
                    *out = within_range((filled - column.mean) / column.deviation);
                }
            }
        });
        scaled
    }

    pub(crate) fn put(&self, arrays: &mut Arrays) {
        let all = self.columns.iter().flat_map(|column| [column.median, column.mean, column.deviation]);
        arrays.put_f64("scaling", &[self.columns.len(), 3], &all.collect::<Vec<_>>());
    }

    pub(crate) fn take(arrays: &mut Arrays, columns: usize) -> Result<Self, ArrayError> {
        let all = arrays.take_f64("scaling", &[Some(columns), Some(3)])?;
        let column = |&[median, mean, deviation]: &[f64; 3]| Column { median, mean, deviation };
        Ok(Standardizer { columns: all.as_chunks().0.iter().map(column).collect() })
    }
}

impl Column {
    fn fit(values: &[f64]) -> Column {
        let values = values.iter().copied();
        let mut known: Vec<f64> = values.clone().filter(|value| value.is_finite()).collect();
        if known.is_empty() {
            return Column { median: 0.0, mean: 0.0, deviation: 1.0 };
        }
        known.sort_unstable_by(f64::total_cmp);
        let middle = known.len() / 2;
        let median = if known.len() % 2 == 1 { known[middle] } else { (known[middle - 1] + known[middle]) / 2.0 };
        let (mean, deviation) = moments(values.map(|value| if value.is_finite() { value } else { median }));
        Column { median, mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // from sklearn.impute import SimpleImputer; from sklearn.preprocessing import StandardScaler
    // from sklearn.pipeline import make_pipeline; import numpy as np
    // X = [[1, 5], [np.nan, 5], [2, 5], [7, 5], [10, 5]]
    // make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit_transform(X)[:, 0]
    // -> [-1.18454064 -0.12149135 -0.88081227  0.63782958  1.54901469]; column 1 -> 0
    #[test]
    fn columns_are_imputed_and_scaled_as_in_scikit_learn() {
        let column = [1.0, f32::NAN, 2.0, 7.0, 10.0];
        let x = Matrix::from_vec(5, 3, column.iter().flat_map(|&v| [v, 5.0, f32::NAN]).collect()).into();
        let scaled = Standardizer::fit(&x, &crate::progress::Silent).unwrap().apply(&x);
        let expected = [-1.184_540_6, -0.121_491_35, -0.880_812_3, 0.637_829_6, 1.549_014_7f32];
        for (i, value) in expected.iter().enumerate() {
            assert!((scaled.get(i, 0) - value).abs() < 1e-6, "row {i}: {}", scaled.get(i, 0));
            assert_eq!((scaled.get(i, 1), scaled.get(i, 2)), (0.0, 0.0));
        }
    }
}
