//! The trials of a search: the stage with other values at the paths that are searched over.
//!
//! A search names parameters by paths, as `--set` does, so a trial is made as every stage is: read from parameters as written, with the same checks.

use super::Train;
use super::changes::{Changes, SEARCH};
use runner_ml::search::{Point, SearchSpec};

/// A stage and its search.
pub(super) struct Trials<'a> {
    pub changes: Changes<'a>,
    pub search: &'a SearchSpec,
}

impl<'a> Trials<'a> {
    pub(super) fn of(stage: &'a Train, search: &'a SearchSpec) -> Self {
        Trials { changes: Changes::of(stage, SEARCH), search }
    }

    /// The stage with the values of `point`, and as many epochs as a trial has.
    ///
    /// # Errors
    /// As [`Changes::at`].
    pub(super) fn trial(&self, point: &Point) -> Result<Train, String> {
        let chosen = self.changes.at(point)?;
        Ok(Train { epochs: self.search.epochs.unwrap_or(chosen.epochs), ..chosen })
    }
}
