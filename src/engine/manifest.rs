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
        changed
            .map(|(name, value)| Change {
                name: name.clone(),
                old: before.get(name).map(|old| (*old).clone()),
                new: Some(value.clone()),
            })
            .chain(gone.map(|(name, value)| Change { name: name.clone(), old: Some(value.clone()), new: None }))
            .collect()
    }
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
    fn every_other_difference_changes_the_key_and_is_named() {
        let old = manifest(json!({"lr": 0.1, "layers": [8, 8], "clip": 1}));
        let new = manifest(json!({"lr": 0.2, "layers": [8], "decay": 0}));
        assert_ne!(old.key(), new.key());
        let names: Vec<String> = new.changes_since(&old).into_iter().map(|change| change.name).collect();
        assert_eq!(names, ["params.decay", "params.lr", "params.clip", "params.layers.1"]);
    }
}
