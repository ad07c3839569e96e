//! What stages find out, as types: scores, intervals, curves, findings, evaluations, search trials, transfer results, profiles.
//!
//! Stages write them as documents, JSON files that say what they are and of which version; pages, articles and the terminal read them back. No one
//! reads a document by string key, and no text for people is chosen here: judgements are enums with their numbers, which whoever shows them words.
//!
//! | file | of the stage | document | type |
//! |---|---|---|---|
//! | `profile.json` | `describe` | `profile` | [`profile::Profile`] |
//! | `split.json` | `split` | `split` | [`Split`] |
//! | `baseline.json` | `baseline` | `baselines` | [`baselines::Baselines`] |
//! | `encoder.json` | `embed` | `encoders` | [`encoder::Encoders`] |
//! | `metrics.json` | `train`, `transfer` | `training` | [`training::Training`] |
//! | `metrics.json` | `ensemble` | `ensemble` | [`ensemble::Ensemble`] |
//! | `metrics.json` | `refit` | `refit` | [`refit::Refit`] |
//! | `metrics.json` | `predict` | `predictions` | [`Predictions`] |
//! | `search.json` | `train` | `search` | [`search::Search`] |
//! | `transfer.json` | `transfer` | `transfer` | [`transfer::Transfer`] |
//! | `findings.json` | `inspect` | `inspection` | [`inspection::Inspection`] |
//! | `variations.json` | `variations` | `variations` | [`variations::Variations`] |
//! | `map.json` | `map` | `map` | [`Map`] |
//!
//! [`read`] reads one whose type is known, [`AnyDocument::read`] any.

// The defaults of parameters are named by their path, here as in the stages.
extern crate self as runner_results;

mod any;
pub mod baselines;
pub mod calibration;
pub mod comparison;
pub mod confusion;
pub mod costs;
pub mod diagnosis;
mod document;
pub mod encoder;
pub mod ensemble;
pub mod history;
mod inputs;
pub mod inspection;
pub mod interval;
mod map;
pub mod mcnemar;
mod metric;
mod number;
pub mod paired_test;
mod part;
mod parts;
mod predictions;
pub mod profile;
pub mod refit;
pub mod scores;
pub mod search;
mod settings;
pub mod spec;
mod split;
pub mod threshold;
pub mod training;
pub mod transfer;
pub mod variations;

pub use any::{AnyDocument, Documents, Known};
pub use document::{Document, DocumentError, named, read};
pub use inputs::Inputs;
pub use map::{Layout, Map, MapColumns, Neighbours};
pub use metric::{Balance, Metric, PartScores, RARE};
pub use part::Part;
pub use parts::Parts;
pub use predictions::Predictions;
pub use settings::Settings;
pub use split::{Split, SplitPart, SplitParts};
