//! Networks that learnt new classes by several strategies: `transfer.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod compared;
mod finding;
mod run;

use crate::document::Document;
use crate::{Metric, Part};
pub use compared::{Comparison, Outcome, Paired, RowComparison, SIGNIFICANCE, ShareComparison};
pub use finding::{EnoughRows, Reached, Standing, TransferFinding};
pub use run::{Before, ClassGroup, GroupScores, Run, ShareRun, StrategyRuns};

/// What a transfer found; the curves are in a table of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// One of each that was compared, in the order asked for.
    pub strategies: Vec<StrategyRuns>,
    /// The strategy of the network that was chosen on the validation part.
    pub best: Strategy,
    /// By which epochs and networks are chosen.
    pub metric: Metric,
    /// What comparisons and findings are about: the test part, or without one the validation part.
    pub part: Part,
    /// Those that the old network knows.
    pub old_classes: Vec<String>,
    /// Old and new ones.
    pub classes: Vec<String>,
    /// The old network on the rows of its own classes, among which it chooses.
    pub before: Vec<Before>,
    /// What the copying strategies took from the old network; empty when there is none.
    pub tensors: Vec<TensorChange>,
    /// Every strategy but the baseline against it.
    pub comparisons: Vec<Comparison>,
    /// The chosen network against the baseline's best one, row by row; absent where the baseline was chosen.
    pub rows: Option<RowComparison>,
    /// The learning curve over the share of the new classes' training rows, the whole included; empty where none was asked for.
    pub share_runs: Vec<ShareRun>,
    /// The accuracies at every lesser share; p values corrected over all shares and strategies.
    pub share_comparisons: Vec<ShareComparison>,
    /// What the figures come to, the verdict first.
    pub findings: Vec<TransferFinding>,
}

/// Where a network's weights start and what may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Random weights.
    Scratch,
    /// The old network's weights; outputs matched by class name.
    Copy,
    /// As copy, with the first layers frozen, for good or up to an epoch.
    Frozen,
    /// As copy, with a lower learning rate for lower layers (Howard and Ruder 2018, arXiv 1801.06146).
    Discriminative,
}

/// First weights of what the old network does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewRows {
    /// A new class has the mean of the old outputs' weights and starts as likely as the others; a new category value has the vector of the unknown one. Both with noise of a hundredth of the old size.
    #[default]
    Mean,
    /// Random, as in a network from scratch.
    Fresh,
}

/// What became of one tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorChange {
    /// As in the model file, e.g. `trunk.layers.0.linear.weight`.
    pub tensor: String,
    /// `None` where the old network has no such tensor.
    pub old_shape: Option<Vec<usize>>,
    /// `None` where the new network has no such tensor.
    pub new_shape: Option<Vec<usize>>,
    /// What was done to it.
    pub action: Action,
    /// Which rows those are, where rows stand for classes or category values.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<MatchedRows>,
}

/// What became of a tensor of the old network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The old values, all of them.
    Copied,
    /// A head: the rows of classes of equal name are the old ones.
    RowsMatchedByClass,
    /// A table of categories: the rows of equal values are the old ones.
    RowsMatchedByValue,
    /// Another size: the part that both have is the old one, the rest random.
    Sliced,
    /// New, or of another kind of shape: random values.
    Reinitialised,
    /// Only the old network has it.
    Skipped,
}

/// Rows of a tensor, matched by what they stand for; `start` is what the added ones began as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedRows {
    /// Of a head: classes.
    Classes {
        /// In both networks.
        kept: Vec<String>,
        /// In the new network only.
        added: Vec<String>,
        /// In the old network only.
        dropped: Vec<String>,
        /// What the added rows began as.
        start: NewRows,
    },
    /// Of a table of categories: how many values.
    Values {
        /// In both networks.
        kept: usize,
        /// In the new network only.
        added: usize,
        /// What the added rows began as.
        start: NewRows,
    },
}

impl Strategy {
    /// As written in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Scratch => "scratch",
            Strategy::Copy => "copy",
            Strategy::Frozen => "frozen",
            Strategy::Discriminative => "discriminative",
        }
    }

    /// Whether it starts from the old network's weights.
    pub fn copies(self) -> bool {
        self != Strategy::Scratch
    }
}

impl Transfer {
    /// The classes that the old network did not know.
    pub fn new_classes(&self) -> impl Iterator<Item = &String> {
        self.classes.iter().filter(|class| !self.old_classes.contains(class))
    }

    /// A strategy against the baseline; nothing of the baseline itself.
    pub fn comparison(&self, strategy: Strategy) -> Option<&Comparison> {
        self.comparisons.iter().find(|comparison| comparison.strategy == strategy)
    }
}

impl Document for Transfer {
    const NAME: &'static str = "transfer";
    const VERSION: u32 = 1;

    fn classes(&self) -> Vec<&str> {
        self.classes.iter().map(String::as_str).collect()
    }
}
