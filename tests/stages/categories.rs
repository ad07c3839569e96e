//! Baselines that learn from categories, from the pipeline to predictions, inspections and averages.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use runner::artifact::Table;
use serde_json::Value;

use crate::workspace::Workspace;

const COLOURS: [&str; 6] = ["amber", "blue", "", "green", "red", "white"];

/// 600 rows: the class is whether the colour is one of three, of which a missing one is one; `code` is a number that tells nothing, `id` one of three rows.
fn rows() -> String {
    let row = |i: usize| {
        let colour = (i * 7919 + 104_729) % 997 % 6;
        let class = if [0, 2, 4].contains(&colour) { "p" } else { "q" };
        format!("{},{}.0,n{},{},{class}\n", COLOURS[colour], i / 3 % 5, i * 31 % 200, i * 13 % 89)
    };
    format!("colour,code,id,number,y\n{}", (0..600).map(row).collect::<String>())
}

const STAGES: &str = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  new: {kind: load, files: {all: new.csv}}
  folds: {kind: split, rows: rows, folds: 2, train: 0.6, valid: 0.2, test: 0.2}
  base: {kind: baseline, rows: folds, categories: [colour, code, id]}
  both: {kind: baseline, rows: folds, numeric: [number], categories: [colour], models: {logistic: {}, boosting: {rounds: 40}}}
  said: {kind: predict, model: both.boosting, rows: new, file: o.csv}
  linear: {kind: predict, model: base.logistic, rows: new, file: o.csv}
  look: {kind: inspect, model: base.tree, rows: folds, part: test}
  mean: {kind: ensemble, members: [both, base], models: [both, base], weights: equal}
  joint: {kind: predict, model: mean, rows: new, file: o.csv}
  profile: {kind: describe, rows: folds}
  report: {kind: report, title: Colours, author: A, stages: [rows, profile, folds, base, both, look, mean]}
";

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

/// The share of class `p` of each new row.
fn shares(work: &Workspace, stage: &str) -> Vec<f32> {
    let table = Table::from_ipc(&work.read(&format!("artifacts/study/{stage}/rows.arrow"))).expect("a table");
    table.column("runner.p_p").expect("probabilities").as_primitive::<Float32Type>().values().to_vec()
}

#[test]
fn a_baseline_learns_predicts_and_is_inspected_with_categories() {
    let new = "colour,code,id,number\namber,1,n1,5\nblue,1.0,n2,6\n,2,n3,7\npurple,9,never,8\n";
    let work = Workspace::new().file("t.csv", &rows()).file("new.csv", new).pipeline(STAGES);
    work.run().succeeded();
    for stage in ["base", "both"] {
        let scores = json(&work, &format!("{stage}/baseline.json"));
        for one in scores["evaluations"].as_array().expect("evaluations").iter().filter(|one| one["name"] != "majority")
        {
            // Neighbours are led astray by the columns that tell nothing.
            let least = if one["name"] == "knn" { 0.85 } else { 1.0 };
            let cross_validated = one["cv_accuracy_mean"].as_f64().expect("a number");
            let test = one["test"]["accuracy"].as_f64().expect("a number");
            assert!(test >= least && cross_validated >= least, "{stage}, {}: {cross_validated}, {test}", one["name"]);
        }
    }
    for stage in ["said", "linear", "joint"] {
        let found = shares(&work, stage);
        assert!(found[0] > 0.5 && found[1] < 0.5 && found[2] > 0.5, "{stage}: {found:?}");
    }
    // Which way a number is written, and what else is in the file, changes nothing.
    let before = shares(&work, "linear");
    work.write("new.csv", new.replace(",1.0,", ",1,").replace(",9,", ",none,").as_bytes());
    work.run().succeeded();
    assert_eq!(before[..3], shares(&work, "linear")[..3]);

    let findings = json(&work, "look/findings.json");
    let drops = findings["importance"].as_array().expect("columns").iter();
    let drops: BTreeMap<&str, f64> = drops
        .map(|one| (one["name"].as_str().unwrap_or(""), one["accuracy"]["mean"].as_f64().unwrap_or(0.0)))
        .collect();
    assert_eq!(drops.keys().copied().collect::<Vec<_>>(), ["all categories", "code", "colour", "id"]);
    assert!(drops["colour"] > 0.3 && drops["code"].abs() < 0.05 && drops["id"].abs() < 0.05, "{drops:?}");

    let recipe = json(&work, "base/tree.json");
    assert_eq!(recipe["baseline"]["format"], "runner baseline 5");
    assert_eq!(recipe["baseline"]["inputs"]["categories"][0]["missing"], true);
    let page = work.text("artifacts/study/report/report.html");
    assert!(page.contains("colour"), "the page does not name the column");
}

#[test]
fn a_baseline_knows_the_categories_of_its_training_part_alone() {
    let work =
        Workspace::new().file("t.csv", &rows()).file("new.csv", "colour,code,id,number\nred,1,n1,1\n").pipeline(STAGES);
    work.run().succeeded();
    let whole = json(&work, "base/tree.json");
    let values = whole["baseline"]["inputs"]["categories"][2]["values"].as_array().expect("values").len();
    // Not those of all rows.
    assert!((100..200).contains(&values), "{values}");
}

#[test]
fn a_baseline_without_any_column_is_told_which_keys_name_them() {
    let stages = STAGES.replace("categories: [colour, code, id]", "categories: []");
    let work = Workspace::new().file("t.csv", &rows()).file("new.csv", "colour,code,id,number\n").pipeline(&stages);
    let run = work.run();
    assert!(
        run.stderr.contains("name at least one column under `numeric`, `categories`, `texts` or `text`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_column_that_leaks_is_named_when_a_baseline_reads_it_as_a_category() {
    let csv: String =
        (0..200).map(|i| format!("{},{},{}\n", i * 37 % 101, ["u", "v"][i % 2], ["p", "q"][i % 2])).collect();
    let work = Workspace::new().file("t.csv", &format!("n,copy,y\n{csv}")).pipeline(
        "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  profile: {kind: describe, rows: folds}
  base: {kind: baseline, rows: folds, numeric: [n], categories: [copy], models: {tree: {}}}
  report: {kind: report, title: Leak, author: A, stages: [folds, profile, base]}
",
    );
    work.run().succeeded();
    let page = work.text("artifacts/study/report/report.html");
    assert!(page.contains("leaks the label"), "the page does not tell that 'copy' leaks");
}

/// Values that were there in too few rows are no values that were not there, and members of an average speak of a column together.
#[test]
fn values_that_a_model_does_not_know_are_told_of_once_by_column() {
    let row = |i: usize| format!("{},id{i},{}\n", ["red", "blue"][i / 2 % 2], ["p", "q"][i % 2]);
    let rows = format!("colour,id,y\n{}", (0..120).map(row).collect::<String>());
    let new: String =
        (0..8).map(|i| format!("green,{},\n", if i < 5 { format!("id{i}") } else { format!("new{i}") })).collect();
    let yaml = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  new: {kind: load, files: {all: new.csv}}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, categories: [colour, id], models: {logistic: {}, tree: {}}}
  net: {kind: train, rows: folds, categories: [colour, id], epochs: 1}
  mean: {kind: ensemble, members: [base, net], models: [base, net], weights: equal}
  of_tree: {kind: predict, model: base.tree, rows: new, file: o.csv}
  of_net: {kind: predict, model: net, rows: new, file: o.csv}
  of_mean: {kind: predict, model: mean, rows: new, file: o.csv}
";
    let work = Workspace::new().file("t.csv", &rows).file("new.csv", &format!("colour,id,y\n{new}")).pipeline(yaml);
    let run = work.run().succeeded();
    let mut told = Vec::new();
    for line in &run.lines {
        let stage = line["stage"].as_str().unwrap_or("");
        if line["event"] == "warning" && stage.starts_with("of_") {
            told.push(format!("{stage}: {}", line["message"].as_str().expect("a message")));
        }
    }
    told.sort();
    insta::assert_snapshot!(told.join("\n"));
    let seen = json(&work, "base/tree.json")["baseline"]["inputs"]["categories"][1]["rare"].as_array().map(Vec::len);
    assert_eq!(seen, Some(training_rows(&work)), "each training row has an identifier of its own");
}

/// Rows of the training part.
fn training_rows(work: &Workspace) -> usize {
    Table::from_ipc(&work.read("artifacts/study/folds/train.arrow")).expect("a table").rows()
}
