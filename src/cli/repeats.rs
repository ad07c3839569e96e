//! Models on several draws of one split, as a table for the terminal.

use super::screen::{self, Style};
use crate::report::ranking::Source;
use crate::report::{Repeated, part_name};

/// Empty where there are none.
pub(super) fn table(all: &[Repeated], style: Style) -> String {
    /// Models that are listed.
    const MOST: usize = 20;
    let Some(first) = all.first() else { return String::new() };
    let source = if first.source == Some(Source::CrossValidation) { "cv" } else { "valid" };
    let part = first.part.map_or("", part_name);
    let metrics: Vec<_> = first.scores.iter().map(|(metric, _)| *metric).collect();
    let heads = ["Repeated splits".to_owned(), "splits".to_owned(), format!("{source} {}", first.chosen_by.0.label())];
    let heads = heads.into_iter().chain(metrics.iter().map(|metric| format!("{part} {}", metric.label())));
    let mut rows: Vec<Vec<String>> = vec![heads.map(|head| style.dim(&head)).collect()];
    for model in all.iter().take(MOST) {
        let told = |spread: Option<String>| spread.unwrap_or_else(|| "–".to_owned());
        let mut row = vec![style.bold(&model.name), model.splits.to_string()];
        row.push(told(model.chosen_by.1.map(|spread| spread.told())));
        row.extend(
            metrics.iter().map(|metric| {
                told(model.scores.iter().find(|(own, _)| own == metric).map(|(_, spread)| spread.told()))
            }),
        );
        rows.push(row);
    }
    let mut text = format!("\n{}", screen::table_within(&rows, screen::width()));
    if all.len() > MOST {
        text.push_str(&style.note(&format!("{} more are on the page of a `report` stage", all.len() - MOST)));
    }
    text.push_str(&style.note("mean ± standard deviation over splits that differ in their seeds alone"));
    text
}
