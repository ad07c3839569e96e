//! Encoders turn texts into vectors: transformers and static embeddings in the sentence-transformers layout, and TF-IDF
//! with latent semantic analysis, which needs no model.
//!
//! | file | holds |
//! |---|---|
//! | `folder` | what a model's own files and the options say: pooling, length, steps |
//! | `modules`, `prompts` | the chain of modules, the text put before each text |
//! | `kind`, `architecture`, `settings` | which transformer it is, of what shape, by its config.json |
//! | `weights`, `finite` | tensors by name and shape, refused where a number is not finite |
//! | `check` | the same by the heads of its files, before anything is computed |
//! | `guard` | panics of libraries that damaged files lead to |
//! | `tokens` | texts → distinct token sequences |
//! | `batches` | sequences → batches → worker threads → rows |
//! | `packed` | the BERT family on a CPU, without padding, one thread a batch |
//! | `candle_model` | other transformers through candle-transformers; the BERT family on other devices |
//! | `static_model` | a vector for each token, as model2vec and StaticEmbedding have it |
//! | `pooling`, `head` | tokens' vectors → a text's; dense layers, normalisation and truncation after it |
//! | `adaptable` | an encoder cut in two, for networks that train its last layers |
//! | `tfidf` | word and character n-grams, reduced by a seeded truncated SVD |
//!
//! Knows no network, cache or table: fetching a model's files and keeping its vectors is others' work.

mod adaptable;
mod architecture;
mod batches;
mod candle_model;
mod check;
mod error;
mod files;
mod finite;
mod folder;
mod guard;
mod head;
mod kernels;
mod kind;
mod modules;
mod packed;
mod parallel;
mod pooling;
mod prompts;
mod settings;
mod static_model;
pub(crate) mod tfidf;
mod tokens;
mod transformer;
mod weights;

use std::path::Path;

use runner_results::encoder::EncoderRecipe;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::progress::Progress;
pub(crate) use head::normalize;
pub(crate) use pooling::pool;

pub use adaptable::TokenStates;
pub use adaptable::{Cut, EncoderShape};
pub use adaptable::{Tokens, trainable_layers};
pub(crate) use adaptable::{UPPER_TENSORS, UpperLayer};
pub(crate) use architecture::Activation as EncoderActivation;
pub use candle_model::CANDLE;
pub use check::check;
pub use error::EncodeError;
pub use runner_results::encoder::{Pooling, Precision, TfidfOptions};
pub use tfidf::{Tfidf, check_tfidf};

/// Turns texts into vectors of one length. The vector of a text depends on that text alone.
pub trait TextEncoder: Send + Sync {
    /// The length of a vector.
    fn dim(&self) -> usize;

    /// `texts.len()` × `dim` values, in the order of `texts`, which may be empty. A text that comes again is
    /// computed once, unless that takes no longer than to find it; the bits do not depend on `threads` (0 counts as 1).
    /// `progress` counts the texts that are computed.
    fn encode(&self, texts: &[&str], threads: usize, progress: &dyn Progress) -> Result<Matrix, EncodeError>;

    /// The same, handing each row to `ready` by the number of its text as soon as it is computed, on the calling thread
    /// and in any order: so that rows can be kept before all are there.
    fn encode_by_row(
        &self,
        texts: &[&str],
        threads: usize,
        progress: &dyn Progress,
        ready: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<Matrix, EncodeError> {
        let rows = self.encode(texts, threads, progress)?;
        (0..rows.rows).for_each(|i| ready(i, rows.row(i)));
        Ok(rows)
    }

    /// Whether a text's bits are the same whatever texts stand beside it. Only then may its row be kept for other runs.
    fn is_exact(&self) -> bool {
        false
    }

    /// How many tokens it has computed so far; 0 of one that counts none.
    fn tokens(&self) -> u64 {
        0
    }

    /// What decides the vectors besides the contents of the model's files, for model recipes and cache keys.
    fn recipe(&self) -> EncoderRecipe;
}

/// What a user may change about a model; what is left out comes from its own files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerOptions {
    /// Longest text in tokens, special tokens included; the rest of a longer text is cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_length: Option<usize>,
    /// Scale each vector to length 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalize: Option<bool>,
    /// How the tokens' vectors become one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// In how many bits the products are computed, on a CPU: `f32` (the default), and of the BERT family `bf16` or `int8`. Faster ones keep
    /// less of the vectors; the stage tells how much.
    #[serde(skip_serializing_if = "Precision::is_f32")]
    pub precision: Precision,
    /// Text put before every text, e.g. `query: ` for E5. Empty: none, even if the model has a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The same by the name under which the model's config_sentence_transformers.json has it, e.g. `query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Keep only so many dimensions of a vector, the first ones: for models trained to bear it (Matryoshka, arXiv 2205.13147).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_536))]
    pub dimensions: Option<usize>,
    /// Tokens computed together by one thread: a matter of speed and memory, not of results.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub batch_tokens: Option<usize>,
}

/// Opens a sentence-transformers folder on the CPU: the BERT family packed, other transformers through candle-transformers, which is several
/// times as slow. Errors name the file and what is wrong with it.
pub fn open(folder: &Path, options: &TransformerOptions) -> Result<Box<dyn TextEncoder>, EncodeError> {
    Ok(Box::new(transformer::Transformer::on_cpu(folder, options)?))
}

/// The same on a given device, all through candle-transformers, which of the BERT family has BERT, RoBERTa, XLM-RoBERTa and DistilBERT.
/// On a CPU `open` computes those several times as fast and agrees to about seven digits.
pub fn open_on(
    folder: &Path,
    options: &TransformerOptions,
    device: &candle_core::Device,
) -> Result<Box<dyn TextEncoder>, EncodeError> {
    Ok(Box::new(transformer::Transformer::on_device(folder, options, device)?))
}
