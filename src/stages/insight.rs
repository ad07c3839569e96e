//! What a training says of itself beyond its scores: how far its probabilities can be trusted, and what its curves say.
//!
//! The temperature is fitted on the validation part, and from then on belongs to the model. Knows nothing of how either is found.

use serde_json::{Value, json};

use super::dataset::Dataset;
use crate::ml::calibration::{Reliability, fit_temperature, reliability};
use crate::ml::diagnosis::{Course, Finding, diagnose};
use crate::ml::matrix::Matrix;
use crate::ml::network::{Classifier, ModelError};
use crate::ml::train::{Curves, Metric};

/// Reliability of one part before and after the temperature.
pub(super) type Parts<'a> = Vec<(&'a str, Reliability, Reliability)>;

/// Fits the model's temperature, gives it to the model, and tells what it did to the parts that the model did not learn from.
pub(super) fn calibrate(model: &mut Classifier, data: &Dataset) -> Result<Value, ModelError> {
    let parts = [("valid", &data.valid), ("test", &data.test)].into_iter().filter(|(_, rows)| !rows.is_empty());
    let mut before: Vec<(&str, Matrix, Vec<u32>)> = Vec::new();
    for (name, rows) in parts {
        let labels = rows.iter().map(|&row| data.labels[row]).collect();
        before.push((name, model.predict_rows(&data.frame, rows)?, labels));
    }
    let temperature = before.first().map_or(1.0, |(_, probabilities, labels)| fit_temperature(probabilities, labels));
    model.set_temperature(temperature);
    let told = before.iter().map(|(name, probabilities, labels)| {
        let mut after = probabilities.clone();
        crate::ml::calibration::temper(&mut after, temperature);
        (*name, reliability(probabilities, labels), reliability(&after, labels))
    });
    Ok(calibration(temperature, told.collect()))
}

/// As `metrics.json` has it: the temperature, and by part `before` and `after`.
pub(super) fn calibration(temperature: f64, parts: Parts) -> Value {
    let parts =
        parts.into_iter().map(|(name, before, after)| (name.to_owned(), json!({"before": before, "after": after})));
    json!({"temperature": temperature, "parts": parts.collect::<serde_json::Map<_, _>>()})
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
    Ok(diagnose(&Course { curves, best_epoch, diverged, metric, units }))
}
