//! Carries out the decision on one stage: leave it, restore it, or run it and commit the result.
//!
//! A commit is blobs first, then the record, then the files for people, then the pointer that says what they are.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use anyhow::anyhow;

use super::context::{Reporter, StageContext};
use super::decision::{Decision, Ground, Known, Status, load_record};
use super::event::{Event, Outcome, Sink};
use super::input::BoundInput;
use super::manifest::Manifest;
use super::reason::StaleReason;
use super::record::{ActionRecord, Provenance};
use super::repair::{ATTEMPTS, damage_in};
use super::run::LOCK_INTERVAL;
use super::stage::Report;
use super::{gauge, machine};
use crate::artifact::{ActionLock, BlobState, Digest};

/// How an execution ended well.
pub(super) type Settled = (Outcome, Arc<ActionRecord>);

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
    /// Fetches what has to be fetched before the stage can be decided on.
    pub fn fetch(&self) -> anyhow::Result<()> {
        let reporter = self.reporter();
        for external in self.ground.plan.stages[self.stage].stage.externals() {
            if external.digest()?.is_none() {
                external.fetch(&reporter)?;
            }
        }
        Ok(())
    }

    /// Puts a known result in its place.
    pub fn restore(&self, record: Arc<ActionRecord>) -> anyhow::Result<Settled> {
        self.place(record.manifest.key(), &record)?;
        Ok((Outcome::Restored, record))
    }

    /// Runs the stage and commits its result. `lock` is the action's; `inputs` holds the record behind each input of the plan.
    pub fn compute(
        &self,
        manifest: Manifest,
        reasons: &[StaleReason],
        inputs: &[Arc<ActionRecord>],
        lock: ActionLock,
    ) -> anyhow::Result<Settled> {
        self.mended(self.compute_once(manifest, reasons, inputs, lock), inputs)
    }

    /// Decides on the stage and does what there is to do, waiting for another runner if need be. `known` holds the records of all that it
    /// depends on.
    pub fn bring_up_to_date(&self, known: &Known) -> anyhow::Result<Settled> {
        self.mended(self.attempt(known), &self.inputs(known))
    }

    /// The result, or that of further attempts after damaged inputs were made again.
    fn mended(&self, mut result: anyhow::Result<Settled>, inputs: &[Arc<ActionRecord>]) -> anyhow::Result<Settled> {
        for _ in 0..ATTEMPTS {
            let Some(damaged) = result.as_ref().err().and_then(damage_in) else { break };
            let Some(repaired) = self.repair(damaged, inputs)? else { break };
            result = self.attempt(&repaired);
        }
        result
    }

    fn attempt(&self, known: &Known) -> anyhow::Result<Settled> {
        let mut decision = self.ground.decide(self.stage, known)?;
        if decision.manifest.is_none() {
            self.fetch()?;
            decision = self.ground.decide(self.stage, known)?;
        }
        match decision {
            Decision { status: Status::Fresh, record: Some(record), .. } if !self.force => Ok((Outcome::Fresh, record)),
            Decision { status: Status::Restore, record: Some(record), .. } if !self.force => self.restore(record),
            Decision { manifest: Some(manifest), reasons, .. } => {
                let lock = self.wait_for_lock(manifest.key())?;
                self.compute_once(manifest, &reasons, &self.inputs(known), lock)
            }
            Decision { manifest: None, .. } => Err(anyhow!("its inputs are not known yet")),
        }
    }

    fn wait_for_lock(&self, key: Digest) -> anyhow::Result<ActionLock> {
        loop {
            if let Some(lock) = self.ground.store.try_lock(key)? {
                return Ok(lock);
            }
            anyhow::ensure!(!(self.cancelled)(), "interrupted");
            std::thread::sleep(LOCK_INTERVAL);
        }
    }

    /// The record behind each input.
    pub fn inputs(&self, known: &Known) -> Vec<Arc<ActionRecord>> {
        let inputs = &self.ground.plan.stages[self.stage].inputs;
        inputs.iter().filter_map(|input| known[input.from].clone()).collect()
    }

    fn compute_once(
        &self,
        manifest: Manifest,
        reasons: &[StaleReason],
        inputs: &[Arc<ActionRecord>],
        _lock: ActionLock,
    ) -> anyhow::Result<Settled> {
        let key = manifest.key();
        // Another runner may have computed it while this one waited for the lock.
        if let Some(record) = self.computed_meanwhile(key) {
            return self.restore(Arc::new(record));
        }
        self.say_what_was_damaged(key);
        let reasons = reasons.iter().map(ToString::to_string).collect();
        (self.sink)(Event::Started { stage: self.name().to_owned(), reasons });
        let record = self.run(manifest, inputs)?;
        if let Some(lock) = &self.ground.plan.held_to
            && let Some(message) = lock.stage(self.name())?.check_outputs(&record, "this execution")
        {
            return Err(anyhow!(message));
        }
        self.ground.store.put_record(key, &serde_json::to_vec(&record)?)?;
        self.place(key, &record)?;
        Ok((Outcome::Ran, Arc::new(record)))
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

    fn computed_meanwhile(&self, key: Digest) -> Option<ActionRecord> {
        if self.force {
            return None;
        }
        let record = load_record(self.ground.store, key)?;
        let whole = record.files().all(|file| self.ground.store.has(file.digest));
        whole.then_some(record)
    }

    /// Executes the stage; nothing is committed but blobs. `records` holds the record behind each input.
    pub fn run(&self, manifest: Manifest, records: &[Arc<ActionRecord>]) -> anyhow::Result<ActionRecord> {
        let plan = self.ground.plan;
        let planned = &plan.stages[self.stage];
        let inputs = (planned.inputs.iter().zip(records))
            .map(|(input, record)| BoundInput {
                port: input.port,
                label: input.label.as_deref(),
                record,
                output: input.output.as_deref(),
                stage: &plan.stages[input.from].name,
                view: input.output.is_none().then(|| self.ground.view(input.from)),
            })
            .collect();
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
        let clock = Instant::now();
        let gauge = gauge::Gauge::start();
        let mut context = StageContext {
            plan,
            planned,
            store: self.ground.store,
            inputs,
            seed: planned.seed,
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
            host: machine::identity().host.clone(),
            cpu: machine::identity().cpu.clone(),
            measurements,
            warnings,
            headline,
        };
        Ok(ActionRecord { kind: planned.stage.kind().name.to_owned(), manifest, outputs, provenance })
    }

    /// A source that was saved while the stage ran may have been read before or after: the result would be kept under the wrong key.
    fn sources_are_unchanged(&self, manifest: &Manifest) -> anyhow::Result<()> {
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
