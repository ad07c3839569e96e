//! `predict`: a fitted model on new rows, in their order; written as the input CSV with one column added.
//!
//! Knows nothing of how the model was fitted.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use arrow::array::{ArrayRef, Float32Array, Int64Array, StringArray};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dataset::{self, LABEL, ROW_ID, distinct, model_columns};
use super::predictions::probability_of;
use super::predictor::Predictor;
use crate::artifact::Table;
use crate::engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Reads, Stage, StageContext};
use crate::ml::matrix::Matrix;
use crate::tabular::Filter;

/// Predicts the rows of a `load` stage. `file` gets the rows' own CSV text with the label's column added; port `rows` has the probabilities.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Predict {
    /// Name of the CSV file to write, e.g. `${author}_prediction_base.csv`.
    file: String,
    /// Name of the column to add; the label's own name unless given.
    #[serde(default)]
    column: Option<String>,
    /// Rows to predict.
    #[serde(default, rename = "where")]
    filter: Filter,
}

impl Stage for Predict {
    const KIND: &'static str = "predict";
    const VERSION: u32 = 5;
    const SUMMARY: &'static str = "a fitted model on new rows";
    const INPUTS: &'static [InputPort] = &[
        InputPort::model("model", "the fitted model, e.g. a `train` or `ensemble` stage"),
        InputPort::table("rows", Arity::One, "the rows to predict, e.g. `songs.test`"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the model's text columns"),
    ];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![
            OutputPort::new("rows", PortType::Table),
            OutputPort::new("file", PortType::Files),
            OutputPort::new("metrics", PortType::Json),
        ]
    }

    fn check(&self, context: &mut CheckContext) {
        Predictor::check(context, "model");
        let plain = std::path::Path::new(&self.file).components().count() == 1 && !self.file.starts_with('.');
        if !plain || !self.file.ends_with(".csv") {
            let message = format!("'{}' is not a plain file name that ends in .csv", self.file);
            context.problem(&["file"], message, None);
        }
        if let Some(columns) = context.columns("rows")
            && !columns.iter().any(|column| column == "record")
        {
            let help = Some("read from a `load` stage, e.g. `rows: songs.test`".to_owned());
            context.problem(&["rows"], "these rows do not carry their CSV text", help);
        }
        let label = self.column.clone().or_else(|| context.fact("model", LABEL).map(str::to_owned));
        let rows = model_columns(context, "rows").zip(label).map(|(columns, label)| {
            let columns = columns.into_iter().chain([label]);
            distinct([ROW_ID, "source", "line", "record"], columns, &self.filter)
        });
        // The metadata holds the files' headers.
        context.reads("rows", rows.map_or(Reads::All, Reads::ColumnsAndMetadata));
        let embeddings = model_columns(context, "embeddings");
        let embeddings = embeddings.map(|columns| distinct([ROW_ID], columns, &Filter::default()));
        context.reads("embeddings", embeddings.map_or(Reads::All, Reads::Columns));
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let model = Predictor::read(&context.input("model")?)?;
        let rows = dataset::filtered(&context.input("rows")?.table()?, &self.filter)?;
        let row_id = dataset::integers(&rows, ROW_ID)?;
        let frames = model.frames(&rows, &row_id, &context.inputs("embeddings"), context.report())?;
        let probabilities = model.probabilities(&frames)?;
        let best = model.decide(&probabilities);
        let classes = model.classes();
        let predicted: Vec<&str> = best.iter().map(|&class| classes[class as usize].as_str()).collect();
        let csv = csv_with_column(&rows, self.column.as_deref().unwrap_or(model.label()), &predicted)?;
        context.put_table("rows", &table(&rows, row_id, &predicted, &best, &probabilities, &model)?)?;
        context.put_file("file", &self.file, csv.as_bytes())?;
        let mut counts: BTreeMap<&str, usize> = classes.iter().map(|class| (class.as_str(), 0)).collect();
        predicted.iter().for_each(|class| *counts.entry(class).or_default() += 1);
        let confidence: f64 = best.iter().enumerate().map(|(i, &c)| f64::from(probabilities.get(i, c as usize))).sum();
        let metrics = json!({
            "rows": predicted.len(),
            "predicted": counts,
            "mean_confidence": confidence / predicted.len().max(1) as f64,
            "file": self.file,
        });
        context.headline(format!("{} rows → {}", predicted.len(), self.file));
        context.put_json("metrics", "metrics.json", &metrics)
    }
}

/// `row_id`, `predicted`, `confidence` (of the predicted class), and `p_CLASS` for every class; `score_CLASS` where they are no probabilities.
fn table(
    rows: &Table,
    row_id: Vec<i64>,
    predicted: &[&str],
    best: &[u32],
    probabilities: &Matrix,
    model: &Predictor,
) -> anyhow::Result<Table> {
    let confidence = best.iter().enumerate().map(|(i, &c)| probabilities.get(i, c as usize));
    let mut columns: Vec<(String, ArrayRef)> = vec![
        (ROW_ID.to_owned(), Arc::new(Int64Array::from(row_id))),
        ("source".to_owned(), rows.column("source")?.clone()),
        ("line".to_owned(), rows.column("line")?.clone()),
        ("predicted".to_owned(), Arc::new(StringArray::from(predicted.to_vec()))),
        ("confidence".to_owned(), Arc::new(Float32Array::from_iter_values(confidence))),
    ];
    for (c, class) in model.classes().iter().enumerate() {
        let values = (0..probabilities.rows).map(|i| probabilities.get(i, c));
        let name = if model.is_probabilistic() { probability_of(class) } else { format!("score_{class}") };
        columns.push((name, Arc::new(Float32Array::from_iter_values(values))));
    }
    Ok(Table::from_columns(columns)?)
}

/// The rows' own text, byte for byte, with one field added to each.
fn csv_with_column(rows: &Table, column: &str, values: &[&str]) -> anyhow::Result<String> {
    let schema = rows.schema();
    let metadata = schema.metadata();
    let sources = dataset::strings(rows, "source")?;
    let mut layouts: Vec<(String, String, String)> = Vec::new();
    for source in sources.iter().flatten() {
        if !layouts.iter().any(|(name, _, _)| name == source) {
            let of = |key: &str| metadata.get(&format!("{key}.{source}")).cloned();
            let header = of("header").ok_or_else(|| anyhow!("the header of '{source}' is not known"))?;
            layouts.push((source.clone(), header, of("terminator").unwrap_or_else(|| "\n".to_owned())));
        }
    }
    let Some((first, header, terminator)) = layouts.first() else { bail!("there are no rows to predict") };
    if let Some((other, _, _)) = layouts.iter().find(|(_, other, _)| other != header) {
        bail!(
            "the files '{first}' and '{other}' have different columns: predict one of them at a time, e.g. `rows: songs.{first}`"
        );
    }
    let delimiter = metadata.get("delimiter").and_then(|text| text.chars().next()).unwrap_or(',');
    let taken = rows.column_names().iter().any(|name| name == column)
        && dataset::strings(rows, column)?.iter().any(Option::is_some);
    let name = if taken { format!("predicted_{column}") } else { column.to_owned() };
    let records = dataset::strings(rows, "record")?;
    let mut text = format!("{header}{delimiter}{}{terminator}", quoted(&name, delimiter));
    for (record, value) in records.iter().zip(values) {
        let record = record.as_deref().ok_or_else(|| anyhow!("a row has lost its CSV text"))?;
        text.push_str(record);
        text.push(delimiter);
        text.push_str(&quoted(value, delimiter));
        text.push_str(terminator);
    }
    Ok(text)
}

/// A CSV field, quoted where it must be (RFC 4180).
fn quoted(value: &str, delimiter: char) -> String {
    if value.contains([delimiter, '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}
