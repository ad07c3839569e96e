//! Several models beside each other: baselines, members of an ensemble, strategies of a transfer, trials of a search.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::screen::{self, Style};
use crate::report::ranking::{self, RULE, Validation};
use crate::report::{count, list, number, shown, text};
use crate::results::baselines::Evaluation;
use crate::results::ensemble::Member;

/// Trials of a search that are shown, best first.
const TRIALS_SHOWN: usize = 8;

/// Sentences of a comparison that are shown.
const COMMENTS_SHOWN: usize = 3;

fn heads(title: &str, names: &[&str], style: Style) -> Vec<String> {
    [style.bold(title)].into_iter().chain(names.iter().map(|name| style.dim(name))).collect()
}

fn decimals(value: Option<f64>) -> String {
    value.map(|value| screen::decimals(value, 3)).unwrap_or_default()
}

/// The classical models, best first.
pub(super) fn baselines(evaluations: &[Evaluation], measured: &BTreeMap<String, f64>, style: Style) -> String {
    let mut all: Vec<&Evaluation> = evaluations.iter().collect();
    ranking::rank(&mut all, |one| Some(Validation::of_evaluation(one)));
    let heads_shown = ["valid F1", "cv", "test", "95 % CI", "F1", "log loss", "fit"];
    // In a narrow terminal the deviation over the folds is left to `--json`.
    let is_narrow = screen::width() < 100;
    let mut rows = vec![heads("Models", &heads_shown, style)];
    for (i, one) in all.into_iter().enumerate() {
        let name = one.name.as_str();
        let (mean, deviation) = (one.cv_accuracy_mean, one.cv_accuracy_std);
        let test = one.test.as_ref();
        let interval = test.and_then(|test| test.intervals.as_ref()).map(|intervals| intervals.accuracy);
        rows.push(vec![
            if i == 0 && !ranking::is_floor(name) { style.bold(name) } else { name.to_owned() },
            decimals(one.valid.as_ref().map(|valid| valid.macro_f1)),
            if is_narrow { format!("{mean:.3}") } else { format!("{mean:.3} ± {deviation:.3}") },
            decimals(test.map(|test| test.accuracy)),
            style.dim(&interval.map(|found| format!("{:.3}–{:.3}", found.low, found.high)).unwrap_or_default()),
            decimals(test.map(|test| test.macro_f1)),
            decimals(test.and_then(|test| test.log_loss)),
            measured.get(&format!("{name}.fit_seconds")).map(|fit| screen::duration(*fit)).unwrap_or_default(),
        ]);
    }
    let is_tested = evaluations.iter().any(|one| one.test.is_some());
    let tested = match is_tested {
        true => "test: accuracy, and what follows, on the test part (CI: confidence interval)",
        false => "there are no test rows",
    };
    if !is_tested {
        // Of the columns that tell of the test part none is left.
        rows.iter_mut().for_each(|row| drop(row.drain(3..7)));
    }
    let text = screen::table(&rows);
    let folds = if is_narrow { "" } else { " (± over the folds)" };
    let note = format!(
        "{RULE}; F1: macro-F1; cv: accuracy by cross-validation{folds}; {tested}; fit: time to fit on the training part"
    );
    format!("{text}{}", style.note(&note))
}

/// The members of an ensemble, heaviest first; those without weight in a line.
pub(super) fn members(members: &[Member], style: Style) -> String {
    let mut all: Vec<&Member> = members.iter().collect();
    all.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut rows = vec![heads("Members", &["weight", "accuracy alone", "macro-F1", "log loss"], style)];
    let mut idle = Vec::new();
    for Member { name, weight, valid } in all {
        if *weight == 0.0 {
            idle.push(name.as_str());
            continue;
        }
        rows.push(vec![
            name.to_owned(),
            decimals(Some(*weight)),
            decimals(Some(valid.accuracy)),
            decimals(Some(valid.macro_f1)),
            decimals(valid.log_loss),
        ]);
    }
    if rows.len() == 1 && idle.is_empty() {
        return String::new();
    }
    let mut text = screen::table(&rows);
    text.push_str(&style.note("scores on the validation part, which chose the weights"));
    if !idle.is_empty() {
        text.push_str(&screen::wrap(&format!("without weight: {}", idle.join(", ")), "  ", screen::width()));
    }
    text
}

/// The strategies of a transfer: means over their seeds.
pub(super) fn strategies(document: &Value, style: Style) -> String {
    let part = text(document, "part").unwrap_or("valid");
    let columns = ["seeds", "accuracy", "macro-F1", "old classes", "new classes", "epoch"];
    let mut rows = vec![heads("Strategies", &columns, style)];
    for strategy in list(document, "strategies") {
        let name = text(strategy, "strategy").unwrap_or_default();
        let runs: Vec<&Value> = list(strategy, "runs").collect();
        let mean = |value: &dyn Fn(&Value) -> Option<f64>| {
            let values: Vec<f64> = runs.iter().filter_map(|run| value(run)).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let judged =
            |group: &'static str, score: &'static str| mean(&move |run| number(run.get(part)?.get(group)?, score));
        let best = text(document, "best") == Some(name);
        rows.push(vec![
            if best { style.bold(&format!("{name} *")) } else { name.to_owned() },
            runs.len().to_string(),
            decimals(judged("all", "accuracy")),
            decimals(judged("all", "macro_f1")),
            decimals(judged("old_classes", "accuracy")),
            decimals(judged("new_classes", "accuracy")),
            mean(&|run| number(run, "best_epoch")).map(|epoch| screen::decimals(epoch, 1)).unwrap_or_default(),
        ]);
    }
    let part = if part == "valid" { "validation" } else { part };
    let words = format!("{part} part, means over seeds, as is the epoch kept; * chosen on the validation part");
    format!("{}{}", screen::table(&rows), style.note(&words))
}

/// What a stage says of its findings: the first sentences, which are the verdict.
pub(super) fn comments(document: &Value, style: Style, width: usize) -> String {
    let sentences: Vec<&str> = list(document, "comments").filter_map(Value::as_str).collect();
    let shown = sentences.iter().take(COMMENTS_SHOWN);
    let mut text: String =
        shown.map(|sentence| screen::wrap(sentence, &format!("  {} ", style.dim("·")), width)).collect();
    if sentences.len() > COMMENTS_SHOWN {
        text.push_str(&style.note(&format!("  {} more sentences under `comments`", sentences.len() - COMMENTS_SHOWN)));
    }
    text
}

/// The trials of a search, best first by its metric.
pub(super) fn trials(document: &Value, style: Style, width: usize) -> String {
    let metric = text(document, "metric").unwrap_or("macro_f1");
    let mut all: Vec<&Value> = list(document, "trials").collect();
    let score = |trial: &Value| trial.get("valid").and_then(|valid| number(valid, metric));
    let rank = |trial: &Value| match score(trial) {
        Some(loss) if metric == "loss" => -loss,
        Some(score) => score,
        None => f64::NEG_INFINITY,
    };
    all.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    if all.is_empty() {
        return String::new();
    }
    let label = metric.replace("macro_f1", "macro-F1").replace('_', " ");
    let mut rows = vec![heads("Trials", &[&label, "epoch kept", "parameters"], style)];
    for (i, trial) in all.iter().take(TRIALS_SHOWN).enumerate() {
        let parameters = trial["params"].as_object().into_iter().flatten();
        let parameters: Vec<String> = parameters
            .map(|(path, value)| {
                format!("{} {}", path.rsplit('.').next().unwrap_or(path), shown(value).replace(',', ", "))
            })
            .collect();
        let index = count(trial, "index").unwrap_or(0);
        let epochs = [count(trial, "best_epoch"), count(trial, "epochs")];
        rows.push(vec![
            if i == 0 { style.bold(&format!("{index}, chosen")) } else { index.to_string() },
            score(trial)
                .map_or_else(|| text(trial, "state").unwrap_or("–").to_owned(), |score| screen::decimals(score, 3)),
            match epochs {
                [Some(best), Some(epochs)] => format!("{best} of {epochs}"),
                _ => String::new(),
            },
            parameters.join("; "),
        ]);
    }
    let mut text = screen::table_within(&rows, width);
    if all.len() > TRIALS_SHOWN {
        text.push_str(&style.note(&format!("the best {TRIALS_SHOWN} of {} trials, validation part", all.len())));
    }
    text
}
