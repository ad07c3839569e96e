//! `runner run --watch`: after a run, waits for a save of the pipeline, of a file that it includes or of one that a stage reads, and runs anew.
//!
//! Looks at the files' stamps some fifty times a second rather than asking the system for notices: that is the same on every file system,
//! sees a save by rename as any other, and costs microseconds for the handful of files of a study.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{DONE, INTERRUPTED, Outcome, StudyArguments, output};
use crate::artifact::FileStamp;
use crate::{engine, spec, stages};

/// Between two looks. A change is acted upon when two looks have found the same, so a half-written save is waited for.
const PAUSE: Duration = Duration::from_millis(20);
/// Editors that save by rename remove the old file first; one that is gone for longer is really gone.
const ABSENCE: Duration = Duration::from_millis(200);

/// Repeats `round` after every change, which is told to `changed`; `settled` learns how many files are watched. Ends with the first Ctrl-C:
/// with 130 if it interrupted a round, with 0 if there was nothing left to do. Ends after the round in which standard output was lost, too.
pub(super) fn watch(
    arguments: &StudyArguments,
    interrupted: &dyn Fn() -> bool,
    round: &mut dyn FnMut() -> Outcome,
    settled: &dyn Fn(usize),
    changed: &dyn Fn(&[&Path]),
) -> Outcome {
    // A name that is mistyped on the command line would be waited for in vain.
    if !arguments.file.exists() {
        return round();
    }
    let mut files = Vec::new();
    loop {
        files = watched(arguments, &files);
        // Before the round reads them: what changes meanwhile is found afterwards.
        let before = stamps(&files);
        match round() {
            Ok(INTERRUPTED) => return Ok(INTERRUPTED),
            Ok(_) => {}
            Err(failure) => {
                super::tell(failure);
            }
        }
        settled(files.len());
        // Whoever was told of it has gone away, or their disk is full.
        if output::is_lost() {
            return Ok(DONE);
        }
        let Some(found) = wait(&files, &before, interrupted) else { return Ok(DONE) };
        changed(&found);
    }
}

/// The pipeline file, what it includes, and what its stages read. Of a pipeline with mistakes that is not known: what was watched before
/// stays.
fn watched(arguments: &StudyArguments, before: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = match spec::load(&arguments.file, &arguments.set) {
        Ok(spec) => {
            let sources = engine::sources(&spec, stages::registry());
            spec.files().iter().cloned().chain(sources).collect()
        }
        Err(problems) => [problems.sources.files(), before].concat(),
    };
    files.sort();
    files.dedup();
    files
}

/// `None` if the file is not there.
type Stamp = Option<FileStamp>;

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    files.iter().map(|file| FileStamp::at(file).ok()).collect()
}

/// Waits until files differ from their stamps and have come to rest. `None` after Ctrl-C.
fn wait<'f>(files: &'f [PathBuf], before: &[Stamp], interrupted: &dyn Fn() -> bool) -> Option<Vec<&'f Path>> {
    let mut last = before.to_vec();
    let mut rest = Instant::now();
    loop {
        let look = Instant::now();
        let now = stamps(files);
        if now != last {
            rest = look;
        } else if now != before {
            let differs = |i: &usize| now[*i] != before[*i];
            let gone = (0..files.len()).filter(differs).any(|i| now[i].is_none());
            if !gone || rest.elapsed() >= ABSENCE {
                return Some((0..files.len()).filter(differs).map(|i| files[i].as_path()).collect());
            }
        }
        if interrupted() {
            return None;
        }
        last = now;
        // Thousands of files, or a slow network: no more than a tenth of the time goes into looking.
        std::thread::sleep(PAUSE.max(look.elapsed() * 10));
    }
}
