//! Giving documents, the typed JSON of a stage's result.

use runner_engine::StageContext;
use runner_results::{Document, named};

/// Gives a document as the file `NAME.json` of that port.
pub(super) fn put_document(
    context: &mut StageContext,
    port: &str,
    name: &str,
    document: &impl Document,
) -> anyhow::Result<()> {
    context.put_json(port, &format!("{name}.json"), &named(document))
}
