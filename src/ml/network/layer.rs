//! The parts of a network that carry weights: `Linear`, `BatchNorm`, and `Layer`, a hidden layer made of both.
//!
//! Knows nothing of branches nor of optimizers.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::Activation;
use super::ops::{BatchStatistics, activate, linear, normalize_and_activate, scale_and_activate};
use crate::ml::rng::Stream;

/// Share of a batch's statistics in the running ones, as PyTorch's `momentum`.
const RUNNING_SHARE: f32 = 0.1;

/// x·weightᵀ + bias; weight: outputs × inputs.
pub struct Linear {
    pub weight: Var,
    /// None before a batch norm, which takes any constant away: Adam would only amplify the rounding in its gradient.
    pub bias: Option<Var>,
}

impl Linear {
    /// Uniform in ±1/√inputs, weights first, then biases: PyTorch's default for `nn.Linear`.
    pub fn random(inputs: usize, outputs: usize, bias: bool, stream: &mut Stream) -> Result<Self> {
        let bound = 1.0 / (inputs.max(1) as f64).sqrt();
        let mut draw = |count: usize| -> Vec<f32> {
            (0..count).map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32).collect()
        };
        let weight = Var::from_vec(draw(outputs * inputs), (outputs, inputs), &Device::Cpu)?;
        let bias = if bias { Some(Var::from_vec(draw(outputs), outputs, &Device::Cpu)?) } else { None };
        Ok(Linear { weight, bias })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        linear(x, &self.weight, self.bias.as_deref())
    }

    /// The same values outside the gradient's graph.
    pub fn infer(&self, x: &Tensor) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Var::as_detached_tensor);
        Ok(linear(x, &self.weight.as_detached_tensor(), bias.as_ref())?.detach())
    }
}

/// Scale and shift of normalised features, with the running statistics that predictions use.
pub struct BatchNorm {
    /// The scale, often called gamma.
    pub weight: Var,
    /// The shift, often called beta.
    pub bias: Var,
    pub running_mean: Vec<f32>,
    /// Unbiased: divided by one less than the number of rows, as in PyTorch.
    pub running_variance: Vec<f32>,
    pub epsilon: f32,
}

impl BatchNorm {
    pub fn new(width: usize, epsilon: f64) -> Result<Self> {
        Ok(BatchNorm {
            weight: Var::ones(width, DType::F32, &Device::Cpu)?,
            bias: Var::zeros(width, DType::F32, &Device::Cpu)?,
            running_mean: vec![0.0; width],
            running_variance: vec![1.0; width],
            epsilon: epsilon as f32,
        })
    }

    fn learn(&mut self, batch: &BatchStatistics) {
        let unbiased = batch.rows as f32 / (batch.rows.max(2) - 1) as f32;
        for (running, seen) in self.running_mean.iter_mut().zip(&batch.mean) {
            *running += RUNNING_SHARE * (seen - *running);
        }
        for (running, seen) in self.running_variance.iter_mut().zip(&batch.variance) {
            *running += RUNNING_SHARE * (seen * unbiased - *running);
        }
    }

    /// Factor and summand of each feature under the running statistics.
    fn scale_and_shift(&self) -> Result<(Vec<f32>, Vec<f32>)> {
        let (gamma, beta) = (self.weight.to_vec1::<f32>()?, self.bias.to_vec1::<f32>()?);
        let mut scale = Vec::with_capacity(gamma.len());
        let mut shift = Vec::with_capacity(gamma.len());
        for (i, gamma) in gamma.iter().enumerate() {
            let factor = gamma / (self.running_variance[i] + self.epsilon).sqrt();
            scale.push(factor);
            shift.push(beta[i] - self.running_mean[i] * factor);
        }
        Ok((scale, shift))
    }
}

/// A hidden layer: linear → batch norm → activation → dropout.
pub struct Layer {
    pub linear: Linear,
    pub norm: Option<BatchNorm>,
    pub activation: Activation,
}

impl Layer {
    /// In training: statistics of the batch, which the running ones learn; `mask` as in `ops`.
    pub fn forward(&mut self, x: &Tensor, mask: Option<Vec<f32>>) -> Result<Tensor> {
        let z = self.linear.forward(x)?;
        match &mut self.norm {
            None => activate(&z, self.activation, mask),
            Some(norm) => {
                let (out, batch) =
                    normalize_and_activate(&z, &norm.weight, &norm.bias, norm.epsilon, self.activation, mask)?;
                norm.learn(&batch);
                Ok(out)
            }
        }
    }

    /// For predictions and frozen layers: running statistics, no dropout, no gradient.
    pub fn infer(&self, x: &Tensor) -> Result<Tensor> {
        let z = self.linear.infer(x)?;
        match &self.norm {
            None => Ok(activate(&z, self.activation, None)?.detach()),
            Some(norm) => {
                let (scale, shift) = norm.scale_and_shift()?;
                scale_and_activate(&z, scale, shift, self.activation)
            }
        }
    }
}
