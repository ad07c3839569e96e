//! One file from the hub: hf-hub does it on a thread of its own, under supervision. Knows nothing of encoders.
//!
//! hf-hub waits without limit and cannot be interrupted. So this thread relays its progress, and abandons it when it is silent
//! for too long or the user wants to stop. An abandoned thread ends at its next sign of life, before it writes another byte.

use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use hf_hub::api::Progress;
use hf_hub::api::sync::{ApiError, ApiRepo};

use super::FetchProgress;

/// Why a file did not come.
#[derive(Debug)]
pub(super) enum Failure {
    /// The hub answered that there is no such file.
    Absent,
    /// Silent for too long: trying again would cost the same again.
    Silent(Duration),
    Cancelled,
    /// The hub was reached and told the size; then the transfer broke.
    Broken(String),
    Other(String),
}

/// Downloads `path` into the cache of `repo`'s api; returns the path of the link to the file.
///
/// The first sign of life must come within `first_answer`, each later one within `silence`.
pub(super) fn transfer(
    repo: ApiRepo,
    path: &str,
    first_answer: Duration,
    silence: Duration,
    progress: &dyn FetchProgress,
) -> Result<PathBuf, Failure> {
    let (sender, events) = mpsc::channel();
    let abandoned = Arc::new(AtomicBool::new(false));
    let relay = Relay { sender: sender.clone(), abandoned: Arc::clone(&abandoned) };
    let name = path.to_string();
    thread::Builder::new()
        .name("hub".to_string())
        .spawn(move || {
            let outcome = repo.download_with_progress(&name, relay);
            // Nobody listens to an abandoned download.
            let _ = sender.send(Event::Ended(outcome));
        })
        .map_err(|error| Failure::Other(error.to_string()))?;
    let outcome = supervise(&events, path, first_answer, silence, progress);
    abandoned.store(true, Ordering::Relaxed);
    outcome
}

fn supervise(
    events: &Receiver<Event>,
    path: &str,
    first_answer: Duration,
    silence: Duration,
    progress: &dyn FetchProgress,
) -> Result<PathBuf, Failure> {
    let mut size = None;
    let mut done = 0;
    let mut limit = first_answer;
    let mut last = Instant::now();
    loop {
        if progress.cancelled() {
            return Err(Failure::Cancelled);
        }
        match events.recv_timeout(Duration::from_millis(50)) {
            Ok(Event::Ended(Ok(link))) => return whole(link, size.unwrap_or(0)),
            Ok(Event::Ended(Err(error))) => return Err(failure_of(&error, size.is_some())),
            Ok(Event::Size(bytes)) => {
                size = Some(bytes);
                done = 0;
            }
            Ok(Event::Read(bytes)) => {
                done += bytes;
                progress.bytes(path, done, size.unwrap_or(0));
            }
            Err(RecvTimeoutError::Timeout) if last.elapsed() > limit => {
                return Err(Failure::Silent(limit));
            }
            Err(RecvTimeoutError::Timeout) => continue,
            // hf-hub panicked, as it does on a redirection without a target.
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Other("the answer made no sense".to_string()));
            }
        }
        limit = silence;
        last = Instant::now();
    }
}

/// A server that closes early without having told a length, or that ignores ranges, is noticed only here.
fn whole(link: PathBuf, announced: u64) -> Result<PathBuf, Failure> {
    let bytes = fs::metadata(&link).map_or(0, |metadata| metadata.len());
    if bytes == announced {
        return Ok(link);
    }
    if let Ok(blob) = fs::canonicalize(&link) {
        let _ = fs::remove_file(blob);
    }
    let _ = fs::remove_file(&link);
    Err(Failure::Broken(format!("{bytes} of {announced} bytes came")))
}

/// ureq's error types are not ours to name (hf-hub chooses its version), so the status is read from the text.
fn failure_of(error: &ApiError, began: bool) -> Failure {
    let text = error.to_string();
    let text = text.strip_prefix("request error: ").unwrap_or(&text);
    if text.contains("http status: 404") {
        Failure::Absent
    } else if text.contains("http status: 401") || text.contains("http status: 403") {
        Failure::Other(format!("{text} (no such repository, or a private one)"))
    } else if began {
        Failure::Broken(text.to_string())
    } else {
        Failure::Other(text.to_string())
    }
}

enum Event {
    Size(u64),
    Read(u64),
    Ended(Result<PathBuf, ApiError>),
}

/// hf-hub's side of the supervision.
struct Relay {
    sender: Sender<Event>,
    abandoned: Arc<AtomicBool>,
}

impl Relay {
    fn tell(&self, event: Event) {
        if self.abandoned.load(Ordering::Relaxed) || self.sender.send(event).is_err() {
            // The only way out of hf-hub's copy loop. It runs no panic hook, so nothing is printed, and hf-hub's file lock is
            // released on the way; the thread is this download's own.
            resume_unwind(Box::new("download abandoned"));
        }
    }
}

impl Progress for Relay {
    fn init(&mut self, size: usize, _filename: &str) {
        self.tell(Event::Size(size as u64));
    }

    fn update(&mut self, size: usize) {
        self.tell(Event::Read(size as u64));
    }

    fn finish(&mut self) {}
}
