//! Giving and reading documents, the typed JSON of a stage's result.

use anyhow::Context as _;

use super::command::Command;
use runner_artifact::Store;
use runner_engine::{ActionRecord, PortType, Stage as _, StageContext};
use runner_results::{AnyDocument, Document, DocumentError, Documents, named};

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

/// The JSON files of a result at the ports that are wanted, by their names without `.json`.
///
/// # Errors
/// One cannot be read, or is none of what it says to be.
pub fn documents(store: &Store, record: &ActionRecord, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<Documents> {
    let mut documents = Documents::default();
    let outputs = record.outputs.iter().filter(|output| output.holds == PortType::Json && is_wanted(&output.port));
    for file in outputs.flat_map(|output| &output.files) {
        let document = read_document(&record.kind, &store.get(file.digest)?).with_context(|| file.name.clone())?;
        documents.0.insert(file.name.trim_end_matches(".json").to_owned(), document);
    }
    Ok(documents)
}

/// A JSON file of a result of that kind. What others wrote is their own, whatever it says to be.
///
/// # Errors
/// It is not JSON, or says to be a document of ours and cannot be read as such.
pub(crate) fn read_document(kind: &str, bytes: &[u8]) -> Result<AnyDocument, DocumentError> {
    match gives_documents(kind) {
        true => AnyDocument::read(bytes),
        false => Ok(AnyDocument::Foreign(serde_json::from_slice(bytes).map_err(DocumentError::Json)?)),
    }
}
