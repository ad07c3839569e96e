//! Rows that are equal under a key: duplicates, contradictory labels, and what the parts of a split share.

use serde::{Deserialize, Serialize};

use super::RowKey;

/// Rows that share a key's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duplicates {
    /// By what rows are the same.
    pub key: RowKey,
    /// Rows where the key has a value.
    pub rows_with_key: u64,
    /// Different values.
    pub distinct: u64,
    /// Values that occur on two rows or more.
    pub sets: u64,
    /// Rows in those sets.
    pub rows: u64,
    /// Rows that would go if one of each set stayed: `rows - sets`.
    pub surplus: u64,
    /// Rows of the largest set.
    pub largest: u64,
    /// Sets that span several values of the first group key, i.e. duplicates under distinct identities; 0 without groups.
    pub sets_across_identities: u64,
    /// Rows in those sets.
    pub rows_across_identities: u64,
    /// Sets that span several connected groups: a split by groups may put them on two sides; 0 without groups.
    pub sets_across_groups: u64,
    /// Rows in those sets.
    pub rows_across_groups: u64,
    /// Pairs of equal rows, Σ n(n−1)/2.
    pub pairs: f64,
    /// Pairs to expect if the columns were independent; absent for keys that are names. When this is near `pairs`,
    /// the columns are too coarse for equality to mean anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected_pairs: Option<f64>,
    /// Largest sets; for near-duplicates those across groups.
    pub examples: Vec<RowSet>,
}

/// Values of a key that carry more than one label. Only labelled rows count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contradictions {
    /// By what rows are the same.
    pub key: RowKey,
    /// Different values on labelled rows.
    pub values: u64,
    /// Values with more than one label.
    pub contradictory: u64,
    /// Labelled rows of those values.
    pub rows: u64,
    /// Highest accuracy that any function of the key can reach on these rows: Σ largest class of each value / labelled
    /// rows. A row without a value counts as right. 1 means no contradiction.
    pub ceiling: f64,
    /// Columns in which rows of one value differ: a function of these too may be right more often. Identifiers of rows are none.
    pub varying: Vec<String>,
    /// The values with most rows against their own majority.
    pub examples: Vec<RowSet>,
}

/// What the parts of a split share under one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// By what rows are the same.
    pub key: RowKey,
    /// Under the split of the input; absent without one.
    pub given: Option<PartOverlap>,
    /// Under a seeded random split of rows with the same number of rows per part (80 % train and 20 % test without a
    /// given split). The difference to `given` is the optimism of a row split.
    pub random: PartOverlap,
}

/// Shares from 0 to 1 of a part's rows; a row without a value counts as unknown. Absent where a part is empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartOverlap {
    /// Test rows whose value occurs in train.
    pub test_in_train: Option<f64>,
    /// Test rows whose value occurs in valid.
    pub test_in_valid: Option<f64>,
    /// Valid rows whose value occurs in train.
    pub valid_in_train: Option<f64>,
}

/// Rows that are equal under a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowSet {
    /// The key's value, or a text of the first row that names it; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// How many.
    pub rows: u64,
    /// Labelled rows by class, the most frequent first.
    pub classes: Vec<ClassCount>,
    /// The first six rows as `source:line`, or `row n` counted from 1.
    pub places: Vec<String>,
}

/// A class and its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassCount {
    /// The label.
    pub class: String,
    /// How many.
    pub rows: u64,
}
