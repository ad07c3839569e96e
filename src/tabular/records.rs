//! `Records`: the records of a CSV file with the line where each starts and its exact place in the bytes.
//!
//! The csv crate finds the fields. It does not say where a record's own text starts (its position may still stand
//! before the `\n` of the last `\r\n`, or before blank lines), and takes an unclosed quote for the end of the file:
//! both are settled here.

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::damage::{Gap, line_feed};
use super::dialect::Dialect;
use super::encoding::at;
use super::error::{CsvError, Problem};

/// Reads records one after the other, the header first. Blank lines are skipped.
pub(super) struct Records<'a> {
    path: &'a str,
    bytes: &'a [u8],
    marks: Marks,
    reader: Reader<&'a [u8]>,
    fields: ByteRecord,
    /// Length of the byte order mark, which the csv crate does not see.
    mark: usize,
    /// Where the last record's text ended, and the line of that place.
    end: usize,
    line: u64,
    /// The byte that ends a line: `\r` in files that have no `\n` at all.
    line_feed: u8,
    blank_lines: u64,
    /// Where these are a part of a file.
    gap: Option<Gap>,
}

/// What takes a record apart.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
}

impl Marks {
    pub(crate) fn of(dialect: &Dialect) -> Self {
        Marks { delimiter: dialect.delimiter as u8, quote: dialect.quote_byte() }
    }
}

/// Where a record lies: `bytes[start..end]` is its exact text without the terminator.
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    /// 1-based line of `start`.
    pub(crate) line: u64,
    /// `None` for a last record that nothing ends.
    pub(crate) terminator: Option<&'static str>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(path: &'a str, bytes: &'a [u8], dialect: &Dialect) -> Self {
        let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut builder = ReaderBuilder::new();
        let marks = Marks::of(dialect);
        builder.has_headers(false).flexible(true).delimiter(marks.delimiter);
        match marks.quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        Records {
            path,
            bytes,
            marks,
            reader: builder.from_reader(&bytes[mark..]),
            fields: ByteRecord::new(),
            mark,
            end: mark,
            line: 1,
            line_feed: line_feed(bytes),
            blank_lines: 0,
            gap: None,
        }
    }

    /// Counts lines that were left out before the next record; returns where.
    pub(crate) fn skip_lines(&mut self, lines: u64) -> Gap {
        let after = if self.end == self.mark { 0 } else { self.line };
        self.line += lines;
        *self.gap.insert(Gap { after, lines })
    }

    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    pub(crate) fn marks(&self) -> Marks {
        self.marks
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The fields of the last record, unquoted.
    pub(crate) fn fields(&self) -> &ByteRecord {
        &self.fields
    }

    /// The line that the last record's text ends on.
    pub(crate) fn last_line(&self) -> u64 {
        self.line
    }

    pub(crate) fn blank_lines(&self) -> u64 {
        self.blank_lines
    }

    /// Whether nothing follows the last record, not even a terminator.
    pub(crate) fn at_end(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Where the last record's text ended.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Reads the next record into `fields`; `None` at the end of the file. Errors: an unclosed quote.
    pub(crate) fn next_record(&mut self) -> Result<Option<Span>, CsvError> {
        let read = self.reader.read_byte_record(&mut self.fields);
        let found = read.map_err(|error| CsvError::file(self.path, Problem::Unreadable(error.to_string())))?;
        if !found {
            return Ok(None);
        }
        let after = self.mark + self.reader.position().byte() as usize;
        let gap = self.bytes[self.end..].iter().take_while(|b| is_terminator(**b)).count();
        let start = self.end + gap;
        let gap_lines = self.lines(self.end, start);
        let line = self.line + gap_lines;
        let is_first = self.end == self.mark;
        self.blank_lines += if is_first { gap_lines } else { gap_lines.saturating_sub(1) };
        let mut end = after.max(start);
        while end > start && is_terminator(self.bytes[end - 1]) {
            end -= 1;
        }
        if after == self.bytes.len()
            && let Some(offset) = open_quote(&self.bytes[start..], self.marks)
        {
            self.end = self.bytes.len();
            return Err(self.at(start + offset, Problem::OpenQuote));
        }
        self.line = line + self.lines(start, end);
        self.end = end;
        let terminator = match &self.bytes[end..] {
            [b'\r', b'\n', ..] => Some("\r\n"),
            [b'\n', ..] => Some("\n"),
            [b'\r', ..] => Some("\r"),
            _ => None,
        };
        Ok(Some(Span { start, end, line, terminator }))
    }

    fn lines(&self, start: usize, end: usize) -> u64 {
        self.bytes[start..end].iter().filter(|b| **b == self.line_feed).count() as u64
    }

    fn at(&self, offset: usize, problem: Problem) -> CsvError {
        at(self.path, self.bytes, offset, problem).behind(self.gap)
    }
}

fn is_terminator(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// The fields of one record, by their places among its fields, in which text stands behind a closing quote: reading drops the quotes and joins what is left.
pub(super) fn loosely_quoted(record: &str, marks: Marks) -> Vec<(usize, &str)> {
    enum State {
        FieldStart,
        Plain,
        Quoted,
        AfterQuote,
    }
    let Marks { delimiter, quote: Some(quote) } = marks else { return Vec::new() };
    if !record.contains(char::from(quote)) {
        return Vec::new();
    }
    let (mut state, mut start, mut place, mut is_loose) = (State::FieldStart, 0, 0, false);
    let mut found = Vec::new();
    for (offset, &byte) in record.as_bytes().iter().enumerate() {
        state = match state {
            State::FieldStart if byte == quote => State::Quoted,
            State::Quoted if byte == quote => State::AfterQuote,
            State::Quoted => State::Quoted,
            State::AfterQuote if byte == quote => State::Quoted,
            _ if byte == delimiter => {
                if std::mem::take(&mut is_loose) {
                    found.push((place, &record[start..offset]));
                }
                (start, place) = (offset + 1, place + 1);
                State::FieldStart
            }
            State::AfterQuote => {
                is_loose = true;
                State::Plain
            }
            _ => State::Plain,
        };
    }
    if is_loose {
        found.push((place, &record[start..]));
    }
    found
}

/// Where in the text of one record a quote opens that nothing closes. A quote is special at the start of a field
/// only, and a doubled one stands for itself.
fn open_quote(record: &[u8], marks: Marks) -> Option<usize> {
    let Marks { delimiter, quote: Some(quote) } = marks else { return None };
    enum State {
        FieldStart,
        Plain,
        Quoted,
        AfterQuote,
    }
    let (mut state, mut opened) = (State::FieldStart, 0);
    for (offset, &byte) in record.iter().enumerate() {
        state = match state {
            State::FieldStart if byte == quote => {
                opened = offset;
                State::Quoted
            }
            State::Quoted if byte == quote => State::AfterQuote,
            State::Quoted => State::Quoted,
            State::AfterQuote if byte == quote => State::Quoted,
            _ if byte == delimiter => State::FieldStart,
            _ => State::Plain,
        };
    }
    matches!(state, State::Quoted).then_some(opened)
}
