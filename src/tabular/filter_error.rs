//! Why a filter does not fit a table, and values of it that no row has.

use std::fmt;

use super::scalar::Scalar;
use super::words::did_you_mean;

/// Why a filter does not fit a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum FilterError {
    #[error("there is no column '{name}'{}", did_you_mean(.suggestion))]
    UnknownColumn { name: String, suggestion: Option<String> },
    #[error("column '{column}' holds {holds}, which cannot be compared with {value} ({remedy})")]
    Incomparable { column: String, holds: &'static str, value: String, remedy: String },
    #[error("column '{column}' of type {data_type} cannot be filtered (only texts, numbers and booleans can)")]
    Unsupported { column: String, data_type: String },
    #[error("no row is left of {rows}{}", because(.unmatched))]
    NothingLeft { rows: usize, unmatched: Vec<Unmatched> },
    #[error("{}", .0.iter().map(FilterError::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<FilterError>),
    #[error("the rows cannot be filtered: {0}")]
    Arrow(String),
}

/// A value of a condition that no row has.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmatched {
    pub(crate) column: String,
    pub(crate) value: Scalar,
    /// Why that may be, or what to write instead.
    pub(crate) hint: String,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no row has {} in column '{}'{}", self.value, self.column, self.hint)
    }
}

fn because(unmatched: &[Unmatched]) -> String {
    match unmatched {
        [] => String::new(),
        some => format!(" ({})", some.iter().map(Unmatched::to_string).collect::<Vec<_>>().join("; ")),
    }
}
