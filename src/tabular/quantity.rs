//! The one number in a text, with its unit: `90 min`, `$1,200`, `12k`, `15 %`.

use super::numerals::Numerals;
use super::separators::Decimal;

/// A number and what it counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    pub(super) value: f64,
    /// As [`unit`] writes it; empty where there is none.
    pub(super) unit: String,
}

/// Behind a number without a space, and zeros that they stand for.
const LETTERS: [(&str, i32); 4] = [("k", 3), ("K", 3), ("M", 6), ("B", 9)];
/// Behind a number, in any case, with or without a space.
const WORDS: [(&str, i32); 5] = [("thousand", 3), ("mn", 6), ("million", 6), ("bn", 9), ("billion", 9)];

/// A unit in the form in which units are compared: `Seasons`, `season`.
pub(super) fn unit(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    match lower.strip_suffix('s') {
        Some(one) if one.chars().count() > 1 && one.ends_with(char::is_alphabetic) => one.to_owned(),
        _ => lower,
    }
}

/// The number, if the text has one and no other. Digits within a word, as in `m2`, count only where no number stands for itself.
pub(super) fn quantity(text: &str, numerals: Numerals) -> Option<Quantity> {
    let chars: Vec<char> = text.chars().collect();
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while let Some(next) = next(&chars, at, numerals) {
        at = next.end;
        found.push(next);
        // More than one of each sort tell nothing.
        if found.iter().filter(|number| !number.is_in_word).count() > 1 {
            return None;
        }
    }
    let number = match found.iter().filter(|number| !number.is_in_word).collect::<Vec<_>>().as_slice() {
        [number] => *number,
        _ => match found.as_slice() {
            [number] => number,
            _ => return None,
        },
    };
    number.read(&chars)
}

/// The same of a text that is nothing but a number and its unit, so that the number may stand for all of it: `90 min`, `$1,200`, `10,000+`.
pub(super) fn mere_quantity(text: &str, numerals: Numerals) -> Option<Quantity> {
    let chars: Vec<char> = text.trim().chars().collect();
    // Digits alone that were not read as a number are a code.
    if chars.iter().all(char::is_ascii_digit) {
        return None;
    }
    let number = next(&chars, 0, numerals).filter(|number| !number.is_in_word)?;
    let before: String = chars[..number.start].iter().filter(|c| !c.is_whitespace()).collect();
    let sign = before.trim_start_matches(is_minus).trim_end_matches(is_minus);
    let is_code = sign.len() == 3 && sign.bytes().all(|byte| byte.is_ascii_uppercase());
    let (_, behind) = number.multiplier(&chars);
    let words = chars[behind..].split(|c| c.is_whitespace()).filter(|word| !word.is_empty()).count();
    let is_unit =
        words <= 1 && chars[behind..].iter().all(|c| c.is_whitespace() || is_of_unit(*c) || matches!(c, '+' | '.'));
    (is_unit && (is_code || sign.chars().all(is_currency))).then(|| number.read(&chars)).flatten()
}

/// A number in a text.
struct Found {
    start: usize,
    end: usize,
    /// As programs write it, without a sign.
    plain: String,
    is_in_word: bool,
}

impl Found {
    fn read(&self, chars: &[char]) -> Option<Quantity> {
        let (zeros, behind) = self.multiplier(chars);
        let sign = if self.is_negative(chars) { "-" } else { "" };
        let plain = match zeros {
            0 => format!("{sign}{}", self.plain),
            // Of a number with an exponent nobody writes thousands.
            _ if self.plain.contains('e') => return None,
            zeros => format!("{sign}{}e{zeros}", self.plain),
        };
        let value = plain.parse::<f64>().ok().filter(|value| value.is_finite())?;
        let rest = &chars[behind..];
        let spaces = rest.iter().take_while(|c| c.is_whitespace()).count();
        let mut text: String = rest[spaces..].iter().take_while(|c| is_of_unit(**c)).collect();
        if text.is_empty() || text.starts_with('/') {
            text = self.currency(chars);
        }
        Some(Quantity { value, unit: unit(&text) })
    }

    /// What stands before it: the sign of a currency, three capitals as of its code, or a word that it ends.
    fn currency(&self, chars: &[char]) -> String {
        let before = match &chars[..self.start] {
            [rest @ .., _] if self.is_negative(chars) && !is_currency(chars[self.start - 1]) => rest,
            all => all,
        };
        let spaces = before.iter().rev().take_while(|c| c.is_whitespace()).count();
        let before = &before[..before.len() - spaces];
        let length = before.iter().rev().take_while(|c| is_of_unit(**c)).count();
        let word: String = before[before.len() - length..].iter().collect();
        let is_code = length == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        if self.is_in_word || is_code || word.ends_with(is_currency) { word } else { String::new() }
    }

    /// The zeros of `k`, `million` and the like, and where what is behind them begins.
    fn multiplier(&self, chars: &[char]) -> (i32, usize) {
        let rest = &chars[self.end..];
        let spaces = rest.iter().take_while(|c| c.is_whitespace()).count();
        let word: String = rest[spaces..].iter().take_while(|c| c.is_alphanumeric()).collect();
        let letter = LETTERS.iter().find(|(letter, _)| spaces == 0 && *letter == word);
        let known = letter.or_else(|| WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)));
        known.map_or((0, self.end), |(word, zeros)| (*zeros, self.end + spaces + word.len()))
    }

    /// A minus counts at the beginning of a word, so that `10-20` and `F-16` have none.
    fn is_negative(&self, chars: &[char]) -> bool {
        let before = match &chars[..self.start] {
            [rest @ .., last] if is_currency(*last) => rest,
            all => all,
        };
        match before {
            [rest @ .., sign] if is_minus(*sign) => rest.last().is_none_or(|c| !c.is_alphanumeric()),
            _ => false,
        }
    }
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '\u{2212}')
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}')
}

fn is_of_unit(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '%' | '/' | '°' | '²' | '³') || is_currency(c)
}

/// The first number from there on.
fn next(chars: &[char], from: usize, numerals: Numerals) -> Option<Found> {
    let decimal = match numerals.decimal {
        Decimal::Point => '.',
        Decimal::Comma => ',',
    };
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let digits_from = |at: usize| chars[at.min(chars.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
    let before = |at: usize| at.checked_sub(1).map(|at| chars[at]);
    let start = (from..chars.len()).find(|&at| {
        is_digit(at)
            || chars[at] == decimal
                && is_digit(at + 1)
                && !before(at).is_some_and(|c| c.is_alphanumeric() || c == decimal)
    })?;
    let mut end = start + digits_from(start);
    let mut plain: String = chars[start..end].iter().collect();
    if (1..=3).contains(&plain.len()) && !plain.starts_with('0') {
        let separator = chars.get(end).copied().filter(|c| is_separator(*c, numerals));
        while separator.is_some_and(|c| chars.get(end) == Some(&c)) && digits_from(end + 1) == 3 {
            plain.extend(&chars[end + 1..end + 4]);
            end += 4;
        }
    }
    if chars.get(end) == Some(&decimal) && is_digit(end + 1) {
        let digits = digits_from(end + 1);
        plain.push('.');
        plain.extend(&chars[end + 1..end + 1 + digits]);
        end += 1 + digits;
    }
    let is_in_word = before(start).is_some_and(|c| c.is_alphabetic() || c == '_');
    if !is_in_word && matches!(chars.get(end), Some('e' | 'E')) {
        let signed = usize::from(matches!(chars.get(end + 1), Some('+' | '-')));
        let digits = digits_from(end + 1 + signed);
        let last = end + 1 + signed + digits;
        if digits > 0 && !chars.get(last).is_some_and(|c| c.is_alphanumeric()) {
            plain.push('e');
            plain.extend(&chars[end + 1..last]);
            end = last;
        }
    }
    Some(Found { start, end, plain, is_in_word })
}

/// What may stand between thousands: what the files say, else all that cannot stand before a fraction or between two numbers.
fn is_separator(c: char, numerals: Numerals) -> bool {
    match (numerals.thousands, numerals.decimal) {
        (Some(thousands), _) => thousands.is(c),
        (None, Decimal::Point) => matches!(c, ',' | '\'' | '\u{2019}' | '\u{a0}' | '\u{202f}'),
        (None, Decimal::Comma) => matches!(c, '.' | '\'' | '\u{2019}' | '\u{a0}' | '\u{202f}'),
    }
}

#[cfg(test)]
mod tests {
    use super::super::separators::Thousands;
    use super::*;

    #[test]
    fn the_one_number_of_a_text_is_read_with_its_unit() {
        let cases = [
            ("90 min", 90.0, "min"),
            ("90min", 90.0, "min"),
            ("1 Season", 1.0, "season"),
            ("2 Seasons", 2.0, "season"),
            ("$1,200", 1200.0, "$"),
            ("-$5.50", -5.5, "$"),
            ("$-5.50", -5.5, "$"),
            ("US$ 20", 20.0, "us$"),
            ("EUR 20", 20.0, "eur"),
            ("Apollo 11", 11.0, ""),
            ("1,506.58", 1506.58, ""),
            ("€ 1,234,567.8", 1_234_567.8, "€"),
            ("12k", 12_000.0, ""),
            ("8.7k", 8700.0, ""),
            ("3.5M", 3_500_000.0, ""),
            ("1.2B USD", 1.2e9, "usd"),
            ("1.5 million", 1.5e6, ""),
            ("8 MB", 8.0, "mb"),
            ("15 %", 15.0, "%"),
            ("\u{2212}3 °C", -3.0, "°c"),
            ("120 m2", 120.0, "m"),
            ("100 km/h", 100.0, "km/h"),
            ("USD1200", 1200.0, "usd"),
            ("Rs. 450/-", 450.0, ""),
            ("10,000+", 10_000.0, ""),
            ("approx. 7.", 7.0, ""),
            (".5 l", 0.5, "l"),
            ("1e5", 1e5, ""),
            ("1'234.50 CHF", 1234.5, "chf"),
            ("1\u{202f}234", 1234.0, ""),
            ("F-16", 16.0, ""),
            ("007", 7.0, ""),
        ];
        for (text, value, unit) in cases {
            assert_eq!(quantity(text, Numerals::default()), Some(Quantity { value, unit: unit.to_owned() }), "{text}");
        }
    }

    #[test]
    fn texts_with_no_number_or_several_have_none() {
        for text in [
            "",
            "soon",
            "10-20",
            "2021-09-25",
            "1 h 30 min",
            "4.5/5",
            "1,5",
            "1,2345",
            "0,123",
            "1,234,56",
            "1.2.3",
            "S01E02",
            "1 200",
            "1e999",
            "5'10",
        ] {
            assert_eq!(quantity(text, Numerals::default()), None, "{text}");
        }
    }

    #[test]
    fn texts_that_are_more_than_a_number_are_told_apart() {
        for text in ["90 min", "$1,200", "-3 %", "10,000+", "EUR 20", "2 Seasons", "1,506.58", "19k"] {
            assert!(mere_quantity(text, Numerals::default()).is_some(), "{text}");
        }
        for text in [
            "visit number 90",
            "Room 12",
            "x12",
            "10-20",
            "90 min or so",
            "12 Main Street",
            "02139",
            "1.2.3",
            "soon",
            "",
        ] {
            assert_eq!(mere_quantity(text, Numerals::default()), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_the_files_say() {
        let value = |text: &str, decimal, thousands| quantity(text, Numerals { decimal, thousands }).map(|q| q.value);
        assert_eq!(value("1.506,58 €", Decimal::Comma, None), Some(1506.58));
        assert_eq!(value("1,5 kg", Decimal::Comma, None), Some(1.5));
        assert_eq!(value("1 200 kg", Decimal::Comma, Some(Thousands::Space)), Some(1200.0));
        assert_eq!(value("1,200 kg", Decimal::Point, Some(Thousands::Space)), None);
    }
}
