//! Search over parameters by path: which points to try (`space`), and trying them side by side.
//!
//! A trial is known by its parameters alone, so its result can be kept and taken again. Trials are chosen on the validation part only.
//! Knows nothing of networks: a trial is a function of a JSON object of parameters.

mod space;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::progress::{Cancelled, Progress};
use super::train::{Metric, PartScores};

pub use space::{Method, Range, SearchSpec, apply};

/// What one trial gave: the scores of its kept epoch on the validation part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    pub valid: PartScores,
    pub best_epoch: usize,
    /// Epochs that were run.
    pub epochs: usize,
}

/// One point of the space and its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub index: usize,
    /// The searched parameters by path.
    pub params: BTreeMap<String, Value>,
    #[serde(flatten)]
    pub result: TrialResult,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchResult {
    pub method: Method,
    pub metric: Metric,
    pub trials: Vec<Trial>,
    /// Index of the best trial; the first of equals.
    pub best: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("trial {index} ({params}): {message}")]
    Trial { index: usize, params: String, message: String },
    #[error("the space holds no point to try")]
    NoPoint,
    #[error("the system grants no threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Trains with the parameters of one point; the error is for the user.
pub type RunTrial<'a> = dyn Fn(&BTreeMap<String, Value>) -> Result<TrialResult, String> + Sync + 'a;

/// Runs every trial, `threads` at a time, and names the best. `written` holds the parameters as they stand. Trials must not depend on each other, so the result is the same for any
/// number of threads. An error of any trial ends the search; of several the one with the smallest index is told.
pub fn search(
    spec: &SearchSpec,
    written: &Value,
    seed: u64,
    threads: usize,
    progress: &dyn Progress,
    trial: &RunTrial,
) -> Result<SearchResult, SearchError> {
    let points = spec.points(written, seed);
    let total = points.len() as u64;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build()?;
    let done = std::sync::atomic::AtomicU64::new(0);
    let run = |(index, params): (usize, BTreeMap<String, Value>)| -> Result<Trial, SearchError> {
        if progress.cancelled() {
            return Err(Cancelled.into());
        }
        let result = trial(&params).map_err(|message| match progress.cancelled() {
            true => SearchError::Cancelled(Cancelled),
            false => SearchError::Trial { index, params: describe(&params), message },
        })?;
        let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        progress.update(count, total, &format!("trials; valid macro-F1 {:.3}", result.valid.macro_f1));
        Ok(Trial { index, params, result })
    };
    let results: Vec<Result<Trial, SearchError>> =
        pool.install(|| points.into_par_iter().enumerate().with_max_len(1).map(run).collect());
    let trials = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    let score = |trial: &Trial| {
        let value = trial.result.valid.get(spec.metric);
        if spec.metric == Metric::Loss { -value } else { value }
    };
    let mut best = trials.first().ok_or(SearchError::NoPoint)?;
    for trial in &trials {
        if score(trial) > score(best) {
            best = trial;
        }
    }
    let best = best.index;
    Ok(SearchResult { method: spec.method, metric: spec.metric, trials, best })
}

fn describe(params: &BTreeMap<String, Value>) -> String {
    params.iter().map(|(path, value)| format!("{path} {value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ml::progress::Silent;
    use serde_json::json;

    fn spec(value: Value) -> SearchSpec {
        serde_json::from_value(value).unwrap()
    }

    fn written() -> Value {
        json!({"lr": 0.9, "depth": 2})
    }

    /// A score that is largest at lr = 0.01 and depth = 2.
    fn hill(params: &BTreeMap<String, Value>) -> Result<TrialResult, String> {
        let lr = params["lr"].as_f64().ok_or("lr is not a number")?;
        let depth = params.get("depth").and_then(Value::as_f64).unwrap_or(2.0);
        let score = 1.0 - (lr.log10() + 2.0).abs() / 4.0 - (depth - 2.0).abs() / 10.0;
        Ok(TrialResult {
            valid: PartScores { loss: 1.0 - score, accuracy: score, macro_f1: score },
            best_epoch: 1,
            epochs: 1,
        })
    }

    #[test]
    fn a_grid_tries_every_combination_and_finds_the_best() {
        let spec = spec(
            json!({"method": "grid", "space": {"lr": {"choice": [0.1, 0.01, 0.001]}, "depth": {"choice": [1, 2]}}}),
        );
        let result = search(&spec, &written(), 0, 2, &Silent, &hill).unwrap();
        assert_eq!(result.trials.len(), 6);
        assert_eq!(result.trials[result.best].params["lr"], json!(0.01));
        assert_eq!(result.trials[result.best].params["depth"], json!(2));
    }

    #[test]
    fn random_trials_are_the_same_for_any_number_of_threads_and_close_in_on_nothing_else() {
        let spec = spec(json!({"method": "random", "trials": 40, "space": {"lr": {"log_uniform": [1e-4, 1.0]}}}));
        let one = search(&spec, &written(), 7, 1, &Silent, &hill).unwrap();
        assert_eq!(one, search(&spec, &written(), 7, 3, &Silent, &hill).unwrap());
        assert_eq!(one.trials[0].params["lr"], json!(0.9), "the parameters as written come first");
        assert_ne!(one, search(&spec, &written(), 8, 1, &Silent, &hill).unwrap());
        let best = one.trials[one.best].params["lr"].as_f64().unwrap();
        assert!((0.004..0.025).contains(&best), "{best}");
        // Adding trials leaves the earlier ones as they were, so their results can be taken from a cache.
        let more = SearchSpec { trials: 50, ..spec };
        let more = search(&more, &written(), 7, 2, &Silent, &hill).unwrap();
        assert_eq!(one.trials[..], more.trials[..40]);
    }

    #[test]
    fn the_error_of_the_first_failing_trial_is_told() {
        let spec = spec(json!({"method": "grid", "space": {"lr": {"choice": [0.1, "high"]}}}));
        let error = search(&spec, &written(), 0, 2, &Silent, &hill).unwrap_err();
        assert_eq!(error.to_string(), "trial 1 (lr \"high\"): lr is not a number");
    }

    #[test]
    fn loss_is_minimised() {
        let spec = spec(json!({"method": "grid", "metric": "loss", "space": {"lr": {"choice": [0.1, 0.01]}}}));
        assert_eq!(search(&spec, &written(), 0, 1, &Silent, &hill).unwrap().best, 1);
    }
}
