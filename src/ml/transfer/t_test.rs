//! The paired t-test over seeds.

use crate::stats::{self, student_tails};

/// Of a sample, e.g. of the scores of several seeds.
pub(crate) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    stats::mean_and_deviation(values, 1)
}

/// Two-sided p-value that paired differences have mean 0 (Student 1908); `None` for fewer than two
/// differences, and where they are all equal but not 0, which leaves nothing to test against.
pub(crate) fn paired_p_value(differences: &[f64]) -> Option<f64> {
    if differences.len() < 2 {
        return None;
    }
    let (mean, deviation) = mean_and_deviation(differences);
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
}
