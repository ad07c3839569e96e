//! Dates in a format that is given.

use std::fmt::Write;

use chrono::format::{Item, ParseErrorKind, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, NaiveDate, ParseResult, Timelike};

use super::date::{Date, FIRST_YEAR, Order};

/// A format of strftime, e.g. `%d/%m/%y`.
pub(super) struct Format<'a>(Vec<Item<'a>>);

impl<'a> Format<'a> {
    /// # Errors
    /// It holds what is no specifier, or cannot be read.
    pub(super) fn new(format: &'a str) -> Result<Self, String> {
        let items: Vec<Item> = StrftimeItems::new(format).collect();
        if items.iter().any(|item| matches!(item, Item::Error)) || !format.contains('%') {
            return Err(format!(
                "'{format}' is no format of a date (e.g. \"%d/%m/%y\" or \"%Y-%m-%d %H:%M\", as strftime has them)"
            ));
        }
        Ok(Format(items))
    }

    /// What a date in this format says, for checks: the parts that are not there are not in the format.
    pub(super) fn says(&self) -> Date {
        let some = DateTime::parse_from_rfc3339("2021-09-25T10:30:45Z").expect("a moment");
        let mut text = String::new();
        match write!(text, "{}", some.format_with_items(self.0.iter())) {
            Ok(()) => self.read(&text).unwrap_or_default(),
            Err(_) => Date::default(),
        }
    }

    /// The date, if the whole text is in this format.
    pub(super) fn read(&self, text: &str) -> Option<Date> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text.trim(), self.0.iter()).ok()?;
        let hour = hour_of(&parsed);
        if let Ok(moment) = parsed.to_naive_datetime_with_offset(0) {
            return of_calendar(moment.date(), 3).map(|date| Date { hour: Some(moment.hour()), ..date });
        }
        // What the format does not tell is filled in to read the rest, and not told.
        let with = |set: &dyn Fn(&mut Parsed) -> ParseResult<()>| {
            let mut filled = parsed.clone();
            set(&mut filled).ok()?;
            filled.to_naive_date().ok()
        };
        let without_day = || with(&|filled| filled.set_day(1));
        let without_month = || with(&|filled| filled.set_month(1).and_then(|()| filled.set_day(1)));
        let date = match parsed.to_naive_date() {
            Ok(date) => Some((date, 3)),
            Err(error) if error.kind() == ParseErrorKind::NotEnough => {
                without_day().map(|date| (date, 2)).or_else(|| without_month().map(|date| (date, 1)))
            }
            Err(_) => return None,
        };
        match date {
            Some((date, known)) => of_calendar(date, known).map(|date| Date { hour, ..date }),
            // Without a year: 25.10., 22:15.
            None => {
                let (month, day) = (parsed.month(), parsed.day());
                (month.is_some() || hour.is_some()).then(|| Date { month, day, hour, ..Date::default() })
            }
        }
    }
}

/// The first `known` of year, month and day.
fn of_calendar(date: NaiveDate, known: usize) -> Option<Date> {
    let year = i64::from(date.year());
    let month = if known > 1 { date.month() } else { 0 };
    let day = if known > 2 { date.day() } else { 0 };
    (year >= FIRST_YEAR).then(|| Date::new(year, month, day, Order::Plain))
}

fn hour_of(parsed: &Parsed) -> Option<u32> {
    Some(parsed.hour_div_12()? * 12 + parsed.hour_mod_12()?)
}
