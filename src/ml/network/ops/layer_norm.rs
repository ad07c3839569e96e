//! Layer norm of a sum, as it ends both halves of a transformer's layer (Ba et al. 2016, arXiv 1607.06450).

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::pieces::{self, ROWS};
use super::{values, vectorized, with_values};

/// Each row of `x` + `residual` (rows × width) with mean 0 and variance 1, times a scale and plus a shift for each
/// feature; `scale_and_shift` is 2 × width.
pub(crate) fn sum_and_norm(x: &Tensor, residual: &Tensor, scale_and_shift: &Tensor, epsilon: f32) -> Result<Tensor> {
    x.apply_op3(residual, scale_and_shift, SumAndNorm { epsilon, kept: Arc::default() })
}

struct SumAndNorm {
    epsilon: f32,
    /// Written forward, read backward.
    kept: Arc<OnceLock<Kept>>,
}

struct Kept {
    /// rows × width: before scale and shift.
    normal: Vec<f32>,
    /// Of each row.
    inverse_deviation: Vec<f32>,
}

impl CustomOp3 for SumAndNorm {
    fn name(&self) -> &'static str {
        "sum-and-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        residual: &CpuStorage,
        rl: &Layout,
        constants: &CpuStorage,
        cl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = xl.shape().dims2()?;
        if rl.shape() != xl.shape() || cl.shape().dims2()? != (2, width) {
            candle_core::bail!("a sum of {:?} and {:?} with {:?} constants", xl.shape(), rl.shape(), cl.shape())
        }
        let (x, residual) = (values(x, xl)?, values(residual, rl)?);
        let (scale, shift) = values(constants, cl)?.split_at(width);
        let mut kept = Kept { normal: vec![0f32; rows * width], inverse_deviation: vec![0f32; rows] };
        let mut out = vec![0f32; rows * width];
        let piece = ROWS * width;
        let inputs = x.par_chunks(piece).zip(residual.par_chunks(piece));
        let results = out.par_chunks_mut(piece).zip(kept.normal.par_chunks_mut(piece));
        let all = results.zip(kept.inverse_deviation.par_chunks_mut(ROWS)).zip(inputs);
        all.for_each(|(((out, normal), inverse), (x, residual))| {
            vectorized(|| {
                let share = 1.0 / width as f32;
                let rows = out.chunks_exact_mut(width).zip(normal.chunks_exact_mut(width)).zip(inverse);
                let inputs = x.chunks_exact(width).zip(residual.chunks_exact(width));
                for (((out, normal), inverse), (x, residual)) in rows.zip(inputs) {
                    normal.copy_from_slice(x);
                    pieces::add(normal, residual);
                    let mean = sum(normal) * share;
                    normal.iter_mut().for_each(|value| *value -= mean);
                    *inverse = 1.0 / (dot(normal, normal) * share + self.epsilon).sqrt();
                    for (((out, normal), scale), shift) in out.iter_mut().zip(normal).zip(scale).zip(shift) {
                        *normal *= *inverse;
                        *out = *normal * scale + shift;
                    }
                }
            });
        });
        // A graph runs forward once; a second pass of the same operation would see the same rows.
        let _ = self.kept.set(kept);
        Ok((CpuStorage::F32(out), xl.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        residual: &Tensor,
        constants: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, width) = x.dims2()?;
        let Some(kept) = self.kept.get() else { candle_core::bail!("a norm's backward before its forward") };
        let (slopes, sums) = with_values(constants, |constants| {
            with_values(gradient, |gradient| Ok(slopes(kept, gradient, &constants[..width], width)))
        })?;
        let slopes = Tensor::from_vec(slopes, (rows, width), x.device())?;
        let sums = Tensor::from_vec(sums, (2, width), x.device())?;
        let for_residual = residual.track_op().then(|| slopes.clone());
        Ok((Some(slopes), for_residual, Some(sums)))
    }
}

/// The gradient of the sum, rows × width, and of scale and shift.
fn slopes(kept: &Kept, gradient: &[f32], scale: &[f32], width: usize) -> (Vec<f32>, Vec<f32>) {
    let piece = ROWS * width;
    let mut out = vec![0f32; gradient.len()];
    let inputs = gradient.par_chunks(piece).zip(kept.normal.par_chunks(piece));
    let all = out.par_chunks_mut(piece).zip(inputs).zip(kept.inverse_deviation.par_chunks(ROWS));
    let sums: Vec<Vec<f32>> = all
        .map(|((out, (gradient, normal)), inverse)| {
            let mut sums = vec![0f32; 2 * width];
            vectorized(|| {
                let share = 1.0 / width as f32;
                let (for_scale, for_shift) = sums.split_at_mut(width);
                let inputs = gradient.chunks_exact(width).zip(normal.chunks_exact(width)).zip(inverse);
                for (out, ((gradient, normal), inverse)) in out.chunks_exact_mut(width).zip(inputs) {
                    pieces::add(for_shift, gradient);
                    for ((sum, gradient), normal) in for_scale.iter_mut().zip(gradient).zip(normal) {
                        *sum += gradient * normal;
                    }
                    // With n the normalised row and d its gradient: (d − mean(d) − n·mean(d·n)) / deviation.
                    for ((out, gradient), scale) in out.iter_mut().zip(gradient).zip(scale) {
                        *out = gradient * scale;
                    }
                    let (mean, tilt) = (sum(out) * share, dot(out, normal) * share);
                    for (out, normal) in out.iter_mut().zip(normal) {
                        *out = (*out - mean - normal * tilt) * inverse;
                    }
                }
            });
            sums
        })
        .collect();
    (out, pieces::total(sums, 2 * width))
}

/// Σ a, in sixteen lanes of a fixed order.
#[inline(always)]
fn sum(a: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let (blocks, rest) = a.as_chunks::<16>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// Σ a·b, likewise.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f32>()
}
