//! What an average of several models says of the parts of a split: scores, predictions, and how far its probabilities can be trusted.

use super::calibration::calibration_report;
use super::dataset::Dataset;
use super::predictions::Predictions;
use runner_artifact::Table;
use runner_ml::calibration::reliability;
use runner_ml::ensemble::Combination;
use runner_ml::matrix::Matrix;
use runner_ml::metrics::{FromProbabilities as _, Scores};
use runner_ml::progress::Progress;
use runner_ml::threshold::{self, Wanted};
use runner_results::calibration::{BeforeAndAfter, CalibrationReport};
use runner_results::threshold::ThresholdRows;
use runner_results::{Part, Parts};

/// What every model says of the rows of each part, which are indices into the dataset.
pub(super) type ModelsByPart<'a> = Parts<(&'a [usize], Vec<&'a Matrix>)>;

pub(super) struct Averaged {
    pub(crate) parts: Parts<Scores>,
    pub(crate) calibration: CalibrationReport,
    /// Of the rows that the models did not learn from.
    pub(crate) predictions: Table,
}

/// Judges the combination on these parts; those without rows are left out.
pub(super) fn averaged(
    combination: &Combination,
    data: &Dataset,
    threshold: Option<Wanted>,
    given: &ModelsByPart,
    progress: &dyn Progress,
) -> anyhow::Result<Averaged> {
    let raw = combination.uncalibrated();
    let mut predictions = Predictions::new(data);
    predictions.decide(None, &combination.calibration);
    let (mut parts, mut reliabilities) = (Parts::default(), Parts::default());
    let threshold = threshold
        .and_then(|wanted| threshold::told(wanted, &data.classes, &combination.calibration, ThresholdRows::Validation));
    let scored = |rows: &[usize], said: &[&Matrix]| {
        let labels = data.labels_of(rows);
        let probabilities = combination.combine(said);
        let predicted = combination.decide(&probabilities);
        let scores = Scores::new(&data.classes, &labels, &predicted).with_loss(&labels, &probabilities);
        let mut scores = scores.with_metrics(&labels, &probabilities, &data.scoring, true);
        scores.threshold.clone_from(&threshold);
        (scores, labels, probabilities, predicted)
    };
    if let Some((rows, said)) = given.train.as_ref().filter(|(rows, _)| !rows.is_empty()) {
        parts.train = Some(scored(rows, said).0);
    }
    for part in [Part::Valid, Part::Test] {
        let Some((rows, said)) = given.get(part).filter(|(rows, _)| !rows.is_empty()) else { continue };
        let (scores, labels, probabilities, predicted) = scored(rows, said);
        let clusters = data.clusters(rows);
        parts.set(part, scores.with_intervals(&labels, &predicted, &probabilities, &clusters, progress)?);
        predictions.add(None, part.key(), rows, &probabilities, &predicted);
        let before = reliability(&raw.combine(said), &labels);
        reliabilities.set(part, BeforeAndAfter { before, after: reliability(&probabilities, &labels) });
    }
    let calibration = calibration_report(&combination.calibration, &data.classes, reliabilities);
    Ok(Averaged { parts, calibration, predictions: predictions.table()? })
}
