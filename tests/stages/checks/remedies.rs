//! What a message tells to do can be done, and names the place that is at fault.

use super::{errors, refused};
use crate::workspace::Workspace;

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

#[track_caller]
fn text(yaml: &str) -> String {
    refused(&Workspace::with_songs().pipeline(yaml))
}

#[track_caller]
fn says(more: &str, expected: &[&str]) {
    let text = text(&format!("{STAGES}{more}\n"));
    assert_eq!(errors(&text), expected, "{more}\n{text}");
}

#[test]
fn seeds_say_their_name_and_the_numbers_that_there_are() {
    says(
        "  net: {kind: train, rows: folds, numeric: [tempo], seed: -1}",
        &["'seed': expected a whole number, 0 or more, found -1"],
    );
    let text = text(&format!("seed: 99999999999999999999\n{STAGES}"));
    assert!(text.contains("whole numbers reach from -9223372036854775808 to 18446744073709551615"), "{text}");
}

#[test]
fn a_label_that_is_misspelt_is_shown_where_it_is_written() {
    let yaml = STAGES.replace("label: genre", "label: Genre") + "  other: {kind: split, rows: songs}\n";
    let text = text(&yaml);
    assert_eq!(errors(&text), ["no column 'Genre' in 'songs' (did you mean 'genre'?)"], "{text}");
    assert!(text.contains("--> pipeline.yaml:2:55"), "{text}");
}

#[test]
fn a_list_of_models_is_told_the_form_that_is_read() {
    says(
        "  base: {kind: baseline, rows: folds, numeric: [tempo], models: [logistic, tree]}",
        &["'models': expected a mapping of kinds to their parameters, e.g. {logistic: {}, boosting: {}}, found a list"],
    );
    // No struct is read from a list.
    says(
        "  net: {kind: train, rows: folds, numeric: [tempo], optimizer: [adamw]}",
        &["'optimizer': expected a mapping, found a list"],
    );
}

#[test]
fn a_key_of_another_kind_is_told_whose_it_is() {
    let text = text(&format!("{STAGES}  base: {{kind: baseline, rows: folds, categories: [artist]}}\n"));
    assert_eq!(errors(&text), ["unknown key 'categories'"], "{text}");
    assert!(text.contains("'baseline' takes no `categories`, train does"), "{text}");
}

#[test]
fn a_search_speaks_of_parameters_as_the_file_does() {
    let space = "optimzer.lr: {choice: [1]}, optimizer.lt: {choice: [1]}, lr: {choice: [1, 2]}, batch_size: {uniform: [2, 9]}, \
                 optimizer.weight_decay: {choice: [fast]}, search.trials: {choice: [2]}";
    let text = text(&format!(
        "{STAGES}  net: {{kind: train, rows: folds, numeric: [tempo], search: {{trials: 3, space: {{{space}}}}}}}\n"
    ));
    let expected = [
        "search.space: no parameter 'optimzer.lr' (did you mean 'optimizer.lr'?)",
        "search.space: no parameter 'optimizer.lt' (did you mean 'optimizer.lr'?)",
        "search.space: no parameter 'lr' (did you mean 'optimizer.lr'?)",
        "search.space: 'batch_size': expected a whole number, 0 or more, found 2.0",
        "search.space: 'optimizer.weight_decay': expected a number, found text 'fast'",
        "search.space.search.trials: all trials have the `search` of the stage, which cannot be searched over",
    ];
    assert_eq!(errors(&text), expected, "{text}");
    assert!(text.contains("ranges of whole numbers are `integer` and `log_integer`"), "{text}");
    assert!(!text.contains("seeds"), "what cannot be searched over is not offered\n{text}");
}

#[test]
fn shares_kinds_of_optimizers_and_names_of_columns() {
    let net = "  net: {kind: train, rows: folds, numeric: [tempo]}\n";
    says(
        &format!("{net}  next: {{kind: transfer, model: net, rows: folds, shares: [0, 1]}}"),
        &["shares[0] must be in (0, 1); got 0", "shares[1] must be in (0, 1); got 1"],
    );
    says(
        "  net: {kind: train, rows: folds, numeric: [tempo], optimizer: {momentum: 0.5, alpha: 0.3}}",
        &[
            "optimizer.momentum: only sgd and rmsprop take it: leave it out",
            "optimizer.alpha: only rmsprop takes it: leave it out",
        ],
    );
    says(
        &format!("{net}  predict: {{kind: predict, model: net, rows: songs, file: o.csv, column: \" Tempo \"}}"),
        &[
            "the file to predict has a column 'tempo' already, which many programs do not tell from ' Tempo ' (choose another name, or leave `column` out)",
        ],
    );
}

#[test]
fn a_setting_of_a_template_where_there_are_none() {
    let work = Workspace::with_songs().pipeline(STAGES);
    let output = work.runner(&["plan", "pipeline.yaml", "--set", "templates.net.epochs=9"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.contains("unknown template 'net'") && text.contains("help: the file has no `templates`"), "{text}");
}

#[test]
fn rows_that_a_filter_leaves_out_are_not_missing_from_the_split() {
    let yaml =
        format!("{STAGES}  net: {{kind: train, rows: folds, numeric: [tempo], epochs: 2, where: {{part: train}}}}\n");
    let run = Workspace::with_songs().pipeline(&yaml).run();
    assert!(run.code == Some(2) && run.stderr.contains("where: no row of the valid part is left"), "{}", run.stderr);
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
    assert!(error.contains("texts to learn from are all empty"), "{error}");
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
