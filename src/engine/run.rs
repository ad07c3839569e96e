//! The scheduler: brings the selected stages up to date, several at once within a budget of threads.
//!
//! Plain threads and a ready queue. Knows nothing of what stages do, nor of how events are shown.

use std::collections::HashSet;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::decision::{Decision, Ground, Status};
use super::event::{Event, Outcome, Sink};
use super::execute::Execution;
use super::record::ActionRecord;
use super::stage::Threads;

pub struct RunOptions {
    /// Threads that all running stages may use together.
    pub threads: usize,
    /// Go on with what does not depend on a failed stage.
    pub keep_going: bool,
    /// Stages to run even if their result is known.
    pub force: HashSet<String>,
}

/// How a run ended, stage by stage in topological order.
#[derive(Debug, Default)]
pub struct RunSummary {
    pub stages: Vec<StageResult>,
    pub interrupted: bool,
}

#[derive(Debug)]
pub struct StageResult {
    pub stage: String,
    pub outcome: Outcome,
    pub seconds: f64,
    pub record: Option<ActionRecord>,
}

impl RunSummary {
    pub fn with(&self, outcome: Outcome) -> Vec<&str> {
        self.stages.iter().filter(|stage| stage.outcome == outcome).map(|stage| stage.stage.as_str()).collect()
    }

    pub fn succeeded(&self) -> bool {
        !self.interrupted
            && self.stages.iter().all(|stage| !matches!(stage.outcome, Outcome::Failed | Outcome::Blocked))
    }
}

/// Brings the stages `selected` (closed under dependencies, in topological order) up to date.
pub fn run(
    ground: &Ground,
    selected: &[usize],
    options: &RunOptions,
    sink: Sink,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<RunSummary> {
    let count = ground.plan.stages.len();
    let mut known: Vec<Option<ActionRecord>> = vec![None; count];
    let mut state: Vec<Option<(Outcome, f64)>> = vec![None; count];
    let mut waiting: Vec<usize> = selected.to_vec();
    let mut free = options.threads.max(1);
    let mut running = 0usize;
    let mut stop = false;
    let mut prepared = false;
    let mut hold = ground.store.share(cancelled)?;
    thread::scope(|scope| -> anyhow::Result<()> {
        let (done, finished) = mpsc::channel::<Finished>();
        loop {
            stop |= cancelled();
            let mut progressed = false;
            let mut position = 0;
            while position < waiting.len() {
                let stage = waiting[position];
                let dependencies = ground.plan.dependencies(stage);
                let name = &ground.plan.stages[stage].name;
                if dependencies.iter().any(|&from| is_lost(state[from])) {
                    waiting.remove(position);
                    finish(&mut state, stage, name, (Outcome::Blocked, 0.0), None, sink);
                    progressed = true;
                    continue;
                }
                if stop || dependencies.iter().any(|&from| known[from].is_none()) {
                    position += 1;
                    continue;
                }
                let wanted = match ground.plan.stages[stage].stage.threads() {
                    Threads::One => 1,
                    Threads::All => options.threads.max(1),
                };
                let force = options.force.contains(name);
                let decision = match ground.decide(stage, &known) {
                    Ok(decision) => decision,
                    Err(error) => {
                        waiting.remove(position);
                        finish(&mut state, stage, name, (Outcome::Failed, 0.0), Some(format!("{error:#}")), sink);
                        stop |= !options.keep_going;
                        progressed = true;
                        continue;
                    }
                };
                if decision.status == Status::Fresh && !force {
                    waiting.remove(position);
                    known[stage] = decision.record;
                    finish(&mut state, stage, name, (Outcome::Fresh, 0.0), None, sink);
                    progressed = true;
                    continue;
                }
                if wanted > free {
                    position += 1;
                    continue;
                }
                if !prepared {
                    ground.store.prepare()?;
                    // The store was created only now, or could not be held before.
                    if !hold.is_held() {
                        hold = ground.store.share(cancelled)?;
                    }
                    prepared = true;
                }
                waiting.remove(position);
                free -= wanted;
                running += 1;
                let execution = Execution { ground, stage, threads: wanted, force, sink, cancelled };
                let inputs = only(&dependencies, &known);
                let done = done.clone();
                scope.spawn(move || {
                    let _ = done.send(execute(&execution, decision, &inputs));
                });
            }
            if running > 0 {
                let Ok(result) = finished.recv() else { break };
                running -= 1;
                free += result.threads;
                let name = &ground.plan.stages[result.stage].name;
                match result.outcome {
                    Ok((outcome, record)) => {
                        known[result.stage] = Some(record);
                        finish(&mut state, result.stage, name, (outcome, result.seconds), None, sink);
                    }
                    Err(error) => {
                        let message = Some(format!("{error:#}"));
                        finish(&mut state, result.stage, name, (Outcome::Failed, result.seconds), message, sink);
                        stop |= !options.keep_going;
                    }
                }
            } else if !progressed {
                break;
            }
        }
        Ok(())
    })?;
    ground.store.stats().save();
    drop(hold);
    let interrupted = cancelled();
    let mut summary = RunSummary { stages: Vec::with_capacity(selected.len()), interrupted };
    for &stage in selected {
        let (outcome, seconds) = state[stage].unwrap_or((Outcome::Blocked, 0.0));
        let name = ground.plan.stages[stage].name.clone();
        summary.stages.push(StageResult { stage: name, outcome, seconds, record: known[stage].take() });
    }
    Ok(summary)
}

struct Finished {
    stage: usize,
    threads: usize,
    seconds: f64,
    outcome: anyhow::Result<(Outcome, ActionRecord)>,
}

fn execute(execution: &Execution, decision: Decision, inputs: &[Option<ActionRecord>]) -> Finished {
    let clock = Instant::now();
    let outcome = execution.bring_up_to_date(decision, inputs);
    Finished { stage: execution.stage, threads: execution.threads, seconds: clock.elapsed().as_secs_f64(), outcome }
}

/// The records of the dependencies, at their places.
fn only(dependencies: &[usize], known: &[Option<ActionRecord>]) -> Vec<Option<ActionRecord>> {
    let mut records = vec![None; known.len()];
    for &from in dependencies {
        records[from] = known[from].clone();
    }
    records
}

fn is_lost(state: Option<(Outcome, f64)>) -> bool {
    matches!(state, Some((Outcome::Failed | Outcome::Blocked, _)))
}

fn finish(
    state: &mut [Option<(Outcome, f64)>],
    stage: usize,
    name: &str,
    (outcome, seconds): (Outcome, f64),
    error: Option<String>,
    sink: Sink,
) {
    state[stage] = Some((outcome, seconds));
    sink(Event::Finished { stage: name.to_owned(), outcome, seconds, error });
}
