//! Hyper-parameter search: the best trial in a sentence, what mattered in figures, every trial in a table.

mod plots;
pub(crate) mod trials;

use indexmap::IndexMap;
use runner_results::search::Search;
use runner_results::search::State;

use super::{Study, stage_id};
use crate::figure::text::{compact, decimals};
use crate::page::{Block, Cell, Column, Section, Table};
use crate::search::trial_counts;
use crate::statistics::median;
use trials::{Trials, brief, columns, label, short_names};

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("search", "Search");
    for stage in study.stages {
        let Some(trials) = stage.documents.get::<Search>().and_then(Trials::of) else { continue };
        let names = short_names(&trials.search.trials);
        let mut inner = Section::new(format!("search-{}", stage_id(stage)), stage.stage.clone());
        if let Some(sentence) = sentence(&trials, &names) {
            inner.say(sentence);
        }
        inner.say(format!("The test part was opened once, after {}.", trial_counts(trials.search)));
        let figures = plots::figures(&trials, stage.tables.get("trials"));
        if !figures.is_empty() {
            inner.push(Block::Gallery { figures, narrow: false });
        }
        inner.push(Block::Table(table(&trials, &names)));
        section.subsections.push(inner);
    }
    Some(section)
}

fn sentence(trials: &Trials, names: &IndexMap<String, String>) -> Option<String> {
    let Trials { search, scores, best, .. } = trials;
    let top = best.score(search.metric)?;
    let settings = best
        .params
        .iter()
        .map(|(path, value)| format!("{} {}", names.get(path).unwrap_or(path), brief(value)))
        .collect::<Vec<_>>()
        .join(", ");
    let near = scores.iter().filter(|s| (**s - top).abs() <= 0.005).count().saturating_sub(1);
    let middle = median(scores).unwrap_or(f64::NAN);
    let mut sentence = format!(
        "Trial {} is the best of {}: validation {} {} with {settings}. The median trial has {}",
        best.index,
        search.trials.len(),
        label(search.metric),
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

fn table(trials: &Trials, names: &IndexMap<String, String>) -> Table {
    let Search { trials: all, metric, best, .. } = trials.search;
    let mut columns_shown = vec![Column::text("trial")];
    columns_shown.extend(names.iter().map(|(path, name)| Column::number(name).hint(path)));
    let has_states = all.iter().any(|trial| trial.state != State::Complete);
    if has_states {
        columns_shown.push(Column::text("end"));
    }
    // What every training has curves of is shown of every search.
    let first = Some(*metric).filter(|metric| !metric.has_curve());
    columns_shown.extend(first.map(|metric| Column::number(label(metric)).hint(metric.meaning())));
    columns_shown.extend(["accuracy", "macro-F1", "log loss", "best epoch", "epochs"].map(Column::number));
    let caption = format!("Trials by validation {}, best first", label(*metric));
    let mut table = Table::new(caption, columns_shown);
    let mut order: Vec<usize> = (0..all.len()).collect();
    // What has no score comes last, whichever way the metric points.
    let merit = |i: &usize| all[*i].merit(*metric).unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|a, b| merit(b).total_cmp(&merit(a)));
    for place in order {
        let (trial, is_best) = (&all[place], *best == place);
        let mut row = vec![Cell::count(trial.index as u64).strong_if(is_best)];
        for path in names.keys() {
            row.push(match trial.params.get(path) {
                Some(value) => match value.as_f64() {
                    Some(n) => Cell::text(compact(n)).sort_by(n),
                    None => Cell::text(brief(value)),
                },
                None => Cell::text("–").muted_if(true),
            });
        }
        if has_states {
            row.push(Cell::text(trial.state.name()));
        }
        row.extend(first.map(|metric| Cell::decimals(trial.score(metric), 3)));
        row.extend(columns(trial.valid).map(|score| Cell::decimals(score, 3)));
        row.push(Cell::count(trial.best_epoch.map(|epoch| epoch as u64)));
        row.push(Cell::count(trial.epochs as u64));
        table.push(row.into_iter().map(|cell| cell.strong_if(is_best)).collect());
    }
    table
}
