//! What stages find out, as types: scores, intervals, curves, findings, evaluations, search trials, transfer results, profiles.
//!
//! Stages write them as documents, JSON files that say what they are and of which version; pages, articles and the terminal read them back. No one
//! reads a document by string key, and no text for people is chosen here: judgements are enums with their numbers, which whoever shows them words.

mod any;
mod document;
pub mod encoder;
mod inputs;
pub mod inspection;
mod interval;
pub mod map;
mod metric;
pub mod paired_test;
mod part;
pub mod profile;
pub mod scores;
pub mod spec;
pub mod split;

pub use any::{AnyDocument, Documents, Known};
pub use document::{Document, DocumentError, named};
pub use inputs::Inputs;
pub use inspection::Inspection;
pub use interval::{Interval, IntervalMethod};
pub use map::{Layout, Map, MapColumns, Neighbours};
pub use metric::{Metric, PartScores};
pub use part::Part;
pub use profile::Profile;
pub use scores::Scores;
pub use split::{Split, SplitPart, SplitParts};
