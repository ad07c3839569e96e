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

/// Prices with gaps, a category that looks like a number, texts of several words, a derived number; the class follows from them.
fn shop(rows: std::ops::Range<usize>, has_class: bool) -> String {
    let header = if has_class { "price,size,code,note,y\n" } else { "price,size,code,note\n" };
    rows.fold(header.to_owned(), |text, i| {
        let (price, size, code) = (i * 37 % 101, i * 13 % 29, i * 7 % 6);
        let words =
            [["red", "Blue", "caf\u{e9}"][i * 11 % 3], ["sun", "moon's", "sea sea", "fog"][i * 5 % 4]].join(" ");
        let price = if i.is_multiple_of(11) { String::new() } else { format!("{price}.5") };
        let class =
            [",cheap", ",dear", ",odd"][usize::from(i * 37 % 101 > 60) + usize::from(i * 5 % 4 == 2 && code > 2)];
        text + &format!("{price},{size},0{code},\"{words}, {}\"{}\n", i % 17, if has_class { class } else { "" })
    })
}

/// What stands in a package suffices to predict without runner.
#[test]
fn numpy_gives_the_same_predictions_of_exported_models() {
    let work = Workspace::new().file("t.csv", &shop(0..300, true)).file("new.csv", &shop(1000..1080, false)).pipeline(
        "name: study
seed: 3
stages:
  rows:
    kind: load
    files: {all: t.csv}
    label: y
    types: {code: text}
    derive: {turn: {sin_of: size, period: 29}, letters: {length_of: note}}
  folds: {kind: split, rows: rows, folds: 2}
  notes: {kind: embed, rows: rows, fit: folds.train, columns: [note], encoder: tfidf, tfidf: {dim: 12}}
  base:
    kind: baseline
    rows: folds
    numeric: [price, turn, letters]
    categories: [code]
    texts: [note]
    class_weights: balanced
    models: {majority: {}, logistic: {}, linear_svm: {}, naive_bayes: {}, random_forest: {trees: 9}, boosting: {rounds: 9}}
  net:
    kind: train
    rows: folds
    embeddings: notes
    numeric: [price, turn]
    text: [note]
    categories: [code]
    network: {numeric: {embedding: piecewise_linear}, trunk: {kind: tabm, layers: [8], members: 4}}
    epochs: 3
    seeds: 2
  mean: {kind: ensemble, members: [base, net], models: [base, net], weights: equal}
  best: {kind: refit, model: mean, rows: folds, embeddings: notes}
",
    );
    work.run().succeeded();
    let path = |name: &str| work.path().join(name).to_str().expect("UTF-8").to_owned();
    for model in ["base.boosting", "base.random_forest", "base.linear_svm", "net", "mean", "best"] {
        assert!(work.runner(&["export", "pipeline.yaml", model, "-o", "m.runner"]).status.success(), "{model}");
        let said = work.runner(&["predict", "m.runner", "new.csv", "-o", "said.csv", "--proba"]);
        assert!(said.status.success(), "{model}: {}", String::from_utf8_lossy(&said.stderr));
        python("package.py", &[&path("m.runner"), &path("new.csv"), &path("said.csv")]);
    }
}
