//! Tables at inputs that take tables: whatever holds the wrong thing is refused by `plan`, so that no run fails for want of a column.

use super::{errors, refused};
use crate::workspace::Workspace;

/// One stage of each kind that gives tables.
const STUDY: &str = "name: f
seed: 1
stages:
  songs: {kind: load, files: {train: t.csv}, label: label}
  plain: {kind: load, files: {all: p.csv}}
  folds: {kind: split, rows: songs, folds: 3}
  base: {kind: baseline, rows: folds, numeric: [x, y], models: {logistic: {}}}
  emb: {kind: embed, rows: songs, fit: folds.train, columns: [title], encoder: tfidf, tfidf: {dim: 8}}
  net: {kind: train, rows: folds, embeddings: emb, where: {label: [a, b]}, numeric: [x, y], text: [title], epochs: 1, network: {trunk: {layers: [8]}}}
  more: {kind: transfer, model: net, rows: folds, embeddings: emb, strategies: [copy], seeds: 1, epochs: 1}
  both: {kind: ensemble, members: [base, more], models: [base, more]}
  pred: {kind: predict, model: base.logistic, rows: songs, file: out.csv}
  look: {kind: inspect, model: base.logistic, rows: folds, part: valid, repeats: 1}
  plane: {kind: map, rows: folds, numeric: [x, y], method: pca}
";

/// Everything that it gives as a table.
const TABLES: [&str; 19] = [
    "songs",
    "songs.train",
    "plain",
    "folds",
    "folds.train",
    "folds.valid",
    "folds.test",
    "base.predictions",
    "emb",
    "net.predictions",
    "net.curves",
    "more.predictions",
    "more.curves",
    "both.predictions",
    "pred.rows",
    "look.importance",
    "look.mistakes",
    "plane.points",
    "plain.all",
];

/// Everything that takes one, with `TABLE` in its place.
const READERS: [&str; 15] = [
    "{kind: split, rows: TABLE, folds: 2}",
    "{kind: describe, rows: TABLE}",
    "{kind: baseline, rows: TABLE, numeric: [x], models: {tree: {}}}",
    "{kind: baseline, rows: folds, text: [title], embeddings: TABLE, models: {tree: {}}}",
    "{kind: train, rows: TABLE, numeric: [x], epochs: 1, network: {trunk: {layers: [4]}}}",
    "{kind: train, rows: folds, text: [title], embeddings: TABLE, epochs: 1, network: {trunk: {layers: [4]}}}",
    "{kind: embed, rows: TABLE, fit: folds.train, columns: [title], encoder: tfidf, tfidf: {dim: 4}}",
    "{kind: embed, rows: songs, fit: TABLE, columns: [title], encoder: tfidf, tfidf: {dim: 4}}",
    "{kind: transfer, model: net, rows: TABLE, embeddings: emb, strategies: [copy], seeds: 1, epochs: 1}",
    "{kind: transfer, model: net, rows: folds, embeddings: TABLE, strategies: [copy], seeds: 1, epochs: 1}",
    "{kind: predict, model: base.logistic, rows: TABLE, file: more.csv}",
    "{kind: predict, model: net, rows: songs, embeddings: TABLE, file: more.csv}",
    "{kind: inspect, model: base.logistic, rows: TABLE, part: valid, repeats: 1}",
    "{kind: map, rows: TABLE, numeric: [x], method: pca}",
    "{kind: ensemble, members: [TABLE]}",
];

fn csv(label: bool) -> String {
    let mut text = if label { "id,label,title,x,y,z\n" } else { "id,title,x,y,z\n" }.to_owned();
    for i in 0..120usize {
        let class = if label { format!("{},", ["a", "b", "c"][i % 3]) } else { String::new() };
        let (x, y) = (i * 37 % 11, i * 53 % 7);
        text += &format!("r{i},{class}song {} {},{}.5,{y}.25,{}\n", i % 5, ["sun", "moon"][i % 2], x + i % 3, i % 9);
    }
    text
}

fn study(more: &str) -> Workspace {
    Workspace::new().file("t.csv", &csv(true)).file("p.csv", &csv(false)).pipeline(&format!("{STUDY}{more}"))
}

#[test]
fn a_table_that_plan_accepts_never_fails_a_run_for_its_columns() {
    let work = study("");
    work.run().succeeded();
    let (mut accepted, mut faults) = (String::new(), Vec::new());
    let mut count = 0;
    for (i, reader) in READERS.iter().enumerate() {
        for (j, table) in TABLES.iter().enumerate() {
            let stage = format!("  pair{i}x{j}: {}\n", reader.replace("TABLE", table));
            work.write("pipeline.yaml", format!("{STUDY}{stage}").as_bytes());
            let output = work.runner(&["plan", "pipeline.yaml"]);
            match output.status.code() {
                Some(0) => {
                    accepted += &stage;
                    count += 1;
                }
                Some(2) => {
                    let text = String::from_utf8(output.stderr).expect("UTF-8");
                    if !text.contains("pipeline.yaml:") {
                        faults.push(format!("{stage}no place: {text}"));
                    }
                }
                other => faults.push(format!("{stage}{other:?}")),
            }
        }
    }
    assert!((40..200).contains(&count), "{count} of the pairs are accepted");
    work.write("pipeline.yaml", format!("{STUDY}{accepted}").as_bytes());
    let run = work.run_with(&["--keep-going"]);
    let failed = run.lines.iter().filter_map(|line| Some((line["stage"].as_str()?, line["error"].as_str()?)));
    faults.extend(failed.map(|(stage, error)| format!("{stage}: {error}")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The stages with one more, which is one mistake with these words.
#[track_caller]
fn says(more: &str, expected: &[&str]) {
    let text = refused(&study(&format!("  it: {more}\n")));
    let found = errors(&text);
    assert_eq!(found.len(), 1, "{more}\n{text}");
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    expected.iter().for_each(|part| assert!(told.contains(part), "{more}: '{part}' is not in {text}"));
}

#[test]
fn tables_of_something_else_are_one_mistake_each() {
    says(
        "{kind: train, rows: base.predictions, numeric: [x]}",
        &["this table of 'base' holds predictions, not rows of the data"],
    );
    says(
        "{kind: predict, model: base.logistic, rows: pred.rows, file: a.csv}",
        &["this table of 'pred' holds predictions of new rows"],
    );
    says(
        "{kind: map, rows: folds.test, numeric: [x, y]}",
        &["the rows of 'folds' have no train part here, whose rows are laid out"],
    );
    says("{kind: describe, rows: emb}", &["no label: 'emb' does not say which column is to be predicted"]);
    says("{kind: describe, rows: plain}", &["no label: 'plain' does not say which column is to be predicted"]);
    says("{kind: inspect, model: base.logistic, rows: songs}", &["these rows have not been split", "`rows: folds`"]);
    says(
        "{kind: embed, rows: songs, fit: emb, columns: [title], encoder: tfidf}",
        &["the vocabulary cannot be learnt from 'emb': it has no column 'title'", "fit: folds.train"],
    );
    says("{kind: embed, rows: songs, fit: base.predictions, columns: [title], encoder: tfidf}", &["holds predictions"]);
}

#[test]
fn networks_of_a_transfer_are_held_against_the_old_one() {
    let transfer = |rest: &str| format!("{{kind: transfer, model: net, rows: folds, {rest}}}");
    says(&transfer("epochs: 1"), &["the model wants an embedding of column 'title'"]);
    let network = |network: &str| transfer(&format!("embeddings: emb, network: {network}"));
    for (settings, path) in [
        ("{numeric: {width: 4}, trunk: {layers: [8]}}", "network.numeric.width: only an embedding takes it"),
        ("{numeric: {frequencies: 4}, trunk: {layers: [8]}}", "network.numeric.frequencies: only periodic takes it"),
        ("{numeric: {sigma: 1}, trunk: {layers: [8]}}", "network.numeric.sigma: only periodic takes it"),
        ("{numeric: {bins: 4}, trunk: {layers: [8]}}", "network.numeric.bins: only piecewise_linear takes it"),
        ("{fusion_width: 4, trunk: {layers: [8]}}", "network.fusion_width: only gated fusion takes it"),
        ("{trunk: {layers: [8], members: 4}}", "network.trunk.members: only tabm takes it"),
        ("{text: {adapt: {layers: 1}}, trunk: {layers: [8]}}", "`tfidf`, which embeds 'title', has no layers to adapt"),
    ] {
        says(&network(settings), &[path]);
    }
    for settings in [
        "{text: {layers: []}, trunk: {layers: [8]}}",
        "{numeric: {layers: [7]}, trunk: {layers: [8]}}",
        "{numeric: {embedding: periodic}, trunk: {layers: [8]}}",
        "{batch_norm: false, trunk: {layers: [8]}}",
    ] {
        says(&network(settings), &["cannot be copied, and would stay random", "leave `frozen` out of `strategies`"]);
    }
    // What is above the layers that stand still may have another shape.
    let more = network("{dropout: 0.3, trunk: {layers: [9]}}").replace("epochs: 1", "epochs: 1, seeds: 1");
    let work = study(&format!("  it: {}\n", more.replace("rows: folds,", "rows: folds, seeds: 1, epochs: 1,")));
    work.run().succeeded();
}

#[test]
fn embeddings_that_nothing_reads_are_a_warning() {
    for (stage, remedy) in [
        (
            "{kind: baseline, rows: folds, numeric: [x], embeddings: emb, models: {tree: {}}}",
            "name their columns under `text`",
        ),
        ("{kind: train, rows: folds, numeric: [x], embeddings: emb}", "name their columns under `text`"),
        ("{kind: map, rows: folds, numeric: [x, y], embeddings: emb}", "name their columns under `text`"),
        ("{kind: predict, model: base.logistic, rows: songs, embeddings: emb, file: a.csv}", "leave `embeddings` out"),
        ("{kind: inspect, model: base.logistic, rows: folds, embeddings: emb}", "leave `embeddings` out"),
    ] {
        let output = study(&format!("  it: {stage}\n")).runner(&["plan", "pipeline.yaml"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        assert!(text.contains("warning: nothing reads `embeddings`") && text.contains(remedy), "{stage}: {text}");
        assert!(text.contains("pipeline.yaml:15:"), "{stage}: {text}");
    }
    let output = study("").runner(&["plan", "pipeline.yaml"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("nothing reads"), "{output:?}");
}
