//! Scaled dot-product attention of one sequence, head by head (Vaswani et al., arXiv 1706.03762).
//!
//! Sequences are never padded to one another, so there is no mask.

use pulp::{Simd, WithSimd};

use super::super::kernels::{Ahead, Finish, Levels, Rows, Target, multiply_column, softmax_rows};
use crate::simd::dispatch;

/// The shape that all layers of a model share.
#[derive(Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) count: usize,
    pub(crate) dim: usize,
}

/// Buffers of one thread.
#[derive(Default)]
pub(crate) struct AttentionScratch {
    /// In panels one or two registers wide: dim × tokens
    keys: Vec<f32>,
    /// tokens × tokens
    scores: Vec<f32>,
}

/// Attends within one sequence, whose tokens are the rows of `qkv`. A row of `qkv` holds the queries, keys and values of one token, each
/// `heads.count * heads.dim` long, and must have room for two registers more, as must a row of `context`, which gets the heads' results
/// side by side.
pub(crate) fn attend(
    qkv: Rows,
    heads: Heads,
    relative: Option<&RelativeBias>,
    scratch: &mut AttentionScratch,
    context: &mut [f32],
    context_stride: usize,
) {
    dispatch(Attend { qkv, heads, relative, scratch, context, context_stride });
}

struct Attend<'a> {
    qkv: Rows<'a>,
    heads: Heads,
    relative: Option<&'a RelativeBias>,
    scratch: &'a mut AttentionScratch,
    context: &'a mut [f32],
    context_stride: usize,
}

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Most titles have fewer tokens than a register has lanes.
        if self.qkv.count <= S::F32_LANES { self.run::<S, 1>(simd) } else { self.run::<S, 2>(simd) }
    }
}

impl Attend<'_> {
    /// `REGISTERS` is the width of the keys' panels.
    #[inline(always)]
    fn run<S: Simd, const REGISTERS: usize>(self, simd: S) {
        let (length, Heads { count, dim }) = (self.qkv.count, self.heads);
        let (hidden, width, wide) = (count * dim, REGISTERS * S::F32_LANES, 2 * S::F32_LANES);
        let stride = length.next_multiple_of(width);
        let AttentionScratch { keys, scores } = self.scratch;
        // What is left there from another sequence is not looked at: softmax covers the scores of missing keys.
        keys.resize(keys.len().max(dim * stride), 0.0);
        scores.resize(scores.len().max(length * stride), 0.0);
        let scores = &mut scores[..length * stride];
        for head in 0..count {
            let at = head * dim;
            transpose(&self.qkv, hidden + at, dim, width, keys);
            let queries = Rows { values: &self.qkv.values[at..], ..self.qkv };
            for (p, panel) in keys[..dim * stride].chunks_exact(dim * width).enumerate() {
                let levels = Levels { values: panel, stride: width, depth: dim };
                let target = Target { column: p * width, start: 0, stride };
                multiply_column::<S, REGISTERS>(simd, queries, levels, Ahead::nothing(), Finish::Plain, target, scores);
            }
            if let Some(bias) = self.relative {
                bias.add(head, length, scores, stride);
            }
            softmax_rows(simd, scores, stride, length, scale(dim));
            let weights = Rows { values: scores, stride, count: length };
            for column in (0..dim).step_by(wide) {
                // What spills from a head narrower than this lands in the next head's place, which is written after it.
                let values = &self.qkv.values[2 * hidden + at + column..];
                let levels = Levels { values, stride: self.qkv.stride, depth: length };
                let target = Target { column: at + column, start: 0, stride: self.context_stride };
                multiply_column::<S, 2>(simd, weights, levels, Ahead::nothing(), Finish::Plain, target, self.context);
            }
        }
    }
}

/// `dim` values of every row from `at` on into panels of `width` rows each, value by value.
///
/// A function of its own, compiled without wide vectors: with them it would become scattered stores, which are slower than single ones.
#[inline(never)]
fn transpose(rows: &Rows, at: usize, dim: usize, width: usize, panels: &mut [f32]) {
    for (c, row) in rows.values.chunks(rows.stride).take(rows.count).enumerate() {
        let panel = &mut panels[c / width * dim * width..][..dim * width];
        for (level, value) in panel.chunks_exact_mut(width).zip(&row[at..at + dim]) {
            level[c % width] = *value;
        }
    }
}

fn scale(dim: usize) -> f32 {
    1.0 / (dim as f32).sqrt()
}

/// MPNet's learned bias for each head and each distance between two tokens (Song et al., arXiv 2004.09297; the buckets
/// are T5's, arXiv 1910.10683).
pub(crate) struct RelativeBias {
    /// heads × (2 · reach − 1), by key − query + reach − 1, divided by the scale that softmax applies.
    by_distance: Vec<f32>,
    reach: usize,
}

impl RelativeBias {
    /// `table` is buckets × heads; `reach` the longest sequence.
    pub(crate) fn new(table: &[f32], buckets: usize, heads: Heads, reach: usize) -> Self {
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
    side + exact.saturating_add((steps * (half - exact) as f32) as usize).min(half.saturating_sub(1))
}
