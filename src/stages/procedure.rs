//! How a model was fitted: what `refit` repeats on more rows. It travels in the model's recipe.

use serde::{Deserialize, Serialize};

use runner_ml::network::NetworkSpec;
use runner_ml::train::TrainingSpec;
use runner_ml::transfer::{Strategy, TransferSpec};

/// All that decided the course of a fit, beside rows and columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Procedure {
    /// A standard classifier, whose parameters stand in its recipe.
    Baseline {
        /// Of what the kind draws at random.
        seed: u64,
    },
    /// A network from random weights.
    Training(Box<TrainingProcedure>),
    /// A network from the weights of another one.
    Transfer(Box<TransferProcedure>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TrainingProcedure {
    pub(crate) seed: u64,
    /// The epoch that was kept.
    pub(crate) epochs: usize,
    pub(crate) network: NetworkSpec,
    pub(crate) training: TrainingSpec,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TransferProcedure {
    pub(crate) seed: u64,
    /// The epoch that was kept.
    pub(crate) epochs: usize,
    pub(crate) strategy: Strategy,
    pub(crate) transfer: TransferSpec,
    pub(crate) training: TrainingSpec,
}

impl Procedure {
    /// The epochs of a network.
    pub(crate) fn epochs(&self) -> Option<usize> {
        match self {
            Procedure::Baseline { .. } => None,
            Procedure::Training(training) => Some(training.epochs),
            Procedure::Transfer(transfer) => Some(transfer.epochs),
        }
    }
}
