//! `Checkpoint`: a training's state at the end of an epoch, from which it goes on to the same bits.
//!
//! A safetensors file: `network/…`, `average/…`, `best/…` (weights and running statistics now and at the best epoch), `first/…`,
//! `second/…` (what the optimizer remembers of a weight), `curves/…`; the rest is JSON in its metadata. The state of
//! schedule and early stopping is not in it: both follow from the curves, so that a training of more epochs, or of
//! another patience, can go on from the same file. Nor is what the training is of: files of one place must belong to
//! one trajectory (`TrainingSpec::trajectory`).

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::curves::Curves;
use super::optimizer::Memory;
use crate::network::Snapshot;

/// Where one training keeps its state. A place may fail: a state that cannot be read is none.
pub trait Checkpoints: Sync {
    /// What was saved last.
    fn load(&self) -> Option<Vec<u8>>;

    /// Whether a state is wanted, asked at the end of every epoch but the last, whose state is always saved. The answer
    /// decides what is lost by a kill, never the result.
    fn is_due(&self) -> bool;

    /// Puts `bytes` in the place of what was saved before.
    fn save(&self, bytes: &[u8]);

    /// The epoch at which to pause, for a training that may go on later: its state is saved there, and schedules still look at
    /// the end of the whole training. `None` runs through.
    fn pause(&self) -> Option<usize> {
        None
    }
}

/// Keeps nothing.
pub(crate) struct NoCheckpoints;

impl Checkpoints for NoCheckpoints {
    fn load(&self) -> Option<Vec<u8>> {
        None
    }

    fn is_due(&self) -> bool {
        false
    }

    fn save(&self, _bytes: &[u8]) {}
}

/// A state that was read.
#[derive(Debug, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) curves: Curves,
    pub(crate) best_epoch: usize,
    pub(crate) best: Snapshot,
    /// The epoch in which the loss stopped being finite: nothing comes after the curves.
    pub(crate) diverged: Option<usize>,
    /// `None` where there is nothing to go on with.
    pub(crate) moving: Option<Moving>,
}

/// What changes from step to step.
#[derive(Debug, PartialEq)]
pub(crate) struct Moving {
    pub(crate) network: Snapshot,
    pub(crate) memories: BTreeMap<String, Memory>,
    /// Position in the stream of dropout masks.
    pub(crate) masks: u128,
    /// The moving average of the network, empty where none is kept.
    pub(crate) average: Snapshot,
}

/// The layout of the file; a reader takes others for none.
const FORMAT: &str = "runner checkpoint 1";
const HEADER: &str = "checkpoint";

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    best_epoch: usize,
    diverged: Option<usize>,
    /// As text, since JSON's numbers end at 64 bits.
    masks: Option<String>,
    /// The optimizer's steps of each weight.
    steps: BTreeMap<String, i32>,
}

type Part = (String, Dtype, Vec<usize>, Vec<u8>);

impl Checkpoint {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut parts: Vec<Part> = Vec::new();
        for (name, values) in self.curves.columns() {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            parts.push((format!("curves/{name}"), Dtype::F64, vec![values.len()], bytes));
        }
        let mut snapshot = |prefix: &str, snapshot: &Snapshot| {
            for (name, (shape, values)) in snapshot {
                parts.push((format!("{prefix}/{name}"), Dtype::F32, shape.clone(), bytes_of(values)));
            }
        };
        snapshot("best", &self.best);
        let mut header = Header {
            format: FORMAT.to_owned(),
            best_epoch: self.best_epoch,
            diverged: self.diverged,
            masks: None,
            steps: BTreeMap::new(),
        };
        if let Some(moving) = &self.moving {
            snapshot("network", &moving.network);
            snapshot("average", &moving.average);
            for (name, memory) in &moving.memories {
                for (prefix, values) in [("first", &memory.first), ("second", &memory.second)] {
                    parts.push((format!("{prefix}/{name}"), Dtype::F32, vec![values.len()], bytes_of(values)));
                }
                header.steps.insert(name.clone(), memory.steps);
            }
            header.masks = Some(moving.masks.to_string());
        }
        let views = parts
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| error.to_string())?;
        let header = serde_json::to_string(&header).map_err(|error| error.to_string())?;
        let metadata = HashMap::from([(HEADER.to_owned(), header)]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| error.to_string())
    }

    /// `None` for what is no checkpoint of this format, or contradicts itself.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
        let header: Header = serde_json::from_str(metadata.metadata().as_ref()?.get(HEADER)?).ok()?;
        if header.format != FORMAT {
            return None;
        }
        let file = SafeTensors::deserialize(bytes).ok()?;
        let mut parts: HashMap<&str, Snapshot> = HashMap::new();
        let mut curves = Curves::default();
        for (name, view) in file.iter() {
            let (part, name) = name.split_once('/')?;
            if part == "curves" {
                *curves.column_mut(name)? = doubles(&view)?;
            } else {
                let whole = parts.entry(part).or_default();
                whole.insert(name.to_owned(), (view.shape().to_vec(), singles(&view)?));
            }
        }
        let rows = curves.objective.len();
        let even = curves.columns().iter().all(|(_, values)| values.len() == rows);
        if !even || !(1..rows).contains(&header.best_epoch) {
            return None;
        }
        curves.epoch = (0..rows as u32).collect();
        let mut take = |part: &str| parts.remove(part).unwrap_or_default();
        let (best, network, mut first, mut second) = (take("best"), take("network"), take("first"), take("second"));
        let average = take("average");
        let moving = match header.masks {
            None => None,
            Some(masks) => {
                let mut memories = BTreeMap::new();
                for (name, steps) in header.steps {
                    let (first, second) = (first.remove(&name)?.1, second.remove(&name)?.1);
                    memories.insert(name, Memory { steps, first, second });
                }
                Some(Moving { network, memories, masks: masks.parse().ok()?, average })
            }
        };
        Some(Checkpoint { curves, best_epoch: header.best_epoch, best, diverged: header.diverged, moving })
    }
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * values.len());
    values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    bytes
}

fn singles(view: &TensorView) -> Option<Vec<f32>> {
    (view.dtype() == Dtype::F32)
        .then(|| view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

fn doubles(view: &TensorView) -> Option<Vec<f64>> {
    (view.dtype() == Dtype::F64)
        .then(|| view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect())
}
