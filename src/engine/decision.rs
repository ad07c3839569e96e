//! Whether a stage is fresh, can be restored, or must run - and why. `plan`, `explain` and `run` all ask here.
//!
//! Read-only: deciding never changes the store (but for its stat cache, a shortcut).

use std::path::Path;

use serde::Serialize;

use super::check::steps;
use super::manifest::Manifest;
use super::plan::{Plan, PlannedStage};
use super::reason::StaleReason;
use super::record::{ActionRecord, OutputRecord};
use super::stage::{External, Reads};
use crate::artifact::{Digest, Store};

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
    pub record: Option<ActionRecord>,
}

/// What a decision rests on besides the plan.
pub struct Ground<'a> {
    pub plan: &'a Plan,
    pub store: &'a Store,
    /// The folder that holds `.store` and the folders for people.
    pub artifacts: &'a Path,
    pub device: &'a str,
}

impl Ground<'_> {
    /// Decides on one stage. `known[i]` is the record of stage `i` where it is up to date.
    pub fn decide(&self, i: usize, known: &[Option<ActionRecord>]) -> anyhow::Result<Decision> {
        let stage = &self.plan.stages[i];
        let mut blocked: Vec<StaleReason> = (self.plan.dependencies(i).into_iter())
            .filter(|&from| known[from].is_none())
            .map(|from| StaleReason::Upstream { stage: self.plan.stages[from].name.clone() })
            .collect();
        let externals = stage.stage.externals();
        let mut digests = Vec::with_capacity(externals.len());
        for external in &externals {
            match external.digest()? {
                Some(digest) => digests.push(digest),
                None => blocked.push(StaleReason::NotFetched { what: self.external_name(stage, external.as_ref()) }),
            }
        }
        if !blocked.is_empty() {
            return Ok(Decision { status: Status::Run, reasons: blocked, manifest: None, record: None });
        }
        let manifest = self.manifest(i, known, &externals, &digests)?;
        let locked = self.plan.held_to.as_ref().map(|lock| lock.stage(&stage.name)).transpose()?;
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
        let lost: Vec<StaleReason> = (record.files())
            .filter(|file| !self.store.has(file.digest))
            .map(|file| StaleReason::BlobLost { file: file.name.clone() })
            .collect();
        if !lost.is_empty() {
            return Decision { status: Status::Run, reasons: lost, manifest: Some(manifest), record: None };
        }
        let folder = self.folder(&stage.name);
        reasons.extend(
            (record.files())
                .filter(|_| current == Some(key))
                .filter(|file| !self.store.is_materialised(file.digest, &folder.join(&file.name)))
                .map(|file| StaleReason::FileLost { file: file.name.clone() }),
        );
        let status = if reasons.is_empty() { Status::Fresh } else { Status::Restore };
        Decision { status, reasons, manifest: Some(manifest), record: Some(record) }
    }

    /// Where a stage's results lie for people.
    pub fn folder(&self, stage: &str) -> std::path::PathBuf {
        self.artifacts.join(&self.plan.spec.name).join(stage)
    }

    /// The one walk over everything that the result depends on. See the table at the head of `engine`.
    fn manifest(
        &self,
        i: usize,
        known: &[Option<ActionRecord>],
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
            manifest.add("seed", self.plan.spec.seed);
        }
        let sources = stage.sources();
        let by_content: Vec<String> = (sources.iter().map(|source| source.at.as_str()))
            .chain(externals.iter().map(|external| external.at()))
            .map(|at| format!("params.{at}"))
            .collect();
        manifest.add_json("params", &stage.params(), &|path| by_content.iter().any(|name| name == path));
        for source in &sources {
            let digest = self.store.stats().digest(&source.path).map_err(|error| {
                let at = self.position(i, &source.at).map(|at| format!("{at}: ")).unwrap_or_default();
                anyhow::anyhow!("{at}cannot read '{}': {error}", source.path.display())
            })?;
            manifest.add(format!("source.{}", source.at), digest);
        }
        for (external, digest) in externals.iter().zip(external_digests) {
            manifest.add(format!("external.{}", external.at()), digest);
        }
        for input in &planned.inputs {
            let name = match &input.label {
                Some(label) => format!("input.{}.{label}.{}", input.port, input.item),
                None => format!("input.{}.{}", input.port, input.item),
            };
            let Some(record) = &known[input.from] else { continue };
            match &input.output {
                Some(port) => {
                    let output = record.output(port).ok_or_else(|| {
                        anyhow::anyhow!("stage '{}' has no output '{port}'", self.plan.stages[input.from].name)
                    })?;
                    add_output(&mut manifest, &name, output, &stage.reads(input.port));
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
        let changes = manifest.changes_since(&previous.manifest);
        changes
            .into_iter()
            .map(|change| {
                let path =
                    ["params.", "source.", "external."].iter().find_map(|prefix| change.name.strip_prefix(prefix));
                let at = path.and_then(|path| self.position(i, path));
                StaleReason::changed(change, at)
            })
            .collect()
    }

    /// `full.yaml:42:11` of a parameter, where the user wrote it.
    fn position(&self, i: usize, path: &str) -> Option<String> {
        self.plan.spec.position_of(&self.plan.stages[i].name, &steps(path.split('.')))
    }

    fn external_name(&self, stage: &PlannedStage, external: &dyn External) -> String {
        let params = stage.stage.params();
        let pointer = format!("/{}", external.at().replace('.', "/"));
        params.pointer(&pointer).and_then(|value| value.as_str()).unwrap_or(external.at()).to_owned()
    }
}

fn add_output(manifest: &mut Manifest, name: &str, output: &OutputRecord, reads: &Reads) {
    match (&output.table, reads) {
        (Some(table), Reads::Columns(names)) => {
            manifest.add(format!("{name}.rows"), table.rows);
            for column in names {
                let digest = table.columns.iter().find(|(present, _)| present == column);
                let value = digest.map_or("absent".to_owned(), |(_, digest)| digest.to_string());
                manifest.add(format!("{name}.columns.{column}"), value);
            }
        }
        (Some(table), Reads::All) => {
            manifest.add(format!("{name}.metadata"), table.metadata);
            for (column, digest) in &table.columns {
                manifest.add(format!("{name}.columns.{column}"), digest);
            }
        }
        (None, _) => manifest.add(name, output.digest()),
    }
}

pub(super) fn load_record(store: &Store, key: Digest) -> Option<ActionRecord> {
    ActionRecord::load(store, key)
}
