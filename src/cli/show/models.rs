//! Several models beside each other: baselines, members of an ensemble, strategies of a transfer, trials of a search.

use std::collections::BTreeMap;

use super::super::screen::{self, Style};
use crate::report::ranking::{self, Validation, rule};
use crate::report::transfer::sentences;
use crate::report::variations as words;
use crate::report::{part_name, shown};
use crate::results::Metric;
use crate::results::baselines::Evaluation;
use crate::results::ensemble::Member;
use crate::results::search::Trial;
use crate::results::transfer::{Run, StrategyRuns};
use crate::results::{search::Search, transfer::Transfer, variations::Variations};

/// Trials of a search that are shown, best first.
const TRIALS_SHOWN: usize = 8;

/// Sentences of a transfer that are shown.
const SENTENCES_SHOWN: usize = 3;

fn heads(title: &str, names: &[&str], style: Style) -> Vec<String> {
    [style.bold(title)].into_iter().chain(names.iter().map(|name| style.dim(name))).collect()
}

fn decimals(value: Option<f64>) -> String {
    value.map(|value| screen::decimals(value, 3)).unwrap_or_default()
}

/// The classical models, best first.
pub(super) fn baselines(
    evaluations: &[Evaluation],
    named: Option<Metric>,
    measured: &BTreeMap<String, f64>,
    style: Style,
) -> String {
    let mut all: Vec<&Evaluation> = evaluations.iter().collect();
    let metric = ranking::rank(&mut all, named, |one| Some(Validation::of_evaluation(one)));
    // Without a validation part the folds rank.
    let is_validated = evaluations.iter().any(|one| one.valid.is_some());
    let short = if metric == Metric::MacroF1 { "F1" } else { metric.title() };
    let first = format!("{} {short}", if is_validated { "valid" } else { "cv" });
    // What ranks stands beside accuracy and macro-F1 on the test part too; the log loss has a column there.
    let other = Some(metric).filter(|metric| ![Metric::Accuracy, Metric::MacroF1, Metric::Loss].contains(metric));
    let other_head = other.map(|metric| format!("test {}", metric.title()));
    let mut heads_shown = vec![first.as_str()];
    heads_shown.extend(other_head.as_deref());
    heads_shown.extend(["cv", "test", "95 % CI", "F1", "log loss", "fit"]);
    // In a narrow terminal the deviation over the folds is left to `--json`.
    let is_narrow = screen::width() < 100;
    let mut rows = vec![heads("Models", &heads_shown, style)];
    for (i, one) in all.into_iter().enumerate() {
        let name = one.name.as_str();
        let (mean, deviation) = (one.cv_accuracy_mean, one.cv_accuracy_std);
        let test = one.test.as_ref();
        let interval = test.and_then(|test| test.intervals.as_ref()).map(|intervals| intervals.accuracy);
        let mut cells = vec![
            if i == 0 && !ranking::is_floor(name) { style.bold(name) } else { name.to_owned() },
            decimals(Validation::of_evaluation(one).score(metric)),
        ];
        cells.extend(other.map(|metric| decimals(test.and_then(|test| test.value(metric)))));
        cells.extend([
            if is_narrow { format!("{mean:.3}") } else { format!("{mean:.3} ± {deviation:.3}") },
            decimals(test.map(|test| test.accuracy)),
            style.dim(&interval.map(|found| format!("{:.3}–{:.3}", found.low, found.high)).unwrap_or_default()),
            decimals(test.map(|test| test.macro_f1)),
            decimals(test.and_then(|test| test.log_loss)),
            measured.get(&format!("{name}.fit_seconds")).map(|fit| screen::duration(*fit)).unwrap_or_default(),
        ]);
        rows.push(cells);
    }
    let is_tested = evaluations.iter().any(|one| one.test.is_some());
    let tested = match is_tested {
        true => "test: accuracy, and what follows, on the test part (CI: confidence interval)",
        false => "there are no test rows",
    };
    if !is_tested {
        // Of the columns that tell of the test part none is left.
        let extra = usize::from(other.is_some());
        rows.iter_mut().for_each(|row| drop(row.drain(3 + extra..7 + extra)));
        if other.is_some() {
            rows.iter_mut().for_each(|row| drop(row.remove(2)));
        }
    }
    let text = screen::table(&rows);
    let folds = if is_narrow { "" } else { " (± over the folds)" };
    let cv_f1 = match (is_validated, metric) {
        (false, Metric::MacroF1) => "; cv F1: macro-F1 by cross-validation",
        _ => "",
    };
    let thresholds: Vec<String> = evaluations.iter().filter_map(threshold).collect();
    let at = if thresholds.is_empty() { String::new() } else { format!("; thresholds: {}", thresholds.join(", ")) };
    let rule = rule(metric);
    let note = format!(
        "{rule}; F1: macro-F1; cv: accuracy by cross-validation{folds}{cv_f1}; {tested}; fit: time to fit on the training part{at}"
    );
    format!("{text}{}", style.note(&note))
}

/// `forest 0.31`, of a model that predicts by a threshold.
fn threshold(evaluation: &Evaluation) -> Option<String> {
    let scores = evaluation.test.as_ref().or(evaluation.valid.as_ref())?;
    let threshold = scores.threshold.as_ref()?;
    Some(format!("{} {}", evaluation.name, screen::decimals(threshold.value, 3)))
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
pub(super) fn strategies(found: &Transfer, style: Style) -> String {
    let columns = ["seeds", "accuracy", "macro-F1", "old classes", "new classes", "epoch"];
    let mut rows = vec![heads("Strategies", &columns, style)];
    for StrategyRuns { strategy, runs } in &found.strategies {
        let mean = |value: &dyn Fn(&Run) -> Option<f64>| {
            let values: Vec<f64> = runs.iter().filter_map(value).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let name = strategy.name();
        rows.push(vec![
            if found.best == *strategy { style.bold(&format!("{name} *")) } else { name.to_owned() },
            runs.len().to_string(),
            decimals(mean(&|run| Some(run.judged().all.accuracy))),
            decimals(mean(&|run| Some(run.judged().all.macro_f1))),
            decimals(mean(&|run| run.judged().old_classes.accuracy)),
            decimals(mean(&|run| run.judged().new_classes.accuracy)),
            mean(&|run| Some(run.best_epoch as f64)).map(|epoch| screen::decimals(epoch, 1)).unwrap_or_default(),
        ]);
    }
    let part = part_name(found.part);
    let words = format!("{part} part, means over seeds, as is the epoch kept; * chosen on the validation part");
    format!("{}{}", screen::table(&rows), style.note(&words))
}

/// What a transfer found: the first sentences, which are the verdict.
pub(super) fn findings(found: &Transfer, style: Style, width: usize) -> String {
    let sentences = sentences(found);
    let shown = sentences.iter().take(SENTENCES_SHOWN);
    let mut text: String =
        shown.map(|sentence| screen::wrap(sentence, &format!("  {} ", style.dim("·")), width)).collect();
    if sentences.len() > SENTENCES_SHOWN {
        text.push_str(&style.note(&format!("  {} more under `findings`", sentences.len() - SENTENCES_SHOWN)));
    }
    text
}

/// The settings of variations: of each factor its values, and what was left out, each against the base.
pub(super) fn variations(found: &Variations, measured: &BTreeMap<String, f64>, style: Style, width: usize) -> String {
    let metric = found.metric.label();
    let columns = [metric, "difference", "95 % interval", "p", "epoch", "clipped", "time"];
    let row = |name: String, place: usize, is_best: bool| {
        let setting = &found.settings[place];
        let effect = setting.effect.as_ref();
        let name = if place == 0 && name.trim() != "base" { format!("{name} (base)") } else { name };
        let epoch = setting.mean_of(|run| run.best_epoch.map(|epoch| epoch as f64));
        let clipped = setting.mean_of(|run| run.gradients.map(|gradients| gradients.clipped));
        let interval = effect.and_then(|effect| effect.interval);
        let seconds = measured.get(&format!("{}.train_seconds", words::name(found, place)));
        vec![
            if is_best { style.bold(&name) } else { name },
            words::score(setting, 3),
            effect.map(|effect| words::signed(effect.mean, 3)).unwrap_or_default(),
            style.dim(
                &interval
                    .map(|(low, high)| format!("{} to {}", screen::decimals(low, 3), screen::decimals(high, 3)))
                    .unwrap_or_default(),
            ),
            decimals(effect.and_then(|effect| effect.p_corrected)),
            epoch.map(|epoch| screen::decimals(epoch, 1)).unwrap_or_default(),
            clipped.map(|share| format!("{:.0} %", 100.0 * share)).unwrap_or_default(),
            seconds.map(|seconds| screen::duration(*seconds)).unwrap_or_default(),
        ]
    };
    let factors = found.factors.iter().map(|factor| {
        let rows = factor.levels.iter().map(|level| (words::level_name(level), level.setting)).collect();
        (words::factor_name(factor), rows)
    });
    let ablations: Vec<(String, usize)> =
        found.ablations.iter().map(|ablation| (ablation.name.clone(), ablation.setting)).collect();
    let blocks = factors.chain((!ablations.is_empty()).then_some(("Without".to_owned(), ablations)));
    // One table, so that the columns of all factors stand below each other.
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (title, block) in blocks {
        let best = found.best_of(block.iter().map(|(_, place)| *place));
        let mut head = heads(&title, &columns, style);
        if !rows.is_empty() {
            head.iter_mut().skip(1).for_each(String::clear);
        }
        rows.push(head);
        rows.extend(block.into_iter().map(|(name, place)| row(format!("  {name}"), place, best == Some(place))));
    }
    let seeds = crate::report::counted(found.seeds.len() as u64, "seed");
    let note = format!(
        "validation part, means over {seeds}; differences from the base are paired by seed; p: t-test, corrected over all settings (Holm); time: of all its seeds"
    );
    let limits = words::limits(found);
    let limits = limits.split_once(". ").map_or(limits.as_str(), |(first, _)| first);
    let reach = screen::wrap(limits.trim_end_matches('.'), &format!("  {} ", style.dim("·")), width);
    format!("{}{}{reach}", screen::table(&rows), style.note(&note))
}

/// The trials of a search, best first by its metric.
pub(super) fn trials(search: &Search, style: Style, width: usize) -> String {
    let Search { trials, metric, .. } = search;
    let mut all: Vec<&Trial> = trials.iter().collect();
    let merit = |trial: &Trial| trial.merit(*metric).unwrap_or(f64::NEG_INFINITY);
    all.sort_by(|a, b| merit(b).total_cmp(&merit(a)));
    if all.is_empty() {
        return String::new();
    }
    let mut rows = vec![heads("Trials", &[metric.label(), "epoch kept", "parameters"], style)];
    for trial in all.iter().take(TRIALS_SHOWN) {
        let parameters: Vec<String> = (trial.params.iter())
            .map(|(path, value)| {
                format!("{} {}", path.rsplit('.').next().unwrap_or(path), shown(value).replace(',', ", "))
            })
            .collect();
        let index = trial.index;
        rows.push(vec![
            if index == search.best { style.bold(&format!("{index}, chosen")) } else { index.to_string() },
            trial.score(*metric).map_or_else(|| trial.state.name().to_owned(), |score| screen::decimals(score, 3)),
            trial.best_epoch.map(|best| format!("{best} of {}", trial.epochs)).unwrap_or_default(),
            parameters.join("; "),
        ]);
    }
    let mut text = screen::table_within(&rows, width);
    if all.len() > TRIALS_SHOWN {
        text.push_str(&style.note(&format!("the best {TRIALS_SHOWN} of {} trials, validation part", all.len())));
    }
    text
}
