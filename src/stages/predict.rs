//! `predict`: a fitted model on new rows, in their order; written as the input CSV with one column added.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use arrow::array::{ArrayRef, Float32Array, Int64Array, StringArray};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapter::Adapter;
use super::columns::{
    CONFIDENCE, DELIMITER, FileHeader, HEADERS, LINE, PREDICTED, RECORD, ROW_ID, SOURCE, integers, probability_of,
    readable_of, score_of, strings,
};
use super::dataset::{self, distinct, model_columns};
use super::documents::put_document;
use super::load::all_of;
use super::predictor::Predictor;
use super::required::{require_of, require_rows, tell_not_rows};
use super::split_rows;
use runner_artifact::Table;
use runner_engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Reads, Stage, StageContext};
use runner_ml::matrix::Matrix;
use runner_names::Folder;
use runner_report::noun;
use runner_results::Predictions;
use runner_tabular::names::in_file;
use runner_tabular::{self as tabular, Dialect, Filter, Quote};

/// Predicts the rows of a `load` stage. `file` gets the rows' own CSV text with the label's column added; port `rows` has the probabilities. Where the file has the label's column the new one is called `predicted_LABEL`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Predict {
    /// Name of the file to write, e.g. `${author}_prediction_base.csv`. Between its fields stands what the rows' files have there: `.tsv` is for tabs, `.csv` and `.txt` for any.
    file: String,
    /// Name of the column to add, which the file must not have; unless given the label's own name, or where the file has that `predicted_LABEL`.
    #[serde(default)]
    column: Option<String>,
    /// Rows to predict.
    #[serde(default, rename = "where")]
    filter: Filter,
}

impl Stage for Predict {
    const KIND: &'static str = "predict";
    const VERSION: u32 = 9;
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
        require_rows(context, "rows");
        require_rows(context, "embeddings");
        tell_not_rows(context, "rows", "predictions of new rows");
        context.file_name(&["file"], &mut Folder::default(), &self.file, "");
        let (delimiter, ending) = (context.fact("rows", DELIMITER).copied(), Path::new(&self.file).extension());
        let stem = Path::new(&self.file).with_extension("");
        match ending.and_then(|ending| ending.to_str()) {
            Some("tsv") => {
                if let Some(delimiter) = delimiter.filter(|delimiter| *delimiter != '\t') {
                    let message = misnamed(&self.file, delimiter);
                    context.problem(&["file"], message, Some(format!("call it '{}.csv'", stem.display())));
                }
            }
            Some("csv") if delimiter == Some('\t') => {
                let message =
                    format!("'{}' will have tabs between its fields, as the files of its rows have", self.file);
                context.warn(&["file"], message, Some(format!("call it '{}.tsv'", stem.display())));
            }
            Some("csv" | "txt") => {}
            _ => {
                let message = format!("'{}' does not end in .csv, .tsv or .txt", self.file);
                let help = "what is written are the lines of the rows' files, with the same character between fields: .tsv for tabs, .csv or .txt for any";
                context.problem(&["file"], message, Some(help.to_owned()));
            }
        }
        if let Some(columns) = context.columns("rows")
            && !columns.iter().any(|column| column == RECORD)
        {
            let help = Some("read from a `load` stage, e.g. `rows: songs.test`".to_owned());
            context.problem(&["rows"], "these rows do not carry their CSV text", help);
        }
        require_of(context, "rows", &self.filter);
        let headers = context.fact("rows", HEADERS).cloned().unwrap_or_default();
        // A filter may leave the rows of one file alone.
        if self.filter.is_empty()
            && let Some(FileHeader { port: first, columns, .. }) = headers.first()
            && let Some(FileHeader { port: other, .. }) =
                headers.iter().find(|other| other.port != *first && other.columns != *columns)
        {
            let stage = context.inputs("rows").first().map(|shape| shape.stage.clone()).unwrap_or_default();
            let message =
                format!("the files '{first}' and '{other}' have different columns: predict one of them at a time");
            context.input_problem("rows", 0, message, Some(format!("e.g. `rows: {stage}.{other}`")));
        }
        if let Some(column) = &self.column {
            let there = headers.iter().find_map(|header| taken_by(&header.columns, column));
            if column.trim().is_empty() {
                context.problem(&["column"], "the column to add needs a name", None);
            } else if let Some(there) = there {
                context.problem(&["column"], taken(column, there), None);
            }
        }
        let filtered = readable_of(context, "rows", &self.filter);
        let rows = model_columns(context, "rows")
            .map(|columns| distinct([ROW_ID, SOURCE, LINE, RECORD], columns.into_iter().chain(filtered)));
        // The metadata holds the files' headers.
        context.reads("rows", rows.map_or(Reads::All, Reads::ColumnsAndMetadata));
        let embeddings = model_columns(context, "embeddings");
        let embeddings = embeddings.map(|columns| distinct([ROW_ID], columns));
        context.reads("embeddings", embeddings.map_or(Reads::All, Reads::Columns));
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let model = Predictor::read(&context.input("model")?)?;
        let (_, rows) = split_rows::rows_with(context, "rows", &[ROW_ID])?;
        let rows = dataset::filtered(&rows, &self.filter, context)?;
        let row_id = integers(&rows, ROW_ID)?;
        let frames = model.frames_of_inputs(&rows, &row_id, context)?;
        let probabilities = model.probabilities(&frames, &Adapter(context.report()))?;
        let best = model.decide(&probabilities);
        let classes = model.classes();
        let predicted: Vec<&str> = best.iter().map(|&class| classes[class as usize].as_str()).collect();
        let layout = Layout::read(&rows)?;
        if self.file.ends_with(".tsv") && layout.delimiter != '\t' {
            return Err(context.placed("file", anyhow!(misnamed(&self.file, layout.delimiter))));
        }
        let label = in_file(model.label());
        let column = match &self.column {
            Some(column) => match taken_by(&layout.columns, column) {
                Some(there) => return Err(context.placed("column", anyhow!("column: {}", taken(column, there)))),
                None => column.clone(),
            },
            None => free_name(&layout.columns, label),
        };
        if self.column.is_none() && column != label {
            let there = taken_by(&layout.columns, label).unwrap_or(label);
            let message = format!("the file has a column '{there}' already, so the predictions stand under '{column}'");
            context.report().warn(&message);
        }
        let csv = csv_with_column(&rows, &layout, &column, &predicted)?;
        context.put_table("rows", &table(&rows, row_id, &predicted, &best, &probabilities, &model)?)?;
        context.put_file("file", &self.file, csv.as_bytes())?;
        let mut counts: BTreeMap<&str, usize> = classes.iter().map(|class| (class.as_str(), 0)).collect();
        predicted.iter().for_each(|class| *counts.entry(class).or_default() += 1);
        let confidence: f64 = best.iter().enumerate().map(|(i, &c)| f64::from(probabilities.get(i, c as usize))).sum();
        let document = Predictions {
            rows: predicted.len(),
            predicted: counts.into_iter().map(|(class, rows)| (class.to_owned(), rows)).collect(),
            mean_confidence: confidence / predicted.len().max(1) as f64,
            file: self.file.clone(),
            column,
        };
        context.headline(format!("{} {} → {}", predicted.len(), noun(predicted.len() as u64, "row"), self.file));
        put_document(context, "metrics", "metrics", &document)
    }
}

/// Where each row stands, the class predicted, its probability, and that of every class; `runner.score_CLASS` where they are no probabilities.
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
        (SOURCE.to_owned(), rows.column(SOURCE)?.clone()),
        (LINE.to_owned(), rows.column(LINE)?.clone()),
        (PREDICTED.to_owned(), Arc::new(StringArray::from(predicted.to_vec()))),
        (CONFIDENCE.to_owned(), Arc::new(Float32Array::from_iter_values(confidence))),
    ];
    for (c, class) in model.classes().iter().enumerate() {
        let values = (0..probabilities.rows).map(|i| probabilities.get(i, c));
        let name = if model.is_probabilistic() { probability_of(class) } else { score_of(class) };
        columns.push((name, Arc::new(Float32Array::from_iter_values(values))));
    }
    Ok(Table::from_columns(columns)?)
}

/// What the files of the rows look like.
struct Layout {
    /// The header line, or what stands in the place of one.
    header: String,
    has_header: bool,
    delimiter: char,
    quote: Quote,
    /// By file.
    ends: HashMap<String, Ends>,
    /// The columns that it names.
    columns: Vec<String>,
}

/// What stands behind the records of a file.
struct Ends {
    terminator: String,
    /// Where it is something else, as blank lines: by the record's number, and `header`.
    other: HashMap<String, String>,
}

impl Ends {
    fn read<'m>(of: impl Fn(&str) -> Option<&'m str>) -> anyhow::Result<Ends> {
        let other = of("ends").map(serde_json::from_str).transpose()?;
        Ok(Ends { terminator: of("terminator").unwrap_or("\n").to_owned(), other: other.unwrap_or_default() })
    }

    fn behind(&self, record: &str) -> &str {
        self.other.get(record).unwrap_or(&self.terminator)
    }
}

impl Layout {
    /// The one layout of all files that the rows come from.
    fn read(rows: &Table) -> anyhow::Result<Layout> {
        let schema = rows.schema();
        let metadata = schema.metadata();
        let delimiter = metadata.get("delimiter").and_then(|text| text.chars().next()).unwrap_or(',');
        let mut layouts: Vec<(String, Layout)> = Vec::new();
        let mut ends = HashMap::new();
        for source in strings(rows, SOURCE)?.into_iter().flatten() {
            if layouts.iter().any(|(name, _)| *name == source) {
                continue;
            }
            let header = metadata.get(&format!("header.{source}")).cloned();
            let header = header.ok_or_else(|| anyhow!("the header of '{source}' is not known"))?;
            let quote = metadata.get(&format!("quote.{source}")).map_or(Quote::default(), |text| Quote::of(text));
            let names = metadata.get(&format!("names.{source}"));
            let columns = match names {
                Some(names) => serde_json::from_str(names)?,
                None => {
                    let dialect = Dialect { delimiter, quote, ..Dialect::default() };
                    let columns = tabular::header(&source, Cursor::new(header.as_bytes()), &dialect);
                    columns.map_err(|errors| all_of(&errors))?.names
                }
            };
            ends.insert(
                source.clone(),
                Ends::read(|key| metadata.get(&format!("{key}.{source}")).map(String::as_str))?,
            );
            let has_header = names.is_none();
            layouts.push((source, Layout { header, has_header, delimiter, quote, ends: HashMap::new(), columns }));
        }
        let mut layouts = layouts.into_iter();
        let Some((first, layout)) = layouts.next() else { bail!("there are no rows to predict") };
        if let Some((other, _)) = layouts.find(|(_, other)| other.columns != layout.columns) {
            bail!(
                "the files '{first}' and '{other}' have different columns: predict one of them at a time, e.g. the output '{first}' of their `load` stage"
            );
        }
        Ok(Layout { ends, ..layout })
    }
}

/// The rows' own text, byte for byte, with one field added to each.
fn csv_with_column(rows: &Table, layout: &Layout, column: &str, values: &[&str]) -> anyhow::Result<String> {
    let Layout { header, has_header, delimiter, quote, ends, .. } = layout;
    let quoted = |value: &str| quoted(value, *delimiter, *quote);
    let (records, sources, row_id) = (strings(rows, RECORD)?, strings(rows, SOURCE)?, integers(rows, ROW_ID)?);
    let ends_of = |row: usize| sources[row].as_ref().and_then(|source| ends.get(source));
    let ends_of = |row: usize| ends_of(row).ok_or_else(|| anyhow!("a row has lost the name of its file"));
    let added = if *has_header { format!("{delimiter}{}", quoted(column)?) } else { String::new() };
    let mut text = format!("{header}{added}{}", ends_of(0)?.behind("header"));
    for (row, (record, value)) in records.iter().zip(values).enumerate() {
        let record = record.as_deref().ok_or_else(|| anyhow!("a row has lost its CSV text"))?;
        text.push_str(record);
        text.push(*delimiter);
        text.push_str(&quoted(value)?);
        let ends = ends_of(row)?;
        let end = ends.behind(&row_id[row].to_string());
        // Rows of another file may follow the last of one that nothing ends.
        text.push_str(if end.is_empty() && row + 1 < records.len() { &ends.terminator } else { end });
    }
    Ok(text)
}

/// The column of a file that has that name. Many programs do not tell names apart that differ in case or blanks alone.
pub(super) fn taken_by<'c>(columns: &'c [String], name: &str) -> Option<&'c str> {
    let mut columns = columns.iter().map(|column| in_file(column));
    columns.find(|column| column.to_lowercase() == name.trim().to_lowercase())
}

/// The label's own name, or the first of `predicted_LABEL`, `predicted_LABEL_2` … that the file has not.
pub(super) fn free_name(columns: &[String], label: &str) -> String {
    let first = format!("predicted_{label}");
    let numbered = (2..).map(|number| format!("{first}_{number}"));
    let mut names = [label.to_owned(), first.clone()].into_iter().chain(numbered);
    names.find(|name| taken_by(columns, name).is_none()).unwrap_or(first)
}

fn taken(column: &str, there: &str) -> String {
    let alike =
        if column == there { String::new() } else { format!(", which many programs do not tell from '{column}'") };
    format!("the file to predict has a column '{there}' already{alike} (choose another name, or leave `column` out)")
}

fn misnamed(file: &str, delimiter: char) -> String {
    format!(
        "'{file}' would have '{delimiter}' between its fields, not tabs: these are what stands between fields in the files of its rows"
    )
}

/// A CSV field, quoted where it must be (RFC 4180).
pub(super) fn quoted(value: &str, delimiter: char, quote: Quote) -> anyhow::Result<String> {
    let needs_quotes = value.contains([delimiter, '\n', '\r']);
    match quote {
        Quote::None if needs_quotes => bail!(
            "'{value}' holds what ends a field, and the files of these rows have no quotes around fields: name the class otherwise, or read the files with `quote`"
        ),
        Quote::None => Ok(value.to_owned()),
        Quote::Character(quote) if needs_quotes || value.contains(quote) => {
            Ok(format!("{quote}{}{quote}", value.replace(quote, &format!("{quote}{quote}"))))
        }
        Quote::Character(_) => Ok(value.to_owned()),
    }
}
