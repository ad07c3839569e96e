//! What serde_yaml, the parser of record, reads: its `Value` refuses a mapping whose keys repeat and numbers beyond 64 bits, which would hide
//! all other mistakes of a file.

use std::fmt;

use serde::de::{Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

/// A value as it was read.
#[derive(Debug)]
pub(super) enum ReadValue {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    /// `.nan`, `.inf`, or a fraction beyond the range of f64.
    NotFinite,
    /// A whole number that 64 bits do not hold.
    TooLarge,
    String(String),
    Sequence(Vec<ReadValue>),
    /// Keys as often as they are written.
    Mapping(Vec<(ReadValue, ReadValue)>),
    /// A value with a local tag, e.g. `!object`: the tag alone.
    Tagged(String),
}

impl<'de> Deserialize<'de> for ReadValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = ReadValue;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<ReadValue, E> {
        Ok(ReadValue::Null)
    }

    fn visit_none<E>(self) -> Result<ReadValue, E> {
        Ok(ReadValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<ReadValue, E> {
        Ok(ReadValue::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<ReadValue, E> {
        Ok(ReadValue::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<ReadValue, E> {
        Ok(ReadValue::Number(value.into()))
    }

    fn visit_u128<E>(self, _: u128) -> Result<ReadValue, E> {
        Ok(ReadValue::TooLarge)
    }

    fn visit_i128<E>(self, _: i128) -> Result<ReadValue, E> {
        Ok(ReadValue::TooLarge)
    }

    fn visit_f64<E>(self, value: f64) -> Result<ReadValue, E> {
        Ok(serde_json::Number::from_f64(value).map_or(ReadValue::NotFinite, ReadValue::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<ReadValue, E> {
        Ok(ReadValue::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<ReadValue, E> {
        Ok(ReadValue::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<ReadValue, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = parts.next_element()? {
            values.push(value);
        }
        Ok(ReadValue::Sequence(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<ReadValue, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = parts.next_entry()? {
            pairs.push(pair);
        }
        Ok(ReadValue::Mapping(pairs))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<ReadValue, A::Error> {
        let (tag, contents) = tagged.variant::<String>()?;
        contents.newtype_variant::<ReadValue>()?;
        Ok(ReadValue::Tagged(format!("!{}", tag.trim_start_matches('!'))))
    }
}
