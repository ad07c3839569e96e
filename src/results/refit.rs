//! A model that was fitted again on all labelled rows: `metrics.json` of `refit`.

use serde::{Deserialize, Serialize};

use crate::document::Document;

/// What a `refit` stage says of its model, which no labelled row is left to judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refit {
    /// The model that was fitted on the training part and judged: `STAGE`, or `STAGE/MODEL`.
    pub of: String,
    /// Labelled rows that it is fitted on.
    pub rows: usize,
    /// Those of them that the judged model learnt from.
    pub training_rows: usize,
    /// One, or the members of an average that have a weight.
    pub models: Vec<RefittedModel>,
    /// Names of the outputs.
    pub classes: Vec<String>,
}

/// One of the models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefittedModel {
    /// `STAGE`, `STAGE/MODEL`, or `STAGE: seed N`.
    pub name: String,
    /// Share of the average; 1 of a model that stands alone.
    pub weight: f64,
    /// The epochs of a network, as the judged model's training chose them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
}

impl Document for Refit {
    const NAME: &'static str = "refit";
    const VERSION: u32 = 1;

    fn classes(&self) -> Vec<&str> {
        self.classes.iter().map(String::as_str).collect()
    }
}
