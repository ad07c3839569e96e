//! The section that draws the pipeline.

use indexmap::IndexSet;

use super::Study;
use crate::figure::{self, Node, dag, feeds, narrow_graph, transitive_reduction};
use crate::page::{Block, Figure, Screen, Section, panel_of};

/// The graph for wide screens, and the same line by line for narrow ones; every stage opens its panel.
pub(crate) fn section(study: &Study) -> Section {
    let node = |stage: &crate::StageArtifacts| Node {
        name: stage.stage.clone(),
        kind: stage.kind.clone(),
        link: format!("#{}", panel_of(&stage.stage)),
        state: None,
    };
    let nodes: Vec<Node> = study.stages.iter().map(node).collect();
    let shown = transitive_reduction(study.edges);
    let hidden = study.edges.iter().collect::<IndexSet<_>>().len().saturating_sub(shown.len());
    let description = feeds(&shown);
    let opens = "From top to bottom; a stage opens with its parameters, inputs and files";
    let caption = match hidden {
        0 => format!("{opens}."),
        1 => format!("{opens}. One edge that a longer way implies is left out."),
        n => format!("{opens}. {} edges that longer ways imply are left out.", figure::text::count(n as u64)),
    };
    let title = "Stages and what feeds them";
    let mut section = Section::new("pipeline", "Pipeline");
    let wide = Figure::new(dag(title, &description, &nodes, &shown), caption.clone());
    section.push(Block::Figure(wide.on(Screen::Wide)));
    let narrow = Figure::new(narrow_graph(title, &description, &nodes, &shown), caption);
    section.push(Block::Figure(narrow.on(Screen::Narrow)));
    section
}
