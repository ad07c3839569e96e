//! What the engine tells while it works. It prints nothing itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::record::ActionRecord;

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Executed.
    Ran,
    /// Taken from the store without executing.
    Restored,
    /// Already in place.
    Fresh,
    /// Its own work failed; nothing was committed.
    Failed,
    /// Something that it depends on failed.
    Blocked,
    /// Never begun, because the run ended before: something else failed, or the user ended it.
    NotReached,
    /// Cut short, because the user ended the run.
    Interrupted,
}

/// `Waiting`: another runner works on the same action; the stage takes nothing of the machine until that one ends.
#[derive(Clone, Debug)]
pub enum Event {
    Started { stage: String, reasons: Vec<String> },
    Waiting { stage: String },
    Progress { stage: String, done: u64, total: u64, unit: String, note: String },
    Warned { stage: String, message: String },
    Finished { stage: String, outcome: Outcome, seconds: f64, error: Option<String>, record: Option<Arc<ActionRecord>> },
}

/// Where events go; called from several threads.
pub type Sink<'a> = &'a (dyn Fn(Event) + Sync);
