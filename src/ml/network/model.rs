//! `Network`: the layers of a `Blueprint` with their weights, its forward passes, and its tensors by name.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};

use super::Fusion;
use super::blueprint::{Blueprint, Embedding};
use super::branch::Branch;
use super::fusion::Gate;
use super::layer::make_layer;
use super::masks::{Mask, branch_masks, forget};
use super::ops::{log_mean_probabilities, vectorized};
use super::parameter::{Parameter, Role, Tensors};
use super::trunk::Trunk;
use crate::input::Input;
use crate::rng::Stream;

/// A network with weights. Inputs are one for each branch, in the blueprint's order: a rows × width matrix, of a column of
/// categories the codes, 0 for unknown; or texts, which bring the layers of their encoder that stand still.
///
/// ```
/// use runner_ml::input::Input;
/// use runner_ml::matrix::Matrix;
/// use runner_ml::network::{Blueprint, Network, NetworkSpec, Widths};
///
/// let spec: NetworkSpec = serde_json::from_str(r#"{"trunk": {"layers": [8]}}"#)?;
/// let blueprint = Blueprint::new(&spec, Widths { numeric: 2, ..Widths::default() }, 3).expect("a network");
/// let network = Network::new(&blueprint, 7)?;
/// let logits = network.infer(vec![Input::Matrix(Matrix::zeros(5, 2))])?;
/// assert_eq!(logits.dims(), [5, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Network {
    blueprint: Blueprint,
    branches: Vec<Branch>,
    gate: Option<Gate>,
    /// One, or one for each branch in late fusion.
    trunks: Vec<Trunk>,
}

/// The values of every tensor by its name, as PyTorch's `state_dict` would name them: shape and row-major values.
pub(crate) type Snapshot = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// What is left out of the network in a training pass.
pub struct Training<'a> {
    /// The first levels, which run as in predictions and get no gradient.
    pub frozen: usize,
    /// Dropout's rates are multiplied by it.
    pub dropout: f64,
    /// Where masks are drawn from.
    pub masks: &'a mut Stream,
}

impl Network {
    /// A network of random weights. Every tensor has its own random stream, so that changing one layer's width does not
    /// change the others' initial weights.
    pub fn new(blueprint: &Blueprint, seed: u64) -> Result<Self> {
        let mut branches = Vec::new();
        for branch in &blueprint.branches {
            let prefix = format!("branches.{}", branch.key);
            let mut inputs = branch.embedded();
            let mut layers = Vec::new();
            for (i, &width) in branch.layers.iter().enumerate() {
                layers.push(make_layer(blueprint, &format!("{prefix}.layers.{i}"), inputs, width, seed)?);
                inputs = width;
            }
            let mut stream = Stream::new(seed, &format!("init {prefix}.embedding"), 0);
            branches.push(Branch::new(branch, layers, &mut stream)?);
        }
        let gate = match blueprint.fusion {
            Fusion::Gated => Some(Gate::random(blueprint, seed)?),
            Fusion::Concat | Fusion::Late => None,
        };
        let trunk = |(prefix, input): (String, usize)| Trunk::random(blueprint, &prefix, input, seed);
        let trunks = blueprint.trunks().into_iter().map(trunk).collect::<Result<_>>()?;
        Ok(Network { blueprint: blueprint.clone(), branches, gate, trunks })
    }

    /// Lets the layers of encoders begin as they come with these inputs; all else stays.
    pub fn begin_as_given(&self, inputs: &[Input]) -> Result<()> {
        self.branches.iter().zip(inputs).try_for_each(|(branch, input)| branch.begin_as_given(input))
    }

    pub(crate) fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Logits in training, rows·members × classes, the members of a row one after the other: batch statistics and dropout.
    /// Batch norm's running statistics learn from the batch.
    pub fn forward_training(&mut self, inputs: Vec<Input>, pass: Training) -> Result<Tensor> {
        let Training { frozen, dropout, masks } = pass;
        let rate = self.blueprint.dropout * dropout;
        let branch_levels = self.blueprint.branch_levels();
        let rows = inputs.first().map_or(0, Input::rows);
        let mut outputs = Vec::with_capacity(inputs.len());
        for (branch, (blueprint, input)) in self.branches.iter().zip(self.blueprint.branches.iter().zip(inputs)) {
            let input_rate = blueprint.dropout * dropout;
            // The inputs' dropout belongs to the first level that sees them, and is frozen with it.
            let levels_before = usize::from(matches!(blueprint.embedding, Embedding::Encoder { .. }));
            let first_level = if blueprint.levels() == levels_before { branch_levels } else { levels_before };
            let drops = frozen <= first_level;
            let mut x = match input {
                Input::Matrix(mut input) => {
                    if drops && matches!(blueprint.embedding, Embedding::Table { .. }) {
                        forget(&mut input, input_rate, masks);
                    } else if drops && let Some(mask) = Mask::draw(input.data.len(), input_rate, masks) {
                        vectorized(|| mask.apply(&mut input.data, 0));
                    }
                    branch.embed(input)?
                }
                Input::Texts(texts) => {
                    let mask = if drops { Mask::draw(rows * blueprint.input, input_rate, masks) } else { None };
                    branch.read(&texts, mask, frozen > 0)?
                }
            };
            let mut level = 0;
            if blueprint.has_first_stage() {
                level = 1;
                if frozen > 0 {
                    x = x.detach();
                }
            }
            for layer in &branch.layers {
                x = match level < frozen {
                    true => layer.infer(&x)?,
                    false => layer.forward(&x, Mask::draw(rows * layer.linear.outputs()?, rate, masks))?,
                };
                level += 1;
            }
            outputs.push(x);
        }
        if frozen <= branch_levels
            && let Some(kept) = branch_masks(outputs.len(), rows, self.blueprint.branch_dropout * dropout, masks)
        {
            for (output, kept) in outputs.iter_mut().zip(kept) {
                *output = output.broadcast_mul(&Tensor::from_vec(kept, (rows, 1), &Device::Cpu)?)?;
            }
        }
        let frozen = frozen.saturating_sub(branch_levels);
        let joined = self.join(outputs, frozen > 0)?;
        let mut logits = Vec::with_capacity(self.trunks.len());
        for (trunk, x) in self.trunks.iter().zip(joined) {
            logits.push(trunk.forward(x, frozen, rate, masks)?);
        }
        mean(logits)
    }

    /// Logits (rows × classes) for predictions: running statistics, no dropout. Of an ensemble those whose softmax is the
    /// mean of the members' probabilities.
    pub fn infer(&self, inputs: Vec<Input>) -> Result<Tensor> {
        self.infer_watched(inputs, &mut |_, _| Ok(()))
    }

    /// The same; `watch` is shown the outputs (rows × units, or rows·members × units) of every hidden layer, with the layer's
    /// number.
    pub(crate) fn infer_watched(
        &self,
        inputs: Vec<Input>,
        watch: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let mut number = 0;
        let mut watch = |x: &Tensor| -> Result<()> {
            watch(number, x)?;
            number += 1;
            Ok(())
        };
        let mut outputs = Vec::with_capacity(inputs.len());
        for (branch, input) in self.branches.iter().zip(inputs) {
            let mut x = branch.infer(input)?;
            for layer in &branch.layers {
                x = layer.infer(&x)?;
                watch(&x)?;
            }
            outputs.push(x);
        }
        let mut logits = Vec::with_capacity(self.trunks.len());
        for (trunk, x) in self.trunks.iter().zip(self.join(outputs, true)?) {
            logits.push(trunk.infer(x, &mut watch)?);
        }
        let logits = mean(logits)?;
        match self.blueprint.members {
            1 => Ok(logits),
            members => log_mean_probabilities(&logits, members),
        }
    }

    /// The inputs of the trunks.
    fn join(&self, mut outputs: Vec<Tensor>, detached: bool) -> Result<Vec<Tensor>> {
        if self.blueprint.fusion == Fusion::Late {
            return Ok(outputs);
        }
        let x = match &self.gate {
            Some(gate) => gate.forward(&outputs)?,
            None if outputs.len() == 1 => outputs.swap_remove(0),
            None => Tensor::cat(&outputs, 1)?,
        };
        Ok(vec![if detached { x.detach() } else { x }])
    }

    /// Every trainable tensor, in the order of the layers: branches, trunk, head.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.tensors().into_iter().filter(|tensor| tensor.role != Role::Running).collect()
    }

    /// Every tensor, running statistics included.
    pub(crate) fn tensors(&self) -> Vec<Parameter> {
        let mut tensors = Tensors { all: Vec::new() };
        for (blueprint, branch) in self.blueprint.branches.iter().zip(&self.branches) {
            branch.tensors(&format!("branches.{}.", blueprint.key), &mut tensors);
        }
        let first = self.blueprint.branch_levels();
        if let Some(gate) = &self.gate {
            gate.tensors(first, &mut tensors);
        }
        for trunk in &self.trunks {
            trunk.tensors(first, &mut tensors);
        }
        tensors.all
    }

    /// A copy of every tensor, running statistics included.
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        let mut all = Snapshot::new();
        for tensor in self.tensors() {
            let values = tensor.var.flatten_all()?.to_vec1()?;
            all.insert(tensor.name, (tensor.var.dims().to_vec(), values));
        }
        Ok(all)
    }

    /// Takes over the values of a snapshot of the same blueprint. Fails on a missing tensor, a further one or another shape.
    pub(crate) fn restore(&mut self, snapshot: &Snapshot) -> std::result::Result<(), String> {
        let tensors = self.tensors();
        for tensor in &tensors {
            let (name, shape) = (&tensor.name, tensor.var.dims());
            let (found, values) = snapshot.get(name).ok_or_else(|| format!("tensor '{name}' is missing"))?;
            if found != shape {
                return Err(format!("tensor '{name}' has shape {found:?}, the network needs {shape:?}"));
            }
            let values = Tensor::from_slice(values, shape, &Device::Cpu).map_err(|e| e.to_string())?;
            tensor.var.set(&values).map_err(|e| e.to_string())?;
        }
        match snapshot.len() == tensors.len() {
            true => Ok(()),
            false => Err(format!("{} tensors where the network has {}", snapshot.len(), tensors.len())),
        }
    }
}

fn mean(mut logits: Vec<Tensor>) -> Result<Tensor> {
    let count = logits.len();
    let Some(mut sum) = logits.pop() else { candle_core::bail!("a network without a trunk") };
    if count == 1 {
        return Ok(sum);
    }
    for part in logits {
        sum = (sum + part)?;
    }
    sum * (1.0 / count as f64)
}
