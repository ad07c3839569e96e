//! Scaled dot-product attention of one sequence, head by head (Vaswani et al., arXiv 1706.03762).
//!
//! Sequences are never padded to one another, so there is no mask. Knows nothing of projections or layers.

use super::super::kernels::{Finish, Panels, Rows, multiply, softmax_rows};

/// The shape that all layers of a model share.
#[derive(Clone, Copy)]
pub struct Heads {
    pub count: usize,
    pub dim: usize,
}

/// Buffers of one thread.
#[derive(Default)]
pub struct AttentionScratch {
    keys: Panels,
    values: Panels,
    scores: Vec<f32>,
}

/// Attends within one sequence, whose tokens are the rows of `qkv`. A row of `qkv` holds the queries, keys and values of one token, each
/// `heads.count * heads.dim` long; a row of `context` gets the heads' results side by side and must have room for
/// one panel more.
pub fn attend(
    qkv: Rows,
    heads: Heads,
    relative: Option<&RelativeBias>,
    scratch: &mut AttentionScratch,
    context: &mut [f32],
    context_stride: usize,
) {
    let length = qkv.count;
    let Heads { count, dim } = heads;
    let hidden = count * dim;
    let stride = Panels::padded(length);
    scratch.scores.resize(length * stride, 0.0);
    let scores = &mut scratch.scores[..length * stride];
    for head in 0..count {
        let at = head * dim;
        scratch.keys.set_transposed(&qkv.values[hidden + at..], qkv.stride, length, dim);
        let queries = Rows { values: &qkv.values[at..], ..qkv };
        multiply(queries, &scratch.keys, Finish::Plain, scores, stride);
        if let Some(bias) = relative {
            bias.add(head, length, scores, stride);
        }
        softmax_rows(scores, stride, length, scale(dim));
        scratch.values.set(&qkv.values[2 * hidden + at..], qkv.stride, dim, length);
        // A head narrower than a panel spills zeros into the next head's place, which is written after it.
        let weights = Rows { values: scores, stride, count: length };
        multiply(weights, &scratch.values, Finish::Plain, &mut context[at..], context_stride);
    }
}

fn scale(dim: usize) -> f32 {
    1.0 / (dim as f32).sqrt()
}

/// MPNet's learned bias for each head and each distance between two tokens (Song et al., arXiv 2004.09297; the buckets
/// are T5's, arXiv 1910.10683).
pub struct RelativeBias {
    /// heads × (2 · reach − 1), by key − query + reach − 1, divided by the scale that softmax applies.
    by_distance: Vec<f32>,
    reach: usize,
}

impl RelativeBias {
    /// `table` is buckets × heads; `reach` the longest sequence.
    pub fn new(table: &[f32], buckets: usize, heads: Heads, reach: usize) -> Self {
        let mut by_distance = Vec::with_capacity(heads.count * (2 * reach - 1));
        for head in 0..heads.count {
            for step in 0..2 * reach - 1 {
                let bucket = bucket(step as i64 - (reach as i64 - 1), buckets);
                by_distance.push(table[bucket * heads.count + head] / scale(heads.dim));
            }
        }
        RelativeBias { by_distance, reach }
    }

    fn add(&self, head: usize, length: usize, scores: &mut [f32], stride: usize) {
        let span = 2 * self.reach - 1;
        let distances = &self.by_distance[head * span..(head + 1) * span];
        for (query, row) in scores.chunks_exact_mut(stride).enumerate() {
            let start = self.reach - 1 - query;
            for (score, bias) in row[..length].iter_mut().zip(&distances[start..]) {
                *score += bias;
            }
        }
    }
}

/// The bucket of the distance key − query: half of the buckets look back and half ahead; in each half the nearer
/// distances have their own and the farther ones, up to 128, share on a logarithmic scale.
fn bucket(distance: i64, buckets: usize) -> usize {
    let half = buckets / 2;
    let side = if distance > 0 { half } else { 0 };
    let distance = distance.unsigned_abs() as usize;
    let exact = half / 2;
    if distance < exact {
        return side + distance;
    }
    let steps = (distance as f32 / exact as f32).ln() / (128.0 / exact as f32).ln();
    side + (exact + (steps * (half - exact) as f32) as usize).min(half - 1)
}
