//! The determinism audit: executes stages again beside the store, and holds what comes out against what the store has.
//!
//! Every stage gets the inputs that the store has, so that one that differs does not make those after it differ. Nothing is written into the
//! store: outputs go to a temporary one, which sees the inputs' blobs by links and has no memos, so that nothing is merely remembered.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use serde::Serialize;
use serde_json::Value;

use super::event::Sink;
use super::execute::Execution;
use super::port::{PortType, Threads};
use super::record::{ActionRecord, FileRecord};
use super::repair::Repairs;
use super::workspace::{Known, Workspace};
use runner_artifact::{Digest, Store, StoreOptions, Table};
use runner_boundary::text::of_chain;
use runner_spec::listed;

/// What came of one stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Audited {
    /// The same bytes.
    Same,
    /// Other bytes, but no number further off than tolerated.
    Tolerated {
        /// Those whose bytes differ.
        files: Vec<String>,
    },
    /// The first place of each file that differs.
    Differs {
        /// Where the two results differ.
        places: Vec<DifferingPlace>,
    },
    /// The store has no result that belongs to the pipeline as it is.
    NotUpToDate,
    /// It did not get to its end this time.
    Failed {
        /// In words.
        error: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DifferingPlace {
    pub file: String,
    /// E.g. `column 'tempo', row 17: 120.5 before, 121 now`.
    pub at: String,
}

/// How to repeat.
#[derive(Clone, Copy, Debug)]
pub struct AuditOptions {
    /// For the second run.
    pub threads: usize,
    /// How far numbers of tables and JSON may be off, relative to the larger one or absolute below 1; `None` wants the same bytes.
    pub tolerance: Option<f64>,
}

/// Executes the selected stages one after another, in topological order, and tells of each as it ends. Stops early only when cancelled.
pub fn audit(
    workspace: &Workspace,
    selected: &[usize],
    options: AuditOptions,
    sink: Sink,
    cancelled: &(dyn Fn() -> bool + Sync),
    tell: &mut dyn FnMut(&str, &Audited),
) -> anyhow::Result<()> {
    let mut known: Vec<Option<Arc<ActionRecord>>> = vec![None; workspace.plan.stages.len()];
    for (i, decision) in super::plan_decisions(workspace, selected)? {
        known[i] = decision.record().cloned();
    }
    for &stage in selected {
        if cancelled() {
            break;
        }
        let audited = match &known[stage] {
            None => Audited::NotUpToDate,
            Some(record) => match repeat(workspace, stage, &known, record, options, sink, cancelled) {
                Ok(audited) => audited,
                Err(_) if cancelled() => break,
                Err(error) => Audited::Failed { error: of_chain(error.chain()) },
            },
        };
        tell(&workspace.plan.stages[stage].name, &audited);
    }
    Ok(())
}

fn repeat(
    workspace: &Workspace,
    stage: usize,
    known: &Known,
    record: &ActionRecord,
    options: AuditOptions,
    sink: Sink,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<Audited> {
    let (scratch, temporary);
    // The store's own is swept where the process ends before its time; one that cannot be written has none.
    let folder = match workspace.store.scratch_folder() {
        Ok(own) => {
            scratch = own;
            scratch.path()
        }
        Err(_) => {
            temporary = tempfile::tempdir().context("cannot create a temporary folder")?;
            temporary.path()
        }
    };
    let beside = Store::open_with(folder, StoreOptions { durable: false, ..StoreOptions::default() })?;
    beside.prepare()?;
    for from in workspace.plan.dependencies(stage) {
        for file in known[from].iter().flat_map(|record| record.files()) {
            lend(workspace.store, &beside, file.digest)?;
        }
    }
    let again = Workspace { store: &beside, artifacts: folder, ..*workspace };
    let threads = match workspace.plan.stages[stage].stage.threads() {
        Threads::One => 1,
        Threads::All => options.threads.max(1),
    };
    let repairs = Repairs::default();
    let execution = Execution {
        workspace: &again,
        stage,
        threads,
        force: true,
        repairs: &repairs,
        repairing: false,
        sink,
        cancelled,
    };
    let repeated = execution.run(record.manifest.clone(), &execution.inputs(known))?;
    compare(workspace.store, record, &beside, &repeated, options.tolerance)
}

/// Lets the other store see a blob: by a symbolic link, which leaves the file itself untouched, else by a copy.
fn lend(store: &Store, beside: &Store, digest: Digest) -> anyhow::Result<()> {
    let (from, to) = (std::path::absolute(store.blob_path(digest))?, beside.blob_path(digest));
    if to.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(to.parent().unwrap_or(Path::new(".")))?;
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(&from, &to);
    #[cfg(not(unix))]
    let linked = std::fs::copy(&from, &to).map(drop);
    linked.with_context(|| format!("cannot read '{}'", from.display()))
}

fn compare(
    store: &Store,
    before: &ActionRecord,
    beside: &Store,
    now: &ActionRecord,
    tolerance: Option<f64>,
) -> anyhow::Result<Audited> {
    let (mut places, mut tolerated) = (Vec::new(), Vec::new());
    for output in &before.outputs {
        let again = now.output(&output.port);
        let repeated = again.map(|output| output.files.as_slice()).unwrap_or_default();
        // What was kept in one file may come in several.
        if let Some(again) = again.filter(|again| output.holds == PortType::Table && again.files != output.files) {
            let name = output.table_name();
            let tables = (output.reader(store)?.read()?, again.reader(beside)?.read()?);
            match in_tables(&tables.0, &tables.1, tolerance)?.or_else(|| only_bytes(tolerance)) {
                Some(at) => places.push(DifferingPlace { file: name, at }),
                None => tolerated.push(name),
            }
            continue;
        }
        for file in &output.files {
            let Some(again) = repeated.iter().find(|again| again.name == file.name) else {
                places.push(DifferingPlace { file: file.name.clone(), at: "was not given this time".to_owned() });
                continue;
            };
            if again.digest == file.digest {
                continue;
            }
            match difference(store, beside, file, again, tolerance)? {
                Some(at) => places.push(DifferingPlace { file: file.name.clone(), at }),
                None => tolerated.push(file.name.clone()),
            }
        }
        for new in repeated.iter().filter(|new| !output.files.iter().any(|file| file.name == new.name)) {
            places.push(DifferingPlace { file: new.name.clone(), at: "was not given before".to_owned() });
        }
    }
    Ok(match (places.is_empty(), tolerated.is_empty()) {
        (false, _) => Audited::Differs { places },
        (true, false) => Audited::Tolerated { files: tolerated },
        (true, true) => Audited::Same,
    })
}

/// The first place where two files of other bytes differ; `None` if that is tolerated.
fn difference(
    store: &Store,
    beside: &Store,
    file: &FileRecord,
    again: &FileRecord,
    tolerance: Option<f64>,
) -> anyhow::Result<Option<String>> {
    let (before, now) = (store.get(file.digest)?, beside.get(again.digest)?);
    let found = if file.name.ends_with(".json") {
        in_json("", &serde_json::from_slice(&before)?, &serde_json::from_slice(&now)?, tolerance)
    } else {
        let same = before.iter().zip(&now).take_while(|(a, b)| a == b).count();
        Some(format!("byte {same} of {}, now of {}", before.len(), now.len()))
    };
    Ok(found.or_else(|| only_bytes(tolerance)))
}

fn only_bytes(tolerance: Option<f64>) -> Option<String> {
    tolerance.is_none().then(|| "other bytes, though every value is the same".to_owned())
}

fn in_tables(before: &Table, now: &Table, tolerance: Option<f64>) -> anyhow::Result<Option<String>> {
    if before.schema() != now.schema() {
        let (old, new) = (listed(before.column_names()), listed(now.column_names()));
        return Ok(Some(format!("columns, their types or metadata: {old} before, {new} now")));
    }
    if before.rows() != now.rows() {
        return Ok(Some(format!("{} rows before, {} now", before.rows(), now.rows())));
    }
    // The first row in which anything differs says more than the first column.
    let mut first: Option<(usize, String)> = None;
    for (name, (a, b)) in before.column_names().iter().zip(before.batch().columns().iter().zip(now.batch().columns())) {
        let Some((row, values)) = in_columns(a, b, tolerance)? else { continue };
        if first.as_ref().is_none_or(|(earlier, _)| row < *earlier) {
            first = Some((row, format!("column '{name}', row {row}: {values}")));
        }
    }
    Ok(first.map(|(_, at)| at))
}

/// The first row in which two columns of one type and length differ, with both values.
fn in_columns(a: &ArrayRef, b: &ArrayRef, tolerance: Option<f64>) -> anyhow::Result<Option<(usize, String)>> {
    if let (DataType::FixedSizeList(_, dim), 0, 0) = (a.data_type(), a.null_count(), b.null_count()) {
        let found = in_columns(a.as_fixed_size_list().values(), b.as_fixed_size_list().values(), tolerance)?;
        let dim = usize::try_from(*dim)?.max(1);
        return Ok(found.map(|(i, values)| (i / dim, format!("component {}: {values}", i % dim))));
    }
    if a.data_type().is_floating() {
        let (a, b) = (cast(a, &DataType::Float64)?, cast(b, &DataType::Float64)?);
        let (a, b) = (a.as_primitive::<Float64Type>(), b.as_primitive::<Float64Type>());
        let row = a.iter().zip(b).position(|pair| match pair {
            (Some(a), Some(b)) => !close(a, b, tolerance),
            (a, b) => a.is_some() != b.is_some(),
        });
        let word = |value: Option<f64>| value.map_or("missing".to_owned(), |value| value.to_string());
        let value =
            |array: &arrow::array::Float64Array, row: usize| word(array.is_valid(row).then(|| array.value(row)));
        return Ok(row.map(|row| (row, format!("{} before, {} now", value(a, row), value(b, row)))));
    }
    let row = (0..a.len()).find(|&row| a.slice(row, 1) != b.slice(row, 1));
    let word = |array: &ArrayRef, row: usize| -> anyhow::Result<String> {
        let text = cast(&array.slice(row, 1), &DataType::Utf8)?;
        let text = text.as_string::<i32>();
        Ok(if text.is_valid(0) { format!("'{}'", text.value(0)) } else { "missing".to_owned() })
    };
    row.map(|row| Ok((row, format!("{} before, {} now", word(a, row)?, word(b, row)?)))).transpose()
}

fn in_json(path: &str, before: &Value, now: &Value, tolerance: Option<f64>) -> Option<String> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (before, now) {
        (Value::Object(a), Value::Object(b)) => {
            let gone = a.keys().chain(b.keys()).find(|key| a.contains_key(*key) != b.contains_key(*key));
            let gone = gone.map(|key| format!("{}: on one side only", below(key)));
            gone.or_else(|| a.iter().find_map(|(key, value)| in_json(&below(key), value, &b[key], tolerance)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (a, b))| in_json(&below(&i.to_string()), a, b, tolerance))
        }
        (Value::Number(a), Value::Number(b)) => {
            let near = a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| close(a, b, tolerance));
            (!near).then(|| format!("{path}: {a} before, {b} now"))
        }
        (Value::Array(a), Value::Array(b)) => Some(format!("{path}: {} values before, {} now", a.len(), b.len())),
        (a, b) => (a != b).then(|| format!("{path}: {} before, {} now", shortened(a), shortened(b))),
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 40 { text.chars().take(39).chain(['…']).collect() } else { text }
}

/// Equal (missing numbers too), or near enough.
fn close(a: f64, b: f64, tolerance: Option<f64>) -> bool {
    let scale = a.abs().max(b.abs()).max(1.0);
    a == b || (a.is_nan() && b.is_nan()) || tolerance.is_some_and(|tolerance| (a - b).abs() <= tolerance * scale)
}
