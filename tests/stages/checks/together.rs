//! Two mistakes of one stage give two messages: what is wrong with one value hides nothing of the others, and makes nothing up about them.

use super::{errors, refused};
use crate::workspace::Workspace;

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

/// What `plan` says of these stages below `songs` and `folds`.
#[track_caller]
fn said(stages: &str) -> String {
    refused(&Workspace::with_songs().pipeline(&format!("{STAGES}{stages}")))
}

#[track_caller]
fn finds(stages: &str, expected: &[&str]) {
    let text = said(stages);
    let found = errors(&text);
    let is_found = |message: &&str| found.iter().any(|found| found.contains(*message));
    assert!(found.len() == expected.len() && expected.iter().all(is_found), "{stages}\nwants {expected:?}\n{text}");
}

#[test]
fn a_value_that_cannot_be_read_hides_no_other_mistake() {
    finds(
        "  net: {kind: train, rows: folds, numeric: [tempo, tempi], epochs: fast, clip_norm: .nan, seeds: 0}\n",
        &[
            "no column 'tempi'",
            "'epochs': expected a whole number, 0 or more, found text 'fast'",
            "'.nan' is not a finite number",
            "seeds must be in [1, 1000]; got 0",
        ],
    );
    finds(
        "  net: {kind: train, rows: folds, numeric: tempo, categories: [artits], optimizer: {lr: .inf, betas: [0.9, 2]}}\n  deep: {kind: describe, rows: folds, drop: [nope]}\n",
        &[
            "'numeric': expected a list, found text 'tempo'",
            "no column 'artits'",
            "'.inf' is not a finite number",
            "optimizer.betas[1] must be in [0, 1); got 2",
            "no column 'nope'",
        ],
    );
    finds(
        "  titles: {kind: embed, rows: songs, columns: [titel], encodr: tfidf}\n",
        &["no column 'titel'", "unknown key 'encodr' (did you mean 'encoder'?)"],
    );
    finds(
        "  more: {kind: load, files: {all: none.csv}, label: 5}\n",
        &["none.csv: cannot be read", "'label': expected text, found 5"],
    );
}

#[test]
fn numbers_that_are_none_hide_nothing_in_variables_matrices_and_settings() {
    let yaml = format!(
        "vars: {{rate: .nan}}\n{STAGES}  net: {{kind: train, rows: folds, numeric: [tempi], optimizer: {{lr: \"${{rate}}\"}}}}
  nets: {{kind: train, rows: folds, numeric: [tempo], matrix: {{n: [1, .inf]}}, epochs: \"${{n}}\"}}\n"
    );
    let work = Workspace::with_songs().pipeline(&yaml);
    let output = work.runner(&["plan", "pipeline.yaml", "--set", "nets.optimizer.lr=-.inf"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    let mut found = errors(&text);
    found.sort_unstable();
    let expected = [
        "'-.inf' is not a finite number",
        "'.inf' is not a finite number",
        "'.nan' is not a finite number",
        "no column 'tempi' in 'folds' (did you mean 'tempo'?)",
    ];
    assert_eq!(found, expected, "{text}");
}

#[test]
fn what_stands_in_for_a_wrong_value_is_never_blamed() {
    for (stage, message) in [
        ("kind: train, rows: folds, numeric: 5", "'numeric': expected a list, found 5"),
        ("kind: train, rows: folds, numerc: [tempo]", "unknown key 'numerc' (did you mean 'numeric'?)"),
        (
            "kind: train, rows: folds, numeric: [tempo], optimizer: {kind: sdg, momentum: 0.9}",
            "'optimizer.kind': unknown choice 'sdg' (did you mean 'sgd'?)",
        ),
        (
            "kind: train, rows: folds, numeric: [tempo], optimizer: {kind: 7, momentum: 0.9}",
            "'optimizer.kind': expected one of sgd, adam, adamw, rmsprop, found 7",
        ),
        (
            "kind: split, rows: songs, train: lots, valid: 0.3, test: 0.3",
            "'train': expected a number, found text 'lots'",
        ),
        ("kind: map, rows: folds, numeric: [tempo], points: few, perplexity: 500", "'points': expected a whole number"),
        ("kind: baseline, rows: folds, numeric: [tempo], models: {tree: 5}", "models"),
    ] {
        finds(&format!("  it: {{{stage}}}\n"), &[message]);
    }
    // Of an input that is misspelt nothing can be said but that.
    let text = said("  net: {kind: train, rows: folds, embeddngs: folds, text: [title]}\n");
    assert_eq!(errors(&text), ["unknown key 'embeddngs' (did you mean 'embeddings'?)"], "{text}");
}

#[test]
fn messages_name_their_parameter_and_parts_and_folds_are_known() {
    finds(
        "  net: {kind: train, rows: folds, numeric: [tempo], class_weights: {rock: 1.0e+300, rap: 0}, optimizer: {kind: sgd, nesterov: true, momentum: 0}}\n",
        &[
            "class_weights.rock must be at most 1000000; got 1e+300",
            "class_weights.rap must be at least 0.000001; got 0",
            "optimizer.nesterov: has no use with a momentum of 0",
        ],
    );
    finds(
        "  bare: {kind: split, rows: songs, folds: 0, train: 0.8, valid: 0, test: 0.2}
  base: {kind: baseline, rows: bare, numeric: [tempo], models: {tree: {}}}
  again: {kind: baseline, rows: folds.test, numeric: [tempo], models: {tree: {}}}
  one: {kind: train, rows: bare, numeric: [tempo]}
  two: {kind: train, rows: bare, numeric: [tempo]}
  all: {kind: ensemble, members: base}
  look: {kind: inspect, rows: bare, model: one}
",
        &[
            "the rows of 'bare' have no folds, by which baselines are cross-validated",
            "the rows of 'folds' have no train part here, from which models learn",
            "the rows of 'folds' have no folds",
            "the rows of 'bare' have no valid part here, on which the epoch is chosen",
            "the rows of 'base' have no valid part here, on which the weights are chosen",
        ],
    );
}

#[test]
fn what_is_listed_twice_is_refused_wherever_it_says_nothing() {
    for (stage, twice) in [
        ("kind: train, rows: folds, numeric: [tempo, energy, tempo]", "numeric names 'tempo' twice"),
        ("kind: train, rows: folds, categories: [artist, artist]", "categories names 'artist' twice"),
        ("kind: baseline, rows: folds, numeric: [tempo, tempo], models: {tree: {}}", "numeric names 'tempo' twice"),
        (
            "kind: embed, rows: songs, columns: [title, title], encoder: tfidf, fit: folds.train",
            "columns names 'title' twice",
        ),
        ("kind: map, rows: folds, numeric: [tempo], show: [id, id]", "show names 'id' twice"),
        ("kind: describe, rows: songs, drop: [id, id]", "drop names 'id' twice"),
        ("kind: split, rows: songs, groups: [artist, artist]", "groups names 'artist' twice"),
        ("kind: load, files: {all: songs.csv}, keep: [id, id]", "keep names 'id' twice"),
        (
            "kind: train, rows: folds, numeric: [tempo], search: {space: {numeric: {choice: [[tempo], [tempo, tempo]]}}}",
            "numeric names 'tempo' twice",
        ),
    ] {
        finds(&format!("  it: {{{stage}}}\n"), &[twice]);
    }
}

#[test]
fn a_search_is_checked_as_its_trials_will_be() {
    let search = |space: &str| {
        format!(
            "  it: {{kind: train, rows: folds, numeric: [tempo, energy], search: {{trials: 3, space: {{{space}}}}}}}\n"
        )
    };
    finds(
        &search("numeric: {choice: [[tempo], [tempi], [id]]}, categories: {choice: [[nobody]]}"),
        &[
            "no column 'tempi' in 'folds' (did you mean 'tempo'?)",
            "'id' is not among the stage's own `numeric`",
            "no column 'nobody'",
        ],
    );
    finds(&search("where: {choice: [{tempo: {min: 3}}]}"), &["all trials have the `where` of the stage"]);
    finds(&search("optimizer.momentum: {uniform: [0, 0.9]}"), &["optimizer.momentum: only sgd and rmsprop take it"]);
    // A width has its use once there is an embedding, which is tried as well.
    let both =
        "network.numeric.embedding: {choice: [periodic, piecewise_linear]}, network.numeric.width: {choice: [4, 8]}";
    let work = Workspace::with_songs().pipeline(&format!("{STAGES}{}", search(both)));
    let output = work.runner(&["plan", "pipeline.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_value_of_a_variable_is_told_at_its_use_with_the_variable() {
    let yaml = format!("vars: {{data: none.csv}}\n{STAGES}").replace("songs.csv", "\"${data}\"");
    let text = refused(&Workspace::with_songs().pipeline(&yaml));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(errors(&text), ["none.csv: cannot be read: No such file or directory (os error 2)"], "{text}");
    assert!(lines.iter().any(|line| line.trim() == "--> pipeline.yaml:3:36"), "{text}");
    assert!(lines.iter().any(|line| line.trim() == "::: pipeline.yaml:1:14"), "{text}");
    assert!(text.contains("'data' is set here"), "{text}");
    let work = Workspace::with_songs().pipeline(&yaml);
    let output = work.runner(&["plan", "pipeline.yaml", "--set", "data=other.csv"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("--> pipeline.yaml:3:36") && text.contains("::: command line"), "{text}");
}
