//! Why a table cannot be profiled.

use thiserror::Error;

use crate::progress::Cancelled;

/// Why a table cannot be profiled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum ProfileError {
    #[error("the table has no rows to describe")]
    Empty,
    #[error("the table has {0} rows; a profile takes at most 4294967294: describe a sample of them")]
    TooManyRows(usize),
    #[error("{what} has {found} values for {rows} rows")]
    Length { what: String, found: usize, rows: usize },
    #[error("row {row} has label {label}, but there are {classes} classes")]
    Label { row: usize, label: u32, classes: usize },
    #[error("row {row} is in part {part}; parts are 0 (train), 1 (valid) and 2 (test)")]
    Part { row: usize, part: u8 },
    #[error("column '{0}' holds vectors; describe numeric and text columns only")]
    Vector(String),
    #[error("near_duplicate_columns names '{name}', which is no text column (text columns: {known})")]
    NearDuplicateColumn { name: String, known: String },
    #[error("{name} is {value}; it must be between {low} and {high}")]
    Option { name: &'static str, value: usize, low: usize, high: usize },
    #[error("cannot start threads: {0}")]
    Threads(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
