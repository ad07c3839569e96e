//! Statistics of what is shown.

/// The interval of `a` − `b` for two figures from different sets of rows, from the interval of each: Newcombe's hybrid score method
/// (1998, Statistics in Medicine 17:873, method 10), which takes any intervals.
pub(crate) fn newcombe(a: (f64, (f64, f64)), b: (f64, (f64, f64))) -> (f64, f64) {
    let ((a, (a_low, a_high)), (b, (b_low, b_high))) = (a, b);
    let difference = a - b;
    (difference - (a - a_low).hypot(b_high - b), difference + (a_high - a).hypot(b - b_low))
}

/// The middle value; the mean of the middle two. `None` without finite values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
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
    use runner_results::interval::{Z, wilson};

    // Newcombe 1998, table II, method 10: 56/70 − 48/80 has 0.0524 to 0.3339, 10/10 − 0/10 has 0.6075 to 1
    #[test]
    fn intervals_of_differences_agree_with_the_paper() {
        for (a, b, low, high) in [((56, 70), (48, 80), 0.0524, 0.3339), ((10, 10), (0, 10), 0.6075, 1.0)] {
            let side = |(hits, rows): (u64, u64)| {
                let rate = hits as f64 / rows as f64;
                (rate, wilson(rate, rows as f64, Z))
            };
            let (found_low, found_high) = newcombe(side(a), side(b));
            assert!((found_low - low).abs() < 6e-5 && (found_high - high).abs() < 6e-5, "{found_low} {found_high}");
        }
    }
}
