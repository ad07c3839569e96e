//! A model's folder in the sentence-transformers layout: which modules it chains, how it pools, how long a text may be.
//!
//! Knows nothing of tensors or tokens; `weights` and `tokens` read those files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::architecture::Architecture;
use super::{EncodeError, Pooling, TransformerOptions};

/// What decides a transformer's vectors besides its tensors and its tokenizer.
pub struct ModelFolder {
    /// Holds config.json, tokenizer.json and model.safetensors.
    pub transformer: PathBuf,
    pub config: Value,
    pub architecture: Architecture,
    pub pooling: Pooling,
    pub normalize: bool,
    /// in tokens, special ones included
    pub max_length: usize,
    pub lowercase: bool,
}

impl ModelFolder {
    /// Reads the folder; `options` overrule its files.
    pub fn read(folder: &Path, options: &TransformerOptions) -> Result<Self, EncodeError> {
        if !folder.is_dir() {
            return Err(EncodeError::Missing {
                path: folder.to_owned(),
                remedy: "give the folder of a model in the sentence-transformers layout".to_owned(),
            });
        }
        let modules = Modules::read(folder)?;
        let transformer = folder.join(&modules.transformer);
        let config_path = transformer.join("config.json");
        let config = read_json(&config_path)?.ok_or_else(|| EncodeError::Missing {
            path: config_path.clone(),
            remedy: "the folder is not a transformer's, or the download is not complete".to_owned(),
        })?;
        let architecture = Architecture::read(&config, &config_path)?;
        let pooling = match (options.pooling, &modules.pooling) {
            (Some(pooling), _) => pooling,
            (None, Some(path)) => read_pooling(&folder.join(path).join("config.json"))?,
            // What sentence-transformers assumes of a bare transformer.
            (None, None) => Pooling::Mean,
        };
        let sentence = read_sentence_config(&transformer)?;
        let longest = architecture.longest();
        let max_length = match options.max_length {
            Some(length) if length > longest => {
                return Err(EncodeError::Option {
                    option: "max_length",
                    reason: format!("{length} is more than the model's {longest} positions"),
                });
            }
            Some(length) => length,
            None => {
                let stated = match sentence["max_seq_length"].as_u64() {
                    Some(length) => Some(length),
                    None => read_json(&transformer.join("tokenizer_config.json"))?
                        .and_then(|config| config["model_max_length"].as_u64()),
                };
                stated.map_or(longest, |length| longest.min(length.try_into().unwrap_or(longest)))
            }
        };
        Ok(ModelFolder {
            transformer,
            config,
            architecture,
            pooling,
            normalize: options.normalize.unwrap_or(modules.normalize),
            max_length,
            lowercase: sentence["do_lower_case"].as_bool().unwrap_or(false),
        })
    }
}

/// modules.json: the chain of modules, of which we know three.
struct Modules {
    transformer: PathBuf,
    pooling: Option<PathBuf>,
    normalize: bool,
}

impl Modules {
    fn read(folder: &Path) -> Result<Self, EncodeError> {
        let mut modules = Modules { transformer: PathBuf::new(), pooling: None, normalize: false };
        let path = folder.join("modules.json");
        let Some(list) = read_json(&path)? else {
            return Ok(modules);
        };
        let corrupt = |reason: &str| EncodeError::Corrupt { path: path.clone(), reason: reason.to_owned() };
        for module in list.as_array().ok_or_else(|| corrupt("it is not a list"))? {
            let kind = module["type"].as_str().ok_or_else(|| corrupt("a module has no type"))?;
            let place = PathBuf::from(module["path"].as_str().unwrap_or(""));
            match kind.rsplit('.').next().unwrap_or(kind) {
                "Transformer" => modules.transformer = place,
                "Pooling" => modules.pooling = Some(place),
                "Normalize" => modules.normalize = true,
                _ => {
                    return Err(EncodeError::Unsupported {
                        path,
                        reason: format!("module '{kind}'; supported are Transformer, Pooling, Normalize"),
                    });
                }
            }
        }
        Ok(modules)
    }
}

/// The one mode that a pooling module's config.json switches on, in its old form (a flag for each mode) or its new one.
fn read_pooling(path: &Path) -> Result<Pooling, EncodeError> {
    let config = read_json(path)?.ok_or_else(|| EncodeError::Missing {
        path: path.to_owned(),
        remedy: "modules.json names it; complete the folder, or set the option pooling".to_owned(),
    })?;
    let mut modes: Vec<String> = match &config["pooling_mode"] {
        Value::String(mode) => vec![mode.clone()],
        Value::Array(modes) => modes.iter().map(|mode| mode.as_str().unwrap_or_default().to_owned()).collect(),
        _ => config
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, on)| on.as_bool() == Some(true))
            .filter_map(|(key, _)| key.strip_prefix("pooling_mode_"))
            .map(|mode| match mode {
                "cls_token" | "max_tokens" | "mean_tokens" => mode.rsplit_once('_').map_or(mode, |(mode, _)| mode),
                _ => mode,
            })
            .map(str::to_owned)
            .collect(),
    };
    if modes.is_empty() {
        modes.push("mean".to_owned());
    }
    match modes.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mean"] => Ok(Pooling::Mean),
        ["cls"] => Ok(Pooling::Cls),
        ["max"] => Ok(Pooling::Max),
        _ => Err(EncodeError::Unsupported {
            path: path.to_owned(),
            reason: format!("pooling {modes:?}; supported is one of mean, cls, max"),
        }),
    }
}

/// sentence_bert_config.json, under the names that it had for other families.
fn read_sentence_config(folder: &Path) -> Result<Value, EncodeError> {
    for family in ["bert", "roberta", "distilbert", "camembert", "xlm-roberta"] {
        if let Some(config) = read_json(&folder.join(format!("sentence_{family}_config.json")))? {
            return Ok(config);
        }
    }
    Ok(Value::Null)
}

/// The parsed file, `None` where there is none.
fn read_json(path: &Path) -> Result<Option<Value>, EncodeError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(EncodeError::Read { path: path.to_owned(), source });
        }
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(EncodeError::Corrupt { path: path.to_owned(), reason: error.to_string() }),
    }
}

/// The bytes of a file that must be there; `hint` helps whoever misses it.
pub fn read_bytes(path: &Path, hint: &str) -> Result<Vec<u8>, EncodeError> {
    fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => EncodeError::Missing { path: path.to_owned(), remedy: hint.to_owned() },
        _ => EncodeError::Read { path: path.to_owned(), source },
    })
}
