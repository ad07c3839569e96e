//! Trained networks: what their curves were found to say, the curves, calibration, scores by part and class, confusion.

use serde_json::Value;

use super::curves::{Curves, figures};
use super::models::network;
use super::scores::{class_blocks, parts_table};
use super::{Study, calibration};
use crate::figure::text;
use crate::page::{Block, Prose, Section};
use crate::read::{StageArtifacts, count, list, number, text as text_at};

pub fn section(study: &Study) -> Option<Section> {
    Some(study.each_of("train", Section::new("training", "Training"), tell))
}

fn tell(study: &Study, stage: &StageArtifacts, section: &mut Section) {
    let metrics = stage.document("parts");
    let best_epoch = metrics.and_then(kept_epoch).map(|epoch| epoch as f64);
    let loss = metrics.and_then(|m| text_at(m, "loss")).unwrap_or("loss").replace('_', " ");
    if let Some(facts) = metrics.and_then(|m| facts(m, &loss)) {
        section.say(facts);
    }
    section.blocks.extend(diagnosis(stage));
    if let Some(curves) = stage.tables.get("curves").and_then(Curves::read) {
        let figures = figures(&curves, &loss, best_epoch, study.chart_width);
        if !figures.is_empty() {
            section.push(Block::Gallery { figures, narrow: false });
        }
    }
    section.blocks.extend(calibration::block(stage, study.chart_width));
    if let Some(model) = network(stage) {
        section.blocks.extend(parts_table(&model));
        if let Some(scores) = model.judged() {
            let part = model.judged_on().name();
            let title = format!("{} on the {part} part", stage.stage);
            section.blocks.extend(class_blocks(&title, scores, &study.palette));
        }
    }
}

/// The epoch whose weights are kept; of several seeds that of the first, whose curves are shown.
pub(crate) fn kept_epoch(metrics: &Value) -> Option<u64> {
    let first = || count(list(metrics, "networks").next()?, "best_epoch");
    count(metrics, "best_epoch").or_else(first)
}

/// What the stage found in its curves, sentence by sentence.
pub fn diagnosis(stage: &StageArtifacts) -> Option<Block> {
    let findings = list(stage.document("diagnosis")?, "diagnosis");
    let sentences: Vec<Prose> = findings.filter_map(|finding| text_at(finding, "sentence").map(Prose::from)).collect();
    (!sentences.is_empty()).then_some(Block::List(sentences))
}

/// Size, loss and epoch in one line, as far as known.
fn facts(metrics: &Value, loss: &str) -> Option<String> {
    let mut facts = Vec::new();
    if let Some(parameters) = count(metrics, "parameters") {
        facts.push(format!("{} parameters", text::count(parameters)));
    }
    if metrics.get("loss").is_some() {
        facts.push(format!("loss: {loss}"));
    }
    if let Some(alone) = metrics.get("networks_alone") {
        let networks = list(metrics, "networks").count();
        let part = if alone.get("test").is_some() { "test" } else { "valid" };
        let accuracy = alone.get(part).and_then(|part| part.get("accuracy"));
        if let (Some(mean), Some(sd)) =
            (accuracy.and_then(|a| number(a, "mean")), accuracy.and_then(|a| number(a, "sd")))
        {
            let words = format!(
                "average of {networks} networks of different seeds, whose {part} accuracy alone is {mean:.3} ± {sd:.3}"
            );
            facts.push(words);
        }
    }
    facts.extend(kept_epoch(metrics).map(|epoch| match metrics.get("networks") {
        Some(_) => format!("the curves are those of the first, whose weights of epoch {epoch} are kept"),
        None => format!("weights of epoch {epoch} kept"),
    }));
    (!facts.is_empty()).then(|| format!("{}.", facts.join("; ")))
}
