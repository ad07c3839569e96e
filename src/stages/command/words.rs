//! The words of a command line and the placeholders in them: `{rows}`, `{out}/plot.svg`.
//!
//! Only `{` NAME `}` is a placeholder, so that the braces of awk programs and JSON need no escape.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One word: text, or a number or true/false as it would be typed.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected text or a number (quote a word with braces: \"{rows}\")")]
pub(super) enum Word {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
}

impl Word {
    pub(crate) fn text(&self) -> String {
        match self {
            Word::Text(text) => text.clone(),
            Word::Whole(number) => number.to_string(),
            Word::Number(number) => number.to_string(),
            Word::Truth(truth) => truth.to_string(),
        }
    }
}

/// As the program sees it: whether `5` was quoted in the YAML does not count.
impl Serialize for Word {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// Names of inputs: what may stand in a placeholder.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The names of a word's placeholders, in order.
pub(super) fn placeholders(word: &str) -> Vec<String> {
    let names = pieces(word).into_iter().filter_map(|piece| match piece {
        Piece::Name(name) => Some(name.to_owned()),
        Piece::Text(_) => None,
    });
    names.collect()
}

/// What is wrong with a word, with the remedy. `counts` tells how many paths each name stands for.
pub(super) fn check(word: &str, counts: &BTreeMap<String, usize>) -> Vec<(String, String)> {
    let pieces = pieces(word);
    let mut problems = Vec::new();
    for piece in &pieces {
        let Piece::Name(name) = piece else { continue };
        match counts.get(*name) {
            None => {
                let known: Vec<String> = counts.keys().map(|name| format!("{{{name}}}")).collect();
                let help = format!("known are {}; write {{{{{name}}}}} for a literal {{{name}}}", known.join(", "));
                problems.push((format!("unknown placeholder '{{{name}}}'"), help));
            }
            Some(count) if *count > 1 && pieces.len() > 1 => {
                let message = format!("'{{{name}}}' stands for {count} paths, which cannot stand inside a word");
                problems.push((message, format!("give \"{{{name}}}\" a word of its own: it becomes {count} words")));
            }
            Some(_) => {}
        }
    }
    problems
}

/// The words with every placeholder replaced by its paths.
pub(super) fn expand(words: &[Word], values: &BTreeMap<String, Vec<String>>) -> anyhow::Result<Vec<String>> {
    let mut expanded = Vec::with_capacity(words.len());
    for word in words {
        let word = word.text();
        let pieces = pieces(&word);
        let value = |name: &str| values.get(name).ok_or_else(|| anyhow!("unknown placeholder '{{{name}}}'"));
        if let [Piece::Name(name)] = pieces.as_slice() {
            expanded.extend(value(name)?.iter().cloned());
            continue;
        }
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Name(name) => match value(name)?.as_slice() {
                    [only] => text.push_str(only),
                    several => bail!("'{{{name}}}' stands for {} paths: give it a word of its own", several.len()),
                },
            }
        }
        expanded.push(text);
    }
    Ok(expanded)
}

#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(word: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(offset) = word[at..].find('{') {
        let open = at + offset;
        let Some(close) = word[open..].find('}').map(|offset| open + offset) else { break };
        let inner = &word[open + 1..close];
        let escaped = inner.strip_prefix('{').filter(|name| is_name(name) && word[close + 1..].starts_with('}'));
        if escaped.is_some() {
            // `{{name}}`: the inner pair of braces is kept as text.
            pieces.push(Piece::Text(&word[start..open]));
            pieces.push(Piece::Text(&word[open + 1..=close]));
            start = close + 2;
            at = start;
        } else if is_name(inner) {
            pieces.push(Piece::Text(&word[start..open]));
            pieces.push(Piece::Name(inner));
            start = close + 1;
            at = start;
        } else {
            at = open + 1;
        }
    }
    pieces.push(Piece::Text(&word[start..]));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

#[cfg(test)]
mod tests {
    use super::Piece::{Name, Text};
    use super::*;

    #[test]
    fn only_names_in_braces_are_placeholders() {
        assert_eq!(pieces("{rows}"), [Name("rows")]);
        assert_eq!(pieces("a{out}/b{c-d}"), [Text("a"), Name("out"), Text("/b"), Name("c-d")]);
        assert_eq!(pieces("{print $1}"), [Text("{print $1}")]);
        assert_eq!(pieces("{ if (x) {next} }"), [Text("{ if (x) "), Name("next"), Text(" }")]);
        assert_eq!(pieces("{{rows}}"), [Text("{rows}")]);
        assert_eq!(pieces("{\"a\": {\"b\": 1}}{"), [Text("{\"a\": {\"b\": 1}}{")]);
        assert_eq!(pieces("é{}{1a}{x"), [Text("é{}{1a}{x")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn a_placeholder_of_its_own_becomes_several_words() {
        let values = BTreeMap::from([
            ("m".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
            ("o".to_owned(), vec!["c".to_owned()]),
        ]);
        let words = ["{m}", "{o}/x", "5"].map(|word| Word::Text(word.to_owned()));
        assert_eq!(expand(&words, &values).unwrap(), ["a", "b", "c/x", "5"]);
        assert!(expand(&[Word::Text("-{m}".to_owned())], &values).is_err());
        let counts = BTreeMap::from([("m".to_owned(), 2)]);
        assert_eq!(check("-{m}", &counts).len(), 1);
        assert_eq!(check("{m}", &counts).len(), 0);
        assert_eq!(check("{n} {{n}}", &counts).len(), 1);
    }
}
