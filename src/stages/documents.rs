//! Giving and reading documents, the typed JSON of a stage's result.

use super::command::Command;
use runner_engine::{Stage as _, StageContext};
use runner_results::{AnyDocument, Document, DocumentError, named};

/// Gives a document as the file `NAME.json` of that port.
pub(super) fn put_document(
    context: &mut StageContext,
    port: &str,
    name: &str,
    document: &impl Document,
) -> anyhow::Result<()> {
    context.put_json(port, &format!("{name}.json"), &named(document))
}

/// A JSON file of a result of that kind. What the program of a `command` wrote is its own, whatever it says to be.
///
/// # Errors
/// It is not JSON, or says to be a document of ours and cannot be read as such.
pub fn read_document(kind: &str, bytes: &[u8]) -> Result<AnyDocument, DocumentError> {
    match kind == Command::KIND {
        true => Ok(AnyDocument::Foreign(serde_json::from_slice(bytes).map_err(DocumentError::Json)?)),
        false => AnyDocument::read(bytes),
    }
}
