//! A document: a JSON file of a stage's result that says what it is and of which version.
//!
//! It is an object whose first two entries are its name and version, `{"document": "training", "version": 1, …}`. Whoever reads one gets a type
//! or a reason in words; JSON without a name is somebody else's (of a `command`) and stays as it is.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A kind of document.
pub trait Document: Serialize + DeserializeOwned + 'static {
    /// E.g. `training`.
    const NAME: &'static str;
    /// Raised when a reader of the old shape would misread the new one.
    const VERSION: u32;

    /// The names of all classes that its figures and tables tell apart, in any order: so that a class has one colour wherever a study shows it.
    fn classes(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("it is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    #[error("this runner does not know documents named '{0}'; a newer one wrote it")]
    Unknown(String),
    #[error("it is a '{name}' of version {found}, and this runner reads version {known}; run its stage again")]
    Version { name: &'static str, found: u64, known: u32 },
    #[error("it is no '{name}' of version {version}: {error}")]
    Shape {
        name: &'static str,
        version: u32,
        #[source]
        error: serde_json::Error,
    },
}

/// A document as it is written.
#[derive(Serialize)]
struct Written<'a, D> {
    document: &'static str,
    version: u32,
    #[serde(flatten)]
    content: &'a D,
}

/// The document with its name and version, to be serialised.
pub fn named<D: Document>(document: &D) -> impl Serialize + '_ {
    Written { document: D::NAME, version: D::VERSION, content: document }
}

/// The head of a document: what it says it is.
#[derive(Deserialize)]
struct Head {
    document: Option<String>,
    #[serde(default)]
    version: u64,
}

/// The name and version that a JSON value has as a document.
pub(crate) fn head(value: &Value) -> Option<(String, u64)> {
    let Head { document, version } = Head::deserialize(value).ok()?;
    Some((document?, version))
}

/// A document of that kind from its JSON, whose version was read already.
pub(crate) fn content<D: Document>(version: u64, value: Value) -> Result<D, DocumentError> {
    if version != u64::from(D::VERSION) {
        return Err(DocumentError::Version { name: D::NAME, found: version, known: D::VERSION });
    }
    serde_json::from_value(value).map_err(|error| DocumentError::Shape { name: D::NAME, version: D::VERSION, error })
}
