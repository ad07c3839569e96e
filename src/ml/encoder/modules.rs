//! modules.json: the chain of modules that a sentence-transformers folder consists of, in its order.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::EncodeError;
use super::files::{read_json, setting};

/// Modules of a model: three or four are usual.
const MOST_MODULES: usize = 32;

/// Something that turns texts into vectors, and what is done to these.
pub(crate) struct Modules {
    pub(crate) body: Body,
    /// The folder of the body's files.
    pub(crate) place: PathBuf,
    /// The folder of the pooling module's config.json.
    pub pooling: Option<PathBuf>,
    pub steps: Vec<Step>,
    /// Whether a model that pools would say so: there is a modules.json.
    pub lists_poolings: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Tokens see one another.
    Transformer,
    /// Each token has its vector.
    Static,
}

/// What is done to a text's vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A linear layer with an activation, whose files lie in this folder.
    Dense(PathBuf),
    /// Scaling to length 1.
    Normalize,
    /// The first dimensions are kept.
    Truncate(usize),
}

impl Modules {
    /// The chain of `folder`. One without modules.json is a bare transformer, or a static model if `config` says so.
    pub(crate) fn read(folder: &Path, config: Option<&Value>) -> Result<Self, EncodeError> {
        let path = folder.join("modules.json");
        let Some(list) = read_json(&path)? else {
            return Ok(Modules::bare(folder, config));
        };
        let corrupt = |reason: String| EncodeError::Corrupt { path: path.clone(), reason };
        let unsupported = |reason: String| EncodeError::Unsupported { path: path.clone(), reason };
        let list = list.as_array().ok_or_else(|| corrupt("it is not a list".to_owned()))?;
        if list.len() > MOST_MODULES {
            return Err(unsupported(format!("{} modules; at most {MOST_MODULES}", list.len())));
        }
        let mut body = None;
        let mut pooling = None;
        let mut steps = Vec::new();
        for module in list {
            let kind = module["type"].as_str().ok_or_else(|| corrupt("a module has no type".to_owned()))?;
            let place = setting(module, "path", &path, "the name of a folder", Value::as_str)?.unwrap_or("");
            // A digest covers what lies in the folder, so nothing else may be read.
            if Path::new(place).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
                return Err(corrupt(format!("the path '{place}' of a module leaves the folder")));
            }
            let place = folder.join(place);
            let name = kind.rsplit('.').next().unwrap_or(kind);
            match (name, &body) {
                ("Transformer", None) => body = Some((Body::Transformer, place)),
                ("StaticEmbedding", None) => body = Some((Body::Static, place)),
                ("Pooling", Some((Body::Transformer, _))) if pooling.is_none() && steps.is_empty() => {
                    pooling = Some(place);
                }
                ("Dense", Some(_)) => steps.push(Step::Dense(place)),
                ("Normalize", Some(_)) => steps.push(Step::Normalize),
                // Drops values in training alone.
                ("Dropout", Some(_)) => {}
                ("Transformer" | "StaticEmbedding" | "Pooling" | "Dense" | "Normalize" | "Dropout", _) => {
                    return Err(unsupported(format!(
                        "module '{kind}' in this place; supported is Transformer and Pooling or StaticEmbedding, then \
                         Dense, Normalize, Dropout"
                    )));
                }
                _ => {
                    return Err(unsupported(format!(
                        "module '{kind}'; supported are Transformer, StaticEmbedding, Pooling, Dense, Normalize, Dropout"
                    )));
                }
            }
        }
        let (body, place) =
            body.ok_or_else(|| corrupt("it lists neither a Transformer nor a StaticEmbedding".to_owned()))?;
        Ok(Modules { body, place, pooling, steps, lists_poolings: true })
    }

    fn bare(folder: &Path, config: Option<&Value>) -> Self {
        let is_static = config.is_some_and(|config| config["model_type"] == "model2vec");
        let normalize = is_static && config.is_some_and(|config| config["normalize"] == true);
        Modules {
            body: if is_static { Body::Static } else { Body::Transformer },
            place: folder.to_owned(),
            pooling: None,
            steps: if normalize { vec![Step::Normalize] } else { Vec::new() },
            lists_poolings: false,
        }
    }
}
