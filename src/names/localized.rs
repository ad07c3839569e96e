//! Text for people in one or several languages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// What people read, e.g. the name of a stage in an article: one text for every language, or one for each, by its code: `{en: songs, fr: chansons}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Localized(Written);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Any(String),
    ByLanguage(BTreeMap<String, String>),
}

impl Localized {
    /// The languages that texts of ours are in.
    pub const LANGUAGES: [&'static str; 2] = ["en", "fr"];

    /// In this language, by its code; where it is not given in it, in the first of those that are.
    pub fn get(&self, language: &str) -> &str {
        match &self.0 {
            Written::Any(text) => text,
            Written::ByLanguage(texts) => {
                texts.get(language).or_else(|| texts.values().next()).map_or("", String::as_str)
            }
        }
    }

    /// Whether it is given in this language, or for every language.
    pub fn has(&self, language: &str) -> bool {
        match &self.0 {
            Written::Any(_) => true,
            Written::ByLanguage(texts) => texts.contains_key(language),
        }
    }
}

impl From<&str> for Localized {
    fn from(text: &str) -> Localized {
        Localized(Written::Any(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Localized {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)
            .map_err(|_| D::Error::custom("expected a text, or one for each language as `{en: …, fr: …}`"))?;
        let languages = Localized::LANGUAGES;
        match &written {
            Written::Any(text) if text.trim().is_empty() => Err(D::Error::custom("the text is empty")),
            Written::ByLanguage(texts) if texts.is_empty() => {
                Err(D::Error::custom("expected a text for at least one language, e.g. `{en: …}`"))
            }
            Written::ByLanguage(texts) => {
                match texts.iter().find(|(code, text)| !languages.contains(&code.as_str()) || text.trim().is_empty()) {
                    Some((code, _)) if !languages.contains(&code.as_str()) => {
                        Err(D::Error::custom(format!("unknown language '{code}': there are {}", languages.join(", "))))
                    }
                    Some((code, _)) => Err(D::Error::custom(format!("the text for '{code}' is empty"))),
                    None => Ok(Localized(written)),
                }
            }
            Written::Any(_) => Ok(Localized(written)),
        }
    }
}

impl JsonSchema for Localized {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Localized".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let text = schemars::json_schema!({"type": "string", "minLength": 1});
        let one = |language: &str| (language.to_owned(), text.clone().to_value());
        let by_language: serde_json::Map<_, _> = Localized::LANGUAGES.iter().map(|language| one(language)).collect();
        schemars::json_schema!({
            "description": "Text for people: one for every language, or one for each, e.g. `{en: songs, fr: chansons}`.",
            "anyOf": [text, {"type": "object", "properties": by_language, "additionalProperties": false, "minProperties": 1}],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Localized;

    fn read(json: &str) -> Result<Localized, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_serves_every_language_or_one_each() {
        let any = read("\"songs\"").expect("a text");
        assert_eq!((any.get("en"), any.get("fr"), any.has("fr")), ("songs", "songs", true));
        let both = read(r#"{"en": "songs", "fr": "chansons"}"#).expect("two texts");
        assert_eq!((both.get("en"), both.get("fr")), ("songs", "chansons"));
        let english = read(r#"{"en": "songs"}"#).expect("one text");
        assert_eq!((english.get("fr"), english.has("fr")), ("songs", false));
        assert_eq!(serde_json::to_string(&both).expect("JSON"), r#"{"en":"songs","fr":"chansons"}"#);
    }

    #[test]
    fn what_is_no_text_is_refused_in_words() {
        assert!(read("3").expect_err("a number").contains("expected a text"));
        assert!(read("\" \"").expect_err("blank").contains("is empty"));
        assert!(read("{}").expect_err("nothing").contains("at least one language"));
        assert!(read(r#"{"de": "Lieder"}"#).expect_err("German").contains("unknown language 'de': there are en, fr"));
    }
}
