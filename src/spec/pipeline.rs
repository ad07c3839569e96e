//! The tree of a pipeline file → [`PipelineSpec`]: top-level keys, names, variables, instances.
//!
//! Every check goes on after a finding, so that all are reported at once. Does not know which
//! kinds of stages exist, nor what their keys mean.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::sync::Arc;

use super::definitions;
use super::effective;
use super::extends::{self, TemplatePlace};
use super::include::{self, Included};
use super::instance;
use super::matrix::{self, Choice};
use super::node::{Entry, Node, Step, Value};
use super::problem::{Problem, Problems};
use super::settings;
use super::source::{Sources, Span};
use super::typed::typed_as;
use super::variables::{Budget, Scope, is_name};
use crate::names::{self, Folder};

/// What the user wrote, with variables and matrices resolved and nothing else.
#[derive(Debug, Clone)]
pub struct PipelineSpec {
    /// `name`, or else the file's name without its extension.
    pub name: String,
    /// `seed`, or else 0.
    pub seed: u64,
    /// Where the seed was written, if it was.
    pub seed_span: Option<Span>,
    /// Resolved values.
    pub vars: IndexMap<String, Node>,
    /// By instance name, in the order written.
    pub stages: IndexMap<String, StageSpec>,
    pub sources: Sources,
    /// Stages that are left out because they are at fault, by the name they are written under; only of [`Problems::rest`].
    pub left_out: Vec<String>,
    templates: Vec<TemplatePlace>,
    /// What is said and does not hold, and what is named and not there.
    warnings: Vec<Problem>,
    /// The tree of all files together, with templates and settings in it, before variables and matrices.
    written: Arc<Node>,
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
    pub kind: String,
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
    let Some(Included { mut root, seeds, mut warnings }) = included else {
        if problems.is_empty() {
            problems.push(
                Problem::new(sources.span(0, 0..0), "the pipeline file is empty")
                    .help("write at least `stages:` with one stage; `runner init` makes an example"),
            );
        }
        return Err(Problems::new(problems, sources));
    };
    let settings = settings::read(sets, &mut sources, &mut problems);
    let (early, late) = settings.into_iter().partition(|setting| setting.shapes_templates(&root));
    settings::apply(&mut root, early, &sources, &mut problems);
    let Some(templates) = extends::resolve(&mut root, &mut problems) else {
        return Err(Problems::new(problems, sources));
    };
    settings::apply(&mut root, late, &sources, &mut problems);
    if let Some(seed) = root.entry("seed") {
        warnings.extend(seeds.values().filter_map(|inner| include::seed_replaced(inner, seed, &sources)));
    }
    let before = problems.len();
    let mut reader = Reader::new(&sources, &mut problems);
    reader.seeds = if root.get("seed").is_some() { IndexMap::new() } else { seeds };
    let spec = reader.pipeline(fallback_name, &root);
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

struct Reader<'a> {
    sources: &'a Sources,
    problems: &'a mut Vec<Problem>,
    vars: IndexMap<String, Option<Node>>,
    budget: Budget,
    /// Of stages of included files the seed that holds there.
    seeds: IndexMap<String, Entry>,
    left_out: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(sources: &'a Sources, problems: &'a mut Vec<Problem>) -> Self {
        Reader {
            sources,
            problems,
            vars: IndexMap::new(),
            budget: Budget::default(),
            seeds: IndexMap::new(),
            left_out: Vec::new(),
        }
    }

    fn pipeline(mut self, fallback_name: &str, root: &Node) -> Option<PipelineSpec> {
        let Value::Mapping(top) = &root.value else {
            return None; // reported when it was read
        };
        if let Some(entry) = top.get("vars") {
            self.define(&entry.node);
        }
        let name = match top.get("name") {
            Some(entry) => self.name(&entry.node),
            None => match names::check(fallback_name, "") {
                Ok(()) => Some(fallback_name.to_string()),
                Err(fault) => {
                    let problem = Problem::new(self.sources.span(0, 0..0), fault.to_string());
                    self.problems.push(
                        problem.help("name the pipeline: its results lie in a folder of that name, e.g. `name: study`"),
                    );
                    None
                }
            },
        };
        let seed = top.get("seed").map(|entry| self.seed(&entry.node));
        let stages = match top.get("stages") {
            Some(entry) => self.stages(entry),
            None => {
                let problem = Problem::new(self.sources.span(0, 0..0), "no `stages`");
                self.problems.push(problem.help(STAGES_HELP));
                IndexMap::new()
            }
        };
        Some(PipelineSpec {
            name: name.unwrap_or_else(|| fallback_name.to_string()),
            seed: seed.flatten().map_or(0, |(seed, _)| seed),
            seed_span: seed.flatten().map(|(_, span)| span),
            vars: self.vars.into_iter().filter_map(|(name, node)| Some((name, node?))).collect(),
            stages,
            sources: Sources::default(),
            left_out: self.left_out,
            templates: Vec::new(),
            warnings: Vec::new(),
            written: Arc::new(Node::new(Span::default(), Value::Null)),
        })
    }

    fn define(&mut self, vars: &Node) {
        let definitions = match &vars.value {
            Value::Mapping(definitions) => definitions,
            Value::Null => return,
            other => {
                let message = format!("`vars` must be a mapping, not {}", other.noun());
                self.problems.push(Problem::new(vars.span, message).help("e.g. `vars: {data: data/sample}`"));
                return;
            }
        };
        for (name, entry) in definitions {
            if !is_name(name) {
                self.problems.push(bad_name(entry.key_span, "variable", name));
            }
        }
        self.vars = definitions::resolve(definitions, self.sources, &mut self.budget, self.problems);
    }

    fn substitute(&mut self, node: &Node, choices: Option<&IndexMap<String, Node>>) -> Node {
        Scope {
            sources: self.sources,
            vars: &self.vars,
            choices,
            defined: None,
            budget: &mut self.budget,
            problems: self.problems,
        }
        .substitute(node)
    }

    fn name(&mut self, node: &Node) -> Option<String> {
        let node = self.substitute(node, None);
        if self.budget.exhausted() {
            return None;
        }
        match node.as_str() {
            Some(name) if is_name(name) => match names::check(name, "") {
                Ok(()) => return Some(name.to_string()),
                Err(fault) => self.problems.push(Problem::new(node.span, fault.to_string()).help(fault.help())),
            },
            Some(name) => self.problems.push(bad_name(node.span, "pipeline", name)),
            None => self.problems.push(
                Problem::new(node.span, format!("'name' must be text, not {}", node.value.noun())).help("quote it"),
            ),
        }
        None
    }

    fn seed(&mut self, node: &Node) -> Option<(u64, Span)> {
        let node = self.substitute(node, None);
        if self.budget.exhausted() {
            return None;
        }
        let seed = match &node.value {
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        if seed.is_none() {
            self.problems.push(Problem::new(node.span, "'seed' must be a whole number from 0 to 18446744073709551615"));
        }
        seed.map(|seed| (seed, node.written_at()))
    }

    fn stages(&mut self, stages: &Entry) -> IndexMap<String, StageSpec> {
        let (mut found, mut folder) = (IndexMap::new(), Folder::default());
        match &stages.node.value {
            Value::Mapping(entries) if !entries.is_empty() => {
                for (name, entry) in entries {
                    let before = (self.problems.len(), self.budget.unresolved());
                    let instances = self.stage(name, entry);
                    if (self.problems.len(), self.budget.unresolved()) != before {
                        self.left_out.push(name.clone());
                        continue;
                    }
                    for stage in instances {
                        if let Some(problem) = instance::clash(&stage, entry, entries, &found) {
                            self.problems.push(problem);
                            self.left_out.push(name.clone());
                        } else {
                            // Of what else is wrong with such a stage the plan can tell all the same.
                            self.problems.extend(instance::folder(&stage, entry, &mut folder, &found));
                            found.insert(stage.name.clone(), stage);
                        }
                    }
                }
            }
            Value::Mapping(_) | Value::Null => {
                self.problems.push(Problem::new(stages.key_span, "`stages` is empty").help(STAGES_HELP))
            }
            other => {
                let message = format!("`stages` must be a mapping, not {}", other.noun());
                self.problems.push(Problem::new(stages.key_span, message).help(STAGES_HELP));
            }
        }
        found
    }

    fn stage(&mut self, name: &str, entry: &Entry) -> Vec<StageSpec> {
        if !is_name(name) {
            self.problems.push(bad_name(entry.key_span, "stage", name));
        }
        if !matches!(entry.node.value, Value::Mapping(_)) {
            let message = format!("stage '{name}' must be a mapping, not {}", entry.node.value.noun());
            let help = format!("e.g. `{name}: {{kind: load, files: {{all: data.csv}}}}`");
            self.problems.push(Problem::new(entry.node.span, message).help(help));
            return Vec::new();
        }
        let mut body = Cow::Borrowed(&entry.node);
        let mut take = |key: &str| body.entry(key).is_some().then(|| body.to_mut().remove(key)).flatten();
        let (named_as, matrix) = (take("as"), take("matrix"));
        let seed = self.seeds.get(name).cloned().and_then(|entry| self.seed(&entry.node));
        let choices = match matrix {
            None => {
                if let Some(entry) = &named_as {
                    self.problems.push(instance::without_matrix(name, entry.key_span));
                }
                vec![Choice::default()]
            }
            Some(matrix) => {
                let before = self.problems.len();
                let matrix = self.substitute(&matrix.node, None);
                if self.problems.len() == before {
                    matrix::expand(&matrix, self.sources, self.problems)
                } else {
                    Vec::new()
                }
            }
        };
        // Without instances the body would go unread; its `kind` can be checked all the same.
        if choices.is_empty() {
            self.kind(name, entry, body.to_mut());
        }
        choices
            .into_iter()
            .filter_map(|choice| {
                let mut body = self.substitute(&body, Some(&choice.values));
                if self.budget.exhausted() {
                    return None;
                }
                let (kind, kind_span) = self.kind(name, entry, &mut body)?;
                body.span = entry.key_span;
                let chosen = match &named_as {
                    Some(pattern) if !choice.labels.is_empty() => {
                        let before = self.problems.len();
                        let text = self.substitute(&pattern.node, Some(&choice.label_nodes()));
                        if self.problems.len() > before {
                            return None;
                        }
                        instance::name(&text).map_err(|problem| self.problems.push(*problem)).ok()?
                    }
                    _ => choice.name(name),
                };
                Some(StageSpec {
                    name: chosen,
                    base: name.to_string(),
                    choices: choice.labels,
                    kind,
                    kind_span,
                    name_span: entry.key_span,
                    seed,
                    body,
                })
            })
            .collect()
    }

    fn kind(&mut self, name: &str, stage: &Entry, body: &mut Node) -> Option<(String, Span)> {
        let Some(entry) = body.remove("kind") else {
            self.problems.push(
                Problem::new(stage.key_span, format!("stage '{name}' has no 'kind'"))
                    .help("say what it does, e.g. `kind: load`"),
            );
            return None;
        };
        match entry.node.value {
            Value::String(kind) => Some((kind, entry.node.span)),
            other => {
                let message = format!("'kind' must be text, not {}", other.noun());
                self.problems.push(Problem::new(entry.node.span, message));
                None
            }
        }
    }
}

const STAGES_HELP: &str = "e.g. `stages: {songs: {kind: load, files: {all: data.csv}}}`";

fn bad_name(span: Span, what: &str, name: &str) -> Problem {
    Problem::new(span, format!("'{name}' cannot name a {what}"))
        .help("names are letters, digits, '_' and '-', starting with a letter")
}
