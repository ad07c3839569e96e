//! Pages in headless Chromium, driven from `tests/browser/page.cjs`: what a reader meets, by eye, keyboard and screen reader.
//!
//! `RUNNER_TEST_BROWSER` names the `node_modules` that `npm ci` makes of `tests/browser`; node and Chromium have to be there too (`.ci/run` sees to
//! all). Without it these tests say that they did nothing. `RUNNER_TEST_SHOTS` names a folder in which the screenshots stay.

use std::path::{Path, PathBuf};
use std::process::Command;

use runner::report::study;

use crate::fixture;
use crate::page;
use crate::workspace::skip;

fn browse(page: &Path, shots: &str) {
    let Some(modules) = std::env::var_os("RUNNER_TEST_BROWSER") else {
        return skip("RUNNER_TEST_BROWSER is not set");
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/page.cjs");
    let kept = std::env::var_os("RUNNER_TEST_SHOTS").map(PathBuf::from);
    let shots = kept.unwrap_or_else(|| page.with_extension("shots")).join(shots);
    let output = Command::new("node").arg(script).arg(modules).arg(page).arg(shots).output().expect("node starts");
    let faults = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{faults}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_page_of_every_kind_of_stage_reads_and_works() {
    let (stages, edges) = fixture::study();
    let html =
        study("Genres of songs", Some("A. Student"), &stages, &edges, &[], Some(&fixture::history())).expect("a page");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.html");
    std::fs::write(&file, html).expect("written");
    browse(&file, "fixture");
}

#[test]
fn the_page_that_the_program_writes_reads_and_works() {
    let work = page::study();
    work.run_with(&["--set", "fused.epochs=6"]).succeeded();
    let output = work.runner(&["report", "pipeline.yaml", "--set", "fused.epochs=6", "--out", "page.html"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    browse(&work.path().join("page.html"), "program");
}
