//! What each column of a table seems to be: numbers, categories, texts, dates, identifiers.
//!
//! A proposal with its numbers, for somebody to read and change: nothing in the engine rests on it.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::date;

/// What a column holds, as far as its values tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing in any row.
    Empty,
    /// The same in every row.
    Constant,
    /// Another value in every row, which tells rows apart and nothing else.
    Identifier,
    /// Numbers.
    Number,
    /// A few values, each in many rows.
    Category,
    /// Dates, of which the year can be read.
    Date,
    /// Words.
    Text,
}

/// A column and what its role rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnRole {
    /// As in the table.
    pub name: String,
    /// The proposal.
    pub role: Role,
    /// Rows that have no value.
    pub missing: usize,
    /// Different values.
    pub distinct: usize,
    /// Words of a value on average; 0 for numbers.
    pub words: f64,
    /// Rows whose value is a date.
    pub dates: usize,
}

/// Columns with at most so many values are categories, whatever else they look like.
const FEW: usize = 30;

/// Values of which at least this share are dates make a column of dates.
const DATES: f64 = 0.95;

/// Fewer rows than these cannot tell an identifier from a measurement.
const LEAST_ROWS: usize = 20;

/// The user's columns of a loaded table, but the label, in their order.
pub fn column_roles(table: &RecordBatch, label: Option<&str>) -> Vec<ColumnRole> {
    let schema = table.schema();
    let own = schema.fields().iter().zip(table.columns());
    own.filter(|(field, _)| super::names::added_as(field.name()).is_none() && Some(field.name().as_str()) != label)
        .map(|(field, column)| match field.data_type() {
            DataType::Utf8 => of_texts(field.name(), column),
            _ => of_numbers(field.name(), column),
        })
        .collect()
}

fn of_numbers(name: &str, column: &ArrayRef) -> ColumnRole {
    let is_whole = column.data_type().is_integer();
    let values: Vec<f64> = cast(column, &DataType::Float64)
        .map(|numbers| numbers.as_primitive::<Float64Type>().iter().flatten().filter(|x| !x.is_nan()).collect())
        .unwrap_or_default();
    let mut sorted = values.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let (rows, distinct) = (values.len(), sorted.len());
    let role = match distinct {
        0 => Role::Empty,
        1 if rows == column.len() => Role::Constant,
        // Measurements may differ in every row; a count of rows leaves hardly a number out.
        _ if is_whole && distinct == rows && rows >= LEAST_ROWS && is_dense(&sorted) => Role::Identifier,
        _ => Role::Number,
    };
    ColumnRole { name: name.to_owned(), role, missing: column.len() - rows, distinct, words: 0.0, dates: 0 }
}

/// Whether whole numbers are close together, as those of a counter of which some rows were taken out.
fn is_dense(sorted: &[f64]) -> bool {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return false };
    last - first < 3.0 * sorted.len() as f64
}

fn of_texts(name: &str, column: &ArrayRef) -> ColumnRole {
    let texts = column.as_string::<i32>();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    texts.iter().flatten().for_each(|text| *counts.entry(text).or_default() += 1);
    let (rows, distinct) = (counts.values().sum::<usize>(), counts.len());
    // By value: a date or a text is looked at once, in however many rows it stands.
    let sum = |of: &dyn Fn(&str) -> usize| counts.iter().map(|(text, rows)| of(text) * rows).sum::<usize>();
    let words = sum(&|text| text.split_whitespace().count()) as f64 / rows.max(1) as f64;
    let dates = sum(&|text| usize::from(date::year(text).is_some() && text.len() > 4));
    let role = match distinct {
        0 => Role::Empty,
        1 if rows == column.len() => Role::Constant,
        _ if dates as f64 >= DATES * rows as f64 => Role::Date,
        _ if distinct <= FEW && 2 * distinct <= rows => Role::Category,
        _ if words >= 3.0 => Role::Text,
        _ if distinct == rows && rows >= LEAST_ROWS && words < 1.5 => Role::Identifier,
        // Names of two words that hardly ever come again say more by their words.
        _ if words >= 1.5 && 2 * distinct > rows => Role::Text,
        _ => Role::Category,
    };
    ColumnRole { name: name.to_owned(), role, missing: column.len() - rows, distinct, words, dates }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, LoadOptions, load};

    fn roles_of(header: &str, row: impl Fn(usize) -> String) -> Vec<(String, Role)> {
        let text: String =
            std::iter::once(header.to_owned()).chain((0..200).map(row)).map(|line| line + "\n").collect();
        let input = Input { name: "all", path: "all.csv", bytes: text.as_bytes() };
        let loaded = load(&[input], &LoadOptions::default()).expect("a table");
        column_roles(&loaded.batch, Some("y")).into_iter().map(|column| (column.name, column.role)).collect()
    }

    #[test]
    fn columns_are_what_their_values_tell() {
        let found = roles_of("id,uuid,price,flag,colour,city,when,title,name,nothing,same,y", |i| {
            format!(
                "{},u{i:x}q{},{}.{},{},{},city{},\"{} May {}\",the {} song of number {},Ann {} Miller{i},,1,{}",
                1000 + i,
                i * 7919 % 1009,
                i * 37 % 90,
                i % 10,
                i % 2,
                ["red", "green", "blue"][i % 3],
                i % 60,
                i % 28 + 1,
                1990 + i % 20,
                i % 17,
                i,
                i % 40,
                ["a", "b"][i % 2]
            )
        });
        let expected = [
            ("id", Role::Identifier),
            ("uuid", Role::Identifier),
            ("price", Role::Number),
            ("flag", Role::Number),
            ("colour", Role::Category),
            ("city", Role::Category),
            ("when", Role::Date),
            ("title", Role::Text),
            ("name", Role::Text),
            ("nothing", Role::Empty),
            ("same", Role::Constant),
        ];
        assert_eq!(found, expected.map(|(name, role)| (name.to_owned(), role)));
    }
}
