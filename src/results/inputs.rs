//! The columns that a model reads.

use serde::{Deserialize, Serialize};

/// Columns by how they are read; one that is read in two ways is in two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub numeric: Vec<String>,
    pub text: Vec<String>,
    pub categories: Vec<String>,
}
