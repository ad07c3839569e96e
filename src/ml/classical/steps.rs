//! Progress of an evaluation: fits that are done, and how far those are that run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::progress::Progress;

/// Counts the fits of a model that are done. Those of another may take a thousand times as long, so that a rate over both would promise nothing.
pub(super) struct Steps<'a> {
    pub(super) done: AtomicU64,
    pub(super) total: u64,
    pub(super) unit: String,
    pub(super) progress: &'a dyn Progress,
}

impl Steps<'_> {
    pub(super) fn advance(&self, note: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.progress.update(done, self.total, &self.unit, note);
    }
}

/// One fit: how far it is stands in the note, since several run at once.
pub(super) struct Fit<'a> {
    /// E.g. `boosting, fold 2`.
    name: &'a str,
    steps: &'a Steps<'a>,
    warnings: Mutex<Vec<String>>,
}

impl<'a> Fit<'a> {
    pub(super) fn new(name: &'a str, steps: &'a Steps<'a>) -> Self {
        Fit { name, steps, warnings: Mutex::default() }
    }

    pub(super) fn warnings(self) -> Vec<String> {
        self.warnings.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Fit<'_> {
    fn update(&self, done: u64, total: u64, unit: &str, _note: &str) {
        let Steps { done: fits, total: all, unit: fits_of, progress } = self.steps;
        let note = format!("{}: {done}/{total} {unit}", self.name);
        progress.update(fits.load(Ordering::Relaxed), *all, fits_of, &note);
    }

    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
        self.steps.progress.warn(message);
    }

    fn cancelled(&self) -> bool {
        self.steps.progress.cancelled()
    }
}
