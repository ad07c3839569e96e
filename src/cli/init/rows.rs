//! Rows of a table that a study begins with, and the classes of its label.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;

use super::super::Failure;
use super::super::study::{invalid, invalid_lines};
use crate::tabular::names::SOURCE;

pub(super) fn rows_of(table: &RecordBatch, source: &str) -> Result<RecordBatch, Failure> {
    let sources = table.column_by_name(SOURCE).map(|column| column.as_string::<i32>());
    let own = |row: &usize| sources.is_none_or(|sources| sources.value(*row) == source);
    rows_at(table, (0..table.num_rows()).filter(own).collect())
}

pub(super) fn rows_at(table: &RecordBatch, rows: Vec<usize>) -> Result<RecordBatch, Failure> {
    let places = arrow::array::UInt64Array::from_iter_values(rows.into_iter().map(|row| row as u64));
    let columns: Result<Vec<ArrayRef>, _> = table.columns().iter().map(|column| take(column, &places, None)).collect();
    Ok(RecordBatch::try_new(table.schema(), columns?)?)
}

/// Rows by class, the most frequent first.
pub(super) fn classes_of(table: &RecordBatch, label: &str) -> Result<Vec<(String, usize)>, Failure> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    texts(table, label)?.into_iter().flatten().for_each(|class| *counts.entry(class).or_default() += 1);
    let mut classes: Vec<(String, usize)> = counts.into_iter().collect();
    classes.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    Ok(classes)
}

/// The rows that have a label, and how many each class has.
pub(super) fn labelled(
    table: &RecordBatch,
    label: &str,
    note: Option<&str>,
) -> Result<(RecordBatch, Vec<(String, usize)>), Failure> {
    let classes = classes_of(table, label)?;
    if classes.len() < 2 {
        let values = match classes.as_slice() {
            [] => "no value".to_owned(),
            [(only, rows), ..] => format!("one value, '{only}' in {rows} rows"),
        };
        let told = format!("column '{label}' has {values}, but a label needs two or more");
        return Err(invalid_lines(std::iter::once(told).chain(note.map(str::to_owned))));
    }
    let texts = texts(table, label)?;
    let is_there: Vec<usize> = (0..texts.len()).filter(|&row| texts[row].is_some()).collect();
    Ok((rows_at(table, is_there)?, classes))
}

pub(super) fn texts(table: &RecordBatch, name: &str) -> Result<Vec<Option<String>>, Failure> {
    let column = table.column_by_name(name).ok_or_else(|| invalid(&format!("there is no column '{name}'")))?;
    let column = cast(column, &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}
