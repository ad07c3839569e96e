//! The language that files for people are written in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use runner_names::Localized;
use runner_report::article::Language;

/// English or French.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TextLanguage {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl TextLanguage {
    /// Of a text in both.
    pub(crate) fn say(self, english: &'static str, french: &'static str) -> &'static str {
        match self {
            TextLanguage::En => english,
            TextLanguage::Fr => french,
        }
    }

    /// Of a user's text.
    pub(crate) fn of(self, text: &Localized) -> &str {
        text.get(self.say("en", "fr"))
    }

    /// For articles.
    pub(crate) fn language(self) -> Language {
        match self {
            TextLanguage::En => Language::English,
            TextLanguage::Fr => Language::French,
        }
    }
}
