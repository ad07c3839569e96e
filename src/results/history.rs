//! What only the history of a study knows, and no artifact may hold: when, in what time and why its results came about, what changed since an
//! earlier run, and how the models of then and now compare.

use crate::comparison::{Flip, PairedComparison};

/// The history behind a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The earlier run that the results are compared with; `None` where none had others.
    pub against: Option<EarlierRun>,
    /// The stages that the page shows, in its order.
    pub stages: Vec<StageHistory>,
    /// Models that have another result now.
    pub models: Vec<ModelChange>,
}

/// An earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlierRun {
    /// E.g. `20261122-231205-3f`.
    pub id: String,
    /// When it started, e.g. `2026-11-22 23:12 UTC`.
    pub when: String,
}

/// How one stage's result came about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageHistory {
    /// As named in the pipeline file.
    pub stage: String,
    /// When it was computed, e.g. `2026-11-22 23:12 UTC`.
    pub made: String,
    /// How long that took.
    pub seconds: f64,
    /// The most bytes that the process held meanwhile, where known.
    pub memory: Option<u64>,
    /// The result in a line, as the stage itself said.
    pub headline: String,
    /// As recorded when the result was computed.
    pub warnings: Vec<String>,
    /// Compared with the earlier run.
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
    /// It had this very result.
    Same,
    /// The earlier run had no result of it.
    New,
    /// It had another result, for these reasons.
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

/// One model then (A) and now (B).
#[derive(Clone, Debug, PartialEq)]
pub struct ModelChange {
    /// E.g. `fused`, `baseline/boosting`.
    pub model: String,
    /// The stage that fitted it.
    pub stage: String,
    /// On the test rows that both results have.
    pub test: PairedComparison,
    /// Some of the rows on which exactly one of the two is right.
    pub examples: Vec<FlippedRow>,
}

/// A row that one of the two results gets right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlippedRow {
    /// What each of the two predicted.
    pub flip: Flip,
    /// What a person knows the row by: column and text.
    pub texts: Vec<(String, String)>,
}

impl History {
    /// The history of the stage of this name, if the page shows it.
    pub fn stage(&self, name: &str) -> Option<&StageHistory> {
        self.stages.iter().find(|stage| stage.stage == name)
    }
}
