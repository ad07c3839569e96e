//! `Adapted`: the last layers of a text encoder as a part of the network, all their weights or a low-rank update of the
//! query and value projections (LoRA, Hu et al. 2021, arXiv 2106.09685).
//!
//! Layers as in BERT (Devlin et al. 2018, arXiv 1810.04805), without dropout. What stands still comes with the input; only
//! what is learned is held here.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var};

use super::Activation;
use super::blueprint::Update;
use super::layer::uniform;
use super::masks::Mask;
use super::ops::{Affine, Finish, attention, dense, pooled, spread, sum_and_norm, with_update};
use super::parameter::{Role, Tensors};
use crate::encoder::{Cut, EncoderActivation, TokenStates, UPPER_TENSORS, UpperLayer};
use crate::input::Texts;
use crate::rng::Stream;

/// The layers above the cut, lowest first.
pub(crate) struct Adapted {
    /// Number of the first of them in the encoder.
    first: usize,
    layers: Vec<Learned>,
}

/// What one layer learns.
enum Learned {
    /// Every tensor, in the order of `UPPER_TENSORS`.
    Full(Vec<Var>),
    LowRank {
        scale: f32,
        query: LowRank,
        value: LowRank,
    },
}

/// up·down is added to a weight.
struct LowRank {
    /// A: rank × width, random at first.
    down: Var,
    /// B: width × rank, zero at first.
    up: Var,
}

/// Tokens that pass the layers at once in predictions; bounds memory, not results.
const TOKENS_AT_ONCE: usize = 2048;

/// The places of query and value weights in `UPPER_TENSORS`.
const QUERY: usize = 0;
const VALUE: usize = 4;

impl Adapted {
    /// Low-rank updates begin as none; full weights must be set, as they come with the encoder or as they were learned.
    pub(crate) fn new(
        depth: usize,
        layers: usize,
        width: usize,
        intermediate: usize,
        update: Update,
        stream: &mut Stream,
    ) -> Result<Self> {
        let zeros = |shape: Vec<usize>| Var::zeros(shape, DType::F32, &Device::Cpu);
        let mut low_rank = |rank: usize| -> Result<LowRank> {
            let down = Var::from_vec(uniform(rank * width, width, stream), (rank, width), &Device::Cpu)?;
            Ok(LowRank { down, up: zeros(vec![width, rank])? })
        };
        let mut layer = || -> Result<Learned> {
            Ok(match update {
                Update::Full => {
                    let shapes = UPPER_TENSORS.iter().map(|name| shape(name, width, intermediate));
                    Learned::Full(shapes.map(zeros).collect::<Result<_>>()?)
                }
                Update::LowRank { rank, scale } => {
                    let (query, value) = (low_rank(rank)?, low_rank(rank)?);
                    Learned::LowRank { scale: scale as f32, query, value }
                }
            })
        };
        Ok(Adapted {
            first: depth.saturating_sub(layers),
            layers: (0..layers).map(|_| layer()).collect::<Result<_>>()?,
        })
    }

    /// Takes the weights that the texts' encoder has.
    pub(crate) fn begin_as_given(&self, texts: &Texts) -> Result<()> {
        let cut = self.cut(texts)?;
        for (learned, given) in self.layers.iter().zip(&cut.upper) {
            if let Learned::Full(vars) = learned {
                vars.iter().zip(given).try_for_each(|(var, given)| var.set(given))?;
            }
        }
        Ok(())
    }

    /// rows × width. `mask` (rows × width) multiplies every component; a `frozen` pass gets no gradient.
    pub(crate) fn forward(&self, texts: &Texts, mask: Option<Mask>, frozen: bool) -> Result<Tensor> {
        let cut = self.cut(texts)?;
        let (distinct, places) = distinct(&texts.of_row);
        let unit_length = cut.normalize || texts.normalize;
        let vectors = match frozen {
            false => self.read(&cut, &distinct, unit_length, true)?,
            true => {
                let mut parts = Vec::new();
                for part in chunks(&distinct, |text| cut.length(text)) {
                    parts.push(self.read(&cut, part, unit_length, false)?);
                }
                match parts.len() {
                    0 => Tensor::zeros((0, cut.shape.hidden), DType::F32, &Device::Cpu)?,
                    1 => parts.swap_remove(0),
                    _ => Tensor::cat(&parts, 0)?,
                }
            }
        };
        spread(&vectors, places, texts.factor, mask)
    }

    /// The vectors of texts, texts × width.
    fn read(&self, cut: &Cut, texts: &[u32], unit_length: bool, learns: bool) -> Result<Tensor> {
        let TokenStates { starts, values } = cut.states(texts).map_err(candle_core::Error::wrap)?;
        let tokens = starts.last().copied().unwrap_or(0);
        if tokens == 0 {
            return Tensor::zeros((texts.len(), cut.shape.hidden), DType::F32, &Device::Cpu);
        }
        let starts = Arc::new(starts);
        let mut x = Tensor::from_vec(values, (tokens, cut.shape.hidden), &Device::Cpu)?;
        for (learned, given) in self.layers.iter().zip(&cut.upper) {
            x = layer(cut, &x, &learned.weights(given, learns)?, &starts)?;
        }
        pooled(&x, &starts, cut.pooling, unit_length)
    }

    fn cut(&self, texts: &Texts) -> Result<Arc<Cut>> {
        let cut = texts.tokens.made_cut(self.layers.len()).map_err(candle_core::Error::wrap)?;
        if cut.shape.depth != self.first + self.layers.len() {
            let depth = self.first + self.layers.len();
            candle_core::bail!("an encoder of {} layers where one of {depth} was adapted", cut.shape.depth)
        }
        Ok(cut)
    }

    /// Names as BERT has them, e.g. `layer.5.attention.self.query.weight`; `prefix` ends with a dot.
    pub(crate) fn tensors(&self, prefix: &str, all: &mut Tensors) {
        for (i, learned) in self.layers.iter().enumerate() {
            let layer = format!("{prefix}layer.{}.", self.first + i);
            match learned {
                Learned::Full(vars) => {
                    for (name, var) in UPPER_TENSORS.iter().zip(vars) {
                        all.add_pretrained(format!("{layer}{name}"), role(name), var);
                    }
                }
                Learned::LowRank { query, value, .. } => {
                    for (part, LowRank { down, up }) in [("query", query), ("value", value)] {
                        let part = format!("{layer}attention.self.{part}");
                        all.add_pretrained(format!("{part}.lora_A"), Role::Weight, down);
                        all.add_pretrained(format!("{part}.lora_B"), Role::Weight, up);
                    }
                }
            }
        }
    }
}

impl Learned {
    /// The layer's tensors as they now are; where nothing `learns`, outside the gradient's graph.
    fn weights(&self, given: &UpperLayer, learns: bool) -> Result<Vec<Tensor>> {
        let now = |var: &Var| if learns { var.as_tensor().clone() } else { var.as_detached_tensor() };
        match self {
            Learned::Full(vars) => Ok(vars.iter().map(now).collect()),
            Learned::LowRank { scale, query, value } => {
                let mut weights = given.to_vec();
                for (place, LowRank { down, up }) in [(QUERY, query), (VALUE, value)] {
                    weights[place] = with_update(&given[place], &now(down), &now(up), *scale)?;
                }
                Ok(weights)
            }
        }
    }
}

/// One layer over the tokens of texts side by side, tokens × width.
fn layer(cut: &Cut, x: &Tensor, weights: &[Tensor], starts: &Arc<Vec<usize>>) -> Result<Tensor> {
    let [qw, qb, kw, kb, vw, vb, ow, ob, on, os, iw, ib, dw, db, dn, ds] = weights else {
        candle_core::bail!("a layer of {} tensors", weights.len())
    };
    let activation = match cut.activation {
        EncoderActivation::Gelu => Activation::Gelu,
        EncoderActivation::GeluTanh => Activation::GeluTanh,
        EncoderActivation::Relu => Activation::Relu,
    };
    let linear = |x: &Tensor, weight: &Tensor, bias: &Tensor, activation: Option<Activation>| -> Result<Tensor> {
        Ok(dense(x, weight, 1.0, Affine::Bias(bias), Finish { activation, ..Finish::default() })?.0)
    };
    let norm = |x: &Tensor, residual: &Tensor, scale: &Tensor, shift: &Tensor| {
        sum_and_norm(x, residual, &Tensor::stack(&[scale, shift], 0)?, cut.layer_norm_epsilon)
    };
    let qkv = linear(x, &Tensor::cat(&[qw, kw, vw], 0)?, &Tensor::cat(&[qb, kb, vb], 0)?, None)?;
    let context = attention(&qkv, starts, cut.heads)?;
    let middle = norm(&linear(&context, ow, ob, None)?, x, on, os)?;
    let wide = linear(&middle, iw, ib, Some(activation))?;
    norm(&linear(&wide, dw, db, None)?, &middle, dn, ds)
}

fn shape(name: &str, width: usize, intermediate: usize) -> Vec<usize> {
    match name {
        "intermediate.dense.weight" => vec![intermediate, width],
        "intermediate.dense.bias" => vec![intermediate],
        "output.dense.weight" => vec![width, intermediate],
        _ if role(name) == Role::Weight => vec![width, width],
        _ => vec![width],
    }
}

fn role(name: &str) -> Role {
    if name.ends_with("bias") {
        Role::Bias
    } else if name.ends_with("LayerNorm.weight") {
        Role::Scale
    } else {
        Role::Weight
    }
}

/// Every text once, in the order of the rows, and for each row the place of its own.
fn distinct(of_row: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut place = HashMap::new();
    let mut distinct = Vec::new();
    let places = of_row.iter().map(|&text| {
        *place.entry(text).or_insert_with(|| {
            distinct.push(text);
            distinct.len() as u32 - 1
        })
    });
    let places = places.collect();
    (distinct, places)
}

/// Runs of texts of at most `TOKENS_AT_ONCE` tokens, or of one text.
fn chunks(texts: &[u32], length: impl Fn(u32) -> usize) -> Vec<&[u32]> {
    let mut all = Vec::new();
    let (mut first, mut tokens) = (0, 0);
    for (i, &text) in texts.iter().enumerate() {
        let own = length(text);
        if i > first && tokens + own > TOKENS_AT_ONCE {
            all.push(&texts[first..i]);
            (first, tokens) = (i, 0);
        }
        tokens += own;
    }
    if first < texts.len() {
        all.push(&texts[first..]);
    }
    all
}
