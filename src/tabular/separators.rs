//! The signs within a number: before its fraction, and between its thousands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands before the fraction of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Decimal {
    /// As in `1234.5`.
    #[default]
    #[serde(rename = ".")]
    Point,
    /// As in `1234,5`.
    #[serde(rename = ",")]
    Comma,
}

impl Decimal {
    /// The character.
    pub fn character(self) -> char {
        match self {
            Decimal::Point => '.',
            Decimal::Comma => ',',
        }
    }
}

/// What stands between the thousands of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Thousands {
    /// As in `1.234`.
    #[serde(rename = ".")]
    Point,
    /// As in `1,234`.
    #[serde(rename = ",")]
    Comma,
    /// As in `1'234`, with a straight apostrophe or a curved one.
    #[serde(rename = "'")]
    Apostrophe,
    /// As in `1 234`, with a space of any width.
    #[serde(rename = " ")]
    Space,
    /// As in `1_234`.
    #[serde(rename = "_")]
    Underscore,
}

impl Thousands {
    /// The character, of several the plainest.
    pub fn character(self) -> char {
        match self {
            Thousands::Point => '.',
            Thousands::Comma => ',',
            Thousands::Apostrophe => '\'',
            Thousands::Space => ' ',
            Thousands::Underscore => '_',
        }
    }

    pub(super) fn is(self, character: char) -> bool {
        match self {
            Thousands::Apostrophe => matches!(character, '\'' | '\u{2019}'),
            Thousands::Space => matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
            other => character == other.character(),
        }
    }
}
