//! Scaled dot-product attention of texts side by side, each within itself (Vaswani et al. 2017, arXiv 1706.03762).
//!
//! Texts are not padded to one another, so there is no mask.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::super::activation::exp;
use super::layer_norm::dot;
use super::{values, vectorized, with_values};
use crate::matmul::{View, matmul, scaled_matmul};

/// `qkv`: tokens × 3·width, queries, keys and values side by side, each of `heads` heads side by side. Text i has the
/// tokens `starts[i]` up to `starts[i + 1]`. Gives tokens × width.
pub(crate) fn attention(qkv: &Tensor, starts: &Arc<Vec<usize>>, heads: usize) -> Result<Tensor> {
    qkv.apply_op1(Attention { starts: Arc::clone(starts), heads, kept: Arc::default() })
}

struct Attention {
    starts: Arc<Vec<usize>>,
    heads: usize,
    /// Weights of every text, head by head (length × length each); written forward, read backward.
    kept: Arc<OnceLock<Vec<Vec<f32>>>>,
}

/// One text in a pass: its number of tokens, the width of its rows, and its heads.
#[derive(Clone, Copy)]
struct Size {
    length: usize,
    width: usize,
    heads: usize,
}

impl Size {
    fn dim(self) -> usize {
        self.width / self.heads
    }

    fn scale(self) -> f32 {
        1.0 / (self.dim() as f32).sqrt()
    }

    /// Part 0, 1 or 2 (queries, keys, values) of one head.
    fn part(self, qkv: &[f32], part: usize, head: usize) -> View<'_, f32> {
        View::new(qkv, self.length, 3 * self.width).columns(part * self.width + head * self.dim(), self.dim())
    }

    /// Writes a head's rows (length × dim) to their place in rows `stride` apart.
    fn put(self, out: &mut [f32], stride: usize, at: usize, rows: &[f32]) {
        for (out, row) in out.chunks_exact_mut(stride).zip(rows.chunks_exact(self.dim())) {
            out[at..at + row.len()].copy_from_slice(row);
        }
    }
}

impl Attention {
    /// Each text's own rows, `width` values a token.
    fn texts<'a>(&self, mut all: &'a [f32], width: usize) -> Vec<&'a [f32]> {
        let lengths = self.starts.windows(2).map(|span| span[1] - span[0]);
        lengths
            .map(|length| {
                let (own, rest) = all.split_at(length * width);
                all = rest;
                own
            })
            .collect()
    }

    fn texts_mut<'a>(&self, mut all: &'a mut [f32], width: usize) -> Vec<&'a mut [f32]> {
        let lengths = self.starts.windows(2).map(|span| span[1] - span[0]);
        lengths
            .map(|length| {
                let (own, rest) = std::mem::take(&mut all).split_at_mut(length * width);
                all = rest;
                own
            })
            .collect()
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, triple) = layout.shape().dims2()?;
        let (width, heads) = (triple / 3, self.heads);
        if self.starts.last() != Some(&tokens) || triple != 3 * width || !width.is_multiple_of(heads) {
            candle_core::bail!("attention of {heads} heads over {tokens}×{triple} values")
        }
        let qkv = values(qkv, layout)?;
        let mut out = vec![0f32; tokens * width];
        let texts: Vec<_> = self.texts(qkv, triple).into_iter().zip(self.texts_mut(&mut out, width)).collect();
        let weights = texts
            .into_par_iter()
            .map(|(qkv, out)| {
                let size = Size { length: qkv.len() / triple, width, heads };
                let square = size.length * size.length;
                let mut weights = vec![0f32; heads * square];
                let mut rows = vec![0f32; size.length * size.dim()];
                for (head, weights) in weights.chunks_exact_mut(square.max(1)).enumerate() {
                    let (queries, keys) = (size.part(qkv, 0, head), size.part(qkv, 1, head));
                    scaled_matmul(weights, queries, keys.transposed(), size.scale());
                    vectorized(|| weights.chunks_exact_mut(size.length).for_each(softmax));
                    matmul(&mut rows, View::new(weights, size.length, size.length), size.part(qkv, 2, head));
                    size.put(out, width, head * size.dim(), &rows);
                }
                weights
            })
            .collect();
        // A graph runs forward once; a second pass of the same operation would see the same texts.
        let _ = self.kept.set(weights);
        Ok((CpuStorage::F32(out), Shape::from((tokens, width))))
    }

    fn bwd(&self, qkv: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (tokens, triple) = qkv.dims2()?;
        let (width, heads) = (triple / 3, self.heads);
        let Some(kept) = self.kept.get() else { candle_core::bail!("attention's backward before its forward") };
        let mut out = vec![0f32; tokens * triple];
        with_values(qkv, |qkv| {
            with_values(gradient, |gradient| {
                let inputs = self.texts(qkv, triple).into_iter().zip(self.texts(gradient, width)).zip(kept);
                let texts: Vec<_> = inputs.zip(self.texts_mut(&mut out, triple)).collect();
                texts.into_par_iter().for_each(|(((qkv, gradient), weights), out)| {
                    let size = Size { length: qkv.len() / triple, width, heads };
                    slopes(size, qkv, gradient, weights, out);
                });
                Ok(())
            })
        })?;
        Ok(Some(Tensor::from_vec(out, (tokens, triple), qkv.device())?))
    }
}

/// The gradient of one text's queries, keys and values.
fn slopes(size: Size, qkv: &[f32], gradient: &[f32], weights: &[f32], out: &mut [f32]) {
    let Size { length, width, .. } = size;
    let (dim, square, triple) = (size.dim(), length * length, 3 * width);
    let mut for_scores = vec![0f32; square];
    let mut rows = vec![0f32; length * dim];
    for (head, weights) in weights.chunks_exact(square.max(1)).enumerate() {
        let at = head * dim;
        let gradient = View::new(gradient, length, width).columns(at, dim);
        let weights_view = View::new(weights, length, length);
        matmul(&mut rows, weights_view.transposed(), gradient);
        size.put(out, triple, 2 * width + at, &rows);
        matmul(&mut for_scores, gradient, size.part(qkv, 2, head).transposed());
        // Of a softmax: w·(d − Σ w·d).
        vectorized(|| {
            for (slopes, weights) in for_scores.chunks_exact_mut(length).zip(weights.chunks_exact(length)) {
                let mean = dot(slopes, weights);
                for (slope, weight) in slopes.iter_mut().zip(weights) {
                    *slope = weight * (*slope - mean);
                }
            }
        });
        let scores = View::new(&for_scores, length, length);
        scaled_matmul(&mut rows, scores, size.part(qkv, 1, head), size.scale());
        size.put(out, triple, at, &rows);
        scaled_matmul(&mut rows, scores.transposed(), size.part(qkv, 0, head), size.scale());
        size.put(out, triple, width + at, &rows);
    }
}

#[inline(always)]
fn softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = exp(*value - largest);
        sum += *value;
    }
    row.iter_mut().for_each(|value| *value /= sum);
}
