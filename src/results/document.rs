//! A document: a JSON file of a stage's result that says what it is and of which version.
//!
//! It is an object whose first two entries are its name and version, `{"document": "training", "version": 1, …}`. Whoever reads one gets a type
//! or a reason in words; JSON without a name is somebody else's (of a `command`) and stays as it is.

use serde::Serialize;
use serde::de::DeserializeOwned;
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
    /// The bytes are not JSON.
    #[error("it is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// A document of another kind.
    #[error("it is a '{found}', not a '{wanted}'")]
    Other {
        /// The kind asked for.
        wanted: &'static str,
        /// What the file says.
        found: String,
    },
    /// JSON without the name of a document.
    #[error("it does not say that it is a '{wanted}'")]
    Unnamed {
        /// The kind asked for.
        wanted: &'static str,
    },
    /// The name is not one of this program's documents.
    #[error("this runner does not know documents named '{0}'; a newer one wrote it")]
    Unknown(String),
    /// A version that this program does not read.
    #[error("it is a '{name}' of version {found}, and this runner reads version {known}; run its stage again")]
    Version {
        /// The kind of document.
        name: &'static str,
        /// What the file says.
        found: u64,
        /// The version that this program reads.
        known: u32,
    },
    /// Name and version fit, the rest does not.
    #[error("it is no '{name}' of version {version}: {error}")]
    Shape {
        /// The kind of document.
        name: &'static str,
        /// As found.
        version: u32,
        /// What does not fit.
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

/// The name and version that a JSON object has as a document.
pub(crate) fn head(value: &Value) -> Option<(String, u64)> {
    let object = value.as_object()?;
    Some((object.get("document")?.as_str()?.to_owned(), object.get("version")?.as_u64()?))
}

/// A document of that kind from its JSON, whose version was read already.
pub(crate) fn content<D: Document>(version: u64, value: Value) -> Result<D, DocumentError> {
    if version != u64::from(D::VERSION) {
        return Err(DocumentError::Version { name: D::NAME, found: version, known: D::VERSION });
    }
    serde_json::from_value(value).map_err(|error| DocumentError::Shape { name: D::NAME, version: D::VERSION, error })
}

/// Reads a document of a known kind.
///
/// ```
/// use runner_results::{DocumentError, Predictions, read};
///
/// let error = read::<Predictions>(br#"{"document": "training", "version": 1}"#).unwrap_err();
/// assert!(matches!(error, DocumentError::Other { wanted: "predictions", .. }));
/// ```
///
/// # Errors
/// It is not JSON, or no such document.
pub fn read<D: Document>(bytes: &[u8]) -> Result<D, DocumentError> {
    let value: Value = serde_json::from_slice(bytes).map_err(DocumentError::Json)?;
    match head(&value) {
        Some((name, version)) if name == D::NAME => content(version, value),
        Some((found, _)) => Err(DocumentError::Other { wanted: D::NAME, found }),
        None => Err(DocumentError::Unnamed { wanted: D::NAME }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::AnyDocument;
    use crate::split::Split;

    #[test]
    fn json_of_others_is_no_document() {
        for value in [
            json!(["split"]),
            json!(["split", 1]),
            json!({"document": "split"}),
            json!({"document": 1, "version": 1}),
            json!(null),
        ] {
            assert!(matches!(AnyDocument::of(value.clone()), Ok(AnyDocument::Foreign(_))), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_in_words() {
        let told = |text: &str| read::<Split>(text.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told("{").starts_with("it is not JSON"));
        assert_eq!(told("[]"), "it does not say that it is a 'split'");
        assert_eq!(told(r#"{"document": "map", "version": 1}"#), "it is a 'map', not a 'split'");
        let old = told(r#"{"document": "split", "version": 0}"#);
        assert_eq!(old, "it is a 'split' of version 0, and this runner reads version 2; run its stage again");
        assert!(
            told(r#"{"document": "split", "version": 2}"#).starts_with("it is no 'split' of version 2: missing field")
        );
        let newer = AnyDocument::of(json!({"document": "later", "version": 1})).expect_err("unknown").to_string();
        assert_eq!(newer, "this runner does not know documents named 'later'; a newer one wrote it");
    }
}
