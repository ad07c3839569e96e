//! What a study does with each column, and why.

use std::collections::{BTreeSet, HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use indexmap::IndexMap;

use super::super::Failure;
use super::rows::{rows_at, texts};
use crate::boundary::text::yaml;
use crate::ml::frame::{Column, Frame};
use crate::ml::profile::{ProfileInput, ProfileOptions, profile};
use crate::ml::progress::Silent;
use crate::results::profile::audit::TargetLeakVerdict;
use crate::tabular::names::added_as;
use crate::tabular::{BEYOND_F32, ColumnRole, DateOrder, DateSpan, Role, is_exact};

/// What a study does with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Numeric,
    Category,
    Text,
    /// Parts of its dates, as numbers.
    Date,
    /// The numbers in its texts.
    Quantity,
    /// Whether its cells have each of the most frequent values.
    Elements,
    LeftOut,
}

/// A column with its use, and the reason with its numbers.
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) use_: Use,
    pub(super) why: String,
    /// Whether it alone tells the label so well that it may not be known when one predicts.
    pub(super) may_leak: bool,
    /// Columns of numbers that are made of it, by names that no column has: how, as YAML.
    pub(super) derived: Vec<(String, String)>,
}

/// Rows that are looked at for leaks and copies; of more, as many evenly from all.
const AUDITED: usize = 20_000;

/// Columns but those of numbers that lack more than this share of their values are left out.
const ALMOST_EMPTY: f64 = 0.95;

/// Of some columns what they alone say of the label.
pub(super) struct Alone {
    /// The share of all rows on which a look-up is right.
    right: f64,
    verdict: TargetLeakVerdict,
}

pub(super) fn audited(table: &RecordBatch, label: &str) -> Result<HashMap<String, Alone>, Failure> {
    let rows = table.num_rows();
    let every = rows.div_ceil(AUDITED).max(1);
    let some = rows_at(table, (0..rows).step_by(every).collect())?;
    let labels = texts(&some, label)?;
    let classes: Vec<String> = labels.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let codes = labels
        .iter()
        .map(|label| label.as_ref().and_then(|label| classes.binary_search(label).ok()).map(|class| class as u32));
    let codes: Vec<Option<u32>> = codes.collect();
    let mut frame = Frame::new(some.num_rows());
    for (field, column) in some.schema().fields().iter().zip(some.columns()) {
        if added_as(field.name()).is_some() || field.name() == label || column.null_count() == column.len() {
            continue;
        }
        frame.insert(field.name().clone(), in_frame(column)?);
    }
    let input = ProfileInput {
        frame: &frame,
        label: &codes,
        classes: &classes,
        part: None,
        groups: IndexMap::new(),
        origins: None,
        seed: 1,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let found = profile(&input, &ProfileOptions::default(), threads, &Silent)?;
    let alone = found.audit.target_leaks.into_iter().map(|leak| {
        let (right, verdict) = (leak.row_folds.accuracy * leak.row_folds.coverage, leak.verdict);
        (leak.column, Alone { right, verdict })
    });
    Ok(alone.collect())
}

fn in_frame(column: &ArrayRef) -> Result<Column, Failure> {
    if column.data_type() == &DataType::Utf8 {
        let texts = column.as_string::<i32>().iter().map(|text| text.map(str::to_owned));
        return Ok(Column::Text(texts.collect()));
    }
    // Whole numbers that would be one as floats are names.
    if column.as_primitive_opt::<Int64Type>().is_some_and(|integers| !integers.iter().flatten().all(is_exact)) {
        return in_frame(&cast(column, &DataType::Utf8)?);
    }
    let numbers = cast(column, &DataType::Float64)?;
    Ok(Column::Numeric(numbers.as_primitive::<Float64Type>().iter().map(|x| x.unwrap_or(f64::NAN)).collect()))
}

/// A number of the column in which no model computes, with its place in whichever file: `1e39 (data.csv:62)`.
pub(super) fn beyond(table: &RecordBatch, name: &str) -> Option<String> {
    let field = table.schema_ref().field_with_name(name).ok()?;
    let places: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(field.metadata().get(BEYOND_F32)?).ok()?;
    let (row, place) = places.iter().min_by_key(|(row, _)| row.parse::<usize>().unwrap_or(usize::MAX))?;
    let values = table.column_by_name(name)?.as_primitive_opt::<Float64Type>()?;
    Some(format!("{:e} ({})", values.value(row.parse().ok()?), place.as_str()?))
}

/// By what columns are left out.
pub(super) struct Limits {
    pub(super) rows: usize,
    /// A look-up that is right on this share of all rows is the label under another name.
    pub(super) is_the_label: f64,
}

pub(super) fn chosen(
    column: &ColumnRole,
    limits: &Limits,
    in_new: Option<&[String]>,
    audited: &HashMap<String, Alone>,
    beyond: Option<String>,
) -> Chosen {
    let ColumnRole { name, role, missing, distinct, words, dates, .. } = column;
    let rows = limits.rows;
    let choose =
        |use_: Use, why: String| Chosen { name: name.clone(), use_, why, may_leak: false, derived: Vec::new() };
    if in_new.is_some_and(|names| !names.contains(name)) {
        return choose(Use::LeftOut, "the file to predict does not have it".to_owned());
    }
    let alone = audited.get(name);
    if let Some(Alone { right, .. }) = alone.filter(|alone| alone.right >= limits.is_the_label) {
        return choose(
            Use::LeftOut,
            format!("leaks the label: alone it is right on {:.1} % of the rows", 100.0 * right),
        );
    }
    if let Some(beyond) = beyond.or(column.beyond.as_ref().map(|text| format!("'{text}'"))).filter(|_| {
        // Neither is learnt from.
        !matches!(role, Role::Constant | Role::Identifier)
    }) {
        return choose(
            Use::LeftOut,
            format!(
                "{beyond} is beyond the numbers that models learn from, ±3.4e38: correct it and begin anew, or write it under `missing` and the column under `numeric`"
            ),
        );
    }
    // Of so few values some part of the data would have none.
    let is_almost_empty = *missing as f64 > ALMOST_EMPTY * rows as f64;
    if is_almost_empty && !matches!(role, Role::Empty | Role::Number) {
        return choose(Use::LeftOut, format!("{missing} of {rows} rows have no value"));
    }
    let gaps = if *missing > 0 { format!(", {missing} missing") } else { String::new() };
    let (use_, mut why) = match role {
        Role::Empty => (Use::LeftOut, "no value in any row to learn from".to_owned()),
        Role::Constant => (Use::LeftOut, "the same in every row".to_owned()),
        Role::Identifier => (Use::LeftOut, format!("another value in every one of {distinct} rows: an identifier")),
        Role::Number => (Use::Numeric, format!("numbers, {distinct} different{gaps}")),
        Role::Category => (Use::Category, format!("{distinct} categories{gaps}")),
        Role::Date => (Use::Date, format!("dates in {dates} rows{gaps}")),
        Role::Quantity => (Use::Quantity, format!("texts with a number{gaps}{}", of_units(&column.units))),
        Role::Elements => {
            let elements = column.elements.len();
            (Use::Elements, format!("several of {elements} values in a cell{gaps}{}", most_frequent(elements)))
        }
        Role::Text => (Use::Text, format!("texts of {words:.0} words on average, {distinct} different{gaps}")),
    };
    let (derived, said) = derived(column, use_);
    why.push_str(&said);
    let leaks = alone.filter(|alone| alone.verdict == TargetLeakVerdict::Leaks && use_ != Use::LeftOut);
    if let Some(Alone { right, .. }) = leaks {
        why.push_str(&format!(
            "; alone it is right on {:.1} % of the rows: leave it out if it is not known when you predict",
            100.0 * right
        ));
    }
    Chosen { derived, may_leak: leaks.is_some(), ..choose(use_, why) }
}

/// Values of a cell that become columns.
const ELEMENTS: usize = 20;

fn most_frequent(elements: usize) -> String {
    if elements > ELEMENTS { format!(": the {ELEMENTS} most frequent count") } else { String::new() }
}

/// The units of numbers, where there are any.
fn of_units(units: &[(String, usize)]) -> String {
    let named = units.iter().filter(|(unit, _)| !unit.is_empty());
    let named: Vec<String> = named.map(|(unit, rows)| format!("'{unit}' in {rows} rows")).collect();
    if named.is_empty() { String::new() } else { format!(", {}", named.join(", ")) }
}

/// What is made of a column, each by what its name ends in, and what to say of it.
fn derived(column: &ColumnRole, use_: Use) -> (Vec<(String, String)>, String) {
    let name = yaml(&column.name);
    match use_ {
        Use::Date => dates(&name, column.span),
        Use::Quantity => {
            let made = |unit: &String| match column.units.len() {
                1 => ("number".to_owned(), format!("{{number_of: {name}}}")),
                _ if unit.is_empty() => ("number".to_owned(), format!("{{number_of: {name}, unit: ''}}")),
                _ => (unit.clone(), format!("{{number_of: {name}, unit: {}}}", yaml(unit))),
            };
            (column.units.iter().map(|(unit, _)| made(unit)).collect(), String::new())
        }
        Use::Elements => {
            let separator = column.separator.unwrap_or(',').to_string();
            let beside = if separator == "," { String::new() } else { format!(", separator: {}", yaml(&separator)) };
            let made = |(element, _): &(String, usize)| {
                (element.clone(), format!("{{has: {}, of: {name}{beside}}}", yaml(element)))
            };
            (column.elements.iter().take(ELEMENTS).map(made).collect(), String::new())
        }
        _ => (Vec::new(), String::new()),
    }
}

/// The year of dates; where they span less than three, what tells more.
fn dates(name: &str, span: Option<DateSpan>) -> (Vec<(String, String)>, String) {
    let year = || ("year".to_owned(), format!("{{year_of: {name}}}"));
    let Some(DateSpan { years: (first, last), has_days, has_hours, order }) = span else {
        return (vec![year()], ": the year counts".to_owned());
    };
    let order = match order {
        DateOrder::Plain => Some(String::new()),
        DateOrder::Known { day_first } => Some(format!(", day_first: {day_first}")),
        DateOrder::Unknown => None,
    };
    let is_short = last - first < 3 && has_days;
    let mut made = Vec::new();
    if first < last || !is_short || order.is_none() {
        made.push(year());
    }
    if let Some(order) = order.as_ref().filter(|_| is_short) {
        made.push(("month".to_owned(), format!("{{month_of: {name}{order}}}")));
        made.push(("weekday".to_owned(), format!("{{weekday_of: {name}{order}}}")));
        made.push(("days".to_owned(), format!("{{days_of: {name}, since: {first:04}-01-01{order}}}")));
    }
    if has_hours {
        made.push(("hour".to_owned(), format!("{{hour_of: {name}}}")));
    }
    let parts: Vec<&str> = made.iter().map(|(part, _)| part.as_str()).collect();
    let said = match parts.as_slice() {
        [one] => format!(": the {one} counts"),
        [all @ .., last] => format!(": {} and {last} count", all.join(", ")),
        [] => String::new(),
    };
    let unknown = match order {
        None if is_short => "; say `day_first` to have the month too, as day and month cannot be told apart",
        _ => "",
    };
    (made, format!("{said}{unknown}"))
}

/// Gives derived columns names that no other column has.
pub(super) fn name_derived(columns: &mut [Chosen], label: &str) {
    let mut taken: HashSet<String> =
        columns.iter().map(|column| column.name.clone()).chain([label.to_owned()]).collect();
    for column in columns {
        for (name, _) in &mut column.derived {
            let first = format!("{} {name}", column.name);
            let numbered = (2..).map(|number: usize| format!("{first} {number}"));
            let free = std::iter::once(first.clone()).chain(numbered).find(|name| !taken.contains(name));
            *name = free.unwrap_or(first.clone());
            taken.insert(name.clone());
        }
    }
}
