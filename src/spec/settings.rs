//! `--set name=value` and `--set stage.path.to.key=value`: changes from the command line.
//!
//! They are applied to the tree before variables and matrices are resolved, so a value may itself
//! hold `${name}`, and after templates, so that they reach what a stage inherits; `template.key=value` changes a template for all that extend it.
//! A path may also begin where the file's does, with `stages`, `templates` or `vars`. Every part keeps a span in the argument, so that later
//! errors point there.
//! Does not know which parameters a stage has: a key that it adds is accepted or refused later.

use indexmap::IndexMap;
use std::ops::Range;

use super::node::{Entry, Node, Value};
use super::outline;
use super::problem::Problem;
use super::source::{Sources, Span};
use super::yaml;
use runner_names::{did_you_mean, listed};

/// The keys of the top level that `--set` reaches by their bare name.
const TOP_LEVEL: [&str; 5] = ["name", "seed", "metric", "positive", "costs"];

/// The sections of a pipeline file that a path may begin with.
const SECTIONS: [&str; 3] = ["vars", "templates", "stages"];

/// A longer path would make a tree too deep to walk.
const MOST_SEGMENTS: usize = outline::MOST_LEVELS;

/// Reads all arguments.
pub(super) fn read(sets: &[String], sources: &mut Sources, problems: &mut Vec<Problem>) -> Vec<Setting> {
    let mut settings = Vec::with_capacity(sets.len());
    for set in sets {
        let file = sources.add_argument(&format!("--set {set}"));
        match Setting::read(sources, file, problems) {
            Ok(setting) => settings.push(setting),
            // Without it the rest can be checked.
            Err(found) => problems.extend(found.into_iter().map(Problem::conclusive)),
        }
    }
    settings
}

/// Applies settings in order to the root of a pipeline file.
pub(super) fn apply(root: &mut Node, settings: Vec<Setting>, sources: &Sources, problems: &mut Vec<Problem>) {
    for setting in settings {
        if let Err(found) = setting.apply(root, sources) {
            problems.push(found.conclusive());
        }
    }
}

/// One argument, read but not applied.
pub(super) struct Setting {
    path: Vec<Segment>,
    value: Node,
}

struct Segment {
    name: String,
    span: Span,
}

impl Setting {
    fn read(sources: &Sources, file: usize, problems: &mut Vec<Problem>) -> Result<Setting, Vec<Problem>> {
        let text = sources.text(file);
        let start = "--set ".len();
        let (ranges, equals) = split(text, start);
        let whole = sources.span(file, start..text.len());
        let Some(equals) = equals else {
            let problem = Problem::new(whole, format!("no '=' in '{}'", &text[start..]));
            return Err(vec![problem.help("write `--set name=value` or `--set stage.key=value`")]);
        };
        let path: Vec<Segment> = ranges
            .into_iter()
            .map(|range| Segment { name: unquoted(&text[range.clone()]).to_string(), span: sources.span(file, range) })
            .collect();
        if path.len() > MOST_SEGMENTS {
            let span = sources.span(file, start..equals);
            return Err(vec![
                Problem::new(span, format!("a path of {} keys", path.len()))
                    .help(format!("paths have at most {MOST_SEGMENTS} keys: nothing in a pipeline file lies deeper")),
            ]);
        }
        if let Some(empty) = path.iter().find(|segment| segment.name.is_empty()) {
            let span = sources.span(file, start..equals + 1);
            let span = if path.len() == 1 { span } else { empty.span };
            return Err(vec![
                Problem::new(span, "an empty name before '='")
                    .help("write `--set name=value` or `--set stage.key=value`"),
            ]);
        }
        let value = yaml::read(sources, file, equals + 1, problems)?.unwrap_or_else(|| {
            let first = path.first().map_or(whole, |segment| segment.span);
            Node::new(first, Value::Null)
        });
        Ok(Setting { path, value })
    }

    /// Whether it changes a template, or which templates a stage extends: then it must be applied before templates are resolved.
    pub(crate) fn shapes_templates(&self, root: &Node) -> bool {
        let (section, path) = self.place(root);
        match path {
            [_, key] if key.name == "extends" && section == "stages" => true,
            _ => section == "templates",
        }
    }

    /// Whether it changes a stage or a template.
    pub(crate) fn changes_stages(&self, root: &Node) -> bool {
        self.place(root).0 != "vars"
    }

    /// The section of the file that it changes, and the path there. Of a stage and a template of the same name a bare path means the stage.
    fn place(&self, root: &Node) -> (&'static str, &[Segment]) {
        let has = |section: &str, name: &str| root.get(section).is_some_and(|node| node.get(name).is_some());
        let first = &self.path[0].name;
        let named = SECTIONS.into_iter().find(|section| section == first && !has("stages", first));
        match (named, self.path.as_slice()) {
            (Some(section), [_, rest @ ..]) if !rest.is_empty() => (section, rest),
            (_, [only]) if !has("vars", &only.name) && has("templates", &only.name) => {
                ("templates", std::slice::from_ref(only))
            }
            (_, [only]) => ("vars", std::slice::from_ref(only)),
            (_, path) if !has("stages", first) && has("templates", first) => ("templates", path),
            (_, path) => ("stages", path),
        }
    }

    fn apply(self, root: &mut Node, sources: &Sources) -> Result<(), Box<Problem>> {
        let (section, rest) = self.place(root);
        let begins = self.path.len() - rest.len();
        let Value::Mapping(top) = &mut root.value else {
            return Ok(()); // the pipeline's own check reports that
        };
        let Setting { path: mut whole, value } = self;
        let mut path = whole.split_off(begins);
        let target = path.remove(0);
        if path.is_empty() {
            let set = match section {
                "templates" => Err(not_a_value(&target, "template")),
                "stages" => Err(not_a_value(&target, "stage")),
                _ => set_top(top, target, value),
            };
            return set;
        }
        if section == "templates" {
            let templates = top.get_mut("templates").map(|entry| &mut entry.node);
            let known: Vec<String> = keys_of(templates.as_deref());
            let Some(template) = templates.and_then(|templates| entry_mut(templates, &target.name)) else {
                let guess = did_you_mean(&target.name, known.iter().map(String::as_str));
                let problem = Problem::new(target.span, format!("unknown template '{}'{guess}", target.name));
                return Err(Box::new(problem.help(names_are("templates", &known))));
            };
            return descend(&mut template.node, path, value, sources);
        }
        let stages = top.get_mut("stages").map(|entry| &mut entry.node);
        let known: Vec<String> = keys_of(stages.as_deref());
        let Some(stage) = stages.and_then(|stages| stages.child_mut(&target.name.as_str().into())) else {
            let names = known.iter().map(String::as_str);
            let guess = did_you_mean(&target.name, names);
            let problem = Problem::new(target.span, format!("unknown stage '{}'{guess}", target.name));
            let help = instance_of(&target.name, &known);
            return Err(Box::new(problem.help(help.unwrap_or_else(|| names_are("stages", &known)))));
        };
        descend(stage, path, value, sources)
    }
}

/// A bare name: a variable, or else a value of the pipeline.
fn set_top(top: &mut IndexMap<String, Entry>, target: Segment, value: Node) -> Result<(), Box<Problem>> {
    if let Some(entry) = top.get_mut("vars").and_then(|vars| entry_mut(&mut vars.node, &target.name)) {
        entry.node = value;
        return Ok(());
    }
    if TOP_LEVEL.contains(&target.name.as_str()) {
        match top.get_mut(&target.name) {
            Some(entry) => entry.node = value,
            None => {
                let key_span = target.span;
                let node = value;
                top.insert(target.name, Entry { key_span, node });
            }
        }
        return Ok(());
    }
    let stages = keys_of(top.get("stages").map(|entry| &entry.node));
    if stages.contains(&target.name) {
        return Err(not_a_value(&target, "stage"));
    }
    let vars = keys_of(top.get("vars").map(|entry| &entry.node));
    let known = vars.iter().map(String::as_str).chain(TOP_LEVEL);
    let guess = did_you_mean(&target.name, known.clone());
    let known: Vec<&str> = known.collect();
    let message = format!("unknown variable '{}'{guess}", target.name);
    let help = instance_of(&target.name, &stages).unwrap_or_else(|| {
        let known = listed(known);
        format!("`--set` knows {known}; a stage's parameter is `stage.key`")
    });
    Err(Box::new(Problem::new(target.span, message).help(help)))
}

/// What there is instead of a name that is not there.
fn names_are(what: &str, known: &[String]) -> String {
    if known.is_empty() { format!("the file has no `{what}`") } else { format!("{what} are {}", listed(known)) }
}

fn not_a_value(target: &Segment, noun: &str) -> Box<Problem> {
    let name = &target.name;
    let problem = Problem::new(target.span, format!("'{name}' is a {noun}, not a value"));
    Box::new(problem.help(format!("name one of its keys: `--set {name}.key=value`")))
}

/// Advice for a name such as `numeric@lr`: one instance of a matrix cannot be set alone.
fn instance_of(name: &str, stages: &[String]) -> Option<String> {
    let (base, _) = name.split_once('@')?;
    stages
        .iter()
        .any(|stage| stage == base)
        .then(|| format!("a setting reaches all instances of a matrix: write `--set {base}.key=value`"))
}

/// Walks down to the value and replaces it; missing mappings on the way are made.
fn descend(stage: &mut Node, path: Vec<Segment>, value: Node, sources: &Sources) -> Result<(), Box<Problem>> {
    let mut node = stage;
    for segment in path {
        if matches!(node.value, Value::Null) {
            node.value = Value::Mapping(IndexMap::new());
        }
        let found = node.value.noun();
        let written = node.span;
        node = match &mut node.value {
            Value::Mapping(entries) => {
                let entry = entries
                    .entry(segment.name)
                    .or_insert_with(|| Entry { key_span: segment.span, node: Node::new(segment.span, Value::Null) });
                &mut entry.node
            }
            Value::Sequence(items) => {
                let length = items.len();
                let index = segment.name.parse::<usize>().ok();
                match index.and_then(|index| items.get_mut(index)) {
                    Some(item) => item,
                    None => {
                        let message = format!("'{}' is not an index of a list of {length}", segment.name);
                        let label = "this list";
                        return Err(Box::new(
                            Problem::new(segment.span, message)
                                .related(written, label)
                                .help("items are counted from 0; set the whole list to make it longer"),
                        ));
                    }
                }
            }
            _ => {
                let message = format!("'{}' cannot be set inside {found}", segment.name);
                let text = sources.slice(written);
                let problem = Problem::new(segment.span, message).related(written, format!("'{text}' has no keys"));
                return Err(Box::new(if text.contains("${") {
                    problem.help("set the variable, or this value as a whole")
                } else {
                    problem
                }));
            }
        };
    }
    *node = value;
    Ok(())
}

fn entry_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Entry> {
    match &mut node.value {
        Value::Mapping(entries) => entries.get_mut(key),
        _ => None,
    }
}

fn keys_of(node: Option<&Node>) -> Vec<String> {
    match node.map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// The byte ranges of the segments of a dotted path, and the place of the `=` that ends it.
/// Segments may be quoted: `numeric."a.b"=1`.
fn split(text: &str, start: usize) -> (Vec<Range<usize>>, Option<usize>) {
    let mut ranges = Vec::new();
    let mut from = start;
    let mut quote: Option<char> = None;
    for (offset, character) in text[start..].char_indices() {
        let offset = start + offset;
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if offset == from && (character == '"' || character == '\'') => {
                quote = Some(character);
            }
            None if character == '.' => {
                ranges.push(from..offset);
                from = offset + 1;
            }
            None if character == '=' => {
                ranges.push(from..offset);
                return (ranges, Some(offset));
            }
            None => {}
        }
    }
    (ranges, None)
}

fn unquoted(segment: &str) -> &str {
    for quote in ['"', '\''] {
        if segment.len() >= 2
            && let Some(inner) = segment.strip_prefix(quote)
            && let Some(inner) = inner.strip_suffix(quote)
        {
            return inner;
        }
    }
    segment
}
