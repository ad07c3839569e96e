//! Vectors of distinct texts as the input of rows, with dropout.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::super::masks::Mask;
use super::{values, vectorized, with_values};

/// Row i is row `places[i]` of `vectors` times `factor`, and times `mask` (rows × width) where there is one.
pub(crate) fn spread(vectors: &Tensor, places: Vec<u32>, factor: f32, mask: Option<Mask>) -> Result<Tensor> {
    vectors.apply_op1(Spread { places, factor, mask })
}

struct Spread {
    places: Vec<u32>,
    factor: f32,
    mask: Option<Mask>,
}

impl Spread {
    /// Multiplies what stands in row `i`.
    #[inline(always)]
    fn weigh(&self, i: usize, row: &mut [f32]) {
        row.iter_mut().for_each(|value| *value *= self.factor);
        if let Some(mask) = &self.mask {
            mask.apply(row, i * row.len());
        }
    }
}

impl CustomOp1 for Spread {
    fn name(&self) -> &'static str {
        "spread"
    }

    fn cpu_fwd(&self, vectors: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (count, width) = layout.shape().dims2()?;
        let rows = self.places.len();
        let vectors = values(vectors, layout)?;
        if self.places.iter().any(|place| *place as usize >= count) {
            candle_core::bail!("a row of a text that is not among {count}")
        }
        if self.mask.as_ref().is_some_and(|mask| mask.len() != rows * width) {
            candle_core::bail!("a mask of another size than {rows}×{width}")
        }
        let mut out = vec![0f32; rows * width];
        vectorized(|| {
            for (i, (out, place)) in out.chunks_exact_mut(width).zip(&self.places).enumerate() {
                out.copy_from_slice(&vectors[*place as usize * width..][..width]);
                self.weigh(i, out);
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((rows, width))))
    }

    fn bwd(&self, vectors: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (count, width) = vectors.dims2()?;
        let mut out = vec![0f32; count * width];
        with_values(gradient, |gradient| {
            vectorized(|| {
                let mut slopes = vec![0f32; width];
                for (i, (gradient, place)) in gradient.chunks_exact(width).zip(&self.places).enumerate() {
                    slopes.copy_from_slice(gradient);
                    self.weigh(i, &mut slopes);
                    let own = &mut out[*place as usize * width..][..width];
                    own.iter_mut().zip(&slopes).for_each(|(sum, slope)| *sum += slope);
                }
            });
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(out, (count, width), vectors.device())?))
    }
}
