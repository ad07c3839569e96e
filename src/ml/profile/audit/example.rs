//! Examples that point at rows: `train.csv:12`, with their labels.

use runner_results::profile::audit::{ClassCount, RowSet};

use super::super::table::input::Checked;
use super::keys::AuditKey;

/// Places listed for one example.
const PLACES: usize = 6;

/// The sets that rank highest, as many as the options ask for; the first of equals. Sets of rank 0 are no examples.
pub(super) fn examples<'s>(
    input: &Checked,
    key: &AuditKey,
    sets: impl Iterator<Item = (&'s [u32], u64)>,
) -> Vec<RowSet> {
    let mut ranked: Vec<(&[u32], u64)> = sets.filter(|(_, rank)| *rank > 0).collect();
    ranked.sort_by_key(|&(rows, rank)| (std::cmp::Reverse(rank), rows[0]));
    ranked.iter().take(input.options.examples).map(|(rows, _)| example(input, key, rows)).collect()
}

fn example(input: &Checked, key: &AuditKey, rows: &[u32]) -> RowSet {
    let mut counts = vec![0u64; input.classes.len()];
    for label in rows.iter().filter_map(|&row| input.label[row as usize]) {
        counts[label as usize] += 1;
    }
    let mut classes: Vec<ClassCount> = input
        .classes
        .iter()
        .zip(counts)
        .filter(|(_, rows)| *rows > 0)
        .map(|(class, rows)| ClassCount { class: class.clone(), rows })
        .collect();
    classes.sort_by_key(|count| std::cmp::Reverse(count.rows));
    RowSet {
        value: key.title_of(rows[0]),
        rows: rows.len() as u64,
        classes,
        places: rows.iter().take(PLACES).map(|&row| place(input, row)).collect(),
    }
}

fn place(input: &Checked, row: u32) -> String {
    match input.origins {
        Some(origins) => format!("{}:{}", origins.source[row as usize], origins.line[row as usize]),
        None => format!("row {}", row + 1),
    }
}
