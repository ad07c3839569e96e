//! The root of a pipeline's tree → a [`PipelineSpec`]: names, variables, instances, one stage after another.
//!
//! Every check goes on after a finding, so that all are reported at once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::definitions;
use super::include::AIMS;
use super::instance;
use super::matrix::{self, Choice};
use super::node::{Entry, Node, Value};
use super::pipeline::{PipelineSpec, StageSpec};
use super::problem::Problem;
use super::source::{Sources, Span};
use super::variables::{Budget, Scope, is_name, text_of};
use runner_names::{self as names, Folder};

/// What reads the root of a pipeline file.
pub(super) struct Reader<'a> {
    sources: &'a Sources,
    problems: &'a mut Vec<Problem>,
    vars: IndexMap<String, Option<Node>>,
    budget: Budget,
    /// Of stages of included files the seed that holds there.
    pub(crate) seeds: IndexMap<String, Entry>,
    left_out: Vec<String>,
    /// Nothing is missing that files or templates were to bring.
    pub(crate) is_whole: bool,
    /// Stages of which nobody knows what they are, since a template that they extend is at fault.
    pub(crate) deprived: HashSet<String>,
    /// Keys of matrices that nothing reads.
    unread: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a Sources, problems: &'a mut Vec<Problem>) -> Self {
        Reader {
            sources,
            problems,
            vars: IndexMap::new(),
            budget: Budget::default(),
            seeds: IndexMap::new(),
            left_out: Vec::new(),
            is_whole: true,
            deprived: HashSet::new(),
            unread: Vec::new(),
        }
    }

    /// Whether a file is missing that may hold variables, templates and stages.
    pub(crate) fn lacks_files(&mut self, lacks: bool) {
        self.budget.is_partial = lacks;
    }

    pub(crate) fn pipeline(mut self, fallback_name: &str, root: &Node) -> Option<PipelineSpec> {
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
        let aims = AIMS.into_iter().filter_map(|key| Some((key, self.aim(&top.get(key)?.node)?))).collect();
        let stages = match top.get("stages") {
            Some(entry) => self.stages(entry),
            None => {
                if !self.budget.is_partial {
                    let problem = Problem::new(self.sources.span(0, 0..0), "no `stages`");
                    self.problems.push(problem.help(STAGES_HELP));
                }
                IndexMap::new()
            }
        };
        Some(PipelineSpec {
            name: name.unwrap_or_else(|| fallback_name.to_string()),
            seed: seed.flatten().map_or(0, |(seed, _)| seed),
            seed_span: seed.flatten().map(|(_, span)| span),
            aims,
            vars: self.vars.into_iter().filter_map(|(name, node)| Some((name, node?))).collect(),
            stages,
            sources: Sources::default(),
            left_out: self.left_out,
            templates: Vec::new(),
            warnings: self.unread,
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
                Problem::new(node.span, format!("'name' must be text, not {}", node.value.noun()))
                    .help("e.g. `name: study`"),
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

    /// A word; a number or a truth value is the word that was written, since a class may be called so.
    fn aim(&mut self, node: &Node) -> Option<Node> {
        let mut node = self.substitute(node, None);
        if self.budget.exhausted() || node.value == Value::Null {
            return None;
        }
        if let Some(text) = text_of(&node, self.sources) {
            node.value = Value::String(text);
        }
        Some(node)
    }

    fn stages(&mut self, stages: &Entry) -> IndexMap<String, StageSpec> {
        let (mut found, mut folder) = (IndexMap::new(), Folder::default());
        match &stages.node.value {
            Value::Mapping(entries) if !entries.is_empty() => {
                for (name, entry) in entries {
                    let before = (self.problems.len(), self.budget.unresolved());
                    let instances = self.stage(name, entry);
                    // Of what a template was to give them nobody knows.
                    if (self.problems.len(), self.budget.unresolved()) != before || self.deprived.contains(name) {
                        self.left_out.push(name.clone());
                        continue;
                    }
                    let unread = instances.first().map(|first| matrix::unread(first, &entry.node));
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
                    // Names that clash say the same in other words.
                    if self.problems.len() == before.0 && self.is_whole {
                        self.unread.extend(unread.into_iter().flatten());
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
            if self.deprived.contains(name) {
                return None;
            }
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
