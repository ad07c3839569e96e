//! A model is never scored on rows of another split of the same files: those that it learnt from would count as unseen.

use super::{accepted, refused};
use crate::workspace::Workspace;

const DATA: &str = "title,a,label\none two,1,p\ntwo three,2,q\n";

fn study(stages: &str) -> Workspace {
    let head = "name: study\nstages:\n  songs: {kind: load, files: {train: train.csv}, label: label}\n";
    let head = format!(
        "{head}  f1: {{kind: split, rows: songs}}\n  f2: {{kind: split, rows: songs, train: 0.5, valid: 0.25, test: 0.25}}\n"
    );
    let net = "  net: {kind: train, rows: f1, numeric: [a], epochs: 1}\n";
    Workspace::new().file("train.csv", DATA).file("other.csv", DATA).pipeline(&format!("{head}{net}{stages}"))
}

#[test]
fn whatever_was_fitted_on_another_split_of_the_same_files_is_refused_with_a_way_out() {
    let work = study(concat!(
        "  look: {kind: inspect, model: net, rows: f2, part: test}\n",
        "  moved: {kind: transfer, model: net, rows: f2}\n",
        "  again: {kind: load, files: {x: ./train.csv}, label: label}\n",
        "  f3: {kind: split, rows: again}\n",
        "  both: {kind: ensemble, members: [net], models: [net]}\n",
        "  elsewhere: {kind: inspect, model: both, rows: f3}\n",
        "  words: {kind: embed, rows: songs, fit: f1.train, columns: [title], encoder: tfidf}\n",
        "  text: {kind: train, rows: f2, text: [title], embeddings: words, epochs: 1}\n",
    ));
    insta::assert_snapshot!(refused(&work));
}

#[test]
fn the_same_split_other_files_and_a_split_of_the_training_part_are_well() {
    let work = study(concat!(
        "  look: {kind: inspect, model: net, rows: f1, part: test}\n",
        "  others: {kind: load, files: {x: other.csv}, label: label}\n",
        "  f3: {kind: split, rows: others}\n",
        "  moved: {kind: transfer, model: net, rows: f3}\n",
        "  inner: {kind: split, rows: f1.train}\n",
        "  small: {kind: train, rows: inner, numeric: [a], epochs: 1}\n",
        "  judged: {kind: inspect, model: small, rows: f1, part: test}\n",
        "  new: {kind: predict, model: net, rows: songs, file: o.csv}\n",
    ));
    assert_eq!(accepted(&work), "");
}

#[test]
fn a_split_of_all_parts_of_another_is_another_split() {
    let work = study(concat!(
        "  inner: {kind: split, rows: f1}\n",
        "  small: {kind: train, rows: inner, numeric: [a], epochs: 1}\n",
        "  judged: {kind: inspect, model: small, rows: f1, part: test}\n",
    ));
    insta::assert_snapshot!(refused(&work), @"
    error: 'small' was fitted on the split 'inner', but these rows are of 'f1': rows that it learnt from would count as unseen
     --> pipeline.yaml:9:34
      |
    9 |   judged: {kind: inspect, model: small, rows: f1, part: test}
      |                                  ^^^^^
      = help: read the rows of 'inner' here, or fit 'small' on 'f1'
    ");
}

#[test]
fn members_of_an_ensemble_are_of_one_split() {
    let work = study(concat!(
        "  other: {kind: baseline, rows: f2, numeric: [a], models: {logistic: {}}}\n",
        "  both: {kind: ensemble, members: [net, other], models: [net, other]}\n",
    ));
    insta::assert_snapshot!(refused(&work), @"
    error: 'other' was fitted on the split 'f2', but 'net' on 'f1': they have few unseen rows in common
     --> pipeline.yaml:8:41
      |
    8 |   both: {kind: ensemble, members: [net, other], models: [net, other]}
      |                                         ^^^^^
      = help: fit 'other' on 'f1' too
    ");
}
