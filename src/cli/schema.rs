//! `runner schema`: the JSON Schema of pipeline files, from the Rust types.

use super::{DONE, Outcome};
use crate::stages;

pub(super) fn schema() -> Outcome {
    let schema = stages::schema::pipeline_schema();
    super::print_json_text(&format!("{}\n", serde_json::to_string_pretty(&schema)?));
    Ok(DONE)
}
