//! Whether a classifier's probabilities can be taken at their word: reliability by bins of confidence, expected calibration error, and
//! temperature scaling (Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599).
//!
//! Works on probabilities, of which the logarithm is a logit up to a constant of the row: so it serves networks, trees and averages alike.
//! Knows nothing of how they were made.

use serde::{Deserialize, Serialize};

use super::matrix::Matrix;

/// Bins of equal width over the confidence, as in the paper.
pub const BINS: usize = 15;

/// The temperatures that are looked at; beyond them the classifier is a coin or an oracle.
const COLDEST: f64 = 0.05;
const HOTTEST: f64 = 20.0;

/// What a classifier says of its own certainty, against how often it is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Mean over the rows of |accuracy − confidence| of their bin.
    pub expected_error: f64,
    /// Mean negative log-likelihood of the true class in nats.
    pub log_loss: f64,
    /// Mean probability of the predicted class.
    pub confidence: f64,
    pub accuracy: f64,
    /// From low to high confidence; empty ones are left out.
    pub bins: Vec<Bin>,
}

/// The rows of which the predicted class has a probability in `(low, high]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub low: f64,
    pub high: f64,
    pub rows: usize,
    pub confidence: f64,
    pub accuracy: f64,
}

/// Reliability of `probabilities` (rows × classes) for rows of these classes.
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

/// The temperature T under which `p^(1/T)`, made to sum to 1, has the least log loss on these rows. Above 1 the classifier was too sure of itself.
///
/// In 1/T the loss is convex, so its slope has one zero, which is found by halving.
pub fn fit_temperature(probabilities: &Matrix, labels: &[u32]) -> f64 {
    if labels.is_empty() {
        return 1.0;
    }
    let logits: Vec<f64> = probabilities.data.iter().map(|&p| log(p)).collect();
    let classes = probabilities.cols;
    // Mean over rows of (expected logit − logit of the true class): the loss' derivative by 1/T, up to its sign.
    let slope = |cold: f64| -> f64 {
        let row = |(row, &label): (&[f64], &u32)| {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut total, mut weighted) = (0.0, 0.0);
            for &logit in row {
                let weight = (cold * (logit - largest)).exp();
                total += weight;
                weighted += weight * logit;
            }
            weighted / total - row[label as usize]
        };
        logits.chunks_exact(classes).zip(labels).map(row).sum()
    };
    let (mut low, mut high) = (1.0 / HOTTEST, 1.0 / COLDEST);
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        if slope(middle) < 0.0 { low = middle } else { high = middle }
    }
    1.0 / (low * high).sqrt()
}

/// Replaces every row p by `p^(1/T)`, made to sum to 1. The likeliest class stays the likeliest.
pub fn temper(probabilities: &mut Matrix, temperature: f64) {
    if temperature == 1.0 {
        return;
    }
    for i in 0..probabilities.rows {
        let row = probabilities.row_mut(i);
        let largest = log(row.iter().copied().fold(0.0, f32::max));
        let powers: Vec<f64> = row.iter().map(|&p| ((log(p) - largest) / temperature).exp()).collect();
        let total: f64 = powers.iter().sum();
        row.iter_mut().zip(powers).for_each(|(p, power)| *p = (power / total) as f32);
    }
}

/// Of a probability that was rounded to nothing, that of the least one that f32 can hold.
fn log(p: f32) -> f64 {
    f64::from(p.max(f32::MIN_POSITIVE)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a deterministic, overconfident classifier: what numpy makes of the same formula is below.
    fn rows() -> (Matrix, Vec<u32>) {
        let mut data = Vec::new();
        let mut labels = Vec::new();
        for i in 0..400u32 {
            let logits = [0, 1, 2].map(|k| (f64::from(i * (k + 2) + 3 * k)).sin() * 3.0);
            let total: f64 = logits.iter().map(|z| z.exp()).sum();
            data.extend(logits.iter().map(|z| (z.exp() / total) as f32));
            let best = (0..3).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0) as u32;
            labels.push(if i % 3 == 0 { (best + 1 + i % 2) % 3 } else { best });
        }
        (Matrix::from_vec(400, 3, data), labels)
    }

    // import numpy as np; from sklearn.calibration import calibration_curve; from sklearn.metrics import log_loss
    // from scipy.optimize import minimize_scalar
    // i = np.arange(400)[:, None]; k = np.arange(3)[None, :]
    // z = np.sin(i * (k + 2) + 3 * k) * 3; p = np.exp(z) / np.exp(z).sum(1, keepdims=True); best = z.argmax(1)
    // j = np.arange(400); y = np.where(j % 3 == 0, (best + 1 + j % 2) % 3, best)
    // right = (best == y).astype(int); conf = p.max(1)
    // true, pred = calibration_curve(right, conf, n_bins=15); n = np.histogram(conf, np.linspace(0, 1, 16))[0]; n = n[n > 0]
    // (np.abs(true - pred) * n).sum() / 400, log_loss(y, p), conf.mean(), true[:3], pred[:3], n[:3]
    // f = lambda t: log_loss(y, np.exp(z / t) / np.exp(z / t).sum(1, keepdims=True))
    // r = minimize_scalar(f, bounds=(.05, 20), method="bounded", options={"xatol": 1e-10}); r.x, r.fun
    #[test]
    fn errors_bins_and_temperature_agree_with_scikit_learn_and_scipy() {
        let (probabilities, labels) = rows();
        let found = reliability(&probabilities, &labels);
        let close = |a: f64, b: f64, by: f64| assert!((a - b).abs() < by, "{a} for {b}");
        close(found.expected_error, EXPECTED.0, 1e-6);
        close(found.log_loss, EXPECTED.1, 1e-6);
        close(found.confidence, EXPECTED.2, 1e-6);
        for (bin, (accuracy, confidence, rows)) in found.bins.iter().zip(FIRST_BINS) {
            close(bin.accuracy, accuracy, 1e-6);
            close(bin.confidence, confidence, 1e-6);
            assert_eq!(bin.rows, rows);
        }
        let temperature = fit_temperature(&probabilities, &labels);
        close(temperature, EXPECTED.3, 1e-4);
        let mut tempered = probabilities.clone();
        temper(&mut tempered, temperature);
        let after = reliability(&tempered, &labels);
        close(after.log_loss, EXPECTED.4, 1e-6);
        assert_eq!(after.accuracy, found.accuracy, "the likeliest class stays");
        assert!(after.expected_error < found.expected_error);
        assert_eq!(tempered.argmax_rows(), probabilities.argmax_rows());
        close(fit_temperature(&tempered, &labels), 1.0, 1e-4);
    }

    /// Expected error, log loss, confidence, temperature, log loss at that temperature.
    const EXPECTED: (f64, f64, f64, f64, f64) =
        (0.186_968_027, 1.230_471_068, 0.743_422_771, 2.921_182_738, 0.954_567_856);
    const FIRST_BINS: [(f64, f64, usize); 3] =
        [(0.6875, 0.377_505_920, 16), (0.641_025_641, 0.435_929_045, 39), (0.655_172_414, 0.502_379_031, 29)];

    #[test]
    fn certainty_has_no_nan() {
        let mut sure = Matrix::from_vec(2, 2, vec![1.0, 0.0, 0.0, 1.0]);
        let right = fit_temperature(&sure, &[0, 1]);
        assert!(right < 0.2, "always right: so cold that f32 holds nothing colder, {right}");
        assert!((fit_temperature(&sure, &[1, 0]) - HOTTEST).abs() < 1e-4);
        temper(&mut sure, 2.0);
        assert!(sure.data.iter().all(|p| p.is_finite()) && sure.get(0, 0) > 0.999);
        assert_eq!(fit_temperature(&Matrix::default(), &[]), 1.0);
    }
}
