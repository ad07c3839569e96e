//! `Condition`: what a filter asks of one column, as written in YAML.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::exact::Exact;
use super::filter_error::FilterError;
use super::scalar::Scalar;
use super::token::{Token, classify};
use super::words::yaml;

/// A condition on one column: the value, a list of which one must match, or tests.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Condition {
    /// The value itself.
    Is(Scalar),
    /// One of these values.
    OneOf(Vec<Scalar>),
    /// All of these tests.
    Tests(Tests),
}

/// Tests that must all hold. A missing value passes `not`, and fails `min` and `max`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tests {
    /// The smallest value that passes. Texts compare with a text in quotes, by their characters, so ISO dates work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<Scalar>,
    /// The largest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<Scalar>,
    /// The value or values that do not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not: Option<OneOrMany>,
    /// `true`: only missing values pass; `false`: only present ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<bool>,
}

/// A value or a list of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text, a number, true or false, or a list of these")]
pub(crate) enum OneOrMany {
    One(Scalar),
    Many(Vec<Scalar>),
}

impl Scalar {
    /// As a number, if it is one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Scalar::Integer(number) => Some(*number as f64),
            Scalar::Unsigned(number) => Some(*number as f64),
            Scalar::Number(number) => Some(*number),
            Scalar::Boolean(_) | Scalar::Text(_) => None,
        }
    }

    /// The smallest or largest text of a column of texts, which compare by their characters: 9 comes after 30 then.
    pub(super) fn as_bound(&self, column: &str) -> Result<String, FilterError> {
        match self {
            Scalar::Text(text) => Ok(text.clone()),
            _ => {
                let key = yaml(column);
                let remedy = format!(
                    "declare `types: {{{key}: number}}` in the `load` stage to compare numbers, or put the value in quotes to compare texts by their characters"
                );
                Err(self.incomparable(column, "text", remedy))
            }
        }
    }

    pub(super) fn as_boolean(&self, column: &str) -> Result<bool, FilterError> {
        match self {
            Scalar::Boolean(value) => Ok(*value),
            _ => Err(self.incomparable(column, "booleans", "write true or false")),
        }
    }

    /// `whole`: the column holds integers, which a number with a point could miss where floats are further apart than 1.
    pub(super) fn as_number(&self, column: &str, whole: bool) -> Result<Exact, FilterError> {
        const APART: std::ops::Range<f64> = 9_007_199_254_740_992.0..18_446_744_073_709_551_616.0;
        match self {
            Scalar::Integer(number) => Ok(Exact::Integer((*number).into())),
            Scalar::Unsigned(number) => Ok(Exact::Integer((*number).into())),
            Scalar::Number(number) if whole && APART.contains(&number.abs()) => {
                let remedy =
                    "from 2^53 on a number with a point or an exponent is rounded: write all its digits, and neither";
                Err(self.incomparable(column, "whole numbers", remedy))
            }
            Scalar::Number(number) => Ok(Exact::Float(*number)),
            Scalar::Boolean(_) => Err(self.incomparable(column, "numbers", "write a number")),
            Scalar::Text(text) => {
                let remedy = match classify(text.trim(), true) {
                    Token::Word | Token::Missing => "write a number",
                    Token::Infinite => "no number of 64 bits is that large: write a smaller one, or leave it out",
                    _ => "write the number without quotes",
                };
                Err(self.incomparable(column, "numbers", remedy))
            }
        }
    }

    pub(super) fn incomparable(&self, column: &str, holds: &'static str, remedy: impl Into<String>) -> FilterError {
        let value = self.to_string();
        FilterError::Incomparable { column: column.to_owned(), holds, value, remedy: remedy.into() }
    }
}

/// By hand, because an untagged enum answers a misspelt `mn:` with "no variant matched".
impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConditionVisitor)
    }
}

struct ConditionVisitor;

impl<'de> Visitor<'de> for ConditionVisitor {
    type Value = Condition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list of values, or a map of min, max, not, missing")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Integer(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Condition, E> {
        Ok(Condition::Is(i64::try_from(value).map_or(Scalar::Unsigned(value), Scalar::Integer)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Number(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Condition, E> {
        Ok(Condition::Is(Scalar::Text(value.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Condition, E> {
        Err(E::custom("a condition is empty (for missing values write `{missing: true}`)"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Condition, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Condition::OneOf)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Condition, A::Error> {
        let tests = Tests::deserialize(MapAccessDeserializer::new(map))?;
        if tests == Tests::default() {
            return Err(A::Error::custom("a condition needs one of min, max, not, missing"));
        }
        Ok(Condition::Tests(tests))
    }
}
