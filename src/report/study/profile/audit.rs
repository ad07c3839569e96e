//! The leakage audit: its findings as sentences, the figures behind them folded away.

use serde_json::Value;

use super::columns::{MOST_ROWS, WHOLE};
use crate::page::{Block, Cell, Column, Finding, Section, Severity, Table};
use crate::read::{count, list, number, text, texts};

/// Lines of evidence kept under a finding; the rest is counted.
const MOST_EVIDENCE: usize = 40;

pub fn section(profile: &Value, id: String, title: String) -> Section {
    let mut section = Section::new(id, title);
    let Some(audit) = profile.get("audit") else {
        return section;
    };
    let mut findings: Vec<Finding> = list(audit, "findings").filter_map(finding).collect();
    // Gravest first, else as they came.
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
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
    let tables: Vec<Block> =
        [give_aways(audit), overlaps(audit), contradictions(audit), duplicates(audit)].into_iter().flatten().collect();
    if !tables.is_empty() {
        section.push(Block::Details { summary: "figures behind the audit".to_string(), blocks: tables });
    }
    section
}

fn finding(value: &Value) -> Option<Finding> {
    let severity = match text(value, "severity")?.to_ascii_lowercase().as_str() {
        "danger" => Severity::Danger,
        "warning" => Severity::Warning,
        "ok" => Severity::Ok,
        _ => Severity::Note,
    };
    let mut evidence = texts(value.get("evidence"));
    if evidence.len() > MOST_EVIDENCE + 1 {
        let more = evidence.len() - MOST_EVIDENCE;
        evidence.truncate(MOST_EVIDENCE);
        evidence.push(format!("… and {more} more"));
    }
    Some(Finding {
        severity,
        title: text(value, "title")?.to_string(),
        detail: text(value, "detail").unwrap_or("").to_string(),
        evidence,
    })
}

fn give_aways(audit: &Value) -> Option<Block> {
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
    let mut entries: Vec<&Value> = list(audit, "give_aways").collect();
    if entries.len() > MOST_ROWS {
        let is_told = |entry: &Value| text(entry, "verdict").is_some_and(|verdict| verdict != "no");
        let accuracy = |entry: &Value| {
            let score = entry.get("group_folds").filter(|f| f.is_object()).or_else(|| entry.get("row_folds"));
            score.and_then(|score| number(score, "accuracy")).unwrap_or(0.0)
        };
        entries.sort_by(|a, b| is_told(b).cmp(&is_told(a)).then(accuracy(b).total_cmp(&accuracy(a))));
    }
    for entry in entries {
        let Some(column) = text(entry, "column") else {
            continue;
        };
        let by_group = entry.get("group_folds").filter(|f| f.is_object());
        let score = by_group.or_else(|| entry.get("row_folds")).unwrap_or(&Value::Null);
        let verdict = match text(entry, "verdict").unwrap_or("") {
            "gives_away" => "leaks the label".to_owned(),
            verdict => verdict.replace('_', " "),
        };
        table.push(vec![
            Cell::text(column),
            Cell::text(&verdict).strong_if(verdict == "leaks the label").muted_if(verdict == "no"),
            Cell::percent(number(score, "coverage")),
            Cell::percent(number(score, "accuracy_on_covered")),
            Cell::percent(number(score, "accuracy")),
            Cell::text(text(entry, "reason").unwrap_or("")).muted_if(true),
        ]);
    }
    some(table)
}

fn overlaps(audit: &Value) -> Option<Block> {
    let given = list(audit, "overlaps").any(|o| o.get("given").is_some_and(Value::is_object));
    let mut columns = vec![Column::text("key")];
    if given {
        columns.push(Column::number("test in train"));
        columns.push(Column::number("test in valid"));
        columns.push(Column::number("valid in train"));
    }
    columns.push(Column::number("test in train, row split").hint("a seeded random split of rows, for comparison"));
    let mut table = Table::new("Rows whose key also occurs in another part of the split", columns);
    for entry in list(audit, "overlaps") {
        let Some(key) = text(entry, "key") else {
            continue;
        };
        let share = |split: &str, pair: &str| Cell::percent(entry.get(split).and_then(|s| number(s, pair)));
        let mut row = vec![Cell::text(key)];
        if given {
            row.extend(["test_in_train", "test_in_valid", "valid_in_train"].map(|pair| share("given", pair)));
        }
        row.push(share("random", "test_in_train"));
        table.push(row);
    }
    some(table)
}

fn contradictions(audit: &Value) -> Option<Block> {
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
    for entry in list(audit, "contradictions") {
        let Some(key) = text(entry, "key") else {
            continue;
        };
        table.push(vec![
            Cell::text(key),
            Cell::count(count(entry, "values")),
            Cell::count(count(entry, "contradictory")),
            Cell::count(count(entry, "rows")),
            Cell::percent(number(entry, "ceiling")),
        ]);
    }
    some(table)
}

fn duplicates(audit: &Value) -> Option<Block> {
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
    for entry in list(audit, "duplicates") {
        let Some(key) = text(entry, "key") else {
            continue;
        };
        let mut row = vec![Cell::text(key)];
        row.extend(["distinct", "sets", "rows", "surplus", "largest"].map(|field| Cell::count(count(entry, field))));
        table.push(row);
    }
    some(table)
}

fn some(table: Table) -> Option<Block> {
    (!table.rows.is_empty()).then(|| Block::Table(table.first(MOST_ROWS, "first", WHOLE)))
}
