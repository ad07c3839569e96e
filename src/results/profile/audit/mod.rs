//! Leakage audit: which rows repeat, where labels contradict each other, which columns leak the label, and what the parts of a split share.

mod finding;
mod row_key;
mod rows;
mod target_leak;

use serde::{Deserialize, Serialize};

pub use finding::{AlikePair, Balance, Coefficient, ColumnRows, Finding, FindingKind, Severity, SharedValues};
pub use row_key::RowKey;
pub use rows::{ClassCount, Contradictions, Duplicates, Overlap, PartOverlap, RowSet};
pub use target_leak::{ColumnScore, ReadBy, TargetLeak, TargetLeakVerdict};

/// A column has many values where fewer rows than this share one on average, so that new rows may bring new ones.
pub const ROWS_OF_MANY_VALUES: u64 = 10;

/// The audit's findings first, then the figures behind them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Gravest first.
    pub findings: Vec<Finding>,
    /// One entry per column, in the table's order; empty without labels.
    pub target_leaks: Vec<TargetLeak>,
    /// One entry per key.
    pub duplicates: Vec<Duplicates>,
    /// One entry per key; empty without labels.
    pub contradictions: Vec<Contradictions>,
    /// One entry per key: what test rows share with training, under the given split and under a random one.
    pub overlaps: Vec<Overlap>,
}

impl Audit {
    /// The columns that leak the label, in the table's order.
    pub fn leaking(&self) -> impl Iterator<Item = &str> {
        let found = self.target_leaks.iter().filter(|column| column.verdict == TargetLeakVerdict::Leaks);
        found.map(|column| column.column.as_str())
    }

    /// The group keys by whose values alone accuracy is capped, since labels contradict one another, and what they are called; ceilings of 99.9 % and
    /// more are none. Models that read what varies within a value are not.
    pub fn capping(&self) -> impl Iterator<Item = (&Contradictions, &str)> {
        const NONE: f64 = 0.999;
        self.contradictions.iter().filter(|found| found.ceiling < NONE).filter_map(|found| match &found.key {
            RowKey::Group { name } => Some((found, name.as_str())),
            _ => None,
        })
    }
}
