//! `ActionRecord`: what an action produced, kept in the store under its cache key.
//!
//! What may differ between two runs of the same action (time, host, measurements) is here and nowhere else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::stage::PortType;
use crate::artifact::digest::Hasher;
use crate::artifact::{Digest, Store, TableError, TableReader};

/// One file of an output, e.g. `model.safetensors`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    pub name: String,
    pub digest: Digest,
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    pub port: String,
    pub holds: PortType,
    /// Of a table: its parts, in their order.
    pub files: Vec<FileRecord>,
    /// Of a table: its rows, the digest of each column, and of the schema's metadata.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub table: Option<TableRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRecord {
    pub rows: usize,
    pub columns: Vec<(String, Digest)>,
    pub metadata: Digest,
}

impl OutputRecord {
    /// The digest of the whole output.
    pub fn digest(&self) -> Digest {
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    pub kind: String,
    pub manifest: Manifest,
    pub outputs: Vec<OutputRecord>,
    pub provenance: Provenance,
}

/// How a result came about; never part of a key, never inside an artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub runner: String,
    /// Seconds since 1970.
    pub started: u64,
    pub seconds: f64,
    pub threads: usize,
    /// The most bytes that the process held while the stage ran: an upper bound when stages run side by side, absent where the system does not tell.
    #[serde(default)]
    pub peak_memory: Option<u64>,
    #[serde(default)]
    pub host: Option<String>,
    #[serde(default)]
    pub cpu: Option<String>,
    /// What the stage timed or counted itself, e.g. `random_forest.fit_seconds`.
    pub measurements: BTreeMap<String, f64>,
    pub warnings: Vec<String>,
    /// The result in a line, e.g. `test accuracy 0.612, macro-F1 0.608`.
    pub headline: String,
}

impl ActionRecord {
    /// What the store knows under that key.
    pub fn load(store: &Store, key: Digest) -> Option<ActionRecord> {
        serde_json::from_slice(&store.get_record(key)?).ok()
    }

    pub fn output(&self, port: &str) -> Option<&OutputRecord> {
        self.outputs.iter().find(|output| output.port == port)
    }

    pub fn files(&self) -> impl Iterator<Item = &FileRecord> {
        self.outputs.iter().flat_map(|output| &output.files)
    }
}
