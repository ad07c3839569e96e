//! How models compare that were tested on the same rows, pair by pair: what a report is told besides the artifacts, since they hold too many rows
//! to be read here.

use crate::IntervalMethod;

/// Models on the same rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contest {
    pub rows: u64,
    /// How many groups of rows that belong together these are of, which were resampled and tested whole; `None` where each row stands alone.
    pub groups: Option<u64>,
    pub models: Vec<ModelRef>,
    /// Every pair once.
    pub pairs: Vec<Pair>,
}

/// One model, e.g. `boosting` of stage `baseline`; a stage's only model has no name of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelRef {
    pub stage: String,
    pub model: Option<String>,
}

/// Two of the models, by their place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pair {
    pub a: usize,
    pub b: usize,
    /// B's accuracy minus A's, with its 95 % interval.
    pub difference: f64,
    pub low: f64,
    pub high: f64,
    /// How that was made.
    pub method: Option<IntervalMethod>,
    /// The p value of McNemar's test, or over groups of the sign-flip test, after Holm's correction over all pairs of the contest.
    pub p: f64,
}
