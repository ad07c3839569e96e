//! The section that draws the pipeline. Knows nothing of what its stages did.

use indexmap::IndexSet;

use super::{Study, stage_id};
use crate::report::figure::{self, Node, dag, transitive_reduction};
use crate::report::page::{Block, Figure, Section, anchor};

/// `sections` are those of the rest of the page: boxes link to what they hold.
pub fn section(study: &Study, sections: &[Section]) -> Section {
    let mut ids = IndexSet::new();
    collect(sections, &mut ids);
    let nodes: Vec<Node> = study
        .stages
        .iter()
        .map(|stage| {
            let known = [stage_id(stage), anchor("params-", &stage.stage)].into_iter().find(|id| ids.contains(id));
            Node {
                name: stage.stage.clone(),
                kind: stage.kind.clone(),
                link: known.map(|id| format!("#{id}")).unwrap_or_default(),
            }
        })
        .collect();
    let shown = transitive_reduction(study.edges);
    let hidden = study.edges.iter().collect::<IndexSet<_>>().len().saturating_sub(shown.len());
    let description = shown.iter().map(|(from, to)| format!("{from} feeds {to}")).collect::<Vec<_>>().join("; ");
    let caption = match hidden {
        0 => "From top to bottom; each box links to what is told of its stage.".to_string(),
        1 => "From top to bottom; one edge that a longer way implies is left out.".to_string(),
        n => {
            format!("From top to bottom; {} edges that longer ways imply are left out.", figure::text::count(n as u64))
        }
    };
    let mut section = Section::new("pipeline", "Pipeline");
    section.push(Block::Figure(Figure::new(dag("Stages and what feeds them", &description, &nodes, &shown), caption)));
    section
}

fn collect(sections: &[Section], ids: &mut IndexSet<String>) {
    for section in sections {
        ids.insert(section.id.clone());
        collect(&section.subsections, ids);
    }
}
