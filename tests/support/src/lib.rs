//! What the test programs share. Each has `use runner_test_support::…` in its `main.rs`, so that its files say `crate::workspace`.

// Helpers are named by what tests say with them.
#![allow(missing_docs, clippy::new_without_default)]

pub mod kill;
pub mod kinds;
pub mod machine;
pub mod records;
pub mod screen;
pub mod small_model;
pub mod studies;
pub mod toy_store;
pub mod toys;
pub mod workspace;
pub mod zips;
