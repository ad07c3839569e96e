//! How a mistake in typed parameters is said: message, place, and what to write instead.
//!
//! Does not look for mistakes; see `typed`.

use std::borrow::Cow;

use super::fault::{FaultKind, describe_node};
use super::node::{Entry, Node, Step, Value, display_path};
use super::problem::Problem;
use runner_names::did_you_mean;

/// Words problems about one tree.
pub(super) struct Wording<'a> {
    pub(crate) node: &'a Node,
    /// What the keys at the root belong to, e.g. the kind `train`.
    pub(crate) owner: Option<&'a str>,
    /// Keys that are written beside those at the root, though they are not part of it, e.g. a stage's inputs.
    pub(crate) beside: &'a [&'a str],
    /// The dotted paths of all keys that the root may hold, at any depth.
    pub(crate) deeper: Option<&'a dyn Fn() -> Vec<String>>,
}

/// More places of one key say nothing of which is meant.
const MOST_PLACES: usize = 3;

impl Wording<'_> {
    /// `advises`: whether to say what was perhaps meant.
    pub(crate) fn unknown_key(
        &self,
        path: &[Step],
        entry: &Entry,
        key: &str,
        expected: &[&'static str],
        advises: bool,
    ) -> Problem {
        if !advises {
            return Problem::new(entry.key_span, format!("unknown key '{key}'"));
        }
        // A near name at this level comes before an equal one elsewhere.
        let beside = if path.is_empty() { self.beside } else { &[] };
        let known: Vec<&str> = beside.iter().chain(expected).copied().collect();
        let mut guess = did_you_mean(key, known.iter().copied());
        if guess.is_empty() && path.is_empty() {
            guess = self.place_of(key).unwrap_or_default();
        }
        let problem = Problem::new(entry.key_span, format!("unknown key '{key}'{guess}"));
        let owner = match (path.last(), self.owner) {
            (Some(_), _) => format!("keys of '{}' are", display_path(path)),
            (None, Some(owner)) => format!("keys of '{owner}' are"),
            (None, None) => "known keys are".to_string(),
        };
        if known.is_empty() { problem } else { problem.help(format!("{owner} {}", known.join(", "))) }
    }

    /// ` (did you mean 'optimizer.lr'?)` for a key that belongs further down.
    fn place_of(&self, key: &str) -> Option<String> {
        let mut paths = self.deeper?();
        paths.retain(|path| path.rsplit_once('.').is_some_and(|(_, last)| last == key));
        let places: Vec<String> = paths.iter().map(|path| format!("'{path}'")).collect();
        let fits = (1..=MOST_PLACES).contains(&places.len());
        fits.then(|| format!(" (did you mean {}?)", places.join(" or ")))
    }

    pub(crate) fn missing_key(&self, path: &[Step], key: &str) -> Problem {
        let owner = match (path.last(), self.owner) {
            (Some(_), _) => format!(" in '{}'", display_path(path)),
            (None, Some(owner)) => format!(" for '{owner}'"),
            (None, None) => String::new(),
        };
        let span = match path.split_last() {
            Some((Step::Key(last), parent)) => {
                self.node.at(parent).and_then(|node| node.entry(last)).map(|entry| entry.key_span)
            }
            _ => None,
        };
        let node = self.node.nearest(path).0;
        Problem::new(span.unwrap_or(node.span), format!("missing key '{key}'{owner}")).help(format!("add `{key}: …`"))
    }

    pub(crate) fn wrong_value(&self, path: &[Step], kind: &FaultKind) -> Problem {
        let node = self.node.nearest(path).0;
        let subject = match (path, self.owner) {
            // A value that is read alone goes by its key.
            ([], Some(owner)) if !matches!(node.value, Value::Mapping(_)) => format!("'{owner}': "),
            ([], _) => String::new(),
            _ => format!("'{}': ", display_path(path)),
        };
        let problem = match kind {
            FaultKind::Wrong { found, expected } => {
                let problem = Problem::new(node.span, format!("{subject}expected {expected}, found {found}"));
                match advice(node, expected) {
                    Some(help) => problem.help(help),
                    None => problem,
                }
            }
            FaultKind::UnknownVariant { name, expected } => {
                let guess = did_you_mean(name, expected.iter().copied());
                let span = node.entry(name).map_or(node.span, |entry| entry.key_span);
                Problem::new(span, format!("{subject}unknown choice '{name}'{guess}")).help(format!(
                    "choices are {}",
                    expected.iter().map(|choice| choice_shown(choice)).collect::<Vec<_>>().join(", ")
                ))
            }
            FaultKind::RepeatedKey { key } => {
                Problem::new(node.span, format!("{subject}'{key}' is given twice, under two spellings"))
                    .help("remove one of the two")
            }
            FaultKind::Other(message) if message.contains("untagged enum") => {
                Problem::new(node.span, format!("{subject}{} has none of the forms allowed here", describe_node(node)))
            }
            FaultKind::Other(message) => Problem::new(node.span, format!("{subject}{message}")),
            FaultKind::UnknownKey { key, .. } => Problem::new(node.span, format!("{subject}unknown key '{key}'")),
            FaultKind::MissingKey { key } => Problem::new(node.span, format!("{subject}missing key '{key}'")),
        };
        problem.supplied(node)
    }
}

/// What to write instead, for the confusions that YAML invites.
/// A choice that is no word is set apart from what stands around it.
fn choice_shown(choice: &str) -> Cow<'_, str> {
    let is_word = choice.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    if is_word { Cow::Borrowed(choice) } else { Cow::Owned(format!("'{choice}'")) }
}

fn advice(node: &Node, expected: &str) -> Option<String> {
    let number = expected.contains("number");
    match &node.value {
        Value::Number(_) | Value::Bool(_) if expected == "text" => Some("quote it to make it text".to_string()),
        Value::Number(number) if expected.contains("whole number") => {
            let value = number.as_f64().filter(|_| number.is_f64())?;
            let exact = value.fract() == 0.0 && (0.0..1e15).contains(&value);
            exact.then(|| format!("write {value:.0}"))
        }
        Value::String(text) if number => {
            let digits = text.replace('_', "");
            let parsed = digits.parse::<f64>().ok().filter(|value| value.is_finite())?;
            Some(format!("write {parsed} without quotes, underscores or leading zeros"))
        }
        Value::String(text) if expected == "true or false" => match text.to_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => Some("write true".to_string()),
            "no" | "off" | "n" | "false" => Some("write false".to_string()),
            _ => None,
        },
        Value::Null => Some("give a value, or remove the key".to_string()),
        Value::Sequence(_) if expected == "a mapping" => {
            Some("write `key: value` lines without the leading '-'".to_string())
        }
        _ if expected == "a list" => Some("write it between '[' and ']'".to_string()),
        _ => None,
    }
}
