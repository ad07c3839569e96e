//! What a user says about a network: its branches, how they are joined, its trunk, and how its inputs are prepared.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// The branch of each column in `categories`: a learned vector for each of its values.
    pub categories: CategoryBranchSpec,
    /// Exceptions from `categories` for single columns, by the column's name.
    pub category_columns: BTreeMap<String, CategoryColumnSpec>,
    /// How branches are joined.
    pub fusion: Fusion,
    /// gated: width of the sum of branches (default 128).
    #[schemars(range(min = 1, max = WIDEST))]
    pub fusion_width: Option<usize>,
    /// Share of rows that lose a branch while training, for each branch; one always stays. 0 to below 1.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub branch_dropout: f64,
    /// The layers after the branches were joined.
    pub trunk: TrunkSpec,
    /// The non-linearity after every hidden layer.
    pub activation: Activation,
    /// Batch normalisation between each hidden linear layer and its activation; the trunk of `tabm` has none.
    pub batch_norm: bool,
    /// Share of units set to zero after each hidden layer while training, 0 to below 1.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
    /// How the sizes of first weights and of steps depend on a layer's width.
    pub parametrization: Parametrization,
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
            categories: CategoryBranchSpec::default(),
            category_columns: BTreeMap::new(),
            fusion: Fusion::Concat,
            fusion_width: None,
            branch_dropout: 0.0,
            trunk: TrunkSpec::default(),
            activation: Activation::Relu,
            batch_norm: true,
            dropout: 0.3,
            parametrization: Parametrization::Standard,
            scaling: Scaling::Quantile,
            missing_indicators: true,
        }
    }
}

/// The non-linearity after every hidden layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0)
    #[default]
    Relu,
    /// Self-normalising exponential unit (Klambauer et al. 2017, arXiv 1706.02515)
    Selu,
    /// x·Φ(x), exact (Hendrycks and Gimpel 2016, arXiv 1606.08415)
    Gelu,
    /// Its tanh form, ½x(1 + tanh(√(2/π)(x + 0.044715x³)))
    GeluTanh,
    /// x·sigmoid(x)
    Silu,
    /// x·tanh(softplus(x)) (Misra 2019, arXiv 1908.08681)
    Mish,
    /// Hyperbolic tangent
    Tanh,
}

/// How numeric columns are brought to a common scale; missing values are the training part's median.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Minus the mean, divided by the standard deviation.
    Standard,
    /// Minus the median, divided by the interquartile range, then x/√(1+(x/3)²) to tame outliers (RealMLP, arXiv 2407.04491).
    Robust,
    /// The rank among the training rows, turned into a normal deviate.
    #[default]
    Quantile,
}

/// How the branches' outputs become one input, or one prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Side by side, before one trunk.
    #[default]
    Concat,
    /// Brought to a common width and added up with weights that depend on the row (Arevalo et al. 2017, arXiv 1702.01992), before one trunk.
    Gated,
    /// A trunk and a head for each branch; the mean of their logits.
    Late,
}

/// How first weights and their effect are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parametrization {
    /// Weights uniform in ±1/√inputs, as PyTorch's.
    #[default]
    Standard,
    /// Standard normal weights, and products divided by √inputs (Jacot et al. 2018, arXiv 1806.07572): steps of one rate suit all widths.
    Ntk,
}

/// The numeric branch. Without layers the scaled numbers go straight to the trunk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NumericBranchSpec {
    /// Widths of the branch's hidden layers, first to last.
    #[schemars(inner(range(min = 1, max = WIDEST)), length(max = 1000))]
    pub layers: Vec<usize>,
    /// Share of the branch's inputs set to zero while training, 0 to below 1.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
    /// Turns each number into a vector before the first layer.
    pub embedding: NumericEmbedding,
    /// periodic and piecewise_linear: width of each number's vector (default 4 and 8).
    #[schemars(range(min = 2, max = MOST))]
    pub width: Option<usize>,
    /// periodic: cosines of each number (default 16).
    #[schemars(range(min = 1, max = MOST))]
    pub frequencies: Option<usize>,
    /// periodic: standard deviation of the first frequencies (default 0.1).
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub sigma: Option<f64>,
    /// piecewise_linear: bins of each number (default 24).
    #[schemars(range(min = 2, max = MOST))]
    pub bins: Option<usize>,
    /// A learned factor for each input of the first layer.
    pub scale: bool,
}

/// How a number becomes a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumericEmbedding {
    /// It stays a number.
    #[default]
    None,
    /// Learned cosines, a linear layer, and the number itself (PBLD of RealMLP, arXiv 2407.04491).
    Periodic,
    /// Its place in each of several bins, and a linear layer (arXiv 2203.05556).
    PiecewiseLinear,
}

/// The branch of a text column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextBranchSpec {
    /// Widths of the branch's hidden layers, first to last. One narrow layer keeps an embedding from drowning the numbers.
    #[schemars(inner(range(min = 1, max = WIDEST)), length(max = 1000))]
    pub layers: Vec<usize>,
    /// Share of the embedding's components set to zero while training, 0 to below 1.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
    /// Brings every row's embedding to the same length.
    pub normalize: bool,
    /// Trains the last layers of the column's encoder along with the network, e.g. {layers: 1} or {layers: 2, rank: 8}; null leaves the encoder as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapt: Option<AdaptSpec>,
}

/// How the last layers of an encoder learn. Their learning rate is that of the optimizer times `factors.encoder`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptSpec {
    /// Transformer layers that learn, counted from the last; those below stand still.
    #[schemars(range(min = 1, max = 1000))]
    pub layers: usize,
    /// Learns a low-rank update of each query and value projection instead of all weights of the layer (LoRA, arXiv 2106.09685).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MOST))]
    pub rank: Option<usize>,
    /// rank: the update is multiplied by alpha / rank (default: twice the rank).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub alpha: Option<f64>,
}

impl Default for TextBranchSpec {
    fn default() -> Self {
        TextBranchSpec { layers: vec![64], dropout: 0.3, normalize: false, adapt: None }
    }
}

/// What differs from `text` for one column; what is left out is as in `text`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnBranchSpec {
    /// Widths of this column's hidden layers.
    #[schemars(inner(range(min = 1, max = WIDEST)), length(max = 1000))]
    pub layers: Option<Vec<usize>>,
    /// Share of this column's inputs set to zero while training.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: Option<f64>,
    /// Which layers of this column's encoder learn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapt: Option<AdaptSpec>,
}

/// The branch of a column of categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CategoryBranchSpec {
    /// Width of the learned vector of each value.
    #[schemars(range(min = 1, max = WIDEST))]
    pub width: usize,
    /// Share of training rows whose value is taken for unknown, so that the network can do without, 0 to below 1.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub unknown_rate: f64,
    /// Values with fewer training rows than this are unknown.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_count: usize,
    /// Widths of the hidden layers after the vector, first to last.
    #[schemars(inner(range(min = 1, max = WIDEST)), length(max = 1000))]
    pub layers: Vec<usize>,
}

impl Default for CategoryBranchSpec {
    fn default() -> Self {
        CategoryBranchSpec { width: 32, unknown_rate: 0.15, min_count: 1, layers: Vec::new() }
    }
}

/// What differs from `categories` for one column; what is left out is as there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CategoryColumnSpec {
    /// Width of this column's vectors.
    #[schemars(range(min = 1, max = WIDEST))]
    pub width: Option<usize>,
    /// Share of training rows whose value is taken for unknown.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub unknown_rate: Option<f64>,
    /// Values with fewer training rows than this are unknown.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_count: Option<usize>,
}

/// The layers after the branches were joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrunkSpec {
    /// How the layers are built.
    pub kind: TrunkKind,
    /// Widths of the hidden layers, first to last; empty for a linear head on the branches.
    #[schemars(inner(range(min = 1, max = WIDEST)), length(max = 1000))]
    pub layers: Vec<usize>,
    /// tabm: members of the ensemble (default 16).
    #[schemars(range(min = 1, max = MOST))]
    pub members: Option<usize>,
}

/// How a trunk is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrunkKind {
    /// Layer after layer.
    #[default]
    Mlp,
    /// Every layer as wide as its input is added to it.
    Residual,
    /// An ensemble that shares its weights: every member scales the inputs and outputs of each layer in its own way and has its own head (TabM, arXiv 2410.24210).
    Tabm,
}

impl Default for TrunkSpec {
    fn default() -> Self {
        TrunkSpec { kind: TrunkKind::Mlp, layers: vec![256, 256, 256], members: None }
    }
}

/// The widest layer that is accepted: a slip of the keyboard must not ask for all the memory there is.
pub const WIDEST: usize = 16_384;

/// The most members, bins, frequencies that are accepted.
pub const MOST: usize = 1_024;

impl NetworkSpec {
    /// How the encoder of a text column is adapted, if it is.
    pub fn adapt(&self, column: &str) -> Option<AdaptSpec> {
        self.columns.get(column).and_then(|own| own.adapt).or(self.text.adapt)
    }

    /// Hidden layers that can be frozen one after another, in a network on these columns; as `Blueprint::levels` of `ml` counts them.
    pub fn levels(&self, numeric: bool, text: &[String], categories: &[String]) -> usize {
        let has_first = self.numeric.scale || self.numeric.embedding != NumericEmbedding::None;
        let numeric = numeric.then(|| usize::from(has_first) + self.numeric.layers.len());
        let text = text.iter().map(|column| {
            let own = self.columns.get(column).and_then(|own| own.layers.as_ref());
            usize::from(self.adapt(column).is_some()) + own.unwrap_or(&self.text.layers).len()
        });
        let categories = categories.iter().map(|_| 1 + self.categories.layers.len());
        numeric.into_iter().chain(text).chain(categories).max().unwrap_or(0) + self.trunk.layers.len()
    }

    /// What is wrong with the values themselves, as (path, message); empty when all is well.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        check_share(&mut found, "dropout", self.dropout, "units to drop");
        check_share(&mut found, "numeric.dropout", self.numeric.dropout, "units to drop");
        check_share(&mut found, "text.dropout", self.text.dropout, "units to drop");
        check_share(&mut found, "branch_dropout", self.branch_dropout, "rows");
        check_share(&mut found, "categories.unknown_rate", self.categories.unknown_rate, "rows");
        check_layers(&mut found, "numeric.layers", &self.numeric.layers);
        check_layers(&mut found, "text.layers", &self.text.layers);
        check_layers(&mut found, "categories.layers", &self.categories.layers);
        check_layers(&mut found, "categories.width", &[self.categories.width]);
        check_layers(&mut found, "trunk.layers", &self.trunk.layers);
        check_adapt(&mut found, "text.adapt", self.text.adapt);
        for (column, branch) in &self.columns {
            check_adapt(&mut found, &format!("columns.{column}.adapt"), branch.adapt);
            if let Some(dropout) = branch.dropout {
                check_share(&mut found, &format!("columns.{column}.dropout"), dropout, "units to drop");
            }
            if let Some(layers) = &branch.layers {
                check_layers(&mut found, &format!("columns.{column}.layers"), layers);
            }
        }
        for (column, own) in &self.category_columns {
            let path = |key: &str| format!("category_columns.{column}.{key}");
            check_share(&mut found, &path("unknown_rate"), own.unknown_rate.unwrap_or(0.0), "rows");
            check_layers(&mut found, &path("width"), &[own.width.unwrap_or(1)]);
        }
        let numeric = &self.numeric;
        let (periodic, piecewise) = (NumericEmbedding::Periodic, NumericEmbedding::PiecewiseLinear);
        let embedded = |kinds: &[NumericEmbedding]| kinds.contains(&numeric.embedding);
        let mut only =
            |path: &str, value: Option<usize>, fits: bool, whose: &str, least: usize, most: usize| match value {
                Some(_) if !fits => found.push((path.into(), format!("only {whose} takes it: leave it out"))),
                Some(value) if value < least || value > most => {
                    found.push((path.into(), format!("{value} is not possible: give {least} to {most}")));
                }
                _ => {}
            };
        only("numeric.width", numeric.width, embedded(&[periodic, piecewise]), "an embedding", 2, MOST);
        only("numeric.frequencies", numeric.frequencies, embedded(&[periodic]), "periodic", 1, MOST);
        only("numeric.bins", numeric.bins, embedded(&[piecewise]), "piecewise_linear", 2, MOST);
        only("trunk.members", self.trunk.members, self.trunk.kind == TrunkKind::Tabm, "tabm", 1, MOST);
        only("fusion_width", self.fusion_width, self.fusion == Fusion::Gated, "gated fusion", 1, WIDEST);
        match numeric.sigma {
            Some(_) if !embedded(&[periodic]) => {
                found.push(("numeric.sigma".into(), "only periodic takes it: leave it out".into()));
            }
            Some(sigma) if !(sigma > 0.0 && sigma.is_finite()) => {
                found.push(("numeric.sigma".into(), format!("must be positive; got {sigma}")));
            }
            _ => {}
        }
        found
    }
}

fn check_share(found: &mut Vec<(String, String)>, path: &str, value: f64, what: &str) {
    if !(0.0..1.0).contains(&value) {
        found.push((path.into(), format!("must be in [0, 1), as a share of {what}; got {value}")));
    }
}

fn check_adapt(found: &mut Vec<(String, String)>, path: &str, adapt: Option<AdaptSpec>) {
    let Some(AdaptSpec { layers, rank, alpha }) = adapt else { return };
    if layers == 0 {
        found.push((format!("{path}.layers"), "at least 1 layer must learn; leave `adapt` out where none does".into()));
    }
    if rank.is_some_and(|rank| rank == 0 || rank > MOST) {
        found.push((
            format!("{path}.rank"),
            format!("a rank of {} is not possible: give 1 to {MOST}", rank.unwrap_or(0)),
        ));
    }
    match alpha {
        Some(_) if rank.is_none() => found.push((format!("{path}.alpha"), "only rank takes it: leave it out".into())),
        Some(alpha) if !(alpha > 0.0 && alpha.is_finite()) => {
            found.push((format!("{path}.alpha"), format!("must be positive; got {alpha}")));
        }
        _ => {}
    }
}

fn check_layers(found: &mut Vec<(String, String)>, path: &str, widths: &[usize]) {
    if let Some(width) = widths.iter().find(|&&width| width == 0 || width > WIDEST) {
        found.push((path.into(), format!("a layer of {width} units is not possible: give 1 to {WIDEST}")));
    }
}
