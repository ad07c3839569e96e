//! YAML text → [`Node`]: values from serde_yaml, places from granit-parser.
//!
//! serde_yaml is the parser of record: what it says a scalar is, it is. It gives no positions for
//! values, so a second parser gives the outline and both are walked together; where they disagree
//! about structure or text, that is an error at the very value and not a guess. granit-parser was
//! chosen over saphyr-parser because it can be asked to read as libyaml does (on 400,000 random
//! texts without exotic line breaks it never differed; saphyr-parser did 348 times, at block
//! scalars that end a file), and because it counts bytes as well as characters. Does not know what
//! keys mean.

use indexmap::IndexMap;

use super::node::{Entry, Node, Value};
use super::outline::{self, Outline, Shape};
use super::problem::Problem;
use super::read_value::ReadValue;
use super::source::{Sources, Span};

/// A shorter text is read sooner than a second thread is awake.
const WORTH_SHARING: usize = 32 << 10;

/// Reads the text of a source from byte `start` on. `None` if it holds no value (empty, or only
/// comments). Numbers that are not finite go to `problems` and are read as nothing, so that the rest
/// of the file can be checked all the same.
pub(super) fn read(
    sources: &Sources,
    file: usize,
    start: usize,
    problems: &mut Vec<Problem>,
) -> Result<Option<Node>, Vec<Problem>> {
    let text = sources.text(file);
    // A byte-order mark may start a file, as the YAML standard allows.
    let start = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start };
    check_characters(sources, file, start)?;
    let outline = || outline::read(sources, file, start);
    let value = || serde_yaml::from_str::<ReadValue>(&text[start..]);
    // The time of libyaml grows with the square of the depth: it only reads a text that is known to be flat enough.
    let (outline, value) = if text.len() < WORTH_SHARING || brackets_open(&text[start..]) > outline::MOST_LEVELS {
        (outline()?, value())
    } else {
        let (outline, value) = rayon::join(outline, value);
        (outline?, value)
    };
    let (outline, of_keys) = outline;
    let value = match value {
        Ok(value) => value,
        // What it says of keys was said better.
        Err(error) if of_keys.is_empty() => return Err(vec![record_problem(sources, file, start, &error)]),
        Err(_) => return Err(of_keys),
    };
    problems.extend(of_keys.into_iter().map(Problem::conclusive));
    let Some(outline) = outline else {
        return Ok(None);
    };
    let mut join = Join { sources, problems: Vec::new(), of_numbers: Vec::new() };
    let node = join.node(&outline, value);
    problems.extend(join.of_numbers.into_iter().map(Problem::conclusive));
    if join.problems.is_empty() { Ok(Some(node)) } else { Err(join.problems) }
}

/// The most brackets and braces open at once, those in quotes and comments counted with the others.
fn brackets_open(text: &str) -> usize {
    let (mut open, mut most) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => continue,
        }
        most = most.max(open);
    }
    most
}

/// Characters that no editor shows, and that YAML 1.1 and 1.2 read differently or not at all.
fn check_characters(sources: &Sources, file: usize, start: usize) -> Result<(), Vec<Problem>> {
    const MOST: usize = 5;
    let text = &sources.text(file)[start..];
    let found: Vec<Problem> = text
        .char_indices()
        .filter_map(|(offset, character)| {
            let what = match character {
                '\t' | '\n' | '\r' => return None,
                '\u{feff}' => "byte-order mark",
                '\u{2028}' | '\u{2029}' | '\u{85}' => "unusual line break",
                '\u{fffe}' | '\u{ffff}' => "invalid character",
                control if control.is_control() => "control character",
                _ => return None,
            };
            let from = start + offset;
            let span = sources.span(file, from..from + character.len_utf8());
            let message = format!("{what} U+{:04X} in the text", u32::from(character));
            Some(
                Problem::new(span, message)
                    .help("remove it, or write it as an escape such as \"\\u2028\" in double quotes"),
            )
        })
        .take(MOST)
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// An error of serde_yaml in a text that the outline parser accepts.
fn record_problem(sources: &Sources, file: usize, start: usize, error: &serde_yaml::Error) -> Problem {
    let text = sources.text(file);
    let message = error.to_string();
    // Its text repeats the position, which the problem shows better.
    let message = match message.find(" at line ") {
        Some(end) => &message[..end],
        None => &message,
    };
    let index = error.location().map_or(0, |location| location.index());
    // libyaml's index counts characters.
    let offset = text[start..].char_indices().nth(index).map_or(text.len(), |(offset, _)| start + offset);
    outline::syntax_problem(sources, file, offset, message)
}

struct Join<'a> {
    sources: &'a Sources,
    problems: Vec<Problem>,
    of_numbers: Vec<Problem>,
}

impl Join<'_> {
    fn node(&mut self, outline: &Outline, value: ReadValue) -> Node {
        let span = outline.span;
        let value = match (&outline.shape, value) {
            (Shape::Scalar { .. }, ReadValue::Null) => Value::Null,
            (Shape::Scalar { .. }, ReadValue::Bool(value)) => Value::Bool(value),
            (Shape::Scalar { .. }, ReadValue::Number(number)) => Value::Number(number),
            (Shape::Scalar { text, .. }, ReadValue::NotFinite) => self.unusable(
                Problem::new(span, format!("'{text}' is not a finite number"))
                    .help("write a finite number, or quote it to make it text"),
            ),
            (Shape::Scalar { text, .. }, ReadValue::TooLarge) => {
                let help = format!(
                    "whole numbers reach from {} to {}: a code of digits is text, in quotes",
                    i64::MIN,
                    u64::MAX
                );
                let message = format!("'{text}' is too large for a whole number");
                self.unusable(Problem::new(span, message).help(help))
            }
            (Shape::Scalar { text, .. }, ReadValue::String(value)) if *text == value => Value::String(value),
            (Shape::Sequence(parts), ReadValue::Sequence(values)) if parts.len() == values.len() => {
                let items = parts.iter().zip(values);
                Value::Sequence(items.map(|(part, value)| self.node(part, value)).collect())
            }
            (Shape::Mapping(pairs), ReadValue::Mapping(values)) if pairs.len() == values.len() => {
                self.mapping(pairs, values)
            }
            (_, ReadValue::Tagged(tag)) => {
                self.problems.push(outline::foreign_tag(&tag, span));
                Value::Null
            }
            _ => self.disagreement(span),
        };
        Node::new(span, value)
    }

    /// Tells of a number and reads nothing in its place.
    fn unusable(&mut self, problem: Problem) -> Value {
        self.of_numbers.push(problem);
        Value::Null
    }

    /// Pairs in order; then `<<` keys are replaced by what they merge in. A mapping's own keys
    /// win over merged ones, earlier merged mappings over later ones.
    fn mapping(&mut self, pairs: &[(Outline, Outline)], values: Vec<(ReadValue, ReadValue)>) -> Value {
        let mut entries = IndexMap::with_capacity(pairs.len());
        let mut merged: Vec<Node> = Vec::new();
        for ((key, part), (key_value, value)) in pairs.iter().zip(values) {
            let Shape::Scalar { text, plain } = &key.shape else {
                continue; // reported by the outline
            };
            if text.is_empty() && *plain {
                continue; // so is a key that is missing
            }
            // Keys that YAML reads as numbers or true/false count as the text that was written.
            let agrees = match &key_value {
                ReadValue::String(read) => read == text,
                ReadValue::Sequence(_) | ReadValue::Mapping(_) | ReadValue::Tagged(_) => false,
                _ => *plain,
            };
            if !agrees {
                self.disagreement(key.span);
            }
            let node = self.node(part, value);
            if *plain && text == "<<" {
                self.merge(node, key.span, &mut merged);
            } else {
                let key_span = key.span;
                entries.insert(text.clone(), Entry { key_span, node });
            }
        }
        for node in merged {
            if let Value::Mapping(inherited) = node.value {
                for (key, entry) in inherited {
                    entries.entry(key).or_insert(entry);
                }
            }
        }
        Value::Mapping(entries)
    }

    fn merge(&mut self, node: Node, key_span: Span, merged: &mut Vec<Node>) {
        let nodes = match node.value {
            Value::Mapping(_) => vec![node],
            Value::Sequence(items) => items,
            other => vec![Node::new(node.span, other)],
        };
        for node in nodes {
            if matches!(node.value, Value::Mapping(_)) {
                merged.push(node);
            } else {
                let found = node.value.noun();
                self.problems.push(
                    Problem::new(key_span, format!("'<<' cannot merge {found}"))
                        .help("give it an alias of a mapping, or a list of such aliases"),
                );
            }
        }
    }

    fn disagreement(&mut self, span: Span) -> Value {
        let text: String = self.sources.slice(span).chars().take(40).collect();
        let subject = if text.is_empty() { "this value".to_string() } else { format!("'{text}'") };
        self.problems.push(
            Problem::new(span, format!("{subject} can be read in two ways"))
                .help("quote it, or write it more plainly: YAML parsers disagree about it"),
        );
        Value::Null
    }
}
