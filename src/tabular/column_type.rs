//! What a column holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Numbers with or without a fraction (Arrow `Float64`).
    Number,
    /// Whole numbers (Arrow `Int64`).
    Integer,
    /// Text as it stands (Arrow `Utf8`).
    Text,
}
