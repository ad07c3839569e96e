//! The tree of a pipeline file → [`PipelineSpec`]: top-level keys, names, variables, instances.
//!
//! Every check goes on after a finding, so that all are reported at once. Does not know which
//! kinds of stages exist, nor what their keys mean.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::definitions;
use super::effective;
use super::extends::{self, Extended, TemplatePlace};
use super::include::{self, Included};
use super::node::{Node, Step};
use super::problem::{Problem, Problems};
use super::reader::Reader;
use super::settings;
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
    /// the name they are written under. Those that `seed` gives a number get it as their own.
    pub fn effective(&self, keep: &dyn Fn(&str) -> bool, seed: &dyn Fn(&str) -> Option<u64>) -> String {
        effective::text(&self.name, &self.written, &self.sources, keep, seed)
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

/// Reads a text that is already in `sources` as file 0.
pub(super) fn read(fallback_name: &str, mut sources: Sources, sets: &[String]) -> Result<PipelineSpec, Problems> {
    let mut problems = Vec::new();
    let included = include::read(0, &mut sources, &mut problems);
    let Some(Included { mut root, seeds, mut warnings, is_whole }) = included else {
        if problems.is_empty() {
            problems.push(
                Problem::new(sources.span(0, 0..0), "the pipeline file is empty")
                    .help("write at least `stages:` with one stage; `runner init` makes an example"),
            );
        }
        return Err(Problems::new(problems, sources));
    };
    let mut named = Vec::new();
    definitions::references(&root, &mut named);
    let named: HashSet<String> = named.into_iter().collect();
    let settings = settings::read(sets, &mut sources, &mut problems);
    let changes_stages = settings.iter().any(|setting| setting.changes_stages(&root));
    let (early, late) = settings.into_iter().partition(|setting| setting.shapes_templates(&root));
    settings::apply(&mut root, early, &sources, &mut problems);
    let Some(Extended { templates, unused, deprived }) = extends::resolve(&mut root, is_whole, &mut problems) else {
        return Err(Problems::new(problems, sources));
    };
    settings::apply(&mut root, late, &sources, &mut problems);
    // Files that are included serve others, too.
    let is_own = |span: &Span| span.file == 0;
    for (name, span) in unused.into_iter().filter(|(_, span)| is_own(span)) {
        let warning =
            Problem::new(span, format!("no stage extends the template '{name}', so nothing in it is checked"));
        warnings.push(warning.help("remove it, or extend it"));
    }
    for (name, entry) in root.get("vars").map(Node::entries).unwrap_or_default() {
        if is_own(&entry.key_span) && !named.contains(name) {
            let warning = Problem::new(entry.key_span, format!("nothing uses the variable '{name}'"));
            warnings.push(warning.help(format!("remove it, or write ${{{name}}} where it is meant")));
        }
    }
    if let Some(seed) = root.entry("seed") {
        warnings.extend(seeds.values().filter_map(|inner| include::seed_replaced(inner, seed, &sources)));
    }
    let before = problems.iter().filter(|problem| !problem.conclusive).count();
    let mut reader = Reader::new(&sources, &mut problems);
    reader.is_whole = before == 0;
    reader.deprived = deprived;
    reader.lacks_files(!is_whole);
    reader.seeds = if root.get("seed").is_some() { IndexMap::new() } else { seeds };
    let mut spec = reader.pipeline(fallback_name, &root);
    let unread = spec.as_mut().map(|spec| std::mem::take(&mut spec.warnings)).unwrap_or_default();
    for problem in unread {
        // What the file reads may be set for one run; a matrix that is set itself is a mistake of that.
        let is_set = problem.span.is_some_and(|span| sources.is_argument(span.file));
        if changes_stages && !is_set { &mut warnings } else { &mut problems }.push(problem);
    }
    match spec {
        Some(spec) if problems.is_empty() => {
            Ok(PipelineSpec { sources, templates, warnings, written: Arc::new(root), ..spec })
        }
        spec => {
            // Where files or templates are missing, nobody can tell what is.
            let rest = spec.filter(|spec| before == 0 && !spec.stages.is_empty());
            let rest = rest.map(|spec| {
                Box::new(PipelineSpec {
                    sources: sources.clone(),
                    templates: templates.clone(),
                    written: Arc::new(root.clone()),
                    ..spec
                })
            });
            let written = root.get("stages").map(Node::entries).unwrap_or_default();
            let stages = written.iter().map(|(name, entry)| (name.as_str(), entry.key_span, &entry.node, None));
            extends::name_users(&mut problems, &templates, stages);
            Err(Problems { rest, ..Problems::new(problems, sources) })
        }
    }
}
