//! `baseline`: standard classifiers on the numeric columns, cross-validated on the training part, scored once on the test part.
//!
//! Knows nothing of how they learn (`ml::classical`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::adapter::Adapter;
use super::dataset::{Selection, dataset};
use super::predictions::Predictions;
use crate::engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext, Threads};
use crate::ml::classical::{Baselines, evaluate};
use crate::ml::frame::Column;
use crate::ml::matrix::Matrix;
use crate::tabular::Filter;

/// Fits the named models on the training part: cross-validation over the split's folds, then one fit on all of it and one score on the test part.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Numeric columns to learn from.
    numeric: Vec<String>,
    /// Text columns to learn from, through `embeddings`.
    #[serde(default)]
    text: Vec<String>,
    /// Models by kind, with their parameters, e.g. `{logistic: {}, rbf_svm: {c: 3}}`; all kinds unless given.
    #[serde(default)]
    models: Baselines,
    /// Rows to learn from.
    #[serde(default, rename = "where")]
    filter: Filter,
}

impl Baseline {
    fn selection(&self) -> Selection<'_> {
        Selection { numeric: &self.numeric, text: &self.text, adapted: &[], categories: &[], filter: &self.filter }
    }
}

impl Stage for Baseline {
    const KIND: &'static str = "baseline";
    const VERSION: u32 = 3;
    const SUMMARY: &'static str = "standard classifiers, cross-validated";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the columns in `text`"),
    ];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("scores", PortType::Json), OutputPort::new("predictions", PortType::Table)]
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        if self.numeric.is_empty() && self.text.is_empty() {
            context.problem(&[], "name at least one column under `numeric` or `text`", None);
        }
        self.selection().check(context);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let data = dataset(context, &self.selection())?;
        let x = matrix(&data.frame);
        let (evaluations, timings, held_out) = evaluate(
            &self.models.estimators(),
            &x,
            &data.labels,
            &data.classes,
            &data.train,
            &data.folds,
            &data.valid,
            &data.test,
            context.seed(),
            context.threads(),
            &Adapter(context.report()),
        )?;
        // Seconds differ between two runs: they go to the record (`runner show`), not into an artifact.
        for timing in &timings {
            context.measure(format!("{}.fit_seconds", timing.name), timing.fit_seconds);
            context.measure(format!("{}.predict_seconds", timing.name), timing.predict_seconds);
        }
        if let Some(best) = evaluations.iter().max_by(|a, b| a.cv_accuracy_mean.total_cmp(&b.cv_accuracy_mean)) {
            context.headline(format!(
                "best by cross-validation: {}, test accuracy {:.3}, macro-F1 {:.3}",
                best.name, best.test.accuracy, best.test.macro_f1
            ));
        }
        let mut predictions = Predictions::new(&data);
        for (evaluation, held_out) in evaluations.iter().zip(&held_out) {
            predictions.add(Some(&evaluation.name), "valid", &data.valid, &held_out.valid);
            predictions.add(Some(&evaluation.name), "test", &data.test, &held_out.test);
        }
        context.put_table("predictions", &predictions.table()?)?;
        context.put_json("scores", "baseline.json", &json!({"evaluations": evaluations}))
    }
}

/// All columns side by side, numbers as f32, NaN for missing ones.
fn matrix(frame: &crate::ml::frame::Frame) -> Matrix {
    let width = |column: &Column| match column {
        Column::Vector { dim, .. } => *dim,
        _ => 1,
    };
    let cols = frame.columns.values().map(width).sum();
    let mut matrix = Matrix::zeros(frame.rows, cols);
    let mut first = 0;
    for column in frame.columns.values() {
        let dim = width(column);
        for i in 0..frame.rows {
            let row = &mut matrix.row_mut(i)[first..first + dim];
            match column {
                Column::Numeric(values) => row[0] = values[i] as f32,
                Column::Vector { values, .. } => row.copy_from_slice(&values[i * dim..(i + 1) * dim]),
                Column::Text(_) | Column::Tokens { .. } => row[0] = f32::NAN,
            }
        }
        first += dim;
    }
    matrix
}
