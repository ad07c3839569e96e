//! Prepares a frame's columns for a network: imputation, missing indicators and scaling of numbers, a common scale for
//! embeddings. Fitted on the training rows alone; travels inside the model.
//!
//! Knows nothing of networks, labels or files.

mod quantile;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::{Column, Frame};
use super::matrix::Matrix;
use quantile::{QUANTILES, normal_score, quantiles};

/// How numeric columns are brought to a common scale; missing values are the training part's median.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Minus the mean, divided by the standard deviation.
    Standard,
    /// Minus the median, divided by the interquartile range, then x/√(1+(x/3)²) to tame outliers (RealMLP, arXiv 2407.04491).
    Robust,
    /// The rank among the training rows, turned into a normal deviate.
    #[default]
    Quantile,
}

/// Everything that was fitted on the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Give one value each, in this order; after them come the indicators of those with `indicator`.
    pub numeric: Vec<NumericColumn>,
    /// Embedding columns, one network branch each.
    pub text: Vec<TextColumn>,
}

/// A numeric column as it was in the training part. All figures have 12 significant digits, so that JSON keeps them exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericColumn {
    pub name: String,
    /// Stands in for a missing value, before scaling.
    pub median: f64,
    /// Adds an input that is 1 where the value is missing.
    pub indicator: bool,
    pub scale: Scale,
}

/// A fitted scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scale {
    Standard { mean: f64, deviation: f64 },
    Robust { center: f64, factor: f64 },
    /// Evenly spaced quantiles, the smallest first.
    Quantile { quantiles: Vec<f64> },
}

/// An embedding column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextColumn {
    pub name: String,
    /// Components of a vector.
    pub dim: usize,
    /// Multiplies every component: the inverse of the training rows' root mean square, as components of a unit vector
    /// are small numbers that would learn slowly beside the others.
    pub factor: f64,
}

/// Why columns cannot be prepared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InputError {
    #[error("column '{0}' is missing")]
    Missing(String),
    #[error("column '{name}' is {found}, the network needs {needed}")]
    Kind { name: String, found: &'static str, needed: &'static str },
    #[error("column '{name}' has vectors of {found} components, the network needs {needed}: use the same encoder as in training")]
    Dimension { name: String, found: usize, needed: usize },
    #[error("column '{name}' has the infinite value {value} in row {row} (counted from 0): remove it or make it missing")]
    Infinite { name: String, row: usize, value: f64 },
    #[error("column '{name}' has a vector with a component that is not finite in row {row} (counted from 0)")]
    Vector { name: String, row: usize },
    #[error("no input columns: name at least one numeric or text column")]
    NoColumns,
}

impl Preprocessing {
    /// Fits on `rows` of the frame (at least one).
    pub fn fit(
        frame: &Frame,
        numeric: &[String],
        text: &[String],
        rows: &[usize],
        scaling: Scaling,
        indicators: bool,
    ) -> Result<Self, InputError> {
        if numeric.is_empty() && text.is_empty() {
            return Err(InputError::NoColumns);
        }
        let numeric = numeric
            .iter()
            .map(|name| {
                let values = numbers(frame, name)?;
                check_finite(name, values, rows.iter().copied())?;
                Ok(fit_numeric(name, rows.iter().map(|&i| values[i]), scaling, indicators))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let text = text
            .iter()
            .map(|name| {
                let (dim, values) = vectors(frame, name)?;
                let squares: f64 = rows
                    .iter()
                    .flat_map(|&i| &values[i * dim..(i + 1) * dim])
                    .map(|x| f64::from(*x) * f64::from(*x))
                    .sum();
                let size = (squares / (rows.len() * dim).max(1) as f64).sqrt();
                let factor = if size > 0.0 && size.is_finite() { rounded(1.0 / size) } else { 1.0 };
                Ok(TextColumn { name: name.clone(), dim, factor })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Preprocessing { numeric, text })
    }

    /// Width of the numeric input: the columns and the indicators.
    pub fn numeric_width(&self) -> usize {
        self.numeric.len() + self.numeric.iter().filter(|column| column.indicator).count()
    }

    /// Whether a quantile scale is too short to interpolate in, as only a damaged recipe has it.
    pub fn has_short_quantiles(&self) -> bool {
        self.numeric.iter().any(|column| matches!(&column.scale, Scale::Quantile { quantiles } if quantiles.len() < 2))
    }

    /// Name and width of every embedding.
    pub fn text_widths(&self) -> Vec<(String, usize)> {
        self.text.iter().map(|column| (column.name.clone(), column.dim)).collect()
    }

    /// The inputs of a network for `rows` of the frame, in that order: one matrix for the numbers (if there are any),
    /// one for each embedding. Missing numbers are imputed; infinite values are refused.
    pub fn apply(&self, frame: &Frame, rows: &[usize]) -> Result<Vec<Matrix>, InputError> {
        let mut inputs = Vec::new();
        if !self.numeric.is_empty() {
            inputs.push(self.apply_numeric(frame, rows)?);
        }
        for column in &self.text {
            let (dim, values) = vectors(frame, &column.name)?;
            if dim != column.dim {
                return Err(InputError::Dimension { name: column.name.clone(), found: dim, needed: column.dim });
            }
            let factor = column.factor as f32;
            let mut matrix = Matrix::zeros(rows.len(), dim);
            for (to, &from) in rows.iter().enumerate() {
                for (x, value) in matrix.row_mut(to).iter_mut().zip(&values[from * dim..(from + 1) * dim]) {
                    *x = value * factor;
                }
                if matrix.row(to).iter().any(|x| !x.is_finite()) {
                    return Err(InputError::Vector { name: column.name.clone(), row: from });
                }
            }
            inputs.push(matrix);
        }
        Ok(inputs)
    }

    fn apply_numeric(&self, frame: &Frame, rows: &[usize]) -> Result<Matrix, InputError> {
        let mut matrix = Matrix::zeros(rows.len(), self.numeric_width());
        let mut indicator = self.numeric.len();
        for (j, column) in self.numeric.iter().enumerate() {
            let values = numbers(frame, &column.name)?;
            check_finite(&column.name, values, rows.iter().copied())?;
            for (to, &from) in rows.iter().enumerate() {
                let missing = values[from].is_nan();
                let value = if missing { column.median } else { values[from] };
                matrix.row_mut(to)[j] = column.scale.apply(value) as f32;
                if column.indicator && missing {
                    matrix.row_mut(to)[indicator] = 1.0;
                }
            }
            indicator += usize::from(column.indicator);
        }
        Ok(matrix)
    }
}

impl Scale {
    fn apply(&self, value: f64) -> f64 {
        match self {
            Scale::Standard { mean, deviation } => (value - mean) / deviation,
            Scale::Robust { center, factor } => {
                let x = (value - center) * factor;
                x / (1.0 + (x / 3.0) * (x / 3.0)).sqrt()
            }
            Scale::Quantile { quantiles } => normal_score(quantiles, value),
        }
    }
}

fn fit_numeric(name: &str, values: impl Iterator<Item = f64>, scaling: Scaling, indicators: bool) -> NumericColumn {
    let mut missing = false;
    let mut present: Vec<f64> = values
        .filter(|value| {
            missing |= value.is_nan();
            !value.is_nan()
        })
        .collect();
    present.sort_by(f64::total_cmp);
    if present.is_empty() {
        present.push(0.0);
    }
    let at = |share: f64| quantile::interpolated(&present, share);
    let scale = match scaling {
        Scaling::Standard => {
            let count = present.len() as f64;
            let mean = present.iter().sum::<f64>() / count;
            let variance = present.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            // Of a constant column only rounding is left; it carries nothing and must not be blown up.
            let deviation = variance.sqrt();
            let constant = deviation <= 1e-12 * mean.abs() || deviation == 0.0;
            Scale::Standard { mean: rounded(mean), deviation: if constant { 1.0 } else { rounded(deviation) } }
        }
        Scaling::Robust => {
            let (quartiles, range) = (at(0.75) - at(0.25), at(1.0) - at(0.0));
            let factor = if quartiles > 0.0 {
                1.0 / quartiles
            } else if range > 0.0 {
                2.0 / range
            } else {
                0.0
            };
            Scale::Robust { center: rounded(at(0.5)), factor: rounded(factor) }
        }
        Scaling::Quantile => {
            Scale::Quantile { quantiles: quantiles(&present, QUANTILES).into_iter().map(rounded).collect() }
        }
    };
    NumericColumn { name: name.into(), median: rounded(at(0.5)), indicator: missing && indicators, scale }
}

/// To 12 significant digits: JSON then brings back the very same number.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

fn check_finite(name: &str, values: &[f64], mut rows: impl Iterator<Item = usize>) -> Result<(), InputError> {
    match rows.find(|&row| values[row].is_infinite()) {
        Some(row) => Err(InputError::Infinite { name: name.into(), row, value: values[row] }),
        None => Ok(()),
    }
}

fn numbers<'a>(frame: &'a Frame, name: &str) -> Result<&'a [f64], InputError> {
    match frame.columns.get(name) {
        Some(Column::Numeric(values)) => Ok(values),
        Some(other) => Err(InputError::Kind { name: name.into(), found: kind(other), needed: "numeric" }),
        None => Err(InputError::Missing(name.into())),
    }
}

fn vectors<'a>(frame: &'a Frame, name: &str) -> Result<(usize, &'a [f32]), InputError> {
    match frame.columns.get(name) {
        Some(Column::Vector { dim, values }) if *dim > 0 => Ok((*dim, values)),
        Some(other) => Err(InputError::Kind { name: name.into(), found: kind(other), needed: "vectors (embed it first)" }),
        None => Err(InputError::Missing(name.into())),
    }
}

fn kind(column: &Column) -> &'static str {
    match column {
        Column::Numeric(_) => "numeric",
        Column::Text(_) => "text",
        Column::Vector { .. } => "vectors",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(values: &[f64], scaling: Scaling) -> (Frame, Preprocessing) {
        let mut frame = Frame::new(values.len());
        frame.insert("x", Column::Numeric(values.to_vec()));
        let rows: Vec<usize> = (0..values.len()).collect();
        let fitted = Preprocessing::fit(&frame, &["x".into()], &[], &rows, scaling, true).unwrap();
        (frame, fitted)
    }

    fn applied(values: &[f64], scaling: Scaling) -> Vec<f32> {
        let (frame, fitted) = fitted(values, scaling);
        let rows: Vec<usize> = (0..values.len()).collect();
        let matrix = fitted.apply(&frame, &rows).unwrap().remove(0);
        (0..values.len()).map(|i| matrix.get(i, 0)).collect()
    }

    fn near(found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }

    // from sklearn.preprocessing import *; from sklearn.impute import SimpleImputer; import numpy as np
    // x = np.array([3., np.nan, 1., 4., 1., 5., 9., 2.6])[:, None]; d = SimpleImputer(strategy="median").fit_transform(x)
    // (d - np.nanmean(x)) / np.nanstd(x)
    #[test]
    fn standard_scaling_uses_present_values_and_imputes_the_median() {
        let x = [3.0, f64::NAN, 1.0, 4.0, 1.0, 5.0, 9.0, 2.6];
        near(
            &applied(&x, Scaling::Standard),
            &[-0.255_967, -0.255_967, -1.034_996, 0.133_548, -1.034_996, 0.523_062, 2.081_121, -0.411_773],
        );
        let (frame, fitted) = fitted(&x, Scaling::Standard);
        let matrix = fitted.apply(&frame, &[0, 1]).unwrap().remove(0);
        assert_eq!((matrix.get(0, 1), matrix.get(1, 1)), (0.0, 1.0), "the indicator marks the missing value");
    }

    // from sklearn.preprocessing import QuantileTransformer; import numpy as np
    // x = np.array([0., 0., 0., 1., 2., 4., 8., 16., 32., 64., 65.])[:, None]
    // QuantileTransformer(n_quantiles=11, output_distribution="normal").fit_transform(x).ravel()[3:-1]
    // At the ends scikit-learn jumps to ±5.2; here ties share their middle rank and the rank keeps half a step from 0 and 1.
    #[test]
    fn quantile_scaling_agrees_with_scikit_learn_inside() {
        let x = [0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 65.0];
        let found = applied(&x, Scaling::Quantile);
        near(&found[3..10], &[-0.524_401, -0.253_347, 0.0, 0.253_347, 0.524_401, 0.841_621, 1.281_552]);
        near(&found[..3], &[-1.281_552; 3]);
        assert!(found[10] > 1.6 && found[10] < 3.5, "{}", found[10]);
    }

    #[test]
    fn robust_scaling_tames_an_outlier() {
        let found = applied(&[1.0, 2.0, 3.0, 4.0, 1e9], Scaling::Robust);
        near(&found[..4], &[-0.948_683, -0.493_197, 0.0, 0.493_197]);
        assert!((found[4] - 3.0).abs() < 1e-3);
    }

    #[test]
    fn constant_and_empty_columns_give_finite_inputs() {
        for scaling in [Scaling::Standard, Scaling::Robust, Scaling::Quantile] {
            for x in [[7.1, 7.1, 7.1], [f64::NAN; 3]] {
                let found = applied(&x, scaling);
                assert!(found.iter().all(|v| v.is_finite() && v.abs() < 4.0), "{scaling:?}: {found:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_prepared_is_named() {
        let (mut frame, fitted) = fitted(&[1.0, 2.0, 3.0], Scaling::Standard);
        frame.insert("v", Column::Vector { dim: 2, values: vec![1.0; 6] });
        frame.insert("bad", Column::Numeric(vec![0.0, f64::INFINITY, 0.0]));
        let fit = |numeric: &[&str], text: &[&str]| {
            let names = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
            Preprocessing::fit(&frame, &names(numeric), &names(text), &[0, 1, 2], Scaling::Standard, true)
        };
        let message = |result: Result<Preprocessing, InputError>| result.unwrap_err().to_string();
        assert!(message(fit(&["y"], &[])).contains("'y' is missing"));
        assert!(message(fit(&["v"], &[])).contains("'v' is vectors"));
        assert!(message(fit(&[], &["x"])).contains("'x' is numeric"));
        assert!(message(fit(&[], &[])).contains("no input columns"));
        assert!(message(fit(&["bad"], &[])).contains("'bad' has the infinite value inf in row 1"));
        let with_text = fit(&["x"], &["v"]).unwrap();
        let mut other = Frame::new(1);
        other.insert("x", Column::Numeric(vec![0.0]));
        other.insert("v", Column::Vector { dim: 3, values: vec![1.0; 3] });
        assert!(with_text.apply(&other, &[0]).unwrap_err().to_string().contains("3 components, the network needs 2"));
        other.columns["v"] = Column::Vector { dim: 2, values: vec![f32::NAN, 0.0] };
        assert!(with_text.apply(&other, &[0]).unwrap_err().to_string().contains("not finite in row 0"));
        assert!(fitted.apply(&other, &[0]).is_ok());
    }

    #[test]
    fn json_brings_back_the_same_figures() {
        let values: Vec<f64> = (0..700).map(|i| (f64::from(i) * 0.7).sin() * 1e5 / 3.0).collect();
        for scaling in [Scaling::Standard, Scaling::Robust, Scaling::Quantile] {
            let (_, fitted) = fitted(&values, scaling);
            let back: Preprocessing = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
            assert_eq!(back, fitted);
        }
    }
}
