//! Scores by which models are compared, as one type: what a metric is called, which way is better, and which one suits a table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A score of predictions, defined as in scikit-learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean negative log-likelihood (log loss) in nats; lower is better.
    #[serde(alias = "log_loss")]
    Loss,
    /// Share of rows that are right.
    Accuracy,
    /// Unweighted mean of the classes' F1.
    #[default]
    MacroF1,
    /// Unweighted mean of the classes' recall.
    BalancedAccuracy,
    /// Mean of the classes' F1 by their rows.
    WeightedF1,
    /// Matthews' correlation coefficient, −1 to 1; 0 is chance.
    Mcc,
    /// Area under the ROC curve; of more than two classes the unweighted mean of each against the rest.
    RocAuc,
    /// Average precision, which sums up the precision-recall curve: of the positive class, or of more than two classes the unweighted mean of each
    /// against the rest.
    AveragePrecision,
    /// Brier score, the mean squared error of the probabilities; lower is better.
    Brier,
    /// Expected calibration error: how far accuracy and confidence are apart on average; lower is better.
    CalibrationError,
    /// Share of rows whose class is among the three likeliest, of more than three classes.
    #[serde(rename = "top_3_accuracy")]
    Top3Accuracy,
    /// Share of rows whose class is among the five likeliest, of more than five classes.
    #[serde(rename = "top_5_accuracy")]
    Top5Accuracy,
    /// Mean cost of a row by the `costs` of the pipeline; lower is better.
    Cost,
    /// Cohen's kappa with quadratic weights, of classes that have an order: agreement beyond chance, where far mistakes count more than near ones; −1 to 1.
    QuadraticKappa,
    /// Mean absolute error of the rank, of classes that have an order: by how many classes a prediction is off; lower is better.
    RankError,
}

impl Metric {
    /// All, in the order in which they are shown.
    pub const ALL: [Metric; 15] = [
        Metric::Accuracy,
        Metric::BalancedAccuracy,
        Metric::MacroF1,
        Metric::WeightedF1,
        Metric::Mcc,
        Metric::RocAuc,
        Metric::AveragePrecision,
        Metric::Loss,
        Metric::Brier,
        Metric::CalibrationError,
        Metric::Top3Accuracy,
        Metric::Top5Accuracy,
        Metric::Cost,
        Metric::QuadraticKappa,
        Metric::RankError,
    ];

    /// As it stands in messages.
    pub fn label(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Accuracy => "accuracy",
            Metric::MacroF1 => "macro-F1",
            Metric::BalancedAccuracy => "balanced accuracy",
            Metric::WeightedF1 => "weighted F1",
            Metric::Mcc => "MCC",
            Metric::RocAuc => "ROC AUC",
            Metric::AveragePrecision => "average precision",
            Metric::Brier => "Brier score",
            Metric::CalibrationError => "calibration error",
            Metric::Top3Accuracy => "top-3 accuracy",
            Metric::Top5Accuracy => "top-5 accuracy",
            Metric::Cost => "mean cost",
            Metric::QuadraticKappa => "quadratic kappa",
            Metric::RankError => "rank error",
        }
    }

    /// As a column of scores is headed: the loss there is the log loss, whatever was minimised.
    pub fn title(self) -> &'static str {
        if self == Metric::Loss { "log loss" } else { self.label() }
    }

    /// As it is written in a pipeline file.
    pub fn key(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Accuracy => "accuracy",
            Metric::MacroF1 => "macro_f1",
            Metric::BalancedAccuracy => "balanced_accuracy",
            Metric::WeightedF1 => "weighted_f1",
            Metric::Mcc => "mcc",
            Metric::RocAuc => "roc_auc",
            Metric::AveragePrecision => "average_precision",
            Metric::Brier => "brier",
            Metric::CalibrationError => "calibration_error",
            Metric::Top3Accuracy => "top_3_accuracy",
            Metric::Top5Accuracy => "top_5_accuracy",
            Metric::Cost => "cost",
            Metric::QuadraticKappa => "quadratic_kappa",
            Metric::RankError => "rank_error",
        }
    }

    /// What it measures, in a few words for the head of a column.
    pub fn meaning(self) -> &'static str {
        match self {
            Metric::Loss => "mean negative log-likelihood of the true class, in nats",
            Metric::Accuracy => "share of rows that are right",
            Metric::MacroF1 => "mean of the F1 scores of the classes",
            Metric::BalancedAccuracy => "mean of the recalls of the classes",
            Metric::WeightedF1 => "mean of the F1 scores of the classes by their rows",
            Metric::Mcc => "Matthews' correlation coefficient of truth and prediction, 0 for chance",
            Metric::RocAuc => {
                "chance that a row of a class gets a higher probability of it than a row of another; mean over the classes"
            }
            Metric::AveragePrecision => "precision over all recalls; its least value is the share of the class",
            Metric::Brier => "mean squared error of the probabilities",
            Metric::CalibrationError => "mean distance of accuracy and confidence over 15 bins of equal width",
            Metric::Top3Accuracy => "share of rows whose class is among the 3 likeliest",
            Metric::Top5Accuracy => "share of rows whose class is among the 5 likeliest",
            Metric::Cost => "mean cost of a row by the costs of the study",
            Metric::QuadraticKappa => {
                "agreement of truth and prediction beyond chance, mistakes counted by the square of their distance in the order of the classes"
            }
            Metric::RankError => "mean number of classes by which a prediction is off",
        }
    }

    /// Whether less is better.
    pub fn is_loss(self) -> bool {
        matches!(self, Metric::Loss | Metric::Brier | Metric::CalibrationError | Metric::Cost | Metric::RankError)
    }

    /// Whether it counts mistakes by the order of the classes.
    pub fn is_of_order(self) -> bool {
        matches!(self, Metric::QuadraticKappa | Metric::RankError)
    }

    /// Whether it looks at probabilities alone, so that what is predicted of a row (the likeliest class, or by a threshold) is all the same.
    pub fn is_of_probabilities(self) -> bool {
        !matches!(
            self,
            Metric::Accuracy
                | Metric::MacroF1
                | Metric::BalancedAccuracy
                | Metric::WeightedF1
                | Metric::Mcc
                | Metric::Cost
                | Metric::QuadraticKappa
                | Metric::RankError
        )
    }

    /// Whether every training has curves of it, whatever chooses its epoch.
    pub fn has_curve(self) -> bool {
        matches!(self, Metric::Loss | Metric::Accuracy | Metric::MacroF1)
    }

    /// The value with its sign turned so that larger is better.
    pub fn merit(self, value: f64) -> f64 {
        if self.is_loss() { -value } else { value }
    }

    /// The metric that suits classes of so many rows, for whoever names none: see [`Balance`].
    pub fn suited(rows: &[u64]) -> Metric {
        Balance::of(rows).metric()
    }
}

/// How the classes of a table are balanced, as far as a metric depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Balance {
    /// Two classes, of which the rarer has less than [`RARE`] of the rows: accuracy, F1 and balanced accuracy depend on a threshold that is still to
    /// be chosen, and at ½ hardly a row is positive; how well the rare rows are found before the others does not.
    RareOfTwo {
        /// Of all rows.
        share: f64,
    },
    /// Two classes of similar sizes.
    Two,
    /// More classes: each counts the same, however rare it is.
    Several,
}

/// A class of two with a smaller share of the rows is rare.
pub const RARE: f64 = 0.2;

impl Balance {
    /// Of classes with so many rows; those without any do not count.
    pub fn of(rows: &[u64]) -> Balance {
        let there: Vec<u64> = rows.iter().copied().filter(|rows| *rows > 0).collect();
        match there.as_slice() {
            [one, other] => {
                let share = *one.min(other) as f64 / (*one as f64 + *other as f64);
                if share < RARE { Balance::RareOfTwo { share } } else { Balance::Two }
            }
            _ => Balance::Several,
        }
    }

    /// The metric that suits it.
    pub fn metric(self) -> Metric {
        match self {
            Balance::RareOfTwo { .. } => Metric::AveragePrecision,
            Balance::Two | Balance::Several => Metric::MacroF1,
        }
    }
}

/// Scores of one part after one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartScores {
    /// Mean negative log-likelihood in nats; NaN where it overflowed.
    #[serde(deserialize_with = "crate::number::or_nan")]
    pub loss: f64,
    /// Share of rows that are right.
    pub accuracy: f64,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: f64,
    /// The metric by which the epoch is chosen, where it is none of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_by: Option<(Metric, f64)>,
}

impl PartScores {
    /// The score that the metric names; NaN of one that was not computed.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Loss => self.loss,
            Metric::Accuracy => self.accuracy,
            Metric::MacroF1 => self.macro_f1,
            _ => self.chosen_by.filter(|(own, _)| *own == metric).map_or(f64::NAN, |(_, value)| value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_written_as_its_key() {
        for metric in Metric::ALL {
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.key());
        }
        assert_eq!(serde_json::from_str::<Metric>("\"log_loss\"").unwrap(), Metric::Loss);
    }

    #[test]
    fn a_rare_class_of_two_is_found_rather_than_predicted() {
        assert_eq!(Metric::suited(&[950, 50]), Metric::AveragePrecision);
        assert_eq!(Metric::suited(&[50, 0, 950]), Metric::AveragePrecision, "a class without rows is none");
        assert_eq!(Metric::suited(&[800, 200]), Metric::MacroF1, "a fifth is not rare");
        assert_eq!(Metric::suited(&[900, 50, 50]), Metric::MacroF1);
        assert_eq!(Metric::suited(&[]), Metric::MacroF1);
    }
}
