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
use super::node::{Node, Step, Value};
use super::problem::Problem;
use super::source::Span;
use super::stand_ins::{Candidate, Patch, find, node_at, put, stand_ins, variants};
use super::variables::measure;
use super::wording::Wording;
use runner_names::suggest;

/// Bounds the work on hopeless input; each finding takes a handful of attempts.
const MOST_ATTEMPTS: usize = 500;
/// Every attempt reads the whole node again: of one with many values there are fewer.
const MOST_READ: usize = 2_000_000;
const LEAST_ATTEMPTS: usize = 10;
/// Readings with other stand-ins: enough to try every shape in one place, and every choice of a few.
const MOST_GUESSES: usize = 12;
/// Unknown keys of one node that are told what was perhaps meant.
const MOST_ADVISED: usize = 20;

/// Reads a node as a type.
///
/// # Errors
/// All unknown keys (with "did you mean"), missing keys and wrong values that can be told apart,
/// each with the span of the very key or value.
pub fn typed<T: DeserializeOwned>(node: &Node) -> Result<T, Vec<Problem>> {
    read(node, Wording { node, owner: None, beside: &[], deeper: None }).map_err(|misread| misread.problems)
}

/// As [`typed`], for messages that name what the keys belong to: "keys of 'train' are …".
///
/// # Errors
/// As [`typed`].
pub fn typed_as<T: DeserializeOwned>(node: &Node, owner: &str) -> Result<T, Vec<Problem>> {
    read(node, Wording { node, owner: Some(owner), beside: &[], deeper: None }).map_err(|misread| misread.problems)
}

/// As [`typed_as`], of a value without places.
///
/// # Errors
/// As [`typed`]; the spans mean nothing.
pub fn typed_json<T: DeserializeOwned>(value: &serde_json::Value, owner: &str) -> Result<T, Vec<Problem>> {
    typed_as(&Node::from_json(value), owner)
}

/// As [`typed_as`]; `beside` are other keys that may be meant at the root, and `deeper` gives the dotted paths of all keys, e.g. `optimizer.lr`, by which one that is written too high up is told its place.
///
/// # Errors
/// As [`typed`], with what may have been meant.
pub fn typed_among<T: DeserializeOwned>(
    node: &Node,
    owner: &str,
    beside: &[&str],
    deeper: &dyn Fn() -> Vec<String>,
) -> Result<T, Misread<T>> {
    read(node, Wording { node, owner: Some(owner), beside, deeper: Some(deeper) })
}

/// What is wrong with a node, and what it reads as with other values in the places of those at fault.
pub struct Misread<T> {
    /// Each with its place.
    pub problems: Vec<Problem>,
    /// One for each stand-in that fits, as far as they were tried; none if none does. What is wrong with all of them is wrong whatever was meant.
    pub guesses: Vec<T>,
    /// The values at fault, of which nothing more is to be said.
    pub replaced: Vec<Span>,
    /// What lacks a key: nothing more is to be said of these as a whole.
    pub lacking: Vec<Span>,
}

fn read<T: DeserializeOwned>(node: &Node, words: Wording) -> Result<T, Misread<T>> {
    let first = match deserialize::<T>(node) {
        Ok(value) => return Ok(value),
        Err(fault) => fault,
    };
    let mut search = Search { original: node, words, trial: node.clone(), patches: Vec::new(), problems: Vec::new() };
    let mut fault = first.clone();
    let mut guesses = Vec::new();
    let attempts = (MOST_READ / measure(node).0.max(1)).clamp(LEAST_ATTEMPTS, MOST_ATTEMPTS);
    for _ in 0..attempts {
        if !search.set_aside::<T>(&fault) {
            break;
        }
        fault = match deserialize::<T>(&search.trial) {
            Ok(value) => {
                guesses.push(value);
                search.guess_on(&mut guesses, attempts);
                break;
            }
            Err(next) => next,
        };
    }
    if search.problems.is_empty() {
        // A type of its own making complained about a key that is not there.
        let problem = search.words.wrong_value(&first.path(), &first.kind);
        search.problems.push(problem);
    }
    Err(Misread { replaced: search.replaced(), lacking: search.lacking(), problems: search.problems, guesses })
}

struct Search<'a> {
    original: &'a Node,
    words: Wording<'a>,
    /// The node with everything found so far set aside.
    trial: Node,
    patches: Vec<Patch>,
    problems: Vec<Problem>,
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
                let removed = entries.len() < before;
                if !silent {
                    self.rename(&path, &unknown, expected);
                }
                removed || self.advance(&path)
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

    /// Reads what stands under misspelt keys as if they were spelt rightly, so that no right key is told to be missing because of them. Nothing is
    /// said of these values.
    fn rename(&mut self, path: &[Step], unknown: &HashSet<String>, expected: &[&'static str]) {
        if unknown.len() > MOST_ADVISED {
            return;
        }
        let written = self.original.at(path).map(Node::entries).unwrap_or_default();
        for (key, entry) in written.into_iter().filter(|(key, _)| unknown.contains(*key)) {
            let Some(guess) = suggest(key, expected.iter().copied()) else { continue };
            let Some(Value::Mapping(entries)) = node_at(&mut self.trial, path).map(|node| &mut node.value) else {
                return;
            };
            if !entries.contains_key(guess) {
                entries.insert(guess.to_string(), entry.clone());
                let path = path.iter().cloned().chain([Step::Key(guess.to_string())]).collect();
                let candidates = std::iter::once(Candidate::Absent).chain(stand_ins()).collect();
                self.patches.push(Patch { path, candidates, next: 0 });
            }
        }
    }

    /// Reads the node with each of the stand-ins that were not needed so far.
    fn guess_on<T: DeserializeOwned>(&self, guesses: &mut Vec<T>, attempts: usize) {
        let untried = |patch: &Patch| -> Vec<(Vec<Step>, Candidate)> {
            let candidates = patch.candidates.iter().skip(patch.next);
            candidates.map(|candidate| (patch.path.clone(), candidate.clone())).collect()
        };
        for (path, candidate) in self.patches.iter().flat_map(untried).take(attempts) {
            if guesses.len() >= MOST_GUESSES {
                break;
            }
            let mut trial = self.trial.clone();
            if put(&mut trial, &path, candidate, self.original.span) {
                guesses.extend(deserialize::<T>(&trial).ok());
            }
        }
    }

    /// The values as written in whose places stand-ins are.
    fn replaced(&self) -> Vec<Span> {
        self.patches.iter().filter_map(|patch| Some(self.original.at(&patch.path)?.span)).collect()
    }

    /// The mappings as written that lack a key for which a stand-in is.
    fn lacking(&self) -> Vec<Span> {
        let absent = self.patches.iter().filter(|patch| self.original.at(&patch.path).is_none());
        absent.map(|patch| self.original.nearest(&patch.path).0.span).collect()
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
        // Of a choice that is no text the names are only in the message.
        if let FaultKind::Wrong { expected, .. } = kind
            && let Some(names) = expected.strip_prefix("one of ")
        {
            candidates.extend(names.split(", ").map(|name| Candidate::Present(Value::String(name.to_string()))));
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
        // An item cannot be removed: the others would move.
        if matches!((&candidate, last), (Candidate::Absent, Step::Index(_))) {
            return self.advance_patch(index);
        }
        put(&mut self.trial, &path, candidate, self.original.span)
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
