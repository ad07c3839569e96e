//! Numbers that models cannot take: they compute in 32 bits, and a larger number would become infinite there.
//!
//! Every stage that makes a model's inputs passes here, so that all refuse the same columns in the same words.

use std::collections::BTreeMap;

use anyhow::bail;

use super::columns::{LINE, ROW_ID, SOURCE, integers, strings};
use runner_artifact::Table;
use runner_boundary::text::Lines;
use runner_report::noun;
use runner_tabular::BEYOND_F32;

/// Columns and values that a message names.
const COLUMNS: usize = 5;
const VALUES: usize = 3;

/// Refuses columns with a value that is infinite in 32 bits, all of them at once, with the places of the values.
pub(super) fn check(table: &Table, columns: &[(&str, &[f64])]) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for (name, values) in columns {
        let rows = beyond(values);
        if rows.is_empty() {
            continue;
        }
        let (places, count) = (places(table, name, values, &rows), rows.len());
        let verb = if count == 1 { "a number is".to_owned() } else { format!("{count} numbers are") };
        found.push(format!(
            "column '{name}': {verb} beyond ±3.4e38, which models, computing in 32 bits, cannot take: {places}"
        ));
    }
    let more = found.len().saturating_sub(COLUMNS);
    found.truncate(COLUMNS);
    if more > 0 {
        found.push(format!("and {more} more {}", noun(more as u64, "column")));
    }
    if found.is_empty() {
        return Ok(());
    }
    found.push(
        "correct the numbers, make them missing (`missing` of the `load` stage), or learn from their logarithm (`derive: {NAME: {log_of: COLUMN}}`)"
            .to_owned(),
    );
    bail!(Lines::new(found))
}

/// The rows whose value is infinite in 32 bits; NaN is missing.
pub(super) fn beyond(values: &[f64]) -> Vec<usize> {
    (0..values.len()).filter(|&row| values[row].abs() > f64::from(f32::MAX)).collect()
}

/// The first of the values with file and line where they are known, else with the row's number.
pub(super) fn places(table: &Table, name: &str, values: &[f64], rows: &[usize]) -> String {
    let known: BTreeMap<String, String> = (table.schema().field_with_name(name).ok())
        .and_then(|field| serde_json::from_str(field.metadata().get(BEYOND_F32)?).ok())
        .unwrap_or_default();
    let ids = integers(table, ROW_ID).ok();
    let (sources, lines) = (strings(table, SOURCE).ok(), integers(table, LINE).ok());
    let place = |row: usize| {
        let id = ids.as_ref().map(|ids| ids[row].to_string());
        let line =
            sources.as_ref().zip(lines.as_ref()).and_then(|(s, l)| Some(format!("{}:{}", s[row].as_deref()?, l[row])));
        match (id.as_ref().and_then(|id| known.get(id)), line, id) {
            (Some(place), _, _) => place.clone(),
            (None, Some(line), _) => line,
            (None, None, Some(id)) => format!("{ROW_ID} {id}"),
            (None, None, None) => format!("row {}", row + 1),
        }
    };
    let shown: Vec<String> =
        rows.iter().take(VALUES).map(|&row| format!("{:e} ({})", values[row], place(row))).collect();
    match rows.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
