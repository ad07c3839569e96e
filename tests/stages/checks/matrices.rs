//! A matrix of which a key is never read makes equal instances: it is refused, wherever its body comes from.

use super::{errors, refused};
use crate::workspace::Workspace;

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

#[track_caller]
fn is_fine(work: &Workspace) {
    let output = work.runner(&["plan", "pipeline.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_key_that_nothing_reads_is_named_with_the_remedy() {
    for (matrix, unread) in [
        ("matrix: {lr: [0.1, 0.2], n: [1, 2]}, epochs: \"${n}\"", "lr"),
        ("matrix: {lr: {slow: 0.1, fast: 0.2}}", "lr"),
        ("matrix: [{lr: 0.1, n: 1}, {lr: 0.2, n: 2}], epochs: \"${matrix.n}\"", "lr"),
    ] {
        let yaml = format!("{STAGES}  net: {{kind: train, rows: folds, numeric: [tempo, tempi], {matrix}}}\n");
        let text = refused(&Workspace::with_songs().pipeline(&yaml));
        let expected = format!("nothing in stage 'net' reads the matrix key '{unread}': its instances would be equal");
        let found = errors(&text);
        // What else is wrong with the stage is told all the same.
        assert!(found.contains(&expected.as_str()) && found.iter().any(|one| one.contains("'tempi'")), "{text}");
        assert!(text.contains(&format!("write \"${{{unread}}}\" where its value belongs")), "{text}");
    }
}

#[test]
fn uses_in_names_references_templates_and_included_files_count() {
    let train = "kind: train, rows: folds, numeric: [tempo]";
    for (head, stage) in [
        ("", format!("{train}, matrix: {{n: [1, 2]}}, epochs: \"${{n}}\"")),
        ("", format!("{train}, matrix: [{{is: a, n: 1}}, {{is: b, n: 2}}], as: \"net-${{is}}\", epochs: \"${{n}}\"")),
        ("", "kind: train, rows: \"${from}\", numeric: [tempo], matrix: {from: [folds]}".to_owned()),
        ("", format!("{train}, matrix: {{n: [1, 2]}}, seed: \"${{n}}\"")),
        ("templates: {net: {epochs: \"${n}\"}}\n", format!("extends: net, {train}, matrix: {{n: [1, 2]}}")),
        ("templates: {net: {matrix: {n: [1, 2]}}}\n", format!("extends: net, {train}, epochs: \"${{n}}\"")),
        ("vars: {grid: {n: [1, 2]}}\n", format!("{train}, matrix: \"${{grid}}\", epochs: \"${{n}}\"")),
    ] {
        is_fine(&Workspace::with_songs().pipeline(&format!("{head}{STAGES}  net: {{{stage}}}\n")));
    }
    let included = format!(
        "templates: {{net: {{epochs: \"${{n}}\"}}}}\n{STAGES}  net: {{extends: net, {train}, matrix: {{n: [1, 2]}}}}\n"
    );
    let work = Workspace::with_songs().file("other.yaml", &included);
    is_fine(&work.pipeline("include: other.yaml\nstages:\n  look: {kind: describe, rows: songs}\n"));
    // Taken away by the stage that extends, it is not read any more.
    let yaml = format!(
        "templates: {{net: {{matrix: {{n: [1, 2]}}, epochs: \"${{n}}\"}}}}\n{STAGES}  net: {{extends: net, {train}, epochs: 3}}\n"
    );
    let text = refused(&Workspace::with_songs().pipeline(&yaml));
    assert!(text.contains("reads the matrix key 'n'") && text.contains("from the template 'net'"), "{text}");
    // Of a body that is not whole nobody knows.
    let yaml = format!("{STAGES}  net: {{extends: nte, {train}, matrix: {{n: [1, 2]}}}}\n");
    let text = refused(&Workspace::with_songs().pipeline(&yaml));
    assert_eq!(errors(&text), ["unknown template 'nte'"], "{text}");
}

#[test]
fn a_setting_that_replaces_the_use_is_a_warning() {
    let yaml = format!(
        "{STAGES}  net: {{kind: train, rows: folds, numeric: [tempo], matrix: {{n: [1, 2]}}, epochs: \"${{n}}\"}}\n"
    );
    let work = Workspace::with_songs().pipeline(&yaml);
    let output = work.runner(&["plan", "pipeline.yaml", "--set", "net.epochs=3"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && said.contains("warning: nothing in stage 'net' reads the matrix key 'n'"),
        "{said}"
    );
}
