//! Whether a stage is fresh, can be restored, or must run - and why. `plan`, `explain` and `run` all ask here.
//!
//! Read-only: deciding never changes the store (but for its stat cache, a shortcut).

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::bind::SEED;
use super::entry::{Entry, InputEntry, InputName};
use super::input::{StageView, ViewedInput, WholeStage};
use super::manifest::Manifest;
use super::plan::{Plan, PlannedStage};
use super::port::{External, Reads};
use super::reason::StaleReason;
use super::record::{ActionRecord, FileRecord, OutputRecord};
use runner_artifact::{Digest, Store};
use runner_spec::steps;

/// Changes of this engine that alter results bump it.
const ENGINE_VERSION: u32 = 1;

/// What a run would do with a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing: the delivered files are those of the key.
    Fresh,
    /// The store has the result of this key; its files are put in place.
    Restore,
    /// Nobody has computed it yet.
    Run,
}

/// What there is to do about a stage.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Nothing: its result lies in place.
    Fresh {
        /// The result of this key.
        record: Arc<ActionRecord>,
    },
    /// To put a known result in place.
    Restore {
        /// The result of this key.
        record: Arc<ActionRecord>,
        /// Why the stage would run; empty where it would not.
        reasons: Vec<StaleReason>,
    },
    /// To put the result of another stage of the plan in place, which will do the same work.
    Share {
        /// Its digest is the key.
        manifest: Manifest,
        /// Why the stage would run; empty where it would not.
        reasons: Vec<StaleReason>,
    },
    /// To run it.
    Run {
        /// Its digest is the key.
        manifest: Manifest,
        /// Why the stage would run; empty where it would not.
        reasons: Vec<StaleReason>,
    },
    /// To decide again once what it reads has been computed or fetched.
    Undecided {
        /// Why the stage would run; empty where it would not.
        reasons: Vec<StaleReason>,
    },
}

impl Decision {
    /// What people are told before a run: a stage that is undecided probably runs.
    pub fn status(&self) -> Status {
        match self {
            Decision::Fresh { .. } => Status::Fresh,
            Decision::Restore { .. } | Decision::Share { .. } => Status::Restore,
            Decision::Run { .. } | Decision::Undecided { .. } => Status::Run,
        }
    }

    /// Why the stage would run; empty where it would not.
    pub fn reasons(&self) -> &[StaleReason] {
        match self {
            Decision::Fresh { .. } => &[],
            Decision::Restore { reasons, .. }
            | Decision::Share { reasons, .. }
            | Decision::Run { reasons, .. }
            | Decision::Undecided { reasons } => reasons,
        }
    }

    /// Everything that the result depends on, unless some of that is not known yet.
    pub fn manifest(&self) -> Option<&Manifest> {
        match self {
            Decision::Fresh { record } | Decision::Restore { record, .. } => Some(&record.manifest),
            Decision::Share { manifest, .. } | Decision::Run { manifest, .. } => Some(manifest),
            Decision::Undecided { .. } => None,
        }
    }

    /// The result that the store knows and has whole.
    pub(crate) fn record(&self) -> Option<&Arc<ActionRecord>> {
        match self {
            Decision::Fresh { record } | Decision::Restore { record, .. } => Some(record),
            Decision::Share { .. } | Decision::Run { .. } | Decision::Undecided { .. } => None,
        }
    }
}

/// The records of stages that are up to date, by the stage's index in the plan. Shared: many stages may read from one.
pub(crate) type Known = [Option<Arc<ActionRecord>>];

/// What a decision rests on besides the plan.
pub struct Workspace<'a> {
    /// The pipeline.
    pub plan: &'a Plan,
    /// Shared by all pipelines of the artifacts folder.
    pub store: &'a Store,
    /// The folder that holds `.store` and the folders for people.
    pub artifacts: &'a Path,
    /// Part of every key, e.g. `cpu`.
    pub device: &'a str,
}

impl Workspace<'_> {
    /// Decides on one stage. `known[i]` is the record of stage `i` where it is up to date.
    pub(crate) fn decide(&self, i: usize, known: &Known) -> anyhow::Result<Decision> {
        let stage = &self.plan.stages[i];
        let upstream: Vec<usize> =
            self.plan.dependencies(i).into_iter().filter(|&from| known[from].is_none()).collect();
        let mut blocked = Vec::new();
        let externals = stage.stage.externals();
        let mut digests = Vec::with_capacity(externals.len());
        for external in &externals {
            let digest = external.digest().map_err(|error| self.at(i, external.at(), error))?;
            match digest {
                Some(digest) => digests.push(digest),
                None => blocked.push(StaleReason::NotFetched { what: self.external_name(stage, external.as_ref()) }),
            }
        }
        if blocked.is_empty() && upstream.is_empty() {
            return self.check_locked(i, self.manifest(i, known, &externals, &digests)?);
        }
        if blocked.is_empty() {
            blocked = self.own_reasons(i, self.manifest(i, known, &externals, &digests)?, &upstream);
        }
        let only_if_changed = blocked.is_empty();
        let name = |from: usize| self.plan.stages[from].name.clone();
        blocked.extend(upstream.into_iter().map(|from| StaleReason::Upstream { stage: name(from), only_if_changed }));
        Ok(Decision::Undecided { reasons: blocked })
    }

    /// Why a stage would not stay fresh even if the stages that have to run before it gave what they gave before.
    fn own_reasons(&self, i: usize, mut manifest: Manifest, upstream: &[usize]) -> Vec<StaleReason> {
        let stage = &self.plan.stages[i];
        let Some(previous) = self.current_record(i) else {
            return vec![StaleReason::NeverRan];
        };
        for input in stage.inputs.iter().filter(|input| upstream.contains(&input.from)) {
            manifest.adopt(&previous.manifest, &input.name());
        }
        let mut reasons = self.reasons(i, &previous, &manifest);
        let folder = self.folder(&stage.name);
        reasons.extend(self.lost_blobs(&previous));
        reasons.extend(self.lost_files(&previous, &folder));
        reasons
    }

    /// Decides, and refuses what the lock file does not name.
    fn check_locked(&self, i: usize, manifest: Manifest) -> anyhow::Result<Decision> {
        let name = &self.plan.stages[i].name;
        let locked = self.plan.locked_to.as_ref().map(|lock| lock.stage(name)).transpose()?;
        if let Some(message) =
            locked.and_then(|locked| locked.check_key(&manifest, &|key| self.reasons_since(i, key, &manifest)))
        {
            anyhow::bail!(message);
        }
        let decision = self.judge(i, manifest);
        let known = decision.record().zip(locked);
        match known.and_then(|(record, locked)| locked.check_outputs(record, "the result in the store")) {
            Some(message) => Err(anyhow::anyhow!(message)),
            None => Ok(decision),
        }
    }

    fn judge(&self, i: usize, manifest: Manifest) -> Decision {
        let stage = &self.plan.stages[i];
        let key = manifest.key();
        let current = self.store.current(&self.plan.spec.name, &stage.name);
        let record = self.record(i, key);
        let mut reasons = if current == Some(key) { Vec::new() } else { self.differences(i, current, &manifest) };
        let Some(record) = record else {
            if reasons.is_empty() {
                reasons.push(StaleReason::NeverRan);
            }
            return Decision::Run { manifest, reasons };
        };
        let lost = self.lost_blobs(&record);
        if !lost.is_empty() {
            return Decision::Run { manifest, reasons: lost };
        }
        if current == Some(key) {
            reasons.extend(self.lost_files(&record, &self.folder(&stage.name)));
        }
        let record = Arc::new(record);
        if reasons.is_empty() { Decision::Fresh { record } } else { Decision::Restore { record, reasons } }
    }

    /// What the store knows under that key, if it is a result of stage `i`.
    pub(super) fn record(&self, i: usize, key: Digest) -> Option<ActionRecord> {
        load_record(self.store, key).filter(|record| record.lacking(&self.plan.stages[i].outputs).is_none())
    }

    fn lost_blobs(&self, record: &ActionRecord) -> Vec<StaleReason> {
        let lost = lost(record, &|file| self.store.has(file.digest));
        lost.into_iter().map(|file| StaleReason::BlobLost { file }).collect()
    }

    fn lost_files(&self, record: &ActionRecord, folder: &Path) -> Vec<StaleReason> {
        let lost = lost(record, &|file| self.store.is_materialised(file.digest, &folder.join(&file.name)));
        lost.into_iter().map(|file| StaleReason::FileLost { file }).collect()
    }

    /// The record of what lies in the stage's folder.
    pub fn current_record(&self, stage: usize) -> Option<ActionRecord> {
        let key = self.store.current(&self.plan.spec.name, &self.plan.stages[stage].name)?;
        load_record(self.store, key)
    }

    /// Where a stage's results lie for people.
    pub fn folder(&self, stage: &str) -> std::path::PathBuf {
        self.artifacts.join(&self.plan.spec.name).join(stage)
    }

    /// The one walk over everything that the result depends on. See the table at the head of `engine`.
    fn manifest(
        &self,
        i: usize,
        known: &Known,
        externals: &[Box<dyn External>],
        external_digests: &[String],
    ) -> anyhow::Result<Manifest> {
        let planned = &self.plan.stages[i];
        let (stage, kind) = (&planned.stage, planned.stage.kind());
        let mut manifest = Manifest::default();
        manifest.add(Entry::Engine, ENGINE_VERSION);
        manifest.add(Entry::Kind, kind.name);
        manifest.add(Entry::Version, kind.version);
        manifest.add(Entry::Device, self.device);
        if kind.seeded {
            manifest.add(Entry::Seed, planned.seed);
        }
        let sources = planned.sources();
        let by_content: Vec<&str> = (sources.iter().map(|source| source.at.as_str()))
            .chain(externals.iter().map(|external| external.at()))
            .collect();
        manifest.add_parameters(&stage.params(), &|path| by_content.contains(&path));
        for source in &sources {
            let digest = self.store.stats().digest(&source.path).map_err(|error| {
                self.at(i, &source.at, anyhow::anyhow!("cannot read '{}': {error}", source.path.display()))
            })?;
            manifest.add(Entry::Source(source.at.clone()), digest);
        }
        if let Some(lineage) = &planned.lineage {
            manifest.add(Entry::Lineage, Digest::of(lineage.pipeline.as_bytes()));
            for path in &lineage.needed {
                manifest.add(Entry::Needed(path.display().to_string()), "");
            }
        }
        for (external, digest) in externals.iter().zip(external_digests) {
            manifest.add(Entry::External(external.at().to_owned()), digest);
        }
        for input in &planned.inputs {
            let name = input.name();
            // What the plan says of a whole stage is known before any of its outputs.
            if input.output.is_none() {
                let view = serde_json::to_string(&self.view(input.from))?;
                manifest.add(Entry::Input(name.clone(), InputEntry::Stage), view);
            }
            let Some(record) = &known[input.from] else { continue };
            match &input.output {
                Some(port) => {
                    let output = record.output(port).ok_or_else(|| {
                        anyhow::anyhow!("stage '{}' has no output '{port}'", self.plan.stages[input.from].name)
                    })?;
                    add_output(&mut manifest, name, output, planned.reads(input.port));
                }
                None => {
                    let warnings = &record.provenance.warnings;
                    if !warnings.is_empty() {
                        let warnings = serde_json::to_string(warnings)?;
                        manifest.add(Entry::Input(name.clone(), InputEntry::Warnings), warnings);
                    }
                    for output in &record.outputs {
                        let entry = Entry::Input(name.clone(), InputEntry::output(&output.port));
                        manifest.add(entry, output.digest());
                    }
                }
            }
        }
        Ok(manifest)
    }

    /// What a report is told of a stage besides its outputs: name, kind, parameters, references.
    pub(crate) fn view(&self, i: usize) -> StageView {
        let planned = &self.plan.stages[i];
        let inputs = planned.inputs.iter().map(|input| ViewedInput {
            port: input.port.to_owned(),
            stage: self.plan.stages[input.from].name.clone(),
            output: input.output.clone(),
            label: input.label.clone(),
        });
        StageView {
            stage: planned.name.clone(),
            kind: planned.stage.kind().name.to_owned(),
            version: planned.stage.kind().version,
            params: planned.stage.params(),
            inputs: inputs.collect(),
        }
    }

    /// A stage of the plan with a result of it, for those who look at results without running anything.
    pub fn whole_stage<'r>(&'r self, i: usize, record: &'r ActionRecord) -> WholeStage<'r> {
        WholeStage::new(self.store, &self.plan.stages[i].name, self.view(i), record)
    }

    fn differences(&self, i: usize, current: Option<Digest>, manifest: &Manifest) -> Vec<StaleReason> {
        current.and_then(|key| self.reasons_since(i, key, manifest)).unwrap_or_else(|| vec![StaleReason::NeverRan])
    }

    /// What differs from a result of that key; `None` where it is no longer in the store.
    pub(super) fn reasons_since(&self, i: usize, key: Digest, manifest: &Manifest) -> Option<Vec<StaleReason>> {
        Some(self.reasons(i, &load_record(self.store, key)?, manifest))
    }

    fn reasons(&self, i: usize, previous: &ActionRecord, manifest: &Manifest) -> Vec<StaleReason> {
        let changes = manifest.changes_since(&previous.manifest);
        changes
            .into_iter()
            .map(|change| {
                let at = match &change.entry {
                    Entry::Seed => self.seed_position(i),
                    entry => entry.parameter().and_then(|path| self.position(i, path)),
                };
                let input = self.plan.stages[i].inputs.iter().find(|input| change.entry.input() == Some(&input.name()));
                let from = input.map(|input| self.plan.stages[input.from].name.clone());
                StaleReason::changed(change, from, at)
            })
            .collect()
    }

    /// `full.yaml:42:11` of a parameter, where the user wrote it.
    pub fn position(&self, i: usize, path: &str) -> Option<String> {
        self.plan.spec.position_of(&self.plan.stages[i].name, &steps(path.split('.')))
    }

    /// The error with the place of the parameter that led to it.
    fn at(&self, i: usize, path: &str, error: anyhow::Error) -> anyhow::Error {
        match self.position(i, path) {
            Some(at) => error.context(at),
            None => error,
        }
    }

    fn seed_position(&self, i: usize) -> Option<String> {
        let spec = &self.plan.spec;
        let own = spec.stages[i].body.entry(SEED).is_some();
        let file = spec.stages[i].seed.map(|(_, span)| span).or(spec.seed_span);
        if own { self.position(i, SEED) } else { file.map(|span| spec.location(span)) }
    }

    fn external_name(&self, stage: &PlannedStage, external: &dyn External) -> String {
        let params = stage.stage.params();
        let pointer = format!("/{}", external.at().replace('.', "/"));
        params.pointer(&pointer).and_then(|value| value.as_str()).unwrap_or(external.at()).to_owned()
    }
}

fn add_output(manifest: &mut Manifest, name: InputName, output: &OutputRecord, reads: &Reads) {
    let Some(table) = &output.table else {
        return manifest.add(Entry::Input(name, InputEntry::Whole), output.digest());
    };
    let mut add = |what: InputEntry, value: String| manifest.add(Entry::Input(name.clone(), what), value);
    if matches!(reads, Reads::All | Reads::ColumnsAndMetadata(_)) {
        add(InputEntry::Metadata, table.metadata.to_string());
    }
    match reads {
        Reads::All => {
            for (column, digest) in &table.columns {
                add(InputEntry::Column(column.clone()), digest.to_string());
            }
        }
        Reads::Columns(names) | Reads::ColumnsAndMetadata(names) => {
            add(InputEntry::Rows, table.rows.to_string());
            for column in names {
                let digest = table.columns.iter().find(|(present, _)| present == column);
                let value = digest.map_or("absent".to_owned(), |(_, digest)| digest.to_string());
                add(InputEntry::Column(column.clone()), value);
            }
        }
    }
}

/// The names of files of which `is_there` does not hold. Those of large tables are looked at side by side, since they may have to be read.
fn lost(record: &ActionRecord, is_there: &(dyn Fn(&FileRecord) -> bool + Sync)) -> Vec<String> {
    const LARGE: u64 = 16 << 20;
    let files: Vec<&FileRecord> = record.files().collect();
    let lost: Vec<&&FileRecord> = match files.iter().map(|file| file.bytes).sum::<u64>() > LARGE {
        true => files.par_iter().filter(|file| !is_there(file)).collect(),
        false => files.iter().filter(|file| !is_there(file)).collect(),
    };
    lost.into_iter().map(|file| file.name.clone()).collect()
}

pub(super) fn load_record(store: &Store, key: Digest) -> Option<ActionRecord> {
    ActionRecord::load(store, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckContext, InputPort, Kind, KindInfo, OutputPort, Registry, Stage, StageContext};

    #[derive(Serialize, serde::Deserialize, schemars::JsonSchema)]
    struct Nothing {}

    impl Stage for Nothing {
        const KIND: &'static str = "nothing";
        const VERSION: u32 = 7;
        const SUMMARY: &'static str = "nothing";
        const INPUTS: &'static [InputPort] = &[];

        fn outputs(&self) -> Vec<OutputPort> {
            Vec::new()
        }

        fn check(&self, _context: &mut CheckContext) {}

        fn run(&self, _context: &mut StageContext) -> anyhow::Result<()> {
            Ok(())
        }
    }

    static KINDS: &[KindInfo] = &[Nothing::INFO];

    #[test]
    fn the_engines_version_the_kind_and_its_version_are_in_every_key() {
        let spec = runner_spec::parse("toy.yaml", "stages: {a: {kind: nothing}}", &[]).unwrap();
        let plan = Plan::new(spec, Registry(KINDS)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let workspace = Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
        let manifest = workspace.decide(0, &[None]).unwrap().manifest().cloned().unwrap();
        let entries = ["engine", "kind", "version", "device", "seed"].map(Entry::parse).into_iter();
        let entries: Vec<(Entry, String)> = entries.zip(["1", "nothing", "7", "cpu", "0"].map(String::from)).collect();
        assert_eq!(manifest.entries()[..5], entries, "a new engine version: say in CHANGELOG.md why results change");
    }
}
