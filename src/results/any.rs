//! Every kind of document there is, and reading one whose kind is not known beforehand.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::baselines::Baselines;
use crate::document::{self, Document, DocumentError};
use crate::encoder::Encoders;
use crate::ensemble::Ensemble;
use crate::inspection::Inspection;
use crate::map::Map;
use crate::predictions::Predictions;
use crate::profile::Profile;
use crate::refit::Refit;
use crate::search::Search;
use crate::split::Split;
use crate::training::Training;
use crate::transfer::Transfer;
use crate::variations::Variations;

/// One line a kind: what its variant is called, and its type.
macro_rules! documents {
    ($($variant:ident($kind:ty),)*) => {
        /// A document of any kind.
        #[derive(Clone, Debug)]
        pub enum AnyDocument {
            $(#[doc = concat!("See [`", stringify!($kind), "`].")] $variant(Box<$kind>),)*
            /// JSON that does not say what it is, e.g. of a `command`.
            Foreign(Value),
        }

        impl AnyDocument {
            /// # Errors
            /// It is not JSON, or says to be a document of ours and cannot be read as such.
            pub fn read(bytes: &[u8]) -> Result<AnyDocument, DocumentError> {
                AnyDocument::of(serde_json::from_slice(bytes).map_err(DocumentError::Json)?)
            }

            /// # Errors
            /// It says to be a document of ours and cannot be read as such.
            pub fn of(value: Value) -> Result<AnyDocument, DocumentError> {
                let Some((name, version)) = document::head(&value) else { return Ok(AnyDocument::Foreign(value)) };
                $(if name == <$kind as Document>::NAME {
                    return Ok(AnyDocument::$variant(Box::new(document::content(version, value)?)));
                })*
                Err(DocumentError::Unknown(name))
            }

            /// [`Document::classes`]; a foreign document's are not known.
            pub fn classes(&self) -> Vec<&str> {
                match self {
                    $(AnyDocument::$variant(document) => document.classes(),)*
                    AnyDocument::Foreign(_) => Vec::new(),
                }
            }
        }

        /// As it is written.
        impl Serialize for AnyDocument {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(AnyDocument::$variant(document) => document::named(document.as_ref()).serialize(serializer),)*
                    AnyDocument::Foreign(value) => value.serialize(serializer),
                }
            }
        }

        $(impl Known for $kind {
            fn in_any(any: &AnyDocument) -> Option<&Self> {
                match any {
                    AnyDocument::$variant(document) => Some(document),
                    _ => None,
                }
            }

            fn into_any(self) -> AnyDocument {
                AnyDocument::$variant(Box::new(self))
            }
        })*
    };
}

/// A kind of document that [`AnyDocument`] has a variant for.
pub trait Known: Document {
    /// The document as this type, if it is one.
    fn in_any(any: &AnyDocument) -> Option<&Self>;
    /// Wraps the document.
    fn into_any(self) -> AnyDocument;
}

documents! {
    Baselines(Baselines),
    Encoders(Encoders),
    Ensemble(Ensemble),
    Inspection(Inspection),
    Map(Map),
    Predictions(Predictions),
    Profile(Profile),
    Refit(Refit),
    Split(Split),
    Training(Training),
    Transfer(Transfer),
    Search(Search),
    Variations(Variations),
}

/// The documents of one stage, by the names of their files without `.json`.
#[derive(Clone, Debug, Default)]
pub struct Documents(pub IndexMap<String, AnyDocument>);

impl Documents {
    /// The document of that kind; the first where a stage has several.
    pub fn get<D: Known>(&self) -> Option<&D> {
        self.0.values().find_map(D::in_any)
    }

    /// Adds a document under a file's name, in place of one that has it.
    pub fn insert<D: Known>(&mut self, name: impl Into<String>, document: D) {
        self.0.insert(name.into(), document.into_any());
    }
}
