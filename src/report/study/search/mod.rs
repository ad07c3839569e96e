//! Hyper-parameter search: the best trial in a sentence, what mattered in figures, every trial in a table.

mod plots;
pub(crate) mod trials;

use indexmap::IndexMap;

use super::{Study, stage_id};
use crate::figure::text::{compact, decimals};
use crate::page::{Block, Cell, Column, Section, Table};
use crate::statistics::median;
use trials::{Metric, Trial, Trials, brief, short_names};

pub fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("search", "Search");
    for (stage, document) in study.with_document("trials") {
        let Some(search) = Trials::read(document) else { continue };
        let Trials { trials, metric, scores, best, .. } = &search;
        let names = short_names(trials);
        let mut inner = Section::new(format!("search-{}", stage_id(stage)), stage.stage.clone());
        if let Some(sentence) = best.and_then(|best| sentence(trials, scores, best, metric, &names)) {
            inner.say(sentence);
        }
        if let Some(note) = &search.note {
            inner.say(note.clone());
        }
        let figures = plots::figures(&search, stage.tables.get("trials"));
        if !figures.is_empty() {
            inner.push(Block::Gallery { figures, narrow: false });
        }
        inner.push(Block::Table(table(trials, scores, *best, metric, &names)));
        section.subsections.push(inner);
    }
    Some(section)
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

fn table(
    trials: &[Trial],
    scores: &[f64],
    best: Option<usize>,
    metric: &Metric,
    names: &IndexMap<String, String>,
) -> Table {
    let mut columns = vec![Column::text("trial")];
    columns.extend(names.iter().map(|(path, name)| Column::number(name).hint(path)));
    let has_states = trials.iter().any(|trial| trial.state != "complete");
    if has_states {
        columns.push(Column::text("end"));
    }
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
        if has_states {
            row.push(Cell::text(&trials[trial].state));
        }
        row.push(Cell::decimals(valid.map(|s| s.accuracy), 3));
        row.push(Cell::decimals(valid.map(|s| s.macro_f1), 3));
        row.push(Cell::decimals(trials[trial].valid_loss, 3));
        row.push(Cell::count(trials[trial].best_epoch));
        row.push(Cell::count(trials[trial].epochs));
        table.push(row.into_iter().map(|cell| cell.strong_if(is_best)).collect());
    }
    table
}
