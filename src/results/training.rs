//! A trained network, or the average of several: `metrics.json` of `train` and `transfer`.

use serde::{Deserialize, Serialize};

use crate::calibration::CalibrationReport;
use crate::diagnosis::Finding;
use crate::document::Document;
use crate::inputs::Inputs;
use crate::parts::Parts;
use crate::scores::Scores;
use crate::spec::{Loss, NetworkSpec, TrainingSpec};
use crate::transfer::Strategy;

/// What is known of a stage's network; the curves are a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Scores of the network that is kept.
    pub parts: Parts<Scores>,
    /// Of the network's probabilities.
    pub calibration: CalibrationReport,
    /// What was minimised.
    pub loss: Loss,
    /// In the order of the network's outputs.
    pub classes: Vec<String>,
    /// The columns that the network reads.
    pub inputs: Inputs,
    /// As it was trained: after a search with the values that this chose. Absent after a transfer that asked for no other shape than the old
    /// network's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<NetworkSpec>,
    /// With the values that a search chose.
    pub training: TrainingSpec,
    /// One network or several.
    #[serde(flatten)]
    pub fitted: Fitted,
    /// What the curves say, what is wrong first; of several networks those of the first.
    pub diagnosis: Vec<Finding>,
    /// How many numbers the network holds, running statistics of batch norm included; of several networks all together.
    pub parameters: usize,
    /// The strategy of a transfer by which the network was trained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub strategy: Option<Strategy>,
}

/// One network, or several of different seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fitted {
    /// Networks of different seeds, whose probabilities are averaged.
    Several {
        /// In the order of their seeds.
        networks: Vec<SeedNetwork>,
        /// Over the scores of the single networks.
        networks_alone: Parts<Spread>,
    },
    /// A single network.
    One {
        /// The epoch whose weights are kept.
        best_epoch: usize,
        /// The epoch in which the loss stopped being finite, if it did.
        diverged: Option<usize>,
    },
}

impl Fitted {
    /// The epoch whose weights are kept; of several seeds that of the first, whose curves are shown.
    pub fn best_epoch(&self) -> Option<usize> {
        match self {
            Fitted::One { best_epoch, .. } => Some(*best_epoch),
            Fitted::Several { networks, .. } => networks.first().map(|network| network.best_epoch),
        }
    }

    /// The networks of different seeds; none where there is one network.
    pub fn networks(&self) -> &[SeedNetwork] {
        match self {
            Fitted::One { .. } => &[],
            Fitted::Several { networks, .. } => networks,
        }
    }
}

/// One of several networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedNetwork {
    /// Its scores when it predicts alone.
    #[serde(flatten)]
    pub parts: Parts<SeedScores>,
    /// What its random numbers follow from.
    pub seed: u64,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
}

/// Scores of one network alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedScores {
    /// Share of rows that are right.
    pub accuracy: f64,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: f64,
}

/// How much the scores of networks of different seeds differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Over the networks.
    pub accuracy: MeanAndDeviation,
    /// Over the networks.
    pub macro_f1: MeanAndDeviation,
}

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanAndDeviation {
    /// NaN of no values.
    pub mean: f64,
    /// Of a sample; a single value has none.
    pub sd: Option<f64>,
}

impl MeanAndDeviation {
    /// Of a sample (divisor n − 1).
    pub fn of(values: &[f64]) -> MeanAndDeviation {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        MeanAndDeviation { mean, sd: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()) }
    }
}

impl Document for Training {
    const NAME: &'static str = "training";
    const VERSION: u32 = 2;

    fn classes(&self) -> Vec<&str> {
        let of_parts = self.parts.iter().flat_map(|scores| &scores.classes);
        self.classes.iter().chain(of_parts).map(String::as_str).collect()
    }
}
