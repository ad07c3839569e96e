//! Baselines as models, through the program: what a stage said of its test part, `predict` says of it again; ensembles, `inspect`,
//! and what is refused before anything runs.

use std::collections::HashMap;

use arrow::array::AsArray;
use arrow::datatypes::{Float32Type, Int64Type};
use runner::artifact::Table;

use crate::screen::stable;
use crate::workspace::Workspace;

const KINDS: [&str; 10] = [
    "majority",
    "logistic",
    "linear_svm",
    "rbf_svm",
    "knn",
    "naive_bayes",
    "tree",
    "random_forest",
    "extra_trees",
    "boosting",
];

/// All kinds on numbers, some of them missing, and an embedding.
const STUDY: &str = r#"name: study
seed: 3
stages:
  songs:
    kind: load
    files: {all: songs.csv}
    label: genre
  folds:
    kind: split
    rows: songs
    groups: [artist]
    folds: 3
  titles:
    kind: embed
    rows: songs
    fit: folds.train
    columns: [title]
    encoder: tfidf
    tfidf: {dim: 8}
  baseline:
    kind: baseline
    rows: folds
    embeddings: titles
    numeric: [tempo, energy]
    text: [title]
    models: {majority: {}, logistic: {}, linear_svm: {}, rbf_svm: {}, knn: {k: 7}, naive_bayes: {}, tree: {}, random_forest: {trees: 20},
             extra_trees: {trees: 20}, boosting: {rounds: 20}}
"#;

const PREDICT: &str = "    kind: predict\n    rows: songs\n    embeddings: titles\n";

fn study(more: &str) -> Workspace {
    Workspace::with_songs().pipeline(&format!("{STUDY}{more}"))
}

fn table(work: &Workspace, file: &str) -> Table {
    Table::from_ipc(&work.read(&format!("artifacts/study/{file}"))).expect("a table")
}

/// By row: what the table says of class `rock` in those rows that `keep` keeps.
fn rock(table: &Table, keep: &[(&str, &str)]) -> HashMap<i64, f32> {
    let ids = table.column("runner.row_id").expect("row_id").as_primitive::<Int64Type>().values().to_vec();
    let said = table.column("runner.p_rock").expect("p_rock").as_primitive::<Float32Type>().values().to_vec();
    let kept = |row: usize| {
        keep.iter().all(|(name, value)| table.column(name).expect("a column").as_string::<i32>().value(row) == *value)
    };
    (0..ids.len()).filter(|&row| kept(row)).map(|row| (ids[row], said[row])).collect()
}

#[track_caller]
fn same(work: &Workspace, predictions: &str, keep: &[(&str, &str)], rows: &str) {
    let own = rock(&table(work, predictions), keep);
    let new = rock(&table(work, rows), &[]);
    assert!(own.len() > 10 && new.len() == 240, "{} and {} rows", own.len(), new.len());
    for (id, said) in own {
        assert!((new[&id] - said).abs() < 1e-6, "{rows}, row {id}: {} where the stage said {said}", new[&id]);
    }
}

#[test]
fn every_model_says_of_the_test_part_what_its_stage_said() {
    let predicts =
        KINDS.map(|kind| format!("  new_{kind}:\n{PREDICT}    model: baseline.{kind}\n    file: {kind}.csv\n"));
    let work = study(&predicts.concat());
    work.run().succeeded();
    for kind in KINDS {
        for part in ["valid", "test"] {
            let keep = [("runner.model", kind), ("runner.part", part)];
            same(&work, "baseline/predictions.arrow", &keep, &format!("new_{kind}/rows.arrow"));
        }
        let csv = work.text(&format!("artifacts/study/new_{kind}/{kind}.csv"));
        assert!(csv.lines().next().is_some_and(|header| header.ends_with(",genre,predicted_genre")), "{csv}");
    }
    // Another kind's parameters make the stage run again, but the models that come out as before keep their predictions.
    let again: Vec<String> = work.run_with(&["--set", "baseline.models.knn.k=9"]).succeeded().list("ran");
    assert_eq!(again, ["baseline", "new_knn"]);
}

#[test]
fn a_stage_of_several_models_is_asked_which() {
    let more = format!("  new:\n{PREDICT}    model: baseline\n    file: new.csv\n");
    let work = study(&more);
    let refused = work.run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: stage 'baseline' has 10 models, but input 'model' takes one
      --> pipeline.yaml:32:12
       |
    32 |     model: baseline
       |            ^^^^^^^^
       = help: name one of baseline.majority, baseline.logistic, baseline.linear_svm, baseline.rbf_svm,
               baseline.knn, baseline.naive_bayes, baseline.tree, baseline.random_forest,
               baseline.extra_trees, baseline.boosting
    ");
    let said = refused.stderr.split_once("= help: name one of ").expect("help").1;
    let names: Vec<&str> = said.split_whitespace().map(|name| name.trim_end_matches(',')).collect();
    assert_eq!(names, KINDS.map(|kind| format!("baseline.{kind}")));
    work.edit("pipeline.yaml", "model: baseline\n", "model: baseline.boost\n");
    let refused = work.run();
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: stage 'baseline' has no port 'boost'
      --> pipeline.yaml:32:12
       |
    32 |     model: baseline.boost
       |            ^^^^^^^^^^^^^^
       = help: its ports are baseline.scores, baseline.predictions, baseline.majority,
               baseline.logistic, baseline.linear_svm, baseline.rbf_svm, baseline.knn,
               baseline.naive_bayes, baseline.tree, baseline.random_forest, baseline.extra_trees,
               baseline.boosting
    ");
    // The name of a stage with one model is enough.
    let models = STUDY.split("    models: ").nth(1).expect("models");
    work.edit("pipeline.yaml", models, "{naive_bayes: {}}\n");
    work.edit("pipeline.yaml", "model: baseline.boost\n", "model: baseline\n");
    work.run().succeeded();
    same(&work, "baseline/predictions.arrow", &[("runner.part", "test")], "new/rows.arrow");
}

#[test]
fn an_ensemble_with_baselines_predicts_and_is_inspected() {
    let more = format!(
        r#"  net:
    kind: train
    rows: folds
    numeric: [tempo, energy]
    network: {{trunk: {{layers: [4]}}}}
    epochs: 3
    batch_size: 32
  some:
    kind: ensemble
    members: [baseline, net]
    models: [baseline, net]
    weights: equal
  nested:
    kind: ensemble
    members: [some, net]
    models: [some, net]
    weights: equal
  new_some:
{PREDICT}    model: some
    file: some.csv
  new_nested:
{PREDICT}    model: nested
    file: nested.csv
  look:
    kind: inspect
    model: nested
    rows: folds
    embeddings: titles
    repeats: 2
  look_alone:
    kind: inspect
    model: baseline.boosting
    rows: folds
    embeddings: titles
    part: test
    repeats: 2
  look_svm:
    kind: inspect
    model: baseline.rbf_svm
    rows: folds
    embeddings: titles
    part: test
    repeats: 2
"#
    );
    let work = study(&more);
    work.run().succeeded();
    for stage in ["some", "nested"] {
        same(
            &work,
            &format!("{stage}/predictions.arrow"),
            &[("runner.part", "test")],
            &format!("new_{stage}/rows.arrow"),
        );
    }
    let json = |file: &str| -> serde_json::Value { serde_json::from_str(&work.text(file)).expect("JSON") };
    let found = json("artifacts/study/look_alone/findings.json");
    let scores = json("artifacts/study/baseline/baseline.json");
    let all = scores["evaluations"].as_array().expect("a list");
    let test = |name: &str| all.iter().find(|one| one["name"] == name).expect("the model")["test"].clone();
    // Of a support vector machine, whose scores are no probabilities, without a log loss.
    assert_eq!(found["scores"], test("boosting"));
    assert_eq!(json("artifacts/study/look_svm/findings.json")["scores"], test("rbf_svm"));
    let drop = |name: &str| {
        let all = found["importance"].as_array().expect("a list");
        all.iter().find(|one| one["name"] == name).expect("the column")["accuracy"]["mean"].as_f64().expect("a number")
    };
    assert!(drop("tempo") > 0.0 && drop("tempo") > drop("energy"), "{found:#}");
    assert_eq!(json("artifacts/study/look/findings.json")["inputs"]["numeric"], serde_json::json!(["tempo", "energy"]));

    // Models that are named one by one are the members: what is judged is what predicts.
    work.edit("pipeline.yaml", "models: [baseline, net]", "models: [baseline.knn, net]");
    work.run_with(&["new_some"]).succeeded();
    let metrics: serde_json::Value =
        serde_json::from_str(&work.text("artifacts/study/some/metrics.json")).expect("JSON");
    let names: Vec<&serde_json::Value> =
        metrics["members"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["baseline/knn", "net"]);
}

#[test]
fn transfer_starts_from_a_network_alone() {
    let more = r#"  net: {kind: train, rows: folds, numeric: [tempo], network: {trunk: {layers: [4]}}, epochs: 2}
  both: {kind: ensemble, members: [baseline, net], models: [baseline, net]}
  next: {kind: transfer, model: baseline.tree, rows: folds, embeddings: titles}
  after: {kind: transfer, model: both, rows: folds, embeddings: titles}
"#;
    let refused = study(more).run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: transfer starts from one network, but the model of 'baseline' is a baseline, which has no layers to carry over
      --> pipeline.yaml:30:33
       |
    30 |   next: {kind: transfer, model: baseline.tree, rows: folds, embeddings: titles}
       |                                 ^^^^^^^^^^^^^
       = help: name a `train` or `transfer` stage

    error: transfer starts from one network, but the model of 'both' is an ensemble
      --> pipeline.yaml:31:34
       |
    31 |   after: {kind: transfer, model: both, rows: folds, embeddings: titles}
       |                                  ^^^^
    ");
}

#[test]
fn new_rows_must_have_the_columns_but_need_no_label() {
    let more = r#"  new: {kind: load, files: {new: new.csv}}
  vectors: {kind: embed, rows: new, fit: new, columns: [title], encoder: tfidf, tfidf: {dim: 2, min_count: 1}}
  alone: {kind: baseline, rows: folds, numeric: [tempo], models: {tree: {}}}
  predict: {kind: predict, model: alone, rows: new, file: new_prediction.csv}
"#;
    let work = study(more).file("new.csv", "title,tempo\n\"fire, song 1\",121.5\nunknown,\n\"street, song 2\",90\n");
    work.run_with(&["predict"]).succeeded();
    let csv = work.text("artifacts/study/predict/new_prediction.csv");
    assert!(csv.starts_with("title,tempo,genre\n\"fire, song 1\",121.5,rock\nunknown,,r"), "{csv}");
    assert!(csv.ends_with(",90,rap\n"), "{csv}");

    work.edit("pipeline.yaml", "model: alone", "model: baseline.knn");
    let refused = work.run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: the model wants an embedding of column 'title'
      --> pipeline.yaml:31:3
       |
    31 |   predict: {kind: predict, model: baseline.knn, rows: new, file: new_prediction.csv}
       |   ^^^^^^^
       = help: add the `embed` stage that the model learnt with to `embeddings`

    error: the model reads column 'energy', which 'new' does not have
      --> pipeline.yaml:31:55
       |
    31 |   predict: {kind: predict, model: baseline.knn, rows: new, file: new_prediction.csv}
       |                                                       ^^^
       = help: it has title, tempo
    ");
    // Vectors of another encoder mean something else.
    work.edit("pipeline.yaml", "model: baseline.knn, rows: new", "model: baseline.knn, rows: new, embeddings: vectors");
    work.write("new.csv", b"title,tempo,energy\n\"fire, song 1\",121.5,0.5\nunknown,90,0.1\n");
    let run = work.run_with(&["predict"]);
    assert!(run.error().contains("use the same `embed` stage for both"), "{} {}", run.error(), run.stderr);
}

#[test]
fn a_damaged_model_is_found_and_made_again() {
    let work = study(&format!("  new:\n{PREDICT}    model: baseline.extra_trees\n    file: new.csv\n"));
    work.run().succeeded();
    let sound = work.read("artifacts/study/baseline/extra_trees.safetensors");
    let store = work.files_under("artifacts/.store");
    let blob = store.iter().map(|file| format!("artifacts/.store/{}", file.display()));
    let blob = blob.into_iter().find(|file| work.read(file) == sound).expect("the model's blob");
    let path = work.path().join(&blob);
    std::fs::remove_file(&path).expect("removed");
    work.write(&blob, &sound[..sound.len() / 2]);
    work.edit("pipeline.yaml", "file: new.csv", "file: newer.csv");
    let run = work.run();
    assert!(run.code == Some(0) || run.error().contains("extra_trees.safetensors"), "{} {}", run.error(), run.stderr);
    work.run().succeeded();
    assert_eq!(work.read("artifacts/study/baseline/extra_trees.safetensors"), sound);
    same(
        &work,
        "baseline/predictions.arrow",
        &[("runner.part", "test"), ("runner.model", "extra_trees")],
        "new/rows.arrow",
    );
}
