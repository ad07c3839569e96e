//! What keys, classes and columns of an audit are called.

use runner_results::profile::ClassGroup;
use runner_results::profile::audit::{ColumnRows, RowKey};

use crate::figure::text::{count, counted};

/// What makes rows equal, after `an earlier row in` or `values of`.
pub(crate) fn key(key: &RowKey) -> String {
    match key {
        RowKey::Rows { except } if except.is_empty() => "every column".into(),
        RowKey::Rows { except } => format!("every column but {}", list(except)),
        RowKey::Group { name } | RowKey::Column { name } => name.clone(),
        RowKey::Connected { by } => format!("groups connected by {}", list(by)),
        RowKey::Numbers => "every numeric column".into(),
        RowKey::RoundedNumbers { digits } => format!("every numeric column to {}", counted(*digits, "digit")),
        RowKey::NormalisedText { columns } => format!("normalised {}", list(columns)),
    }
}

/// `every column or id`.
pub(super) fn any_of(keys: &[RowKey]) -> String {
    let names: Vec<String> = keys.iter().map(key).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// What a class that is told apart is called, or the others together.
pub(crate) fn group(group: &ClassGroup) -> String {
    match group {
        ClassGroup::Class(name) => name.clone(),
        ClassGroup::Others { others } => format!("{others} other classes"),
    }
}

pub(super) fn names(columns: &[ColumnRows]) -> Vec<String> {
    columns.iter().map(|one| one.column.clone()).collect()
}

pub(super) fn verb(subjects: &[String], one: &'static str, several: &'static str) -> &'static str {
    if subjects.len() == 1 { one } else { several }
}

/// Names in a sentence, at most.
const MOST_NAMES: usize = 12;

/// `a`, `a and b`, `a, b and c`; of many the first twelve and how many more.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        many if many.len() > MOST_NAMES => {
            format!("{} and {} more", many[..MOST_NAMES].join(", "), count((many.len() - MOST_NAMES) as u64))
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
