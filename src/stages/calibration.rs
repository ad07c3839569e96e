//! What a training says of itself beyond its scores: how far its probabilities can be trusted, and what its curves say.
//!
//! The calibration is fitted on the validation part, and from then on belongs to the model.

use std::collections::HashSet;

use anyhow::bail;
use indexmap::IndexMap;

use super::aims;
use super::dataset::Dataset;
use runner_ml::calibration::{Calibration, Raw, reliability};
use runner_ml::diagnosis::{Finding, TrainingLoss, TrainingRun, diagnose};
use runner_ml::matrix::Matrix;
use runner_ml::network::Classifier;
use runner_ml::progress::Progress;
use runner_ml::threshold::{self, Wanted};
use runner_ml::train::{Curves, TrainingSpec, unknown_classes, weights_of_classes};
use runner_results::calibration::{BeforeAndAfter, CalibrationReport};
use runner_results::spec::{ClassWeights, Loss};
use runner_results::{Part, Parts, scores::Scores};

/// Fits the model's calibration and its threshold, gives them to the model, and tells what calibration did to the parts that the model did not learn from.
pub(super) fn calibrate(
    model: &mut Classifier,
    data: &Dataset,
    training: &TrainingSpec,
    threshold: Option<Wanted>,
    progress: &dyn Progress,
) -> anyhow::Result<CalibrationReport> {
    let parts = [(Part::Valid, &data.valid), (Part::Test, &data.test)].into_iter();
    let mut before: Vec<(Part, Matrix, Vec<u32>)> = Vec::new();
    for (part, rows) in parts.filter(|(_, rows)| !rows.is_empty()) {
        before.push((part, model.predict_rows(&data.frame, rows)?, data.labels_of(rows)));
    }
    let weights = class_weights(data, training)?;
    let mut found = match before.first() {
        Some((_, raw, labels)) => Calibration::fit(Raw::Scores, raw, labels, &weights, progress)?,
        None => Calibration::NONE,
    };
    let mut parts = Parts::default();
    for (part, probabilities, labels) in &before {
        let mut after = probabilities.clone();
        found.apply(&mut after);
        let told = BeforeAndAfter { before: reliability(probabilities, labels), after: reliability(&after, labels) };
        parts.set(*part, told);
    }
    // On calibrated probabilities, which are those that a threshold is told of.
    if let Some(wanted) = threshold
        && let Some((Part::Valid, raw, labels)) = before.first()
    {
        let mut calibrated = raw.clone();
        found.apply(&mut calibrated);
        if let Some(decision) = threshold::fit(wanted, &calibrated, labels) {
            found.decision = decision;
        }
    } else if threshold.is_none() {
        found.costs.clone_from(&data.scoring.costs);
    }
    let report = calibration_report(&found, &data.classes, parts);
    model.set_calibration(found);
    Ok(report)
}

/// Refuses weights of classes that the rows do not have, all at once.
pub(super) fn require_classes(weights: &ClassWeights, classes: &[String]) -> anyhow::Result<()> {
    let unknown: Vec<&str> = unknown_classes(weights, classes).into_iter().map(String::as_str).collect();
    if !unknown.is_empty() {
        bail!("class_weights: {}", aims::unknown_classes(&unknown, classes));
    }
    Ok(())
}

/// The class weights of the loss that a training on these rows minimises.
pub(super) fn class_weights(data: &Dataset, training: &TrainingSpec) -> anyhow::Result<Vec<f32>> {
    Ok(weights_of_classes(&training.class_weights, &data.classes, data.train.iter().map(|&row| data.labels[row]))?)
}

/// What is told of a calibration.
pub(super) fn calibration_report(
    found: &Calibration,
    classes: &[String],
    parts: Parts<BeforeAndAfter>,
) -> CalibrationReport {
    let by_class = |values: &[f64]| {
        (!values.is_empty()).then(|| classes.iter().cloned().zip(values.iter().copied()).collect::<IndexMap<_, _>>())
    };
    let (bias, decision) = (by_class(&found.bias), by_class(&found.decision));
    CalibrationReport { temperature: found.temperature, parts, bias, decision }
}

/// The findings about the training that led to `model`. `valid`: the scores on validation rows that are shown.
pub(super) fn findings(
    model: &Classifier,
    data: &Dataset,
    curves: &Curves,
    best_epoch: usize,
    diverged: Option<usize>,
    training: &TrainingSpec,
    valid: Option<&Scores>,
) -> anyhow::Result<Vec<Finding>> {
    let units = model.silent_units(&data.frame, &data.train)?;
    let valid_interval = valid.and_then(|scores| scores.intervals.as_ref()).map(|intervals| intervals.accuracy);
    let is_weighted = class_weights(data, training)?.windows(2).any(|pair| pair[0] != pair[1]);
    let is_other = training.loss != Loss::CrossEntropy || training.label_smoothing > 0.0;
    let loss = match is_weighted || is_other {
        true => TrainingLoss::Objective,
        false => TrainingLoss::Plain,
    };
    let metric = training.early_stopping.metric();
    let different = |rows: &[usize]| rows.iter().map(|&row| data.labels[row]).collect::<HashSet<_>>().len();
    let (train_classes, valid_classes) = (different(&data.train), different(&data.valid));
    Ok(diagnose(&TrainingRun {
        curves,
        best_epoch,
        diverged,
        metric,
        valid_interval,
        loss,
        train_classes,
        valid_classes,
        units,
    }))
}
