//! `Blueprint`: the exact shape of a network, made from a spec and the data's widths. Two networks with equal
//! blueprints have the same tensors.

use serde::{Deserialize, Serialize};

use super::{Activation, AdaptSpec, Fusion, NetworkSpec, NumericEmbedding, Parametrization, TrunkKind};
use crate::encoder::EncoderShape;
use runner_results::spec::{MOST, WIDEST};

/// The shape of a network; part of the recipe that is stored with its weights. What is left out in JSON is as in networks
/// that have only what older recipes could say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// In the order of the inputs.
    pub(crate) branches: Vec<BranchBlueprint>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) fusion: Fusion,
    /// Width of the branches' sum in gated fusion.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) fusion_width: usize,
    /// Share of rows that lose a branch while training; without effect on predictions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) branch_dropout: f64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) trunk_kind: TrunkKind,
    /// Widths of the trunk's hidden layers.
    pub(crate) trunk: Vec<usize>,
    /// Members of the ensemble of a `tabm` trunk, else 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(crate) members: usize,
    /// Outputs of the head.
    pub(crate) classes: usize,
    pub(crate) activation: Activation,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) parametrization: Parametrization,
    pub(crate) batch_norm: bool,
    /// Added to the variance by batch norm.
    pub(crate) batch_norm_epsilon: f64,
    /// After each hidden layer while training; without effect on predictions.
    pub(crate) dropout: f64,
}

/// One branch: `key` names its tensors, e.g. `branches.numeric.layers.0.linear.weight`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BranchBlueprint {
    pub(crate) key: String,
    /// Width of the input.
    pub(crate) input: usize,
    /// On the input while training; of categories the share of rows taken for unknown.
    pub(crate) dropout: f64,
    /// What the input passes before the layers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) embedding: Embedding,
    /// Whether there is a learned factor for each input of the first layer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) scale: bool,
    /// Widths of the hidden layers.
    pub(crate) layers: Vec<usize>,
}

/// How inputs become vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Embedding {
    #[default]
    None,
    /// Cosines of each number, brought to `width` − 1, and the number.
    Periodic { frequencies: usize, width: usize, sigma: f64 },
    /// Shares of `bins` of each number, brought to `width`.
    PiecewiseLinear { bins: usize, width: usize },
    /// A row of a table for each of `values` values; row 0 stands for what is unknown.
    Table { values: usize, width: usize },
    /// Texts through an encoder of `depth` layers, of which the last `layers` belong to the network.
    Encoder { depth: usize, layers: usize, width: usize, intermediate: usize, update: Update },
}

/// What an adapted layer learns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Update {
    /// All its weights.
    Full,
    /// W + scale·B·A of its query and value projections (Hu et al. 2021, arXiv 2106.09685).
    LowRank { rank: usize, scale: f64 },
}

/// The widths of a network's inputs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Widths<'a> {
    /// Of the prepared numeric input, 0 without numeric columns.
    pub numeric: usize,
    /// Name and width of each text column.
    pub text: &'a [(String, usize)],
    /// Name of each text column whose encoder can be adapted, and the encoder's shape.
    pub encoders: &'a [(String, EncoderShape)],
    /// Name and number of values of each column of categories, the unknown one included.
    pub categories: &'a [(String, usize)],
}

impl BranchBlueprint {
    /// Width of what reaches the layers.
    pub(crate) fn embedded(&self) -> usize {
        match self.embedding {
            Embedding::None => self.input,
            Embedding::Periodic { width, .. } | Embedding::PiecewiseLinear { width, .. } => self.input * width,
            Embedding::Table { width, .. } | Embedding::Encoder { width, .. } => width,
        }
    }

    /// Width of what the branch hands on.
    pub(crate) fn output(&self) -> usize {
        self.layers.last().copied().unwrap_or(self.embedded())
    }

    /// Whether something is learned before the layers.
    pub(crate) fn has_first_stage(&self) -> bool {
        self.scale || self.embedding != Embedding::None
    }

    /// What can be frozen one after another: the first stage, if there is one, then the layers.
    pub(crate) fn levels(&self) -> usize {
        usize::from(self.has_first_stage()) + self.layers.len()
    }
}

impl Blueprint {
    /// The error names a column in `spec.columns` or `spec.category_columns` that is not there.
    pub fn new(spec: &NetworkSpec, widths: Widths, classes: usize) -> Result<Self, (String, String)> {
        check_names("columns", "text", spec.columns.keys(), widths.text)?;
        check_names("category_columns", "category", spec.category_columns.keys(), widths.categories)?;
        let mut branches: Vec<BranchBlueprint> = Vec::new();
        if widths.numeric > 0 {
            let own = &spec.numeric;
            let embedding = match own.embedding {
                NumericEmbedding::None => Embedding::None,
                NumericEmbedding::Periodic => Embedding::Periodic {
                    frequencies: own.frequencies.unwrap_or(16),
                    width: own.width.unwrap_or(4),
                    sigma: own.sigma.unwrap_or(0.1),
                },
                NumericEmbedding::PiecewiseLinear => {
                    Embedding::PiecewiseLinear { bins: own.bins.unwrap_or(24), width: own.width.unwrap_or(8) }
                }
            };
            branches.push(BranchBlueprint {
                key: "numeric".into(),
                input: widths.numeric,
                dropout: own.dropout,
                embedding,
                scale: own.scale,
                layers: own.layers.clone(),
            });
        }
        for (column, width) in widths.text {
            let own = spec.columns.get(column);
            branches.push(BranchBlueprint {
                key: free_key("text", column, &branches),
                input: *width,
                dropout: own.and_then(|own| own.dropout).unwrap_or(spec.text.dropout),
                embedding: match spec.adapt(column) {
                    Some(adapt) => encoder(adapt, column, widths.encoders)?,
                    None => Embedding::None,
                },
                scale: false,
                layers: own.and_then(|own| own.layers.clone()).unwrap_or_else(|| spec.text.layers.clone()),
            });
        }
        for (column, values) in widths.categories {
            let own = spec.category_columns.get(column);
            let width = own.and_then(|own| own.width).unwrap_or(spec.categories.width);
            branches.push(BranchBlueprint {
                key: free_key("category", column, &branches),
                input: 1,
                dropout: own.and_then(|own| own.unknown_rate).unwrap_or(spec.categories.unknown_rate),
                embedding: Embedding::Table { values: *values, width },
                scale: false,
                layers: spec.categories.layers.clone(),
            });
        }
        let gated = spec.fusion == Fusion::Gated;
        let tabm = spec.trunk.kind == TrunkKind::Tabm;
        Ok(Blueprint {
            branches,
            fusion: spec.fusion,
            fusion_width: if gated { spec.fusion_width.unwrap_or(128) } else { 0 },
            branch_dropout: spec.branch_dropout,
            trunk_kind: spec.trunk.kind,
            trunk: spec.trunk.layers.clone(),
            members: if tabm { spec.trunk.members.unwrap_or(16) } else { 1 },
            classes,
            activation: spec.activation,
            parametrization: spec.parametrization,
            batch_norm: spec.batch_norm,
            batch_norm_epsilon: 1e-5,
            dropout: spec.dropout,
        })
    }

    /// The trunks, each with its prefix and the width of its input.
    pub(crate) fn trunks(&self) -> Vec<(String, usize)> {
        let widths = self.branches.iter().map(BranchBlueprint::output);
        match self.fusion {
            Fusion::Concat => vec![(String::new(), widths.sum())],
            Fusion::Gated => vec![(String::new(), self.fusion_width)],
            Fusion::Late => self.branches.iter().map(|branch| format!("{}.", branch.key)).zip(widths).collect(),
        }
    }

    /// Whether batch norm sees the rows of a batch, which then must not be of a single row.
    pub(crate) fn needs_two_rows(&self) -> bool {
        self.batch_norm
    }

    /// Whether every width is one that `NetworkSpec::problems` lets pass.
    pub(crate) fn is_plausible(&self) -> bool {
        let possible = |width: usize| (1..=WIDEST).contains(&width);
        let few = |count: usize| (1..=MOST).contains(&count);
        let embedding = |branch: &BranchBlueprint| match branch.embedding {
            Embedding::None => true,
            Embedding::Periodic { frequencies, width, .. } => few(frequencies) && width >= 2 && few(width),
            Embedding::PiecewiseLinear { bins, width } => few(bins) && few(width),
            Embedding::Table { values, width } => values < 1 << 24 && values > 0 && possible(width),
            Embedding::Encoder { depth, layers, width, intermediate, update } => {
                let low_rank = |rank: usize, scale: f64| few(rank) && scale.is_finite();
                (1..=depth).contains(&layers)
                    && few(depth)
                    && possible(width)
                    && intermediate > 0
                    && intermediate <= 8 * WIDEST
                    && branch.input == width
                    && matches!(update, Update::Full)
                        | matches!(update, Update::LowRank { rank, scale } if low_rank(rank, scale))
            }
        };
        let gated = self.fusion == Fusion::Gated;
        self.trunk.iter().chain(self.branches.iter().flat_map(|branch| &branch.layers)).all(|&width| possible(width))
            && self.branches.iter().all(embedding)
            && (!gated || possible(self.fusion_width))
            && few(self.members)
            && self.classes > 0
    }

    /// Layers that can be frozen one after another: the branches' first ones together, their second ones …, then
    /// the trunk's. The head is never frozen.
    pub(crate) fn levels(&self) -> usize {
        self.branch_levels() + self.trunk.len()
    }

    /// Layers of the deepest branch: the level at which the trunk begins.
    pub(crate) fn branch_levels(&self) -> usize {
        self.branches.iter().map(BranchBlueprint::levels).max().unwrap_or(0)
    }
}

fn encoder(adapt: AdaptSpec, column: &str, encoders: &[(String, EncoderShape)]) -> Result<Embedding, (String, String)> {
    let path = format!("text.adapt.layers of {column}");
    let Some((_, shape)) = encoders.iter().find(|(name, _)| name == column) else {
        return Err((path, format!("'{column}' comes as vectors alone: there is no encoder to adapt")));
    };
    let EncoderShape { hidden, intermediate, depth } = *shape;
    if adapt.layers > depth {
        return Err((path, format!("the encoder has {depth} layers, not {}", adapt.layers)));
    }
    let update = match adapt.rank {
        None => Update::Full,
        // Twice the rank is what the paper's authors and its followers mostly take.
        Some(rank) => Update::LowRank { rank, scale: adapt.alpha.unwrap_or(2.0 * rank as f64) / rank as f64 },
    };
    Ok(Embedding::Encoder { depth, layers: adapt.layers, width: hidden, intermediate, update })
}

fn check_names<'a>(
    path: &str,
    what: &str,
    mut names: impl Iterator<Item = &'a String>,
    columns: &[(String, usize)],
) -> Result<(), (String, String)> {
    match names.find(|column| !columns.iter().any(|(name, _)| name == *column)) {
        None => Ok(()),
        Some(column) => {
            let known: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let known = if known.is_empty() { "there are none".to_string() } else { known.join(", ") };
            Err((format!("{path}.{column}"), format!("'{column}' is not a {what} column of this network: {known}")))
        }
    }
}

/// `<kind>_<column>`, without the dots that separate modules in tensor names, and unlike every key taken so far.
fn free_key(kind: &str, column: &str, taken: &[BranchBlueprint]) -> String {
    let base = format!("{kind}_{}", column.replace('.', "_"));
    let mut key = base.clone();
    let mut number = 2;
    while taken.iter().any(|branch| branch.key == key) {
        key = format!("{base}_{number}");
        number += 1;
    }
    key
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> usize {
    1
}

fn is_one(value: &usize) -> bool {
    *value == 1
}
