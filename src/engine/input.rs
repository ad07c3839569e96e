//! What a running stage sees of its inputs: outputs of stages before it, with the declared columns only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use super::port::{PortType, Reads};
use super::record::{ActionRecord, FileRecord, OutputRecord};
use runner_artifact::{Store, Table, TableReader};
use runner_names::Localized;

/// An input with the record of the stage that it comes from.
pub(super) struct BoundInput<'a> {
    pub(crate) port: &'static str,
    pub(crate) label: Option<&'a str>,
    pub(crate) record: &'a ActionRecord,
    pub(crate) output: Option<&'a str>,
    pub(crate) stage: &'a str,
    /// Of a whole stage: what a report is told of it.
    pub(crate) view: Option<StageView>,
}

/// What a report is told of a stage besides its outputs: name, kind, parameters, references. All of it enters the report's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageView {
    /// Its name.
    pub stage: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Localized>,
    /// Its kind's name.
    pub kind: String,
    /// Of the kind's code, which may show something else in a report.
    pub(crate) version: u32,
    /// Defaulted, as they are hashed.
    pub params: serde_json::Value,
    /// What its models are chosen by, as far as the pipeline says: by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aims: BTreeMap<String, String>,
    /// In the order of the ports.
    pub inputs: Vec<ViewedInput>,
}

/// A reference of a [`StageView`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewedInput {
    /// The port of the stage that reads.
    pub port: String,
    /// The stage that it refers to.
    pub stage: String,
    /// Its output; `None` for the whole stage.
    pub output: Option<String>,
    /// The name that the user gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
}

/// One output of an upstream stage.
pub struct InputView<'a> {
    pub(super) store: &'a Store,
    pub(super) output: &'a OutputRecord,
    pub(super) reads: &'a Reads,
    pub(super) stage: &'a str,
}

/// A whole upstream stage, for reports.
pub struct WholeStage<'a> {
    /// What the pipeline says of the stage.
    pub view: StageView,
    /// What it gave.
    pub outputs: Vec<InputView<'a>>,
    /// What it warned of when it ran.
    pub warnings: &'a [String],
}

impl<'a> WholeStage<'a> {
    pub(super) fn new(store: &'a Store, stage: &'a str, view: StageView, record: &'a ActionRecord) -> Self {
        let outputs = record.outputs.iter().map(|output| InputView { store, output, reads: &Reads::All, stage });
        WholeStage { view, outputs: outputs.collect(), warnings: &record.provenance.warnings }
    }
}

impl InputView<'_> {
    /// The name of the stage that gave it.
    pub fn stage(&self) -> &str {
        self.stage
    }

    /// Of the stage that made it.
    pub fn port(&self) -> &str {
        &self.output.port
    }

    /// What kind of content it is.
    pub fn holds(&self) -> PortType {
        self.output.holds
    }

    /// The table, with the declared columns only; the others are not read. It lies in a memory map where it was written as one batch.
    pub fn table(&self) -> anyhow::Result<Table> {
        self.shown(self.reader()?.read()?)
    }

    /// The columns of [`InputView::table`], without reading any rows.
    pub fn schema(&self) -> anyhow::Result<SchemaRef> {
        Ok(self.shown(Table::new(RecordBatch::new_empty(self.reader()?.schema()?)))?.schema())
    }

    /// These columns although the stage did not declare them, for the message of a failure: what fails stores nothing, so that no result can depend on
    /// them.
    pub fn for_message(&self, columns: &[&str]) -> anyhow::Result<Table> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        Ok(self.output.reader(self.store)?.project(&columns).read()?)
    }

    /// The same rows batch by batch, so that they need not fit into memory together.
    pub fn batches(&self, mut each: impl FnMut(Table) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.reader()?.batches().try_for_each(|batch| each(self.shown(batch?)?))
    }

    /// The first `count` rows, or all if they are fewer.
    pub fn head(&self, count: usize) -> anyhow::Result<Table> {
        self.shown(self.reader()?.head(count)?)
    }

    fn reader(&self) -> anyhow::Result<TableReader> {
        let reader = self.output.reader(self.store)?;
        Ok(match self.reads {
            Reads::All => reader,
            Reads::Columns(names) | Reads::ColumnsAndMetadata(names) => reader.project(names),
        })
    }

    /// Metadata is for those that declared it.
    fn shown(&self, table: Table) -> anyhow::Result<Table> {
        Ok(match self.reads {
            Reads::All | Reads::ColumnsAndMetadata(_) => table,
            Reads::Columns(_) => table.without_metadata()?,
        })
    }

    /// The files with the size and the digest of their content.
    pub fn files(&self) -> &[FileRecord] {
        &self.output.files
    }

    /// Each file as something that was delivered: its name, bytes and digest. A table is one thing, however many parts it lies in.
    pub fn delivered(&self) -> Vec<FileRecord> {
        match self.output.files.as_slice() {
            parts @ [_, _, ..] if self.holds() == PortType::Table => vec![FileRecord {
                name: self.output.table_name(),
                digest: self.output.digest(),
                bytes: parts.iter().map(|part| part.bytes).sum(),
            }],
            files => files.to_vec(),
        }
    }

    /// Rows and columns of a table.
    pub fn extent(&self) -> Option<(u64, u64)> {
        self.output.table.as_ref().map(|table| (table.rows as u64, table.columns.len() as u64))
    }

    /// In the order in which they were written.
    pub fn file_names(&self) -> Vec<&str> {
        self.output.files.iter().map(|file| file.name.as_str()).collect()
    }

    /// Copies the files into a folder, verified and read-only, so that a program can be shown them without sight of the store. A table comes
    /// as one file, `PORT.arrow`, also where it lies in several.
    pub fn copy_into(&self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        if self.holds() == PortType::Table && self.output.files.len() > 1 {
            let path = folder.join(format!("{}.arrow", self.port()));
            self.output.reader(self.store)?.copy_out(&path)?;
            return Ok(vec![path]);
        }
        let mut paths = Vec::with_capacity(self.output.files.len());
        for file in &self.output.files {
            let path = folder.join(&file.name);
            if let Some(inner) = path.parent() {
                std::fs::create_dir_all(inner)?;
            }
            self.store.copy_out(file.digest, &path)?;
            paths.push(path);
        }
        Ok(paths)
    }

    /// Its bytes, checked against their digest.
    pub fn file(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let file = self.output.files.iter().find(|file| file.name == name);
        let file = file.ok_or_else(|| anyhow!("'{}' has no file '{name}'", self.stage))?;
        Ok(self.store.get(file.digest)?)
    }
}
