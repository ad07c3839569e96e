//! Finds, fetches and opens the encoder that a stage names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{anyhow, bail};

use super::adapter::Adapter;
use runner_engine::{External, Report, suggest};
use runner_ml::encoder::{self, EncodeError, TextEncoder, Tokens, TransformerOptions};
use runner_pretrained::{FetchProgress, Located, Resolved, Resolver, Silent};
use runner_results::encoder::{Encoder, EncoderRecipe, Poolings, TransformerRecipe};

/// The built-in encoder, which needs no model.
pub(super) const TFIDF: &str = "tfidf";

/// An encoder outside the store, known by the digest of its files.
pub(super) struct Pretrained {
    at: String,
    name: String,
}

impl Pretrained {
    pub(crate) fn new(at: &str, name: &str) -> Self {
        Pretrained { at: at.to_owned(), name: name.to_owned() }
    }
}

impl External for Pretrained {
    fn at(&self) -> &str {
        &self.at
    }

    /// A catalogued encoder's digest is known without having it; another's once it is somewhere on this machine.
    fn digest(&self) -> anyhow::Result<Option<String>> {
        let resolver = Resolver::from_env();
        if let Some(entry) = resolver.entry(&self.name) {
            return Ok(Some(entry.digest()));
        }
        let Some(located) = resolver.locate(&self.name) else { return Ok(None) };
        Ok(Some(resolver.verify(&self.name, &located, &Silent)?.digest))
    }

    fn fetch(&self, report: &dyn Report) -> anyhow::Result<String> {
        Ok(Resolver::from_env().resolve(&self.name, &Fetching(report))?.digest)
    }

    fn forget(&self) {
        Resolver::from_env().forget(&self.name);
    }
}

/// What is wrong with the encoder of a stage.
#[derive(Clone)]
pub(super) struct Fault {
    /// The key of the options that is at fault, else the encoder itself is.
    pub(crate) option: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Why there can be no encoder of that name with these options; `None` also where only the hub can tell.
pub(super) fn fault(name: &str, options: &TransformerOptions) -> Option<Fault> {
    let resolver = Resolver::from_env();
    let of_name = |message, help| Some(Fault { option: None, message, help });
    if let Some(located) = resolver.locate(name) {
        let remedy = || located.origin.remedy(name, &located.folder);
        return match resolver.fault(name) {
            Some(error) => of_name(error.to_string(), Some(remedy())),
            None => fault_of_files(&resolver, name, &located, options),
        };
    }
    if resolver.entry(name).is_some() {
        return None;
    }
    if suggest(name, [TFIDF]).is_some() {
        let help = format!("`{TFIDF}` is built in; other encoders are folders, imported names or ids of the hub");
        return of_name(format!("no encoder '{name}' (did you mean '{TFIDF}'?)"), Some(help));
    }
    resolver.fault(name).and_then(|error| of_name(error.to_string(), None))
}

/// Why the files on this machine cannot be opened with these options. Each is looked at once, however many stages name it.
fn fault_of_files(resolver: &Resolver, name: &str, located: &Located, options: &TransformerOptions) -> Option<Fault> {
    static KNOWN: Mutex<BTreeMap<String, Option<Fault>>> = Mutex::new(BTreeMap::new());
    let is_pinned = resolver.entry(name).is_some();
    // A pinned copy that is damaged is replaced, and without options no pinned encoder is at fault.
    if is_pinned && *options == TransformerOptions::default() {
        return None;
    }
    let stamp = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((path.display().to_string(), metadata.len(), metadata.modified().ok()))
    };
    let stamps: Vec<_> = resolver.files(name, located).ok()?.iter().map(stamp).collect();
    let key = format!("{stamps:?} {options:?}");
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let fault = known.entry(key).or_insert_with(|| match encoder::check(&located.folder, options) {
        Err(EncodeError::Option { option, reason }) => {
            Some(Fault { option: Some(option), message: format!("transformer.{option}: {reason}"), help: None })
        }
        Err(error) if !is_pinned => {
            let help = error.is_of_files().then(|| located.origin.remedy(name, &located.folder));
            Some(Fault { option: None, message: error.to_string(), help })
        }
        _ => None,
    });
    fault.clone()
}

/// How many layers of an encoder can be trained along with a network, or why none; `None` of `tfidf`, and where its files are not on this
/// machine or cannot be read, which others tell.
pub(super) fn trainable_layers(name: &str, options: &TransformerOptions) -> Option<Result<usize, String>> {
    if name == TFIDF {
        return None;
    }
    let located = Resolver::from_env().locate(name)?;
    encoder::trainable_layers(&located.folder, options).ok()
}

/// An error about files with what to do about them.
fn with_remedy(error: EncodeError, resolved: &Resolved) -> anyhow::Error {
    if !error.is_of_files() {
        return error.into();
    }
    anyhow!("{error} ({})", resolved.origin.remedy(&resolved.name, &resolved.folder))
}

/// An opened encoder, and what it is: part of embeddings' metadata and of models.
pub(super) type Opened = (Arc<dyn TextEncoder>, Encoder);

pub(super) fn open(name: &str, options: &TransformerOptions, report: &dyn Report) -> anyhow::Result<Opened> {
    let resolved = Resolver::from_env().resolve(name, &Fetching(report))?;
    let encoder = match device()? {
        Some(device) => encoder::open_on(&resolved.folder, options, &device),
        None => encoder::open(&resolved.folder, options),
    };
    let encoder = encoder.map_err(|error| with_remedy(error, &resolved))?;
    let told = told(&resolved.name, &resolved.digest, encoder.as_ref());
    Ok((encoder.into(), told))
}

/// Texts as tokens of the encoder that made the embeddings of `made_by`, with that encoder, for a network that trains its
/// last layers; and for each text the number of its own. The encoder's digest is part of the embeddings, and so of the
/// key of whoever reads them: another encoder under the same name is refused.
pub(super) fn tokens(
    made_by: Option<&Encoder>,
    texts: &[&str],
    threads: usize,
    report: &dyn Report,
) -> anyhow::Result<(Tokens, Vec<u32>)> {
    let Encoder { name, digest, recipe, .. } =
        made_by.ok_or_else(|| anyhow!("the embeddings do not tell what made them"))?;
    let EncoderRecipe::Transformer(recipe) = recipe else {
        bail!("`tfidf` has no layers to adapt: embed by a sentence-transformers model, or leave `adapt` out");
    };
    let resolved = found_again(name, digest, report)?;
    let options = options_of(recipe);
    let tokens = Tokens::read(&resolved.folder, &options, texts, threads, &Adapter(report));
    tokens.map_err(|error| with_remedy(error, &resolved))
}

/// The files of an encoder of that name, which must be those of that digest.
fn found_again(name: &str, digest: &str, report: &dyn Report) -> anyhow::Result<Resolved> {
    let resolved = Resolver::from_env().resolve(name, &Fetching(report))?;
    if digest != resolved.digest {
        bail!(
            "'{name}' in '{}' has other files than the encoder that made the embeddings: bring back that one, or run \
             the `embed` stage again",
            resolved.folder.display()
        );
    }
    Ok(resolved)
}

/// The options by which an encoder makes the same vectors again.
fn options_of(recipe: &TransformerRecipe) -> TransformerOptions {
    TransformerOptions {
        max_length: recipe.max_length,
        normalize: Some(recipe.normalize),
        pooling: match recipe.pooling {
            Poolings::One(pooling) => Some(pooling),
            // Several side by side are the encoder's own.
            Poolings::Several(_) => None,
        },
        prefix: Some(recipe.prefix.clone()),
        dimensions: recipe.dimensions,
        precision: recipe.precision,
        ..TransformerOptions::default()
    }
}

/// Opens the pretrained encoder that made some vectors, to make such of other texts.
///
/// # Errors
/// It is not to be had, has other files, or would make other vectors.
pub(super) fn open_again(made_by: &Encoder, report: &dyn Report) -> anyhow::Result<Arc<dyn TextEncoder>> {
    let EncoderRecipe::Transformer(recipe) = &made_by.recipe else {
        bail!("'{}' is no pretrained encoder", made_by.name);
    };
    let resolved = found_again(&made_by.name, &made_by.digest, report)?;
    let (encoder, told) = open(&resolved.folder.display().to_string(), &options_of(recipe), report)?;
    if told.recipe != made_by.recipe {
        bail!(
            "'{}' would make other vectors than those that the model learnt from, on this machine or by this version: run the `embed` stage again",
            made_by.name
        );
    }
    Ok(encoder)
}

/// The files of the pretrained encoder that made some vectors: names within its folder, and where they lie.
///
/// # Errors
/// It is not to be had, or has other files.
pub(super) fn files_of(made_by: &Encoder, report: &dyn Report) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let Resolved { folder, files, .. } = found_again(&made_by.name, &made_by.digest, report)?;
    Ok(files.into_iter().map(|(name, _)| (name.clone(), folder.join(name))).collect())
}

/// The GPU that this program was built for; `None` for the CPU, which has an engine of its own.
fn device() -> anyhow::Result<Option<candle_core::Device>> {
    Ok(match super::device_class() {
        "cuda" => Some(candle_core::Device::new_cuda(0)?),
        "metal" => Some(candle_core::Device::new_metal(0)?),
        _ => None,
    })
}

/// What an encoder of that name and digest is.
pub(super) fn told(name: &str, digest: &str, encoder: &dyn TextEncoder) -> Encoder {
    Encoder { name: name.to_owned(), digest: digest.to_owned(), dim: encoder.dim(), recipe: encoder.recipe() }
}

/// A stage's report, as fetching wants it.
pub(super) struct Fetching<'a>(pub &'a dyn Report);

impl FetchProgress for Fetching<'_> {
    fn bytes(&self, file: &str, done: u64, total: u64) {
        self.0.progress(done >> 20, total >> 20, "MiB", file);
    }

    fn note(&self, message: &str) {
        self.0.progress(0, 0, "", message);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
