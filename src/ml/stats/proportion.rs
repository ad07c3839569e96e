//! Intervals of shares, right near 0 and 1, where resamples of a bootstrap hardly differ and its interval is too narrow.

use super::Clusters;
use super::special::{normal_tail, student_tails};
use runner_results::interval::wilson;
use runner_results::interval::{Interval, IntervalMethod};

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
    /// Wilson's score interval of the share of rows that are right (1927, JASA 22:209). Rows in groups count for as many as would tell as much if they
    /// stood alone. `None` where nothing can vary.
    pub(crate) fn share(&self, is_right: impl Fn(usize) -> bool, level: f64) -> Option<Interval> {
        if !self.can_vary() {
            return None;
        }
        let right = (0..self.rows()).filter(|row| is_right(*row)).count();
        let estimate = right as f64 / self.rows() as f64;
        let independent = self.telling(&is_right, estimate) * self.for_few_groups(level);
        let (low, high) = wilson(estimate, independent, quantile(level, None));
        let method = if self.groups().is_some() { IntervalMethod::GroupWilson } else { IntervalMethod::Wilson };
        Some(Interval { estimate, low, high, method })
    }

    /// How many rows that stand alone would tell as much of a share: the rows by their design effect, which is the larger of two estimates. One is of
    /// the linearised variance of the share; the other of the correlation within groups by the analysis of variance (Kish 1965), which does not
    /// vanish where the few groups that are wrong happen to be small. Where no group is mixed and none differs each counts as one row.
    fn telling(&self, is_right: &impl Fn(usize) -> bool, share: f64) -> f64 {
        let Some(groups) = self.groups() else { return self.rows() as f64 };
        if share <= 0.0 || share >= 1.0 {
            return self.effective();
        }
        let (rows, groups) = (self.rows() as f64, groups as f64);
        let (mut residuals, mut between, mut within) = (0.0, 0.0, 0.0);
        for group in self.members() {
            let size = group.len() as f64;
            let right = group.iter().filter(|row| is_right(**row)).count() as f64;
            residuals += (right - share * size).powi(2);
            between += size * (right / size - share).powi(2);
            within += right * (1.0 - right / size);
        }
        let variance = groups / (groups - 1.0) * residuals / (rows * rows);
        let linearised = if variance > 0.0 { (share * (1.0 - share) / variance).min(rows) } else { self.effective() };
        // Rows of a row's group, itself included, on average over rows.
        let company = rows / self.effective();
        let size = (rows - company) / (groups - 1.0);
        let (between, within) = (between / (groups - 1.0), within / (rows - groups).max(1.0));
        let spread = between + (size - 1.0) * within;
        let correlation = if spread > 0.0 { ((between - within) / spread).clamp(0.0, 1.0) } else { 1.0 };
        linearised.min(rows / (1.0 + correlation * (company - 1.0)))
    }

    /// Of few groups rows tell less than there are, by (z / t)² (Korn and Graubard 1998, Survey Methodology 24:193).
    fn for_few_groups(&self, level: f64) -> f64 {
        let effective = self.effective();
        if self.groups().is_none() || effective > MANY {
            return 1.0;
        }
        let freedom = (effective.floor() as usize).saturating_sub(1).max(1);
        (quantile(level, None) / quantile(level, Some(freedom))).powi(2)
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
        // All groups say the same: each counts as one row.
        let (n, z2) = (self.effective() * self.for_few_groups(level), quantile(level, None).powi(2));
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

    /// The interval where these many of the first rows are right.
    fn share(clusters: &Clusters, right: usize) -> (f64, f64) {
        let found = clusters.share(|row| row < right, 0.95).unwrap();
        (found.low, found.high)
    }

    fn near(found: (f64, f64), expected: (f64, f64)) {
        assert!((found.0 - expected.0).abs() < 1e-6 && (found.1 - expected.1).abs() < 1e-6, "{found:?}");
    }

    // from scipy.stats import binomtest
    // [tuple(binomtest(k, n).proportion_ci(method="wilson")) for k, n in ((48, 48), (0, 10), (50, 100))]
    #[test]
    fn a_share_of_all_or_nothing_has_an_interval() {
        let of = |right: usize, rows: usize| share(&Clusters::singles(rows), right);
        near(of(48, 48), (0.925_899_9, 1.0));
        near(of(0, 10), (0.0, 0.277_532_8));
        near(of(50, 100), (0.403_831_5, 0.596_168_5));
        assert_eq!(Clusters::singles(0).share(|_| true, 0.95), None);
        assert_eq!(Clusters::of(&[3, 3, 3]).share(|_| true, 0.95), None, "a single group");
    }

    // 48 rows in 12 groups of 4 tell as much as 12 · (z / t)²; from scipy.stats import norm, t
    // n = 12 * (norm.ppf(.975) / t.ppf(.975, 11)) ** 2; z2 = norm.ppf(.975) ** 2; n / (n + z2)      # 0.7124057
    #[test]
    fn groups_count_once() {
        let numbers: Vec<usize> = (0..48).map(|row| row / 4).collect();
        near(share(&Clusters::of(&numbers), 48), (0.712_405_7, 1.0));
        // So do those of which each is wholly right or wholly wrong: 8 of 12; n as above.
        // p = 2 / 3; c = (p + z2 / (2 * n)) / (1 + z2 / n); r = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n); c - r, c + r
        let n = 12.0 * 0.793_031_6;
        let expected = wilson(2.0 / 3.0, n, 1.959_964);
        let found = share(&Clusters::of(&numbers), 32);
        assert!(
            found.0 < expected.0 && found.1 > expected.1 && found.1 - found.0 < 1.05 * (expected.1 - expected.0),
            "{found:?} {expected:?}"
        );
    }

    /// Errors that have nothing to do with the groups leave all rows, but for the few groups.
    #[test]
    fn errors_in_all_groups_alike_count_row_by_row() {
        let numbers: Vec<usize> = (0..4000).map(|row| row % 400).collect();
        let found = Clusters::of(&numbers).share(|row| (row * 7919) % 4001 % 5 > 0, 0.95).unwrap();
        let (low, high) = wilson(found.estimate, 4000.0, 1.959_964);
        let wider = (found.high - found.low) / (high - low);
        assert!((1.0..1.15).contains(&wider), "{wider}");
        assert_eq!(found.method, IntervalMethod::GroupWilson);
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
