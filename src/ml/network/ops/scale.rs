//! Every feature multiplied by a learned factor of its own.

use candle_core::{Result, Tensor};

use super::slices::{Argument, Operation, apply};
use super::vectorized;

/// `x`: rows × features, `factors`: 1 × features → rows × features.
pub(crate) fn scale(x: &Tensor, factors: &Tensor) -> Result<Tensor> {
    apply(Scale, &[x, factors])
}

struct Scale;

impl Operation for Scale {
    const NAME: &'static str = "scale";

    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)> {
        let [x, factors] = arguments else { candle_core::bail!("a scale needs factors") };
        let (rows, width) = x.matrix()?;
        if factors.values.len() != width || width == 0 {
            candle_core::bail!("{} factors for {width} features", factors.values.len())
        }
        let mut out = x.values.to_vec();
        vectorized(|| {
            for row in out.chunks_exact_mut(width) {
                row.iter_mut().zip(factors.values).for_each(|(value, factor)| *value *= factor);
            }
        });
        Ok((out, vec![rows, width]))
    }

    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>> {
        let [x, factors] = arguments else { candle_core::bail!("a scale needs factors") };
        let width = factors.values.len();
        let mut for_factors = vec![0f32; width];
        vectorized(|| {
            for (gradient, x) in gradient.chunks_exact(width).zip(x.values.chunks_exact(width)) {
                let sums = for_factors.iter_mut();
                sums.zip(gradient).zip(x).for_each(|((sum, gradient), x)| *sum += gradient * x);
            }
        });
        let for_x = match x.learns {
            true => Some(self.forward(&[Argument { values: gradient, ..*x }, *factors])?.0),
            false => None,
        };
        Ok(vec![for_x, Some(for_factors)])
    }
}
