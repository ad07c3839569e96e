//! `Blueprint`: the exact shape of a network, made from a spec and the data's widths. Two networks with equal
//! blueprints have the same tensors.
//!
//! Knows nothing of weights.

use serde::{Deserialize, Serialize};

use super::{Activation, NetworkSpec};

/// The shape of a network; part of the recipe that is stored with its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// In the order in which their outputs are concatenated.
    pub branches: Vec<BranchBlueprint>,
    /// Widths of the trunk's hidden layers.
    pub trunk: Vec<usize>,
    /// Outputs of the head.
    pub classes: usize,
    pub activation: Activation,
    pub batch_norm: bool,
    /// Added to the variance by batch norm.
    pub batch_norm_epsilon: f64,
    /// After each hidden layer while training; without effect on predictions.
    pub dropout: f64,
}

/// One branch: `key` names its tensors, e.g. `branches.numeric.layers.0.linear.weight`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchBlueprint {
    pub key: String,
    /// Width of the input.
    pub input: usize,
    /// On the input while training.
    pub dropout: f64,
    /// Widths of the hidden layers.
    pub layers: Vec<usize>,
}

impl BranchBlueprint {
    /// Width of what the branch hands to the trunk.
    pub fn output(&self) -> usize {
        self.layers.last().copied().unwrap_or(self.input)
    }
}

impl Blueprint {
    /// `numeric`: width of the prepared numeric input, 0 without numeric columns; `text`: name and width of each text column.
    /// The error names a column in `spec.columns` that is not there.
    pub fn new(
        spec: &NetworkSpec,
        numeric: usize,
        text: &[(String, usize)],
        classes: usize,
    ) -> Result<Self, (String, String)> {
        if let Some(column) = spec.columns.keys().find(|column| !text.iter().any(|(name, _)| name == *column)) {
            let known: Vec<&str> = text.iter().map(|(name, _)| name.as_str()).collect();
            let known = if known.is_empty() { "there are none".to_string() } else { known.join(", ") };
            return Err((
                format!("columns.{column}"),
                format!("'{column}' is not a text column of this network: {known}"),
            ));
        }
        let mut branches = Vec::new();
        if numeric > 0 {
            branches.push(BranchBlueprint {
                key: "numeric".into(),
                input: numeric,
                dropout: spec.numeric.dropout,
                layers: spec.numeric.layers.clone(),
            });
        }
        for (column, width) in text {
            let own = spec.columns.get(column);
            branches.push(BranchBlueprint {
                key: free_key(column, &branches),
                input: *width,
                dropout: own.and_then(|own| own.dropout).unwrap_or(spec.text.dropout),
                layers: own.and_then(|own| own.layers.clone()).unwrap_or_else(|| spec.text.layers.clone()),
            });
        }
        Ok(Blueprint {
            branches,
            trunk: spec.trunk.layers.clone(),
            classes,
            activation: spec.activation,
            batch_norm: spec.batch_norm,
            batch_norm_epsilon: 1e-5,
            dropout: spec.dropout,
        })
    }

    /// Width of the concatenated branches.
    pub fn joined(&self) -> usize {
        self.branches.iter().map(BranchBlueprint::output).sum()
    }

    /// Whether every width is one that `NetworkSpec::problems` lets pass.
    pub fn is_plausible(&self) -> bool {
        let possible = |width: &usize| (1..=super::spec::WIDEST).contains(width);
        self.trunk.iter().chain(self.branches.iter().flat_map(|branch| &branch.layers)).all(possible)
            && self.classes > 0
    }

    /// Layers that can be frozen one after another: the branches' first layers together, their second ones …, then
    /// the trunk's. The head is never frozen.
    pub fn levels(&self) -> usize {
        self.branch_levels() + self.trunk.len()
    }

    /// Layers of the deepest branch: the level at which the trunk begins.
    pub fn branch_levels(&self) -> usize {
        self.branches.iter().map(|branch| branch.layers.len()).max().unwrap_or(0)
    }
}

/// `text_<column>`, without the dots that separate modules in tensor names, and unlike every key taken so far.
fn free_key(column: &str, taken: &[BranchBlueprint]) -> String {
    let base = format!("text_{}", column.replace('.', "_"));
    let mut key = base.clone();
    let mut number = 2;
    while taken.iter().any(|branch| branch.key == key) {
        key = format!("{base}_{number}");
        number += 1;
    }
    key
}
