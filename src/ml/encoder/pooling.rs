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

    /// Pools the rows of one text's tokens into `out`; rows may be longer than `out`.
    fn one<'a>(self, mut rows: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
        let Some(first) = rows.next() else {
            out.fill(0.0);
            return;
        };
        out.copy_from_slice(&first[..out.len()]);
        match self {
            Pooling::Cls => {}
            Pooling::Last => {
                if let Some(last) = rows.last() {
                    out.copy_from_slice(&last[..out.len()]);
                }
            }
            Pooling::Max => {
                for row in rows {
                    for (out, value) in out.iter_mut().zip(row) {
                        *out = out.max(*value);
                    }
                }
            }
            Pooling::Mean | Pooling::MeanSqrtLen => {
                let mut count = 1u32;
                for row in rows {
                    for (out, value) in out.iter_mut().zip(row) {
                        *out += value;
                    }
                    count += 1;
                }
                let by = if self == Pooling::Mean { count as f32 } else { (count as f32).sqrt() };
                out.iter_mut().for_each(|value| *value /= by);
            }
            Pooling::Weighted => {
                let (mut weight, mut total) = (1.0, 1.0);
                for row in rows {
                    weight += 1.0;
                    total += weight;
                    for (out, value) in out.iter_mut().zip(row) {
                        *out += weight * value;
                    }
                }
                out.iter_mut().for_each(|value| *value /= total);
            }
        }
    }
}

/// Each of `poolings` of the rows of one text's tokens, side by side in `out`. Rows may be longer than their share of it.
pub fn pool<'a>(poolings: &[Pooling], rows: impl Iterator<Item = &'a [f32]> + Clone, out: &mut [f32]) {
    let dim = out.len() / poolings.len().max(1);
    for (pooling, out) in poolings.iter().zip(out.chunks_exact_mut(dim)) {
        pooling.one(rows.clone(), out);
    }
}
