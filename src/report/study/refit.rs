//! Models that were fitted again on all labelled rows: of which, on how many rows, and what is known of how well they predict.

use super::{Study, plural, stage_id};
use crate::figure::text::percent;
use crate::page::{Block, Cell, Column, Prose, Section, Table};
use runner_results::refit::Refit;

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("refit", "Fitted again on all rows");
    for (stage, document) in study.with::<Refit>() {
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        let prose = Prose::new()
            .text("The model ")
            .code(&document.of)
            .text(format!(
                " again, fitted on all {}, where it had {} before. What was chosen on validation rows stays as it was. No labelled row is left \
                 to judge it: how well it predicts is estimated by the scores of ",
                plural(document.rows as u64, "labelled row"),
                document.training_rows
            ))
            .code(&document.of)
            .text(".");
        inner.push(Block::Paragraph(prose));
        if document.models.len() > 1 {
            let heads =
                vec![Column::text("model"), Column::number("weight"), Column::number("epochs").hint("of a network")];
            let mut table = Table::new("Members that have a weight", heads);
            for model in &document.models {
                let epochs = model.epochs.map_or(Cell::text("–"), |epochs| Cell::compact(Some(epochs as f64)));
                table.push(vec![Cell::text(&model.name), Cell::text(percent(model.weight)), epochs]);
            }
            inner.push(Block::Table(table));
        }
        section.subsections.push(inner);
    }
    Some(section)
}
