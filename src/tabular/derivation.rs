//! `Derivation`: what is written of a new column.

use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::column_type::ColumnType;
use super::date::Date;
use super::date_format::Format;

/// How a derived column is made, e.g. `{sin_of: key, period: 12}`. A missing value stays missing.
///
/// Dates are read in all common forms; where day and month cannot be told apart, as in 01/03/1990, `day_first` or `format` says which is which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields, try_from = "Written")]
#[schemars(!try_from)]
pub enum Derivation {
    /// The year of a date (as `Int64`), e.g. `2021`, `2021-09-25`, `2021/09/25`, `25.09.2021`, `20210925`, `25 Sep 2021` or `September 25, 2021`,
    /// also with a time of day; of `2021-00-00` the month and day are unknown; anything else, as a year of two digits, gives a missing value.
    Year {
        /// The column that is read.
        year_of: String,
        /// The form of the dates as strftime has it, e.g. `"%d/%m/%y"`; without it all common forms are read.
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<String>,
        /// Whether the day stands before the month in dates such as 01/03/1990; without it neither is known of those that can be read both ways.
        #[serde(skip_serializing_if = "Option::is_none")]
        day_first: Option<bool>,
    },
    /// The month of a date, from 1 to 12.
    Month {
        /// The column that is read.
        month_of: String,
        /// The form of the dates as strftime has it, e.g. `"%d/%m/%y"`; without it all common forms are read.
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<String>,
        /// Whether the day stands before the month in dates such as 01/03/1990; without it neither is known of those that can be read both ways.
        #[serde(skip_serializing_if = "Option::is_none")]
        day_first: Option<bool>,
    },
    /// The day of the week of a date, from 1 for Monday to 7 for Sunday.
    Weekday {
        /// The column that is read.
        weekday_of: String,
        /// The form of the dates as strftime has it, e.g. `"%d/%m/%y"`; without it all common forms are read.
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<String>,
        /// Whether the day stands before the month in dates such as 01/03/1990; without it neither is known of those that can be read both ways.
        #[serde(skip_serializing_if = "Option::is_none")]
        day_first: Option<bool>,
    },
    /// The hour of a time of day, with or without a date, from 0 to 23 as it is written.
    Hour {
        /// The column that is read.
        hour_of: String,
        /// The form of the dates as strftime has it, e.g. `"%d/%m/%y"`; without it all common forms are read.
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<String>,
        /// Whether the day stands before the month in dates such as 01/03/1990; without it neither is known of those that can be read both ways.
        #[serde(skip_serializing_if = "Option::is_none")]
        day_first: Option<bool>,
    },
    /// The days from another day to a date; before it they are negative.
    Days {
        /// The column that is read.
        days_of: String,
        /// The day that they are counted from, e.g. `2020-01-01`.
        #[schemars(extend("format" = "date"))]
        since: String,
        /// The form of the dates as strftime has it, e.g. `"%d/%m/%y"`; without it all common forms are read.
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<String>,
        /// Whether the day stands before the month in dates such as 01/03/1990; without it neither is known of those that can be read both ways.
        #[serde(skip_serializing_if = "Option::is_none")]
        day_first: Option<bool>,
    },
    /// sin(2π·x / period), for values that come round again, e.g. musical keys with period 12.
    Sine {
        /// The column that is read.
        sin_of: String,
        /// After how much the values come round again.
        period: f64,
    },
    /// cos(2π·x / period), the companion of the sine.
    Cosine {
        /// The column that is read.
        cos_of: String,
        /// After how much the values come round again.
        period: f64,
    },
    /// The natural logarithm; zero and negative numbers give a missing value.
    Logarithm {
        /// The column that is read.
        log_of: String,
    },
    /// The one number in a text, e.g. 90 of `90 min`, 1200 of `$1,200`, 12000 of `12k`, 3500000 of `3.5M`, 15 of `15 %`; a text with none or several gives a
    /// missing value. Fractions and thousands are written as `decimal` and `thousands` say, else as in `1,506.58`.
    Number {
        /// The column that is read.
        number_of: String,
        /// Only numbers with this unit count, e.g. `min`; without it units are left out and not converted.
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
    },
    /// The characters of a text.
    Length {
        /// The column that is read.
        length_of: String,
    },
    /// The texts of several columns as one; missing ones are left out, and where all are missing so is the result.
    Joined {
        /// The columns, in their order.
        #[schemars(length(min = 2))]
        joined: Vec<String>,
        /// What stands between them.
        #[schemars(default = "space")]
        separator: String,
    },
    /// Whether a cell of several values, as `Dramas, Comedies`, has one of them: 1 or 0.
    Element {
        /// The value that is looked for, without white space around it.
        has: String,
        /// The column that is read.
        of: String,
        /// What stands between the values.
        #[schemars(default = "comma", length(min = 1))]
        separator: String,
    },
}

impl Derivation {
    /// The columns that are read.
    pub fn sources(&self) -> Vec<&str> {
        match self {
            Derivation::Year { year_of: name, .. }
            | Derivation::Month { month_of: name, .. }
            | Derivation::Weekday { weekday_of: name, .. }
            | Derivation::Hour { hour_of: name, .. }
            | Derivation::Days { days_of: name, .. }
            | Derivation::Sine { sin_of: name, .. }
            | Derivation::Cosine { cos_of: name, .. }
            | Derivation::Logarithm { log_of: name }
            | Derivation::Number { number_of: name, .. }
            | Derivation::Length { length_of: name }
            | Derivation::Element { of: name, .. } => vec![name],
            Derivation::Joined { joined, .. } => joined.iter().map(String::as_str).collect(),
        }
    }

    /// Whether it can be made of numbers only.
    pub fn needs_numbers(&self) -> bool {
        matches!(self, Derivation::Sine { .. } | Derivation::Cosine { .. } | Derivation::Logarithm { .. })
    }

    /// What the derived column holds.
    pub fn gives(&self) -> ColumnType {
        match self {
            Derivation::Joined { .. } => ColumnType::Text,
            Derivation::Sine { .. }
            | Derivation::Cosine { .. }
            | Derivation::Logarithm { .. }
            | Derivation::Number { .. } => ColumnType::Number,
            _ => ColumnType::Integer,
        }
    }

    /// The part of a date that is asked for, the format and whether the day comes first.
    pub(super) fn date(&self) -> Option<(Part, Option<&str>, Option<bool>)> {
        let (part, format, day_first) = match self {
            Derivation::Year { format, day_first, .. } => (Part::Year, format, day_first),
            Derivation::Month { format, day_first, .. } => (Part::Month, format, day_first),
            Derivation::Weekday { format, day_first, .. } => (Part::Weekday, format, day_first),
            Derivation::Hour { format, day_first, .. } => (Part::Hour, format, day_first),
            Derivation::Days { since, format, day_first, .. } => {
                (Part::DaysSince(day(since).unwrap_or_default()), format, day_first)
            }
            _ => return None,
        };
        Some((part, format.as_deref(), *day_first))
    }
}

/// A part of a date.
pub(super) enum Part {
    Year,
    Month,
    Weekday,
    Hour,
    DaysSince(NaiveDate),
}

impl Part {
    pub(super) fn of(&self, date: &Date) -> Option<i64> {
        match self {
            Part::Year => date.year,
            Part::Month => date.month.map(i64::from),
            Part::Weekday => Some(i64::from(date.calendar()?.weekday().number_from_monday())),
            Part::Hour => date.hour.map(i64::from),
            Part::DaysSince(since) => Some(date.calendar()?.signed_duration_since(*since).num_days()),
        }
    }

    /// Whether it depends on which number is the day.
    pub(super) fn needs_order(&self) -> bool {
        !matches!(self, Part::Year | Part::Hour)
    }
}

fn space() -> String {
    " ".to_owned()
}

fn comma() -> String {
    ",".to_owned()
}

/// The YAML form: all keys optional, so that a slip gets a message of its own instead of "no variant matched".
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    year_of: Option<String>,
    month_of: Option<String>,
    weekday_of: Option<String>,
    hour_of: Option<String>,
    days_of: Option<String>,
    sin_of: Option<String>,
    cos_of: Option<String>,
    log_of: Option<String>,
    number_of: Option<String>,
    length_of: Option<String>,
    joined: Option<Vec<String>>,
    has: Option<String>,
    of: Option<String>,
    period: Option<f64>,
    format: Option<String>,
    day_first: Option<bool>,
    since: Option<String>,
    unit: Option<String>,
    separator: Option<String>,
}

impl Written {
    /// The keys by which a derivation is known, where they are written.
    fn kinds(&self) -> Vec<&'static str> {
        let kinds = [
            ("year_of", self.year_of.is_some()),
            ("month_of", self.month_of.is_some()),
            ("weekday_of", self.weekday_of.is_some()),
            ("hour_of", self.hour_of.is_some()),
            ("days_of", self.days_of.is_some()),
            ("sin_of", self.sin_of.is_some()),
            ("cos_of", self.cos_of.is_some()),
            ("log_of", self.log_of.is_some()),
            ("number_of", self.number_of.is_some()),
            ("length_of", self.length_of.is_some()),
            ("joined", self.joined.is_some()),
            ("has", self.has.is_some()),
        ];
        kinds.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind).collect()
    }

    /// # Errors
    /// A key is written that says nothing of this derivation.
    fn check_keys(&self, kind: &str) -> Result<(), String> {
        const DATES: &[&str] = &["year_of", "month_of", "weekday_of", "hour_of", "days_of"];
        let others: [(bool, &str, &[&str], &str); 7] = [
            (self.period.is_some(), "a period", &["sin_of", "cos_of"], "sin_of and cos_of"),
            (self.format.is_some(), "a format", DATES, "year_of, month_of, weekday_of, hour_of and days_of"),
            (self.day_first.is_some(), "day_first", DATES, "year_of, month_of, weekday_of, hour_of and days_of"),
            (self.since.is_some(), "since", &["days_of"], "days_of"),
            (self.unit.is_some(), "a unit", &["number_of"], "number_of"),
            (self.separator.is_some(), "a separator", &["joined", "has"], "joined and has"),
            (self.of.is_some(), "`of`", &["has"], "has"),
        ];
        match others.iter().find(|(is_there, _, kinds, _)| *is_there && !kinds.contains(&kind)) {
            Some((_, what, _, whose)) => Err(format!("{what} belongs to {whose} only")),
            None => Ok(()),
        }
    }
}

impl TryFrom<Written> for Derivation {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let kind = match written.kinds().as_slice() {
            [kind] => *kind,
            _ => {
                return Err("give exactly one of year_of, month_of, weekday_of, hour_of, days_of, sin_of, cos_of, log_of, number_of, length_of, joined, \
                            has"
                    .to_owned());
            }
        };
        written.check_keys(kind)?;
        let derivation = of_kind(written)?;
        if let Some((part, Some(format), day_first)) = derivation.date() {
            let says = Format::new(format)?.says();
            if day_first.is_some() {
                return Err("a format says where the day stands: give either `format` or `day_first`".to_owned());
            }
            if part.of(&says).is_none() {
                return Err(format!("dates in the format '{format}' do not tell what {kind} needs"));
            }
        }
        Ok(derivation)
    }
}

/// What is written, by the one key that names what is wanted.
fn of_kind(written: Written) -> Result<Derivation, String> {
    let Written { format, day_first, separator, unit, .. } = written;
    let period = |name: &str| match written.period {
        Some(period) if period.is_finite() && period > 0.0 => Ok(period),
        Some(period) => Err(format!("the period of '{name}' must be positive, not {period}")),
        None => Err(format!("'{name}' needs a period (e.g. `period: 12`)")),
    };
    Ok(match written {
        Written { year_of: Some(year_of), .. } => Derivation::Year { year_of, format, day_first },
        Written { month_of: Some(month_of), .. } => Derivation::Month { month_of, format, day_first },
        Written { weekday_of: Some(weekday_of), .. } => Derivation::Weekday { weekday_of, format, day_first },
        Written { hour_of: Some(hour_of), .. } => Derivation::Hour { hour_of, format, day_first },
        Written { days_of: Some(days_of), since, .. } => {
            let Some(since) = since else {
                return Err(format!("'{days_of}' needs the day that days are counted from (e.g. `since: 2020-01-01`)"));
            };
            if day(&since).is_none() {
                return Err(format!("since: '{since}' is no day (write it as 2020-01-31)"));
            }
            Derivation::Days { days_of, since, format, day_first }
        }
        Written { sin_of: Some(sin_of), .. } => Derivation::Sine { period: period(&sin_of)?, sin_of },
        Written { cos_of: Some(cos_of), .. } => Derivation::Cosine { period: period(&cos_of)?, cos_of },
        Written { log_of: Some(log_of), .. } => Derivation::Logarithm { log_of },
        Written { number_of: Some(number_of), .. } => Derivation::Number { number_of, unit },
        Written { length_of: Some(length_of), .. } => Derivation::Length { length_of },
        Written { joined: Some(joined), .. } => {
            if joined.len() < 2 {
                return Err("`joined` needs two columns or more (e.g. `joined: [title, subtitle]`)".to_owned());
            }
            Derivation::Joined { joined, separator: separator.unwrap_or_else(space) }
        }
        Written { has: Some(has), of, .. } => {
            let separator = separator.unwrap_or_else(comma);
            let Some(of) = of else {
                return Err(format!("'{has}' needs a column to be looked for in (e.g. `of: genres`)"));
            };
            if separator.is_empty() {
                return Err("a separator needs a character".to_owned());
            }
            if has.trim().is_empty() || has.contains(&separator) {
                return Err(format!("has: '{has}' can be no value between separators '{separator}' (write one value)"));
            }
            Derivation::Element { has, of, separator }
        }
        _ => return Err("nothing says what to derive".to_owned()),
    })
}

/// A day as `since` has it.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()
}
