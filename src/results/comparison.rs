//! Two models on the test rows that they have in common, e.g. one model of two runs.

use serde::Serialize;

use crate::Metric;
use crate::interval::IntervalMethod;
use crate::mcnemar::Test;

/// Both models on these rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedComparison {
    /// Rows that both predict, with one label.
    pub rows: usize,
    /// How many groups of rows that belong together these are of, which are resampled and tested whole; absent where each row stands alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// How many groups of equal size would tell as much as these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_groups: Option<f64>,
    /// Whether they are too few for intervals and test to be taken at their word.
    pub few_groups: bool,
    /// How the rows of the two were told to be the same.
    pub pairing: Pairing,
    /// Test rows that only one of the two has, or that carry different labels.
    pub left_out: usize,
    /// One of each [`ScoreMetric`] that both models have; the one that they were chosen by first, where that is another than these three.
    pub scores: Vec<ScoreDifference>,
    /// Both predict the same class for every row: their scores differ in nothing, on these rows and by what is predicted.
    pub same_predictions: bool,
    /// Rows.
    pub both_right: u64,
    /// Rows, whether or not both predict the same class.
    pub both_wrong: u64,
    /// Rows on which only A is right.
    pub right_to_wrong: u64,
    /// Rows on which only B is right.
    pub wrong_to_right: u64,
    /// Over groups where there are any.
    pub mcnemar: Test,
    /// McNemar's p after Holm's correction over everything that was compared.
    pub adjusted_p: f64,
    /// On the accuracy of B against that of A by the adjusted p, at 5 %. What other scores say: [`PairedComparison::other_verdicts`].
    pub verdict: Verdict,
    /// Rows on which exactly one of the two is right.
    #[serde(skip)]
    pub flips: Vec<Flip>,
}

impl PairedComparison {
    /// The difference in one score; `None` where a model lacks it.
    pub fn score(&self, metric: ScoreMetric) -> Option<&ScoreDifference> {
        self.scores.iter().find(|score| score.metric == metric)
    }

    /// The other scores whose interval says that B is better, or worse, where the accuracy does not say the same.
    pub fn other_verdicts(&self) -> Vec<(ScoreMetric, Direction)> {
        let own = match self.verdict {
            Verdict::MoreAccurate => Some(Direction::Better),
            Verdict::LessAccurate => Some(Direction::Worse),
            Verdict::NoSignificantDifference => None,
        };
        let others = self.scores.iter().filter(|score| score.metric != ScoreMetric::Accuracy);
        let directed = others.filter_map(|score| Some((score.metric, score.direction()?)));
        directed.filter(|(_, direction)| Some(*direction) != own).collect()
    }
}

/// A score by which two models are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMetric {
    /// Share of rows that are right.
    Accuracy,
    /// Unweighted mean of the classes' F1.
    MacroF1,
    /// In nats; less is better.
    LogLoss,
    /// What the models were chosen by, where it is none of these.
    #[serde(untagged)]
    Other(Metric),
}

impl ScoreMetric {
    /// As it stands in tables and sentences.
    pub fn title(self) -> &'static str {
        self.metric().title()
    }

    /// Whether less is better.
    pub fn is_loss(self) -> bool {
        self.metric().is_loss()
    }

    fn metric(self) -> Metric {
        match self {
            ScoreMetric::Accuracy => Metric::Accuracy,
            ScoreMetric::MacroF1 => Metric::MacroF1,
            ScoreMetric::LogLoss => Metric::Loss,
            ScoreMetric::Other(metric) => metric,
        }
    }
}

/// One score of both, and the interval of B − A from resampled rows or groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreDifference {
    /// Which score.
    pub metric: ScoreMetric,
    /// The score of A on the shared rows.
    pub a: f64,
    /// The score of B on the shared rows.
    pub b: f64,
    /// B − A.
    pub difference: Difference,
}

impl ScoreDifference {
    /// What the interval says, where 0 is not in it.
    pub fn direction(&self) -> Option<Direction> {
        let (low, high) = self.difference.low.zip(self.difference.high)?;
        let (low, high) = if self.metric.is_loss() { (-high, -low) } else { (low, high) };
        match (low > 0.0, high < 0.0) {
            (true, _) => Some(Direction::Better),
            (_, true) => Some(Direction::Worse),
            _ => None,
        }
    }
}

/// Whether a score of B is better than that of A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// B's score is better; of a loss, lower.
    Better,
    /// B's score is worse.
    Worse,
}

/// How it is known which rows of two results are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// By their numbers: both read the same table.
    #[default]
    Number,
    /// By their numbers, although whether both read the same table cannot be told any more.
    NumberUnchecked,
    /// By what the columns that both tables have hold, the k-th row of a content with the k-th: other rows were loaded.
    Content,
}

/// B − A, with its 95 % interval; without one where no resample differs. The accuracy of two models that are right on the same rows but predict
/// different classes has Tango's then; that of the same predictions has none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// On the rows themselves, not the mean of the resamples.
    pub estimate: f64,
    /// 2.5th percentile, or the score interval's lower end.
    pub low: Option<f64>,
    /// 97.5th percentile, or the score interval's upper end.
    pub high: Option<f64>,
    /// How the interval was made.
    pub method: Option<IntervalMethod>,
}

/// A row on which exactly one of the two is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// The row's number in its table.
    pub row_id: i64,
    /// The true class.
    pub label: String,
    /// The class that A predicts.
    pub a: String,
    /// The class that B predicts.
    pub b: String,
    /// B is the one that is right.
    pub gained: bool,
}

/// What McNemar's test says of B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// B is significantly more accurate.
    MoreAccurate,
    /// B is significantly less accurate.
    LessAccurate,
    /// The adjusted p is 0.05 or more.
    NoSignificantDifference,
}
