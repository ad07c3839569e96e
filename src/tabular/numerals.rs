//! Numbers as people write them, `1.234,5`, to numbers as programs do.

use std::borrow::Cow;

use arrow::datatypes::Field;
use serde::{Deserialize, Serialize};

use super::separators::{Decimal, Thousands};
use super::token::number;

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numerals {
    pub(crate) decimal: Decimal,
    pub(crate) thousands: Option<Thousands>,
}

/// Field metadata of a column of texts, from files whose numbers are not written as programs write them: how, as JSON.
const NUMERALS: &str = "numerals";

impl Numerals {
    /// How the numbers among the texts of a column are written.
    pub fn of_field(field: &Field) -> Self {
        let said = field.metadata().get(NUMERALS);
        said.and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default()
    }

    /// What [`Numerals::of_field`] reads.
    pub(super) fn metadata(self) -> Option<(String, String)> {
        (!self.are_plain()).then(|| (NUMERALS.to_owned(), serde_json::json!(self).to_string()))
    }

    /// A token of a column that is known to hold numbers.
    pub fn number(self, token: &str) -> Option<f64> {
        number(&self.plain(token.trim()))
    }

    /// Whether numbers are written as programs write them.
    pub(super) fn are_plain(self) -> bool {
        self == Numerals::default()
    }

    /// A number as programs write it, `1234.5` for `1.234,5`; blank where it is a number in another writing alone. Other tokens stay as they are.
    pub(super) fn plain(self, token: &str) -> Cow<'_, str> {
        let is_sign = |c: char| matches!(c, '.' | ',') || self.thousands.is_some_and(|thousands| thousands.is(c));
        if self.are_plain() || !token.contains(is_sign) {
            return Cow::Borrowed(token);
        }
        match self.read(token) {
            Some(plain) => Cow::Owned(plain),
            None if token.parse::<f64>().is_ok() => Cow::Borrowed(""),
            None => Cow::Borrowed(token),
        }
    }

    fn read(self, token: &str) -> Option<String> {
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
        let sign = &token[..token.len() - unsigned.len()];
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => unsigned.split_at(at),
            None => (unsigned, ""),
        };
        let (whole, fraction) = mantissa.split_once(self.decimal.character()).unwrap_or((mantissa, ""));
        let groups: Vec<&str> = match self.thousands {
            Some(thousands) => whole.split(|c| thousands.is(c)).collect(),
            None => vec![whole],
        };
        let (first, others) = groups.split_first()?;
        let are_grouped = others.is_empty()
            || (1..=3).contains(&first.len()) && others.iter().all(|group| group.len() == 3 && is_digits(group));
        if !is_digits(first) || !are_grouped || !is_digits(fraction) || mantissa.len() < 2 && fraction.is_empty() {
            return None;
        }
        let point = if fraction.is_empty() { "" } else { "." };
        Some(format!("{sign}{}{point}{fraction}{exponent}", groups.concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_dialect_writes_them() {
        let german = Numerals { decimal: Decimal::Comma, thousands: Some(Thousands::Point) };
        let swiss = Numerals { decimal: Decimal::Point, thousands: Some(Thousands::Apostrophe) };
        let spaced = Numerals { decimal: Decimal::Comma, thousands: Some(Thousands::Space) };
        let comma = Numerals { decimal: Decimal::Comma, thousands: None };
        let cases = [
            (german, "1.234,5", "1234.5"),
            (german, "-1.234.567", "-1234567"),
            (german, "1234,5", "1234.5"),
            (german, "1,5e-3", "1.5e-3"),
            (german, ",5", ".5"),
            (german, "12", "12"),
            // No number in this writing, though it would be one in another.
            (german, "12.5", ""),
            (german, "1.23,5", "1.23,5"),
            (german, "2.11.2020", "2.11.2020"),
            (swiss, "1\u{2019}234.50", "1234.50"),
            (spaced, "1\u{202f}234,5", "1234.5"),
            (comma, "0,25", "0.25"),
            (comma, "0.25", ""),
            (comma, "x,y", "x,y"),
            (comma, ",", ","),
            (Numerals::default(), "1,5", "1,5"),
        ];
        for (numerals, token, plain) in cases {
            assert_eq!(numerals.plain(token), plain, "{token}");
        }
    }
}
