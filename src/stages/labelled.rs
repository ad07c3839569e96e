//! Rows that have a label, and what is told of those that have none.

use std::collections::HashSet;

use anyhow::bail;
use arrow::array::BooleanArray;

use super::columns::{LABEL_NAME, LINE, Origin, SOURCE, integers, named, strings};
use runner_artifact::Table;

/// The rows that have a label, their labels, and what is known of the others.
pub(super) struct Labelled {
    pub(crate) rows: Table,
    pub(crate) labels: Vec<String>,
    pub(crate) unlabelled: Unlabelled,
}

/// Rows without a label.
pub(super) struct Unlabelled {
    pub(crate) rows: usize,
    /// Those whose file has labels in other rows; the others are rows to predict.
    unexpected: usize,
    /// The first of those, e.g. `data/train.csv:17`.
    places: Vec<String>,
    /// All rows of files with labels.
    all: usize,
}

/// Whether the `load` stages, which name the words that stand for a missing label, told of the rows without one.
pub(super) fn is_told_of(tables: &[Table], label: &str) -> bool {
    let marks = |table: &Table| {
        let schema = table.schema();
        schema.fields().iter().any(|field| field.metadata().get(LABEL_NAME).is_some_and(|name| name == label))
    };
    tables.iter().all(marks)
}

impl Unlabelled {
    pub(crate) fn warning(&self, label: &str) -> Option<String> {
        let more = if self.unexpected > self.places.len() { ", …" } else { "" };
        let first = if self.places.is_empty() { String::new() } else { format!(" ({}{more})", self.places.join(", ")) };
        let noun = if self.unexpected == 1 {
            "rows of files with labels has none and is"
        } else {
            "rows of files with labels have none and are"
        };
        (self.unexpected > 0).then(|| {
            format!(
                "{} of the {} {noun} left out, as '{label}' is blank or missing there{first}; `missing` of the `load` stage \
                 says which words count as missing",
                self.unexpected, self.all
            )
        })
    }

    /// The rest of a headline, e.g. `; 120 rows without a label and 14 of files without labels are left out`.
    pub(crate) fn headline(&self) -> String {
        let rows = |count: usize| format!("{count} {}", if count == 1 { "row" } else { "rows" });
        let verb = if self.rows == 1 { "is" } else { "are" };
        match (self.unexpected, self.rows - self.unexpected) {
            (0, 0) => String::new(),
            (found, 0) => format!("; {} without a label {verb} left out", rows(found)),
            (0, other) => format!("; {} of files without labels {verb} left out", rows(other)),
            (found, other) => {
                format!("; {} without a label and {other} of files without labels are left out", rows(found))
            }
        }
    }
}

/// Characters of a class's name, which stands in every table and figure.
const LONGEST: usize = 1000;

fn length(text: Option<&str>) -> usize {
    text.map_or(0, |text| text.chars().count())
}

pub(super) fn labelled(rows: &Table, label: &str, origin: &Origin) -> anyhow::Result<Labelled> {
    let mut labels = strings(rows, &named(rows, label))?;
    // A class needs a name; tables that no `load` stage made may have blank ones.
    labels.iter_mut().for_each(|label| *label = label.take().filter(|label| !label.trim().is_empty()));
    let has: Vec<bool> = labels.iter().map(Option::is_some).collect();
    let sources = strings(rows, SOURCE).unwrap_or_else(|_| vec![None; rows.rows()]);
    let labelled: HashSet<&Option<String>> =
        sources.iter().zip(&has).filter(|(_, has)| **has).map(|(source, _)| source).collect();
    let unexpected: Vec<usize> = (0..has.len()).filter(|&row| !has[row] && labelled.contains(&sources[row])).collect();
    let lines = integers(rows, LINE).ok();
    let place = |&row: &usize| Some(format!("{}:{}", origin.file(sources[row].as_deref()?), lines.as_ref()?[row]));
    let unlabelled = Unlabelled {
        rows: has.iter().filter(|has| !**has).count(),
        unexpected: unexpected.len(),
        places: unexpected.iter().take(3).filter_map(place).collect(),
        all: sources.iter().filter(|source| labelled.contains(source)).count(),
    };
    if let Some(row) = (0..labels.len()).find(|&row| length(labels[row].as_deref()) > LONGEST) {
        let place = place(&row).map(|place| format!(" ({place})")).unwrap_or_default();
        bail!(
            "the label column '{label}' holds texts of up to {} characters{place}; a class is named in {LONGEST} at most: is it the right column?",
            labels.iter().map(|label| length(label.as_deref())).max().unwrap_or_default()
        );
    }
    let kept = arrow::compute::filter_record_batch(rows.batch(), &BooleanArray::from(has))?;
    if kept.num_rows() == 0 {
        bail!("no row has a value in the label column '{label}'");
    }
    Ok(Labelled { rows: Table::new(kept), labels: labels.into_iter().flatten().collect(), unlabelled })
}
