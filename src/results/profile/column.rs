//! Summary of one column, overall and per class: counts, moments, quantiles, outliers; for texts frequent values and lengths.

use serde::{Deserialize, Serialize};

use super::ClassGroup;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    Numeric,
    Text,
}

/// One column of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    pub name: String,
    pub kind: ColumnKind,
    /// Rows with a value. `count + missing` is the number of rows.
    pub count: u64,
    pub missing: u64,
    /// Of the missing ones, how many were infinite.
    pub infinite: u64,
    /// Different values, missing not counted.
    pub distinct: u64,
    /// Present for a numeric column with at least one value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub numeric: Option<NumericSummary>,
    /// Present for a text column with at least one value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<TextSummary>,
    /// The same over the labelled rows of each of the profile's `class_groups`; of a table with more than 40 columns only for the 40 most
    /// relevant ones.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub by_class: Vec<ClassColumn>,
}

/// One column within one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassColumn {
    pub class: ClassGroup,
    pub count: u64,
    pub missing: u64,
    pub distinct: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub numeric: Option<NumericSummary>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<TextSummary>,
}

/// Figures in the column's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumericSummary {
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1); absent for a single value or when it overflows.
    pub standard_deviation: Option<f64>,
    pub minimum: f64,
    pub maximum: f64,
    pub quantiles: Quantiles,
    /// Tukey's fences: quartiles ∓ 1.5 interquartile ranges.
    pub lower_fence: Option<f64>,
    pub upper_fence: Option<f64>,
    /// Values below the lower fence.
    pub outliers_low: u64,
    /// Values above the upper fence.
    pub outliers_high: u64,
}

/// Quantiles at 1, 5, 25, 50, 75, 95 and 99 %, linearly interpolated (type 7 of Hyndman and Fan 1996, numpy's default).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    pub p01: f64,
    pub p05: f64,
    pub p25: f64,
    pub p50: f64,
    pub p75: f64,
    pub p95: f64,
    pub p99: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextSummary {
    /// By falling count, then by first occurrence. Values are cut to 120 characters.
    pub most_frequent: Vec<ValueCount>,
    /// Values that occur once.
    pub unique: u64,
    /// Mean length in characters (Unicode scalar values).
    pub mean_length: f64,
    pub minimum_length: f64,
    pub maximum_length: f64,
    /// Lengths in characters.
    pub length_quantiles: Quantiles,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueCount {
    pub value: String,
    pub rows: u64,
}
