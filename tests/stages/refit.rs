//! A chosen model, fitted again on all labelled rows.

use serde_json::Value;

use crate::kinds::{BASE, table};
use crate::workspace::Workspace;

fn work(stages: &str) -> Workspace {
    Workspace::new().file("rows.csv", &table(240)).pipeline(&format!("{BASE}{stages}"))
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

#[test]
fn a_baseline_is_what_a_split_without_held_out_rows_gives() {
    let work = work(
        "  kinds: {kind: baseline, rows: folds, numeric: [a, b], categories: [word], class_weights: balanced, sample_weight: c, where: {a: {min: 0}}, models: {logistic: {}, boosting: {rounds: 9}}}
  whole: {kind: split, rows: rows, folds: 2, train: 1.0, valid: 0.0, test: 0.0}
  all: {kind: baseline, rows: whole, numeric: [a, b], categories: [word], class_weights: balanced, sample_weight: c, where: {a: {min: 0}}, models: {logistic: {}, boosting: {rounds: 9}}}
  linear: {kind: refit, model: kinds.logistic, rows: folds}
  trees: {kind: refit, model: kinds.boosting, rows: folds}
",
    );
    work.run().succeeded();
    for (stage, model) in [("linear", "logistic"), ("trees", "boosting")] {
        let arrays = |file: &str| work.read(&format!("artifacts/study/{file}.safetensors"));
        let (again, whole) = (arrays(&format!("{stage}/model")), arrays(&format!("all/{model}")));
        assert!(again == whole, "{stage}");
        assert!(again != arrays(&format!("kinds/{model}")), "{stage} has learnt nothing from the further rows");
        // Weights of classes are taken back by what the validation rows of the judged model showed.
        let chosen = json(&work, &format!("kinds/{model}.json"));
        let again = json(&work, &format!("{stage}/model.json"));
        assert_eq!(again["baseline"]["calibration"], chosen["baseline"]["calibration"]);
        assert_eq!(again["procedure"], chosen["procedure"]);
        assert_eq!(again["procedure"]["sample_weight"], "c");
    }
}

#[test]
fn an_average_keeps_its_weights_and_predicts_new_rows() {
    let work = work(
        "  many: {kind: train, rows: folds, numeric: [a, b, c], seeds: 2, network: {trunk: {layers: [8]}}, epochs: 3}
  best: {kind: ensemble, members: [base, net, many], models: [base, net, many], weights: equal}
  final: {kind: refit, model: best, rows: folds}
  said: {kind: predict, model: final, rows: rows, file: out.csv}
  page: {kind: report, title: t, stages: [rows, folds, base, net, many, best, final, said]}
",
    );
    work.run().succeeded();
    let (chosen, again) = (json(&work, "best/ensemble.json"), json(&work, "final/ensemble.json"));
    for key in ["average", "temperature", "members"] {
        assert_eq!(chosen[key], again[key], "{key}");
    }
    let told = json(&work, "final/metrics.json");
    assert_eq!([&told["of"], &told["rows"]], [&Value::from("best"), &Value::from(240)]);
    let names: Vec<&str> =
        told["models"].as_array().expect("models").iter().filter_map(|m| m["name"].as_str()).collect();
    let seeds = ["many: seed 3", "many: seed 4"];
    assert_eq!(names, [&["base/majority", "base/naive_bayes", "net"], seeds.as_slice()].concat());
    let shares: f64 = told["models"].as_array().expect("models").iter().filter_map(|m| m["weight"].as_f64()).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    let page = work.text("artifacts/study/page/report.html");
    assert!(page.contains("fitted on all 240 labelled rows") && page.contains("seed 4"), "the page says nothing of it");
    // Nothing is left for a second run.
    let again = work.run();
    assert_eq!(again.list("ran"), Vec::<String>::new());
}

#[test]
fn a_transferred_network_is_fitted_again_from_the_network_that_it_began_with() {
    let work = work(
        "  first: {kind: train, rows: folds, where: {y: [u, v, w]}, numeric: [a, b, c], network: {trunk: {layers: [8]}}, epochs: 2}
  more: {kind: transfer, model: first, rows: folds, strategies: [copy], seeds: 1, epochs: 3}
  final: {kind: refit, model: more, rows: folds, start: first}
  old: {kind: refit, model: first, rows: folds, where: {y: [u, v, w]}}
  further: {kind: refit, model: more, rows: folds, start: old}
",
    );
    let classes: std::collections::BTreeSet<String> =
        table(240).lines().skip(1).filter_map(|line| Some(line.rsplit_once(',')?.1.to_owned())).collect();
    let some: Vec<&str> = classes.iter().take(3).map(String::as_str).collect();
    let yaml = work.text("pipeline.yaml").replace("[u, v, w]", &format!("[{}]", some.join(", ")));
    work.write("pipeline.yaml", yaml.as_bytes());
    work.run().succeeded();
    let weights = |stage: &str| work.read(&format!("artifacts/study/{stage}/model.safetensors"));
    assert!(weights("final") != weights("more") && weights("further") != weights("final"));
    assert_eq!(json(&work, "final/model.json")["network"]["classes"].as_array().map(Vec::len), Some(classes.len()));
}

#[test]
fn what_a_refit_cannot_do_is_told_before_anything_runs() {
    let work = work(
        "  more: {kind: transfer, model: net, rows: folds, strategies: [copy], seeds: 1, epochs: 2}
  lacking: {kind: refit, model: more, rows: folds}
  idle: {kind: refit, model: net, rows: folds, start: net}
  final: {kind: refit, model: net, rows: folds}
  twice: {kind: refit, model: final, rows: folds}
  look: {kind: inspect, model: final, rows: folds}
  next: {kind: transfer, model: final, rows: folds, strategies: [copy], seeds: 1, epochs: 2}
  other: {kind: split, rows: rows, folds: 2, train: 0.5}
  strange: {kind: refit, model: net, rows: other}
  raw: {kind: refit, model: net, rows: rows}
",
    );
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]));
}

#[test]
fn a_refit_on_rows_of_other_classes_says_what_to_do() {
    let work = work("  final: {kind: refit, model: net, rows: folds, where: {a: {min: 0.1}, y: [PICK]}}\n");
    let class = table(240).lines().nth(1).and_then(|line| Some(line.rsplit_once(',')?.1.to_owned())).expect("a class");
    let second = table(240)
        .lines()
        .filter_map(|line| Some(line.rsplit_once(',')?.1.to_owned()))
        .find(|y| *y != class && y != "y");
    let yaml = work.text("pipeline.yaml").replace("PICK", &format!("{class}, {}", second.expect("another class")));
    work.write("pipeline.yaml", yaml.as_bytes());
    let error = work.run().error();
    assert!(error.contains("leave `where` out: the rows are then those of the model's own"), "{error}");
}

#[test]
fn the_model_to_use_is_told_beside_the_one_that_ranks_first() {
    let work = work(
        "  kinds: {kind: baseline, rows: folds, numeric: [a, b], models: {logistic: {}, majority: {}}}
  mean: {kind: ensemble, members: [kinds], models: [kinds], weights: equal}
  best: {kind: refit, model: mean, rows: folds}
  own: {kind: refit, model: kinds.logistic, rows: folds}
  page: {kind: report, title: t, stages: [rows, folds, kinds, mean, best, own]}
",
    );
    let output = work.runner(&["run", "pipeline.yaml", "best", "own", "page"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let page = work.text("artifacts/study/page/report.html");
    for (place, text) in [("terminal", &told), ("page", &page)] {
        let own = "logistic fitted again on all 240 labelled rows. No labelled row is left to judge it";
        assert!(text.contains(own), "{place}: {told}");
        let mean = "mean fitted again on all 240 labelled rows. logistic ranks above mean by";
        assert!(text.contains(mean) && text.contains("`model: kinds.logistic` in "), "{place}: {told}");
    }
    assert!(told.contains("use 'best': mean") && page.contains("The model to use is <strong>best</strong>"), "{told}");
}
