//! Contradictory labels: equal rows with unequal labels, and the accuracy that no function of the key can exceed.

use runner_results::profile::audit::{Contradictions, RowKey};

use super::super::table::input::{Checked, PreparedColumn};
use super::super::table::key::MISSING;
use super::example::examples;
use super::keys::{AuditKey, is_identifier};
use super::lookup::Counts;

pub(super) fn of_key(input: &Checked, key: &AuditKey) -> Contradictions {
    let mut found = Contradictions {
        key: key.by.clone(),
        values: 0,
        contradictory: 0,
        rows: 0,
        ceiling: 1.0,
        varying: Vec::new(),
        examples: Vec::new(),
    };
    let unnamed = key.key.codes.iter().zip(input.label).filter(|(code, label)| **code == MISSING && label.is_some());
    let mut right = unnamed.count() as u64;
    let mut counts = Counts::new(input.classes.len());
    let sets = key.key.sets();
    let mut ranked = Vec::new();
    for rows in sets.iter() {
        let (labelled, largest) = counts.of(rows, input.label);
        right += largest;
        found.values += u64::from(labelled > 0);
        if largest < labelled {
            found.contradictory += 1;
            found.rows += labelled;
            ranked.push((rows, labelled - largest));
        }
    }
    found.ceiling = if input.labelled == 0 { 1.0 } else { right as f64 / input.labelled as f64 };
    found.examples = examples(input, key, ranked.into_iter());
    if found.contradictory > 0 && !matches!(key.by, RowKey::Rows { .. }) {
        let varies = |column: &&PreparedColumn| {
            let codes = &column.key.codes;
            let differ = |rows: &[u32]| rows.windows(2).any(|two| codes[two[0] as usize] != codes[two[1] as usize]);
            !is_identifier(column) && sets.iter().any(differ)
        };
        found.varying = input.columns.iter().filter(varies).map(|column| column.name.to_owned()).collect();
    }
    found
}
