//! Numeric columns: the kinds of scaling, how each is fitted and applied.

use runner_results::spec::Scaling;
use serde::{Deserialize, Serialize};

use super::quantile::{QUANTILES, normal_score, quantiles};
use crate::stats::quantile;

/// A numeric column as it was in the training part. Its figures are exact, also once they have been through JSON (`float_roundtrip` of serde_json): rounded to 12 digits, values far from zero, such as milliseconds since 1970, would merge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericColumn {
    /// As in the table.
    pub name: String,
    /// Stands in for a missing value, before scaling.
    pub(crate) median: f64,
    /// Adds an input that is 1 where the value is missing.
    pub(crate) indicator: bool,
    pub(crate) scale: Scale,
}

/// A fitted scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Scale {
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
    let at = |share: f64| quantile(&present, share);
    let scale = match scaling {
        Scaling::Standard => {
            let (mean, deviation) = moments(present.iter().copied());
            Scale::Standard { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
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
            // The reciprocal of the smallest numbers that there are is infinite.
            let factor = factor.min(f64::MAX);
            Scale::Robust { center: at(0.5), factor }
        }
        Scaling::Quantile => Scale::Quantile { quantiles: quantiles(&present, QUANTILES) },
    };
    NumericColumn { name: name.into(), median: at(0.5), indicator: missing && indicators, scale }
}

/// Mean and population deviation. Of equal values the deviation is 0 and the mean their value, without the rest that rounding
/// leaves and that must not be blown up.
///
/// Far from zero rounding takes more from a sum than the values differ by; a second pass gives it back.
pub(crate) fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let Some(first) = values.clone().next() else { return (0.0, 0.0) };
    let (mut count, mut sum, mut constant) = (0.0, 0.0, true);
    for value in values.clone() {
        count += 1.0;
        sum += value;
        constant &= value == first;
    }
    if constant {
        return (first, 0.0);
    }
    let rounded = sum / count;
    let mean = rounded + values.clone().map(|value| value - rounded).sum::<f64>() / count;
    let unit = unit(values.clone().map(|value| (value - mean).abs()).fold(0.0, f64::max));
    let squares = values.map(|value| ((value - mean) / unit).powi(2)).sum::<f64>();
    (mean, unit * (squares / count).sqrt())
}

/// What deviations of at most this size are divided by so that their squares neither vanish nor overflow: p values of 1e-200 are no constant. 1 of sizes whose
/// squares do neither.
pub(crate) fn unit(largest: f64) -> f64 {
    const SQUARABLE: std::ops::Range<f64> = 1e-140..1e140;
    if largest == 0.0 || !largest.is_finite() || SQUARABLE.contains(&largest) { 1.0 } else { largest }
}
