//! Transfer to new classes: the verdict, strategies side by side, what was forgotten, how few rows suffice, and what became
//! of each tensor.
//!
//! Knows the shape of the transfer's JSON and, for curves, of a table with columns `strategy` and `seed`.

mod figures;
pub(crate) mod runs;
mod tables;

use serde_json::Value;

use super::models::network;
use super::scores::{class_blocks, parts_table};
use super::train::diagnosis;
use super::{Study, calibration, plural};
use crate::JudgedOn;
use crate::page::{Block, Prose, Section};
use crate::read::{StageArtifacts, texts};

pub fn section(study: &Study) -> Option<Section> {
    let documents = || study.with_document("strategies").map(|(_, document)| document);
    // What says nothing of its classes may have new ones.
    let is_plain = documents().next().is_some() && documents().all(adds_nothing);
    let title = if is_plain { "Transfer" } else { "Transfer to new classes" };
    Some(study.each_of("transfer", Section::new("transfer", title), tell))
}

/// Whether all classes were known to the old network.
pub(crate) fn adds_nothing(document: &Value) -> bool {
    let (old, all) = (texts(document.get("old_classes")), texts(document.get("classes")));
    !old.is_empty() && !all.is_empty() && all.iter().all(|class| old.contains(class))
}

fn tell(study: &Study, stage: &StageArtifacts, section: &mut Section) {
    let document = stage.document("strategies").or_else(|| stage.document("tensors")).unwrap_or(&Value::Null);
    let comments = texts(document.get("comments"));
    if !comments.is_empty() {
        section.push(Block::List(comments.into_iter().map(Prose::from).collect()));
    }
    let part = JudgedOn::named(document);
    let runs = runs::runs(stage, document);
    section.blocks.extend(tables::strategies(document, &runs));
    let figures = figures::by_epoch(&runs, study.chart_width);
    if !figures.is_empty() {
        let most = figures::most_seeds(&runs);
        if most > 1 {
            section.say(format!(
                "Lines are means of {}, bands run from least to greatest; both end where the first seed stopped.",
                plural(most, "seed")
            ));
        }
        section.push(Block::Gallery { figures, narrow: false });
    }
    section.blocks.extend(tables::old_and_new(document, &runs, part));
    section.blocks.extend(tables::comparisons(document, part));
    let figures = figures::by_share(&runs::share_runs(document), part.name());
    if !figures.is_empty() {
        section.push(Block::Gallery { figures, narrow: false });
    }
    section.blocks.extend(tables::shares(document));
    section.blocks.extend(diagnosis(stage));
    section.blocks.extend(calibration::block(stage, study.chart_width));
    if let Some(model) = network(stage) {
        section.blocks.extend(parts_table(&model));
        if let Some(scores) = model.judged() {
            let part = model.judged_on().name();
            let title = format!("{} on the {part} part", stage.stage);
            section.blocks.extend(class_blocks(&title, scores, &study.palette));
        }
    }
    section.blocks.extend(tables::tensors(document));
}
