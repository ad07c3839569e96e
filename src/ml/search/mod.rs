//! Search over parameters by path: which points to try (`space`, `tpe`), how long each (`brackets`), side by side, and what came of it (`factors`).
//!
//! A trial is known by its parameters alone, so its curves can be kept and used again. Trials are chosen on the validation
//! part only. Whatever is decided, is decided when all the trials that bear on it have ended: no number of threads reaches a
//! result. Only a budget in minutes does, by the number of trials.

mod bracket_run;
mod brackets;
mod factors;
mod fanova;
mod propose;
mod space;
mod spec;
#[cfg(test)]
mod tests;
mod tpe;
mod trial;

use serde_json::Value;

use super::progress::{Cancelled, Progress};
use super::train::Curves;
use bracket_run::Heat;
use brackets::brackets;

pub use space::{Point, Range, apply};
pub(crate) use spec::Method;
pub use spec::PruningSpec;
pub use spec::SearchSpec;
pub use trial::TrialRun;
pub(crate) use trial::{State, Trial};

/// Trials that are begun together where neither their number nor a bracket bounds them; they do not compete, so the number reaches no result.
const AT_ONCE: usize = 64;

/// A search that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// What is written as a document.
    pub search: runner_results::search::Search,
    /// Of each trial.
    pub curves: Vec<Curves>,
}

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum SearchError {
    #[error("trial {index} ({params}): {message}")]
    Trial { index: usize, params: String, message: String },
    #[error("the space holds no point to try")]
    NoPoint,
    #[error(
        "the loss of every one of {trials} trials stopped being finite: search over lower learning rates, or set clip_norm"
    )]
    AllDiverged { trials: usize },
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Trains with the parameters of one point, to the epoch of a rung or to the end; the error is for the user. What it gave at one rung must be the
/// beginning of what it gives at the next.
pub(crate) type RunTrial<'a> = dyn Fn(&Point, Option<usize>) -> Result<TrialRun, String> + Sync + 'a;

/// What a search is over, and what it may use.
pub struct Search<'a> {
    /// The space, and how to search it.
    pub spec: &'a SearchSpec,
    /// The parameters as they stand.
    pub written: &'a Value,
    /// Of a whole trial.
    pub epochs: usize,
    /// What points and trainings follow from.
    pub seed: u64,
    /// Trials that run side by side; no result depends on it.
    pub threads: usize,
    /// Whether the time is up, so that no trial may begin after this many have.
    pub is_over: &'a (dyn Fn(usize) -> bool + Sync),
}

impl Search<'_> {
    /// Runs the trials and names the best. Of several errors the one of the smallest index is told.
    pub fn run(&self, progress: &dyn Progress, trial: &RunTrial) -> Result<SearchResult, SearchError> {
        let metric = self.spec.metric();
        let grid = (self.spec.method == Method::Grid).then(|| space::grid(&self.spec.space));
        let total = grid.as_ref().map(Vec::len).or(self.spec.drawn_trials());
        let (mut trials, mut curves): (Vec<Trial>, Vec<Curves>) = Default::default();
        let mut out_of_time = false;
        for bracket in brackets(self.spec, self.epochs) {
            let left = total.map(|total| total - trials.len());
            let size = bracket.trials.into_iter().chain(left).min().unwrap_or(AT_ONCE);
            out_of_time = !trials.is_empty() && size > 0 && (self.is_over)(trials.len());
            if size == 0 || out_of_time {
                break;
            }
            let points: Vec<Point> = match &grid {
                Some(grid) => grid[trials.len()..trials.len() + size].to_vec(),
                None => propose::propose(self.spec, self.written, self.seed, &trials, size),
            };
            let begun = trials.len();
            let bracket_run = Heat { search: self, begun, points: &points, total, progress, trial };
            for (trial, curves_of_trial) in bracket_run.run(&bracket.rungs)? {
                trials.push(trial);
                curves.push(curves_of_trial);
            }
            out_of_time = trials.len() < begun + size;
            if out_of_time {
                break;
            }
        }
        if trials.is_empty() {
            return Err(SearchError::NoPoint);
        }
        let complete = |trial: &Trial| trial.state == State::Complete;
        let standing = |trial: &Trial| Some((complete(trial), trial.merit(metric)?, trial.index));
        // A trial that did not run to its end is taken only where none did.
        let better = |a: &(bool, f64, usize), b: &(bool, f64, usize)| (b.0, b.1) > (a.0, a.1);
        let best = trials.iter().filter_map(standing).reduce(|a, b| if better(&a, &b) { b } else { a });
        let (.., best) = best.ok_or(SearchError::AllDiverged { trials: trials.len() })?;
        let factors = factors::factors(&self.spec.space, metric, &trials, self.seed);
        let method = self.spec.method;
        let search = runner_results::search::Search { method, metric, trials, best, out_of_time, factors };
        Ok(SearchResult { search, curves })
    }
}
