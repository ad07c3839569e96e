//! Scores of a classifier from its probabilities, with intervals; the scores themselves are types of `results`.

mod measures;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use runner_results::Metric;
use runner_results::interval::Interval;
use runner_results::scores::{Scoring, ThresholdCurve};

use super::matrix::Matrix;
use super::progress::{Cancelled, Progress};
use super::stats::{self, Bootstrap, Clusters, bootstrap_intervals};

pub use measures::{Cut, Measures, rarer_of_two};
pub(crate) use runner_results::scores::ScoreIntervals;
pub use runner_results::scores::Scores;

/// Scores from probabilities.
///
/// ```
/// use runner_ml::matrix::Matrix;
/// use runner_ml::metrics::{FromProbabilities, Scores};
///
/// let probabilities = Matrix::from_vec(3, 2, vec![0.9, 0.1, 0.4, 0.6, 0.7, 0.3]);
/// let scores = Scores::from_probabilities(&["pop".to_owned(), "rock".to_owned()], &[0, 1, 1], &probabilities);
/// assert_eq!(scores.confusion, [[1, 0], [1, 1]]);
/// assert!((scores.accuracy - 2.0 / 3.0).abs() < 1e-12);
/// ```
pub trait FromProbabilities: Sized {
    /// From class probabilities (rows × classes), with the log loss; the likeliest class is predicted.
    fn from_probabilities(classes: &[String], truth: &[u32], probabilities: &Matrix) -> Self;

    /// Adds the log loss of these probabilities, which need not have led to what was predicted.
    fn with_loss(self, truth: &[u32], probabilities: &Matrix) -> Self;

    /// Adds every other metric of the probabilities, of which ROC AUC, average precision and top-k also mean something of scores in the right order
    /// (`is_probabilistic` false).
    fn with_metrics(self, truth: &[u32], probabilities: &Matrix, scoring: &Scoring, is_probabilistic: bool) -> Self;

    /// Adds intervals and, of two classes, the curve of thresholds; `truth`, `predicted` and `probabilities` are those that the scores were made from.
    fn with_intervals(
        self,
        truth: &[u32],
        predicted: &[u32],
        probabilities: &Matrix,
        clusters: &Clusters,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled>;
}

impl FromProbabilities for Scores {
    fn from_probabilities(classes: &[String], truth: &[u32], probabilities: &Matrix) -> Self {
        Scores::new(classes, truth, &probabilities.argmax_rows()).with_loss(truth, probabilities)
    }

    fn with_loss(mut self, truth: &[u32], probabilities: &Matrix) -> Self {
        if !truth.is_empty() {
            self.log_loss = Some(losses(truth, probabilities).iter().sum::<f64>() / truth.len() as f64);
        }
        self
    }

    fn with_metrics(
        mut self,
        truth: &[u32],
        probabilities: &Matrix,
        scoring: &Scoring,
        is_probabilistic: bool,
    ) -> Self {
        let measures = Measures::new(truth, truth, probabilities, scoring, is_probabilistic);
        let weights = vec![1.0; truth.len()];
        let found = OF_PROBABILITIES.into_iter();
        self.by_probabilities = found.filter_map(|metric| Some((metric, measures.value(metric, &weights)?))).collect();
        let positive = scoring.positive.or_else(|| rarer_of_two(truth.iter().copied(), self.classes.len()));
        self.positive = positive.filter(|_| self.classes.len() == 2).map(|class| self.classes[class as usize].clone());
        self.costs.clone_from(&scoring.costs);
        self.is_ordered = scoring.is_ordered;
        self
    }

    fn with_intervals(
        mut self,
        truth: &[u32],
        predicted: &[u32],
        probabilities: &Matrix,
        clusters: &Clusters,
        progress: &dyn Progress,
    ) -> Result<Self, Cancelled> {
        let classes = self.classes.len();
        let cells = stats::cells(truth, predicted, classes);
        let losses = losses(truth, probabilities);
        let found = bootstrap_intervals(clusters, &Bootstrap::default(), progress, |drawn| {
            let [_, macro_f1] = stats::scores(drawn, &cells, classes);
            [macro_f1, drawn.iter().map(|&row| losses[row]).sum::<f64>() / drawn.len() as f64]
        })?;
        self.groups = clusters.groups();
        self.effective_groups = clusters.groups().map(|_| clusters.effective());
        self.few_groups = clusters.are_few().then_some(true);
        let others = match self.by_probabilities.is_empty() {
            true => BTreeMap::new(),
            false => {
                let positive =
                    self.positive.as_ref().and_then(|own| self.classes.iter().position(|class| class == own));
                let is_probabilistic = self.by_probabilities.contains_key(&Metric::Brier);
                let scoring = Scoring {
                    positive: positive.map(|class| class as u32),
                    costs: self.costs.clone(),
                    is_ordered: self.is_ordered,
                };
                let measures = Measures::new(truth, predicted, probabilities, &scoring, is_probabilistic);
                self.curve = measures.thresholds().and_then(|cuts| curve(&cuts));
                other_intervals(&self, &measures, clusters, progress)?
            }
        };
        let level = Bootstrap::default().level;
        let accuracy = clusters.share(|row| truth[row] == predicted[row], level);
        self.intervals = accuracy.zip(found).map(|(accuracy, [macro_f1, log_loss])| ScoreIntervals {
            accuracy,
            macro_f1: macro_f1.varied(),
            log_loss: self.log_loss.and_then(|_| log_loss.varied()),
            others,
        });
        Ok(self)
    }
}

/// Metrics that [`Scores`] keep beside the confusion matrix and the log loss.
const OF_PROBABILITIES: [Metric; 6] = [
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::Brier,
    Metric::CalibrationError,
    Metric::Top3Accuracy,
    Metric::Top5Accuracy,
];

/// Those whose interval is found beside accuracy, macro-F1 and log loss.
const OTHERS: [Metric; 12] = [
    Metric::BalancedAccuracy,
    Metric::WeightedF1,
    Metric::Mcc,
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::Brier,
    Metric::CalibrationError,
    Metric::Top3Accuracy,
    Metric::Top5Accuracy,
    Metric::Cost,
    Metric::QuadraticKappa,
    Metric::RankError,
];

/// Steps over rows and classes that resamples of the other metrics may take: rank metrics pass over all rows once for each class.
const MOST_STEPS: usize = 20_000_000;
/// With fewer resamples an interval's ends would move by more than a twentieth of its width between seeds.
const LEAST_RESAMPLES: usize = 400;

/// Points of a curve at most: more than a figure shows.
const MOST_POINTS: usize = 200;

/// The intervals of all metrics but accuracy, macro-F1 and log loss.
fn other_intervals(
    scores: &Scores,
    measures: &Measures,
    clusters: &Clusters,
    progress: &dyn Progress,
) -> Result<BTreeMap<Metric, Interval>, Cancelled> {
    let steps = measures.rows().max(1) * scores.classes.len().max(1);
    let plain = Bootstrap::default();
    let how = Bootstrap { resamples: plain.resamples.min((MOST_STEPS / steps).max(LEAST_RESAMPLES)), ..plain };
    let wanted = OTHERS.map(|metric| scores.value(metric).is_some());
    let found = bootstrap_intervals(clusters, &how, progress, |drawn| {
        let mut weights = vec![0.0; measures.rows()];
        drawn.iter().for_each(|&row| weights[row] += 1.0);
        let mut values = [f64::NAN; OTHERS.len()];
        for ((value, metric), _) in values.iter_mut().zip(OTHERS).zip(wanted).filter(|(_, wanted)| *wanted) {
            *value = measures.value(metric, &weights).unwrap_or(f64::NAN);
        }
        values
    })?;
    let found = found.into_iter().flat_map(|found| OTHERS.into_iter().zip(found));
    let known = found.filter(|(_, one)| !one.estimate.is_nan());
    Ok(known.filter_map(|(metric, one)| Some((metric, one.varied()?))).collect())
}

/// The curve of thresholds from the highest on, thinned out evenly by rows; `None` without a row of each class.
fn curve(cuts: &[Cut]) -> Option<ThresholdCurve> {
    let last = cuts.last()?;
    let (positive, others) = (last.hits, last.alarms);
    if positive == 0 || others == 0 {
        return None;
    }
    let mut found = ThresholdCurve::default();
    let step = |cut: &Cut, most: usize| (cut.hits * most as u64 / positive, cut.alarms * most as u64 / others);
    let mut before = None;
    for (i, cut) in cuts.iter().enumerate() {
        // The first of every step in recall or in false alarms, and the end.
        let own = step(cut, MOST_POINTS / 2);
        if before.replace(own) == Some(own) && i + 1 < cuts.len() {
            continue;
        }
        found.threshold.push(cut.probability);
        found.recall.push(cut.hits as f64 / positive as f64);
        found.precision.push(cut.hits as f64 / (cut.hits + cut.alarms) as f64);
        found.false_positive_rate.push(cut.alarms as f64 / others as f64);
    }
    Some(found)
}

/// The negative log-likelihood of every row's true class, in nats.
pub(crate) fn losses(truth: &[u32], probabilities: &Matrix) -> Vec<f64> {
    let loss = |(i, &t): (usize, &u32)| -f64::from(probabilities.get(i, t as usize)).max(1e-15).ln();
    truth.iter().enumerate().map(loss).collect()
}
