//! The trials of a search: the stage with other values at the paths that are searched over.
//!
//! A search names parameters by paths, as `--set` does, so a trial is made as every stage is: read from parameters as written, with the same checks.

use serde_json::Value;

use super::Train;
use runner_ml::search::{Point, SearchSpec, apply};

/// Parameters that no trial has for itself: rows are read once for all of them, each trains one network, none searches, and none predicts.
pub(super) const FIXED: [&str; 5] = ["where", "sample_weight", "seeds", "search", "threshold"];

/// A stage and its search.
pub(super) struct Trials<'a> {
    pub stage: &'a Train,
    pub search: &'a SearchSpec,
    /// The stage's parameters but for its search, which every trial begins with.
    written: Value,
}

impl<'a> Trials<'a> {
    pub(super) fn of(stage: &'a Train, search: &'a SearchSpec) -> Self {
        // A stage that was read from parameters can be written as such.
        let mut written = serde_json::to_value(stage).unwrap_or_default();
        if let Some(object) = written.as_object_mut() {
            object.remove("search");
        }
        Trials { stage, search, written }
    }

    /// The parameters of the stage with the values of `point`.
    ///
    /// # Errors
    /// A path leads nowhere.
    pub(super) fn changed(&self, point: &Point) -> Result<Value, String> {
        apply(&self.written, point)
    }

    /// The stage with the values of `point`.
    ///
    /// # Errors
    /// A path leads nowhere, or a value is none of its parameter's.
    pub(super) fn at(&self, point: &Point) -> Result<Train, String> {
        serde_json::from_value(self.changed(point)?).map_err(|error| error.to_string())
    }

    /// The same with as many epochs as a trial has.
    ///
    /// # Errors
    /// As [`Trials::at`].
    pub(super) fn trial(&self, point: &Point) -> Result<Train, String> {
        let chosen = self.at(point)?;
        Ok(Train { epochs: self.search.epochs.unwrap_or(chosen.epochs), ..chosen })
    }
}
