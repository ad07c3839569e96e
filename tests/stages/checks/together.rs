//! Two mistakes of one stage give two messages: what is wrong with one value hides nothing of the others, and makes nothing up about them.

use super::{accepted, each_refused};
use crate::workspace::Workspace;

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

/// What `plan` says of each of these below `songs` and `folds`.
#[track_caller]
fn said(stages: &[&str]) -> String {
    each_refused(stages.iter().map(|stages| Workspace::with_songs().pipeline(&format!("{STAGES}{stages}"))))
}

#[test]
fn a_value_that_cannot_be_read_hides_no_other_mistake() {
    insta::assert_snapshot!(said(&[
        "  net: {kind: train, rows: folds, numeric: [tempo, tempi], epochs: fast, clip_norm: .nan, seeds: 0}\n",
        "  net: {kind: train, rows: folds, numeric: tempo, categories: [artits], optimizer: {lr: .inf, betas: [0.9, 2]}}\n  deep: {kind: describe, rows: folds, drop: [nope]}\n",
        "  titles: {kind: embed, rows: songs, columns: [titel], encodr: tfidf}\n",
        "  more: {kind: load, files: {all: none.csv}, label: 5}\n",
    ]));
}

#[test]
fn numbers_that_are_none_hide_nothing_in_variables_matrices_and_settings() {
    let yaml = format!(
        "vars: {{rate: .nan}}\n{STAGES}  net: {{kind: train, rows: folds, numeric: [tempi], optimizer: {{lr: \"${{rate}}\"}}}}
  nets: {{kind: train, rows: folds, numeric: [tempo], matrix: {{n: [1, .inf]}}, epochs: \"${{n}}\"}}\n"
    );
    let work = Workspace::with_songs().pipeline(&yaml);
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml", "--set", "nets.optimizer.lr=-.inf"]));
}

#[test]
fn what_stands_in_for_a_wrong_value_is_never_blamed() {
    let stages = [
        "kind: train, rows: folds, numeric: 5",
        "kind: train, rows: folds, numerc: [tempo]",
        "kind: train, rows: folds, numeric: [tempo], optimizer: {kind: sdg, momentum: 0.9}",
        "kind: train, rows: folds, numeric: [tempo], optimizer: {kind: 7, momentum: 0.9}",
        "kind: split, rows: songs, train: lots, valid: 0.3, test: 0.3",
        "kind: map, rows: folds, numeric: [tempo], points: few, perplexity: 500",
        "kind: baseline, rows: folds, numeric: [tempo], models: {tree: 5}",
    ];
    let stages = stages.map(|stage| format!("  it: {{{stage}}}\n"));
    insta::assert_snapshot!(said(&stages.each_ref().map(String::as_str)));
    // Of an input that is misspelt nothing can be said but that.
    insta::assert_snapshot!(said(&["  net: {kind: train, rows: folds, embeddngs: folds, text: [title]}\n"]), @"
    error: unknown key 'embeddngs' (did you mean 'embeddings'?)
     --> pipeline.yaml:4:35
      |
    4 |   net: {kind: train, rows: folds, embeddngs: folds, text: [title]}
      |                                   ^^^^^^^^^
      = help: keys of 'train' are rows, embeddings, numeric, text, categories, sample_weight, where,
              network, seeds, search, threshold, epochs, batch_size, optimizer, schedule, loss,
              label_smoothing, class_weights, clip_norm, early_stopping, dropout_schedule, average
    ");
}

#[test]
fn messages_name_their_parameter_and_parts_and_folds_are_known() {
    insta::assert_snapshot!(said(&[
        "  net: {kind: train, rows: folds, numeric: [tempo], class_weights: {rock: 1.0e+300, rap: 0}, optimizer: {kind: sgd, nesterov: true, momentum: 0}}\n",
        "  bare: {kind: split, rows: songs, folds: 0, train: 0.8, valid: 0, test: 0.2}
  base: {kind: baseline, rows: bare, numeric: [tempo], models: {tree: {}}}
  again: {kind: baseline, rows: folds.test, numeric: [tempo], models: {tree: {}}}
  one: {kind: train, rows: bare, numeric: [tempo]}
  two: {kind: train, rows: bare, numeric: [tempo]}
  all: {kind: ensemble, members: base}
  look: {kind: inspect, rows: bare, model: one}
",
    ]));
}

#[test]
fn what_is_listed_twice_is_refused_wherever_it_says_nothing() {
    let stages = [
        "kind: train, rows: folds, numeric: [tempo, energy, tempo]",
        "kind: train, rows: folds, categories: [artist, artist]",
        "kind: baseline, rows: folds, numeric: [tempo, tempo], models: {tree: {}}",
        "kind: embed, rows: songs, columns: [title, title], encoder: tfidf, fit: folds.train",
        "kind: map, rows: folds, numeric: [tempo], show: [id, id]",
        "kind: describe, rows: songs, drop: [id, id]",
        "kind: split, rows: songs, groups: [artist, artist]",
        "kind: load, files: {all: songs.csv}, keep: [id, id]",
        "kind: train, rows: folds, numeric: [tempo], search: {space: {numeric: {choice: [[tempo], [tempo, tempo]]}}}",
    ];
    let stages = stages.map(|stage| format!("  it: {{{stage}}}\n"));
    insta::assert_snapshot!(said(&stages.each_ref().map(String::as_str)));
}

#[test]
fn a_search_is_checked_as_its_trials_will_be() {
    let search = |space: &str| {
        format!(
            "  it: {{kind: train, rows: folds, numeric: [tempo, energy], search: {{trials: 3, space: {{{space}}}}}}}\n"
        )
    };
    insta::assert_snapshot!(said(&[
        &search("numeric: {choice: [[tempo], [tempi], [id]]}, categories: {choice: [[nobody]]}"),
        &search("where: {choice: [{tempo: {min: 3}}]}"),
        &search("optimizer.momentum: {uniform: [0, 0.9]}"),
    ]));
    // A width has its use once there is an embedding, which is tried as well.
    let both =
        "network.numeric.embedding: {choice: [periodic, piecewise_linear]}, network.numeric.width: {choice: [4, 8]}";
    let work = Workspace::with_songs().pipeline(&format!("{STAGES}{}", search(both)));
    assert_eq!(accepted(&work), "");
}

#[test]
fn the_value_of_a_variable_is_told_at_its_use_with_the_variable() {
    let yaml = format!("vars: {{data: none.csv}}\n{STAGES}").replace("songs.csv", "\"${data}\"");
    let work = Workspace::with_songs().pipeline(&yaml);
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]), @r#"
    $ runner plan pipeline.yaml
    error: none.csv: cannot be read: No such file or directory (os error 2)
     --> pipeline.yaml:3:36
      |
    3 |   songs: {kind: load, files: {all: "${data}"}, label: genre}
      |                                    ^^^^^^^^^
     ::: pipeline.yaml:1:14
      |
    1 | vars: {data: none.csv}
      |              -------- 'data' is set here
      = help: paths count from where runner is started: [folder]
    [exit code 2]
    "#);
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml", "--set", "data=other.csv"]), @r#"
    $ runner plan pipeline.yaml --set data=other.csv
    error: other.csv: cannot be read: No such file or directory (os error 2)
     --> pipeline.yaml:3:36
      |
    3 |   songs: {kind: load, files: {all: "${data}"}, label: genre}
      |                                    ^^^^^^^^^
     ::: command line
      |
      | --set data=other.csv
      |            --------- 'data' is set here
      = help: paths count from where runner is started: [folder]
    [exit code 2]
    "#);
}
