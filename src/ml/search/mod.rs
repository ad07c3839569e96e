//! Search over parameters by path: which points to try (`space`, `tpe`), how long each (`brackets`), side by side, and what came of it (`factors`).
//!
//! A trial is known by its parameters alone, so its course can be kept and taken again. Trials are chosen on the validation part only. Whatever is decided,
//! is decided when all the trials that bear on it have ended: no number of threads reaches a result.
//! Knows nothing of networks: a trial is a function of a JSON object of parameters that gives learning curves.

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

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::progress::{Cancelled, Progress};
use super::train::{Metric, side_by_side};
use brackets::{Bracket, brackets, promoted};

pub use factors::{Aspect, Factor, Scale};
pub use space::{Point, Range, apply};
pub use spec::{Method, PruningKind, PruningSpec, SearchSpec};
pub use trial::{Course, State, Trial};

/// Trials that are begun together where neither their number nor a bracket bounds them; they do not compete, so the number reaches no result.
const AT_ONCE: usize = 64;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchResult {
    pub method: Method,
    pub metric: Metric,
    pub trials: Vec<Trial>,
    /// Index of the best trial that ran to its end; the first of equals.
    pub best: usize,
    /// Whether the clock ended it.
    pub out_of_time: bool,
    /// What varied, and how much it matters.
    pub factors: Vec<Factor>,
}

#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("trial {index} ({params}): {message}")]
    Trial { index: usize, params: String, message: String },
    #[error("the space holds no point to try")]
    NoPoint,
    #[error("the loss of every one of {trials} trials stopped being finite: search over lower learning rates, or set clip_norm")]
    AllDiverged { trials: usize },
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Trains with the parameters of one point, to the epoch of a rung or to the end; the error is for the user. What it gave at one rung must be the
/// beginning of what it gives at the next.
pub type RunTrial<'a> = dyn Fn(&Point, Option<usize>) -> Result<Course, String> + Sync + 'a;

/// What a search is over, and what it may use.
pub struct Search<'a> {
    pub spec: &'a SearchSpec,
    /// The parameters as they stand.
    pub written: &'a Value,
    /// Of a whole trial.
    pub epochs: usize,
    pub seed: u64,
    /// Trials that run side by side; no result depends on it.
    pub threads: usize,
    /// Whether the time is up, so that no trial may begin after this many have.
    pub is_over: &'a (dyn Fn(usize) -> bool + Sync),
}

impl Search<'_> {
    /// Runs the trials and names the best. Of several errors the one of the smallest index is told.
    pub fn run(&self, progress: &dyn Progress, trial: &RunTrial) -> Result<SearchResult, SearchError> {
        let metric = self.spec.metric;
        let grid = (self.spec.method == Method::Grid).then(|| space::grid(&self.spec.space));
        let total = grid.as_ref().map(Vec::len).or(self.spec.drawn_trials());
        let mut trials: Vec<Trial> = Vec::new();
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
            trials.extend(self.compete(begun, points, &bracket, progress, total, trial)?);
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
        Ok(SearchResult { method: self.spec.method, metric, trials, best, out_of_time, factors })
    }

    /// Runs the trials of one bracket: from rung to rung the best of them. Gives fewer trials than points when the time is up.
    fn compete(
        &self,
        begun: usize,
        points: Vec<Point>,
        bracket: &Bracket,
        progress: &dyn Progress,
        total: Option<usize>,
        trial: &RunTrial,
    ) -> Result<Vec<Trial>, SearchError> {
        let metric = self.spec.metric;
        // Competitors begin together: only those that do not compete may be cut short by the clock.
        let by_the_clock = bracket.rungs.is_empty();
        let mut trials: Vec<Trial> = Vec::new();
        let mut racing: Vec<usize> = (0..points.len()).collect();
        let mut going = points.len();
        for rung in bracket.rungs.iter().copied().map(Some).chain([None]) {
            let told = AtomicUsize::new(begun + points.len() - racing.len());
            let run = |place: usize| -> Result<Option<Trial>, SearchError> {
                let index = begun + racing[place];
                if progress.cancelled() {
                    return Err(Cancelled.into());
                }
                if by_the_clock && index > 0 && (self.is_over)(index) {
                    return Ok(None);
                }
                let params = &points[racing[place]];
                // Of equal points the first runs; the others take what it gave.
                if racing[..place].iter().any(|&other| points[other] == *params) {
                    return Ok(Some(Trial::of(index, params, Course::nothing(), rung)));
                }
                let course = trial(params, rung).map_err(|message| match progress.cancelled() {
                    true => SearchError::Cancelled(Cancelled),
                    false => SearchError::Trial { index, params: describe(params), message },
                })?;
                let trial = Trial::of(index, params, course, rung);
                let done = told.fetch_add(1, Ordering::Relaxed) + 1;
                let score = trial.score(metric).map_or("diverged".to_owned(), |score| format!("{score:.3}"));
                let at = rung.map(|epoch| format!(" after {epoch} epochs")).unwrap_or_default();
                let total = total.unwrap_or(begun + points.len()).max(done) as u64;
                progress.update(done as u64, total, &format!("trials; valid {} {score}{at}", metric.label()));
                Ok(Some(trial))
            };
            // A trial that began in time after one that did not leaves a gap; what comes behind it is not counted.
            let mut ended: Vec<Trial> =
                side_by_side(racing.len(), self.threads, run)?.into_iter().map_while(|trial| trial).collect();
            for place in 0..ended.len() {
                if let Some(first) = (0..place).find(|&first| ended[first].params == ended[place].params) {
                    ended[place] = Trial { index: ended[place].index, ..ended[first].clone() };
                }
            }
            if trials.is_empty() {
                trials = ended;
            } else {
                ended.into_iter().for_each(|trial| {
                    let place = trial.index - begun;
                    trials[place] = trial;
                });
            }
            let Some(pruning) = self.spec.pruning.as_ref().filter(|_| rung.is_some()) else { break };
            racing.retain(|&place| trials[place].state != State::Diverged);
            racing.sort_by(|&a, &b| {
                let merit = |place: usize| trials[place].merit(metric).unwrap_or(f64::NEG_INFINITY);
                merit(b).total_cmp(&merit(a)).then(a.cmp(&b))
            });
            going = promoted(going, pruning.factor);
            racing.truncate(going);
            racing.sort_unstable();
            if racing.is_empty() {
                break;
            }
        }
        Ok(trials)
    }
}

fn describe(params: &Point) -> String {
    params.iter().map(|(path, value)| format!("{path} {value}")).collect::<Vec<_>>().join(", ")
}
