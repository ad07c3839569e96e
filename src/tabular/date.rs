//! Dates in the forms that tables have them in, or in one that is given.
//!
//! Each text is read by itself: what other rows hold never decides what a date means. Where the day and the month cannot be told apart, as in
//! 01/03/1990, the year is read and they are not. A year of two digits is ambiguous, and is read by a given format alone.

use std::fmt::Write;

use chrono::format::{Item, ParseErrorKind, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, NaiveDate, ParseResult, Timelike};

/// The names of months in English and French, in lower case and without accents; of abbreviations three letters or more are read.
const MONTHS: [&str; 24] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
];
const WEEKDAYS: [&str; 14] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
];
const ZONES: [&str; 13] = ["z", "utc", "gmt", "cet", "cest", "bst", "est", "edt", "cst", "cdt", "mst", "mdt", "pst"];

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
    fn new(year: i64, month: u32, day: u32, order: Order) -> Self {
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

const FIRST_YEAR: i64 = 1000;

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
mod tests {
    use super::{Date, Format, Order, read, year};

    #[test]
    fn years_are_read_in_all_usual_forms() {
        let dates = [
            "1990",
            "1990-03",
            "1990-03-05",
            "1990/03/05",
            "1990.3.5",
            "19900305",
            "1990-03-05T10:00:00Z",
            "1990-03-05 10:00:00.123+02:00",
            "1990-03-05 23:59",
            "05/03/1990",
            "3/25/1990",
            "25/3/1990",
            "25.03.1990",
            "25. 3. 1990",
            "03/1990",
            "5 Mar 1990",
            "5-Mar-1990",
            "Mar 1990",
            "March 5, 1990",
            "Sept. 5, 1990",
            "1st March 1990",
            "Mon, 05 Mar 1990 10:00:00 +0000",
            "Mon Mar 5 10:00:00 GMT 1990",
            "3/5/1990 10:00 PM",
            "1er février 1990",
            "14 août 1990",
            " 1990-00-00 ",
            "1990.0",
            "1990-03-05+02:00",
            "1990-03-05-05:00",
            "1990-03-05Z",
            "1990-03-05 10:00:00 +02:00",
            "1990-03-05 24:00",
            "1990-03-05T23:59:60Z",
            "1990-03-05T10:00+05:30",
            "00/03/1990",
            "1990-03-00",
        ];
        for date in dates {
            assert_eq!(year(date), Some(1990), "{date}");
        }
    }

    #[test]
    fn what_is_no_date_or_ambiguous_has_no_year() {
        let texts = [
            "",
            "soon",
            "20015-01-01",
            "0000-00-00",
            "0001-01-01",
            "2021-02-30",
            "31/04/2021",
            "Sep 31, 2021",
            "01/03/90",
            "5 Mar 90",
            "90",
            "1990-13",
            "1990-02-32",
            "13/13/1990",
            "1990 and 1991",
            "1990-1991",
            "5 Mai 5 Mar 1990",
            "-1990",
            "+1990",
            "12:30",
            "1632528000",
            "19901399",
            "1990-03-05-01",
            "Room 1990",
            "1990s",
            "T:",
            "ma 1990",
            "é1990",
            "1990-13-01",
            "1990-00-10",
            "1990/25/03",
            "19900010",
            "10/00/90",
            "1990-03-05+2:00",
            "1990-03-32Z",
            "soonZ",
            "1990-03-05 99:99",
            "1990-03-05T10:60",
            "1990-03-05 10:00:61",
        ];
        for text in texts {
            assert_eq!(year(text), None, "{text}");
        }
    }

    // for t in ["05/03/1990", "25/03/1990", "3/25/1990", "1990-03-05", "March 5, 1990", "Mon, 05 Mar 1990 10:00:00 +0000"]:
    //     print(pandas.to_datetime(t), pandas.to_datetime(t, dayfirst=True))
    #[test]
    fn days_months_and_hours_are_read_where_they_are_known() {
        let date =
            |month, day, hour, order| Some(Date { year: Some(1990), month: Some(month), day: Some(day), hour, order });
        let cases = [
            ("1990-03-05", None, date(3, 5, None, Order::Plain)),
            ("19900305", None, date(3, 5, None, Order::Plain)),
            ("March 5, 1990", None, date(3, 5, None, Order::Plain)),
            ("Mon, 05 Mar 1990 10:00:00 +0000", None, date(3, 5, Some(10), Order::Plain)),
            ("25/03/1990", None, date(3, 25, None, Order::DayFirst)),
            ("3/25/1990", None, date(3, 25, None, Order::MonthFirst)),
            ("05/05/1990", None, date(5, 5, None, Order::Plain)),
            ("05/03/1990", Some(true), date(3, 5, None, Order::DayFirst)),
            ("05/03/1990", Some(false), date(5, 3, None, Order::MonthFirst)),
            ("3/25/1990", Some(true), None),
            ("1990-03-05", Some(true), date(3, 5, None, Order::Plain)),
            ("1990-03-05 23:59", None, date(3, 5, Some(23), Order::Plain)),
            ("1990-03-05 24:00", None, date(3, 5, Some(0), Order::Plain)),
            ("3/25/1990 10:00 PM", None, date(3, 25, Some(22), Order::MonthFirst)),
            ("3/25/1990 12:30am", None, date(3, 25, Some(0), Order::MonthFirst)),
            ("1990-03-05T10:00:00+02:00", None, date(3, 5, Some(10), Order::Plain)),
        ];
        for (text, day_first, expected) in cases {
            assert_eq!(read(text, day_first), expected, "{text}");
        }
        let either = read("05/03/1990 8:15", None).unwrap();
        assert_eq!((either.year, either.month, either.hour, either.order), (Some(1990), None, Some(8), Order::Either));
        let month = read("Mar 1990", None).unwrap();
        assert_eq!((month.month, month.day, month.calendar()), (Some(3), None, None));
        assert_eq!(read("22:15:00", None).unwrap().hour, Some(22));
        assert_eq!(read("25:15", None), None);
    }

    // datetime.strptime("05/03/68", "%d/%m/%y") and so on; datetime.fromtimestamp(1632528000, timezone.utc)
    #[test]
    fn a_given_format_is_read_alone() {
        let parts = |format: &str, text: &str| {
            let date = Format::new(format).unwrap().read(text)?;
            Some((date.year, date.month, date.day, date.hour))
        };
        assert_eq!(parts("%d/%m/%y", "05/03/68"), Some((Some(2068), Some(3), Some(5), None)));
        assert_eq!(parts("%d/%m/%y", "5/3/99"), Some((Some(1999), Some(3), Some(5), None)));
        assert_eq!(parts("%m/%d/%Y %I:%M %p", "05/03/2021 01:30 PM"), Some((Some(2021), Some(5), Some(3), Some(13))));
        assert_eq!(parts("%d %b %Y", "5 Mar 2021"), Some((Some(2021), Some(3), Some(5), None)));
        assert_eq!(parts("%m.%Y", "03.2021"), Some((Some(2021), Some(3), None, None)));
        assert_eq!(parts("%Y", "2021"), Some((Some(2021), None, None, None)));
        assert_eq!(parts("%d.%m.", "25.10."), Some((None, Some(10), Some(25), None)));
        assert_eq!(parts("%H%M", "0930"), Some((None, None, None, Some(9))));
        assert_eq!(parts("%H", "23"), Some((None, None, None, Some(23))));
        assert_eq!(parts("%s", "1632528000"), Some((Some(2021), Some(9), Some(25), Some(0))));
        assert_eq!(parts("%Y%j", "2021268"), Some((Some(2021), Some(9), Some(25), None)));
        for (format, text) in
            [("%d/%m/%y", "31/02/99"), ("%d/%m/%y", "05/03/1999"), ("%Y-%m-%d", "0001-01-01"), ("%Y", "")]
        {
            assert_eq!(parts(format, text), None, "{text}");
        }
        assert!(Format::new("%Q").is_err() && Format::new("dd/mm").is_err());
        assert_eq!(Format::new("%H:%M").unwrap().says().year, None);
    }
}
