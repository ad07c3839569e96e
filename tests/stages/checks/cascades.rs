//! One mistake gives one message, wherever its consequences are; whole outputs of `plan`.

use super::{errors, refused};
use crate::studies::STUDY;
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

/// Mistakes, each of which has further consequences, and what is said of it.
#[test]
fn consequences_of_a_mistake_are_not_mistakes() {
    let net = "  net: {kind: train, rows: folds, numeric: [tempo], epochs: 2}\n";
    let base = "  base: {kind: baseline, rows: folds, numeric: [tempo], models: {logistic: {}, tree: {}}}\n";
    for (more, expected) in [
        (
            "  own: {kind: train, rows: folds, numeric: [tempi]}\n  look: {kind: inspect, model: own, rows: folds}\n  out: {kind: predict, model: own, rows: songs, file: o.csv}".to_owned(),
            "no column 'tempi' in 'folds' (did you mean 'tempo'?)",
        ),
        (
            "  own: {kind: train, rows: folds, numeric: [runner.label]}\n  other: {kind: baseline, rows: folds, numeric: [runner.label]}".to_owned(),
            "no column 'runner.label' in the data of 'folds': 'runner.label' is added by runner, and not to be learnt from",
        ),
        (
            "  own: {kind: train, rows: folds, categories: [genre]}\n  other: {kind: baseline, rows: folds, numeric: [genre]}".to_owned(),
            "'genre' is the label: a model must not be given what it is to predict",
        ),
        (
            format!("{net}{base}  new: {{kind: load, files: {{n: wrong.csv}}}}\n  a: {{kind: predict, model: net, rows: new, file: a.csv}}\n  b: {{kind: predict, model: base.tree, rows: new, file: b.csv}}"),
            "'new' has none of the columns that the model reads: tempo",
        ),
        (format!("{net}{base}  all: {{kind: ensemble, members: [net], models: [net, base]}}"), "'base' is not among the members"),
        ("  n t: {kind: train, rows: folds, numeric: [tempo]}\n  out: {kind: predict, model: net, rows: songs, file: o.csv}".to_owned(), "'n t' cannot name a stage"),
        ("  parts: {kind: split, rows: songs, train: 0, valid: 0.5, test: 0.5}\n  own: {kind: train, rows: parts, numeric: [tempo]}".to_owned(), "train must be in (0, 1]; got 0"),
        ("  parts: {kind: split, rows: songs, valid: -0.1}\n  own: {kind: train, rows: parts, numeric: [tempo]}".to_owned(), "valid must be in [0, 1); got -0.1"),
        ("  parts: {kind: split, rows: songs, train: 80, valid: 10, test: 10}".to_owned(), "train must be in (0, 1]; got 80 (80 % is 0.8)"),
        ("  a: {kind: train, rows: folds}\n  b: {kind: train, rows: folds}".to_owned(), "name at least one column under `numeric`, `text` or `categories`"),
        ("  own: {kind: train, rows: folds, numeric: [tempo], search: {trials: 3}}".to_owned(), "missing key 'space' in 'search'"),
        ("  own: {kind: train, rows: folds, numeric: [tempo], search: {space: {optimizer.lr: {choice: [1], uniform: [1, 2]}}}}".to_owned(), "'search.space.optimizer.lr': takes one of choice, uniform, not several"),
        ("  own: {kind: train, rows: folds, numeric: [tempo], search: {space: {seed: {choice: [1, 2]}}}}".to_owned(), "search.space: no parameter 'seed'"),
        ("  own: {kind: load, files: {all: songs.csv}, derive: {a: {sin_of: tempo, period: .nan}}}".to_owned(), "'.nan' is not a finite number"),
        ("  own: {kind: load, files: {all: songs.csv}, where: {tempo: {min: .inf}}}".to_owned(), "'.inf' is not a finite number"),
        ("  own: {kind: map, rows: folds, numeric: [tempo], points: 2}".to_owned(), "points must be in [3, 5000]; got 2"),
        ("  own: {extends: nope}".to_owned(), "unknown template 'nope'"),
    ] {
        let text = refused(&Workspace::with_songs().file("wrong.csv", "# c\n1\n").pipeline(&format!("{STAGES}{more}\n")));
        assert_eq!(errors(&text), [expected], "{more}\n{text}");
    }
    let work = Workspace::new().file("a.csv", "x;y\n1;2\n").file("b.csv", "x;y\n1;2\n");
    let text = refused(&work.pipeline("stages:\n  rows: {kind: load, files: {a: a.csv, b: b.csv}}\n"));
    assert_eq!(errors(&text).len(), 1, "{text}");
}

/// Nobody knows what a file that cannot be read would have brought.
#[test]
fn what_a_missing_file_may_hold_is_not_missed() {
    let yaml = format!(
        "include: no.yaml\n{STAGES}  own: {{extends: net, rows: folds, epochs: \"${{epochs}}\"}}\n  out: {{kind: predict, model: other, rows: songs, file: o.csv}}\n"
    );
    for yaml in [yaml.as_str(), "include: no.yaml\n"] {
        let text = refused(&Workspace::with_songs().pipeline(yaml));
        let found = errors(&text);
        assert!(found.len() == 1 && found[0].starts_with("cannot read 'no.yaml'"), "{text}");
    }
    let text = refused(&Workspace::with_songs().pipeline(&STAGES.replace("stages:", "stage:")));
    assert_eq!(errors(&text), ["unknown key 'stage' (did you mean 'stages'?)"], "{text}");
    let yaml = format!(
        "templates: {{a: {{extends: b, kind: train}}, b: {{extends: a}}}}\n{STAGES}  x: {{extends: a}}\n  y: {{extends: b}}\n"
    );
    let text = refused(&Workspace::with_songs().pipeline(&yaml));
    assert_eq!(errors(&text), ["templates extend each other in a circle: a → b → a"], "{text}");
}
