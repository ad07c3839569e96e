//! What `describe` knows of a table: `profile.json`.

pub mod audit;
mod column;
mod correlation;
mod histogram;
mod pca;
mod relevance;

use serde::{Deserialize, Serialize};

pub use audit::Audit;
pub use column::{ClassColumn, ColumnKind, ColumnProfile, NumericSummary, Quantiles, TextSummary, ValueCount};
pub use correlation::{CorrelatedPair, Correlations, PairCounts};
pub use histogram::Histogram;
pub use pca::{PcaPoints, PrincipalComponents};
pub use relevance::{InformationEstimator, Relevance};

use crate::document::Document;

/// Everything that `describe` knows of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows of the table.
    pub rows: u64,
    /// Rows whose label is known; class shares, relevance and label audits are taken over these.
    pub labelled: u64,
    /// One entry per column, in the table's order.
    pub columns: Vec<ColumnProfile>,
    /// One entry per class, in the order of the class list.
    pub classes: Vec<ClassBalance>,
    /// What `by_class` of columns and histograms tells apart: the classes, or of more than 20 the largest ones and the others in sum.
    pub class_groups: Vec<ClassGroup>,
    /// Rows and classes of each part of the split; empty without one.
    pub parts: Vec<PartBalance>,
    /// Of the numeric columns.
    pub correlations: Correlations,
    /// How much each column says about the label, in the table's order; empty without labels.
    pub relevance: Vec<Relevance>,
    /// Absent when fewer than two numeric columns vary.
    pub pca: Option<PrincipalComponents>,
    /// One entry per numeric column that has values; in a table of more than 40 columns those among the 40 most relevant ones.
    pub histograms: Vec<Histogram>,
    /// Leaks, duplicates and other faults.
    pub audit: Audit,
    /// All classes of the label, those of rows that are not described too.
    pub label_classes: Vec<String>,
}

/// How many rows a class has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassBalance {
    /// The label.
    pub class: String,
    /// In all parts.
    pub rows: u64,
    /// Of the labelled rows, 0 to 1.
    pub share: f64,
}

/// One part of the split: train, valid or test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartBalance {
    /// `train`, `valid` or `test`.
    pub part: String,
    /// Of the class in that part.
    pub rows: u64,
    /// Labelled rows by class, in the order of the class list.
    pub classes: Vec<u64>,
}

/// A class that is told apart, or the others in sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClassGroup {
    /// One of the classes that are shown alone.
    Class(String),
    /// The classes that are too many to be shown alone.
    Others {
        /// How many classes.
        others: u64,
    },
}

impl Document for Profile {
    const NAME: &'static str = "profile";
    const VERSION: u32 = 3;

    fn classes(&self) -> Vec<&str> {
        let described = self.classes.iter().map(|class| &class.class);
        self.label_classes.iter().chain(described).map(String::as_str).collect()
    }
}
