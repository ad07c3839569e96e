//! Duplicates: rows that are equal under a key, exactly or nearly.

use runner_results::profile::audit::Duplicates;

use super::super::table::input::Checked;
use super::super::table::key::MISSING;
use super::example::examples;
use super::keys::AuditKey;

pub(super) fn of_key(input: &Checked, key: &AuditKey) -> Duplicates {
    let identity = input.groups.first().map(|group| group.key.codes.as_slice()).unwrap_or_default();
    let group = input.connected.as_ref().map(|groups| groups.codes.as_slice()).unwrap_or_default();
    let nearly = key.by.is_near() && !group.is_empty();
    let sets = key.key.sets();
    let mut found = Duplicates {
        key: key.by.clone(),
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

/// Whether so many equal pairs could come from coarse columns alone.
pub(super) fn may_be_chance(found: &Duplicates) -> bool {
    found.expected_pairs.is_some_and(|expected| expected > 0.1 * found.pairs)
}
