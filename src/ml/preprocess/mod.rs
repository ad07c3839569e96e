//! Prepares a frame's columns for a network: imputation, missing indicators and scaling of numbers, a common scale for
//! embeddings. Fitted on the training rows alone; travels inside the model.
//!
//! Knows nothing of networks, labels or files.

mod numeric;
mod quantile;

pub use numeric::{NumericColumn, Scale, Scaling};

use serde::{Deserialize, Serialize};

use super::frame::{Column, Frame};
use super::matrix::Matrix;
use numeric::fit_numeric;

/// Everything that was fitted on the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Give one value each, in this order; after them come the indicators of those with `indicator`.
    pub numeric: Vec<NumericColumn>,
    /// Embedding columns, one network branch each.
    pub text: Vec<TextColumn>,
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
    #[error(
        "column '{name}' has vectors of {found} components, the network needs {needed}: use the same encoder as in training"
    )]
    Dimension { name: String, found: usize, needed: usize },
    #[error(
        "column '{name}' has the infinite value {value} in row {row} (counted from 0): remove it or make it missing"
    )]
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
                let factor = if size > 0.0 && size.is_finite() { to_12_digits(1.0 / size) } else { 1.0 };
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

/// To 12 significant digits: JSON then brings back the very same number, which serde_json does not promise for all 17.
pub(in crate::ml) fn to_12_digits(value: f64) -> f64 {
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
        Some(other) => {
            Err(InputError::Kind { name: name.into(), found: kind(other), needed: "vectors (embed it first)" })
        }
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
mod tests;
