//! Transformers through candle-transformers: on a CPU the kinds that `packed` does not know; on other devices the BERT family, too, which
//! `packed` is tested against.
//!
//! | file | holds |
//! |---|---|
//! | `tensors` | a file's tensors as candle asks for them: by shape, finite, none left over |
//! | `bert` | BERT, RoBERTa, XLM-RoBERTa, DistilBERT |
//! | others | one kind each: which of its settings candle knows, and its network |
//!
//! Batches hold sequences of one length (on a CPU one sequence), so nothing is padded or masked.

pub(super) mod bert;
mod deberta;
mod jina;
mod modernbert;
mod nomic;
mod qwen3;
mod t5;
pub(super) mod tensors;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;
use runner_results::encoder::Pooling;

use super::EncodeError;
use super::batches::{Company, Engine, Session};
use super::folder::TransformerFiles;
use super::guard::guarded;
use super::kind::Shape;
use super::pooling::pool;
use super::settings::Settings;
use super::weights::Weights;
use crate::progress::Cancelled;

/// A transformer as its config.json describes it, of a kind that candle-transformers computes.
pub(crate) trait CandleKind: Send + Sync {
    fn shape(&self) -> Shape;

    fn naming(&self) -> Naming;

    /// The network of the tensors that `builder` hands out.
    fn network(&self, builder: VarBuilder) -> candle_core::Result<Box<dyn Network>>;
}

/// How the tensors of a kind are named.
#[derive(Clone, Copy)]
pub(crate) struct Naming {
    /// What candle puts before every name.
    pub(crate) candle: &'static str,
    /// A tensor that every file has: what stands before its name there stands before all.
    pub(crate) anchor: &'static str,
    /// Those that need not be there.
    pub(crate) optional: &'static [&'static str],
    /// Those that some files have and nobody reads.
    pub(crate) unread: &'static [&'static str],
}

pub(crate) trait Network: Send + Sync {
    /// Token numbers of sequences of one length → sequences × tokens × hidden.
    fn states(&self, tokens: &Tensor) -> candle_core::Result<Tensor>;
}

/// The kinds of [`read`] by the model_type of their config.json.
pub(super) const MODEL_TYPES: &[&str] =
    &["modernbert", "nomic_bert", "t5", "deberta-v2", "qwen3", "bert with alibi (Jina 2)"];

/// The kind that a config.json describes, if candle-transformers computes it and `packed` does not.
pub(super) fn read(settings: Settings) -> Result<Option<Box<dyn CandleKind>>, EncodeError> {
    Ok(Some(match settings.values["model_type"].as_str() {
        Some("bert") if settings.values["position_embedding_type"] == "alibi" => {
            Box::new(jina::JinaBert::read(settings)?)
        }
        Some("deberta-v2") => Box::new(deberta::Deberta::read(settings)?),
        Some("modernbert") => Box::new(modernbert::ModernBert::read(settings)?),
        Some("nomic_bert") => Box::new(nomic::NomicBert::read(settings)?),
        Some("qwen3") => Box::new(qwen3::Qwen3::read(settings)?),
        Some("t5") => Box::new(t5::T5::read(settings)?),
        _ => return Ok(None),
    }))
}

/// The engine's name in recipes.
pub const CANDLE: &str = "candle";

pub(crate) struct CandleModel {
    network: Arc<dyn Network>,
    device: Device,
    hidden: usize,
    poolings: Vec<Pooling>,
}

impl CandleModel {
    pub(crate) fn load(
        weights: &Weights,
        kind: &dyn CandleKind,
        model: &TransformerFiles,
        device: &Device,
    ) -> Result<Self, EncodeError> {
        let network = tensors::network(kind, &weights.tensors()?, &model.config_path, device)?;
        Ok(CandleModel {
            network: network.into(),
            device: device.clone(),
            hidden: kind.shape().hidden,
            poolings: model.poolings.clone(),
        })
    }
}

impl Engine for CandleModel {
    fn name(&self) -> &'static str {
        CANDLE
    }

    fn dim(&self) -> usize {
        self.hidden * self.poolings.len()
    }

    /// On a CPU each alone: products of other sizes are summed up in other orders, and a text whose bits depend on it alone need never be
    /// computed again. It costs two thirds of the speed where texts have 10 tokens, little from 30 on.
    fn company(&self) -> Company {
        if self.device.is_cpu() { Company::None } else { Company::EqualLengths }
    }

    fn is_exact(&self) -> bool {
        self.device.is_cpu()
    }

    /// A device does one thing after the other.
    fn sessions(&self, threads: usize) -> usize {
        if self.device.is_cpu() { threads } else { 1 }
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(CandleSession(self))
    }
}

struct CandleSession<'a>(&'a CandleModel);

/// How long one may wait for a batch before it is asked whether anybody still wants it.
const LOOK: Duration = Duration::from_millis(50);

impl Session for CandleSession<'_> {
    fn run(&mut self, sequences: &[&[u32]], out: &mut [f32], cancelled: &dyn Fn() -> bool) -> Result<(), EncodeError> {
        if cancelled() {
            return Err(Cancelled.into());
        }
        let CandleSession(model) = self;
        let shape = (sequences.len(), sequences[0].len());
        let states = model.states(sequences.concat(), shape, cancelled)?;
        let size = shape.1 * model.hidden;
        for (states, out) in states.chunks_exact(size).zip(out.chunks_exact_mut(model.dim())) {
            pool(&model.poolings, states.chunks_exact(model.hidden), out);
        }
        Ok(())
    }
}

impl CandleModel {
    /// On a CPU a long text takes a large network minutes, and nothing stops candle on its way: it computes on a thread of its own, which is
    /// left to itself when nobody wants the states any more.
    fn states(
        &self,
        tokens: Vec<u32>,
        shape: (usize, usize),
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<f32>, EncodeError> {
        let (network, device) = (Arc::clone(&self.network), self.device.clone());
        let work = move || {
            let states = guarded(|| {
                let tokens = Tensor::from_vec(tokens, shape, &device)?;
                network.states(&tokens)?.flatten_all()?.to_vec1()
            });
            let states = states.ok_or_else(|| EncodeError::Device("sizes that contradict each other".to_owned()))?;
            states.map_err(|error| EncodeError::Device(error.to_string()))
        };
        if !self.device.is_cpu() {
            return work();
        }
        let failed = |reason: String| EncodeError::Device(reason);
        let (sender, receiver) = channel();
        let thread = thread::Builder::new().name("candle".to_owned());
        // Whoever has stopped listening does not want them.
        thread.spawn(move || drop(sender.send(work()))).map_err(|error| failed(error.to_string()))?;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(states) => return states,
                Err(RecvTimeoutError::Timeout) if cancelled() => return Err(Cancelled.into()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(failed("its thread ended early".to_owned())),
            }
        }
    }
}
