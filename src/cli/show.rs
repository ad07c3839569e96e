//! `runner show`: what a stage gave, readable in a terminal.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use clap::Args;
use serde_json::Value;

use super::study::Study;
use super::{DONE, Outcome, StudyArguments, screen};
use crate::artifact::{Store, Table};
use crate::engine::record::OutputRecord;
use crate::engine::{self, ActionRecord, PortType};

#[derive(Args)]
pub(super) struct ShowArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// A stage, or a port of it: STAGE.PORT
    stage: String,
    /// Rows of a table to show
    #[arg(long, default_value_t = 10)]
    rows: usize,
}

pub(super) fn show(arguments: &ShowArguments) -> Outcome {
    let study = Study::open(&arguments.study)?;
    let (name, port) = split(&study, &arguments.stage);
    let stage = study.stage(name)?;
    let Some(record) = engine::current_record(&study.ground(), stage) else {
        return Err(anyhow::anyhow!(
            "'{name}' has no result yet (`runner run {} {name}`)",
            arguments.study.file.display()
        )
        .into());
    };
    let outputs: Vec<&OutputRecord> =
        record.outputs.iter().filter(|output| port.is_none_or(|port| output.port == port)).collect();
    if outputs.is_empty() {
        let ports: Vec<&str> = record.outputs.iter().map(|output| output.port.as_str()).collect();
        return Err(super::study::invalid(&format!("'{name}' has no such port; it has {}", ports.join(", "))));
    }
    let style = screen::Style::stdout();
    let mut text = String::new();
    if port.is_none() {
        text.push_str(&provenance(&record, style));
    }
    for output in outputs {
        text.push_str(&format!("\n{}\n", style.bold(&format!("{name}.{}", output.port))));
        match output.holds {
            PortType::Table => text.push_str(&table(&study.store, output, arguments.rows, style)?),
            PortType::Json => {
                for file in &output.files {
                    let value: Value = serde_json::from_slice(&study.store.get(file.digest)?)?;
                    text.push_str(&json(&value, style));
                }
            }
            PortType::Model | PortType::Files => {
                let rows =
                    output.files.iter().map(|file| vec![file.name.clone(), style.dim(&screen::bytes(file.bytes))]);
                text.push_str(&screen::table(&rows.collect::<Vec<_>>()));
            }
        }
    }
    super::print(&text);
    Ok(DONE)
}

/// Instance names may hold points, so a whole stage name comes first.
fn split<'a>(study: &Study, reference: &'a str) -> (&'a str, Option<&'a str>) {
    let known = |name: &str| study.plan.spec.stages.contains_key(name);
    match reference.rsplit_once('.') {
        Some((stage, port)) if !known(reference) && known(stage) => (stage, Some(port)),
        _ => (reference, None),
    }
}

fn provenance(record: &ActionRecord, style: screen::Style) -> String {
    let run = &record.provenance;
    let memory = run.peak_memory.map(|memory| format!(", {}", screen::bytes(memory))).unwrap_or_default();
    let mut text = format!("{} {}\n", run.headline, style.dim(&format!("({}{memory})", screen::duration(run.seconds))));
    let rows: Vec<Vec<String>> =
        run.measurements.iter().map(|(name, value)| vec![style.dim(name), format!("{value:.3}")]).collect();
    text.push_str(&screen::table(&rows));
    run.warnings.iter().for_each(|warning| text.push_str(&format!("{} {warning}\n", style.warning("!"))));
    text
}

/// Numeric columns of a curve as sparklines, else the first rows.
fn table(store: &Store, output: &OutputRecord, rows: usize, style: screen::Style) -> anyhow::Result<String> {
    let Some(file) = output.files.first() else { return Ok(String::new()) };
    let table = Table::from_ipc(&store.get(file.digest)?)?;
    let names = table.column_names();
    if names.first().is_some_and(|name| name == "epoch") {
        return curves(&table, style);
    }
    let batch = table.batch().slice(0, table.rows().min(rows));
    let options = FormatOptions::default().with_null("·");
    let mut lines = vec![names.iter().map(|name| style.bold(name)).collect::<Vec<_>>()];
    let formatters = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<Vec<_>, _>>()?;
    for i in 0..batch.num_rows() {
        lines.push(formatters.iter().map(|formatter| screen::cut(&formatter.value(i).to_string(), 24)).collect());
    }
    let mut text = screen::table(&lines);
    text.push_str(&style.dim(&format!("  {} rows × {} columns\n", table.rows(), names.len())));
    Ok(text)
}

fn curves(table: &Table, style: screen::Style) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for (field, array) in table.schema().fields().iter().zip(table.batch().columns()) {
        if field.name() == "epoch" || !field.data_type().is_numeric() {
            continue;
        }
        let numbers = cast(array, &DataType::Float64)?;
        let values: Vec<f64> = numbers.as_primitive::<Float64Type>().iter().flatten().collect();
        let (first, last) = (values.first().copied().unwrap_or(f64::NAN), values.last().copied().unwrap_or(f64::NAN));
        let line = screen::sparkline(&values, 40);
        lines.push(vec![field.name().clone(), format!("{first:.4}"), style.accent(&line), format!("{last:.4}")]);
    }
    Ok(screen::table(&lines))
}

/// Scores as a small table, everything else as indented JSON, long lists cut.
fn json(value: &Value, style: screen::Style) -> String {
    let mut text = String::new();
    let mut rest = value.clone();
    if let Some(parts) = value.get("parts").and_then(Value::as_object) {
        let heads = ["", "rows", "accuracy", "95 %", "macro-F1", "log loss"];
        let mut rows = vec![heads.map(|head| style.dim(head)).to_vec()];
        for (part, scores) in parts {
            let number = |key: &str| scores[key].as_f64().map_or(String::new(), |value| format!("{value:.4}"));
            let count = scores["rows"].as_u64().map_or(String::new(), |count| count.to_string());
            let interval = ["low", "high"].map(|end| scores["intervals"]["accuracy"][end].as_f64());
            let interval = match interval {
                [Some(low), Some(high)] => style.dim(&format!("{low:.3}–{high:.3}")),
                _ => String::new(),
            };
            rows.push(vec![part.clone(), count, number("accuracy"), interval, number("macro_f1"), number("log_loss")]);
        }
        text.push_str(&screen::table(&rows));
        if let Some(object) = rest.as_object_mut() {
            object.remove("parts");
        }
    }
    text.push_str(&said(&mut rest, style));
    if let Some(evaluations) = value.get("evaluations").and_then(Value::as_array) {
        let mut rows =
            vec![["model", "cv accuracy", "±", "test accuracy", "test macro-F1"].map(|head| style.dim(head)).to_vec()];
        for one in evaluations {
            let number = |value: &Value| value.as_f64().map_or(String::new(), |value| format!("{value:.4}"));
            rows.push(vec![
                one["name"].as_str().unwrap_or_default().to_owned(),
                number(&one["cv_accuracy_mean"]),
                number(&one["cv_accuracy_std"]),
                number(&one["test"]["accuracy"]),
                number(&one["test"]["macro_f1"]),
            ]);
        }
        text.push_str(&screen::table(&rows));
        return text;
    }
    shorten(&mut rest);
    if rest.as_object().is_none_or(|object| !object.is_empty()) {
        text.push_str(&serde_json::to_string_pretty(&rest).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// What a training says of itself, in its own sentences; taken out of the document.
fn said(document: &mut Value, style: screen::Style) -> String {
    let Some(object) = document.as_object_mut() else { return String::new() };
    let mut text = String::new();
    let findings = object.remove("diagnosis");
    for finding in findings.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let sentence = finding["sentence"].as_str().unwrap_or_default();
        let wrong = ["divergence", "step_too_high"].iter().any(|kind| finding["kind"] == *kind);
        let mark = if wrong { style.warning("!") } else { style.dim("·") };
        text.push_str(&format!("  {mark} {sentence}\n"));
    }
    if let Some(calibration) = object.remove("calibration") {
        let error = |part: &str, when: &str| calibration["parts"][part][when]["expected_error"].as_f64();
        let moved = ["valid", "test"]
            .into_iter()
            .filter_map(|part| Some(format!("{part} {:.3} → {:.3}", error(part, "before")?, error(part, "after")?)));
        text.push_str(&format!(
            "  {} Temperature {:.3}; expected calibration error: {}.\n",
            style.dim("·"),
            calibration["temperature"].as_f64().unwrap_or(f64::NAN),
            moved.collect::<Vec<_>>().join(", ")
        ));
    }
    text
}

fn shorten(value: &mut Value) {
    const SHOWN: usize = 8;
    match value {
        Value::Array(items) => {
            let more = items.len().saturating_sub(SHOWN);
            items.truncate(SHOWN);
            items.iter_mut().for_each(shorten);
            if more > 0 {
                items.push(Value::from(format!("… and {more} more")));
            }
        }
        Value::Object(object) => object.values_mut().for_each(shorten),
        _ => {}
    }
}
