//! What reports tell of the parameters of a stage.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The parameters that are told of, of a stage of any kind: what its kind does not have, or means otherwise, is absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Numeric columns; absent where the stage has no such parameter.
    #[serde(deserialize_with = "if_it_fits")]
    pub numeric: Option<Vec<String>>,
    /// Text columns; absent where the stage has no such parameter.
    #[serde(deserialize_with = "if_it_fits")]
    pub text: Option<Vec<String>>,
    /// Text columns that models read without an embedding; absent where the stage has no such parameter.
    #[serde(deserialize_with = "if_it_fits")]
    pub texts: Option<Vec<String>>,
    /// Columns of categories; absent where the stage has no such parameter.
    #[serde(deserialize_with = "if_it_fits")]
    pub categories: Option<Vec<String>>,
    /// The files of a `load` stage and their paths.
    #[serde(deserialize_with = "if_it_fits")]
    pub files: Option<BTreeMap<String, String>>,
    /// Its downloads by name.
    #[serde(deserialize_with = "if_it_fits")]
    pub downloads: Option<BTreeMap<String, Value>>,
}

impl Settings {
    /// What the parameters of a stage say; other keys are ignored.
    pub fn of(params: &Value) -> Settings {
        Settings::deserialize(params).unwrap_or_default()
    }

    /// The columns that models read: numbers, texts, embedded or not, categories.
    pub fn columns(self) -> [Vec<String>; 3] {
        let [numeric, mut text, texts, categories] =
            [self.numeric, self.text, self.texts, self.categories].map(Option::unwrap_or_default);
        for name in texts {
            if !text.contains(&name) {
                text.push(name);
            }
        }
        [numeric, text, categories]
    }
}

fn if_it_fits<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).ok())
}
