//! Periodic features of numbers (Gorishniy et al. 2022, arXiv 2203.05556; with a phase as in RealMLP, arXiv 2407.04491).
//!
//! Knows nothing of how frequencies are drawn.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::{values, vectorized, with_values};

/// cos(2π(frequency·x + phase)); `x`: rows × numbers, `frequencies` and `phases`: numbers × count → rows × numbers·count.
/// `x` is data: it gets no gradient.
pub fn periodic(x: &Tensor, frequencies: &Tensor, phases: &Tensor) -> Result<Tensor> {
    x.apply_op3(frequencies, phases, Periodic)
}

struct Periodic;

/// cos 2πt, to about 2e-7: Taylor's polynomial of the sine over a quarter turn to either side of 0.
#[inline(always)]
fn cos_turns(t: f32) -> f32 {
    // Whole turns are taken away: t in −½ … ½.
    let t = t - (t + 12_582_912.0 - 12_582_912.0);
    let z = std::f32::consts::TAU * (0.25 - t.abs());
    let s = z * z;
    let p = -2.505_210_8e-8;
    let p = p * s + 2.755_731_9e-6;
    let p = p * s - 1.984_127e-4;
    let p = p * s + 8.333_333e-3;
    let p = p * s - 1.666_666_7e-1;
    z + z * s * p
}

impl CustomOp3 for Periodic {
    fn name(&self) -> &'static str {
        "periodic"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        frequencies: &CpuStorage,
        fl: &Layout,
        phases: &CpuStorage,
        pl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, numbers), (same, count)) = (xl.shape().dims2()?, fl.shape().dims2()?);
        if numbers != same {
            candle_core::bail!("frequencies of {same} numbers for {numbers}")
        }
        let (x, frequencies, phases) = (values(x, xl)?, values(frequencies, fl)?, values(phases, pl)?);
        let mut out = vec![0f32; rows * numbers * count];
        vectorized(|| {
            for (k, (out, x)) in out.chunks_exact_mut(count).zip(x).enumerate() {
                let own = k % numbers * count;
                for ((out, frequency), phase) in out.iter_mut().zip(&frequencies[own..]).zip(&phases[own..]) {
                    *out = cos_turns(frequency * x + phase);
                }
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((rows, numbers * count))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        frequencies: &Tensor,
        phases: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (numbers, count) = frequencies.dims2()?;
        let mut for_frequencies = vec![0f32; numbers * count];
        let mut for_phases = vec![0f32; numbers * count];
        let mut read = |x: &[f32], frequencies: &[f32], phases: &[f32], gradient: &[f32]| {
            for (k, (gradient, x)) in gradient.chunks_exact(count).zip(x).enumerate() {
                let own = k % numbers * count..(k % numbers + 1) * count;
                let constants = frequencies[own.clone()].iter().zip(&phases[own.clone()]);
                let sums = for_frequencies[own.clone()].iter_mut().zip(&mut for_phases[own]);
                for (((frequency, phase), gradient), (for_frequency, for_phase)) in constants.zip(gradient).zip(sums) {
                    // The derivative of cos 2πt is −2π·sin 2πt, and the sine is the cosine a quarter turn before.
                    let slope = -std::f32::consts::TAU * cos_turns(frequency * x + phase - 0.25) * gradient;
                    *for_frequency += slope * x;
                    *for_phase += slope;
                }
            }
        };
        with_values(x, |x| {
            with_values(frequencies, |frequencies| {
                with_values(phases, |phases| {
                    with_values(gradient, |gradient| {
                        vectorized(|| read(x, frequencies, phases, gradient));
                        Ok(())
                    })
                })
            })
        })?;
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, (numbers, count), x.device());
        Ok((None, Some(tensor(for_frequencies)?), Some(tensor(for_phases)?)))
    }
}
