//! What a user says about training: epochs, batches, optimizer, schedule, loss, early stopping.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::optimizer::OptimizerSpec;
use super::schedule::{ScheduleKind, ScheduleSpec};
use crate::metric::Metric;

/// Hands the parameters of training to the macro `then`, after what is given with it: each stands here alone. A stage that trains has them as fields of its
/// own (`--set fused.optimizer.lr=3e-4`), so that each keeps its own place in messages, which serde's `flatten` would lose.
#[macro_export]
macro_rules! training_parameters {
    ($then:ident! { $($given:tt)* }) => {
        $then! {
            { $($given)* }
            /// Passes over the training part at most.
            #[serde(default = "runner_results::spec::training_defaults::epochs")]
            #[schemars(range(min = 1, max = 1_000_000))]
            epochs: usize,
            /// Rows for each step.
            #[serde(default = "runner_results::spec::training_defaults::batch_size")]
            #[schemars(range(min = 1, max = 1_000_000_000))]
            batch_size: usize,
            /// How gradients become steps.
            #[serde(default)]
            optimizer: $crate::spec::OptimizerSpec,
            /// How the learning rate changes over the steps.
            #[serde(default)]
            schedule: $crate::spec::ScheduleSpec,
            /// What is minimised.
            #[serde(default)]
            loss: $crate::spec::Loss,
            /// Share of the target spread over all classes, 0 to below 1.
            #[serde(default = "runner_results::spec::training_defaults::label_smoothing")]
            #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
            label_smoothing: f64,
            /// Weight of each class in the loss: none, balanced, or a map from class to weight. What is predicted keeps the weights, probabilities do not.
            #[serde(default = "runner_results::spec::training_defaults::class_weights")]
            class_weights: $crate::spec::ClassWeights,
            /// Gradients longer than this are shortened to it; null leaves them.
            #[serde(default = "runner_results::spec::training_defaults::clip_norm")]
            #[schemars(range(max = 1e30), extend("exclusiveMinimum" = 0.0))]
            clip_norm: Option<f64>,
            /// Which epoch is kept, and when training ends before `epochs`.
            #[serde(default)]
            early_stopping: $crate::spec::EarlyStoppingSpec,
            /// How dropout changes over the steps.
            #[serde(default)]
            dropout_schedule: $crate::spec::DropoutSchedule,
            /// Decay of a moving average over the weights of all steps, which is then the network, e.g. 0.998; null keeps the last weights.
            #[serde(default)]
            #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
            average: Option<f64>,
        }
    };
}

macro_rules! declare {
    ({ $(#[$outer:meta])* pub struct $name:ident {} } $($(#[$meta:meta])* $field:ident: $type:ty,)*) => {
        $(#[$outer])*
        pub struct $name {
            $($(#[$meta])* pub $field: $type,)*
        }
    };
}

training_parameters! { declare! {
    /// How a network is trained.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub struct TrainingSpec {}
} }

/// The defaults of [`TrainingSpec`] that are not those of their types, one by one.
pub mod training_defaults {
    use super::{ClassWeights, TrainingSpec};

    /// Passes over the training part.
    pub fn epochs() -> usize {
        TrainingSpec::default().epochs
    }

    /// Rows for each step.
    pub fn batch_size() -> usize {
        TrainingSpec::default().batch_size
    }

    /// Share of the target spread over all classes.
    pub fn label_smoothing() -> f64 {
        TrainingSpec::default().label_smoothing
    }

    /// Weights of the classes in the loss.
    pub fn class_weights() -> ClassWeights {
        TrainingSpec::default().class_weights
    }

    /// Norm to which longer gradients are shortened.
    pub fn clip_norm() -> Option<f64> {
        TrainingSpec::default().clip_norm
    }
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
            dropout_schedule: DropoutSchedule::Constant,
            average: None,
        }
    }
}

/// How the rates of dropout (of units, of branches, of known categories) change over the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DropoutSchedule {
    /// The same throughout.
    #[default]
    Constant,
    /// The same in the first half, then down to 0 along half a cosine (RealMLP, arXiv 2407.04491).
    FlatCosine,
}

impl DropoutSchedule {
    /// What is left of the rates at a share of all steps.
    pub fn factor(self, share: f64) -> f64 {
        match self {
            DropoutSchedule::FlatCosine if share > 0.5 => {
                0.5 * (1.0 + (std::f64::consts::PI * (2.0 * share.min(1.0) - 1.0)).cos())
            }
            _ => 1.0,
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
    /// The same of every cut through the order of the classes, where they have one (`class_order`): whether a row lies above the cut, by the sum of the classes'
    /// probabilities there. Far mistakes are wrong at more cuts than near ones.
    Ordinal,
}

impl Loss {
    /// The name under which recipes and reports keep it.
    pub fn name(self) -> &'static str {
        match self {
            Loss::CrossEntropy => "cross_entropy",
            Loss::Ordinal => "ordinal",
        }
    }
}

/// Weight of each class in the loss.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ClassWeights {
    /// none or balanced
    Named(NamedWeights),
    /// Class to weight; 1 for classes left out.
    Map(#[schemars(with = "BTreeMap<String, ClassWeight>")] BTreeMap<String, f64>),
}

/// The weight of a class: within what single precision tells apart from nothing and from infinity.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct ClassWeight(
    #[expect(dead_code, reason = "stands for a range in the schema")]
    #[schemars(range(min = 1e-6, max = 1e6))]
    f64,
);

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
    #[schemars(range(min = 1, max = 1_000_000))]
    pub patience: Option<usize>,
    /// What "better" means on the validation part; the pipeline's `metric` unless given, or without that macro_f1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The least change that counts as an improvement.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub min_delta: f64,
}

impl EarlyStoppingSpec {
    /// By which the epoch is chosen.
    pub fn metric(&self) -> Metric {
        self.metric.unwrap_or_default()
    }
}

impl TrainingSpec {
    /// This training with all set to its default that does not bear on the course of the weights: which epoch is kept
    /// and when to stop, and the number of epochs unless the schedule looks at it. Trainings of equal trajectories (and
    /// equal data, network and seed) pass through the same states.
    pub fn trajectory(&self) -> TrainingSpec {
        let default = TrainingSpec::default();
        let mut same = TrainingSpec { early_stopping: EarlyStoppingSpec::default(), ..self.clone() };
        // Of other metrics than these the course holds no curve unless it is asked for.
        let metric = self.early_stopping.metric();
        if self.schedule.kind == ScheduleKind::Plateau || !metric.has_curve() {
            same.early_stopping.metric = self.early_stopping.metric;
        }
        if !self.looks_at_the_end() {
            same.epochs = default.epochs;
            // A rise that is longer than the training ends with it.
            same.schedule.warmup_epochs = self.schedule.warmup_epochs.min(self.epochs as f64);
        }
        same
    }

    /// Whether a step depends on how many there will be.
    pub fn looks_at_the_end(&self) -> bool {
        self.schedule.looks_at_the_end() || self.dropout_schedule != DropoutSchedule::Constant
    }

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
        need(share(smoothing), "label_smoothing", format!("must be in [0, 1); got {smoothing}"));
        if let Some(norm) = self.clip_norm {
            need(positive(norm), "clip_norm", format!("must be positive, or null for no clipping; got {norm}"));
        }
        if let ClassWeights::Map(weights) = &self.class_weights {
            for (class, &weight) in weights {
                need(positive(weight), &format!("class_weights.{class}"), format!("must be positive; got {weight}"));
            }
        }
        if let Some(average) = self.average {
            need(
                average > 0.0 && average < 1.0,
                "average",
                format!("must be in (0, 1), or null for no average; got {average}"),
            );
        }
        let patience = self.early_stopping.patience;
        need(patience != Some(0), "early_stopping.patience", "0 would stop at once; null never stops early".into());
        let delta = self.early_stopping.min_delta;
        need(delta >= 0.0 && delta.is_finite(), "early_stopping.min_delta", format!("must be at least 0; got {delta}"));
        for (path, message) in self.optimizer.problems() {
            found.push((format!("optimizer.{path}"), message));
        }
        for (path, message) in self.schedule.problems() {
            found.push((format!("schedule.{path}"), message));
        }
        found
    }
}
