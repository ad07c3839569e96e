//! The year of a date in the forms that tables have it in.
//!
//! The day and the month need not be told apart: 01/03/1990 has one year in either reading. A year of two digits is ambiguous and not read.

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

/// What the words of a date are, as far as they are read.
#[derive(Default)]
struct Parts {
    years: Vec<i64>,
    /// Days and months as numbers; 0 where they are unknown, as in 1999-00-00.
    numbers: Vec<u32>,
    /// Months by name, as numbers.
    months: Vec<u32>,
    has_time: bool,
    /// Whether the year stands before all numbers: then the month comes before the day.
    is_year_first: bool,
}

/// The year, if the text is a date with a year of four digits and everything else in it is understood. Examples: `2021`, `2021-09`,
/// `2021-09-25T10:00:00Z`, `20210925`, `25/09/2021`, `25.9.2021`, `25 Sep 2021`, `September 25, 2021`, `Sat, 25 Sep 2021 10:00 GMT`.
pub(super) fn year(text: &str) -> Option<i64> {
    let mut parts = Parts::default();
    for word in text.split([' ', ',', '\t', '\u{a0}']).filter(|word| !word.is_empty()) {
        parts.read(word)?;
    }
    let &[year] = parts.years.as_slice() else { return None };
    let fits = match (parts.numbers.as_slice(), parts.months.as_slice()) {
        ([], [] | [_]) => true,
        ([month], []) => *month <= 12,
        ([day], [month]) => *day <= days_of(year, *month),
        ([month, day], []) if parts.is_year_first => is_day(year, *month, *day),
        ([a, b], []) => is_day(year, *a, *b) || is_day(year, *b, *a),
        _ => false,
    };
    // 0000-00-00 and 0001-01-01 are what databases write for no date.
    (fits && year >= 1000).then_some(year)
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
        if self.has_time && (is_offset(word) || is_half_of_day(word)) {
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
        (is_time && is_time_of_day(time)).then_some(())
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
    use super::year;

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
}
