//! Numeric columns: the kinds of scaling, how each is fitted and applied.
//!
//! Knows nothing of frames.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantile::{QUANTILES, interpolated, normal_score, quantiles};
use super::to_12_digits;

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
    Standard {
        mean: f64,
        deviation: f64,
    },
    Robust {
        center: f64,
        factor: f64,
    },
    /// Evenly spaced quantiles, the smallest first.
    Quantile {
        quantiles: Vec<f64>,
    },
}

impl Scale {
    pub(super) fn apply(&self, value: f64) -> f64 {
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

/// Fits a column to its training values; NaN is missing.
pub(super) fn fit_numeric(
    name: &str,
    values: impl Iterator<Item = f64>,
    scaling: Scaling,
    indicators: bool,
) -> NumericColumn {
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
    let at = |share: f64| interpolated(&present, share);
    let scale = match scaling {
        Scaling::Standard => {
            let count = present.len() as f64;
            let mean = present.iter().sum::<f64>() / count;
            let variance = present.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            // Of a constant column only rounding is left; it carries nothing and must not be blown up.
            let deviation = variance.sqrt();
            let constant = deviation <= 1e-12 * mean.abs() || deviation == 0.0;
            Scale::Standard {
                mean: to_12_digits(mean),
                deviation: if constant { 1.0 } else { to_12_digits(deviation) },
            }
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
            Scale::Robust { center: to_12_digits(at(0.5)), factor: to_12_digits(factor) }
        }
        Scaling::Quantile => {
            Scale::Quantile { quantiles: quantiles(&present, QUANTILES).into_iter().map(to_12_digits).collect() }
        }
    };
    NumericColumn { name: name.into(), median: to_12_digits(at(0.5)), indicator: missing && indicators, scale }
}
