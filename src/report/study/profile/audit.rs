//! The leakage audit: its findings as sentences, the figures behind them folded away.

use runner_results::profile::Profile;
use runner_results::profile::audit::{
    Audit, Overlap, PartOverlap, Severity as Graveness, TargetLeak, TargetLeakVerdict,
};

use super::columns::{MOST_ROWS, WHOLE};
use crate::audit::{Evidence, detail, evidence, key, reason, title as title_of};
use crate::figure::text::count;
use crate::page::{Block, Cell, Column, Finding, Section, Severity, Table};

/// Lines of evidence kept under a finding; the rest is counted.
const MOST_EVIDENCE: usize = 40;

pub(crate) fn section(profile: &Profile, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let audit = &profile.audit;
    let findings: Vec<Finding> = audit.findings.iter().map(|one| finding(one, profile)).collect();
    if !findings.is_empty() {
        let of = |severity| findings.iter().filter(|f| f.severity == severity).count();
        section.say(match (of(Severity::Danger), of(Severity::Warning)) {
            (0, 0) => "Nothing that would make scores misleading was found.".to_string(),
            (danger, warning) => {
                let [danger, warning] = [danger, warning].map(|n| if n == 0 { "none".to_string() } else { n.to_string() });
                format!(
                    "Of {} findings {danger} would make scores meaningless if ignored (danger), {warning} would inflate or \
                     cap them (warning).",
                    findings.len()
                )
            }
        });
        section.push(Block::Findings(findings));
    }
    let tables: Vec<Block> = [target_leaks(profile), overlaps(audit), contradictions(audit), duplicates(audit)]
        .into_iter()
        .flatten()
        .collect();
    if !tables.is_empty() {
        section.push(Block::Details { summary: "figures behind the audit".to_string(), blocks: tables });
    }
    section
}

fn finding(found: &runner_results::profile::audit::Finding, profile: &Profile) -> Finding {
    let Evidence { lines: mut evidence, more: mut unlisted } = evidence(found, profile);
    if evidence.len() > MOST_EVIDENCE + 1 {
        unlisted += (evidence.len() - MOST_EVIDENCE) as u64;
        evidence.truncate(MOST_EVIDENCE);
    }
    if unlisted > 0 {
        evidence.push(format!("… and {} more", count(unlisted)));
    }
    let severity = match found.severity {
        Graveness::Danger => Severity::Danger,
        Graveness::Warning => Severity::Warning,
        Graveness::Note => Severity::Note,
        Graveness::Ok => Severity::Ok,
    };
    Finding { severity, title: title_of(found), detail: detail(found), evidence }
}

fn target_leaks(profile: &Profile) -> Option<Block> {
    let mut table = Table::new(
        "What each column alone predicts by looking its value up in other rows",
        vec![
            Column::text("column"),
            Column::text("verdict"),
            Column::number("found")
                .hint("rows whose value occurs in the other folds, folds drawn over groups where there are groups"),
            Column::number("right on found"),
            Column::number("right on all").hint("rows not found are guessed as the largest class"),
            Column::text("why"),
        ],
    );
    let mut entries: Vec<&TargetLeak> = profile.audit.target_leaks.iter().collect();
    if entries.len() > MOST_ROWS {
        let is_told = |entry: &TargetLeak| entry.verdict != TargetLeakVerdict::No;
        let accuracy = |entry: &TargetLeak| entry.honest().accuracy;
        entries.sort_by(|a, b| is_told(b).cmp(&is_told(a)).then(accuracy(b).total_cmp(&accuracy(a))));
    }
    for entry in entries {
        let score = entry.honest();
        let verdict = match entry.verdict {
            TargetLeakVerdict::Leaks => "leaks the label",
            TargetLeakVerdict::Nearly => "nearly",
            TargetLeakVerdict::RecognisesRows => "recognises rows",
            TargetLeakVerdict::No => "no",
        };
        let verdict = Cell::text(verdict)
            .strong_if(entry.verdict == TargetLeakVerdict::Leaks)
            .muted_if(entry.verdict == TargetLeakVerdict::No);
        table.push(vec![
            Cell::text(&entry.column),
            verdict,
            Cell::percent(score.coverage),
            Cell::percent(score.accuracy_on_covered),
            Cell::percent(score.accuracy),
            Cell::text(reason(profile, entry)).muted_if(true),
        ]);
    }
    some(table)
}

fn overlaps(audit: &Audit) -> Option<Block> {
    let has_split = audit.overlaps.iter().any(|one| one.given.is_some());
    let mut columns = vec![Column::text("key")];
    if has_split {
        columns.push(Column::number("test in train"));
        columns.push(Column::number("test in valid"));
        columns.push(Column::number("valid in train"));
    }
    columns.push(Column::number("test in train, row split").hint("a seeded random split of rows, for comparison"));
    let mut table = Table::new("Rows whose key also occurs in another part of the split", columns);
    for Overlap { key: by, given, random } in &audit.overlaps {
        let mut row = vec![Cell::text(key(by))];
        if has_split {
            let share = |of: fn(&PartOverlap) -> Option<f64>| Cell::percent(given.as_ref().and_then(of));
            row.extend([
                share(|one| one.test_in_train),
                share(|one| one.test_in_valid),
                share(|one| one.valid_in_train),
            ]);
        }
        row.push(Cell::percent(random.test_in_train));
        table.push(row);
    }
    some(table)
}

fn contradictions(audit: &Audit) -> Option<Block> {
    let mut table = Table::new(
        "Values with more than one label, and the accuracy that no function of the key can exceed",
        vec![
            Column::text("key"),
            Column::number("values"),
            Column::number("contradictory"),
            Column::number("rows"),
            Column::number("ceiling"),
        ],
    );
    for entry in &audit.contradictions {
        table.push(vec![
            Cell::text(key(&entry.key)),
            Cell::count(entry.values),
            Cell::count(entry.contradictory),
            Cell::count(entry.rows),
            Cell::percent(entry.ceiling),
        ]);
    }
    some(table)
}

fn duplicates(audit: &Audit) -> Option<Block> {
    let mut table = Table::new(
        "Rows that are equal under a key",
        vec![
            Column::text("key"),
            Column::number("distinct"),
            Column::number("sets"),
            Column::number("rows in sets"),
            Column::number("surplus").hint("rows that would go if one of each set stayed"),
            Column::number("largest set"),
        ],
    );
    for entry in &audit.duplicates {
        let counts = [entry.distinct, entry.sets, entry.rows, entry.surplus, entry.largest];
        table.push(std::iter::once(Cell::text(key(&entry.key))).chain(counts.map(Cell::count)).collect());
    }
    some(table)
}

fn some(table: Table) -> Option<Block> {
    (!table.rows.is_empty()).then(|| Block::Table(table.first(MOST_ROWS, "first", WHOLE)))
}
