//! Summaries of the columns, correlations, relevance to the label, principal components and histograms.

mod breadth;
mod column;
mod correlation;
mod fisher;
mod histogram;
mod information;
mod leading;
mod pca;
mod relevance;
mod screening;

use rayon::prelude::*;
use runner_results::profile::{
    ClassBalance, ClassGroup, ColumnProfile, Correlations, Histogram, PartBalance, PrincipalComponents, Relevance,
};

pub(super) use screening::ALIKE;

use super::table::input::Checked;
use crate::progress::Cancelled;
use breadth::Breadth;

/// A profile without its audit.
pub(super) struct Statistics {
    pub(crate) columns: Vec<ColumnProfile>,
    pub(crate) classes: Vec<ClassBalance>,
    pub(crate) class_groups: Vec<ClassGroup>,
    pub(crate) parts: Vec<PartBalance>,
    pub(crate) correlations: Correlations,
    pub(crate) relevance: Vec<Relevance>,
    pub(crate) pca: Option<PrincipalComponents>,
    pub(crate) histograms: Vec<Histogram>,
}

pub(super) fn of_table(input: &Checked) -> Result<Statistics, Cancelled> {
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
    Ok(Statistics {
        columns,
        class_groups: breadth.groups.names,
        parts: part_balance(input),
        correlations: correlation::of_columns(input)?,
        pca: pca::of_columns(input)?,
        histograms: histograms.into_iter().flatten().collect(),
        classes,
        relevance,
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
