//! `seeds: n` through the program: n networks as one model, in training and in all that reads it.

use arrow::array::AsArray;
use arrow::datatypes::{Float32Type, Int64Type};
use runner::artifact::Table;
use serde_json::Value;

use crate::records::{headline, measured};
use crate::screen::stable;
use crate::studies::STUDY;
use crate::workspace::Workspace;

const TRIO: &str = r#"  trio:
    kind: train
    rows: folds
    embeddings: titles
    numeric: [tempo, energy]
    text: [title]
    network: {trunk: {layers: [8]}, text: {layers: [4]}}
    epochs: 3
    batch_size: 32
    seeds: 3
  both:
    kind: ensemble
    members: [trio, fused]
    models: [trio, fused]
    weights: equal
  predict_trio: {kind: predict, model: trio, rows: songs, embeddings: titles, file: trio.csv}
  predict_both: {kind: predict, model: both, rows: songs, embeddings: titles, file: both.csv}
  look: {kind: inspect, model: trio, rows: folds, embeddings: titles, repeats: 2}
  moved: {kind: transfer, model: trio, rows: folds, embeddings: titles, strategies: [scratch, copy], seeds: 1, epochs: 2}
  report: {kind: report, title: t, stages: [folds, fused, trio, both, look]}
"#;

fn study() -> Workspace {
    Workspace::with_songs().pipeline(&format!("{STUDY}{TRIO}"))
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

/// Row numbers and the probability of rock.
fn rock(work: &Workspace, file: &str) -> std::collections::HashMap<i64, f32> {
    let table = Table::from_ipc(&work.read(&format!("artifacts/study/{file}"))).expect("a table");
    let ids = table.column("runner.row_id").expect("numbers").as_primitive::<Int64Type>().values().to_vec();
    ids.into_iter()
        .zip(table.column("runner.p_rock").expect("p").as_primitive::<Float32Type>().values().to_vec())
        .collect()
}

#[test]
fn several_seeds_are_one_model_for_all_that_reads_it() {
    let work = study();
    work.run_with(&["fused"]).succeeded();
    work.run().succeeded();
    // The first network is the one of a single seed, which is known already; the two others have 3 epochs each.
    assert_eq!(measured(&work, "trio")["epochs_computed"], 6.0);
    assert!(headline(&work, "trio").contains("average of 3 networks"), "{}", headline(&work, "trio"));
    let (metrics, fused) = (json(&work, "trio/metrics.json"), json(&work, "fused/metrics.json"));
    let networks = metrics["networks"].as_array().expect("networks");
    assert_eq!(networks.iter().map(|one| one["seed"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 4, 5]);
    for part in ["valid", "test"] {
        assert_eq!(networks[0][part]["accuracy"], fused["parts"][part]["accuracy"]);
        let own: Vec<f64> = networks.iter().map(|one| one[part]["macro_f1"].as_f64().unwrap()).collect();
        assert!(own[0] != own[1] || own[1] != own[2], "{own:?}");
        let mean = own.iter().sum::<f64>() / 3.0;
        let sd = (own.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
        let told = &metrics["networks_alone"][part]["macro_f1"];
        assert!((told["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{told}");
        assert!((told["sd"].as_f64().unwrap() - sd).abs() < 1e-12, "{told}");
    }
    // Who reads the model says of a row what the stage said of it, an ensemble that holds it included.
    for (stage, predict) in [("trio", "predict_trio"), ("both", "predict_both")] {
        let own = rock(&work, &format!("{stage}/predictions.arrow"));
        let new = rock(&work, &format!("{predict}/rows.arrow"));
        assert!(!own.is_empty() && own.iter().all(|(id, p)| (new[id] - p).abs() < 1e-5), "{stage}");
    }
    let page = work.text("artifacts/study/report/report.html");
    assert!(page.contains("average of 3 networks of different seeds"));
    // Its curves are those of the first network, with the epoch that this keeps.
    let kept = networks[0]["best_epoch"].as_u64().expect("an epoch");
    let told = format!("the curves are those of the first, whose weights of epoch {kept} are kept");
    assert!(page.contains(&told), "{told}");
    let part = |from: &str| page.split_once(&format!("id=\"stage-{from}\"")).expect("a section").1;
    let trio = part("trio").split_once("id=\"stage-").map_or(part("trio"), |(own, _)| own);
    assert!(trio.contains(&format!(">best epoch {kept}</text>")));
}

#[test]
fn threads_do_not_change_the_average() {
    let works = ["1", "2"].map(|threads| {
        let work = study();
        work.run_with(&["trio", "-j", threads]).succeeded();
        work
    });
    for file in ["ensemble.json", "member-3.safetensors", "metrics.json", "predictions.arrow", "curves.arrow"] {
        let name = format!("artifacts/study/trio/{file}");
        assert!(works[0].read(&name) == works[1].read(&name), "{name} differs");
    }
}

#[test]
fn no_seeds_are_refused_before_anything_runs() {
    let work = study();
    work.edit("pipeline.yaml", "    batch_size: 32\n    seeds: 3", "    batch_size: 32\n    seeds: 0");
    let refused = work.run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: seeds must be in [1, 1000]; got 0
      --> pipeline.yaml:49:12
       |
    49 |     seeds: 0
       |            ^
    ");
}
