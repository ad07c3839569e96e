//! A matrix of which a key is never read makes equal instances: it is refused, wherever its body comes from.

use super::{accepted, each_refused, refused};
use crate::workspace::Workspace;

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

#[test]
fn a_key_that_nothing_reads_is_named_with_the_remedy() {
    let matrices = [
        "matrix: {lr: [0.1, 0.2], n: [1, 2]}, epochs: \"${n}\"",
        "matrix: {lr: {slow: 0.1, fast: 0.2}}",
        "matrix: [{lr: 0.1, n: 1}, {lr: 0.2, n: 2}], epochs: \"${matrix.n}\"",
    ];
    // What else is wrong with the stage is told all the same.
    let of = |matrix| format!("{STAGES}  net: {{kind: train, rows: folds, numeric: [tempo, tempi], {matrix}}}\n");
    insta::assert_snapshot!(each_refused(matrices.map(|matrix| Workspace::with_songs().pipeline(&of(matrix)))));
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
        accepted(&Workspace::with_songs().pipeline(&format!("{head}{STAGES}  net: {{{stage}}}\n")));
    }
    let included = format!(
        "templates: {{net: {{epochs: \"${{n}}\"}}}}\n{STAGES}  net: {{extends: net, {train}, matrix: {{n: [1, 2]}}}}\n"
    );
    let work = Workspace::with_songs().file("other.yaml", &included);
    accepted(&work.pipeline("include: other.yaml\nstages:\n  look: {kind: describe, rows: songs}\n"));
    // Taken away by the stage that extends, it is not read any more.
    let yaml = format!(
        "templates: {{net: {{matrix: {{n: [1, 2]}}, epochs: \"${{n}}\"}}}}\n{STAGES}  net: {{extends: net, {train}, epochs: 3}}\n"
    );
    insta::assert_snapshot!(refused(&Workspace::with_songs().pipeline(&yaml)), @r#"
    error: nothing in stage 'net' reads the matrix key 'n': its instances would be equal
     --> pipeline.yaml:1:28
      |
    1 | templates: {net: {matrix: {n: [1, 2]}, epochs: "${n}"}}
      |                            ^
     ::: pipeline.yaml:5:3
      |
    5 |   net: {extends: net, kind: train, rows: folds, numeric: [tempo], epochs: 3}
      |   --- stage 'net' takes it from the template 'net'
      = help: write "${n}" where its value belongs, or take 'n' out of the matrix
    "#);
    // Of a body that is not whole nobody knows.
    let yaml = format!("{STAGES}  net: {{extends: nte, {train}, matrix: {{n: [1, 2]}}}}\n");
    insta::assert_snapshot!(refused(&Workspace::with_songs().pipeline(&yaml)), @"
    error: unknown template 'nte'
     --> pipeline.yaml:4:18
      |
    4 |   net: {extends: nte, kind: train, rows: folds, numeric: [tempo], matrix: {n: [1, 2]}}
      |                  ^^^
      = help: define it under `templates`
    ");
}

#[test]
fn a_setting_that_replaces_the_use_is_a_warning() {
    let yaml = format!(
        "{STAGES}  net: {{kind: train, rows: folds, numeric: [tempo], matrix: {{n: [1, 2]}}, epochs: \"${{n}}\"}}\n"
    );
    let work = Workspace::with_songs().pipeline(&yaml);
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml", "--set", "net.epochs=3"]), @r#"
    $ runner plan pipeline.yaml --set net.epochs=3
      songs    run    no result yet
      folds    run    no result yet; 'songs' runs before it
      net@n=1  run    no result yet; 'folds' runs before it
      net@n=2  run    no result yet; 'folds' runs before it

    4 to run, 0 to restore, 0 fresh
    [standard error]
    warning: nothing in stage 'net' reads the matrix key 'n': its instances would be equal
     --> pipeline.yaml:4:62
      |
    4 |   net: {kind: train, rows: folds, numeric: [tempo], matrix: {n: [1, 2]}, epochs: "${n}"}
      |                                                              ^
      = help: write "${n}" where its value belongs, or take 'n' out of the matrix
    "#);
}
