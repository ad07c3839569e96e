//! What kinds of stages that a program added show of themselves.

use super::{Study, stage_id};
use crate::page::Section;

pub(super) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("added", "Further stages");
    for stage in study.stages.iter().filter(|stage| !stage.blocks.is_empty()) {
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        inner.blocks = stage.blocks.clone();
        section.subsections.push(inner);
    }
    (!section.is_empty()).then_some(section)
}
