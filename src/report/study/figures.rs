//! The figures of one stage, each for itself: the same as on the page.

use super::{
    Block, Section, StageArtifacts, Study, baseline, ensemble, inspect, map, palette, predict, profile, search, train,
    transfer, variations,
};
use crate::figure::{ChartLayout, Drawing, Palette};
use runner_names::FigureNames;

/// Name (fit for a file) and drawing of every figure that the page would show of this stage, but for the confusion matrices.
pub fn figures(stage: &StageArtifacts) -> Vec<(String, Drawing)> {
    in_colours(stage, palette(std::slice::from_ref(stage)), false, ChartLayout::default())
}

/// The same of every stage, with the confusion matrices and in the colours of the page; each name begins with the stage's.
pub fn all_figures(stages: &[StageArtifacts]) -> Vec<(String, Drawing)> {
    let palette = palette(stages);
    let mut names = FigureNames::default();
    let mut named = |stage: &StageArtifacts| {
        let found = in_colours(stage, palette.clone(), true, ChartLayout::default()).into_iter();
        found
            .map(|(_, drawing)| (names.name(&format!("{} {}", stage.stage, spoken(&drawing))), drawing))
            .collect::<Vec<_>>()
    };
    stages.iter().flat_map(&mut named).collect()
}

/// The figures of one stage in the colours of a palette; `beside`: also those that stand beside tables.
pub(crate) fn in_colours(
    stage: &StageArtifacts,
    palette: Palette,
    beside: bool,
    layout: ChartLayout,
) -> Vec<(String, Drawing)> {
    let study = Study {
        stages: std::slice::from_ref(stage),
        edges: &[],
        tests: &[],
        palette,
        metric: stage.metric,
        history: None,
        layout,
    };
    let told = [
        profile::section(&study),
        map::section(&study),
        baseline::section(&study),
        variations::section(&study),
        search::section(&study),
        train::section(&study),
        ensemble::section(&study),
        inspect::section(&study),
        transfer::section(&study),
        predict::section(&study).filter(|_| beside),
    ];
    let mut found = Vec::new();
    for section in told.into_iter().flatten() {
        collect(section, beside, &mut found);
    }
    let mut names = FigureNames::default();
    found.into_iter().map(|drawing| (names.name(&spoken(&drawing)), drawing)).collect()
}

/// The title as it becomes a name.
fn spoken(drawing: &Drawing) -> String {
    drawing.title().replace('&', "and")
}

fn collect(section: Section, beside: bool, found: &mut Vec<Drawing>) {
    section.blocks.into_iter().for_each(|block| collect_block(block, beside, found));
    section.subsections.into_iter().for_each(|section| collect(section, beside, found));
}

fn collect_block(block: Block, beside: bool, found: &mut Vec<Drawing>) {
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
    found.extend(figures.into_iter().map(|figure| figure.drawing));
}
