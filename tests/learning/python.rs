//! Other programs read our artifacts: pyarrow the tables, numpy + safetensors the networks (PyTorch too, where it is present); scikit-learn and
//! LightGBM agree with our baselines on the same rows.
//!
//! `RUNNER_TEST_PYTHON` names an interpreter with these packages; `.ci/run` makes one. Without it these tests say that they did nothing.

use std::path::Path;
use std::process::Command;

use crate::studies::STUDY;
use crate::workspace::{Workspace, skip};

fn python(script: &str, arguments: &[&str]) {
    let Some(interpreter) = std::env::var_os("RUNNER_TEST_PYTHON") else {
        return skip("RUNNER_TEST_PYTHON is not set");
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
    let output = Command::new(interpreter).arg(script).args(arguments).output().expect("python starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn pyarrow_opens_every_table() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    python("tables.py", &[work.path().join("artifacts/study").to_str().expect("UTF-8")]);
}

#[test]
fn numpy_gives_the_same_predictions() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let study = work.path().join("artifacts/study");
    let folder = |name: &str| study.join(name).to_str().expect("UTF-8").to_owned();
    python("predict.py", &[&folder("fused"), &folder("songs"), &folder("titles"), &folder("predict")]);
}

#[test]
fn numpy_gives_the_same_predictions_with_identities_and_an_ensemble() {
    let study = STUDY.replace(
        "    network: {trunk: {layers: [8]}, text: {layers: [4]}}\n",
        "    categories: [artist]\n    class_weights: {rock: 6}\n    average: 0.9\n    network: {numeric: {embedding: piecewise_linear}, text: {layers: [4]}, \
         trunk: {kind: tabm, layers: [8], members: 4}}\n",
    );
    assert_ne!(study, STUDY);
    let work = Workspace::with_songs().pipeline(&study);
    work.run().succeeded();
    let study = work.path().join("artifacts/study");
    let folder = |name: &str| study.join(name).to_str().expect("UTF-8").to_owned();
    python("predict.py", &[&folder("fused"), &folder("songs"), &folder("titles"), &folder("predict")]);
    let recipe = std::fs::read_to_string(study.join("fused/model.json")).expect("model.json");
    assert!(recipe.contains("\"bias\"") && recipe.contains("\"decision\""), "{recipe}");
    assert!(recipe.contains("\"categories\"") && recipe.contains("\"tabm\""), "{recipe}");
}

/// The bundled songs, and the baselines whose result does not hang on random draws.
const SETTLED: &str = r#"name: study
seed: 7
stages:
  songs:
    kind: load
    files: {train: train.csv}
    label: playlist_genre
    derive:
      release_year: {year_of: track_album_release_date}
  folds:
    kind: split
    rows: songs
    groups: [track_id, [track_name, track_artist]]
    folds: 2
  baseline:
    kind: baseline
    rows: folds
    numeric: [danceability, energy, loudness, speechiness, acousticness, valence, tempo, track_popularity, release_year]
    models: {majority: {}, logistic: {}, linear_svm: {}, rbf_svm: {c: 3}, knn: {k: 25}, naive_bayes: {}, tree: {max_depth: 5}}
"#;

#[test]
fn scikit_learn_scores_and_predicts_the_same() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/train.csv");
    let predict =
        |kind| format!("  new_{kind}: {{kind: predict, model: baseline.{kind}, rows: songs, file: {kind}.csv}}\n");
    let predicts = ["majority", "logistic", "linear_svm", "rbf_svm", "knn", "naive_bayes", "tree"].map(predict);
    let work = Workspace::new().pipeline(&format!("{SETTLED}{}", predicts.concat()));
    work.write("train.csv", &std::fs::read(sample).expect("the sample"));
    work.run().succeeded();
    let study = work.path().join("artifacts/study");
    let columns = "danceability energy loudness speechiness acousticness valence tempo track_popularity release_year";
    let mut arguments = vec![study.to_str().expect("UTF-8"), "--tolerance", "0.006", "--columns"];
    arguments.extend(columns.split(' '));
    python("baselines.py", &arguments);
}

/// What stands in the files of baselines suffices to predict elsewhere.
#[test]
fn numpy_gives_the_same_predictions_of_baselines() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/train.csv");
    let kinds = ["logistic", "knn", "naive_bayes", "random_forest", "boosting"];
    let models = "models: {logistic: {}, knn: {}, naive_bayes: {}, random_forest: {trees: 9}, boosting: {rounds: 9}}\n";
    let predict =
        |kind| format!("  new_{kind}: {{kind: predict, model: baseline.{kind}, rows: songs, file: {kind}.csv}}\n");
    let study = SETTLED.split("    models: ").next().expect("a study");
    let sample = std::fs::read(sample).expect("the sample");
    // A few values, and names of which most have a row or two; texts.
    let few = "    categories: [key, mode]\n    texts: [track_name, track_artist]\n    tfidf: {characters: {ngram_range: [2, 3], min_df: 3}}\n    class_weights: balanced\n    sample_weight: duration_ms\n";
    for categories in ["", "    categories: [key, mode, track_artist]\n", few] {
        let work =
            Workspace::new().pipeline(&format!("{study}{categories}    {models}{}", kinds.map(predict).concat()));
        work.write("train.csv", &sample);
        work.run().succeeded();
        let study = work.path().join("artifacts/study");
        let mut arguments = vec![study.to_str().expect("UTF-8")];
        arguments.extend(kinds);
        python("predict_baseline.py", &arguments);
    }
}
