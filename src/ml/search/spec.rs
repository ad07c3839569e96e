//! What a user says about a search: how points are chosen, how many, how long each is tried.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use runner_results::search::Method;

use super::space::Range;
use crate::train::Metric;

/// The `search` block of a train stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchSpec {
    /// How points are chosen: `grid`, `random` or `tpe`.
    #[serde(default)]
    pub(crate) method: Method,
    /// Trials at most, the parameters as written among them; 16 unless given, or with `minutes` as many as they allow. A grid has as many as it
    /// has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) trials: Option<usize>,
    /// No trial begins after so many minutes; trials that are known take none. How many were done is part of the result, and kept: the same run again
    /// does as many. Elsewhere `trials` with that number gives the same trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 525_600.0), extend("exclusiveMinimum" = 0.0))]
    pub minutes: Option<f64>,
    /// Trials that are proposed together and compete with each other under `pruning`; the result depends on it, never on the number of threads.
    /// 8 for `tpe`, all for the others unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) batch: Option<usize>,
    /// What the validation part is asked for; the pipeline's `metric` unless given, or without that macro_f1. One that curves do not hold anyway
    /// (loss, accuracy and macro_f1 they do) also chooses the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// Epochs of a trial; those of the stage unless given.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub epochs: Option<usize>,
    /// Stops bad trials early; without it every trial runs to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruning: Option<PruningSpec>,
    /// Ranges by path of a parameter, e.g. `{optimizer.lr: {log_uniform: [1e-4, 1e-2]}}`.
    #[schemars(with = "BTreeMap<String, Range>")]
    pub space: IndexMap<String, Range>,
}

impl SearchSpec {
    /// By which trials are compared.
    pub fn metric(&self) -> Metric {
        self.metric.unwrap_or_default()
    }
}

/// How bad trials are stopped early. A trial that is stopped keeps its place in the table, and can never be the best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PruningSpec {
    /// `halving` or `hyperband`.
    #[serde(default)]
    pub(crate) kind: PruningKind,
    /// The best 1 / factor of the trials go on at each rung, for factor times the epochs.
    #[serde(default = "default_factor")]
    #[schemars(range(min = 2, max = 100))]
    pub(crate) factor: usize,
    /// Epochs that every trial gets at least. Rungs are the full number of epochs divided by `factor` again and again, down to this. A rung cuts
    /// the course of the full training: a schedule that looks at the end (`one_cycle`, `cosine`) still looks at the full number of epochs.
    #[serde(default = "default_min_epochs")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_epochs: usize,
}

/// How trials are stopped early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PruningKind {
    /// Successive halving (Jamieson and Talwalkar 2016): all trials of a batch start at the lowest rung.
    #[default]
    Halving,
    /// Hyperband (Li et al. 2018): batches that start at ever higher rungs with ever fewer trials, in turn, for scores that only tell late.
    Hyperband,
}

fn default_factor() -> usize {
    3
}

fn default_min_epochs() -> usize {
    3
}

/// Trials of a search that gives no budget.
const DEFAULT_TRIALS: usize = 16;
/// Proposals of TPE that do not know of each other's results: a multiple of most machines' cores.
const DEFAULT_BATCH: usize = 8;

impl SearchSpec {
    /// Trials of a method that draws its points. `None` leaves the end to the clock.
    pub(super) fn drawn_trials(&self) -> Option<usize> {
        if self.minutes.is_some() { self.trials } else { Some(self.trials.unwrap_or(DEFAULT_TRIALS)) }
    }

    /// Trials of a batch; `None` for all of them.
    pub(super) fn batch(&self) -> Option<usize> {
        self.batch.or((self.method == Method::Tpe).then_some(DEFAULT_BATCH))
    }

    /// What is wrong with the values themselves, as (path, message).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut need = |fine: bool, path: &str, message: &str| {
            if !fine {
                found.push((path.to_owned(), message.to_owned()));
            }
        };
        need(!self.space.is_empty(), "space", "name at least one parameter to search over");
        need(self.trials != Some(0), "trials", "a search needs at least one trial");
        need(
            self.trials.is_none() || self.method != Method::Grid,
            "trials",
            "a grid tries every combination: leave it out, or choose `method: random`",
        );
        need(self.minutes.is_none_or(|minutes| minutes > 0.0 && minutes.is_finite()), "minutes", "must be positive");
        need(self.batch != Some(0), "batch", "a batch needs at least one trial");
        need(self.epochs != Some(0), "epochs", "a trial needs at least one epoch");
        need(
            self.epochs.is_none() || !self.space.contains_key("epochs"),
            "epochs",
            "every trial gets as many, so that `epochs` cannot be searched over: leave one of the two out",
        );
        if let Some(pruning) = &self.pruning {
            need(pruning.factor >= 2, "pruning.factor", "at least 2: the best half goes on");
            need(pruning.min_epochs >= 1, "pruning.min_epochs", "a rung needs at least one epoch");
            let hyperband = pruning.kind == PruningKind::Hyperband;
            need(!hyperband || self.batch.is_none(), "batch", "hyperband has sizes of its own: leave it out");
            need(
                hyperband || self.minutes.is_none() || self.batch().is_some(),
                "batch",
                "how many trials compete must not depend on the clock: with `minutes` and `pruning`, give it, e.g. 27",
            );
            need(
                !self.space.contains_key("epochs"),
                "space.epochs",
                "`pruning` compares trials after the same epochs: search over one of them only",
            );
        }
        for (path, range) in &self.space {
            if let Some(message) = range.problem(self.method == Method::Grid) {
                found.push((format!("space.{path}"), message.to_owned()));
            }
        }
        found
    }
}
