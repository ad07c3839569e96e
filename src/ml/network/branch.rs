//! `Branch`: from one input to what the fusion takes: an embedding where there is one, then layers.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::adapted::Adapted;
use super::blueprint::{BranchBlueprint, Embedding};
use super::layer::{Layer, uniform};
use super::masks::Mask;
use super::ops::{grouped, lookup, periodic, piecewise_linear, scale};
use super::parameter::{Role, Tensors};
use crate::input::{Input, Texts};
use crate::matrix::Matrix;
use crate::rng::Stream;

/// A branch with weights.
pub(crate) struct Branch {
    embedding: Embedding,
    /// Of the embedding, by name, in the order in which it takes them.
    vars: Vec<(&'static str, Role, Var)>,
    /// 1 × width: factors of the first layer's inputs.
    scale: Option<Var>,
    /// The layers of an encoder.
    adapted: Option<Adapted>,
    pub(crate) layers: Vec<Layer>,
}

impl Branch {
    /// The first stage's weights are random; `layers` are given.
    pub(crate) fn new(blueprint: &BranchBlueprint, layers: Vec<Layer>, stream: &mut Stream) -> Result<Self> {
        let numbers = blueprint.input;
        let var = |values: Vec<f32>, shape: &[usize]| Var::from_vec(values, shape, &Device::Cpu);
        let linear = |features: usize, width: usize, stream: &mut Stream| -> Result<Vec<(&'static str, Role, Var)>> {
            let weight = var(uniform(numbers * width * features, features, stream), &[numbers, width, features])?;
            let bias = var(uniform(numbers * width, features, stream), &[numbers, width])?;
            Ok(vec![("weight", Role::NumberEmbedding, weight), ("bias", Role::NumberEmbedding, bias)])
        };
        let vars = match blueprint.embedding {
            Embedding::None | Embedding::Encoder { .. } => Vec::new(),
            Embedding::Periodic { frequencies, width, sigma } => {
                let count = numbers * frequencies;
                let drawn = (0..count).map(|_| (sigma * stream.normal()) as f32).collect();
                // A whole turn: in RealMLP uniform in −π … π.
                let phases = (0..count).map(|_| (stream.uniform() - 0.5) as f32).collect();
                let shape = [numbers, frequencies];
                let mut vars = vec![
                    ("frequencies", Role::NumberEmbedding, var(drawn, &shape)?),
                    ("phases", Role::NumberEmbedding, var(phases, &shape)?),
                ];
                vars.extend(linear(frequencies, width - 1, stream)?);
                vars
            }
            Embedding::PiecewiseLinear { bins, width } => linear(bins, width, stream)?,
            Embedding::Table { values, width } => {
                // As large as a unit vector, whatever the width.
                let size = 1.0 / (width as f64).sqrt();
                let drawn = (0..values * width).map(|_| (size * stream.normal()) as f32).collect();
                vec![("table", Role::Table, var(drawn, &[values, width])?)]
            }
        };
        let scale = match blueprint.scale {
            true => Some(Var::ones((1, blueprint.embedded()), DType::F32, &Device::Cpu)?),
            false => None,
        };
        let adapted = match blueprint.embedding {
            Embedding::Encoder { depth, layers, width, intermediate, update } => {
                Some(Adapted::new(depth, layers, width, intermediate, update, stream)?)
            }
            _ => None,
        };
        Ok(Branch { embedding: blueprint.embedding, vars, scale, adapted, layers })
    }

    /// Lets the layers of an encoder begin as they come with it.
    pub(crate) fn begin_as_given(&self, input: &Input) -> Result<()> {
        match (&self.adapted, input) {
            (Some(adapted), Input::Texts(texts)) => adapted.begin_as_given(texts),
            _ => Ok(()),
        }
    }

    /// The vectors of texts in training, rows × width. `mask` holds factors for every component; where `frozen`, nothing
    /// before the layers gets a gradient.
    pub(crate) fn read(&self, texts: &Texts, mask: Option<Mask>, frozen: bool) -> Result<Tensor> {
        match &self.adapted {
            Some(adapted) => adapted.forward(texts, mask, frozen),
            None => candle_core::bail!("texts where a network wants vectors"),
        }
    }

    /// What reaches the first layer in predictions.
    pub(crate) fn infer(&self, input: Input) -> Result<Tensor> {
        match input {
            Input::Matrix(matrix) => Ok(self.embed(matrix)?.detach()),
            Input::Texts(texts) => self.read(&texts, None, true),
        }
    }

    /// What reaches the first layer.
    pub(crate) fn embed(&self, input: Matrix) -> Result<Tensor> {
        let vars: Vec<&Tensor> = self.vars.iter().map(|(_, _, var)| var.as_tensor()).collect();
        let x = match (self.embedding, &vars[..]) {
            (Embedding::Periodic { .. }, [frequencies, phases, weight, bias]) => {
                let x = tensor(input)?;
                let waves = grouped(&periodic(&x, frequencies, phases)?, weight, bias)?;
                Tensor::cat(&[&waves, &x], 1)?
            }
            (Embedding::PiecewiseLinear { bins, .. }, [weight, bias]) => {
                grouped(&tensor(piecewise_linear(&input, bins))?, weight, bias)?
            }
            (Embedding::Table { .. }, [table]) => lookup(table, input.data.iter().map(|code| *code as u32).collect())?,
            (Embedding::Encoder { .. }, _) => candle_core::bail!("vectors where a network wants texts"),
            _ => tensor(input)?,
        };
        match &self.scale {
            Some(factors) => scale(&x, factors),
            None => Ok(x),
        }
    }

    /// Names as in the state dict of a PyTorch module; `prefix` ends with a dot.
    pub(crate) fn tensors(&self, prefix: &str, all: &mut Tensors) {
        for (name, role, var) in &self.vars {
            all.add(format!("{prefix}embedding.{name}"), Some(0), *role, var);
        }
        if let Some(scale) = &self.scale {
            all.add(format!("{prefix}scale"), Some(0), Role::Scale, scale);
        }
        if let Some(adapted) = &self.adapted {
            adapted.tensors(&format!("{prefix}encoder."), all);
        }
        let has_first_stage = !self.vars.is_empty() || self.scale.is_some() || self.adapted.is_some();
        let first = usize::from(has_first_stage);
        for (i, layer) in self.layers.iter().enumerate() {
            layer.tensors(&format!("{prefix}layers.{i}."), first + i, all);
        }
    }
}

fn tensor(matrix: Matrix) -> Result<Tensor> {
    Tensor::from_vec(matrix.data, (matrix.rows, matrix.cols), &Device::Cpu)
}
