//! `ActionRecord`: what an action produced, kept in the store under its cache key.
//!
//! What may differ between two runs of the same action (time, host, measurements) is here and nowhere else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::port::{OutputPort, PortType};
use runner_artifact::Hasher;
use runner_artifact::{Digest, Store, TableError, TableReader, is_inner_name};

/// One file of an output, e.g. `model.safetensors`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Inside the stage's folder.
    pub name: String,
    /// By which the store has it.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// What one port gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Its name.
    pub port: String,
    /// What kind of content it is.
    pub holds: PortType,
    /// Of a table: its parts, in their order.
    pub files: Vec<FileRecord>,
    /// Of a table: its rows, the digest of each column, and of the schema's metadata.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub table: Option<TableRecord>,
}

/// Of a table: what identifies its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRecord {
    /// How many.
    pub rows: usize,
    /// Name and digest of each, in their order.
    pub columns: Vec<(String, Digest)>,
    pub(crate) metadata: Digest,
}

impl OutputRecord {
    /// The digest of the whole output.
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        for file in &self.files {
            hasher.field(file.name.as_bytes()).field(file.digest.to_string().as_bytes());
        }
        hasher.finish()
    }

    /// What a person calls it: its only file, or the folder that a table's parts lie in.
    pub fn table_name(&self) -> String {
        match self.files.as_slice() {
            [only] => only.name.clone(),
            _ => format!("{}/", self.port),
        }
    }

    /// The table that the files hold together.
    pub fn reader(&self, store: &Store) -> Result<TableReader, TableError> {
        store.open_table(self.files.iter().map(|file| file.digest))
    }
}

/// What an action produced, and what it depended on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// The stage's kind.
    pub kind: String,
    /// Its digest is the key.
    pub manifest: Manifest,
    /// In the order of the ports.
    pub outputs: Vec<OutputRecord>,
    /// Where it came from; no part of the key.
    pub provenance: Provenance,
}

/// How a result came about; never part of a key, never inside an artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub(crate) runner: String,
    /// Seconds since 1970.
    pub started: u64,
    pub seconds: f64,
    pub(crate) threads: usize,
    /// The most bytes that the process held while the stage ran: an upper bound when stages run side by side, absent where the system does not tell.
    #[serde(default)]
    pub peak_memory: Option<u64>,
    #[serde(default)]
    pub(crate) host: Option<String>,
    #[serde(default)]
    pub(crate) cpu: Option<String>,
    /// What the stage timed or counted itself, e.g. `random_forest.fit_seconds`.
    pub measurements: BTreeMap<String, f64>,
    pub warnings: Vec<String>,
    /// The result in a line, e.g. `test accuracy 0.612, macro-F1 0.608`.
    pub headline: String,
}

/// Why a record that is there cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecordFault {
    #[error("was damaged")]
    Damaged,
    #[error("was that of another result")]
    OtherKey,
    /// Never written by this program: edited, or made by hand.
    #[error("named {0:?}, which cannot lie in the stage's folder")]
    Outside(String),
    #[error("named {0:?} twice, or as a file and as a folder")]
    Conflict(String),
    #[error("lacked what the output {0:?} holds")]
    Lacks(String),
}

impl ActionRecord {
    /// What the store knows under that key, if it can be used.
    pub fn load(store: &Store, key: Digest) -> Option<ActionRecord> {
        ActionRecord::parse(key, &store.get_record(key)?).ok()
    }

    /// Why the store has a record under that key and yet nothing to use.
    pub(crate) fn fault(store: &Store, key: Digest) -> Option<RecordFault> {
        match store.get_record(key) {
            Some(bytes) => ActionRecord::parse(key, &bytes).err(),
            None => store.has_record(key).then_some(RecordFault::Damaged),
        }
    }

    /// A store may come from somebody else: its names become paths, so each is looked at before any is used.
    pub fn parse(key: Digest, bytes: &[u8]) -> Result<ActionRecord, RecordFault> {
        let record: ActionRecord = serde_json::from_slice(bytes).map_err(|_| RecordFault::Damaged)?;
        if record.manifest.key() != key {
            return Err(RecordFault::OtherKey);
        }
        let mut names: Vec<&str> = record.files().map(|file| file.name.as_str()).collect();
        let ports = record.outputs.iter().map(|output| output.port.as_str());
        if let Some(name) = names.iter().copied().chain(ports).find(|name| !is_inner_name(name)) {
            return Err(RecordFault::Outside(name.to_owned()));
        }
        // A stage that gives an output gives a file of it.
        let is_empty = |output: &&OutputRecord| {
            output.files.is_empty() || (output.holds == PortType::Table) != output.table.is_some()
        };
        if let Some(output) = record.outputs.iter().find(is_empty) {
            return Err(RecordFault::Lacks(output.port.clone()));
        }
        // Sorted by parts, so that a file and a folder of one name would be neighbours.
        names.sort_unstable_by(|a, b| a.split('/').cmp(b.split('/')));
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match names.windows(2).find(|pair| inside(pair[0], pair[1])) {
            Some(pair) => Err(RecordFault::Conflict(pair[1].to_owned())),
            None => Ok(record),
        }
    }

    /// What of the outputs that the stage declares the record does not have.
    pub(super) fn lacking(&self, declared: &[OutputPort]) -> Option<RecordFault> {
        let is_there = |port: &OutputPort| self.output(&port.name).is_some_and(|output| output.holds == port.holds);
        let lacking = declared.iter().find(|port| !is_there(port))?;
        Some(RecordFault::Lacks(lacking.name.to_string()))
    }

    /// `None` where it has no such port.
    pub fn output(&self, port: &str) -> Option<&OutputRecord> {
        self.outputs.iter().find(|output| output.port == port)
    }

    /// Of all ports.
    pub fn files(&self) -> impl Iterator<Item = &FileRecord> {
        self.outputs.iter().flat_map(|output| &output.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(names: &[&str]) -> Result<ActionRecord, RecordFault> {
        let mut manifest = Manifest::default();
        manifest.add(crate::Entry::Kind, "toy");
        let file = |name: &&str| FileRecord { name: (*name).to_owned(), digest: Digest::of(b""), bytes: 0 };
        let files = names.iter().map(file).collect();
        let outputs = vec![OutputRecord { port: "rows".to_owned(), holds: PortType::Files, files, table: None }];
        let record = ActionRecord { kind: "toy".to_owned(), manifest, outputs, provenance: Provenance::default() };
        ActionRecord::parse(record.manifest.key(), &serde_json::to_vec(&record).unwrap())
    }

    #[test]
    fn names_that_leave_the_folder_or_get_into_each_others_way_are_refused() {
        assert!(parsed(&["a.txt", "a/b.txt", "a/c.txt", "ab"]).is_ok());
        for names in [&["../a"][..], &["/a"], &["b", "x/../../a"], &["a\\b"], &[""]] {
            assert!(matches!(parsed(names), Err(RecordFault::Outside(_))), "{names:?}");
        }
        for names in [&["a", "a"][..], &["a", "a-b", "a/b"], &["a/b/c", "a/b"]] {
            assert!(matches!(parsed(names), Err(RecordFault::Conflict(_))), "{names:?}");
        }
        let record = parsed(&["a"]).unwrap();
        let bytes = serde_json::to_vec(&record).unwrap();
        assert_eq!(ActionRecord::parse(Digest::of(b"other"), &bytes), Err(RecordFault::OtherKey));
        let mut evil = record;
        evil.outputs[0].port = "../rows".to_owned();
        let bytes = serde_json::to_vec(&evil).unwrap();
        assert_eq!(ActionRecord::parse(evil.manifest.key(), &bytes), Err(RecordFault::Outside("../rows".to_owned())));
    }
}
