//! `profile`: the numbers behind `describe`, from a frame and its labels to one serialisable document.
//!
//! Summaries of the columns, correlations, relevance to the label, principal components, histograms, and a leakage
//! audit that says in words what its figures mean. Missing numbers (NaN) are left out of every statistic; infinities
//! are treated as missing and counted. Same input, options and seed give the same document for any thread count.

mod audit;
mod breadth;
mod column;
mod correlation;
mod fisher;
mod histogram;
mod information;
mod input;
mod key;
mod leading;
mod options;
mod pca;
mod relevance;
mod screening;
mod wording;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use audit::{
    Audit, ClassCount, ColumnScore, Contradictions, Duplicates, Finding, GiveAway, GiveAwayVerdict, KeyKind, Overlap,
    PartOverlap, ReadBy, RowSet, Severity,
};
pub use column::{ClassColumn, ColumnKind, ColumnProfile, NumericSummary, Quantiles, TextSummary, ValueCount};
pub use correlation::{CorrelatedPair, Correlations, PairCounts};
pub use histogram::Histogram;
pub use input::{Origins, ProfileError, ProfileInput, TEST, TRAIN, VALID};
pub use options::ProfileOptions;
pub use pca::{PcaPoints, PrincipalComponents};
pub use relevance::{InformationEstimator, Relevance};

use super::progress::{Cancelled, Progress};
use breadth::Breadth;
use input::Checked;

/// Everything that `describe` knows of a table. JSON of this struct is the stage's artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows of the table.
    pub rows: u64,
    /// Rows whose label is known; class shares, relevance and label audits are taken over these.
    pub labelled: u64,
    /// One entry per column, in the table's order.
    pub columns: Vec<ColumnProfile>,
    /// One entry per class, in the order of the class list.
    pub classes: Vec<ClassBalance>,
    /// What `by_class` of columns and histograms tells apart: the classes, or of more than 20 the largest ones and the others in sum.
    pub class_groups: Vec<String>,
    /// Rows and classes of each part of the split; empty without one.
    pub parts: Vec<PartBalance>,
    pub correlations: Correlations,
    /// How much each column says about the label, in the table's order; empty without labels.
    pub relevance: Vec<Relevance>,
    /// Absent when fewer than two numeric columns vary.
    pub pca: Option<PrincipalComponents>,
    /// One entry per numeric column that has values; in a table of more than 40 columns those among the 40 most relevant ones.
    pub histograms: Vec<Histogram>,
    pub audit: Audit,
}

/// How many rows a class has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassBalance {
    pub class: String,
    pub rows: u64,
    /// Of the labelled rows, 0 to 1.
    pub share: f64,
}

/// One part of the split: train, valid or test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartBalance {
    pub part: String,
    pub rows: u64,
    /// Labelled rows by class, in the order of the class list.
    pub classes: Vec<u64>,
}

/// Profiles `input` with at most `threads` threads (0 counts as 1).
///
/// # Errors
/// Lengths that disagree, labels or parts out of range, vector columns, an empty table, options out of range, a
/// thread pool that the system refuses, or cancellation.
pub fn profile(
    input: &ProfileInput,
    options: &ProfileOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Profile, ProfileError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|error| ProfileError::Threads(error.to_string()))?;
    pool.install(|| Ok(profile_checked(&Checked::new(input, options, progress)?)?))
}

fn profile_checked(input: &Checked) -> Result<Profile, Cancelled> {
    let classes = class_balance(input);
    let relevance = if input.labelled == 0 { Vec::new() } else { relevance::of_columns(input)? };
    let breadth = Breadth::new(input, &relevance, &classes);
    let summaries = input.columns.par_iter().enumerate().map(|(index, column)| {
        input.go_on()?;
        Ok(column::summarise(input, column, breadth.details(index)))
    });
    let columns: Vec<ColumnProfile> = summaries.collect::<Result<_, Cancelled>>()?;
    let histograms = input.columns.par_iter().enumerate().map(|(index, column)| {
        input.go_on()?;
        Ok(breadth.details(index).and_then(|classes| histogram::of_column(input, column, classes)))
    });
    let histograms = histograms.collect::<Result<Vec<Option<Histogram>>, Cancelled>>()?;
    let correlations = correlation::of_columns(input)?;
    let audit = audit::audit(input, &columns, &classes, &correlations)?;
    Ok(Profile {
        rows: input.rows as u64,
        labelled: input.labelled as u64,
        parts: part_balance(input),
        pca: pca::of_columns(input)?,
        histograms: histograms.into_iter().flatten().collect(),
        columns,
        classes,
        class_groups: breadth.groups.names,
        correlations,
        relevance,
        audit,
    })
}

fn class_balance(input: &Checked) -> Vec<ClassBalance> {
    let mut rows = vec![0u64; input.classes.len()];
    for label in input.label.iter().flatten() {
        rows[*label as usize] += 1;
    }
    let share = |rows: u64| {
        if input.labelled == 0 { 0.0 } else { rows as f64 / input.labelled as f64 }
    };
    input
        .classes
        .iter()
        .zip(rows)
        .map(|(class, rows)| ClassBalance { class: class.clone(), rows, share: share(rows) })
        .collect()
}

fn part_balance(input: &Checked) -> Vec<PartBalance> {
    let Some(parts) = input.part else {
        return Vec::new();
    };
    let mut balance: Vec<PartBalance> = ["train", "valid", "test"]
        .map(|part| PartBalance { part: part.into(), rows: 0, classes: vec![0; input.classes.len()] })
        .into();
    for (part, label) in parts.iter().zip(input.label) {
        let entry = &mut balance[usize::from(*part)];
        entry.rows += 1;
        if let Some(label) = label {
            entry.classes[*label as usize] += 1;
        }
    }
    balance
}

#[cfg(test)]
mod tests;
