//! `Filter`: which rows of a table to keep, as a map from column to condition.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::column_type::ColumnType;
use super::condition::{Condition, OneOrMany, Tests};
use super::exact::Exact;
use super::filter_error::{FilterError, Unmatched};
use super::filter_text::Texts;
use super::names;
use super::scalar::Scalar;
use super::words::did_you_mean;
use runner_names::suggest;

/// Conditions by column, e.g. `{playlist_genre: [pop, rap], tempo: {min: 60}}`; a row must meet them all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Filter(#[schemars(with = "BTreeMap<String, Condition>")] pub IndexMap<String, Condition>);

/// The rows that a filter keeps.
#[derive(Clone, Debug)]
pub struct Filtered {
    /// The rows that are left.
    pub batch: RecordBatch,
    /// For every row of the table before, whether it is kept.
    pub(crate) keep: Vec<bool>,
    /// Values of conditions that occur nowhere, as a slip of the pen does; ten at most.
    pub unmatched: Vec<Unmatched>,
}

/// Values that are told of.
const UNMATCHED_SHOWN: usize = 10;

/// Distinct texts among which a similar one is looked for.
const CANDIDATES: usize = 1000;

impl Filter {
    /// Conditions that no value can meet, by column.
    pub fn contradictions(&self) -> impl Iterator<Item = (&str, String)> {
        let found = |(column, condition): (&'_ String, &'_ Condition)| -> Option<String> {
            match condition {
                Condition::OneOf(values) if values.is_empty() => {
                    Some(format!("'{column}' can be none of an empty list"))
                }
                Condition::Tests(Tests { min: Some(min), max: Some(max), .. }) => {
                    let crossed = match (min, max) {
                        (Scalar::Text(min), Scalar::Text(max)) => min > max,
                        (Scalar::Integer(min), Scalar::Integer(max)) => min > max,
                        (min, max) => min.number().zip(max.number()).is_some_and(|(min, max)| min > max),
                    };
                    crossed.then(|| format!("min must be at most max; got {min} and {max}"))
                }
                _ => None,
            }
        };
        self.0.iter().filter_map(move |entry| Some((entry.0.as_str(), found(entry)?)))
    }

    /// What can be said of the condition on `column` where it is known to hold values of that type: the error that [`Filter::apply`] would give.
    pub fn misfit(&self, column: &str, holds: ColumnType) -> Option<FilterError> {
        let bounds = Bounds::of(self.0.get(column)?);
        let fits = match holds {
            // Which text a listed value means depends on the texts that there are.
            ColumnType::Text => bounds.map_each(|_| Ok(()), |bound| bound.as_bound(column).map(drop)).map(drop),
            ColumnType::Integer => bounds.map(|scalar| scalar.as_number(column, true)).map(drop),
            ColumnType::Number => bounds.map(|scalar| scalar.as_number(column, false)).map(drop),
        };
        fits.err()
    }

    /// The conditions on columns of which `is_wanted` holds.
    pub fn only(&self, is_wanted: impl Fn(&str) -> bool) -> Filter {
        Filter(self.0.iter().filter(|(column, _)| is_wanted(column)).map(|(c, t)| (c.clone(), t.clone())).collect())
    }

    /// The columns that the conditions read, in the order written.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether every row passes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows that meet all conditions, of which there must be some. Columns may be text, boolean, dictionary or numeric.
    pub fn apply(&self, batch: &RecordBatch) -> Result<Filtered, FilterError> {
        if self.is_empty() {
            return Ok(Filtered { batch: batch.clone(), keep: vec![true; batch.num_rows()], unmatched: Vec::new() });
        }
        let (keep, unmatched) = self.evaluate(batch)?;
        if !keep.contains(&true) {
            return Err(FilterError::NothingLeft { rows: batch.num_rows(), unmatched });
        }
        let kept = filter_record_batch(batch, &BooleanArray::from(keep.clone()));
        let batch = kept.map_err(|error| FilterError::Arrow(error.to_string()))?;
        Ok(Filtered { batch, keep, unmatched })
    }

    /// For every row of `batch`, whether it meets all conditions.
    ///
    /// ```
    /// use runner_tabular::{Filter, Input, LoadOptions, load};
    ///
    /// let bytes = b"genre,tempo\npop,120\nrock,90\npop,80\n";
    /// let input = Input { name: "all", path: "songs.csv", bytes };
    /// let loaded = load(&[input], &LoadOptions::default()).expect("a table");
    /// let filter: Filter = serde_yaml::from_str("{genre: pop, tempo: {min: 100}}").expect("a filter");
    /// assert_eq!(filter.rows(&loaded.batch), Ok(vec![true, false, false]));
    /// ```
    pub fn rows(&self, batch: &RecordBatch) -> Result<Vec<bool>, FilterError> {
        self.evaluate(batch).map(|(keep, _)| keep)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<(Vec<bool>, Vec<Unmatched>), FilterError> {
        let mut keep = vec![true; batch.num_rows()];
        let (mut unmatched, mut errors) = (Vec::new(), Vec::new());
        for (name, condition) in &self.0 {
            errors.extend(narrow(name, condition, batch, &mut keep, &mut unmatched).err());
        }
        match errors.len() {
            0 => Ok((keep, unmatched)),
            1 => Err(errors.remove(0)),
            _ => Err(FilterError::Several(errors)),
        }
    }
}

/// Turns off the rows that do not meet the condition, and notes its values that no row has.
fn narrow(
    name: &str,
    condition: &Condition,
    batch: &RecordBatch,
    keep: &mut [bool],
    unmatched: &mut Vec<Unmatched>,
) -> Result<(), FilterError> {
    let meant = names::meant(name, |name| batch.column_by_name(name).is_some());
    let column = meant.and_then(|name| batch.column_by_name(&name)).ok_or_else(|| {
        let schema = batch.schema_ref();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        FilterError::UnknownColumn { name: name.to_owned(), suggestion: suggest(name, names).map(str::to_owned) }
    })?;
    let bounds = Bounds::of(condition);
    if column.null_count() == column.len() {
        // Without a value it has no type that a condition could miss.
        let bounds = bounds.map(|scalar| Ok(scalar.to_string()))?;
        bounds.narrow(std::iter::repeat_n(None, column.len()), keep);
        return Ok(());
    }
    let (cells, mut texts) = (cells(name, column)?, Vec::new());
    let seen = match &cells {
        Cells::Text(cells) => {
            let cells = cells.as_string::<i32>();
            let known = Texts::new(cells.iter().flatten());
            let owned = bounds.map_each(|scalar| known.meant(scalar, name), |bound| bound.as_bound(name))?;
            let bounds = owned.map(|text| Ok(text.as_str()))?;
            let seen = bounds.narrow(cells.iter(), keep);
            if seen.contains(&false) {
                texts = known.iter().take(CANDIDATES).collect();
            }
            seen
        }
        Cells::Boolean(cells) => {
            let bounds = bounds.map(|scalar| scalar.as_boolean(name))?;
            bounds.narrow(cells.as_boolean().iter(), keep)
        }
        Cells::Integer(cells) => {
            let integers = cells.as_primitive::<Int64Type>().iter();
            let bounds = bounds.map(|scalar| scalar.as_number(name, true))?;
            bounds.narrow(integers.map(|x| x.map(|x| Exact::Integer(x.into()))), keep)
        }
        Cells::Unsigned(cells) => {
            let integers = cells.as_primitive::<UInt64Type>().iter();
            let bounds = bounds.map(|scalar| scalar.as_number(name, true))?;
            bounds.narrow(integers.map(|x| x.map(|x| Exact::Integer(x.into()))), keep)
        }
        Cells::Number(cells) => {
            let bounds = bounds.map(|scalar| scalar.as_number(name, false))?;
            // NaN counts as missing, as it does when a file is loaded.
            let numbers = cells.as_primitive::<Float64Type>().iter();
            bounds.narrow(numbers.map(|x| x.filter(|x| !x.is_nan()).map(Exact::Float)), keep)
        }
    };
    for (value, _) in bounds.listed().zip(seen).filter(|(_, seen)| !seen) {
        if unmatched.len() < UNMATCHED_SHOWN {
            let similar = match value {
                Scalar::Text(text) => suggest(text, texts.iter().copied()).map(str::to_owned),
                _ => None,
            };
            let (value, hint) = ((*value).clone(), did_you_mean(&similar));
            unmatched.push(Unmatched { column: name.to_owned(), value, hint });
        }
    }
    Ok(())
}

/// A column in one of the few forms that conditions are evaluated on.
enum Cells {
    Text(ArrayRef),
    Boolean(ArrayRef),
    Integer(ArrayRef),
    Unsigned(ArrayRef),
    Number(ArrayRef),
}

fn cells(name: &str, column: &ArrayRef) -> Result<Cells, FilterError> {
    let data_type = match column.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    Ok(match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Cells::Text(to(name, column, &DataType::Utf8)?),
        DataType::Boolean => Cells::Boolean(to(name, column, &DataType::Boolean)?),
        // Half of the unsigned 64-bit integers have no signed form.
        DataType::UInt64 => Cells::Unsigned(to(name, column, &DataType::UInt64)?),
        t if t.is_integer() => Cells::Integer(to(name, column, &DataType::Int64)?),
        t if t.is_numeric() => Cells::Number(to(name, column, &DataType::Float64)?),
        _ => return Err(unsupported(name, column)),
    })
}

fn to(name: &str, column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, FilterError> {
    cast(column, data_type).map_err(|_| unsupported(name, column))
}

fn unsupported(name: &str, column: &ArrayRef) -> FilterError {
    FilterError::Unsupported { column: name.to_owned(), data_type: column.data_type().to_string() }
}

/// A condition in one form for all its spellings, over the type of the column's cells.
struct Bounds<T> {
    one_of: Option<Vec<T>>,
    none_of: Vec<T>,
    min: Option<T>,
    max: Option<T>,
    missing: Option<bool>,
}

impl<'a> Bounds<&'a Scalar> {
    fn of(condition: &'a Condition) -> Self {
        let mut bounds = Bounds { one_of: None, none_of: Vec::new(), min: None, max: None, missing: None };
        match condition {
            Condition::Is(scalar) => bounds.one_of = Some(vec![scalar]),
            Condition::OneOf(scalars) => bounds.one_of = Some(scalars.iter().collect()),
            Condition::Tests(tests) => {
                bounds.min = tests.min.as_ref();
                bounds.max = tests.max.as_ref();
                bounds.missing = tests.missing;
                bounds.none_of = match &tests.not {
                    None => Vec::new(),
                    Some(OneOrMany::One(scalar)) => vec![scalar],
                    Some(OneOrMany::Many(scalars)) => scalars.iter().collect(),
                };
            }
        }
        bounds
    }

    /// The values that cells are compared with for equality.
    fn listed(&self) -> impl Iterator<Item = &'a Scalar> {
        self.one_of.iter().flatten().chain(&self.none_of).copied()
    }
}

impl<T> Bounds<T> {
    fn map<'a, U>(&'a self, convert: impl Fn(&'a T) -> Result<U, FilterError>) -> Result<Bounds<U>, FilterError> {
        self.map_each(&convert, &convert)
    }

    /// `listed` converts what cells are to be equal to, `bound` the smallest and the largest.
    fn map_each<'a, U>(
        &'a self,
        listed: impl Fn(&'a T) -> Result<U, FilterError>,
        bound: impl Fn(&'a T) -> Result<U, FilterError>,
    ) -> Result<Bounds<U>, FilterError> {
        let list = |values: &'a [T]| values.iter().map(&listed).collect::<Result<Vec<U>, _>>();
        Ok(Bounds {
            one_of: self.one_of.as_deref().map(list).transpose()?,
            none_of: list(&self.none_of)?,
            min: self.min.as_ref().map(&bound).transpose()?,
            max: self.max.as_ref().map(&bound).transpose()?,
            missing: self.missing,
        })
    }
}

impl<T: PartialOrd> Bounds<T> {
    /// Turns off the rows that do not pass, and says of each listed value whether any cell has it.
    fn narrow(&self, cells: impl Iterator<Item = Option<T>>, keep: &mut [bool]) -> Vec<bool> {
        let wanted = self.one_of.as_deref().unwrap_or(&[]);
        let mut seen = vec![false; wanted.len() + self.none_of.len()];
        for (keep, cell) in keep.iter_mut().zip(cells) {
            let place = |values: &[T]| cell.as_ref().and_then(|cell| values.iter().position(|value| value == cell));
            let (is_wanted, is_unwanted) = (place(wanted), place(&self.none_of));
            is_wanted.into_iter().chain(is_unwanted.map(|at| at + wanted.len())).for_each(|at| seen[at] = true);
            let listed = (self.one_of.is_none() || is_wanted.is_some()) && is_unwanted.is_none();
            *keep = *keep && listed && self.is_within(cell.as_ref());
        }
        seen
    }

    fn is_within(&self, cell: Option<&T>) -> bool {
        if self.missing.is_some_and(|missing| missing != cell.is_none()) {
            return false;
        }
        match cell {
            None => self.min.is_none() && self.max.is_none(),
            Some(cell) => {
                self.min.as_ref().is_none_or(|min| cell >= min) && self.max.as_ref().is_none_or(|max| cell <= max)
            }
        }
    }
}
