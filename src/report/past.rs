//! What only the history of a study knows, and no artifact may hold: when, in what time and why its results came about, what changed since an
//! earlier run, and how the models of then and now compare.

use crate::IntervalMethod;

/// The history behind a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The earlier run that the results are held against; `None` where none had others.
    pub against: Option<Earlier>,
    pub stages: Vec<StagePast>,
    pub duels: Vec<Duel>,
}

/// An earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// E.g. `20261122-231205-3f`.
    pub id: String,
    /// When it started, e.g. `2026-11-22 23:12 UTC`.
    pub when: String,
}

/// How one stage's result came about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StagePast {
    pub stage: String,
    /// When it was computed, e.g. `2026-11-22 23:12 UTC`.
    pub made: String,
    /// How long that took.
    pub seconds: f64,
    /// The most bytes that the process held meanwhile, where known.
    pub memory: Option<u64>,
    /// The result in a line, as the stage itself said.
    pub headline: String,
    pub warnings: Vec<String>,
    pub since: Since,
    /// Why the result no longer belongs to the pipeline file as it is; empty where it does.
    pub stale: Vec<String>,
}

/// What became of a stage since the earlier run.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Since {
    /// There is no earlier run, or its record is gone.
    #[default]
    Unknown,
    Same,
    /// The earlier run had no result of it.
    New,
    Changed(Vec<Change>),
}

/// One thing that a result depends on, and that was another then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Change {
    /// E.g. `optimizer.lr`, or `input rows`.
    pub what: String,
    /// `0.001 → 0.003`, or how much differs.
    pub how: String,
    /// Where the value is written now, e.g. `full.yaml:42:11`.
    pub at: Option<String>,
    /// It came with the result of a stage before.
    pub inherited: bool,
}

/// One model then and now, on the same test rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Duel {
    /// E.g. `fused`, `baseline/boosting`.
    pub model: String,
    pub stage: String,
    pub rows: u64,
    /// Test rows that only one of the two has.
    pub left_out: u64,
    pub scores: Vec<Score>,
    /// The same class is predicted for every row.
    pub same_predictions: bool,
    /// Rows that were right and are wrong now.
    pub lost: u64,
    /// Rows that were wrong and are right now.
    pub gained: u64,
    /// McNemar's p value after Holm's correction over all duels.
    pub p: f64,
    /// Some of the rows on which exactly one of the two is right.
    pub flips: Vec<Flip>,
}

/// One score then and now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// `accuracy`, `macro-F1` or `log loss`.
    pub metric: String,
    pub before: f64,
    pub after: f64,
    /// The 95 % interval of after − before.
    pub low: f64,
    pub high: f64,
    /// How that was made; `None` where there is none.
    pub method: Option<IntervalMethod>,
}

/// A row that one of the two gets right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flip {
    pub row: i64,
    pub label: String,
    pub before: String,
    pub after: String,
    /// What a person knows the row by: column and text.
    pub texts: Vec<(String, String)>,
}

impl Past {
    pub fn stage(&self, name: &str) -> Option<&StagePast> {
        self.stages.iter().find(|stage| stage.stage == name)
    }
}
