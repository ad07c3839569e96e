//! Transfer to new classes: the verdict, strategies side by side, what was forgotten, how few rows suffice, and what became
//! of each tensor.
//!
//! Curves are in a table with columns `strategy` and `seed`.

mod figures;
pub(crate) mod runs;
mod tables;

use runner_results::transfer::Transfer;

use super::models::network;
use super::scores::{class_blocks, parts_table};
use super::train::diagnosis;
use super::{Study, calibration, plural};
use crate::page::{Block, Prose, Section};
use crate::part_name;
use crate::read::StageArtifacts;
use crate::transfer::sentences;

pub(crate) fn section(study: &Study) -> Option<Section> {
    let found = || study.stages.iter().filter_map(|stage| stage.documents.get::<Transfer>());
    // Where nothing is known of the classes, there may be new ones.
    let is_plain = found().next().is_some() && found().all(|found| found.new_classes().next().is_none());
    let title = if is_plain { "Transfer" } else { "Transfer to new classes" };
    Some(study.each_of("transfer", Section::new("transfer", title), tell))
}

fn tell(study: &Study, stage: &StageArtifacts, section: &mut Section) {
    if let Some(found) = stage.documents.get::<Transfer>() {
        strategies(study, stage, found, section);
    }
    section.blocks.extend(diagnosis(stage));
    section.blocks.extend(calibration::block(stage, study.layout));
    if let Some(model) = network(stage) {
        section.blocks.extend(parts_table(&model));
        if let Some(scores) = model.judged() {
            let part = part_name(model.judged_on());
            let title = format!("{} on the {part} part", stage.stage);
            section.blocks.extend(class_blocks(&title, scores, &study.palette));
        }
    }
    section.blocks.extend(stage.documents.get::<Transfer>().and_then(tables::tensors));
}

/// What was compared, and what came of it.
fn strategies(study: &Study, stage: &StageArtifacts, found: &Transfer, section: &mut Section) {
    section.push(Block::List(sentences(found).into_iter().map(Prose::from).collect()));
    let part = found.part;
    let trained = runs::trained(stage, found);
    section.push(tables::strategies(found));
    let figures = figures::by_epoch(&trained, study.layout);
    if !figures.is_empty() {
        let most = figures::most_seeds(&trained);
        if most > 1 {
            section.say(format!(
                "Lines are means of {}, bands run from least to greatest; both end where the first seed stopped.",
                plural(most, "seed")
            ));
        }
        section.push(Block::Gallery { figures, narrow: false });
    }
    section.blocks.extend(tables::old_and_new(found, part));
    section.blocks.extend(tables::comparisons(found, part));
    let figures = figures::by_share(&found.share_runs, part_name(part));
    if !figures.is_empty() {
        section.push(Block::Gallery { figures, narrow: false });
    }
    section.blocks.extend(tables::shares(found));
}
