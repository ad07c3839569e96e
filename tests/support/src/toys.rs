//! What the toy stages of several tests share.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use runner_artifact::Table;
use runner_engine::StageContext;

/// A table of columns of integers.
pub fn table(columns: &[(&str, Vec<i64>)]) -> Table {
    let array = |values: &Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values.clone())) };
    Table::from_columns(columns.iter().map(|(name, values)| (*name, array(values)))).expect("a table")
}

/// The source `file`: its bytes, and the number in each of its lines.
pub fn numbers(context: &StageContext) -> anyhow::Result<(Vec<u8>, Vec<i64>)> {
    let (_, bytes) = context.source("file")?;
    let values = std::str::from_utf8(&bytes)?.lines().map(str::parse).collect::<Result<_, _>>()?;
    Ok((bytes, values))
}
