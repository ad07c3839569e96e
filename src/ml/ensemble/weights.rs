//! Ways to choose an ensemble's weights by log loss. Every one is deterministic and has no random number.

use super::Average;
use super::{Members, averaged, back};
use crate::calibration::decide_by;
use crate::matrix::Matrix;
use crate::metrics::Measures;
use crate::progress::{Cancelled, Progress};
use runner_results::Metric;

/// Members added by greedy selection at most; weights are multiples of one over their number.
const ADDED: usize = 50;
/// Steps at most, and the relative gain in log loss below which they end.
const STEPS: usize = 2_000;
const GAIN: f64 = 1e-10;
/// What a unit of weight must gain in nats: a member that says nearly the same of every row, or what others say, gets none.
const WORTH: f64 = 1e-3;

/// How often each member was added (Caruana, Niculescu-Mizil, Crew and Ksikes 2004, ICML): with repetition, up to the length of least loss.
///
/// What is lowered is the log loss, or what the metric is short of its best; of equals the log loss decides.
pub(crate) fn greedy(
    given: Members,
    labels: &[u32],
    average: Average,
    progress: &dyn Progress,
) -> Result<Vec<f64>, Cancelled> {
    let members = given.probabilities;
    let classes = members.first().map_or(1, |member| member.cols);
    let weights = vec![1.0; labels.len()];
    let short = |value: &[f64], sums: &[f64], added: f64| -> f64 {
        if given.metric == Metric::Loss {
            return 0.0;
        }
        let means = sums.iter().zip(value).map(|(sum, more)| (sum + more) / added).collect();
        let said = Matrix::from_vec(labels.len(), classes, back(average, means, classes));
        let predicted = decide_by(given.scoring.costs.as_ref(), &said);
        let found = Measures::new(labels, &predicted, &said, given.scoring, true).value(given.metric, &weights);
        -given.metric.merit(found.unwrap_or(0.0))
    };
    let values: Vec<Vec<f64>> =
        members.iter().map(|member| member.data.iter().map(|&p| averaged(average, p)).collect()).collect();
    let mut sums = vec![0.0f64; labels.len() * classes];
    let (mut counts, mut best) = (vec![0.0; members.len()], ((f64::INFINITY, f64::INFINITY), vec![1.0; members.len()]));
    for added in 1..=ADDED {
        let loss_with = |value: &[f64]| -> f64 {
            let rows = sums.chunks_exact(classes).zip(value.chunks_exact(classes)).zip(labels);
            let loss = |((sum, more), &label): ((&[f64], &[f64]), &u32)| {
                let mean = |k: usize| (sum[k] + more[k]) / added as f64;
                match average {
                    Average::Probabilities => -mean(label as usize).max(1e-15).ln(),
                    Average::Logits => (0..classes).map(|k| mean(k).exp()).sum::<f64>().ln() - mean(label as usize),
                }
            };
            rows.map(loss).sum::<f64>() / labels.len() as f64
        };
        let loss = |value: &Vec<f64>| progress.go_on().map(|()| (short(value, &sums, added as f64), loss_with(value)));
        let losses = values.iter().map(loss).collect::<Result<Vec<(f64, f64)>, Cancelled>>()?;
        let order = |a: (f64, f64), b: (f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
        let Some(chosen) = (0..losses.len()).min_by(|&a, &b| order(losses[a], losses[b])) else { break };
        sums.iter_mut().zip(&values[chosen]).for_each(|(sum, value)| *sum += value);
        counts[chosen] += 1.0;
        if order(losses[chosen], best.0).is_lt() {
            best = (losses[chosen], counts.clone());
        }
    }
    Ok(best.1)
}

/// The weights of least log loss of Σ w·p, w ≥ 0, Σ w = 1: mixture proportions, found by expectation maximisation (Dempster, Laird and Rubin 1977).
/// Every step lowers the loss, and the problem is convex.
pub(crate) fn mixture(members: &[&Matrix], labels: &[u32], progress: &dyn Progress) -> Result<Vec<f64>, Cancelled> {
    let of_truth = |member: &Matrix| -> Vec<f64> {
        labels.iter().enumerate().map(|(i, &label)| f64::from(member.get(i, label as usize)).max(1e-15)).collect()
    };
    let likelihoods: Vec<Vec<f64>> = members.iter().map(|member| of_truth(member)).collect();
    let mut weights = vec![1.0 / members.len() as f64; members.len()];
    let mut before = f64::INFINITY;
    for _ in 0..STEPS {
        progress.go_on()?;
        let mut shares = vec![0.0; members.len()];
        let mut loss = 0.0;
        for row in 0..labels.len() {
            let whole: f64 = weights.iter().zip(&likelihoods).map(|(weight, own)| weight * own[row]).sum();
            loss -= whole.ln();
            for ((share, weight), own) in shares.iter_mut().zip(&weights).zip(&likelihoods) {
                *share += weight * own[row] / whole;
            }
        }
        weights = shares.iter().map(|share| share / labels.len() as f64).collect();
        if before - loss < GAIN * loss.abs() {
            break;
        }
        before = loss;
    }
    Ok(unnoticed(weights))
}

/// A share that nobody will notice is noise of the last steps.
fn unnoticed(weights: Vec<f64>) -> Vec<f64> {
    weights.into_iter().map(|weight| if weight < 1e-4 { 0.0 } else { weight }).collect()
}

/// The weights w ≥ 0 of least log loss of Π p^w, made to sum to 1, with a small price on w: convex in w, since the loss is that of a logistic
/// regression on the logarithms.
/// Projected gradient steps with momentum (Beck and Teboulle 2009), which begin anew where the loss rises.
pub(crate) fn product(members: &[&Matrix], labels: &[u32], progress: &dyn Progress) -> Result<Vec<f64>, Cancelled> {
    let (count, classes) = (members.len(), members.first().map_or(1, |member| member.cols));
    let values: Vec<Vec<f64>> =
        members.iter().map(|member| member.data.iter().map(|&p| averaged(Average::Logits, p)).collect()).collect();
    let rows = labels.len() as f64;
    let evaluate = |weights: &[f64]| -> (f64, Vec<f64>) {
        let (mut loss, mut slopes) = (0.0, vec![0.0; count]);
        let mut shares = vec![0.0; classes];
        for (row, &label) in labels.iter().enumerate() {
            let span = row * classes..(row + 1) * classes;
            shares.fill(0.0);
            for (value, &weight) in values.iter().zip(weights).filter(|(_, weight)| **weight != 0.0) {
                shares.iter_mut().zip(&value[span.clone()]).for_each(|(share, value)| *share += weight * value);
            }
            let (truth, largest) = (shares[label as usize], shares.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            shares.iter_mut().for_each(|share| *share = (*share - largest).exp());
            let total: f64 = shares.iter().sum();
            loss += total.ln() + largest - truth;
            for (slope, value) in slopes.iter_mut().zip(&values) {
                let own = &value[span.clone()];
                let expected: f64 = shares.iter().zip(own).map(|(share, value)| share / total * value).sum();
                *slope += expected - own[label as usize];
            }
        }
        slopes.iter_mut().for_each(|slope| *slope = *slope / rows + WORTH);
        (loss / rows + WORTH * weights.iter().sum::<f64>(), slopes)
    };
    let mut weights = vec![1.0 / count as f64; count];
    let (mut loss, _) = evaluate(&weights);
    let (mut ahead, mut momentum, mut step) = (weights.clone(), 1.0f64, 1.0);
    for _ in 0..STEPS {
        progress.go_on()?;
        let (here, slopes) = evaluate(&ahead);
        let (next, next_loss) = loop {
            let next: Vec<f64> =
                ahead.iter().zip(&slopes).map(|(weight, slope)| (weight - step * slope).max(0.0)).collect();
            progress.go_on()?;
            let (next_loss, _) = evaluate(&next);
            let moved = next.iter().zip(&ahead).map(|(a, b)| a - b);
            let (linear, square) = moved
                .zip(&slopes)
                .fold((0.0, 0.0), |(linear, square), (moved, slope)| (linear + moved * slope, square + moved * moved));
            if next_loss <= here + linear + square / (2.0 * step) + 1e-12 || step < 1e-12 {
                break (next, next_loss);
            }
            step /= 2.0;
        };
        if next_loss > loss {
            if momentum == 1.0 {
                break;
            }
            // Momentum has carried it past the valley.
            (ahead, momentum) = (weights.clone(), 1.0);
            continue;
        }
        let gained = loss - next_loss;
        let following = (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt()) / 2.0;
        let carry = (momentum - 1.0) / following;
        ahead = next.iter().zip(&weights).map(|(new, old)| (new + carry * (new - old)).max(0.0)).collect();
        (weights, loss, momentum) = (next, next_loss, following);
        if gained < GAIN * loss.abs() {
            break;
        }
    }
    if weights.iter().all(|weight| *weight < 1e-9) {
        return Ok(vec![1.0; count]);
    }
    let total: f64 = weights.iter().sum();
    Ok(unnoticed(weights.iter().map(|weight| weight / total).collect()))
}
