//! The scheduler: brings the selected stages up to date, several at once within a budget of threads and memory.
//!
//! A stage is decided on once, when all that it depends on is settled; one that is fresh ends there, and takes nothing of the budget. The others
//! wait in the order of [`Queue`]; each that starts has a thread of its own. Who meets another runner's lock waits aside, without any share of
//! the budget.

use std::collections::HashSet;
use std::sync::{Arc, mpsc};
use std::thread;

use super::decision::Decision;
use super::event::{Event, Outcome, Sink};
use super::patience::LOOK;
use super::plan_decisions::decide_each;
use super::queue::Queue;
use super::ready_set::ReadySet;
use super::record::ActionRecord;
use super::repair::Repairs;
use super::resources::Budget;
use super::work::{Done, Finished, State, Task, Waiting, Work};
use super::workspace::Workspace;
use runner_artifact::{Digest, StoreGuard};
use runner_boundary::text::of_chain;

/// How a run uses the machine, and what it does after a failure.
pub struct RunOptions {
    /// Threads that all running stages may use together.
    pub threads: usize,
    /// Bytes that the `memory` of all running stages may add up to.
    pub memory: u64,
    /// Go on with what does not depend on a failed stage.
    pub keep_going: bool,
    /// Stages to run even if their result is known.
    pub force: HashSet<String>,
}

impl Default for RunOptions {
    /// All threads, and 90 % of the memory: the rest is for the system.
    fn default() -> Self {
        let memory = super::machine::memory().map_or(u64::MAX, |bytes| bytes / 10 * 9);
        RunOptions { threads: super::machine::threads(), memory, keep_going: false, force: HashSet::new() }
    }
}

/// How a run ended, stage by stage in topological order.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// In plan order.
    pub stages: Vec<StageResult>,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

#[derive(Debug)]
pub struct StageResult {
    pub stage: String,
    pub outcome: Outcome,
    pub(crate) seconds: f64,
    pub record: Option<Arc<ActionRecord>>,
}

impl RunSummary {
    /// The stages that ended so, in plan order.
    pub fn with(&self, outcome: Outcome) -> Vec<&str> {
        self.stages.iter().filter(|stage| stage.outcome == outcome).map(|stage| stage.stage.as_str()).collect()
    }

    /// Whether every stage has its result.
    pub fn succeeded(&self) -> bool {
        !self.interrupted
            && self
                .stages
                .iter()
                .all(|stage| matches!(stage.outcome, Outcome::Ran | Outcome::Restored | Outcome::Fresh))
    }
}

/// Brings the stages `selected` (closed under dependencies, in topological order) up to date.
pub fn run(
    workspace: &Workspace,
    selected: &[usize],
    options: &RunOptions,
    sink: Sink,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<RunSummary> {
    let count = workspace.plan.stages.len();
    for &stage in selected.iter().filter(|&&stage| options.force.contains(&workspace.plan.stages[stage].name)) {
        forget_sources(workspace, stage);
    }
    if workspace.store.has_damaged_format() {
        // Where it cannot be written, everything can be read all the same.
        let _ = workspace.store.prepare();
    }
    let repairs = Repairs::default();
    let mut run = Run {
        workspace,
        options,
        sink,
        ready_set: ReadySet::new(workspace.plan, selected),
        queue: Queue::new(workspace, selected),
        budget: Budget::new(options.threads, options.memory),
        known: vec![None; count],
        states: vec![State::Unready; count],
        guard: workspace.store.share(cancelled)?,
        cancelled,
        computing: HashSet::new(),
        stop: false,
        prepared: false,
    };
    let repairs = &repairs;
    thread::scope(|scope| -> anyhow::Result<()> {
        let (done, finished) = mpsc::channel::<Finished>();
        loop {
            run.stop |= cancelled();
            run.decide();
            let contended = run.start(|task: Task| {
                let done = done.clone();
                scope.spawn(move || {
                    let _ = done.send(task.carry_out(workspace, repairs, sink, cancelled));
                });
            })?;
            if run.budget.running() == 0 && !contended {
                break;
            }
            let result = if contended { finished.recv_timeout(LOOK).ok() } else { finished.recv().ok() };
            result.into_iter().chain(finished.try_iter()).for_each(|result| run.end(result));
        }
        Ok(())
    })?;
    workspace.store.stats().save();
    tell_of_others(&run, selected);
    drop(run.guard);
    let mut summary = RunSummary { stages: Vec::with_capacity(selected.len()), interrupted: cancelled() };
    for &stage in selected {
        let (outcome, seconds) = match run.states[stage] {
            State::Ended { outcome, seconds } => (outcome, seconds),
            _ => (Outcome::NotReached, 0.0),
        };
        let name = workspace.plan.stages[stage].name.clone();
        summary.stages.push(StageResult { stage: name, outcome, seconds, record: run.known[stage].take() });
    }
    Ok(summary)
}

/// Says so where another runner has put other results into folders since this one brought them up to date: what lies there is of both then.
fn tell_of_others(run: &Run, selected: &[usize]) {
    let (workspace, pipeline) = (run.workspace, &run.workspace.plan.spec.name);
    let is_replaced = |stage: &usize| {
        let record = run.known[*stage].as_ref();
        let name = &workspace.plan.stages[*stage].name;
        record.is_some_and(|record| workspace.store.current(pipeline, name) != Some(record.manifest.key()))
    };
    let replaced: Vec<&str> = (selected.iter().filter(|stage| is_replaced(stage)))
        .map(|&stage| workspace.plan.stages[stage].name.as_str())
        .collect();
    let Some((first, others)) = replaced.split_first() else { return };
    let more = match others.len() {
        0 => String::new(),
        1 => " (and those of 1 more stage)".to_owned(),
        more => format!(" (and those of {more} more stages)"),
    };
    let message = format!(
        "another runner has put other results in '{}'{more} meanwhile: what lies in '{}' is of both (run again to have the results of this run \
         there)",
        workspace.folder(first).display(),
        workspace.folder("").display(),
    );
    (run.sink)(Event::Warned { stage: (*first).to_owned(), message });
}

/// Whoever asks for a stage to run anew wants its sources looked at anew, whatever their stamps say.
fn forget_sources(workspace: &Workspace, stage: usize) {
    let planned = &workspace.plan.stages[stage];
    planned.sources().iter().for_each(|source| workspace.store.stats().forget_file(&source.path));
    planned.stage.externals().iter().for_each(|external| external.forget());
}

struct Run<'a> {
    workspace: &'a Workspace<'a>,
    options: &'a RunOptions,
    sink: Sink<'a>,
    ready_set: ReadySet<'a>,
    queue: Queue<'a>,
    budget: Budget,
    known: Vec<Option<Arc<ActionRecord>>>,
    states: Vec<State>,
    /// Nothing is collected from the store meanwhile.
    guard: StoreGuard,
    cancelled: &'a (dyn Fn() -> bool + Sync),
    /// The keys of the actions that run.
    computing: HashSet<Digest>,
    /// Nothing more is started.
    stop: bool,
    prepared: bool,
}

impl Run<'_> {
    /// Decides on every stage that is ready, and on what becomes ready by that.
    fn decide(&mut self) {
        while !self.stop {
            let wave = self.ready_set.take();
            if wave.is_empty() {
                break;
            }
            for (stage, decision) in decide_each(self.workspace, &wave, &self.known) {
                match decision {
                    Ok(decision) => self.enqueue(stage, decision),
                    Err(error) => self.fail(stage, 0.0, &error),
                }
            }
        }
    }

    fn enqueue(&mut self, stage: usize, decision: Decision) {
        let planned = &self.workspace.plan.stages[stage];
        let force = self.options.force.contains(&planned.name);
        let work = match decision {
            Decision::Fresh { record } if !force => return self.succeed(stage, Outcome::Fresh, 0.0, record),
            Decision::Restore { record, .. } if !force => Work::Restore(record),
            decision => match decision.manifest().cloned() {
                None => Work::Fetch,
                Some(manifest) => Work::Compute { manifest, reasons: decision.reasons().to_vec(), lock: None },
            },
        };
        let need = match &work {
            Work::Compute { .. } => self.budget.need(&planned.resources, planned.stage.threads()),
            _ => Budget::LIGHT_TASK,
        };
        self.advance(stage, State::Queued);
        self.queue.push(Waiting { stage, need, work, overtaken: 0, contended: false });
    }

    /// Starts what fits into the budget. Tells whether something waits for another runner.
    fn start(&mut self, mut spawn: impl FnMut(Task)) -> anyhow::Result<bool> {
        if self.stop {
            return Ok(false);
        }
        if !self.prepared && !self.queue.is_empty() {
            self.workspace.store.prepare()?;
            // The store was created only now, or could not be held before.
            if !self.guard.is_held() {
                self.guard = self.workspace.store.share(self.cancelled)?;
            }
            self.prepared = true;
        }
        let mut contended = Vec::new();
        while let Some(mut next) = self.queue.pop(&self.budget) {
            if let Work::Compute { manifest, lock, .. } = &mut next.work {
                *lock = self.workspace.store.try_lock(manifest.key())?;
                if lock.is_none() {
                    // A stage of this run that does the same is no other runner.
                    let is_own = self.computing.contains(&manifest.key());
                    if !is_own && !std::mem::replace(&mut next.contended, true) {
                        let stage = self.workspace.plan.stages[next.stage].name.clone();
                        (self.sink)(Event::Waiting { stage });
                    }
                    contended.push(next);
                    continue;
                }
            }
            self.budget.take(&next.need);
            let planned = &self.workspace.plan.stages[next.stage];
            let inputs = planned.inputs.iter().filter_map(|input| self.known[input.from].clone()).collect();
            let force = self.options.force.contains(&planned.name);
            self.advance(next.stage, State::Running);
            if let Work::Compute { manifest, .. } = &next.work {
                self.computing.insert(manifest.key());
            }
            spawn(Task { stage: next.stage, need: next.need, force, work: next.work, inputs });
        }
        let any = !contended.is_empty();
        contended.into_iter().for_each(|waiting| self.queue.push(waiting));
        Ok(any)
    }

    fn end(&mut self, result: Finished) {
        self.budget.give_back(&result.need);
        if let Some(key) = &result.key {
            self.computing.remove(key);
        }
        match result.outcome {
            Ok(Done::Settled(outcome, record)) => self.succeed(result.stage, outcome, result.seconds, record),
            Ok(Done::Fetched) => match self.workspace.decide(result.stage, &self.known) {
                Ok(Decision::Undecided { .. }) => {
                    let error = anyhow::anyhow!("what was fetched is still not known by its digest");
                    self.fail(result.stage, result.seconds, &error);
                }
                Ok(decision) => self.enqueue(result.stage, decision),
                Err(error) => self.fail(result.stage, result.seconds, &error),
            },
            Err(error) => self.fail(result.stage, result.seconds, &error),
        }
    }

    fn succeed(&mut self, stage: usize, outcome: Outcome, seconds: f64, record: Arc<ActionRecord>) {
        self.known[stage] = Some(record);
        self.finish(stage, outcome, seconds, None);
        self.ready_set.settle(stage);
    }

    fn fail(&mut self, stage: usize, seconds: f64, error: &anyhow::Error) {
        if (self.cancelled)() {
            // The cut shows in as many guises as there are stages; what else went wrong at this moment will do so again.
            self.stop = true;
            return self.finish(stage, Outcome::Interrupted, seconds, None);
        }
        self.finish(stage, Outcome::Failed, seconds, Some(of_chain(error.chain())));
        for blocked in self.ready_set.below(stage, |stage| self.states[stage] == State::Unready) {
            self.finish(blocked, Outcome::Blocked, 0.0, None);
        }
        self.stop |= !self.options.keep_going;
    }

    fn advance(&mut self, stage: usize, next: State) {
        let state = &mut self.states[stage];
        debug_assert!(state.may_become(next), "{state:?} → {next:?}");
        *state = next;
    }

    fn finish(&mut self, stage: usize, outcome: Outcome, seconds: f64, error: Option<String>) {
        self.advance(stage, State::Ended { outcome, seconds });
        let record = self.known[stage].clone();
        let stage = self.workspace.plan.stages[stage].name.clone();
        (self.sink)(Event::Finished { stage, outcome, seconds, error, record });
    }
}
