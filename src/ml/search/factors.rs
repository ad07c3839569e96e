//! Factors: what of the searched parameters can be set against the score, and how much each of them matters.
//!
//! A parameter is one factor, but for lists of widths: their depth and their width are what one wants to know of.

use serde_json::Value;

pub(crate) use runner_results::search::{Aspect, Factor, Scale};

use super::Trial;
use super::fanova::{Cells, importance};
use super::space::{Axis, Range, Space};
use crate::train::Metric;

/// Fewer trials say nothing about importance.
const FEWEST_TRIALS: usize = 8;

/// The factors of a search, in the order of the space.
pub(super) fn factors(space: &Space, metric: Metric, trials: &[Trial], seed: u64) -> Vec<Factor> {
    let mut factors = Vec::new();
    let mut axes = Vec::new();
    for (path, range) in space {
        let of_trials = || trials.iter().map(|trial| trial.params.get(path));
        for (aspect, range) in parts(range) {
            let part = |value: &Value| aspect.map_or_else(|| Some(value.clone()), |aspect| of(aspect, value));
            let values: Vec<Value> = of_trials().map(|value| value.and_then(part).unwrap_or_default()).collect();
            let scale = match range.axis() {
                Axis::Choices(_) => Scale::Choice,
                Axis::Line { is_log: true, .. } => Scale::Logarithmic,
                Axis::Line { .. } => Scale::Linear,
            };
            axes.push(cells(&range, &values));
            factors.push(Factor { path: path.clone(), aspect, scale, values, importance: None });
        }
    }
    let usable: Vec<usize> = (0..trials.len())
        .filter(|&i| trials[i].score(metric).is_some() && axes.iter().all(|(_, places)| places[i].is_some()))
        .collect();
    if usable.len() >= FEWEST_TRIALS {
        let rows: Vec<Vec<usize>> =
            usable.iter().map(|&i| axes.iter().filter_map(|(_, places)| places[i]).collect()).collect();
        let scores: Vec<f64> = usable.iter().filter_map(|&i| trials[i].score(metric)).collect();
        let cells: Vec<Cells> = axes.into_iter().map(|(cells, _)| cells).collect();
        if let Some(shares) = importance(&cells, &rows, &scores, seed) {
            factors.iter_mut().zip(shares).for_each(|(factor, share)| factor.importance = Some(share));
        }
    }
    factors
}

fn of(aspect: Aspect, value: &Value) -> Option<Value> {
    let widths = widths(value)?;
    Some(match aspect {
        Aspect::Depth => Value::from(widths.len()),
        Aspect::Width => Value::from(widths.iter().max().copied().unwrap_or(0)),
    })
}

fn widths(value: &Value) -> Option<Vec<u64>> {
    value.as_array()?.iter().map(Value::as_u64).collect()
}

/// The factors of one parameter, each with the range of its own values: depth and width of lists that these two tell apart, else the parameter as
/// it is. A factor of one value is none.
fn parts(range: &Range) -> Vec<(Option<Aspect>, Range)> {
    let Range::Choice(values) = range else { return vec![(None, range.clone())] };
    let lists: Option<Vec<Vec<u64>>> = values.iter().map(widths).collect();
    let told_apart = lists.is_some_and(|lists| {
        let mut pairs: Vec<_> = lists.iter().map(|list| (list.len(), list.iter().max())).collect();
        pairs.sort_unstable();
        pairs.windows(2).all(|pair| pair[0] != pair[1])
    });
    let whole = vec![(None, range.clone())];
    let parts = if told_apart {
        let part = |aspect: Aspect| {
            (Some(aspect), Range::Choice(distinct(values.iter().filter_map(|value| of(aspect, value)))))
        };
        vec![part(Aspect::Depth), part(Aspect::Width)]
    } else {
        whole
    };
    parts.into_iter().filter(|(_, range)| !matches!(range, Range::Choice(values) if values.len() < 2)).collect()
}

fn distinct(values: impl Iterator<Item = Value>) -> Vec<Value> {
    values.fold(Vec::new(), |mut distinct, value| {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
        distinct
    })
}

/// A range's cells, and the cell of each value: every choice is one, in the order of numbers; a line is cut halfway between neighbouring values.
fn cells(range: &Range, values: &[Value]) -> (Cells, Vec<Option<usize>>) {
    match range {
        Range::Choice(choices) => {
            let mut choices = distinct(choices.iter().cloned());
            let is_ordered = choices.iter().all(Value::is_number);
            if is_ordered {
                let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
                choices.sort_by(|a, b| number(a).total_cmp(&number(b)));
            }
            let shares = vec![1.0 / choices.len() as f64; choices.len()];
            let place = |value: &Value| choices.iter().position(|choice| choice == value);
            (Cells { shares, is_ordered }, values.iter().map(place).collect())
        }
        _ => {
            let along = |value: &Value| match range.axis() {
                Axis::Line { low, high, is_log: true, .. } => {
                    range.coordinate(value).map(|x| (x / low).ln() / (high / low).ln())
                }
                Axis::Line { low, high, .. } => range.coordinate(value).map(|x| (x - low) / (high - low)),
                Axis::Choices(_) => None,
            };
            // A range of a single value gives 0 / 0.
            let places: Vec<Option<f64>> = values.iter().map(|v| along(v).filter(|x| x.is_finite())).collect();
            let mut sorted: Vec<f64> = places.iter().flatten().copied().collect();
            sorted.sort_by(f64::total_cmp);
            sorted.dedup();
            let mut ends: Vec<f64> = sorted.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
            ends.insert(0, 0.0);
            ends.push(1.0);
            let shares = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let cell = |place: &Option<f64>| place.map(|x| sorted.partition_point(|other| *other < x));
            (Cells { shares, is_ordered: true }, places.iter().map(cell).collect())
        }
    }
}
