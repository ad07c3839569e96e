//! Summary of one column, overall and per class: counts, moments, quantiles, outliers; for texts frequent values and lengths.

use serde::{Deserialize, Serialize};

use super::ClassGroup;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers, with or without a fraction.
    Numeric,
    /// Texts.
    Text,
}

/// One column of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// As in the table.
    pub name: String,
    /// Which of the two summaries there is.
    pub kind: ColumnKind,
    /// Rows with a value. `count + missing` is the number of rows.
    pub count: u64,
    /// Rows without a value.
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
    /// The rows' class.
    pub class: ClassGroup,
    /// Rows with a value.
    pub count: u64,
    /// Rows without a value.
    pub missing: u64,
    /// Different values.
    pub distinct: u64,
    /// Of a numeric column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub numeric: Option<NumericSummary>,
    /// Of a text column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<TextSummary>,
}

/// Figures in the column's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumericSummary {
    /// Of the values that are finite.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1); absent for a single value or when it overflows.
    pub standard_deviation: Option<f64>,
    /// Of the values that are finite.
    pub minimum: f64,
    /// Of the values that are finite.
    pub maximum: f64,
    /// Linear interpolation, as NumPy's default.
    pub quantiles: Quantiles,
    /// Tukey's fences: quartiles ∓ 1.5 interquartile ranges.
    pub lower_fence: Option<f64>,
    /// Absent, as the lower one, when it overflows.
    pub upper_fence: Option<f64>,
    /// Values below the lower fence.
    pub outliers_low: u64,
    /// Values above the upper fence.
    pub outliers_high: u64,
}

/// Quantiles at 1, 5, 25, 50, 75, 95 and 99 %, linearly interpolated (type 7 of Hyndman and Fan 1996, numpy's default).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// 1st percentile.
    pub p01: f64,
    /// 5th percentile.
    pub p05: f64,
    /// First quartile.
    pub p25: f64,
    /// Median.
    pub p50: f64,
    /// Third quartile.
    pub p75: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// Lengths and frequent values of a text column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextSummary {
    /// By falling count, then by first occurrence. Values are cut to 120 characters.
    pub most_frequent: Vec<ValueCount>,
    /// Values that occur once.
    pub unique: u64,
    /// Mean length in characters (Unicode scalar values).
    pub mean_length: f64,
    /// In characters.
    pub minimum_length: f64,
    /// In characters.
    pub maximum_length: f64,
    /// Lengths in characters.
    pub length_quantiles: Quantiles,
}

/// A value and how often it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueCount {
    /// As in the table.
    pub value: String,
    /// Rows that have it.
    pub rows: u64,
}
