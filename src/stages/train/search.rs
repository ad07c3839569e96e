//! The search of a train stage: trials through the memo, and what becomes of them: the chosen parameters, a document, a table.
//!
//! A trial's curves are kept under all that its weights depend on, so one that is known is not run again, whichever search asks for
//! it, at whichever rung.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use arrow::array::{ArrayRef, Int64Array};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Train;
use super::trials::Trials;
use crate::adapter::Adapter;
use crate::checkpoint::{CheckpointFile, key};
use crate::dataset::Dataset;
use crate::training::{curve_columns, joined};
use runner_artifact::Table;
use runner_engine::StageContext;
use runner_ml::progress::Progress;
use runner_ml::search::{Point, Search, SearchResult, SearchSpec, TrialRun};
use runner_ml::train::{Curves, TrainError, TrainingSpec};
use runner_report::search::trial_counts;

/// A search that has ended.
pub(super) struct Found {
    /// The stage with the parameters of the best trial.
    pub(crate) chosen: Train,
    result: SearchResult,
}

/// What is kept of a trial: as far as it was ever run.
#[derive(Default, Serialize, Deserialize)]
struct Known {
    curves: Curves,
    diverged: Option<usize>,
}

/// How much of the work was known before.
#[derive(Default)]
struct Tally {
    known: AtomicU64,
    computed: AtomicU64,
    epochs: AtomicU64,
}

impl Train {
    pub(super) fn search(&self, spec: &SearchSpec, data: &Dataset, context: &StageContext) -> anyhow::Result<Found> {
        let adapter = Adapter(context.report());
        let trials = Trials::of(self, spec);
        let tally = Tally::default();
        let run = |point: &Point, rung: Option<usize>| -> Result<TrialRun, String> {
            trials.trial(point)?.run_trial(rung, data, context, &Quiet(&adapter), &tally)
        };
        // How many trials there was time for is kept, so that the same search ends with the same trials again.
        let count = context
            .memo(&json!({"trials in time": self, "inputs": context.inputs_key().to_string(), "seed": context.seed()}));
        let before = count.get().and_then(|bytes| serde_json::from_slice::<usize>(&bytes).ok());
        let begun = Instant::now();
        let allowed = spec.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
        let is_over = |trials: usize| match (allowed, before) {
            (None, _) => false,
            (Some(_), Some(before)) => trials >= before,
            (Some(allowed), None) => begun.elapsed() >= allowed,
        };
        let written = serde_json::to_value(self)?;
        let epochs = spec.epochs.unwrap_or(self.epochs);
        let (seed, threads) = (context.seed(), context.threads());
        let search = Search { spec, written: &written, epochs, seed, threads, is_over: &is_over };
        let result = search.run(&adapter, &run)?;
        if spec.minutes.is_some() {
            count.put(result.search.trials.len().to_string().as_bytes())?;
        }
        tally.tell(context);
        let found = &result.search;
        clear_states(&trials, found, context)?;
        let chosen = trials.changes.at(&found.trials[found.best].params).map_err(|message| anyhow!(message))?;
        Ok(Found { chosen, result })
    }

    /// Runs this stage as a trial, as far as `rung`.
    fn run_trial(
        &self,
        rung: Option<usize>,
        data: &Dataset,
        context: &StageContext,
        progress: &dyn Progress,
        tally: &Tally,
    ) -> Result<TrialRun, String> {
        let training = self.training();
        // The test part never enters it, nor do the other trials.
        let memo =
            context.memo(&json!({"course of": key(context, &self.subject(), &training.trajectory(), context.seed())}));
        let known = memo.get().and_then(|bytes| serde_json::from_slice::<Known>(&bytes).ok());
        if let Some(trial_run) = known.and_then(|known| known.trial_run(&training, rung)) {
            tally.known.fetch_add(1, Ordering::Relaxed);
            return Ok(trial_run);
        }
        let (curves, diverged, resumed) = match self.fit(data, context, context.seed(), rung, progress) {
            Ok(fitted) => (fitted.curves, fitted.diverged, fitted.resumed),
            // A bad point is a result, not a mistake.
            Err(TrainError::Diverged { epoch, .. }) => (Curves::default(), Some(epoch), 0),
            Err(error) => return Err(error.to_string()),
        };
        tally.computed.fetch_add(1, Ordering::Relaxed);
        tally.epochs.fetch_add((curves.len().saturating_sub(1) - resumed) as u64, Ordering::Relaxed);
        let known = Known { curves, diverged };
        let bytes = serde_json::to_vec(&known).map_err(|error| error.to_string())?;
        memo.put(&bytes).map_err(|error| format!("{error:#}"))?;
        known.trial_run(&training, rung).ok_or_else(|| "training ended before its last epoch".to_owned())
    }
}

/// The best trial's state is what the final training goes on from; the others' have served.
fn clear_states(trials: &Trials, found: &runner_results::search::Search, context: &StageContext) -> anyhow::Result<()> {
    let trials = found.trials.iter().map(|trial| trials.trial(&trial.params));
    let trials = trials.collect::<Result<Vec<_>, _>>().map_err(|message| anyhow!(message))?;
    let state = |trial: &Train| (trial.subject(), trial.training().trajectory());
    let best = state(&trials[found.best]);
    for trial in trials.iter().filter(|trial| state(trial) != best) {
        CheckpointFile::new(context, &trial.subject(), &trial.training(), context.seed()).clear();
    }
    Ok(())
}

impl Known {
    /// The beginning that a training of this kind has of it, if it reaches as far.
    fn trial_run(mut self, training: &TrainingSpec, rung: Option<usize>) -> Option<TrialRun> {
        let replay = runner_ml::train::replay(training, &self.curves, rung);
        let is_there = replay.is_over || rung.is_some_and(|rung| replay.last_epoch >= rung);
        let diverged = self.diverged.filter(|_| !is_there);
        if !is_there && diverged.is_none() {
            return None;
        }
        self.curves.truncate(replay.last_epoch + 1);
        Some(TrialRun { curves: self.curves, best_epoch: replay.best_epoch, diverged })
    }
}

impl Tally {
    fn tell(self, context: &StageContext) {
        let counts =
            [("trials_known", self.known), ("trials_computed", self.computed), ("trial_epochs_computed", self.epochs)];
        for (name, count) in counts {
            context.measure(name, count.into_inner() as f64);
        }
    }
}

impl Found {
    /// For the end of a headline.
    pub(crate) fn remark(&self) -> String {
        format!("; test set evaluated once, after {}", trial_counts(&self.result.search))
    }

    pub(crate) fn document(&self) -> &runner_results::search::Search {
        &self.result.search
    }

    /// One row for each epoch of each trial.
    pub(crate) fn table(&self) -> anyhow::Result<Table> {
        let parts = self.result.search.trials.iter().zip(&self.result.curves).map(|(trial, curves)| {
            let index: ArrayRef = Arc::new(Int64Array::from(vec![trial.index as i64; curves.len()]));
            std::iter::once(("trial".to_owned(), index)).chain(curve_columns(curves)).collect()
        });
        joined(parts)
    }
}

/// A trial's own epochs are not worth a line, and that it diverged is in the table: the search tells of whole trials.
struct Quiet<'a>(&'a Adapter<'a>);

impl Progress for Quiet<'_> {
    fn update(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}

    fn warn(&self, _message: &str) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
