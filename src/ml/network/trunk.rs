//! `Trunk`: the layers after the fusion and the head that reads them, for one network or for an ensemble that shares weights.

use candle_core::{Device, Result, Tensor, Var};

use super::TrunkKind;
use super::blueprint::Blueprint;
use super::layer::{Layer, Linear, MemberLayer, MemberShape, make_layer, uniform};
use super::masks::Mask;
use super::ops::member_head;
use super::parameter::{Role, Tensors};
use crate::rng::Stream;

/// A trunk with weights. `prefix` is empty where there is one, else names the branch, e.g. `numeric.`.
pub(crate) struct Trunk {
    prefix: String,
    body: Body,
}

enum Body {
    Single {
        layers: Vec<Layer>,
        head: Linear,
    },
    Members {
        layers: Vec<MemberLayer>,
        members: usize,
        /// classes × members × width
        weight: Var,
        /// classes × members
        bias: Var,
    },
}

impl Trunk {
    pub(crate) fn random(blueprint: &Blueprint, prefix: &str, input: usize, seed: u64) -> Result<Self> {
        let width = blueprint.trunk.last().copied().unwrap_or(input);
        let inputs: Vec<usize> = std::iter::once(input).chain(blueprint.trunk.iter().copied()).collect();
        let names = |i: usize| format!("trunk.{prefix}layers.{i}");
        let mut of_head = Stream::new(seed, format!("init head.{prefix}").trim_end_matches('.'), 0);
        let body = if blueprint.trunk_kind == TrunkKind::Tabm {
            let members = blueprint.members;
            let layer = |(i, &outputs): (usize, &usize)| {
                let shape = MemberShape { members, inputs: inputs[i], outputs, first: i == 0 };
                let mut stream = Stream::new(seed, &format!("init {}", names(i)), 0);
                MemberLayer::random(shape, blueprint.activation, blueprint.parametrization, &mut stream)
            };
            let count = blueprint.classes * members;
            let weight = uniform(count * width, width, &mut of_head);
            let bias = uniform(count, width, &mut of_head);
            Body::Members {
                layers: blueprint.trunk.iter().enumerate().map(layer).collect::<Result<_>>()?,
                members,
                weight: Var::from_vec(weight, (blueprint.classes, members, width), &Device::Cpu)?,
                bias: Var::from_vec(bias, (blueprint.classes, members), &Device::Cpu)?,
            }
        } else {
            let layer = |(i, &outputs): (usize, &usize)| -> Result<Layer> {
                let skip = blueprint.trunk_kind == TrunkKind::Residual && inputs[i] == outputs;
                Ok(Layer { skip, ..make_layer(blueprint, &names(i), inputs[i], outputs, seed)? })
            };
            Body::Single {
                layers: blueprint.trunk.iter().enumerate().map(layer).collect::<Result<_>>()?,
                head: Linear::random(width, blueprint.classes, true, blueprint.parametrization, &mut of_head)?,
            }
        };
        Ok(Trunk { prefix: prefix.to_owned(), body })
    }

    /// Logits in training, rows·members × classes. The first `frozen` layers stand still; `rate` is dropout's.
    pub(crate) fn forward(&self, x: Tensor, frozen: usize, rate: f64, masks: &mut Stream) -> Result<Tensor> {
        let rows = x.dim(0)?;
        let mut x = x;
        match &self.body {
            Body::Single { layers, head } => {
                for (i, layer) in layers.iter().enumerate() {
                    x = match i < frozen {
                        true => layer.infer(&x)?,
                        false => layer.forward(&x, Mask::draw(rows * layer.linear.outputs()?, rate, masks))?,
                    };
                }
                head.forward(&x)
            }
            Body::Members { layers, members, weight, bias } => {
                for (i, layer) in layers.iter().enumerate() {
                    let size = rows * members * layer.linear.outputs()?;
                    x = match i < frozen {
                        true => layer.infer(&x)?,
                        false => layer.forward(&x, Mask::draw(size, rate, masks))?,
                    };
                }
                let x = if layers.is_empty() { repeated(&x, *members)? } else { x };
                member_head(&x, weight, bias)
            }
        }
    }

    /// Logits for predictions, rows·members × classes; `watch` sees what every layer gives.
    pub(crate) fn infer(&self, x: Tensor, watch: &mut dyn FnMut(&Tensor) -> Result<()>) -> Result<Tensor> {
        let mut x = x;
        match &self.body {
            Body::Single { layers, head } => {
                for layer in layers {
                    x = layer.infer(&x)?;
                    watch(&x)?;
                }
                head.infer(&x)
            }
            Body::Members { layers, members, weight, bias } => {
                for layer in layers {
                    x = layer.infer(&x)?;
                    watch(&x)?;
                }
                let x = if layers.is_empty() { repeated(&x, *members)? } else { x };
                Ok(member_head(&x.detach(), &weight.as_detached_tensor(), &bias.as_detached_tensor())?.detach())
            }
        }
    }

    /// `first` is the level of the first layer.
    pub(crate) fn tensors(&self, first: usize, all: &mut Tensors) {
        let prefix = &self.prefix;
        let layers = format!("trunk.{prefix}layers.");
        match &self.body {
            Body::Single { layers: own, head } => {
                for (i, layer) in own.iter().enumerate() {
                    layer.tensors(&format!("{layers}{i}."), first + i, all);
                }
                head.tensors(&format!("head.{prefix}"), None, all);
            }
            Body::Members { layers: own, weight, bias, .. } => {
                for (i, layer) in own.iter().enumerate() {
                    layer.tensors(&format!("{layers}{i}."), first + i, all);
                }
                all.add(format!("head.{prefix}weight"), None, Role::Weight, weight);
                all.add(format!("head.{prefix}bias"), None, Role::Bias, bias);
            }
        }
    }
}

/// Every row `count` times, one copy after the other.
fn repeated(x: &Tensor, count: usize) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    x.unsqueeze(1)?.broadcast_as((rows, count, width))?.reshape((rows * count, width))
}
