//! What a user says about a transfer: strategies, what is held back, how many seeds, which shares of the new rows.

pub use runner_results::transfer::{NewRows, Strategy};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::NetworkSpec;

/// The `transfer` parameters beside those of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransferSpec {
    /// What is compared. The first is what the others are held against, unless scratch is among them.
    pub strategies: Vec<Strategy>,
    /// frozen: hidden layers that stand still, counted from the inputs; the branches' first layers count as one.
    #[schemars(range(min = 0, max = 1000))]
    pub frozen_layers: usize,
    /// frozen: the last epoch in which they stand still; null (and no `release_share`) never releases them.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub release_epoch: Option<usize>,
    /// frozen: the share of `epochs` after which they are released, instead of `release_epoch`.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub release_share: Option<f64>,
    /// discriminative: the learning rate of a hidden layer as a share of that of the next one above; the outputs have the whole rate.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub layer_rate: f64,
    /// First weights of the outputs of new classes, and of the vectors of new category values, where the old network is copied.
    pub new_rows: NewRows,
    /// Fewest training rows that a category value unknown to the old network needs for a vector of its own.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_count: usize,
    /// The shape of the new network, null for the old one's. Its scaling and indicators are not used: they are the old ones.
    pub network: Option<NetworkSpec>,
    /// Trainings of each strategy, which differ in their seeds; the same seeds for all strategies.
    #[schemars(range(min = 1, max = 1000))]
    pub seeds: usize,
    /// Shares of the new classes' training rows with which every strategy and seed is trained once more, e.g. [0.05, 0.25].
    #[schemars(with = "Vec<Share>", length(max = 100))]
    pub shares: Vec<f64>,
}

/// A share of rows that is neither none nor all of them.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub struct Share(
    #[expect(dead_code, reason = "stands for a range in the schema")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    f64,
);

impl Default for TransferSpec {
    fn default() -> Self {
        TransferSpec {
            strategies: vec![Strategy::Scratch, Strategy::Copy, Strategy::Frozen],
            frozen_layers: 1,
            release_epoch: None,
            release_share: None,
            layer_rate: 0.4,
            new_rows: NewRows::Mean,
            min_count: 1,
            network: None,
            seeds: 3,
            shares: Vec::new(),
        }
    }
}

impl TransferSpec {
    /// What the others are held against.
    pub(crate) fn baseline(&self) -> Strategy {
        match self.strategies.contains(&Strategy::Scratch) {
            true => Strategy::Scratch,
            false => self.strategies.first().copied().unwrap_or(Strategy::Scratch),
        }
    }

    /// The last epoch of `epochs` in which the first layers stand still; `None` for all of them.
    pub fn frozen_until(&self, epochs: usize) -> Option<usize> {
        self.release_epoch.or(self.release_share.map(|share| (share * epochs as f64).floor() as usize))
    }

    /// What is wrong with the values themselves, as (path, message); empty when all is well.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut say = |path: &str, message: String| found.push((path.into(), message));
        if self.strategies.is_empty() {
            say("strategies", "name at least one of scratch, copy, frozen, discriminative".into());
        }
        let twice = (1..self.strategies.len()).find(|&i| self.strategies[..i].contains(&self.strategies[i]));
        if let Some(i) = twice {
            say("strategies", format!("{} is named twice", self.strategies[i].name()));
        }
        if self.seeds == 0 {
            say("seeds", "at least 1 training of each strategy is needed".into());
        }
        if self.min_count == 0 {
            say("min_count", "0 rows hold no value: give 1 or more".into());
        }
        if self.strategies.contains(&Strategy::Frozen) && self.frozen_layers == 0 {
            say("frozen_layers", "frozen without frozen layers is the same as copy: give 1 or more".into());
        }
        if let Some(share) = self.release_share.filter(|share| !(*share > 0.0 && *share < 1.0)) {
            say("release_share", format!("must be in (0, 1); got {share}"));
        }
        if self.release_share.is_some() && self.release_epoch.is_some() {
            say("release_share", "release_epoch says when, too: leave one of them out".into());
        }
        for (key, given) in
            [("release_epoch", self.release_epoch.is_some()), ("release_share", self.release_share.is_some())]
        {
            if given && !self.strategies.contains(&Strategy::Frozen) {
                say(
                    key,
                    "only the strategy `frozen` reads it: leave it out, or name `frozen` under `strategies`".into(),
                );
            }
        }
        if !(self.layer_rate > 0.0 && self.layer_rate <= 1.0) {
            say("layer_rate", format!("must be in (0, 1]; got {}", self.layer_rate));
        }
        if let Some(share) = self.shares.iter().find(|share| !(**share > 0.0 && **share < 1.0)) {
            say("shares", format!("each must be in (0, 1); got {share} (all rows are used anyway)"));
        }
        if !self.shares.is_sorted_by(|a, b| a < b) {
            say("shares", "give them from the least to the greatest, each once".into());
        }
        found
    }
}
