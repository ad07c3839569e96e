//! What made the vectors of texts: `encoder.json`, and part of the vectors' own metadata and of models.

mod pooling;
mod tfidf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use pooling::Pooling;
pub use tfidf::TfidfOptions;

use crate::document::Document;

/// What made the vectors of each text column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Encoders {
    /// By text column.
    pub columns: IndexMap<String, Encoder>,
}

/// What makes vectors of texts. Equal encoders give equal vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// As the hub, or the user, calls it; `tfidf` for the built-in one.
    pub name: String,
    /// BLAKE3 of its files, in hex.
    pub digest: String,
    /// Length of a vector.
    pub dim: usize,
    /// What makes the same vectors again.
    pub recipe: EncoderRecipe,
}

/// What decides the vectors besides the contents of the model's files. Cache keys and models hold its JSON: what newer options bring stands there
/// only where it is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EncoderRecipe {
    /// Built in, fitted on the training part.
    Tfidf(TfidfRecipe),
    /// A model in the sentence-transformers layout, static ones too.
    Transformer(TransformerRecipe),
}

/// How a built-in encoder was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TfidfRecipe {
    /// Of the arithmetic.
    pub version: u32,
    /// As the pipeline file says, defaults filled in.
    pub options: TfidfOptions,
    /// BLAKE3 of what was learnt from the texts, in hex.
    pub fitted: String,
}

/// How a pretrained encoder was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransformerRecipe {
    /// Of the arithmetic.
    pub version: u32,
    /// What computes it.
    pub engine: String,
    /// How tokens' vectors become one.
    pub pooling: Poolings,
    /// Whether vectors have length 1.
    pub normalize: bool,
    /// In tokens; absent where texts are never cut.
    pub max_length: Option<usize>,
    /// Whether texts were lowercased first.
    pub lowercase: bool,
    /// Of the products of the layers.
    #[serde(skip_serializing_if = "Precision::is_f32", default)]
    pub precision: Precision,
    /// Text put before every text.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub prefix: String,
    /// The first dimensions, where not all are kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dimensions: Option<usize>,
    /// What is left out between the layers after pooling.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub between: Option<Between>,
}

/// One pooling, or several side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Poolings {
    /// A single pooling.
    One(Pooling),
    /// Their vectors, one after the other.
    Several(Vec<Pooling>),
}

/// What dense layers after pooling are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Between {
    /// The poolings' vectors are joined as they are.
    #[serde(rename = "not normalized")]
    NotNormalized,
}

/// In how many bits the layers' products are computed; all else is f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As the model was trained.
    #[default]
    F32,
    /// Both factors rounded to bfloat16, summed in f32: twice as fast where the processor has AVX-512 BF16, and half the memory.
    Bf16,
    /// Both factors in 8 bits with a scale for each row and each column, summed in integers: three times as fast where the
    /// processor has AVX-512 VNNI, and a quarter of the memory.
    Int8,
}

impl Precision {
    /// Whether nothing is rounded to fewer bits.
    pub fn is_f32(&self) -> bool {
        *self == Precision::F32
    }
}

impl Document for Encoders {
    const NAME: &'static str = "encoders";
    const VERSION: u32 = 1;
}
