//! A value of a condition.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text, a number, true or false")]
pub enum Scalar {
    /// `true` or `false`.
    Boolean(bool),
    /// Compared exactly.
    Integer(i64),
    /// A whole number beyond those of 64 bits with a sign.
    Unsigned(u64),
    /// A fraction, or a number beyond 64 bits.
    Number(f64),
    /// Compared as the column's text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Boolean(value) => value.fmt(f),
            Scalar::Integer(value) => value.fmt(f),
            Scalar::Unsigned(value) => value.fmt(f),
            Scalar::Number(value) => value.fmt(f),
            Scalar::Text(value) => write!(f, "'{value}'"),
        }
    }
}
