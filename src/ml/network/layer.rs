//! The parts of a network that carry weights: `Linear`, `BatchNorm`, `Layer`, a hidden layer made of both, and `MemberLayer`, the
//! hidden layer of an ensemble that shares its weights.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::blueprint::Blueprint;
use super::masks::Mask;
use super::ops::{Affine, BatchStatistics, Finish, dense};
use super::parameter::{Role, Tensors};
use super::{Activation, Parametrization};
use crate::rng::Stream;

/// Share of a batch's statistics in the running ones, as PyTorch's `momentum`.
const RUNNING_SHARE: f32 = 0.1;

/// factor·x·weightᵀ + bias; weight: outputs × inputs.
pub(crate) struct Linear {
    pub(crate) weight: Var,
    /// None before a batch norm, which takes any constant away: Adam would only amplify the rounding in its gradient.
    pub(crate) bias: Option<Var>,
    /// 1, or 1/√inputs.
    pub(crate) factor: f32,
}

impl Linear {
    /// Weights first, then biases; both uniform in ±1/√inputs, PyTorch's default for `nn.Linear`, or as the parametrization says.
    pub(crate) fn random(
        inputs: usize,
        outputs: usize,
        bias: bool,
        parametrization: Parametrization,
        stream: &mut Stream,
    ) -> Result<Self> {
        let ntk = parametrization == Parametrization::Ntk;
        let weights = if ntk {
            (0..outputs * inputs).map(|_| stream.normal() as f32).collect()
        } else {
            uniform(outputs * inputs, inputs, stream)
        };
        let weight = Var::from_vec(weights, (outputs, inputs), &Device::Cpu)?;
        let bias = match bias {
            true => Some(Var::from_vec(uniform(outputs, inputs, stream), outputs, &Device::Cpu)?),
            false => None,
        };
        let factor = if ntk { 1.0 / (inputs.max(1) as f32).sqrt() } else { 1.0 };
        Ok(Linear { weight, bias, factor })
    }

    pub(crate) fn outputs(&self) -> Result<usize> {
        self.weight.dim(0)
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let affine = self.bias.as_ref().map_or(Affine::Nothing, |bias| Affine::Bias(bias));
        Ok(dense(x, &self.weight, self.factor, affine, Finish::default())?.0)
    }

    /// The same values outside the gradient's graph.
    pub(crate) fn infer(&self, x: &Tensor) -> Result<Tensor> {
        self.infer_and(x, Finish::default())
    }

    fn infer_and(&self, x: &Tensor, finish: Finish) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Var::as_detached_tensor);
        let affine = bias.as_ref().map_or(Affine::Nothing, Affine::Bias);
        Ok(dense(&x.detach(), &self.weight.as_detached_tensor(), self.factor, affine, finish)?.0)
    }

    pub(crate) fn tensors(&self, prefix: &str, level: Option<usize>, all: &mut Tensors) {
        all.add(format!("{prefix}weight"), level, Role::Weight, &self.weight);
        if let Some(bias) = &self.bias {
            all.add(format!("{prefix}bias"), level, Role::Bias, bias);
        }
    }
}

/// Uniform in ±1/√inputs.
pub(crate) fn uniform(count: usize, inputs: usize, stream: &mut Stream) -> Vec<f32> {
    let bound = 1.0 / (inputs.max(1) as f64).sqrt();
    (0..count).map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32).collect()
}

/// Scale and shift of normalised features, with the running statistics that predictions use.
pub(crate) struct BatchNorm {
    /// The scale, often called gamma.
    pub(crate) weight: Var,
    /// The shift, often called beta.
    pub(crate) bias: Var,
    pub(crate) running_mean: Var,
    /// Unbiased: divided by one less than the number of rows, as in PyTorch.
    pub(crate) running_variance: Var,
    pub(crate) epsilon: f32,
}

impl BatchNorm {
    pub(crate) fn new(width: usize, epsilon: f64) -> Result<Self> {
        Ok(BatchNorm {
            weight: Var::ones(width, DType::F32, &Device::Cpu)?,
            bias: Var::zeros(width, DType::F32, &Device::Cpu)?,
            running_mean: Var::zeros(width, DType::F32, &Device::Cpu)?,
            running_variance: Var::ones(width, DType::F32, &Device::Cpu)?,
            epsilon: epsilon as f32,
        })
    }

    /// 2 × width: what a layer is given.
    fn scale_and_shift(&self) -> Result<Tensor> {
        Tensor::stack(&[self.weight.as_tensor(), self.bias.as_tensor()], 0)
    }

    fn learn(&self, batch: &BatchStatistics) -> Result<()> {
        let unbiased = batch.rows as f32 / (batch.rows.max(2) - 1) as f32;
        let learn = |running: &Var, seen: &[f32], factor: f32| -> Result<()> {
            let mut values = running.to_vec1::<f32>()?;
            for (value, seen) in values.iter_mut().zip(seen) {
                *value += RUNNING_SHARE * (seen * factor - *value);
            }
            running.set(&Tensor::from_vec(values, seen.len(), &Device::Cpu)?)
        };
        learn(&self.running_mean, &batch.mean, 1.0)?;
        learn(&self.running_variance, &batch.variance, unbiased)
    }

    /// 2 × width: factor and summand of each feature under the running statistics. Has no gradient.
    fn running_scale_and_shift(&self) -> Result<Tensor> {
        let (gamma, beta) = (self.weight.to_vec1::<f32>()?, self.bias.to_vec1::<f32>()?);
        let (mean, variance) = (self.running_mean.to_vec1::<f32>()?, self.running_variance.to_vec1::<f32>()?);
        let scale: Vec<f32> =
            gamma.iter().zip(&variance).map(|(gamma, variance)| gamma / (variance + self.epsilon).sqrt()).collect();
        let shift = beta.iter().zip(&mean).zip(&scale).map(|((beta, mean), scale)| beta - mean * scale);
        let both: Vec<f32> = scale.iter().copied().chain(shift).collect();
        Tensor::from_vec(both, (2, scale.len()), &Device::Cpu)
    }

    fn tensors(&self, prefix: &str, level: Option<usize>, all: &mut Tensors) {
        all.add(format!("{prefix}weight"), level, Role::Scale, &self.weight);
        all.add(format!("{prefix}bias"), level, Role::Bias, &self.bias);
        all.add(format!("{prefix}running_mean"), level, Role::Running, &self.running_mean);
        all.add(format!("{prefix}running_var"), level, Role::Running, &self.running_variance);
    }
}

/// A hidden layer: linear → batch norm → activation → dropout → skip connection.
pub(crate) struct Layer {
    pub(crate) linear: Linear,
    pub(crate) norm: Option<BatchNorm>,
    pub(crate) activation: Activation,
    /// Adds the input to the output.
    pub(crate) skip: bool,
}

impl Layer {
    /// In training: statistics of the batch, which the running ones learn; `mask` as in `ops`.
    pub(crate) fn forward(&self, x: &Tensor, mask: Option<Mask>) -> Result<Tensor> {
        let finish = Finish { activation: Some(self.activation), mask, skip: self.skip };
        let Some(norm) = &self.norm else {
            let affine = self.linear.bias.as_ref().map_or(Affine::Nothing, |bias| Affine::Bias(bias));
            return Ok(dense(x, &self.linear.weight, self.linear.factor, affine, finish)?.0);
        };
        let affine = Affine::Norm { scale_and_shift: &norm.scale_and_shift()?, epsilon: norm.epsilon };
        let (out, batch) = dense(x, &self.linear.weight, self.linear.factor, affine, finish)?;
        if let Some(batch) = batch {
            norm.learn(&batch)?;
        }
        Ok(out)
    }

    /// For predictions and frozen layers: running statistics, no dropout, no gradient.
    pub(crate) fn infer(&self, x: &Tensor) -> Result<Tensor> {
        let finish = Finish { activation: Some(self.activation), mask: None, skip: self.skip };
        let Some(norm) = &self.norm else { return self.linear.infer_and(x, finish) };
        let (weight, constants) = (self.linear.weight.as_detached_tensor(), norm.running_scale_and_shift()?);
        Ok(dense(&x.detach(), &weight, self.linear.factor, Affine::Scaled(&constants), finish)?.0)
    }

    pub(crate) fn tensors(&self, prefix: &str, level: usize, all: &mut Tensors) {
        self.linear.tensors(&format!("{prefix}linear."), Some(level), all);
        if let Some(norm) = &self.norm {
            norm.tensors(&format!("{prefix}norm."), Some(level), all);
        }
    }
}

/// A hidden layer of an ensemble: inputs·adapter → shared linear → ·scale + shift → activation → dropout, with an adapter, a
/// scale and a shift for each member.
pub(crate) struct MemberLayer {
    /// members × inputs
    adapter: Var,
    /// Shared, without bias.
    pub(crate) linear: Linear,
    /// members × outputs
    scale: Var,
    /// members × outputs
    shift: Var,
    activation: Activation,
    /// Whether the input is one row for all members, as it is before the first layer.
    spreads: bool,
}

/// What a `MemberLayer` is made for.
pub(crate) struct MemberShape {
    pub(crate) members: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// The first layer: its adapters start as random signs, which makes the members differ; all others start at 1.
    pub(crate) first: bool,
}

impl MemberLayer {
    pub(crate) fn random(
        shape: MemberShape,
        activation: Activation,
        parametrization: Parametrization,
        stream: &mut Stream,
    ) -> Result<Self> {
        let MemberShape { members, inputs, outputs, first } = shape;
        let linear = Linear::random(inputs, outputs, false, parametrization, stream)?;
        let shift = uniform(members * outputs, inputs, stream);
        let sign = |stream: &mut Stream| if first && stream.next_u64() & 1 == 0 { -1.0 } else { 1.0f32 };
        let adapter = (0..members * inputs).map(|_| sign(stream)).collect();
        Ok(MemberLayer {
            adapter: Var::from_vec(adapter, (members, inputs), &Device::Cpu)?,
            linear,
            scale: Var::ones((members, outputs), DType::F32, &Device::Cpu)?,
            shift: Var::from_vec(shift, (members, outputs), &Device::Cpu)?,
            activation,
            spreads: first,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor, mask: Option<Mask>) -> Result<Tensor> {
        let parts = [&self.adapter, &self.scale, &self.shift].map(|part| part.as_tensor().clone());
        self.compute(x, &self.linear.weight, parts, mask)
    }

    /// No dropout, no gradient.
    pub(crate) fn infer(&self, x: &Tensor) -> Result<Tensor> {
        let parts = [&self.adapter, &self.scale, &self.shift].map(Var::as_detached_tensor);
        self.compute(&x.detach(), &self.linear.weight.as_detached_tensor(), parts, None)
    }

    fn compute(&self, x: &Tensor, weight: &Tensor, parts: [Tensor; 3], mask: Option<Mask>) -> Result<Tensor> {
        let members = self.adapter.dim(0)?;
        let parts = parts.iter().map(Tensor::flatten_all).collect::<Result<Vec<_>>>()?;
        let affine = Affine::Members { members, spread: self.spreads, constants: &Tensor::cat(&parts, 0)? };
        let finish = Finish { activation: Some(self.activation), mask, skip: false };
        Ok(dense(x, weight, self.linear.factor, affine, finish)?.0)
    }

    pub(crate) fn tensors(&self, prefix: &str, level: usize, all: &mut Tensors) {
        all.add(format!("{prefix}adapter"), Some(level), Role::Scale, &self.adapter);
        self.linear.tensors(&format!("{prefix}linear."), Some(level), all);
        all.add(format!("{prefix}scale"), Some(level), Role::Scale, &self.scale);
        all.add(format!("{prefix}shift"), Some(level), Role::Bias, &self.shift);
    }
}

/// A hidden layer as the blueprint has them all.
pub(super) fn make_layer(blueprint: &Blueprint, name: &str, inputs: usize, outputs: usize, seed: u64) -> Result<Layer> {
    let mut stream = Stream::new(seed, &format!("init {name}"), 0);
    let linear = Linear::random(inputs, outputs, !blueprint.batch_norm, blueprint.parametrization, &mut stream)?;
    let norm = match blueprint.batch_norm {
        true => Some(BatchNorm::new(outputs, blueprint.batch_norm_epsilon)?),
        false => None,
    };
    Ok(Layer { linear, norm, activation: blueprint.activation, skip: false })
}
