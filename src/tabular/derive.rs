//! `Derivation`: a new column computed from one column or several, row by row: no row's value depends on another row.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::column_type::ColumnType;
use super::date::{self, Order};
use super::date_format::Format;
use super::derivation::{Derivation, Part};
use super::numerals::Numerals;
use super::quantity::{quantity, unit};

/// A column to derive from, and its cells as the file has them.
pub(super) struct Source<'a> {
    pub(super) column: &'a ArrayRef,
    /// `None` of a column that is derived itself.
    pub(super) written: Option<&'a StringArray>,
}

impl Source<'_> {
    /// The texts of the cells. Those of a column of numbers are as the file has them, so that the types, which other rows decide, change nothing.
    fn texts(&self) -> Option<StringArray> {
        match (self.column.as_string_opt::<i32>(), self.written) {
            (Some(texts), _) => Some(texts.clone()),
            (None, Some(written)) => {
                let cells = written.iter().enumerate();
                Some(cells.map(|(row, cell)| cell.filter(|_| !self.column.is_null(row)).map(str::trim)).collect())
            }
            (None, None) => Some(cast(self.column, &DataType::Utf8).ok()?.as_string::<i32>().clone()),
        }
    }

    /// A cell as a message shows it.
    pub(super) fn cell(&self, row: usize) -> String {
        match self.written {
            Some(written) => written.value(row).to_owned(),
            None => {
                let cell = cast(&self.column.slice(row, 1), &DataType::Utf8).ok();
                cell.map_or(String::new(), |cell| cell.as_string::<i32>().value(0).to_owned())
            }
        }
    }
}

/// A derived column, and what to tell of it.
pub(super) struct Derived {
    pub(super) column: ArrayRef,
    /// Rows that have a value of which nothing could be made.
    pub(super) lost: Vec<usize>,
    /// Rows with dates whose day and month cannot be told apart, where these are needed.
    pub(super) ambiguous: Vec<usize>,
    /// Rows with dates whose day can only be the first number, and only the second.
    pub(super) orders: [usize; 2],
    /// Rows by the unit of their number.
    pub(super) units: BTreeMap<String, usize>,
}

impl Derived {
    fn new(column: ArrayRef) -> Self {
        let (lost, ambiguous) = (Vec::new(), Vec::new());
        Derived { column, lost, ambiguous, orders: [0, 0], units: BTreeMap::new() }
    }
}

impl Derivation {
    /// What the derivation can be made of, for messages.
    pub(super) fn domain(&self) -> String {
        let date = "dates such as 2021, 2021-09-25, 25/09/2021, 25 Sep 2021 and September 25, 2021 are read";
        match self.date() {
            Some((_, Some(format), _)) => return format!("only what is written as `format` says, {format}, is read"),
            Some((Part::Year, ..)) => return format!("{date}; a year needs four digits"),
            Some((Part::Hour, ..)) => {
                return "times such as 22:15 and 10:15 PM are read, alone or beside a date".to_owned();
            }
            Some((Part::Month, ..)) => return format!("{date}; a year needs four digits, and a month must be there"),
            Some(_) => return format!("{date}; a year needs four digits, and a day must be there"),
            None => {}
        }
        let domain = match self {
            Derivation::Logarithm { .. } => "only positive numbers have a logarithm",
            Derivation::Sine { .. } | Derivation::Cosine { .. } => {
                "the value divided by the period is too large for a number: is the period right?"
            }
            _ => "a text must have one number, as 90 min, $1,200 or 12k, not none or several",
        };
        domain.to_owned()
    }

    /// The type of the derived column.
    pub(super) fn data_type(&self) -> DataType {
        match self.gives() {
            ColumnType::Integer => DataType::Int64,
            ColumnType::Number => DataType::Float64,
            ColumnType::Text => DataType::Utf8,
        }
    }

    /// About as many bytes as the texts of the derived column have at most, where texts are what it holds.
    pub(super) fn bytes(&self, sources: &[Source]) -> Option<usize> {
        /// Of a number that is written out.
        const NUMBER: usize = 24;
        let Derivation::Joined { separator, .. } = self else { return None };
        let of = |source: &Source| match source.column.as_string_opt::<i32>() {
            Some(texts) => texts.value_data().len(),
            None => NUMBER * source.column.len(),
        };
        let rows = sources.first().map_or(0, |first| first.column.len());
        let between = separator.len().saturating_mul(rows).saturating_mul(sources.len());
        Some(sources.iter().map(of).fold(between, usize::saturating_add))
    }

    /// The derived column, as long as those it is made of; `None` when a number is needed and the column holds texts.
    pub(super) fn apply(&self, sources: &[Source], numerals: Numerals) -> Option<Derived> {
        let first = sources.first()?;
        if sources.iter().all(|source| source.column.null_count() == source.column.len()) {
            // Nothing tells of which type a column without a value is.
            return Some(Derived::new(new_null_array(&self.data_type(), first.column.len())));
        }
        if self.needs_numbers() {
            return self.of_numbers(first.column);
        }
        let texts = sources.iter().map(Source::texts).collect::<Option<Vec<StringArray>>>()?;
        let text = &texts[0];
        if let Some((part, format, day_first)) = self.date() {
            // A number with separators of thousands is one without, e.g. the year 1.990.
            let is_plain = first.column.data_type() == &DataType::Utf8 || format.is_some();
            let plain = |text| if is_plain { Cow::Borrowed(text) } else { numerals.plain(text) };
            return dated(text.iter().map(|text| text.map(plain)), &part, format, day_first);
        }
        let column: ArrayRef = match self {
            Derivation::Number { unit: wanted, .. } => return Some(numbered(text, wanted.as_deref(), numerals)),
            Derivation::Length { .. } => {
                Arc::new(text.iter().map(|text| Some(text?.chars().count() as i64)).collect::<Int64Array>())
            }
            Derivation::Joined { separator, .. } => {
                let joined = (0..first.column.len()).map(|row| {
                    let cells = texts.iter().filter(|text| text.is_valid(row)).map(|text| text.value(row));
                    let cells: Vec<&str> = cells.collect();
                    (!cells.is_empty()).then(|| cells.join(separator))
                });
                Arc::new(joined.collect::<StringArray>())
            }
            Derivation::Element { has, separator, .. } => {
                let has_it = |text: &str| text.split(separator.as_str()).any(|element| element.trim() == has.trim());
                Arc::new(text.iter().map(|text| text.map(|text| i64::from(has_it(text)))).collect::<Int64Array>())
            }
            _ => return None,
        };
        Some(Derived::new(column))
    }

    fn of_numbers(&self, column: &ArrayRef) -> Option<Derived> {
        if !column.data_type().is_numeric() {
            return None;
        }
        let numbers = cast(column, &DataType::Float64).ok()?;
        let values = numbers.as_primitive::<Float64Type>().iter();
        // What overflows, as x / period of a tiny period, has no sine.
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let derived: Float64Array = match self {
            Derivation::Sine { period, .. } => values.map(|x| finite((TAU * (x? / period)).sin())).collect(),
            Derivation::Cosine { period, .. } => values.map(|x| finite((TAU * (x? / period)).cos())).collect(),
            _ => values.map(|x| x.filter(|x| *x > 0.0).map(f64::ln)).collect(),
        };
        let lost = (0..column.len()).filter(|&row| derived.is_null(row) && !column.is_null(row)).collect();
        Some(Derived { lost, ..Derived::new(Arc::new(derived)) })
    }
}

fn dated<'t>(
    texts: impl ExactSizeIterator<Item = Option<Cow<'t, str>>>,
    part: &Part,
    format: Option<&str>,
    day_first: Option<bool>,
) -> Option<Derived> {
    let format = format.map(Format::new).transpose().ok()?;
    let mut values: Vec<Option<i64>> = Vec::with_capacity(texts.len());
    let mut derived = Derived::new(new_null_array(&DataType::Int64, 0));
    for (row, text) in texts.enumerate() {
        let date = text.as_deref().and_then(|text| match &format {
            Some(format) => format.read(text),
            None => date::read(text, day_first),
        });
        let value = date.and_then(|date| part.of(&date));
        match date.map(|date| date.order) {
            Some(Order::DayFirst) => derived.orders[0] += 1,
            Some(Order::MonthFirst) => derived.orders[1] += 1,
            _ => {}
        }
        if date.is_some_and(|date| date.order == Order::Either) && part.needs_order() {
            derived.ambiguous.push(row);
        } else if value.is_none() && text.is_some() {
            derived.lost.push(row);
        }
        values.push(value);
    }
    derived.column = Arc::new(Int64Array::from(values));
    Some(derived)
}

fn numbered(texts: &StringArray, wanted: Option<&str>, numerals: Numerals) -> Derived {
    let wanted = wanted.map(unit);
    let mut values: Vec<Option<f64>> = Vec::with_capacity(texts.len());
    let mut derived = Derived::new(new_null_array(&DataType::Float64, 0));
    for (row, text) in texts.iter().enumerate() {
        let found = text.and_then(|text| quantity(text, numerals));
        if found.is_none() && text.is_some() {
            derived.lost.push(row);
        }
        let is_wanted = |unit: &str| wanted.as_deref().is_none_or(|wanted| wanted == unit);
        if let Some(found) = found.as_ref().filter(|found| !found.unit.is_empty()) {
            *derived.units.entry(found.unit.clone()).or_default() += 1;
        }
        values.push(found.filter(|found| is_wanted(&found.unit)).map(|found| found.value));
    }
    derived.column = Arc::new(Float64Array::from(values));
    derived
}
