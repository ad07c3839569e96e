//! Weights against scipy's optimiser, greedy selection against its definition, and combinations by hand.

use runner_results::Metric;
use runner_results::scores::PLAIN;
use runner_results::threshold::ThresholdAim;

use super::{Average, Calibration, Combination, Members, Weighting, cross_fitted};
use crate::calibration::fit::fit_temperature;
use crate::matrix::Matrix;
use crate::metrics::Measures;
use crate::progress::Silent;
use crate::threshold::Wanted;

/// Four members of three classes over 300 rows: the first two know different rows, the third is a worse copy of the first, the last guesses.
fn members() -> (Vec<Matrix>, Vec<u32>) {
    let labels: Vec<u32> = (0..300).map(|i| (i * 5 % 7 % 3) as u32).collect();
    let member = |m: usize| {
        let mut data = Vec::new();
        for (i, &label) in labels.iter().enumerate() {
            let knows = match m {
                0 => {
                    if i % 2 == 0 {
                        2.0
                    } else {
                        0.3
                    }
                }
                1 => {
                    if i % 2 == 1 {
                        1.6
                    } else {
                        0.2
                    }
                }
                2 => {
                    if i % 2 == 0 {
                        1.2
                    } else {
                        0.3
                    }
                }
                _ => 0.0,
            };
            let logits: Vec<f64> = (0..3)
                .map(|k| ((i * (m + 2) + 3 * k) as f64).sin() * 1.5 + if k == label as usize { knows } else { 0.0 })
                .collect();
            let total: f64 = logits.iter().map(|z| z.exp()).sum();
            data.extend(logits.iter().map(|z| (z.exp() / total) as f32));
        }
        Matrix::from_vec(300, 3, data)
    };
    ((0..4).map(member).collect(), labels)
}

/// A combination with its temperature alone, and its loss.
fn fit(average: Average, weighting: Weighting) -> (Combination, f64) {
    let (members, labels) = members();
    let members: Vec<&Matrix> = members.iter().collect();
    let found =
        Combination::fit(Members::plain(&members), &labels, average, weighting, &Silent).unwrap().uncalibrated();
    let temperature = fit_temperature(&found.combine(&members), &labels, &Silent).unwrap();
    let found = Combination { calibration: Calibration { temperature, ..Calibration::NONE }, ..found };
    let loss = loss(&found.combine(&members), &labels);
    (found, loss)
}

fn loss(probabilities: &Matrix, labels: &[u32]) -> f64 {
    let rows = labels.iter().enumerate().map(|(i, &label)| -f64::from(probabilities.get(i, label as usize)).ln());
    rows.sum::<f64>() / labels.len() as f64
}

// import numpy as np; from scipy.optimize import minimize
// i = np.arange(300)[:, None]; k = np.arange(3)[None, :]; y = np.arange(300) * 5 % 7 % 3; even = np.arange(300) % 2 == 0
// knows = [np.where(even, 2, .3), np.where(even, .2, 1.6), np.where(even, 1.2, .3), 0 * even]
// P = []
// for m in range(4):
//     z = np.sin(i * (m + 2) + 3 * k) * 1.5 + (k == y[:, None]) * knows[m][:, None]; e = np.exp(z); P.append(e / e.sum(1, keepdims=True))
// P = np.array(P); r = np.arange(300); soft = lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True)
// pool = lambda w: -np.log(soft(np.tensordot(w, np.log(np.maximum(P, 1e-4)), 1))[r, y]).mean()
// a = minimize(lambda w: pool(w) + 1e-3 * w.sum(), np.ones(4) / 4, bounds=[(0, None)] * 4, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10})
// w = a.x / a.x.sum(); t = minimize(lambda t: pool(w / t[0]), [1.], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14})
// mix = lambda w: -np.log(np.tensordot(w, P, 1)[r, y]).mean()
// b = minimize(mix, np.ones(4) / 4, bounds=[(0, 1)] * 4, method="SLSQP", constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-14})
// w, t.x, t.fun, b.x, b.fun
#[test]
fn convex_weights_agree_with_scipy() {
    let (found, loss) = fit(Average::Logits, Weighting::Convex);
    for (found, expected) in found.weights.iter().zip(PRODUCT.0) {
        assert!((found - expected).abs() < 2e-3, "{found} for {expected}");
    }
    assert!(
        (found.calibration.temperature - PRODUCT.1).abs() < 2e-3 && (loss - PRODUCT.2).abs() < 1e-6,
        "{found:?} {loss}"
    );

    let (members, labels) = members();
    let members: Vec<&Matrix> = members.iter().collect();
    let weights = super::weights::mixture(&members, &labels, &Silent).unwrap();
    for (found, expected) in weights.iter().zip(MIXTURE.0) {
        assert!((found - expected).abs() < 5e-3, "{found} for {expected}");
    }
    let mixed =
        Combination { average: Average::Probabilities, weights, calibration: Calibration::NONE }.combine(&members);
    let found = self::loss(&mixed, &labels);
    assert!((found - MIXTURE.1).abs() < 1e-6, "{found} for {}", MIXTURE.1);
}

/// Weights, temperature and log loss.
const PRODUCT: ([f64; 4], f64, f64) =
    ([0.358_047_6, 0.363_655_92, 0.253_319_94, 0.024_976_53], 0.497_396_06, 0.633_338_153);
const MIXTURE: ([f64; 4], f64) = ([0.531_703_79, 0.382_225_35, 0.086_070_86, 0.0], 0.773_356_691);

#[test]
fn greedy_weights_are_nearly_as_good_and_never_worse_than_the_best_member() {
    let (members, labels) = members();
    for average in [Average::Logits, Average::Probabilities] {
        let (greedy, greedy_loss) = fit(average, Weighting::Greedy);
        let (_, convex_loss) = fit(average, Weighting::Convex);
        assert!(greedy_loss < convex_loss + 0.01 && convex_loss < greedy_loss + 0.002, "{greedy_loss} {convex_loss}");
        let single = members.iter().map(|member| loss(member, &labels)).fold(f64::INFINITY, f64::min);
        assert!(greedy_loss < single, "{greedy_loss} {single}");
        // Multiples of one over the number of members added.
        assert!(greedy.weights[3] < 0.1 && (greedy.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn averages_are_those_that_are_written_down() {
    let a = Matrix::from_vec(1, 2, vec![0.9, 0.1]);
    let b = Matrix::from_vec(1, 2, vec![0.4, 0.6]);
    let of =
        |average| Combination { average, weights: vec![0.25, 0.75], calibration: Calibration::NONE }.combine(&[&a, &b]);
    assert!((of(Average::Probabilities).get(0, 0) - 0.525).abs() < 1e-6);
    // 0.9^¼·0.4^¾ against 0.1^¼·0.6^¾
    let (first, second) = (0.9f64.powf(0.25) * 0.4f64.powf(0.75), 0.1f64.powf(0.25) * 0.6f64.powf(0.75));
    assert!((f64::from(of(Average::Logits).get(0, 0)) - first / (first + second)).abs() < 1e-6);
}

#[test]
fn one_member_is_itself_and_equal_weights_are_equal() {
    let (members, labels) = members();
    let alone =
        Combination::fit(Members::plain(&[&members[0]]), &labels, Average::Logits, Weighting::Convex, &Silent).unwrap();
    assert_eq!(alone.weights, [1.0]);
    let all: Vec<&Matrix> = members.iter().collect();
    assert_eq!(
        Combination::fit(Members::plain(&all), &labels, Average::Logits, Weighting::Equal, &Silent).unwrap().weights,
        [0.25; 4]
    );
}

#[test]
fn weights_from_other_rows_do_a_little_worse_than_their_own() {
    let (members, labels) = members();
    let members: Vec<&Matrix> = members.iter().collect();
    for weighting in [Weighting::Convex, Weighting::Greedy] {
        let (fair, predicted) =
            cross_fitted(Members::plain(&members), &labels, Average::Logits, weighting, 5, 3, &Silent).unwrap();
        let own = Combination::fit(Members::plain(&members), &labels, Average::Logits, weighting, &Silent)
            .unwrap()
            .combine(&members);
        let hits = predicted.iter().zip(&labels).filter(|(predicted, label)| predicted == label).count();
        assert!(hits > 200, "{hits} of 300");
        let (fair, own) = (loss(&fair, &labels), loss(&own, &labels));
        assert!(fair > own && fair < own + 0.05, "{fair} {own}");
    }
}

#[test]
fn an_average_decides_as_its_members_do() {
    let (members, labels) = members();
    let all: Vec<&Matrix> = members.iter().take(2).collect();
    // Both weigh the last class as much.
    let decisions = vec![vec![0.0, 0.0, 1.5]; 2];
    let given = Members { decisions: &decisions, ..Members::plain(&all) };
    let found = Combination::fit(given, &labels, Average::Logits, Weighting::Equal, &Silent).unwrap();
    let said = found.combine(&all);
    let logs =
        |i: usize, k: usize| (0..2).map(|m| f64::from(all[m].get(i, k)).ln() / 2.0).sum::<f64>() + decisions[0][k];
    for (i, class) in found.decide(&said).into_iter().enumerate() {
        let best = (0..3).reduce(|best, k| if logs(i, k) > logs(i, best) { k } else { best });
        assert_eq!(Some(class as usize), best, "row {i}");
    }
    assert_ne!(found.decide(&said), said.argmax_rows());
}

#[test]
fn greedy_weights_by_a_metric_are_better_by_it_than_those_by_log_loss() {
    let (members, labels) = members();
    let all: Vec<&Matrix> = members.iter().collect();
    for metric in [Metric::RocAuc, Metric::Accuracy, Metric::Brier] {
        let score = |by: Metric| {
            let given = Members { metric: by, ..Members::plain(&all) };
            let found = Combination::fit(given, &labels, Average::Logits, Weighting::Greedy, &Silent).unwrap();
            let said = found.uncalibrated().combine(&all);
            let predicted = said.argmax_rows();
            let measures = Measures::new(&labels, &predicted, &said, &PLAIN, true);
            metric.merit(measures.value(metric, &vec![1.0; labels.len()]).unwrap())
        };
        assert!(score(metric) >= score(Metric::Loss) - 1e-12, "{metric:?}: {} {}", score(metric), score(Metric::Loss));
    }
}

#[test]
fn a_threshold_stands_in_for_the_decisions_of_members_and_is_chosen_on_other_rows_in_the_fair_score() {
    // Two classes: the third counts as the second.
    let (members, labels) = members();
    let two = |member: &Matrix| {
        let data = (0..member.rows).flat_map(|i| [member.get(i, 0), member.get(i, 1) + member.get(i, 2)]);
        Matrix::from_vec(member.rows, 2, data.collect())
    };
    let members: Vec<Matrix> = members.iter().map(two).collect();
    let labels: Vec<u32> = labels.iter().map(|label| (*label).min(1)).collect();
    let all: Vec<&Matrix> = members.iter().collect();
    let wanted = Wanted { aim: ThresholdAim::Recall(0.95), positive: 0 };
    let given = Members { threshold: Some(wanted), ..Members::plain(&all) };
    let found = Combination::fit(given, &labels, Average::Logits, Weighting::Convex, &Silent).unwrap();
    let recall = |predicted: &[u32]| {
        let of: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] == 0).collect();
        of.iter().filter(|row| predicted[**row] == 0).count() as f64 / of.len() as f64
    };
    let decided = found.decide(&found.combine(&all));
    let own = recall(&decided);
    assert!((0.95..1.0).contains(&own), "{own}");
    let (_, predicted) = cross_fitted(given, &labels, Average::Logits, Weighting::Convex, 5, 3, &Silent).unwrap();
    let fair = recall(&predicted);
    assert!((0.85..=1.0).contains(&fair), "{fair}");
    assert_ne!(predicted, decided);
}
