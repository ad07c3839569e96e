//! `Chunks`: a file some thousand rows at a time, so that it need not fit into memory.

use std::io::Read;

use super::contents::Contents;
use super::dialect::Dialect;
use super::error::{Cancelled, CsvError, Problem, go_on};
use super::header::{ColumnNames, read_header};
use super::input::Input;
use super::load::{Loaded, load_behind};
use super::options::LoadOptions;
use super::records::{Marks, Records};

/// Bytes that are read at once.
const STEP: usize = 1 << 20;
/// Bytes of a chunk, unless a single record has more.
const CHUNK: usize = 4 << 20;
/// Rows of a chunk: what is made of a row, as vectors of its texts, may be much larger than the row.
const ROWS: usize = 16_384;
/// A longer record is rather a quote that nothing closes.
const LONGEST_RECORD: usize = 16 << 20;

/// The chunks of a file, from its header on.
///
/// A file of plain UTF-8 is read as it comes; one that is packed or in another encoding, and Parquet and Arrow files, are read whole.
pub struct Chunks<R> {
    path: String,
    reader: R,
    dialect: Dialect,
    columns: ColumnNames,
    terminator: &'static str,
    /// The file's beginning up to the end of the header's text, which each chunk begins with; empty of files without a header.
    prefix: Vec<u8>,
    /// What was read behind it and belongs to no chunk yet.
    rest: Vec<u8>,
    /// Lines of the file between the prefix and `rest`.
    skipped: u64,
    is_at_end: bool,
    /// Of a file of columns: its bytes, which are one chunk.
    whole: Option<Vec<u8>>,
    note: Option<String>,
}

/// Where a record begins and ends, and how many lines of the file lie between the header's text and it.
type Span = (usize, usize, u64);

/// Some records of a file.
pub struct Chunk {
    path: String,
    dialect: Dialect,
    /// The file's beginning up to the end of the header, what ends that line, and the records; of a file of columns all of it.
    bytes: Vec<u8>,
    /// The lengths of the first two.
    head: [usize; 2],
    /// Empty of a file of columns.
    records: Vec<Span>,
}

impl<R: Read> Chunks<R> {
    /// Reads as far as the header.
    ///
    /// # Errors
    /// As of [`super::header`].
    pub fn open(path: &str, reader: R, dialect: &Dialect, cancelled: Cancelled) -> Result<Self, Vec<CsvError>> {
        let mut chunks = Chunks {
            path: path.to_owned(),
            reader,
            dialect: dialect.clone(),
            columns: ColumnNames::default(),
            terminator: "\n",
            prefix: Vec::new(),
            rest: Vec::new(),
            skipped: 0,
            is_at_end: false,
            whole: None,
            note: None,
        };
        chunks.begin(cancelled)?;
        Ok(chunks)
    }

    fn begin(&mut self, cancelled: Cancelled) -> Result<(), Vec<CsvError>> {
        let one = |error| vec![error];
        self.fill().map_err(one)?;
        let mut is_columns = false;
        if !Contents::is_plain(&self.rest, &self.dialect) {
            while !self.is_at_end {
                go_on(cancelled).map_err(one)?;
                self.fill().map_err(one)?;
            }
            // Letters beyond ASCII are UTF-8 by chance in no other encoding: a program of today wrote the file, whatever the model's files were.
            let is_utf8 = std::str::from_utf8(&self.rest).is_ok_and(|text| !text.is_ascii());
            let other = self.dialect.encoding.take_if(|_| is_utf8);
            let contents = Contents::read(&self.path, &self.rest, &self.dialect, cancelled).map_err(one)?;
            is_columns = contents.cells.is_some();
            self.note = other.map_or(contents.note, |other| {
                Some(format!("{}: read as the UTF-8 that it is, although `encoding` says {other}", self.path))
            });
            let (text, own) = (contents.text.into_owned(), contents.dialect);
            let bytes = std::mem::replace(&mut self.rest, text);
            self.whole = is_columns.then_some(bytes);
            self.dialect = Dialect { encoding: None, ..own };
        }
        let mut records = Records::new(&self.path, &self.rest, &self.dialect);
        let header = read_header(&mut records, &self.dialect, self.is_at_end, is_columns)?;
        (self.columns, self.terminator) = (header.columns, header.terminator);
        if !self.dialect.header {
            // A file may lack the last ones.
            self.dialect.names.clone_from(&self.columns.names);
        }
        let end = records.end();
        if self.dialect.header {
            let behind = self.rest.split_off(end);
            self.prefix = std::mem::replace(&mut self.rest, behind);
        } else if self.rest.starts_with(b"\xef\xbb\xbf") {
            self.rest.drain(..3);
        }
        Ok(())
    }

    /// What the columns are called.
    pub fn columns(&self) -> &ColumnNames {
        &self.columns
    }

    /// The header as it is written, without what ends its line; `None` of a file without one.
    pub fn header(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.prefix);
        self.dialect.header.then(|| text.trim_start_matches(['\u{feff}', '\r', '\n']).to_owned())
    }

    /// What is worth telling of how it is read.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// How its text is taken apart.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// What ends a line.
    pub fn terminator(&self) -> &'static str {
        self.terminator
    }

    /// The next records, in their order; `None` behind the last.
    ///
    /// # Errors
    /// The file cannot be read, or a record has no end.
    pub fn next_chunk(&mut self, cancelled: Cancelled) -> Result<Option<Chunk>, CsvError> {
        if let Some(bytes) = self.whole.take() {
            self.rest.clear();
            let (path, dialect) = (self.path.clone(), self.dialect.clone());
            return Ok(Some(Chunk { path, dialect, bytes, head: [0, 0], records: Vec::new() }));
        }
        let mut cut = Cut::new(Marks::of(&self.dialect));
        loop {
            go_on(cancelled)?;
            cut.scan(&self.rest, self.is_at_end);
            let is_full = cut.records.len() >= ROWS || cut.end() >= CHUNK;
            if is_full || self.is_at_end {
                break;
            }
            if self.rest.len() - cut.end() > LONGEST_RECORD {
                let line = self.line() + cut.lines;
                return Err(CsvError::line(&self.path, line, Problem::OpenQuote));
            }
            self.fill()?;
        }
        cut.records.truncate(ROWS);
        let Some(&(_, end, _)) = cut.records.last() else { return Ok(None) };
        let records: Vec<Span> =
            cut.records.iter().map(|&(from, to, lines)| (from, to, self.skipped + lines)).collect();
        let chunk =
            Chunk::new(&self.path, &self.dialect, [&self.prefix, self.terminator.as_bytes()], &self.rest, &records);
        self.skipped += self.rest[..end].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.rest.drain(..end);
        Ok(Some(chunk))
    }

    /// The line of the file that `rest` begins on.
    fn line(&self) -> u64 {
        1 + self.skipped + self.prefix.iter().filter(|byte| **byte == b'\n').count() as u64
    }

    fn fill(&mut self) -> Result<(), CsvError> {
        let before = self.rest.len();
        let read = (&mut self.reader).take(STEP as u64).read_to_end(&mut self.rest);
        read.map_err(|error| CsvError::file(&self.path, Problem::Unreadable(error.to_string())))?;
        self.is_at_end = self.rest.len() == before;
        Ok(())
    }
}

impl Chunk {
    /// Of records that lie in `rest`.
    fn new(path: &str, dialect: &Dialect, [prefix, terminator]: [&[u8]; 2], rest: &[u8], records: &[Span]) -> Chunk {
        let terminator = if prefix.is_empty() { &[] } else { terminator };
        let (start, end) = (records.first().map_or(0, |first| first.0), records.last().map_or(0, |last| last.1));
        let bytes = [prefix, terminator, &rest[start..end]].concat();
        let moved = prefix.len() + terminator.len();
        let records = records.iter().map(|&(from, to, lines)| (from - start + moved, to - start + moved, lines));
        let head = [prefix.len(), terminator.len()];
        Chunk { path: path.to_owned(), dialect: dialect.clone(), bytes, head, records: records.collect() }
    }

    /// Its rows as a table, with the lines of the file.
    ///
    /// # Errors
    /// As of [`super::load`].
    pub fn load(&self, options: &LoadOptions, cancelled: Cancelled) -> Result<Loaded, Vec<CsvError>> {
        // One line feed after the header is there.
        let own = u64::from(self.head[0] > 0);
        let skipped = self.records.first().map_or(0, |&(_, _, lines)| lines.saturating_sub(own));
        let input = Input { name: "rows", path: &self.path, bytes: &self.bytes };
        let options = LoadOptions { dialect: self.dialect.clone(), ..options.clone() };
        load_behind(&[input], &options, Some(skipped), cancelled)
    }

    /// The same records in two chunks, unless there is only one.
    pub fn halves(&self) -> Option<[Chunk; 2]> {
        let middle = self.records.len() / 2;
        let (prefix, rest) = self.bytes.split_at(self.head[0]);
        let terminator = &rest[..self.head[1]];
        let part = |records| Chunk::new(&self.path, &self.dialect, [prefix, terminator], &self.bytes, records);
        (middle > 0).then(|| [part(&self.records[..middle]), part(&self.records[middle..])])
    }

    /// The bytes of its records, as the file has them; of a file of columns nothing.
    pub fn text(&self) -> &[u8] {
        let start = self.records.first().map_or(self.bytes.len(), |first| first.0);
        &self.bytes[start..]
    }
}

/// Finds where records end.
struct Cut {
    marks: Marks,
    state: State,
    /// How much was looked at, and how many line feeds that has.
    seen: usize,
    lines: u64,
    /// Of the record that is being read: where it begins, and the line feeds before.
    start: (usize, u64),
    records: Vec<Span>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    LineStart,
    FieldStart,
    Plain,
    Quoted,
    AfterQuote,
}

impl Cut {
    fn new(marks: Marks) -> Self {
        Cut { marks, state: State::LineStart, seen: 0, lines: 0, start: (0, 0), records: Vec::new() }
    }

    /// Where the last whole record ends, with what ends it.
    fn end(&self) -> usize {
        self.records.last().map_or(0, |&(_, end, _)| end)
    }

    /// Goes on to the end of `bytes`, which begin as they did before.
    fn scan(&mut self, bytes: &[u8], is_whole: bool) {
        // A quote is special at the start of a field only, and a doubled one stands for itself.
        for (at, &byte) in bytes.iter().enumerate().skip(self.seen) {
            let is_quote = Some(byte) == self.marks.quote;
            self.state = match self.state {
                State::Quoted => {
                    if is_quote {
                        State::AfterQuote
                    } else {
                        State::Quoted
                    }
                }
                State::AfterQuote if is_quote => State::Quoted,
                State::LineStart if byte == b'\n' || byte == b'\r' => State::LineStart,
                _ if byte == b'\n' => {
                    self.records.push((self.start.0, at + 1, self.start.1));
                    State::LineStart
                }
                State::LineStart | State::FieldStart if is_quote => State::Quoted,
                _ if byte == self.marks.delimiter => State::FieldStart,
                _ => State::Plain,
            };
            if byte == b'\n' {
                self.lines += 1;
            }
            if self.state == State::LineStart {
                self.start = (at + 1, self.lines);
            }
        }
        self.seen = bytes.len();
        if is_whole && self.state != State::LineStart && self.start.0 < bytes.len() {
            self.records.push((self.start.0, bytes.len(), self.start.1));
            self.state = State::LineStart;
        }
    }
}
