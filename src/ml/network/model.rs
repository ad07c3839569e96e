//! `Network`: the layers of a `Blueprint` with their weights, its forward passes, and its tensors by name.
//!
//! Knows nothing of columns, classes' names, optimizers or files.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, Var};

use super::blueprint::Blueprint;
use super::layer::{BatchNorm, Layer, Linear};
use crate::ml::matrix::Matrix;
use crate::ml::rng::Stream;

/// A network with weights. Inputs are one rows × width tensor for each branch, in the blueprint's order.
pub struct Network {
    blueprint: Blueprint,
    /// The layers of each branch.
    branches: Vec<Vec<Layer>>,
    trunk: Vec<Layer>,
    head: Linear,
}

/// A trainable tensor, e.g. `trunk.layers.0.linear.weight` of level 1.
pub struct Parameter {
    pub name: String,
    /// How many levels must be frozen for this tensor to be frozen, minus one; `None` for the head.
    pub level: Option<usize>,
    pub var: Var,
}

/// The values of every tensor by its name, as PyTorch's `state_dict` would name them: shape and row-major values.
pub type Snapshot = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

impl Network {
    /// A network of random weights. Every tensor has its own random stream, so that changing one layer's width does not
    /// change the others' initial weights.
    pub fn new(blueprint: &Blueprint, seed: u64) -> Result<Self> {
        let layer = |name: &str, inputs: usize, outputs: usize| -> Result<Layer> {
            Ok(Layer {
                linear: Linear::random(
                    inputs,
                    outputs,
                    !blueprint.batch_norm,
                    &mut Stream::new(seed, &format!("init {name}"), 0),
                )?,
                norm: match blueprint.batch_norm {
                    true => Some(BatchNorm::new(outputs, blueprint.batch_norm_epsilon)?),
                    false => None,
                },
                activation: blueprint.activation,
            })
        };
        let stack = |prefix: &str, mut inputs: usize, widths: &[usize]| -> Result<Vec<Layer>> {
            let mut layers = Vec::new();
            for (i, &width) in widths.iter().enumerate() {
                layers.push(layer(&format!("{prefix}.layers.{i}"), inputs, width)?);
                inputs = width;
            }
            Ok(layers)
        };
        let branches = blueprint
            .branches
            .iter()
            .map(|branch| stack(&format!("branches.{}", branch.key), branch.input, &branch.layers))
            .collect::<Result<Vec<_>>>()?;
        let trunk = stack("trunk", blueprint.joined(), &blueprint.trunk)?;
        let width = blueprint.trunk.last().copied().unwrap_or(blueprint.joined());
        let head = Linear::random(width, blueprint.classes, true, &mut Stream::new(seed, "init head", 0))?;
        Ok(Network { blueprint: blueprint.clone(), branches, trunk, head })
    }

    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Logits (rows × classes) in training: batch statistics, dropout from `masks`. The first `frozen` levels run as in
    /// predictions and get no gradient. Batch norm's running statistics learn from the batch.
    pub fn forward_training(&mut self, inputs: Vec<Matrix>, frozen: usize, masks: &mut Stream) -> Result<Tensor> {
        let rate = self.blueprint.dropout;
        let branch_levels = self.blueprint.branch_levels();
        let mut outputs = Vec::with_capacity(inputs.len());
        for (b, mut input) in inputs.into_iter().enumerate() {
            let input_rate = self.blueprint.branches[b].dropout;
            // The inputs' dropout belongs to the first layer that sees them, and is frozen with it.
            let first_level = if self.branches[b].is_empty() { branch_levels } else { 0 };
            if frozen <= first_level
                && let Some(mask) = dropout_mask(input.data.len(), input_rate, masks)
            {
                input.data.iter_mut().zip(&mask).for_each(|(value, factor)| *value *= factor);
            }
            let mut x = tensor(input)?;
            for (level, layer) in self.branches[b].iter_mut().enumerate() {
                x = pass(layer, &x, level < frozen, rate, masks)?;
            }
            outputs.push(x);
        }
        let mut x = concatenate(outputs)?;
        for (i, layer) in self.trunk.iter_mut().enumerate() {
            x = pass(layer, &x, branch_levels + i < frozen, rate, masks)?;
        }
        self.head.forward(&x)
    }

    /// Logits (rows × classes) for predictions: running statistics, no dropout.
    pub fn infer(&self, inputs: Vec<Matrix>) -> Result<Tensor> {
        self.infer_watched(inputs, &mut |_, _| Ok(()))
    }

    /// The same; `watch` is shown the outputs (rows × units) of every hidden layer, with the layer's number.
    pub fn infer_watched(
        &self,
        inputs: Vec<Matrix>,
        watch: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let mut number = 0;
        let mut pass = |layer: &Layer, x: &Tensor| -> Result<Tensor> {
            let y = layer.infer(x)?;
            watch(number, &y)?;
            number += 1;
            Ok(y)
        };
        let mut outputs = Vec::with_capacity(inputs.len());
        for (layers, input) in self.branches.iter().zip(inputs) {
            let mut x = tensor(input)?;
            for layer in layers {
                x = pass(layer, &x)?;
            }
            outputs.push(x);
        }
        let mut x = concatenate(outputs)?;
        for layer in &self.trunk {
            x = pass(layer, &x)?;
        }
        self.head.infer(&x)
    }

    /// Every trainable tensor, in the order of the layers: branches, trunk, head.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        let mut linear = |prefix: String, level: Option<usize>, linear: &Linear, norm: Option<&BatchNorm>| {
            let mut add = |part: &str, var: &Var| {
                all.push(Parameter { name: format!("{prefix}{part}"), level, var: var.clone() });
            };
            let own = if level.is_some() { "linear." } else { "" };
            add(&format!("{own}weight"), &linear.weight);
            if let Some(bias) = &linear.bias {
                add(&format!("{own}bias"), bias);
            }
            if let Some(norm) = norm {
                add("norm.weight", &norm.weight);
                add("norm.bias", &norm.bias);
            }
        };
        for (prefix, level, layer) in self.layers() {
            linear(prefix, Some(level), &layer.linear, layer.norm.as_ref());
        }
        linear("head.".into(), None, &self.head, None);
        all
    }

    /// A copy of every tensor, running statistics included.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut all = Snapshot::new();
        for parameter in self.parameters() {
            let values = parameter.var.flatten_all()?.to_vec1()?;
            all.insert(parameter.name, (parameter.var.dims().to_vec(), values));
        }
        for (prefix, _, layer) in self.layers() {
            if let Some(norm) = &layer.norm {
                let width = norm.running_mean.len();
                all.insert(format!("{prefix}norm.running_mean"), (vec![width], norm.running_mean.clone()));
                all.insert(format!("{prefix}norm.running_var"), (vec![width], norm.running_variance.clone()));
            }
        }
        Ok(all)
    }

    /// Takes over the values of a snapshot of the same blueprint. Fails on a missing tensor, a further one or another shape.
    pub fn restore(&mut self, snapshot: &Snapshot) -> std::result::Result<(), String> {
        let mut used = 0;
        let mut find = |name: &str, shape: &[usize]| -> std::result::Result<&Vec<f32>, String> {
            let (found, values) = snapshot.get(name).ok_or_else(|| format!("tensor '{name}' is missing"))?;
            if found != shape {
                return Err(format!("tensor '{name}' has shape {found:?}, the network needs {shape:?}"));
            }
            used += 1;
            Ok(values)
        };
        for parameter in self.parameters() {
            let values = find(&parameter.name, parameter.var.dims())?;
            let tensor = Tensor::from_slice(values, parameter.var.dims(), &Device::Cpu).map_err(|e| e.to_string())?;
            parameter.var.set(&tensor).map_err(|e| e.to_string())?;
        }
        for (prefix, layer) in self.layers_mut() {
            if let Some(norm) = &mut layer.norm {
                let width = [norm.running_mean.len()];
                norm.running_mean.clone_from(find(&format!("{prefix}norm.running_mean"), &width)?);
                norm.running_variance.clone_from(find(&format!("{prefix}norm.running_var"), &width)?);
            }
        }
        match snapshot.len() == used {
            true => Ok(()),
            false => Err(format!("{} tensors where the network has {used}", snapshot.len())),
        }
    }

    /// Hidden layers with the prefix of their tensors' names and their level.
    fn layers(&self) -> Vec<(String, usize, &Layer)> {
        let mut all = Vec::new();
        for (branch, layers) in self.blueprint.branches.iter().zip(&self.branches) {
            for (i, layer) in layers.iter().enumerate() {
                all.push((format!("branches.{}.layers.{i}.", branch.key), i, layer));
            }
        }
        let first = self.blueprint.branch_levels();
        for (i, layer) in self.trunk.iter().enumerate() {
            all.push((format!("trunk.layers.{i}."), first + i, layer));
        }
        all
    }

    fn layers_mut(&mut self) -> Vec<(String, &mut Layer)> {
        let names: Vec<String> = self.layers().into_iter().map(|(prefix, ..)| prefix).collect();
        let layers = self.branches.iter_mut().flatten().chain(self.trunk.iter_mut());
        names.into_iter().zip(layers).collect()
    }
}

fn pass(layer: &mut Layer, x: &Tensor, frozen: bool, rate: f64, masks: &mut Stream) -> Result<Tensor> {
    if frozen {
        return layer.infer(x);
    }
    let size = x.dim(0)? * layer.linear.weight.dim(0)?;
    layer.forward(x, dropout_mask(size, rate, masks))
}

/// Factors of inverted dropout: 0 with probability `rate`, else 1/(1 − rate); none where nothing is dropped.
///
/// 16 random bits decide each unit, so the rate is met to 1/65536, and the factor is that of the rate as it is met.
fn dropout_mask(length: usize, rate: f64, stream: &mut Stream) -> Option<Vec<f32>> {
    let threshold = (rate * 65_536.0).round() as u64;
    if threshold == 0 {
        return None;
    }
    let keep = (65_536.0 / (65_536 - threshold.min(65_535)) as f64) as f32;
    let mut mask = vec![0f32; length];
    let mut words = [0u64; 16];
    for block in mask.chunks_mut(64) {
        words.fill_with(|| stream.next_u64());
        for (four, word) in block.chunks_mut(4).zip(words) {
            for (k, factor) in four.iter_mut().enumerate() {
                *factor = if (word >> (16 * k)) & 0xffff >= threshold { keep } else { 0.0 };
            }
        }
    }
    Some(mask)
}

fn tensor(matrix: Matrix) -> Result<Tensor> {
    Tensor::from_vec(matrix.data, (matrix.rows, matrix.cols), &Device::Cpu)
}

fn concatenate(mut outputs: Vec<Tensor>) -> Result<Tensor> {
    if outputs.len() == 1 { Ok(outputs.swap_remove(0)) } else { Tensor::cat(&outputs, 1) }
}
