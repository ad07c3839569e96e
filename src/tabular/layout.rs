//! `Layout`: the columns that a table will have, from headers and options; every name in the options is held against
//! the headers here, and only here, so that a check before any work says the same as loading does.
//!
//! Knows nothing of values.

use indexmap::IndexSet;

use super::error::{CsvError, Problem, nearest};
use super::names::{self, ROW_COLUMNS};
use super::options::LoadOptions;

/// The names of the columns that [`load`](super::load) would give for files of these headers, in order, without
/// reading them. `headers` holds a path and [`header`](super::header) for each file.
pub fn columns(headers: &[(&str, Vec<String>)], options: &LoadOptions) -> Result<Vec<String>, Vec<CsvError>> {
    let layout = Layout::new(headers, options)?;
    let first = ROW_COLUMNS.map(str::to_owned).into_iter();
    Ok(first.chain(layout.output).collect())
}

/// What to read and what to give.
pub(super) struct Layout {
    /// The files' columns that are read: those of the output, and those that `derive` and `where` need.
    pub read: IndexSet<String>,
    /// The columns of the table after [`ROW_COLUMNS`].
    pub output: Vec<String>,
    pub notes: Vec<String>,
}

impl Layout {
    pub fn new(headers: &[(&str, Vec<String>)], options: &LoadOptions) -> Result<Layout, Vec<CsvError>> {
        let mut errors = Vec::new();
        let mut error = |problem| errors.push(CsvError::options(problem));
        let mut known: IndexSet<&str> =
            headers.iter().flat_map(|(_, names)| names.iter().map(String::as_str)).collect();
        let label = options.label.as_deref();
        let unknown = |option: String, name: &str, known: &IndexSet<&str>| {
            // A file without the label is no slip, so neither is what the options say of it.
            let is_known = known.contains(name) || label == Some(name);
            (!is_known).then(|| Problem::UnknownColumn {
                option,
                name: name.to_owned(),
                suggestion: nearest(name, known.iter().copied()),
            })
        };

        options.types.keys().filter_map(|name| unknown("types".to_owned(), name, &known)).for_each(&mut error);
        let files: IndexSet<&str> = known.clone();
        for (name, derivation) in &options.derive {
            unknown(format!("derive.{name}"), derivation.source(), &known).into_iter().for_each(&mut error);
            if names::added_as(name).is_some() {
                error(Problem::Reserved { option: format!("derive.{name}"), name: name.clone() });
            } else if !known.insert(name) {
                error(Problem::DerivedExists(name.clone()));
            }
        }
        for (option, names) in [("keep", &options.keep), ("drop", &options.drop)] {
            names.iter().filter_map(|name| unknown(option.to_owned(), name, &known)).for_each(&mut error);
        }
        if !options.keep.is_empty() && !options.drop.is_empty() {
            error(Problem::KeepAndDrop);
        }

        let listed = |names: &[String], name: &str| names.iter().any(|n| n == name);
        let kept = |name: &&str| {
            let wanted = options.keep.is_empty() || listed(&options.keep, name) || label == Some(*name);
            wanted && !listed(&options.drop, name)
        };
        if let Some(label) = label.filter(|label| names::added_as(label).is_some()) {
            // No file can have it, and one that seems to calls it otherwise here.
            let suggestion = nearest(label, known.iter().copied());
            error(Problem::UnknownColumn { option: "label".to_owned(), name: label.to_owned(), suggestion });
        }
        let output: Vec<String> = known.iter().copied().filter(kept).map(str::to_owned).collect();
        for name in options.where_.columns() {
            let is_present = |name: &str| known.contains(name) || ROW_COLUMNS.contains(&name);
            if names::meant(name, is_present).is_none() {
                let suggestion = nearest(name, known.iter().copied());
                let (option, name) = ("where".to_owned(), name.to_owned());
                error(Problem::UnknownColumn { option, name, suggestion });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }

        let needed = |name: &&&str| {
            listed(&output, name)
                || options.derive.values().any(|derivation| derivation.source() == **name)
                || options.where_.columns().any(|column| column == **name)
        };
        let read: IndexSet<String> = files.iter().filter(needed).map(|name| (*name).to_owned()).collect();
        let notes = notes(headers, &read, label);
        Ok(Layout { read, output, notes })
    }
}

/// Which columns are absent from some files, and whether the label is from all.
fn notes(headers: &[(&str, Vec<String>)], read: &IndexSet<String>, label: Option<&str>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(label) = label.filter(|label| !read.contains(*label)) {
        notes.push(format!("no file has the label column '{label}'"));
    }
    for (path, names) in headers {
        let absent: Vec<&str> = read.iter().filter(|name| !names.contains(name)).map(String::as_str).collect();
        if !absent.is_empty() {
            notes.push(format!("{path} has no column {} (missing there)", absent.join(", ")));
        }
    }
    notes
}
