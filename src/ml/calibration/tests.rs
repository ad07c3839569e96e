//! Against scikit-learn and scipy; what calibration does to shifted classes, and what it leaves alone.

use super::fit::{HOTTEST, fit_temperature};
use super::{Calibration, Raw, reliability};
use crate::matrix::Matrix;
use crate::progress::Silent;
use crate::rng::Stream;

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
    let temperature = fit_temperature(&probabilities, &labels, &Silent).unwrap();
    close(temperature, EXPECTED.3, 1e-4);
    let mut tempered = probabilities.clone();
    Calibration { temperature, ..Calibration::NONE }.apply(&mut tempered);
    let after = reliability(&tempered, &labels);
    close(after.log_loss, EXPECTED.4, 1e-6);
    assert_eq!(after.accuracy, found.accuracy, "the likeliest class stays");
    assert!(after.expected_error < found.expected_error);
    assert_eq!(tempered.argmax_rows(), probabilities.argmax_rows());
    close(fit_temperature(&tempered, &labels, &Silent).unwrap(), 1.0, 1e-4);
}

/// Expected error, log loss, confidence, temperature, log loss at that temperature.
const EXPECTED: (f64, f64, f64, f64, f64) = (0.186_968_027, 1.230_471_068, 0.743_422_771, 2.921_182_738, 0.954_567_856);
const FIRST_BINS: [(f64, f64, usize); 3] =
    [(0.6875, 0.377_505_920, 16), (0.641_025_641, 0.435_929_045, 39), (0.655_172_414, 0.502_379_031, 29)];

#[test]
fn certainty_has_no_nan() {
    let mut sure = Matrix::from_vec(2, 2, vec![1.0, 0.0, 0.0, 1.0]);
    let right = fit_temperature(&sure, &[0, 1], &Silent).unwrap();
    assert!(right < 0.2, "always right: so cold that f32 holds nothing colder, {right}");
    assert!((fit_temperature(&sure, &[1, 0], &Silent).unwrap() - HOTTEST).abs() < 1e-4);
    Calibration { temperature: 2.0, ..Calibration::NONE }.apply(&mut sure);
    assert!(sure.data.iter().all(|p| p.is_finite()) && sure.get(0, 0) > 0.999);
    assert_eq!(fit_temperature(&Matrix::default(), &[], &Silent).unwrap(), 1.0);
}

/// Rows of classes with these shares and one number that tells of them, as probabilities of a model that is right but for `shift` added to its
/// logits and for being `sharp` times as sure.
fn shifted(shares: &[f64], rows: usize, shift: &[f64], sharp: f64, seed: u64) -> (Matrix, Vec<u32>) {
    let mut stream = Stream::new(seed, "calibration", 0);
    let (mut data, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let mut left = stream.uniform();
        let label = shares.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        let label = label.unwrap_or(shares.len() - 1);
        let seen: Vec<f64> =
            (0..shares.len()).map(|class| stream.normal() + if class == label { 1.2 } else { 0.0 }).collect();
        // Of normal numbers with means 1.2 and 0 the log odds are 1.2 x.
        let logits = (0..shares.len()).map(|class| sharp * (1.2 * seen[class] + shares[class].ln()) + shift[class]);
        let odds: Vec<f64> = logits.map(f64::exp).collect();
        let total: f64 = odds.iter().sum();
        data.extend(odds.iter().map(|odd| (odd / total) as f32));
        labels.push(label as u32);
    }
    (Matrix::from_vec(rows, shares.len(), data), labels)
}

/// Log loss and mean probability of the last class on other rows, before and after a calibration that was fitted on `rows` rows.
fn judged(shares: &[f64], rows: usize, shift: &[f64], sharp: f64, weights: &[f32], seed: u64) -> [(f64, f64); 2] {
    let (valid, labels) = shifted(shares, rows, shift, sharp, seed);
    let calibration = Calibration::fit(Raw::Scores, &valid, &labels, weights, &Silent).unwrap();
    let (before, truth) = shifted(shares, 4_000, shift, sharp, seed + 1_000);
    let mut after = before.clone();
    calibration.apply(&mut after);
    assert_eq!(calibration.decide(&after), before.argmax_rows(), "what is predicted stays");
    let last = shares.len() - 1;
    let mean = |p: &Matrix| (0..p.rows).map(|i| f64::from(p.get(i, last))).sum::<f64>() / p.rows as f64;
    [&before, &after].map(|p| (reliability(p, &truth).log_loss, mean(p)))
}

#[test]
fn classes_whose_share_is_off_get_it_back() {
    // 5 % positives, and a model that gives them twenty times the odds, as balanced class weights make it.
    let shift = [0.0, 19f64.ln()];
    for (rows, weights) in [(600, vec![]), (600, vec![1.0 / 1.9, 10.0]), (80, vec![1.0 / 1.9, 10.0])] {
        let [before, after] = judged(&[0.95, 0.05], rows, &shift, 1.0, &weights, 1);
        let [honest, _] = judged(&[0.95, 0.05], 10, &[0.0, 0.0], 1.0, &[], 1);
        assert!(before.1 > 0.25 && before.0 > 0.4, "{before:?}");
        assert!((after.1 - 0.05).abs() < 0.025 && after.0 < honest.0 * 1.15, "{rows}: {after:?} {honest:?}");
    }
}

#[test]
fn where_nothing_is_off_few_rows_do_no_harm() {
    let shares = [0.1; 10];
    let (mut worse, mut biased) = (0.0, 0);
    for seed in 0..20 {
        let [before, after] = judged(&shares, 150, &[0.0; 10], 1.0, &[], seed);
        worse += (after.0 - before.0) / 20.0;
        let (valid, labels) = shifted(&shares, 150, &[0.0; 10], 1.0, seed);
        biased += usize::from(!Calibration::fit(Raw::Scores, &valid, &labels, &[], &Silent).unwrap().bias.is_empty());
    }
    assert!(worse < 0.01 && biased <= 3, "{worse} {biased}");
    // Too sure, and nothing else: the temperature alone.
    let (valid, labels) = shifted(&shares, 600, &[0.0; 10], 2.0, 7);
    let found = Calibration::fit(Raw::Scores, &valid, &labels, &[], &Silent).unwrap();
    assert!((found.temperature - 2.0).abs() < 0.25 && found.bias.is_empty(), "{found:?}");
}

#[test]
fn a_calibration_that_fits_no_classes_is_told() {
    let of = |temperature: f64, bias: &[f64]| Calibration { temperature, bias: bias.to_vec(), ..Calibration::NONE };
    assert!(of(0.0, &[]).problem(2).unwrap().contains("temperature is 0"));
    assert!(of(1.0, &[0.5]).problem(2).is_some() && of(1.0, &[0.5, f64::NAN]).problem(2).is_some());
    assert!(of(1.0, &[0.5, -0.5]).problem(2).is_none());
}

#[test]
fn a_class_without_rows_keeps_its_share() {
    let (probabilities, labels) = rows();
    let kept: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] != 2).collect();
    let of = |rows: &[usize]| -> (Matrix, Vec<u32>) {
        let data: Vec<f32> = rows.iter().flat_map(|&row| probabilities.row(row).to_vec()).collect();
        (Matrix::from_vec(rows.len(), 3, data), rows.iter().map(|&row| labels[row]).collect())
    };
    let (two, of_two) = of(&kept);
    let found = Calibration::fit(Raw::Scores, &two, &of_two, &[], &Silent).unwrap();
    assert!(found.bias.is_empty() && found.temperature > 1.0, "{found:?}");
    let (one, of_one) = of(&kept.into_iter().filter(|&row| labels[row] == 0).collect::<Vec<_>>());
    assert_eq!(Calibration::fit(Raw::Scores, &one, &of_one, &[], &Silent).unwrap(), Calibration::NONE);
}

#[test]
fn weights_of_votes_are_undone_before_anything_is_fitted() {
    // Shares of five votes, mostly for the frequent class; weighted, they are w p / Σ w p.
    let weights = [1.0 / 1.9f32, 10.0];
    let mut stream = Stream::new(3, "votes", 0);
    let (mut plain, mut weighted, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..500 {
        let rare = (0..5).filter(|_| stream.uniform() < 0.1).count() as f32 / 5.0;
        let votes = [1.0 - rare, rare];
        let total: f32 = votes.iter().zip(weights).map(|(p, w)| p * w).sum();
        plain.extend(votes);
        weighted.extend(votes.iter().zip(weights).map(|(p, w)| p * w / total));
        labels.push(u32::from(stream.uniform() < f64::from(rare) * 0.6 + 0.02));
    }
    let of = |data: Vec<f32>, weights: &[f32]| {
        let raw = Matrix::from_vec(500, 2, data);
        let found = Calibration::fit(Raw::Votes, &raw, &labels, weights, &Silent).unwrap();
        let mut after = raw.clone();
        found.apply(&mut after);
        assert_eq!(found.decide(&after), raw.argmax_rows(), "what is predicted stays");
        after
    };
    let (plain, weighted) = (of(plain, &[]), of(weighted, &weights));
    let furthest = plain.data.iter().zip(&weighted.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // The floor is lower where weights differ, so that no class without votes is predicted.
    assert!(furthest < 5e-3, "{furthest}");
}

#[test]
fn a_model_of_least_log_loss_is_left_alone_until_the_rows_object() {
    let shares = [0.25; 4];
    let fit = |sharp: f64, seed: u64| {
        let (valid, labels) = shifted(&shares, 300, &[0.0; 4], sharp, seed);
        Calibration::fit(Raw::LogLoss, &valid, &labels, &[], &Silent).unwrap()
    };
    let touched = (0..50).filter(|&seed| fit(1.0, seed) != Calibration::NONE).count();
    assert!(touched <= 3, "{touched} of 50 at a level of 1 %");
    let found = fit(2.0, 1);
    assert!((found.temperature - 2.0).abs() < 0.4, "{found:?}");
}
