//! Whether a header is rather the first record of a table without one: its names occur again below, or are numbers above numbers.
//!
//! A hint, not a proof, so what comes of it is a note: a column of years may be called 2019, and a song may be called "title".

use std::ops::Range;

use arrow::array::StringArray;

use super::names::in_file;
use super::token::canonical_or_code;
use super::words::Place;
use super::words::{examples, quoted};

/// A name that so many of 100 rows have as their value, twice at least, is a category.
const PERCENT: usize = 1;

/// Whole numbers of up to so many digits may well be names: years, numbers of questions.
const DIGITS: usize = 4;

/// What to say of a file whose header looks like a record; `columns` are those that have names there, `rows` the file's own.
pub(super) fn note<'a>(
    path: &str,
    columns: &[(&str, &StringArray)],
    rows: Range<usize>,
    place: &Place<'a>,
) -> Option<String> {
    let (mut again, mut numbers) = (Vec::new(), Vec::new());
    let mut has_category = false;
    for (name, text) in columns {
        let name = in_file(name);
        let is_number = canonical_or_code(name).is_some();
        let mut same = rows.clone().filter(|&row| text.value(row).trim() == name);
        if let Some(row) = same.next() {
            let count = 1 + same.count();
            has_category |= !is_number && count > 1 && count * 100 >= PERCENT * rows.len();
            again.push((name, row));
        } else if is_number && !may_be_a_name(name) && are_numbers(text, rows.clone()) {
            numbers.push(name);
        }
    }
    if !has_category && (again.len() + numbers.len()) * 2 < columns.len().max(1) {
        return None;
    }
    let mut why = Vec::new();
    if !again.is_empty() {
        let first = examples(again.iter().map(|&(name, row)| (quoted(name), place(row))));
        why.push(format!("{first} {} again below", if again.len() == 1 { "occurs" } else { "occur" }));
    }
    if let Some(first) = numbers.first() {
        why.push(format!("{} is a number, as are the values below", quoted(first)));
    }
    Some(format!(
        "{path}: the first line, which is taken for the names of the columns, looks like a record: {} (if it is one, write `header: false`)",
        why.join("; ")
    ))
}

fn may_be_a_name(number: &str) -> bool {
    number.len() <= DIGITS && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether most of what stands there is a number.
fn are_numbers(text: &StringArray, rows: Range<usize>) -> bool {
    let cells = || rows.clone().map(|row| text.value(row).trim()).filter(|cell| !cell.is_empty());
    cells().filter(|cell| canonical_or_code(cell).is_some()).count() * 2 > cells().count()
}
