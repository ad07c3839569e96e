//! What a run could only refuse after work was done, `plan` refuses where the file and the headers suffice; and what is accepted is read.

use super::{accepted, each_refused, refused};
use crate::workspace::Workspace;

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
  net: {kind: train, rows: folds, numeric: [tempo], epochs: 2}
";

fn work() -> Workspace {
    Workspace::with_songs()
        .file("short.csv", "title,tempo\na,100\n")
        .file("intro.md", "As [@adamw] and\n\n- [@nobody].\n")
}

/// What is said of the stages with each of these below them.
#[track_caller]
fn said(more: &[&str]) -> String {
    each_refused(more.iter().map(|more| work().pipeline(&format!("{STAGES}{more}\n"))))
}

#[test]
fn keys_of_a_stage_are_its_inputs_too() {
    insta::assert_snapshot!(said(&["  v: {kind: embed, rows: songs, xyzzy: 1, columns: [title], encoder: tfidf}",]));
}

#[test]
fn inputs_that_name_nothing_or_the_same_twice() {
    insta::assert_snapshot!(said(&[
        "  page: {kind: report, title: T, stages: []}",
        "  page: {kind: report, title: T, stages: [net, net]}",
        "  paper: {kind: article, title: T, author: A, stages: []}",
        "  all: {kind: ensemble, members: []}",
        "  all: {kind: ensemble, members: [net, net.predictions]}",
        "  all: {kind: ensemble, members: [folds, net]}",
        "  all: {kind: ensemble, models: [net]}",
        "  all: {kind: ensemble, member: [net], models: [net]}",
        "  two: {kind: train, rows: folds, numeric: [tempo], matrix: {n: [2, 3]}, epochs: \"${n}\"}\n  page: {kind: report, title: T, stages: [two, two@n=2]}",
    ]));
}

#[test]
fn rows_without_a_label_keys_without_a_column_and_files_of_different_columns() {
    insta::assert_snapshot!(said(&[
        "  plain: {kind: load, files: {all: songs.csv}}\n  parts: {kind: split, rows: plain}",
        "  parts: {kind: split, rows: songs, groups: [[]]}",
    ]));
    let two = "  two: {kind: load, files: {long: songs.csv, short: short.csv}, label: genre}\n";
    insta::assert_snapshot!(said(
        &[&format!("{two}  predict: {{kind: predict, model: net, rows: two, file: o.csv}}"),]
    ));
    // One of them, or rows of which a filter may leave those of one file.
    for rows in ["rows: two.short", "rows: two, where: {source: short}"] {
        let yaml = format!("{STAGES}{two}  predict: {{kind: predict, model: net, {rows}, file: o.csv}}\n");
        accepted(&work().pipeline(&yaml));
    }
}

#[test]
fn layers_and_columns_that_a_network_does_not_have() {
    insta::assert_snapshot!(said(&[
        "  next: {kind: transfer, model: net, rows: folds, frozen_layers: 99}",
        "  next: {kind: transfer, model: net, rows: folds, frozen_layers: 2, network: {trunk: {layers: [8]}}}",
        "  own: {kind: train, rows: folds, numeric: [tempo], categories: [artist], network: {columns: {title: {layers: [2]}}, category_columns: {artst: {width: 2}}}}",
    ]));
}

#[test]
fn encoders_texts_and_files_that_are_not_there() {
    insta::assert_snapshot!(said(&[
        "  vectors: {kind: embed, rows: songs, columns: [title], encoder: ./nope}",
        "  vectors: {kind: embed, rows: songs, columns: [title], encoder: tf-idf}",
        "  paper: {kind: article, title: T, author: A, stages: [net], text: {introduction: intro.md}}",
        "  hand: {kind: bundle, name: mine, stages: [net], files: {a: no.txt}}\n  other: {kind: train, rows: folds, numeric: [tempi]}",
    ]));
}

#[test]
fn parameters_that_nothing_reads() {
    let transfer = "  next: {kind: transfer, model: net, rows: folds, epochs: 3";
    insta::assert_snapshot!(said(&[
        &format!("{transfer}, strategies: [scratch, copy], release_epoch: 1}}"),
        &format!("{transfer}, release_epoch: 4}}"),
    ]));
    let search = "  own: {kind: train, rows: folds, numeric: [tempo], epochs: 2, search: {trials: 3";
    insta::assert_snapshot!(said(&[
        &format!("{search}, pruning: {{min_epochs: 50}}, space: {{optimizer.lr: {{choice: [0.1, 0.2]}}}}}}}}"),
        &format!("{search}, space: {{optimizer.lr: {{choice: [0.1]}}, optimizer: {{choice: [{{lr: 0.1}}]}}}}}}}}"),
        "  other: {kind: load, files: {all: songs.csv}, missing: {title: {add: [\"-\"], remove: [zz, NA]}}}",
    ]));
    let yaml = format!("templates: {{unused: {{kind: trian}}}}\n{STAGES}");
    insta::assert_snapshot!(refused(&work().pipeline(&yaml)));
}

/// A branch that the network does not have may be a remnant: it is said, and no more. What a template holds is for several stages.
#[test]
fn branches_without_columns_are_a_warning_where_the_stage_itself_has_them() {
    let network = "network: {text: {layers: [2]}, categories: {width: 3}}";
    let yaml = format!("{STAGES}  own: {{kind: train, rows: folds, numeric: [tempo], {network}}}\n");
    insta::assert_snapshot!(accepted(&work().pipeline(&yaml)));
    let yaml = format!(
        "templates: {{t: {{{network}}}}}\n{STAGES}  own: {{extends: t, kind: train, rows: folds, numeric: [tempo]}}\n"
    );
    assert_eq!(accepted(&work().pipeline(&yaml)), "");
}
