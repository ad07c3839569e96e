//! Scores of a classifier over one set of rows: every [`Metric`], per-class precision / recall / F1, confusion matrix, curves of two classes.
//!
//! Definitions as in scikit-learn (`zero_division=0`). What follows from the confusion matrix is computed from it; what follows from probabilities
//! is written beside it.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Metric;
use crate::costs::CostMatrix;
use crate::interval::{Interval, IntervalMethod, Z, wilson};
use crate::threshold::Threshold;

/// What scores depend on beside rows and predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scoring {
    /// Of two classes the one that average precision, curves and thresholds are of; the rarer one of the rows unless given.
    pub positive: Option<u32>,
    /// What mistakes cost, where that is said.
    pub costs: Option<CostMatrix>,
    /// Whether the classes have an order, that in which they are listed.
    pub is_ordered: bool,
}

/// Of classes of which nothing is said.
pub static PLAIN: Scoring = Scoring { positive: None, costs: None, is_ordered: false };

/// Scores over one set of rows. Macro-F1 averages over the classes of `classes` that occur as truth or prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Scores {
    /// Rows that were scored.
    pub rows: usize,
    /// Share of rows that are right.
    pub accuracy: f64,
    /// Unweighted mean of the classes' F1; a class without rows and predictions is left out.
    pub macro_f1: f64,
    /// Mean negative log-likelihood in nats; absent where the model gives no probabilities.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log_loss: Option<f64>,
    /// Metrics of the probabilities, as far as they have a meaning for these rows and this model: ranks and losses but the log loss.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub by_probabilities: BTreeMap<Metric, f64>,
    /// Of two classes, the one that average precision, the curves and the threshold are of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub positive: Option<String>,
    /// Of two classes, the threshold by which the positive one was predicted, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<Threshold>,
    /// Of two classes, what other thresholds would give.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub curve: Option<ThresholdCurve>,
    /// What mistakes cost, where that is said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub costs: Option<CostMatrix>,
    /// Whether `classes` are listed in an order of theirs, and not by name.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_ordered: bool,
    /// The order of `per_class` and of both sides of `confusion`.
    pub classes: Vec<String>,
    /// In the order of `classes`.
    pub per_class: Vec<ClassScores>,
    /// `confusion[t][p]`: rows of true class `t` predicted as `p`. Written in full for up to 50 classes; of more as the cells that are not 0,
    /// `{"true": [t, …], "predicted": [p, …], "rows": [n, …], "classes": 300}` with indices into `classes`.
    #[serde(serialize_with = "write_confusion", deserialize_with = "read_confusion")]
    pub confusion: Vec<Vec<u64>>,
    /// How many groups of rows that belong together the rows are of; absent where each row stands alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<usize>,
    /// How many groups of equal size would tell as much as these.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effective_groups: Option<f64>,
    /// Whether they are too few for the intervals to be taken at their word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub few_groups: Option<bool>,
    /// How far the scores would move, had other rows (or groups) been drawn; absent where nobody asked for it, and of a single group.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub intervals: Option<ScoreIntervals>,
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Scores::serialize(self, serializer)
    }
}

/// More rows than any table has: sums of counts below cannot overflow.
const MOST_ROWS: u64 = 1_000_000_000_000;

// Who reads scores may index the matrix by the classes, whoever wrote them.
impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scores = Scores::deserialize(deserializer)?;
        let (matrix, classes) = (&scores.confusion, scores.classes.len());
        if matrix.len() != classes || matrix.iter().any(|row| row.len() != classes) {
            return Err(D::Error::custom(format!("the confusion matrix is not one of {classes} classes")));
        }
        if scores.per_class.len() != classes {
            return Err(D::Error::custom(format!("{} scores by class of {classes} classes", scores.per_class.len())));
        }
        if !(0.0..=1.0).contains(&scores.accuracy) {
            return Err(D::Error::custom(format!("an accuracy of {}", scores.accuracy)));
        }
        if let Some(problem) = scores.costs.as_ref().and_then(|costs| costs.problem(classes)) {
            return Err(D::Error::custom(problem));
        }
        let supports = scores.per_class.iter().map(|class| class.support);
        if let Some(curve) = &scores.curve
            && !curve.is_even()
        {
            return Err(D::Error::custom("a curve whose columns have different lengths"));
        }
        match matrix.iter().flatten().copied().chain(supports).find(|rows| *rows > MOST_ROWS) {
            Some(rows) => Err(D::Error::custom(format!("{rows} rows of a class"))),
            None => Ok(scores),
        }
    }
}

/// 95 % intervals of the headline scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreIntervals {
    /// Wilson's, of rows in groups with as many rows as tell as much alone.
    pub accuracy: Interval,
    /// A bootstrap over rows, or over groups of them; absent where all rows are right or all wrong, when no resample differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub macro_f1: Option<Interval>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log_loss: Option<Interval>,
    /// The same of the other metrics. Resamples in which a metric has no meaning, e.g. without a row of a class, do not count.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub others: BTreeMap<Metric, Interval>,
}

/// What every threshold on the probability of the positive class would give, from the highest on: the points of the ROC curve and of the
/// precision-recall curve, thinned out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThresholdCurve {
    /// The least probability that is predicted positive.
    pub threshold: Vec<f64>,
    /// Share of the positive rows that are predicted so: recall, the true positive rate.
    pub recall: Vec<f64>,
    /// Share of the rows predicted positive that are.
    pub precision: Vec<f64>,
    /// Share of the other rows that are predicted positive.
    pub false_positive_rate: Vec<f64>,
}

impl ThresholdCurve {
    fn is_even(&self) -> bool {
        let rows = self.threshold.len();
        [&self.recall, &self.precision, &self.false_positive_rate].iter().all(|column| column.len() == rows)
    }
}

/// One class against all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// The label.
    pub class: String,
    /// Share of the rows predicted as this class that are of it; 0 without any.
    pub precision: f64,
    /// Share of the rows of this class that are predicted as it; 0 without any.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Rows of this class.
    pub support: u64,
}

impl Scores {
    /// `truth[i]` and `predicted[i]` are indices into `classes`.
    pub fn new(classes: &[String], truth: &[u32], predicted: &[u32]) -> Self {
        let count = classes.len();
        let mut confusion = vec![vec![0u64; count]; count];
        for (&t, &p) in truth.iter().zip(predicted) {
            confusion[t as usize][p as usize] += 1;
        }
        Scores::of_confusion(classes, confusion)
    }

    /// The same of how many rows of each true class are predicted to be of each class.
    pub fn of_confusion(classes: &[String], confusion: Vec<Vec<u64>>) -> Self {
        let count = classes.len();
        let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let claims: Vec<u64> = (0..count).map(|p| confusion.iter().map(|row| row[p]).sum()).collect();
        let mut per_class = Vec::with_capacity(count);
        let mut f1_sum = 0.0;
        let mut occurring = 0u32;
        for (c, class) in classes.iter().enumerate() {
            let hit = confusion[c][c];
            let support: u64 = confusion[c].iter().sum();
            let claimed = claims[c];
            let f1 = ratio(2 * hit, support + claimed);
            if support + claimed > 0 {
                f1_sum += f1;
                occurring += 1;
            }
            per_class.push(ClassScores {
                class: class.clone(),
                precision: ratio(hit, claimed),
                recall: ratio(hit, support),
                f1,
                support,
            });
        }
        let hits: u64 = (0..count).map(|c| confusion[c][c]).sum();
        let rows: u64 = confusion.iter().flatten().sum();
        Scores {
            rows: rows as usize,
            accuracy: ratio(hits, rows),
            macro_f1: if occurring == 0 { 0.0 } else { f1_sum / f64::from(occurring) },
            log_loss: None,
            by_probabilities: BTreeMap::new(),
            positive: None,
            threshold: None,
            curve: None,
            costs: None,
            is_ordered: false,
            classes: classes.to_vec(),
            per_class,
            confusion,
            groups: None,
            effective_groups: None,
            few_groups: None,
            intervals: None,
        }
    }

    /// The value of a metric; `None` where it has no meaning for these rows or this model, or was not computed.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Accuracy => (self.rows > 0).then_some(self.accuracy),
            Metric::MacroF1 => (self.rows > 0).then_some(self.macro_f1),
            Metric::Loss => self.log_loss,
            Metric::BalancedAccuracy | Metric::WeightedF1 | Metric::Mcc => {
                let count = |class: usize| {
                    let predicted: u64 = self.confusion.iter().map(|row| row[class]).sum();
                    let row = &self.confusion[class];
                    [row.iter().sum::<u64>() as f64, predicted as f64, row[class] as f64]
                };
                let counts: Vec<[f64; 3]> = (0..self.confusion.len()).map(count).collect();
                of_counts(metric, &counts, self.rows as f64)
            }
            Metric::Cost => self.costs.as_ref()?.mean(&self.confusion),
            Metric::QuadraticKappa | Metric::RankError if self.is_ordered => {
                let mut ranks = RankSums::default();
                for (truth, row) in self.confusion.iter().enumerate() {
                    for (predicted, &rows) in row.iter().enumerate() {
                        ranks.add(truth as u32, predicted as u32, rows as f64);
                    }
                }
                ranks.value(metric)
            }
            _ => self.by_probabilities.get(&metric).copied(),
        }
    }

    /// The metric's 95 % interval, where one was computed; the accuracy's as [`Scores::accuracy_interval`].
    pub fn interval(&self, metric: Metric) -> Option<(f64, f64)> {
        if metric == Metric::Accuracy {
            return self.accuracy_interval();
        }
        let found = self.intervals.as_ref()?;
        let found = match metric {
            Metric::MacroF1 => found.macro_f1,
            Metric::Loss => found.log_loss,
            _ => found.others.get(&metric).copied(),
        };
        found.map(|found| (found.low, found.high))
    }

    /// Rows of each class, in the order of `classes`.
    pub fn supports(&self) -> Vec<u64> {
        self.per_class.iter().map(|class| class.support).collect()
    }

    /// The accuracy's 95 % interval: the stage's, else Wilson's, which is for rows that stand alone.
    pub fn accuracy_interval(&self) -> Option<(f64, f64)> {
        match &self.intervals {
            Some(intervals) => Some((intervals.accuracy.low, intervals.accuracy.high)),
            None if self.groups.is_some() || self.rows == 0 => None,
            None => Some(wilson(self.accuracy, self.rows as f64, Z)),
        }
    }

    /// How that interval was made.
    pub fn interval_method(&self) -> Option<IntervalMethod> {
        let own = self.intervals.as_ref().map(|intervals| intervals.accuracy.method);
        own.or_else(|| self.accuracy_interval().map(|_| IntervalMethod::Wilson))
    }
}

/// A metric of the confusion matrix from the (weighted) rows of each class, those predicted as it, and those that are both; `None` of no rows, and of a
/// metric that looks at probabilities.
///
/// F1 averages over the classes that occur as truth or prediction, balanced accuracy over those that occur as truth; MCC is 0 where all rows are of one
/// class or predicted as one.
pub fn of_counts(metric: Metric, classes: &[[f64; 3]], total: f64) -> Option<f64> {
    if total <= 0.0 {
        return None;
    }
    let f1 =
        |[own, predicted, hits]: &[f64; 3]| if own + predicted > 0.0 { 2.0 * hits / (own + predicted) } else { 0.0 };
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
        if count > 0 { sum / f64::from(count) } else { 0.0 }
    };
    match metric {
        Metric::Accuracy => Some(classes.iter().map(|[_, _, hits]| hits).sum::<f64>() / total),
        Metric::MacroF1 => Some(mean(&mut classes.iter().filter(|[own, predicted, _]| own + predicted > 0.0).map(f1))),
        Metric::WeightedF1 => Some(classes.iter().map(|class| class[0] * f1(class)).sum::<f64>() / total),
        Metric::BalancedAccuracy => {
            Some(mean(&mut classes.iter().filter(|[own, ..]| *own > 0.0).map(|[own, _, hits]| hits / own)))
        }
        Metric::Mcc => {
            let sum = |of: fn(&[f64; 3]) -> f64| classes.iter().map(of).sum::<f64>();
            let covariance = total * sum(|[_, _, hits]| *hits) - sum(|[own, predicted, _]| own * predicted);
            let of_truth = total * total - sum(|[own, ..]| own * own);
            let of_predicted = total * total - sum(|[_, predicted, _]| predicted * predicted);
            let scale = of_truth * of_predicted;
            Some(if scale > 0.0 { covariance / scale.sqrt() } else { 0.0 })
        }
        _ => None,
    }
}

/// Sums over rows of the ranks of their classes, true and predicted: what is needed of rows for metrics of classes that have an order.
#[derive(Clone, Copy, Debug, Default)]
pub struct RankSums {
    rows: f64,
    truth: [f64; 2],
    predicted: [f64; 2],
    distance: [f64; 2],
}

impl RankSums {
    /// Adds a row that counts so much.
    pub fn add(&mut self, truth: u32, predicted: u32, weight: f64) {
        let (truth, predicted) = (f64::from(truth), f64::from(predicted));
        let powers = |rank: f64| [weight * rank, weight * rank * rank];
        self.rows += weight;
        for (sums, rank) in [
            (&mut self.truth, truth),
            (&mut self.predicted, predicted),
            (&mut self.distance, (truth - predicted).abs()),
        ] {
            sums.iter_mut().zip(powers(rank)).for_each(|(sum, power)| *sum += power);
        }
    }

    /// Quadratic kappa or rank error; `None` of no rows, of another metric, and of kappa where all rows are of one class and predicted as it.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        if self.rows <= 0.0 {
            return None;
        }
        match metric {
            Metric::RankError => Some(self.distance[0] / self.rows),
            Metric::QuadraticKappa => {
                // The squared distance that truth and prediction would have, were they independent.
                let by_chance = self.truth[1] + self.predicted[1] - 2.0 * self.truth[0] * self.predicted[0] / self.rows;
                (by_chance > 0.0).then(|| 1.0 - self.distance[1] / by_chance)
            }
            _ => None,
        }
    }
}

/// Classes whose confusion matrix is written in full: its cells grow with their square, most of them empty.
const MOST_IN_FULL: usize = 50;

/// More classes than any model has: their matrix would fill the memory.
const MOST_CLASSES: usize = 20_000;

/// A confusion matrix as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Confusion {
    Full(Vec<Vec<u64>>),
    Cells { r#true: Vec<usize>, predicted: Vec<usize>, rows: Vec<u64>, classes: usize },
}

fn write_confusion<S: Serializer>(confusion: &[Vec<u64>], serializer: S) -> Result<S::Ok, S::Error> {
    if confusion.len() <= MOST_IN_FULL {
        return confusion.serialize(serializer);
    }
    let (mut truths, mut predictions, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for (t, row) in confusion.iter().enumerate() {
        for (p, rows) in row.iter().enumerate().filter(|(_, rows)| **rows > 0) {
            truths.push(t);
            predictions.push(p);
            counts.push(*rows);
        }
    }
    Confusion::Cells { r#true: truths, predicted: predictions, rows: counts, classes: confusion.len() }
        .serialize(serializer)
}

fn read_confusion<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u64>>, D::Error> {
    match Confusion::deserialize(deserializer)? {
        Confusion::Full(matrix) => Ok(matrix),
        Confusion::Cells { r#true, predicted, rows, classes } => {
            if classes > MOST_CLASSES {
                return Err(D::Error::custom(format!("a confusion matrix of {classes} classes")));
            }
            let mut matrix = vec![vec![0; classes]; classes];
            for ((t, p), count) in r#true.into_iter().zip(predicted).zip(rows) {
                let cell = matrix.get_mut(t).and_then(|row| row.get_mut(p));
                *cell.ok_or_else(|| D::Error::custom(format!("a cell of class {t} or {p} of {classes}")))? = count;
            }
            Ok(matrix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_confusion_matrix_is_written_by_its_cells_and_read_back() {
        for count in [3, 50, 51, 300] {
            let classes: Vec<String> = (0..count).map(|class| format!("c{class}")).collect();
            let truth: Vec<u32> = (0..1000).map(|row| row % count).collect();
            let predicted: Vec<u32> = (0..1000).map(|row| (row + u32::from(row % 7 == 0)) % count).collect();
            let scores = Scores::new(&classes, &truth, &predicted);
            let text = serde_json::to_string(&scores).unwrap();
            assert!(text.len() < 90_000, "{count} classes: {} bytes", text.len());
            let read: Scores = serde_json::from_str(&text).unwrap();
            assert_eq!(read.confusion, scores.confusion, "{count} classes");
        }
    }

    #[test]
    fn scores_of_an_earlier_version_are_read_and_tell_what_follows_from_the_confusion() {
        let text = r#"{"rows": 4, "accuracy": 0.75, "macro_f1": 0.7333, "classes": ["a", "b"], "confusion": [[2, 0], [1, 1]],
            "per_class": [{"class": "a", "precision": 0.667, "recall": 1, "f1": 0.8, "support": 2},
                          {"class": "b", "precision": 1, "recall": 0.5, "f1": 0.667, "support": 2}]}"#;
        let scores: Scores = serde_json::from_str(text).unwrap();
        assert_eq!(scores.value(Metric::BalancedAccuracy), Some(0.75));
        // matthews_corrcoef([0, 0, 1, 1], [0, 0, 0, 1]) -> 0.5773502691896258
        assert!((scores.value(Metric::Mcc).unwrap() - 0.577_350_269_189_625_8).abs() < 1e-12);
        assert_eq!((scores.value(Metric::RocAuc), scores.interval(Metric::Mcc)), (None, None));
    }

    // from sklearn.metrics import *
    // t = [0,0,1,1,2,2,2]; p = [0,1,1,1,2,0,2]
    // accuracy_score(t,p) -> 0.7142857142857143; f1_score(t,p,average="macro") -> 0.7
    // precision_score(t,p,average=None) -> [0.5, 0.66666667, 1.]; recall -> [0.5, 1., 0.66666667]
    #[test]
    fn scores_agree_with_scikit_learn() {
        let classes: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let scores = Scores::new(&classes, &[0, 0, 1, 1, 2, 2, 2], &[0, 1, 1, 1, 2, 0, 2]);
        assert!((scores.accuracy - 0.714_285_714_285_714_3).abs() < 1e-12);
        assert!((scores.macro_f1 - 0.7).abs() < 1e-12);
        assert!((scores.per_class[1].precision - 2.0 / 3.0).abs() < 1e-12);
        assert!((scores.per_class[2].recall - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(scores.confusion, vec![vec![1, 1, 0], vec![0, 2, 0], vec![1, 0, 2]]);
    }
}
