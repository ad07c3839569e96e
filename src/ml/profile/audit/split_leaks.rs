//! Findings on rows of one part that are known from another.

use runner_results::profile::audit::{
    Audit, Finding, FindingKind, Overlap, PartOverlap, ROWS_OF_MANY_VALUES, RowKey, Severity, SharedValues,
    TargetLeakVerdict,
};

use super::super::table::input::Checked;
use super::duplicates::may_be_chance;

/// Share of test rows below which a leak is told but not warned of.
const NEGLIGIBLE: f64 = 0.002;

/// Share of test rows from which values known from train are worth a word.
const WORTH_TELLING: f64 = 0.05;

/// Keys of identity: the given split must not cut their groups.
pub(super) fn groups_between_parts(input: &Checked, audit: &Audit) -> Option<Finding> {
    let groups = |one: &&Overlap| matches!(one.key, RowKey::Group { .. } | RowKey::Connected { .. });
    let keys: Vec<&Overlap> = audit.overlaps.iter().filter(groups).collect();
    if keys.is_empty() {
        return None;
    }
    let random = keys.iter().filter_map(|key| key.random.test_in_train).fold(0.0, f64::max);
    if input.part.is_none() {
        return Some(match random > NEGLIGIBLE {
            true => Finding::new(Severity::Warning, FindingKind::RandomSplitLeaks { share: random }),
            false => Finding::new(Severity::Ok, FindingKind::RandomSplitHardlyLeaks { share: random }),
        });
    }
    let worst = |pick: fn(&PartOverlap) -> Option<f64>| {
        keys.iter().filter_map(|key| key.given.as_ref().and_then(pick)).fold(0.0, f64::max)
    };
    let train = worst(|part| part.test_in_train);
    let (test_in_valid, valid_in_train) = (worst(|part| part.test_in_valid), worst(|part| part.valid_in_train));
    Some(if train > 0.0 {
        let severity = if train > NEGLIGIBLE { Severity::Danger } else { Severity::Warning };
        Finding::new(severity, FindingKind::DuplicatesInTrain { share: train })
    } else if test_in_valid > 0.0 || valid_in_train > 0.0 {
        Finding::new(Severity::Warning, FindingKind::GroupsInValid { test_in_valid, valid_in_train })
    } else {
        Finding::new(Severity::Ok, FindingKind::GroupsWhole { random })
    })
}

/// Share of test rows from which copies of training rows make a test of memory of it.
const MUCH: f64 = 0.1;

/// Duplicates that the group keys do not name: near-duplicates and equal numbers across the given split. `has_copies`: whether rows that are equal in all
/// columns are so because they were copied.
pub(super) fn duplicates_between_parts(audit: &Audit, has_copies: bool) -> Option<Finding> {
    let chance: Vec<&RowKey> =
        audit.duplicates.iter().filter(|found| may_be_chance(found)).map(|found| &found.key).collect();
    let (mut keys, mut worst) = (Vec::new(), 0.0f64);
    for overlap in &audit.overlaps {
        let compares_content = matches!(overlap.key, RowKey::Rows { .. } | RowKey::Numbers) || overlap.key.is_near();
        let share = given(overlap);
        // Equal in one measurement alone is equal by more than chance already.
        let is_copy = has_copies && matches!(overlap.key, RowKey::Rows { .. });
        if compares_content && share > 0.0 && (is_copy || !chance.contains(&&overlap.key)) {
            worst = worst.max(share);
            keys.push(overlap.key.clone());
        }
    }
    let whole = audit.overlaps.iter().find(|one| matches!(&one.key, RowKey::Rows { except } if except.is_empty()));
    let severity = match worst {
        _ if has_copies && whole.is_some_and(|whole| given(whole) >= MUCH) => Severity::Danger,
        worst if worst > NEGLIGIBLE => Severity::Warning,
        _ => Severity::Note,
    };
    let copies = whole.map(given).filter(|share| has_copies && *share > 0.0);
    (worst > 0.0).then(|| Finding::new(severity, FindingKind::NearDuplicatesInTrain { share: worst, copies, keys }))
}

/// Values that test and train share rightly, such as an artist: how far the test part is from new workspace.
pub(super) fn known_values(input: &Checked, audit: &Audit) -> Option<Finding> {
    let is_told = |name: &str| {
        let told = [TargetLeakVerdict::Leaks, TargetLeakVerdict::RecognisesRows];
        audit.target_leaks.iter().any(|column| column.column == name && told.contains(&column.verdict))
    };
    // Values that many rows have are the same everywhere: new rows bring no others.
    let is_many = |name: &str| {
        let column = input.columns.iter().find(|column| column.name == name);
        column.is_some_and(|column| (input.rows as u64) < ROWS_OF_MANY_VALUES * column.key.distinct as u64)
    };
    let shared = |overlap: &Overlap| match &overlap.key {
        RowKey::Column { name } if !is_told(name) && is_many(name) && given(overlap) >= WORTH_TELLING => {
            Some(SharedValues { column: name.clone(), share: given(overlap) })
        }
        _ => None,
    };
    let columns: Vec<SharedValues> = audit.overlaps.iter().filter_map(shared).collect();
    (!columns.is_empty()).then(|| Finding::new(Severity::Note, FindingKind::SharedValues { columns }))
}

/// Test rows whose value occurs in train, under the given split.
fn given(overlap: &Overlap) -> f64 {
    overlap.given.as_ref().and_then(|given| given.test_in_train).unwrap_or(0.0)
}
