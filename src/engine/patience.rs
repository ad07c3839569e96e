//! How long cancelled work may take to end by itself before whoever waits for it leaves: with looking now and then, under a second in all.

use std::time::{Duration, Instant};

/// How often to look at what others may change: a cancelled run, a lock that another runner holds.
pub const LOOK: Duration = Duration::from_millis(50);

const PATIENCE: Duration = Duration::from_millis(850);

/// Runs out some time after the first look at which the work was cancelled.
#[derive(Default)]
pub struct Patience {
    asked: Option<Instant>,
}

impl Patience {
    /// To be asked again and again; the clock starts at the first `cancelled`.
    pub fn is_over(&mut self, cancelled: bool) -> bool {
        cancelled && self.asked.get_or_insert_with(Instant::now).elapsed() >= PATIENCE
    }
}
