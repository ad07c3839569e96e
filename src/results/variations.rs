//! A base network, and what each single change of it does to its score on validation rows: `variations.json`.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::comparison::Direction;
use crate::document::Document;
use crate::inputs::Inputs;
use crate::interval::Interval;
use crate::mcnemar::Test;
use crate::search::Point;
use crate::spec::{NetworkSpec, TrainingSpec};
use crate::training::MeanAndDeviation;
use crate::transfer::SIGNIFICANCE;
use crate::{Metric, PartScores};

/// Networks that differ from a base in one thing each, trained with the same seeds. Test rows have no part in it. The curves are a table of their own,
/// by `setting`, `seed` and `epoch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variations {
    /// By which epochs are chosen and settings compared.
    pub metric: Metric,
    /// With which every setting was trained.
    pub seeds: Vec<u64>,
    /// Training rows.
    pub training_rows: usize,
    /// Validation rows, on which everything is judged.
    pub rows: usize,
    /// How many groups of rows that belong together those are of; absent where each row stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// The columns that the base reads.
    pub inputs: Inputs,
    /// The base's shape.
    pub network: NetworkSpec,
    /// How the base is trained.
    pub training: TrainingSpec,
    /// The base first, then every other setting once, wherever it appears.
    pub settings: Vec<Setting>,
    /// Parameters of which several values were tried, in the order written.
    pub factors: Vec<Factor>,
    /// The base without something, in the order written.
    pub ablations: Vec<Ablation>,
}

/// One parameter and its values, or a group of changes that are alternatives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    /// As written: the parameter's path, or the group's name.
    pub name: String,
    /// The path of the parameter, e.g. `optimizer.lr`; none of a group.
    pub path: Option<String>,
    /// In the order in which they are shown, the base's own value among them.
    pub levels: Vec<Level>,
}

/// One value of a factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The name that was given to it; the base where it has neither name nor value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value of the one parameter in which all levels differ, null where that is not set; none where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<Value>,
    /// Index of its setting; 0 is the base.
    pub setting: usize,
}

/// The base without something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ablation {
    /// What is left out, e.g. `dropout`.
    pub name: String,
    /// Index of its setting.
    pub setting: usize,
}

/// The base, or the base with a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// What differs from the base, by the parameter's path; nothing of the base itself.
    pub changes: Point,
    /// How many numbers the network holds.
    pub parameters: usize,
    /// One of each seed, in their order.
    pub runs: Vec<Run>,
    /// The metric on the validation part over the seeds; none where a training diverged before its first epoch ended.
    pub score: Option<MeanAndDeviation>,
    /// Against the base; none of the base itself, and where either has no score.
    pub effect: Option<Effect>,
}

/// One training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What its random numbers follow from.
    pub seed: u64,
    /// Epochs that it had.
    pub epochs: usize,
    /// The epoch whose weights are kept; none where the loss was never finite.
    pub best_epoch: Option<usize>,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
    /// Scores of the kept epoch on the validation part.
    pub valid: Option<PartScores>,
    /// Scores of the kept epoch on the training part.
    pub train: Option<PartScores>,
    /// Of all its steps; none where the loss was never finite.
    pub gradients: Option<Gradients>,
}

/// The gradients of a training, before clipping.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gradients {
    /// Mean norm over the epochs.
    pub mean_norm: f64,
    /// Largest norm of any step.
    pub largest_norm: f64,
    /// Share of the steps whose gradient was shortened.
    pub clipped: f64,
}

/// A setting against the base. Differences are setting minus base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// By the metric, one for each seed.
    pub differences: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// The 95 % interval of that mean, by Student's distribution; none of a single seed, and of differences that are all equal.
    pub interval: Option<(f64, f64)>,
    /// Of the paired t-test over the seeds, two-sided.
    pub p_value: Option<f64>,
    /// The same after Holm's correction over all settings.
    pub p_corrected: Option<f64>,
    /// The average of the seeds' networks, row by row; none where rows cannot be resampled.
    pub rows: Option<RowEffect>,
}

/// The average prediction of a setting's networks against that of the base's, on the same validation rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowEffect {
    /// Share of rows that are right, with its 95 % interval over the rows.
    pub accuracy: Interval,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: Interval,
    /// McNemar's test, over groups where there are any.
    pub test: Test,
    /// Its p after Holm's correction over all settings.
    pub p_corrected: f64,
}

/// A value that is there may be null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// How something varies.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Levels {
    /// Values of the parameter whose path the factor is named by.
    Values(Vec<Value>),
    /// Changes that are alternatives, each by its name: values by path.
    Changes(#[schemars(with = "std::collections::BTreeMap<String, Point>")] IndexMap<String, Point>),
}

// By hand, because serde's untagged enums answer every mistake with "did not match any variant".
impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Levels;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of values, or a map from names to changes, e.g. `{SGD: {optimizer.kind: sgd}}`")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Levels, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(values)).map(Levels::Values)
            }
            fn visit_map<A: MapAccess<'de>>(self, changes: A) -> Result<Levels, A::Error> {
                IndexMap::deserialize(MapAccessDeserializer::new(changes)).map(Levels::Changes)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Levels {
    /// The changes of each level in the order written, with what leads to it: its name, or its place in the list. `factor` is the key.
    pub fn changes(&self, factor: &str) -> Vec<(String, Point)> {
        let of_value =
            |(place, value): (usize, &Value)| (place.to_string(), Point::from([(factor.to_owned(), value.clone())]));
        match self {
            Levels::Values(values) => values.iter().enumerate().map(of_value).collect(),
            Levels::Changes(changes) => changes.iter().map(|(name, point)| (name.clone(), point.clone())).collect(),
        }
    }
}

impl Effect {
    /// Whether the seeds show that the setting is better or worse, by the corrected test; none where they do not.
    pub fn verdict(&self, metric: Metric) -> Option<Direction> {
        let is_shown = self.p_corrected.is_some_and(|p| p < SIGNIFICANCE);
        is_shown.then(|| if metric.merit(self.mean) > 0.0 { Direction::Better } else { Direction::Worse })
    }

    /// Whether every seed differs in the same direction.
    pub fn is_of_one_sign(&self) -> bool {
        self.differences.iter().all(|one| *one > 0.0) || self.differences.iter().all(|one| *one < 0.0)
    }
}

impl Setting {
    /// Its mean score with the sign by which larger is better.
    pub fn merit(&self, metric: Metric) -> Option<f64> {
        self.score.map(|score| metric.merit(score.mean))
    }

    /// The mean over the seeds of what their trainings have; none where one has not.
    pub fn mean_of(&self, figure: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
        let values = self.runs.iter().map(figure).collect::<Option<Vec<f64>>>()?;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

impl Variations {
    /// The setting that nothing was changed of.
    pub fn base(&self) -> &Setting {
        &self.settings[0]
    }

    /// Of some settings the one of the best mean score; the first of equals.
    pub fn best_of(&self, settings: impl IntoIterator<Item = usize>) -> Option<usize> {
        let ranked = settings.into_iter().filter_map(|i| Some((i, self.settings.get(i)?.merit(self.metric)?)));
        ranked.reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(i, _)| i)
    }

    /// Half the length of the middle interval over all settings: smaller differences cannot be told from chance by so few seeds.
    pub fn least_visible(&self) -> Option<f64> {
        let effects = self.settings.iter().filter_map(|setting| setting.effect.as_ref()?.interval);
        let mut halves: Vec<f64> = effects.map(|(low, high)| (high - low) / 2.0).collect();
        halves.sort_by(f64::total_cmp);
        halves.get(halves.len() / 2).copied()
    }
}

impl Document for Variations {
    const NAME: &'static str = "variations";
    const VERSION: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_values_or_have_names_in_their_order() {
        let read = |text: &str| serde_json::from_str::<Levels>(text);
        let list = read("[64, null]").unwrap();
        let batch = |value: Value| Point::from([("batch_size".to_owned(), value)]);
        let expected = [("0".to_owned(), batch(64.into())), ("1".to_owned(), batch(Value::Null))];
        assert_eq!(list.changes("batch_size"), expected);
        let named = read(r#"{"wide": {"a.b": [512]}, "deep": {"a.b": [64, 64], "c": 1}}"#).unwrap();
        let names: Vec<(String, usize)> =
            named.changes("width").into_iter().map(|(name, point)| (name, point.len())).collect();
        assert_eq!(names, [("wide".to_owned(), 1), ("deep".to_owned(), 2)]);
        for levels in [list, named] {
            assert_eq!(read(&serde_json::to_string(&levels).unwrap()).unwrap(), levels);
        }
        assert!(read("3").unwrap_err().to_string().contains("a list of values, or a map from names to changes"));
        assert!(read(r#"{"deep": 3}"#).is_err());
    }

    #[test]
    fn a_value_that_is_not_set_is_still_a_value() {
        let level = Level { name: None, value: Some(Value::Null), setting: 0 };
        let text = serde_json::to_string(&level).unwrap();
        assert_eq!(serde_json::from_str::<Level>(&text).unwrap(), level, "{text}");
        let base = Level { name: None, value: None, setting: 0 };
        assert_eq!(serde_json::from_str::<Level>(r#"{"setting": 0}"#).unwrap(), base);
    }

    #[test]
    fn a_verdict_needs_the_corrected_test_and_heeds_losses() {
        let effect = |mean, p| Effect {
            differences: vec![mean; 2],
            mean,
            interval: None,
            p_value: Some(0.001),
            p_corrected: p,
            rows: None,
        };
        assert_eq!(effect(0.1, Some(0.01)).verdict(Metric::MacroF1), Some(Direction::Better));
        assert_eq!(effect(0.1, Some(0.01)).verdict(Metric::Loss), Some(Direction::Worse));
        assert_eq!(effect(0.1, Some(0.06)).verdict(Metric::MacroF1), None);
        assert_eq!(effect(0.1, None).verdict(Metric::MacroF1), None);
        assert!(effect(-0.1, None).is_of_one_sign() && !effect(0.0, None).is_of_one_sign());
    }
}
