//! The BERT family on a CPU: sequences side by side without padding, weights laid out once, one thread a batch.
//!
//! Serves BERT, RoBERTa, XLM-RoBERTa, DistilBERT and MPNet, which differ in tensor names, position numbers and (MPNet)
//! a relative bias; see `architecture`. A text's vector does not depend on its batch, to the bit: see `product`.

mod attention;
mod first;
mod linear;

use super::architecture::{Activation, Architecture};
use super::batches::{Engine, Session};
use super::kernels::{Finish, Rows, layer_norm_rows};
use super::pooling::pool;
use super::weights::Weights;
use super::{EncodeError, Precision};
use crate::progress::Cancelled;
use attention::{AttentionScratch, Heads, RelativeBias, attend};
use first::FirstLayer;
use linear::{Linear, LinearScratch, stride};
use runner_results::encoder::Pooling;

pub(crate) struct PackedModel {
    architecture: Architecture,
    /// Side by side in a vector.
    poolings: Vec<Pooling>,
    /// vocabulary × hidden
    words: Vec<f32>,
    /// positions × hidden, token type 0 added
    positions: Vec<f32>,
    embedding_norm: Norm,
    layers: Vec<Layer>,
    relative: Option<RelativeBias>,
}

/// What is larger rounds to infinity in bfloat16: 2¹²⁸ less half a step.
const LARGEST_BF16: f32 = f32::from_bits(0x7f7f_7fff);

struct Layer {
    qkv: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl PackedModel {
    pub(crate) fn load(
        weights: &Weights,
        architecture: Architecture,
        poolings: Vec<Pooling>,
        precision: Precision,
    ) -> Result<Self, EncodeError> {
        let tensors = weights.tensors()?;
        let names = architecture.names(&|name| tensors.contains(name));
        let hidden = architecture.hidden;
        let linear = |parts: &[String], outputs: usize, inputs: usize| {
            let (mut weight, mut bias) = (Vec::new(), Vec::new());
            for part in parts {
                let name = format!("{part}.weight");
                let values = tensors.get(&name, &[outputs, inputs])?;
                if precision == Precision::Bf16 && values.iter().any(|value| value.abs() > LARGEST_BF16) {
                    let rounded =
                        |value: &f32| if value.abs() > LARGEST_BF16 { f32::INFINITY.copysign(*value) } else { *value };
                    let values: Vec<f32> = values.iter().map(rounded).collect();
                    tensors.check_finite(&name, &[outputs, inputs], &values, " as bf16")?;
                }
                weight.extend(values);
                bias.extend(tensors.get(&format!("{part}.bias"), &[outputs])?);
            }
            Ok::<_, EncodeError>(Linear::new(precision, &weight, bias, inputs))
        };
        let norm = |part: &str| {
            Ok::<_, EncodeError>(Norm {
                weight: tensors.get_either(part, "weight", "gamma", &[hidden])?,
                bias: tensors.get_either(part, "bias", "beta", &[hidden])?,
            })
        };
        let words = tensors.get(&names.words, &[architecture.vocabulary, hidden])?;
        let mut positions = tensors.get(&names.positions, &[architecture.positions, hidden])?;
        if let Some((name, types)) = &names.token_types {
            let types = tensors.get(name, &[*types, hidden])?;
            for row in positions.chunks_exact_mut(hidden) {
                for (value, kind) in row.iter_mut().zip(&types) {
                    *value += kind;
                }
            }
        }
        let layers = names
            .layers
            .iter()
            .map(|layer| {
                Ok(Layer {
                    qkv: linear(&layer.qkv, hidden, hidden)?,
                    attention_output: linear(std::slice::from_ref(&layer.attention_output), hidden, hidden)?,
                    attention_norm: norm(&layer.attention_norm)?,
                    intermediate: linear(std::slice::from_ref(&layer.intermediate), architecture.intermediate, hidden)?,
                    output: linear(std::slice::from_ref(&layer.output), hidden, architecture.intermediate)?,
                    output_norm: norm(&layer.output_norm)?,
                })
            })
            .collect::<Result<Vec<_>, EncodeError>>()?;
        let heads = Heads { count: architecture.heads, dim: hidden / architecture.heads };
        let relative = match &names.relative_bias {
            Some((name, buckets)) => {
                let table = tensors.get(name, &[*buckets, architecture.heads])?;
                Some(RelativeBias::new(&table, *buckets, heads, architecture.longest()))
            }
            None => None,
        };
        Ok(PackedModel {
            embedding_norm: norm(&names.embedding_norm)?,
            architecture,
            poolings,
            words,
            positions,
            layers,
            relative,
        })
    }
}

impl Engine for PackedModel {
    fn name(&self) -> &'static str {
        "packed"
    }

    fn dim(&self) -> usize {
        self.architecture.hidden * self.poolings.len()
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(self.packed_session())
    }
}

impl PackedModel {
    /// A token's embedding at its position, `hidden` values, before the layer norm.
    fn embed(&self, token: u32, position: usize, row: &mut [f32]) {
        let hidden = self.architecture.hidden;
        let word = &self.words[token as usize * hidden..][..hidden];
        let position = &self.positions[(self.architecture.first_position + position) * hidden..][..hidden];
        for ((value, word), position) in row.iter_mut().zip(word).zip(position) {
            *value = word + position;
        }
    }

    pub(crate) fn packed_session(&self) -> PackedSession<'_> {
        PackedSession {
            model: self,
            states: Vec::new(),
            sums: Vec::new(),
            qkv: Vec::new(),
            context: Vec::new(),
            wide: Vec::new(),
            attention: AttentionScratch::default(),
            linear: LinearScratch::default(),
            first: FirstLayer::default(),
        }
    }
}

/// One thread's buffers, reused from batch to batch. Rows are tokens.
pub(crate) struct PackedSession<'a> {
    model: &'a PackedModel,
    /// tokens × hidden: the input of a layer and of each of its halves
    states: Vec<f32>,
    /// tokens × hidden: what a half has summed, before its layer norm
    sums: Vec<f32>,
    qkv: Vec<f32>,
    context: Vec<f32>,
    /// tokens × intermediate
    wide: Vec<f32>,
    attention: AttentionScratch,
    linear: LinearScratch,
    first: FirstLayer,
}

impl PackedSession<'_> {
    /// What the last layer gives for every token, `dim` values each, one sequence after the other. The model must not
    /// pool by the first token, of which alone its last layer then knows.
    pub(crate) fn token_states(
        &mut self,
        sequences: &[&[u32]],
        out: &mut [f32],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), EncodeError> {
        self.forward(sequences, cancelled)?;
        let hidden = self.model.architecture.hidden;
        for (row, out) in self.states.chunks_exact(stride(hidden)).zip(out.chunks_exact_mut(hidden)) {
            out.copy_from_slice(&row[..hidden]);
        }
        Ok(())
    }

    /// Leaves the last layer's rows in `states`: one for each token, or for each sequence where only first tokens are
    /// wanted. Returns where each sequence starts among the tokens, and how many rows there are.
    fn forward(
        &mut self,
        sequences: &[&[u32]],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Vec<usize>, usize), EncodeError> {
        let model = self.model;
        let Architecture { hidden, intermediate, heads, layer_norm_epsilon: epsilon, activation, .. } =
            model.architecture;
        let heads = Heads { count: heads, dim: hidden / heads };
        let (narrow, triple, wide) = (stride(hidden), stride(3 * hidden), stride(intermediate));
        let tokens: usize = sequences.iter().map(|sequence| sequence.len()).sum();
        let mut starts = Vec::with_capacity(sequences.len());
        for (buffer, stride) in [
            (&mut self.states, narrow),
            (&mut self.sums, narrow),
            (&mut self.context, narrow),
            (&mut self.qkv, triple),
            (&mut self.wide, wide),
        ] {
            buffer.resize(tokens * stride, 0.0);
        }

        let mut start = 0;
        for sequence in sequences {
            starts.push(start);
            start += sequence.len();
        }
        self.first.fill(model, sequences, &mut self.linear, &mut self.states, &mut self.qkv);
        let normalize = |rows: &mut [f32], norm: &Norm| {
            layer_norm_rows(rows, narrow, &norm.weight, &norm.bias, epsilon);
        };
        let mut rows = tokens;
        for (index, layer) in model.layers.iter().enumerate() {
            if cancelled() {
                return Err(Cancelled.into());
            }
            if index > 0 {
                layer.qkv.multiply(
                    Rows { values: &self.states, stride: narrow, count: tokens },
                    &mut self.linear,
                    Finish::Bias(&layer.qkv.bias),
                    &mut self.qkv,
                    triple,
                );
            }
            for (sequence, start) in sequences.iter().zip(&starts) {
                attend(
                    Rows { values: &self.qkv[start * triple..], stride: triple, count: sequence.len() },
                    heads,
                    model.relative.as_ref(),
                    &mut self.attention,
                    &mut self.context[start * narrow..],
                    narrow,
                );
            }
            if index + 1 == model.layers.len() && model.poolings == [Pooling::Cls] {
                // From here on rows stand alone, and only the first of each sequence is wanted.
                for (to, from) in starts.iter().enumerate() {
                    for buffer in [&mut self.context, &mut self.states] {
                        buffer.copy_within(from * narrow..(from + 1) * narrow, to * narrow);
                    }
                }
                rows = sequences.len();
            }
            layer.attention_output.multiply(
                Rows { values: &self.context, stride: narrow, count: rows },
                &mut self.linear,
                Finish::BiasResidual(&layer.attention_output.bias, &self.states),
                &mut self.sums,
                narrow,
            );
            normalize(&mut self.sums[..rows * narrow], &layer.attention_norm);
            std::mem::swap(&mut self.states, &mut self.sums);
            let bias = &layer.intermediate.bias;
            layer.intermediate.multiply(
                Rows { values: &self.states, stride: narrow, count: rows },
                &mut self.linear,
                match activation {
                    Activation::Gelu => Finish::BiasGelu(bias),
                    Activation::GeluTanh => Finish::BiasGeluTanh(bias),
                    Activation::Relu => Finish::BiasRelu(bias),
                },
                &mut self.wide,
                wide,
            );
            layer.output.multiply(
                Rows { values: &self.wide, stride: wide, count: rows },
                &mut self.linear,
                Finish::BiasResidual(&layer.output.bias, &self.states),
                &mut self.sums,
                narrow,
            );
            normalize(&mut self.sums[..rows * narrow], &layer.output_norm);
            std::mem::swap(&mut self.states, &mut self.sums);
        }
        Ok((starts, rows))
    }
}

impl Session for PackedSession<'_> {
    fn run(&mut self, sequences: &[&[u32]], out: &mut [f32], cancelled: &dyn Fn() -> bool) -> Result<(), EncodeError> {
        let (starts, rows) = self.forward(sequences, cancelled)?;
        let (model, hidden) = (self.model, self.model.architecture.hidden);
        let narrow = stride(hidden);
        let tokens: usize = sequences.iter().map(|sequence| sequence.len()).sum();
        if rows == tokens {
            for ((sequence, start), out) in sequences.iter().zip(&starts).zip(out.chunks_exact_mut(model.dim())) {
                let rows = self.states[start * narrow..].chunks_exact(narrow);
                pool(&model.poolings, rows.take(sequence.len()), out);
            }
        } else {
            for (row, out) in self.states.chunks_exact(narrow).zip(out.chunks_exact_mut(hidden)) {
                out.copy_from_slice(&row[..hidden]);
            }
        }
        Ok(())
    }
}
