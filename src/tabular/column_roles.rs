//! What each column of a table seems to be: numbers, categories, texts, dates, identifiers.
//!
//! A proposal with its numbers, for somebody to read and change: nothing in the engine rests on it.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::date;
use super::exact::is_exact;
use super::numerals::Numerals;
use super::quantity::{mere_quantity, quantity};

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
    /// Texts that are a number with its unit.
    Quantity,
    /// Cells of several values.
    Elements,
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
    /// Of a column of dates.
    pub span: Option<DateSpan>,
    /// Of a column of quantities, the rows of each unit, the most frequent first; one of no unit where there is none.
    pub units: Vec<(String, usize)>,
    /// Of a column of several values, what stands between them.
    pub separator: Option<char>,
    /// Its values and their rows, the most frequent first.
    pub elements: Vec<(String, usize)>,
    /// Of texts with a number, one whose number is beyond 32 bits, in which models compute; columns of numbers say so by [`super::BEYOND_F32`].
    pub beyond: Option<String>,
}

/// What is known of dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateSpan {
    /// The first year and the last one.
    pub years: (i64, i64),
    /// Whether all of the day is known of nearly all.
    pub has_days: bool,
    /// Whether nearly all have a time of day, and not always the same hour.
    pub has_hours: bool,
    /// How dates are to be read where both the day and the month are numbers: not at all, where some can be read both ways and no other tells.
    pub order: DateOrder,
}

/// Whether the day stands before the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Every date has one reading.
    Plain,
    /// Those of one reading say so of all others.
    Known {
        /// The day stands first.
        day_first: bool,
    },
    /// Nothing tells.
    Unknown,
}

impl ColumnRole {
    fn new(name: &str, role: Role, missing: usize, distinct: usize) -> Self {
        ColumnRole {
            name: name.to_owned(),
            role,
            missing,
            distinct,
            words: 0.0,
            dates: 0,
            span: None,
            units: Vec::new(),
            separator: None,
            elements: Vec::new(),
            beyond: None,
        }
    }
}

/// Columns with at most so many values are categories, whatever else they look like.
const FEW: usize = 30;

/// Values of which at least this share are dates make a column of dates.
const MOST: f64 = 0.95;

/// Values of which at least this share are numbers with a unit make a column of numbers; the others, as `varies`, have none.
const QUANTITIES: f64 = 0.8;

/// More units than these are words behind numbers.
const UNITS: usize = 5;

/// What may stand between the values of a cell.
const SEPARATORS: [char; 4] = [',', ';', '|', '/'];

/// More values than these are no vocabulary that columns are made of.
const ELEMENTS: usize = 200;

/// Fewer rows than these cannot tell an identifier from a measurement.
const LEAST_ROWS: usize = 20;

/// The user's columns of a loaded table, but the label, in their order.
pub fn column_roles(table: &RecordBatch, label: Option<&str>) -> Vec<ColumnRole> {
    let schema = table.schema();
    let own = schema.fields().iter().zip(table.columns());
    own.filter(|(field, _)| super::names::added_as(field.name()).is_none() && Some(field.name().as_str()) != label)
        .map(|(field, column)| match field.data_type() {
            DataType::Utf8 => of_texts(field.name(), column, Numerals::of_field(field)),
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
    let (rows, mut distinct) = (values.len(), sorted.len());
    let mut has_more_digits = false;
    if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
        distinct = integers.iter().flatten().collect::<HashSet<i64>>().len();
        has_more_digits = integers.iter().flatten().any(|integer| !is_exact(integer));
    }
    let role = match distinct {
        0 => Role::Empty,
        1 if rows == column.len() => Role::Constant,
        // Measurements may differ in every row; a count of rows leaves hardly a number out.
        _ if is_whole && distinct == rows && rows >= LEAST_ROWS && is_dense(&sorted) => Role::Identifier,
        // What has more digits than a number holds is a name.
        _ if has_more_digits && distinct == rows => Role::Identifier,
        _ if has_more_digits => Role::Category,
        _ => Role::Number,
    };
    ColumnRole::new(name, role, column.len() - rows, distinct)
}

/// Whether whole numbers are close together, as those of a counter of which some rows were taken out.
fn is_dense(sorted: &[f64]) -> bool {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return false };
    last - first < 3.0 * sorted.len() as f64
}

fn of_texts(name: &str, column: &ArrayRef, numerals: Numerals) -> ColumnRole {
    let texts = column.as_string::<i32>();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    texts.iter().flatten().for_each(|text| *counts.entry(text).or_default() += 1);
    let (rows, distinct) = (counts.values().sum::<usize>(), counts.len());
    // By value: a date or a text is looked at once, in however many rows it stands.
    let sum = |of: &dyn Fn(&str) -> usize| counts.iter().map(|(text, rows)| of(text) * rows).sum::<usize>();
    let words = sum(&|text| text.split_whitespace().count()) as f64 / rows.max(1) as f64;
    let dates = sum(&|text| usize::from(date::year(text).is_some()));
    // Years alone are numbers as well; among dates they are dates.
    let whole_dates = sum(&|text| usize::from(text.len() > 4 && date::year(text).is_some()));
    let units = units(&counts, numerals);
    let of_quantities: usize = units.iter().map(|(_, rows)| rows).sum();
    let several = elements(&counts);
    let is_most = |some: usize| some as f64 >= MOST * rows as f64;
    let role = match distinct {
        0 => Role::Empty,
        1 if rows == column.len() => Role::Constant,
        _ if is_most(dates) && 2 * whole_dates >= rows => Role::Date,
        _ if of_quantities as f64 >= QUANTITIES * rows as f64 && units.len() <= UNITS => Role::Quantity,
        _ if distinct > FEW && several.is_some() => Role::Elements,
        _ if distinct <= FEW && 2 * distinct <= rows => Role::Category,
        _ if words >= 3.0 => Role::Text,
        _ if distinct == rows && rows >= LEAST_ROWS && words < 1.5 => Role::Identifier,
        // Names of two words that hardly ever come again say more by their words.
        _ if words >= 1.5 && 2 * distinct > rows => Role::Text,
        _ => Role::Category,
    };
    let mut found = ColumnRole { words, dates, ..ColumnRole::new(name, role, column.len() - rows, distinct) };
    match role {
        Role::Date => found.span = span(&counts),
        Role::Quantity => {
            found.units = units;
            let is_beyond =
                |text: &&&str| quantity(text, numerals).is_some_and(|found| !(found.value as f32).is_finite());
            found.beyond = counts.keys().filter(is_beyond).min().map(|text| (*text).to_owned());
        }
        Role::Elements => {
            (found.separator, found.elements) = several.map(|(c, all)| (Some(c), all)).unwrap_or_default()
        }
        _ => {}
    }
    found
}

/// The rows of each unit, the most frequent first, of the values that are a number and its unit.
fn units(counts: &HashMap<&str, usize>, numerals: Numerals) -> Vec<(String, usize)> {
    let mut units: BTreeMap<String, usize> = BTreeMap::new();
    for (text, rows) in counts {
        if let Some(found) = mere_quantity(text, numerals) {
            *units.entry(found.unit).or_default() += rows;
        }
    }
    most_frequent(units)
}

fn most_frequent(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    counts
}

/// What stands between the values of the cells, and these with their rows: where a tenth of the cells has several, and they are far fewer than the cells' texts
/// and come again and again.
fn elements(counts: &HashMap<&str, usize>) -> Option<(char, Vec<(String, usize)>)> {
    let rows: usize = counts.values().sum();
    let several = |separator: char| {
        counts.iter().filter(|(text, _)| text.contains(separator)).map(|(_, rows)| rows).sum::<usize>()
    };
    let separator = SEPARATORS.into_iter().rev().max_by_key(|separator| several(*separator))?;
    if several(separator) * 10 < rows {
        return None;
    }
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for (text, rows) in counts {
        let mut of_cell: Vec<&str> =
            text.split(separator).map(str::trim).filter(|element| !element.is_empty()).collect();
        of_cell.sort_unstable();
        of_cell.dedup();
        of_cell.into_iter().for_each(|element| *found.entry(element.to_owned()).or_default() += rows);
        if found.len() > ELEMENTS {
            return None;
        }
    }
    (2 * found.len() <= counts.len()).then(|| (separator, most_frequent(found)))
}

/// What dates tell besides the year.
fn span(counts: &HashMap<&str, usize>) -> Option<DateSpan> {
    let read: Vec<(date::Date, usize)> =
        counts.iter().filter_map(|(text, rows)| Some((date::read(text, None)?, *rows))).collect();
    let rows: usize = read.iter().map(|(_, rows)| rows).sum();
    let sum = |of: &dyn Fn(&date::Date) -> bool| {
        read.iter().filter(|(date, _)| of(date)).map(|(_, rows)| rows).sum::<usize>()
    };
    let is_most = |some: usize| some as f64 >= MOST * rows as f64;
    let of = |order: date::Order| sum(&|date| date.order == order);
    let order = match (of(date::Order::DayFirst), of(date::Order::MonthFirst), of(date::Order::Either)) {
        (_, _, 0) => DateOrder::Plain,
        (0, 0, _) => DateOrder::Unknown,
        (_, 0, _) => DateOrder::Known { day_first: true },
        (0, ..) => DateOrder::Known { day_first: false },
        _ => DateOrder::Unknown,
    };
    let has_days = is_most(sum(&|date| date.calendar().is_some() || date.order == date::Order::Either));
    let first_hour = read.iter().find_map(|(date, _)| date.hour);
    let has_hours = is_most(sum(&|date| date.hour.is_some())) && sum(&|date| date.hour != first_hour) > 0;
    let years = || read.iter().filter_map(|(date, _)| date.year);
    Some(DateSpan { years: (years().min()?, years().max()?), has_days, has_hours, order })
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
        let found = roles_of("id,length,kinds,uuid,price,flag,colour,city,when,title,name,nothing,same,y", |i| {
            let kinds = ["Dramas", "Comedies", "Horror", "Cult", "Kids", "Docs", "War"];
            format!(
                "{},{} min,\"{}, {}, {}\",u{i:x}q{},{}.{},{},{},city{},\"{} May {}\",the {} song of number {},Ann {} Miller{i},,1,{}",
                1000 + i,
                i % 97,
                kinds[i % 7],
                kinds[i / 7 % 7],
                kinds[i / 49 % 7],
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
            ("length", Role::Quantity),
            ("kinds", Role::Elements),
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

    #[test]
    fn years_among_dates_are_dates_and_codes_are_no_quantities() {
        let found = roles_of("released,zip,y", |i| {
            let released =
                if i % 4 == 0 { format!("{}", 1950 + i % 60) } else { format!("{}-0{}-11", 1950 + i % 60, i % 9 + 1) };
            format!("{released},0{},{}", 1000 + i % 50, i % 2)
        });
        assert_eq!(found, [("released".to_owned(), Role::Date), ("zip".to_owned(), Role::Category)]);
    }

    // min, max, and which of "05/03/2021" (either) and "25/03/2021" (the day first) tell the order
    #[test]
    fn what_dates_tell_of_their_order_and_hours() {
        let span_of = |texts: &[&str]| {
            let counts: HashMap<&str, usize> = texts.iter().map(|text| (*text, 1)).collect();
            span(&counts).expect("dates")
        };
        let found = span_of(&["05/03/2021 10:00", "25/03/2022 11:00"]);
        let expected = DateSpan {
            years: (2021, 2022),
            has_days: true,
            has_hours: true,
            order: DateOrder::Known { day_first: true },
        };
        assert_eq!(found, expected);
        assert_eq!(span_of(&["05/03/2021", "03/25/2021"]).order, DateOrder::Known { day_first: false });
        assert_eq!(span_of(&["05/03/2021", "03/25/2021", "25/03/2021"]).order, DateOrder::Unknown);
        assert_eq!(span_of(&["05/03/2021", "06/03/2021"]).order, DateOrder::Unknown);
        let plain = span_of(&["2021-03-05", "2021-03"]);
        assert_eq!((plain.order, plain.has_days, plain.has_hours), (DateOrder::Plain, false, false));
        // Midnight in every row says nothing.
        assert!(!span_of(&["2021-03-05 00:00", "2021-03-06 00:00"]).has_hours);
    }
}
