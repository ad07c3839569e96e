//! What a user says about a transfer: strategies, what is frozen, how many seeds.
//!
//! Knows nothing of networks or data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ml::network::NetworkSpec;

/// The `transfer` parameters beside those of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransferSpec {
    /// What is compared. The first is what the others are held against, unless scratch is among them.
    pub strategies: Vec<Strategy>,
    /// frozen: hidden layers that stand still, counted from the inputs; the branches' first layers count as one.
    pub frozen_layers: usize,
    /// frozen: the last epoch in which they stand still; null never releases them.
    pub release_epoch: Option<usize>,
    /// First weights of the outputs of new classes, where the old network is copied.
    pub new_rows: NewRows,
    /// The shape of the new network, null for the old one's. Its scaling and indicators are not used: they are the old ones.
    pub network: Option<NetworkSpec>,
    /// Trainings of each strategy, which differ in their seeds; the same seeds for all strategies.
    pub seeds: usize,
}

impl Default for TransferSpec {
    fn default() -> Self {
        TransferSpec {
            strategies: vec![Strategy::Scratch, Strategy::Copy, Strategy::Frozen],
            frozen_layers: 1,
            release_epoch: None,
            new_rows: NewRows::Mean,
            network: None,
            seeds: 3,
        }
    }
}

/// Where a network's weights start and what may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Random weights.
    Scratch,
    /// The old network's weights; outputs matched by class name.
    Copy,
    /// As copy, with the first layers frozen.
    Frozen,
}

/// First weights of outputs that the old network does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewRows {
    /// The mean of the old outputs' weights, with noise of a hundredth of their size: a new class starts as likely as the others.
    #[default]
    Mean,
    /// Random, as in a network from scratch.
    Fresh,
}

impl Strategy {
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Scratch => "scratch",
            Strategy::Copy => "copy",
            Strategy::Frozen => "frozen",
        }
    }
}

impl TransferSpec {
    /// What is wrong with the values themselves, as (path, message); empty when all is well.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.strategies.is_empty() {
            found.push(("strategies".into(), "name at least one of scratch, copy, frozen".into()));
        }
        let twice = (1..self.strategies.len()).find(|&i| self.strategies[..i].contains(&self.strategies[i]));
        if let Some(i) = twice {
            found.push(("strategies".into(), format!("{} is named twice", self.strategies[i].name())));
        }
        if self.seeds == 0 {
            found.push(("seeds".into(), "at least 1 training of each strategy is needed".into()));
        }
        if self.strategies.contains(&Strategy::Frozen) && self.frozen_layers == 0 {
            let message = "frozen without frozen layers is the same as copy: give 1 or more".into();
            found.push(("frozen_layers".into(), message));
        }
        found
    }
}
