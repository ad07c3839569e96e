//! Whole jobs: the pipelines and examples that come with the program.

mod examples;
mod pipelines;
mod sample;
mod tables;

use runner_test_support::{screen, workspace};
