//! Prepares a frame's columns for a network: imputation, missing indicators and scaling of numbers, a common scale for
//! embeddings, numbers for categories. Fitted on the training rows alone; travels inside the model.

mod numeric;
mod quantile;

pub use numeric::NumericColumn;
pub(crate) use numeric::Scale;
pub(crate) use numeric::{moments, unit};
pub(crate) use quantile::normal_quantile;
pub(crate) use runner_results::spec::Scaling;

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::frame::{Column, Frame};
use super::input::{Input, Texts};
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
    /// Columns of categories, one network branch each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryColumn>,
}

/// What to prepare, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes<'a> {
    /// Names of numeric columns.
    pub(crate) numeric: &'a [String],
    /// Names of embedding columns.
    pub(crate) text: &'a [String],
    /// Names of columns of categories, each with the fewest rows that a value needs to have a number of its own.
    pub(crate) categories: &'a [(String, usize)],
    pub(crate) scaling: Scaling,
    /// Adds an input for each numeric column with missing values.
    pub(crate) indicators: bool,
    /// Brings every row's embedding to the same length.
    pub(crate) normalize: bool,
    /// Names of those embedding columns whose encoder the network adapts.
    pub(crate) adapted: &'a [String],
}

/// A column of categories. The input is a value's place in `values`, counted from 1; 0 stands for all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryColumn {
    /// As in the table.
    pub name: String,
    /// The values of the training rows that are frequent enough, sorted.
    pub values: Vec<String>,
    /// Those that too few training rows have, sorted: they count as all others, but were there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rare: Vec<String>,
    /// Whether a missing value is one of its own, whose place comes after those of `values`: where it is frequent enough in training. Else it is 0.
    #[serde(default, skip_serializing_if = "is_false")]
    pub missing: bool,
}

impl CategoryColumn {
    /// The values that at least `least` of the rows have.
    pub(crate) fn fit(frame: &Frame, name: &str, least: usize, rows: &[usize]) -> Result<CategoryColumn, InputError> {
        let values = categories(frame, name)?;
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for value in rows.iter().filter_map(|&i| values[i].as_deref()) {
            *counts.entry(value).or_default() += 1;
        }
        let missing = rows.iter().filter(|&&i| values[i].is_none()).count();
        let (mut values, mut rare) = (Vec::new(), Vec::new());
        for (value, count) in counts {
            if count >= least { &mut values } else { &mut rare }.push(value.to_owned());
        }
        values.sort_unstable();
        rare.sort_unstable();
        Ok(CategoryColumn { name: name.to_owned(), values, rare, missing: missing >= least.max(1) })
    }

    /// The place of the value of every row.
    pub(crate) fn codes(&self, frame: &Frame) -> Result<Vec<u32>, InputError> {
        let places: HashMap<&str, u32> = self.values.iter().map(String::as_str).zip(1..).collect();
        let missing = self.code(None) as u32;
        let code =
            |value: &Option<String>| value.as_deref().map_or(missing, |value| places.get(value).copied().unwrap_or(0));
        Ok(categories(frame, &self.name)?.iter().map(code).collect())
    }

    /// Inputs that there are, 0 among them.
    pub(crate) fn width(&self) -> usize {
        self.values.len() + 1 + usize::from(self.missing)
    }

    fn code(&self, value: Option<&String>) -> usize {
        match value {
            Some(value) => self.values.binary_search(value).map_or(0, |place| place + 1),
            None if self.missing => self.values.len() + 1,
            None => 0,
        }
    }
}

/// An embedding column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextColumn {
    /// As in the table.
    pub name: String,
    /// Components of a vector.
    pub(crate) dim: usize,
    /// Multiplies every component: the inverse of the training rows' root mean square, as components of a unit vector
    /// are small numbers that would learn slowly beside the others.
    pub(crate) factor: f64,
    /// Whether each vector is first divided by its length.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) normalize: bool,
    /// Whether the network reads the texts themselves, with layers of the encoder that it adapts. What is said above of
    /// vectors then holds for those that it makes of them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adapted: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Why columns cannot be prepared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum InputError {
    #[error("column '{0}' is missing")]
    Missing(String),
    #[error("column '{name}' is {found}, the model needs {needed}")]
    Kind { name: String, found: &'static str, needed: &'static str },
    #[error(
        "column '{name}' has vectors of {found} components, the model needs {needed}: use the same encoder as in training"
    )]
    Dimension { name: String, found: usize, needed: usize },
    #[error(
        "column '{name}' has the value {value:e} in row {row} (counted from 0), which is infinite in 32 bits: correct it or make it missing"
    )]
    Infinite { name: String, row: usize, value: f64 },
    #[error("column '{name}' has a vector with a component that is not finite in row {row} (counted from 0)")]
    Vector { name: String, row: usize },
    #[error("column '{0}' has vectors alone where the network adapts the encoder: it needs the texts' tokens")]
    NoTokens(String),
    #[error("no input columns: name at least one numeric, text or category column")]
    NoColumns,
}

impl Preprocessing {
    /// Fits on `rows` of the frame (at least one).
    pub(crate) fn fit(frame: &Frame, wishes: Wishes, rows: &[usize]) -> Result<Self, InputError> {
        if wishes.numeric.is_empty() && wishes.text.is_empty() && wishes.categories.is_empty() {
            return Err(InputError::NoColumns);
        }
        let numeric = |name: &String| -> Result<NumericColumn, InputError> {
            let values = numbers(frame, name)?;
            check_finite(name, values, rows.iter().copied())?;
            Ok(fit_numeric(name, rows.iter().map(|&i| values[i]), wishes.scaling, wishes.indicators))
        };
        let text = |name: &String| -> Result<TextColumn, InputError> {
            let (dim, values) = vectors(frame, name)?;
            let square = |i: usize| -> f64 {
                let vector = &values[i * dim..(i + 1) * dim];
                let square = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
                if wishes.normalize && square > 0.0 { 1.0 } else { square }
            };
            let squares: f64 = rows.iter().map(|&i| square(i)).sum();
            let size = (squares / (rows.len() * dim).max(1) as f64).sqrt();
            let factor = if size > 0.0 && size.is_finite() { 1.0 / size } else { 1.0 };
            let adapted = wishes.adapted.contains(name);
            Ok(TextColumn { name: name.clone(), dim, factor, normalize: wishes.normalize, adapted })
        };
        let category = |(name, least): &(String, usize)| -> Result<CategoryColumn, InputError> {
            CategoryColumn::fit(frame, name, *least, rows)
        };
        Ok(Preprocessing {
            numeric: wishes.numeric.iter().map(numeric).collect::<Result<_, _>>()?,
            text: wishes.text.iter().map(text).collect::<Result<_, _>>()?,
            categories: wishes.categories.iter().map(category).collect::<Result<_, _>>()?,
        })
    }

    /// Width of the numeric input: the columns and the indicators.
    pub(crate) fn numeric_width(&self) -> usize {
        self.numeric.len() + self.numeric.iter().filter(|column| column.indicator).count()
    }

    /// Whether a quantile scale is too short to interpolate in, as only a damaged recipe has it.
    pub(crate) fn has_short_quantiles(&self) -> bool {
        self.numeric.iter().any(|column| matches!(&column.scale, Scale::Quantile { quantiles } if quantiles.len() < 2))
    }

    /// Name and width of every embedding.
    pub(crate) fn text_widths(&self) -> Vec<(String, usize)> {
        self.text.iter().map(|column| (column.name.clone(), column.dim)).collect()
    }

    /// Name and number of values of every column of categories, the unknown one and the missing one included.
    pub(crate) fn category_widths(&self) -> Vec<(String, usize)> {
        self.categories.iter().map(|column| (column.name.clone(), column.width())).collect()
    }

    /// The inputs of a network for `rows` of the frame, in that order: one matrix for the numbers (if there are any),
    /// one for each embedding (or its texts, where the encoder is adapted), one of a single column for each column of categories. Missing numbers are imputed; infinite values are refused.
    pub(crate) fn apply(&self, frame: &Frame, rows: &[usize]) -> Result<Vec<Input>, InputError> {
        let mut inputs = Vec::new();
        if !self.numeric.is_empty() {
            inputs.push(self.apply_numeric(frame, rows)?.into());
        }
        for column in &self.text {
            if column.adapted {
                inputs.push(Input::Texts(column.texts(frame, rows)?));
                continue;
            }
            let (dim, values) = vectors(frame, &column.name)?;
            if dim != column.dim {
                return Err(InputError::Dimension { name: column.name.clone(), found: dim, needed: column.dim });
            }
            let mut matrix = Matrix::zeros(rows.len(), dim);
            for (to, &from) in rows.iter().enumerate() {
                let vector = &values[from * dim..(from + 1) * dim];
                let mut factor = column.factor as f32;
                if column.normalize {
                    let length = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
                    factor = if length > 0.0 { (column.factor / length) as f32 } else { factor };
                }
                for (x, value) in matrix.row_mut(to).iter_mut().zip(vector) {
                    *x = value * factor;
                }
                if matrix.row(to).iter().any(|x| !x.is_finite()) {
                    return Err(InputError::Vector { name: column.name.clone(), row: from });
                }
            }
            inputs.push(matrix.into());
        }
        for column in &self.categories {
            let values = categories(frame, &column.name)?;
            // f32 holds whole numbers up to 2²⁴ exactly.
            let code = |row: &usize| column.code(values[*row].as_ref()) as f32;
            inputs.push(Matrix::from_vec(rows.len(), 1, rows.iter().map(code).collect()).into());
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
                matrix.row_mut(to)[j] = within_range(column.scale.apply(value));
                if column.indicator && missing {
                    matrix.row_mut(to)[indicator] = 1.0;
                }
            }
            indicator += usize::from(column.indicator);
        }
        Ok(matrix)
    }
}

impl TextColumn {
    fn texts(&self, frame: &Frame, rows: &[usize]) -> Result<Texts, InputError> {
        let (tokens, of_row) = frame.tokens(&self.name).ok_or_else(|| InputError::NoTokens(self.name.clone()))?;
        let found = tokens.shape().hidden;
        if found != self.dim {
            return Err(InputError::Dimension { name: self.name.clone(), found, needed: self.dim });
        }
        Ok(Texts {
            tokens: Arc::clone(tokens),
            of_row: rows.iter().map(|&row| of_row[row]).collect(),
            normalize: self.normalize,
            factor: self.factor as f32,
        })
    }
}

/// A standardised value as a model takes it. A number that lies many orders of magnitude beyond those of the training rows is held where its
/// square and sums of such squares stay finite in 32 bits; it is as extreme there as anywhere.
pub(crate) fn within_range(value: f64) -> f32 {
    const LARGEST: f64 = 1e16;
    value.clamp(-LARGEST, LARGEST) as f32
}

/// Refuses a value that is infinite in 32 bits. Missing values (NaN) pass.
pub(crate) fn check_finite(
    name: &str,
    values: &[f64],
    mut rows: impl Iterator<Item = usize>,
) -> Result<(), InputError> {
    match rows.find(|&row| (values[row] as f32).is_infinite()) {
        Some(row) => Err(InputError::Infinite { name: name.into(), row, value: values[row] }),
        None => Ok(()),
    }
}

/// A numeric column's values.
pub(crate) fn numbers<'a>(frame: &'a Frame, name: &str) -> Result<&'a [f64], InputError> {
    match frame.columns.get(name) {
        Some(Column::Numeric(values)) => Ok(values),
        Some(other) => Err(InputError::Kind { name: name.into(), found: kind(other), needed: "numeric" }),
        None => Err(InputError::Missing(name.into())),
    }
}

/// The length of a column's vectors, and their components row after row.
pub(crate) fn vectors<'a>(frame: &'a Frame, name: &str) -> Result<(usize, &'a [f32]), InputError> {
    match frame.columns.get(name) {
        Some(Column::Vector { dim, values }) if *dim > 0 => Ok((*dim, values)),
        Some(other) => {
            Err(InputError::Kind { name: name.into(), found: kind(other), needed: "vectors (embed it first)" })
        }
        None => Err(InputError::Missing(name.into())),
    }
}

fn categories<'a>(frame: &'a Frame, name: &str) -> Result<&'a [Option<String>], InputError> {
    frame.categories(name).ok_or_else(|| InputError::Missing(name.into()))
}

pub(crate) fn texts<'a>(frame: &'a Frame, name: &str) -> Result<&'a [Option<String>], InputError> {
    frame.texts(name).ok_or_else(|| InputError::Missing(name.into()))
}

fn kind(column: &Column) -> &'static str {
    match column {
        Column::Numeric(_) => "numeric",
        Column::Text(_) => "text",
        Column::Vector { .. } => "vectors",
        Column::Tokens { .. } => "tokens",
    }
}

#[cfg(test)]
mod tests;
