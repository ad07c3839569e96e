//! Values of a search that are possible each, but not together.

use super::{errors, refused};
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
    let text = refused(&work);
    let found = errors(&text);
    assert_eq!(found.len(), 1, "{text}");
    assert!(found[0].contains("network.fusion \"concat\"") && found[0].contains("network.fusion_width 4"), "{text}");
    assert!(found[0].contains("only gated fusion takes it"), "{text}");
    assert!(text.contains("pipeline.yaml:14:") && text.contains("`network: {choice: [{…}, {…}]}`"), "{text}");
    let run = work.run();
    assert!(run.code == Some(2) && run.list("ran").is_empty() && !work.exists("artifacts"), "{}", run.stderr);
}

/// Three that hang together, beside others that do not, also where there are too many combinations to look at each.
#[test]
fn parameters_that_have_no_part_in_it_are_not_named() {
    let others = "        optimizer.lr: {log_uniform: [0.001, 0.1]}\n        batch_size: {choice: [8, 16, 32, 64]}\n        network.dropout: {choice: [0, 0.1, 0.2]}\n        label_smoothing: {choice: [0, 0.1, 0.2, 0.3]}\n        optimizer.weight_decay: {choice: [0, 0.1, 0.2, 0.3]}\n";
    let wrong = "        network.numeric.embedding: {choice: [piecewise_linear, periodic]}\n        network.numeric.frequencies: {integer: [4, 8]}\n";
    for space in [
        format!("{wrong}        batch_size: {{choice: [8, 16]}}\n"),
        format!("{wrong}{others}"),
        format!("{others}{wrong}"),
    ] {
        let text = refused(&study(&space));
        let found = errors(&text);
        assert_eq!(found.len(), 1, "{text}");
        let has = |name: &str| found[0].contains(name);
        assert!(has("network.numeric.embedding \"piecewise_linear\"") && has("only periodic takes it"), "{text}");
        assert!(!has("batch_size") && !has("optimizer") && !has("dropout"), "{text}");
        assert!(text.contains("`network.numeric: {choice:"), "{text}");
    }
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
    let text = refused(&work);
    assert_eq!(errors(&text).len(), 1, "{text}");
    assert!(text.contains("nothing reads 'network.text.dropout': the stage has no columns under `text`"), "{text}");
    assert!(text.contains("pipeline.yaml:13:"), "{text}");
}

/// Equal values would count as separate trials, however they are written.
#[test]
fn choices_with_the_same_value_twice_are_refused_at_their_line() {
    for (space, said) in [
        ("optimizer.lr: {choice: [0.1, 0.01, 0.1]}", "optimizer.lr: choice has 0.1 twice"),
        ("optimizer.lr: {choice: [0.1, 1e-1]}", "optimizer.lr: choice has 0.1 twice"),
        ("network.dropout: {choice: [0, 0.2, 0.0]}", "network.dropout: choice has 0 and 0.0, which are the same"),
        ("batch_size: {choice: [8, 8]}", "batch_size: choice has 8 twice"),
        ("network.trunk.layers: {choice: [[8], [4], [8]]}", "network.trunk.layers: choice has [8] twice"),
        ("optimizer.kind: {choice: [adam, 'adam']}", "optimizer.kind: choice has \"adam\" twice"),
        ("network.batch_norm: {choice: [true, true]}", "network.batch_norm: choice has true twice"),
        (
            "optimizer: {choice: [{lr: 0.1}, {lr: 1e-1}, {lr: 0.1, kind: sgd}]}",
            "optimizer: choice has {\"lr\":0.1} twice",
        ),
        ("numeric: {choice: [[tempo], [tempo, energy], [tempo]]}", "numeric: choice has [\"tempo\"] twice"),
    ] {
        let work = study(&format!("        {space}\n"));
        let text = refused(&work);
        let found = errors(&text);
        assert!(found.len() == 1 && found[0].contains(said), "{space}: {text}");
        assert!(text.contains("pipeline.yaml:13:"), "{space}: {text}");
    }
    let fine = "        optimizer.lr: {choice: [0.1, 0.01]}\n        batch_size: {choice: [8, 16]}\n";
    let output = study(fine).runner(&["plan", "pipeline.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
