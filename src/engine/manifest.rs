//! `Manifest`: everything that a stage's result depends on, readable; its digest is the cache key.
//!
//! One walk makes the entries; the hash and the explanation both read those, so neither can see what the other does not.

use std::collections::HashSet;
use std::fmt::{Display, Write as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::{Entry, InputName};
use runner_artifact::Digest;
use runner_artifact::Hasher;

/// Named values in a fixed order, e.g. `params.optimizer.lr` = `0.001`, `input.rows.0.columns.tempo` = a digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    entries: Vec<(Entry, String)>,
}

/// One difference between two manifests.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What differs.
    pub entry: Entry,
    /// `None` where it is new.
    pub old: Option<String>,
    /// `None` where it is gone.
    pub new: Option<String>,
}

impl Manifest {
    /// At the end; the order is part of the key.
    pub fn add(&mut self, entry: Entry, value: impl ToString) {
        self.entries.push((entry, value.to_string()));
    }

    /// Adds every parameter under its path. `skip` names the paths whose value does not count, e.g. of files that are known by content.
    pub(crate) fn add_parameters(&mut self, parameters: &Value, skip: &dyn Fn(&str) -> bool) {
        self.add_leaves("", parameters, skip);
    }

    fn add_leaves(&mut self, path: &str, value: &Value, skip: &dyn Fn(&str) -> bool) {
        if skip(path) {
            return;
        }
        let under = |key: &dyn Display| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        match value {
            Value::Object(map) if !map.is_empty() => {
                // serde_json may keep the order of insertion; the manifest must not depend on it.
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort_unstable();
                for key in keys {
                    self.add_leaves(&under(key), &map[key], skip);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    self.add_leaves(&under(&i), item, skip);
                }
            }
            leaf => self.add(Entry::Parameter(path.to_owned()), leaf),
        }
    }

    /// In canonical order, values as text.
    pub fn entries(&self) -> &[(Entry, String)] {
        &self.entries
    }

    /// The cache key.
    pub fn key(&self) -> Digest {
        digest(self.entries.iter())
    }

    /// The same without the parameters.
    pub(crate) fn key_of_inputs(&self) -> Digest {
        digest(self.entries.iter().filter(|(entry, _)| !matches!(entry, Entry::Parameter(_) | Entry::Aim(_))))
    }

    /// The parameters by their paths.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths(|entry| match entry {
            Entry::Parameter(path) => Some(path),
            _ => None,
        })
    }

    /// The digests of source files, by the path of the parameter that names each.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths(|entry| match entry {
            Entry::Source(path) => Some(path),
            _ => None,
        })
    }

    /// The digests of what lies outside the store, by the path of the parameter that names each.
    pub(crate) fn externals(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths(|entry| match entry {
            Entry::External(path) => Some(path),
            _ => None,
        })
    }

    fn paths<'a>(&'a self, path: fn(&'a Entry) -> Option<&'a String>) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.entries.iter().filter_map(move |(entry, value)| Some((path(entry)?.as_str(), value.as_str())))
    }

    /// Takes over the entries of an input of another manifest that this one does not have, where they cannot be known yet.
    pub(crate) fn adopt(&mut self, other: &Manifest, input: &InputName) {
        let is_of_input = |(entry, _): &&(Entry, String)| entry.input() == Some(input);
        let own: Vec<Entry> = self.entries.iter().filter(is_of_input).map(|(entry, _)| entry.clone()).collect();
        let missing = other.entries.iter().filter(is_of_input).filter(|(entry, _)| !own.contains(entry));
        self.entries.extend(missing.cloned());
    }

    /// Every entry that differs, in the order of the new manifest, then what is gone.
    pub fn changes_since(&self, old: &Manifest) -> Vec<Change> {
        let before: std::collections::HashMap<_, _> = old.entries.iter().map(|(entry, value)| (entry, value)).collect();
        let after: std::collections::HashSet<_> = self.entries.iter().map(|(name, _)| name).collect();
        let changed = self.entries.iter().filter(|(name, value)| before.get(name) != Some(&value));
        let gone = old.entries.iter().filter(|(name, _)| !after.contains(name));
        let all = changed
            .map(|(entry, value)| Change {
                entry: entry.clone(),
                old: before.get(entry).map(|old| (*old).clone()),
                new: Some(value.clone()),
            })
            .chain(gone.map(|(entry, value)| Change { entry: entry.clone(), old: Some(value.clone()), new: None }))
            .collect();
        self.of_another_form(old, all)
    }

    /// One change for a list of values, and for a parameter that has another shape than before, e.g. a list that became a mapping, or a mapping that is
    /// empty now: entry by entry it would read as if values had come and gone.
    fn of_another_form(&self, old: &Manifest, all: Vec<Change>) -> Vec<Change> {
        let mut kept: Vec<Change> = Vec::with_capacity(all.len());
        let mut whole_lists: HashSet<String> = HashSet::new();
        for change in all {
            if change.entry.parameter().and_then(list_of).is_some_and(|list| whole_lists.contains(list)) {
                continue;
            }
            let reshaped = prefixes(&change.entry).find_map(|whole| match (old.form(whole), self.form(whole)) {
                (Some((before, Shape::List)), Some((now, Shape::List))) => {
                    whole_lists.insert(whole.to_owned());
                    Some(Change { entry: Entry::Parameter(whole.to_owned()), old: Some(before), new: Some(now) })
                }
                (Some((before, was)), Some((now, is))) if was != is => {
                    Some(Change { entry: Entry::Parameter(whole.to_owned()), old: Some(before), new: Some(now) })
                }
                _ => None,
            });
            let change = reshaped.unwrap_or(change);
            if kept.iter().all(|known| known.entry != change.entry) {
                kept.push(change);
            }
        }
        kept
    }

    /// A parameter with all that is under it in one text, and its shape; `None` if there is nothing.
    fn form(&self, whole: &str) -> Option<(String, Shape)> {
        if let Some((_, value)) = self.parameters().find(|(path, _)| *path == whole) {
            return Some((value.to_owned(), Shape::Value));
        }
        let under = |path: &'_ str| path.strip_prefix(whole).and_then(|rest| rest.strip_prefix('.')).map(str::len);
        let own: Vec<(&str, &str)> =
            (self.parameters()).filter_map(|(path, value)| Some((&path[path.len() - under(path)?..], value))).collect();
        if own.is_empty() {
            return None;
        }
        let is_list = own.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_digit()));
        let values = own.iter().map(|(name, value)| match is_list {
            true => (*value).to_owned(),
            false => format!("{name}: {value}"),
        });
        let text = values.collect::<Vec<_>>().join(", ");
        Some(if is_list { (format!("[{text}]"), Shape::List) } else { (format!("{{{text}}}"), Shape::Mapping) })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// Also an empty list or mapping.
    Value,
    List,
    Mapping,
}

/// `numeric` of the parameter `numeric.3`.
fn list_of(path: &str) -> Option<&str> {
    let (list, item) = path.rsplit_once('.')?;
    item.bytes().all(|byte| byte.is_ascii_digit()).then_some(list)
}

/// `network`, `network.text` and `network.text.dim` of the parameter `network.text.dim`.
fn prefixes(entry: &Entry) -> impl Iterator<Item = &str> {
    let path = match entry {
        Entry::Parameter(path) => path.as_str(),
        _ => "",
    };
    let ends = path.match_indices('.').map(|(end, _)| end).chain((!path.is_empty()).then_some(path.len()));
    ends.map(|end| &path[..end])
}

fn digest<'a>(entries: impl Iterator<Item = &'a (Entry, String)>) -> Digest {
    let mut hasher = Hasher::new();
    let mut name = String::new();
    for (entry, value) in entries {
        name.clear();
        let _ = write!(name, "{entry}");
        hasher.field(name.as_bytes()).field(value.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(value: Value) -> Manifest {
        let mut manifest = Manifest::default();
        manifest.add_parameters(&value, &|path| path == "file");
        manifest
    }

    #[test]
    fn order_of_keys_and_skipped_paths_do_not_count() {
        let a = manifest(json!({"lr": 0.1, "layers": [8, 8], "file": "a.csv"}));
        let b = manifest(json!({"layers": [8, 8], "file": "b.csv", "lr": 0.1}));
        assert_eq!(a.key(), b.key());
    }

    #[test]
    fn a_list_that_became_a_mapping_is_one_change() {
        let old = manifest(json!({"missing": ["", "NA"], "lr": 0.1}));
        let new = manifest(json!({"missing": {"*": {"add": ["?"]}}, "lr": 0.2}));
        let changes = new.changes_since(&old);
        let told: Vec<(String, Option<&str>)> =
            changes.iter().map(|change| (change.entry.to_string(), change.old.as_deref())).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.contains(&("params.missing".to_owned(), Some("[\"\", \"NA\"]"))), "{told:?}");
        assert!(changes.iter().any(|change| change.new.as_deref() == Some("{*.add.0: \"?\"}")), "{changes:?}");
        assert_eq!(old.changes_since(&new).len(), 2);
    }

    #[test]
    fn what_became_empty_is_told_with_what_it_was() {
        let told = |old: Value, new: Value| -> Vec<(String, String, String)> {
            let text = |side: Option<String>| side.unwrap_or_else(|| "(absent)".to_owned());
            let changes = manifest(new).changes_since(&manifest(old)).into_iter();
            changes.map(|change| (change.entry.to_string(), text(change.old), text(change.new))).collect()
        };
        let one = |name: &str, old: &str, new: &str| vec![(name.to_owned(), old.to_owned(), new.to_owned())];
        let (full, empty) = (json!({"where": {"race": "White"}}), json!({"where": {}}));
        assert_eq!(told(full.clone(), empty.clone()), one("params.where", "{race: \"White\"}", "{}"));
        assert_eq!(told(empty, full), one("params.where", "{}", "{race: \"White\"}"));
        let (weights, none) = (json!({"weights": {"a": 2, "b": 1}}), json!({"weights": "none"}));
        assert_eq!(told(weights, none), one("params.weights", "{a: 2, b: 1}", "\"none\""));
        let deep = |text: Value| json!({"network": {"dropout": 0.1, "text": text}});
        assert_eq!(told(deep(json!({"dim": 4})), deep(Value::Null)), one("params.network.text", "{dim: 4}", "null"));
        assert_eq!(told(json!({"groups": ["age"]}), json!({"groups": []})), one("params.groups", "[\"age\"]", "[]"));
    }

    #[test]
    fn every_other_difference_changes_the_key_and_is_named() {
        let old = manifest(json!({"lr": 0.1, "layers": [8, 8], "clip": 1}));
        let new = manifest(json!({"lr": 0.2, "layers": [8], "decay": 0}));
        assert_ne!(old.key(), new.key());
        let names: Vec<String> = new.changes_since(&old).into_iter().map(|change| change.entry.to_string()).collect();
        assert_eq!(names, ["params.decay", "params.lr", "params.clip", "params.layers"]);
    }
}
