//! `${name}` in scalars: putting the values in.
//!
//! A scalar that is one reference takes the variable's value with its type; inside longer text
//! the value is spliced. `$${` stands for a literal `${`. Does not know where values come from:
//! the caller supplies `vars` and the choices of a matrix.

use indexmap::IndexMap;

use super::node::{Entry, Node, Origin, Value};
use super::problem::{MOST_ADVISED, Problem};
use super::source::{Sources, Span};
use super::template::{Piece, literal, pieces};
use runner_names::{did_you_mean, listed};

/// Limits on what substitution may build: variables that repeat each other grow exponentially.
const MOST_NODES: usize = 1_000_000;
const MOST_TEXT: usize = 1 << 24;
/// Nesting beyond this is refused, because trees are walked recursively.
const MOST_LEVELS: usize = 96;

/// The variables that a place in the file can see, and what building on them has cost.
pub(super) struct Scope<'a> {
    pub(crate) sources: &'a Sources,
    /// `None` is a variable that is itself at fault: already reported, so uses stay silent.
    pub(crate) vars: &'a IndexMap<String, Option<Node>>,
    /// The choices of a matrix instance; they hide variables of the same name.
    pub(crate) choices: Option<&'a IndexMap<String, Node>>,
    /// All definitions, for suggestions: while they are resolved, `vars` lacks some.
    pub(crate) defined: Option<&'a IndexMap<String, Entry>>,
    pub(crate) budget: &'a mut Budget,
    pub(crate) problems: &'a mut Vec<Problem>,
}

/// What substitution has built so far.
#[derive(Default)]
pub(super) struct Budget {
    nodes: usize,
    text: usize,
    exhausted: bool,
    /// References to variables that are at fault themselves.
    unresolved: usize,
    /// Whether a file is missing that may hold further variables: who needs one of those stays silent.
    pub(crate) is_partial: bool,
}

impl Budget {
    /// Whether substitution has given up; what it returns since then is incomplete.
    pub(crate) fn exhausted(&self) -> bool {
        self.exhausted
    }

    /// How many references stand as they were written, because their variable is at fault.
    pub(crate) fn unresolved(&self) -> usize {
        self.unresolved
    }
}

impl Scope<'_> {
    /// The node with every reference replaced. Problems are pushed; the offending scalar stays as
    /// it was written.
    pub(crate) fn substitute(&mut self, node: &Node) -> Node {
        self.walk(node, 0)
    }

    fn walk(&mut self, node: &Node, level: usize) -> Node {
        if !self.afford(node.span, 1, 0) {
            return Node::new(node.span, Value::Null);
        }
        let value = match &node.value {
            Value::String(text) if text.contains("${") => {
                return self.scalar(node, text, level);
            }
            Value::Sequence(items) => Value::Sequence(items.iter().map(|item| self.walk(item, level + 1)).collect()),
            Value::Mapping(entries) => {
                let mut walked = IndexMap::with_capacity(entries.len());
                for (key, entry) in entries {
                    let literal = literal(key);
                    if literal.is_none() {
                        self.problems.push(
                            Problem::new(entry.key_span, format!("a variable in the key '{key}'")).help(
                                "variables stand in values only: write the key out, with '$${' for a literal '${'",
                            ),
                        );
                    }
                    let node = self.walk(&entry.node, level + 1);
                    let key_span = entry.key_span;
                    walked.insert(literal.unwrap_or_else(|| key.clone()), Entry { key_span, node });
                }
                Value::Mapping(walked)
            }
            other => other.clone(),
        };
        Node { span: node.span, origin: node.origin.clone(), value }
    }

    fn scalar(&mut self, node: &Node, text: &str, level: usize) -> Node {
        let pieces = pieces(text);
        if let [Piece::Reference { name, .. }] = pieces.as_slice() {
            let Some(value) = self.lookup(node, name, 0) else {
                return node.clone();
            };
            let (nodes, levels) = measure(&value);
            if !self.afford(node.span, nodes, 0) {
                return Node::new(node.span, Value::Null);
            }
            if level + levels > MOST_LEVELS {
                self.problems
                    .push(Problem::new(node.span, format!("variables nest more than {MOST_LEVELS} levels deep")));
                return Node::new(node.span, Value::Null);
            }
            return Node { span: node.span, origin: Some(origin(name, &value)), value: value.value };
        }
        let mut spliced = String::with_capacity(text.len());
        let mut first_origin = None;
        for piece in &pieces {
            match piece {
                Piece::Text(text) => spliced.push_str(text),
                Piece::Unclosed { occurrence } => {
                    let span = self.reference_span(node, text, *occurrence);
                    self.problems.push(
                        Problem::new(span, "'${' without its '}'").help("close it, or write '$${' for a literal '${'"),
                    );
                }
                Piece::Reference { name, occurrence } => {
                    let Some(value) = self.lookup(node, name, *occurrence) else {
                        continue;
                    };
                    let Some(text) = text_of(&value, self.sources) else {
                        let span = self.reference_span(node, text, *occurrence);
                        let noun = value.value.noun();
                        self.problems.push(
                            Problem::new(span, format!("variable '{name}' is {noun}, which cannot stand inside text"))
                                .related(value.written_at(), format!("'{name}' is set here"))
                                .help(format!("use \"${{{name}}}\" as the whole value, or give '{name}' a text")),
                        );
                        continue;
                    };
                    first_origin.get_or_insert_with(|| origin(name, &value));
                    if !self.afford(node.span, 0, text.len()) {
                        return Node::new(node.span, Value::Null);
                    }
                    spliced.push_str(&text);
                }
            }
        }
        Node { span: node.span, origin: first_origin.or_else(|| node.origin.clone()), value: Value::String(spliced) }
    }

    /// The value of a variable, or `None` after reporting why there is none.
    fn lookup(&mut self, node: &Node, name: &str, occurrence: usize) -> Option<Node> {
        let choices = self.choices;
        if let Some(choice) = name.strip_prefix("matrix.") {
            if let Some(value) = choices.and_then(|choices| choices.get(choice)) {
                return Some(value.clone());
            }
        } else if let Some(value) = choices.and_then(|choices| choices.get(name)) {
            return Some(value.clone());
        } else if let Some(value) = self.vars.get(name) {
            self.budget.unresolved += usize::from(value.is_none());
            return value.clone();
        }
        if self.budget.is_partial && is_name(name) {
            self.budget.unresolved += 1;
            return None;
        }
        let text = node.as_str().unwrap_or("");
        let span = self.reference_span(node, text, occurrence);
        self.problems.push(self.unknown(name, span));
        None
    }

    fn unknown(&self, name: &str, span: Span) -> Problem {
        if name.starts_with("env:") {
            return Problem::new(span, format!("'${{{name}}}' reads the environment, which is not supported"))
                .help("a result may depend only on what the pipeline declares: use a variable and `--set name=value`");
        }
        if !is_name(name.strip_prefix("matrix.").unwrap_or(name)) {
            return Problem::new(span, format!("'{name}' is not the name of a variable"))
                .help("names are letters, digits, '_' and '-'; write '$${' for a literal '${'");
        }
        if self.problems.len() >= MOST_ADVISED {
            return Problem::new(span, format!("unknown variable '{name}'"));
        }
        let choices: Vec<&str> =
            self.choices.map(|choices| choices.keys().map(String::as_str).collect()).unwrap_or_default();
        let vars = match self.defined {
            Some(defined) => defined.keys().map(String::as_str).collect::<Vec<_>>(),
            None => self.vars.keys().map(String::as_str).collect(),
        };
        let known: Vec<&str> = match name.strip_prefix("matrix.") {
            Some(_) => choices,
            None => choices.into_iter().chain(vars).collect(),
        };
        let word = name.strip_prefix("matrix.").unwrap_or(name);
        let guess = did_you_mean(word, known.iter().copied());
        let problem = Problem::new(span, format!("unknown variable '{name}'{guess}"));
        let problem = problem.about(format!("variable {name}"));
        if known.is_empty() {
            problem.help("define it under `vars`")
        } else {
            problem.help(format!("known here: {}", listed(known)))
        }
    }

    /// The source span of the n-th `${…}` of a scalar; the whole scalar if escapes hide it.
    fn reference_span(&self, node: &Node, text: &str, occurrence: usize) -> Span {
        let written = self.sources.slice(node.span);
        if written.matches("${").count() != text.matches("${").count() {
            return node.span;
        }
        let Some((start, _)) = written.match_indices("${").nth(occurrence) else {
            return node.span;
        };
        let length = written[start..].find('}').map_or(2, |end| end + 1);
        let start = node.span.start.offset + start;
        self.sources.span(node.span.file, start..start + length)
    }

    fn afford(&mut self, span: Span, nodes: usize, text: usize) -> bool {
        self.budget.nodes += nodes;
        self.budget.text += text;
        let over = self.budget.nodes > MOST_NODES || self.budget.text > MOST_TEXT;
        if over && !self.budget.exhausted {
            self.budget.exhausted = true;
            self.problems.push(
                Problem::new(span, "variables expand without measure")
                    .help("check for variables or matrices that repeat each other many times"),
            );
        }
        !over
    }
}

/// The text of a scalar as written (`1e-3` stays `1e-3`); `None` for anything but a scalar.
pub(super) fn text_of(node: &Node, sources: &Sources) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => {
            let written = sources.slice(node.written_at());
            let plain = |c: char| c.is_ascii_alphanumeric() || ".+-".contains(c);
            if !written.is_empty() && written.chars().all(plain) {
                Some(written.to_string())
            } else {
                Some(number.to_string())
            }
        }
        _ => None,
    }
}

/// Names of variables, stages and matrix keys: a letter, then letters, digits, `_` or `-`.
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn origin(name: &str, value: &Node) -> Box<Origin> {
    value.origin.clone().unwrap_or_else(|| Box::new(Origin { variable: name.to_string(), span: value.span }))
}

/// The number of values of a tree, and its depth.
pub(super) fn measure(node: &Node) -> (usize, usize) {
    let mut nodes = 1;
    let mut levels = 0;
    for (_, child) in node.children() {
        let (child_nodes, child_levels) = measure(child);
        nodes += child_nodes;
        levels = levels.max(child_levels + 1);
    }
    (nodes, levels)
}
