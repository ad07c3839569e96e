//! `Gate`: a sum of branches with weights that depend on the row (the gated multimodal unit of Arevalo et al. 2017,
//! arXiv 1702.01992, for any number of branches).

use candle_core::{D, Result, Tensor};
use candle_nn::ops::softmax;

use super::blueprint::Blueprint;
use super::layer::Linear;
use super::parameter::Tensors;
use crate::rng::Stream;

/// tanh(linear(branch)) of every branch, weighted by a softmax over all branches together.
pub(crate) struct Gate {
    projections: Vec<(String, Linear)>,
    gate: Linear,
}

impl Gate {
    pub(crate) fn random(blueprint: &Blueprint, seed: u64) -> Result<Self> {
        let linear = |name: &str, inputs: usize, outputs: usize| {
            let mut stream = Stream::new(seed, &format!("init {name}"), 0);
            Linear::random(inputs, outputs, true, blueprint.parametrization, &mut stream)
        };
        let projection = |branch: &super::BranchBlueprint| -> Result<(String, Linear)> {
            let linear = linear(&format!("fusion.{}", branch.key), branch.output(), blueprint.fusion_width)?;
            Ok((branch.key.clone(), linear))
        };
        let joined = blueprint.branches.iter().map(super::BranchBlueprint::output).sum();
        Ok(Gate {
            projections: blueprint.branches.iter().map(projection).collect::<Result<_>>()?,
            gate: linear("fusion.gate", joined, blueprint.branches.len())?,
        })
    }

    /// One tensor for each branch → rows × the fusion's width.
    pub(crate) fn forward(&self, branches: &[Tensor]) -> Result<Tensor> {
        let weights = softmax(&self.gate.forward(&Tensor::cat(branches, 1)?)?, D::Minus1)?;
        let mut sum: Option<Tensor> = None;
        for (b, ((_, linear), branch)) in self.projections.iter().zip(branches).enumerate() {
            let part = linear.forward(branch)?.tanh()?.broadcast_mul(&weights.narrow(1, b, 1)?)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => (sum + part)?,
            });
        }
        sum.ok_or_else(|| candle_core::Error::msg("a gate without branches"))
    }

    /// Joins the trunk's first level: what is before it has other widths in other networks.
    pub(crate) fn tensors(&self, level: usize, all: &mut Tensors) {
        for (key, linear) in &self.projections {
            linear.tensors(&format!("fusion.branches.{key}."), Some(level), all);
        }
        self.gate.tensors("fusion.gate.", Some(level), all);
    }
}
