//! The vectors of a text's tokens as one, of length 1 where that is wanted: the end of a sentence encoder.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::layer_norm::dot;
use super::{values, with_values};
use crate::encoder::{Pooling, normalize, pool};

/// `x`: tokens × width; text i has the tokens `starts[i]` up to `starts[i + 1]`, perhaps none. Gives texts × width; no
/// tokens give zeros, and a vector of zeros stays one.
pub(crate) fn pooled(x: &Tensor, starts: &Arc<Vec<usize>>, pooling: Pooling, unit_length: bool) -> Result<Tensor> {
    x.apply_op1(Pooled { starts: Arc::clone(starts), pooling, unit_length })
}

struct Pooled {
    starts: Arc<Vec<usize>>,
    pooling: Pooling,
    unit_length: bool,
}

impl CustomOp1 for Pooled {
    fn name(&self) -> &'static str {
        "pooled"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, width) = layout.shape().dims2()?;
        let texts = self.starts.len() - 1;
        if self.starts.last() != Some(&tokens) {
            candle_core::bail!("pooling {tokens} tokens as {:?}", self.starts.last())
        }
        let x = values(x, layout)?;
        let mut out = vec![0f32; texts * width];
        for (span, out) in self.starts.windows(2).zip(out.chunks_exact_mut(width)) {
            pool(&[self.pooling], x[span[0] * width..span[1] * width].chunks_exact(width), out);
            if self.unit_length {
                normalize(out);
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((texts, width))))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (tokens, width) = x.dims2()?;
        let mut out = vec![0f32; tokens * width];
        with_values(x, |x| {
            with_values(gradient, |gradient| {
                let mut vector = vec![0f32; width];
                for (span, gradient) in self.starts.windows(2).zip(gradient.chunks_exact(width)) {
                    let own = span[0] * width..span[1] * width;
                    self.slopes(&x[own.clone()], gradient, &mut vector, &mut out[own]);
                }
                Ok(())
            })
        })?;
        Ok(Some(Tensor::from_vec(out, (tokens, width), x.device())?))
    }
}

impl Pooled {
    /// The gradient of one text's tokens; `vector` is room for one.
    fn slopes(&self, x: &[f32], gradient: &[f32], vector: &mut [f32], out: &mut [f32]) {
        let width = gradient.len();
        let tokens = x.len() / width;
        let mut slope = gradient.to_vec();
        if self.unit_length {
            pool(&[self.pooling], x.chunks_exact(width), vector);
            let length = dot(vector, vector).sqrt();
            if length > 0.0 {
                // Of v/|v|, with u the unit vector: (d − u·(u·d)) / |v|.
                let along = dot(vector, gradient) / (length * length);
                for (slope, value) in slope.iter_mut().zip(&*vector) {
                    *slope = (*slope - value * along) / length;
                }
            }
        }
        match self.pooling {
            Pooling::Mean | Pooling::MeanSqrtLen | Pooling::Weighted => {
                let count = tokens.max(1) as f32;
                let share = |i: usize| match self.pooling {
                    Pooling::Mean => 1.0 / count,
                    Pooling::MeanSqrtLen => 1.0 / count.sqrt(),
                    _ => (i + 1) as f32 / (count * (count + 1.0) / 2.0),
                };
                for (i, row) in out.chunks_exact_mut(width).enumerate() {
                    row.iter_mut().zip(&slope).for_each(|(out, slope)| *out = slope * share(i));
                }
            }
            Pooling::Cls | Pooling::Last => {
                let place = if self.pooling == Pooling::Cls { 0 } else { tokens.saturating_sub(1) };
                if let Some(row) = out.chunks_exact_mut(width).nth(place) {
                    row.copy_from_slice(&slope);
                }
            }
            Pooling::Max => {
                for (j, slope) in slope.iter().enumerate() {
                    let largest = |best: usize, i: usize| if x[i * width + j] > x[best * width + j] { i } else { best };
                    if tokens > 0 {
                        out[(1..tokens).fold(0, largest) * width + j] = *slope;
                    }
                }
            }
        }
    }
}
