//! Stages: what is refused before anything runs, commands, baselines as models.

mod aims;
mod bad_input;
mod categories;
mod checks;
mod class_order;
mod command;
mod contradictions;
mod costs;
mod every_kind;
mod kept;
mod refit;
mod repeats;
mod split_rows;
mod texts;
mod weights;

use runner_test_support::{kinds, records, screen, small_model, studies, workspace};
