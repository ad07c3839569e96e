//! Dates in the forms that tables have them in, or in one that is given.
//!
//! Each text is read by itself: what other rows hold never decides what a date means. Where the day and the month cannot be told apart, as in
//! 01/03/1990, the year is read and they are not. A year of two digits is ambiguous, and is read by a given format alone.

use chrono::NaiveDate;

use super::date_words::{MONTHS, WEEKDAYS, ZONES};

/// What a text says of a moment. Of a time of day alone there is no year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: Option<i64>,
    pub(super) month: Option<u32>,
    pub(super) day: Option<u32>,
    /// From 0 to 23, as it is written, whatever the zone.
    pub(super) hour: Option<u32>,
    pub(super) order: Order,
}

/// What tells the day and the month apart, where both are numbers and the year does not come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing needs to.
    #[default]
    Plain,
    /// Only the first number can be the day.
    DayFirst,
    /// Only the second number can be the day.
    MonthFirst,
    /// Either can be.
    Either,
}

impl Date {
    /// The day in the calendar, where all of it is known.
    pub(super) fn calendar(&self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(i32::try_from(self.year?).ok()?, self.month?, self.day?)
    }

    /// As the text says; of an unknown month or day, 0, nothing is known.
    pub(super) fn new(year: i64, month: u32, day: u32, order: Order) -> Self {
        let known = |number: u32| Some(number).filter(|number| *number > 0);
        Date { year: Some(year), month: known(month), day: known(day), hour: None, order }
    }
}

/// What the words of a date are, as far as they are read.
#[derive(Default)]
struct Parts {
    years: Vec<i64>,
    /// Days and months as numbers; 0 where they are unknown, as in 1999-00-00.
    numbers: Vec<u32>,
    /// Months by name, as numbers.
    months: Vec<u32>,
    hours: Vec<u32>,
    is_afternoon: Option<bool>,
    has_time: bool,
    /// Whether the year stands before all numbers: then the month comes before the day.
    is_year_first: bool,
}

/// The year, as [`read`] finds it.
pub(super) fn year(text: &str) -> Option<i64> {
    read(text, None)?.year
}

/// The date, if the text is one with a year of four digits and everything else in it is understood. Examples: `2021`, `2021-09`,
/// `2021-09-25T10:00:00Z`, `20210925`, `25/09/2021`, `25.9.2021`, `25 Sep 2021`, `September 25, 2021`, `Sat, 25 Sep 2021 10:00 GMT`; or a time of day alone.
/// `day_first` says which of two numbers is the day, for all texts.
pub(super) fn read(text: &str, day_first: Option<bool>) -> Option<Date> {
    let mut parts = Parts::default();
    for word in text.split([' ', ',', '\t', '\u{a0}']).filter(|word| !word.is_empty()) {
        parts.read(word)?;
    }
    let hour = parts.hour();
    if parts.years.is_empty() && parts.numbers.is_empty() && parts.months.is_empty() {
        return hour.map(|hour| Date { hour: Some(hour), ..Date::default() });
    }
    let &[year] = parts.years.as_slice() else { return None };
    let date = match (parts.numbers.as_slice(), parts.months.as_slice()) {
        ([], []) => Date::new(year, 0, 0, Order::Plain),
        ([], [month]) => Date::new(year, *month, 0, Order::Plain),
        ([month], []) if *month <= 12 => Date::new(year, *month, 0, Order::Plain),
        ([day], [month]) if *day <= days_of(year, *month) => Date::new(year, *month, *day, Order::Plain),
        ([month, day], []) if parts.is_year_first => {
            is_day(year, *month, *day).then(|| Date::new(year, *month, *day, Order::Plain))?
        }
        ([a, b], []) => {
            let (is_day_first, is_month_first) = (is_day(year, *b, *a), is_day(year, *a, *b));
            match (is_day_first && day_first != Some(false), is_month_first && day_first != Some(true)) {
                (true, true) if a == b => Date::new(year, *a, *b, Order::Plain),
                (true, true) => Date::new(year, 0, 0, Order::Either),
                (true, false) => Date::new(year, *b, *a, Order::DayFirst),
                (false, true) => Date::new(year, *a, *b, Order::MonthFirst),
                (false, false) => return None,
            }
        }
        _ => return None,
    };
    // 0000-00-00 and 0001-01-01 are what databases write for no date.
    (year >= FIRST_YEAR).then_some(Date { hour, ..date })
}

pub(super) const FIRST_YEAR: i64 = 1000;

/// Whether there is such a day. Of an unknown month, 0, only the unknown day is one.
fn is_day(year: i64, month: u32, day: u32) -> bool {
    day <= days_of(year, month) && (month > 0 || day == 0)
}

/// The days of a month; of an unknown one, 0, as many as any has; none where there is no such month.
fn days_of(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        0..=12 => 31,
        _ => 0,
    }
}

impl Parts {
    /// Takes a word in; `None` if it has no place in a date.
    fn read(&mut self, word: &str) -> Option<()> {
        // A date with a time zone, as XML has it: 2021-09-25Z, 2021-09-25+02:00.
        if let Some(date) = without_zone(word) {
            return self.read(date);
        }
        if word.contains(':') && !(self.has_time && is_offset(word)) {
            return self.read_time(word);
        }
        if self.has_time && is_half_of_day(word) {
            self.is_afternoon = Some(word.starts_with(['p', 'P']));
            return Some(());
        }
        if self.has_time && is_offset(word) {
            return Some(());
        }
        if word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit()) {
            let (month, day): (u32, u32) = (word[4..6].parse().ok()?, word[6..].parse().ok()?);
            self.add_year(&word[..4])?;
            self.numbers.extend([month, day]);
            return (month <= 12).then_some(());
        }
        for part in word.split(['-', '/', '.']).filter(|part| !part.is_empty()) {
            self.read_part(part)?;
        }
        // A sign, a decimal point in front: a number, not a date.
        (!word.starts_with(['-', '/', '.', '+'])).then_some(())
    }

    /// `10:00`, `10:00:00.5Z`, `10:00pm`, `10:00:00+02:00`, or a date, `T` and such a time.
    fn read_time(&mut self, word: &str) -> Option<()> {
        let (date, time) = match word.split_once(['T', 't']) {
            Some((date, time)) => (Some(date), time),
            None => (None, word),
        };
        if let Some(date) = date {
            self.read(date)?;
        }
        let is_time = time.starts_with(|c: char| c.is_ascii_digit())
            && time.chars().all(|c| c.is_ascii_digit() || ":.+-ZzAaPpMm".contains(c));
        self.has_time = true;
        let digits = time.bytes().take_while(u8::is_ascii_digit).count();
        self.hours.push(time[..digits].parse().ok()?);
        if let Some(half) = time.find(['a', 'A', 'p', 'P']) {
            self.is_afternoon = Some(time[half..].starts_with(['p', 'P']));
        }
        (is_time && is_time_of_day(time)).then_some(())
    }

    /// The hour of the one time, from 0 to 23; 24:00 is midnight too.
    fn hour(&self) -> Option<u32> {
        let &[hour] = self.hours.as_slice() else { return None };
        match self.is_afternoon {
            Some(is_afternoon) if hour <= 12 => Some(hour % 12 + if is_afternoon { 12 } else { 0 }),
            _ => Some(hour % 24),
        }
    }

    fn add_year(&mut self, year: &str) -> Option<()> {
        self.is_year_first |= self.numbers.is_empty();
        self.years.push(year.parse().ok()?);
        Some(())
    }

    fn read_part(&mut self, part: &str) -> Option<()> {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        match (digits, rest.to_ascii_lowercase().as_str()) {
            (4, "") => self.add_year(number)?,
            (1 | 2, "" | "st" | "nd" | "rd" | "th" | "er") => self.numbers.push(number.parse().ok()?),
            (0, _) => {
                let name = plain(part);
                if let Some(at) = named(&name, &MONTHS) {
                    self.months.push(at as u32 % 12 + 1);
                } else {
                    let is_zone = self.has_time && ZONES.contains(&name.as_str());
                    return (is_zone || named(&name, &WEEKDAYS).is_some()).then_some(());
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// The place of a full name, or of its first letters, three at least.
fn named(name: &str, names: &[&str]) -> Option<usize> {
    names.iter().position(|full| name.len() >= 3 && full.starts_with(name))
}

/// In lower case, without the accents of French months.
fn plain(text: &str) -> String {
    let plain = |c: char| match c {
        'é' | 'è' | 'ê' => 'e',
        'û' | 'ù' => 'u',
        other => other,
    };
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}

/// Whether there is such a time: hours to 24, minutes to 59, seconds to 60, as leap seconds are written. What is behind them is a zone or a fraction.
fn is_time_of_day(time: &str) -> bool {
    let numbers = time.split(':').map_while(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        Some((part[..digits].parse::<u32>().ok()?, digits < part.len()))
    });
    let mut is_over = false;
    numbers.zip([24, 59, 60]).all(|((number, ends), most)| {
        let fits = is_over || number <= most;
        is_over |= ends;
        fits
    })
}

/// `+0200`, `+02:00`, `-05`.
fn is_offset(word: &str) -> bool {
    let digits = word.strip_prefix(['+', '-']).unwrap_or("");
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "00"));
    let lengths = (hours.len(), minutes.len());
    matches!(lengths, (2 | 4, 2)) && hours.bytes().chain(minutes.bytes()).all(|byte| byte.is_ascii_digit())
}

/// The date of `2021-09-25Z` or `2021-09-25+02:00`.
fn without_zone(word: &str) -> Option<&str> {
    let date = match word.strip_suffix(['Z', 'z']) {
        Some(date) => date,
        None => {
            let (date, zone) = word.split_at_checked(word.rfind(['+', '-'])?)?;
            (zone.contains(':') && is_offset(zone)).then_some(date)?
        }
    };
    // With a time it is read whole.
    let is_date = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_date.then_some(date)
}

fn is_half_of_day(word: &str) -> bool {
    ["am", "pm", "a.m.", "p.m."].iter().any(|half| word.eq_ignore_ascii_case(half))
}

#[cfg(test)]
mod tests;
