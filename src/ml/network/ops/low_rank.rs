//! A frozen weight with a learned update of low rank: W + scale·B·A (LoRA, Hu et al. 2021, arXiv 2106.09685).

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{values, vectorized, with_values};
use crate::matmul::{View, scaled_matmul};

/// `weight`: outputs × inputs, gets no gradient; `down` (A): rank × inputs; `up` (B): outputs × rank.
///
/// The weights are added up before anything is multiplied by them: of as few dimensions as an encoder's that is less work
/// than two more products for every token.
pub(crate) fn with_update(weight: &Tensor, down: &Tensor, up: &Tensor, scale: f32) -> Result<Tensor> {
    down.apply_op2(up, WithUpdate { weight: weight.detach(), scale })
}

struct WithUpdate {
    weight: Tensor,
    scale: f32,
}

impl CustomOp2 for WithUpdate {
    fn name(&self) -> &'static str {
        "low-rank-update"
    }

    fn cpu_fwd(&self, down: &CpuStorage, dl: &Layout, up: &CpuStorage, ul: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((rank, inputs), (outputs, columns)) = (dl.shape().dims2()?, ul.shape().dims2()?);
        if columns != rank || self.weight.dims2()? != (outputs, inputs) {
            candle_core::bail!("an update {outputs}×{columns}·{rank}×{inputs} of {:?} weights", self.weight.shape())
        }
        let mut out = vec![0f32; outputs * inputs];
        let (down, up) = (View::new(values(down, dl)?, rank, inputs), View::new(values(up, ul)?, outputs, rank));
        scaled_matmul(&mut out, up, down, self.scale);
        with_values(&self.weight, |weight| {
            vectorized(|| out.iter_mut().zip(weight).for_each(|(out, weight)| *out += weight));
            Ok(())
        })?;
        Ok((CpuStorage::F32(out), Shape::from((outputs, inputs))))
    }

    fn bwd(&self, down: &Tensor, up: &Tensor, _: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let ((rank, inputs), outputs) = (down.dims2()?, up.dim(0)?);
        let (mut for_down, mut for_up) = (vec![0f32; rank * inputs], vec![0f32; outputs * rank]);
        with_values(g, |g| {
            let g = View::new(g, outputs, inputs);
            with_values(up, |up| {
                scaled_matmul(&mut for_down, View::new(up, outputs, rank).transposed(), g, self.scale);
                Ok(())
            })?;
            with_values(down, |down| {
                scaled_matmul(&mut for_up, g, View::new(down, rank, inputs).transposed(), self.scale);
                Ok(())
            })
        })?;
        let device = down.device();
        let for_down = Tensor::from_vec(for_down, (rank, inputs), device)?;
        Ok((Some(for_down), Some(Tensor::from_vec(for_up, (outputs, rank), device)?)))
    }
}
