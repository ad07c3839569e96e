//! `Heat`: the trials of one bracket side by side, from rung to rung the best of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::brackets::promoted;
use super::space::Point;
use super::trial::{State, Trial, TrialRun, ended};
use super::{RunTrial, Search, SearchError};
use crate::progress::{Cancelled, Progress};
use crate::train::{Curves, side_by_side};

/// Trials that are begun together, and what they need.
pub(crate) struct Heat<'a> {
    pub(crate) search: &'a Search<'a>,
    /// Trials before these.
    pub(crate) begun: usize,
    pub(crate) points: &'a [Point],
    /// Trials of the whole search, where it is known.
    pub(crate) total: Option<usize>,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) trial: &'a RunTrial<'a>,
}

impl Heat<'_> {
    /// A trial for each point, in their order; without rungs fewer when the time is up. Those that compete begin together.
    pub(super) fn run(&self, rungs: &[usize]) -> Result<Vec<(Trial, Curves)>, SearchError> {
        let Some(pruning) = self.search.spec.pruning.as_ref().filter(|_| !rungs.is_empty()) else {
            return self.side_by_side(&(0..self.points.len()).collect::<Vec<_>>(), None, true);
        };
        let merit = |trial: &Trial| trial.merit(self.search.spec.metric()).unwrap_or(f64::NEG_INFINITY);
        let mut trials: Vec<(Trial, Curves)> = Vec::new();
        let mut racing: Vec<usize> = (0..self.points.len()).collect();
        let mut places = racing.len();
        for rung in rungs.iter().copied().map(Some).chain([None]) {
            let ended = self.side_by_side(&racing, rung, false)?;
            if trials.is_empty() {
                trials = ended;
            } else {
                racing.iter().zip(ended).for_each(|(&place, trial)| trials[place] = trial);
            }
            racing.retain(|&place| trials[place].0.state != State::Diverged);
            racing.sort_by(|&a, &b| merit(&trials[b].0).total_cmp(&merit(&trials[a].0)).then(a.cmp(&b)));
            places = promoted(places, pruning.factor);
            racing.truncate(places);
            racing.sort_unstable();
        }
        Ok(trials)
    }

    /// The trials at these places, up to a rung. Of equal points the first runs; the others take what it gave.
    fn side_by_side(
        &self,
        racing: &[usize],
        rung: Option<usize>,
        by_the_clock: bool,
    ) -> Result<Vec<(Trial, Curves)>, SearchError> {
        let first_equal = |place: usize| racing.iter().position(|&other| self.points[other] == self.points[place]);
        let firsts: Vec<usize> = racing.iter().enumerate().map(|(i, &at)| first_equal(at).unwrap_or(i)).collect();
        let told = AtomicUsize::new(self.begun + self.points.len() - racing.len());
        let run = |i: usize| -> Result<Option<TrialRun>, SearchError> {
            let index = self.begun + racing[i];
            if self.progress.cancelled() {
                return Err(Cancelled.into());
            }
            if by_the_clock && index > 0 && (self.search.is_over)(index) {
                return Ok(None);
            }
            if firsts[i] < i {
                return Ok(Some(TrialRun::nothing()));
            }
            let params = &self.points[racing[i]];
            let trial_run = (self.trial)(params, rung).map_err(|message| match self.progress.cancelled() {
                true => SearchError::Cancelled(Cancelled),
                false => SearchError::Trial { index, params: describe(params), message },
            })?;
            self.tell(&trial_run, rung, told.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(Some(trial_run))
        };
        let runs = side_by_side(racing.len(), self.search.threads, run)?;
        // A trial that began in time after one that did not leaves a gap; what comes behind it is not counted.
        let mut trials: Vec<(Trial, Curves)> = Vec::new();
        for (i, trial_run) in runs.into_iter().map_while(|trial_run| trial_run).enumerate() {
            let (index, params) = (self.begun + racing[i], &self.points[racing[i]]);
            trials.push(match firsts[i] {
                first if first < i => (Trial { index, ..trials[first].0.clone() }, trials[first].1.clone()),
                _ => ended(index, params, trial_run, rung),
            });
        }
        Ok(trials)
    }

    fn tell(&self, trial_run: &TrialRun, rung: Option<usize>, done: usize) {
        let metric = self.search.spec.metric();
        let score = match trial_run.scores().map(|scores| scores.get(metric)) {
            Some(score) => format!("valid {} {score:.3}", metric.label()),
            None => "diverged".to_owned(),
        };
        let at = rung.map(|epoch| format!(" after {epoch} epochs")).unwrap_or_default();
        let total = self.total.unwrap_or(self.begun + self.points.len()).max(done);
        self.progress.update(done as u64, total as u64, "trials", &format!("{score}{at}"));
    }
}

fn describe(params: &Point) -> String {
    params.iter().map(|(path, value)| format!("{path} {value}")).collect::<Vec<_>>().join(", ")
}
