//! x·wᵀ, with or without a bias, as one operation: no broadcast tensors forward, one column sum instead of a chain of
//! reductions backward, and no product for the gradient of data.
//!
//! Knows nothing of initial values.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::{values, with_values};

/// `x`: rows × inputs, `weight`: outputs × inputs, `bias`: outputs → rows × outputs.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        Some(bias) => x.apply_op3(weight, bias, Linear),
        None => x.apply_op2(weight, Linear),
    }
}

struct Linear;

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = x_layout.shape().dims2()?;
        let (outputs, weight_inputs) = weight_layout.shape().dims2()?;
        if weight_inputs != inputs {
            candle_core::bail!("linear: {inputs} inputs for weights of {weight_inputs}")
        }
        let product = x.matmul(weight, (1, rows, outputs, inputs), x_layout, &weight_layout.transpose(0, 1)?)?;
        Ok((product, Shape::from((rows, outputs))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let for_x = if x.track_op() { Some(gradient.matmul(weight)?) } else { None };
        Ok((for_x, Some(gradient.t()?.matmul(x)?)))
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (product, shape) = CustomOp2::cpu_fwd(self, x, x_layout, weight, weight_layout)?;
        let CpuStorage::F32(mut out) = product else { candle_core::bail!("linear: f32 expected") };
        let bias = values(bias, bias_layout)?;
        for row in out.chunks_exact_mut(bias.len()) {
            for (value, bias) in row.iter_mut().zip(bias) {
                *value += bias;
            }
        }
        Ok((CpuStorage::F32(out), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let outputs = bias.dim(0)?;
        let sums = with_values(gradient, |rows| {
            let mut sums = vec![0f32; outputs];
            for row in rows.chunks_exact(outputs) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            Ok(sums)
        })?;
        let for_bias = Tensor::from_vec(sums, outputs, bias.device())?;
        let (for_x, for_weight) = CustomOp2::bwd(self, x, weight, result, gradient)?;
        Ok((for_x, for_weight, Some(for_bias)))
    }
}
