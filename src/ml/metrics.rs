//! Scores of a classifier from its probabilities, with intervals; the scores themselves are types of `results`.

use super::matrix::Matrix;
use super::progress::{Cancelled, Progress};
use super::stats::{self, Bootstrap, Clusters, bootstrap_intervals};

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

    /// Adds intervals; `truth`, `predicted` and `probabilities` are those that the scores were made from.
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
        let level = Bootstrap::default().level;
        let accuracy = clusters.share(|row| truth[row] == predicted[row], level);
        self.intervals = accuracy.zip(found).map(|(accuracy, [macro_f1, log_loss])| ScoreIntervals {
            accuracy,
            macro_f1: macro_f1.varied(),
            log_loss: self.log_loss.and_then(|_| log_loss.varied()),
        });
        Ok(self)
    }
}

/// The negative log-likelihood of every row's true class, in nats.
pub(crate) fn losses(truth: &[u32], probabilities: &Matrix) -> Vec<f64> {
    let loss = |(i, &t): (usize, &u32)| -f64::from(probabilities.get(i, t as usize)).max(1e-15).ln();
    truth.iter().enumerate().map(loss).collect()
}
