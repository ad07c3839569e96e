//! The figures of one stage, each for itself: the same as on the page.
//!
//! Knows nothing of files.

use super::{
    Block, Section, StageArtifacts, Study, baseline, ensemble, inspect, palette, profile, search, train, transfer,
};

/// Name (fit for a file) and SVG of every figure that the page would show of this stage.
pub fn figures(stage: &StageArtifacts) -> Vec<(String, String)> {
    let stages = std::slice::from_ref(stage);
    let study = Study { stages, edges: &[], contests: &[], palette: palette(stages) };
    let told = [
        profile::section(&study),
        baseline::section(&study),
        search::section(&study),
        train::section(&study),
        ensemble::section(&study),
        inspect::section(&study),
        transfer::section(&study),
    ];
    let mut found: Vec<(String, String)> = Vec::new();
    for section in told.into_iter().flatten() {
        collect(section, &mut found);
    }
    found
}

fn collect(section: Section, found: &mut Vec<(String, String)>) {
    section.blocks.into_iter().for_each(|block| collect_block(block, found));
    section.subsections.into_iter().for_each(|section| collect(section, found));
}

fn collect_block(block: Block, found: &mut Vec<(String, String)>) {
    let figures = match block {
        Block::Figure(figure) => vec![figure],
        Block::Gallery { figures, .. } => figures,
        Block::Details { blocks, .. } => return blocks.into_iter().for_each(|block| collect_block(block, found)),
        _ => return,
    };
    for figure in figures {
        let base = slug(&title(&figure.svg));
        let taken = |name: &str| found.iter().any(|(other, _)| other == name);
        let free = (2..).map(|number| format!("{base}-{number}")).find(|name| !taken(name));
        let name = if taken(&base) { free.unwrap_or_default() } else { base };
        found.push((name, figure.svg));
    }
}

/// The text of the SVG's own `<title>`.
fn title(svg: &str) -> String {
    let start = svg.find("<title").and_then(|at| Some(at + svg[at..].find('>')? + 1));
    let text = start.and_then(|start| Some(&svg[start..start + svg[start..].find("</title>")?]));
    text.unwrap_or("figure").replace("&amp;", "and")
}

/// Letters and digits in lower case, everything else as single hyphens.
fn slug(title: &str) -> String {
    let plain: String = title.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.is_empty() { "figure".to_owned() } else { words.join("-") }
}
