//! Batch norm → activation → dropout as one operation (Ioffe and Szegedy 2015, arXiv 1502.03167), the same without batch
//! norm, and the form of both for predictions.
//!
//! Knows nothing of running averages nor of how dropout masks are drawn.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};

use super::super::Activation;
use super::{values, with_values};

/// What one batch showed of each feature.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    pub rows: usize,
    pub mean: Vec<f32>,
    /// Divided by the number of rows (not by one less).
    pub variance: Vec<f32>,
}

/// activation(gamma·(z − mean)/√(variance + epsilon) + beta)·mask with the statistics of this very batch.
///
/// `z`: rows × features; `gamma`, `beta`: features; `mask`: rows × features factors, e.g. 0 or 1/(1−p); none keeps all.
pub fn normalize_and_activate(
    z: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f32,
    activation: Activation,
    mask: Option<Vec<f32>>,
) -> Result<(Tensor, BatchStatistics)> {
    let seen = Arc::new(OnceLock::new());
    let op = Normalize { epsilon, activation, mask, seen: Arc::clone(&seen) };
    let out = z.apply_op3(gamma, beta, op)?;
    let statistics = seen.get().cloned();
    Ok((out, statistics.ok_or_else(|| candle_core::Error::msg("batch norm was not computed"))?))
}

/// activation(z)·mask, for networks without batch norm.
pub fn activate(z: &Tensor, activation: Activation, mask: Option<Vec<f32>>) -> Result<Tensor> {
    z.apply_op1(Activate { activation, mask })
}

/// activation(scale·z + shift) for predictions: batch norm with fixed statistics is one factor and one summand for each
/// feature. Has no gradient.
pub fn scale_and_activate(z: &Tensor, scale: Vec<f32>, shift: Vec<f32>, activation: Activation) -> Result<Tensor> {
    z.apply_op1_no_bwd(&ScaleAndActivate { scale, shift, activation })
}

struct Normalize {
    epsilon: f32,
    activation: Activation,
    mask: Option<Vec<f32>>,
    /// Written forward, read backward.
    seen: Arc<OnceLock<BatchStatistics>>,
}

impl Normalize {
    fn deviations_inverted(&self, statistics: &BatchStatistics) -> Vec<f32> {
        statistics.variance.iter().map(|variance| 1.0 / (variance + self.epsilon).sqrt()).collect()
    }
}

impl CustomOp3 for Normalize {
    fn name(&self) -> &'static str {
        "batch-norm-activation-dropout"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = z_layout.shape().dims2()?;
        let (z, gamma, beta) = (values(z, z_layout)?, values(gamma, gamma_layout)?, values(beta, beta_layout)?);
        check_mask(&self.mask, z.len())?;
        let statistics = batch_statistics(z, rows, width);
        let scale: Vec<f32> =
            self.deviations_inverted(&statistics).iter().zip(gamma).map(|(inverse, gamma)| inverse * gamma).collect();
        let mut out = z.to_vec();
        for (i, row) in out.chunks_exact_mut(width).enumerate() {
            normalize_row(row, &statistics.mean, &scale, beta);
            self.activation.apply(row);
            if let Some(mask) = &self.mask {
                multiply(row, &mask[i * width..(i + 1) * width]);
            }
        }
        // A graph runs forward once; a second pass of the same operation would see the same batch.
        let _ = self.seen.set(statistics);
        Ok((CpuStorage::F32(out), Shape::from((rows, width))))
    }

    fn bwd(
        &self,
        z: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, width) = z.dims2()?;
        let Some(statistics) = self.seen.get() else { candle_core::bail!("batch norm backward before forward") };
        let inverse = self.deviations_inverted(statistics);
        let (gamma_values, beta_values) = (gamma.to_vec1::<f32>()?, beta.to_vec1::<f32>()?);
        let scale: Vec<f32> = inverse.iter().zip(&gamma_values).map(|(inverse, gamma)| inverse * gamma).collect();
        let mut for_beta = vec![0f32; width];
        let mut for_gamma = vec![0f32; width];
        let for_z = with_values(z, |z| {
            with_values(gradient, |gradient| {
                let mut out = z.to_vec();
                for (i, row) in out.chunks_exact_mut(width).enumerate() {
                    let span = i * width..(i + 1) * width;
                    normalize_row(row, &statistics.mean, &scale, &beta_values);
                    self.activation.slopes(row);
                    multiply(row, &gradient[span.clone()]);
                    if let Some(mask) = &self.mask {
                        multiply(row, &mask[span.clone()]);
                    }
                    accumulate(row, &z[span], &statistics.mean, &inverse, &mut for_beta, &mut for_gamma);
                }
                // dz = scale·(du − (Σdu + x̂·Σdu·x̂)/rows), with x̂ = (z − mean)·inverse.
                let share = 1.0 / rows as f32;
                let drift: Vec<f32> = for_beta.iter().map(|sum| sum * share).collect();
                let tilt: Vec<f32> =
                    for_gamma.iter().zip(&inverse).map(|(sum, inverse)| sum * inverse * share).collect();
                for (row, z) in out.chunks_exact_mut(width).zip(z.chunks_exact(width)) {
                    centre_row(row, z, &statistics.mean, &scale, &drift, &tilt);
                }
                Ok(out)
            })
        })?;
        let device = z.device();
        Ok((
            Some(Tensor::from_vec(for_z, (rows, width), device)?),
            Some(Tensor::from_vec(for_gamma, width, device)?),
            Some(Tensor::from_vec(for_beta, width, device)?),
        ))
    }
}

struct Activate {
    activation: Activation,
    mask: Option<Vec<f32>>,
}

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activation-dropout"
    }

    fn cpu_fwd(&self, z: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(z, layout)?.to_vec();
        check_mask(&self.mask, out.len())?;
        self.activation.apply(&mut out);
        if let Some(mask) = &self.mask {
            multiply(&mut out, mask);
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, z: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let slopes = with_values(z, |z| {
            with_values(gradient, |gradient| {
                let mut out = z.to_vec();
                self.activation.slopes(&mut out);
                multiply(&mut out, gradient);
                if let Some(mask) = &self.mask {
                    multiply(&mut out, mask);
                }
                Ok(out)
            })
        })?;
        Ok(Some(Tensor::from_vec(slopes, z.shape(), z.device())?))
    }
}

struct ScaleAndActivate {
    scale: Vec<f32>,
    shift: Vec<f32>,
    activation: Activation,
}

impl CustomOp1 for ScaleAndActivate {
    fn name(&self) -> &'static str {
        "scale-activation"
    }

    fn cpu_fwd(&self, z: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(z, layout)?.to_vec();
        for row in out.chunks_exact_mut(self.scale.len()) {
            for ((value, scale), shift) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
                *value = *value * scale + shift;
            }
            self.activation.apply(row);
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

fn check_mask(mask: &Option<Vec<f32>>, length: usize) -> Result<()> {
    match mask {
        Some(mask) if mask.len() != length => {
            candle_core::bail!("a mask of {} for {length} values", mask.len())
        }
        _ => Ok(()),
    }
}

/// Two passes, because the difference of squares would cancel for features far from zero.
fn batch_statistics(z: &[f32], rows: usize, width: usize) -> BatchStatistics {
    let share = 1.0 / rows as f32;
    let mut mean = vec![0f32; width];
    for row in z.chunks_exact(width) {
        for (sum, value) in mean.iter_mut().zip(row) {
            *sum += value;
        }
    }
    mean.iter_mut().for_each(|sum| *sum *= share);
    let mut variance = vec![0f32; width];
    for row in z.chunks_exact(width) {
        for ((sum, value), mean) in variance.iter_mut().zip(row).zip(&mean) {
            let distance = value - mean;
            *sum += distance * distance;
        }
    }
    variance.iter_mut().for_each(|sum| *sum *= share);
    BatchStatistics { rows, mean, variance }
}

fn normalize_row(row: &mut [f32], mean: &[f32], scale: &[f32], beta: &[f32]) {
    for (((value, mean), scale), beta) in row.iter_mut().zip(mean).zip(scale).zip(beta) {
        *value = (*value - mean) * scale + beta;
    }
}

fn multiply(row: &mut [f32], factors: &[f32]) {
    for (value, factor) in row.iter_mut().zip(factors) {
        *value *= factor;
    }
}

fn accumulate(slopes: &[f32], z: &[f32], mean: &[f32], inverse: &[f32], for_beta: &mut [f32], for_gamma: &mut [f32]) {
    for (sum, slope) in for_beta.iter_mut().zip(slopes) {
        *sum += slope;
    }
    for ((((sum, slope), z), mean), inverse) in for_gamma.iter_mut().zip(slopes).zip(z).zip(mean).zip(inverse) {
        *sum += slope * ((z - mean) * inverse);
    }
}

fn centre_row(row: &mut [f32], z: &[f32], mean: &[f32], scale: &[f32], drift: &[f32], tilt: &[f32]) {
    for (((((value, z), mean), scale), drift), tilt) in row.iter_mut().zip(z).zip(mean).zip(scale).zip(drift).zip(tilt)
    {
        *value = scale * (*value - drift - (z - mean) * tilt);
    }
}
