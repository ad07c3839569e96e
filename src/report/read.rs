//! What a report reads: artifacts by stage.

use indexmap::IndexMap;
use runner_names::Localized;
use runner_results::Metric;
use runner_results::{AnyDocument, Documents, Settings};
use serde_json::Value;

use crate::page::Block;

/// One stage's artifacts, parsed.
#[derive(Clone, Debug, Default)]
pub struct StageArtifacts {
    /// The stage's name, e.g. `numeric` or `numeric@lr=0.001`.
    pub stage: String,
    /// What people call it.
    pub display_name: Option<Localized>,
    /// Its kind, e.g. `train`.
    pub kind: String,
    /// As they were when the result was computed.
    pub params: Value,
    /// JSON files by their names without `.json`.
    pub documents: Documents,
    /// Tables by port, e.g. `curves`; long ones may be cut by the caller.
    pub tables: IndexMap<String, TableView>,
    /// The metric by which the pipeline says that its models are chosen.
    pub metric: Option<Metric>,
    /// What it reads: its port, and the output behind it, as `folds.train`; of a whole stage, the stage.
    pub inputs: Vec<(String, String)>,
    /// The files that the stage delivered.
    pub files: Vec<Delivered>,
    /// The class predicted for each row, of a stage that predicts; empty of others, and of too many rows.
    pub predicted: Vec<String>,
    /// What it warned of when it ran.
    pub warnings: Vec<String>,
    /// What a kind that a program added shows of itself on the page.
    pub blocks: Vec<Block>,
}

/// One file of a stage's result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Inside the stage's folder.
    pub name: String,
    /// The output that it belongs to, e.g. `model`.
    pub port: String,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its content, in hex; empty where unknown.
    pub digest: String,
    /// Rows and columns of a table.
    pub extent: Option<(u64, u64)>,
}

impl StageArtifacts {
    pub(crate) fn settings(&self) -> Settings {
        Settings::of(&self.params)
    }

    /// The JSON file of that name, without `.json`, where it is none of the documents of ours.
    pub fn foreign(&self, name: &str) -> Option<&Value> {
        match self.documents.0.get(name)? {
            AnyDocument::Foreign(value) => Some(value),
            _ => None,
        }
    }
}

/// Columns of a table by name, all of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableView {
    /// The user's own, or those of a table that has no rows of the user's.
    pub columns: IndexMap<String, ColumnView>,
    /// Those that stages added to the user's, e.g. `label`.
    pub added: IndexMap<String, ColumnView>,
}

/// A column's values; missing numbers are NaN, missing texts empty.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnView {
    /// NaN where a value is missing.
    Number(Vec<f64>),
    /// Empty where a value is missing.
    Text(Vec<String>),
}

impl ColumnView {
    pub(crate) fn len(&self) -> usize {
        match self {
            ColumnView::Number(values) => values.len(),
            ColumnView::Text(values) => values.len(),
        }
    }
}

impl TableView {
    pub(crate) fn numbers(&self, name: &str) -> Option<&[f64]> {
        match self.columns.get(name) {
            Some(ColumnView::Number(values)) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Option<&[String]> {
        match self.columns.get(name) {
            Some(ColumnView::Text(values)) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn added_numbers(&self, name: &str) -> Option<&[f64]> {
        match self.added.get(name) {
            Some(ColumnView::Number(values)) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn added_texts(&self, name: &str) -> Option<&[String]> {
        match self.added.get(name) {
            Some(ColumnView::Text(values)) => Some(values),
            _ => None,
        }
    }

    /// The columns that a person asked to see: the user's own, and added ones beside those that the table always has.
    pub(crate) fn asked_for(&self, always: &[&str]) -> Vec<(&String, &ColumnView)> {
        let added = self.added.iter().filter(|(name, _)| !always.contains(&name.as_str()));
        self.columns.iter().chain(added).collect()
    }
}

/// A scalar as a reader wants it: texts without quotes, numbers short, the rest as JSON.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(n) => match n.as_f64() {
            Some(x) if n.as_i64().is_none() && n.as_u64().is_none() => super::figure::text::compact(x),
            _ => n.to_string(),
        },
        other => other.to_string(),
    }
}
