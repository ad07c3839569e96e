//! Intervals of confidence.

use serde::{Deserialize, Serialize};

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Percentiles over resamples of the rows (Efron 1979).
    Bootstrap,
    /// The same over resamples of whole groups of rows.
    GroupBootstrap,
    /// Wilson's score interval of a share of the rows; of groups that all say the same, with a row for each group.
    Wilson,
    /// Tango's score interval of the difference of two shares of the same rows (or groups).
    Tango,
}

/// A figure over all rows with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
    pub method: IntervalMethod,
}

impl Interval {
    /// The interval, where the resamples differ: of one figure that all of them have, they tell nothing of how far it would move.
    pub fn varied(self) -> Option<Interval> {
        (self.low < self.high).then_some(self)
    }

    /// Whether zero lies outside.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}
