//! The keys by which an audit compares rows.

use serde::{Deserialize, Serialize};

/// What makes two rows equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RowKey {
    /// All columns are equal, but for these and for row counters.
    Rows {
        /// Columns that are left out.
        except: Vec<String>,
    },
    /// This one of the given group keys is equal, e.g. `title + artist`.
    Group {
        /// The column, or columns that count together.
        name: String,
    },
    /// Linked by any of the group keys, transitively: what a group-aware split keeps together.
    Connected {
        /// The group keys.
        by: Vec<String>,
    },
    /// All numeric columns are equal.
    Numbers,
    /// All numeric columns are equal to so many significant digits.
    RoundedNumbers {
        /// How many.
        digits: u64,
    },
    /// These text columns are equal but for case, punctuation, parentheses and suffixes.
    NormalisedText {
        /// All of these.
        columns: Vec<String>,
    },
    /// This text column is equal.
    Column {
        /// The column, or columns that count together.
        name: String,
    },
}

impl RowKey {
    /// Whether equal rows are meant to be the same thing. Columns such as an artist repeat rightly.
    pub fn names_rows(&self) -> bool {
        !matches!(self, RowKey::Column { .. } | RowKey::Connected { .. })
    }

    /// Whether equal rows may be the same thing in another edition.
    pub fn is_near(&self) -> bool {
        matches!(self, RowKey::NormalisedText { .. } | RowKey::RoundedNumbers { .. })
    }
}
