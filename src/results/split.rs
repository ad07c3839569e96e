//! How rows were dealt into parts: `split.json`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::document::Document;

/// What a split made of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The column to predict.
    pub label: String,
    /// Rows and classes of each part.
    pub parts: SplitParts,
    /// Groups of rows that stay together; absent where no key was given, when every row stands alone.
    pub groups: Option<u64>,
    /// What ties rows together: a column, or columns that count together, as `title + artist`.
    pub group_keys: Vec<String>,
    /// Folds of the training part; 0 for none.
    pub folds: u64,
    /// Rows that are in no part.
    pub left_out: u64,
    /// Of these, the ones that `where` did not keep.
    pub filtered_out: u64,
    /// Of these, the ones that lack the label.
    pub without_label: u64,
    /// Classes of which `where` kept no row.
    pub filtered_out_classes: u64,
    /// Rows of classes that were too rare to be kept.
    #[serde(skip_serializing_if = "is_none", default)]
    pub rare: u64,
    /// The column by whose order rows were split, the newest into the test part.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_by: Option<String>,
    /// The column that says what part each row is of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parts_by: Option<String>,
    /// All classes from the lowest to the highest, where they have an order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class_order: Option<Vec<String>>,
}

fn is_none(rows: &u64) -> bool {
    *rows == 0
}

/// The three parts of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitParts {
    /// Models are fitted on it.
    pub train: SplitPart,
    /// Models are chosen by it; it may have no rows.
    pub valid: SplitPart,
    /// Models are judged by it; it may have no rows.
    pub test: SplitPart,
}

/// One part of a split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitPart {
    /// Labelled rows.
    pub rows: u64,
    /// Rows by class, sorted by name unless the classes have an order; every class of the split is in every part, perhaps with 0.
    pub classes: IndexMap<String, u64>,
    /// Absent where no key was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<u64>,
}

impl SplitParts {
    /// By name, in the order train, valid, test.
    pub fn all(&self) -> [(&'static str, &SplitPart); 3] {
        [("train", &self.train), ("valid", &self.valid), ("test", &self.test)]
    }
}

impl Document for Split {
    const NAME: &'static str = "split";
    const VERSION: u32 = 2;

    fn classes(&self) -> Vec<&str> {
        self.parts.train.classes.keys().map(String::as_str).collect()
    }
}
