//! Values that a reader would take for one although they are written in two ways: with white space around them, as numbers
//! with and without a fraction, or of other Unicode characters for the same letter. Labels become one class; of other texts a
//! note tells.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use unicode_normalization::UnicodeNormalization as _;

use super::column_type::ColumnType;
use super::token::{canonical_number, canonical_or_code};
use super::words::Place;
use super::words::{examples, places, quoted, row_count, shorten, yaml};

/// Kinds of clashes that a note lists.
const LISTED: usize = 5;

/// The text in Unicode's composed form (NFC), in which a letter and its accent are one character where there is one.
pub fn composed(text: &str) -> Cow<'_, str> {
    // No character below U+0300 composes with another (Unicode Standard Annex 15, quick check).
    if text.chars().all(|c| c < '\u{300}') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// Why two different texts are one to a reader, if they are: `the same number`, `the same text in another Unicode form`.
pub fn alike(a: &str, b: &str) -> Option<&'static str> {
    if a == b {
        None
    } else if canonical_or_code(a).is_some_and(|a| canonical_or_code(b) == Some(a)) {
        Some("the same number")
    } else if composed(a) == composed(b) {
        Some("the same text in another Unicode form")
    } else {
        None
    }
}

/// Characters that look alike are shown by their numbers.
fn shown(text: &str) -> String {
    if text.is_ascii() {
        quoted(text)
    } else {
        let escaped: String =
            text.chars().flat_map(|c| if c.is_ascii() { vec![c] } else { c.escape_unicode().collect() }).collect();
        format!("'{}'", shorten(&escaped))
    }
}

/// The label's texts, one spelling for each class.
///
/// White space around them is left out: 'pop ' is no class beside 'pop'. The Unicode forms of one text are one class, and
/// so are the spellings of one number (`1` in one file and `1.0` in another) where every label of the column is a number,
/// unless they are declared to be text. Its class is named by the number in its plain form, whatever
/// spellings this table has, so that it is the same class in the table of another `load`.
pub(super) fn label<'a>(
    name: &str,
    text: &StringArray,
    missing: &[String],
    declared: Option<ColumnType>,
    place: &Place<'a>,
    notes: &mut Vec<String>,
) -> StringArray {
    let is_text = declared == Some(ColumnType::Text);
    let text = trimmed(name, text, place, notes);
    let is_label = |label: &str| !label.is_empty() && !missing.iter().any(|missing| missing == label);
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, label) in text.iter().enumerate() {
        if let Some(label) = label.filter(|label| is_label(label)) {
            rows.entry(label).or_default().push(row);
        }
    }
    let is_number = matches!(declared, Some(ColumnType::Number | ColumnType::Integer));
    // Declared to be a number, a code is one.
    let number = if is_number { canonical_or_code } else { canonical_number };
    let are_numbers = !is_text && rows.keys().all(|label| number(label).is_some());
    let key = |label: &str| match number(label) {
        Some(number) if are_numbers => number,
        _ => composed(label).into_owned(),
    };
    let mut classes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    rows.keys().for_each(|label| classes.entry(key(label)).or_default().push(label));
    let mut spelled: HashMap<&str, &str> = HashMap::new();
    let mut told = Vec::new();
    let mut renamed = Vec::new();
    for (number, spellings) in &classes {
        if are_numbers && let [only] = spellings.as_slice() {
            if only != number {
                spelled.insert(only, number);
                renamed.push(format!("{} as {}", shown(only), shown(number)));
            }
            continue;
        }
        let chosen = match are_numbers {
            true => number.as_str(),
            false if spellings.len() < 2 => continue,
            false => match spellings.iter().copied().min_by_key(|label| preference(label)) {
                Some(chosen) => chosen,
                None => continue,
            },
        };
        for other in spellings.iter().filter(|label| **label != chosen) {
            spelled.insert(other, chosen);
            let own = &rows[other];
            told.push(format!(
                "{} as {} ({}, {})",
                shown(other),
                shown(chosen),
                row_count(own.len()),
                places(own.iter().map(|&row| place(row)))
            ));
        }
    }
    // Whoever declares numbers knows that their spelling goes.
    if is_number {
        told.clear();
        renamed.clear();
    }
    if !renamed.is_empty() {
        notes.push(format!(
            "label '{name}': numbers are named in their plain form: {} (to keep the spelling: `types: {{{}: text}}`)",
            list_whole(&renamed),
            yaml(name)
        ));
    }
    if !told.is_empty() {
        let (what, remedy) = if are_numbers {
            ("the same number", format!(" (to keep them apart: `types: {{{}: text}}`)", yaml(name)))
        } else {
            ("the same text in another Unicode form", String::new())
        };
        notes.push(format!(
            "label '{name}': labels that are {what} as others count as their class: {}{remedy}",
            list_whole(&told)
        ));
    }
    // Among numbers that are declared other labels are errors.
    if !are_numbers && declared.is_none() {
        notes.extend(two_classes(name, &rows, place));
        notes.extend(two_cases(name, &rows, &spelled, place));
    }
    if spelled.is_empty() {
        text
    } else {
        text.iter().map(|label| label.map(|label| spelled.get(label).copied().unwrap_or(label))).collect()
    }
}

/// The smallest of the Unicode forms of a class gives it its name: the composed form, else the shortest.
fn preference(label: &str) -> (bool, usize, &str) {
    (composed(label) != label, label.len(), label)
}

/// What to say of labels that are the same number where other labels are none, so that they stay classes of their own.
fn two_classes<'a>(name: &str, rows: &BTreeMap<&str, Vec<usize>>, place: &Place<'a>) -> Option<String> {
    let mut by_number: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    rows.keys().for_each(|label| {
        canonical_or_code(label).into_iter().for_each(|number| by_number.entry(number).or_default().push(label))
    });
    let twice: Vec<String> = by_number
        .values()
        .filter(|spellings| spellings.len() > 1)
        .map(|spellings| {
            let each = spellings.iter().take(LISTED).map(|label| {
                format!("{} ({})", shown(label), places(rows[label].iter().take(1).map(|&row| place(row))))
            });
            each.collect::<Vec<_>>().join(" and ")
        })
        .collect();
    (!twice.is_empty()).then(|| {
        format!(
            "label '{name}': {} count as classes of their own, although they are the same number (as not all labels are plain numbers they are texts; \
             write them alike if they are one class)",
            list_whole(&twice)
        )
    })
}

/// What to say of labels that differ in upper and lower case alone, of those that stay classes.
fn two_cases<'a>(
    name: &str,
    rows: &BTreeMap<&str, Vec<usize>>,
    merged: &HashMap<&str, &str>,
    place: &Place<'a>,
) -> Option<String> {
    let mut by_lower: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for label in rows.keys().filter(|label| !merged.contains_key(*label)) {
        by_lower.entry(composed(label).to_lowercase()).or_default().push(label);
    }
    let twice = by_lower.values().filter(|labels| labels.len() > 1).map(|labels| {
        let each = labels.iter().take(LISTED).map(|label| {
            let own = &rows[label];
            format!(
                "{} ({}, {})",
                shown(label),
                row_count(own.len()),
                places(own.iter().take(1).map(|&row| place(row)))
            )
        });
        each.collect::<Vec<_>>().join(" and ")
    });
    let twice: Vec<String> = twice.collect();
    (!twice.is_empty()).then(|| {
        format!(
            "label '{name}': {} count as classes of their own, although they differ in upper and lower case alone (write them alike if they are one \
             class, or declare `types: {{{}: text}}` if they are not)",
            list_whole(&twice),
            yaml(name)
        )
    })
}

/// The first of the parts and how many more there are.
fn list_whole(parts: &[String]) -> String {
    let more = parts.len().saturating_sub(LISTED);
    let shown = parts[..parts.len() - more].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn trimmed<'a>(name: &str, text: &StringArray, place: &Place<'a>, notes: &mut Vec<String>) -> StringArray {
    let is_padded = |row: &usize| !text.is_null(*row) && text.value(*row).trim() != text.value(*row);
    // Blank labels are told of as missing ones.
    let padded: Vec<usize> =
        (0..text.len()).filter(is_padded).filter(|&row| !text.value(row).trim().is_empty()).collect();
    if !padded.is_empty() {
        let first = examples(padded.iter().map(|&row| (quoted(text.value(row)), place(row))));
        notes.push(format!("label '{name}': white space around {} labels is left out, e.g. {first}", padded.len()));
    }
    text.iter().map(|cell| cell.map(str::trim)).collect()
}

/// Text columns beside the label in which a value stands in two spellings: as categories, groups or conditions these are two.
pub(super) fn text_notes<'a>(columns: &[(String, ArrayRef)], label: Option<&String>, place: &Place<'a>) -> Vec<String> {
    let (mut padded, mut other_forms) = (Vec::new(), Vec::new());
    for (name, column) in columns.iter().filter(|(name, _)| label != Some(name)) {
        let Some(texts) = column.as_string_opt::<i32>() else { continue };
        padded.extend(clash(name, texts, place, |text| Cow::Borrowed(text.trim()), quoted));
        other_forms.extend(clash(name, texts, place, |text| composed(text), shown));
    }
    let note = |how: &str, found: Vec<String>| {
        let columns = list_whole(&found);
        (!found.is_empty())
            .then(|| format!("values that differ from others by {how} alone count as values of their own: {columns}"))
    };
    [note("white space", padded), note("their Unicode form", other_forms)].into_iter().flatten().collect()
}

/// The values that `plain` makes equal to others, although they differ.
fn clash<'t, 'a>(
    name: &str,
    texts: &'t StringArray,
    place: &Place<'a>,
    plain: impl Fn(&'t str) -> Cow<'t, str>,
    shown: impl Fn(&str) -> String,
) -> Option<String> {
    let present = || (0..texts.len()).filter(|&row| texts.is_valid(row)).map(|row| (row, texts.value(row)));
    // A clash has a spelling that is not plain: where there is none, as in most columns, nothing is kept of the others.
    let odd: Vec<(usize, Cow<str>)> =
        present().map(|(row, text)| (row, plain(text))).filter(|(row, plain)| texts.value(*row) != plain).collect();
    if odd.is_empty() {
        return None;
    }
    // By plain text the first row of its first spelling; the plain one itself comes before any other.
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (row, plain) in &odd {
        first.entry(plain).or_insert(*row);
    }
    let mut plain_rows: HashMap<&str, usize> = HashMap::new();
    for (row, text) in present().filter(|(_, text)| first.contains_key(text)) {
        plain_rows.entry(text).or_insert(row);
    }
    first.extend(plain_rows);
    let twice: Vec<(usize, usize)> = odd
        .iter()
        .map(|(row, plain)| (*row, first[&**plain]))
        .filter(|&(row, first)| texts.value(row) != texts.value(first))
        .collect();
    let &(row, other) = twice.first()?;
    let cell = |row: usize| examples(std::iter::once((shown(texts.value(row)), place(row))));
    Some(format!("'{name}' ({}, e.g. {} beside {})", row_count(twice.len()), cell(row), cell(other)))
}
