//! The paired t-test over seeds.
//!
//! Knows nothing of what was measured.

use std::f64::consts::PI;

/// Mean and sample standard deviation; the deviation of a single value is 0.
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 })
}

/// Two-sided p-value that paired differences have mean 0 (Student 1908); `None` for fewer than two
/// differences, and where they are all equal but not 0, which leaves nothing to test against.
pub fn paired_p_value(differences: &[f64]) -> Option<f64> {
    if differences.len() < 2 {
        return None;
    }
    let (mean, deviation) = mean_and_deviation(differences);
    if deviation == 0.0 {
        return (mean == 0.0).then_some(1.0);
    }
    let t = mean / (deviation / (differences.len() as f64).sqrt());
    Some(two_sided(t, differences.len() - 1))
}

/// P(|T| > |t|) for whole degrees of freedom: formulas 26.7.3 and 26.7.4 of Abramowitz and Stegun.
fn two_sided(t: f64, freedom: usize) -> f64 {
    let angle = (t.abs() / (freedom as f64).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let mut term = if odd { cos } else { 1.0 };
    let mut sum = 0.0;
    let mut k = if odd { 1 } else { 0 };
    while k + 2 <= freedom {
        sum += term;
        k += 2;
        term *= cos * cos * (k - 1) as f64 / k as f64;
    }
    let inside = if odd { 2.0 / PI * (angle + sin * sum) } else { sin * sum };
    (1.0 - inside).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    // from scipy import stats; [2 * stats.t.sf(t, n) for t, n in ((1.2, 1), (2.5, 2), (3.1, 3), (.4, 4), (2.2, 9), (4., 12))]
    // stats.ttest_rel([.61, .62, .60], [.60, .60, .597]).pvalue
    #[test]
    fn p_values_agree_with_scipy() {
        let cases = [
            (1.2, 1, 0.442_284_123_247_391_1),
            (2.5, 2, 0.129_611_720_221_510_82),
            (3.1, 3, 0.053_295_544_614_336_08),
            (0.4, 4, 0.709_597_261_429_996_8),
            (2.2, 9, 0.055_340_572_798_611_65),
            (4.0, 12, 0.001_761_696_244_395_026_7),
        ];
        for (t, freedom, expected) in cases {
            assert!((two_sided(t, freedom) - expected).abs() < 1e-9, "t {t} of {freedom}: {}", two_sided(t, freedom));
        }
        assert!((paired_p_value(&[0.01, 0.02, 0.003]).unwrap() - 0.155_510_174_819_727_8).abs() < 1e-9);
        assert_eq!(paired_p_value(&[0.1]), None);
        assert_eq!(paired_p_value(&[0.5, 0.5]), None);
        assert_eq!(paired_p_value(&[0.0, 0.0]), Some(1.0));
    }
}
