//! The shape of a YAML text with the place of every part, read with granit-parser.
//!
//! Aliases are already replaced by copies of what they name (the copies keep the span where they
//! were written); duplicate keys are found here. Does not know what a scalar means: whether `no`
//! or `012` is text is for serde_yaml, the parser of record, to say.

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle, Tag};
use std::collections::HashMap;

use super::problem::Problem;
use super::source::{Sources, Span};

/// Deeper nesting is refused: reading, comparing and dropping trees is recursive.
pub(super) const MOST_LEVELS: usize = 64;
/// Aliases can multiply a text; beyond this many values that they copied it is an attack or a mistake. What is written out needs no limit but
/// that of the file.
const MOST_COPIES: usize = 100_000;

/// A part of the text: what was written, not yet typed.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub(crate) span: Span,
    pub(crate) shape: Shape,
    levels: usize,
    nodes: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A scalar's text after unescaping, and whether it was written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Outline>),
    /// Keys and values in turn; the keys are scalars and differ.
    Mapping(Vec<(Outline, Outline)>),
}

/// Reads the text of a source from byte `start` on. `None` if it holds no value at all.
///
/// The problems beside it are those of single keys; the rest can be read.
pub(super) fn read(
    sources: &Sources,
    file: usize,
    start: usize,
) -> Result<(Option<Outline>, Vec<Problem>), Vec<Problem>> {
    let text = sources.text(file).get(start..).unwrap_or("");
    // Both options choose libyaml's reading where it differs from the YAML test suite.
    let options = granit_parser::options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let offset = start + error.marker().byte_offset().unwrap_or(text.len());
            if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
                return vec![too_deep(sources.span(file, offset..offset))];
            }
            let mut problem = syntax_problem(sources, file, offset, &error.info());
            if problem.help.is_none() {
                problem.help = advice(error.kind()).map(str::to_string);
            }
            vec![problem]
        })?;
        let from = start + span.start.byte_offset().unwrap_or(0);
        let to = start + span.end.byte_offset().unwrap_or(0);
        builder.take(event, sources.span(file, from..to)).map_err(|problem| vec![*problem])?;
    }
    Ok((builder.root, builder.problems))
}

/// A problem with the syntax at a byte offset, with advice for the mistakes that are most common
/// in pipeline files: tabs, and `${…}` unquoted inside braces or brackets.
pub(super) fn syntax_problem(sources: &Sources, file: usize, offset: usize, message: &str) -> Problem {
    let text = sources.text(file);
    let at = sources.span(file, offset..offset);
    let before = &text[..at.start.offset];
    if let Some(head) = before.strip_suffix('$')
        && text[at.start.offset..].starts_with('{')
    {
        let rest = text[head.len()..].lines().next().unwrap_or("");
        let written = rest.find('}').map_or("${", |end| &rest[..end + 1]);
        let span = sources.span(file, head.len()..head.len() + written.len());
        let message = format!("'{written}' must be quoted between braces or brackets");
        return Problem::new(span, message).help(format!("write \"{written}\""));
    }
    if let Some(tab) = tab_indent(sources, file, at) {
        return Problem::new(tab, "a tab indents this line").help("YAML is indented with spaces only");
    }
    if let Some((span, character)) = surrogates(sources, file, at) {
        let written = sources.slice(span).to_owned();
        let message = format!("invalid YAML: '{written}' is an escape of JSON's for one character");
        let help = format!("write the character itself, or \\U{:08x}", u32::from(character));
        return Problem::new(span, message).help(help);
    }
    let width = text[at.start.offset..].chars().next().map_or(0, char::len_utf8);
    Problem::new(sources.span(file, offset..offset + width), format!("invalid YAML: {message}"))
}

/// A tab among the spaces that start the line of an error, or the line after it: a parser that
/// expects a text to go on stops at the line break.
fn tab_indent(sources: &Sources, file: usize, at: Span) -> Option<Span> {
    [at.start.line, at.start.line + 1].into_iter().find_map(|number| {
        let line = sources.line(file, number);
        let indent = &line[..line.len() - line.trim_start().len()];
        let tab = indent.find('\t').filter(|_| indent.len() < line.len())?;
        let start = sources.line_start(file, number)? + tab;
        Some(sources.span(file, start..start + 1))
    })
}

/// Two halves of a character as JSON escapes it, `\ud83d\ude00`, near the place of an error, and the character.
fn surrogates(sources: &Sources, file: usize, at: Span) -> Option<(Span, char)> {
    let start = sources.line_start(file, at.start.line)?;
    let line = sources.line(file, at.start.line);
    line.match_indices("\\u").find_map(|(offset, _)| {
        let unit = |from: usize| -> Option<u16> {
            let digits = line.get(from..)?.strip_prefix("\\u")?.get(..4)?;
            u16::from_str_radix(digits, 16).ok()
        };
        let units = [unit(offset)?, unit(offset + 6)?];
        let is_there = (start + offset..=start + offset + 12).contains(&at.start.offset);
        let character =
            char::decode_utf16(units).next()?.ok().filter(|&character| is_there && character > '\u{ffff}')?;
        Some((sources.span(file, start + offset..start + offset + 12), character))
    })
}

fn advice(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::MappingValueNotAllowed => {
            Some("quote a value that contains ': ', and check the indentation of this line")
        }
        ErrorKind::UnexpectedCharacter { .. } => Some("quote a value that starts with this character"),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry => {
            Some("check the indentation of this line and of the one above")
        }
        ErrorKind::InvalidColonPlacement
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => {
            Some("check that every '[', '{' and quote above is closed, and the commas")
        }
        ErrorKind::UnknownAnchor => Some("an alias '*name' needs an anchor '&name' further up"),
        ErrorKind::MultipleDocumentsUnsupported => Some("keep one document per file"),
        _ => None,
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Outline>,
    root: Option<Outline>,
    copies: usize,
    problems: Vec<Problem>,
    documents: usize,
}

/// A collection whose end has not come yet.
struct Open {
    span: Span,
    anchor: usize,
    mapping: bool,
    flow: bool,
    parts: Vec<Outline>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Problem>> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Box::new(
                        Problem::new(span, "a second YAML document starts here")
                            .help("a pipeline file holds one document: remove the '---'"),
                    ));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_foreign(tag.as_deref(), span);
                let plain = style == ScalarStyle::Plain;
                let span = self.visible(span, text.is_empty() && plain);
                let text = text.into_owned();
                self.finish(anchor, span, Shape::Scalar { text, plain }, 0, 1)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_foreign(tag.as_deref(), span);
                self.begin(style, anchor, span, false)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_foreign(tag.as_deref(), span);
                self.begin(style, anchor, span, true)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(Box::new(
                        Problem::new(span, "an alias inside the value that it names")
                            .help("a value cannot contain itself"),
                    ));
                };
                self.attach(target, span)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A tag of YAML's own namespace that YAML does not have, e.g. `!!python/object`, which the parser of record passes over. It refuses local
    /// ones, `!object`, itself.
    fn refuse_foreign(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag.filter(|tag| tag.is_custom() && tag.handle() != "!" && !tag.suffix().is_empty()) {
            self.problems.push(foreign_tag(&format!("{}{}", tag.original_handle(), tag.suffix()), span));
        }
    }

    /// The span of a scalar; where nothing was written (`lr:`) that of the key, since an error
    /// about the missing value needs something to point at.
    fn visible(&self, span: Span, nothing: bool) -> Span {
        match self.open.last() {
            Some(open) if nothing && open.mapping && open.parts.len() % 2 == 1 => {
                open.parts.last().map_or(span, |key| key.span)
            }
            _ => span,
        }
    }

    fn begin(&mut self, style: StructureStyle, anchor: usize, span: Span, mapping: bool) -> Result<(), Box<Problem>> {
        if self.open.len() >= MOST_LEVELS {
            return Err(Box::new(too_deep(span)));
        }
        self.open.push(Open { span, anchor, mapping, flow: style == StructureStyle::Flow, parts: Vec::new() });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Result<(), Box<Problem>> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let mut span = open.span;
        // The parser ends a block collection where the next token starts, which may be lines
        // later; it ends for the reader with its last part.
        let last = open.parts.iter().map(|part| part.span.end).max();
        span.end = match last {
            _ if open.flow => end.end,
            Some(last) => last.max(span.start),
            None => span.end,
        };
        let levels = open.parts.iter().map(|part| part.levels).max().unwrap_or(0) + 1;
        let nodes = open.parts.iter().map(|part| part.nodes).sum::<usize>() + 1;
        let shape = if open.mapping { Shape::Mapping(self.pair(open.parts)) } else { Shape::Sequence(open.parts) };
        self.finish(open.anchor, span, shape, levels, nodes)
    }

    /// Pairs keys with values; reports keys that are no text and keys given twice.
    fn pair(&mut self, parts: Vec<Outline>) -> Vec<(Outline, Outline)> {
        let mut pairs: Vec<(Outline, Outline)> = Vec::with_capacity(parts.len() / 2);
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut parts = parts.into_iter();
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            match &key.shape {
                Shape::Scalar { text, plain } if text.is_empty() && *plain => {
                    self.problems.push(Problem::new(value.span, "a key is missing before ':'"))
                }
                Shape::Scalar { text, .. } => {
                    if let Some(first) = seen.insert(text.clone(), key.span) {
                        self.problems.push(
                            Problem::new(key.span, format!("key '{text}' is given twice"))
                                .related(first, "first given here")
                                .help("remove one of the two"),
                        );
                    }
                }
                _ => self.problems.push(
                    Problem::new(key.span, "a list or mapping cannot be a key")
                        .help("write the key as text; quote a '{' or '[' that starts one"),
                ),
            }
            pairs.push((key, value));
        }
        pairs
    }

    fn finish(
        &mut self,
        anchor: usize,
        span: Span,
        shape: Shape,
        levels: usize,
        nodes: usize,
    ) -> Result<(), Box<Problem>> {
        let outline = Outline { span, shape, levels, nodes };
        // The parser numbers anchors from 1; 0 means that there is none.
        if anchor > 0 {
            self.anchors.insert(anchor, outline.clone());
        }
        self.place(outline, span)
    }

    /// Puts the copy that an alias stands for in its place.
    fn attach(&mut self, target: Outline, alias: Span) -> Result<(), Box<Problem>> {
        self.copies += target.nodes;
        self.place(target, alias)
    }

    fn place(&mut self, outline: Outline, span: Span) -> Result<(), Box<Problem>> {
        if self.copies > MOST_COPIES {
            return Err(Box::new(
                Problem::new(span, format!("more than {MOST_COPIES} values by aliases"))
                    .help("check the aliases: each one copies all that it names"),
            ));
        }
        if self.open.len() + outline.levels > MOST_LEVELS {
            return Err(Box::new(too_deep(span)));
        }
        match self.open.last_mut() {
            Some(open) => open.parts.push(outline),
            None => self.root = Some(outline),
        }
        Ok(())
    }
}

pub(super) fn foreign_tag(tag: &str, span: Span) -> Problem {
    Problem::new(span, format!("tag '{tag}' on a value")).help("remove the tag; quote a text that starts with '!'")
}

fn too_deep(span: Span) -> Problem {
    Problem::new(span, format!("nested more than {MOST_LEVELS} levels deep"))
        .help("check for an unclosed '[' or '{', or an alias in a circle of aliases")
}
