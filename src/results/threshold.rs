//! The threshold on the probability of the positive class from which on it is predicted.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a threshold is chosen for, of two classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThresholdAim {
    /// The highest F1 of the positive class.
    F1,
    /// The least cost of all mistakes together; by the costs of the pipeline where none are given here.
    Cost(Option<Costs>),
    /// The fewest false alarms among thresholds that find at least this share of the positive rows, e.g. 0.9.
    Recall(f64),
}

/// Aims that have figures, as they are written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "snake_case", expecting = "f1, cost, {cost: …} or {recall: …}")]
enum WithFigures {
    /// The least cost of all mistakes together.
    Cost(Costs),
    /// The fewest false alarms among thresholds that find at least this share of the positive rows, e.g. 0.9.
    Recall(#[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))] f64),
}

/// Aims that are a word.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// The highest F1 of the positive class.
    F1,
    /// The least cost of all mistakes together, by the `costs` of the pipeline.
    Cost,
}

/// An aim as it is written.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "ThresholdAim", description = "What a threshold is chosen for, of two classes.")]
enum Written {
    Word(Word),
    WithFigures(WithFigures),
}

impl Serialize for ThresholdAim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match *self {
            ThresholdAim::F1 => Written::Word(Word::F1),
            ThresholdAim::Cost(None) => Written::Word(Word::Cost),
            ThresholdAim::Cost(Some(costs)) => Written::WithFigures(WithFigures::Cost(costs)),
            ThresholdAim::Recall(share) => Written::WithFigures(WithFigures::Recall(share)),
        };
        written.serialize(serializer)
    }
}

// By hand, because `cost` is a word or has figures, and serde's untagged enums answer every mistake with "did not match any variant".
impl<'de> Deserialize<'de> for ThresholdAim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ThresholdAim;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("f1, cost, {cost: {false_positive: 1, false_negative: 5}} or {recall: 0.9}")
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<ThresholdAim, E> {
                match word {
                    "f1" => Ok(ThresholdAim::F1),
                    "cost" => Ok(ThresholdAim::Cost(None)),
                    _ => Err(E::unknown_variant(word, &["f1", "cost", "recall"])),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ThresholdAim, A::Error> {
                Ok(match WithFigures::deserialize(MapAccessDeserializer::new(map))? {
                    WithFigures::Cost(costs) => ThresholdAim::Cost(Some(costs)),
                    WithFigures::Recall(share) => ThresholdAim::Recall(share),
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for ThresholdAim {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

/// What mistakes cost, in any unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// A row of the other class that is predicted positive.
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub false_positive: f64,
    /// A positive row that is predicted to be of the other class.
    #[schemars(range(max = 1e12), extend("exclusiveMinimum" = 0.0))]
    pub false_negative: f64,
}

impl Costs {
    /// Both mistakes alike.
    pub const EVEN: Costs = Costs { false_positive: 1.0, false_negative: 1.0 };
}

impl ThresholdAim {
    /// What is wrong with the values, as (path under the parameter, message).
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        match self {
            ThresholdAim::F1 | ThresholdAim::Cost(None) => Vec::new(),
            ThresholdAim::Recall(share) if *share > 0.0 && *share <= 1.0 => Vec::new(),
            ThresholdAim::Recall(share) => vec![("recall", format!("must be above 0 and at most 1; got {share}"))],
            ThresholdAim::Cost(Some(costs)) => {
                [("cost.false_positive", costs.false_positive), ("cost.false_negative", costs.false_negative)]
                    .into_iter()
                    .filter(|(_, cost)| !(*cost > 0.0 && cost.is_finite()))
                    .map(|(path, cost)| (path, format!("must be above 0; got {cost}")))
                    .collect()
            }
        }
    }
}

/// A threshold that a model has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The least probability of the positive class that is predicted so.
    pub value: f64,
    /// The positive class.
    pub positive: String,
    /// What it was chosen for.
    pub aim: ThresholdAim,
    /// The rows that chose it.
    pub fitted_on: ThresholdRows,
}

/// The rows that chose a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdRows {
    /// Of the validation part: scores there flatter a metric that depends on the threshold.
    Validation,
    /// Of the training part, each by the model of the other folds, where there are no validation rows.
    CrossFitted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_read_as_it_is_written() {
        let costs = Costs { false_positive: 1.0, false_negative: 5.0 };
        for (aim, text) in [
            (ThresholdAim::F1, r#""f1""#),
            (ThresholdAim::Cost(None), r#""cost""#),
            (ThresholdAim::Cost(Some(costs)), r#"{"cost":{"false_positive":1.0,"false_negative":5.0}}"#),
            (ThresholdAim::Recall(0.9), r#"{"recall":0.9}"#),
        ] {
            assert_eq!(serde_json::to_string(&aim).unwrap(), text);
            assert_eq!(serde_json::from_str::<ThresholdAim>(text).unwrap(), aim);
        }
        for wrong in [r#""f2""#, r#"{"f1": 1}"#, r#"{"cost": 3}"#, "3"] {
            assert!(serde_json::from_str::<ThresholdAim>(wrong).is_err(), "{wrong}");
        }
    }
}
