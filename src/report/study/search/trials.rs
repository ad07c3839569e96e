//! A search as it is read from its document: trials, what was asked of them, and what varied.

use indexmap::IndexMap;
use serde_json::Value;

use crate::read::{Scores, count, list, number, shown, text};

/// A search with at least one trial.
pub struct Trials {
    pub trials: Vec<Trial>,
    pub metric: Metric,
    /// By the metric; NaN where there is none.
    pub scores: Vec<f64>,
    /// Place of the best in `trials`.
    pub best: Option<usize>,
    pub method: String,
    pub factors: Vec<Factor>,
    pub note: Option<String>,
}

pub struct Trial {
    pub index: u64,
    pub params: IndexMap<String, Value>,
    pub state: String,
    pub valid: Option<Scores>,
    /// Mean negative log-likelihood on the validation part.
    pub valid_loss: Option<f64>,
    pub best_epoch: Option<u64>,
    pub epochs: Option<u64>,
}

/// Something that varied between the trials.
pub struct Factor {
    pub path: String,
    pub name: String,
    pub is_choice: bool,
    pub is_log: bool,
    /// In the order of the trials.
    pub values: Vec<Value>,
    pub importance: Option<f64>,
}

impl Trials {
    pub fn read(document: &Value) -> Option<Trials> {
        let trials: Vec<Trial> = list(document, "trials").map(Trial::read).collect();
        if trials.is_empty() {
            return None;
        }
        let metric = Metric::named(text(document, "metric").unwrap_or("macro_f1"));
        let scores: Vec<f64> = trials.iter().map(|trial| metric.of(trial)).collect();
        let best = count(document, "best").and_then(|index| trials.iter().position(|trial| trial.index == index));
        let mut factors: Vec<Factor> =
            list(document, "factors").filter_map(|factor| Factor::read(factor, trials.len())).collect();
        name(&mut factors);
        Some(Trials {
            metric,
            scores,
            best,
            method: text(document, "method").unwrap_or_default().to_owned(),
            factors,
            note: text(document, "test_opened").map(|told| format!("The test part was opened {told}.")),
            trials,
        })
    }

    pub fn pruned(&self) -> Vec<bool> {
        self.trials.iter().map(|trial| trial.state == "pruned").collect()
    }
}

impl Trial {
    fn read(value: &Value) -> Trial {
        let params = value.get("params").and_then(Value::as_object);
        Trial {
            index: count(value, "index").unwrap_or(0),
            params: params.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
            state: text(value, "state").unwrap_or("complete").to_owned(),
            valid: value.get("valid").and_then(Scores::read),
            valid_loss: value.get("valid").and_then(|valid| number(valid, "loss").or(number(valid, "log_loss"))),
            best_epoch: count(value, "best_epoch"),
            epochs: count(value, "epochs"),
        }
    }
}

impl Factor {
    fn read(value: &Value, trials: usize) -> Option<Factor> {
        let path = text(value, "path")?.to_owned();
        let values: Vec<Value> = list(value, "values").cloned().collect();
        let scale = text(value, "scale").unwrap_or("choice");
        (values.len() == trials).then(|| Factor {
            name: text(value, "aspect").unwrap_or_default().to_owned(),
            path,
            is_choice: scale == "choice",
            is_log: scale == "logarithmic",
            values,
            importance: number(value, "importance"),
        })
    }
}

/// What the search maximised, or minimised.
pub struct Metric {
    pub label: &'static str,
    pub less_is_better: bool,
    /// Its column in the table of curves.
    pub column: &'static str,
}

impl Metric {
    fn named(name: &str) -> Metric {
        let (label, less_is_better, column) = match name.to_ascii_lowercase() {
            n if n.contains("loss") => ("log loss", true, "valid_loss"),
            n if n.contains("accuracy") => ("accuracy", false, "valid_accuracy"),
            _ => ("macro-F1", false, "valid_macro_f1"),
        };
        Metric { label, less_is_better, column }
    }

    fn of(&self, trial: &Trial) -> f64 {
        let score = match self.label {
            "log loss" => trial.valid_loss,
            "accuracy" => trial.valid.as_ref().map(|scores| scores.accuracy),
            _ => trial.valid.as_ref().map(|scores| scores.macro_f1),
        };
        score.filter(|score| score.is_finite()).unwrap_or(f64::NAN)
    }
}

/// Gives each factor the shortest end of its path that no other has: `optimizer.lr` → `lr`; the depth at `network.trunk.layers` → `depth`, or
/// `trunk depth` where there are others.
fn name(factors: &mut [Factor]) {
    // An aspect stands for the last part of its path.
    let ending = |factor: &Factor, count: usize| {
        let parts: Vec<&str> = factor.path.split('.').collect();
        let parts = if factor.name.is_empty() { &parts[..] } else { &parts[..parts.len() - 1] };
        format!("{} {}", parts[parts.len().saturating_sub(count)..].join("."), factor.name).trim().to_owned()
    };
    let is_unique = |factor: &Factor, count: usize| {
        let name = ending(factor, count);
        let same = factors.iter().filter(|other| ending(other, count) == name).count();
        !name.is_empty() && !says_little(&name) && same == 1
    };
    let short = |factor: &Factor| {
        let longest = factor.path.split('.').count();
        ending(factor, (0..longest).find(|&count| is_unique(factor, count)).unwrap_or(longest))
    };
    let names: Vec<String> = factors.iter().map(short).collect();
    factors.iter_mut().zip(names).for_each(|(factor, name)| factor.name = name);
}

/// `layers` or `kind` alone do not say of what.
fn says_little(name: &str) -> bool {
    matches!(name, "layers" | "kind")
}

/// Paths by their last part where that is unique: `optimizer.lr` → `lr`. In order of first appearance.
pub fn short_names(trials: &[Trial]) -> IndexMap<String, String> {
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
pub fn brief(value: &Value) -> String {
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
