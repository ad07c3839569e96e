//! The columns that a model reads.

use serde::{Deserialize, Serialize};

/// Columns by how they are read; one that is read in two ways is in two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// Numeric columns.
    pub numeric: Vec<String>,
    /// Text columns that were embedded.
    pub text: Vec<String>,
    /// Columns of categories.
    pub categories: Vec<String>,
}
