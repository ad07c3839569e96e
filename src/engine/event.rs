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
    /// The stage runs.
    Started {
        /// By its name in the pipeline.
        stage: String,
        /// Why it runs.
        reasons: Vec<String>,
    },
    /// Another runner computes the same action.
    Waiting {
        /// By its name in the pipeline.
        stage: String,
    },
    /// The stage says how far it is.
    Progress {
        /// By its name in the pipeline.
        stage: String,
        /// In `unit`.
        done: u64,
        /// In `unit`; 0 where nobody knows it.
        total: u64,
        /// E.g. `epochs`.
        unit: String,
        /// E.g. a score so far; may be empty.
        note: String,
    },
    /// The stage says something that is no error.
    Warned {
        /// By its name in the pipeline.
        stage: String,
        /// In words.
        message: String,
    },
    /// Nothing more will be told of the stage.
    Finished {
        /// By its name in the pipeline.
        stage: String,
        /// How it ended.
        outcome: Outcome,
        /// Wall-clock time.
        seconds: f64,
        /// In words; `None` unless it failed.
        error: Option<String>,
        /// `None` where there is no result.
        record: Option<Arc<ActionRecord>>,
    },
}

/// Where events go; called from several threads.
pub(crate) type Sink<'a> = &'a (dyn Fn(Event) + Sync);
