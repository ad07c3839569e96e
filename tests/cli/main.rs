//! The command line: what the terminal shows, options, comparisons, history.

mod borders;
mod compare;
mod history;
mod init;
mod init_columns;
mod layers;
#[cfg(unix)]
mod lost_output;
mod predict;
mod predict_borders;
mod screens;
mod standing;
mod terminal;
#[cfg(unix)]
mod watch;

use runner_test_support::{records, screen, small_model, studies, workspace, zips};
