//! A sentence transformer: tokenizer, engine, pooling and normalisation behind `TextEncoder`.
//!
//! Knows nothing of the engines' arithmetic.

use std::path::Path;

use candle_core::Device;
use serde_json::json;

use super::batches::{self, Engine};
use super::candle_model::CandleModel;
use super::folder::ModelFolder;
use super::packed::PackedModel;
use super::tokens::TextTokenizer;
use super::weights::Weights;
use super::{EncodeError, Pooling, Precision, TextEncoder, TransformerOptions};
use crate::ml::matrix::Matrix;
use crate::ml::progress::Progress;

/// Raised when the same files and options give other vectors than before.
const RECIPE: u32 = 1;

/// Tokens of a batch: enough to keep the product busy, few enough for what a layer makes of them to stay in the caches.
const BATCH_TOKENS: usize = 128;

pub struct Transformer {
    tokenizer: TextTokenizer,
    engine: Box<dyn Engine>,
    pooling: Pooling,
    normalize: bool,
    max_length: usize,
    lowercase: bool,
    precision: Precision,
    batch_tokens: usize,
}

impl Transformer {
    pub fn packed(folder: &Path, options: &TransformerOptions) -> Result<Self, EncodeError> {
        Transformer::open(folder, options, |model, weights| {
            let engine = PackedModel::load(&weights, model.architecture, model.pooling, options.precision)?;
            Ok(Box::new(engine))
        })
    }

    pub fn on_device(folder: &Path, options: &TransformerOptions, device: &Device) -> Result<Self, EncodeError> {
        if !options.precision.is_f32() {
            return Err(EncodeError::Option {
                option: "precision",
                reason: "only f32 is computed on this device; leave it out".to_owned(),
            });
        }
        Transformer::open(folder, options, |model, weights| Ok(Box::new(CandleModel::load(weights, model, device)?)))
    }

    fn open(
        folder: &Path,
        options: &TransformerOptions,
        engine: impl FnOnce(&ModelFolder, Weights) -> Result<Box<dyn Engine>, EncodeError>,
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
            None => BATCH_TOKENS,
        };
        let tokenizer = TextTokenizer::open(&model)?;
        Ok(Transformer {
            tokenizer,
            engine: engine(&model, Weights::read(&model.transformer)?)?,
            pooling: model.pooling,
            normalize: model.normalize,
            max_length: model.max_length,
            lowercase: model.lowercase,
            precision: options.precision,
            batch_tokens,
        })
    }
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
            if self.normalize {
                normalize(row);
            }
            texts_of[sequence].iter().for_each(|text| ready(*text, row));
        };
        let engine = self.engine.as_ref();
        let rows = batches::run(engine, &sequences.distinct, self.batch_tokens, threads, progress, &mut finish)?;
        if sequences.of_text.iter().copied().eq(0..rows.rows) {
            return Ok(rows);
        }
        Ok(rows.take(&sequences.of_text))
    }

    fn is_exact(&self) -> bool {
        self.engine.is_exact()
    }

    fn recipe(&self) -> serde_json::Value {
        let mut recipe = json!({
            "kind": "transformer",
            "version": RECIPE,
            "engine": self.engine.name(),
            "pooling": self.pooling,
            "normalize": self.normalize,
            "max_length": self.max_length,
            "lowercase": self.lowercase,
        });
        // Left out where it is f32: such recipes are as they were before there was a choice.
        if !self.precision.is_f32() {
            recipe["precision"] = json!(self.precision);
        }
        recipe
    }
}

/// Pools the rows of one sequence's tokens into `out`; rows may be longer than `out`.
pub fn pool<'a>(pooling: Pooling, mut rows: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
    let Some(first) = rows.next() else {
        out.fill(0.0);
        return;
    };
    let dim = out.len();
    out.copy_from_slice(&first[..dim]);
    match pooling {
        Pooling::Cls => {}
        Pooling::Max => {
            for row in rows {
                for (out, value) in out.iter_mut().zip(row) {
                    *out = out.max(*value);
                }
            }
        }
        Pooling::Mean => {
            let mut count = 1u32;
            for row in rows {
                for (out, value) in out.iter_mut().zip(row) {
                    *out += value;
                }
                count += 1;
            }
            out.iter_mut().for_each(|value| *value /= count as f32);
        }
    }
}

/// Scales a row to length 1; a row of zeros stays as it is.
pub fn normalize(row: &mut [f32]) {
    let square: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    // The bound is that of torch.nn.functional.normalize.
    let scale = 1.0 / square.sqrt().max(1e-12);
    row.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
}
