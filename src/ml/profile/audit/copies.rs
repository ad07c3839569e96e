//! Rows that are copies of others: equal in all columns, of which one hardly has a value twice by chance.

use super::super::table::input::{Checked, ColumnData, PreparedColumn};
use super::super::table::key::Key;
use super::keys::is_row_counter;
use crate::progress::Cancelled;

/// Distinct values from which on a measurement or a text repeats with its row rather than by chance.
const MANY: usize = 32;

/// Words, or characters, of a text that is no name of a category, on average.
const WORDS: usize = 4;
const CHARACTERS: usize = 20;

/// The key of whole rows; `None` where none is a copy of another, or where all columns are categories, whose combinations repeat rightly.
pub(super) fn of_table(input: &Checked) -> Result<Option<Key>, Cancelled> {
    let columns: Vec<&PreparedColumn> = input.columns.iter().filter(|column| !is_row_counter(column)).collect();
    if !columns.iter().any(|column| column.key.distinct > MANY && is_content(column)) {
        return Ok(None);
    }
    let every: Vec<&Key> = columns.iter().map(|column| &column.key).collect();
    let rows = Key::all_of(&every, input.rows, &|| input.go_on())?;
    Ok((rows.distinct < input.rows).then_some(rows))
}

fn is_content(column: &PreparedColumn) -> bool {
    match &column.data {
        ColumnData::Numeric { values, .. } => values.iter().any(|value| value.is_finite() && value.fract() != 0.0),
        ColumnData::Text(values) => {
            let present = || values.iter().flatten();
            let words: usize = present().map(|text| text.split_whitespace().count()).sum();
            let characters: usize = present().map(|text| text.chars().count()).sum();
            let texts = present().count();
            words >= WORDS * texts || characters >= CHARACTERS * texts
        }
    }
}
