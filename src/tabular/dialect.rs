//! `Dialect`: how the text of a file is taken apart, from its bytes to its numbers.

use std::collections::HashSet;
use std::fmt;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::names::LONGEST_NAME;
use super::names::added_as;
use super::numerals::Numerals;
use super::separators::{Decimal, Thousands};

/// How files of text are read. Parquet and Arrow files say themselves what they hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// The encoding of the files, e.g. `windows-1252`; without it UTF-8, or what a byte-order mark says.
    #[schemars(with = "Option<String>")]
    pub encoding: Option<Encoding>,
    /// The character between fields, e.g. `";"` or `"\t"`.
    #[serde(deserialize_with = "read_delimiter")]
    #[schemars(with = "String", length(min = 1, max = 2))]
    pub delimiter: char,
    /// The character around fields that hold a delimiter or a line break, or `none`.
    #[schemars(with = "String")]
    pub quote: Quote,
    /// Whether the first line of each file names its columns.
    pub header: bool,
    /// What the columns are called, where `header` is false; else `column_1`, `column_2` …
    pub names: Vec<String>,
    /// What stands before the fraction of a number.
    pub decimal: Decimal,
    /// What stands between the thousands of a number.
    pub thousands: Option<Thousands>,
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect {
            encoding: None,
            delimiter: ',',
            quote: Quote::default(),
            header: true,
            names: Vec::new(),
            decimal: Decimal::Point,
            thousands: None,
        }
    }
}

/// An encoding of text, by any name that the WHATWG standard knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// What may stand around a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Nothing: quotes are characters as others.
    None,
    /// This character.
    Character(char),
}

/// A setting of a dialect that cannot be, with what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// The setting, e.g. `delimiter`.
    pub key: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Dialect {
    /// Settings that cannot be, alone or together.
    pub fn misfits(&self) -> Vec<Misfit> {
        let mut found = Vec::new();
        let mut add = |key, message: String, help: &str| found.push(Misfit { key, message, help: help.to_owned() });
        let delimiter = self.delimiter;
        if !delimiter.is_ascii() || matches!(delimiter, '\r' | '\n' | '\0') || delimiter == '"' {
            let message = format!("{delimiter:?} cannot separate fields");
            add("delimiter", message, "use one ASCII character such as ',', ';' or a tab");
        }
        if let Quote::Character(quote) = self.quote {
            if !quote.is_ascii() || quote.is_ascii_alphanumeric() || matches!(quote, '\r' | '\n' | '\0') {
                add("quote", format!("{quote:?} cannot quote fields"), "use one ASCII sign such as '\"', or `none`");
            } else if quote == delimiter {
                add(
                    "quote",
                    format!("{quote:?} is the delimiter too"),
                    "use two different characters, or `quote: none`",
                );
            }
        }
        if self.header && !self.names.is_empty() {
            let help = "write `header: false`, or leave `names` out";
            add("names", "these are for files without a header, but `header` is true".to_owned(), help);
        }
        let mut seen = HashSet::new();
        for name in &self.names {
            let plain = name.trim();
            if plain.is_empty() {
                add("names", "a column needs a name".to_owned(), "write one in place of the empty one");
            } else if plain != name {
                add("names", format!("'{name}' has white space around it"), "leave the white space out");
            } else if added_as(name).is_some() {
                let message = format!("'{name}' begins as columns that the program adds");
                add("names", message, "choose another name");
            } else if name.chars().count() > LONGEST_NAME {
                let message = format!("a name has {} characters, more than it can have", name.chars().count());
                add("names", message, "choose a shorter one");
            } else if !seen.insert(name) {
                add("names", format!("'{name}' names two columns"), "give each its own name");
            }
        }
        let thousands = self.thousands.map(Thousands::character);
        if thousands == Some(self.decimal.character()) {
            let message = format!("{:?} stands before fractions too", self.decimal.character());
            add("thousands", message, "use two different characters for `decimal` and `thousands`");
        }
        // Within quotes a number may hold the delimiter.
        if self.quote == Quote::None {
            let message = format!("{delimiter:?} is the delimiter too, and without quotes no number can hold it");
            let help = "choose another `delimiter`, or leave `quote: none` out";
            if self.decimal.character() == delimiter {
                add("decimal", message.clone(), help);
            }
            if thousands == Some(delimiter) {
                add("thousands", message, help);
            }
        }
        found
    }

    /// That of the text which a file of columns becomes: it has names and quotes whatever other files have.
    pub(super) fn of_columns(&self) -> Dialect {
        let quote = if self.quote == Quote::None { Quote::default() } else { self.quote };
        Dialect { encoding: None, quote, header: true, names: Vec::new(), thousands: None, ..self.clone() }
    }

    pub(super) fn numerals(&self) -> Numerals {
        Numerals { decimal: self.decimal, thousands: self.thousands }
    }

    /// The quote as the byte that the csv crate wants.
    pub(super) fn quote_byte(&self) -> Option<u8> {
        match self.quote {
            Quote::None => None,
            Quote::Character(quote) => Some(quote as u8),
        }
    }
}

impl Encoding {
    /// UTF-16 with the low byte first.
    pub const UTF_16LE: Encoding = Encoding(encoding_rs::UTF_16LE);
    /// UTF-16 with the high byte first.
    pub const UTF_16BE: Encoding = Encoding(encoding_rs::UTF_16BE);
    /// What programs of western countries write that do not write UTF-8; Latin-1 is part of it.
    pub const WINDOWS_1252: Encoding = Encoding(encoding_rs::WINDOWS_1252);

    /// By one of its names, in whatever case, e.g. `latin1`.
    pub fn named(name: &str) -> Option<Self> {
        let found = encoding_rs::Encoding::for_label(name.trim().as_bytes())?;
        (found != encoding_rs::REPLACEMENT).then_some(Encoding(found))
    }

    /// Its usual name, e.g. `windows-1252`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    pub(super) fn inner(self) -> &'static encoding_rs::Encoding {
        self.0
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Encoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXAMPLES: &str = "e.g. utf-8, windows-1252, iso-8859-2, utf-16le, shift_jis, gb18030, koi8-r";
        let name = String::deserialize(deserializer)?;
        Encoding::named(&name)
            .ok_or_else(|| D::Error::custom(format!("'{name}' is no encoding of the WHATWG's standard, {EXAMPLES}")))
    }
}

impl Default for Quote {
    fn default() -> Self {
        Quote::Character('"')
    }
}

impl Quote {
    /// The inverse of [`Quote::text`].
    pub fn of(text: &str) -> Self {
        if text == "none" { Quote::None } else { text.chars().next().map_or(Quote::default(), Quote::Character) }
    }

    /// As it is written in YAML, without quotes of YAML's own.
    pub fn text(self) -> String {
        match self {
            Quote::None => "none".to_owned(),
            Quote::Character(quote) => quote.to_string(),
        }
    }
}

impl Serialize for Quote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Quote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) => Ok(Quote::Character(one)),
            _ if text == "none" => Ok(Quote::None),
            _ => Err(D::Error::custom(format!(r#"a quote is one character, e.g. "'", or `none`; got '{text}'"#))),
        }
    }
}

/// A character, or `\t` as it stands in single quotes, where YAML makes no tab of it.
///
/// # Errors
/// On several characters, or none.
pub fn read_delimiter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<char, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(one),
        _ if text == r"\t" => Ok('\t'),
        _ => {
            Err(D::Error::custom(format!(r#"a delimiter is one character, e.g. ';', or "\t" for a tab; got '{text}'"#)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_contradict_each_other_are_found() {
        let keys = |yaml: &str| -> Vec<&'static str> {
            let dialect: Dialect = serde_yaml::from_str(yaml).expect("a dialect");
            dialect.misfits().iter().map(|misfit| misfit.key).collect()
        };
        assert_eq!(keys("{}"), [] as [&str; 0]);
        assert_eq!(keys("{names: [a, a, ' b', '', runner.x], header: true}"), ["names"; 5]);
        assert_eq!(keys("{decimal: ',', thousands: ','}"), ["thousands"]);
        assert_eq!(keys("{thousands: '.'}"), ["thousands"]);
        assert_eq!(keys("{decimal: ','}"), [] as [&str; 0]);
        assert_eq!(keys("{decimal: ',', quote: none}"), ["decimal"]);
        assert_eq!(keys("{thousands: ',', quote: none}"), ["thousands"]);
        assert_eq!(keys("{delimiter: ;, quote: ;}"), ["quote"]);
        assert_eq!(keys("{delimiter: é, quote: a}"), ["delimiter", "quote"]);
    }

    #[test]
    fn encodings_have_many_names_and_one_that_is_written() {
        for name in ["latin1", "Windows-1252", "iso-8859-1", "cp1252"] {
            assert_eq!(Encoding::named(name).map(Encoding::name), Some("windows-1252"), "{name}");
        }
        assert_eq!(Encoding::named("utf-16"), Some(Encoding::UTF_16LE));
        assert_eq!(Encoding::named("replacement"), None);
        let error = serde_yaml::from_str::<Dialect>("encoding: klingon").unwrap_err().to_string();
        assert!(error.contains("'klingon' is no encoding"), "{error}");
    }
}
