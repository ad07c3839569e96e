//! Learning, through the program: what models say, the same bytes again, work that goes on after it was stopped.

mod adapt;
mod determinism;
mod growth;
mod insight;
mod python;
mod resume;
mod seeds;
mod statistics;
mod variations;

use runner_test_support::{kill, records, screen, small_model, studies, workspace};
