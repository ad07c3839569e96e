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
    /// Wilson's score interval of a share of the rows.
    Wilson,
    /// The same with as many rows as would tell as much if they stood alone, by the design effect of their groups (Korn and Graubard 1998).
    GroupWilson,
    /// Tango's score interval of the difference of two shares of the same rows (or groups).
    Tango,
}

/// A figure over all rows with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// On the rows themselves.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How the ends were found.
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

/// The normal distribution's quantile of a 95 % interval.
pub const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval of a share of `n` rows that stand alone (1927, JASA 22:209); `z` is the normal distribution's quantile.
pub fn wilson(share: f64, n: f64, z: f64) -> (f64, f64) {
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let reach = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - reach).max(0.0), (centre + reach).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    // from scipy.stats import binomtest
    // for k, n in ((50, 100), (0, 10), (5043, 7050)):
    //     print(binomtest(k, n).proportion_ci(method="wilson"))
    // 0.4038315303659956 0.5961684696340044; 0.0 0.27753279986288926; 0.704670364124166 0.7257334119918312
    #[test]
    fn intervals_agree_with_scipy() {
        for (hits, rows, low, high) in [
            (50.0, 100.0, 0.403_831_530_365_995_6, 0.596_168_469_634_004_4),
            (0.0, 10.0, 0.0, 0.277_532_799_862_889_26),
            (5043.0, 7050.0, 0.704_670_364_124_166, 0.725_733_411_991_831_2),
        ] {
            let (found_low, found_high) = wilson(hits / rows, rows, Z);
            assert!((found_low - low).abs() < 1e-9 && (found_high - high).abs() < 1e-9, "{found_low} {found_high}");
        }
    }
}
