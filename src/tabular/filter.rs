//! `Filter`: which rows of a table to keep, as a map from column to condition.
//!
//! Knows nothing of where the table comes from.

use std::collections::BTreeMap;
use std::fmt;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::error::{did_you_mean, nearest};
use super::names;

/// Conditions by column, e.g. `{playlist_genre: [pop, rap], tempo: {min: 60}}`; a row must meet them all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Filter(#[schemars(with = "BTreeMap<String, Condition>")] pub IndexMap<String, Condition>);

/// A condition on one column: the value, a list of which one must match, or tests.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Condition {
    Is(Scalar),
    OneOf(Vec<Scalar>),
    Tests(Tests),
}

/// Tests that must all hold. A missing value passes `not`, and fails `min` and `max`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tests {
    /// The smallest value that passes. Texts compare by their characters, so ISO dates work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Scalar>,
    /// The largest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Scalar>,
    /// The value or values that do not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<OneOrMany>,
    /// `true`: only missing values pass; `false`: only present ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<bool>,
}

/// A value or a list of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text, a number, true or false, or a list of these")]
pub enum OneOrMany {
    One(Scalar),
    Many(Vec<Scalar>),
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text, a number, true or false")]
pub enum Scalar {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

/// Why a filter does not fit a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FilterError {
    #[error("there is no column '{name}'{}", did_you_mean(.suggestion))]
    UnknownColumn { name: String, suggestion: Option<String> },
    #[error("column '{column}' holds {holds}, which cannot be compared with {value} ({remedy})")]
    Incomparable { column: String, holds: &'static str, value: String, remedy: &'static str },
    #[error("column '{column}' of type {data_type} cannot be filtered (only texts, numbers and booleans can)")]
    Unsupported { column: String, data_type: String },
}

impl Filter {
    /// The columns that the conditions read, in the order written.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For every row of `batch`, whether it meets all conditions. Columns may be text, boolean, dictionary or numeric.
    pub fn rows(&self, batch: &RecordBatch) -> Result<Vec<bool>, FilterError> {
        let mut keep = vec![true; batch.num_rows()];
        for (name, condition) in &self.0 {
            let meant = names::meant(name, |name| batch.column_by_name(name).is_some());
            let column = meant.and_then(|name| batch.column_by_name(&name)).ok_or_else(|| {
                let schema = batch.schema_ref();
                let names = schema.fields().iter().map(|field| field.name().as_str());
                FilterError::UnknownColumn { name: name.clone(), suggestion: nearest(name, names) }
            })?;
            let bounds = Bounds::of(condition);
            if column.null_count() == column.len() {
                // Without a value it has no type that a condition could miss.
                let bounds = bounds.map(|scalar| Ok(scalar.to_string()))?;
                bounds.narrow(std::iter::repeat_n(None, column.len()), &mut keep);
                continue;
            }
            match cells(name, column)? {
                Cells::Text(cells) => {
                    let owned = bounds.map(|scalar| scalar.as_text(name))?;
                    let bounds = owned.map(|text| Ok(text.as_str()))?;
                    bounds.narrow(cells.as_string::<i32>().iter(), &mut keep);
                }
                Cells::Boolean(cells) => {
                    let bounds = bounds.map(|scalar| scalar.as_boolean(name))?;
                    bounds.narrow(cells.as_boolean().iter(), &mut keep);
                }
                // Integers meet integers exactly: as floats, ids above 2^53 would run together.
                Cells::Integer(cells) if bounds.all().all(Scalar::is_integer) => {
                    let bounds = bounds.map(|scalar| scalar.as_integer(name))?;
                    bounds.narrow(cells.as_primitive::<Int64Type>().iter(), &mut keep);
                }
                Cells::Integer(cells) | Cells::Number(cells) => {
                    let cells = to(name, &cells, &DataType::Float64)?;
                    let bounds = bounds.map(|scalar| scalar.as_number(name))?;
                    // NaN counts as missing, as it does when a file is loaded.
                    let numbers = cells.as_primitive::<Float64Type>().iter();
                    bounds.narrow(numbers.map(|x| x.filter(|x| !x.is_nan())), &mut keep);
                }
            }
        }
        Ok(keep)
    }
}

/// A column in one of the few forms that conditions are evaluated on.
enum Cells {
    Text(ArrayRef),
    Boolean(ArrayRef),
    Integer(ArrayRef),
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
        // Unsigned 64-bit integers go the way of floats: half of them have no signed form.
        t if t.is_integer() && *t != DataType::UInt64 => Cells::Integer(to(name, column, &DataType::Int64)?),
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

    fn all(&self) -> impl Iterator<Item = &'a Scalar> {
        let lists = self.one_of.iter().flatten().chain(&self.none_of);
        lists.chain(&self.min).chain(&self.max).copied()
    }
}

impl<T> Bounds<T> {
    fn map<'a, U>(&'a self, convert: impl Fn(&'a T) -> Result<U, FilterError>) -> Result<Bounds<U>, FilterError> {
        let list = |values: &'a [T]| values.iter().map(&convert).collect::<Result<Vec<U>, _>>();
        Ok(Bounds {
            one_of: self.one_of.as_deref().map(list).transpose()?,
            none_of: list(&self.none_of)?,
            min: self.min.as_ref().map(&convert).transpose()?,
            max: self.max.as_ref().map(&convert).transpose()?,
            missing: self.missing,
        })
    }
}

impl<T: PartialOrd> Bounds<T> {
    fn narrow(&self, cells: impl Iterator<Item = Option<T>>, keep: &mut [bool]) {
        for (keep, cell) in keep.iter_mut().zip(cells) {
            *keep = *keep && self.admits(cell.as_ref());
        }
    }

    fn admits(&self, cell: Option<&T>) -> bool {
        if self.missing.is_some_and(|missing| missing != cell.is_none()) {
            return false;
        }
        match cell {
            None => self.one_of.is_none() && self.min.is_none() && self.max.is_none(),
            Some(cell) => {
                self.one_of.as_ref().is_none_or(|values| values.contains(cell))
                    && !self.none_of.contains(cell)
                    && self.min.as_ref().is_none_or(|min| cell >= min)
                    && self.max.as_ref().is_none_or(|max| cell <= max)
            }
        }
    }
}

impl Scalar {
    fn is_integer(&self) -> bool {
        matches!(self, Scalar::Integer(_))
    }

    /// As YAML reads `1` and `true` without quotes, they may well mean a class of that name.
    fn as_text(&self, column: &str) -> Result<String, FilterError> {
        match self {
            Scalar::Text(text) => Ok(text.clone()),
            Scalar::Integer(number) => Ok(number.to_string()),
            Scalar::Boolean(value) => Ok(value.to_string()),
            // 1.10 and 1.1 are one number but two texts.
            Scalar::Number(_) => Err(self.incomparable(column, "text", "put the value in quotes")),
        }
    }

    fn as_boolean(&self, column: &str) -> Result<bool, FilterError> {
        match self {
            Scalar::Boolean(value) => Ok(*value),
            _ => Err(self.incomparable(column, "booleans", "write true or false")),
        }
    }

    fn as_integer(&self, column: &str) -> Result<i64, FilterError> {
        match self {
            Scalar::Integer(number) => Ok(*number),
            _ => Err(self.incomparable(column, "integers", "write an integer")),
        }
    }

    fn as_number(&self, column: &str) -> Result<f64, FilterError> {
        match self {
            Scalar::Integer(number) => Ok(*number as f64),
            Scalar::Number(number) => Ok(*number),
            _ => Err(self.incomparable(column, "numbers", "write a number without quotes")),
        }
    }

    fn incomparable(&self, column: &str, holds: &'static str, remedy: &'static str) -> FilterError {
        let value = self.to_string();
        FilterError::Incomparable { column: column.to_owned(), holds, value, remedy }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Boolean(value) => value.fmt(f),
            Scalar::Integer(value) => value.fmt(f),
            Scalar::Number(value) => value.fmt(f),
            Scalar::Text(value) => write!(f, "'{value}'"),
        }
    }
}

/// By hand, because an untagged enum answers a misspelt `mn:` with "no variant matched".
impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConditionVisitor)
    }
}

struct ConditionVisitor;

impl<'de> Visitor<'de> for ConditionVisitor {
    type Value = Condition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list of values, or a map of min, max, not, missing")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Integer(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Condition, E> {
        Ok(Condition::Is(i64::try_from(value).map_or(Scalar::Number(value as f64), Scalar::Integer)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Number(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Text(value.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Condition, E> {
        Err(E::custom("a condition is empty (for missing values write `{missing: true}`)"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Condition, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Condition::OneOf)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Condition, A::Error> {
        let tests = Tests::deserialize(MapAccessDeserializer::new(map))?;
        if tests == Tests::default() {
            return Err(A::Error::custom("a condition needs one of min, max, not, missing"));
        }
        Ok(Condition::Tests(tests))
    }
}
