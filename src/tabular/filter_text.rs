//! What a value of a condition means among the texts of a column: that text, or where no row has it the one that is the same to a reader.

use indexmap::IndexSet;

use super::filter_error::FilterError;
use super::scalar::Scalar;
use super::spelling::composed;
use super::token::{canonical_number, spelled};

/// Spellings that a message names.
const SHOWN: usize = 3;

/// The distinct texts of a column.
pub(super) struct Texts<'a>(IndexSet<&'a str>);

impl<'a> Texts<'a> {
    pub(crate) fn new(cells: impl Iterator<Item = &'a str>) -> Self {
        Texts(cells.collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().copied()
    }

    /// The text that is compared with cells for equality. As YAML reads `1` and `true` without quotes, they may well mean a class of that name; `1.0` without
    /// quotes means the text that is this number, if there is one only, since 1.10 and 1.1 are one number but two texts.
    pub(crate) fn meant(&self, scalar: &Scalar, column: &str) -> Result<String, FilterError> {
        let (literal, number) = match scalar {
            Scalar::Text(text) => (Some(text.clone()), None),
            Scalar::Boolean(value) => (Some(value.to_string()), None),
            Scalar::Integer(number) => (Some(number.to_string()), Some(number.to_string())),
            Scalar::Unsigned(number) => (Some(number.to_string()), Some(number.to_string())),
            Scalar::Number(number) => (None, Some(spelled(*number))),
        };
        if let Some(literal) = literal.as_ref().filter(|literal| self.0.contains(literal.as_str())) {
            return Ok(literal.clone());
        }
        let is_same = |text: &str| match (&number, &literal) {
            (Some(number), _) => canonical_number(text).as_ref() == Some(number),
            (None, Some(literal)) => composed(text) == composed(literal),
            (None, None) => false,
        };
        let same: Vec<&str> = self.iter().filter(|text| is_same(text)).collect();
        match (same.as_slice(), literal) {
            ([one], _) => Ok((*one).to_owned()),
            ([], Some(literal)) => Ok(literal),
            ([], None) => Err(scalar.incomparable(column, "text", "put the value in quotes")),
            (several, _) => {
                let written: Vec<String> = several.iter().take(SHOWN).map(|text| format!("\"{text}\"")).collect();
                let remedy =
                    format!("the texts {} are this value: put those that you mean in quotes", written.join(", "));
                Err(scalar.incomparable(column, "text", remedy))
            }
        }
    }
}
