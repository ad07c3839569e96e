//! What `train` and `transfer` have in common: the parameters of training, curves as a table, scores and predictions of every part.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::compute::concat;

use runner_artifact::{Table, TableError};
use runner_ml::metrics::{FromProbabilities as _, Scores};
use runner_ml::progress::Progress;
use runner_ml::train::Curves;
use runner_report::score_line;

use super::dataset::Dataset;
use super::predictions::Predictions;
use runner_ml::network::{Classifier, ModelError};

/// Declares the parameters of training as fields of a stage, so that they stand at the stage's top level
/// (`--set fused.optimizer.lr=3e-4`) and each keeps its own place in error messages, which serde's `flatten` would lose.
macro_rules! with_training {
    ($(#[$outer:meta])* pub struct $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$outer])*
        pub struct $name {
            $($(#[$meta])* $field: $type,)*
            /// Passes over the training part at most.
            #[serde(default = "crate::training::defaults::epochs")]
            #[schemars(range(min = 1, max = 1_000_000))]
            epochs: usize,
            /// Rows for each step.
            #[serde(default = "crate::training::defaults::batch_size")]
            #[schemars(range(min = 1, max = 1_000_000_000))]
            batch_size: usize,
            /// How gradients become steps.
            #[serde(default)]
            optimizer: runner_ml::train::OptimizerSpec,
            /// How the learning rate changes over the steps.
            #[serde(default)]
            schedule: runner_ml::train::ScheduleSpec,
            /// What is minimised.
            #[serde(default)]
            loss: runner_ml::train::Loss,
            /// Share of the target spread over all classes, 0 to below 1.
            #[serde(default = "crate::training::defaults::label_smoothing")]
            #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
            label_smoothing: f64,
            /// Weight of each class in the loss: none, balanced, or a map from class to weight. What is predicted keeps the weights, probabilities do not.
            #[serde(default = "crate::training::defaults::class_weights")]
            class_weights: runner_ml::train::ClassWeights,
            /// Gradients longer than this are shortened to it; null leaves them.
            #[serde(default = "crate::training::defaults::clip_norm")]
            #[schemars(range(max = 1e30), extend("exclusiveMinimum" = 0.0))]
            clip_norm: Option<f64>,
            /// Which epoch is kept, and when training ends before `epochs`.
            #[serde(default)]
            early_stopping: runner_ml::train::EarlyStoppingSpec,
            /// How dropout changes over the steps.
            #[serde(default)]
            dropout_schedule: runner_ml::train::DropoutSchedule,
            /// Decay of a moving average over the weights of all steps, which is then the network, e.g. 0.998; null keeps the last weights.
            #[serde(default)]
            #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
            average: Option<f64>,
        }

        impl $name {
            fn training(&self) -> runner_ml::train::TrainingSpec {
                runner_ml::train::TrainingSpec {
                    epochs: self.epochs,
                    batch_size: self.batch_size,
                    optimizer: self.optimizer.clone(),
                    schedule: self.schedule.clone(),
                    loss: self.loss,
                    label_smoothing: self.label_smoothing,
                    class_weights: self.class_weights.clone(),
                    clip_norm: self.clip_norm,
                    early_stopping: self.early_stopping.clone(),
                    dropout_schedule: self.dropout_schedule,
                    average: self.average,
                }
            }
        }
    };
}
pub(super) use with_training;

/// The defaults of [`runner_ml::train::TrainingSpec`], one by one.
pub(super) mod defaults {
    use runner_ml::train::{ClassWeights, TrainingSpec};

    pub fn epochs() -> usize {
        TrainingSpec::default().epochs
    }

    pub fn batch_size() -> usize {
        TrainingSpec::default().batch_size
    }

    pub fn label_smoothing() -> f64 {
        TrainingSpec::default().label_smoothing
    }

    pub fn class_weights() -> ClassWeights {
        TrainingSpec::default().class_weights
    }

    pub fn clip_norm() -> Option<f64> {
        TrainingSpec::default().clip_norm
    }
}

/// The curves' columns, by name.
pub(super) fn curve_columns(curves: &Curves) -> Vec<(String, ArrayRef)> {
    let epoch: ArrayRef = Arc::new(Int64Array::from_iter_values(curves.epoch.iter().map(|epoch| i64::from(*epoch))));
    let number = |(name, values): (&str, &Vec<f64>)| -> (String, ArrayRef) {
        (name.to_owned(), Arc::new(Float64Array::from(values.clone())))
    };
    std::iter::once(("epoch".to_owned(), epoch)).chain(curves.columns().into_iter().map(number)).collect()
}

/// Tables with the same columns one below the other.
pub(super) fn joined(tables: impl Iterator<Item = Vec<(String, ArrayRef)>>) -> anyhow::Result<Table> {
    let mut columns: Vec<(String, Vec<ArrayRef>)> = Vec::new();
    for (place, (name, values)) in tables.flat_map(|table| table.into_iter().enumerate()) {
        match columns.get_mut(place) {
            Some((_, all)) => all.push(values),
            None => columns.push((name, vec![values])),
        }
    }
    let whole = columns.into_iter().map(|(name, parts)| {
        let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
        Ok((name, concat(&parts)?))
    });
    Ok(Table::from_columns(whole.collect::<anyhow::Result<Vec<_>>>()?)?)
}

/// One row per epoch.
pub(super) fn curve_table(curves: &Curves) -> Result<Table, TableError> {
    Table::from_columns(curve_columns(curves))
}

/// Scores of a model on every part of the split, and its predictions of the rows that it did not learn from.
pub(super) fn scores_by_part(
    model: &Classifier,
    data: &Dataset,
    progress: &dyn Progress,
) -> anyhow::Result<(serde_json::Map<String, serde_json::Value>, Table)> {
    let mut parts = serde_json::Map::new();
    let mut predictions = Predictions::new(data);
    predictions.decide(None, model.calibration());
    for (name, rows) in [("train", &data.train), ("valid", &data.valid), ("test", &data.test)] {
        if rows.is_empty() {
            continue;
        }
        let probabilities = model.predict_rows_or_stop(&data.frame, rows, progress)?;
        let (truth, predicted) = (data.labels_of(rows), model.calibration().decide(&probabilities));
        let mut scores = Scores::new(&data.classes, &truth, &predicted).with_loss(&truth, &probabilities);
        if name != "train" {
            scores = scores.with_intervals(&truth, &predicted, &probabilities, &data.clusters(rows), progress)?;
            predictions.add(None, name, rows, &probabilities, &predicted);
        }
        parts.insert(name.to_owned(), serde_json::to_value(scores)?);
    }
    Ok((parts, predictions.table()?))
}

/// How many numbers the network holds, running statistics of batch norm included.
pub(super) fn parameters(model: &Classifier) -> Result<usize, ModelError> {
    Ok(model.tensors()?.values().map(|(_, values)| values.len()).sum())
}

/// The scores of the part that the model is judged on, in a line.
pub(super) fn headline(parts: &serde_json::Map<String, serde_json::Value>, best_epoch: usize) -> String {
    score_line(&serde_json::Value::Object(parts.clone()), Some(format!("epoch {best_epoch}")))
}
