//! How long work tells of itself and learns that it must stop.

/// What a long computation calls now and then. `&dyn Progress` is shared by its threads.
pub trait Progress: Sync {
    /// `done` of `total`, in `unit`, e.g. `epochs`; `note` is a short phrase such as `loss 0.412, valid 0.683`.
    fn update(&self, done: u64, total: u64, unit: &str, note: &str);

    /// A finding that the user should read, e.g. `training diverged at epoch 4`.
    fn warn(&self, message: &str);

    /// True once the user wants to stop: return `Cancelled` soon (within a few hundred milliseconds).
    fn cancelled(&self) -> bool;
}

impl dyn Progress + '_ {
    /// An error once the user wants to stop.
    pub fn go_on(&self) -> Result<(), Cancelled> {
        if self.cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// Says nothing and never stops; for tests and library use.
pub struct Silent;

impl Progress for Silent {
    fn update(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}
    fn warn(&self, _message: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// The error that work returns when `Progress::cancelled` said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Cancelled;
