//! What a token says as a number, and when two tokens say the same one.

use std::collections::{BTreeMap, HashMap};

use super::exact::is_exact;

/// Any so many digits a float holds.
const SHORT: usize = 15;

/// What a token says as a number.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Token {
    /// No value, or a token that stands for a missing one.
    Missing,
    Integer(i64),
    /// Digits with a leading zero, as a postal code has: as a number it would lose its zeros.
    Code,
    /// A whole number that no 64-bit integer holds.
    Huge(f64),
    Number(f64),
    /// A number whose whole part a float does not hold exactly: two of them could become one.
    Inexact(f64),
    Infinite,
    Word,
}

impl Token {
    /// An integer that a float does not hold.
    pub(crate) fn is_inexact(&self) -> bool {
        // In 128 bits: 2^63, to which the largest integers are rounded, is none of 64.
        matches!(self, Token::Integer(value) if !is_exact(*value))
    }
}

/// What a token that does not stand for a missing value says: which ones do is up to the user, so that no word is taken for one here, neither `nan`
/// nor a blank. `declared`: a leading zero is then no sign of an identifier.
pub(super) fn classify(token: &str, declared: bool) -> Token {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    match digits.as_bytes() {
        // 01.50 is as likely a version or a chapter as a number.
        [b'0', b'0'..=b'9', ..] if !declared => {
            let is_code = digits.bytes().all(|b| b.is_ascii_digit());
            return if is_code { Token::Code } else { Token::Word };
        }
        [b'0'..=b'9' | b'.', ..] => {}
        _ if ["inf", "infinity"].iter().any(|name| digits.eq_ignore_ascii_case(name)) => {
            return Token::Infinite;
        }
        _ => return Token::Word,
    }
    if digits.bytes().all(|b| b.is_ascii_digit())
        && let Ok(integer) = token.parse()
    {
        return Token::Integer(integer);
    }
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    match token.parse::<f64>() {
        Ok(number) if !number.is_finite() => Token::Infinite,
        Ok(number) if whole == digits.len() => Token::Huge(number),
        Ok(number) => {
            // The digits before the point, unless an exponent says that they were rounded anyway.
            let exact = digits.contains(['e', 'E']) || are_exact(&digits[..whole]);
            if exact { Token::Number(number) } else { Token::Inexact(number) }
        }
        Err(_) => Token::Word,
    }
}

/// What keeps a token from being a number that a person would read as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Writing {
    /// `12 %`
    Percent,
    /// `1 000`
    Thousands,
    /// `1,5`
    Comma,
}

impl Writing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Writing::Percent => "a percent sign",
            Writing::Thousands => "a thousands separator",
            Writing::Comma => "a comma",
        }
    }

    /// What to do for them to be read as numbers.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Writing::Percent => "write them without the sign, or derive numbers by `number_of`",
            Writing::Thousands => "read the files with `thousands: \" \"`, or with the sign that they have",
            Writing::Comma => "read the files with `decimal: \",\"` or `thousands: \",\"`, whichever the comma is",
        }
    }
}

/// How a number is written that a person would read as one, and no program.
pub(super) fn written(token: &str) -> Option<Writing> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = token.strip_prefix(['+', '-', '\u{2212}']).unwrap_or(token);
    if let Some(share) = plain.strip_suffix('%') {
        return number(&share.trim_end().replace(',', ".")).map(|_| Writing::Percent);
    }
    // Spaces, as the international standard has them (ISO 80000-1), or the Swiss apostrophe.
    let (whole, fraction) = plain.split_once(['.', ',']).unwrap_or((plain, "0"));
    let groups: Vec<&str> = whole.split([' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}']).collect();
    let is_grouped = |groups: &[&str]| {
        groups.len() > 1
            && groups.iter().enumerate().all(|(i, group)| {
                is_digits(group) && if i == 0 { group.len() <= 3 && !group.starts_with('0') } else { group.len() == 3 }
            })
    };
    if is_grouped(&groups) && is_digits(fraction) {
        return Some(Writing::Thousands);
    }
    // `1,234,567.8`; a single comma may as well be a decimal one.
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, "0"));
    let commas: Vec<&str> = whole.split(',').collect();
    if commas.len() > 1
        && is_digits(fraction)
        && (is_grouped(&commas) || commas.len() == 2 && commas.iter().all(|part| is_digits(part)))
    {
        return Some(Writing::Comma);
    }
    None
}

/// Whether a float holds this whole number.
fn are_exact(digits: &str) -> bool {
    // Below 10^15 always; a number of forty digits is no whole number that anyone counted.
    digits.len() < 16 || digits.parse::<i128>().is_ok_and(|whole| whole as f64 as i128 == whole)
}

/// The digits of a token that says a number, without zeros at either end, and where its point stands among them: `("123", 1)` of `1.230e0`.
fn decimal(token: &str) -> Option<(String, i64)> {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let point = exponent.checked_add(whole.len() as i64 - (all.len() - significant.len()) as i64)?;
    Some((significant.trim_end_matches('0').to_owned(), point))
}

/// Whether a float loses digits that the token has: written with as many, the float says another number. A float's own digits, however many were written,
/// are not lost.
fn loses_digits(token: &str, number: f64) -> bool {
    let said = if token.len() > SHORT { decimal(token) } else { None };
    let Some(said) = said.filter(|(digits, _)| digits.len() > SHORT) else { return false };
    decimal(&format!("{number:.*e}", said.0.len() - 1)) != Some(said)
}

/// The rows whose number, as a float, is that of a row that says another number, and loses digits by it: as identifiers they would run together.
pub(super) fn merging<'t>(tokens: impl Iterator<Item = Option<&'t str>> + Clone) -> Vec<usize> {
    let numbers =
        || tokens.clone().enumerate().filter_map(|(row, token)| Some((row, token?, token?.parse::<f64>().ok()?)));
    let lossy = tokens.clone().flatten().filter(|token| token.len() > SHORT).filter_map(|token| {
        let number = token.parse::<f64>().ok()?;
        loses_digits(token, number).then(|| (number.to_bits(), BTreeMap::new()))
    });
    let mut lossy: HashMap<u64, BTreeMap<(String, i64), usize>> = lossy.collect();
    if lossy.is_empty() {
        return Vec::new();
    }
    for (row, token, number) in numbers() {
        if let (Some(rows), Some(said)) = (lossy.get_mut(&number.to_bits()), decimal(token)) {
            rows.entry(said).or_insert(row);
        }
    }
    let groups = lossy.into_values().filter(|rows| rows.len() > 1);
    let mut rows: Vec<usize> = groups.flat_map(BTreeMap::into_values).collect();
    rows.sort_unstable();
    rows
}

/// A token of a column that is known to hold numbers.
pub fn number(token: &str) -> Option<f64> {
    match classify(token.trim(), true) {
        Token::Integer(value) => Some(value as f64),
        Token::Number(value) | Token::Huge(value) | Token::Inexact(value) => Some(value),
        Token::Missing | Token::Code | Token::Infinite | Token::Word => None,
    }
}

/// The number that a token would be read as in a column whose type nobody declared, in one spelling for all tokens that say it, and for the value that
/// such a column holds: `1` for `1`, `1.0` and `1e0`. `None` of codes such as `007`, of words, and of what a float would round.
pub fn canonical_number(token: &str) -> Option<String> {
    canonical(token.trim(), false)
}

/// The same, where leading zeros are no sign of an identifier: `7` for `007`.
pub(super) fn canonical_or_code(token: &str) -> Option<String> {
    canonical(token.trim(), true)
}

/// A number in the spelling of [`canonical_number`].
pub fn spelled(number: f64) -> String {
    // Whole numbers digit by digit, as `to_string` fills up with zeros what a float holds exactly.
    if number.fract() == 0.0 && number.abs() < 1e38 { (number as i128).to_string() } else { format!("{number:?}") }
}

fn canonical(token: &str, declared: bool) -> Option<String> {
    match classify(token, declared) {
        Token::Integer(value) => Some(value.to_string()),
        Token::Number(value) => (!loses_digits(token, value)).then(|| spelled(value)),
        // All digits count, those of the fraction only if there are any but zeros.
        Token::Huge(_) | Token::Inexact(_) => {
            let (whole, fraction) = token.split_once('.').unwrap_or((token, ""));
            let (sign, digits) = match whole.strip_prefix('-') {
                Some(digits) => ("-", digits),
                None => ("", whole.strip_prefix('+').unwrap_or(whole)),
            };
            let is_whole = fraction.bytes().all(|digit| digit == b'0');
            is_whole.then(|| format!("{sign}{}", digits.trim_start_matches('0')))
        }
        Token::Missing | Token::Code | Token::Infinite | Token::Word => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Writing, canonical_number, number, spelled, written};

    #[test]
    fn numbers_that_are_written_for_people_are_known_as_such() {
        let separated = ["1 000", "-12\u{a0}345,5", "1\u{202f}000\u{202f}000", "1'000.25"];
        let others = [
            ("12 %", Writing::Percent),
            ("1,5", Writing::Comma),
            ("1,234,567.8", Writing::Comma),
            ("\u{2212}1,234", Writing::Comma),
        ];
        for (token, how) in separated.map(|token| (token, Writing::Thousands)).into_iter().chain(others) {
            assert_eq!(written(token), Some(how), "{token}");
        }
        // A telephone number, a date, a range, a list, a version, a code, plain numbers.
        for token in [
            "01 23 45",
            "12 34",
            "2001-02-03",
            "1 - 2",
            "1,2,3",
            "1.2.3",
            "007",
            "0 123",
            "1000",
            "1.5",
            "%",
            "a,b",
            "",
        ] {
            assert_eq!(written(token), None, "{token}");
        }
    }

    #[test]
    fn one_number_has_one_spelling_and_two_numbers_have_two() {
        let same: [(&str, &[&str]); 6] = [
            ("1", &["1", "1.0", "+1", "1e0", " 1.000 ", "10e-1"]),
            ("0", &["0", "-0", "0.0", "-0.0"]),
            (
                "0.1",
                &[
                    "0.1",
                    ".1",
                    "0.10",
                    "1e-1",
                    "0.100000000000000000000",
                    "0.1000000000000000055511",
                    "0.10000000000000001",
                ],
            ),
            ("9007199254740993", &["9007199254740993", "9007199254740993.0", "+9007199254740993.00"]),
            ("1152921504606846976", &["1152921504606846976", "1152921504606846976.0", "1.152921504606847e18"]),
            ("-50000000000000000001", &["-50000000000000000001", "-50000000000000000001.0"]),
        ];
        for (expected, tokens) in same {
            for token in tokens {
                assert_eq!(canonical_number(token).as_deref(), Some(expected), "{token}");
            }
        }
        let digits_lost = ["9007199254740993e0", "0.10000000000000000000001", "1.2345678901234567890e3"];
        let none = ["", "-", "+", "nan", "-nan", "NaN", "inf", "1e999", "007", "1_0", "9007199254740993.5", "x"];
        for token in none.into_iter().chain(digits_lost) {
            assert_eq!(canonical_number(token), None, "{token}");
        }
        // What a float column holds is spelt as what the file says.
        for token in ["1.0", "0.1", "1e20", "1e300", "2.5e-7", "9007199254740994.0", "-3.0"] {
            let value = number(token).expect("a number");
            assert_eq!(canonical_number(token), Some(spelled(value)), "{token}");
        }
    }
}
