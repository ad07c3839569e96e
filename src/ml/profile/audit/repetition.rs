//! Findings on rows that repeat, nearly repeat, or contradict each other's label.

use super::super::input::Checked;
use super::super::wording::{counted, percent, thousands};
use super::Audit;
use super::finding::{Finding, Severity};
use super::keys::KeyKind;

pub(super) fn contradictions(input: &Checked, audit: &Audit) -> Option<Finding> {
    if input.labelled == 0 {
        return None;
    }
    let coarse: Vec<&str> =
        audit.duplicates.iter().filter(|found| found.may_be_chance()).map(|found| found.key.as_str()).collect();
    let headline = audit
        .contradictions
        .iter()
        .filter(|found| matches!(found.kind, KeyKind::Rows | KeyKind::Group) && !coarse.contains(&found.key.as_str()))
        .min_by(|a, b| a.ceiling.total_cmp(&b.ceiling))?;
    let mut evidence: Vec<String> = audit
        .contradictions
        .iter()
        .filter(|found| found.contradictory > 0)
        .map(|found| {
            format!(
                "{}: {} of {} values have more than one label ({}); ceiling {}",
                found.key,
                thousands(found.contradictory),
                thousands(found.values),
                counted(found.rows, "row"),
                percent(found.ceiling)
            )
        })
        .collect();
    evidence.extend(headline.examples.iter().map(|example| example.sentence()));
    if headline.contradictory == 0 {
        let title = "labels do not contradict each other".into();
        let detail = "Rows with an equal key have an equal label.".into();
        return Some(Finding::new(Severity::Ok, title, detail, evidence));
    }
    Some(Finding::new(
        if headline.ceiling < 0.98 { Severity::Warning } else { Severity::Note },
        format!("contradictory labels cap accuracy at {}", percent(headline.ceiling)),
        format!(
            "{} of {} values of {} have more than one label ({}): no function of it can be right on more than {} of these \
             rows. Read scores against this ceiling.",
            thousands(headline.contradictory),
            thousands(headline.values),
            headline.key,
            counted(headline.rows, "row"),
            percent(headline.ceiling)
        ),
        evidence,
    ))
}

pub(super) fn repeated_rows(input: &Checked, audit: &Audit) -> Option<Finding> {
    let repeats: Vec<_> = audit
        .duplicates
        .iter()
        .filter(|found| matches!(found.kind, KeyKind::Rows | KeyKind::Group))
        .filter(|found| found.surplus > 0 && !found.may_be_chance())
        .collect();
    let Some(headline) = repeats.iter().max_by_key(|found| (found.kind == KeyKind::Rows, found.surplus)) else {
        let has_keys = audit.duplicates.iter().any(|found| found.kind == KeyKind::Group);
        let keys = if has_keys { " or in a group key" } else { "" };
        let detail = format!("No two rows are equal in all columns{keys}.");
        return Some(Finding::new(Severity::Ok, "no row repeats another".into(), detail, Vec::new()));
    };
    let mut evidence = Vec::new();
    for found in &repeats {
        evidence.push(format!(
            "{}: {} in {}, the largest of {}",
            found.key,
            counted(found.rows, "row"),
            counted(found.sets, "set"),
            found.largest
        ));
        evidence.extend(found.examples.iter().take(2).map(|example| example.sentence()));
    }
    Some(Finding::new(
        if headline.kind == KeyKind::Rows { Severity::Warning } else { Severity::Note },
        format!(
            "{} {} an earlier row in {}",
            counted(headline.surplus, "row"),
            if headline.surplus == 1 { "equals" } else { "equal" },
            headline.key
        ),
        format!(
            "That is {} of the rows. Repeats weigh double in training, and a split must keep them together.",
            percent(headline.surplus as f64 / input.rows as f64)
        ),
        evidence,
    ))
}

pub(super) fn near_duplicates(audit: &Audit) -> Option<Finding> {
    let mut evidence = Vec::new();
    let mut most = 0;
    for found in &audit.duplicates {
        let nearly = matches!(found.kind, KeyKind::NormalisedText | KeyKind::RoundedNumbers);
        if !nearly || found.sets_across_groups == 0 || found.may_be_chance() {
            continue;
        }
        most = most.max(found.rows_across_groups);
        evidence.push(format!(
            "{}: {} in {} across groups",
            found.key,
            counted(found.rows_across_groups, "row"),
            counted(found.sets_across_groups, "set")
        ));
        evidence.extend(found.examples.iter().take(3).map(|example| example.sentence()));
    }
    (most > 0).then(|| {
        Finding::new(
            Severity::Note,
            format!("{} have a near-duplicate in another group", counted(most, "row")),
            "Other editions, mixes or re-issues of one thing, perhaps: a split by the given groups may put them on two sides."
                .into(),
            evidence,
        )
    })
}
