//! How a model was fitted: what `refit` repeats on more rows. It travels in the model's recipe.

use serde::{Deserialize, Serialize};

use runner_engine::{CheckContext, Fact};
use runner_ml::network::NetworkSpec;
use runner_ml::train::TrainingSpec;
use runner_ml::transfer::{Strategy, TransferSpec};
use runner_results::spec::ClassWeights;
use runner_tabular::Filter;

/// The columns by which rows counted when a model was fitted, at plan time.
const WEIGHTED_BY: Fact<Vec<String>> = Fact::new("weighted_by");
/// The conditions on the rows that a model was fitted on, at plan time.
const FITTED_WHERE: Fact<Vec<Filter>> = Fact::new("fitted_where");

/// All that decided the course of a fit, beside rows and columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Procedure {
    /// Of what is drawn at random.
    pub(crate) seed: u64,
    /// The column by which rows counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sample_weight: Option<String>,
    /// The conditions on rows.
    #[serde(default, rename = "where", skip_serializing_if = "Filter::is_empty")]
    pub(crate) filter: Filter,
    #[serde(flatten)]
    pub(crate) how: How,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    /// A standard classifier, whose parameters stand in its recipe.
    Baseline { class_weights: ClassWeights },
    /// A network from random weights.
    Training(Box<HowTrained>),
    /// A network from the weights of another one.
    Transfer(Box<HowTransferred>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct HowTrained {
    /// The epoch that was kept.
    pub(crate) epochs: usize,
    pub(crate) network: NetworkSpec,
    pub(crate) training: TrainingSpec,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct HowTransferred {
    /// The epoch that was kept.
    pub(crate) epochs: usize,
    pub(crate) strategy: Strategy,
    pub(crate) transfer: TransferSpec,
    pub(crate) training: TrainingSpec,
}

impl Procedure {
    /// The epochs of a network.
    pub(crate) fn epochs(&self) -> Option<usize> {
        match &self.how {
            How::Baseline { .. } => None,
            How::Training(trained) => Some(trained.epochs),
            How::Transfer(transferred) => Some(transferred.epochs),
        }
    }
}

/// For a stage that fits the model at `port`: by which column rows count, and which they are.
pub(super) fn tell(context: &mut CheckContext, port: &str, sample_weight: Option<&str>, filter: &Filter) {
    if let Some(column) = sample_weight {
        context.tell(port, WEIGHTED_BY, vec![column.to_owned()]);
    }
    if !filter.is_empty() {
        context.tell(port, FITTED_WHERE, vec![filter.clone()]);
    }
}

/// For a stage that passes on models.
pub(super) fn pass_on(context: &mut CheckContext, input: &str, output: &str) {
    let (columns, filters) = (weighted_by(context, input), fitted_where(context, input));
    if !columns.is_empty() {
        context.tell(output, WEIGHTED_BY, columns);
    }
    if !filters.is_empty() {
        context.tell(output, FITTED_WHERE, filters);
    }
}

/// The columns by which rows counted for the models at an input.
pub(super) fn weighted_by(context: &CheckContext, input: &str) -> Vec<String> {
    let told = context.inputs(input).iter().filter_map(|shape| shape.facts.get(WEIGHTED_BY));
    told.flatten().cloned().collect()
}

/// The conditions on the rows that the models at an input were fitted on.
pub(super) fn fitted_where(context: &CheckContext, input: &str) -> Vec<Filter> {
    let told = context.inputs(input).iter().filter_map(|shape| shape.facts.get(FITTED_WHERE));
    told.flatten().cloned().collect()
}
