//! Stand-ins for values that are at fault, and places in a tree: what `typed` sets aside, and what it tries instead.
//!
//! Does not know what a value was meant to be.

use super::node::{Entry, Node, Step, Value};
use super::source::Span;

/// A value that was set aside, and the stand-ins still to be tried in its place.
pub(super) struct Patch {
    pub(crate) path: Vec<Step>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) next: usize,
}

#[derive(Clone)]
pub(super) enum Candidate {
    Absent,
    Present(Value),
}

pub(super) fn variants(expected: &[&'static str]) -> impl Iterator<Item = Candidate> {
    expected.iter().map(|name| Candidate::Present(Value::String((*name).to_string())))
}

/// Values of every shape, the most widely accepted first.
pub(super) fn stand_ins() -> Vec<Candidate> {
    [
        Value::Null,
        Value::Number(1.into()),
        Value::Number(0.into()),
        Value::Number(serde_json::Number::from_f64(0.5).unwrap_or_else(|| 0.into())),
        Value::String("x".to_string()),
        Value::Bool(false),
        Value::Bool(true),
        Value::Sequence(Vec::new()),
        Value::Mapping(indexmap::IndexMap::new()),
    ]
    .into_iter()
    .map(Candidate::Present)
    .collect()
}

/// Puts a stand-in at a path of `trial`. False if it cannot stand there.
pub(super) fn put(trial: &mut Node, path: &[Step], candidate: Candidate, span: Span) -> bool {
    let Some((last, parent)) = path.split_last() else {
        return false;
    };
    let Some(parent) = node_at(trial, parent) else {
        return false;
    };
    match (candidate, last, &mut parent.value) {
        (Candidate::Absent, Step::Key(key), Value::Mapping(entries)) => {
            entries.shift_remove(key);
            true
        }
        (Candidate::Present(value), Step::Key(key), Value::Mapping(entries)) => {
            let node = Node::new(span, value);
            entries.insert(key.clone(), Entry { key_span: span, node });
            true
        }
        (Candidate::Present(value), Step::Index(item), Value::Sequence(items)) => match items.get_mut(*item) {
            Some(item) => {
                *item = Node::new(span, value);
                true
            }
            None => false,
        },
        _ => false,
    }
}

pub(super) fn node_at<'a>(node: &'a mut Node, path: &[Step]) -> Option<&'a mut Node> {
    path.iter().try_fold(node, |node, step| node.child_mut(step))
}

/// All paths under a node, itself excluded, at which a test holds; outer ones first.
pub(super) fn find(node: &Node, path: &[Step], found: &mut Vec<Vec<Step>>, test: &dyn Fn(&Node) -> bool) {
    for (step, child) in node.children() {
        let mut path = path.to_vec();
        path.push(step);
        if test(child) {
            found.push(path.clone());
        }
        find(child, &path, found, test);
    }
}
