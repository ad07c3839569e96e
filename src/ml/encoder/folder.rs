//! A model's folder in the sentence-transformers layout: how it pools, how long a text may be, what the options change.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files::{read_settings, read_settings_file, setting};
use super::kind::{Shape, TransformerKind, model_type};
use super::modules::{Body, Modules, Step};
use super::settings::Settings;
use super::{EncodeError, Pooling, TransformerOptions, prompts};

/// What decides an encoder's vectors besides its tensors and its tokenizer.
pub(crate) struct ModelFolder {
    /// Holds config.json, tokenizer.json and model.safetensors.
    pub(crate) place: PathBuf,
    /// `None` for static embeddings.
    pub(crate) transformer: Option<TransformerFiles>,
    /// in tokens, special ones included; `None`: without limit
    pub(crate) max_length: Option<usize>,
    pub(crate) lowercase: bool,
    /// Put before every text.
    pub(crate) prefix: String,
    /// What follows the pooling.
    pub(crate) steps: Vec<Step>,
}

/// What only transformers have.
pub(crate) struct TransformerFiles {
    pub(crate) config_path: PathBuf,
    pub(crate) config: Value,
    pub(crate) kind: TransformerKind,
    /// Side by side in a vector.
    pub(crate) poolings: Vec<Pooling>,
}

impl ModelFolder {
    /// Reads the folder; `options` overrule its files.
    pub(crate) fn read(folder: &Path, options: &TransformerOptions) -> Result<Self, EncodeError> {
        if !folder.is_dir() {
            return Err(EncodeError::Missing {
                path: folder.to_owned(),
                remedy: "give the folder of a model in the sentence-transformers layout".to_owned(),
            });
        }
        let root_config = read_settings(&folder.join("config.json"))?;
        let Modules { body, place, pooling, steps, lists_poolings } = Modules::read(folder, root_config.as_ref())?;
        let prefix = prompts::prefix(folder, options)?;
        let steps = overruled(steps, options);
        match body {
            Body::Transformer => {
                if lists_poolings && pooling.is_none() && options.pooling.is_none() {
                    return Err(EncodeError::Unsupported {
                        path: folder.join("modules.json"),
                        reason: "a Transformer without a Pooling, which gives a vector for each token of a text; add the Pooling module, or set the \
                                 option pooling"
                            .to_owned(),
                    });
                }
                let transformer = TransformerFiles::read(&place, pooling.as_deref(), !prefix.is_empty(), options)?;
                let (path, sentence) = read_sentence_config(&place)?;
                let stated = setting(&sentence, "max_seq_length", &path, "a number of tokens from 1", whole)?;
                let max_length = longest(&place, stated, transformer.kind.shape(), options)?;
                let lowercase = setting(&sentence, "do_lower_case", &path, "true or false", Value::as_bool)?;
                let lowercase = lowercase.unwrap_or(false);
                Ok(ModelFolder {
                    place,
                    transformer: Some(transformer),
                    max_length: Some(max_length),
                    lowercase,
                    prefix,
                    steps,
                })
            }
            Body::Static => {
                if options.pooling.is_some() {
                    return Err(EncodeError::Option {
                        option: "pooling",
                        reason: "static embeddings have no other than the mean; leave it out".to_owned(),
                    });
                }
                let max_length = options.max_length.or(static_length(&place)?);
                Ok(ModelFolder { place, transformer: None, max_length, lowercase: false, prefix, steps })
            }
        }
    }

    /// Whether vectors end with length 1.
    pub(crate) fn normalizes(&self) -> bool {
        self.steps.last() == Some(&Step::Normalize)
    }
}

/// The model's steps as the options change them. A vector that is to have length 1 has it after truncation too.
fn overruled(mut steps: Vec<Step>, options: &TransformerOptions) -> Vec<Step> {
    let normalize = options.normalize.unwrap_or(steps.last() == Some(&Step::Normalize));
    if options.normalize == Some(false) {
        steps.retain(|step| *step != Step::Normalize);
    }
    steps.extend(options.dimensions.map(Step::Truncate));
    if normalize && steps.last() != Some(&Step::Normalize) {
        steps.push(Step::Normalize);
    }
    steps
}

impl TransformerFiles {
    fn read(
        place: &Path,
        pooling: Option<&Path>,
        prompted: bool,
        options: &TransformerOptions,
    ) -> Result<Self, EncodeError> {
        let config_path = place.join("config.json");
        let config =
            read_settings_file(&config_path, "the folder is not a transformer's, or the download is not complete")?;
        let kind = TransformerKind::read(Settings { values: &config, path: &config_path })?;
        if matches!(kind, TransformerKind::Candle(_)) && !options.precision.is_f32() {
            return Err(EncodeError::Option {
                option: "precision",
                reason: format!(
                    "this encoder ({}) runs through candle-transformers, which computes in f32 alone; leave it out",
                    model_type(&config)
                ),
            });
        }
        let poolings = match (options.pooling, pooling) {
            (Some(pooling), _) => vec![pooling],
            (None, Some(path)) => read_pooling(&path.join("config.json"), prompted, kind.shape().hidden)?,
            // What sentence-transformers assumes of a bare transformer.
            (None, None) => vec![Pooling::Mean],
        };
        Ok(TransformerFiles { config_path, config, kind, poolings })
    }
}

/// Tokens that model2vec reads of a text unless its config.json says otherwise.
const MODEL2VEC_LENGTH: usize = 512;

/// The longest text in tokens of a table of static embeddings. Only model2vec's have a config.json, and a limit.
fn static_length(place: &Path) -> Result<Option<usize>, EncodeError> {
    let path = place.join("config.json");
    let Some(config) = read_settings(&path)? else {
        return Ok(None);
    };
    match config.get("max_length") {
        None => Ok(Some(MODEL2VEC_LENGTH)),
        Some(Value::Null) => Ok(None),
        Some(length) => match length.as_u64() {
            Some(length @ 1..=1_000_000) => Ok(Some(length as usize)),
            _ => Err(EncodeError::Corrupt {
                path,
                reason: format!("'max_length' is {length}, not a number of 1 to 1000000"),
            }),
        },
    }
}

/// The longest text in tokens: by the options, by the model's files, at most what the model can read.
fn longest(
    place: &Path,
    stated: Option<f64>,
    Shape { longest, usual, .. }: Shape,
    options: &TransformerOptions,
) -> Result<usize, EncodeError> {
    match options.max_length {
        Some(length) if length > longest => Err(EncodeError::Option {
            option: "max_length",
            reason: format!("{length} is more than the model's {longest} positions"),
        }),
        Some(length) => Ok(length),
        None => {
            let path = place.join("tokenizer_config.json");
            let stated = match (stated, read_settings(&path)?) {
                (None, Some(config)) => {
                    setting(&config, "model_max_length", &path, "a number of tokens from 1", whole)?
                }
                (stated, _) => stated,
            };
            // What is as good as no limit is none.
            Ok(match stated {
                Some(length) if length <= longest as f64 => length as usize,
                Some(length) if length < 1e9 => longest,
                _ => usual,
            })
        }
    }
}

/// A whole number from 1; transformers write 10³⁰ for no limit.
fn whole(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| *number >= 1.0 && number.fract() == 0.0)
}

/// The modes that a pooling module's config.json switches on, in its old form (a flag for each mode) or its new one.
fn read_pooling(path: &Path, prompted: bool, hidden: usize) -> Result<Vec<Pooling>, EncodeError> {
    let config = read_settings_file(path, "modules.json names it; complete the folder, or set the option pooling")?;
    let unsupported = |reason: String| EncodeError::Unsupported { path: path.to_owned(), reason };
    let what = format!("{hidden}, the dimensions of the model's tokens");
    let fits = |value: &Value| (value.as_u64() == Some(hidden as u64)).then_some(());
    for key in ["word_embedding_dimension", "embedding_dimension"] {
        setting(&config, key, path, &what, fits)?;
    }
    for key in config.as_object().into_iter().flat_map(|config| config.keys()) {
        if key.starts_with("pooling_mode_") || key == "include_prompt" {
            setting(&config, key, path, "true or false", Value::as_bool)?;
        }
    }
    if prompted && config["include_prompt"] == false {
        return Err(unsupported("include_prompt false with a prompt; leave the prompt out".to_owned()));
    }
    let named = |mode: &str| Pooling::NAMED.iter().find(|(name, _)| *name == mode).map(|(_, pooling)| *pooling);
    let modes: Vec<String> = match &config["pooling_mode"] {
        Value::String(mode) => vec![mode.clone()],
        Value::Array(modes) => modes.iter().map(|mode| mode.as_str().unwrap_or_default().to_owned()).collect(),
        _ => {
            let flags = config.as_object().into_iter().flatten().filter(|(_, on)| on.as_bool() == Some(true));
            let mut modes: Vec<String> = flags
                .filter_map(|(key, _)| key.strip_prefix("pooling_mode_"))
                .map(|mode| match mode {
                    "cls_token" | "max_tokens" | "mean_tokens" | "weightedmean_tokens" => {
                        mode.rsplit_once('_').map_or(mode, |(mode, _)| mode).to_owned()
                    }
                    _ => mode.to_owned(),
                })
                .collect();
            // Flags have no order of their own.
            modes.sort_by_key(|mode| Pooling::NAMED.iter().position(|(name, _)| name == mode));
            modes
        }
    };
    let poolings: Option<Vec<Pooling>> = modes.iter().map(|mode| named(mode)).collect();
    match poolings {
        Some(poolings) if poolings.is_empty() => {
            let mut keys = config.as_object().into_iter().flat_map(|config| config.keys());
            match keys.any(|key| key.starts_with("pooling_mode_")) {
                true => {
                    Err(unsupported("every pooling mode is false; switch one on, or set the option pooling".to_owned()))
                }
                false => Ok(vec![Pooling::Mean]),
            }
        }
        Some(poolings) if poolings.len() > Pooling::NAMED.len() => {
            Err(unsupported(format!("{} poolings side by side; at most {}", poolings.len(), Pooling::NAMED.len())))
        }
        Some(poolings) => Ok(poolings),
        None => {
            let known = Pooling::NAMED.map(|(name, _)| name).join(", ");
            Err(unsupported(format!("pooling {modes:?}; supported are {known}")))
        }
    }
}

/// sentence_bert_config.json, under the names that it had for other families.
fn read_sentence_config(folder: &Path) -> Result<(PathBuf, Value), EncodeError> {
    for family in ["bert", "roberta", "distilbert", "camembert", "xlm-roberta"] {
        let path = folder.join(format!("sentence_{family}_config.json"));
        if let Some(config) = read_settings(&path)? {
            return Ok((path, config));
        }
    }
    Ok((folder.to_owned(), Value::Null))
}
