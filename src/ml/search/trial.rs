//! What a point of the space goes through, and the trial that it is when it ended.

pub(crate) use runner_results::search::{State, Trial};

use super::space::Point;
use crate::train::{Curves, PartScores};

/// What a trial went through, up to its last epoch or to the rung that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRun {
    /// One entry for each epoch.
    pub curves: Curves,
    /// The epoch whose weights are kept; none where the loss was never finite.
    pub best_epoch: Option<usize>,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
}

impl TrialRun {
    pub(super) fn nothing() -> Self {
        TrialRun { curves: Curves::default(), best_epoch: None, diverged: None }
    }

    /// The scores of the kept epoch on the validation part.
    pub(super) fn scores(&self) -> Option<PartScores> {
        let curves = &self.curves;
        let row = curves.epoch.iter().position(|epoch| Some(*epoch as usize) == self.best_epoch)?;
        Some(curves.valid_scores(row))
    }
}

/// A trial and its curves up to here. One that stands at a rung counts as pruned there until it goes on.
pub(super) fn ended(index: usize, params: &Point, trial_run: TrialRun, rung: Option<usize>) -> (Trial, Curves) {
    let valid = trial_run.scores();
    let TrialRun { curves, best_epoch, diverged } = trial_run;
    let state = match (diverged, rung) {
        (Some(_), _) => State::Diverged,
        (None, Some(_)) => State::Pruned,
        (None, None) => State::Complete,
    };
    let epochs = curves.len().saturating_sub(1);
    (Trial { index, params: params.clone(), state, valid, best_epoch, epochs }, curves)
}
