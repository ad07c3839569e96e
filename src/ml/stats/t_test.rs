//! The paired t-test over seeds.

use super::proportion::quantile;
use super::{mean_and_deviation, student_tails};

/// The confidence of intervals over seeds.
const LEVEL: f64 = 0.95;

/// What differences of pairs, e.g. of two trainings with one seed, tell of their mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PairedDifferences {
    pub(crate) mean: f64,
    /// 95 %, by Student's distribution; `None` where there is no test.
    pub(crate) interval: Option<(f64, f64)>,
    /// As [`paired_p_value`].
    pub(crate) p_value: Option<f64>,
}

impl PairedDifferences {
    /// `None` of no differences.
    pub(crate) fn of(differences: &[f64]) -> Option<PairedDifferences> {
        if differences.is_empty() {
            return None;
        }
        let (mean, deviation) = mean_and_deviation(differences, 1);
        let half = || {
            let freedom = differences.len() - 1;
            quantile(LEVEL, Some(freedom)) * deviation / (differences.len() as f64).sqrt()
        };
        let interval = (differences.len() > 1 && deviation > 0.0).then(half);
        let interval = interval.map(|half| (mean - half, mean + half));
        Some(PairedDifferences { mean, interval, p_value: paired_p_value(differences) })
    }
}

/// Two-sided p-value that paired differences have mean 0 (Student 1908); `None` for fewer than two
/// differences, and where they are all equal but not 0, which leaves nothing to test against.
pub(crate) fn paired_p_value(differences: &[f64]) -> Option<f64> {
    if differences.len() < 2 {
        return None;
    }
    let (mean, deviation) = mean_and_deviation(differences, 1);
    if deviation == 0.0 {
        return (mean == 0.0).then_some(1.0);
    }
    let t = mean / (deviation / (differences.len() as f64).sqrt());
    Some(student_tails(t, differences.len() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    // stats.ttest_rel([.61, .62, .60], [.60, .60, .597]).pvalue
    #[test]
    fn p_values_agree_with_scipy() {
        assert!((paired_p_value(&[0.01, 0.02, 0.003]).unwrap() - 0.155_510_174_819_727_8).abs() < 1e-9);
        assert_eq!(paired_p_value(&[0.1]), None);
        assert_eq!(paired_p_value(&[0.5, 0.5]), None);
        assert_eq!(paired_p_value(&[0.0, 0.0]), Some(1.0));
    }

    // d = [.01, .02, .003]; stats.t.interval(.95, 2, np.mean(d), stats.sem(d)) -> (-0.0102244..., 0.0322244...)
    #[test]
    fn an_interval_reaches_zero_where_its_p_value_is_above_five_percent() {
        let found = PairedDifferences::of(&[0.01, 0.02, 0.003]).unwrap();
        let (low, high) = found.interval.unwrap();
        assert!((low + 0.010_224_5).abs() < 1e-6 && (high - 0.032_224_5).abs() < 1e-6, "{low} {high}");
        let (low, _) = PairedDifferences::of(&[0.010, 0.012, 0.011]).unwrap().interval.unwrap();
        assert!(low > 0.0 && paired_p_value(&[0.010, 0.012, 0.011]).unwrap() < 0.05);
        for without in [&[0.1][..], &[0.5, 0.5], &[0.0, 0.0]] {
            assert_eq!(PairedDifferences::of(without).unwrap().interval, None);
        }
        assert_eq!(PairedDifferences::of(&[]), None);
    }
}
