//! Other programs read our artifacts: pyarrow the tables, numpy + safetensors the networks (PyTorch too, where it is present).
//!
//! `RUNNER_TEST_PYTHON` names an interpreter with pyarrow, numpy and safetensors; `.ci/run` makes one. Without it these tests say that they did nothing.

use std::path::Path;
use std::process::Command;

use crate::cache::STUDY;
use crate::workspace::Workspace;

fn python(script: &str, arguments: &[&str]) {
    let Some(interpreter) = std::env::var_os("RUNNER_TEST_PYTHON") else {
        eprintln!("skipped: RUNNER_TEST_PYTHON is not set");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
    let output = Command::new(interpreter).arg(script).args(arguments).output().expect("python starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn pyarrow_opens_every_table() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    python("tables.py", &[work.path().join("artifacts/study").to_str().expect("UTF-8")]);
}

#[test]
fn numpy_gives_the_same_predictions() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let study = work.path().join("artifacts/study");
    let folder = |name: &str| study.join(name).to_str().expect("UTF-8").to_owned();
    python("predict.py", &[&folder("fused"), &folder("songs"), &folder("titles"), &folder("predict")]);
}
