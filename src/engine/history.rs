//! What was run here: one record for every run, under `.store/runs/`.
//!
//! | file | holds |
//! |---|---|
//! | `ID.json` | the [`RunRecord`]; written when the run starts, replaced when it ends |
//! | `ID.stages` | a line for every stage as it begins and as it ends, while the run goes on; the record has them all once it has ended |
//! | `ID.lock` | held by the kernel for as long as the run's process lives, gone when the run has ended |
//! | `ID.again` | how often the same pipeline was found to have nothing to do right after, and when last |
//! | `ID.pin` | nothing; its presence keeps the run and its results from garbage collection |
//!
//! Side files instead of fields: whoever pins or repeats a run must not rewrite what another process is about to replace.
//! A record tells and decides nothing: no cache key and no decision reads it. Written in `recorder`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::event::Outcome;
use runner_artifact::{Digest, Store};
use runner_boundary::files::{open_regular, read_regular, read_regular_text};

/// Layout of a run record; one of a later layout is not listed.
pub(super) const FORMAT: u32 = 1;

/// Endings of what lies beside a record.
const SIDE_FILES: [&str; 4] = ["again", "pin", "stages", "lock"];

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// It has not ended yet.
    Running,
    /// Everything is up to date.
    Done,
    /// A stage failed.
    Failed,
    /// The user stopped it.
    Interrupted,
    /// Its process ended without a word. Never written: the record says `running`, and nobody holds its lock.
    Killed,
}

impl RunOutcome {
    /// E.g. `done`.
    pub fn name(self) -> &'static str {
        match self {
            RunOutcome::Running => "running",
            RunOutcome::Done => "done",
            RunOutcome::Failed => "failed",
            RunOutcome::Interrupted => "interrupted",
            RunOutcome::Killed => "killed",
        }
    }
}

/// One run of one pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub(crate) format: u32,
    /// Date, time (UTC) and 256ths of a second at the start, e.g. `20261122-231205-3f`: sorts by time.
    pub id: String,
    /// Its name.
    pub pipeline: String,
    /// The pipeline file as it was named.
    pub file: String,
    /// The `--set`s.
    pub set: Vec<String>,
    /// The stages that were asked for; empty for all.
    pub asked: Vec<String>,
    /// Seconds since 1970.
    pub started: u64,
    #[serde(default)]
    pub(crate) ended: Option<u64>,
    /// By a clock that does not jump.
    pub seconds: f64,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// Why the run as a whole failed, where it was no stage's failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The program's version.
    pub runner: String,
    /// The machine's name, where the system tells.
    pub host: Option<String>,
    /// E.g. `linux 6.8.0 x86_64`.
    pub os: String,
    /// The model's name, where the system tells.
    pub cpu: Option<String>,
    /// That the run might use.
    pub threads: usize,
    /// The most bytes that the process held at once; absent where the system does not tell.
    pub peak_memory: Option<u64>,
    /// In topological order; of a run that has not ended, or was killed, those that have begun, in the order in which they did.
    pub stages: Vec<StageEntry>,
}

/// How one stage fared in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageEntry {
    /// In the pipeline.
    pub stage: String,
    /// Its kind's name.
    pub kind: String,
    /// The cache key of its result, under which the store keeps the action record.
    pub key: Option<Digest>,
    /// How it ended.
    pub outcome: Outcome,
    /// Wall-clock time.
    pub seconds: f64,
    /// Of the execution that made the result, be it in this run or an earlier one.
    #[serde(default)]
    pub(crate) peak_memory: Option<u64>,
    /// The result in a line, as the stage itself said.
    pub headline: String,
    /// In words; `None` unless it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl RunRecord {
    /// Stages that ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.stages.iter().filter(|stage| stage.outcome == outcome).count()
    }

    /// `None` where the run did not look at it.
    pub fn stage(&self, name: &str) -> Option<&StageEntry> {
        self.stages.iter().find(|stage| stage.stage == name)
    }

    /// Whether both ended well with the same results.
    pub(crate) fn same_results(&self, other: &RunRecord) -> bool {
        let keys = |run: &RunRecord| -> Vec<(String, Option<Digest>)> {
            run.stages.iter().map(|stage| (stage.stage.clone(), stage.key)).collect()
        };
        self.pipeline == other.pipeline
            && (self.outcome, other.outcome) == (RunOutcome::Done, RunOutcome::Done)
            && keys(self) == keys(other)
    }
}

/// A record with what lies beside it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// As it stands on disk.
    #[serde(flatten)]
    pub record: RunRecord,
    /// Whether it is kept whatever its age.
    pub pinned: bool,
    /// Runs that found nothing to do right after this one.
    pub repeated: u64,
    /// When the last of them was, in seconds since 1970.
    pub repeated_at: Option<u64>,
}

/// Why a run cannot be found or changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum HistoryError {
    #[error("no run is recorded in '{}' yet", folder.display())]
    Empty { folder: PathBuf },
    #[error("no run '{name}' (`runner runs` lists them; `last`, `last~1` … count back from the newest of {runs})")]
    Unknown { name: String, runs: usize },
    #[error("'{name}' may be {}; write more of the id", found.join(" or "))]
    Ambiguous { name: String, found: Vec<String> },
    #[error("cannot {action} '{}': {error}", path.display())]
    Io { action: &'static str, path: PathBuf, error: io::Error },
}

/// The runs of one store.
pub struct History {
    folder: PathBuf,
}

impl History {
    /// Of every run whose record can be read.
    pub fn of(store: &Store) -> Self {
        History { folder: store.runs() }
    }

    /// Ids, oldest first.
    pub(crate) fn ids(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut ids: Vec<String> =
            names.filter_map(|name| name.strip_suffix(".json").filter(|id| is_id(id)).map(str::to_owned)).collect();
        ids.sort_unstable();
        ids
    }

    /// All runs, newest first. What cannot be read (torn by a power failure, or of a later format) is left out.
    pub fn runs(&self) -> impl Iterator<Item = Run> {
        self.ids().into_iter().rev().filter_map(|id| self.get(&id))
    }

    /// Files of runs that cannot be read: damaged, torn by a power failure, or of a later format.
    pub fn unreadable(&self) -> Vec<PathBuf> {
        self.ids().iter().filter(|id| self.get(id).is_none()).map(|id| self.path(id, "json")).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Run> {
        let mut record = self.read(id)?;
        if record.outcome == RunOutcome::Running && !self.is_alive(id) {
            // It may have ended between the two looks; if it has not, it never will.
            record = self.read(id)?;
            if record.outcome == RunOutcome::Running {
                record.outcome = RunOutcome::Killed;
            }
        }
        if matches!(record.outcome, RunOutcome::Running | RunOutcome::Killed) {
            record.stages = self.stages_so_far(id);
            if record.outcome == RunOutcome::Running {
                record.stages.retain(|stage| stage.outcome != Outcome::Interrupted);
            }
        }
        let again = read_regular_text(&self.path(id, "again")).unwrap_or_default();
        let mut again = again.split_whitespace().map(|number| number.parse::<u64>().ok());
        Some(Run {
            record,
            pinned: self.path(id, "pin").exists(),
            repeated: again.next().flatten().unwrap_or(0),
            repeated_at: again.next().flatten(),
        })
    }

    /// What the run wrote as its stages began and ended. A stage's last line holds; one that was cut off in the middle of writing is left out.
    fn stages_so_far(&self, id: &str) -> Vec<StageEntry> {
        let text = read_regular(&self.path(id, "stages")).unwrap_or_default();
        let mut stages: IndexMap<String, StageEntry> = IndexMap::new();
        for line in text.split(|byte| *byte == b'\n') {
            if let Ok(entry) = serde_json::from_slice::<StageEntry>(line) {
                stages.insert(entry.stage.clone(), entry);
            }
        }
        stages.into_values().collect()
    }

    /// A run by its id, by a part of it that no other has, or counted back from the newest: `last`, `last~1`.
    pub fn find(&self, name: &str) -> Result<Run, HistoryError> {
        let ids = self.ids();
        if ids.is_empty() {
            return Err(HistoryError::Empty { folder: self.folder.clone() });
        }
        // Only what can be read is counted, as `runs` lists it.
        let unknown = || HistoryError::Unknown { name: name.to_owned(), runs: self.runs().count() };
        if let Some(back) = back(name) {
            return ids.iter().rev().filter_map(|id| self.get(id)).nth(back).ok_or_else(unknown);
        }
        let found: Vec<&String> = match ids.iter().find(|id| *id == name) {
            Some(id) => vec![id],
            None => ids.iter().filter(|id| name.len() >= 2 && id.contains(name)).collect(),
        };
        match found.as_slice() {
            [id] => self.get(id).ok_or_else(unknown),
            [] => Err(unknown()),
            several => Err(HistoryError::Ambiguous {
                name: name.to_owned(),
                found: several.iter().take(4).map(ToString::to_string).collect(),
            }),
        }
    }

    /// Whether `name` has the form of a run's name (`last`, `last~2`, or digits of an id), be there such a run or not.
    pub fn names_run(name: &str) -> bool {
        back(name).is_some() || is_id(name) || (name.len() >= 8 && name[..8].bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Keeps a run whatever its age, or no longer.
    pub fn pin(&self, id: &str, pinned: bool) -> Result<(), HistoryError> {
        let path = self.path(id, "pin");
        let (action, done) = if pinned {
            // Nothing is written where something stands: it may be a link.
            ("write", File::create_new(&path).map(drop).or_else(|error| is_there(&error).then_some(()).ok_or(error)))
        } else {
            ("remove", fs::remove_file(&path).or_else(|error| absent_is_fine(&error).then_some(()).ok_or(error)))
        };
        done.map_err(|error| HistoryError::Io { action, path, error })
    }

    /// Takes a run out of the history, its side files first, so that nothing is left beside no record.
    pub fn remove(&self, id: &str) -> Result<(), HistoryError> {
        for end in SIDE_FILES.into_iter().chain(["json"]) {
            let path = self.path(id, end);
            if let Err(error) = fs::remove_file(&path)
                && !absent_is_fine(&error)
            {
                return Err(HistoryError::Io { action: "remove", path, error });
            }
        }
        Ok(())
    }

    /// Removes side files whose record is gone or was never written, and records that a power failure tore, unless they are young: a run that
    /// starts writes its lock first.
    pub fn tidy(&self) {
        const YOUNG: Duration = Duration::from_secs(3600);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let old = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > YOUNG));
            let side = path.extension().is_some_and(|end| SIDE_FILES.iter().any(|own| end == *own));
            let alone = side && !path.with_extension("json").exists();
            if old && (alone || is_torn(&path)) {
                // What cannot be removed now is removed another time.
                let _ = fs::remove_file(&path);
            }
        }
    }

    pub(super) fn path(&self, id: &str, end: &str) -> PathBuf {
        self.folder.join(format!("{id}.{end}"))
    }

    fn read(&self, id: &str) -> Option<RunRecord> {
        let record: RunRecord = serde_json::from_slice(&read_regular(&self.path(id, "json")).ok()?).ok()?;
        (record.format == FORMAT && record.id == id).then_some(record)
    }

    /// Whether the run's process holds its lock. No process number is asked for: those are given anew.
    fn is_alive(&self, id: &str) -> bool {
        let Ok(file) = open_regular(&self.path(id, "lock")) else { return false };
        match file.try_lock_shared() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            // A file system without locks cannot tell; calling a living run dead would be the worse mistake.
            Err(TryLockError::Error(_)) => true,
        }
    }
}

/// Whether it is a run's record by its name, but no JSON at all; one of a later format is.
fn is_torn(path: &Path) -> bool {
    let id = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
    id.is_some_and(is_id)
        && fs::read(path).is_ok_and(|bytes| serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err())
}

fn is_there(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}

fn absent_is_fine(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// How far `last` or `last~N` goes back.
fn back(name: &str) -> Option<usize> {
    match name.strip_prefix("last")? {
        "" => Some(0),
        rest => rest.strip_prefix('~')?.parse().ok(),
    }
}

/// `20261122-231205-3f`.
fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 18
        && bytes.iter().enumerate().all(|(i, byte)| match i {
            8 | 15 => *byte == b'-',
            16.. => byte.is_ascii_hexdigit(),
            _ => byte.is_ascii_digit(),
        })
}
