//! The lock file: what every stage of a pipeline depended on and gave, beside the YAML, to be committed with it.
//!
//! One block per stage, sorted, one value per line, so that a difference shows where it belongs. A plan that is held to a lock
//! (`Plan::lock_to`) refuses any result that the lock does not name.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::manifest::Manifest;
use super::reason::StaleReason;
use super::record::ActionRecord;
use runner_artifact::Digest;
use runner_artifact::disk::write_through_links;
use runner_boundary::files::read_regular_text;

const FORMAT: u32 = 1;
const HEADER: &str = "# Written by `runner run --lock`. `runner run --locked` fails if anything would differ.\n";

/// Keys and outputs of every stage of a plan, as they were when it was locked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    format: u32,
    pipeline: String,
    stages: BTreeMap<String, LockedStage>,
}

/// One stage's block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedStage {
    kind: String,
    /// The cache key: a digest over everything that the result depends on.
    key: Digest,
    /// Digests of source files, by the parameter that names them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sources: BTreeMap<String, String>,
    /// Digests of what lies outside the store, e.g. encoders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    externals: BTreeMap<String, String>,
    /// Digests of the files that the stage gave.
    outputs: BTreeMap<String, Digest>,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("there is no lock file '{0}' (write one with `runner run --lock`)")]
    Absent(String),
    #[error("cannot {action} '{path}': {error}")]
    Io { action: &'static str, path: String, error: std::io::Error },
    #[error(
        "the lock file '{path}' is damaged: {reason} (restore it from version control, or write it anew with `runner run --lock`)"
    )]
    Damaged { path: String, reason: String },
    #[error(
        "'{path}' lists the digests of a bundle's files, as `results.lock` does: a run cannot be held to it (a lock file of a pipeline is written by \
         `runner run --lock`; to compare results with a bundle, hold the digests of their files against this list)"
    )]
    OfBundle { path: String },
    #[error("the lock file '{path}' has format {found}, this runner reads {FORMAT}")]
    Format { path: String, found: u32 },
}

impl LockFile {
    /// Of stages that are all up to date; `None` if one of them has no record.
    pub fn of<'a>(
        pipeline: &str,
        records: impl Iterator<Item = (&'a str, Option<&'a ActionRecord>)>,
    ) -> Option<LockFile> {
        let stages = records.map(|(name, record)| Some((name.to_owned(), LockedStage::of(record?))));
        Some(LockFile { format: FORMAT, pipeline: pipeline.to_owned(), stages: stages.collect::<Option<_>>()? })
    }

    /// A lock file that [`LockFile::of`] once made.
    pub fn read(path: &Path) -> Result<LockFile, LockError> {
        let shown = path.display().to_string();
        let text = match read_regular_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(LockError::Absent(shown)),
            Err(error) => return Err(LockError::Io { action: "read", path: shown, error }),
        };
        // The format first: a later one may have other fields.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let damaged = |error: serde_yaml::Error| LockError::Damaged { path: shown.clone(), reason: error.to_string() };
        // What a bundle's list has of a stage: no key, by which a plan could be held to it.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct OfBundle {
            #[serde(rename = "kind")]
            _kind: String,
            #[serde(rename = "outputs")]
            _outputs: Option<BTreeMap<String, Digest>>,
        }
        if serde_yaml::from_str::<BTreeMap<String, OfBundle>>(&text).is_ok_and(|stages| !stages.is_empty()) {
            return Err(LockError::OfBundle { path: shown });
        }
        let head: Head = serde_yaml::from_str(&text).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(LockError::Format { path: shown, found: head.format });
        }
        serde_yaml::from_str(&text).map_err(damaged)
    }

    /// Whole or not at all, through symbolic links; an unchanged file is left alone, so that its time stamp says when something changed.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let failed = |action| move |error| LockError::Io { action, path: path.display().to_string(), error };
        let text = serde_yaml::to_string(self).map_err(|error| failed("write")(std::io::Error::other(error)))?;
        let text = format!("{HEADER}{text}");
        if read_regular_text(path).is_ok_and(|present| present == text) {
            return Ok(());
        }
        // A bare name has no folder to put the temporary file in.
        let whole = std::path::absolute(path).map_err(failed("write"))?;
        write_through_links(&whole, text.as_bytes()).map_err(failed("write"))
    }

    /// The stages that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.stages.keys().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Option<&LockedStage> {
        self.stages.get(name)
    }

    pub(super) fn stage(&self, name: &str) -> anyhow::Result<&LockedStage> {
        self.get(name).ok_or_else(|| anyhow::anyhow!("the lock does not have this stage"))
    }
}

impl LockedStage {
    fn of(record: &ActionRecord) -> LockedStage {
        LockedStage {
            kind: record.kind.clone(),
            key: record.manifest.key(),
            sources: owned(record.manifest.sources()),
            externals: owned(record.manifest.externals()),
            outputs: record.files().map(|file| (file.name.clone(), file.digest)).collect(),
        }
    }

    /// What of the stage's inputs is not as locked, value by value where `since` still knows what differs from the result of the locked key.
    pub(super) fn check_key(
        &self,
        manifest: &Manifest,
        since: &dyn Fn(Digest) -> Option<Vec<StaleReason>>,
    ) -> Option<String> {
        if manifest.key() == self.key {
            return None;
        }
        let mut reasons: Vec<String> = match since(self.key) {
            Some(reasons) => reasons.iter().map(ToString::to_string).collect(),
            None => {
                let sources = changed(Entry::Source, &self.sources, &owned(manifest.sources()));
                let externals = changed(Entry::External, &self.externals, &owned(manifest.externals()));
                sources.into_iter().chain(externals).collect()
            }
        };
        if reasons.is_empty() {
            let (old, new) = (self.key.short(), manifest.key().short());
            reasons
                .push(format!("its key is {new}, the lock has {old} (made with other parameters, inputs or versions)"));
        }
        Some(format!("differs from the lock: {}", reasons.join("; ")))
    }

    /// Which files have other bytes than those locked.
    pub(super) fn check_outputs(&self, record: &ActionRecord, what: &str) -> Option<String> {
        let found: BTreeMap<String, Digest> = record.files().map(|file| (file.name.clone(), file.digest)).collect();
        let mut names: Vec<&String> = self.outputs.keys().chain(found.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let differing: Vec<&str> =
            names.into_iter().filter(|name| self.outputs.get(*name) != found.get(*name)).map(String::as_str).collect();
        (!differing.is_empty()).then(|| {
            format!("{what} has other bytes than the lock in {}: it is not reproducible", differing.join(", "))
        })
    }
}

fn owned<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn changed(entry: fn(String) -> Entry, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let short = |value: Option<&String>| value.map_or("(absent)".to_owned(), |value| value.chars().take(12).collect());
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    differing
        .map(|name| format!("{} {} → {}", entry(name.clone()), short(old.get(name)), short(new.get(name))))
        .collect()
}
