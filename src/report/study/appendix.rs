//! The last section: parameters and delivered files of every stage. Knows nothing of their meaning.

use super::Study;
use crate::report::page::{Block, Prose, Section, anchor};

/// JSON longer than this is cut: parameters are short, and the pipeline file has them all.
const LONGEST: usize = 20_000;

pub fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("appendix", "Parameters and files");
    section.unlisted = true;
    for stage in study.stages {
        let mut inner = Section::new(anchor("params-", &stage.stage), stage.stage.clone());
        let mut line = Prose::new().text("Kind ").code(&stage.kind);
        let inputs: Vec<&str> = study.parents(&stage.stage).collect();
        if !inputs.is_empty() {
            line = line.text(format!(", reads {}", inputs.join(", ")));
        }
        if !stage.files.is_empty() {
            line = line.text("; delivers ");
            for (place, file) in stage.files.iter().enumerate() {
                line = line.text(if place > 0 { ", " } else { "" }).code(file);
            }
        }
        inner.push(Block::Paragraph(line.text(".")));
        let empty = stage.params.is_null() || stage.params.as_object().is_some_and(serde_json::Map::is_empty);
        if !empty && let Ok(mut text) = serde_json::to_string_pretty(&stage.params) {
            if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
                text.truncate(cut);
                text.push_str("\n…");
            }
            inner.push(Block::Details { summary: "parameters".to_string(), blocks: vec![Block::Code(text)] });
        }
        section.subsections.push(inner);
    }
    Some(section)
}
