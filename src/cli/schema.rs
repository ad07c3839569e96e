//! `runner schema`: the JSON Schema of pipeline files, from the Rust types.

use super::{DONE, Outcome};
use crate::stages;

pub(super) fn schema() -> Outcome {
    super::print_json_text(&text()?);
    Ok(DONE)
}

/// What is printed, and what `init` puts beside its pipelines.
pub(super) fn text() -> serde_json::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&stages::schema::pipeline_schema())?))
}
