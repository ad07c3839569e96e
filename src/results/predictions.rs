//! Predictions of new rows: `metrics.json` of `predict`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::document::Document;

/// What a `predict` stage says of the rows it predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// All rows of the input, labelled or not.
    pub rows: usize,
    /// Rows by predicted class, sorted by name; every class of the model, perhaps with 0.
    pub predicted: IndexMap<String, usize>,
    /// Mean over the rows of the probability of the predicted class.
    pub mean_confidence: f64,
    /// The CSV file that was written.
    pub file: String,
    /// The column that was added to it.
    pub column: String,
}

impl Document for Predictions {
    const NAME: &'static str = "predictions";
    const VERSION: u32 = 1;
}
