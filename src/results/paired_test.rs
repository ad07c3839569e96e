//! Tests whether two classifiers are right on the same share of the same rows.

use serde::{Deserialize, Serialize};

use crate::comparison::{Direction, ScoreMetric};
use crate::interval::Interval;
use crate::mcnemar::Test;

/// Models that were tested on the same rows, and every pair of them: what a report is told besides the documents of stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairedTests {
    /// Test rows that all models predict.
    pub rows: usize,
    /// How many groups of rows that belong together these are of, which were resampled and tested whole; absent where each row stands alone.
    pub groups: Option<usize>,
    /// `a` and `b` of a pair are indices into them.
    pub models: Vec<ModelName>,
    /// Every pair once.
    pub pairs: Vec<PairwiseTest>,
}

/// One model, e.g. `boosting` of stage `baseline`; a stage's only model has no name of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelName {
    /// As named in the pipeline file.
    pub stage: String,
    /// `None` where the stage has a single model.
    pub model: Option<String>,
}

/// Two of several models, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairwiseTest {
    /// Index of model A.
    pub a: usize,
    /// Index of model B.
    pub b: usize,
    /// B's accuracy minus A's, with its 95 % interval.
    pub accuracy: Interval,
    /// B's macro-F1 minus A's.
    pub macro_f1: Interval,
    /// B's log loss minus A's, in nats; of models without probabilities it means nothing.
    pub log_loss: Interval,
    /// McNemar's test, or over groups the sign-flip test.
    pub test: Test,
    /// Its p after Holm's correction over all pairs.
    pub adjusted_p: f64,
}

impl PairwiseTest {
    /// The same with the models exchanged.
    pub fn reversed(&self) -> PairwiseTest {
        let turned = |of: Interval| Interval { estimate: -of.estimate, low: -of.high, high: -of.low, ..of };
        let (accuracy, macro_f1, log_loss) = (turned(self.accuracy), turned(self.macro_f1), turned(self.log_loss));
        PairwiseTest { a: self.b, b: self.a, accuracy, macro_f1, log_loss, ..*self }
    }

    /// The other scores whose interval says that B is better, or worse, where the accuracy does not say the same. `differ`: whether its test says
    /// anything; `has_losses`: whether both give probabilities.
    pub fn other_verdicts(&self, differ: bool, has_losses: bool) -> Vec<(ScoreMetric, Direction)> {
        let own = match self.accuracy.estimate {
            estimate if differ && estimate > 0.0 => Some(Direction::Better),
            estimate if differ && estimate < 0.0 => Some(Direction::Worse),
            _ => None,
        };
        let direction = |better: bool, worse: bool| match (better, worse) {
            (true, _) => Some(Direction::Better),
            (_, true) => Some(Direction::Worse),
            _ => None,
        };
        let macro_f1 = direction(self.macro_f1.low > 0.0, self.macro_f1.high < 0.0);
        let log_loss = direction(self.log_loss.high < 0.0, self.log_loss.low > 0.0).filter(|_| has_losses);
        let all = [(ScoreMetric::MacroF1, macro_f1), (ScoreMetric::LogLoss, log_loss)];
        all.into_iter()
            .filter_map(|(metric, found)| Some((metric, found?)))
            .filter(|(_, found)| Some(*found) != own)
            .collect()
    }
}
