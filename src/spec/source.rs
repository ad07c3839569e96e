//! Source texts and positions in them: the pipeline file, what it includes, and every `--set` argument.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a text, e.g. line 42, column 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Bytes from the start of the text.
    pub offset: usize,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1, in characters (Unicode scalar values), as editors show it.
    pub(crate) column: usize,
}

/// A stretch of one source text, end excluded, e.g. the characters of `optimizer` at 42:7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Index of the text in [`Sources`].
    pub(crate) file: usize,
    /// Inclusive.
    pub start: Position,
    /// Exclusive.
    pub end: Position,
}

impl Span {
    /// Whether another lies within it, or is the same.
    pub fn contains(self, inner: Span) -> bool {
        self.file == inner.file && self.start.offset <= inner.start.offset && inner.end.offset <= self.end.offset
    }
}

/// All texts that a pipeline was read from, so that a [`Span`] can be shown.
///
/// Cloning is cheap: the texts are shared.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    list: Vec<Source>,
    files: Vec<PathBuf>,
}

#[derive(Debug, Clone)]
struct Source {
    name: Arc<str>,
    text: Arc<str>,
    /// Byte offset at which each line starts.
    line_starts: Arc<[usize]>,
    /// Characters before each [`STRIDE`] of bytes, so that a column far along a line is found without counting the line.
    characters: Arc<[usize]>,
    argument: bool,
}

impl Sources {
    /// Adds a file's text under the name that messages show; returns its index.
    pub fn add_file(&mut self, name: &str, text: &str) -> usize {
        self.files.push(PathBuf::from(name));
        self.add(name, text, false)
    }

    /// Adds a command-line argument, e.g. `--set fused.optimizer.lr=3e-4`; returns its index.
    /// Its positions are shown without a line number.
    pub(crate) fn add_argument(&mut self, text: &str) -> usize {
        self.add(text, text, true)
    }

    /// What was given with `--set`.
    pub(crate) fn settings(&self) -> impl Iterator<Item = &str> {
        let arguments = self.list.iter().filter(|source| source.argument);
        arguments.filter_map(|source| source.text.strip_prefix("--set "))
    }

    /// Remembers a file that is named but could not be read.
    pub(super) fn note_unread(&mut self, path: &Path) {
        self.files.push(path.to_path_buf());
    }

    /// The pipeline file and all that it includes, in the order in which they are named; also those that could not be read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    fn add(&mut self, name: &str, text: &str, argument: bool) -> usize {
        self.list.push(Source {
            name: name.into(),
            text: text.into(),
            line_starts: line_starts(text).into(),
            characters: characters(text).into(),
            argument,
        });
        self.list.len() - 1
    }

    /// The name of a text; empty for an unknown index.
    pub(crate) fn name(&self, file: usize) -> &str {
        self.list.get(file).map_or("", |source| &source.name)
    }

    /// A whole text; empty for an unknown index.
    pub(crate) fn text(&self, file: usize) -> &str {
        self.list.get(file).map_or("", |source| &source.text)
    }

    /// Whether the text is a command-line argument rather than a file.
    pub(crate) fn is_argument(&self, file: usize) -> bool {
        self.list.get(file).is_some_and(|source| source.argument)
    }

    /// Where a span starts, for humans: `full.yaml:42:11`, or the whole argument.
    pub fn location(&self, span: Span) -> String {
        let name = self.name(span.file);
        if self.is_argument(span.file) {
            name.to_string()
        } else {
            format!("{name}:{}:{}", span.start.line, span.start.column)
        }
    }

    /// The characters of a span as written; empty if it lies outside its text.
    pub fn slice(&self, span: Span) -> &str {
        let text = self.text(span.file);
        text.get(span.start.offset..span.end.offset).unwrap_or("")
    }

    /// A line (counted from 1) without its line break; empty if there is none.
    pub(crate) fn line(&self, file: usize, line: usize) -> &str {
        let Some(source) = self.list.get(file) else {
            return "";
        };
        let Some(start) = self.line_start(file, line) else {
            return "";
        };
        let end = source.line_starts.get(line).copied().unwrap_or(source.text.len());
        source.text[start..end].trim_end_matches(['\n', '\r'])
    }

    /// The byte offset at which a line (counted from 1) starts.
    pub(super) fn line_start(&self, file: usize, line: usize) -> Option<usize> {
        let index = line.checked_sub(1)?;
        self.list.get(file)?.line_starts.get(index).copied()
    }

    /// The span of a byte range. Offsets inside a character or past the end are moved back.
    pub fn span(&self, file: usize, range: Range<usize>) -> Span {
        Span { file, start: self.position(file, range.start), end: self.position(file, range.end.max(range.start)) }
    }

    fn position(&self, file: usize, offset: usize) -> Position {
        let Some(source) = self.list.get(file) else {
            return Position::default();
        };
        let offset = source.text.floor_char_boundary(offset);
        let line = source.line_starts.partition_point(|&start| start <= offset).max(1);
        // A byte-order mark sits before the first line's start: it has no column of its own.
        let start = source.line_starts[line - 1].min(offset);
        let column = source.characters_before(offset) - source.characters_before(start) + 1;
        Position { offset, line, column }
    }
}

impl Source {
    /// Characters that begin before a byte offset.
    fn characters_before(&self, offset: usize) -> usize {
        let stride = offset / STRIDE;
        let counted = self.characters.get(stride).copied().unwrap_or(0);
        counted + begun(&self.text.as_bytes()[stride * STRIDE..offset])
    }
}

/// Bytes between two entries of [`Source::characters`].
const STRIDE: usize = 512;

fn characters(text: &str) -> Vec<usize> {
    let mut before = 0;
    let mut counts = Vec::with_capacity(text.len() / STRIDE + 1);
    for stride in text.as_bytes().chunks(STRIDE) {
        counts.push(before);
        before += begun(stride);
    }
    counts.push(before);
    counts
}

/// Characters whose first byte is among these.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// Line breaks as in YAML 1.2: LF, CRLF and a lone CR.
fn line_starts(text: &str) -> Vec<usize> {
    let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let bytes = text.as_bytes();
    let breaks = bytes
        .iter()
        .enumerate()
        .filter(|&(index, &byte)| byte == b'\n' || (byte == b'\r' && bytes.get(index + 1) != Some(&b'\n')));
    std::iter::once(first).chain(breaks.map(|(index, _)| index + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_any_break() {
        let mut sources = Sources::default();
        let file = sources.add_file("a.yaml", "\u{feff}é: 1\r\nb\rc: 日本\n");
        let place = |offset: usize| {
            let start = sources.span(file, offset..offset).start;
            (start.line, start.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(3), (1, 1));
        assert_eq!(place(5), (1, 2));
        assert_eq!(place(10), (2, 1));
        assert_eq!(place(12), (3, 1));
        assert_eq!(place(18), (3, 5));
        assert_eq!(place(1000), (4, 1));
        assert_eq!(sources.line(file, 1), "é: 1");
        assert_eq!(sources.line(file, 3), "c: 日本");
        assert_eq!(sources.line(file, 9), "");
    }

    #[test]
    fn columns_far_along_a_line_are_exact() {
        let mut sources = Sources::default();
        let text = format!("é{}\n{}", "a日".repeat(1000), "x".repeat(2000));
        let file = sources.add_file("a.yaml", &text);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
            let column = text[start..offset].chars().count() + 1;
            assert_eq!(sources.span(file, offset..offset).start.column, column, "at byte {offset}");
        }
    }

    #[test]
    fn an_argument_is_its_own_location() {
        let mut sources = Sources::default();
        let file = sources.add_argument("--set a=1");
        let span = sources.span(file, 6..7);
        assert_eq!(sources.location(span), "--set a=1");
        assert_eq!(sources.slice(span), "a");
    }
}
