//! The space of a search and the points in it.
//!
//! Knows nothing of what the parameters do.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ml::rng::Stream;
use crate::ml::train::Metric;

/// The `search` block of a train stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchSpec {
    /// `grid` tries every combination of choices, `random` draws `trials` points.
    #[serde(default)]
    pub method: Method,
    /// Points of a random search, the parameters as written among them; a grid has as many as it has.
    #[serde(default = "default_trials")]
    pub trials: usize,
    /// What the validation part is asked for.
    #[serde(default = "default_metric")]
    pub metric: Metric,
    /// Epochs of a trial; those of the stage unless given.
    #[serde(default)]
    pub epochs: Option<usize>,
    /// Ranges by path of a parameter, e.g. `{optimizer.lr: {log_uniform: [1e-4, 1e-2]}}`.
    #[schemars(with = "BTreeMap<String, Range>")]
    pub space: IndexMap<String, Range>,
}

fn default_trials() -> usize {
    16
}

fn default_metric() -> Metric {
    Metric::MacroF1
}

/// How points are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Grid,
    /// Random search (Bergstra and Bengio 2012).
    #[default]
    Random,
}

/// The values that one parameter may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// One of these values.
    Choice(Vec<Value>),
    /// Uniform between two numbers.
    Uniform([f64; 2]),
    /// Uniform in the logarithm between two positive numbers.
    LogUniform([f64; 2]),
    /// A whole number between two, both included.
    Integer([i64; 2]),
}

impl SearchSpec {
    /// What is wrong with the values themselves, as (path, message).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.space.is_empty() {
            found.push(("space".to_owned(), "name at least one parameter to search over".to_owned()));
        }
        if self.trials == 0 {
            found.push(("trials".to_owned(), "a search needs at least one trial".to_owned()));
        }
        if self.epochs == Some(0) {
            found.push(("epochs".to_owned(), "a trial needs at least one epoch".to_owned()));
        }
        for (path, range) in &self.space {
            let message = match range {
                Range::Choice(values) if values.is_empty() => "an empty choice",
                Range::Uniform([low, high]) if !(low <= high && low.is_finite() && high.is_finite()) => {
                    "not [low, high]"
                }
                Range::LogUniform([low, high]) if !(*low > 0.0 && low <= high && high.is_finite()) => {
                    "not [low, high] with a positive low end"
                }
                Range::Integer([low, high]) if low > high => "not [low, high]",
                Range::Uniform(_) | Range::LogUniform(_) | Range::Integer(_) if self.method == Method::Grid => {
                    "a grid needs `choice`; ranges are for `method: random`"
                }
                _ => continue,
            };
            found.push((format!("space.{path}"), message.to_owned()));
        }
        found
    }

    /// The points to try, in order. The first of a random search is the parameters as written, so that searching never ends below them on the
    /// validation part; point `i` depends on the seed, its number and the space only.
    pub fn points(&self, written: &Value, seed: u64) -> Vec<BTreeMap<String, Value>> {
        match self.method {
            Method::Grid => self.grid(),
            Method::Random => {
                let draws = (1..self.trials).map(|index| self.draw(seed, index as u64));
                std::iter::once(self.start(written)).chain(draws).collect()
            }
        }
    }

    /// The values that the searched parameters have as written.
    fn start(&self, written: &Value) -> BTreeMap<String, Value> {
        let value = |path: &String| written.pointer(&format!("/{}", path.replace('.', "/"))).cloned();
        self.space.keys().filter_map(|path| Some((path.clone(), value(path)?))).collect()
    }

    fn grid(&self) -> Vec<BTreeMap<String, Value>> {
        let mut points = vec![BTreeMap::new()];
        for (path, range) in &self.space {
            let Range::Choice(values) = range else { continue };
            let extend = |point: &BTreeMap<String, Value>, value: &Value| {
                let mut point = point.clone();
                point.insert(path.clone(), value.clone());
                point
            };
            points = points.iter().flat_map(|point| values.iter().map(move |value| extend(point, value))).collect();
        }
        points
    }

    fn draw(&self, seed: u64, index: u64) -> BTreeMap<String, Value> {
        let value = |path: &String, range: &Range| -> Value {
            // A stream of its own for each parameter: adding one to the space leaves the others' values.
            let mut stream = Stream::new(seed, &format!("search {path}"), index);
            match range {
                Range::Choice(values) => values[stream.below(values.len())].clone(),
                Range::Uniform([low, high]) => Value::from(round(low + (high - low) * stream.uniform())),
                Range::LogUniform([low, high]) => {
                    Value::from(round((low.ln() + (high.ln() - low.ln()) * stream.uniform()).exp()))
                }
                Range::Integer([low, high]) => {
                    let count = high.abs_diff(*low).saturating_add(1) as usize;
                    Value::from(low.saturating_add_unsigned(stream.below(count) as u64))
                }
            }
        };
        self.space.iter().map(|(path, range)| (path.clone(), value(path, range))).collect()
    }
}

/// Three significant digits: nobody tunes the fourth, and tables stay readable.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// The parameters with the point's values in their places. An error names a path that leads nowhere.
pub fn apply(params: &Value, point: &BTreeMap<String, Value>) -> Result<Value, String> {
    let mut applied = params.clone();
    for (path, value) in point {
        let mut place = &mut applied;
        for key in path.split('.') {
            place = match place {
                Value::Object(object) => object.entry(key).or_insert(Value::Null),
                Value::Array(items) => {
                    let item = key.parse::<usize>().ok().and_then(|index| items.get_mut(index));
                    item.ok_or_else(|| format!("'{path}' leads nowhere: there is no item '{key}'"))?
                }
                // A block that is left out is one with its defaults.
                Value::Null => {
                    *place = Value::Object(serde_json::Map::new());
                    match place {
                        Value::Object(object) => object.entry(key).or_insert(Value::Null),
                        _ => return Err(format!("'{path}' leads nowhere")),
                    }
                }
                _ => return Err(format!("'{path}' leads nowhere: '{key}' is inside of a plain value")),
            };
        }
        *place = value.clone();
    }
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn points_are_put_at_their_paths() {
        let params = json!({"optimizer": {"lr": 0.1}, "network": {"trunk": {"layers": [8, 8]}}});
        let point = BTreeMap::from([
            ("optimizer.lr".to_owned(), json!(0.2)),
            ("network.trunk.layers.1".to_owned(), json!(4)),
            ("optimizer.momentum".to_owned(), json!(0.9)),
        ]);
        let applied = apply(&params, &point).unwrap();
        assert_eq!(
            applied,
            json!({"optimizer": {"lr": 0.2, "momentum": 0.9}, "network": {"trunk": {"layers": [8, 4]}}})
        );
        let nowhere = BTreeMap::from([("optimizer.lr.base".to_owned(), json!(1))]);
        assert!(apply(&params, &nowhere).unwrap_err().contains("optimizer.lr.base"));
    }

    #[test]
    fn problems_name_their_path() {
        let spec: SearchSpec = serde_json::from_value(json!({
            "method": "grid", "space": {"a": {"uniform": [0, 1]}, "b": {"choice": []}}
        }))
        .unwrap();
        let paths: Vec<String> = spec.problems().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["space.a", "space.b"]);
    }
}
