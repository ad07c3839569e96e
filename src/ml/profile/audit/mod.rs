//! Leakage audit: which rows repeat, where labels contradict each other, which columns leak the label, and what the
//! parts of a split share.
//!
//! Everything is found by hashing keys, in time linear in rows × columns.

mod column_lookup;
mod contradiction;
mod copies;
mod duplicates;
mod example;
mod finding;
mod keys;
mod lookup;
mod overlap;
mod quality;
mod repetition;
mod split_leaks;
mod target_leakage;
mod title;

use rayon::prelude::*;
use runner_results::profile::audit::{Audit, TargetLeakVerdict};
use runner_results::profile::{ClassBalance, ColumnProfile, Correlations};

use super::table::input::Checked;
use crate::progress::Cancelled;

pub(super) fn audit(
    input: &Checked,
    columns: &[ColumnProfile],
    classes: &[ClassBalance],
    correlations: &Correlations,
) -> Result<Audit, Cancelled> {
    let copies = copies::of_table(input)?;
    let target_leaks =
        if input.labelled == 0 { Vec::new() } else { column_lookup::of_columns(input, copies.as_ref())? };
    let telling = target_leaks.iter().filter(|column| column.verdict == TargetLeakVerdict::Leaks);
    let keys = keys::of_table(input, &telling.map(|column| column.column.as_str()).collect::<Vec<_>>())?;
    let repeating: Vec<_> = keys.iter().filter(|key| key.by.names_rows()).collect();
    let duplicates = repeating.par_iter().map(|key| {
        input.go_on()?;
        Ok(duplicates::of_key(input, key))
    });
    let duplicates = duplicates.collect::<Result<_, Cancelled>>()?;
    let contradictions = if input.labelled == 0 {
        Vec::new()
    } else {
        let of_each = repeating.par_iter().map(|key| {
            input.go_on()?;
            Ok(contradiction::of_key(input, key))
        });
        of_each.collect::<Result<_, Cancelled>>()?
    };
    let mut audit = Audit {
        findings: Vec::new(),
        target_leaks,
        duplicates,
        contradictions,
        overlaps: overlap::of_keys(input, &keys)?,
    };
    audit.findings = finding::of_audit(input, &audit, copies.is_some(), columns, classes, correlations);
    Ok(audit)
}
