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
    work.stable(&text)
}

/// Stands between what is said of several pipelines.
const BETWEEN: &str = "\n----\n\n";

/// What it says of each of several, one below the other, to be compared whole.
#[track_caller]
pub(crate) fn each_refused(works: impl IntoIterator<Item = Workspace>) -> String {
    let mut said = Vec::new();
    for work in works {
        said.push(refused(&work));
    }
    said.join(BETWEEN)
}

/// What `plan` says besides of a pipeline that it accepts.
#[track_caller]
pub(crate) fn accepted(work: &Workspace) -> String {
    let output = work.runner(&["plan", "pipeline.yaml"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{text}");
    work.stable(&text)
}

/// The first lines of the errors.
fn errors(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("error: ")).collect()
}
