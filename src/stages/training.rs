//! What `train` and `transfer` have in common: the parameters of training, curves as a table, scores and predictions of every part.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::compute::concat;

use runner_artifact::{Table, TableError};
use runner_engine::StageContext;
use runner_ml::metrics::{FromProbabilities as _, Scores};
use runner_ml::progress::Progress;
use runner_ml::threshold::{self, Wanted};
use runner_ml::train::{Curves, TrainError};
use runner_report::score_line;
use runner_results::threshold::ThresholdRows;
use runner_results::{Metric, Parts};

use super::dataset::Dataset;
use super::predictions::Predictions;
use runner_ml::network::{Classifier, ModelError};

/// Declares a stage with the parameters of training, for [`runner_results::training_parameters`].
macro_rules! with_training {
    (
        { $(#[$outer:meta])* pub(crate) struct $name:ident { $($(#[$own_meta:meta])* $own:ident: $own_type:ty,)* } }
        $($(#[$meta:meta])* $field:ident: $type:ty,)*
    ) => {
        $(#[$outer])*
        pub(crate) struct $name {
            $($(#[$own_meta])* $own: $own_type,)*
            $($(#[$meta])* $field: $type,)*
        }

        impl $name {
            fn training(&self) -> runner_results::spec::TrainingSpec {
                runner_results::spec::TrainingSpec { $($field: self.$field.clone(),)* }
            }
        }
    };
}
pub(super) use with_training;

/// The curves' columns, by name.
pub(super) fn curve_columns(curves: &Curves) -> Vec<(String, ArrayRef)> {
    let epoch: ArrayRef = Arc::new(Int64Array::from_iter_values(curves.epoch.iter().map(|epoch| i64::from(*epoch))));
    let number = |(name, values): (String, &Vec<f64>)| -> (String, ArrayRef) {
        (name, Arc::new(Float64Array::from(values.clone())))
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
    threshold: Option<Wanted>,
    progress: &dyn Progress,
) -> anyhow::Result<(Parts<Scores>, Table)> {
    let threshold = threshold
        .and_then(|wanted| threshold::told(wanted, &data.classes, model.calibration(), ThresholdRows::Validation));
    let mut parts = Parts::default();
    let mut predictions = Predictions::new(data);
    predictions.decide(None, model.calibration());
    let Parts { train, valid, test } = &mut parts;
    for (name, rows, found) in
        [("train", &data.train, train), ("valid", &data.valid, valid), ("test", &data.test, test)]
    {
        if rows.is_empty() {
            continue;
        }
        let probabilities = model.predict_rows_or_stop(&data.frame, rows, progress)?;
        let (truth, predicted) = (data.labels_of(rows), model.calibration().decide(&probabilities));
        let mut scores = Scores::new(&data.classes, &truth, &predicted).with_loss(&truth, &probabilities);
        scores = scores.with_metrics(&truth, &probabilities, &data.scoring, true);
        scores.threshold.clone_from(&threshold);
        if name != "train" {
            scores = scores.with_intervals(&truth, &predicted, &probabilities, &data.clusters(rows), progress)?;
            predictions.add(None, name, rows, &probabilities, &predicted);
        }
        *found = Some(scores);
    }
    Ok((parts, predictions.table()?))
}

/// How many numbers the network holds, running statistics of batch norm included.
pub(super) fn parameters(model: &Classifier) -> Result<usize, ModelError> {
    Ok(model.tensors()?.values().map(|(_, values)| values.len()).sum())
}

/// The scores of the part that the model is judged on, in a line.
pub(super) fn headline(parts: &Parts<Scores>, named: Option<Metric>, best_epoch: usize) -> String {
    score_line(parts, named, Some(format!("epoch {best_epoch}")))
}

/// The error with its place, if a parameter led to it that only the rows show to be wrong.
pub(super) fn at_parameter(context: &StageContext, error: anyhow::Error) -> anyhow::Error {
    let path = match error.downcast_ref() {
        Some(TrainError::Parameter { path, .. }) => path.clone(),
        _ => return error,
    };
    context.placed(&path, error)
}
