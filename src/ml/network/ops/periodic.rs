//! Periodic features of numbers (Gorishniy et al. 2022, arXiv 2203.05556; with a phase as in RealMLP, arXiv 2407.04491).

use candle_core::{Result, Tensor};

use super::slices::{Argument, Operation, apply};
use super::vectorized;

/// cos(2π(frequency·x + phase)); `x`: rows × numbers, `frequencies` and `phases`: numbers × count → rows × numbers·count.
/// `x` is data: it gets no gradient.
pub(crate) fn periodic(x: &Tensor, frequencies: &Tensor, phases: &Tensor) -> Result<Tensor> {
    apply(Periodic, &[x, frequencies, phases])
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

impl Operation for Periodic {
    const NAME: &'static str = "periodic";

    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)> {
        let [x, frequencies, phases] = arguments else { candle_core::bail!("waves need frequencies and phases") };
        let ((rows, numbers), (same, count)) = (x.matrix()?, frequencies.matrix()?);
        if numbers != same {
            candle_core::bail!("frequencies of {same} numbers for {numbers}")
        }
        let mut out = vec![0f32; rows * numbers * count];
        vectorized(|| {
            for (k, (out, x)) in out.chunks_exact_mut(count).zip(x.values).enumerate() {
                let own = k % numbers * count;
                let constants = frequencies.values[own..].iter().zip(&phases.values[own..]);
                for (out, (frequency, phase)) in out.iter_mut().zip(constants) {
                    *out = cos_turns(frequency * x + phase);
                }
            }
        });
        Ok((out, vec![rows, numbers * count]))
    }

    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>> {
        let [x, frequencies, phases] = arguments else { candle_core::bail!("waves need frequencies and phases") };
        let (numbers, count) = frequencies.matrix()?;
        let mut for_frequencies = vec![0f32; numbers * count];
        let mut for_phases = vec![0f32; numbers * count];
        vectorized(|| {
            for (k, (gradient, x)) in gradient.chunks_exact(count).zip(x.values).enumerate() {
                let own = k % numbers * count..(k % numbers + 1) * count;
                let constants = frequencies.values[own.clone()].iter().zip(&phases.values[own.clone()]);
                let sums = for_frequencies[own.clone()].iter_mut().zip(&mut for_phases[own]);
                for (((frequency, phase), gradient), (for_frequency, for_phase)) in constants.zip(gradient).zip(sums) {
                    // The derivative of cos 2πt is −2π·sin 2πt, and the sine is the cosine a quarter turn before.
                    let slope = -std::f32::consts::TAU * cos_turns(frequency * x + phase - 0.25) * gradient;
                    *for_frequency += slope * x;
                    *for_phase += slope;
                }
            }
        });
        Ok(vec![None, Some(for_frequencies), Some(for_phases)])
    }
}
