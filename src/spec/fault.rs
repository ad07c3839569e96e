//! Why a node is not the type that was asked for: serde's errors, structured and in the words of
//! people who write YAML.
//!
//! An unknown key, a missing key and a wrong value stay distinct, so that each can be shown and
//! worked around. Does not know where in the source a fault stands, only its path in the tree.

use serde::de::{self, Expected, Unexpected};
use std::fmt;

use super::node::{Node, Step, Value};

/// Why a node is not the type that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(crate) kind: FaultKind,
    /// From the leaf to the root while it travels up; [`Fault::path`] turns it round.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum FaultKind {
    UnknownKey {
        key: String,
        expected: Vec<&'static str>,
    },
    MissingKey {
        key: String,
    },
    /// Two spellings of one key, both given.
    RepeatedKey {
        key: String,
    },
    UnknownVariant {
        name: String,
        expected: Vec<&'static str>,
    },
    Wrong {
        found: String,
        expected: String,
    },
    Other(String),
}

impl Fault {
    pub(crate) fn new(kind: FaultKind) -> Self {
        Fault { kind, steps: Vec::new() }
    }

    /// From the root to the node at fault.
    pub(crate) fn path(&self) -> Vec<Step> {
        self.steps.iter().rev().cloned().collect()
    }

    pub(crate) fn under(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        // `flatten` with `deny_unknown_fields` reports unknown keys as plain text.
        let quoted = message.strip_prefix("unknown field `").and_then(|rest| rest.strip_suffix('`'));
        Fault::new(match quoted {
            Some(key) => FaultKind::UnknownKey { key: key.to_string(), expected: Vec::new() },
            None => FaultKind::Other(message),
        })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::new(FaultKind::Wrong { found: describe(found), expected: expectation(&expected.to_string()) })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let mut fault = Self::invalid_type(found, expected);
        if let FaultKind::Wrong { expected: words, .. } = &mut fault.kind
            && let Some((least, most)) = range(&expected.to_string())
        {
            *words = format!("a whole number from {least} to {most}");
        }
        fault
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Fault::new(FaultKind::Other(format!("expected {}, found {length} values", expectation(&expected.to_string()))))
    }

    fn unknown_variant(name: &str, expected: &'static [&'static str]) -> Self {
        Fault::new(FaultKind::UnknownVariant { name: name.to_string(), expected: expected.to_vec() })
    }

    fn unknown_field(key: &str, expected: &'static [&'static str]) -> Self {
        Fault::new(FaultKind::UnknownKey { key: key.to_string(), expected: expected.to_vec() })
    }

    fn missing_field(key: &'static str) -> Self {
        Fault::new(FaultKind::MissingKey { key: key.to_string() })
    }

    fn duplicate_field(key: &'static str) -> Self {
        Fault::new(FaultKind::RepeatedKey { key: key.to_string() })
    }
}

/// What a node is, in the words of [`Fault`]s about it.
pub(super) fn describe_node(node: &Node) -> String {
    describe(unexpected(node))
}

fn unexpected(node: &Node) -> Unexpected<'_> {
    match &node.value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), ..) => Unexpected::Unsigned(value),
            (_, Some(value), _) => Unexpected::Signed(value),
            (.., value) => Unexpected::Float(value.unwrap_or(f64::NAN)),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Sequence(_) => Unexpected::Seq,
        Value::Mapping(_) => Unexpected::Map,
    }
}

fn describe(found: Unexpected<'_>) -> String {
    const MOST: usize = 40;
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => format!("{value:?}"),
        Unexpected::Str(text) if text.chars().count() > MOST => {
            format!("text '{}…'", text.chars().take(MOST).collect::<String>())
        }
        Unexpected::Str(text) => format!("text '{text}'"),
        Unexpected::Unit | Unexpected::Option => "nothing".to_string(),
        Unexpected::Seq => "a list".to_string(),
        Unexpected::Map => "a mapping".to_string(),
        other => other.to_string(),
    }
}

/// serde's names of Rust types, in words for people who write YAML.
fn expectation(expected: &str) -> String {
    let words = match expected {
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a boolean" => "true or false",
        "a string" | "string" => "text",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "unit" => "nothing",
        other if other.starts_with("a nonzero") => "a whole number other than 0",
        other if other.starts_with("struct ") => "a mapping",
        other => return tuple_expectation(other).unwrap_or_else(|| other.to_string()),
    };
    words.to_string()
}

/// Bounds of the integer types that people run against.
fn range(expected: &str) -> Option<(i64, i64)> {
    match expected {
        "u8" => Some((0, u8::MAX.into())),
        "u16" => Some((0, u16::MAX.into())),
        "u32" => Some((0, u32::MAX.into())),
        "i8" => Some((i8::MIN.into(), i8::MAX.into())),
        "i16" => Some((i16::MIN.into(), i16::MAX.into())),
        "i32" => Some((i32::MIN.into(), i32::MAX.into())),
        _ => None,
    }
}

fn tuple_expectation(expected: &str) -> Option<String> {
    let size = expected.strip_prefix("a tuple of size ").or_else(|| expected.strip_prefix("an array of length "))?;
    Some(format!("a list of {size} values"))
}
