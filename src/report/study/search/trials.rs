//! A search with what its figures and tables need: scores by its metric, names of what varied.

use indexmap::IndexMap;
use runner_results::search::{Aspect, Factor, Search, State, Trial};
use runner_results::{Metric, PartScores};
use serde_json::Value;

use crate::read::shown;

/// A search with at least one trial.
pub(crate) struct Trials<'a> {
    pub(crate) search: &'a Search,
    /// By the metric; NaN where there is none.
    pub(crate) scores: Vec<f64>,
    pub(crate) best: &'a Trial,
    /// What varied, each by a name that no other has.
    pub(crate) factors: Vec<(String, &'a Factor)>,
}

impl<'a> Trials<'a> {
    pub(crate) fn of(search: &'a Search) -> Option<Trials<'a>> {
        let score = |trial: &Trial| trial.score(search.metric).unwrap_or(f64::NAN);
        let factors: Vec<&Factor> =
            search.factors.iter().filter(|factor| factor.values.len() == search.trials.len()).collect();
        Some(Trials {
            best: search.trials.get(search.best)?,
            scores: search.trials.iter().map(score).collect(),
            factors: names(&factors).into_iter().zip(factors).collect(),
            search,
        })
    }

    pub(crate) fn pruned(&self) -> Vec<bool> {
        self.search.trials.iter().map(|trial| trial.state == State::Pruned).collect()
    }
}

/// As it stands on axes and in tables.
pub(crate) fn label(metric: Metric) -> &'static str {
    metric.title()
}

/// Its column of the validation part in the table of curves.
pub(crate) fn column(metric: Metric) -> String {
    format!("valid_{}", metric.key())
}

/// Scores of the kept epoch in the order of the columns accuracy, macro-F1, log loss.
pub(crate) fn columns(valid: Option<PartScores>) -> [Option<f64>; 3] {
    [Metric::Accuracy, Metric::MacroF1, Metric::Loss].map(|metric| valid.map(|scores| scores.get(metric)))
}

/// For each factor the shortest end of its path that no other has: `optimizer.lr` → `lr`; the depth at `network.trunk.layers` → `depth`, or
/// `trunk depth` where there are others.
fn names(factors: &[&Factor]) -> Vec<String> {
    // An aspect stands for the last part of its path.
    let ending = |factor: &Factor, count: usize| {
        let parts: Vec<&str> = factor.path.split('.').collect();
        let (parts, aspect) = match factor.aspect {
            None => (&parts[..], ""),
            Some(Aspect::Depth) => (&parts[..parts.len() - 1], "depth"),
            Some(Aspect::Width) => (&parts[..parts.len() - 1], "width"),
        };
        format!("{} {aspect}", parts[parts.len().saturating_sub(count)..].join(".")).trim().to_owned()
    };
    let is_unique = |factor: &Factor, count: usize| {
        let name = ending(factor, count);
        let same = factors.iter().filter(|other| ending(other, count) == name).count();
        !name.is_empty() && !says_little(&name) && same == 1
    };
    let short = |factor: &&Factor| {
        let longest = factor.path.split('.').count();
        ending(factor, (0..longest).find(|&count| is_unique(factor, count)).unwrap_or(longest))
    };
    factors.iter().map(short).collect()
}

/// `layers` or `kind` alone do not say of what.
fn says_little(name: &str) -> bool {
    matches!(name, "layers" | "kind")
}

/// Paths by their last part where that is unique: `optimizer.lr` → `lr`. In order of first appearance.
pub(crate) fn short_names(trials: &[Trial]) -> IndexMap<String, String> {
    let mut paths: Vec<&String> = Vec::new();
    for path in trials.iter().flat_map(|t| t.params.keys()) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let last = |path: &str, parts: usize| {
        let all: Vec<&str> = path.split('.').collect();
        all[all.len().saturating_sub(parts)..].join(".")
    };
    paths
        .iter()
        .map(|path| {
            let unique = (1..8)
                .map(|parts| last(path, parts))
                .find(|name| paths.iter().filter(|other| (1..8).any(|n| last(other, n) == *name)).count() == 1);
            let name = unique.filter(|name| !says_little(name)).unwrap_or_else(|| last(path, 2));
            ((*path).clone(), name)
        })
        .collect()
}

/// A list of widths as `256×3` or `128-64`, else as it is shown anywhere.
pub(crate) fn brief(value: &Value) -> String {
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        return shown(value);
    };
    let texts: Vec<String> = items.iter().map(shown).collect();
    if texts.len() > 1 && texts.iter().all(|t| *t == texts[0]) {
        format!("{}×{}", texts[0], texts.len())
    } else {
        texts.join("-")
    }
}
