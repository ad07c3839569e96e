//! Several tables of rows as one, joined by the names of their columns.
//!
//! Each may come from files of its own, whose columns were typed without sight of the others'.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};

use super::dataset::distinct;
use runner_artifact::Table;
use runner_engine::Report;

/// The rows of all tables, in their order; a column that one of them lacks is missing there.
pub(super) fn joined(tables: &[Table], report: &dyn Report) -> anyhow::Result<Table> {
    let first = match tables {
        [] => bail!("no rows are connected"),
        [only] => return Ok(only.clone()),
        [first, ..] => first,
    };
    let names = distinct([], tables.iter().flat_map(Table::column_names));
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for name in names {
        let parts: Vec<Option<&ArrayRef>> = tables.iter().map(|table| table.column(&name).ok()).collect();
        let known: Vec<&DataType> =
            parts.iter().flatten().filter(|part| has_values(part)).map(|part| part.data_type()).collect();
        let present = parts.iter().flatten().next().map(|part| part.data_type());
        let common = known.iter().try_fold(None, |common, next| match common {
            None => Some(Some((*next).clone())),
            Some(common) => unified(&common, next).map(Some),
        });
        let common = common.ok_or_else(|| {
            let types: Vec<String> = known.iter().map(ToString::to_string).collect();
            anyhow!("column '{name}' has types that do not go together: {}", types.join(", "))
        })?;
        let Some(wanted) = common.or(present.cloned()) else { continue };
        if wanted == DataType::Utf8 && known.iter().any(|own| **own != DataType::Utf8) {
            report.warn(&format!(
                "column '{name}' holds numbers in some of the tables and texts in others: all are texts here \
                 (declare the same under `types` of their `load` stages)"
            ));
        }
        let parts = parts.iter().zip(tables).map(|(part, table)| match part {
            Some(part) if has_values(part) => cast(part, &wanted),
            _ => Ok(new_null_array(&wanted, table.rows())),
        });
        let parts = parts.collect::<Result<Vec<ArrayRef>, _>>()?;
        columns.push(concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?);
        let metadata =
            tables.iter().find_map(|table| Some(table.schema().field_with_name(&name).ok()?.metadata().clone()));
        fields.push(Field::new(&name, wanted, true).with_metadata(metadata.unwrap_or_default()));
    }
    let schema = Schema::new_with_metadata(fields, first.schema().metadata().clone());
    Ok(Table::new(RecordBatch::try_new(Arc::new(schema), columns)?))
}

/// A column without a value goes with any type.
fn has_values(column: &ArrayRef) -> bool {
    column.null_count() < column.len()
}

/// The type that holds the values of both.
fn unified(a: &DataType, b: &DataType) -> Option<DataType> {
    let is_scalar = |of: &DataType| of.is_numeric() || matches!(of, DataType::Utf8 | DataType::Boolean);
    match (a, b) {
        _ if a == b => Some(a.clone()),
        _ if a.is_numeric() && b.is_numeric() => Some(DataType::Float64),
        _ if is_scalar(a) && is_scalar(b) => Some(DataType::Utf8),
        _ => None,
    }
}
