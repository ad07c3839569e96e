//! The body of each file: its records, as text by column, with their places.

use std::collections::{BTreeMap, HashMap};

use arrow::array::StringBuilder;

use super::columnar::Cells;
use super::contents::Contents;
use super::dialect::Dialect;
use super::encoding::check_text;
use super::error::{Cancelled, CsvError, Problem, Problems, go_on, tell_of_delimiter};
use super::header::{Header, read_header};
use super::input::Input;
use super::layout::Layout;
use super::names::{ADDED, in_file};
use super::records::{Records, loosely_quoted};
use super::words::{Unit, list};

/// Records read between two looks at whether to stop.
const BETWEEN_LOOKS: usize = 1024;

/// Cells that a note shows.
const EXAMPLES: usize = 3;

/// Lines of a record that are rather a quote too few.
const TALL: u64 = 200;

/// Characters of a cell that a note shows.
const SHOWN: usize = 40;

/// One file while it is read.
pub(super) struct File<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    pub(crate) records: Records<'a>,
    pub(crate) header: Header<'a>,
    pub(crate) dialect: &'a Dialect,
    /// Of a file of columns.
    pub(crate) cells: Option<&'a Cells>,
    /// Records that end otherwise than the header line.
    pub(crate) other_terminators: usize,
    /// Cells with text behind a closing quote: how many, and the first ones, each with its line and as what it is read.
    pub(crate) loose_quotes: (usize, Vec<String>),
    /// Records of very many lines: how many, and the first one's first and last line.
    pub(crate) tall: (usize, Option<(u64, u64)>),
    /// What stands behind records up to the next, where it is not the header's terminator: by row, the header's as `header`.
    pub(crate) ends: BTreeMap<String, &'a str>,
}

impl File<'_> {
    /// What its rows are counted by.
    pub(crate) fn unit(&self) -> Unit {
        if self.cells.is_some() { Unit::Row } else { Unit::Line }
    }

    /// Notes what stands between a record and the next.
    fn note_end(&mut self, record: String, from: usize, to: usize) {
        let end = &self.text[from..to];
        if end != self.header.terminator {
            self.ends.insert(record, end);
        }
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let path = self.records.path();
        let mut notes = Vec::new();
        let columns = &self.header.columns;
        match columns.unnamed.as_slice() {
            [] => {}
            [position] => {
                let name = &columns.names[position - 1];
                notes.push(format!("{path}: column {position} has no name, it is called '{name}'"))
            }
            many => {
                let positions: Vec<String> = many.iter().map(usize::to_string).collect();
                let positions = list(positions.iter().map(String::as_str), 10);
                let names = list(columns.of_unnamed(), 10);
                notes.push(format!("{path}: columns {positions} have no names, they are called {names}"));
            }
        }
        for name in &self.header.renamed {
            let written = in_file(name);
            notes.push(format!(
                "{path}: column '{written}' is called '{name}' here, as '{ADDED}' begins the names of added columns"
            ));
        }
        match self.records.blank_lines() {
            0 => {}
            1 => notes.push(format!("{path}: a blank line was skipped")),
            count => notes.push(format!("{path}: {count} blank lines were skipped")),
        }
        if let (count @ 1.., examples) = &self.loose_quotes {
            let cells = if *count == 1 { "a cell has".to_owned() } else { format!("{count} cells have") };
            let more = if *count > examples.len() { " …" } else { "" };
            notes.push(format!(
                "{path}: {cells} text behind a closing quote, so that the quotes are lost: {}{more} (write a quote within a quoted cell twice, and put the whole \
                 cell in quotes)",
                examples.join("; ")
            ));
        }
        if let (count, Some((first, last))) = self.tall {
            let records = if count == 1 { "one row has" } else { &format!("{count} rows have") };
            let example = if count == 1 { "" } else { "the first " };
            notes.push(format!(
                "{path}: {records} many lines, {example}from line {first} to {last}: all between two quotes is one cell (is a quote missing there?)"
            ));
        }
        if self.other_terminators > 0 {
            let (count, usual) = (self.other_terminators, self.header.terminator);
            notes.push(format!("{path}: {count} lines do not end in {usual:?} like the header"));
        }
        notes
    }
}

/// All records as text, column by column.
pub(super) struct Rows {
    /// Index of the file of each row.
    pub(crate) source: Vec<usize>,
    pub(crate) line: Vec<i64>,
    pub(crate) record: StringBuilder,
    pub(crate) columns: Vec<StringBuilder>,
}

pub(super) fn check_inputs(inputs: &[Input]) -> Result<(), Problem> {
    if inputs.is_empty() {
        return Err(Problem::NoInput);
    }
    for (index, input) in inputs.iter().enumerate() {
        if inputs[..index].iter().any(|earlier| earlier.name == input.name) {
            return Err(Problem::DuplicateSource(input.name.to_owned()));
        }
    }
    // Arrow's texts have 32-bit offsets, and the builders panic beyond; `record` holds every byte.
    let bytes: usize = inputs.iter().map(|input| input.bytes.len()).sum();
    if bytes > i32::MAX as usize { Err(Problem::TooLarge(bytes)) } else { Ok(()) }
}

/// The same of what the files hold once they are unpacked and decoded.
pub(super) fn check_size(contents: &[Result<Contents, CsvError>]) -> Result<(), Problem> {
    let bytes: usize = contents.iter().flatten().map(|contents| contents.text.len()).sum();
    if bytes > i32::MAX as usize { Err(Problem::TooLarge(bytes)) } else { Ok(()) }
}

/// Checks the bytes of every file and takes the headers off, behind which `skipped` lines of the file were left out of a part of it; if some fail, the records of the others are checked too.
pub(super) fn open<'a>(
    inputs: &[Input<'a>],
    contents: &'a [Result<Contents<'a>, CsvError>],
    dialect: &Dialect,
    skipped: Option<u64>,
    cancelled: Cancelled,
) -> Result<Vec<File<'a>>, Vec<CsvError>> {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for (input, contents) in inputs.iter().zip(contents) {
        let contents = match contents {
            Ok(contents) => contents,
            Err(error) => {
                errors.push(error.clone());
                continue;
            }
        };
        let mut records = Records::new(input.path, &contents.text, &contents.dialect);
        // The header first: what it finds (an empty file, UTF-16) explains what the bytes look like.
        let header = read_header(&mut records, &contents.dialect, true, contents.cells.is_some());
        let gap = skipped.map(|skipped| records.skip_lines(skipped));
        let text = |header| {
            let text = check_text(input.path, &contents.text).map_err(|error| vec![error.behind(gap)]);
            text.map(|text| (header, text))
        };
        let file = header.and_then(text);
        match file {
            Ok((header, text)) => {
                files.push(File {
                    name: input.name,
                    text,
                    records,
                    header,
                    dialect: &contents.dialect,
                    cells: contents.cells.as_ref(),
                    other_terminators: 0,
                    loose_quotes: (0, Vec::new()),
                    tall: (0, None),
                    ends: BTreeMap::new(),
                });
            }
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() {
        return Ok(files);
    }
    if let Some(sound) = files.iter().find(|file| file.header.columns.names.len() > 1) {
        tell_of_delimiter(&mut errors, sound.records.path(), dialect.delimiter);
    }
    errors.extend(read(&mut files, &Layout::default(), cancelled).err().into_iter().flatten());
    Err(errors)
}

/// Reads the body of every file.
pub(super) fn read(files: &mut [File], layout: &Layout, cancelled: Cancelled) -> Result<Rows, Vec<CsvError>> {
    let mut rows = Rows {
        source: Vec::new(),
        line: Vec::new(),
        record: StringBuilder::new(),
        columns: layout.read.iter().map(|_| StringBuilder::new()).collect(),
    };
    let mut errors = Vec::new();
    for (index, file) in files.iter_mut().enumerate() {
        // For each file on its own, so that one does not hide the next.
        let mut problems = Problems::default();
        let before = rows.line.len();
        let places: HashMap<&str, usize> = file.header.columns.names.iter().map(String::as_str).zip(0..).collect();
        let positions: Vec<Option<usize>> = layout.read.iter().map(|name| places.get(name.as_str()).copied()).collect();
        if let Err(error) = read_file(index, file, &positions, layout.label, &mut rows, &mut problems, cancelled) {
            problems.push(error);
        } else if rows.line.len() == before {
            problems.push(CsvError::file(file.records.path(), Problem::HeaderOnly));
        }
        errors.extend(problems.check().err().into_iter().flatten());
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn read_file(
    index: usize,
    file: &mut File,
    positions: &[Option<usize>],
    label: Option<usize>,
    rows: &mut Rows,
    problems: &mut Problems,
    cancelled: Cancelled,
) -> Result<(), CsvError> {
    let expected = file.header.columns.names.len();
    let first = rows.line.len();
    let (mut record, mut end) = ("header".to_owned(), file.records.end());
    // What ended the record before; the first may follow anything.
    let mut before = Some(file.header.terminator);
    while let Some(span) = file.records.next_record()? {
        file.note_end(std::mem::replace(&mut record, rows.line.len().to_string()), end, span.start);
        end = span.end;
        if rows.line.len().is_multiple_of(BETWEEN_LOOKS) {
            go_on(cancelled)?;
        }
        let last = file.records.last_line();
        if last - span.line >= TALL {
            file.tall.0 += 1;
            file.tall.1.get_or_insert((span.line, last));
        }
        let fields = file.records.fields();
        let is_alone = |terminator: Option<&str>| terminator == Some("\r") && file.header.terminator != "\r";
        let is_broken = is_alone(std::mem::replace(&mut before, span.terminator)) || is_alone(span.terminator);
        if fields.len() != expected {
            let (found, end) = (fields.len(), file.records.last_line());
            let last_line = (end != span.line).then_some(end);
            let problem = Problem::Ragged { expected, found, last_line, is_broken };
            problems.push(CsvError::line(file.records.path(), span.line, problem));
        }
        let row = rows.line.len() - first;
        // Nothing at all is missing whatever stands for a missing value.
        let is_null = |position: usize| file.cells.is_some_and(|cells| cells.is_null(row, position));
        for (i, (column, position)) in rows.columns.iter_mut().zip(positions).enumerate() {
            // Of labels that are not there, blank ones are told of.
            let position = position.filter(|position| label == Some(i) || !is_null(*position));
            match position.and_then(|position| fields.get(position)) {
                Some(field) => column.append_value(String::from_utf8_lossy(field)),
                None => column.append_null(),
            }
        }
        for (place, written) in loosely_quoted(&file.text[span.start..span.end], file.records.marks()) {
            let (count, examples) = &mut file.loose_quotes;
            *count += 1;
            if examples.len() < EXAMPLES {
                let read = file.records.fields().get(place).map(String::from_utf8_lossy).unwrap_or_default();
                let shown = |text: &str| -> String { text.chars().take(SHOWN).collect() };
                examples.push(format!("line {}: '{}' is read as '{}'", span.line, shown(written), shown(&read)));
            }
        }
        rows.source.push(index);
        rows.line.push(if file.cells.is_some() { row as i64 + 1 } else { span.line as i64 });
        rows.record.append_value(&file.text[span.start..span.end]);
        if span.terminator.is_some_and(|terminator| terminator != file.header.terminator) {
            file.other_terminators += 1;
        }
    }
    file.note_end(record, end, file.text.len());
    Ok(())
}
