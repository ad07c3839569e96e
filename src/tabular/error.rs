//! `CsvError`: what is wrong with a file or with the options for it, where, and what to do.

use std::fmt;

use super::damage::{Damage, Gap, Lines};
use super::dialect::{Encoding, Misfit};
use super::filter_error::FilterError;
use super::names::ADDED;
use super::words::{RowPlace, Unit, did_you_mean, list, yaml};

/// How many problems of one kind of check are reported; the rest is counted by [`Problem::More`].
pub(super) const SHOWN: usize = 10;

/// One problem and its place, e.g. `data/x.csv:17: column 'tempo': 'fast' is not a number`.
#[derive(Clone, Debug, PartialEq)]
pub struct CsvError {
    /// The file as the user named it; `None` when the options are at fault.
    pub path: Option<String>,
    /// 1-based line of the file, where a record or byte is to blame.
    pub line: Option<u64>,
    /// 1-based character within the line, where known.
    pub column: Option<u64>,
    /// 1-based row, of a file that has no lines.
    pub row: Option<u64>,
    /// In a box, so that results stay small.
    pub problem: Box<Problem>,
}

/// What is wrong; the text holds the value and the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum Problem {
    #[error("cannot be read: {0}")]
    Unreadable(String),
    #[error("the file is empty (expected a header line and rows)")]
    Empty,
    #[error("the file has a header but no rows (add some below it, or leave the file out of `files`)")]
    HeaderOnly,
    #[error("the header is longer than {0} bytes (is this a CSV file, and is every quote closed?)")]
    HeaderTooLong(u64),
    #[error(
        "the name of column {position} has {length} characters, more than a name can have (is every quote closed, and the first line the header?)"
    )]
    NameTooLong { position: usize, length: usize },
    #[error("the file is {0} (write `encoding: {0}`)")]
    Utf16(Encoding),
    #[error("the file is UTF-32 (save it as UTF-8)")]
    Utf32,
    #[error("{}", not_in_encoding(.encoding, *.byte, *.is_cut))]
    NotInEncoding {
        encoding: &'static str,
        /// The first of those that are no character.
        byte: u8,
        /// Whether the file ends within a character.
        is_cut: bool,
    },
    #[error("the file is packed with {packed}, and damaged: {why} (is it complete? fetch or pack it again)")]
    Packed { packed: &'static str, why: String },
    #[error(
        "the file is packed with {packed}, and its {bytes} bytes unpack to more than {most} (at most 2 GiB are read, and of more than 256 MiB no more than 250 times the \
         packed size; if it is meant to be so, unpack it yourself)"
    )]
    UnpacksToMuch { packed: &'static str, bytes: usize, most: usize },
    #[error("the {format} file cannot be read: {why}")]
    Columns { format: &'static str, why: String },
    #[error(
        "column '{column}' of the {format} file holds {holds}, which no cell of a table can{} (write the file without {}, or as text or numbers)",
        and_others(*.others),
        if *.others == 0 { "it" } else { "these" }
    )]
    NotPlain { format: &'static str, column: String, holds: &'static str, others: usize },
    #[error(
        "{0} files name their columns themselves (leave `header` and `names` out, or read the file in a `load` stage of its own)"
    )]
    NamesItsColumns(&'static str),
    #[error("a NUL character in a text")]
    NulCharacter,
    #[error("the first line has {found} fields, but `names` has {named} (name each column, in their order)")]
    Unnamed { found: usize, named: usize },
    #[error(
        "`names` has {named} names, but no file has more than {most} columns (name the columns that are there, in their order)"
    )]
    NamesLeft { named: usize, most: usize },
    #[error("the file is {kind}, not CSV ({remedy})")]
    OtherKind { kind: &'static str, remedy: &'static str },
    #[error("{0}")]
    NotUtf8(Damage),
    #[error("NUL byte, in {0} (the file is damaged, or is not text: save it as UTF-8 CSV)")]
    NulByte(Lines),
    #[error("the header is one column, '{header}'{}", one_column(*.found, .beside))]
    OneColumn {
        header: String,
        /// Another delimiter that is in it.
        found: char,
        /// A file of the same stage in which the delimiter that was given separates columns, and that delimiter.
        beside: Option<(String, char)>,
    },
    #[error("a quote opened here is never closed (close it, or double it where it is meant literally)")]
    OpenQuote,
    #[error(
        "column '{name}' occurs twice in the header, as number {first} and {second} (rename one; if the file has no header, write `header: false`)"
    )]
    DuplicateColumn { name: String, first: usize, second: usize },
    #[error("expected {expected} fields, found {found} ({})", ragged(*.expected, *.found, *.last_line, *.is_broken))]
    Ragged {
        expected: usize,
        found: usize,
        /// The line where the record ends, when that is another line than where it starts.
        last_line: Option<u64>,
        /// Whether a carriage return stands before or behind it, alone, where lines of the file end otherwise.
        is_broken: bool,
    },
    #[error("column '{column}': '{token}' is not a number{}{}", in_rows(*.rows), or_missing(.hint, .remedy))]
    NotANumber { column: String, token: String, rows: usize, hint: Option<String>, remedy: Option<String> },
    #[error("column '{column}': '{token}' is not a 64-bit integer{}{}", in_rows(*.rows), or_missing(.hint, .remedy))]
    NotAnInteger { column: String, token: String, rows: usize, hint: Option<String>, remedy: Option<String> },
    #[error(
        "column '{column}': '{token}' is {}{}, but {percent:.1} % of the column is{} ({}, or declare `types: {{{key}: text}}`)",
        if *.is_code { "a number with a leading zero" } else { "not a number" },
        in_rows(*.rows),
        if *.is_code { " other numbers" } else { "" },
        match (.hint, .remedy) {
            _ if *.is_code => format!("declare `types: {{{}: number}}` if it is one", yaml(.column)),
            (Some(hint), _) => format!("{hint}; else correct it"),
            (None, Some(remedy)) => format!("correct it, make it missing by {remedy}"),
            (None, None) => "correct it".to_owned(),
        },
        key = yaml(.column)
    )]
    StrayWord {
        column: String,
        token: String,
        /// How many rows have the token.
        rows: usize,
        /// Whether it is a number but for a leading zero.
        is_code: bool,
        percent: f64,
        /// Where the token may stand for a missing value: which tokens of the column do, and how to say so.
        hint: Option<String>,
        /// The one setting by which all tokens of the column that are told of are missing.
        remedy: Option<String>,
    },
    #[error(
        "column '{column}': '{token}' is infinite or too large for a number{} (write a finite number{})",
        in_rows(*.rows),
        match .remedy {
            Some(remedy) => format!(", or make it missing by {remedy}"),
            None => String::new(),
        }
    )]
    Infinite { column: String, token: String, rows: usize, remedy: Option<String> },
    #[error("{option}: no file has a column '{name}'{}", did_you_mean(.suggestion))]
    UnknownColumn { option: String, name: String, suggestion: Option<String> },
    #[error(
        "{option}: names of columns that begin with '{ADDED}' are kept for those that the program adds (choose another name than '{name}')"
    )]
    Reserved { option: String, name: String },
    #[error(
        "{} has {} without a name and {} {}, so which of them are the same cannot be told (write names into the header lines{})",
        first.0, unnamed(first.1), other.0, other.1, or_dropped(.drop)
    )]
    UnnamedDiffer {
        first: (String, usize),
        other: (String, usize),
        /// What to write under `drop` to leave them out, where nothing needs them.
        drop: Option<Vec<String>>,
    },
    #[error(
        "'{name}' is the name of a column in {other}, and stands for one without a name in {path} (write a name into the header line of {path})"
    )]
    UnnamedWritten { name: String, path: String, other: String },
    #[error("derive: a column needs a name (write it in place of '{0}')")]
    DerivedUnnamed(String),
    #[error("derive.{0}: a column of this name exists already (choose another name)")]
    DerivedExists(String),
    #[error("derive.{name}: column '{source_column}' holds text, not numbers, e.g. {examples} (if it holds numbers, declare `types: {{{key}: number}}`; else derive from another column)", key = yaml(.source_column))]
    DerivedFromText { name: String, source_column: String, examples: String },
    #[error(
        "derive.{name}: its texts would have {} MB, of at most {} MB for these files (join fewer columns: one that is joined of joined ones grows every time)",
        .bytes >> 20,
        .most >> 20
    )]
    DerivedTooLarge { name: String, bytes: usize, most: usize },
    #[error("{}: {} ({})", .0.key, .0.message, .0.help)]
    Misfit(Misfit),
    #[error("`keep` and `drop` cannot both be given (keep one of them)")]
    KeepAndDrop,
    #[error("two files are named '{0}' (give each its own name)")]
    DuplicateSource(String),
    #[error("no file was given")]
    NoInput,
    #[error("the files hold {0} bytes together (a table takes at most {max}; load fewer files)", max = i32::MAX)]
    TooLarge(usize),
    #[error("where: {0}")]
    Filter(#[from] FilterError),
    #[error("and {0} more problems of this kind")]
    More(usize),
    #[error("and {count} more problems of this kind, among them some of {columns}")]
    MoreColumns {
        count: usize,
        /// Those of which no other line tells, e.g. `columns 'a', 'b'`.
        columns: String,
    },
    #[error("the table cannot be built: {0}")]
    Arrow(String),
    #[error("interrupted")]
    Interrupted,
}

/// Whether the user wants to stop.
pub(super) type Cancelled<'a> = &'a dyn Fn() -> bool;

/// # Errors
/// If the user wants to stop.
pub(super) fn go_on(cancelled: Cancelled) -> Result<(), CsvError> {
    if cancelled() { Err(CsvError::options(Problem::Interrupted)) } else { Ok(()) }
}

impl CsvError {
    /// A problem of the options, not of a file.
    pub(super) fn options(problem: Problem) -> Self {
        CsvError { path: None, line: None, column: None, row: None, problem: Box::new(problem) }
    }

    pub(super) fn file(path: &str, problem: Problem) -> Self {
        CsvError { path: Some(path.to_owned()), ..CsvError::options(problem) }
    }

    pub(super) fn line(path: &str, line: u64, problem: Problem) -> Self {
        CsvError { line: Some(line), ..CsvError::file(path, problem) }
    }

    pub(super) fn row(path: &str, row: u64, problem: Problem) -> Self {
        CsvError { row: Some(row), ..CsvError::file(path, problem) }
    }

    pub(super) fn at(place: RowPlace, problem: Problem) -> Self {
        match place.unit {
            Unit::Line => CsvError::line(place.path, place.number, problem),
            Unit::Row => CsvError::row(place.path, place.number, problem),
        }
    }
}

impl CsvError {
    /// The same by the numbers of the file, where it was found in a part of it.
    pub(super) fn behind(mut self, gap: Option<Gap>) -> Self {
        let Some(gap) = gap else { return self };
        self.line = self.line.map(|line| gap.line(line));
        *self.problem = match *self.problem {
            Problem::NotUtf8(damage) => Problem::NotUtf8(damage.behind(gap)),
            Problem::NulByte(lines) => Problem::NulByte(lines.behind(gap)),
            other => other,
        };
        self
    }
}

/// Tells errors of headers that the delimiter is right in another file of the stage, at `path`.
pub fn tell_of_delimiter(errors: &mut [CsvError], path: &str, delimiter: char) {
    for error in errors {
        if let Problem::OneColumn { beside, .. } = &mut *error.problem {
            *beside = Some((path.to_owned(), delimiter));
        }
    }
}

impl CsvError {
    /// `data/x.csv:17: `, as far as it is known.
    pub(super) fn fmt_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            f.write_str(path)?;
            for number in [self.line, self.column].into_iter().flatten() {
                write!(f, ":{number}")?;
            }
            if let Some(row) = self.row {
                write!(f, ", row {row}")?;
            }
            f.write_str(": ")?;
        }
        Ok(())
    }
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_place(f)?;
        self.problem.fmt(f)
    }
}

impl std::error::Error for CsvError {}

/// Keeps the first [`SHOWN`] problems and counts the rest, so that a million bad cells make a short message.
#[derive(Default)]
pub(super) struct Problems {
    shown: Vec<CsvError>,
    hidden: usize,
}

impl Problems {
    pub(super) fn push(&mut self, error: CsvError) {
        if self.shown.len() < SHOWN {
            self.shown.push(error);
        } else {
            self.hidden += 1;
        }
    }

    pub(super) fn hide(&mut self, count: usize) {
        self.hidden += count;
    }

    /// The problems of several columns: the first of each, then the second of each and so on, so that no column hides another; in the columns' order.
    pub(super) fn of_columns(columns: Vec<(&str, Problems)>) -> Result<(), Vec<CsvError>> {
        /// Columns that are named although nothing else is told of them.
        const NAMED: usize = 50;
        let mut rooms = vec![0; columns.len()];
        let mut left = SHOWN;
        for round in 0..SHOWN {
            for (room, (_, problems)) in rooms.iter_mut().zip(&columns).filter(|(_, (_, own))| own.shown.len() > round)
            {
                if left > 0 {
                    (*room, left) = (problems.shown.len().min(round + 1), left - 1);
                }
            }
        }
        let (mut shown, mut hidden, mut untold) = (Vec::new(), 0, Vec::new());
        for ((name, problems), room) in columns.into_iter().zip(rooms) {
            hidden += problems.hidden + problems.shown.len() - room;
            if room == 0 && !problems.shown.is_empty() {
                untold.push(name);
            }
            shown.extend(problems.shown.into_iter().take(room));
        }
        if hidden > 0 {
            let of = if untold.len() == 1 { "column" } else { "columns" };
            shown.push(CsvError::options(match untold.is_empty() {
                true => Problem::More(hidden),
                false => {
                    let columns = format!("{of} {}", list(untold.into_iter(), NAMED));
                    Problem::MoreColumns { count: hidden, columns }
                }
            }));
        }
        if shown.is_empty() { Ok(()) } else { Err(shown) }
    }

    /// `Ok` when nothing was pushed.
    pub(super) fn check(mut self) -> Result<(), Vec<CsvError>> {
        if self.hidden > 0 {
            self.shown.push(CsvError::options(Problem::More(self.hidden)));
        }
        if self.shown.is_empty() { Ok(()) } else { Err(self.shown) }
    }
}

/// The first [`SHOWN`] problems and the number of the others.
pub(super) fn bounded(problems: Vec<Problem>) -> Vec<CsvError> {
    let mut kept = Problems::default();
    problems.into_iter().for_each(|problem| kept.push(CsvError::options(problem)));
    kept.check().err().unwrap_or_default()
}

fn not_in_encoding(encoding: &str, byte: u8, is_cut: bool) -> String {
    if is_cut {
        return format!("the file ends within a character of {encoding} (is it complete? fetch or export it again)");
    }
    format!(
        "byte 0x{byte:02x} is not valid {encoding}, which `encoding` names (write the file's own encoding there, or correct the byte)"
    )
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => ", and another column is as it".to_owned(),
        others => format!(", and {others} other columns are as it"),
    }
}

/// A delimiter as it is written in YAML, where a tab in single quotes would be two characters.
fn yaml_delimiter(delimiter: char) -> String {
    if delimiter == '\t' { r#""\t""#.to_owned() } else { format!("'{delimiter}'") }
}

fn one_column(found: char, beside: &Option<(String, char)>) -> String {
    let quote = "if the column is really called so, put its name in quotes in the file";
    let found = yaml_delimiter(found);
    match beside {
        None => format!(" (is the delimiter {found}? write `delimiter: {found}`; {quote})"),
        Some((path, delimiter)) => format!(
            ", although {path} has several columns with `delimiter: {}` ({quote}; if {found} separates its columns, read it in a `load` stage of its own \
             with `delimiter: {found}`)",
            yaml_delimiter(*delimiter)
        ),
    }
}

fn unnamed(count: usize) -> String {
    format!("{count} {}", if count == 1 { "column" } else { "columns" })
}

fn or_dropped(drop: &Option<Vec<String>>) -> String {
    let Some(drop) = drop else { return String::new() };
    let drop: Vec<String> = drop.iter().map(|name| yaml(name)).collect();
    format!(", or leave these columns out by `drop: [{}]`", drop.join(", "))
}

fn ragged(expected: usize, found: usize, last_line: Option<u64>, is_broken: bool) -> String {
    match last_line {
        Some(line) => format!("the record reaches to line {line}: is a quote left open?"),
        None if is_broken => {
            "a carriage return stands alone here, at which a line ends too: quote fields that hold one".to_owned()
        }
        None if found > expected => "quote fields that hold the delimiter".to_owned(),
        None => {
            "write what is missing, a delimiter for each field though it is empty; quote fields that hold a line break"
                .to_owned()
        }
    }
}

fn or_missing(hint: &Option<String>, remedy: &Option<String>) -> String {
    match (hint, remedy) {
        (Some(hint), _) => format!(" ({hint}; else correct it)"),
        (None, Some(remedy)) => format!(" (correct it, or make it missing by {remedy})"),
        (None, None) => String::new(),
    }
}

pub(super) fn in_rows(rows: usize) -> String {
    if rows > 1 { format!(" ({rows} rows)") } else { String::new() }
}
