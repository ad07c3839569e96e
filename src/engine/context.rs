//! `StageContext`: all that a running stage may see and give.
//!
//! What is not declared cannot be read; a declared output that was not given is an error. Nothing is committed here: the blobs lie in the store
//! without a record until the stage has ended well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;

use super::event::{Event, Sink};
use super::input::{BoundInput, InputView, WholeStage};
use super::lineage::Lineage;
use super::port::{OutputPort, PortType, Reads, Report, Source};
use super::record::{FileRecord, OutputRecord, TableRecord};
use runner_artifact::Hasher;
use runner_artifact::{Digest, RowMemo, Scratch, Store, Table, TableWriter, is_inner_name};
use runner_boundary::files::read_regular;
use runner_spec::{Step, steps};

/// Where in the pipeline an error arose, `full.yaml:42:11`.
#[derive(Debug)]
pub(super) struct YamlPlace(pub String);

impl std::fmt::Display for YamlPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the plan knows of the stage that runs.
pub(super) struct Surroundings<'a> {
    pub(crate) kind: &'static str,
    pub(crate) version: u32,
    pub(crate) outputs: &'a [OutputPort],
    /// What it reads of the tables at a port; everything where nothing is said.
    pub(crate) reads: &'a BTreeMap<&'static str, Reads>,
    pub(crate) sources: Vec<Source>,
    pub(crate) lineage: Option<&'a Lineage>,
    pub(crate) aims: &'a BTreeMap<&'static str, String>,
    /// `full.yaml:3:9`: where that key at the top was written.
    pub(crate) aim_position: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// `full.yaml:42:11`: where a parameter was written.
    pub(crate) position: &'a (dyn Fn(&[Step]) -> Option<String> + Sync),
    /// The files that stages above an input port name at a parameter.
    pub(crate) sources_above: &'a (dyn Fn(&str, &str) -> BTreeSet<PathBuf> + Sync),
}

/// What a stage may see and do while it runs: inputs, sources, outputs, progress.
pub struct StageContext<'a> {
    pub(super) surroundings: Surroundings<'a>,
    pub(super) store: &'a Store,
    pub(super) inputs: Vec<BoundInput<'a>>,
    pub(super) seed: u64,
    pub(super) threads: usize,
    /// The digest of each source in the key, by the parameter that names it.
    pub(super) counted: BTreeMap<String, String>,
    /// Sources of which the stage got the very bytes that the key counts.
    pub(super) read: Mutex<BTreeSet<String>>,
    pub(super) inputs_key: Digest,
    /// Whether memos of earlier runs count: not where the user asks for everything to be computed anew.
    pub(super) memos: bool,
    pub(super) reporter: Reporter<'a>,
    pub(super) outputs: Vec<OutputRecord>,
    pub(super) measurements: Mutex<BTreeMap<String, f64>>,
    pub(super) headline: String,
}

impl<'a> StageContext<'a> {
    /// The stage's own, or else the pipeline's.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The word under a key at the top of the pipeline file that says what models are chosen by, in its canonical form; of the keys that the kind
    /// declares, and where it is written.
    pub fn aim(&self, key: &str) -> Option<&str> {
        self.surroundings.aims.get(key).map(String::as_str)
    }

    /// The error with the place of the word under a key at the top of the pipeline file.
    pub fn placed_aim(&self, key: &str, error: impl Into<anyhow::Error>) -> anyhow::Error {
        match (self.surroundings.aim_position)(key) {
            Some(at) => error.into().context(YamlPlace(at)),
            None => error.into(),
        }
    }

    /// How many threads the stage may keep busy. It must not change the result.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// To learn of cancellation from inside a library.
    pub fn report(&self) -> &dyn Report {
        &self.reporter
    }

    /// The outputs connected to `port`, in the order in which they are written.
    pub fn inputs(&self, port: &str) -> Vec<InputView<'a>> {
        self.inputs.iter().filter(|input| input.port == port).filter_map(|input| self.view(input)).collect()
    }

    fn view(&self, input: &BoundInput<'a>) -> Option<InputView<'a>> {
        let output = input.record.output(input.output?)?;
        let reads = self.surroundings.reads.get(input.port).unwrap_or(&Reads::All);
        Some(InputView { store: self.store, output, reads, stage: input.stage })
    }

    /// The outputs connected to a port that takes named references, by their names, in sorted order.
    pub fn named_inputs(&self, port: &str) -> BTreeMap<&'a str, Vec<InputView<'a>>> {
        let mut named: BTreeMap<&str, Vec<InputView>> = BTreeMap::new();
        for input in self.inputs.iter().filter(|input| input.port == port) {
            if let (Some(label), Some(view)) = (input.label, self.view(input)) {
                named.entry(label).or_default().push(view);
            }
        }
        named
    }

    /// `full.yaml:42:11`: where the parameter at that path was written, e.g. `&["optimizer", "lr"]`.
    pub(crate) fn position(&self, path: &[&str]) -> Option<String> {
        (self.surroundings.position)(&steps(path.iter().copied()))
    }

    /// The error with the place of the parameter that led to it, e.g. `training.class_weights`.
    pub fn placed(&self, path: &str, error: impl Into<anyhow::Error>) -> anyhow::Error {
        match self.position(&path.split('.').collect::<Vec<_>>()) {
            Some(at) => error.into().context(YamlPlace(at)),
            None => error.into(),
        }
    }

    /// An empty folder of this stage's own, beside the store's blobs and removed when dropped.
    pub fn scratch(&self) -> anyhow::Result<Scratch> {
        Ok(self.store.scratch_folder()?)
    }

    /// The one output connected to `port`.
    pub fn input(&self, port: &str) -> anyhow::Result<InputView<'a>> {
        self.inputs(port).into_iter().next().ok_or_else(|| anyhow!("input '{port}' is not connected"))
    }

    /// The whole stages connected to `port`.
    pub fn whole_stages(&self, port: &str) -> Vec<WholeStage<'_>> {
        let connected = self.inputs.iter().filter(|input| input.port == port);
        connected
            .filter_map(|input| Some((input, input.view.as_ref()?)))
            .map(|(input, view)| WholeStage::new(self.store, input.stage, view.clone(), input.record))
            .collect()
    }

    /// How what the stage reads can be made again; of kinds with [`super::Stage::LINEAGE`].
    pub fn lineage(&self) -> Option<&Lineage> {
        self.surroundings.lineage
    }

    /// The content of a declared source, by the parameter that names it: just what the key counts, or an error.
    pub fn source(&self, at: &str) -> anyhow::Result<(PathBuf, Vec<u8>)> {
        let source = self.surroundings.sources.iter().find(|source| source.at == at);
        let path =
            source.map(|source| source.path.clone()).ok_or_else(|| anyhow!("'{at}' is not a declared source"))?;
        let bytes = read_regular(&path).with_context(|| format!("cannot read '{}'", path.display()));
        let bytes = bytes.map_err(|error| self.placed(at, error))?;
        if self.counted.get(at) != Some(&Digest::of(&bytes).to_string()) {
            return Err(SourceChanged { path, ran: false }.into());
        }
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(at.to_owned());
        Ok((path, bytes))
    }

    /// The file that a stage somewhere above `port` names at that parameter, where it is one: for messages, which tell the user's file.
    pub fn source_above(&self, port: &str, at: &str) -> Option<PathBuf> {
        let mut paths = (self.surroundings.sources_above)(port, at).into_iter();
        paths.next().filter(|_| paths.next().is_none())
    }

    /// Gives an output table, written as `PORT.arrow`.
    pub fn put_table(&mut self, port: &str, table: &Table) -> anyhow::Result<()> {
        self.stream_table(port, &table.schema(), |_, writer| Ok(writer.write(table.batch()).map(drop)?))
    }

    /// Gives an output table batch by batch, so that it need not fit into memory: several batches are written as `PORT/00000.arrow` and so on.
    /// Readers within a pipeline cannot tell the batches.
    pub fn stream_table(
        &mut self,
        port: &str,
        schema: &arrow::datatypes::Schema,
        fill: impl FnOnce(&Self, &mut TableWriter) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.declared(port, PortType::Table)?;
        let mut writer = self.store.table_writer(schema)?;
        fill(self, &mut writer)?;
        let stored = writer.finish()?;
        for (i, file) in stored.files.iter().enumerate() {
            let name = if stored.files.len() == 1 { format!("{port}.arrow") } else { format!("{port}/{i:05}.arrow") };
            self.check_name(&name)?;
            self.add(port, PortType::Table, FileRecord { name, digest: file.digest, bytes: file.bytes });
        }
        let content = stored.content;
        let table = TableRecord { rows: content.rows, columns: content.columns, metadata: content.metadata };
        if let Some(output) = self.outputs.iter_mut().find(|output| output.port == port) {
            output.table = Some(table);
        }
        Ok(())
    }

    /// Gives JSON as the file `name` of that port, indented for people.
    pub fn put_json(&mut self, port: &str, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(value)?;
        bytes.push(b'\n');
        self.put_file(port, name, &bytes)
    }

    /// Gives one file of a port that holds files, JSON or a model; the name may have folders, e.g. `figures/loss.svg`.
    pub fn put_file(&mut self, port: &str, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let holds = self.port_type(port)?;
        if holds == PortType::Table {
            bail!("port '{port}' holds a table, not files");
        }
        self.put(port, holds, name, bytes)
    }

    /// Notes something that may differ between two runs, e.g. seconds. It goes to the record, never into an artifact.
    pub fn measure(&self, name: impl Into<String>, value: f64) {
        self.measurements.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), value);
    }

    /// The result in a line, for the end of a run.
    pub fn headline(&mut self, text: impl Into<String>) {
        self.headline = text.into();
    }

    /// The finer-grained cache inside a stage: results by a key that holds all that they depend on.
    pub fn memo(&self, key: &serde_json::Value) -> Memo<'a> {
        let mut hasher = Hasher::new();
        let Surroundings { kind, version, .. } = self.surroundings;
        hasher.field(kind.as_bytes()).field(&version.to_le_bytes()).field(key.to_string().as_bytes());
        Memo { store: self.store, key: hasher.finish(), known: self.memos }
    }

    /// Rows of `width` numbers by what they were computed from, shared by all stages that give the same key. It must hold
    /// all that decides a row beside its content: code, files, options.
    pub fn row_memo(&self, key: &serde_json::Value, width: usize) -> RowMemo<'a> {
        let mut hasher = Hasher::new();
        hasher.field(b"rows").field(key.to_string().as_bytes());
        if self.memos {
            RowMemo::open(self.store, hasher.finish(), width)
        } else {
            RowMemo::unread(self.store, hasher.finish(), width)
        }
    }

    /// A digest over all that the result depends on but the parameters: for memo keys of work that depends on some parameters only.
    pub fn inputs_key(&self) -> Digest {
        self.inputs_key
    }

    fn put(&mut self, port: &str, holds: PortType, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.check_name(name)?;
        let file = FileRecord { name: name.to_owned(), digest: self.store.put(bytes)?, bytes: bytes.len() as u64 };
        self.add(port, holds, file);
        Ok(())
    }

    fn check_name(&self, name: &str) -> anyhow::Result<()> {
        // Folders within the stage's own are fine, e.g. `figures/loss.svg`.
        if !is_inner_name(name) {
            bail!("'{name}' is not a plain file name");
        }
        if self.outputs.iter().flat_map(|output| &output.files).any(|file| file.name == name) {
            bail!("the file '{name}' was given twice");
        }
        Ok(())
    }

    fn add(&mut self, port: &str, holds: PortType, file: FileRecord) {
        match self.outputs.iter_mut().find(|output| output.port == port) {
            Some(output) => output.files.push(file),
            None => self.outputs.push(OutputRecord { port: port.to_owned(), holds, files: vec![file], table: None }),
        }
    }

    fn declared(&self, port: &str, holds: PortType) -> anyhow::Result<()> {
        if self.port_type(port)? != holds {
            bail!("port '{port}' does not hold a table");
        }
        Ok(())
    }

    fn port_type(&self, port: &str) -> anyhow::Result<PortType> {
        let found = self.surroundings.outputs.iter().find(|output| output.name == port);
        found.map(|output| output.holds).ok_or_else(|| anyhow!("'{port}' is not a declared output"))
    }

    /// The outputs in their declared order; an error names what is missing.
    pub(super) fn into_outputs(mut self) -> anyhow::Result<Vec<OutputRecord>> {
        let declared = self.surroundings.outputs;
        let mut outputs = Vec::with_capacity(declared.len());
        for port in declared {
            let position = self.outputs.iter().position(|output| output.port == port.name);
            let position = position.ok_or_else(|| anyhow!("the stage gave no output '{}'", port.name))?;
            outputs.push(self.outputs.swap_remove(position));
        }
        Ok(outputs)
    }
}

/// A source holds something else than what the key counts. The result would be kept under the wrong key.
#[derive(Debug, thiserror::Error)]
#[error("'{}' changed while the stage ran: its result was not kept, run again", path.display())]
pub(super) struct SourceChanged {
    pub(crate) path: PathBuf,
    /// Whether the stage had done its work when this was found.
    pub(crate) ran: bool,
}

/// One place in the finer-grained cache.
pub struct Memo<'a> {
    store: &'a Store,
    key: Digest,
    /// Whether what earlier runs put there counts.
    known: bool,
}

impl Memo<'_> {
    /// `None` where nothing was kept, or it is damaged.
    pub fn get(&self) -> Option<Vec<u8>> {
        if self.known { self.store.get_memo(self.key) } else { None }
    }

    /// Takes away what is there, if anything.
    pub fn remove(&self) {
        self.store.remove_memo(self.key);
    }

    /// Replaces what was kept.
    pub fn put(&self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.store.put_memo(self.key, bytes)?)
    }
}

/// Passes a stage's words on as events, with its name.
pub(super) struct Reporter<'a> {
    pub(crate) stage: &'a str,
    pub(crate) sink: Sink<'a>,
    pub(crate) cancelled: &'a (dyn Fn() -> bool + Sync),
    pub(crate) warnings: Mutex<Vec<String>>,
}

impl Report for Reporter<'_> {
    fn progress(&self, done: u64, total: u64, unit: &str, note: &str) {
        let (unit, note) = (unit.to_owned(), note.to_owned());
        (self.sink)(Event::Progress { stage: self.stage.to_owned(), done, total, unit, note });
    }

    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
        self.warn_of_machine(message);
    }

    fn warn_of_machine(&self, message: &str) {
        (self.sink)(Event::Warned { stage: self.stage.to_owned(), message: message.to_owned() });
    }

    fn cancelled(&self) -> bool {
        (self.cancelled)()
    }
}
