//! Predictions on new rows: how many of each class, and the first rows.

use super::{Study, plural, stage_id};
use crate::figure::text::{beginning, decimals, percent};
use crate::figure::{self};
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::read::{ColumnView, StageArtifacts, TableView};
use runner_results::Predictions;

const FIRST_ROWS: usize = 8;
const MOST_COLUMNS: usize = 8;

/// Longest text of a cell, in characters.
const LONGEST: usize = 60;

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("predictions", "Predictions");
    for (stage, document) in study.with::<Predictions>() {
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        let counts = document.predicted.iter();
        let mut counts: Vec<(String, u64)> = counts.map(|(class, rows)| (class.clone(), *rows as u64)).collect();
        counts.sort_by_key(|(class, _)| study.palette.rank(class));
        let total: u64 = counts.iter().map(|(_, rows)| rows).sum();
        let mut prose = Prose::new()
            .text(format!("{} predicted, written to ", plural(document.rows as u64, "row")))
            .code(&document.file)
            .text(format!(
                "; the mean probability of the predicted class is {}",
                decimals(document.mean_confidence, 3)
            ));
        if let Some((class, most)) = counts.iter().max_by_key(|(_, rows)| rows).filter(|_| total > 0) {
            let share = percent(*most as f64 / total as f64);
            prose = prose.text(format!(". The class predicted most is {class} ({share})"));
        }
        inner.push(Block::Paragraph(prose.text(".")));
        if !counts.is_empty() {
            let svg = figure::class_balance("Predicted classes", &counts, &study.palette);
            inner.push(Block::Figure(Figure::new(svg, "")));
        }
        inner.blocks.extend(first_rows(stage, &document.column).map(Block::Table));
        section.subsections.push(inner);
    }
    Some(section)
}

/// The beginning of the first table that has rows.
fn first_rows(stage: &StageArtifacts, predicted: &str) -> Option<Table> {
    let length = |table: &TableView| table.columns.values().map(ColumnView::len).max().unwrap_or(0);
    let (name, table) = stage.tables.iter().find(|(_, table)| length(table) > 0)?;
    let mut columns: Vec<(&String, &ColumnView)> = table.columns.iter().collect();
    // What was predicted is what the reader looks for: it comes first, then the columns as they stand.
    columns.sort_by_key(|(name, _)| name.as_str() != predicted);
    columns.truncate(MOST_COLUMNS);
    let shown = length(table).min(FIRST_ROWS);
    let left_out = table.columns.len() - columns.len();
    let mut caption = format!("First {} of {name}", plural(shown as u64, "row"));
    if left_out > 0 {
        caption.push_str(&format!("; {} not shown", plural(left_out as u64, "column")));
    }
    let heads = columns.iter().map(|(name, column)| match column {
        ColumnView::Number(_) => Column::number(name),
        ColumnView::Text(_) => Column::text(name),
    });
    let mut view = Table::new(caption, heads.collect());
    for row in 0..shown {
        let cells = columns.iter().map(|(_, column)| match column {
            ColumnView::Number(values) => Cell::compact(values.get(row).copied()),
            ColumnView::Text(values) => Cell::text(beginning(values.get(row).map_or("", String::as_str), LONGEST)),
        });
        view.push(cells.collect());
    }
    Some(view)
}
