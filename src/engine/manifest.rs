//! `Manifest`: everything that a stage's result depends on, readable; its digest is the cache key.
//!
//! One walk makes the entries; the hash and the explanation both read those, so neither can see what the other does not.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use runner_artifact::Digest;
use runner_artifact::digest::Hasher;

/// Named values in a fixed order, e.g. `params.optimizer.lr` = `0.001`, `input.rows.columns.tempo` = a digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    entries: Vec<(String, String)>,
}

/// One difference between two manifests.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub name: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

impl Manifest {
    pub fn add(&mut self, name: impl Into<String>, value: impl ToString) {
        self.entries.push((name.into(), value.to_string()));
    }

    /// Adds every leaf of a JSON value under its path. `skip` names the paths whose value does not count, e.g. of files that are known by content.
    pub fn add_json(&mut self, path: &str, value: &Value, skip: &dyn Fn(&str) -> bool) {
        if skip(path) {
            return;
        }
        match value {
            Value::Object(map) if !map.is_empty() => {
                // serde_json may keep the order of insertion; the manifest must not depend on it.
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort_unstable();
                for key in keys {
                    self.add_json(&format!("{path}.{key}"), &map[key], skip);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    self.add_json(&format!("{path}.{i}"), item, skip);
                }
            }
            leaf => self.add(path, leaf),
        }
    }

    pub fn entries(&self) -> &[(String, String)] {
        &self.entries
    }

    /// The cache key.
    pub fn key(&self) -> Digest {
        let mut hasher = Hasher::new();
        for (name, value) in &self.entries {
            hasher.field(name.as_bytes()).field(value.as_bytes());
        }
        hasher.finish()
    }

    /// The same over the entries whose name does not start with `prefix`.
    pub fn key_without(&self, prefix: &str) -> Digest {
        let kept = self.entries.iter().filter(|(name, _)| !name.starts_with(prefix)).cloned().collect();
        Manifest { entries: kept }.key()
    }

    /// The entries whose name starts with `prefix`, without it.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.entries.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// Takes over the entries `name` and `name.…` of another manifest, where they cannot be known yet.
    pub fn adopt(&mut self, other: &Manifest, name: &str) {
        let under = |entry: &str| entry.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.entries.extend(other.entries.iter().filter(|(entry, _)| under(entry)).cloned());
    }

    /// Every entry that differs, in the order of the new manifest, then what is gone.
    pub fn changes_since(&self, old: &Manifest) -> Vec<Change> {
        let before: std::collections::HashMap<_, _> = old.entries.iter().map(|(name, value)| (name, value)).collect();
        let after: std::collections::HashSet<_> = self.entries.iter().map(|(name, _)| name).collect();
        let changed = self.entries.iter().filter(|(name, value)| before.get(name) != Some(&value));
        let gone = old.entries.iter().filter(|(name, _)| !after.contains(name));
        let all = changed
            .map(|(name, value)| Change {
                name: name.clone(),
                old: before.get(name).map(|old| (*old).clone()),
                new: Some(value.clone()),
            })
            .chain(gone.map(|(name, value)| Change { name: name.clone(), old: Some(value.clone()), new: None }))
            .collect();
        self.of_another_form(old, all)
    }

    /// One change for a parameter that was a list and is a mapping, or the other way: entry by entry it would read as if values had come and gone.
    fn of_another_form(&self, old: &Manifest, all: Vec<Change>) -> Vec<Change> {
        let mut kept: Vec<Change> = Vec::with_capacity(all.len());
        for change in all {
            let Some(whole) = parameter(&change.name) else {
                kept.push(change);
                continue;
            };
            if kept.iter().any(|known| known.name == whole) {
                continue;
            }
            match (old.form(whole), self.form(whole)) {
                (Some((before, was_list)), Some((now, is_list))) if was_list != is_list => {
                    kept.push(Change { name: whole.to_owned(), old: Some(before), new: Some(now) });
                }
                _ => kept.push(change),
            }
        }
        kept
    }

    /// The entries under a parameter in one text, and whether they are those of a list; `None` without any.
    fn form(&self, whole: &str) -> Option<(String, bool)> {
        let prefix = format!("{whole}.");
        let own: Vec<(&str, &str)> = self.under(&prefix).collect();
        let is_list = own.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_digit()));
        let values = own.iter().map(|(name, value)| match is_list {
            true => (*value).to_owned(),
            false => format!("{name}: {value}"),
        });
        let text = values.collect::<Vec<_>>().join(", ");
        (!own.is_empty()).then(|| (if is_list { format!("[{text}]") } else { format!("{{{text}}}") }, is_list))
    }
}

/// `params.missing` of `params.missing.0`.
fn parameter(entry: &str) -> Option<&str> {
    let rest = entry.strip_prefix("params.")?;
    let (name, _) = rest.split_once('.')?;
    Some(&entry[.."params.".len() + name.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(value: Value) -> Manifest {
        let mut manifest = Manifest::default();
        manifest.add_json("params", &value, &|path| path == "params.file");
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
        let told: Vec<(&str, Option<&str>)> =
            changes.iter().map(|change| (change.name.as_str(), change.old.as_deref())).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.contains(&("params.missing", Some("[\"\", \"NA\"]"))), "{told:?}");
        assert!(changes.iter().any(|change| change.new.as_deref() == Some("{*.add.0: \"?\"}")), "{changes:?}");
        assert_eq!(old.changes_since(&new).len(), 2);
    }

    #[test]
    fn every_other_difference_changes_the_key_and_is_named() {
        let old = manifest(json!({"lr": 0.1, "layers": [8, 8], "clip": 1}));
        let new = manifest(json!({"lr": 0.2, "layers": [8], "decay": 0}));
        assert_ne!(old.key(), new.key());
        let names: Vec<String> = new.changes_since(&old).into_iter().map(|change| change.name).collect();
        assert_eq!(names, ["params.decay", "params.lr", "params.clip", "params.layers.1"]);
    }
}
