//! `Missing`: which cells count as missing, for all columns alike or by column.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::words::yaml;

/// The missing tokens when none are declared. "None", "-" and the like are left out: they occur as titles.
const DEFAULTS: [&str; 7] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"];

/// The key that stands for all columns without a key of their own.
const OTHERS: &str = "*";

/// Tokens that stand for a missing value, compared exactly after trimming white space: a list for every column, e.g. `['', NA, '?']`, or a
/// mapping by column, in which `"*"` stands for the columns that it does not name, e.g. `{country: [], "*": {add: ['?']}}`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Missing {
    /// For every column, in place of the defaults: '', NA, N/A, NaN, nan, null, NULL.
    Everywhere(Vec<String>),
    /// By column.
    ByColumn(#[schemars(with = "BTreeMap<String, Tokens>")] IndexMap<String, Tokens>),
}

/// The missing tokens of a column.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Tokens {
    /// These alone, e.g. `[]` where every text is a value.
    Only(Vec<String>),
    /// Those of `"*"`, or else the defaults, with a change.
    Changed(Changes),
}

/// What to change about a list of tokens, e.g. `{add: ['-', '?']}` or `{remove: [NA]}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// Tokens that count as missing too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Tokens that do not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

impl Default for Missing {
    fn default() -> Self {
        Missing::Everywhere(DEFAULTS.map(str::to_owned).to_vec())
    }
}

impl Missing {
    /// The tokens of a column.
    pub fn tokens(&self, column: &str) -> Vec<String> {
        match self {
            Missing::Everywhere(tokens) => tokens.clone(),
            Missing::ByColumn(columns) => {
                let change =
                    |base: Vec<String>, key: &str| columns.get(key).map_or(base.clone(), |own| own.after(base));
                let others = change(DEFAULTS.map(str::to_owned).to_vec(), OTHERS);
                if column == OTHERS { others } else { change(others, column) }
            }
        }
    }

    /// How to write that of `column` the tokens `add` stand for a missing value too and `remove` no longer, with all that is written of the column already:
    /// `missing: {stars: {add: [Unrated, NR]}}` in backticks, or the column's key alone where other columns have some.
    pub(super) fn changed(&self, column: &str, add: &[&str], remove: &[&str]) -> String {
        let own = match self {
            Missing::ByColumn(columns) => columns.get(column),
            Missing::Everywhere(_) => None,
        };
        let own = entry(column, own.cloned().unwrap_or_default(), add, remove);
        match self {
            Missing::Everywhere(_) if *self == Missing::default() => format!("`missing: {{{own}}}`"),
            Missing::Everywhere(tokens) => format!("`missing: {{'*': {}, {own}}}`", list(tokens)),
            Missing::ByColumn(columns) if columns.keys().all(|key| key == column) => format!("`missing: {{{own}}}`"),
            Missing::ByColumn(_) => under_missing(&own),
        }
    }

    /// The same where it is not known what else is written.
    pub(super) fn entry(column: &str, add: &[&str]) -> String {
        under_missing(&entry(column, Tokens::default(), add, &[]))
    }

    /// Forgets the columns that a file does not have.
    pub fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        if let Missing::ByColumn(columns) = self {
            columns.retain(|name, _| name == OTHERS || is_there(name));
        }
    }

    /// The columns that are named.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let columns = match self {
            Missing::Everywhere(_) => None,
            Missing::ByColumn(columns) => Some(columns.keys().map(String::as_str).filter(|name| *name != OTHERS)),
        };
        columns.into_iter().flatten()
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Tokens::Changed(Changes::default())
    }
}

fn entry(column: &str, own: Tokens, add: &[&str], remove: &[&str]) -> String {
    format!("{}: {}", yaml(column), own.with(add, remove))
}

fn under_missing(entry: &str) -> String {
    format!("`{entry}` under `missing`")
}

/// Tokens as a list of YAML.
fn list(tokens: &[String]) -> String {
    format!("[{}]", tokens.iter().map(|token| yaml(token)).collect::<Vec<_>>().join(", "))
}

impl Tokens {
    /// The same with more tokens and without some, as it is written.
    fn with(mut self, more: &[&str], fewer: &[&str]) -> String {
        let extend = |tokens: &mut Vec<String>, more: &[&str]| {
            for token in more {
                if !tokens.iter().any(|own| own == token) {
                    tokens.push((*token).to_owned());
                }
            }
        };
        let reduce = |tokens: &mut Vec<String>, fewer: &[&str]| {
            let before = tokens.len();
            tokens.retain(|own| !fewer.contains(&own.as_str()));
            tokens.len() < before
        };
        match &mut self {
            Tokens::Only(tokens) => {
                extend(tokens, more);
                reduce(tokens, fewer);
                list(tokens)
            }
            Tokens::Changed(Changes { add, remove }) => {
                // What was added or removed before need only be left out there.
                let new: Vec<&str> =
                    fewer.iter().copied().filter(|token| !add.iter().any(|own| own == token)).collect();
                reduce(add, fewer);
                reduce(remove, more);
                extend(add, more);
                extend(remove, &new);
                let parts = [("add", add), ("remove", remove)].into_iter().filter(|(_, tokens)| !tokens.is_empty());
                let parts: Vec<String> = parts.map(|(key, tokens)| format!("{key}: {}", list(tokens))).collect();
                format!("{{{}}}", parts.join(", "))
            }
        }
    }

    fn after(&self, mut base: Vec<String>) -> Vec<String> {
        match self {
            Tokens::Only(tokens) => tokens.clone(),
            Tokens::Changed(Changes { add, remove }) => {
                base.extend(add.iter().cloned());
                base.retain(|token| !remove.contains(token));
                base
            }
        }
    }
}

// By hand, because an untagged enum answers a misspelt `ad:` with "no variant matched".

impl<'de> Deserialize<'de> for Missing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = Missing;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tokens, or a mapping from columns to tokens")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Missing, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Missing::Everywhere)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Missing, A::Error> {
                IndexMap::deserialize(MapAccessDeserializer::new(map)).map(Missing::ByColumn)
            }
        }

        deserializer.deserialize_any(Form)
    }
}

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = Tokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tokens, or a mapping of add and remove")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Tokens, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Tokens::Only)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Tokens, A::Error> {
                Changes::deserialize(MapAccessDeserializer::new(map)).map(Tokens::Changed)
            }
        }

        deserializer.deserialize_any(Form)
    }
}
