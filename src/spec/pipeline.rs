//! A pipeline as the user wrote it. Which kinds of stages exist, and what their keys mean, is known above.

use indexmap::IndexMap;
use runner_boundary::text::in_shell;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::sync::Arc;

use super::effective;
use super::extends::{self, TemplatePlace};
use super::node::{Node, Step};
use super::problem::Problem;
use super::problems::Problems;
use super::source::{Sources, Span};
use super::typed::typed_as;

/// What the user wrote, with variables and matrices resolved and nothing else.
///
/// ```
/// let text = "stages:\n  net:\n    kind: train\n    matrix: {lr: [0.1, 0.01]}\n    optimizer: {lr: \"${lr}\"}\n";
/// let spec = runner_spec::parse("study.yaml", text, &[])?;
/// let names: Vec<&str> = spec.stages.keys().map(String::as_str).collect();
/// assert_eq!(names, ["net@lr=0.1", "net@lr=0.01"]);
/// # Ok::<(), runner_spec::Problems>(())
/// ```
#[derive(Debug, Clone)]
pub struct PipelineSpec {
    /// `name`, or else the file's name without its extension.
    pub name: String,
    /// `seed`, or else 0.
    pub seed: u64,
    /// Where the seed was written, if it was.
    pub seed_span: Option<Span>,
    /// What models are chosen by, as far as it is written: the values under `metric`, `positive` and `costs`.
    pub aims: IndexMap<&'static str, Node>,
    /// Resolved values.
    pub vars: IndexMap<String, Node>,
    /// By instance name, in the order written.
    pub stages: IndexMap<String, StageSpec>,
    /// The files that spans are in.
    pub sources: Sources,
    /// Stages that are left out because they are at fault, by the name they are written under; only of `Problems::rest`.
    pub left_out: Vec<String>,
    pub(super) templates: Vec<TemplatePlace>,
    /// What is said and does not hold, and what is named and not there.
    pub(super) warnings: Vec<Problem>,
    /// The tree of all files together, with templates and settings in it, before variables and matrices.
    pub(super) written: Arc<Node>,
}

/// One stage, or one instance of a stage with a matrix.
#[derive(Debug, Clone)]
pub struct StageSpec {
    /// The instance's name, e.g. `numeric@lr=0.001`, or what `as` makes of its choices.
    pub name: String,
    /// The name as written, e.g. `numeric`.
    pub base: String,
    /// Key and label of each matrix choice, e.g. `lr` and `0.001`; empty without a matrix.
    pub choices: IndexMap<String, String>,
    /// As written; whether there is such a kind is not known here.
    pub kind: String,
    /// Where the kind was written.
    pub kind_span: Span,
    /// Where the stage's name was written.
    pub name_span: Span,
    /// The seed of the included file that the stage comes from, if it holds, and where it was written.
    pub seed: Option<(u64, Span)>,
    /// The mapping without `kind`, `matrix` and `as`, with what it extends. Its span is `name_span`, so that an error about
    /// the stage as a whole points at its name.
    pub body: Node,
}

impl PipelineSpec {
    /// Where a value was written, e.g. `full.yaml:42:11`. If a variable supplied it, the place of
    /// the variable's value; if it was never written (a default), that of the nearest mapping
    /// around it. `None` for an unknown stage.
    pub fn position_of(&self, stage: &str, path: &[Step]) -> Option<String> {
        let stage = self.stages.get(stage)?;
        let (node, depth) = stage.body.nearest(path);
        let mut span = node.written_at();
        if depth < path.len()
            && let Some((Step::Key(key), parent)) = path[..depth].split_last()
            && let Some(entry) = stage.body.at(parent).and_then(|node| node.entry(key))
        {
            span = entry.key_span;
        }
        Some(self.sources.location(span))
    }

    /// Warnings about the files, to be shown whatever is done with the pipeline.
    pub fn warnings(&self) -> Problems {
        Problems::new(self.warnings.clone(), self.sources.clone())
    }

    /// Adds what a plan found that is accepted although it probably is not meant. A template serves several stages, not all of which need what is in it.
    pub fn warn(&mut self, warnings: Vec<Problem>) {
        let is_shared = |span: Span| self.templates.iter().any(|template| template.body.contains(span));
        self.warnings.extend(warnings.into_iter().filter(|warning| !warning.span.is_some_and(is_shared)));
    }

    /// The kinds that templates name, with their places; without those that a variable gives.
    pub fn template_kinds(&self) -> impl Iterator<Item = (&str, Span)> {
        self.templates.iter().filter_map(|template| template.kind.as_ref()).map(|(kind, span)| (kind.as_str(), *span))
    }

    /// The pipeline in one piece, as YAML: with what it includes, its templates and all `--set` in it, but only the stages that `keep` wants by
    /// the name they are written under. Those that `seed` gives a number get it as their own. `comment` says what a stage, or a key of it,
    /// is; that is written once for each kind.
    pub fn effective(
        &self,
        keep: &dyn Fn(&str) -> bool,
        seed: &dyn Fn(&str) -> Option<u64>,
        comment: &dyn Fn(&str, Option<&str>) -> Option<String>,
    ) -> String {
        effective::text(&self.name, &self.written, &self.sources, keep, seed, comment)
    }

    /// The command line that reads this pipeline with the same settings.
    pub fn command(&self) -> String {
        let file = self.files().first().map_or_else(|| self.name.clone(), |path| path.display().to_string());
        let settings: String = self.sources.settings().map(|set| format!(" --set {}", in_shell(set))).collect();
        format!("runner run {}{settings}", in_shell(&file))
    }

    /// `full.yaml:42:11`.
    pub fn location(&self, span: Span) -> String {
        self.sources.location(span)
    }

    /// Whether the stage that is written under this name has instances.
    pub fn has_matrix(&self, name: &str) -> bool {
        let stage = self.written.get("stages").and_then(|stages| stages.get(name));
        stage.is_some_and(|stage| stage.get("matrix").is_some())
    }

    /// The pipeline file and all that it includes.
    pub fn files(&self) -> &[PathBuf] {
        self.sources.files()
    }

    /// Findings of later checks, with this pipeline's texts to show them with. One that lies in a template names a stage that extends it.
    pub fn problems(&self, mut list: Vec<Problem>) -> Problems {
        let stages = self.stages.values();
        let stages = stages.map(|stage| (stage.base.as_str(), stage.name_span, &stage.body, Some(stage.kind_span)));
        extends::name_users(&mut list, &self.templates, stages);
        Problems::new(list, self.sources.clone())
    }
}

impl StageSpec {
    /// The stage's parameters as a type; see [`typed_as`].
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        typed_as(&self.body, &self.kind)
    }
}
