//! How the vectors of a text's tokens become one (Reimers and Gurevych, arXiv 1908.10084).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the vectors of a text's tokens become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The vector of the first token.
    Cls,
    /// The largest value of each dimension.
    Max,
    /// The mean over all tokens, special ones included.
    Mean,
    /// The sum over all tokens by the square root of their number.
    MeanSqrtLen,
    /// The mean, where a token counts as much as its place: 1, 2, 3 … (SGPT, arXiv 2202.08904).
    Weighted,
    /// The vector of the last token.
    Last,
}

impl Pooling {
    /// All of them by their names in a pooling module's config.json, in the order in which it sets several side by side.
    pub const NAMED: [(&'static str, Pooling); 6] = [
        ("cls", Pooling::Cls),
        ("max", Pooling::Max),
        ("mean", Pooling::Mean),
        ("mean_sqrt_len_tokens", Pooling::MeanSqrtLen),
        ("weightedmean", Pooling::Weighted),
        ("lasttoken", Pooling::Last),
    ];
}
