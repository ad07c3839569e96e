//! `Pace`: when to save what was done so far.
//!
//! By the clock, so it may decide what a kill costs, and nothing else.

use std::time::{Duration, Instant};

/// The least time between two saves; what ends sooner is saved once, at its end.
const PAUSE: Duration = Duration::from_millis(250);

/// One hundredth of the time may go into saving: a slow disk is asked less often.
const COST: u32 = 100;

pub(super) struct Pace {
    /// When something was saved last, or the work began.
    last: Instant,
    pause: Duration,
}

impl Pace {
    pub fn new() -> Self {
        Pace { last: Instant::now(), pause: PAUSE }
    }

    pub fn is_due(&self) -> bool {
        self.last.elapsed() >= self.pause
    }

    /// Something was saved; to prepare and write it was begun at `begun`.
    pub fn saved(&mut self, begun: Instant) {
        self.pause = PAUSE.max(begun.elapsed() * COST);
        self.last = Instant::now();
    }
}
