//! The pipelines of this repository: they plan, they agree with the schema, and the quick one is quick.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn runner(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_runner")).args(arguments).current_dir(ROOT).output().expect("the program starts")
}

#[test]
fn every_pipeline_plans() {
    let artifacts = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(Path::new(ROOT).join("pipelines")).expect("pipelines").flatten() {
        let path = entry.path();
        // Templates alone are for others to include.
        let is_included = std::fs::read_to_string(&path).is_ok_and(|text| !text.contains("\nstages:"));
        if !is_included && path.extension().is_some_and(|extension| extension == "yaml") {
            let (file, folder) = (path.to_str().expect("UTF-8"), artifacts.path().to_str().expect("UTF-8"));
            let output = runner(&["plan", file, "--artifacts", folder, "--json"]);
            assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn the_full_study_has_its_stages() {
    let artifacts = tempfile::tempdir().expect("a folder");
    let output =
        runner(&["plan", "pipelines/full.yaml", "--json", "--artifacts", artifacts.path().to_str().expect("UTF-8")]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let stages: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["stage"].as_str().expect("a name").to_owned())
        .collect();
    for stage in [
        "songs",
        "folds",
        "profile",
        "baseline",
        "titles",
        "artists",
        "map",
        "numeric",
        "text",
        "fused",
        "ensemble",
        "everything",
        "inspect",
        "predict_base",
        "predict_full",
        "transfer",
        "transfer_fused",
        "predict_six",
        "report",
        "article",
        "hand_in",
    ] {
        assert!(stages.iter().any(|found| found == stage), "{stage} is missing");
    }
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let output = runner(&["schema"]);
    let committed = std::fs::read(Path::new(ROOT).join("pipelines/schema.json")).expect("pipelines/schema.json");
    assert!(output.stdout == committed, "write it anew: runner schema > pipelines/schema.json");
}

#[test]
fn the_quick_pipeline_takes_seconds_and_then_nothing() {
    let artifacts = tempfile::tempdir().expect("a folder");
    let arguments = ["run", "pipelines/quick.yaml", "--artifacts", artifacts.path().to_str().expect("UTF-8")];
    let started = Instant::now();
    let output = runner(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Ten seconds are promised on a machine of its own; tests share theirs.
    assert!(started.elapsed() < Duration::from_secs(40), "took {:?}", started.elapsed());
    assert!(artifacts.path().join("quick/predict/NAME_prediction_quick.csv").exists());
    let metrics = std::fs::read(artifacts.path().join("quick/fused/metrics.json")).expect("metrics.json");
    let metrics: Value = serde_json::from_slice(&metrics).expect("JSON");
    for part in ["train", "valid", "test"] {
        assert!(metrics["parts"][part]["accuracy"].as_f64().expect("a number") > 0.35, "{part}: {metrics}");
        assert!(metrics["parts"][part]["macro_f1"].is_number());
    }
    let started = Instant::now();
    let output = runner(&arguments);
    assert!(String::from_utf8_lossy(&output.stdout).contains("7 fresh"));
    assert!(started.elapsed() < Duration::from_secs(2), "took {:?}", started.elapsed());
}
