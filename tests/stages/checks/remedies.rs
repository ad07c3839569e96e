//! What a message tells to do can be done, and names the place that is at fault.

use super::{each_refused, refused};
use crate::workspace::Workspace;

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

#[track_caller]
fn text(yaml: &str) -> String {
    refused(&Workspace::with_songs().pipeline(yaml))
}

/// What is said of the stages with each of these below them.
#[track_caller]
fn said(more: &[&str]) -> String {
    each_refused(more.iter().map(|more| Workspace::with_songs().pipeline(&format!("{STAGES}{more}\n"))))
}

#[test]
fn seeds_say_their_name_and_the_numbers_that_there_are() {
    insta::assert_snapshot!(said(&[
        "  net: {kind: train, rows: folds, numeric: [tempo], seed: -1}",
    ]), @"
    error: 'seed': expected a whole number, 0 or more, found -1
     --> pipeline.yaml:4:59
      |
    4 |   net: {kind: train, rows: folds, numeric: [tempo], seed: -1}
      |                                                           ^^
    ");
    insta::assert_snapshot!(text(&format!("seed: 99999999999999999999\n{STAGES}")), @"
    error: '99999999999999999999' is too large for a whole number
     --> pipeline.yaml:1:7
      |
    1 | seed: 99999999999999999999
      |       ^^^^^^^^^^^^^^^^^^^^
      = help: whole numbers reach from -9223372036854775808 to 18446744073709551615: a code of digits is
              text, in quotes
    ");
}

#[test]
fn a_label_that_is_misspelt_is_shown_where_it_is_written() {
    let yaml = STAGES.replace("label: genre", "label: Genre") + "  other: {kind: split, rows: songs}\n";
    insta::assert_snapshot!(text(&yaml), @"
    error: no column 'Genre' in 'songs' (did you mean 'genre'?)
     --> pipeline.yaml:2:55
      |
    2 |   songs: {kind: load, files: {all: songs.csv}, label: Genre}
      |                                                       ^^^^^
      = help: it has id, title, artist, tempo, energy, genre
    ");
}

#[test]
fn a_list_of_models_is_told_the_form_that_is_read() {
    insta::assert_snapshot!(said(&[
        "  base: {kind: baseline, rows: folds, numeric: [tempo], models: [logistic, tree]}",
        "  net: {kind: train, rows: folds, numeric: [tempo], optimizer: [adamw]}",
    ]));
}

#[test]
fn a_key_of_another_kind_is_told_whose_it_is() {
    insta::assert_snapshot!(said(&["  base: {kind: baseline, rows: folds, numeric: [tempo], epochs: 9}"]), @"
    error: unknown key 'epochs'
     --> pipeline.yaml:4:57
      |
    4 |   base: {kind: baseline, rows: folds, numeric: [tempo], epochs: 9}
      |                                                         ^^^^^^
      = help: 'baseline' takes no `epochs`, train, variations or transfer does; keys of 'baseline' are
              rows, embeddings, numeric, text, categories, texts, tfidf, class_weights, sample_weight,
              models, threshold, where
    ");
}

#[test]
fn a_search_speaks_of_parameters_as_the_file_does() {
    let space = "optimzer.lr: {choice: [1]}, optimizer.lt: {choice: [1]}, lr: {choice: [1, 2]}, batch_size: {uniform: [2, 9]}, \
                 optimizer.weight_decay: {choice: [fast]}, search.trials: {choice: [2]}";
    insta::assert_snapshot!(text(&format!(
        "{STAGES}  net: {{kind: train, rows: folds, numeric: [tempo], search: {{trials: 3, space: {{{space}}}}}}}\n"
    )));
}

#[test]
fn shares_kinds_of_optimizers_and_names_of_columns() {
    let net = "  net: {kind: train, rows: folds, numeric: [tempo]}\n";
    insta::assert_snapshot!(said(&[
        &format!("{net}  next: {{kind: transfer, model: net, rows: folds, shares: [0, 1]}}"),
        "  net: {kind: train, rows: folds, numeric: [tempo], optimizer: {momentum: 0.5, alpha: 0.3}}",
        &format!("{net}  predict: {{kind: predict, model: net, rows: songs, file: o.csv, column: \" Tempo \"}}"),
    ]));
}

#[test]
fn a_setting_of_a_template_where_there_are_none() {
    let work = Workspace::with_songs().pipeline(STAGES);
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml", "--set", "templates.net.epochs=9"]), @"
    $ runner plan pipeline.yaml --set templates.net.epochs=9
    error: unknown template 'net'
     --> command line
      |
      | --set templates.net.epochs=9
      |                 ^^^
      = help: the file has no `templates`
    [exit code 2]
    ");
}

#[test]
fn rows_that_a_filter_leaves_out_are_not_missing_from_the_split() {
    insta::assert_snapshot!(said(&["  net: {kind: train, rows: folds, numeric: [tempo], epochs: 2, where: {part: train}}"]), @"
    error: where: no row of the valid part is left, on which the epoch is chosen
     --> pipeline.yaml:4:71
      |
    4 |   net: {kind: train, rows: folds, numeric: [tempo], epochs: 2, where: {part: train}}
      |                                                                       ^^^^^^^^^^^^^
      = help: leave `part` and `fold` out: the stage tells the parts apart by itself
    ");
}

#[test]
fn a_column_without_a_word_is_not_told_to_count_fewer() {
    let yaml = "stages:
  rows: {kind: load, files: {all: t.csv}, label: y, types: {note: text}, missing: {note: [\"\"]}}
  folds: {kind: split, rows: rows, folds: 0}
  notes: {kind: embed, rows: rows, fit: folds.train, columns: [note], encoder: tfidf}
";
    let rows: String = (0..40).map(|i| format!("{i},,{}\n", ["a", "b"][i % 2])).collect();
    let error = Workspace::new().file("t.csv", &format!("x,note,y\n{rows}")).pipeline(yaml).run().error();
    insta::assert_snapshot!(error, @"pipeline.yaml:4:3: tfidf cannot be fitted: the 28 texts to learn from are all empty: there is no word in them");
}

/// What needs no numbers is not asked for them.
#[test]
fn a_baseline_on_texts_alone() {
    let yaml = format!(
        "{STAGES}  titles: {{kind: embed, rows: songs, fit: folds.train, columns: [title], encoder: tfidf}}
  base: {{kind: baseline, rows: folds, embeddings: titles, text: [title], models: {{logistic: {{}}}}}}\n"
    );
    Workspace::with_songs().pipeline(&yaml).run().succeeded();
}

/// Whatever the split is called.
#[test]
fn a_remedy_names_the_split_that_there_is() {
    let head = "stages:\n  songs: {kind: load, files: {all: songs.csv}, label: genre}\n";
    let words = "  words: {kind: embed, rows: ROWS, columns: [title], encoder: tfidf}\n";
    let split = |name: &str| format!("  {name}: {{kind: split, rows: songs}}\n");
    let help = |yaml: String| {
        let said = refused(&Workspace::with_songs().pipeline(&yaml));
        assert_eq!(said.matches("= help: ").count(), 1, "{said}");
        let (_, help) = said.split_once("= help: ").expect("a remedy");
        help.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let of = |rows: &str| words.replace("ROWS", rows);
    let add = |split: &str| format!("add `fit: {split}.train`, so that no other row can leak into the vocabulary");
    assert_eq!(help(format!("{head}{}{}", split("cut"), of("songs"))), add("cut"));
    assert_eq!(help(format!("{head}{}{}{}", split("cut"), split("other"), of("other.valid"))), add("other"));
    // Of two nobody knows which.
    let one_of = "add the training part of a `split` stage, e.g. `fit: cut.train`, so that no other row can leak into the vocabulary";
    assert_eq!(help(format!("{head}{}{}{}", split("cut"), split("other"), of("songs"))), one_of);
    let net = "  net: {kind: train, rows: songs, numeric: [tempo]}\n";
    assert_eq!(help(format!("{head}{}{net}", split("cut"))), "read from the `split` stage: `rows: cut`");
    assert_eq!(help(format!("{head}{net}")), "add a `split` stage and read from it, e.g. `rows: folds`");
}
