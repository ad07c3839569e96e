//! Findings on columns that leak the label or recognise rows.

use super::super::wording::{list, percent};
use super::Audit;
use super::column_lookup::{GiveAway, GiveAwayVerdict};
use super::finding::{Finding, Severity};

pub(super) fn give_aways(audit: &Audit) -> Vec<Finding> {
    let with = |verdict| audit.give_aways.iter().filter(move |column| column.verdict == verdict).collect::<Vec<_>>();
    let names = |columns: &[&GiveAway]| list(&columns.iter().map(|column| column.column.clone()).collect::<Vec<_>>());
    let reasons = |columns: &[&GiveAway]| {
        columns.iter().map(|column| format!("{}: {}", column.column, column.reason)).collect::<Vec<_>>()
    };
    let verb = |columns: &[&GiveAway], one: &str, many: &str| String::from(if columns.len() == 1 { one } else { many });
    let (telling, nearly) = (with(GiveAwayVerdict::GivesAway), with(GiveAwayVerdict::Nearly));
    let identities = with(GiveAwayVerdict::RecognisesRows);
    let mut findings = Vec::new();
    if !telling.is_empty() {
        findings.push(Finding::new(
            Severity::Danger,
            format!("{} {} the label", names(&telling), verb(&telling, "leaks", "leak")),
            "One such column alone predicts the label, and rows to predict will hardly have it: leave it out of the \
             features."
                .into(),
            reasons(&telling),
        ));
    }
    if !nearly.is_empty() {
        findings.push(Finding::new(
            Severity::Warning,
            format!("{} nearly {} the label", names(&nearly), verb(&nearly, "leaks", "leak")),
            "Where such a column's value is known from other rows, the label nearly is: use it only if it is known when \
             predicting, and split so that its values do not straddle parts."
                .into(),
            reasons(&nearly),
        ));
    }
    if telling.is_empty() && nearly.is_empty() && !audit.give_aways.is_empty() {
        findings.push(Finding::new(
            Severity::Ok,
            "no column leaks the label".into(),
            format!(
                "The best look-up of a single column is right on {} of rows.",
                percent(audit.give_aways.iter().map(|column| column.honest_accuracy()).fold(0.0, f64::max))
            ),
            Vec::new(),
        ));
    }
    if !identities.is_empty() {
        findings.push(Finding::new(
            Severity::Note,
            format!("{} {} rows", names(&identities), verb(&identities, "recognises", "recognise")),
            "Such a column identifies individual rows: as a feature it encourages memorisation.".into(),
            reasons(&identities),
        ));
    }
    findings
}
