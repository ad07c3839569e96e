//! The keys by which an audit compares rows: whole rows, groups, numbers, normalised texts, single columns.

use rayon::prelude::*;
use runner_results::profile::audit::RowKey;

use super::super::table::input::{Checked, ColumnData, PreparedColumn};
use super::super::table::key::{Key, MISSING};
use super::super::table::short::short;
use super::title;
use crate::progress::Cancelled;

pub(super) struct AuditKey<'a> {
    pub(crate) by: RowKey,
    pub(crate) key: Key,
    /// Pairs of equal rows to expect if the columns were independent; only for keys of values.
    pub(crate) expected_pairs: Option<f64>,
    /// Text columns that name a row in examples.
    shown: Vec<&'a [Option<String>]>,
}

impl AuditKey<'_> {
    /// What an example is called, by one of its rows; `None` when there is no text to call it by.
    pub(crate) fn title_of(&self, row: u32) -> Option<String> {
        let pieces: Vec<&str> = self.shown.iter().filter_map(|texts| texts[row as usize].as_deref()).collect();
        (!pieces.is_empty()).then(|| short(&pieces.join("\n"), 80))
    }
}

/// `telling`: columns that leak the label; rows are compared with and without them.
pub(super) fn of_table<'a>(input: &'a Checked<'a>, telling: &[&str]) -> Result<Vec<AuditKey<'a>>, Cancelled> {
    let near: Vec<&[Option<String>]> =
        input.options.near_duplicate_columns.iter().filter_map(|name| texts_of(input, name)).collect();
    let called: Vec<&[Option<String>]> = match input.groups.first() {
        _ if !near.is_empty() => near.clone(),
        Some(group) => vec![group.values],
        None => Vec::new(),
    };
    let columns: Vec<&PreparedColumn> = input.columns.iter().filter(|column| !is_row_counter(column)).collect();
    let all_of = |by: RowKey, keys: &[&Key]| {
        Ok(AuditKey {
            by,
            key: Key::all_of(keys, input.rows, &|| input.go_on())?,
            expected_pairs: Some(expected_pairs(keys, input.rows)),
            shown: called.clone(),
        })
    };
    let mut keys = Vec::new();
    let every: Vec<&Key> = columns.iter().map(|column| &column.key).collect();
    keys.push(all_of(RowKey::Rows { except: Vec::new() }, &every)?);
    let untold = columns.iter().filter(|column| !telling.contains(&column.name));
    let untold: Vec<&Key> = untold.map(|column| &column.key).collect();
    if untold.len() < every.len() && !untold.is_empty() {
        let except: Vec<String> = telling.iter().map(|name| name.to_string()).collect();
        keys.push(all_of(RowKey::Rows { except }, &untold)?);
    }
    for group in &input.groups {
        keys.push(AuditKey {
            by: RowKey::Group { name: group.name.into() },
            key: group.key.clone(),
            expected_pairs: None,
            shown: vec![group.values],
        });
    }
    if let Some(connected) = &input.connected
        && input.groups.len() > 1
    {
        keys.push(AuditKey {
            by: RowKey::Connected { by: input.groups.iter().map(|group| group.name.to_string()).collect() },
            key: connected.clone(),
            expected_pairs: None,
            shown: called.clone(),
        });
    }
    let is_number =
        |column: &&PreparedColumn| matches!(column.data, ColumnData::Numeric { .. }) && !is_identifier(column);
    let numeric: Vec<&PreparedColumn> = columns.iter().copied().filter(is_number).collect();
    if !numeric.is_empty() {
        let exact: Vec<&Key> = numeric.iter().map(|column| &column.key).collect();
        keys.push(all_of(RowKey::Numbers, &exact)?);
        let digits = input.options.near_duplicate_digits;
        let rounded = numeric.par_iter().map(|column| {
            input.go_on()?;
            Ok(rounded(column, digits))
        });
        let rounded: Vec<Key> = rounded.collect::<Result<_, Cancelled>>()?;
        let by = RowKey::RoundedNumbers { digits: digits as u64 };
        keys.push(all_of(by, &rounded.iter().collect::<Vec<_>>())?);
    }
    if !near.is_empty() {
        keys.push(AuditKey {
            by: RowKey::NormalisedText { columns: input.options.near_duplicate_columns.clone() },
            key: normalised(&near, input)?,
            expected_pairs: None,
            shown: near,
        });
    }
    for column in &input.columns {
        if let ColumnData::Text(values) = column.data
            && !input.groups.iter().any(|group| group.name == column.name)
        {
            keys.push(AuditKey {
                by: RowKey::Column { name: column.name.into() },
                key: column.key.clone(),
                expected_pairs: None,
                shown: vec![values],
            });
        }
    }
    Ok(keys)
}

fn texts_of<'a>(input: &Checked<'a>, name: &str) -> Option<&'a [Option<String>]> {
    input.columns.iter().find(|column| column.name == name).and_then(|column| match column.data {
        ColumnData::Text(values) => Some(values),
        ColumnData::Numeric { .. } => None,
    })
}

/// A column that counts rows up by one tells every row from its duplicate; it is no content.
pub(super) fn is_row_counter(column: &PreparedColumn) -> bool {
    match &column.data {
        ColumnData::Numeric { values, .. } => {
            values.len() > 2 && values.windows(2).all(|pair| pair[1] - pair[0] == 1.0)
        }
        ColumnData::Text(_) => false,
    }
}

/// Whole numbers of which no two rows have the same, in the order of the rows or without gaps between them: they name rows, and a measurement does not.
pub(super) fn is_identifier(column: &PreparedColumn) -> bool {
    const FEW_ROWS: usize = 20;
    let ColumnData::Numeric { values, order } = &column.data else { return false };
    let whole = |value: &f64| !value.is_finite() || value.fract() == 0.0;
    if order.len() < FEW_ROWS || column.key.distinct < order.len() || !values.iter().all(whole) {
        return false;
    }
    let (least, most) = (values[order[0] as usize], values[order[order.len() - 1] as usize]);
    order.is_sorted() || most - least < 2.0 * order.len() as f64
}

fn rounded(column: &PreparedColumn, digits: usize) -> Key {
    match &column.data {
        ColumnData::Numeric { values, .. } => Key::of_rounded_numbers(values, &column.key, digits),
        ColumnData::Text(_) => column.key.clone(),
    }
}

/// All pairs × the chance that a random pair is equal in every column. Related columns make more equal pairs than this.
fn expected_pairs(keys: &[&Key], rows: usize) -> f64 {
    let all = rows as f64 * (rows as f64 - 1.0) / 2.0;
    if all == 0.0 {
        0.0
    } else {
        all * keys.par_iter().map(|key| key.equal_pairs() / all).collect::<Vec<_>>().iter().product::<f64>()
    }
}

/// Missing where any of the texts is: a missing title with a known artist names nothing.
fn normalised(columns: &[&[Option<String>]], input: &Checked) -> Result<Key, Cancelled> {
    const ROWS_BETWEEN_LOOKS: usize = 4096;
    let keys = columns.par_iter().map(|texts| {
        let normal = texts.par_chunks(ROWS_BETWEEN_LOOKS).map(|texts| {
            input.go_on()?;
            Ok(texts.iter().map(|text| text.as_deref().map(title::normalise)).collect())
        });
        let normal: Vec<Vec<Option<String>>> = normal.collect::<Result<_, Cancelled>>()?;
        Ok(Key::of_texts(normal.iter().flatten().map(Option::as_deref)))
    });
    let keys: Vec<Key> = keys.collect::<Result<_, Cancelled>>()?;
    let joined = Key::all_of(&keys.iter().collect::<Vec<_>>(), input.rows, &|| input.go_on())?;
    let complete = |row: usize| keys.iter().all(|key| key.codes[row] != MISSING);
    Ok(Key::of(joined.codes.iter().enumerate().map(|(row, &code)| complete(row).then_some(code))))
}
