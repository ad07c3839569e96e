//! A model in the sentence-transformers layout: tokenizer, engine and head behind `TextEncoder`.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use candle_core::Device;
use runner_results::encoder::{Between, EncoderRecipe, Pooling, Poolings, Precision, TransformerRecipe};

use super::batches::{self, Engine};
use super::candle_model::bert::BertFamily;
use super::candle_model::{CandleKind, CandleModel};
use super::folder::{ModelFolder, TransformerFiles};
use super::head::Headed;
use super::kind::TransformerKind;
use super::modules::Step;
use super::packed::PackedModel;
use super::settings::Settings;
use super::static_model::StaticModel;
use super::tokens::{Marks, TextTokenizer};
use super::weights::Weights;
use super::{EncodeError, TextEncoder, TransformerOptions};
use crate::matrix::Matrix;
use crate::progress::Progress;

/// Raised when the same files and options give other vectors than before.
const RECIPE: u32 = 2;

/// Tokens of a batch: enough to keep the product busy, few enough for what a layer makes of them to stay in the caches;
/// a multiple of the rows of its tile.
const BATCH_TOKENS: usize = 144;
/// The same where they are only looked up.
const LOOKED_UP: usize = 4096;

pub(crate) struct Transformer {
    tokenizer: TextTokenizer,
    engine: Box<dyn Engine>,
    batch_tokens: usize,
    recipe: EncoderRecipe,
    /// Computed so far.
    tokens: AtomicU64,
}

impl Transformer {
    pub(crate) fn on_cpu(folder: &Path, options: &TransformerOptions) -> Result<Self, EncodeError> {
        Transformer::open(folder, options, |model, weights| {
            let poolings = model.poolings.clone();
            Ok(match &model.kind {
                TransformerKind::Packed(architecture) => {
                    Box::new(PackedModel::load(weights, *architecture, poolings, options.precision)?)
                }
                TransformerKind::Candle(kind) => {
                    Box::new(CandleModel::load(weights, kind.as_ref(), model, &Device::Cpu)?)
                }
            })
        })
    }

    pub(crate) fn on_device(folder: &Path, options: &TransformerOptions, device: &Device) -> Result<Self, EncodeError> {
        if !options.precision.is_f32() {
            return Err(EncodeError::Option {
                option: "precision",
                reason: "only f32 is computed on this device; leave it out".to_owned(),
            });
        }
        Transformer::open(folder, options, |model, weights| {
            let family;
            let kind: &dyn CandleKind = match &model.kind {
                TransformerKind::Packed(architecture) => {
                    let settings = Settings { values: &model.config, path: &model.config_path };
                    family = BertFamily::new(architecture, settings)?;
                    &family
                }
                TransformerKind::Candle(kind) => kind.as_ref(),
            };
            Ok(Box::new(CandleModel::load(weights, kind, model, device)?))
        })
    }

    fn open(
        folder: &Path,
        options: &TransformerOptions,
        engine: impl FnOnce(&TransformerFiles, &Weights) -> Result<Box<dyn Engine>, EncodeError>,
    ) -> Result<Self, EncodeError> {
        let model = ModelFolder::read(folder, options)?;
        let batch_tokens = match options.batch_tokens {
            Some(0) => {
                return Err(EncodeError::Option {
                    option: "batch_tokens",
                    reason: "0 tokens make no batch; leave it out or set 128".to_owned(),
                });
            }
            Some(tokens) => tokens,
            None if model.transformer.is_none() => LOOKED_UP,
            None => BATCH_TOKENS,
        };
        let (tokenizer, engine) = match &model.transformer {
            Some(files) => {
                let tokenizer = TextTokenizer::open(&model, Marks::Special, files.kind.shape().vocabulary)?;
                (tokenizer, engine(files, &Weights::read(&model.place)?)?)
            }
            // A table to look up is no work for a device.
            None => {
                let weights = Weights::read(&model.place)?;
                let table = StaticModel::load(&weights)?;
                let marks = if StaticModel::is_model2vec(&weights)? { Marks::KnownOnly } else { Marks::Plain };
                let tokenizer = TextTokenizer::open(&model, marks, table.vocabulary())?;
                (tokenizer, Box::new(table) as Box<dyn Engine>)
            }
        };
        let engine = Headed::over(engine, &model.steps)?;
        let recipe = recipe(&model, engine.name(), options);
        Ok(Transformer { tokenizer, engine, batch_tokens, recipe, tokens: AtomicU64::new(0) })
    }
}

/// The start of a text, for a message.
fn shortened(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

/// What decides the vectors.
fn recipe(model: &ModelFolder, engine: &str, options: &TransformerOptions) -> EncoderRecipe {
    let pooling = match &model.transformer {
        Some(files) => match files.poolings.as_slice() {
            [only] => Poolings::One(*only),
            several => Poolings::Several(several.to_vec()),
        },
        None => Poolings::One(Pooling::Mean),
    };
    // Their files, by which the rest is decided, are part of the model's digest.
    let has_dense = model.steps.iter().any(|step| matches!(step, Step::Dense(_)));
    EncoderRecipe::Transformer(TransformerRecipe {
        version: RECIPE,
        engine: engine.to_owned(),
        pooling,
        normalize: model.normalizes(),
        max_length: model.max_length,
        lowercase: model.lowercase,
        precision: if model.transformer.is_some() { options.precision } else { Precision::F32 },
        prefix: model.prefix.clone(),
        dimensions: options.dimensions,
        between: (options.normalize == Some(false) && has_dense).then_some(Between::NotNormalized),
    })
}

impl TextEncoder for Transformer {
    fn dim(&self) -> usize {
        self.engine.dim()
    }

    fn encode(&self, texts: &[&str], threads: usize, progress: &dyn Progress) -> Result<Matrix, EncodeError> {
        self.encode_by_row(texts, threads, progress, &mut |_, _| {})
    }

    fn encode_by_row(
        &self,
        texts: &[&str],
        threads: usize,
        progress: &dyn Progress,
        ready: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<Matrix, EncodeError> {
        let sequences = self.tokenizer.sequences(texts, threads, progress)?;
        let mut texts_of: Vec<Vec<usize>> = vec![Vec::new(); sequences.distinct.len()];
        for (text, sequence) in sequences.of_text.iter().enumerate() {
            texts_of[*sequence].push(text);
        }
        let mut finish = |sequence: usize, row: &mut [f32]| {
            texts_of[sequence].iter().for_each(|text| ready(*text, row));
        };
        let engine = self.engine.as_ref();
        let rows = batches::run(engine, &sequences.distinct, self.batch_tokens, threads, progress, &mut finish);
        let rows = rows.map_err(|error| match error {
            EncodeError::Vector { text: sequence, component, value } => {
                let sequence: usize = sequence.parse().unwrap_or_default();
                let text = sequences.of_text.iter().position(|own| *own == sequence).map_or("", |text| texts[text]);
                EncodeError::Vector { text: format!("'{}'", shortened(text)), component, value }
            }
            other => other,
        })?;
        let tokens: usize = sequences.distinct.iter().map(Vec::len).sum();
        self.tokens.fetch_add(tokens as u64, Ordering::Relaxed);
        if sequences.of_text.iter().copied().eq(0..rows.rows) {
            return Ok(rows);
        }
        Ok(rows.take(&sequences.of_text))
    }

    fn is_exact(&self) -> bool {
        self.engine.is_exact()
    }

    fn tokens(&self) -> u64 {
        self.tokens.load(Ordering::Relaxed)
    }

    fn recipe(&self) -> EncoderRecipe {
        self.recipe.clone()
    }
}
