//! Every metric of some rows from their classes, what was predicted of them and their probabilities, with a weight for each row: equal ones for the
//! score itself, how often a row was drawn for a resample.
//!
//! What needs sorting is sorted once, where a metric asks for it, so that a resample costs one pass over the rows (of rank metrics one for each class).

use std::cell::OnceCell;

use runner_results::Metric;
use runner_results::scores::{RankSums, Scoring};

use crate::calibration::BINS;
use crate::matrix::Matrix;

/// What is known of some rows. `probabilities` need not sum to 1 where only their order counts.
pub struct Measures<'a> {
    truth: &'a [u32],
    predicted: &'a [u32],
    probabilities: &'a Matrix,
    scoring: &'a Scoring,
    /// The class whose average precision is meant where there are two.
    positive: usize,
    /// Whether the probabilities are any: of scores in the right order only ranks mean something.
    is_probabilistic: bool,
    /// Found out when a metric asks for it.
    orders: OnceCell<Vec<(usize, Vec<Ranked>)>>,
    likelier: OnceCell<Vec<u32>>,
    confidences: OnceCell<Vec<(usize, f64, bool)>>,
}

/// A row in the order of a class' probability.
#[derive(Clone, Copy)]
struct Ranked {
    row: u32,
    /// It is of the class.
    is_of: bool,
    /// Of a smaller probability than the row before.
    opens: bool,
}

/// The class of two that has fewer of these rows, the later one of equals: what `positive` means unless it is named. `None` of more or fewer classes.
pub fn rarer_of_two(labels: impl IntoIterator<Item = u32>, classes: usize) -> Option<u32> {
    if classes != 2 {
        return None;
    }
    let mut rows = [0u64; 2];
    labels.into_iter().for_each(|label| rows[label as usize] += 1);
    Some(u32::from(rows[1] <= rows[0]))
}

/// Rows that the likeliest `k` classes of a metric hold; `None` of another metric.
fn top(metric: Metric) -> Option<usize> {
    match metric {
        Metric::Top3Accuracy => Some(3),
        Metric::Top5Accuracy => Some(5),
        _ => None,
    }
}

impl<'a> Measures<'a> {
    /// `probabilities` are rows × classes.
    pub fn new(
        truth: &'a [u32],
        predicted: &'a [u32],
        probabilities: &'a Matrix,
        scoring: &'a Scoring,
        is_probabilistic: bool,
    ) -> Self {
        let classes = probabilities.cols;
        let positive = scoring.positive.or_else(|| rarer_of_two(truth.iter().copied(), classes));
        let positive = positive.map_or(0, |class| class as usize);
        Measures {
            truth,
            predicted,
            probabilities,
            scoring,
            positive,
            is_probabilistic,
            orders: OnceCell::new(),
            likelier: OnceCell::new(),
            confidences: OnceCell::new(),
        }
    }

    /// By class: the rows by falling probability. Of two classes the positive one alone.
    fn orders(&self) -> &[(usize, Vec<Ranked>)] {
        self.orders.get_or_init(|| {
            let classes = self.probabilities.cols;
            let wanted = if classes == 2 { self.positive..self.positive + 1 } else { 0..classes };
            wanted.map(|class| (class, order(self.truth, self.probabilities, class))).collect()
        })
    }

    /// Of each row, how many classes are likelier than its own; of equals the later one counts as likelier, as in scikit-learn.
    fn likelier(&self) -> &[u32] {
        self.likelier.get_or_init(|| {
            let of = |(row, &own): (usize, &u32)| {
                let said = self.probabilities.row(row);
                let own = own as usize;
                let is_likelier = |(class, p): (usize, &f32)| *p > said[own] || (*p == said[own] && class > own);
                said.iter().enumerate().filter(|one| is_likelier(*one)).count() as u32
            };
            self.truth.iter().enumerate().map(of).collect()
        })
    }

    /// Of each row, the bin of its confidence, its confidence, and whether its likeliest class is right.
    fn confidences(&self) -> &[(usize, f64, bool)] {
        self.confidences.get_or_init(|| {
            let rows = self.truth.iter().enumerate().zip(self.probabilities.argmax_rows());
            rows.map(|((row, own), said)| {
                let confidence = f64::from(self.probabilities.get(row, said as usize));
                (bin_of(confidence), confidence, said == *own)
            })
            .collect()
        })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// The metric of the rows by their weights; `None` where it has no meaning: of no rows, of a class without a row or without a row of another
    /// (average precision and ROC AUC, which of several classes are means over the others), of no more than k classes (top-k), of scores that are no
    /// probabilities (losses of probabilities), without costs (mean cost), of classes without an order (quadratic kappa, rank error).
    pub fn value(&self, metric: Metric, weights: &[f64]) -> Option<f64> {
        let total: f64 = weights.iter().sum();
        if total <= 0.0 || metric.is_loss() && metric.is_of_probabilities() && !self.is_probabilistic {
            return None;
        }
        let mean = |of: &dyn Fn(usize) -> f64| {
            (0..self.rows()).filter(|row| weights[*row] > 0.0).map(|row| weights[row] * of(row)).sum::<f64>() / total
        };
        match metric {
            Metric::Accuracy => Some(mean(&|row| f64::from(u8::from(self.truth[row] == self.predicted[row])))),
            Metric::Loss => {
                Some(mean(&|row| -f64::from(self.probabilities.get(row, self.truth[row] as usize)).max(1e-15).ln()))
            }
            Metric::Brier => Some(mean(&|row| self.squared_error(row))),
            Metric::CalibrationError => Some(self.calibration_error(weights, total)),
            Metric::Top3Accuracy | Metric::Top5Accuracy => {
                let most = top(metric).filter(|most| self.probabilities.cols > *most)?;
                let likelier = self.likelier();
                Some(mean(&|row| f64::from(u8::from((likelier[row] as usize) < most))))
            }
            Metric::RocAuc => self.over_classes(|order| area(order, weights)),
            Metric::AveragePrecision => self.over_classes(|order| average_precision(order, weights)),
            Metric::MacroF1 | Metric::BalancedAccuracy | Metric::WeightedF1 | Metric::Mcc => {
                Table::new(self.truth, self.predicted, self.probabilities.cols, weights).value(metric)
            }
            Metric::Cost => {
                let costs = self.scoring.costs.as_ref()?;
                Some(mean(&|row| costs.get(self.truth[row], self.predicted[row])))
            }
            Metric::QuadraticKappa | Metric::RankError => {
                let mut ranks = RankSums::default();
                for ((&truth, &predicted), &weight) in self.truth.iter().zip(self.predicted).zip(weights) {
                    ranks.add(truth, predicted, weight);
                }
                ranks.value(metric).filter(|_| self.scoring.is_ordered)
            }
        }
    }

    /// Of two classes half the sum over both, as scikit-learn's `scale_by_half="auto"`.
    fn squared_error(&self, row: usize) -> f64 {
        let own = self.truth[row] as usize;
        let error = |class: usize| f64::from(self.probabilities.get(row, class)) - f64::from(u8::from(class == own));
        match self.probabilities.cols {
            2 => error(self.positive).powi(2),
            classes => (0..classes).map(|class| error(class).powi(2)).sum(),
        }
    }

    fn calibration_error(&self, weights: &[f64], total: f64) -> f64 {
        let mut sums = [0.0f64; BINS];
        for (&(bin, confidence, is_right), weight) in self.confidences().iter().zip(weights) {
            sums[bin] += weight * (f64::from(u8::from(is_right)) - confidence);
        }
        sums.iter().map(|sum| sum.abs()).sum::<f64>() / total
    }

    /// The mean over the classes of which it is defined.
    fn over_classes(&self, of: impl Fn(&[Ranked]) -> Option<f64>) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0u32);
        for value in self.orders().iter().filter_map(|(_, order)| of(order)) {
            sum += value;
            count += 1;
        }
        (count > 0).then(|| sum / f64::from(count))
    }

    /// Thresholds of the positive class of two from the highest on: the least probability that is predicted, and the rows of the class and of the
    /// other that are. `None` of more classes.
    pub fn thresholds(&self) -> Option<Vec<Cut>> {
        let [(class, order)] = self.orders() else { return None };
        let mut cuts: Vec<Cut> = Vec::new();
        let (mut hits, mut alarms) = (0, 0);
        for ranked in order {
            if ranked.is_of {
                hits += 1;
            } else {
                alarms += 1;
            }
            let cut = Cut { probability: f64::from(self.probabilities.get(ranked.row as usize, *class)), hits, alarms };
            match cuts.last_mut() {
                Some(last) if !ranked.opens => *last = cut,
                _ => cuts.push(cut),
            }
        }
        Some(cuts)
    }
}

/// What is predicted positive from a probability on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// The least that counts as positive.
    pub probability: f64,
    /// Positive rows among them.
    pub hits: u64,
    /// Others among them: false alarms.
    pub alarms: u64,
}

fn bin_of(confidence: f64) -> usize {
    ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1
}

fn order(truth: &[u32], probabilities: &Matrix, class: usize) -> Vec<Ranked> {
    let mut rows: Vec<u32> = (0..truth.len() as u32).collect();
    let of = |row: u32| probabilities.get(row as usize, class);
    rows.sort_by(|a, b| of(*b).total_cmp(&of(*a)));
    let mut before = f32::NAN;
    rows.into_iter()
        .map(|row| {
            let opens = of(row) != before;
            before = of(row);
            Ranked { row, is_of: truth[row as usize] as usize == class, opens }
        })
        .collect()
}

/// Calls `group` with the weights of the rows of the class and of the others that share a probability, from the highest on.
fn by_group(order: &[Ranked], weights: &[f64], mut group: impl FnMut(f64, f64)) {
    let (mut own, mut others) = (0.0, 0.0);
    for ranked in order {
        if ranked.opens && own + others > 0.0 {
            group(own, others);
            (own, others) = (0.0, 0.0);
        }
        let weight = weights[ranked.row as usize];
        if ranked.is_of { own += weight } else { others += weight }
    }
    if own + others > 0.0 {
        group(own, others);
    }
}

/// Under the ROC curve: the chance that a row of the class stands before another, equals counting half.
fn area(order: &[Ranked], weights: &[f64]) -> Option<f64> {
    let (mut hits, mut alarms, mut area) = (0.0, 0.0, 0.0);
    by_group(order, weights, |own, others| {
        area += others * (hits + own / 2.0);
        hits += own;
        alarms += others;
    });
    (hits > 0.0 && alarms > 0.0).then(|| area / (hits * alarms))
}

/// Precision at every threshold by the recall that it adds, without interpolation.
fn average_precision(order: &[Ranked], weights: &[f64]) -> Option<f64> {
    let (mut hits, mut alarms, mut sum) = (0.0, 0.0, 0.0);
    by_group(order, weights, |own, others| {
        hits += own;
        alarms += others;
        sum += own * hits / (hits + alarms);
    });
    (hits > 0.0 && alarms > 0.0).then(|| sum / hits)
}

/// Weighted counts by class: rows of it, rows predicted as it, and rows that are both.
struct Table {
    classes: Vec<[f64; 3]>,
    total: f64,
}

impl Table {
    fn new(truth: &[u32], predicted: &[u32], classes: usize, weights: &[f64]) -> Table {
        let mut found = Table { classes: vec![[0.0; 3]; classes], total: 0.0 };
        for ((&truth, &predicted), &weight) in truth.iter().zip(predicted).zip(weights) {
            found.total += weight;
            found.classes[truth as usize][0] += weight;
            found.classes[predicted as usize][1] += weight;
            found.classes[truth as usize][2] += if truth == predicted { weight } else { 0.0 };
        }
        found
    }

    fn value(&self, metric: Metric) -> Option<f64> {
        runner_results::scores::of_counts(metric, &self.classes, self.total)
    }
}
