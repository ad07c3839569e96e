//! Whether a stage is fresh, can be restored, or must run - and why. `plan`, `explain` and `run` all ask here.
//!
//! Read-only: deciding never changes the store (but for its stat cache, a shortcut).

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::check::steps;
use super::manifest::Manifest;
use super::plan::{Plan, PlannedStage, SEED};
use super::reason::StaleReason;
use super::record::{ActionRecord, FileRecord, OutputRecord};
use super::stage::{External, Reads};
use runner_artifact::{Digest, Store};

/// Changes of this engine that alter results bump it.
const ENGINE_VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Fresh,
    Restore,
    Run,
}

#[derive(Clone, Debug)]
pub struct Decision {
    pub status: Status,
    pub reasons: Vec<StaleReason>,
    /// Known unless something upstream has to run first.
    pub manifest: Option<Manifest>,
    /// What the store knows under that manifest's key.
    pub record: Option<Arc<ActionRecord>>,
}

/// The records of stages that are up to date, by the stage's index in the plan. Shared: many stages may read from one.
pub type Known = [Option<Arc<ActionRecord>>];

/// What a decision rests on besides the plan.
pub struct Workspace<'a> {
    pub plan: &'a Plan,
    pub store: &'a Store,
    /// The folder that holds `.store` and the folders for people.
    pub artifacts: &'a Path,
    pub device: &'a str,
}

impl Workspace<'_> {
    /// Decides on one stage. `known[i]` is the record of stage `i` where it is up to date.
    pub fn decide(&self, i: usize, known: &Known) -> anyhow::Result<Decision> {
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
        Ok(Decision { status: Status::Run, reasons: blocked, manifest: None, record: None })
    }

    /// Why a stage would not stay fresh even if the stages that have to run before it gave what they gave before.
    fn own_reasons(&self, i: usize, mut manifest: Manifest, upstream: &[usize]) -> Vec<StaleReason> {
        let stage = &self.plan.stages[i];
        let current = self.store.current(&self.plan.spec.name, &stage.name);
        let Some(previous) = current.and_then(|key| load_record(self.store, key)) else {
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
        if let Some(message) = locked.and_then(|locked| locked.check_key(self, i, &manifest)) {
            anyhow::bail!(message);
        }
        let decision = self.judge(i, manifest);
        let known = decision.record.as_ref().zip(locked);
        match known.and_then(|(record, locked)| locked.check_outputs(record, "the result in the store")) {
            Some(message) => Err(anyhow::anyhow!(message)),
            None => Ok(decision),
        }
    }

    fn judge(&self, i: usize, manifest: Manifest) -> Decision {
        let stage = &self.plan.stages[i];
        let key = manifest.key();
        let current = self.store.current(&self.plan.spec.name, &stage.name);
        let record = load_record(self.store, key);
        let mut reasons = if current == Some(key) { Vec::new() } else { self.differences(i, current, &manifest) };
        let Some(record) = record else {
            if reasons.is_empty() {
                reasons.push(StaleReason::NeverRan);
            }
            return Decision { status: Status::Run, reasons, manifest: Some(manifest), record: None };
        };
        let lost = self.lost_blobs(&record);
        if !lost.is_empty() {
            return Decision { status: Status::Run, reasons: lost, manifest: Some(manifest), record: None };
        }
        if current == Some(key) {
            reasons.extend(self.lost_files(&record, &self.folder(&stage.name)));
        }
        let status = if reasons.is_empty() { Status::Fresh } else { Status::Restore };
        Decision { status, reasons, manifest: Some(manifest), record: Some(Arc::new(record)) }
    }

    fn lost_blobs(&self, record: &ActionRecord) -> Vec<StaleReason> {
        let lost = lost(record, &|file| self.store.has(file.digest));
        lost.into_iter().map(|file| StaleReason::BlobLost { file }).collect()
    }

    fn lost_files(&self, record: &ActionRecord, folder: &Path) -> Vec<StaleReason> {
        let lost = lost(record, &|file| self.store.is_materialised(file.digest, &folder.join(&file.name)));
        lost.into_iter().map(|file| StaleReason::FileLost { file }).collect()
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
        manifest.add("engine", ENGINE_VERSION);
        manifest.add("kind", kind.name);
        manifest.add("version", kind.version);
        manifest.add("device", self.device);
        if kind.seeded {
            manifest.add(SEED, planned.seed);
        }
        let sources = planned.sources();
        let by_content: Vec<String> = (sources.iter().map(|source| source.at.as_str()))
            .chain(externals.iter().map(|external| external.at()))
            .map(|at| format!("params.{at}"))
            .collect();
        manifest.add_json("params", &stage.params(), &|path| by_content.iter().any(|name| name == path));
        for source in &sources {
            let digest = self.store.stats().digest(&source.path).map_err(|error| {
                self.at(i, &source.at, anyhow::anyhow!("cannot read '{}': {error}", source.path.display()))
            })?;
            manifest.add(format!("source.{}", source.at), digest);
        }
        if let Some(lineage) = &planned.lineage {
            manifest.add("lineage", Digest::of(lineage.pipeline.as_bytes()));
            for path in &lineage.needed {
                manifest.add(format!("lineage.needs.{}", path.display()), "");
            }
        }
        for (external, digest) in externals.iter().zip(external_digests) {
            manifest.add(format!("external.{}", external.at()), digest);
        }
        for input in &planned.inputs {
            let name = input.name();
            let Some(record) = &known[input.from] else { continue };
            match &input.output {
                Some(port) => {
                    let output = record.output(port).ok_or_else(|| {
                        anyhow::anyhow!("stage '{}' has no output '{port}'", self.plan.stages[input.from].name)
                    })?;
                    add_output(&mut manifest, &name, output, planned.reads(input.port));
                }
                None => {
                    manifest.add(format!("{name}.stage"), self.view(input.from));
                    for output in &record.outputs {
                        manifest.add(format!("{name}.{}", output.port), output.digest());
                    }
                }
            }
        }
        Ok(manifest)
    }

    /// What a report is told of a stage besides its outputs: name, kind, parameters (without paths), references.
    pub fn view(&self, i: usize) -> serde_json::Value {
        let planned = &self.plan.stages[i];
        let inputs: Vec<serde_json::Value> = (planned.inputs.iter())
            .map(|input| {
                let from = &self.plan.stages[input.from].name;
                let mut view = serde_json::json!({"port": input.port, "stage": from, "output": input.output});
                if let Some(label) = &input.label {
                    view["label"] = serde_json::json!(label);
                }
                view
            })
            .collect();
        let kind = planned.stage.kind().name;
        serde_json::json!({"stage": planned.name, "kind": kind, "params": planned.stage.params(), "inputs": inputs})
    }

    pub(super) fn differences(&self, i: usize, current: Option<Digest>, manifest: &Manifest) -> Vec<StaleReason> {
        let Some(previous) = current.and_then(|key| load_record(self.store, key)) else {
            return vec![StaleReason::NeverRan];
        };
        self.reasons(i, &previous, manifest)
    }

    fn reasons(&self, i: usize, previous: &ActionRecord, manifest: &Manifest) -> Vec<StaleReason> {
        let changes = manifest.changes_since(&previous.manifest);
        changes
            .into_iter()
            .map(|change| {
                let path =
                    ["params.", "source.", "external."].iter().find_map(|prefix| change.name.strip_prefix(prefix));
                let at = match change.name.as_str() {
                    SEED => self.seed_position(i),
                    _ => path.and_then(|path| self.position(i, path)),
                };
                StaleReason::changed(change, at)
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

fn add_output(manifest: &mut Manifest, name: &str, output: &OutputRecord, reads: &Reads) {
    let Some(table) = &output.table else {
        manifest.add(name, output.digest());
        return;
    };
    if matches!(reads, Reads::All | Reads::ColumnsAndMetadata(_)) {
        manifest.add(format!("{name}.metadata"), table.metadata);
    }
    match reads {
        Reads::All => {
            for (column, digest) in &table.columns {
                manifest.add(format!("{name}.columns.{column}"), digest);
            }
        }
        Reads::Columns(names) | Reads::ColumnsAndMetadata(names) => {
            manifest.add(format!("{name}.rows"), table.rows);
            for column in names {
                let digest = table.columns.iter().find(|(present, _)| present == column);
                let value = digest.map_or("absent".to_owned(), |(_, digest)| digest.to_string());
                manifest.add(format!("{name}.columns.{column}"), value);
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
        let manifest = workspace.decide(0, &[None]).unwrap().manifest.unwrap();
        let entries = [("engine", "1"), ("kind", "nothing"), ("version", "7"), ("device", "cpu"), ("seed", "0")];
        let entries = entries.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(manifest.entries()[..5], entries, "a new engine version: say in CHANGELOG.md why results change");
    }
}
