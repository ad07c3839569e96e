//! The figures and rows that a finding of an audit rests on.

use runner_results::profile::Profile;
use runner_results::profile::audit::{
    AlikePair, Audit, Coefficient, ColumnRows, Contradictions, Duplicates, Finding, FindingKind, Overlap, ReadBy,
    RowKey, RowSet, TargetLeak, TargetLeakVerdict,
};

use crate::figure::text::{count, counted, decimals, percent};

use super::words::key;

/// Figures and examples, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) lines: Vec<String>,
    /// How many more there are that the profile does not list.
    pub(crate) more: u64,
}

/// The figures of the profile that a finding rests on.
pub(crate) fn evidence(finding: &Finding, profile: &Profile) -> Evidence {
    let audit = &profile.audit;
    let reasons = |columns: &[String]| -> Vec<String> {
        let found = columns.iter().filter_map(|name| audit.target_leaks.iter().find(|column| column.column == *name));
        found.map(|column| format!("{}: {}", column.column, reason(profile, column))).collect()
    };
    let classes = || {
        let occurring = profile.classes.iter().filter(|class| class.rows > 0);
        occurring.map(|class| format!("{}: {} ({})", class.class, counted(class.rows, "row"), percent(class.share)))
    };
    let lines = match &finding.kind {
        FindingKind::LeaksLabel { columns }
        | FindingKind::NearlyLeaksLabel { columns }
        | FindingKind::RecognisesRows { columns } => reasons(columns),
        FindingKind::RandomSplitLeaks { .. }
        | FindingKind::RandomSplitHardlyLeaks { .. }
        | FindingKind::DuplicatesInTrain { .. }
        | FindingKind::GroupsInValid { .. }
        | FindingKind::GroupsWhole { .. } => {
            let groups = |one: &&Overlap| matches!(one.key, RowKey::Group { .. } | RowKey::Connected { .. });
            audit.overlaps.iter().filter(groups).map(of_groups).collect()
        }
        FindingKind::NearDuplicatesInTrain { keys, .. } => {
            let own = audit.overlaps.iter().filter(|one| keys.contains(&one.key));
            own.map(|one| shared(one, "of test rows occur in train")).collect()
        }
        FindingKind::SharedValues { columns } => {
            let is_named = |one: &&Overlap| match &one.key {
                RowKey::Column { name } => columns.iter().any(|column| column.column == *name),
                _ => false,
            };
            let own = audit.overlaps.iter().filter(is_named);
            own.map(|one| shared(one, "of test rows have a value known from train")).collect()
        }
        FindingKind::LabelCeiling { key, .. } => {
            let own = audit.contradictions.iter().find(|one| one.key == *key);
            contradictions(audit).chain(own.into_iter().flat_map(|one| one.examples.iter().map(example))).collect()
        }
        FindingKind::RepeatedRows { keys, .. } => {
            let lines = |one: &Duplicates| {
                let sets = format!(
                    "{}: {} in {}, the largest of {}",
                    key(&one.key),
                    counted(one.rows, "row"),
                    counted(one.sets, "set"),
                    one.largest
                );
                std::iter::once(sets).chain(one.examples.iter().take(2).map(example)).collect::<Vec<_>>()
            };
            duplicates(audit, keys).flat_map(lines).collect()
        }
        FindingKind::NearDuplicates { keys, .. } => {
            let lines = |one: &Duplicates| {
                let sets = format!(
                    "{}: {} in {} across groups",
                    key(&one.key),
                    counted(one.rows_across_groups, "row"),
                    counted(one.sets_across_groups, "set")
                );
                std::iter::once(sets).chain(one.examples.iter().take(3).map(example)).collect::<Vec<_>>()
            };
            duplicates(audit, keys).flat_map(lines).collect()
        }
        FindingKind::InfiniteValues { columns } => {
            columns.iter().map(|one| format!("{}: {}", one.column, counted(one.rows, "infinite value"))).collect()
        }
        FindingKind::MissingValues { columns, .. } => {
            let share = |one: &ColumnRows| percent(one.rows as f64 / profile.rows.max(1) as f64);
            columns.iter().map(|one| format!("{}: {} ({})", one.column, counted(one.rows, "row"), share(one))).collect()
        }
        FindingKind::AlikeColumns { pairs, strongest } => {
            let line = |AlikePair { a, b, coefficient, value }: &AlikePair| {
                let coefficient = match coefficient {
                    Coefficient::Pearson => "Pearson",
                    Coefficient::Spearman => "Spearman",
                };
                format!("{a} and {b}: {coefficient} {}", decimals(*value, 3))
            };
            let more = pairs.saturating_sub(strongest.len() as u64);
            return Evidence { lines: strongest.iter().map(line).collect(), more };
        }
        FindingKind::SmallClasses { .. } | FindingKind::ClassBalance { .. } => classes().collect(),
        FindingKind::NoLeakOfLabel { .. }
        | FindingKind::ConsistentLabels { .. }
        | FindingKind::NoRepeats { .. }
        | FindingKind::RepeatsByChance { .. }
        | FindingKind::ConstantColumns { .. }
        | FindingKind::UnlabelledRows { .. }
        | FindingKind::OneClass { .. } => Vec::new(),
    };
    Evidence { lines, more: 0 }
}

/// Why a column has its verdict.
pub(crate) fn reason(profile: &Profile, column: &TargetLeak) -> String {
    let honest = column.honest();
    let is_group = |one: &Overlap| matches!(one.key, RowKey::Group { .. } | RowKey::Connected { .. });
    let others = match &column.group_folds {
        Some(_) if profile.audit.overlaps.iter().any(is_group) => "in other groups",
        Some(_) => "on rows that are no copies of its own",
        None => "on other rows",
    };
    let what = match column.read_by {
        ReadBy::Value => "looking its value up",
        ReadBy::QuantileBin => "its quantile bin",
        ReadBy::Presence => "whether it has a value",
    };
    let Some(accuracy) = honest.accuracy_on_covered else {
        return format!("no value occurs {others}, so it cannot predict by value");
    };
    let mut text = format!(
        "{what} {others} is right on {} of the rows that can be looked up ({} of all); guessing the largest class: {}",
        percent(accuracy),
        percent(honest.coverage),
        percent(profile.classes.iter().map(|class| class.share).fold(0.0, f64::max))
    );
    let told = matches!(column.verdict, TargetLeakVerdict::Leaks | TargetLeakVerdict::Nearly);
    if told && column.purity == Some(1.0) && column.read_by == ReadBy::Value {
        if column.distinct == profile.classes.iter().filter(|class| class.rows > 0).count() as u64 {
            text.push_str("; its values and the labels match one to one: it is the label under another name");
        } else {
            text.push_str(&format!("; each of its {} values has one label only", count(column.distinct)));
        }
    }
    if column.verdict == TargetLeakVerdict::RecognisesRows {
        text.push_str(&format!(
            "; with copies of a row on both sides {} could be looked up: it recognises rows",
            percent(column.row_folds.coverage)
        ));
    }
    text
}

fn of_groups(one: &Overlap) -> String {
    let random = percent(one.random.test_in_train.unwrap_or(0.0));
    match &one.given {
        Some(given) => format!(
            "{}: {} of test rows occur in train ({} in valid); in a random row split {random}",
            key(&one.key),
            percent(given.test_in_train.unwrap_or(0.0)),
            percent(given.test_in_valid.unwrap_or(0.0)),
        ),
        None => format!("{}: in a random row split {random} of test rows occur in train", key(&one.key)),
    }
}

fn shared(one: &Overlap, how: &str) -> String {
    format!(
        "{}: {} {how}; in a random row split {}",
        key(&one.key),
        percent(one.given.as_ref().and_then(|given| given.test_in_train).unwrap_or(0.0)),
        percent(one.random.test_in_train.unwrap_or(0.0))
    )
}

fn contradictions(audit: &Audit) -> impl Iterator<Item = String> {
    let line = |one: &Contradictions| {
        format!(
            "{}: {} of {} values have more than one label ({}); ceiling {}",
            key(&one.key),
            count(one.contradictory),
            count(one.values),
            counted(one.rows, "row"),
            percent(one.ceiling)
        )
    };
    audit.contradictions.iter().filter(|one| one.contradictory > 0).map(line)
}

fn duplicates<'a>(audit: &'a Audit, keys: &'a [RowKey]) -> impl Iterator<Item = &'a Duplicates> {
    audit.duplicates.iter().filter(|one| keys.contains(&one.key))
}

/// E.g. `"Long Road · The Fixture": 3 rows (2 pop, 1 latin) at train.csv:2, train.csv:90`.
fn example(set: &RowSet) -> String {
    let mut text = match &set.value {
        Some(value) => format!("\"{value}\": {} rows", set.rows),
        None => format!("{} rows", set.rows),
    };
    if !set.classes.is_empty() {
        let counts: Vec<String> = set.classes.iter().map(|count| format!("{} {}", count.rows, count.class)).collect();
        text.push_str(&format!(" ({})", counts.join(", ")));
    }
    let more = if set.rows as usize > set.places.len() { ", …" } else { "" };
    text.push_str(&format!(" at {}{more}", set.places.join(", ")));
    text
}
