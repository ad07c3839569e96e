//! The `optimizer` block of a training: the update rule and its constants.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How gradients become steps; formulas and defaults as in `torch.optim`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerSpec {
    /// The update rule.
    pub kind: OptimizerKind,
    /// Learning rate: the largest one where a schedule changes it.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub lr: f64,
    /// sgd and rmsprop: share of the last step in the next (default 0.9 for sgd, 0 for rmsprop).
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: Option<f64>,
    /// sgd: looks ahead along the momentum (default false).
    pub nesterov: Option<bool>,
    /// adam and adamw: decay of the mean and of the mean square of gradients (default [0.9, 0.999]).
    #[schemars(with = "Option<[Decay; 2]>")]
    pub betas: Option<[f64; 2]>,
    /// rmsprop: decay of the mean square of gradients (default 0.99).
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub alpha: Option<f64>,
    /// Pulls weights towards 0: decoupled from the gradient in adamw (default 0.01), added to it elsewhere (default 0).
    #[schemars(range(min = 0.0, max = 1e6))]
    pub weight_decay: Option<f64>,
    /// adam, adamw, rmsprop: keeps the division by a small mean square finite (default 1e-8).
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub epsilon: Option<f64>,
    /// Shrinks the weights of layers alone: neither biases, scales nor embeddings (default false).
    pub decay_weights_only: Option<bool>,
    /// Factors of the learning rate for tensors that are not weights of layers.
    pub factors: Factors,
}

/// The share of the last mean that stays in the next.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Decay(
    #[expect(dead_code, reason = "stands for a range in the schema")]
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    f64,
);

/// Factors of the learning rate by kind of tensor; 1 unless given, of encoders 0.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Factors {
    /// Biases and shifts.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub biases: f64,
    /// Factors of single features: of batch norm, of inputs, of ensemble members.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub scales: f64,
    /// The embedding of numbers.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub embeddings: f64,
    /// The learned vectors of categories.
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub categories: f64,
    /// Adapted layers of text encoders, all their tensors alike (default 0.1).
    #[serde(skip_serializing_if = "is_default_encoder")]
    #[schemars(range(max = 1e6), extend("exclusiveMinimum" = 0.0))]
    pub encoder: f64,
}

/// What had learnt before moves slower than what begins.
const ENCODER: f64 = 0.1;

/// Left out where it is not set, so that trainings without texts are written down as before.
fn is_default_encoder(factor: &f64) -> bool {
    *factor == ENCODER
}

impl Default for Factors {
    fn default() -> Self {
        Factors { biases: 1.0, scales: 1.0, embeddings: 1.0, categories: 1.0, encoder: ENCODER }
    }
}

impl Default for OptimizerSpec {
    fn default() -> Self {
        OptimizerSpec {
            kind: OptimizerKind::Adamw,
            lr: 2e-3,
            momentum: None,
            nesterov: None,
            betas: None,
            alpha: None,
            weight_decay: None,
            epsilon: None,
            decay_weights_only: None,
            factors: Factors::default(),
        }
    }
}

/// An update rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with momentum (Sutskever et al. 2013)
    Sgd,
    /// Adam (Kingma and Ba 2014, arXiv 1412.6980)
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101)
    #[default]
    Adamw,
    /// RMSprop (Tieleman and Hinton 2012)
    Rmsprop,
}

impl OptimizerKind {
    /// As written in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            OptimizerKind::Sgd => "sgd",
            OptimizerKind::Adam => "adam",
            OptimizerKind::Adamw => "adamw",
            OptimizerKind::Rmsprop => "rmsprop",
        }
    }
}

impl OptimizerSpec {
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        use OptimizerKind::*;
        let mut found = Vec::new();
        let share = |x: f64| (0.0..1.0).contains(&x);
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            found.push(("lr", format!("must be positive; got {}", self.lr)));
        }
        let Factors { biases, scales, embeddings, categories, encoder } = self.factors;
        if [biases, scales, embeddings, categories, encoder].iter().any(|factor| !(*factor > 0.0 && factor.is_finite()))
        {
            found.push(("factors", "must be positive".into()));
        }
        let mut only = |path: &'static str, given: bool, kinds: &[OptimizerKind], fine: bool, range: &str| {
            if given && !kinds.contains(&self.kind) {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                let take = if kinds.len() == 1 { "takes" } else { "take" };
                found.push((path, format!("only {} {take} it: leave it out", kinds.join(" and "))));
            } else if given && !fine {
                found.push((path, range.to_owned()));
            }
        };
        only(
            "momentum",
            self.momentum.is_some(),
            &[Sgd, Rmsprop],
            self.momentum.is_none_or(share),
            "must be in [0, 1)",
        );
        let ahead = self.nesterov != Some(true) || self.momentum != Some(0.0);
        only("nesterov", self.nesterov.is_some(), &[Sgd], ahead, "has no use with a momentum of 0: leave it out");
        let betas = self.betas.is_none_or(|betas| betas.into_iter().all(share));
        only("betas", self.betas.is_some(), &[Adam, Adamw], betas, "must be in [0, 1)");
        only("alpha", self.alpha.is_some(), &[Rmsprop], self.alpha.is_none_or(share), "must be in [0, 1)");
        let epsilon = self.epsilon.is_none_or(|epsilon| epsilon > 0.0 && epsilon.is_finite());
        only("epsilon", self.epsilon.is_some(), &[Adam, Adamw, Rmsprop], epsilon, "must be positive");
        let decay = self.weight_decay.is_none_or(|decay| decay >= 0.0 && decay.is_finite());
        only("weight_decay", self.weight_decay.is_some(), &[Sgd, Adam, Adamw, Rmsprop], decay, "must be at least 0");
        found
    }
}
