//! The first record of a CSV file: column names, read without the rest of the file.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::columnar::header_line;
use super::contents::{Beginning, Contents};
use super::dialect::Dialect;
use super::encoding::{check_signature, check_text};
use super::error::{CsvError, Problem, Problems};
use super::extent::Extent;
use super::names::LONGEST_NAME;
use super::names::own;
use super::records::{Records, Span};
use super::spelling::composed;
use super::unpack::is_packed;
use super::words::shorten;

/// A header may be this long: an unclosed quote must not make a check read gigabytes.
const HEADER_LIMIT: usize = 1 << 20;

/// What the columns of a file are called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnNames {
    /// All of them, in the file's order.
    pub names: Vec<String>,
    /// The 1-based positions of those that have no name in the file.
    pub unnamed: Vec<usize>,
}

impl ColumnNames {
    /// What the columns without a name are called, in their order.
    pub fn of_unnamed(&self) -> impl Iterator<Item = &str> {
        self.unnamed.iter().map(|position| self.names[position - 1].as_str())
    }

    /// Whether the file has a column that it calls so itself.
    pub(crate) fn is_written(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name) && self.of_unnamed().all(|unnamed| unnamed != name)
    }
}

/// The column names of a file, from a reader of which at most 1 MiB is read, and what Parquet and Arrow files announce.
///
/// Columns without a name are counted: `unnamed_1`, `unnamed_2` …; for others see `own`. Those of files without a header are named by the dialect, or counted.
/// Errors: unreadable, empty, a file of another kind, not in the encoding, NUL bytes, a name that occurs twice, an unclosed quote, a single column that holds
/// another delimiter.
pub fn header(path: &str, reader: impl Read + Seek, dialect: &Dialect) -> Result<ColumnNames, Vec<CsvError>> {
    let one = |error| vec![error];
    if let Some(misfit) = dialect.misfits().into_iter().next() {
        return Err(vec![CsvError::options(Problem::Misfit(misfit))]);
    }
    let bytes = match Beginning::read(path, reader, dialect, HEADER_LIMIT).map_err(one)? {
        Beginning::Text(bytes) => bytes,
        Beginning::Columns(names) => {
            let own = dialect.of_columns();
            let line = header_line(&names, &own);
            return Ok(read_header(&mut Records::new(path, &line, &own), &own, true, true)?.columns);
        }
    };
    let may_be_cut = bytes.len() == HEADER_LIMIT;
    let extent = if may_be_cut { Extent::Start(HEADER_LIMIT) } else { Extent::Whole };
    // Of a small file that is packed, too, the start will do.
    let extent = if is_packed(&bytes) { Extent::Start(HEADER_LIMIT) } else { extent };
    let contents = Contents::of_text(path, &bytes, dialect, extent, &|| false).map_err(one)?;
    let is_cut = may_be_cut || contents.text.len() >= HEADER_LIMIT;
    let mut records = Records::new(path, &contents.text, dialect);
    let header = read_header(&mut records, dialect, !is_cut, false);
    if records.at_end() && is_cut {
        return Err(vec![CsvError::line(path, 1, Problem::HeaderTooLong(HEADER_LIMIT as u64))]);
    }
    Ok(header?.columns)
}

/// A file's header, taken apart.
pub(super) struct Header<'a> {
    pub(crate) columns: ColumnNames,
    /// Names that are not as the file has them, since those are kept for added columns.
    pub(crate) renamed: Vec<String>,
    /// The exact text, with a byte order mark if the file has one, without the terminator.
    pub(crate) text: &'a str,
    /// What ended the line; `"\n"` when nothing did.
    pub(crate) terminator: &'static str,
}

/// Takes the header off the front of `records`, which are `whole` unless the file goes on behind them, and are those of a file of columns or not. Where
/// there is none, the records stay as they are.
pub(super) fn read_header<'a>(
    records: &mut Records<'a>,
    dialect: &Dialect,
    whole: bool,
    of_columns: bool,
) -> Result<Header<'a>, Vec<CsvError>> {
    let path = records.path();
    if !dialect.header {
        return counted(records, dialect, whole).map_err(|error| vec![error]);
    }
    let (span, text) = first_record(records, whole).map_err(|error| vec![error])?;
    let shown = text.trim_start_matches('\u{feff}').trim();
    // A name in a file of columns may hold anything.
    if !of_columns {
        check_delimiter(path, shown, records.fields().len(), span.line, dialect).map_err(|error| vec![error])?;
    }
    // One name, in whichever of Unicode's forms a program wrote it.
    let name = |field| composed(String::from_utf8_lossy(field).trim()).into_owned();
    let written: Vec<String> = records.fields().iter().map(name).collect();
    let mut names = Vec::with_capacity(written.len());
    let (mut unnamed, mut renamed) = (Vec::new(), Vec::new());
    for (index, name) in written.iter().enumerate() {
        if name.is_empty() {
            unnamed.push(index + 1);
            names.push(unnamed_name(unnamed.len(), &written));
            continue;
        }
        let own = own(name);
        if own != *name {
            renamed.push(own.clone());
        }
        names.push(own);
    }
    if let Some(index) = (0..names.len()).find(|&index| names[index].chars().count() > LONGEST_NAME) {
        let (position, length) = (index + 1, names[index].chars().count());
        return Err(vec![CsvError::line(path, span.line, Problem::NameTooLong { position, length })]);
    }
    let mut positions = HashMap::new();
    let mut twice = Problems::default();
    for (index, name) in names.iter().enumerate() {
        let (first, second) = (*positions.entry(name).or_insert(index + 1), index + 1);
        if first != second {
            let problem = Problem::DuplicateColumn { name: name.clone(), first, second };
            twice.push(CsvError::line(path, span.line, problem));
        }
    }
    twice.check()?;
    // Blank lines above the header are no part of it; the byte order mark is.
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = if span.start > mark { &text[span.start..] } else { text };
    let terminator = span.terminator.unwrap_or("\n");
    Ok(Header { columns: ColumnNames { names, unnamed }, renamed, text, terminator })
}

/// `unnamed_1` for the first column without a name, or the first of `unnamed_1_2`, `unnamed_1_3` … that no column of the file is called.
///
/// Not its position: files that lack other columns have it elsewhere.
fn unnamed_name(place: usize, written: &[String]) -> String {
    let name = format!("unnamed_{place}");
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !written.contains(name)).unwrap_or(name)
}

/// The columns of a file without a header, by its first record, which is read once more with the others.
fn counted<'a>(records: &mut Records<'a>, dialect: &Dialect, whole: bool) -> Result<Header<'a>, CsvError> {
    let (span, text) = first_record(records, whole)?;
    let found = records.fields().len();
    let named = dialect.names.len();
    if named > 0 && found > named {
        return Err(CsvError::line(records.path(), span.line, Problem::Unnamed { found, named }));
    }
    let names = match named {
        0 => (1..=found).map(|place| format!("column_{place}")).collect(),
        _ => dialect.names[..found].to_vec(),
    };
    *records = Records::new(records.path(), records.bytes(), dialect);
    let text = &text[..if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }];
    let terminator = span.terminator.unwrap_or("\n");
    Ok(Header { columns: ColumnNames { names, unnamed: Vec::new() }, renamed: Vec::new(), text, terminator })
}

/// The header's place and text.
fn first_record<'a>(records: &mut Records<'a>, whole: bool) -> Result<(Span, &'a str), CsvError> {
    let (path, bytes) = (records.path(), records.bytes());
    check_signature(path, bytes)?;
    let Some(span) = records.next_record()? else {
        return Err(CsvError::file(path, Problem::Empty));
    };
    let text = check_text(path, &bytes[..span.end]).map_err(|error| match whole {
        // All lines together say best what is wrong with the bytes.
        true => check_text(path, bytes).err().unwrap_or(error),
        false => error,
    })?;
    Ok((span, text))
}

/// Refuses a single column whose name holds another delimiter.
fn check_delimiter(path: &str, text: &str, columns: usize, line: u64, dialect: &Dialect) -> Result<(), CsvError> {
    let found = [';', '\t', '|', ','].into_iter().find(|other| text.contains(*other));
    match found {
        Some(found)
            if columns == 1 && dialect.quote_byte().is_none_or(|quote| !text.starts_with(char::from(quote))) =>
        {
            let header = shorten(text);
            Err(CsvError::line(path, line, Problem::OneColumn { header, found, beside: None }))
        }
        _ => Ok(()),
    }
}
