//! Intervals for shares.

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval for a share `rate` of `rows` independent rows (Wilson 1927, JASA 22:209–212).
///
/// `None` without rows, or when the rate is no share.
pub fn wilson(rate: f64, rows: u64) -> Option<(f64, f64)> {
    if rows == 0 || !(0.0..=1.0).contains(&rate) {
        return None;
    }
    let n = rows as f64;
    let shrink = 1.0 + Z * Z / n;
    let centre = (rate + Z * Z / (2.0 * n)) / shrink;
    let reach = Z / shrink * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(((centre - reach).max(0.0), (centre + reach).min(1.0)))
}

/// The interval of `a` − `b` for two figures from different sets of rows, from the interval of each: Newcombe's hybrid score method
/// (1998, Statistics in Medicine 17:873, method 10), which takes any intervals.
pub fn newcombe(a: (f64, (f64, f64)), b: (f64, (f64, f64))) -> (f64, f64) {
    let ((a, (a_low, a_high)), (b, (b_low, b_high))) = (a, b);
    let difference = a - b;
    (difference - (a - a_low).hypot(b_high - b), difference + (a_high - a).hypot(b - b_low))
}

/// The middle value; the mean of the middle two. `None` without finite values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
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
            (50.0, 100, 0.403_831_530_365_995_6, 0.596_168_469_634_004_4),
            (0.0, 10, 0.0, 0.277_532_799_862_889_26),
            (5043.0, 7050, 0.704_670_364_124_166, 0.725_733_411_991_831_2),
        ] {
            let (found_low, found_high) = wilson(hits / rows as f64, rows).unwrap();
            assert!((found_low - low).abs() < 1e-9 && (found_high - high).abs() < 1e-9, "{found_low} {found_high}");
        }
        assert_eq!(wilson(0.5, 0), None);
        assert_eq!(wilson(f64::NAN, 10), None);
    }

    // Newcombe 1998, table II, method 10: 56/70 − 48/80 has 0.0524 to 0.3339, 10/10 − 0/10 has 0.6075 to 1
    #[test]
    fn intervals_of_differences_agree_with_the_paper() {
        for (a, b, low, high) in [((56, 70), (48, 80), 0.0524, 0.3339), ((10, 10), (0, 10), 0.6075, 1.0)] {
            let side = |(hits, rows): (u64, u64)| {
                let rate = hits as f64 / rows as f64;
                (rate, wilson(rate, rows).unwrap())
            };
            let (found_low, found_high) = newcombe(side(a), side(b));
            assert!((found_low - low).abs() < 6e-5 && (found_high - high).abs() < 6e-5, "{found_low} {found_high}");
        }
    }
}
