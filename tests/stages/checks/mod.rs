//! "Everything is checked before anything runs": names, ranges and instructions, through `plan`; and that one mistake is told once.

mod cascades;
mod combinations;
mod encoders;
mod hand_in;
mod included;
mod matrices;
mod names;
mod ranges;
mod refusals;
mod remedies;
mod splits;
mod tables;
mod together;
mod types;

use crate::workspace::Workspace;

/// What `plan` says of a pipeline that it must refuse.
#[track_caller]
fn refused(work: &Workspace) -> String {
    let output = work.runner(&["plan", "pipeline.yaml"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!work.exists("artifacts"), "nothing is written");
    text
}

/// The first lines of the errors.
fn errors(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("error: ")).collect()
}
