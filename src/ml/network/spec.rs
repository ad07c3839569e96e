//! What a user says about a network: its branches, its trunk, and how its inputs are prepared.
//!
//! Knows nothing of the data's shapes (`blueprint` joins both) nor of training.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Activation;
use crate::ml::preprocess::Scaling;

/// The `network` block of a train stage. `{}` is a trunk of three layers of 256 units with batch norm and dropout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSpec {
    /// The branch of all numeric columns together.
    pub numeric: NumericBranchSpec,
    /// The branch of each text column; every column has its own weights.
    pub text: TextBranchSpec,
    /// Exceptions from `text` for single text columns, by the column's name.
    pub columns: BTreeMap<String, ColumnBranchSpec>,
    /// The layers after the branches were joined.
    pub trunk: TrunkSpec,
    /// The non-linearity after every hidden layer.
    pub activation: Activation,
    /// Batch normalisation between each hidden linear layer and its activation.
    pub batch_norm: bool,
    /// Share of units set to zero after each hidden layer while training, 0 to below 1.
    pub dropout: f64,
    /// How numeric columns are brought to a common scale.
    pub scaling: Scaling,
    /// Adds a 0/1 input for each numeric column that has missing values in the training part.
    pub missing_indicators: bool,
}

impl Default for NetworkSpec {
    fn default() -> Self {
        NetworkSpec {
            numeric: NumericBranchSpec::default(),
            text: TextBranchSpec::default(),
            columns: BTreeMap::new(),
            trunk: TrunkSpec::default(),
            activation: Activation::Relu,
            batch_norm: true,
            dropout: 0.3,
            scaling: Scaling::Quantile,
            missing_indicators: true,
        }
    }
}

/// The numeric branch. Without layers the scaled numbers go straight to the trunk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NumericBranchSpec {
    /// Widths of the branch's hidden layers, first to last.
    pub layers: Vec<usize>,
    /// Share of the branch's inputs set to zero while training, 0 to below 1.
    pub dropout: f64,
}

/// The branch of a text column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextBranchSpec {
    /// Widths of the branch's hidden layers, first to last. One narrow layer keeps an embedding from drowning the numbers.
    pub layers: Vec<usize>,
    /// Share of the embedding's components set to zero while training, 0 to below 1.
    pub dropout: f64,
}

impl Default for TextBranchSpec {
    fn default() -> Self {
        TextBranchSpec { layers: vec![64], dropout: 0.3 }
    }
}

/// What differs from `text` for one column; what is left out is as in `text`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnBranchSpec {
    /// Widths of this column's hidden layers.
    pub layers: Option<Vec<usize>>,
    /// Share of this column's inputs set to zero while training.
    pub dropout: Option<f64>,
}

/// The layers after the branches were joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrunkSpec {
    /// Widths of the hidden layers, first to last; empty for a linear head on the branches.
    pub layers: Vec<usize>,
}

impl Default for TrunkSpec {
    fn default() -> Self {
        TrunkSpec { layers: vec![256, 256, 256] }
    }
}

/// The widest layer that is accepted: a slip of the keyboard must not ask for all the memory there is.
pub(super) const WIDEST: usize = 16_384;

impl NetworkSpec {
    /// What is wrong with the values themselves, as (path, message); empty when all is well.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        check_dropout(&mut found, "dropout", self.dropout);
        check_dropout(&mut found, "numeric.dropout", self.numeric.dropout);
        check_dropout(&mut found, "text.dropout", self.text.dropout);
        check_layers(&mut found, "numeric.layers", &self.numeric.layers);
        check_layers(&mut found, "text.layers", &self.text.layers);
        check_layers(&mut found, "trunk.layers", &self.trunk.layers);
        for (column, branch) in &self.columns {
            if let Some(dropout) = branch.dropout {
                check_dropout(&mut found, &format!("columns.{column}.dropout"), dropout);
            }
            if let Some(layers) = &branch.layers {
                check_layers(&mut found, &format!("columns.{column}.layers"), layers);
            }
        }
        found
    }
}

fn check_dropout(found: &mut Vec<(String, String)>, path: &str, value: f64) {
    if !(0.0..1.0).contains(&value) {
        found.push((path.into(), format!("{value} is no share of units to drop: give 0 to below 1")));
    }
}

fn check_layers(found: &mut Vec<(String, String)>, path: &str, widths: &[usize]) {
    if let Some(width) = widths.iter().find(|&&width| width == 0 || width > WIDEST) {
        found.push((path.into(), format!("a layer of {width} units is not possible: give 1 to {WIDEST}")));
    }
}
