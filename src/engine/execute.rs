//! Carries out the decision on one stage: leave it, restore it, or run it and commit the result.
//!
//! A commit is blobs first, then the record, then the files for people, then the pointer that says what they are.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use anyhow::anyhow;

use super::context::{BoundInput, Reporter, StageContext};
use super::decision::{Decision, Ground, Status, load_record};
use super::event::{Event, Outcome, Sink};
use super::gauge;
use super::record::{ActionRecord, Provenance};
use super::repair::{ATTEMPTS, damage_in};
use super::stage::Report;
use crate::artifact::{BlobState, Digest};

/// What the scheduler hands to one execution.
pub(super) struct Execution<'a> {
    pub ground: &'a Ground<'a>,
    pub stage: usize,
    pub threads: usize,
    pub force: bool,
    pub sink: Sink<'a>,
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Execution<'_> {
    /// Brings the stage up to date. `known` holds the records of all that it depends on.
    pub fn bring_up_to_date(
        &self,
        decision: Decision,
        known: &[Option<ActionRecord>],
    ) -> anyhow::Result<(Outcome, ActionRecord)> {
        let mut result = self.attempt(decision, known);
        for _ in 0..ATTEMPTS {
            let Some(damaged) = result.as_ref().err().and_then(damage_in) else { break };
            let Some(repaired) = self.repair(damaged, known)? else { break };
            result = self.attempt(self.ground.decide(self.stage, &repaired)?, &repaired);
        }
        result
    }

    fn attempt(&self, decision: Decision, known: &[Option<ActionRecord>]) -> anyhow::Result<(Outcome, ActionRecord)> {
        let decision = if decision.manifest.is_none() {
            self.fetch_externals()?;
            self.ground.decide(self.stage, known)?
        } else {
            decision
        };
        let manifest = decision.manifest.clone().ok_or_else(|| anyhow!("its inputs are not known yet"))?;
        let key = manifest.key();
        match (decision.status, decision.record) {
            (Status::Fresh, Some(record)) if !self.force => return Ok((Outcome::Fresh, record)),
            (Status::Restore, Some(record)) if !self.force => {
                self.place(key, &record)?;
                return Ok((Outcome::Restored, record));
            }
            _ => {}
        }
        let _lock = self.ground.store.lock(key)?;
        // Another runner may have computed it while this one waited for the lock.
        if let Some(record) = self.computed_meanwhile(key) {
            self.place(key, &record)?;
            return Ok((Outcome::Restored, record));
        }
        self.say_what_was_damaged(key);
        let reasons = decision.reasons.iter().map(ToString::to_string).collect();
        (self.sink)(Event::Started { stage: self.name().to_owned(), reasons });
        let record = self.run(manifest, known)?;
        if let Some(lock) = &self.ground.plan.held_to
            && let Some(message) = lock.stage(self.name())?.check_outputs(&record, "this execution")
        {
            return Err(anyhow!(message));
        }
        self.ground.store.put_record(key, &serde_json::to_vec(&record)?)?;
        self.place(key, &record)?;
        Ok((Outcome::Ran, record))
    }

    /// A result that was known and is not whole any more is computed anew, but not silently.
    fn say_what_was_damaged(&self, key: Digest) {
        let store = self.ground.store;
        let say = |what: String| {
            let message = format!("{what}; computed anew");
            (self.sink)(Event::Warned { stage: self.name().to_owned(), message });
        };
        match load_record(store, key) {
            Some(record) => record.files().for_each(|file| match store.state(file.digest) {
                BlobState::Sound => {}
                BlobState::Damaged => say(format!("{} in the store was damaged", file.name)),
                BlobState::Missing => say(format!("{} was missing in the store", file.name)),
            }),
            None if store.has_record(key) => say("its record in the store was damaged".to_owned()),
            None => {}
        }
    }

    fn name(&self) -> &str {
        &self.ground.plan.stages[self.stage].name
    }

    fn reporter(&self) -> Reporter<'_> {
        Reporter { stage: self.name(), sink: self.sink, cancelled: self.cancelled, warnings: Mutex::default() }
    }

    fn fetch_externals(&self) -> anyhow::Result<()> {
        let reporter = self.reporter();
        for external in self.ground.plan.stages[self.stage].stage.externals() {
            if external.digest()?.is_none() {
                external.fetch(&reporter)?;
            }
        }
        Ok(())
    }

    fn computed_meanwhile(&self, key: Digest) -> Option<ActionRecord> {
        if self.force {
            return None;
        }
        let record = load_record(self.ground.store, key)?;
        let whole = record.files().all(|file| self.ground.store.has(file.digest));
        whole.then_some(record)
    }

    /// Executes the stage; nothing is committed but blobs.
    pub fn run(
        &self,
        manifest: super::manifest::Manifest,
        known: &[Option<ActionRecord>],
    ) -> anyhow::Result<ActionRecord> {
        let plan = self.ground.plan;
        let planned = &plan.stages[self.stage];
        let inputs = (planned.inputs.iter())
            .filter_map(|input| {
                Some(BoundInput {
                    port: input.port,
                    label: input.label.as_deref(),
                    record: known[input.from].as_ref()?,
                    output: input.output.as_deref(),
                    stage: &plan.stages[input.from].name,
                    view: self.ground.view(input.from),
                })
            })
            .collect();
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
        let clock = Instant::now();
        let gauge = gauge::Gauge::start();
        let mut context = StageContext {
            planned,
            spec: &plan.spec,
            store: self.ground.store,
            inputs,
            seed: plan.spec.seed,
            threads: self.threads,
            inputs_key: manifest.key_without("params."),
            memos: !self.force,
            reporter: self.reporter(),
            outputs: Vec::new(),
            measurements: Mutex::new(BTreeMap::new()),
            headline: String::new(),
        };
        catch_unwind(AssertUnwindSafe(|| planned.stage.run(&mut context)))
            .unwrap_or_else(|panic| Err(anyhow!("internal error, please report it: {}", panic_message(&panic))))?;
        if context.reporter.cancelled() {
            anyhow::bail!("interrupted");
        }
        self.sources_are_unchanged(&manifest)?;
        let warnings = context.reporter.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let measurements = context.measurements.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let headline = std::mem::take(&mut context.headline);
        let outputs = context.into_outputs()?;
        let provenance = Provenance {
            runner: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            seconds: clock.elapsed().as_secs_f64(),
            threads: self.threads,
            peak_memory: gauge.peak(),
            host: gauge::machine().host.clone(),
            cpu: gauge::machine().cpu.clone(),
            measurements,
            warnings,
            headline,
        };
        Ok(ActionRecord { kind: planned.stage.kind().name.to_owned(), manifest, outputs, provenance })
    }

    /// A source that was saved while the stage ran may have been read before or after: the result would be kept under the wrong key.
    fn sources_are_unchanged(&self, manifest: &super::manifest::Manifest) -> anyhow::Result<()> {
        for source in self.ground.plan.stages[self.stage].stage.sources() {
            let entry = format!("source.{}", source.at);
            let counted = manifest.entries().iter().find(|(name, _)| *name == entry).map(|(_, value)| value);
            let found = self.ground.store.stats().digest(&source.path).ok().map(|digest| digest.to_string());
            if counted != found.as_ref() {
                anyhow::bail!(
                    "'{}' changed while the stage ran: its result was not kept, run again",
                    source.path.display()
                );
            }
        }
        Ok(())
    }

    /// Puts the result where people look for it, and takes away files of the previous result that are no longer made.
    fn place(&self, key: Digest, record: &ActionRecord) -> anyhow::Result<()> {
        let store = self.ground.store;
        let (pipeline, stage) = (&self.ground.plan.spec.name, self.name());
        let folder = self.ground.folder(stage);
        let _lock = store.lock_folder(pipeline, stage)?;
        let mut previous: Vec<ActionRecord> = Vec::new();
        for key in store.placed(pipeline, stage)? {
            previous.extend(store.read_record(key)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()));
        }
        let settled = store.current(pipeline, stage) == Some(key);
        if !settled {
            store.begin_placing(pipeline, stage, key)?;
        }
        for file in record.files() {
            let target = folder.join(&file.name);
            if !store.is_materialised(file.digest, &target) {
                store.materialise(file.digest, &target)?;
            }
        }
        for old in previous.iter().flat_map(ActionRecord::files) {
            let target = folder.join(&old.name);
            // Only what runner put there, and nobody changed since, is taken away.
            let made = record.files().any(|file| file.name == old.name);
            if !made && store.is_materialised(old.digest, &target) {
                store.remove_materialised(&target)?;
            }
        }
        if !settled {
            store.set_current(pipeline, stage, key)?;
        }
        Ok(())
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a stage panicked")
}
