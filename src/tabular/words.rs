//! Lists and examples in messages, of bounded length.

use std::fmt;

pub(super) use runner_boundary::text::yaml;

/// Examples in a message.
const EXAMPLES: usize = 3;

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowPlace<'a> {
    pub(crate) path: &'a str,
    /// From 1.
    pub(crate) number: u64,
    pub(crate) unit: Unit,
}

/// The file and line of a row.
pub(super) type Place<'a> = dyn Fn(usize) -> RowPlace<'a> + 'a;

/// What is counted in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unit {
    Line,
    /// Of a file that has no lines.
    Row,
}

impl fmt::Display for RowPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RowPlace { path, number, unit } = self;
        match unit {
            Unit::Line => write!(f, "{path}:{number}"),
            Unit::Row => write!(f, "{path}, row {number}"),
        }
    }
}

/// A few values with their file and line, e.g. `'soon' (a.csv:2), 'later' (a.csv:9)`.
pub(super) fn examples<'a>(cells: impl Iterator<Item = (String, RowPlace<'a>)>) -> String {
    let shown: Vec<String> = cells.take(EXAMPLES).map(|(cell, place)| format!("{cell} ({place})")).collect();
    shown.join(", ")
}

/// A few places, e.g. `a.csv:2, a.csv:9`.
pub(super) fn places<'a>(places: impl Iterator<Item = RowPlace<'a>>) -> String {
    let shown: Vec<String> = places.take(EXAMPLES).map(|place| place.to_string()).collect();
    shown.join(", ")
}

/// The first names and how many more there are, e.g. `a, b and 3 more`.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>, most: usize) -> String {
    let mut names = names.map(shorten);
    let shown: Vec<String> = names.by_ref().take(most).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

pub(super) fn row_count(rows: usize) -> String {
    format!("{rows} {}", if rows == 1 { "row" } else { "rows" })
}

pub(super) fn quoted(cell: &str) -> String {
    format!("'{}'", shorten(cell))
}

/// A token as it is shown in a message.
pub(super) fn shorten(token: &str) -> String {
    const LENGTH: usize = 40;
    if token.chars().count() <= LENGTH {
        return token.to_owned();
    }
    token.chars().take(LENGTH).chain(['…']).collect()
}

pub(super) fn did_you_mean(suggestion: &Option<String>) -> String {
    match suggestion {
        Some(name) => {
            // In the spelling of YAML where the plain one would be another text there.
            let name = Some(yaml(name)).filter(|yaml| yaml.starts_with('"')).unwrap_or(format!("'{name}'"));
            format!(" (did you mean {name}?)")
        }
        None => String::new(),
    }
}
