//! Lets learning code report through the engine: `ml` and the engine do not know each other.

use runner_engine as engine;
use runner_ml::progress::Progress;

/// A stage's report, as `ml` wants it.
pub(super) struct Adapter<'a>(pub &'a dyn engine::Report);

impl Progress for Adapter<'_> {
    fn update(&self, done: u64, total: u64, unit: &str, note: &str) {
        self.0.progress(done, total, unit, note);
    }

    fn warn(&self, message: &str) {
        self.0.warn(message);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

/// For one of several fits, of which only the whole is shown: what it says of its own steps goes nowhere.
pub(super) struct Quiet<'a>(pub &'a dyn Progress);

impl Progress for Quiet<'_> {
    fn update(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}

    fn warn(&self, message: &str) {
        self.0.warn(message);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
