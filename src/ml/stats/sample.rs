//! Figures of a sample: quantiles, mean and deviation.

/// The quantile at `share` (0 to 1) of sorted, non-empty values, interpolated linearly as `numpy.quantile`.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    let (step, weight) = (high - low, position - below as f64);
    // Of values far apart on both sides of 0 the difference may be beyond any float.
    if step.is_finite() { low + step * weight } else { low * (1.0 - weight) + high * weight }
}

/// Mean and standard deviation with `freedom` subtracted from the count, as `numpy.std(ddof=freedom)`: 1 for that of a sample. A deviation that the
/// values are too few for is 0.
pub(crate) fn mean_and_deviation(values: &[f64], freedom: usize) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let count = values.len().saturating_sub(freedom);
    (mean, if count > 0 { (squares / count as f64).sqrt() } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1]) -> [1., 1.3, 3., 6.8, 8.]
    // numpy.std([1, 2, 4, 8], ddof=0), ddof=1 -> 2.680951323690902, 3.0956959368344517
    #[test]
    fn samples_agree_with_numpy() {
        let values = [1.0, 2.0, 4.0, 8.0];
        for (share, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&values, share) - expected).abs() < 1e-12, "{share}");
        }
        assert_eq!(quantile(&[-1e308, 1e308], 0.5), 0.0);
        assert!((mean_and_deviation(&values, 0).1 - 2.680_951_323_690_902).abs() < 1e-12);
        assert!((mean_and_deviation(&values, 1).1 - 3.095_695_936_834_452).abs() < 1e-12);
        assert_eq!(mean_and_deviation(&[3.0], 1), (3.0, 0.0));
    }
}
