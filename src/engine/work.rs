//! A stage's state in a run, and the work that takes it from one to the next.
//!
//! ```text
//!  Unready ──→ Queued ──→ Running ──→ Ended
//!     │          ↑           │         ↑
//!     │          └───────────┘         │   what was fetched: decided on again, with work that is known now
//!     └────────────────────────────────┘   fresh, or cannot be decided on; blocked by a stage that failed
//! ```
//!
//! It becomes ready when all that it depends on has ended well. It stays queued while another runner works on the same action, and then takes
//! nothing of the budget. What has not ended when a run stops was not reached.

use std::sync::Arc;
use std::time::Instant;

use super::event::{Outcome, Sink};
use super::execute::Execution;
use super::manifest::Manifest;
use super::reason::StaleReason;
use super::record::ActionRecord;
use super::repair::Repairs;
use super::resources::Need;
use super::workspace::Workspace;
use runner_artifact::{ActionLock, Digest};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum State {
    /// Something that it depends on has not ended.
    #[default]
    Unready,
    Queued,
    Running,
    Ended {
        outcome: Outcome,
        seconds: f64,
    },
}

impl State {
    /// Whether the drawing above has that arrow.
    pub(crate) fn may_become(self, next: State) -> bool {
        matches!(
            (self, next),
            (State::Unready, State::Queued | State::Ended { .. })
                | (State::Queued, State::Running)
                | (State::Running, State::Queued | State::Ended { .. })
        )
    }
}

/// What there is to do about a stage that is not fresh.
pub(super) enum Work {
    Fetch,
    Restore(Arc<ActionRecord>),
    Compute { manifest: Manifest, reasons: Vec<StaleReason>, lock: Option<ActionLock> },
}

/// A stage that could start.
pub(super) struct Waiting {
    pub(crate) stage: usize,
    pub(crate) need: Need,
    pub(crate) work: Work,
    /// How many stages behind it have started since it was ready.
    pub(crate) overtaken: usize,
    /// Another runner works on the same action, which has been said: nobody knows for how long.
    pub(crate) contended: bool,
}

/// Work with all that a thread needs for it.
pub(super) struct Task {
    pub(crate) stage: usize,
    pub(crate) need: Need,
    pub(crate) force: bool,
    pub(crate) work: Work,
    /// The record behind each input.
    pub(crate) inputs: Vec<Arc<ActionRecord>>,
}

pub(super) struct Finished {
    pub(crate) stage: usize,
    /// Of the action that was computed.
    pub(crate) key: Option<Digest>,
    pub(crate) need: Need,
    pub(crate) seconds: f64,
    pub(crate) outcome: anyhow::Result<Done>,
}

pub(super) enum Done {
    Fetched,
    Settled(Outcome, Arc<ActionRecord>),
}

impl Task {
    pub(crate) fn carry_out(
        self,
        workspace: &Workspace,
        repairs: &Repairs,
        sink: Sink,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Finished {
        let Task { stage, need, force, work, inputs } = self;
        let clock = Instant::now();
        let key = match &work {
            Work::Compute { manifest, .. } => Some(manifest.key()),
            Work::Fetch | Work::Restore(_) => None,
        };
        let threads = need.cpus;
        let execution = Execution { workspace, stage, threads, force, repairs, repairing: false, sink, cancelled };
        let settled = |(outcome, record)| Done::Settled(outcome, record);
        let outcome = match work {
            Work::Fetch => execution.fetch().map(|()| Done::Fetched),
            Work::Restore(record) => execution.restore(record, &inputs).map(settled),
            Work::Compute { manifest, reasons, lock } => {
                execution.compute(manifest, &reasons, &inputs, lock).map(settled)
            }
        };
        Finished { stage, key, need, seconds: clock.elapsed().as_secs_f64(), outcome }
    }
}
