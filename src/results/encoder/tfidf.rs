//! Options of TF-IDF.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How texts are cut into features and how many dimensions are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TfidfOptions {
    /// Dimensions of a vector. Fewer texts or n-grams than that leave zeros at the end.
    #[schemars(range(min = 1, max = 8192))]
    pub dim: usize,
    /// Shortest and longest run of words; [0, 0] leaves words out.
    #[schemars(inner(range(min = 0, max = 64)))]
    pub word_ngrams: [usize; 2],
    /// Shortest and longest run of characters within a word and its borders; [0, 0] leaves them out.
    #[schemars(inner(range(min = 0, max = 64)))]
    pub char_ngrams: [usize; 2],
    /// An n-gram must occur in as many texts to be kept.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_count: usize,
    /// At most so many n-grams are kept, those in most texts first. The model's size is this times `dim` × 4 bytes.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_features: usize,
    /// The projection is learned from at most so many of the texts, drawn at random; the n-grams and their weights from all.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub projection_texts: usize,
    /// Whether upper and lower case are the same.
    pub lowercase: bool,
    /// Scale each vector to length 1.
    pub normalize: bool,
}

impl Default for TfidfOptions {
    fn default() -> Self {
        TfidfOptions {
            dim: 256,
            word_ngrams: [1, 2],
            char_ngrams: [3, 5],
            min_count: 2,
            max_features: 20_000,
            projection_texts: 50_000,
            lowercase: true,
            normalize: true,
        }
    }
}
