//! Duplicates: rows that are equal under a key, exactly or nearly.

use serde::{Deserialize, Serialize};

use super::super::input::Checked;
use super::super::key::MISSING;
use super::example::{RowSet, examples};
use super::keys::{AuditKey, KeyKind};

/// Rows that share a key's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duplicates {
    pub key: String,
    pub kind: KeyKind,
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
    /// Sets that span several values of the first group key, i.e. twins under distinct identities; 0 without groups.
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

pub(super) fn of_key(input: &Checked, key: &AuditKey) -> Duplicates {
    let identity = input.groups.first().map(|group| group.key.codes.as_slice()).unwrap_or_default();
    let group = input.connected.as_ref().map(|groups| groups.codes.as_slice()).unwrap_or_default();
    let nearly = matches!(key.kind, KeyKind::NormalisedText | KeyKind::RoundedNumbers) && !group.is_empty();
    let sets = key.key.sets();
    let mut found = Duplicates {
        key: key.name.clone(),
        kind: key.kind,
        rows_with_key: sets.rows_with_value() as u64,
        distinct: key.key.distinct as u64,
        sets: 0,
        rows: 0,
        surplus: 0,
        largest: 0,
        sets_across_identities: 0,
        rows_across_identities: 0,
        sets_across_groups: 0,
        rows_across_groups: 0,
        pairs: 0.0,
        expected_pairs: key.expected_pairs,
        examples: Vec::new(),
    };
    let repeated: Vec<(&[u32], u64)> = sets
        .iter()
        .filter(|rows| rows.len() > 1)
        .map(|rows| (rows, if nearly && !spans(rows, group) { 0 } else { rows.len() as u64 }))
        .collect();
    for (rows, _) in &repeated {
        let count = rows.len() as u64;
        found.sets += 1;
        found.rows += count;
        found.largest = found.largest.max(count);
        found.pairs += count as f64 * (count as f64 - 1.0) / 2.0;
        if spans(rows, identity) {
            found.sets_across_identities += 1;
            found.rows_across_identities += count;
        }
        if spans(rows, group) {
            found.sets_across_groups += 1;
            found.rows_across_groups += count;
        }
    }
    found.surplus = found.rows - found.sets;
    found.examples = examples(input, key, repeated.into_iter());
    found
}

/// Whether the rows have several different codes; false for an empty list of codes.
fn spans(rows: &[u32], codes: &[u32]) -> bool {
    let mut known = rows.iter().filter_map(|&row| codes.get(row as usize)).filter(|&&code| code != MISSING);
    known.next().is_some_and(|first| known.any(|code| code != first))
}

impl Duplicates {
    /// Whether so many equal pairs could come from coarse columns alone.
    pub(super) fn may_be_chance(&self) -> bool {
        self.expected_pairs.is_some_and(|expected| expected > 0.1 * self.pairs)
    }
}
