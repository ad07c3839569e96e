//! `Layout`: the columns that a table will have, from headers and options; every name in the options is held against
//! the headers here, and only here, so that a check before any work says the same as loading does.

use std::collections::HashSet;

use indexmap::IndexSet;

use super::derivation::Derivation;
use super::error::{CsvError, Problem, SHOWN, bounded};
use super::header::ColumnNames;
use super::names::{self, ROW_COLUMNS};
use super::options::LoadOptions;
use super::words::list;
use runner_names::suggest;

/// Columns that a note lists.
const LISTED: usize = 10;

/// The names of the columns that [`load`](super::load) would give for files of these headers, in order, without
/// reading them. `headers` holds a path and [`header`](super::header) for each file.
pub fn columns(headers: &[(&str, ColumnNames)], options: &LoadOptions) -> Result<Vec<String>, Vec<CsvError>> {
    let all = |problems: Vec<Problem>| problems.into_iter().map(CsvError::options).collect::<Vec<_>>();
    let layout = Layout::find(headers, options).map_err(all)?;
    let first = ROW_COLUMNS.map(str::to_owned).into_iter();
    Ok(first.chain(layout.output).collect())
}

/// What to read and what to give.
#[derive(Default)]
pub(super) struct Layout {
    /// The files' columns that are read: those of the output, and those that `derive` and `where` need.
    pub(crate) read: IndexSet<String>,
    /// The columns of the table after [`ROW_COLUMNS`].
    pub(crate) output: Vec<String>,
    /// The place of the label among those that are read.
    pub(crate) label: Option<usize>,
    pub(crate) notes: Vec<String>,
}

impl Layout {
    /// # Errors
    /// The first mistakes, and how many more there are.
    pub(crate) fn new(headers: &[(&str, ColumnNames)], options: &LoadOptions) -> Result<Layout, Vec<CsvError>> {
        Layout::find(headers, options).map_err(bounded)
    }

    /// # Errors
    /// All mistakes.
    fn find(headers: &[(&str, ColumnNames)], options: &LoadOptions) -> Result<Layout, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut known: IndexSet<&str> =
            headers.iter().flat_map(|(_, columns)| columns.names.iter().map(String::as_str)).collect();
        let label = options.label.as_deref();
        let unknown = |option: String, name: &str, known: &IndexSet<&str>, problems: &mut Vec<Problem>| {
            // A file without the label is no slip, so neither is what the options say of it.
            if !known.contains(name) && label != Some(name) {
                // Only the first are shown, and to look for a similar name takes long.
                let suggestion =
                    if problems.len() < SHOWN { suggest(name, known.iter().copied()).map(str::to_owned) } else { None };
                problems.push(Problem::UnknownColumn { option, name: name.to_owned(), suggestion });
            }
        };

        let most = headers.iter().map(|(_, columns)| columns.names.len()).max().unwrap_or_default();
        let named = options.dialect.names.len();
        if named > most && !headers.is_empty() {
            problems.push(Problem::NamesLeft { named, most });
        }
        for name in options.types.keys() {
            unknown("types".to_owned(), name, &known, &mut problems);
        }
        for name in options.missing.columns() {
            unknown("missing".to_owned(), name, &known, &mut problems);
        }
        let files: IndexSet<&str> = known.clone();
        for (name, derivation) in &options.derive {
            for source in derivation.sources() {
                unknown(format!("derive.{name}"), source, &known, &mut problems);
            }
            if name.trim().is_empty() {
                problems.push(Problem::DerivedUnnamed(name.clone()));
            } else if names::added_as(name).is_some() {
                problems.push(Problem::Reserved { option: format!("derive.{name}"), name: name.clone() });
            } else if !known.insert(name) {
                problems.push(Problem::DerivedExists(name.clone()));
            }
        }
        for (option, names) in [("keep", &options.keep), ("drop", &options.drop)] {
            for name in names {
                unknown(option.to_owned(), name, &known, &mut problems);
            }
        }
        if !options.keep.is_empty() && !options.drop.is_empty() {
            problems.push(Problem::KeepAndDrop);
        }

        if let Some(label) = label.filter(|label| names::added_as(label).is_some()) {
            // No file can have it, and one that seems to calls it otherwise here.
            let suggestion = suggest(label, known.iter().copied()).map(str::to_owned);
            problems.push(Problem::UnknownColumn { option: "label".to_owned(), name: label.to_owned(), suggestion });
        }
        let (keep, drop): (HashSet<&str>, HashSet<&str>) = (names_of(&options.keep), names_of(&options.drop));
        let kept =
            |name: &&str| (keep.is_empty() || keep.contains(name) || label == Some(*name)) && !drop.contains(name);
        let output: Vec<String> = known.iter().copied().filter(kept).map(str::to_owned).collect();
        for name in options.where_.columns() {
            let is_present = |name: &str| known.contains(name) || ROW_COLUMNS.contains(&name);
            // Here a label that no file has is no exception: no row would be left.
            if names::meant(name, is_present).is_none() {
                let is_shown = problems.len() < SHOWN && label != Some(name);
                let suggestion = if is_shown { suggest(name, known.iter().copied()).map(str::to_owned) } else { None };
                let (option, name) = ("where".to_owned(), name.to_owned());
                problems.push(Problem::UnknownColumn { option, name, suggestion });
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }

        let output_names = names_of(&output);
        let sources: HashSet<&str> = options.derive.values().flat_map(Derivation::sources).collect();
        let filtered: HashSet<&str> = options.where_.columns().collect();
        let needed = |name: &&str| output_names.contains(name) || sources.contains(name) || filtered.contains(name);
        let read: IndexSet<String> = files.iter().copied().filter(needed).map(str::to_owned).collect();
        if let Some(problem) = unmatched(headers, &read, &output_names, options) {
            return Err(vec![problem]);
        }
        let notes = notes(headers, &read, label, options.dialect.header);
        let label = label.and_then(|label| read.get_index_of(label));
        Ok(Layout { read, output, label, notes })
    }
}

fn names_of(names: &[String]) -> HashSet<&str> {
    names.iter().map(String::as_str).collect()
}

/// Whether columns without a name cannot be told apart: by their order alone nobody knows which of three is which of two, and what one file calls
/// `unnamed_1` is not known to be what has no name in another.
fn unmatched(
    headers: &[(&str, ColumnNames)],
    read: &IndexSet<String>,
    output: &HashSet<&str>,
    options: &LoadOptions,
) -> Option<Problem> {
    let of_file = |columns: &ColumnNames| columns.of_unnamed().map(str::to_owned).collect::<Vec<_>>();
    for (path, columns) in headers {
        for name in columns.of_unnamed().filter(|name| read.contains(*name)) {
            if let Some((other, _)) = headers.iter().find(|(_, other)| other.is_written(name)) {
                let (name, path, other) = (name.to_owned(), (*path).to_owned(), (*other).to_owned());
                return Some(Problem::UnnamedWritten { name, path, other });
            }
        }
    }
    let mut unnamed =
        headers.iter().map(|(path, columns)| (*path, of_file(columns))).filter(|(_, names)| !names.is_empty());
    let first = unnamed.next()?;
    let other = unnamed.find(|(_, names)| *names != first.1)?;
    let mut all: IndexSet<String> = first.1.iter().chain(&other.1).cloned().collect();
    all.extend(headers.iter().flat_map(|(_, columns)| of_file(columns)));
    let used: Vec<&String> = all.iter().filter(|name| read.contains(*name)).collect();
    // Those that only the output has can be dropped, which is all that is needed of empty columns.
    let is_idle = |name: &&&String| {
        let name = name.as_str();
        output.contains(name)
            && options.label.as_deref() != Some(name)
            && options.where_.columns().all(|column| column != name)
            && options.derive.values().all(|derivation| !derivation.sources().contains(&name))
    };
    let can_be_dropped = options.keep.is_empty() && used.iter().filter(is_idle).count() == used.len();
    let drop = can_be_dropped.then(|| options.drop.iter().chain(used.iter().copied()).cloned().collect());
    let counted = |(path, names): (&str, Vec<String>)| (path.to_owned(), names.len());
    (!used.is_empty()).then(|| Problem::UnnamedDiffer { first: counted(first), other: counted(other), drop })
}

/// Which columns are absent from some files, and whether the label is from all.
fn notes(
    headers: &[(&str, ColumnNames)],
    read: &IndexSet<String>,
    label: Option<&str>,
    has_header: bool,
) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(label) = label.filter(|label| !read.contains(*label)) {
        notes.push(format!("no file has the label column '{label}'"));
    }
    let most = headers.iter().map(|(_, columns)| columns.names.len()).max().unwrap_or_default();
    for (path, columns) in headers {
        let found = columns.names.len();
        if !has_header && found < most {
            let columns = if found == 1 { "column".to_owned() } else { format!("{found} columns") };
            notes.push(format!(
                "{path} has {found} of {most} columns, which are taken for the first {columns} as no line names them"
            ));
            continue;
        }
        let names = names_of(&columns.names);
        // Files to predict lack the label.
        let is_absent = |name: &&str| !names.contains(name) && label != Some(*name);
        let mut absent = read.iter().map(String::as_str).filter(is_absent).peekable();
        if absent.peek().is_some() {
            notes.push(format!("{path} has no column {} (missing there)", list(absent, LISTED)));
        }
    }
    notes
}
