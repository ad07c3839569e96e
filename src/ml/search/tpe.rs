//! The tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127): proposes the point that is likeliest among good
//! trials and least likely among the others.
//!
//! As Optuna 5's `TPESampler(multivariate=True)`: one mixture over all parameters together for the good tenth of the trials and one for the rest; the
//! best of 24 draws from the first, by the ratio of both densities.

use std::cmp::Ordering;
use std::f64::consts::PI;

use super::space::Axis;
use crate::rng::Stream;
use crate::stats::{normal_mass, normal_tail};

/// Draws from the good trials' density among which the best is taken.
const CANDIDATES: usize = 24;
/// Good trials at most.
const MOST_GOOD: usize = 25;
/// Trials that keep their full weight; older ones count less the older they are.
const FULL_WEIGHT: usize = 25;

/// Coordinates of a trial, one for each axis.
pub(crate) type Coordinates = Vec<f64>;

/// A density over points: a kernel around each trial, and a wide one for all that was not tried.
pub(crate) struct Parzen<'a> {
    axes: &'a [Axis],
    /// Of each kernel; they sum to 1.
    weights: Vec<f64>,
    /// kernels × axes.
    kernels: Vec<Vec<Kernel>>,
}

enum Kernel {
    /// Probability of each choice.
    Choices(Vec<f64>),
    /// A normal distribution cut off at both ends of the axis.
    Normal { mean: f64, deviation: f64 },
}

/// How many of `trials` count as good.
pub(crate) fn good(trials: usize) -> usize {
    trials.div_ceil(10).min(MOST_GOOD)
}

/// The next point to try, from the coordinates of good and of other trials, each in the order in which they were tried.
pub(crate) fn propose(axes: &[Axis], good: &[Coordinates], others: &[Coordinates], stream: &mut Stream) -> Coordinates {
    let (likely, unlikely) = (Parzen::new(axes, good), Parzen::new(axes, others));
    let mut best: Option<(f64, Coordinates)> = None;
    for _ in 0..CANDIDATES {
        let candidate = likely.draw(stream);
        let ratio = likely.log_density(&candidate) - unlikely.log_density(&candidate);
        if best.as_ref().is_none_or(|(top, _)| ratio.total_cmp(top) == Ordering::Greater) {
            best = Some((ratio, candidate));
        }
    }
    best.map(|(_, candidate)| candidate).unwrap_or_default()
}

impl<'a> Parzen<'a> {
    pub(crate) fn new(axes: &'a [Axis], trials: &[Coordinates]) -> Self {
        let mut weights = age_weights(trials.len());
        // The wide kernel.
        weights.push(1.0);
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= total);
        let mut kernels: Vec<Vec<Kernel>> = weights.iter().map(|_| Vec::with_capacity(axes.len())).collect();
        for (j, axis) in axes.iter().enumerate() {
            let values: Vec<f64> = trials.iter().map(|trial| trial[j]).collect();
            kernels.iter_mut().zip(axis.kernels(&values)).for_each(|(all, one)| all.push(one));
        }
        Parzen { axes, weights, kernels }
    }

    /// ln of the density; along a logarithmic axis that of the logarithm.
    pub(crate) fn log_density(&self, point: &[f64]) -> f64 {
        let kernel = |(weight, kernel): (&f64, &Vec<Kernel>)| -> f64 {
            let axes = self.axes.iter().zip(kernel).zip(point);
            weight.ln() + axes.map(|((axis, kernel), &x)| axis.log_density(kernel, x)).sum::<f64>()
        };
        let logs: Vec<f64> = self.weights.iter().zip(&self.kernels).map(kernel).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return largest;
        }
        largest + logs.iter().map(|log| (log - largest).exp()).sum::<f64>().ln()
    }

    pub(crate) fn draw(&self, stream: &mut Stream) -> Coordinates {
        let kernel = &self.kernels[pick(&self.weights, stream.uniform())];
        self.axes.iter().zip(kernel).map(|(axis, kernel)| axis.draw(kernel, stream.uniform())).collect()
    }
}

impl Axis {
    /// Ends of the axis as kernels see it: logarithmic where it is, and by half a step wider for whole numbers.
    fn ends(self) -> (f64, f64) {
        match self {
            Axis::Choices(count) => (0.0, count as f64),
            Axis::Line { low, high, is_log, is_whole } => {
                let half = if is_whole { 0.5 } else { 0.0 };
                if is_log { ((low - half).ln(), (high + half).ln()) } else { (low - half, high + half) }
            }
        }
    }

    fn transformed(self, x: f64) -> f64 {
        if let Axis::Line { is_log: true, .. } = self { x.ln() } else { x }
    }

    /// A kernel around each value, and the wide one.
    fn kernels(self, values: &[f64]) -> Vec<Kernel> {
        if let Axis::Choices(count) = self {
            let share = 1.0 / (values.len() + 1) as f64;
            let around = |chosen: Option<usize>| {
                let total = share * count as f64 + if chosen.is_some() { 1.0 } else { 0.0 };
                let weight = |choice| (share + if chosen == Some(choice) { 1.0 } else { 0.0 }) / total;
                Kernel::Choices((0..count).map(weight).collect())
            };
            return values.iter().map(|value| around(Some(*value as usize))).chain([around(None)]).collect();
        }
        let (low, high) = self.ends();
        let means: Vec<f64> = values.iter().map(|&x| self.transformed(x)).collect();
        let narrowest = (high - low) / 100f64.min(values.len() as f64 + 2.0);
        let deviations = gaps(&means, low, high).into_iter().map(|gap| gap.clamp(narrowest, high - low));
        let around = means.iter().zip(deviations).map(|(&mean, deviation)| Kernel::Normal { mean, deviation });
        around.chain([Kernel::Normal { mean: (low + high) / 2.0, deviation: high - low }]).collect()
    }

    fn log_density(self, kernel: &Kernel, x: f64) -> f64 {
        match kernel {
            Kernel::Choices(shares) => shares.get(x as usize).map_or(f64::NEG_INFINITY, |share| share.ln()),
            &Kernel::Normal { mean, deviation } => {
                let (low, high) = self.ends();
                let standard = |x: f64| (x - mean) / deviation;
                let whole = normal_mass(standard(low), standard(high)).ln();
                match self {
                    Axis::Line { is_whole: true, .. } => {
                        let (from, to) = (self.transformed(x - 0.5), self.transformed(x + 0.5));
                        normal_mass(standard(from), standard(to)).ln() - whole
                    }
                    _ => {
                        let z = standard(self.transformed(x));
                        -0.5 * z * z - 0.5 * (2.0 * PI).ln() - deviation.ln() - whole
                    }
                }
            }
        }
    }

    /// The value below which the share `uniform` of the kernel lies.
    fn draw(self, kernel: &Kernel, uniform: f64) -> f64 {
        match kernel {
            Kernel::Choices(shares) => pick(shares, uniform) as f64,
            &Kernel::Normal { mean, deviation } => {
                let (low, high) = self.ends();
                let (from, to) = ((low - mean) / deviation, (high - mean) / deviation);
                let x = mean + deviation * quantile(from, to, uniform);
                match self {
                    Axis::Line { low, high, is_log, is_whole } => {
                        let x = if is_log { x.exp() } else { x };
                        (if is_whole { x.round() } else { x }).clamp(low, high)
                    }
                    Axis::Choices(_) => x,
                }
            }
        }
    }
}

/// Old trials count less: a ramp from 1 / count up to the last 25.
fn age_weights(count: usize) -> Vec<f64> {
    let ramp = count.saturating_sub(FULL_WEIGHT);
    let first = 1.0 / count.max(1) as f64;
    let step = if ramp > 1 { (1.0 - first) / (ramp - 1) as f64 } else { 0.0 };
    (0..count).map(|age| if age < ramp { first + step * age as f64 } else { 1.0 }).collect()
}

/// For each value the larger of the distances to its neighbours; the outermost have one neighbour, a single value has the ends of the axis.
fn gaps(values: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut gaps = vec![0.0; values.len()];
    for (rank, &at) in order.iter().enumerate() {
        let below = rank.checked_sub(1).map(|rank| values[at] - values[order[rank]]);
        let above = order.get(rank + 1).map(|&next| values[next] - values[at]);
        gaps[at] = match (below, above) {
            (None, None) => (values[at] - low).max(high - values[at]),
            (below, above) => below.unwrap_or(0.0).max(above.unwrap_or(0.0)),
        };
    }
    gaps
}

/// The first index at which the sum of shares exceeds `uniform`.
fn pick(shares: &[f64], uniform: f64) -> usize {
    let mut sum = 0.0;
    let found = shares.iter().position(|share| {
        sum += share;
        uniform < sum
    });
    found.unwrap_or(shares.len() - 1)
}

/// z between `low` and `high` with `share` of the standard normal's mass between them below z; by bisection, which needs no inverse.
fn quantile(low: f64, high: f64, share: f64) -> f64 {
    // In the tail that is thinner, lest differences of numbers near 1 lose their digits.
    if low + high < 0.0 {
        return -quantile(-high, -low, 1.0 - share);
    }
    let (above_low, above_high) = (normal_tail(low), normal_tail(high));
    let wanted = above_low - share * (above_low - above_high);
    let (mut from, mut to) = (low, high);
    for _ in 0..64 {
        let middle = 0.5 * (from + to);
        if normal_tail(middle) > wanted { from = middle } else { to = middle }
    }
    0.5 * (from + to)
}
