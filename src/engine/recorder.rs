//! Writes the record of a run: its head at the start, a line for each stage as it begins and ends, the whole at the end.
//!
//! A record is worth less than the run: where it cannot be written (a read-only store, a full disk), the run goes on without.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write as _};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::calendar::civil;
use super::event::{Event, Outcome, Sink};
use super::history::{FORMAT, History, RunOutcome, RunRecord, StageEntry};
use super::patience::{LOOK, Patience};
use super::record::ActionRecord;
use super::run::{RunOptions, RunSummary, StageResult, run};
use super::workspace::Workspace;
use super::{machine, memory_probe};
use runner_artifact::{Store, StoreError};
use runner_boundary::text::of_chain;

/// What a run is called by whoever started it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunLabel<'a> {
    /// The pipeline file, as named.
    pub file: &'a str,
    /// The `--set` arguments.
    pub set: &'a [String],
    /// The stages that were named.
    pub asked: &'a [String],
}

/// A summary and where it was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// How its stages ended.
    pub summary: RunSummary,
    /// The run's id; of the earlier run where this one found nothing to do and the same results. `None` if no record could be kept.
    pub id: Option<String>,
    /// Why no record could be kept, where that matters: the run did something.
    pub unrecorded: Option<String>,
}

/// What ends the program although something still works.
pub(crate) type Leave = fn(Recorded) -> !;

/// [`run`], with a record of it.
///
/// `leave` is called where a cancelled run has not ended by itself within a second: whatever still works by then has written nothing that is
/// not whole. Without it a cancelled run ends when the last piece of work looks up.
pub fn run_recorded(
    workspace: &Workspace,
    selected: &[usize],
    options: &RunOptions,
    label: RunLabel,
    sink: Sink,
    cancelled: &(dyn Fn() -> bool + Sync),
    leave: Option<Leave>,
) -> anyhow::Result<Recorded> {
    let recorder = Recorder::start(workspace, options, label);
    let ended = Ended::new(workspace, recorder.as_ref().ok());
    let listen = |event: Event| {
        ended.note(&event);
        sink(event);
    };
    let Some(leave) = leave else {
        let outcome = run(workspace, selected, options, &listen, cancelled);
        return recorded(recorder, workspace, outcome, &ended);
    };
    let (listen, watcher) = (&listen, thread::current());
    thread::scope(|scope| {
        let work = scope.spawn(move || {
            let outcome = run(workspace, selected, options, listen, cancelled);
            watcher.unpark();
            outcome
        });
        let mut patience = Patience::default();
        while !work.is_finished() {
            thread::park_timeout(LOOK);
            if patience.is_over(cancelled()) && !work.is_finished() {
                let summary = ended.cut_short(workspace, selected, listen);
                leave(recorded(recorder, workspace, Ok(summary), &ended)?);
            }
        }
        let outcome = work.join().unwrap_or_else(|panic| resume_unwind(panic));
        recorded(recorder, workspace, outcome, &ended)
    })
}

/// Ends the record, where there is one.
fn recorded(
    recorder: io::Result<Recorder>,
    workspace: &Workspace,
    outcome: anyhow::Result<RunSummary>,
    ended: &Ended,
) -> anyhow::Result<Recorded> {
    let kept = recorder.and_then(|recorder| recorder.finish(workspace.store, outcome.as_ref(), ended));
    let summary = outcome?;
    let idle = summary.stages.iter().all(|stage| stage.outcome == Outcome::Fresh);
    let (id, unrecorded) = match kept {
        Ok(id) => (Some(id), None),
        Err(error) => (None, (!idle).then(|| error.to_string())),
    };
    Ok(Recorded { summary, id, unrecorded })
}

/// How the stages ended so far.
struct Ended<'a> {
    workspace: &'a Workspace<'a>,
    /// Of each stage.
    kinds: HashMap<&'a str, &'static str>,
    stages: Mutex<Stages>,
}

#[derive(Default)]
struct Stages {
    journal: Option<Journal>,
    entries: HashMap<String, StageEntry>,
    results: BTreeMap<String, (Outcome, f64, Option<Arc<ActionRecord>>)>,
    /// Those that began and have not ended.
    begun: BTreeMap<String, Instant>,
}

impl<'a> Ended<'a> {
    fn new(workspace: &'a Workspace<'a>, recorder: Option<&Recorder>) -> Self {
        let kinds = workspace.plan.stages.iter().map(|stage| (stage.name.as_str(), stage.stage.kind().name)).collect();
        let journal =
            recorder.map(|recorder| Journal { path: recorder.path("stages"), file: None, unwritten: Vec::new() });
        Ended { workspace, kinds, stages: Mutex::new(Stages { journal, ..Stages::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Stages> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: &Event) {
        match event {
            Event::Started { stage, .. } => {
                let mut stages = self.lock();
                stages.begun.insert(stage.clone(), Instant::now());
                // How it ended unless another line follows.
                stages.write(&self.entry(stage, Outcome::Interrupted, 0.0, None));
            }
            Event::Finished { stage, outcome, seconds, error, record } => {
                let mut entry = self.entry(stage, *outcome, *seconds, record.as_deref());
                entry.error.clone_from(error);
                let mut stages = self.lock();
                stages.begun.remove(stage);
                stages.write(&entry);
                stages.entries.insert(stage.clone(), entry);
                stages.results.insert(stage.clone(), (*outcome, *seconds, record.clone()));
            }
            _ => {}
        }
    }

    fn entry(&self, stage: &str, outcome: Outcome, seconds: f64, record: Option<&ActionRecord>) -> StageEntry {
        let provenance = record.map(|record| &record.provenance);
        StageEntry {
            stage: stage.to_owned(),
            kind: self.kinds.get(stage).copied().unwrap_or_default().to_owned(),
            key: record.map(|record| record.manifest.key()),
            outcome,
            seconds,
            peak_memory: provenance.and_then(|provenance| provenance.peak_memory),
            headline: provenance.map(|provenance| provenance.headline.clone()).unwrap_or_default(),
            error: None,
        }
    }

    /// Of all stages of the summary; of a run that failed as a whole, of those that had ended by then.
    fn entries(&self, summary: Option<&RunSummary>) -> Vec<StageEntry> {
        let mut ended = std::mem::take(&mut self.lock().entries);
        match summary {
            Some(summary) => (summary.stages.iter())
                .map(|stage| {
                    let other = || self.entry(&stage.stage, stage.outcome, stage.seconds, stage.record.as_deref());
                    ended.remove(&stage.stage).unwrap_or_else(other)
                })
                .collect(),
            None => {
                let plan = self.workspace.plan;
                plan.order.iter().filter_map(|&stage| ended.remove(&plan.stages[stage].name)).collect()
            }
        }
    }

    /// The summary of a run that is left while some of it still works: that counts as interrupted.
    fn cut_short(&self, workspace: &Workspace, selected: &[usize], sink: Sink) -> RunSummary {
        let at_work: Vec<(String, Instant)> = self.lock().begun.clone().into_iter().collect();
        let mut results = self.lock().results.clone();
        for (stage, begun) in at_work {
            let (outcome, seconds) = (Outcome::Interrupted, begun.elapsed().as_secs_f64());
            results.insert(stage.clone(), (outcome, seconds, None));
            sink(Event::Finished { stage, outcome, seconds, error: None, record: None });
        }
        let result = |&stage: &usize| {
            let stage = workspace.plan.stages[stage].name.clone();
            let (outcome, seconds, record) = results.get(&stage).cloned().unwrap_or((Outcome::NotReached, 0.0, None));
            StageResult { stage, outcome, seconds, record }
        };
        RunSummary { stages: selected.iter().map(result).collect(), interrupted: true }
    }
}

impl Stages {
    fn write(&mut self, entry: &StageEntry) {
        let written = self.journal.as_mut().map(|journal| journal.write(entry));
        if matches!(written, Some(Err(_))) {
            self.journal = None;
        }
    }
}

/// What a run leaves that is killed: a line for each stage as it begins and as it ends. Not synced: the system outlives the process.
struct Journal {
    path: PathBuf,
    file: Option<File>,
    /// Lines of fresh stages, so that a run with nothing to do writes none.
    unwritten: Vec<u8>,
}

impl Journal {
    fn write(&mut self, entry: &StageEntry) -> io::Result<()> {
        serde_json::to_writer(&mut self.unwritten, entry)?;
        self.unwritten.push(b'\n');
        if entry.outcome == Outcome::Fresh {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create_new(&self.path)?),
        };
        file.write_all(&self.unwritten)?;
        self.unwritten.clear();
        Ok(())
    }
}

struct Recorder {
    history: History,
    record: RunRecord,
    clock: Instant,
    /// Released by the kernel when the process ends, however it ends.
    _lock: File,
}

impl Recorder {
    fn start(workspace: &Workspace, options: &RunOptions, label: RunLabel) -> io::Result<Self> {
        let history = History::of(workspace.store);
        let folder = workspace.store.prepare_runs().map_err(refused)?;
        let (id, started, lock) =
            claim(&history).map_err(|error| refused(StoreError::Io { action: "write in", path: folder, error }))?;
        lock.lock()?;
        let machine = machine::identity();
        let record = RunRecord {
            format: FORMAT,
            id,
            pipeline: workspace.plan.spec.name.clone(),
            file: label.file.to_owned(),
            set: label.set.to_vec(),
            asked: label.asked.to_vec(),
            started,
            ended: None,
            seconds: 0.0,
            outcome: RunOutcome::Running,
            error: None,
            runner: env!("CARGO_PKG_VERSION").to_owned(),
            host: machine.host.clone(),
            os: machine.os.clone(),
            cpu: machine.cpu.clone(),
            threads: options.threads,
            peak_memory: None,
            stages: Vec::new(),
        };
        // Not synced to the disk: most runs end within milliseconds, and a power failure takes the run with it anyway.
        put(workspace.store, &record, false)?;
        Ok(Recorder { history, record, clock: Instant::now(), _lock: lock })
    }

    fn finish(
        mut self,
        store: &Store,
        outcome: Result<&RunSummary, &anyhow::Error>,
        ended: &Ended,
    ) -> io::Result<String> {
        let record = &mut self.record;
        record.ended = Some(since_1970().as_secs());
        record.seconds = self.clock.elapsed().as_secs_f64();
        record.peak_memory = memory_probe::process_peak();
        match outcome {
            Ok(summary) => {
                record.outcome = match (summary.interrupted, summary.succeeded()) {
                    (true, _) => RunOutcome::Interrupted,
                    (false, true) => RunOutcome::Done,
                    (false, false) => RunOutcome::Failed,
                };
                record.stages = ended.entries(Some(summary));
            }
            Err(error) => {
                record.outcome = RunOutcome::Failed;
                record.error = Some(of_chain(error.chain()));
                record.stages = ended.entries(None);
            }
        }
        let idle = record.stages.iter().all(|stage| stage.outcome == Outcome::Fresh);
        if idle && let Some(id) = self.repeats(store)? {
            self.history.remove(&self.record.id).map_err(io::Error::other)?;
            return Ok(id);
        }
        put(store, &self.record, !idle)?;
        // What a removal leaves behind is read no more.
        let _ = std::fs::remove_file(self.path("stages"));
        std::fs::remove_file(self.path("lock"))?;
        Ok(self.record.id)
    }

    fn path(&self, end: &str) -> PathBuf {
        self.history.path(&self.record.id, end)
    }

    /// If the run before this one already ended with the same results: counts this one there, and returns its id. Thousands of runs with nothing
    /// to do leave one record.
    fn repeats(&self, store: &Store) -> io::Result<Option<String>> {
        let before = self.history.ids().into_iter().rev().find(|id| *id < self.record.id);
        let Some(before) = before.and_then(|id| self.history.get(&id)) else { return Ok(None) };
        if !before.record.same_results(&self.record) {
            return Ok(None);
        }
        let text = format!("{} {}\n", before.repeated + 1, self.record.started);
        store.put_run(&format!("{}.again", before.record.id), text.as_bytes(), false).map_err(refused)?;
        Ok(Some(before.record.id))
    }
}

/// An id that nobody else has, with its lock file.
fn claim(history: &History) -> io::Result<(String, u64, File)> {
    loop {
        let now = since_1970();
        let id = id_of(now);
        match File::create_new(history.path(&id, "lock")) {
            Ok(_) if history.path(&id, "json").exists() => std::fs::remove_file(history.path(&id, "lock"))?,
            Ok(file) => return Ok((id, now.as_secs(), file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        // Two runs within the same 256th of a second: the later one takes the next.
        std::thread::sleep(Duration::from_millis(4));
    }
}

fn put(store: &Store, record: &RunRecord, durable: bool) -> io::Result<()> {
    store.put_run(&format!("{}.json", record.id), &serde_json::to_vec(record)?, durable).map_err(refused)
}

fn refused(error: StoreError) -> io::Error {
    io::Error::other(error)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Date and time, and 256ths of a second.
fn id_of(since_1970: Duration) -> String {
    let [year, month, day, hour, minute, second] = civil(since_1970.as_secs());
    let fraction = since_1970.subsec_millis() * 256 / 1000;
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}-{fraction:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    // date -u -d @1795475525 +%Y%m%d-%H%M%S, and the last second of a leap day
    #[test]
    fn ids_are_dates_that_sort() {
        assert_eq!(id_of(Duration::from_millis(1_795_475_525_250)), "20261123-231205-40");
        assert_eq!(id_of(Duration::from_secs(1_709_251_199)), "20240229-235959-00");
        assert!(id_of(Duration::from_millis(999)) < id_of(Duration::from_millis(1000)));
    }
}
