//! Contradictory labels: equal rows with unequal labels, and the accuracy that no function of the key can exceed.

use serde::{Deserialize, Serialize};

use super::super::input::Checked;
use super::super::key::MISSING;
use super::example::{RowSet, examples};
use super::keys::{AuditKey, KeyKind};
use super::lookup::Counts;

/// Values of a key that carry more than one label. Only labelled rows count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contradictions {
    pub key: String,
    pub kind: KeyKind,
    /// Different values on labelled rows.
    pub values: u64,
    /// Values with more than one label.
    pub contradictory: u64,
    /// Labelled rows of those values.
    pub rows: u64,
    /// Highest accuracy that any function of the key can reach on these rows: Σ largest class of each value / labelled
    /// rows. A row without a value counts as right. 1 means no contradiction.
    pub ceiling: f64,
    /// The values with most rows against their own majority.
    pub examples: Vec<RowSet>,
}

pub(super) fn of_key(input: &Checked, key: &AuditKey) -> Contradictions {
    let mut found = Contradictions {
        key: key.name.clone(),
        kind: key.kind,
        values: 0,
        contradictory: 0,
        rows: 0,
        ceiling: 1.0,
        examples: Vec::new(),
    };
    let unnamed = key.key.codes.iter().zip(input.label).filter(|(code, label)| **code == MISSING && label.is_some());
    let mut right = unnamed.count() as u64;
    let mut counts = Counts::new(input.classes.len());
    let sets = key.key.sets();
    let mut ranked = Vec::new();
    for rows in sets.iter() {
        let (labelled, largest) = counts.of(rows, input.label);
        right += largest;
        found.values += u64::from(labelled > 0);
        if largest < labelled {
            found.contradictory += 1;
            found.rows += labelled;
            ranked.push((rows, labelled - largest));
        }
    }
    found.ceiling = if input.labelled == 0 { 1.0 } else { right as f64 / input.labelled as f64 };
    found.examples = examples(input, key, ranked.into_iter());
    found
}
