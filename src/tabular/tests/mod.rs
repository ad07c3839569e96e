//! Behaviour of loading through its public door, from YAML options to Arrow columns and messages: the helpers.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};

use super::{ColumnNames, CsvError, Dialect, Input, LoadOptions, Loaded, load};

mod bytes;
mod formats;
mod options;
mod reading;
mod spelling;
mod stream;
mod strict;
mod values;

fn options(yaml: &str) -> LoadOptions {
    serde_yaml::from_str(yaml).expect("the test's options are valid")
}

/// Loads one file named `a` with the path `a.csv`.
fn load_one(text: impl AsRef<[u8]>, yaml: &str) -> Result<Loaded, Vec<String>> {
    load_all(&[("a", text.as_ref())], yaml)
}

fn load_all(files: &[(&str, &[u8])], yaml: &str) -> Result<Loaded, Vec<String>> {
    let paths: Vec<String> = files.iter().map(|(name, _)| format!("{name}.csv")).collect();
    let inputs: Vec<Input> =
        files.iter().zip(&paths).map(|((name, bytes), path)| Input { name, path, bytes }).collect();
    load(&inputs, &options(yaml)).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn table(text: &str, yaml: &str) -> RecordBatch {
    load_one(text, yaml).expect("the file loads").batch
}

fn errors(text: impl AsRef<[u8]>, yaml: &str) -> Vec<String> {
    load_one(text, yaml).expect_err("the file is refused")
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(name).expect("the column exists");
    column.as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect()
}

fn some_texts<const N: usize>(values: [&str; N]) -> Vec<Option<String>> {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

fn integers(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    batch.column_by_name(name).expect("the column exists").as_primitive::<Int64Type>().iter().collect()
}

fn numbers(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    batch.column_by_name(name).expect("the column exists").as_primitive::<Float64Type>().iter().collect()
}

/// The columns of `a.csv`, as a check before any work finds them.
fn header_of(bytes: &[u8]) -> Result<ColumnNames, Vec<CsvError>> {
    super::header("a.csv", std::io::Cursor::new(bytes), &Dialect::default())
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|field| field.name().clone()).collect()
}
