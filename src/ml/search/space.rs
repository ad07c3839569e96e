//! The space of a search: the values that a parameter may take, points in it, and their places in the parameters.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use runner_results::search::Point;

use crate::rng::Stream;

/// Ranges by path, in the order in which they are written.
pub(crate) type Space = IndexMap<String, Range>;

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
    /// A whole number between two positive ones, both included, uniform in the logarithm.
    LogInteger([i64; 2]),
}

/// A range as an axis of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Axis {
    /// The numbers are indices of so many choices.
    Choices(usize),
    /// Between two numbers, `is_log` by their logarithm; `is_whole` for integers.
    Line { low: f64, high: f64, is_log: bool, is_whole: bool },
}

impl Range {
    /// What is wrong with the values.
    pub(super) fn problem(&self, is_grid: bool) -> Option<&'static str> {
        match self {
            Range::Choice(values) if values.is_empty() => Some("an empty choice"),
            Range::Choice(_) => None,
            Range::Uniform([low, high]) if !(low <= high && low.is_finite() && high.is_finite()) => {
                Some("not [low, high]")
            }
            Range::LogUniform([low, high]) if !(*low > 0.0 && low <= high && high.is_finite()) => {
                Some("not [low, high] with a positive low end")
            }
            Range::Integer([low, high]) if low > high => Some("not [low, high]"),
            Range::LogInteger([low, high]) if !(*low > 0 && low <= high) => {
                Some("not [low, high] with a positive low end")
            }
            _ if is_grid => Some("a grid needs `choice`; ranges are for `method: random` and `tpe`"),
            _ => None,
        }
    }

    /// Values that show whether a parameter takes this range: every choice, or both ends; none of a range that is none.
    pub fn examples(&self) -> Vec<Value> {
        if self.problem(false).is_some() {
            return Vec::new();
        }
        match (self, self.axis()) {
            (Range::Choice(values), _) => values.clone(),
            (_, Axis::Line { low, high, .. }) => vec![self.value(low), self.value(high)],
            _ => Vec::new(),
        }
    }

    pub(super) fn axis(&self) -> Axis {
        let line = |low, high, is_log, is_whole| Axis::Line { low, high, is_log, is_whole };
        match self {
            Range::Choice(values) => Axis::Choices(values.len()),
            Range::Uniform([low, high]) => line(*low, *high, false, false),
            Range::LogUniform([low, high]) => line(*low, *high, true, false),
            Range::Integer([low, high]) => line(*low as f64, *high as f64, false, true),
            Range::LogInteger([low, high]) => line(*low as f64, *high as f64, true, true),
        }
    }

    /// Where a value lies on the axis; `None` if it does not.
    pub(super) fn coordinate(&self, value: &Value) -> Option<f64> {
        match (self, self.axis()) {
            (Range::Choice(values), _) => values.iter().position(|choice| choice == value).map(|at| at as f64),
            (_, Axis::Line { low, high, .. }) => value.as_f64().filter(|x| (low..=high).contains(x)),
            _ => None,
        }
    }

    /// The value at a place of the axis, rounded as values of this range are.
    pub(super) fn value(&self, coordinate: f64) -> Value {
        match (self, self.axis()) {
            (Range::Choice(values), _) => values.get(coordinate as usize).cloned().unwrap_or_default(),
            (_, Axis::Line { is_whole: true, .. }) => Value::from(coordinate.round() as i64),
            (_, Axis::Line { low, high, .. }) => Value::from(round(coordinate).clamp(low, high)),
            _ => Value::Null,
        }
    }

    fn draw(&self, stream: &mut Stream) -> Value {
        match self {
            Range::Choice(values) => values[stream.below(values.len())].clone(),
            Range::Uniform([low, high]) => self.value(low + (high - low) * stream.uniform()),
            Range::LogUniform([low, high]) => self.value((low.ln() + (high.ln() - low.ln()) * stream.uniform()).exp()),
            Range::Integer([low, high]) => {
                let count = high.abs_diff(*low).saturating_add(1) as usize;
                Value::from(low.saturating_add_unsigned(stream.below(count) as u64))
            }
            Range::LogInteger([low, high]) => {
                let (from, to) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
                let drawn = (from + (to - from) * stream.uniform()).exp().round() as i64;
                Value::from(drawn.clamp(*low, *high))
            }
        }
    }
}

/// The values that the searched parameters have as written.
pub(super) fn as_written(space: &Space, written: &Value) -> Point {
    let value = |path: &String| written.pointer(&format!("/{}", path.replace('.', "/"))).cloned();
    space.keys().filter_map(|path| Some((path.clone(), value(path)?))).collect()
}

/// Every combination of choices, the last parameter fastest.
pub(super) fn grid(space: &Space) -> Vec<Point> {
    let mut points = vec![Point::new()];
    for (path, range) in space {
        let Range::Choice(values) = range else { continue };
        let extend = |point: &Point, value: &Value| {
            let mut point = point.clone();
            point.insert(path.clone(), value.clone());
            point
        };
        points = points.iter().flat_map(|point| values.iter().map(move |value| extend(point, value))).collect();
    }
    points
}

/// Random point `index`; it depends on the seed, its number and the space only. Each parameter has a stream of its own:
/// adding one to the space leaves the others' values.
pub(super) fn random(space: &Space, seed: u64, index: usize) -> Point {
    let value =
        |path: &String, range: &Range| range.draw(&mut Stream::new(seed, &format!("search {path}"), index as u64));
    space.iter().map(|(path, range)| (path.clone(), value(path, range))).collect()
}

/// Three significant digits: nobody tunes the fourth, and tables stay readable.
fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// The parameters with the point's values in their places. An error names a path that leads nowhere.
pub fn apply(params: &Value, point: &Point) -> Result<Value, String> {
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
