//! What a training says of itself beyond its scores: how far its probabilities can be trusted, and what its curves say.
//!
//! The calibration is fitted on the validation part, and from then on belongs to the model.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::dataset::Dataset;
use runner_ml::calibration::{Calibration, Reliability, reliability};
use runner_ml::diagnosis::{Course, Finding, diagnose};
use runner_ml::matrix::Matrix;
use runner_ml::network::{Classifier, ModelError};
use runner_ml::progress::Progress;
use runner_ml::train::{Curves, Metric, TrainingSpec, weights_of_classes};

/// Reliability of one part before and after the calibration.
pub(super) type Parts<'a> = Vec<(&'a str, Reliability, Reliability)>;

/// Fits the model's calibration, gives it to the model, and tells what it did to the parts that the model did not learn from.
pub(super) fn calibrate(
    model: &mut Classifier,
    data: &Dataset,
    training: &TrainingSpec,
    progress: &dyn Progress,
) -> anyhow::Result<Value> {
    let parts = [("valid", &data.valid), ("test", &data.test)].into_iter().filter(|(_, rows)| !rows.is_empty());
    let mut before: Vec<(&str, Matrix, Vec<u32>)> = Vec::new();
    for (name, rows) in parts {
        before.push((name, model.predict_rows(&data.frame, rows)?, data.labels_of(rows)));
    }
    let weights = class_weights(data, training)?;
    let found = match before.first() {
        Some((_, raw, labels)) => Calibration::fit(raw, labels, &weights, progress)?,
        None => Calibration::NONE,
    };
    let told = before.iter().map(|(name, probabilities, labels)| {
        let mut after = probabilities.clone();
        found.apply(&mut after);
        (*name, reliability(probabilities, labels), reliability(&after, labels))
    });
    let told = calibration(&found, &data.classes, told.collect());
    model.set_calibration(found);
    Ok(told)
}

/// The class weights of the loss that a training on these rows minimises.
pub(super) fn class_weights(data: &Dataset, training: &TrainingSpec) -> anyhow::Result<Vec<f32>> {
    Ok(weights_of_classes(training, &data.classes, data.train.iter().map(|&row| data.labels[row]))?)
}

/// As `metrics.json` has it: the temperature, where there are any the bias and the decision weight of each class, and by part `before` and `after`.
pub(super) fn calibration(found: &Calibration, classes: &[String], parts: Parts) -> Value {
    let parts =
        parts.into_iter().map(|(name, before, after)| (name.to_owned(), json!({"before": before, "after": after})));
    let mut told = json!({"temperature": found.temperature, "parts": parts.collect::<serde_json::Map<_, _>>()});
    for (key, values) in [("bias", &found.bias), ("decision", &found.decision)] {
        if !values.is_empty() {
            told[key] = classes.iter().cloned().zip(values.iter().map(|value| json!(value))).collect();
        }
    }
    told
}

/// The findings about the training that led to `model`.
pub(super) fn findings(
    model: &Classifier,
    data: &Dataset,
    curves: &Curves,
    best_epoch: usize,
    diverged: Option<usize>,
    metric: Metric,
) -> Result<Vec<Finding>, ModelError> {
    let units = model.silent_units(&data.frame, &data.train)?;
    let valid_rows = data.clusters(&data.valid).effective();
    let different = |rows: &[usize]| rows.iter().map(|&row| data.labels[row]).collect::<HashSet<_>>().len();
    let (train_classes, valid_classes) = (different(&data.train), different(&data.valid));
    Ok(diagnose(&Course { curves, best_epoch, diverged, metric, valid_rows, train_classes, valid_classes, units }))
}
