//! What can go wrong when texts become vectors. Every message names the file or the option and what to do.

use std::path::PathBuf;

use crate::progress::Cancelled;

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum EncodeError {
    #[error("encoder file '{}' is missing: {remedy}", path.display())]
    Missing { path: PathBuf, remedy: String },

    #[error("cannot read encoder file '{}': {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },

    #[error("encoder file '{}' is damaged: {reason}", path.display())]
    Corrupt { path: PathBuf, reason: String },

    #[error("encoder file '{}' is not supported: {reason}", path.display())]
    Unsupported { path: PathBuf, reason: String },

    /// `reason` says what was found and what was expected.
    #[error("tensor '{name}' in '{}' does not fit the model's config.json: {reason}", path.display())]
    Tensor { path: PathBuf, name: String, reason: String },

    /// `value` is NaN, infinite, or infinite once rounded to the precision asked for.
    #[error(
        "tensor '{name}' in '{}' is not finite: {value} at {at}; the file is damaged, or the model's training diverged",
        path.display()
    )]
    NotFinite { path: PathBuf, name: String, at: String, value: String },

    /// Sound weights, and a text whose vector is not: numbers too large for f32 on the way to it.
    #[error(
        "the vector of the text {text} is not finite ({value} in component {component}): the encoder's numbers grow beyond \
         f32; use another encoder, or leave the text out"
    )]
    Vector { text: String, component: usize, value: f32 },

    #[error(
        "the layers of the encoder that stand still give {value} for a token: its numbers grow beyond f32; use another \
         encoder, or leave `adapt` out"
    )]
    States { value: f32 },

    #[error("encoder option {option}: {reason}")]
    Option { option: &'static str, reason: String },

    #[error("the tokenizer rejected text {index}: {reason}")]
    Tokenize { index: usize, reason: String },

    #[error(
        "the tokenizer gives token {token}, but the model knows {vocabulary} tokens: tokenizer.json and model.safetensors belong to different models"
    )]
    Vocabulary { token: u32, vocabulary: usize },

    #[error("the encoder failed on its device: {0}")]
    Device(String),

    #[error("tfidf cannot be fitted: {0}")]
    Fit(String),

    #[error("the stored tfidf encoder is damaged: {0}; fit it again")]
    Stored(String),

    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl EncodeError {
    /// Whether a sound copy of the model's files would do; what to do about it depends on where they came from.
    pub fn is_of_files(&self) -> bool {
        matches!(
            self,
            EncodeError::Missing { .. }
                | EncodeError::Read { .. }
                | EncodeError::Corrupt { .. }
                | EncodeError::Tensor { .. }
                | EncodeError::NotFinite { .. }
        )
    }
}
