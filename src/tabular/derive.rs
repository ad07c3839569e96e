//! `Derivation`: a new column computed from one column, row by row.

use std::f64::consts::TAU;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::date::year;
use super::options::ColumnType;

/// How a derived column is made, e.g. `{sin_of: key, period: 12}`. A missing value stays missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields, try_from = "Written")]
#[schemars(!try_from)]
pub enum Derivation {
    /// The year of a date (as `Int64`), e.g. `2021`, `2021-09-25`, `2021/09/25`, `25.09.2021`, `20210925`, `25 Sep 2021` or `September 25, 2021`,
    /// also with a time of day; of `2021-00-00` the month and day are unknown; anything else, as a year of two digits, gives a missing value.
    Year {
        /// The column that is read.
        year_of: String,
    },
    /// sin(2π·x / period), for values that come round again, e.g. musical keys with period 12.
    Sine {
        /// The column that is read.
        sin_of: String,
        /// After how much the values come round again.
        period: f64,
    },
    /// cos(2π·x / period), the companion of the sine.
    Cosine {
        /// The column that is read.
        cos_of: String,
        /// After how much the values come round again.
        period: f64,
    },
    /// The natural logarithm; zero and negative numbers give a missing value.
    Logarithm {
        /// The column that is read.
        log_of: String,
    },
}

impl Derivation {
    /// The column that is read.
    pub fn source(&self) -> &str {
        match self {
            Derivation::Year { year_of: name }
            | Derivation::Sine { sin_of: name, .. }
            | Derivation::Cosine { cos_of: name, .. }
            | Derivation::Logarithm { log_of: name } => name,
        }
    }

    /// Whether it can be made of numbers only.
    pub fn needs_numbers(&self) -> bool {
        !matches!(self, Derivation::Year { .. })
    }

    /// What the derived column holds.
    pub fn gives(&self) -> ColumnType {
        match self {
            Derivation::Year { .. } => ColumnType::Integer,
            _ => ColumnType::Number,
        }
    }

    /// What the derivation can be made of, for messages.
    pub(super) fn domain(&self) -> &'static str {
        match self {
            Derivation::Year { .. } => {
                "dates such as 2021, 2021-09-25, 25/09/2021, 25 Sep 2021 and September 25, 2021 are read; a year needs four digits"
            }
            Derivation::Logarithm { .. } => "only positive numbers have a logarithm",
            Derivation::Sine { .. } | Derivation::Cosine { .. } => {
                "the value divided by the period is too large for a number: is the period right?"
            }
        }
    }

    /// The type of the derived column.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Derivation::Year { .. } => DataType::Int64,
            _ => DataType::Float64,
        }
    }

    /// The derived column, as long as `column`; `None` when a number is needed and the column holds texts.
    pub(super) fn apply(&self, column: &ArrayRef) -> Option<ArrayRef> {
        if column.null_count() == column.len() {
            // Nothing tells of which type a column without a value is.
            return Some(new_null_array(&self.data_type(), column.len()));
        }
        if let Derivation::Year { .. } = self {
            let text = cast(column, &DataType::Utf8).ok()?;
            let years: Int64Array = text.as_string::<i32>().iter().map(|t| year(t?)).collect();
            return Some(Arc::new(years));
        }
        if !column.data_type().is_numeric() {
            return None;
        }
        let numbers = cast(column, &DataType::Float64).ok()?;
        let values = numbers.as_primitive::<Float64Type>().iter();
        // What overflows, as x / period of a tiny period, has no sine.
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let derived: Float64Array = match self {
            Derivation::Sine { period, .. } => values.map(|x| finite((TAU * (x? / period)).sin())).collect(),
            Derivation::Cosine { period, .. } => values.map(|x| finite((TAU * (x? / period)).cos())).collect(),
            _ => values.map(|x| x.filter(|x| *x > 0.0).map(f64::ln)).collect(),
        };
        Some(Arc::new(derived))
    }
}

/// The YAML form: all keys optional, so that a slip gets a message of its own instead of "no variant matched".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    year_of: Option<String>,
    sin_of: Option<String>,
    cos_of: Option<String>,
    log_of: Option<String>,
    period: Option<f64>,
}

impl TryFrom<Written> for Derivation {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let period = |name: &str| match written.period {
            Some(period) if period.is_finite() && period > 0.0 => Ok(period),
            Some(period) => Err(format!("the period of '{name}' must be positive, not {period}")),
            None => Err(format!("'{name}' needs a period (e.g. `period: 12`)")),
        };
        let derivation = match (written.year_of, written.sin_of, written.cos_of, written.log_of) {
            (Some(year_of), None, None, None) => Derivation::Year { year_of },
            (None, Some(sin_of), None, None) => {
                let period = period(&sin_of)?;
                return Ok(Derivation::Sine { sin_of, period });
            }
            (None, None, Some(cos_of), None) => {
                let period = period(&cos_of)?;
                return Ok(Derivation::Cosine { cos_of, period });
            }
            (None, None, None, Some(log_of)) => Derivation::Logarithm { log_of },
            _ => return Err("give exactly one of year_of, sin_of, cos_of, log_of".to_owned()),
        };
        match written.period {
            Some(_) => Err("a period belongs to sin_of and cos_of only".to_owned()),
            None => Ok(derivation),
        }
    }
}
