//! Texts for a network that trains the last layers of their encoder along with itself: their tokens, and the encoder cut
//! in two. The lower part stands still, so what it says of every token is computed once; the upper layers are handed out.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Tensor};

use super::architecture::{Activation, Architecture, Family};
use super::batches::{self, Company, Engine};
use super::finite::first_not_finite;
use super::folder::ModelFolder;
use super::kind::{TransformerKind, model_type};
use super::modules::Step;
use super::packed::PackedModel;
use super::tokens::{Marks, TextTokenizer};
use super::weights::Weights;
use super::{EncodeError, Pooling, Precision, TransformerOptions, parallel};
use crate::progress::{Progress, Silent};

/// Distinct texts as token sequences, with the encoder that reads them.
pub struct Tokens {
    model: ModelFolder,
    architecture: Architecture,
    pooling: Pooling,
    /// Of the layers that stand still.
    precision: Precision,
    sequences: Arc<Vec<Vec<u32>>>,
    /// By the number of layers above; trainings side by side share them.
    cuts: Mutex<BTreeMap<usize, Arc<Cut>>>,
}

/// What decides the shapes of an encoder's layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderShape {
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    /// All layers.
    pub depth: usize,
}

/// An encoder cut below its last layers.
pub struct Cut {
    pub(crate) shape: EncoderShape,
    pub(crate) heads: usize,
    pub(crate) layer_norm_epsilon: f32,
    pub(crate) activation: Activation,
    pub(crate) pooling: Pooling,
    /// Whether each pooled vector is scaled to length 1.
    pub(crate) normalize: bool,
    /// The layers above the cut as they come with the encoder, lowest first.
    pub(crate) upper: Vec<UpperLayer>,
    sequences: Arc<Vec<Vec<u32>>>,
    lower: Lower,
}

/// The tensors of one layer in the order of [`UPPER_TENSORS`].
pub(crate) type UpperLayer = [Tensor; UPPER_TENSORS.len()];

/// The names of a layer's tensors, as BERT has them.
pub(crate) const UPPER_TENSORS: [&str; 16] = [
    "attention.self.query.weight",
    "attention.self.query.bias",
    "attention.self.key.weight",
    "attention.self.key.bias",
    "attention.self.value.weight",
    "attention.self.value.bias",
    "attention.output.dense.weight",
    "attention.output.dense.bias",
    "attention.output.LayerNorm.weight",
    "attention.output.LayerNorm.bias",
    "intermediate.dense.weight",
    "intermediate.dense.bias",
    "output.dense.weight",
    "output.dense.bias",
    "output.LayerNorm.weight",
    "output.LayerNorm.bias",
];

/// What the lower part says of every token of some texts.
pub struct TokenStates {
    /// Where each text starts, in tokens, and where the last one ends.
    pub starts: Vec<usize>,
    /// tokens × hidden
    pub values: Vec<f32>,
}

enum Lower {
    Kept {
        /// Where each sequence starts, in tokens.
        starts: Vec<usize>,
        /// tokens × hidden
        states: Vec<f32>,
    },
    Recomputed(Box<PackedModel>),
}

/// Token states of more bytes than this are computed anew for each batch instead of kept: 2.8 million tokens of 96
/// dimensions, 700,000 of 384 (100,000 titles), 350,000 of 768. The bits are the same.
const KEPT_BYTES: usize = 1 << 30;

/// Tokens that one thread takes through the lower part at once.
const BATCH_TOKENS: usize = 512;

impl Tokens {
    /// Tokenizes texts with the model in a sentence-transformers folder; also gives, for each text, the number of its
    /// sequence. Only layers in the manner of BERT can be adapted.
    pub fn read(
        folder: &Path,
        options: &TransformerOptions,
        texts: &[&str],
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<(Self, Vec<u32>), EncodeError> {
        let model = ModelFolder::read(folder, options)?;
        let (architecture, pooling) = adaptable(&model).map_err(|what| EncodeError::Option {
            option: "adapt",
            reason: format!("{what}; leave `adapt` out, or take another encoder"),
        })?;
        let tokenizer = TextTokenizer::open(&model, Marks::Special, architecture.vocabulary)?;
        let read = tokenizer.sequences(texts, threads, progress)?;
        let of_text = read.of_text.iter().map(|&sequence| sequence as u32).collect();
        let sequences = Arc::new(read.distinct);
        let precision = options.precision;
        Ok((Tokens { model, architecture, pooling, precision, sequences, cuts: Mutex::default() }, of_text))
    }

    /// Of the encoder that reads them.
    pub fn shape(&self) -> EncoderShape {
        let Architecture { hidden, intermediate, layers, .. } = self.architecture;
        EncoderShape { hidden, intermediate, depth: layers }
    }

    /// The encoder cut below its last `layers` layers, made at the first call.
    pub fn cut(&self, layers: usize, threads: usize, progress: &dyn Progress) -> Result<Arc<Cut>, EncodeError> {
        self.cut_keeping(layers, KEPT_BYTES, threads, progress)
    }

    /// The same for one who has seen to it that it is made already, or does not mind the wait.
    pub(crate) fn made_cut(&self, layers: usize) -> Result<Arc<Cut>, EncodeError> {
        self.cut(layers, rayon::current_num_threads(), &Silent)
    }

    /// The same, if this is the first call for so many layers, with at most `kept_bytes` of token states in memory.
    pub fn cut_keeping(
        &self,
        layers: usize,
        kept_bytes: usize,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Arc<Cut>, EncodeError> {
        // Held while a cut is made: who else wants it waits for it.
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cut) = cuts.get(&layers) {
            return Ok(Arc::clone(cut));
        }
        let cut = Arc::new(self.make_cut(layers, kept_bytes, threads, progress)?);
        cuts.insert(layers, Arc::clone(&cut));
        Ok(cut)
    }

    fn make_cut(
        &self,
        layers: usize,
        kept_bytes: usize,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Cut, EncodeError> {
        let (shape, architecture) = (self.shape(), self.architecture);
        let Some(below) = shape.depth.checked_sub(layers) else {
            let reason = format!("{layers} layers of {} cannot be adapted", shape.depth);
            return Err(EncodeError::Option { option: "adapt", reason });
        };
        let weights = Weights::read(&self.model.place)?;
        let upper = (below..shape.depth).map(|i| read_layer(&weights, &architecture, i)).collect::<Result<_, _>>()?;
        // Mean, because a model that pools by first tokens forgets the others in its last layer.
        let below = Architecture { layers: below, ..architecture };
        let lower = PackedModel::load(&weights, below, vec![Pooling::Mean], self.precision)?;
        let tokens: usize = self.sequences.iter().map(Vec::len).sum();
        let lower = match tokens * shape.hidden * size_of::<f32>() <= kept_bytes {
            true => {
                let (starts, states) = all_states(&lower, &self.sequences, threads, progress)?;
                Lower::Kept { starts, states }
            }
            false => Lower::Recomputed(Box::new(lower)),
        };
        Ok(Cut {
            shape,
            heads: architecture.heads,
            layer_norm_epsilon: architecture.layer_norm_epsilon,
            activation: architecture.activation,
            pooling: self.pooling,
            normalize: self.model.normalizes(),
            upper,
            sequences: Arc::clone(&self.sequences),
            lower,
        })
    }
}

impl Cut {
    /// How many tokens a text has.
    pub(crate) fn length(&self, text: u32) -> usize {
        self.sequences[text as usize].len()
    }

    /// What the upper layers start from for some texts.
    pub fn states(&self, texts: &[u32]) -> Result<TokenStates, EncodeError> {
        let hidden = self.shape.hidden;
        let mut starts = Vec::with_capacity(texts.len() + 1);
        let mut tokens = 0;
        starts.push(0);
        for &text in texts {
            tokens += self.length(text);
            starts.push(tokens);
        }
        let mut values = vec![0f32; tokens * hidden];
        match &self.lower {
            Lower::Kept { starts: places, states } => {
                for (span, &text) in starts.windows(2).zip(texts) {
                    let from = places[text as usize] * hidden;
                    let size = (span[1] - span[0]) * hidden;
                    values[span[0] * hidden..span[1] * hidden].copy_from_slice(&states[from..from + size]);
                }
            }
            Lower::Recomputed(lower) => {
                let mut session = lower.packed_session();
                let mut first = 0;
                while first < texts.len() {
                    let fits = |last: &usize| starts[*last + 1] - starts[first] <= BATCH_TOKENS;
                    let last = (first + 1..texts.len()).take_while(fits).last().unwrap_or(first);
                    let batch: Vec<&[u32]> =
                        texts[first..=last].iter().map(|&text| self.sequences[text as usize].as_slice()).collect();
                    let out = &mut values[starts[first] * hidden..starts[last + 1] * hidden];
                    session.token_states(&batch, out, &|| false)?;
                    check_states(out)?;
                    first = last + 1;
                }
            }
        }
        Ok(TokenStates { starts, values })
    }
}

/// Texts read at one time are equal to themselves alone: what they are is not compared.
impl PartialEq for Tokens {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} token sequences of a {:?} encoder", self.sequences.len(), self.architecture.family)
    }
}

/// How many layers of the encoder in a folder can be trained along with a network, or in words why none. Reads no tensors.
///
/// # Errors
/// If the folder is no encoder, or the options do not fit it.
pub fn trainable_layers(folder: &Path, options: &TransformerOptions) -> Result<Result<usize, String>, EncodeError> {
    let model = ModelFolder::read(folder, options)?;
    Ok(adaptable(&model).map(|(architecture, _)| architecture.layers))
}

/// The shape and the pooling of an encoder whose layers can be trained, or what stands against it.
fn adaptable(model: &ModelFolder) -> Result<(Architecture, Pooling), String> {
    let Some(files) = &model.transformer else {
        return Err("static embeddings have no layers to adapt".to_owned());
    };
    let architecture = match &files.kind {
        TransformerKind::Packed(architecture)
            if matches!(architecture.family, Family::Bert | Family::Roberta | Family::DistilBert) =>
        {
            *architecture
        }
        _ => {
            return Err(format!(
                "layers of model_type '{}' cannot be adapted; those of BERT, RoBERTa, XLM-RoBERTa and DistilBERT can",
                model_type(&files.config)
            ));
        }
    };
    let [pooling] = files.poolings[..] else {
        return Err(format!("{} poolings side by side cannot be adapted, one can", files.poolings.len()));
    };
    match model.steps[..] {
        [] | [Step::Normalize] => Ok((architecture, pooling)),
        _ => Err("an encoder with dense layers or cut dimensions cannot be adapted".to_owned()),
    }
}

fn all_states(
    lower: &PackedModel,
    sequences: &[Vec<u32>],
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Vec<usize>, Vec<f32>), EncodeError> {
    let hidden = lower.dim();
    let mut starts = Vec::with_capacity(sequences.len());
    let mut tokens = 0;
    for sequence in sequences {
        starts.push(tokens);
        tokens += sequence.len();
    }
    let mut states = vec![0f32; tokens * hidden];
    let batches = batches::plan(sequences, BATCH_TOKENS, Company::Any);
    let (mut finished, total) = (0, sequences.len() as u64);
    parallel::for_each(
        batches.len(),
        threads,
        progress,
        || lower.packed_session(),
        |session, i| {
            let batch: Vec<&[u32]> = batches[i].iter().map(|&s| sequences[s].as_slice()).collect();
            let tokens: usize = batch.iter().map(|sequence| sequence.len()).sum();
            let mut out = vec![0f32; tokens * hidden];
            session.token_states(&batch, &mut out, &|| progress.cancelled())?;
            check_states(&out)?;
            Ok(out)
        },
        |i, out| {
            let mut rest = out.as_slice();
            for &sequence in &batches[i] {
                let (own, others) = rest.split_at(sequences[sequence].len() * hidden);
                states[starts[sequence] * hidden..][..own.len()].copy_from_slice(own);
                rest = others;
            }
            finished += batches[i].len() as u64;
            progress.update(finished, total, "texts", "layers that stand still");
        },
    )?;
    Ok((starts, states))
}

/// States that are not finite would train nothing but more of their kind.
fn check_states(states: &[f32]) -> Result<(), EncodeError> {
    match first_not_finite(states) {
        None => Ok(()),
        Some(at) => Err(EncodeError::States { value: states[at] }),
    }
}

fn read_layer(weights: &Weights, architecture: &Architecture, i: usize) -> Result<UpperLayer, EncodeError> {
    let tensors = weights.tensors()?;
    let names = architecture.names(&|name| tensors.contains(name));
    let (names, hidden, wide) = (&names.layers[i], architecture.hidden, architecture.intermediate);
    let device = |error: candle_core::Error| EncodeError::Device(error.to_string());
    let linear = |part: &str, outputs: usize, inputs: usize| {
        let weight = tensors.get(&format!("{part}.weight"), &[outputs, inputs])?;
        let bias = tensors.get(&format!("{part}.bias"), &[outputs])?;
        let weight = Tensor::from_vec(weight, (outputs, inputs), &Device::Cpu).map_err(device)?;
        Ok::<_, EncodeError>([weight, Tensor::from_vec(bias, outputs, &Device::Cpu).map_err(device)?])
    };
    let norm = |part: &str| {
        let weight = tensors.get_either(part, "weight", "gamma", &[hidden])?;
        let bias = tensors.get_either(part, "bias", "beta", &[hidden])?;
        let tensor = |values: Vec<f32>| Tensor::from_vec(values, hidden, &Device::Cpu).map_err(device);
        Ok::<_, EncodeError>([tensor(weight)?, tensor(bias)?])
    };
    let [q, k, v] = &names.qkv;
    let [[a, b], [c, d], [e, f]] = [linear(q, hidden, hidden)?, linear(k, hidden, hidden)?, linear(v, hidden, hidden)?];
    let [g, h] = linear(&names.attention_output, hidden, hidden)?;
    let [i, j] = norm(&names.attention_norm)?;
    let [l, m] = linear(&names.intermediate, wide, hidden)?;
    let [n, o] = linear(&names.output, hidden, wide)?;
    let [r, s] = norm(&names.output_norm)?;
    Ok([a, b, c, d, e, f, g, h, i, j, l, m, n, o, r, s])
}
