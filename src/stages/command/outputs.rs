//! What a program gives: declared files become the artifacts of ports.
//!
//! Knows nothing of how the program was run.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::Table;
use crate::artifact::table::TableError;
use crate::engine::{CheckContext, PortType, StageContext};

/// The files of a port: a file's name, or a list of names, e.g. `[model.safetensors, model.json]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a file's name or a list of names")]
pub(super) enum Files {
    One(String),
    Several(Vec<String>),
}

impl Files {
    pub fn names(&self) -> &[String] {
        match self {
            Files::One(name) => std::slice::from_ref(name),
            Files::Several(names) => names,
        }
    }

    /// By the ending of the first file.
    pub fn holds(&self) -> PortType {
        let first = self.names().first().map(Path::new);
        match first.and_then(Path::extension).and_then(|ending| ending.to_str()) {
            Some("arrow") => PortType::Table,
            Some("json") => PortType::Json,
            Some("safetensors") => PortType::Model,
            _ => PortType::Files,
        }
    }
}

/// Looks for mistakes in what is declared.
pub(super) fn check(outputs: &IndexMap<String, Files>, context: &mut CheckContext) {
    if outputs.is_empty() {
        let help = Some("name what it writes, e.g. `outputs: {result: result.json}`".to_owned());
        context.problem(&["outputs"], "a command needs an output", help);
    }
    let mut seen: Vec<&str> = Vec::new();
    for (port, files) in outputs {
        if port.is_empty() || port.contains(['.', '/', ' ']) {
            let help = Some("names of ports hold no '.', '/' or space".to_owned());
            context.problem(&["outputs", port], format!("'{port}' cannot name a port"), help);
        }
        if files.names().is_empty() || (files.names().len() > 1 && files.holds() == PortType::Table) {
            let message = format!("port '{port}' needs one file, or files that are no tables");
            context.problem(&["outputs", port], message, Some("give every table a port of its own".to_owned()));
        }
        for name in files.names() {
            if Path::new(name).components().count() != 1 || name.starts_with('.') || name.contains('/') {
                let help = Some("outputs lie in `{out}` itself, not in folders below it".to_owned());
                context.problem(&["outputs", port], format!("'{name}' is not a plain file name"), help);
            } else if seen.contains(&name.as_str()) {
                context.problem(&["outputs", port], format!("the file '{name}' is named twice"), None);
            }
            seen.push(name);
        }
    }
}

/// Gives every declared file to its port, and warns of others.
pub(super) fn take(outputs: &IndexMap<String, Files>, folder: &Path, context: &mut StageContext) -> anyhow::Result<()> {
    let mut told = Vec::new();
    for (port, files) in outputs {
        for name in files.names() {
            let bytes = read(folder, port, name, context)?;
            match files.holds() {
                PortType::Table => {
                    let table = table(&bytes).with_context(|| format!("output '{port}': {name}"))?;
                    told.push(format!("{} rows in {port}", table.rows()));
                    context.put_table(port, &table)?;
                }
                PortType::Json if name.ends_with(".json") => {
                    serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)
                        .with_context(|| format!("output '{port}': {name} is not JSON"))?;
                    context.put_file(port, name, &bytes)?;
                }
                _ => context.put_file(port, name, &bytes)?,
            }
        }
    }
    let declared = |name: &str| outputs.values().any(|files| files.names().iter().any(|file| file == name));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut others: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    others.retain(|name| !declared(name));
    others.sort();
    if !others.is_empty() {
        context.report().warn(&format!("not kept, since `outputs` does not name it: {}", others.join(", ")));
    }
    context.headline(told.join(", "));
    Ok(())
}

fn read(folder: &Path, port: &str, name: &str, context: &StageContext) -> anyhow::Result<Vec<u8>> {
    std::fs::read(folder.join(name)).map_err(|error| {
        let at = context.position(&["outputs", port]).map(|at| format!("{at}: ")).unwrap_or_default();
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                anyhow!("{at}the program ended well but did not write '{name}' into {{out}}")
            }
            _ => anyhow!("{at}cannot read the output '{name}': {error}"),
        }
    })
}

/// A table that an artifact can hold. Types that other programs like better are brought to ours where nothing is lost by it.
fn table(bytes: &[u8]) -> anyhow::Result<Table> {
    let mut table = Table::from_ipc(bytes).map_err(|error| {
        anyhow!("not an Arrow IPC file: {error} (write it uncompressed, e.g. with pyarrow.ipc.new_file or polars' write_ipc)")
    })?;
    loop {
        match table.digests() {
            Ok(_) => return Ok(table),
            Err(TableError::Unsupported(name, found)) => {
                let Some(wanted) = storable(&found) else {
                    bail!(
                        "column '{name}' has type {found}, which no artifact can hold (cast it to int64, float64, bool or string)"
                    );
                };
                table = with_type(&table, &name, &wanted)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The type of ours that holds all values of another.
fn storable(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            Some(DataType::Int64)
        }
        DataType::Float16 => Some(DataType::Float32),
        DataType::LargeUtf8 | DataType::Utf8View => Some(DataType::Utf8),
        DataType::Dictionary(_, values) => Some(values.as_ref().clone()),
        _ => None,
    }
}

fn with_type(table: &Table, name: &str, wanted: &DataType) -> anyhow::Result<Table> {
    let schema = table.schema();
    let mut fields = Vec::with_capacity(schema.fields().len());
    let mut columns = Vec::with_capacity(fields.capacity());
    for (field, column) in schema.fields().iter().zip(table.batch().columns()) {
        if field.name() == name && field.data_type() != wanted {
            columns.push(cast(column, wanted)?);
            let changed = Field::new(name, wanted.clone(), field.is_nullable()).with_metadata(field.metadata().clone());
            fields.push(changed);
        } else {
            columns.push(column.clone());
            fields.push(field.as_ref().clone());
        }
    }
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    Ok(Table::new(RecordBatch::try_new(schema.into(), columns)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Date32Array, DictionaryArray, Int32Array, LargeStringArray};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;

    #[test]
    fn types_of_other_programs_become_ours_or_are_refused_by_name() {
        let narrow: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
        let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["a", "b"]));
        let coded: ArrayRef = Arc::new(vec!["x", "x"].into_iter().collect::<DictionaryArray<Int32Type>>());
        let written = Table::from_columns([("n", narrow), ("t", large), ("c", coded)]).unwrap().to_ipc().unwrap();
        let read = table(&written).unwrap();
        let schema = read.schema();
        let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
        assert_eq!(types, [&DataType::Int64, &DataType::Utf8, &DataType::Utf8]);
        let days: ArrayRef = Arc::new(Date32Array::from(vec![1]));
        let written = Table::from_columns([("day", days)]).unwrap().to_ipc().unwrap();
        let error = table(&written).unwrap_err().to_string();
        assert!(error.contains("column 'day' has type Date32") && error.contains("cast it"), "{error}");
        assert!(table(b"id,value\n1,2\n").unwrap_err().to_string().contains("not an Arrow IPC file"));
    }
}
