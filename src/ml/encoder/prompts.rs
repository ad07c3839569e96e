//! The text that is put before every text: what a model was trained to see, e.g. `query: `.

use std::path::Path;

use serde_json::Value;

use super::files::{read_settings, setting};
use super::{EncodeError, TransformerOptions};

/// By the options, or by the model's own default: config_sentence_transformers.json names its prompts.
pub(crate) fn prefix(folder: &Path, options: &TransformerOptions) -> Result<String, EncodeError> {
    let option = |reason: String| EncodeError::Option { option: "prompt", reason };
    if let Some(prefix) = &options.prefix {
        return match &options.prompt {
            Some(name) => Err(option(format!("'{name}' beside a prefix; leave one of them out"))),
            None => Ok(prefix.clone()),
        };
    }
    let path = folder.join("config_sentence_transformers.json");
    let config = read_settings(&path)?.unwrap_or(Value::Null);
    let default = setting(&config, "default_prompt_name", &path, "the name of a prompt", Value::as_str)?;
    setting(&config, "prompts", &path, "an object of texts by name", Value::as_object)?;
    let Some(name) = options.prompt.as_deref().or(default) else {
        return Ok(String::new());
    };
    match config["prompts"][name].as_str() {
        Some(prompt) => Ok(prompt.to_owned()),
        None if options.prompt.is_none() => Err(EncodeError::Corrupt {
            path,
            reason: format!("its default_prompt_name '{name}' is none of its prompts"),
        }),
        None => {
            let known: Vec<&String> = config["prompts"].as_object().into_iter().flat_map(|map| map.keys()).collect();
            Err(option(match known.as_slice() {
                [] => format!("'{name}': the model names no prompts; give its text as `prefix`"),
                _ => format!("'{name}' is none of the model's prompts {known:?}"),
            }))
        }
    }
}
