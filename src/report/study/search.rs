//! Hyper-parameter search: every trial in a table, and each parameter against the score. Knows nothing of how trials ran.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Study, stage_id};
use crate::report::figure::text::{compact, decimals};
use crate::report::figure::{Slice, trial_slices};
use crate::report::page::{Block, Cell, Column, Figure, Section, Table};
use crate::report::read::{Scores, count, list, number, shown, text};
use crate::report::statistics::median;

pub fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("search", "Search");
    for (stage, document) in study.with_document("trials") {
        let trials: Vec<Trial> = list(document, "trials").map(Trial::read).collect();
        if trials.is_empty() {
            continue;
        }
        let metric = Metric::named(text(document, "metric").unwrap_or("macro_f1"));
        let scores: Vec<f64> = trials.iter().map(|t| metric.of(t)).collect();
        let best = count(document, "best").and_then(|index| trials.iter().position(|t| t.index == index));
        let best = best.or_else(|| metric.best(&scores));
        let names = short_names(&trials);
        let mut inner = Section::new(format!("search-{}", stage_id(stage)), stage.stage.clone());
        if let Some(sentence) = best.and_then(|b| sentence(&trials, &scores, b, &metric, &names)) {
            inner.say(sentence);
        }
        let slices = slices(&trials, &names);
        if !slices.is_empty() && scores.iter().any(|s| s.is_finite()) {
            let title = format!("Trials by parameter, validation {}", metric.label);
            let description = format!("{} trials, {} parameters", trials.len(), slices.len());
            let svg = trial_slices(&title, &description, metric.label, &slices, &scores, best);
            inner.push(Block::Figure(Figure::new(
                svg,
                "One dot per trial. The other parameters vary as well, so that dots above one another differ in them.",
            )));
        }
        inner.push(Block::Table(table(&trials, &scores, best, &metric, &names)));
        section.subsections.push(inner);
    }
    Some(section)
}

struct Trial {
    index: u64,
    params: IndexMap<String, Value>,
    valid: Option<Scores>,
    valid_loss: Option<f64>,
    best_epoch: Option<u64>,
    epochs: Option<u64>,
}

impl Trial {
    fn read(value: &Value) -> Trial {
        let params = value.get("params").and_then(Value::as_object);
        Trial {
            index: count(value, "index").unwrap_or(0),
            params: params.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
            valid: value.get("valid").and_then(Scores::read),
            valid_loss: number(value, "valid_loss"),
            best_epoch: count(value, "best_epoch"),
            epochs: count(value, "epochs"),
        }
    }
}

/// What the search maximised, or minimised.
struct Metric {
    label: &'static str,
    less_is_better: bool,
}

impl Metric {
    fn named(name: &str) -> Metric {
        match name.to_ascii_lowercase() {
            n if n.contains("loss") => Metric { label: "log loss", less_is_better: true },
            n if n.contains("accuracy") => Metric { label: "accuracy", less_is_better: false },
            _ => Metric { label: "macro-F1", less_is_better: false },
        }
    }

    fn of(&self, trial: &Trial) -> f64 {
        let from_scores = trial.valid.as_ref().map(|scores| match self.label {
            "log loss" => scores.log_loss,
            "accuracy" => scores.accuracy,
            _ => scores.macro_f1,
        });
        let from_loss = trial.valid_loss.filter(|_| self.less_is_better);
        from_scores.filter(|s| s.is_finite()).or(from_loss).unwrap_or(f64::NAN)
    }

    fn best(&self, scores: &[f64]) -> Option<usize> {
        let finite = (0..scores.len()).filter(|&i| scores[i].is_finite());
        finite.reduce(|a, b| {
            let better = if self.less_is_better { scores[b] < scores[a] } else { scores[b] > scores[a] };
            if better { b } else { a }
        })
    }
}

/// Paths by their last part where that is unique: `optimizer.lr` → `lr`. In order of first appearance.
fn short_names(trials: &[Trial]) -> IndexMap<String, String> {
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
            // `layers` alone does not say of what.
            let name = unique.filter(|n| n != "layers").unwrap_or_else(|| last(path, 2));
            ((*path).clone(), name)
        })
        .collect()
}

fn sentence(
    trials: &[Trial],
    scores: &[f64],
    best: usize,
    metric: &Metric,
    names: &IndexMap<String, String>,
) -> Option<String> {
    let top = *scores.get(best).filter(|s| s.is_finite())?;
    let settings = trials[best]
        .params
        .iter()
        .map(|(path, value)| format!("{} {}", names.get(path).unwrap_or(path), brief(value)))
        .collect::<Vec<_>>()
        .join(", ");
    let near = scores.iter().filter(|s| (**s - top).abs() <= 0.005).count().saturating_sub(1);
    let middle = median(scores).unwrap_or(f64::NAN);
    let mut sentence = format!(
        "Trial {} is the best of {}: validation {} {} with {settings}. The median trial has {}",
        trials[best].index,
        trials.len(),
        metric.label,
        decimals(top, 3),
        decimals(middle, 3),
    );
    sentence.push_str(&match near {
        0 => "; no other comes within 0.005 of the best.".to_string(),
        1 => "; one other comes within 0.005 of the best.".to_string(),
        n => format!("; {n} others come within 0.005 of the best, so that the exact choice matters little."),
    });
    Some(sentence)
}

/// Parameters that vary, as numbers where all values are numbers.
fn slices(trials: &[Trial], names: &IndexMap<String, String>) -> Vec<Slice> {
    let mut slices = Vec::new();
    for (path, name) in names {
        let values: Vec<Option<&Value>> = trials.iter().map(|t| t.params.get(path)).collect();
        let first = values.iter().flatten().next();
        if values.iter().flatten().all(|v| Some(v) == first) {
            continue;
        }
        let name = name.clone();
        let mut distinct: Vec<f64> = values.iter().flatten().filter_map(|v| v.as_f64()).collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        // A few numbers that come again and again are choices: 128 or 256 rows a batch.
        let choices = distinct.len() <= 5 && distinct.len() * 2 <= trials.len();
        if values.iter().flatten().all(|v| v.is_number()) && !choices {
            let values = values.iter().map(|v| v.and_then(Value::as_f64).unwrap_or(f64::NAN)).collect();
            slices.push(Slice::Numbers { name, values });
        } else {
            let values = values.iter().map(|v| v.map(brief).unwrap_or_default()).collect();
            slices.push(Slice::Choices { name, values });
        }
    }
    slices
}

/// A list of widths as `256×3` or `128-64`, else as it is shown anywhere.
fn brief(value: &Value) -> String {
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

fn table(
    trials: &[Trial],
    scores: &[f64],
    best: Option<usize>,
    metric: &Metric,
    names: &IndexMap<String, String>,
) -> Table {
    let mut columns = vec![Column::text("trial")];
    columns.extend(names.iter().map(|(path, name)| Column::number(name).hint(path)));
    columns.push(Column::number("accuracy"));
    columns.push(Column::number("macro-F1"));
    columns.push(Column::number("log loss"));
    columns.push(Column::number("best epoch"));
    columns.push(Column::number("epochs"));
    let caption = format!("Trials by validation {}, best first", metric.label);
    let mut table = Table::new(caption, columns);
    let mut order: Vec<usize> = (0..trials.len()).collect();
    // What has no score comes last, whichever way the metric points.
    let rank = |i: &usize| match scores[*i] {
        s if !s.is_finite() => f64::INFINITY,
        s if metric.less_is_better => s,
        s => -s,
    };
    order.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    for trial in order {
        let is_best = best == Some(trial);
        let valid = trials[trial].valid.as_ref();
        let mut row = vec![Cell::count(trials[trial].index).strong_if(is_best)];
        for path in names.keys() {
            row.push(match trials[trial].params.get(path) {
                Some(value) => match value.as_f64() {
                    Some(n) => Cell::text(compact(n)).sort_by(n),
                    None => Cell::text(brief(value)),
                },
                None => Cell::text("–").muted_if(true),
            });
        }
        row.push(Cell::decimals(valid.map(|s| s.accuracy), 3));
        row.push(Cell::decimals(valid.map(|s| s.macro_f1), 3));
        let loss = valid.map(|s| s.log_loss).filter(|l| l.is_finite()).or(trials[trial].valid_loss);
        row.push(Cell::decimals(loss, 3));
        row.push(Cell::count(trials[trial].best_epoch));
        row.push(Cell::count(trials[trial].epochs));
        table.push(row.into_iter().map(|cell| cell.strong_if(is_best)).collect());
    }
    table
}
