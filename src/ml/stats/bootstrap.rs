//! Bootstrap intervals: how far a figure over rows would move, had other rows been drawn.
//!
//! Rows that belong together (songs of one artist) are drawn together, since one by one they would make the interval narrower than it should be.

use super::{Clusters, quantile};
use crate::progress::{Cancelled, Progress, Silent};
use crate::rng::Stream;
use runner_results::interval::{Interval, IntervalMethod};

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Resamples; the interval's ends move by about 1 % of its width between seeds at 4,000.
    pub resamples: usize,
    /// Of the interval, e.g. 0.95.
    pub level: f64,
    /// What the resamples follow from.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap { resamples: 4_000, level: 0.95, seed: 0 }
    }
}

/// Intervals of several figures from the same resamples. `figures` gets row numbers below the number of rows, with repetition. `None` without
/// rows, and where all are of one group.
pub fn bootstrap_intervals<const N: usize>(
    clusters: &Clusters,
    how: &Bootstrap,
    progress: &dyn Progress,
    figures: impl Fn(&[usize]) -> [f64; N],
) -> Result<Option<[Interval; N]>, Cancelled> {
    if !clusters.can_vary() || how.resamples == 0 {
        return Ok(None);
    }
    let mut drawn: Vec<usize> = (0..clusters.rows()).collect();
    let estimates = figures(&drawn);
    let mut distributions = vec![Vec::with_capacity(how.resamples); N];
    for resample in 0..how.resamples {
        progress.go_on()?;
        let mut stream = Stream::new(how.seed, "bootstrap", resample as u64);
        clusters.draw(&mut stream, &mut drawn);
        for (distribution, value) in distributions.iter_mut().zip(figures(&drawn)) {
            distribution.push(value);
        }
    }
    let mut number = 0;
    Ok(Some(estimates.map(|estimate| {
        number += 1;
        percentiles(estimate, std::mem::take(&mut distributions[number - 1]), clusters, how.level)
    })))
}

/// The interval of a figure from its values over the resamples of these rows, of which there must be one at least. Resamples of which the figure is not
/// defined (NaN) do not count.
pub(super) fn percentiles(estimate: f64, mut distribution: Vec<f64>, clusters: &Clusters, level: f64) -> Interval {
    distribution.retain(|value| !value.is_nan());
    if distribution.is_empty() {
        distribution.push(estimate);
    }
    distribution.sort_by(f64::total_cmp);
    let tail = clusters.tail(level);
    let method = if clusters.groups().is_some() { IntervalMethod::GroupBootstrap } else { IntervalMethod::Bootstrap };
    Interval { estimate, low: quantile(&distribution, tail), high: quantile(&distribution, 1.0 - tail), method }
}

/// The interval of one figure.
pub(crate) fn bootstrap_interval(
    clusters: &Clusters,
    how: &Bootstrap,
    figure: impl Fn(&[usize]) -> f64,
) -> Option<Interval> {
    // Nobody stops it: the only error there is.
    let found = bootstrap_intervals(clusters, how, &Silent, |drawn| [figure(drawn)]).ok().flatten();
    found.map(|[interval]| interval)
}

/// The interval of mean(b) − mean(a), where `a[i]` and `b[i]` are 1 where a prediction of the same row is right and 0 where not.
/// `None` without rows, if the lengths differ, and where all rows are of one group.
pub(crate) fn paired_bootstrap(a: &[f64], b: &[f64], clusters: &Clusters, how: &Bootstrap) -> Option<Interval> {
    if a.len() != b.len() || a.len() != clusters.rows() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let mean = |drawn: &[usize]| drawn.iter().map(|&row| differences[row]).sum::<f64>() / drawn.len() as f64;
    bootstrap_interval(clusters, how, mean).map(|interval| clusters.difference(interval, how.level))
}

#[cfg(test)]
mod tests {
    use super::*;

    // numpy.percentile([3, 1, 4, 1, 5, 9, 2, 6], [2.5, 97.5, 50]) -> [1., 8.475, 3.5]
    #[test]
    fn percentiles_agree_with_numpy() {
        let sorted = [1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0];
        for (share, expected) in [(0.025, 1.0), (0.975, 8.475), (0.5, 3.5), (1.0, 9.0)] {
            assert!((quantile(&sorted, share) - expected).abs() < 1e-12);
        }
    }

    // a = np.array([1.]*140 + [0.]*60); b = np.array([1.]*120 + [0.]*20 + [1.]*35 + [0.]*25)
    // scipy.stats.bootstrap((a, b), lambda x, y, axis=-1: y.mean(axis) - x.mean(axis), paired=True, method="percentile",
    //                       n_resamples=200_000, rng=np.random.default_rng(0)).confidence_interval
    // -> (0.005, 0.145); 0.005 is one row of 200                                                           (scipy 1.17.1)
    #[test]
    fn the_paired_interval_agrees_with_scipy() {
        let ones = |from: usize, to: usize| (0..200).map(move |i| if (from..to).contains(&i) { 1.0 } else { 0.0 });
        let a: Vec<f64> = ones(0, 140).collect();
        let b: Vec<f64> = ones(0, 120).zip(ones(140, 175)).map(|(x, y)| x + y).collect();
        let (how, alone) = (Bootstrap { resamples: 10_000, ..Bootstrap::default() }, Clusters::singles(200));
        let found = paired_bootstrap(&a, &b, &alone, &how).unwrap();
        assert!((found.estimate - 0.075).abs() < 1e-12);
        assert!((found.low - 0.005).abs() < 0.0051 && (found.high - 0.145).abs() < 0.0051, "{found:?}");
        assert!(found.excludes_zero());
        assert_eq!(paired_bootstrap(&a, &b, &alone, &how), Some(found), "the seed decides");
        assert_ne!(paired_bootstrap(&a, &b, &alone, &Bootstrap { seed: 1, ..how }), Some(found));
    }

    #[test]
    fn equal_scores_leave_the_doubt_of_few_rows_and_no_rows_no_answer() {
        let how = Bootstrap::default();
        let same = paired_bootstrap(&[1.0, 0.0, 1.0], &[1.0, 0.0, 1.0], &Clusters::singles(3), &how).unwrap();
        assert!(same.estimate == 0.0 && same.low == -same.high && same.high > 0.5, "{same:?}");
        assert_eq!(same.method, IntervalMethod::Tango);
        let of =
            |clusters: &Clusters| paired_bootstrap(&[1.0, 0.0, 1.0], &[1.0, 1.0, 0.0], clusters, &how).unwrap().method;
        assert_eq!(of(&Clusters::singles(3)), IntervalMethod::Bootstrap);
        assert_eq!(of(&Clusters::of(&[1, 1, 2])), IntervalMethod::GroupBootstrap);
        assert!(!same.excludes_zero());
        assert!(paired_bootstrap(&[], &[], &Clusters::singles(0), &how).is_none());
        assert!(paired_bootstrap(&[1.0], &[], &Clusters::singles(1), &how).is_none());
        assert!(paired_bootstrap(&[1.0, 0.0], &[1.0, 1.0], &Clusters::of(&[4, 4]), &how).is_none(), "a single group");
    }
}
