//! Why a network cannot be trained.

use crate::encoder::EncodeError;
use crate::network::ModelError;
use crate::preprocess::InputError;
use crate::progress::Cancelled;

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum TrainError {
    #[error("the {part} part has no rows: change the split so that it gets some")]
    NoRows { part: &'static str },
    #[error("the training part has a single class, '{class}': nothing can be told apart")]
    SingleClass { class: String },
    #[error("class '{class}' has no row in the training part: leave the class out or change the split")]
    UnseenClass { class: String },
    #[error("{labels} labels for {rows} rows")]
    Labels { labels: usize, rows: usize },
    #[error("row {row} is not among the {rows} rows, or its label is not among the {classes} classes")]
    Row { row: usize, rows: usize, classes: usize },
    #[error("'{path}': {message}")]
    Parameter { path: String, message: String },
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(
        "the loss is not finite in epoch {epoch}, before any epoch was complete: lower the learning rate (now {lr}) or clip gradients (clip_norm: 1)"
    )]
    Diverged { epoch: usize, lr: f64 },
    #[error(transparent)]
    Encoder(EncodeError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error("the network cannot be computed: {0}")]
    Compute(#[from] candle_core::Error),
}

impl From<EncodeError> for TrainError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::Cancelled(cancelled) => TrainError::Cancelled(cancelled),
            error => TrainError::Encoder(error),
        }
    }
}
