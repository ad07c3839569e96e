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

/// Whether the JSON of this kind is documents of ours: not that of a `command`, nor of kinds that a program added.
pub fn gives_documents(kind: &str) -> bool {
    kind != Command::KIND && super::KINDS.iter().any(|known| known.name == kind)
}

/// A JSON file of a result of that kind. What others wrote is their own, whatever it says to be.
///
/// # Errors
/// It is not JSON, or says to be a document of ours and cannot be read as such.
pub fn read_document(kind: &str, bytes: &[u8]) -> Result<AnyDocument, DocumentError> {
    match gives_documents(kind) {
        true => AnyDocument::read(bytes),
        false => Ok(AnyDocument::Foreign(serde_json::from_slice(bytes).map_err(DocumentError::Json)?)),
    }
}
