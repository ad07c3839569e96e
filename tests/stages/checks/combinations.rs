//! Values of a search that are possible each, but not together.

use super::{accepted, each_refused, refused};
use crate::workspace::Workspace;

fn study(space: &str) -> Workspace {
    Workspace::with_songs().pipeline(&format!(
        "name: p\nstages:\n  songs: {{kind: load, files: {{all: songs.csv}}, label: genre}}\n  folds: {{kind: split, rows: songs}}\n  net:\n    kind: train\n    rows: folds\n    numeric: [tempo, energy]\n    epochs: 2\n    search:\n      trials: 4\n      space:\n{space}"
    ))
}

#[test]
fn values_that_no_trial_may_have_together_are_refused_at_their_line() {
    let work =
        study("        network.fusion: {choice: [concat, gated]}\n        network.fusion_width: {integer: [4, 8]}\n");
    insta::assert_snapshot!(refused(&work), @r#"
    error: search.space: a trial may have network.fusion "concat", network.fusion_width 4, of which comes: network.fusion_width: only gated fusion takes it: leave it out
      --> pipeline.yaml:14:31
       |
    14 |         network.fusion_width: {integer: [4, 8]}
       |                               ^^^^^^^^^^^^^^^^^
       = help: leave out the values that do not go with the others, or search over them as one:
               `network: {choice: [{…}, {…}]}`
    "#);
    let run = work.run();
    assert!(run.code == Some(2) && run.list("ran").is_empty() && !work.exists("artifacts"), "{}", run.stderr);
}

/// Three that hang together, beside others that do not, also where there are too many combinations to look at each.
#[test]
fn parameters_that_have_no_part_in_it_are_not_named() {
    let others = "        optimizer.lr: {log_uniform: [0.001, 0.1]}\n        batch_size: {choice: [8, 16, 32, 64]}\n        network.dropout: {choice: [0, 0.1, 0.2]}\n        label_smoothing: {choice: [0, 0.1, 0.2, 0.3]}\n        optimizer.weight_decay: {choice: [0, 0.1, 0.2, 0.3]}\n";
    let wrong = "        network.numeric.embedding: {choice: [piecewise_linear, periodic]}\n        network.numeric.frequencies: {integer: [4, 8]}\n";
    let spaces = [
        format!("{wrong}        batch_size: {{choice: [8, 16]}}\n"),
        format!("{wrong}{others}"),
        format!("{others}{wrong}"),
    ];
    insta::assert_snapshot!(each_refused(spaces.iter().map(|space| study(space))), @r#"
    error: search.space: a trial may have network.numeric.embedding "piecewise_linear", network.numeric.frequencies 4, of which comes: network.numeric.frequencies: only periodic takes it: leave it out
      --> pipeline.yaml:14:38
       |
    14 |         network.numeric.frequencies: {integer: [4, 8]}
       |                                      ^^^^^^^^^^^^^^^^^
       = help: leave out the values that do not go with the others, or search over them as one:
               `network.numeric: {choice: [{…}, {…}]}`

    ----

    error: search.space: a trial may have network.numeric.embedding "piecewise_linear", network.numeric.frequencies 4, of which comes: network.numeric.frequencies: only periodic takes it: leave it out
      --> pipeline.yaml:14:38
       |
    14 |         network.numeric.frequencies: {integer: [4, 8]}
       |                                      ^^^^^^^^^^^^^^^^^
       = help: leave out the values that do not go with the others, or search over them as one:
               `network.numeric: {choice: [{…}, {…}]}`

    ----

    error: search.space: a trial may have network.numeric.embedding "piecewise_linear", network.numeric.frequencies 4, of which comes: network.numeric.frequencies: only periodic takes it: leave it out
      --> pipeline.yaml:19:38
       |
    19 |         network.numeric.frequencies: {integer: [4, 8]}
       |                                      ^^^^^^^^^^^^^^^^^
       = help: leave out the values that do not go with the others, or search over them as one:
               `network.numeric: {choice: [{…}, {…}]}`
    "#);
}

#[test]
fn values_that_go_together_are_searched_over() {
    let all = "        network.numeric.embedding: {choice: [periodic, piecewise_linear]}\n        network.numeric.width: {integer: [4, 8]}\n";
    study(all).run().succeeded();
    // The remedy: what goes together is a choice.
    let blocks = "        network.numeric: {choice: [{}, {embedding: periodic, frequencies: 4}, {embedding: piecewise_linear, bins: 4}]}\n        optimizer.lr: {log_uniform: [0.001, 0.1]}\n";
    study(blocks).run().succeeded();
}

#[test]
fn parameters_of_a_branch_without_columns_are_refused() {
    let work =
        study("        network.text.dropout: {choice: [0.1, 0.5]}\n        optimizer.lr: {choice: [0.01, 0.02]}\n");
    insta::assert_snapshot!(refused(&work), @"
    error: search.space: nothing reads 'network.text.dropout': the stage has no columns under `text`
      --> pipeline.yaml:13:31
       |
    13 |         network.text.dropout: {choice: [0.1, 0.5]}
       |                               ^^^^^^^^^^^^^^^^^^^^
       = help: leave it out, or name columns under `text`
    ");
}

/// Equal values would count as separate trials, however they are written.
#[test]
fn choices_with_the_same_value_twice_are_refused_at_their_line() {
    let spaces = [
        "optimizer.lr: {choice: [0.1, 0.01, 0.1]}",
        "optimizer.lr: {choice: [0.1, 1e-1]}",
        "network.dropout: {choice: [0, 0.2, 0.0]}",
        "batch_size: {choice: [8, 8]}",
        "network.trunk.layers: {choice: [[8], [4], [8]]}",
        "optimizer.kind: {choice: [adam, 'adam']}",
        "network.batch_norm: {choice: [true, true]}",
        "optimizer: {choice: [{lr: 0.1}, {lr: 1e-1}, {lr: 0.1, kind: sgd}]}",
        "numeric: {choice: [[tempo], [tempo, energy], [tempo]]}",
    ];
    insta::assert_snapshot!(each_refused(spaces.map(|space| study(&format!("        {space}\n")))));
    let fine = "        optimizer.lr: {choice: [0.1, 0.01]}\n        batch_size: {choice: [8, 16]}\n";
    assert_eq!(accepted(&study(fine)), "");
}
