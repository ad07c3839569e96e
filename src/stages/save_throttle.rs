//! `SaveThrottle`: when to save what was done so far.
//!
//! By the clock, so it may decide what a kill costs, and nothing else.

use std::time::{Duration, Instant};

/// The least time between two saves; what ends sooner is saved once, at its end.
const PAUSE: Duration = Duration::from_millis(100);

/// The reciprocal of the share of the time that may go into saving: a slow disk is asked less often.
const SHARE: u32 = 50;

pub(super) struct SaveThrottle {
    began: Instant,
    last: Instant,
    spent: Duration,
    saves: u32,
}

impl SaveThrottle {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        SaveThrottle { began: now, last: now, spent: Duration::ZERO, saves: 0 }
    }

    /// Whether it is time to save: the pause is over, and one more of the usual cost keeps within the share.
    pub(crate) fn is_due(&self) -> bool {
        let usual = self.spent / self.saves.max(1);
        self.last.elapsed() >= PAUSE && (self.spent + usual) * SHARE <= self.began.elapsed()
    }

    /// Something was saved; to prepare and write it was begun at `begun`.
    pub(crate) fn saved(&mut self, begun: Instant) {
        self.spent += begun.elapsed();
        self.saves += 1;
        self.last = Instant::now();
    }
}
