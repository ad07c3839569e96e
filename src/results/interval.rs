//! Intervals of confidence.

use serde::{Deserialize, Serialize};

/// A figure over all rows, and the percentiles of its bootstrap distribution (Efron 1979).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
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
