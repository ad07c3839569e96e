//! `runner`: a declarative pipeline runner for tabular + text classification.
//!
//! Two halves that have never met: `engine` is a build system, `ml` a learning library. `stages` is the only place where they meet.
//! See ARCHITECTURE.md; `tests/layers.rs` keeps the drawing true.

pub mod artifact;
pub mod boundary;
pub mod cli;
pub mod engine;
pub mod fetch;
pub mod ml;
pub mod models;
pub mod names;
pub mod report;
pub mod sample;
pub mod spec;
pub mod stages;
pub mod tabular;
