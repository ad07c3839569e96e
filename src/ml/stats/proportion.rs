//! Intervals of shares, right at 0 and 1, where every resample of a bootstrap says the same and its interval has no width.

use super::Clusters;
use super::special::{normal_tail, student_tails};
use runner_results::interval::wilson;
use runner_results::{Interval, IntervalMethod};

/// With more degrees of freedom Student's distribution is the normal one.
const MANY: f64 = 10_000.0;

/// The two-sided quantile of Student's distribution with this freedom, e.g. 2.26 for 0.95 and 9; without one that of the normal distribution.
pub(super) fn quantile(level: f64, freedom: Option<usize>) -> f64 {
    let tails = |at: f64| match freedom {
        Some(freedom) => student_tails(at, freedom),
        None => 2.0 * normal_tail(at),
    };
    let (mut low, mut high) = (0.0, 1e3);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if tails(middle) > 1.0 - level { low = middle } else { high = middle }
    }
    high
}

impl Clusters {
    /// How many rows that stand alone would tell as much of a share that none of the groups contradicts: of few groups fewer than there are, by (z / t)²
    /// (Korn and Graubard 1998, Survey Methodology 24:193).
    fn independent(&self, level: f64) -> f64 {
        let effective = self.effective();
        if self.groups().is_none() || effective > MANY {
            return effective;
        }
        let freedom = (effective.floor() as usize).saturating_sub(1).max(1);
        effective * (quantile(level, None) / quantile(level, Some(freedom))).powi(2)
    }

    /// Wilson's score interval of a share of the rows (1927, JASA 22:209). Of groups it takes each for one row, which is right only where all their
    /// rows agree: at 0 and at 1. `None` where nothing can vary.
    pub(crate) fn share(&self, share: f64, level: f64) -> Option<(f64, f64)> {
        self.can_vary().then(|| wilson(share, self.independent(level), quantile(level, None)))
    }

    /// The interval of a difference of two accuracies; where all resamples have the same difference, by its score.
    pub fn difference(&self, interval: Interval, level: f64) -> Interval {
        interval.varied().unwrap_or_else(|| {
            let (low, high) = self.constant_difference(interval.estimate, level);
            Interval { low, high, method: IntervalMethod::Tango, ..interval }
        })
    }

    /// Tango's score interval of the difference of two shares of the same rows (1998, Statistics in Medicine 17:891), where the rows (or groups) all
    /// have this one difference: solved for no discordant rows, and for nothing but discordant ones.
    fn constant_difference(&self, difference: f64, level: f64) -> (f64, f64) {
        let (n, z2) = (self.independent(level), quantile(level, None).powi(2));
        let edge = (n - z2) / (n + z2);
        match difference {
            1.0 => (edge, 1.0),
            -1.0 => (-1.0, -edge),
            _ => {
                let reach = z2 / (n + z2);
                ((difference - reach).max(-1.0), (difference + reach).min(1.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: (f64, f64), expected: (f64, f64)) {
        assert!((found.0 - expected.0).abs() < 1e-6 && (found.1 - expected.1).abs() < 1e-6, "{found:?}");
    }

    // from scipy.stats import binomtest
    // [tuple(binomtest(k, n).proportion_ci(method="wilson")) for k, n in ((48, 48), (0, 10), (50, 100))]
    #[test]
    fn a_share_of_all_or_nothing_has_an_interval() {
        let of = |share: f64, rows: usize| Clusters::singles(rows).share(share, 0.95).unwrap();
        near(of(1.0, 48), (0.925_899_9, 1.0));
        near(of(0.0, 10), (0.0, 0.277_532_8));
        near(of(0.5, 100), (0.403_831_5, 0.596_168_5));
        assert_eq!(Clusters::singles(0).share(1.0, 0.95), None);
        assert_eq!(Clusters::of(&[3, 3, 3]).share(1.0, 0.95), None, "a single group");
    }

    // 48 rows in 12 groups of 4 tell as much as 12 · (z / t)²; from scipy.stats import norm, t
    // n = 12 * (norm.ppf(.975) / t.ppf(.975, 11)) ** 2; z2 = norm.ppf(.975) ** 2; n / (n + z2)      # 0.7124057
    #[test]
    fn groups_count_once() {
        let numbers: Vec<usize> = (0..48).map(|row| row / 4).collect();
        near(Clusters::of(&numbers).share(1.0, 0.95).unwrap(), (0.712_405_7, 1.0));
    }

    /// Tango's statistic is z at the ends: without discordant rows nδ / √(nδ(1 − δ)), with nothing else n(1 − δ) / √(n(1 − δ²)).
    #[test]
    fn a_constant_difference_ends_where_the_score_test_rejects() {
        let (n, z) = (48.0f64, 1.959_964f64);
        let alone = Clusters::singles(48);
        let (low, high) = alone.constant_difference(0.0, 0.95);
        assert!((n * high / (n * high * (1.0 - high)).sqrt() - z).abs() < 1e-5 && low == -high, "{low} {high}");
        let (low, high) = alone.constant_difference(1.0, 0.95);
        assert!((n * (1.0 - low) / (n * (1.0 - low * low)).sqrt() - z).abs() < 1e-5 && high == 1.0, "{low}");
        assert_eq!(alone.constant_difference(-1.0, 0.95), (-1.0, -low));
    }
}
