//! `runner`: a declarative pipeline runner for tabular + text classification.
//!
//! The engine (a build system) and the learning library are independent; `stages` is where they meet. Each layer is a crate of its own beside this one,
//! so that Cargo holds the drawing in ARCHITECTURE.md; here they are under one name.

mod cli;
mod program;

pub use program::main_with;
pub use runner_stages::extension::Extension;

pub use runner_artifact as artifact;
pub use runner_boundary as boundary;
pub use runner_engine as engine;
pub use runner_fetch as fetch;
pub use runner_ml as ml;
pub use runner_names as names;
pub use runner_pretrained as pretrained;
pub use runner_report as report;
pub use runner_results as results;
pub use runner_sample as sample;
pub use runner_spec as spec;
pub use runner_stages as stages;
pub use runner_tabular as tabular;
