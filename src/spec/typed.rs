//! A [`Node`] → any Rust type, finding as many mistakes as it can.
//!
//! serde stops at the first error. So after each one the offending key or value is set aside - it
//! is removed, or a stand-in of another type takes its place - and the rest is read again, until
//! nothing new is found. Nothing is reported about stand-ins. Does not know the source texts, nor
//! what the types mean.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use super::deserialize::deserialize;
use super::fault::{Fault, FaultKind, describe_node};
use super::node::{Entry, Node, Step, Value};
use super::problem::Problem;
use super::suggest::suggest;
use super::variables::measure;
use super::wording::Wording;

/// Bounds the work on hopeless input; each finding takes a handful of attempts.
const MOST_ATTEMPTS: usize = 500;
/// Every attempt reads the whole node again: of one with many values there are fewer.
const MOST_READ: usize = 2_000_000;
const LEAST_ATTEMPTS: usize = 10;
/// Unknown keys of one node that are told what was perhaps meant.
const MOST_ADVISED: usize = 20;

/// Reads a node as a type.
///
/// # Errors
/// All unknown keys (with "did you mean"), missing keys and wrong values that can be told apart,
/// each with the span of the very key or value.
pub fn typed<T: DeserializeOwned>(node: &Node) -> Result<T, Vec<Problem>> {
    read(node, Wording { node, owner: None, deeper: None })
}

/// As [`typed`], for messages that name what the keys belong to: "keys of 'train' are …".
///
/// # Errors
/// As [`typed`].
pub fn typed_as<T: DeserializeOwned>(node: &Node, owner: &str) -> Result<T, Vec<Problem>> {
    read(node, Wording { node, owner: Some(owner), deeper: None })
}

/// As [`typed_as`]; `deeper` gives the dotted paths of all keys, e.g. `optimizer.lr`, by which one that is written too high up is told its place.
///
/// # Errors
/// As [`typed`].
pub fn typed_among<T: DeserializeOwned>(
    node: &Node,
    owner: &str,
    deeper: &dyn Fn() -> Vec<String>,
) -> Result<T, Vec<Problem>> {
    read(node, Wording { node, owner: Some(owner), deeper: Some(deeper) })
}

fn read<T: DeserializeOwned>(node: &Node, words: Wording) -> Result<T, Vec<Problem>> {
    let first = match deserialize::<T>(node) {
        Ok(value) => return Ok(value),
        Err(fault) => fault,
    };
    let mut search = Search { original: node, words, trial: node.clone(), patches: Vec::new(), problems: Vec::new() };
    let mut fault = first.clone();
    let attempts = (MOST_READ / measure(node).0.max(1)).clamp(LEAST_ATTEMPTS, MOST_ATTEMPTS);
    for _ in 0..attempts {
        if !search.set_aside::<T>(&fault) {
            break;
        }
        fault = match deserialize::<T>(&search.trial) {
            Ok(_) => break,
            Err(next) => next,
        };
    }
    if search.problems.is_empty() {
        // A type of its own making complained about a key that is not there.
        let problem = search.words.wrong_value(&first.path(), &first.kind);
        search.problems.push(problem);
    }
    Err(search.problems)
}

struct Search<'a> {
    original: &'a Node,
    words: Wording<'a>,
    /// The node with everything found so far set aside.
    trial: Node,
    patches: Vec<Patch>,
    problems: Vec<Problem>,
}

/// A value that was set aside, and the stand-ins still to be tried in its place.
struct Patch {
    path: Vec<Step>,
    candidates: Vec<Candidate>,
    next: usize,
}

#[derive(Clone)]
enum Candidate {
    Absent,
    Present(Value),
}

impl Search<'_> {
    /// Reports a fault, if it is not of our own making, and changes the trial so that it does not
    /// come again. False if nothing more can be tried.
    fn set_aside<T: DeserializeOwned>(&mut self, fault: &Fault) -> bool {
        let path = self.locate::<T>(fault);
        let silent = self.patch_around(&path).is_some();
        let below = self.patches.iter().any(|patch| patch.path.len() > path.len() && patch.path.starts_with(&path));
        match &fault.kind {
            FaultKind::UnknownKey { key, expected } => {
                // Where the keys that may be there are known, all others are set aside at once: one at a time takes time with the square.
                let mut unknown = vec![key.clone()];
                if let (Some(node), false) = (self.trial.at(&path), expected.is_empty()) {
                    let others = node.entries().into_iter().map(|(other, _)| other);
                    unknown
                        .extend(others.filter(|other| *other != key && !expected.contains(&other.as_str())).cloned());
                }
                for key in unknown.iter().filter(|_| !silent) {
                    if let Some(entry) = self.original.at(&path).and_then(|node| node.entry(key)) {
                        let advises = self.problems.len() < MOST_ADVISED;
                        let problem = self.words.unknown_key(&path, entry, key, expected, advises);
                        self.problems.push(problem);
                    }
                }
                let Some(Value::Mapping(entries)) = node_at(&mut self.trial, &path).map(|node| &mut node.value) else {
                    return self.advance(&path);
                };
                let before = entries.len();
                let unknown: HashSet<String> = unknown.into_iter().collect();
                entries.retain(|key, _| !unknown.contains(key));
                entries.len() < before || self.advance(&path)
            }
            FaultKind::MissingKey { key } => {
                let mut target = path.clone();
                target.push(Step::Key(key.clone()));
                if let Some(index) = self.patches.iter().position(|patch| patch.path == target) {
                    return self.advance_patch(index);
                }
                if !silent {
                    let problem = self.words.missing_key(&path, key);
                    self.problems.push(problem);
                }
                self.patches.push(Patch { path: target.clone(), candidates: stand_ins(), next: 0 });
                self.advance(&target)
            }
            kind => {
                if below {
                    // A check of several values together: a stand-in may have broken it.
                    return false;
                }
                if silent {
                    if let FaultKind::UnknownVariant { expected, .. } = kind
                        && !self.decides::<T>(&path, expected)
                    {
                        self.offer_variants(&path, expected);
                    }
                    return self.advance(&path);
                }
                let problem = self.words.wrong_value(&path, kind);
                self.problems.push(problem);
                self.begin_patch::<T>(path, kind)
            }
        }
    }

    fn begin_patch<T: DeserializeOwned>(&mut self, path: Vec<Step>, kind: &FaultKind) -> bool {
        let mut candidates = Vec::new();
        let mut target = path;
        if let FaultKind::UnknownVariant { name, expected } = kind {
            let guess = suggest(name, expected.iter().copied());
            if let Some(guess) = guess {
                candidates.push(Candidate::Present(Value::String(guess.to_string())));
            } else if self.decides::<T>(&target, expected) {
                // Without the choice its neighbours cannot be judged: all are set aside together.
                target.pop();
            } else {
                candidates.push(Candidate::Absent);
                candidates.extend(variants(expected));
            }
        }
        if target.is_empty() {
            return false;
        }
        candidates.push(Candidate::Absent);
        candidates.extend(stand_ins());
        self.patches.push(Patch { path: target.clone(), candidates, next: 0 });
        self.advance(&target)
    }

    /// Whether a choice decides what its neighbours may be, as the tag of a tagged enum does: then
    /// different choices lead to different faults elsewhere.
    fn decides<T: DeserializeOwned>(&self, path: &[Step], expected: &[&'static str]) -> bool {
        let mut outcomes = expected.iter().filter_map(|name| {
            let mut trial = self.trial.clone();
            node_at(&mut trial, path)?.value = Value::String((*name).to_string());
            let fault = deserialize::<T>(&trial).err();
            let here = fault.as_ref().is_some_and(|fault| fault.path() == path);
            (!here).then_some(fault)
        });
        let first = outcomes.next();
        outcomes.any(|outcome| Some(outcome) != first)
    }

    /// The innermost patch that covers a path.
    fn patch_around(&self, path: &[Step]) -> Option<usize> {
        (0..self.patches.len())
            .filter(|&index| path.starts_with(&self.patches[index].path))
            .max_by_key(|&index| self.patches[index].path.len())
    }

    fn offer_variants(&mut self, path: &[Step], expected: &[&'static str]) {
        if let Some(index) = self.patch_around(path) {
            let patch = &mut self.patches[index];
            if patch.candidates.len() < MOST_ATTEMPTS {
                patch.candidates.extend(variants(expected));
            }
        }
    }

    fn advance(&mut self, path: &[Step]) -> bool {
        match self.patch_around(path) {
            Some(index) => self.advance_patch(index),
            None => false,
        }
    }

    /// Puts the next stand-in in place; when none is left, the value around it is set aside.
    fn advance_patch(&mut self, index: usize) -> bool {
        let patch = &mut self.patches[index];
        let candidate = patch.candidates.get(patch.next).cloned();
        patch.next += 1;
        let path = patch.path.clone();
        let Some((last, parent)) = path.split_last() else {
            return false;
        };
        let Some(candidate) = candidate else {
            let parent = parent.to_vec();
            self.patches.remove(index);
            if parent.is_empty() {
                return false;
            }
            return match self.patches.iter().position(|patch| patch.path == parent) {
                Some(index) => self.advance_patch(index),
                None => {
                    self.patches.push(Patch {
                        path: parent,
                        candidates: [Candidate::Absent].into_iter().chain(stand_ins()).collect(),
                        next: 0,
                    });
                    self.advance_patch(self.patches.len() - 1)
                }
            };
        };
        let span = self.original.span;
        let Some(parent) = node_at(&mut self.trial, parent) else {
            return false;
        };
        match (candidate, last, &mut parent.value) {
            (Candidate::Absent, Step::Key(key), Value::Mapping(entries)) => {
                entries.shift_remove(key);
                true
            }
            (Candidate::Present(value), Step::Key(key), Value::Mapping(entries)) => {
                let key_span = span;
                let node = Node::new(span, value);
                entries.insert(key.clone(), Entry { key_span, node });
                true
            }
            (Candidate::Present(value), Step::Index(item), Value::Sequence(items)) => match items.get_mut(*item) {
                Some(item) => {
                    *item = Node::new(span, value);
                    true
                }
                None => false,
            },
            // An item cannot be removed: the others would move.
            (Candidate::Absent, ..) => self.advance_patch(index),
            _ => false,
        }
    }

    /// The path of what a fault is about. If serde had buffered the value, the fault's own path
    /// ends there, and the value has to be searched.
    fn locate<T: DeserializeOwned>(&self, fault: &Fault) -> Vec<Step> {
        let path = fault.path();
        let Some(node) = self.trial.at(&path) else {
            return path;
        };
        let mut inside = Vec::new();
        match &fault.kind {
            FaultKind::UnknownKey { key, .. } if node.entry(key).is_none() => {
                find(node, &path, &mut inside, &|node| node.entry(key).is_some());
            }
            FaultKind::Wrong { found, .. } if describe_node(node) != *found => {
                find(node, &path, &mut inside, &|node| describe_node(node) == *found);
            }
            FaultKind::UnknownVariant { name, .. } if node.as_str() != Some(name) && node.entry(name).is_none() => {
                find(node, &path, &mut inside, &|node| node.as_str() == Some(name));
            }
            _ => return path,
        }
        let only = inside.len() == 1;
        inside.into_iter().find(|place| only || self.matters::<T>(place, fault)).unwrap_or(path)
    }

    /// Whether a fault goes away or changes without the value at a path.
    fn matters<T: DeserializeOwned>(&self, path: &[Step], fault: &Fault) -> bool {
        let Some((Step::Key(key), parent)) = path.split_last() else {
            return false;
        };
        let mut without = self.trial.clone();
        if let Some(parent) = node_at(&mut without, parent) {
            parent.remove(key);
        }
        deserialize::<T>(&without).err().as_ref() != Some(fault)
    }
}

fn variants(expected: &[&'static str]) -> impl Iterator<Item = Candidate> {
    expected.iter().map(|name| Candidate::Present(Value::String((*name).to_string())))
}

/// Values of every shape, the most widely accepted first.
fn stand_ins() -> Vec<Candidate> {
    [
        Value::Null,
        Value::Number(1.into()),
        Value::Number(0.into()),
        Value::Number(serde_json::Number::from_f64(0.5).unwrap_or_else(|| 0.into())),
        Value::String("x".to_string()),
        Value::Bool(false),
        Value::Sequence(Vec::new()),
        Value::Mapping(indexmap::IndexMap::new()),
    ]
    .into_iter()
    .map(Candidate::Present)
    .collect()
}

fn node_at<'a>(node: &'a mut Node, path: &[Step]) -> Option<&'a mut Node> {
    path.iter().try_fold(node, |node, step| node.child_mut(step))
}

/// All paths under a node, itself excluded, at which a test holds; outer ones first.
fn find(node: &Node, path: &[Step], found: &mut Vec<Vec<Step>>, test: &dyn Fn(&Node) -> bool) {
    for (step, child) in node.children() {
        let mut path = path.to_vec();
        path.push(step);
        if test(child) {
            found.push(path.clone());
        }
        find(child, &path, found, test);
    }
}
