//! One mistake gives one message, wherever its consequences are; whole outputs of `plan`.

use super::{errors, refused};
use crate::cache::STUDY;
use crate::workspace::Workspace;

#[track_caller]
fn says(yaml: &str, expected: &str) {
    let text = refused(&Workspace::with_songs().pipeline(yaml));
    assert_eq!(text.trim(), expected.trim(), "\n{text}");
}

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

#[test]
fn a_column_that_is_missing_is_told_once_with_all_places() {
    let yaml = format!(
        "{STAGES}  base: {{kind: baseline, rows: folds, numeric: [tempo, engery], models: {{tree: {{}}}}}}
  net: {{kind: train, rows: folds, numeric: [engery, tempi]}}
  map: {{kind: map, rows: folds, numeric: [engery], show: [engery]}}
  look: {{kind: describe, rows: songs, drop: [engery]}}
"
    );
    says(
        &yaml,
        "
error: no column 'engery' in 'folds' (did you mean 'energy'?)
 --> pipeline.yaml:4:56
  |
4 |   base: {kind: baseline, rows: folds, numeric: [tempo, engery], models: {tree: {}}}
  |                                                        ^^^^^^
  = note: also at pipeline.yaml:5:45, pipeline.yaml:6:43, pipeline.yaml:6:59, pipeline.yaml:7:46
  = help: it has id, title, artist, tempo, energy, genre

error: no column 'tempi' in 'folds' (did you mean 'tempo'?)
 --> pipeline.yaml:5:53
  |
5 |   net: {kind: train, rows: folds, numeric: [engery, tempi]}
  |                                                     ^^^^^
",
    );
}

#[test]
fn a_variable_or_stage_that_is_not_there_is_told_once() {
    let yaml = format!(
        "vars: {{data: x}}\n{STAGES}  a: {{kind: split, rows: sogns, train: \"${{shre}}\", valid: \"${{shre}}\"}}
  b: {{kind: describe, rows: sogns}}
  c: {{kind: describe, rows: sogns.all}}
  d: {{kind: report, title: \"${{shre}}\", stages: [a, b]}}
"
    );
    let text = refused(&Workspace::with_songs().pipeline(&yaml));
    assert_eq!(
        errors(&text),
        [
            "unknown variable 'shre'",
            "no stage 'sogns' (did you mean 'songs'?)",
            "no stage 'sogns.all' (did you mean 'songs.all'?)"
        ],
        "{text}"
    );
    assert!(text.contains("also at pipeline.yaml:5:59, pipeline.yaml:8:29"), "{text}");
}

/// A stage whose kind or parameters are wrong says so itself; what reads from it is not told that it lacks something.
#[test]
fn a_stage_at_fault_draws_nothing_else_in() {
    for (from, to, expected) in [
        ("kind: embed", "kind: embbed", "unknown stage kind 'embbed' (did you mean 'embed'?)"),
        ("columns: [title]", "columns: [titel]", "no column 'titel' in 'songs' (did you mean 'title'?)"),
        ("encoder: tfidf", "encodr: tfidf", "unknown key 'encodr' (did you mean 'encoder'?)"),
        ("kind: train", "kind: tran", "unknown stage kind 'tran' (did you mean 'train'?)"),
        ("kind: load", "kind: laod", "unknown stage kind 'laod' (did you mean 'load'?)"),
        ("songs.csv", "sogns.csv", ""),
    ] {
        let yaml = STUDY.replacen(from, to, 1);
        assert_ne!(yaml, STUDY, "{from}");
        let text = refused(&Workspace::with_songs().pipeline(&yaml));
        let found = errors(&text);
        // A key that is misspelt is missing as well.
        let most = if to.contains("encodr") { 2 } else { 1 };
        assert!(found.len() <= most && found.iter().any(|message| message.contains(expected)), "{from} → {to}\n{text}");
    }
}

#[test]
fn mistakes_in_the_file_and_in_what_it_means_are_told_together() {
    let yaml = format!(
        "{STAGES}  a: {{kind: split, rows: songs, folds: \"${{nope}}\"}}
  b: {{kind: describe, rows: a}}
  c: {{kind: train, rows: folds, numeric: [tempo], epochs: 0}}
"
    );
    let text = refused(&Workspace::with_songs().pipeline(&yaml));
    assert_eq!(errors(&text), ["unknown variable 'nope'", "epochs must be at least 1; got 0"], "{text}");
}

#[test]
fn instances_of_a_matrix_share_their_mistakes() {
    let yaml = format!(
        "{STAGES}  a: {{kind: split, rows: songs, matrix: {{n: [2, 3, 4, 5]}}, folds: \"${{n}}\"}}
  b: {{kind: train, matrix: {{n: [1, 2, 3]}}, epochs: \"${{n}}\", numeric: [tempo], optimzer: {{}}}}
"
    );
    let text = refused(&Workspace::with_songs().pipeline(&yaml));
    assert_eq!(errors(&text).len(), 2, "{text}");
}
