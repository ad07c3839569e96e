//! The threshold on the probability of one of two classes, chosen for an aim on rows that the model did not learn from.
//!
//! Works on log-odds, as [`Calibration::decide`] does: a threshold is a decision weight of the positive class, so that it belongs to a model as its
//! calibration does.

use runner_results::threshold::{Costs, Threshold, ThresholdAim, ThresholdRows};

use super::calibration::{Calibration, log};
use super::matrix::Matrix;

/// A threshold that is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// What it is chosen for.
    pub aim: ThresholdAim,
    /// The place of the positive class among the two.
    pub positive: u32,
}

/// Decision weights that predict the positive class from the threshold on that serves the aim best on these rows; of equals the highest. `None` where
/// nothing can be chosen: all rows have one probability, or one class.
///
/// Half-way between the log-odds of two neighbouring rows, so that no row of these lies on it.
pub fn fit(wanted: Wanted, probabilities: &Matrix, labels: &[u32]) -> Option<Vec<f64>> {
    let positive = wanted.positive as usize;
    let odds = |row: usize| log(probabilities.get(row, positive)) - log(probabilities.get(row, 1 - positive));
    let mut rows: Vec<(f64, bool)> =
        labels.iter().enumerate().map(|(row, label)| (odds(row), *label as usize == positive)).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = rows.iter().filter(|(_, is_of)| *is_of).count();
    let (first, last) = (rows.first()?.0, rows.last()?.0);
    if all == 0 || all == rows.len() || first == last {
        return None;
    }
    let merit = |hits: usize, alarms: usize| -> f64 {
        let (hits, alarms, all) = (hits as f64, alarms as f64, all as f64);
        match wanted.aim {
            ThresholdAim::F1 => 2.0 * hits / (all + hits + alarms),
            ThresholdAim::Cost(costs) => {
                let costs = costs.unwrap_or(Costs::EVEN);
                -(costs.false_positive * alarms + costs.false_negative * (all - hits))
            }
            // Lower thresholds find more; the first that finds enough has the fewest false alarms.
            ThresholdAim::Recall(share) => f64::from(u8::from(hits / all >= share)),
        }
    };
    // Above all rows nothing is positive.
    let mut best = (merit(0, 0), first + 1.0);
    let (mut hits, mut alarms) = (0, 0);
    for (i, (own, is_of)) in rows.iter().enumerate() {
        if *is_of {
            hits += 1
        } else {
            alarms += 1
        };
        let next = rows.get(i + 1).map(|(next, _)| *next);
        if next == Some(*own) {
            continue;
        }
        let found = merit(hits, alarms);
        if found > best.0 {
            best = (found, next.map_or(own - 1.0, |next| (own + next) / 2.0));
        }
    }
    let mut decision = vec![0.0; 2];
    decision[positive] = -best.1;
    Some(decision)
}

/// The threshold that a model predicts by, for whoever reads it; `None` where the likeliest class is predicted.
pub fn told(
    wanted: Wanted,
    classes: &[String],
    calibration: &Calibration,
    fitted_on: ThresholdRows,
) -> Option<Threshold> {
    let positive = wanted.positive as usize;
    let [own, other] = [calibration.decision.get(positive)?, calibration.decision.get(1 - positive)?];
    let value = 1.0 / (1.0 + (own - other).exp());
    Some(Threshold { value, positive: classes[positive].clone(), aim: wanted.aim, fitted_on })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fifty rows whose probability is right most of the time, with equal ones among them.
    fn rows() -> (Matrix, Vec<u32>) {
        let p = |i: usize| ((i * 7 % 23) as f32 + 0.5) / 24.0;
        let labels = (0..50).map(|i| u32::from((i * 7 % 23) + (i * 5 % 11) > 22)).collect();
        (Matrix::from_vec(50, 2, (0..50).flat_map(|i| [1.0 - p(i), p(i)]).collect()), labels)
    }

    fn predicted(aim: ThresholdAim) -> (f64, Vec<u32>) {
        let (probabilities, labels) = rows();
        let wanted = Wanted { aim, positive: 1 };
        let calibration = Calibration { decision: fit(wanted, &probabilities, &labels).unwrap(), ..Calibration::NONE };
        let names = ["no", "yes"].map(String::from);
        let told = told(wanted, &names, &calibration, ThresholdRows::Validation).unwrap();
        assert_eq!(told.positive, "yes");
        (told.value, calibration.decide(&probabilities))
    }

    // import numpy as np; from sklearn.metrics import precision_recall_curve, roc_curve
    // i = np.arange(50); p = ((i * 7 % 23) + .5) / 24; y = ((i * 7 % 23) + (i * 5 % 11) > 22).astype(int)
    // pr, re, th = precision_recall_curve(y, p); f = 2 * pr * re / (pr + re); k = f[:-1].argmax(); th[k], f[k], (p >= th[k]).sum()
    // fpr, tpr, t = roc_curve(y, p, drop_intermediate=False); t[np.argmax(tpr >= .9)], (p >= t[np.argmax(tpr >= .9)]).sum()
    // for a, b in ((1, 5), (5, 1)): c = a * fpr * (y == 0).sum() + b * (1 - tpr) * y.sum(); print(t[c.argmin()], c.min())
    #[test]
    fn thresholds_are_those_of_scikit_learns_curves() {
        let (_, labels) = rows();
        let count = |said: &[u32]| said.iter().sum::<u32>();
        let cost = |said: &[u32], [alarm, miss]: [f64; 2]| -> f64 {
            let of = |row: (&u32, &u32)| match row {
                (1, 0) => alarm,
                (0, 1) => miss,
                _ => 0.0,
            };
            said.iter().zip(&labels).map(of).sum()
        };
        let (value, said) = predicted(ThresholdAim::F1);
        assert!(EXPECTED_F1.0 >= value && value > EXPECTED_F1.0 - 1.0 / 24.0, "{value}");
        assert_eq!(count(&said), EXPECTED_F1.1);
        let (value, said) = predicted(ThresholdAim::Recall(0.9));
        assert!(EXPECTED_RECALL.0 >= value && value > EXPECTED_RECALL.0 - 1.0 / 24.0, "{value}");
        assert_eq!(count(&said), EXPECTED_RECALL.1);
        for ([alarm, miss], least) in EXPECTED_COSTS {
            let costs = Costs { false_positive: alarm, false_negative: miss };
            assert_eq!(cost(&predicted(ThresholdAim::Cost(Some(costs))).1, [alarm, miss]), least);
        }
    }

    const EXPECTED_F1: (f64, u32) = (0.604_166_666_666_666_6, 20);
    const EXPECTED_RECALL: (f64, u32) = (0.604_166_666_666_666_6, 20);
    const EXPECTED_COSTS: [([f64; 2], f64); 2] = [([1.0, 5.0], 7.0), ([5.0, 1.0], 6.0)];

    #[test]
    fn of_one_probability_or_one_class_nothing_is_chosen() {
        let wanted = Wanted { aim: ThresholdAim::F1, positive: 1 };
        let constant = Matrix::from_vec(4, 2, [0.9, 0.1].repeat(4));
        assert_eq!(fit(wanted, &constant, &[0, 0, 1, 0]), None);
        let (probabilities, _) = rows();
        assert_eq!(fit(wanted, &probabilities, &[1; 50]), None);
        assert_eq!(fit(wanted, &Matrix::zeros(0, 2), &[]), None);
    }

    #[test]
    fn where_alarms_cost_too_much_nothing_is_positive() {
        let costs = Costs { false_positive: 1e6, false_negative: 1e-3 };
        let (probabilities, _) = rows();
        // The likeliest row is a false alarm or not; either way none is predicted beyond those without any alarm.
        let (_, said) = predicted(ThresholdAim::Cost(Some(costs)));
        let (_, labels) = rows();
        assert!(said.iter().zip(&labels).all(|(said, label)| *said == 0 || *label == 1), "{said:?}");
        assert_eq!(said.len(), probabilities.rows);
    }
}
