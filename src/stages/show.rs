//! What the terminal shows of results of added kinds.

use super::extension;
use super::report_input::ReportInput;
use runner_engine::WholeStage;
use runner_ml::progress::Silent;

/// What `runner show` says of a result of an added kind; `None` of kinds that say nothing of themselves.
///
/// # Errors
/// The result cannot be read.
pub fn lines(whole: &WholeStage) -> anyhow::Result<Option<Vec<String>>> {
    let Some(lines) = extension::on_terminal(&whole.view.kind) else { return Ok(None) };
    let told = ReportInput::of(std::slice::from_ref(whole), &Silent)?;
    Ok(told.stages.first().map(lines))
}
