//! `variations`: single changes of a network with paired seeds, judged on validation rows.

use std::fmt::Write as _;

use serde_json::Value;

use crate::kill::{Moments, kill};
use crate::records::{assert_same_artifacts, headline, measured, warnings};
use crate::studies::noise;
use crate::workspace::Workspace;

const ROWS: usize = 400;

/// Three classes that `a` and `b` tell of, and the part of each row; `marred` spoils all rows of the test part.
fn table(marred: bool) -> String {
    let mut text = String::from("a,b,part,y\n");
    for i in 0..ROWS {
        let class = (noise(i * 5 + 1) * 3.0) as usize;
        let a = class as f64 + 1.4 * noise(i * 5 + 2);
        let b = (class as f64 * 2.0).sin() + 1.6 * noise(i * 5 + 3);
        let part = ["train", "train", "train", "valid", "test"][i % 5];
        let (a, class) = if marred && part == "test" { (-9.0 * a, (class + 1) % 3) } else { (a, class) };
        let _ = writeln!(text, "{a:.4},{b:.4},{part},k{class}");
    }
    text
}

const STAGES: &str = "name: study
seed: 5
templates:
  net:
    kind: train
    rows: folds
    numeric: [a, b]
    network: {trunk: {layers: [12, 12]}, dropout: 0.2}
    epochs: 6
    batch_size: 32
stages:
  rows: {kind: load, files: {all: rows.csv}, label: y}
  folds: {kind: split, rows: rows, parts: {column: part, train: [train], valid: [valid], test: [test]}}
  varied:
    extends: net
    kind: variations
    vary:
      batch_size: [8, 32]
      optimizer:
        SGD: {optimizer.kind: sgd, optimizer.lr: 0.1}
        hasty: {optimizer.kind: sgd, optimizer.lr: 1000, optimizer.weight_decay: 1, clip_norm: null}
    without:
      dropout: {network.dropout: 0}
      clipping: {clip_norm: null}
";

fn study(more: &str) -> Workspace {
    Workspace::new().file("rows.csv", &table(false)).pipeline(&format!("{STAGES}{more}"))
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

fn numbers(value: &Value, path: &str) -> Vec<f64> {
    let runs = value["runs"].as_array().expect("runs");
    runs.iter().map(|run| run.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)).collect()
}

#[test]
fn every_setting_is_the_network_that_a_train_stage_of_its_parameters_gives() {
    let work = study(
        "  base: {extends: net, seeds: 3}
  small: {extends: net, seeds: 3, batch_size: 8}
  firm: {extends: net, seeds: 3, network: {dropout: 0}}
  page: {kind: report, title: t, stages: [folds, varied]}
",
    );
    work.run().succeeded();
    let found = json(&work, "varied/variations.json");
    let settings = found["settings"].as_array().expect("settings");
    assert_eq!(settings.len(), 6, "each setting once: the base is both batch size 32 and AdamW");
    assert_eq!(found["seeds"], serde_json::json!([5, 6, 7]));
    let of = |name: &str| {
        found["ablations"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["setting"].clone()
    };
    let firm = of("dropout").as_u64().expect("a place") as usize;
    assert_eq!(found["factors"][0]["levels"][0]["setting"], 1, "batch size 8");
    let mut scores = Vec::new();
    for (stage, place) in [("base", 0), ("small", 1), ("firm", firm)] {
        let trained = json(&work, &format!("{stage}/metrics.json"));
        let alone: Vec<f64> = trained["networks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["valid"]["macro_f1"].as_f64().unwrap())
            .collect();
        let own = numbers(&settings[place], "/valid/macro_f1");
        assert!(own.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-12), "{stage}: {own:?} {alone:?}");
        let kept: Vec<u64> =
            trained["networks"].as_array().unwrap().iter().map(|one| one["best_epoch"].as_u64().unwrap()).collect();
        assert_eq!(
            numbers(&settings[place], "/best_epoch"),
            kept.iter().map(|epoch| *epoch as f64).collect::<Vec<_>>()
        );
        scores.push(own);
    }
    let differences: Vec<f64> = scores[1].iter().zip(&scores[0]).map(|(own, base)| own - base).collect();
    let effect = &settings[1]["effect"];
    let told: Vec<f64> = effect["differences"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert!(told.iter().zip(&differences).all(|(a, b)| (a - b).abs() < 1e-12), "{told:?} {differences:?}");
    assert!((effect["mean"].as_f64().unwrap() - differences.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    assert!(effect["p_corrected"].as_f64() >= effect["p_value"].as_f64());
    assert!(effect["rows"]["accuracy"]["low"].as_f64() <= effect["rows"]["accuracy"]["estimate"].as_f64());
    assert!(settings[0]["effect"].is_null());

    // A change that does not train is a result, not a mistake.
    let hasty = &found["factors"][1]["levels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|level| level["name"] == "hasty")
        .unwrap()["setting"];
    let hasty = &settings[hasty.as_u64().unwrap() as usize];
    assert!(hasty["score"].is_null() && hasty["effect"].is_null() && hasty["runs"][0]["diverged"].is_u64(), "{hasty}");
    assert_eq!(warnings(&work, "varied"), Vec::<String>::new());
    // Without clipping no step is clipped; with it the base's are those that were longer than 1.
    let unclipped = &settings[of("clipping").as_u64().unwrap() as usize];
    assert_eq!(numbers(unclipped, "/gradients/clipped"), [0.0; 3]);
    let (most, clipped) =
        (numbers(&settings[0], "/gradients/largest_norm"), numbers(&settings[0], "/gradients/clipped"));
    assert!(most.iter().zip(&clipped).all(|(most, clipped)| (*most > 1.0) == (*clipped > 0.0)), "{most:?} {clipped:?}");

    let page = work.text("artifacts/study/page/report.html");
    for expected in [
        "differ from the base in one thing each. All were trained with the same 3 seeds on 240 rows and are compared by macro-F1 of 80 validation rows; no test row was read.",
        "optimizer: ",
        "hasty diverges",
        "Validation macro-F1 by single changes",
        "Validation macro-F1 without …",
        "Learning curves of the best and the worst setting",
        "Gradient norms before clipping",
        "By batch size",
        "32 (base)",
    ] {
        assert!(page.contains(expected), "the page lacks: {expected}");
    }
    assert!(work.exists("artifacts/study/varied/validation-macro-f1-by-single-changes.svg"));
    insta::assert_snapshot!(work.screen_with(&["show", "pipeline.yaml", "varied"], &[("COLUMNS", "110")]));
}

#[test]
fn what_test_rows_hold_changes_nothing() {
    let (work, marred) = (study(""), study(""));
    marred.write("rows.csv", table(true).as_bytes());
    for one in [&work, &marred] {
        one.run_with(&["varied"]).succeeded();
    }
    assert!(work.read("artifacts/study/folds/rows.arrow") != marred.read("artifacts/study/folds/rows.arrow"));
    for file in ["variations.json", "curves.arrow"] {
        let name = format!("artifacts/study/varied/{file}");
        assert!(work.read(&name) == marred.read(&name), "{file} depends on test rows");
    }
}

#[test]
fn another_value_trains_that_alone_and_a_killed_study_goes_on() {
    let counts = |work: &Workspace| {
        let measured = measured(work, "varied");
        (measured["trainings_known"], measured["trainings_computed"])
    };
    let work = study("");
    work.run_with(&["varied"]).succeeded();
    assert_eq!(counts(&work), (0.0, 18.0));
    work.edit("pipeline.yaml", "batch_size: [8, 32]", "batch_size: [8, 16, 32]");
    work.run_with(&["varied"]).ran(&["varied"]);
    assert_eq!(counts(&work), (18.0, 3.0));
    // Names are no part of what a training is of.
    work.edit("pipeline.yaml", "      dropout: {network", "      noise: {network");
    work.edit("pipeline.yaml", "batch_size: [8, 16, 32]", "batch_size: [16, 64]");
    work.run_with(&["varied"]).ran(&["varied"]);
    assert_eq!(counts(&work), (18.0, 3.0));
    assert!(
        headline(&work, "varied").starts_with("6 changes of a base network, each with 3 seeds: "),
        "{}",
        headline(&work, "varied")
    );

    let long = |work: &Workspace| work.edit("pipeline.yaml", "epochs: 6", "epochs: 60");
    let (whole, killed) = (study(""), study(""));
    long(&whole);
    long(&killed);
    whole.run_with(&["varied"]).succeeded();
    assert!(kill(&killed, &["varied", "-j", "2"], None, &mut Moments(4)));
    killed.run_with(&["varied"]).succeeded();
    assert!(measured(&killed, "varied")["training_epochs_computed"] < 18.0 * 60.0);
    assert_same_artifacts(&whole, &killed);
    // What is left is one memo a training.
    assert_eq!(killed.files_under("artifacts/.store/memo").len(), 18);
}

#[test]
fn mistakes_in_variations_are_told_before_anything_runs() {
    let work = study(
        "  wrong:
    extends: net
    kind: variations
    clip_norm: null
    vary:
      batchsize: [64]
      batch_size: [64, -3, 64]
      label_smoothing: [0.1, 0.10]
      epochs: []
      optimizer.lr: [0.001]
      seeds: [3]
      early_stopping.metric: [loss]
      network.dropout: [0.1, 1.5]
      network.text.dropout: [0.1]
      optimizer: {SGD: {optimizer.kind: sgdd, optimizer.lr: 0.5}, moving: {optimizer.momentum: 0.9}}
    without:
      clipping: {clip_norm: null}
      two: {network: {}, network.dropout: 0}
      one column: {numeric: [b]}
      other column: {numeric: [part]}
  nothing: {extends: net, kind: variations, seeds: 0}
  number: {extends: net, kind: variations, vary: {batch_size: 3}}
",
    );
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]));
}
