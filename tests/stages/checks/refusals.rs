//! What a run could only refuse after work was done, `plan` refuses where the file and the headers suffice; and what is accepted is read.

use super::{errors, refused};
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

/// The stages with more below them, each of which is one mistake with these words.
#[track_caller]
fn says(more: &str, expected: &[&str]) {
    let text = refused(&work().pipeline(&format!("{STAGES}{more}\n")));
    let found = errors(&text);
    assert_eq!(found.len(), expected.len(), "{more}\n{text}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{more}: {found}\n{text}");
    }
}

#[test]
fn keys_of_a_stage_are_its_inputs_too() {
    let text =
        refused(&work().pipeline(&format!(
            "{STAGES}  v: {{kind: embed, rows: songs, xyzzy: 1, columns: [title], encoder: tfidf}}\n"
        )));
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("unknown key 'xyzzy'") && told.contains("keys of 'embed' are rows, fit, columns"), "{text}");
}

#[test]
fn inputs_that_name_nothing_or_the_same_twice() {
    says("  page: {kind: report, title: T, stages: []}", &["input 'stages' names no stage"]);
    says("  page: {kind: report, title: T, stages: [net, net]}", &["input 'stages' names 'net' twice"]);
    says("  paper: {kind: article, title: T, author: A, stages: []}", &["input 'stages' names no stage"]);
    says("  all: {kind: ensemble, members: []}", &["input 'members' names no stage"]);
    says("  all: {kind: ensemble, members: [net, net.predictions]}", &["input 'members' names 'net' twice"]);
    says("  all: {kind: ensemble, members: [folds, net]}", &["'folds' predicts nothing"]);
    says("  all: {kind: ensemble, models: [net]}", &["stage 'all' lacks its input 'members'"]);
    says("  all: {kind: ensemble, member: [net], models: [net]}", &["unknown key 'member' (did you mean 'members'?)"]);
    says(
        "  two: {kind: train, rows: folds, numeric: [tempo], matrix: {n: [2, 3]}, epochs: \"${n}\"}\n  page: {kind: report, title: T, stages: [two, two@n=2]}",
        &["input 'stages' names 'two@n=2' twice"],
    );
}

#[test]
fn rows_without_a_label_keys_without_a_column_and_files_of_different_columns() {
    says(
        "  plain: {kind: load, files: {all: songs.csv}}\n  parts: {kind: split, rows: plain}",
        &["no label: neither this stage nor 'plain' says which column is to be predicted"],
    );
    says("  parts: {kind: split, rows: songs, groups: [[]]}", &["a key needs at least one column"]);
    let two = "  two: {kind: load, files: {long: songs.csv, short: short.csv}, label: genre}\n";
    says(
        &format!("{two}  predict: {{kind: predict, model: net, rows: two, file: o.csv}}"),
        &["the files 'long' and 'short' have different columns"],
    );
    // One of them, or rows of which a filter may leave those of one file.
    for rows in ["rows: two.short", "rows: two, where: {source: short}"] {
        let yaml = format!("{STAGES}{two}  predict: {{kind: predict, model: net, {rows}, file: o.csv}}\n");
        let output = work().pipeline(&yaml).runner(&["plan", "pipeline.yaml"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn layers_and_columns_that_a_network_does_not_have() {
    says(
        "  next: {kind: transfer, model: net, rows: folds, frozen_layers: 99}",
        &["frozen_layers must be at most 3, the hidden layers of the network; got 99"],
    );
    says(
        "  next: {kind: transfer, model: net, rows: folds, frozen_layers: 2, network: {trunk: {layers: [8]}}}",
        &["frozen_layers must be at most 1"],
    );
    says(
        "  own: {kind: train, rows: folds, numeric: [tempo], categories: [artist], network: {columns: {title: {layers: [2]}}, category_columns: {artst: {width: 2}}}}",
        &[
            "'title' is not among the columns under `text`",
            "'artst' is not among the columns under `categories` (did you mean 'artist'?)",
        ],
    );
}

#[test]
fn encoders_texts_and_files_that_are_not_there() {
    says("  vectors: {kind: embed, rows: songs, columns: [title], encoder: ./nope}", &["no encoder folder './nope'"]);
    says(
        "  vectors: {kind: embed, rows: songs, columns: [title], encoder: tf-idf}",
        &["no encoder 'tf-idf' (did you mean 'tfidf'?)"],
    );
    says(
        "  paper: {kind: article, title: T, author: A, stages: [net], text: {introduction: intro.md}}",
        &["intro.md:3: no work has the key 'nobody'"],
    );
    says(
        "  hand: {kind: bundle, name: mine, stages: [net], files: {a: no.txt}}\n  other: {kind: train, rows: folds, numeric: [tempi]}",
        &["cannot read 'no.txt'", "no column 'tempi'"],
    );
}

#[test]
fn parameters_that_nothing_reads() {
    let transfer = "  next: {kind: transfer, model: net, rows: folds, epochs: 3";
    says(
        &format!("{transfer}, strategies: [scratch, copy], release_epoch: 1}}"),
        &["release_epoch: only the strategy `frozen` reads it"],
    );
    says(&format!("{transfer}, release_epoch: 4}}"), &["release_epoch must be at most `epochs`; got 4, of 3 epochs"]);
    let search = "  own: {kind: train, rows: folds, numeric: [tempo], epochs: 2, search: {trials: 3";
    says(
        &format!("{search}, pruning: {{min_epochs: 50}}, space: {{optimizer.lr: {{choice: [0.1, 0.2]}}}}}}}}"),
        &["search.pruning.min_epochs: 50 of 2 epochs"],
    );
    says(
        &format!("{search}, space: {{optimizer.lr: {{choice: [0.1]}}, optimizer: {{choice: [{{lr: 0.1}}]}}}}}}}}"),
        &["search.space: 'optimizer' and 'optimizer.lr' set the same parameter"],
    );
    says(
        "  other: {kind: load, files: {all: songs.csv}, missing: {title: {add: [\"-\"], remove: [zz, NA]}}}",
        &["missing.title.remove: 'zz' does not stand for a missing value there"],
    );
    let yaml = format!("templates: {{unused: {{kind: trian}}}}\n{STAGES}");
    let text = refused(&work().pipeline(&yaml));
    assert_eq!(errors(&text), ["unknown stage kind 'trian' (did you mean 'train'?)"], "{text}");
}

/// A branch that the network does not have may be a remnant: it is said, and no more. What a template holds is for several stages.
#[test]
fn branches_without_columns_are_a_warning_where_the_stage_itself_has_them() {
    let network = "network: {text: {layers: [2]}, categories: {width: 3}}";
    let yaml = format!("{STAGES}  own: {{kind: train, rows: folds, numeric: [tempo], {network}}}\n");
    let output = work().pipeline(&yaml).runner(&["plan", "pipeline.yaml"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{text}");
    for branch in ["text", "categories"] {
        assert!(text.contains(&format!("warning: nothing reads `network.{branch}`")), "{text}");
    }
    let yaml = format!(
        "templates: {{t: {{{network}}}}}\n{STAGES}  own: {{extends: t, kind: train, rows: folds, numeric: [tempo]}}\n"
    );
    let output = work().pipeline(&yaml).runner(&["plan", "pipeline.yaml"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
