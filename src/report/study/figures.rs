//! The figures of one stage, each for itself: the same as on the page.
//!
//! Knows nothing of files.

use super::{
    Block, Section, StageArtifacts, Study, baseline, ensemble, inspect, map, palette, predict, profile, search, train,
    transfer,
};
use crate::report::figure::{Drawing, Palette};

/// Name (fit for a file) and drawing of every figure that the page would show of this stage, but for the confusion matrices.
pub fn figures(stage: &StageArtifacts) -> Vec<(String, Drawing)> {
    in_colours(stage, palette(std::slice::from_ref(stage)), false, None)
}

/// The same of every stage, with the confusion matrices and in the colours of the page; each name begins with the stage's.
pub fn all_figures(stages: &[StageArtifacts]) -> Vec<(String, Drawing)> {
    let palette = palette(stages);
    let named = |stage: &StageArtifacts| {
        let prefix = slug(&stage.stage);
        let found = in_colours(stage, palette.clone(), true, None).into_iter();
        found.map(move |(name, drawing)| (format!("{prefix}-{name}"), drawing)).collect::<Vec<_>>()
    };
    stages.iter().flat_map(named).collect()
}

/// The figures of one stage in the colours of a palette; `beside`: also those that stand beside tables.
pub(in crate::report) fn in_colours(
    stage: &StageArtifacts,
    palette: Palette,
    beside: bool,
    chart_width: Option<f64>,
) -> Vec<(String, Drawing)> {
    let study =
        Study { stages: std::slice::from_ref(stage), edges: &[], contests: &[], palette, past: None, chart_width };
    let told = [
        profile::section(&study),
        map::section(&study),
        baseline::section(&study),
        search::section(&study),
        train::section(&study),
        ensemble::section(&study),
        inspect::section(&study),
        transfer::section(&study),
        predict::section(&study).filter(|_| beside),
    ];
    let mut found: Vec<(String, Drawing)> = Vec::new();
    for section in told.into_iter().flatten() {
        collect(section, beside, &mut found);
    }
    found
}

fn collect(section: Section, beside: bool, found: &mut Vec<(String, Drawing)>) {
    section.blocks.into_iter().for_each(|block| collect_block(block, beside, found));
    section.subsections.into_iter().for_each(|section| collect(section, beside, found));
}

fn collect_block(block: Block, beside: bool, found: &mut Vec<(String, Drawing)>) {
    let figures = match block {
        Block::Figure(figure) => vec![figure],
        Block::Gallery { figures, .. } => figures,
        Block::Details { blocks, .. } => {
            return blocks.into_iter().for_each(|block| collect_block(block, beside, found));
        }
        Block::Beside(blocks) if beside => {
            return blocks.into_iter().for_each(|block| collect_block(block, beside, found));
        }
        _ => return,
    };
    for figure in figures {
        let base = slug(&figure.drawing.title().replace('&', "and"));
        let taken = |name: &str| found.iter().any(|(other, _)| other == name);
        let free = (2..).map(|number| format!("{base}-{number}")).find(|name| !taken(name));
        let name = if taken(&base) { free.unwrap_or_default() } else { base };
        found.push((name, figure.drawing));
    }
}

/// Letters and digits in lower case, everything else as single hyphens.
fn slug(title: &str) -> String {
    let plain: String = title.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.is_empty() { "figure".to_owned() } else { words.join("-") }
}
