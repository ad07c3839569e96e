//! Carries out the decision on one stage: leave it, restore it, or run it and commit the result.
//!
//! A commit is blobs first, then the record, then the files for people, then the pointer that says what they are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use anyhow::anyhow;

use super::context::{Reporter, SourceChanged, StageContext, Surroundings, YamlPlace};
use super::decision::Decision;
use super::event::{Event, Outcome, Sink};
use super::input::BoundInput;
use super::manifest::Manifest;
use super::patience::LOOK;
use super::port::Report;
use super::reason::StaleReason;
use super::record::{ActionRecord, Provenance};
use super::repair::{ATTEMPTS, Repairs, damage_in, examine, store_errors};
use super::workspace::{Known, Workspace, load_record};
use super::{machine, memory_probe, placing};
use runner_artifact::{ActionLock, BlobState, Digest, FileStamp};
use runner_boundary::text::Lines;

/// How an execution ended well.
pub(super) type Settled = (Outcome, Arc<ActionRecord>);

/// What the scheduler hands to one execution.
pub(super) struct Execution<'a> {
    pub(crate) workspace: &'a Workspace<'a>,
    pub(crate) stage: usize,
    pub threads: usize,
    pub(crate) force: bool,
    /// Shared by all executions of a run.
    pub(crate) repairs: &'a Repairs,
    /// Whether this is itself part of a repair.
    pub(crate) repairing: bool,
    pub(crate) sink: Sink<'a>,
    pub(crate) cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Execution<'_> {
    /// Fetches what has to be fetched before the stage can be decided on.
    pub(crate) fn fetch(&self) -> anyhow::Result<()> {
        let reporter = self.reporter();
        for external in self.workspace.plan.stages[self.stage].stage.externals() {
            if external.digest()?.is_none() {
                external.fetch(&reporter)?;
            }
        }
        Ok(())
    }

    /// Puts a known result in its place; where it turns out to be damaged, computes it anew.
    pub(crate) fn restore(&self, record: Arc<ActionRecord>, inputs: &[Arc<ActionRecord>]) -> anyhow::Result<Settled> {
        self.with_repairs(self.restore_once(record), inputs)
    }

    fn restore_once(&self, record: Arc<ActionRecord>) -> anyhow::Result<Settled> {
        self.place(&record)?;
        Ok((Outcome::Restored, record))
    }

    fn place(&self, record: &ActionRecord) -> anyhow::Result<()> {
        placing::place(self.workspace, self.stage, record, self.sink, self.cancelled)
    }

    /// Runs the stage and commits its result. `lock` is the action's; `inputs` holds the record behind each input of the plan.
    pub(crate) fn compute(
        &self,
        manifest: Manifest,
        reasons: &[StaleReason],
        inputs: &[Arc<ActionRecord>],
        lock: Option<ActionLock>,
    ) -> anyhow::Result<Settled> {
        self.with_repairs(self.compute_once(manifest, reasons, inputs, lock), inputs)
    }

    /// Decides on the stage and does what there is to do, waiting for another runner if need be. `known` holds the records of all that it
    /// depends on.
    pub(crate) fn bring_up_to_date(&self, known: &Known) -> anyhow::Result<Settled> {
        self.with_repairs(self.bring_up_to_date_once(known), &self.inputs(known))
    }

    /// The result, or that of further attempts: after damaged inputs were made again, a damaged result of its own was removed, or a source
    /// turned out to be another than when the stage was decided on.
    fn with_repairs(
        &self,
        mut result: anyhow::Result<Settled>,
        inputs: &[Arc<ActionRecord>],
    ) -> anyhow::Result<Settled> {
        for _ in 0..ATTEMPTS {
            let Some(error) = result.as_ref().err() else { break };
            let known = match (damage_in(error), error.downcast_ref::<SourceChanged>()) {
                (Some(damaged), _) if self.is_input(damaged, inputs) => self.repair_inputs(inputs)?,
                (Some(_), _) => self.known(inputs),
                (None, Some(SourceChanged { path, ran })) => {
                    self.workspace.store.stats().forget_file(path);
                    // A long work is not begun again unasked.
                    if *ran {
                        break;
                    }
                    self.known(inputs)
                }
                _ => break,
            };
            result = self.bring_up_to_date_once(&known);
        }
        result
    }

    fn is_input(&self, blob: Digest, inputs: &[Arc<ActionRecord>]) -> bool {
        inputs.iter().flat_map(|record| record.files()).any(|file| file.digest == blob)
    }

    /// Brings everything that the stage depends on up to date again, and returns its records.
    fn repair_inputs(&self, inputs: &[Arc<ActionRecord>]) -> anyhow::Result<Vec<Option<Arc<ActionRecord>>>> {
        // Who repairs an input has the turn already when an input of that is damaged as well.
        let _turn = if self.repairing { None } else { Some(self.repairs.wait(self.cancelled)?) };
        // Where one file is damaged others may be: all are looked at, so that each stage is repaired once.
        examine(self.workspace.store, inputs)?;
        let plan = self.workspace.plan;
        let mut repaired = vec![None; plan.stages.len()];
        let needed = plan.dag.closure([self.stage]);
        for ancestor in plan.order.iter().copied().filter(|&i| needed[i] && i != self.stage) {
            let execution = Execution { stage: ancestor, force: false, repairing: true, ..*self };
            repaired[ancestor] = Some(execution.bring_up_to_date(&repaired)?.1);
        }
        Ok(repaired)
    }

    /// The records behind the inputs, by stage.
    fn known(&self, inputs: &[Arc<ActionRecord>]) -> Vec<Option<Arc<ActionRecord>>> {
        let plan = self.workspace.plan;
        let mut known = vec![None; plan.stages.len()];
        for (input, record) in plan.stages[self.stage].inputs.iter().zip(inputs) {
            known[input.from] = Some(Arc::clone(record));
        }
        known
    }

    fn bring_up_to_date_once(&self, known: &Known) -> anyhow::Result<Settled> {
        let mut decision = self.workspace.decide(self.stage, known)?;
        if let Decision::Undecided { .. } = decision {
            self.fetch()?;
            decision = self.workspace.decide(self.stage, known)?;
        }
        match decision {
            Decision::Fresh { record } if !self.force => return Ok((Outcome::Fresh, record)),
            Decision::Restore { record, .. } if !self.force => return self.restore_once(record),
            _ => {}
        }
        let Some(manifest) = decision.manifest() else { return Err(anyhow!("its inputs are not known yet")) };
        let lock = self.wait_for_lock(manifest.key())?;
        self.compute_once(manifest.clone(), decision.reasons(), &self.inputs(known), Some(lock))
    }

    fn wait_for_lock(&self, key: Digest) -> anyhow::Result<ActionLock> {
        loop {
            if let Some(lock) = self.workspace.store.try_lock(key)? {
                return Ok(lock);
            }
            anyhow::ensure!(!(self.cancelled)(), "interrupted");
            std::thread::sleep(LOOK);
        }
    }

    /// The record behind each input.
    pub(crate) fn inputs(&self, known: &Known) -> Vec<Arc<ActionRecord>> {
        let inputs = &self.workspace.plan.stages[self.stage].inputs;
        inputs.iter().filter_map(|input| known[input.from].clone()).collect()
    }

    fn compute_once(
        &self,
        manifest: Manifest,
        reasons: &[StaleReason],
        inputs: &[Arc<ActionRecord>],
        _lock: Option<ActionLock>,
    ) -> anyhow::Result<Settled> {
        let key = manifest.key();
        // Another runner may have computed it while this one waited for the lock.
        if let Some(record) = self.computed_meanwhile(key) {
            return self.restore_once(Arc::new(record));
        }
        self.say_what_was_damaged(key);
        let reasons = reasons.iter().map(ToString::to_string).collect();
        (self.sink)(Event::Started { stage: self.name().to_owned(), reasons });
        let record = self.run(manifest, inputs)?;
        if let Some(lock) = &self.workspace.plan.locked_to
            && let Some(message) = lock.stage(self.name())?.check_outputs(&record, "this execution")
        {
            return Err(anyhow!(message));
        }
        self.workspace.store.put_record(key, &serde_json::to_vec(&record)?)?;
        self.place(&record)?;
        Ok((Outcome::Ran, Arc::new(record)))
    }

    /// A result that was known and is not whole any more is computed anew, but not silently.
    fn say_what_was_damaged(&self, key: Digest) {
        let store = self.workspace.store;
        let say = |what: String| {
            let message = format!("{what}; computed anew");
            (self.sink)(Event::Warned { stage: self.name().to_owned(), message });
        };
        if let Some(fault) = ActionRecord::fault(store, key) {
            return say(format!("its record in the store {fault}"));
        }
        let Some(record) = load_record(store, key) else { return };
        if let Some(fault) = record.lacking(&self.workspace.plan.stages[self.stage].outputs) {
            return say(format!("its record in the store {fault}"));
        }
        if record.files().any(|file| store.state(file.digest) != BlobState::Sound) {
            // Where one is damaged others may be, under stamps that say nothing of it.
            record.files().for_each(|file| drop(store.examine(file.digest)));
        }
        let mut told = HashSet::new();
        for file in record.files().filter(|file| told.insert(file.digest)) {
            match store.state(file.digest) {
                BlobState::Sound => {}
                BlobState::Damaged => say(format!("{} in the store was damaged", file.name)),
                BlobState::Missing => say(format!("{} was missing in the store", file.name)),
            }
        }
    }

    fn name(&self) -> &str {
        &self.workspace.plan.stages[self.stage].name
    }

    fn reporter(&self) -> Reporter<'_> {
        Reporter { stage: self.name(), sink: self.sink, cancelled: self.cancelled, warnings: Mutex::default() }
    }

    fn computed_meanwhile(&self, key: Digest) -> Option<ActionRecord> {
        if self.force {
            return None;
        }
        let record = self.workspace.record(self.stage, key)?;
        let whole = record.files().all(|file| self.workspace.store.has(file.digest));
        whole.then_some(record)
    }

    /// Executes the stage; nothing is committed but blobs. `records` holds the record behind each input.
    pub(crate) fn run(&self, manifest: Manifest, records: &[Arc<ActionRecord>]) -> anyhow::Result<ActionRecord> {
        let plan = self.workspace.plan;
        let planned = &plan.stages[self.stage];
        let inputs = (planned.inputs.iter().zip(records))
            .map(|(input, record)| BoundInput {
                port: input.port,
                label: input.label.as_deref(),
                record,
                output: input.output.as_deref(),
                stage: &plan.stages[input.from].name,
                view: input.output.is_none().then(|| self.workspace.view(input.from)),
            })
            .collect();
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
        let clock = Instant::now();
        let probe = memory_probe::MemoryProbe::start();
        let stamps = self.stamps();
        let kind = planned.stage.kind();
        let mut context = StageContext {
            surroundings: Surroundings {
                kind: kind.name,
                version: kind.version,
                outputs: &planned.outputs,
                reads: &planned.reads,
                sources: planned.sources(),
                lineage: planned.lineage.as_ref(),
                aims: &planned.aims,
                aim_position: &|key| plan.spec.aims.get(key).map(|node| plan.spec.location(node.span)),
                position: &|path| plan.spec.position_of(&planned.name, path),
                sources_above: &|port, at| plan.sources_above(self.stage, port, at),
            },
            store: self.workspace.store,
            inputs,
            seed: planned.seed,
            threads: self.threads,
            counted: manifest.sources().map(|(at, digest)| (at.to_owned(), digest.to_owned())).collect(),
            read: Mutex::default(),
            inputs_key: manifest.key_of_inputs(),
            memos: !self.force,
            reporter: self.reporter(),
            outputs: Vec::new(),
            measurements: Mutex::new(BTreeMap::new()),
            headline: String::new(),
        };
        catch_unwind(AssertUnwindSafe(|| planned.stage.run(&mut context).map_err(|error| self.placed(error))))
            .unwrap_or_else(|panic| Err(anyhow!("internal error, please report it: {}", panic_message(&panic))))?;
        if context.reporter.cancelled() {
            anyhow::bail!("interrupted");
        }
        let read = std::mem::take(&mut context.read);
        self.check_unread_sources(&manifest, &stamps, &read.into_inner().unwrap_or_else(PoisonError::into_inner))?;
        let warnings = context.reporter.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let measurements = context.measurements.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let headline = std::mem::take(&mut context.headline);
        let outputs = context.into_outputs()?;
        let provenance = Provenance {
            runner: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            seconds: clock.elapsed().as_secs_f64(),
            threads: self.threads,
            peak_memory: probe.peak(),
            host: machine::identity().host.clone(),
            cpu: machine::identity().cpu.clone(),
            measurements,
            warnings,
            headline,
        };
        Ok(ActionRecord { kind: planned.stage.kind().name.to_owned(), manifest, outputs, provenance })
    }

    /// The error with the place of the stage, unless it says already where the mistake is or is none of the pipeline's.
    fn placed(&self, error: anyhow::Error) -> anyhow::Error {
        let names_its_place = error.is::<YamlPlace>()
            || error.is::<SourceChanged>()
            || error.downcast_ref::<Lines>().is_some_and(Lines::name_files)
            || store_errors(&error).next().is_some();
        if names_its_place || (self.cancelled)() {
            return error;
        }
        match self.workspace.plan.spec.position_of(self.name(), &[]) {
            Some(at) => error.context(YamlPlace(at)),
            None => error,
        }
    }

    /// By the parameter that names it, the stamp of each source before the stage runs.
    fn stamps(&self) -> HashMap<String, Option<FileStamp>> {
        let sources = self.workspace.plan.stages[self.stage].sources();
        sources.into_iter().map(|source| (source.at, FileStamp::at(&source.path).ok())).collect()
    }

    /// Sources that others read for the stage, e.g. the program of a command: what was saved meanwhile may have been read before or after.
    /// They are read once more, whatever their stamps say; and a stamp that changed tells of what was saved and taken back meanwhile. Externals are
    /// asked again in the same sense.
    fn check_unread_sources(
        &self,
        manifest: &Manifest,
        stamps: &HashMap<String, Option<FileStamp>>,
        read: &BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let planned = &self.workspace.plan.stages[self.stage];
        let counted: HashMap<&str, &str> = manifest.sources().collect();
        let sources = planned.sources();
        // Of a pattern another file may be there now, or one less.
        if let Some(at) = counted.keys().find(|at| sources.iter().all(|source| source.at != **at)) {
            return Err(SourceChanged { path: at.into(), ran: true }.into());
        }
        for source in sources.into_iter().filter(|source| !read.contains(&source.at)) {
            let found = self.workspace.store.stats().read_digest(&source.path).ok().map(|digest| digest.to_string());
            let was_saved = stamps.get(&source.at) != Some(&FileStamp::at(&source.path).ok());
            if was_saved || counted.get(source.at.as_str()).copied() != found.as_deref() {
                return Err(SourceChanged { path: source.path, ran: true }.into());
            }
        }
        let counted: HashMap<&str, &str> = manifest.externals().collect();
        for external in planned.stage.externals() {
            let found = external.digest()?;
            if counted.get(external.at()).copied() != found.as_deref() {
                return Err(anyhow!("what `{}` names changed while the stage ran: run again", external.at()));
            }
        }
        Ok(())
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a stage panicked")
}
