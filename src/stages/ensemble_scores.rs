//! What an average of several models says of the parts of a split: scores, predictions, and how far its probabilities can be trusted.

use serde_json::{Map, Value};

use super::calibration::calibration;
use super::dataset::Dataset;
use super::predictions::Predictions;
use runner_artifact::Table;
use runner_ml::calibration::reliability;
use runner_ml::ensemble::Combination;
use runner_ml::matrix::Matrix;
use runner_ml::metrics::{FromProbabilities as _, Scores};
use runner_ml::progress::Progress;

/// Of one part: its name, its rows as indices into the dataset, and what every model says of them.
pub(super) type Part<'a> = (&'a str, &'a [usize], Vec<&'a Matrix>);

pub(super) struct Averaged {
    /// Scores by part, as `metrics.json` has them.
    pub parts: Map<String, Value>,
    pub calibration: Value,
    /// Of the rows that the models did not learn from.
    pub predictions: Table,
}

/// Judges the combination on these parts; those without rows are left out.
pub(super) fn averaged(
    combination: &Combination,
    data: &Dataset,
    given: &[Part],
    progress: &dyn Progress,
) -> anyhow::Result<Averaged> {
    let raw = combination.uncalibrated();
    let mut predictions = Predictions::new(data);
    predictions.decide(None, &combination.calibration);
    let (mut parts, mut reliabilities) = (Map::new(), Vec::new());
    for (name, rows, said) in given.iter().filter(|(_, rows, _)| !rows.is_empty()) {
        let labels = data.labels_of(rows);
        let probabilities = combination.combine(said);
        let predicted = combination.decide(&probabilities);
        let mut scores = Scores::new(&data.classes, &labels, &predicted).with_loss(&labels, &probabilities);
        if *name != "train" {
            scores = scores.with_intervals(&labels, &predicted, &probabilities, &data.clusters(rows), progress)?;
            predictions.add(None, name, rows, &probabilities, &predicted);
            reliabilities.push((*name, reliability(&raw.combine(said), &labels), reliability(&probabilities, &labels)));
        }
        parts.insert((*name).to_owned(), serde_json::to_value(scores)?);
    }
    let calibration = calibration(&combination.calibration, &data.classes, reliabilities);
    Ok(Averaged { parts, calibration, predictions: predictions.table()? })
}
