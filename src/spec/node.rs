//! The tree that a pipeline file becomes: plain values, each with its place in a source text.

use indexmap::IndexMap;
use std::fmt;

use super::source::Span;

/// A value and where it was written, e.g. `0.001` at full.yaml:42:11.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value stands. For a value that a variable supplied this is the `${…}`.
    pub span: Span,
    /// The variable that supplied the value, and where that variable's value was written.
    /// Boxed: most nodes have none, and trees are copied.
    pub(crate) origin: Option<Box<Origin>>,
    /// What it holds.
    pub value: Value,
}

/// Where the value of a `${name}` comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) variable: String,
    pub(crate) span: Span,
}

/// A YAML value after tags, anchors, merge keys and variables are resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Always finite.
    Number(serde_json::Number),
    /// Quoted or plain.
    String(String),
    /// In the order written.
    Sequence(Vec<Node>),
    /// By key, in the order written.
    Mapping(IndexMap<String, Entry>),
}

/// One key of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key_span: Span,
    /// Its value.
    pub node: Node,
}

/// One step down a tree: a key of a mapping or an index (from 0) of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Of a mapping.
    Key(String),
    /// Of a sequence, from 0.
    Index(usize),
}

impl Node {
    pub(crate) fn new(span: Span, value: Value) -> Self {
        Node { span, origin: None, value }
    }

    /// The value behind a key; `None` if this is no mapping or lacks the key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The key's entry, which knows where the key itself was written.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Mapping(entries) => entries.get(key),
            _ => None,
        }
    }

    /// Takes a key out of a mapping, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        match &mut self.value {
            Value::Mapping(entries) => entries.shift_remove(key),
            _ => None,
        }
    }

    /// The node at a path, if every step exists.
    pub fn at(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| node.child(step))
    }

    /// The node at the longest prefix of a path that exists, and that prefix's length.
    pub fn nearest(&self, path: &[Step]) -> (&Node, usize) {
        let mut node = self;
        for (depth, step) in path.iter().enumerate() {
            match node.child(step) {
                Some(child) => node = child,
                None => return (node, depth),
            }
        }
        (node, path.len())
    }

    pub(super) fn child(&self, step: &Step) -> Option<&Node> {
        match (step, &self.value) {
            (Step::Key(key), Value::Mapping(entries)) => entries.get(key).map(|entry| &entry.node),
            (Step::Index(index), Value::Sequence(items)) => items.get(*index),
            _ => None,
        }
    }

    pub(super) fn child_mut(&mut self, step: &Step) -> Option<&mut Node> {
        match (step, &mut self.value) {
            (Step::Key(key), Value::Mapping(entries)) => entries.get_mut(key).map(|entry| &mut entry.node),
            (Step::Index(index), Value::Sequence(items)) => items.get_mut(*index),
            _ => None,
        }
    }

    /// The children with the steps that lead to them, in the order written.
    pub(super) fn children(&self) -> Vec<(Step, &Node)> {
        match &self.value {
            Value::Sequence(items) => {
                items.iter().enumerate().map(|(index, item)| (Step::Index(index), item)).collect()
            }
            Value::Mapping(entries) => {
                entries.iter().map(|(key, entry)| (Step::Key(key.clone()), &entry.node)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The keys of a mapping in the order written; none of anything else.
    pub(super) fn entries(&self) -> Vec<(&String, &Entry)> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value without positions.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => serde_json::Value::Bool(*value),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(text) => serde_json::Value::String(text.clone()),
            Value::Sequence(items) => items.iter().map(Node::to_json).collect(),
            Value::Mapping(entries) => serde_json::Value::Object(
                entries.iter().map(|(key, entry)| (key.clone(), entry.node.to_json())).collect(),
            ),
        }
    }

    /// A value without places.
    pub(super) fn from_json(value: &serde_json::Value) -> Node {
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => Value::Number(number.clone()),
            serde_json::Value::String(text) => Value::String(text.clone()),
            serde_json::Value::Array(items) => Value::Sequence(items.iter().map(Node::from_json).collect()),
            serde_json::Value::Object(entries) => {
                let entry = |value| Entry { key_span: Span::default(), node: Node::from_json(value) };
                Value::Mapping(entries.iter().map(|(key, value)| (key.clone(), entry(value))).collect())
            }
        };
        Node::new(Span::default(), value)
    }

    /// Where the value was written: the variable's definition if one supplied it.
    pub(crate) fn written_at(&self) -> Span {
        self.origin.as_ref().map_or(self.span, |origin| origin.span)
    }
}

impl Value {
    /// The kind of value, with an article, for messages.
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a true/false value",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_string())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

/// A path in words as steps: numbers count positions of a list.
pub fn steps<'p>(path: impl IntoIterator<Item = &'p str>) -> Vec<Step> {
    let step = |word: &str| word.parse().map_or_else(|_| Step::Key(word.to_owned()), Step::Index);
    path.into_iter().map(step).collect()
}

/// A path as users write it in `--set`, e.g. `layers[1].width`.
pub fn display_path(path: &[Step]) -> String {
    struct Path<'a>(&'a [Step]);
    impl fmt::Display for Path<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for (depth, step) in self.0.iter().enumerate() {
                match step {
                    Step::Key(key) if depth == 0 => write!(f, "{key}")?,
                    Step::Key(key) => write!(f, ".{key}")?,
                    Step::Index(index) => write!(f, "[{index}]")?,
                }
            }
            Ok(())
        }
    }
    Path(path).to_string()
}
