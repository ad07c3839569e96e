//! What is known of data: a profile with its audit, a split, the importance of columns, and the plain facts of any other document.

use std::collections::HashMap;

use serde_json::Value;

use super::super::screen::{self, Style};
use crate::report::{audit, counted, part_name, shown};
use crate::results::inspection::{Drop, Importance};
use crate::results::profile::audit::Severity;
use crate::results::profile::{ClassBalance, Relevance};
use crate::results::{Split, inspection::Inspection, profile::Profile};
use crate::spec::listed;

/// Columns and importances shown.
const SHOWN: usize = 12;

/// Classes shown; of more, the largest.
const MOST_CLASSES: usize = 20;

/// Classes that stand beside one another.
const MOST_ACROSS: usize = 12;

/// Bars of shares are so long at most.
const BAR: usize = 24;

/// Rows, classes, what the audit found (gravest first), and which columns tell of the label.
pub(super) fn profile(profile: &Profile, style: Style, width: usize) -> String {
    let mut text = String::new();
    let (rows, columns) = (counted(profile.rows, "row"), counted(profile.columns.len() as u64, "column"));
    text.push_str(&format!("{} {rows}, {columns}\n", style.bold("Data")));
    let most = profile.classes.iter().map(|class| class.share).fold(0.0, f64::max);
    let mut classes = Vec::new();
    let mut largest: Vec<&ClassBalance> = profile.classes.iter().collect();
    let all = largest.len();
    if all > MOST_CLASSES {
        largest.sort_by_key(|class| std::cmp::Reverse(class.rows));
        largest.truncate(MOST_CLASSES);
    }
    for ClassBalance { class, rows, share } in largest {
        classes.push(vec![
            class.clone(),
            screen::count(*rows),
            format!("{:.1} %", share * 100.0),
            style.accent(&bar(*share, most)),
        ]);
    }
    screen::right(&mut classes, &[1, 2]);
    text.push_str(&screen::table(&classes));
    if all > MOST_CLASSES {
        text.push_str(&style.note(&format!("the {MOST_CLASSES} largest of {all} classes")));
    }
    let findings = &profile.audit.findings;
    if !findings.is_empty() {
        text.push_str(&format!("\n{}\n", style.bold("Audit")));
    }
    for finding in findings {
        let mark = match finding.severity {
            Severity::Danger => style.error("danger "),
            Severity::Warning => style.warning("warning"),
            Severity::Ok => style.good("ok     "),
            Severity::Note => style.dim("note   "),
        };
        text.push_str(&screen::wrap(&audit::title(finding), &format!("  {mark} "), width));
    }
    let missing: HashMap<&str, u64> =
        profile.columns.iter().map(|column| (column.name.as_str(), column.missing)).collect();
    let mut telling: Vec<&Relevance> = profile.relevance.iter().collect();
    telling.sort_by(|a, b| b.information_share.total_cmp(&a.information_share));
    if !telling.is_empty() {
        let heads = [style.bold("Columns"), style.dim("of the label"), String::new(), style.dim("missing")];
        let mut table = vec![heads.to_vec()];
        for one in telling.iter().take(SHOWN) {
            let share = one.information_share;
            table.push(vec![
                one.column.clone(),
                format!("{:.1} %", share * 100.0),
                style.accent(&bar(share, 1.0)),
                match missing.get(one.column.as_str()) {
                    None | Some(0) => style.dim("·"),
                    Some(missing) => screen::compact(*missing as f64),
                },
            ]);
        }
        screen::right(&mut table, &[1]);
        text.push_str(&format!("\n{}", screen::table(&table)));
        let words = format!(
            "what a column alone tells of the label (mutual information); the first {} of {}",
            table.len() - 1,
            telling.len()
        );
        text.push_str(&style.note(&words));
    }
    text
}

/// Rows of each part by class.
pub(super) fn split(split: &Split, style: Style) -> String {
    let mut names: Vec<(&String, u64)> = split.parts.train.classes.iter().map(|(name, rows)| (name, *rows)).collect();
    let all = names.len();
    if all > MOST_ACROSS {
        names.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        names.truncate(MOST_ACROSS);
    }
    let heads = names.iter().map(|(name, _)| style.dim(name));
    let mut rows = vec![[style.bold("Parts"), style.dim("rows")].into_iter().chain(heads).collect::<Vec<_>>()];
    for (name, part) in split.parts.all() {
        let counts = names.iter().map(|(class, _)| screen::count(part.classes.get(*class).copied().unwrap_or(0)));
        rows.push([name.to_owned(), screen::count(part.rows)].into_iter().chain(counts).collect());
    }
    let columns: Vec<usize> = (1..rows[0].len()).collect();
    screen::right(&mut rows, &columns);
    let note = match all > MOST_ACROSS {
        true => style.note(&format!("the {MOST_ACROSS} largest of {all} classes")),
        false => String::new(),
    };
    let facts = [
        ("label", Some(split.label.clone())),
        ("groups", split.groups.map(screen::count)),
        ("group keys", (!split.group_keys.is_empty()).then(|| listed(&split.group_keys))),
        ("folds", Some(screen::count(split.folds))),
        ("order by", split.order_by.clone()),
        ("parts by", split.parts_by.clone()),
        ("left out", Some(screen::count(split.left_out))),
        ("filtered out", Some(screen::count(split.filtered_out))),
        ("without label", Some(screen::count(split.without_label))),
        ("of rare classes", (split.rare > 0).then(|| screen::count(split.rare))),
    ];
    let facts: Vec<Vec<String>> =
        facts.into_iter().filter_map(|(name, value)| Some(vec![style.dim(name), value?])).collect();
    format!("{}{note}\n{}", screen::table(&rows), screen::table_within(&facts, screen::width()))
}

/// What is lost when a column is shuffled.
pub(super) fn importance(found: &Inspection, style: Style) -> String {
    let mut all: Vec<&Importance> = found.importance.iter().collect();
    all.sort_by(|a, b| b.accuracy.mean.total_cmp(&a.accuracy.mean));
    let Some(most) = all.first().map(|one| one.accuracy.mean) else { return String::new() };
    let mut rows = vec![vec![style.bold("Importance"), style.dim("accuracy lost"), String::new()]];
    for one in all.iter().take(SHOWN) {
        let Drop { mean, sd } = one.accuracy;
        let lost = format!("{} ± {}", screen::decimals(mean, 3), screen::decimals(sd, 3));
        rows.push(vec![one.name.clone(), lost, style.accent(&bar(mean, most))]);
    }
    let part = part_name(found.part);
    let words = format!("{part} part, by shuffling the column; the first {} of {}", rows.len() - 1, all.len());
    format!("{}{}", screen::table(&rows), style.note(&words))
}

/// The values of a document that need no more than a line, those of small objects under their path; of one that says what it is, not that.
pub(super) fn facts(document: &Value, is_ours: bool, style: Style) -> String {
    let mut rows = Vec::new();
    let mut content = document.clone();
    if let Some(content) = content.as_object_mut().filter(|_| is_ours) {
        ["document", "version"].iter().for_each(|key| drop(content.shift_remove(*key)));
    }
    gather(&content, "", is_ours, &mut rows, style);
    screen::table_within(&rows, screen::width())
}

fn gather(value: &Value, path: &str, is_ours: bool, rows: &mut Vec<Vec<String>>, style: Style) {
    for (key, value) in value.as_object().into_iter().flatten() {
        // Only the outermost keys of a document of ours are sure to be ours: within it stand names of the user's, as classes.
        let path = match path {
            "" if is_ours => key.replace('_', " "),
            "" => key.clone(),
            path => format!("{path} · {key}"),
        };
        let line = match value {
            Value::Object(_) => {
                gather(value, &path, is_ours, rows, style);
                continue;
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => continue,
            Value::Array(items) if items.is_empty() => continue,
            Value::Array(items) => listed(items.iter().map(shown)),
            Value::String(text) if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                text[..12].to_owned()
            }
            Value::Null => continue,
            value => shown(value),
        };
        rows.push(vec![style.dim(&path), line]);
    }
}

/// A share as a line of blocks, an eighth of a character exact.
fn bar(value: f64, most: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if most.is_nan() || most <= 0.0 || value.is_nan() || value <= 0.0 {
        return String::new();
    }
    let eighths = ((value / most).min(1.0) * (BAR * 8) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}
