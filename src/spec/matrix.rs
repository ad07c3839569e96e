//! `matrix`: one stage written, several instances made, e.g. `numeric@lr=0.001`.
//!
//! The product of all keys, the last one varying fastest. A choice is a scalar, or one of several
//! named values of any shape. Does not know what the choices are used for.

use indexmap::IndexMap;

use super::node::{Node, Value};
use super::problem::Problem;
use super::source::Sources;
use super::variables::{is_name, text_of};

/// More instances than this are a mistake rather than a plan.
const MOST_INSTANCES: usize = 1000;

/// One instance: what tells it from its sisters, and the values for its `${…}`.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// Key and short text of each choice, e.g. `lr` and `0.001`.
    pub labels: IndexMap<String, String>,
    pub values: IndexMap<String, Node>,
}

impl Choice {
    /// The instance's name: the stage's own, or `numeric@lr=0.001,depth=2`.
    pub fn name(&self, base: &str) -> String {
        if self.labels.is_empty() {
            return base.to_string();
        }
        let labels: Vec<String> = self.labels.iter().map(|(key, label)| format!("{key}={label}")).collect();
        format!("{base}@{}", labels.join(","))
    }
}

/// All instances of a `matrix` whose variables are already replaced. Problems are pushed; then
/// the result may be empty.
pub(super) fn expand(matrix: &Node, sources: &Sources, problems: &mut Vec<Problem>) -> Vec<Choice> {
    let entries = match &matrix.value {
        Value::Mapping(entries) if !entries.is_empty() => entries,
        Value::Mapping(_) => {
            problems.push(Problem::new(matrix.span, "an empty matrix").help(EXAMPLE));
            return Vec::new();
        }
        other => {
            let message = format!("a matrix must be a mapping, not {}", other.noun());
            problems.push(Problem::new(matrix.span, message).help(EXAMPLE));
            return Vec::new();
        }
    };
    let before = problems.len();
    let mut axes: Vec<(&String, Vec<(String, Node)>)> = Vec::new();
    for (key, entry) in entries {
        if !is_name(key) {
            problems.push(
                Problem::new(entry.key_span, format!("'{key}' cannot name a matrix key"))
                    .help("names are letters, digits, '_' and '-', starting with a letter"),
            );
        }
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
