//! Parts of a split that models are judged on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part that the model did not learn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// By which models are chosen.
    #[default]
    Valid,
    /// By which the chosen models are judged.
    Test,
}

impl Part {
    /// As tables and documents call it.
    pub fn key(self) -> &'static str {
        match self {
            Part::Valid => "valid",
            Part::Test => "test",
        }
    }
}
