//! Whether a stage is fresh, can be restored, or must run - and why. `plan`, `explain` and `run` all ask here.
//!
//! Read-only: deciding never changes the store (but for its stat cache, a shortcut).

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::entry::Entry;
use super::manifest::Manifest;
use super::reason::StaleReason;
use super::record::{ActionRecord, FileRecord};
use super::workspace::{Known, Workspace, load_record};
use runner_artifact::Digest;

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

    fn lost_blobs(&self, record: &ActionRecord) -> Vec<StaleReason> {
        let lost = lost(record, &|file| self.store.has(file.digest));
        lost.into_iter().map(|file| StaleReason::BlobLost { file }).collect()
    }

    fn lost_files(&self, record: &ActionRecord, folder: &Path) -> Vec<StaleReason> {
        let lost = lost(record, &|file| self.store.is_materialised(file.digest, &folder.join(&file.name)));
        lost.into_iter().map(|file| StaleReason::FileLost { file }).collect()
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
                    Entry::Aim(key) => self.plan.spec.aims.get(key).map(|node| self.plan.spec.location(node.span)),
                    entry => entry.parameter().and_then(|path| self.position(i, path)),
                };
                let input = self.plan.stages[i].inputs.iter().find(|input| change.entry.input() == Some(&input.name()));
                let from = input.map(|input| self.plan.stages[input.from].name.clone());
                StaleReason::changed(change, from, at)
            })
            .collect()
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
