//! Findings on rows that repeat, nearly repeat, or contradict each other's label.

use runner_results::profile::audit::{Audit, Finding, FindingKind, RowKey, Severity};

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
    let keys = || audit.contradictions.iter().filter(|found| names_things(&found.key) && !coarse.contains(&&found.key));
    keys().next()?;
    // What caps every model comes before what caps a look-up of one key.
    let worst = keys()
        .filter(|found| found.contradictory > 0)
        .min_by(|a, b| (!a.varying.is_empty()).cmp(&!b.varying.is_empty()).then(a.ceiling.total_cmp(&b.ceiling)));
    let Some(worst) = worst else { return Some(Finding::new(Severity::Ok, FindingKind::ConsistentLabels)) };
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

pub(super) fn repeated_rows(input: &Checked, audit: &Audit) -> Option<Finding> {
    let repeats: Vec<_> = audit
        .duplicates
        .iter()
        .filter(|found| names_things(&found.key) && found.surplus > 0 && !may_be_chance(found))
        .collect();
    let is_rows = |key: &RowKey| matches!(key, RowKey::Rows { .. });
    let Some(worst) = repeats.iter().max_by_key(|found| (is_rows(&found.key), found.surplus)) else {
        let group_keys = audit.duplicates.iter().any(|found| matches!(found.key, RowKey::Group { .. }));
        return Some(Finding::new(Severity::Ok, FindingKind::NoRepeats { group_keys }));
    };
    let kind = FindingKind::RepeatedRows {
        key: worst.key.clone(),
        surplus: worst.surplus,
        share: worst.surplus as f64 / input.rows as f64,
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
