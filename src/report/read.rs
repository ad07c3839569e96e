//! What a report reads: artifacts by stage, and tolerant access to their JSON.
//!
//! A missing or odd value yields `None`, never an error: a report tells what it can.

use indexmap::IndexMap;
use runner_results::{AnyDocument, Documents};
use serde_json::Value;

use crate::page::Block;

/// One stage's artifacts, parsed.
#[derive(Clone, Debug, Default)]
pub struct StageArtifacts {
    /// The stage's name, e.g. `numeric` or `numeric@lr=0.001`.
    pub stage: String,
    /// Its kind, e.g. `train`.
    pub kind: String,
    pub params: Value,
    /// JSON artifacts by port, e.g. `metrics`.
    pub json: IndexMap<String, Value>,
    /// The documents among them, by the names of their files without `.json`.
    pub documents: Documents,
    /// Tables by port, e.g. `curves`; long ones may be cut by the caller.
    pub tables: IndexMap<String, TableView>,
    /// What it reads: its port, and the output behind it, as `folds.train`; of a whole stage, the stage.
    pub inputs: Vec<(String, String)>,
    /// The files that the stage delivered.
    pub files: Vec<Delivered>,
    /// What a kind that a program added shows of itself on the page.
    pub blocks: Vec<Block>,
}

/// One file of a stage's result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub name: String,
    /// The output that it belongs to, e.g. `model`.
    pub port: String,
    pub bytes: u64,
    /// BLAKE3 of its content, in hex; empty where unknown.
    pub digest: String,
    /// Rows and columns of a table.
    pub extent: Option<(u64, u64)>,
}

impl StageArtifacts {
    /// The JSON file of that name, without `.json`, where it is none of the documents of ours.
    pub fn foreign(&self, name: &str) -> Option<&Value> {
        match self.documents.0.get(name)? {
            AnyDocument::Foreign(value) => Some(value),
            _ => None,
        }
    }

    /// The JSON artifact that has `key` at its top level: names of ports may change, shapes say what they are.
    pub fn document(&self, key: &str) -> Option<&Value> {
        self.json.values().find(|value| value.get(key).is_some())
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
    Number(Vec<f64>),
    Text(Vec<String>),
}

impl ColumnView {
    pub fn len(&self) -> usize {
        match self {
            ColumnView::Number(values) => values.len(),
            ColumnView::Text(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl TableView {
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        match self.columns.get(name) {
            Some(ColumnView::Number(values)) => Some(values),
            _ => None,
        }
    }

    pub fn texts(&self, name: &str) -> Option<&[String]> {
        match self.columns.get(name) {
            Some(ColumnView::Text(values)) => Some(values),
            _ => None,
        }
    }

    pub fn added_numbers(&self, name: &str) -> Option<&[f64]> {
        match self.added.get(name) {
            Some(ColumnView::Number(values)) => Some(values),
            _ => None,
        }
    }

    pub fn added_texts(&self, name: &str) -> Option<&[String]> {
        match self.added.get(name) {
            Some(ColumnView::Text(values)) => Some(values),
            _ => None,
        }
    }

    /// The columns that a person asked to see: the user's own, and added ones beside those that the table always has.
    pub fn asked_for(&self, always: &[&str]) -> Vec<(&String, &ColumnView)> {
        let added = self.added.iter().filter(|(name, _)| !always.contains(&name.as_str()));
        self.columns.iter().chain(added).collect()
    }
}

/// Scores over one set of rows, as far as they were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    pub rows: u64,
    pub accuracy: f64,
    pub macro_f1: f64,
    pub log_loss: f64,
    /// 95 % interval of the accuracy, as the stage made it.
    pub accuracy_interval: Option<(f64, f64)>,
    pub classes: Vec<String>,
    pub per_class: Vec<ClassScores>,
    pub confusion: Vec<Vec<u64>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassScores {
    pub class: String,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub support: u64,
}

impl Scores {
    /// Needs an accuracy, and no part without rows has one; all else may be missing (NaN, 0 or empty then). A confusion matrix that is not square over
    /// the classes is dropped.
    pub fn read(value: &Value) -> Option<Scores> {
        let accuracy = number(value, "accuracy").filter(|a| (0.0..=1.0).contains(a))?;
        if count(value, "rows") == Some(0) {
            return None;
        }
        let classes = texts(value.get("classes"));
        let mut confusion = confusion(value, classes.len());
        if confusion.len() != classes.len() || confusion.iter().any(|row| row.len() != classes.len()) {
            confusion.clear();
        }
        Some(Scores {
            rows: count(value, "rows").unwrap_or(0),
            accuracy,
            macro_f1: number(value, "macro_f1").unwrap_or(f64::NAN),
            log_loss: number(value, "log_loss").unwrap_or(f64::NAN),
            accuracy_interval: value.get("intervals").and_then(|all| {
                let interval = all.get("accuracy")?;
                Some((number(interval, "low")?, number(interval, "high")?))
            }),
            per_class: list(value, "per_class")
                .filter_map(|class| {
                    Some(ClassScores {
                        class: text(class, "class")?.to_string(),
                        precision: number(class, "precision").unwrap_or(f64::NAN),
                        recall: number(class, "recall").unwrap_or(f64::NAN),
                        f1: number(class, "f1").unwrap_or(f64::NAN),
                        support: count(class, "support").unwrap_or(0),
                    })
                })
                .collect(),
            classes,
            confusion,
        })
    }
}

/// A finite number.
pub fn number(value: &Value, key: &str) -> Option<f64> {
    value.get(key)?.as_f64().filter(|n| n.is_finite())
}

/// More rows than any table has: a count beyond is a mistake, and sums of counts below cannot overflow.
const MOST: u64 = 1_000_000_000_000;

/// A whole number that is not negative.
pub fn count(value: &Value, key: &str) -> Option<u64> {
    whole(value.get(key)?)
}

fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|n| *n >= 0.0 && *n <= MOST as f64).map(|n| n as u64);
    value.as_u64().or_else(float).filter(|n| *n <= MOST)
}

pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// The elements of a list; nothing when it is none.
pub fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A list of texts; what is no text is written as JSON.
pub fn texts(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().map(shown).collect()
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

/// A matrix in full, or from its cells.
fn confusion(value: &Value, classes: usize) -> Vec<Vec<u64>> {
    let Some(cells) = value.get("confusion").filter(|cells| cells.is_object()) else {
        return list(value, "confusion").map(counts).collect();
    };
    let [truths, predictions, rows] = ["true", "predicted", "rows"].map(|key| counts(&cells[key]));
    let mut matrix = vec![vec![0; classes]; classes];
    for ((t, p), count) in truths.into_iter().zip(predictions).zip(rows) {
        match matrix.get_mut(t as usize).and_then(|row| row.get_mut(p as usize)) {
            Some(cell) => *cell = count,
            None => return Vec::new(),
        }
    }
    matrix
}

fn counts(row: &Value) -> Vec<u64> {
    row.as_array().into_iter().flatten().map(|n| whole(n).unwrap_or(0)).collect()
}
