//! Findings on rows that repeat, nearly repeat, or contradict each other's label.

use runner_results::profile::audit::{Audit, Duplicates, Finding, FindingKind, RowKey, Severity};

use super::super::table::input::Checked;
use super::duplicates::may_be_chance;

/// A ceiling below this is worth a warning.
const LOW_CEILING: f64 = 0.98;

pub(super) fn contradictions(input: &Checked, audit: &Audit) -> Option<Finding> {
    if input.labelled == 0 {
        return None;
    }
    let coarse: Vec<&RowKey> =
        audit.duplicates.iter().filter(|found| may_be_chance(found)).map(|found| &found.key).collect();
    let named = || audit.contradictions.iter().filter(|found| names_things(&found.key));
    let keys = || named().filter(|found| !coarse.contains(&&found.key));
    keys().next()?;
    // What caps every model comes before what caps a look-up of one key.
    let worst = keys()
        .filter(|found| found.contradictory > 0)
        .min_by(|a, b| (!a.varying.is_empty()).cmp(&!b.varying.is_empty()).then(a.ceiling.total_cmp(&b.ceiling)));
    let Some(worst) = worst else {
        // Equal rows of coarse columns differ rightly, but they do differ.
        let keys = named().map(|found| found.key.clone()).collect();
        let is_consistent = named().all(|found| found.contradictory == 0);
        return is_consistent.then(|| Finding::new(Severity::Ok, FindingKind::ConsistentLabels { keys }));
    };
    let kind = FindingKind::LabelCeiling {
        key: worst.key.clone(),
        values: worst.values,
        contradictory: worst.contradictory,
        rows: worst.rows,
        ceiling: worst.ceiling,
        varying: worst.varying.clone(),
    };
    let is_of_all = worst.varying.is_empty();
    Some(Finding::new(if is_of_all && worst.ceiling < LOW_CEILING { Severity::Warning } else { Severity::Note }, kind))
}

/// `has_copies`: whether rows that are equal in all columns are so because they were copied.
pub(super) fn repeated_rows(input: &Checked, audit: &Audit, has_copies: bool) -> Option<Finding> {
    let is_rows = |key: &RowKey| matches!(key, RowKey::Rows { .. });
    let repeats: Vec<_> = audit
        .duplicates
        .iter()
        .filter(|found| names_things(&found.key) && found.surplus > 0)
        .filter(|found| !may_be_chance(found) || (has_copies && is_rows(&found.key)))
        .collect();
    let share = |surplus: u64| surplus as f64 / input.rows as f64;
    let Some(worst) = repeats.iter().max_by_key(|found| (is_rows(&found.key), found.surplus)) else {
        let whole = |found: &&Duplicates| matches!(&found.key, RowKey::Rows { except } if except.is_empty());
        if let Some(Duplicates { surplus, pairs, expected_pairs, .. }) =
            audit.duplicates.iter().find(whole).filter(|found| found.surplus > 0)
        {
            let varying = input.columns.iter().filter(|column| column.key.with_missing_as_value().distinct > 1);
            let kind = FindingKind::RepeatsByChance {
                surplus: *surplus,
                share: share(*surplus),
                pairs: *pairs,
                expected_pairs: expected_pairs.filter(|_| varying.count() > 1),
            };
            return Some(Finding::new(Severity::Note, kind));
        }
        let group_keys = audit.duplicates.iter().any(|found| matches!(found.key, RowKey::Group { .. }));
        return Some(Finding::new(Severity::Ok, FindingKind::NoRepeats { group_keys }));
    };
    let kind = FindingKind::RepeatedRows {
        key: worst.key.clone(),
        surplus: worst.surplus,
        share: share(worst.surplus),
        keys: repeats.iter().map(|found| found.key.clone()).collect(),
    };
    Some(Finding::new(if is_rows(&worst.key) { Severity::Warning } else { Severity::Note }, kind))
}

pub(super) fn near_duplicates(audit: &Audit) -> Option<Finding> {
    let near = audit.duplicates.iter();
    let near = near.filter(|found| found.key.is_near() && found.sets_across_groups > 0 && !may_be_chance(found));
    let rows = near.clone().map(|found| found.rows_across_groups).max()?;
    let keys = near.map(|found| found.key.clone()).collect();
    Some(Finding::new(Severity::Note, FindingKind::NearDuplicates { rows, keys }))
}

/// Whether the key stands for a row or a thing that was named.
fn names_things(key: &RowKey) -> bool {
    matches!(key, RowKey::Rows { .. } | RowKey::Group { .. })
}
