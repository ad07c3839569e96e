//! Trained networks: what their curves were found to say, the curves, calibration, scores by part and class, confusion.

use runner_results::training::Fitted;
use runner_results::training::Training;

use super::curves::{Curves, figures};
use super::models::network;
use super::scores::{class_blocks, parts_table};
use super::{Study, calibration};
use crate::diagnosis::sentence;
use crate::figure::text;
use crate::page::{Block, Prose, Section};
use crate::part_name;
use crate::read::StageArtifacts;

pub(crate) fn section(study: &Study) -> Option<Section> {
    Some(study.each_of("train", Section::new("training", "Training"), tell))
}

fn tell(study: &Study, stage: &StageArtifacts, section: &mut Section) {
    let training = stage.documents.get::<Training>();
    let best_epoch = training.and_then(|training| training.fitted.best_epoch()).map(|epoch| epoch as f64);
    let loss = training.map_or("loss", |training| training.loss.name()).replace('_', " ");
    if let Some(training) = training {
        section.say(facts(training, &loss));
    }
    section.blocks.extend(diagnosis(stage));
    if let Some(curves) = stage.tables.get("curves").and_then(Curves::read) {
        let figures = figures(&curves, &loss, best_epoch, study.layout);
        if !figures.is_empty() {
            section.push(Block::Gallery { figures, narrow: false });
        }
    }
    section.blocks.extend(calibration::block(stage, study.layout));
    if let Some(model) = network(stage) {
        section.blocks.extend(parts_table(&model));
        if let Some(scores) = model.judged() {
            let part = part_name(model.judged_on());
            let title = format!("{} on the {part} part", stage.stage);
            section.blocks.extend(class_blocks(&title, scores, &study.palette));
        }
    }
}

/// What the stage found in its curves, sentence by sentence.
pub(crate) fn diagnosis(stage: &StageArtifacts) -> Option<Block> {
    let findings = stage.documents.get::<Training>()?.diagnosis.iter();
    let sentences: Vec<Prose> = findings.map(|finding| Prose::from(sentence(finding))).collect();
    (!sentences.is_empty()).then_some(Block::List(sentences))
}

/// Size, loss and epoch in one line.
fn facts(training: &Training, loss: &str) -> String {
    let mut facts = vec![format!("{} parameters", text::count(training.parameters as u64)), format!("loss: {loss}")];
    match &training.fitted {
        Fitted::One { best_epoch, .. } => facts.push(format!("weights of epoch {best_epoch} kept")),
        Fitted::Several { networks, networks_alone } => {
            let part = if networks_alone.test.is_some() { "test" } else { "valid" };
            let accuracy = networks_alone.judged().map(|(_, alone)| alone.accuracy);
            if let Some((mean, sd)) = accuracy.and_then(|accuracy| Some((accuracy.mean, accuracy.sd?))) {
                facts.push(format!(
                    "average of {} networks of different seeds, whose {part} accuracy alone is {mean:.3} ± {sd:.3}",
                    networks.len()
                ));
            }
            if let Some(epoch) = training.fitted.best_epoch() {
                facts.push(format!("the curves are those of the first, whose weights of epoch {epoch} are kept"));
            }
        }
    }
    format!("{}.", facts.join("; "))
}
