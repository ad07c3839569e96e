//! The next points of a search that draws them: as written, by chance, or by what TPE learned from the trials so far.

use serde_json::Value;

use super::space::{Point, Range, as_written, random};
use super::spec::{Method, SearchSpec};
use super::tpe::{self, Coordinates};
use super::trial::{State, Trial};
use crate::rng::Stream;

/// Random trials before TPE has something to learn from, as in Optuna.
const STARTUP: usize = 10;

/// `count` points to follow `trials`. The first of all is the parameters as written, so that searching never ends below them on the validation part.
pub(crate) fn propose(spec: &SearchSpec, written: &Value, seed: u64, trials: &[Trial], count: usize) -> Vec<Point> {
    let mut pending = Vec::new();
    let learned = |index: usize, pending: &mut Vec<Coordinates>| {
        let learns = spec.method == Method::Tpe && index >= STARTUP;
        if learns { learn(spec, seed, trials, index, pending) } else { None }
    };
    (trials.len()..trials.len() + count)
        .map(|index| match index {
            0 => as_written(&spec.space, written),
            _ => learned(index, &mut pending).unwrap_or_else(|| random(&spec.space, seed, index)),
        })
        .collect()
}

/// TPE's point; `None` without trials to learn from. `pending` are the coordinates of proposals that have no result yet: they count as bad, which
/// keeps the next ones away from them.
fn learn(
    spec: &SearchSpec,
    seed: u64,
    trials: &[Trial],
    index: usize,
    pending: &mut Vec<Coordinates>,
) -> Option<Point> {
    let coordinates = |point: &Point| -> Option<Coordinates> {
        spec.space.iter().map(|(path, range)| range.coordinate(point.get(path)?)).collect()
    };
    let mut seen: Vec<(&Trial, Coordinates)> =
        trials.iter().filter_map(|trial| Some((trial, coordinates(&trial.params)?))).collect();
    if seen.is_empty() {
        return None;
    }
    // As Optuna: complete trials by score, then pruned ones by how far they came and by score, then those that diverged.
    let standing = |trial: &Trial| match trial.state {
        State::Complete => (2, 0),
        State::Pruned => (1, trial.epochs),
        State::Diverged => (0, trial.epochs),
    };
    let merit = |trial: &Trial| trial.merit(spec.metric()).unwrap_or(f64::NEG_INFINITY);
    seen.sort_by(|(a, _), (b, _)| standing(b).cmp(&standing(a)).then(merit(b).total_cmp(&merit(a))));
    let others = seen.split_off(tpe::good(seen.len()));
    let in_order = |mut seen: Vec<(&Trial, Coordinates)>| -> Vec<Coordinates> {
        seen.sort_by_key(|(trial, _)| trial.index);
        seen.into_iter().map(|(_, at)| at).collect()
    };
    let (good, mut others) = (in_order(seen), in_order(others));
    others.extend(pending.iter().cloned());
    let axes: Vec<_> = spec.space.values().map(Range::axis).collect();
    let found = tpe::propose(&axes, &good, &others, &mut Stream::new(seed, "search tpe", index as u64));
    let value = |((path, range), &at): ((&String, &Range), &f64)| (path.clone(), range.value(at));
    let point: Point = spec.space.iter().zip(&found).map(value).collect();
    pending.extend(coordinates(&point));
    Some(point)
}
