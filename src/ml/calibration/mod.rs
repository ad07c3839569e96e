//! Whether a classifier's probabilities can be taken at their word: reliability by bins of confidence, expected calibration error, and temperature
//! scaling (Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599), with a bias for each class where the classes' shares are off (bias-corrected
//! temperature scaling: Alexandari, Kundaje and Shrikumar 2020, arXiv 1901.06852).
//!
//! Works on probabilities, of which the logarithm is a logit up to a constant of the row: so it serves networks, trees and averages alike.

pub(crate) mod fit;

pub use fit::Raw;
#[cfg(test)]
mod tests;

pub(crate) use runner_results::calibration::{Bin, Reliability};

use runner_results::costs::CostMatrix;
use serde::{Deserialize, Serialize};

use crate::matrix::Matrix;

/// Bins of equal width over the confidence, as in the paper.
pub(crate) const BINS: usize = 15;

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// How raw probabilities become those that a model gives, and which class it predicts.
///
/// The two are told apart: a model that was trained with class weights, or whose epoch was chosen by macro-F1, predicts a rare class more often than
/// it is the likeliest one, and is meant to. Its probabilities are honest all the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Of shares of votes: the class weights of the training, by which they are divided and made to sum to 1; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// Smaller ones count as this after that: of few votes a class that has none is not impossible. 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub floor: f64,
    /// The logits (logarithms of the raw probabilities) are divided by it. Above 1 the classifier was too sure of itself.
    pub temperature: f64,
    /// Added to them after that, one for each class; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<f64>,
    /// Logarithms of decision weights, one for each class: predicted is the class of the largest log p + decision; empty for the likeliest class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decision: Vec<f64>,
    /// What mistakes cost: predicted is the class of least expected cost, whatever `decision` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<CostMatrix>,
}

impl Calibration {
    /// Leaves everything as it is.
    pub const NONE: Calibration = Calibration {
        weights: Vec::new(),
        floor: 0.0,
        temperature: 1.0,
        bias: Vec::new(),
        decision: Vec::new(),
        costs: None,
    };

    /// Replaces every row p by `(p / weights)^(1/T)·e^bias`, made to sum to 1.
    pub fn apply(&self, probabilities: &mut Matrix) {
        if self.weights.is_empty() && self.floor == 0.0 && self.temperature == 1.0 && self.bias.is_empty() {
            return;
        }
        let mut logits = vec![0.0; probabilities.cols];
        for i in 0..probabilities.rows {
            let row = probabilities.row_mut(i);
            for (class, (logit, &p)) in logits.iter_mut().zip(&*row).enumerate() {
                *logit = log(p) - self.weights.get(class).map_or(0.0, |weight| weight.ln());
            }
            if self.floor > 0.0 {
                let total = log_sum(&logits);
                logits.iter_mut().for_each(|logit| *logit = (*logit - total).max(self.floor.ln()));
            }
            for (class, logit) in logits.iter_mut().enumerate() {
                *logit = *logit / self.temperature + self.bias.get(class).copied().unwrap_or(0.0);
            }
            let total = log_sum(&logits);
            row.iter_mut().zip(&logits).for_each(|(p, logit)| *p = (logit - total).exp() as f32);
        }
    }

    /// The class that is predicted of each row of calibrated probabilities.
    pub fn decide(&self, probabilities: &Matrix) -> Vec<u32> {
        if let Some(costs) = &self.costs {
            return decide_by(Some(costs), probabilities);
        }
        if self.decision.is_empty() {
            return probabilities.argmax_rows();
        }
        let best = |row: &[f32]| {
            let values = row.iter().zip(&self.decision).map(|(&p, decision)| log(p) + decision);
            let best = values.enumerate().reduce(|best, one| if one.1 > best.1 { one } else { best });
            best.map_or(0, |(class, _)| class as u32)
        };
        (0..probabilities.rows).map(|i| best(probabilities.row(i))).collect()
    }

    /// What is wrong with one that was read, for so many classes.
    pub fn problem(&self, classes: usize) -> Option<String> {
        let odd = |values: &Vec<f64>| {
            !values.is_empty() && (values.len() != classes || values.iter().any(|value| !value.is_finite()))
        };
        if odd(&self.weights) || self.weights.iter().any(|weight| *weight <= 0.0) {
            return Some(format!("its weights are not a positive number for each of {classes} classes"));
        }
        if !(0.0..1.0).contains(&self.floor) {
            Some(format!("its floor is {}, not a probability below 1", self.floor))
        } else if !(self.temperature.is_finite() && self.temperature > 0.0) {
            Some(format!("its temperature is {}, not above 0", self.temperature))
        } else if odd(&self.bias) || odd(&self.decision) {
            Some(format!("its bias or decision is not a number for each of {classes} classes"))
        } else {
            self.costs.as_ref().and_then(|costs| costs.problem(classes))
        }
    }
}

/// The class of least expected cost of each row of probabilities, or the likeliest one where no costs are given.
pub(crate) fn decide_by(costs: Option<&CostMatrix>, probabilities: &Matrix) -> Vec<u32> {
    match costs {
        Some(costs) => (0..probabilities.rows).map(|row| costs.decide(probabilities.row(row))).collect(),
        None => probabilities.argmax_rows(),
    }
}

/// The logarithm of the sum of what these are the logarithms of.
fn log_sum(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + logs.iter().map(|log| (log - largest).exp()).sum::<f64>().ln()
}

/// [`Calibration::NONE`] to lend.
pub(crate) static NO_CALIBRATION: Calibration = Calibration::NONE;

/// Reliability of `probabilities` (rows × classes) for rows of these classes, judged by the likeliest class of each row, whatever is predicted.
pub fn reliability(probabilities: &Matrix, labels: &[u32]) -> Reliability {
    let mut sums = [(0usize, 0.0f64, 0usize); BINS];
    let mut loss = 0.0;
    for ((i, &label), &said) in labels.iter().enumerate().zip(&probabilities.argmax_rows()) {
        let confidence = f64::from(probabilities.get(i, said as usize));
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        sums[bin].0 += 1;
        sums[bin].1 += confidence;
        sums[bin].2 += usize::from(said == label);
        loss -= f64::from(probabilities.get(i, label as usize)).max(1e-15).ln();
    }
    let rows = labels.len().max(1) as f64;
    let edge = |bin: usize| bin as f64 / BINS as f64;
    let bins: Vec<Bin> = (sums.iter().enumerate().filter(|(_, sum)| sum.0 > 0))
        .map(|(bin, &(count, confidence, right))| Bin {
            low: edge(bin),
            high: edge(bin + 1),
            rows: count,
            confidence: confidence / count as f64,
            accuracy: right as f64 / count as f64,
        })
        .collect();
    let mean = |of: fn(&Bin) -> f64| bins.iter().map(|bin| of(bin) * bin.rows as f64).sum::<f64>() / rows;
    Reliability {
        expected_error: mean(|bin| (bin.accuracy - bin.confidence).abs()),
        log_loss: loss / rows,
        confidence: mean(|bin| bin.confidence),
        accuracy: mean(|bin| bin.accuracy),
        bins,
    }
}

/// Of a probability that was rounded to nothing, that of the least one that f32 can hold.
pub(crate) fn log(p: f32) -> f64 {
    f64::from(p.max(f32::MIN_POSITIVE)).ln()
}
