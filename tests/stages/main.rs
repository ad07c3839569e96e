//! Stages: what is refused before anything runs, commands, baselines as models.

mod bad_input;
mod checks;
mod command;
mod contradictions;
mod kept;
mod split_rows;

use runner_test_support::{small_model, studies, workspace};
