//! What a user says about training: epochs, batches, optimizer, schedule, loss, early stopping.
//!
//! Knows nothing of networks or data.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

/// The `training` block of a train stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingSpec {
    /// Passes over the training part at most.
    pub epochs: usize,
    /// Rows for each step. A last batch of a single row joins the one before it where batch norm needs two.
    pub batch_size: usize,
    /// How gradients become steps.
    pub optimizer: OptimizerSpec,
    /// How the learning rate changes over the steps.
    pub schedule: ScheduleSpec,
    /// What is minimised.
    pub loss: Loss,
    /// Share of the target spread over all classes, 0 to below 1.
    pub label_smoothing: f64,
    /// Weight of each class in the loss: none, balanced, or a map from class to weight (1 for classes left out).
    pub class_weights: ClassWeights,
    /// Gradients longer than this (Euclidean norm over all weights) are shortened to it; null leaves them.
    pub clip_norm: Option<f64>,
    /// Which epoch is kept, and when training ends before `epochs`.
    pub early_stopping: EarlyStoppingSpec,
}

impl Default for TrainingSpec {
    fn default() -> Self {
        TrainingSpec {
            epochs: 40,
            batch_size: 256,
            optimizer: OptimizerSpec::default(),
            schedule: ScheduleSpec::default(),
            loss: Loss::CrossEntropy,
            label_smoothing: 0.05,
            class_weights: ClassWeights::Named(NamedWeights::None),
            clip_norm: Some(1.0),
            early_stopping: EarlyStoppingSpec::default(),
        }
    }
}

/// What is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Mean negative log-likelihood of the true class, in nats.
    #[default]
    CrossEntropy,
}

impl Loss {
    /// The name under which recipes and reports keep it.
    pub fn name(self) -> &'static str {
        match self {
            Loss::CrossEntropy => "cross_entropy",
        }
    }
}

/// How gradients become steps; formulas and defaults as in `torch.optim`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerSpec {
    /// The update rule.
    pub kind: OptimizerKind,
    /// Learning rate: the largest one where a schedule changes it.
    pub lr: f64,
    /// sgd and rmsprop: share of the last step in the next (default 0.9 for sgd, 0 for rmsprop).
    pub momentum: Option<f64>,
    /// sgd: looks ahead along the momentum (default false).
    pub nesterov: Option<bool>,
    /// adam and adamw: decay of the mean and of the mean square of gradients (default [0.9, 0.999]).
    pub betas: Option<[f64; 2]>,
    /// rmsprop: decay of the mean square of gradients (default 0.99).
    pub alpha: Option<f64>,
    /// Pulls weights towards 0: decoupled from the gradient in adamw (default 0.01), added to it elsewhere (default 0).
    pub weight_decay: Option<f64>,
    /// adam, adamw, rmsprop: keeps the division by a small mean square finite (default 1e-8).
    pub epsilon: Option<f64>,
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

/// How the learning rate changes: by step, but for `step` and `plateau`, which change it by epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSpec {
    /// The course of the rate.
    pub kind: ScheduleKind,
    /// Epochs in which the rate first rises linearly from near 0 to its start; one_cycle has its own rise instead.
    pub warmup_epochs: f64,
    /// step: epochs between two reductions (default 10).
    pub step_epochs: Option<usize>,
    /// step and plateau: factor of each reduction (default 0.5).
    pub factor: Option<f64>,
    /// plateau: epochs without a better early-stopping metric before a reduction (default 5).
    pub patience: Option<usize>,
    /// cosine and plateau: the lowest rate (default 0).
    pub min_lr: Option<f64>,
    /// one_cycle: share of all steps in which the rate rises (default 0.3).
    pub rise: Option<f64>,
    /// one_cycle: the first rate is the largest divided by this (default 25).
    pub start_divisor: Option<f64>,
    /// one_cycle: the last rate is the first divided by this (default 10000).
    pub end_divisor: Option<f64>,
    /// one_cycle: moves momentum or the first beta between 0.95 and 0.85 against the rate (default true).
    pub cycle_momentum: Option<bool>,
}

impl Default for ScheduleSpec {
    fn default() -> Self {
        ScheduleSpec {
            kind: ScheduleKind::OneCycle,
            warmup_epochs: 0.0,
            step_epochs: None,
            factor: None,
            patience: None,
            min_lr: None,
            rise: None,
            start_divisor: None,
            end_divisor: None,
            cycle_momentum: None,
        }
    }
}

/// The course of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// The same rate throughout.
    Constant,
    /// Reduced by a factor every few epochs.
    Step,
    /// Falls along half a cosine (Loshchilov and Hutter 2016, arXiv 1608.03983).
    Cosine,
    /// Rises, then falls far below the start (Smith and Topin 2017, arXiv 1708.07120), as `torch.optim.lr_scheduler.OneCycleLR`.
    #[default]
    OneCycle,
    /// Reduced when the early-stopping metric no longer improves.
    Plateau,
}

/// Weight of each class in the loss.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ClassWeights {
    /// none or balanced
    Named(NamedWeights),
    /// Class to weight; 1 for classes left out.
    Map(BTreeMap<String, f64>),
}

/// Class weights that need no figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedWeights {
    /// Every row counts the same.
    None,
    /// Every class counts the same: rows / (classes × rows of the class), as in scikit-learn.
    Balanced,
}

// By hand, because serde's untagged enums answer every mistake with "did not match any variant".
impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ClassWeights;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("none, balanced, or a map from class to weight")
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<ClassWeights, E> {
                Ok(ClassWeights::Named(NamedWeights::None))
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<ClassWeights, E> {
                match word {
                    "none" => Ok(ClassWeights::Named(NamedWeights::None)),
                    "balanced" => Ok(ClassWeights::Named(NamedWeights::Balanced)),
                    _ => Err(E::unknown_variant(word, &["none", "balanced"])),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClassWeights, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(ClassWeights::Map)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Which epoch is kept. The best one on the validation part always is, whether or not training stops early.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStoppingSpec {
    /// Epochs without improvement after which training ends; null trains all epochs.
    pub patience: Option<usize>,
    /// What "better" means on the validation part.
    pub metric: Metric,
    /// The least change that counts as an improvement.
    pub min_delta: f64,
}

/// A score of the validation part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean negative log-likelihood; lower is better.
    Loss,
    /// Share of rows that are right.
    Accuracy,
    /// Unweighted mean of the classes' F1.
    #[default]
    MacroF1,
}

impl Metric {
    /// As it stands in messages.
    pub fn label(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Accuracy => "accuracy",
            Metric::MacroF1 => "macro-F1",
        }
    }

    /// The value with its sign turned so that larger is better.
    pub fn merit(self, value: f64) -> f64 {
        if self == Metric::Loss { -value } else { value }
    }
}

impl TrainingSpec {
    /// What is wrong with the values themselves, as (path, message); empty when all is well.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut need = |fine: bool, path: &str, message: String| {
            if !fine {
                found.push((path.to_string(), message));
            }
        };
        let share = |x: f64| (0.0..1.0).contains(&x);
        let positive = |x: f64| x > 0.0 && x.is_finite();
        need(self.epochs >= 1, "epochs", "at least 1 epoch is needed".into());
        need(self.batch_size >= 1, "batch_size", "a batch needs at least 1 row".into());
        let smoothing = self.label_smoothing;
        need(share(smoothing), "label_smoothing", format!("{smoothing} is not in 0 to below 1"));
        if let Some(norm) = self.clip_norm {
            need(positive(norm), "clip_norm", format!("{norm} is not above 0; null switches clipping off"));
        }
        if let ClassWeights::Map(weights) = &self.class_weights {
            for (class, &weight) in weights {
                need(positive(weight), &format!("class_weights.{class}"), format!("{weight} is not above 0"));
            }
        }
        let patience = self.early_stopping.patience;
        need(patience != Some(0), "early_stopping.patience", "0 would stop at once; null never stops early".into());
        let delta = self.early_stopping.min_delta;
        need(delta >= 0.0 && delta.is_finite(), "early_stopping.min_delta", format!("{delta} is not 0 or above"));
        for (path, message) in self.optimizer.problems() {
            found.push((format!("optimizer.{path}"), message));
        }
        for (path, message) in self.schedule.problems() {
            found.push((format!("schedule.{path}"), message));
        }
        found
    }
}

impl OptimizerSpec {
    fn problems(&self) -> Vec<(&'static str, String)> {
        use OptimizerKind::*;
        let mut found = Vec::new();
        let share = |x: f64| (0.0..1.0).contains(&x);
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            found.push(("lr", format!("{} is not above 0", self.lr)));
        }
        let mut only = |path: &'static str, given: bool, kinds: &[OptimizerKind], fine: bool, range: &str| {
            if given && !kinds.contains(&self.kind) {
                let kinds: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
                found.push((path, format!("only {} takes it: leave it out", kinds.join(" and "))));
            } else if given && !fine {
                found.push((path, format!("the value is not in {range}")));
            }
        };
        only("momentum", self.momentum.is_some(), &[Sgd, Rmsprop], self.momentum.is_none_or(share), "0 to below 1");
        let ahead = self.nesterov != Some(true) || self.momentum != Some(0.0);
        only("nesterov", self.nesterov.is_some(), &[Sgd], ahead, "use with a momentum of 0");
        let betas = self.betas.is_none_or(|betas| betas.into_iter().all(share));
        only("betas", self.betas.is_some(), &[Adam, Adamw], betas, "0 to below 1");
        only("alpha", self.alpha.is_some(), &[Rmsprop], self.alpha.is_none_or(share), "0 to below 1");
        let epsilon = self.epsilon.is_none_or(|epsilon| epsilon > 0.0 && epsilon.is_finite());
        only("epsilon", self.epsilon.is_some(), &[Adam, Adamw, Rmsprop], epsilon, "above 0");
        let decay = self.weight_decay.is_none_or(|decay| decay >= 0.0 && decay.is_finite());
        only("weight_decay", self.weight_decay.is_some(), &[Sgd, Adam, Adamw, Rmsprop], decay, "0 or above");
        found
    }
}

impl ScheduleSpec {
    fn problems(&self) -> Vec<(&'static str, String)> {
        use ScheduleKind::*;
        let mut found = Vec::new();
        if !(self.warmup_epochs >= 0.0 && self.warmup_epochs.is_finite()) {
            found.push(("warmup_epochs", format!("{} is not 0 or above", self.warmup_epochs)));
        } else if self.warmup_epochs > 0.0 && self.kind == OneCycle {
            found.push(("warmup_epochs", "one_cycle has its own rise: set 'rise' instead".into()));
        }
        let mut only = |path: &'static str, given: bool, kinds: &[ScheduleKind], fine: bool, range: &str| {
            if given && !kinds.contains(&self.kind) {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                found.push((path, format!("only {} takes it: leave it out", names.join(" and "))));
            } else if given && !fine {
                found.push((path, format!("the value is not {range}")));
            }
        };
        let above_one = |x: Option<f64>| x.is_none_or(|x| x >= 1.0 && x.is_finite());
        only("step_epochs", self.step_epochs.is_some(), &[Step], self.step_epochs != Some(0), "1 or above");
        let factor = self.factor.is_none_or(|x| x > 0.0 && x < 1.0);
        only("factor", self.factor.is_some(), &[Step, Plateau], factor, "between 0 and 1");
        only("patience", self.patience.is_some(), &[Plateau], true, "");
        let lowest = self.min_lr.is_none_or(|x| x >= 0.0 && x.is_finite());
        only("min_lr", self.min_lr.is_some(), &[Cosine, Plateau], lowest, "0 or above");
        let rise = self.rise.is_none_or(|x| x > 0.0 && x < 1.0);
        only("rise", self.rise.is_some(), &[OneCycle], rise, "between 0 and 1");
        only("start_divisor", self.start_divisor.is_some(), &[OneCycle], above_one(self.start_divisor), "1 or above");
        only("end_divisor", self.end_divisor.is_some(), &[OneCycle], above_one(self.end_divisor), "1 or above");
        only("cycle_momentum", self.cycle_momentum.is_some(), &[OneCycle], true, "");
        found
    }
}

impl ScheduleKind {
    fn name(self) -> &'static str {
        match self {
            ScheduleKind::Constant => "constant",
            ScheduleKind::Step => "step",
            ScheduleKind::Cosine => "cosine",
            ScheduleKind::OneCycle => "one_cycle",
            ScheduleKind::Plateau => "plateau",
        }
    }
}
