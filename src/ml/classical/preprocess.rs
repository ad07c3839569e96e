//! Median imputation and standardisation, fitted on training rows: what linear, kernel and distance
//! models need.
//!
//! As scikit-learn's `SimpleImputer(strategy="median")` followed by `StandardScaler()`. Knows
//! nothing of labels.

use rayon::prelude::*;

use crate::ml::matrix::Matrix;

/// For each column the median that replaces a missing value, and the mean and deviation that
/// standardise it.
pub struct Standardizer {
    columns: Vec<Column>,
}

struct Column {
    median: f64,
    mean: f64,
    /// Population deviation of the imputed column; 1 for a constant column, which thus becomes 0.
    deviation: f64,
}

impl Standardizer {
    /// A column without any value is taken as constant: it becomes 0 everywhere.
    pub fn fit(x: &Matrix) -> Self {
        let column = |j| Column::fit((0..x.rows).map(move |i| x.get(i, j)));
        let columns = (0..x.cols).into_par_iter().map(column).collect();
        Standardizer { columns }
    }

    /// Standardised values, without any missing. An infinite value, which no fit accepts, counts as
    /// missing here.
    ///
    /// Panics when `x` has another number of columns than the matrix of the fit.
    pub fn apply(&self, x: &Matrix) -> Matrix {
        assert_eq!(x.cols, self.columns.len(), "predict with the columns of the fit");
        let mut data = Vec::with_capacity(x.data.len());
        for i in 0..x.rows {
            for (&value, column) in x.row(i).iter().zip(&self.columns) {
                let filled = if value.is_finite() { f64::from(value) } else { column.median };
                data.push(((filled - column.mean) / column.deviation) as f32);
            }
        }
        Matrix::from_vec(x.rows, x.cols, data)
    }
}

impl Column {
    fn fit(values: impl Iterator<Item = f32> + Clone) -> Column {
        let mut known: Vec<f32> = values.clone().filter(|value| value.is_finite()).collect();
        if known.is_empty() {
            return Column { median: 0.0, mean: 0.0, deviation: 1.0 };
        }
        known.sort_unstable_by(f32::total_cmp);
        let middle = known.len() / 2;
        let median = if known.len() % 2 == 1 {
            f64::from(known[middle])
        } else {
            (f64::from(known[middle - 1]) + f64::from(known[middle])) / 2.0
        };

        let filled = values.map(|value| if value.is_finite() { f64::from(value) } else { median });
        let (mut count, mut sum) = (0.0, 0.0);
        for value in filled.clone() {
            count += 1.0;
            sum += value;
        }
        let mean = sum / count;
        let variance = filled.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        // A sum of equal values may miss their mean by rounding; such a column is constant all the
        // same.
        let constant = variance.sqrt() <= 1e-12 * mean.abs();
        Column { median, mean, deviation: if constant { 1.0 } else { variance.sqrt() } }
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
        let x = Matrix::from_vec(5, 3, column.iter().flat_map(|&v| [v, 5.0, f32::NAN]).collect());
        let scaled = Standardizer::fit(&x).apply(&x);
        let expected = [-1.184_540_6, -0.121_491_35, -0.880_812_3, 0.637_829_6, 1.549_014_7f32];
        for (i, value) in expected.iter().enumerate() {
            assert!((scaled.get(i, 0) - value).abs() < 1e-6, "row {i}: {}", scaled.get(i, 0));
            assert_eq!((scaled.get(i, 1), scaled.get(i, 2)), (0.0, 0.0));
        }
    }
}
