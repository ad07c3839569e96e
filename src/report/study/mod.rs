//! The page of a whole study: sections by kind of stage, in the order in which a reader asks.
//!
//! Each section is a function from the stages to a section or to nothing. Sentences that judge are computed from the
//! numbers they stand beside (`comment`). Knows shapes of artifacts, not how they were computed.

mod added;
mod baseline;
pub(crate) mod calibration;
mod comment;
mod compare;
mod curves;
mod ensemble;
mod families;
pub(crate) mod figures;
mod history;
mod inspect;
pub(crate) mod map;
mod metrics;
pub(crate) mod models;
mod optimism;
pub(crate) mod pairs;
mod panels;
mod pipeline;
mod predict;
pub(crate) mod profile;
mod refit;
mod repeats;
mod scores;
pub(crate) mod search;
pub(crate) mod split;
mod summary;
mod to_use;
pub(crate) mod train;
pub(crate) mod transfer;
pub(crate) mod variations;
mod warnings;

pub use comment::confusion_sentence;
pub use curves::learning_curves;
pub use repeats::{Repeated, Spread, repeated};
pub use to_use::models_to_use;

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use runner_results::{Known, history::History, paired_test::PairedTests};
use runner_results::{Metric, Split};

use super::ReportError;
use super::figure::{ChartLayout, Palette};
pub use figures::{all_figures, figures};

use super::figure::text::counted as plural;
use super::page::{Block, Language, Page, Section, anchor, render};
use super::read::StageArtifacts;

/// The HTML page of a study: `title` and `author` above, `stages` in the order of the pipeline, `edges`
/// from producer to consumer by stage name, `tests` the paired tests of models on the same rows, `history` what no artifact may hold.
///
/// # Errors
/// No stage at all, or two of one name. A stage whose artifacts are missing or odd is told of as far as possible.
pub fn study(
    title: &str,
    author: Option<&str>,
    stages: &[StageArtifacts],
    edges: &[(String, String)],
    tests: &[PairedTests],
    history: Option<&History>,
) -> Result<String, ReportError> {
    let study = Study { history, ..Study::new(stages, edges, tests)? };
    let groups = models::groups(&models::models(&study), study.metric);
    let told = [
        summary::section(&study),
        warnings::section(&study),
        history::section(&study),
        profile::section(&study),
        split::section(&study),
        map::section(&study),
        baseline::section(&study),
        variations::section(&study),
        search::section(&study),
        train::section(&study),
        ensemble::section(&study),
        compare::section(&study),
        pairs::section(&study, &groups),
        repeats::section(&study),
        optimism::section(&study),
        inspect::section(&study),
        transfer::section(&study),
        refit::section(&study),
        predict::section(&study),
        added::section(&study),
    ];
    let mut sections: Vec<Section> = told.into_iter().flatten().filter(|s| !s.is_empty()).collect();
    sections.insert(sections.len().min(1), pipeline::section(&study));
    let told = told_of(&study, &sections);
    sections.push(panels::section(&study, &told));
    let count = plural(stages.len() as u64, "stage");
    let subtitle = match author {
        Some(author) => format!("{author}, {count}"),
        None => count,
    };
    let title = if title.trim().is_empty() { "A study" } else { title };
    Ok(render(&Page { title: title.to_string(), subtitle, language: Language::English, sections }))
}

/// Where the page tells of each stage: id and title of the section, by the stage's name.
fn told_of(study: &Study, sections: &[Section]) -> IndexMap<String, (String, String)> {
    let mut told = IndexMap::new();
    for section in sections {
        let own = |stage: &&StageArtifacts| section.subsections.iter().any(|inner| inner.id == stage_id(stage));
        for stage in study.stages.iter().filter(own) {
            told.entry(stage.stage.clone()).or_insert((stage_id(stage), section.title.clone()));
        }
    }
    told
}

/// All that sections look at.
pub(crate) struct Study<'a> {
    pub(crate) stages: &'a [StageArtifacts],
    pub(crate) edges: &'a [(String, String)],
    pub(crate) tests: &'a [PairedTests],
    pub(crate) palette: Palette,
    /// By which the pipeline says that models are chosen.
    pub(crate) metric: Option<Metric>,
    pub(crate) history: Option<&'a History>,
    pub(crate) layout: ChartLayout,
}

impl<'a> Study<'a> {
    /// # Errors
    /// No stage at all, or two of one name.
    pub(crate) fn new(
        stages: &'a [StageArtifacts],
        edges: &'a [(String, String)],
        tests: &'a [PairedTests],
    ) -> Result<Study<'a>, ReportError> {
        if stages.is_empty() {
            return Err(ReportError::NoStages);
        }
        let mut names = IndexSet::new();
        for stage in stages {
            if !names.insert(stage.stage.as_str()) {
                return Err(ReportError::DuplicateStage(stage.stage.clone()));
            }
        }
        let metric = stages.iter().find_map(|stage| stage.metric);
        Ok(Study {
            stages,
            edges,
            tests,
            palette: palette(stages),
            metric,
            history: None,
            layout: ChartLayout::default(),
        })
    }

    /// The stages that have a document of that kind.
    pub(crate) fn with<D: Known>(&self) -> impl Iterator<Item = (&'a StageArtifacts, &'a D)> + use<'a, D> {
        self.stages.iter().filter_map(|stage| Some((stage, stage.documents.get()?)))
    }

    /// A subsection for each stage of a kind, filled by `tell`; those of which there is nothing to tell are left out.
    pub(crate) fn each_of(
        &self,
        kind: &str,
        mut section: Section,
        tell: fn(&Study, &StageArtifacts, &mut Section),
    ) -> Section {
        for stage in self.stages.iter().filter(|stage| stage.kind == kind) {
            let mut inner = Section::new(stage_id(stage), stage.stage.clone());
            tell(self, stage, &mut inner);
            if !inner.is_empty() {
                section.subsections.push(inner);
            }
        }
        section
    }

    pub(crate) fn kind_of(&self, stage: &str) -> Option<&'a str> {
        self.stages.iter().find(|s| s.stage == stage).map(|s| s.kind.as_str())
    }

    /// Names of the stages that feed `stage`.
    pub(crate) fn parents(&self, stage: &str) -> impl Iterator<Item = &'a str> {
        self.edges.iter().filter(move |(_, to)| to == stage).map(|(from, _)| from.as_str())
    }
}

/// The id of the subsection that tells of a stage.
fn stage_id(stage: &StageArtifacts) -> String {
    anchor("stage-", &stage.stage)
}

/// One palette for the page: all classes in their order, where a split tells one, and the others in alphabetical order. A stage that draws for itself, from some of the rows, names all classes of the
/// label (`label_classes`), so that a class has one colour in every figure of a study.
fn palette(stages: &[StageArtifacts]) -> Palette {
    let documents = stages.iter().flat_map(|stage| stage.documents.0.values());
    let names: BTreeSet<&str> = documents.flat_map(|document| document.classes()).collect();
    let orders = stages.iter().filter_map(|stage| stage.documents.get::<Split>()?.class_order.as_ref()).flatten();
    let mut all: Vec<String> = Vec::new();
    for name in orders.map(String::as_str).filter(|name| names.contains(name)).chain(names.iter().copied()) {
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    Palette::for_classes(&all)
}
