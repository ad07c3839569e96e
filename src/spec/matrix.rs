//! `matrix`: one stage written, several instances made, e.g. `numeric@lr=0.001`.
//!
//! A mapping makes the product of all keys, the last one varying fastest: `{lr: [1e-3, 1e-2], size: {small: [64], large: [256, 256]}}`. A list
//! of mappings names the combinations themselves: `[{lr: 1e-3, size: {small: [64]}}, …]`. A choice is a scalar, or a named value of any shape.
//! Does not know what the choices are used for.

use indexmap::IndexMap;

use super::definitions::references;
use super::node::{Node, Value};
use super::pipeline::StageSpec;
use super::problem::Problem;
use super::source::{Sources, Span};
use super::variables::{is_name, text_of};

/// More instances than this are a mistake rather than a plan.
const MOST_INSTANCES: usize = 1000;

/// One instance: what tells it from its sisters, and the values for its `${…}`.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// Key and short text of each choice, e.g. `lr` and `0.001`.
    pub(crate) labels: IndexMap<String, String>,
    pub(crate) values: IndexMap<String, Node>,
}

impl Choice {
    /// The instance's name: the stage's own, or `numeric@lr=0.001,depth=2`.
    pub(crate) fn name(&self, base: &str) -> String {
        if self.labels.is_empty() {
            return base.to_string();
        }
        let labels: Vec<String> = self.labels.iter().map(|(key, label)| format!("{key}={label}")).collect();
        format!("{base}@{}", labels.join(","))
    }

    /// The labels as the values of `${…}`, for a text that names the instance.
    pub(crate) fn label_nodes(&self) -> IndexMap<String, Node> {
        let node = |(key, label): (&String, &String)| {
            let span = self.values.get(key).map_or_else(Span::default, Node::written_at);
            (key.clone(), Node::new(span, Value::String(label.clone())))
        };
        self.labels.iter().map(node).collect()
    }
}

/// All instances of a `matrix` whose variables are already replaced. Problems are pushed; then
/// the result may be empty.
pub(super) fn expand(matrix: &Node, sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Choice> {
    let entries = match &matrix.value {
        Value::Sequence(items) if !items.is_empty() => return combinations(items, sources, problems),
        Value::Mapping(entries) if !entries.is_empty() => entries,
        Value::Mapping(_) => {
            problems.push(Problem::new(matrix.span, "an empty matrix").help(EXAMPLE));
            return Vec::new();
        }
        other => {
            let noun = if matches!(other, Value::Sequence(_)) { "an empty list" } else { other.noun() };
            let message = format!("a matrix must be a mapping or a list of mappings, not {noun}");
            problems.push(Problem::new(matrix.span, message).help(EXAMPLE));
            return Vec::new();
        }
    };
    let before = problems.len();
    let mut axes: Vec<(&String, Vec<(String, Node)>)> = Vec::new();
    for (key, entry) in entries {
        check_key(key, entry.key_span, problems);
        axes.push((key, axis(key, &entry.node, sources, problems)));
    }
    if problems.len() > before {
        return Vec::new();
    }
    let count = axes
        .iter()
        .try_fold(1_usize, |count, (_, options)| count.checked_mul(options.len()))
        .filter(|&count| count <= MOST_INSTANCES);
    if count.is_none() {
        let message = format!("a matrix of more than {MOST_INSTANCES} instances");
        problems.push(Problem::new(matrix.span, message).help("a search block tries many values in one stage"));
        return Vec::new();
    }
    let mut choices = vec![Choice::default()];
    for (key, options) in axes {
        let mut longer = Vec::with_capacity(choices.len() * options.len());
        for choice in &choices {
            for (label, value) in &options {
                let mut next = choice.clone();
                next.labels.insert(key.clone(), label.clone());
                next.values.insert(key.clone(), value.clone());
                longer.push(next);
            }
        }
        choices = longer;
    }
    choices
}

/// Says so for every key that neither the stage's body nor its `as` reads: such a key makes equal instances. `instance` is one of them, `written` the
/// stage with all that it extends.
pub(super) fn unread(instance: &StageSpec, written: &Node) -> Vec<Problem> {
    let Some(matrix) = written.get("matrix") else { return Vec::new() };
    let mut read = Vec::new();
    for (_, entry) in written.entries().into_iter().filter(|(key, _)| *key != "matrix") {
        references(&entry.node, &mut read);
    }
    let is_read = |key: &str| read.iter().any(|name| name.strip_prefix("matrix.").unwrap_or(name) == key);
    let unread = instance.choices.keys().filter(|key| !is_read(key));
    let problem = |key: &String| {
        let place = match &matrix.value {
            Value::Sequence(items) => items.first().and_then(|first| first.entry(key)),
            _ => matrix.entry(key),
        };
        let span = place.map_or(matrix.span, |entry| entry.key_span);
        let message =
            format!("nothing in stage '{}' reads the matrix key '{key}': its instances would be equal", instance.base);
        Problem::new(span, message)
            .help(format!("write \"${{{key}}}\" where its value belongs, or take '{key}' out of the matrix"))
    };
    unread.map(problem).collect()
}

fn check_key(key: &str, span: Span, problems: &mut Vec<Problem>) {
    if !is_name(key) {
        problems.push(
            Problem::new(span, format!("'{key}' cannot name a matrix key"))
                .help("names are letters, digits, '_' and '-', starting with a letter"),
        );
    }
}

/// Combinations written out one by one, each with the same keys.
fn combinations(items: &[Node], sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Choice> {
    let before = problems.len();
    let mut choices: Vec<Choice> = Vec::new();
    for item in items {
        let entries = match &item.value {
            Value::Mapping(entries) if !entries.is_empty() => entries,
            other => {
                let message = format!("a combination must be a mapping, not {}", other.noun());
                problems.push(Problem::new(item.span, message).help("e.g. `matrix: [{lr: 0.001, depth: 2}]`"));
                continue;
            }
        };
        let mut choice = Choice::default();
        for (key, entry) in entries {
            check_key(key, entry.key_span, problems);
            let option = match (&entry.node.value, text_of(&entry.node, sources)) {
                (Value::Mapping(named), _) if named.len() == 1 => {
                    named.first().map(|(name, value)| (label(name), value.node.clone()))
                }
                (_, Some(text)) => Some((label(&text), entry.node.clone())),
                _ => None,
            };
            match option {
                Some((label, value)) => {
                    choice.labels.insert(key.clone(), label);
                    choice.values.insert(key.clone(), value);
                }
                None => problems.push(
                    Problem::new(entry.node.span, format!("the choice of '{key}' is {}", entry.node.value.noun()))
                        .help(format!("give a scalar, or name the value: `{key}: {{small: …}}`")),
                ),
            }
        }
        if let Some(first) = choices.first()
            && let Some(key) = first.labels.keys().find(|key| !choice.labels.contains_key(*key))
            && problems.len() == before
        {
            problems.push(
                Problem::new(item.span, format!("this combination lacks '{key}'"))
                    .related(items[0].span, "the first one has it")
                    .help("give every combination the same keys"),
            );
        }
        // In the order of the first, so that names do not depend on how each combination is written.
        if let Some(first) = choices.first() {
            let place = |key: &String| first.labels.get_index_of(key).unwrap_or(usize::MAX);
            choice.labels.sort_by(|a, _, b, _| place(a).cmp(&place(b)));
            if choice.labels.len() > first.labels.len() && problems.len() == before {
                problems.push(
                    Problem::new(items[0].span, "not every combination has the same keys")
                        .related(item.span, "this one has more")
                        .help("give every combination the same keys"),
                );
            }
            if let Some(twin) = choices.iter().position(|other| other.labels == choice.labels) {
                problems.push(
                    Problem::new(item.span, "two combinations have the same names")
                        .related(items[twin].span, "the first of them")
                        .help("remove one of the two, or name a choice otherwise"),
                );
            }
        }
        choices.push(choice);
    }
    if choices.len() > MOST_INSTANCES {
        let message = format!("a matrix of more than {MOST_INSTANCES} instances");
        problems.push(Problem::new(items[0].span, message).help("a search block tries many values in one stage"));
    }
    if problems.len() > before { Vec::new() } else { choices }
}

const EXAMPLE: &str = "e.g. `matrix: {lr: [0.001, 0.01]}`";

/// The options of one key with their labels.
fn axis(key: &str, node: &Node, sources: &Sources, problems: &mut Vec<Problem>) -> Vec<(String, Node)> {
    let before = problems.len();
    let mut options: Vec<(String, Node)> = Vec::new();
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                match text_of(item, sources) {
                    Some(text) => options.push((label(&text), item.clone())),
                    None => problems.push(
                        Problem::new(item.span, format!("a choice of '{key}' is {}", item.value.noun()))
                            .help(format!("list scalars, or name the choices: `{key}: {{small: …, big: …}}`")),
                    ),
                }
            }
        }
        Value::Mapping(entries) => {
            for (name, entry) in entries {
                options.push((label(name), entry.node.clone()));
            }
        }
        other => {
            problems.push(
                Problem::new(node.span, format!("the choices of '{key}' must be a list, not {}", other.noun()))
                    .help(EXAMPLE),
            );
            return options;
        }
    }
    if options.is_empty() && problems.len() == before {
        problems.push(Problem::new(node.span, format!("'{key}' has no choices")).help(EXAMPLE));
    }
    for (index, (label, option)) in options.iter().enumerate() {
        if let Some((_, twin)) = options[..index].iter().find(|(other, _)| other == label) {
            problems.push(
                Problem::new(option.span, format!("two choices of '{key}' are named '{label}'"))
                    .related(twin.span, "the first of them")
                    .help(format!("name the choices: `{key}: {{one: …, two: …}}`")),
            );
        }
    }
    options
}

/// A choice's text made fit for the name of a stage, which is also the name of a folder:
/// `sentence-transformers/all-MiniLM-L6-v2` becomes `sentence-transformers-all-MiniLM-L6-v2`.
fn label(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || "_-.+".contains(c) { c } else { '-' }).collect()
}
