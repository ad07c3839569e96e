//! The command line: what the terminal shows, options, comparisons, history.

mod cli;
mod compare;
mod history;
mod layers;
#[cfg(unix)]
mod lost_output;
mod standing;
mod terminal;
#[cfg(unix)]
mod watch;

use runner_test_support::{records, studies, workspace};
