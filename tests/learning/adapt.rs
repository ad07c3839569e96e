//! Networks that train the last layers of an encoder, through the program: they are stored, killed, averaged, looked at,
//! used on new rows and transferred as any other.

use std::collections::HashMap;

use arrow::array::AsArray;
use arrow::datatypes::{Float32Type, Int64Type};
use runner::artifact::Table;
use serde_json::Value;

use crate::kill::{Moments, kill};
use crate::records::assert_same_artifacts;
use crate::screen::stable;
use crate::small_model::SmallModel;
use crate::workspace::Workspace;

const STUDY: &str = r#"name: study
seed: 3
vars: {epochs: 8, encoder: ./model}
templates:
  net:
    kind: train
    rows: folds
    where: {source: old}
    embeddings: titles
    text: [title]
    numeric: [tempo]
    optimizer: {kind: adamw, lr: 5e-3, factors: {encoder: 0.5}}
    schedule: {kind: constant}
    epochs: ${epochs}
    batch_size: 32
    network: {text: {layers: [8]}, trunk: {layers: [16]}}
stages:
  songs:
    kind: load
    files: {old: old.csv, more: more.csv}
    label: genre
  folds:
    kind: split
    rows: songs
  titles:
    kind: embed
    rows: songs
    fit: folds.train
    columns: [title]
    encoder: ${encoder}
  full:
    extends: net
    average: 0.9
    network: {text: {adapt: {layers: 1}}}
  low:
    extends: net
    network: {columns: {title: {adapt: {layers: 2, rank: 2}}}}
"#;

const MORE: &str = r#"  plain: {extends: net}
  sought:
    extends: net
    search:
      method: grid
      space: {network.text.adapt: {choice: [{layers: 1}, {layers: 2, rank: 1}]}}
  both:
    kind: ensemble
    members: [full, low]
    models: [full, low]
  looked:
    kind: inspect
    model: both
    rows: folds
    where: {source: old}
    embeddings: titles
    repeats: 1
  said:
    kind: predict
    model: full
    rows: songs.old
    embeddings: titles
    file: said.csv
  said_by_both:
    kind: predict
    model: both
    rows: songs.more
    embeddings: titles
    file: said_by_both.csv
  moved:
    kind: transfer
    model: low
    rows: folds
    embeddings: titles
    strategies: [scratch, copy, frozen, discriminative]
    seeds: 1
    epochs: 3
  newly:
    kind: transfer
    model: plain
    rows: folds
    embeddings: titles
    network: {text: {layers: [8], adapt: {layers: 1}}, trunk: {layers: [16]}}
    strategies: [copy]
    seeds: 1
    epochs: 2
  no_more:
    kind: transfer
    model: full
    rows: folds
    embeddings: titles
    network: {text: {layers: [8]}, trunk: {layers: [16]}}
    strategies: [copy]
    seeds: 1
    epochs: 2
"#;

/// Songs whose title tells the genre by the order of two words, which the mean of the words' own vectors hides.
fn songs(genres: &[&str], rows: usize) -> String {
    let mut text = String::from("title,tempo,genre\n");
    for i in 0..rows {
        let genre = i % genres.len();
        let word = |k: usize| 4 + (i * 7 + k * 5 + genre * 9) % 36;
        text += &format!("w{} w{} w{},{},{}\n", word(0), 4 + genre * 3, word(2), 90 + (i * 13) % 40, genres[genre]);
    }
    text
}

fn study(more: &str) -> Workspace {
    let work = Workspace::new()
        .file("old.csv", &songs(&["rock", "rap"], 150))
        .file("more.csv", &songs(&["rock", "rap", "edm"], 90))
        .pipeline(&format!("{STUDY}{more}"));
    let model = SmallModel::new("bert");
    for name in [
        "config.json",
        "modules.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "model.safetensors",
    ] {
        work.write(&format!("model/{name}"), &std::fs::read(model.path().join(name)).expect("the model's file"));
    }
    work
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

/// A probability of every row by its number.
fn probabilities(work: &Workspace, file: &str) -> HashMap<i64, f32> {
    let table = Table::from_ipc(&work.read(&format!("artifacts/study/{file}"))).expect("a table");
    let ids = table.column("runner.row_id").expect("ids").as_primitive::<Int64Type>().values().to_vec();
    ids.into_iter()
        .zip(table.column("runner.p_rock").expect("p").as_primitive::<Float32Type>().values().to_vec())
        .collect()
}

#[test]
fn adapted_networks_serve_wherever_networks_do() {
    let work = study(MORE);
    work.run().succeeded();
    // `predict` says of a row what the stage itself said of it.
    let (own, new) = (probabilities(&work, "full/predictions.arrow"), probabilities(&work, "said/rows.arrow"));
    assert!(!own.is_empty() && own.iter().all(|(id, p)| (new[id] - p).abs() < 1e-6));
    assert_eq!(work.text("artifacts/study/said_by_both/said_by_both.csv").lines().count(), 91);
    // The file holds what changed, and names the encoder by its digest.
    let model = json(&work, "low/model.json");
    assert_eq!(model["encoders"][0]["made_by"]["digest"].as_str().map(str::len), Some(64), "{model:#}");
    let weights = work.read("artifacts/study/low/model.safetensors");
    let weights = safetensors::SafeTensors::deserialize(&weights).expect("safetensors");
    let adapted: Vec<&str> = weights.names().into_iter().filter(|name| name.contains(".encoder.")).collect();
    assert_eq!(adapted.len(), 8, "{adapted:?}");
    assert!(adapted.contains(&"branches.text_title.encoder.layer.1.attention.self.value.lora_B"), "{adapted:?}");
    let drop = json(&work, "looked/findings.json")["importance"].as_array().expect("groups").clone();
    let title = drop.iter().find(|group| group["name"] == "title").expect("the title");
    assert!(title["log_loss"]["mean"].as_f64() != Some(0.0), "shuffled titles change nothing: {title:#}");
    // A copy takes the learned layers along.
    let tensors = json(&work, "moved/transfer.json")["tensors"].as_array().expect("tensors").clone();
    let copied = tensors.iter().filter(|one| one["tensor"].as_str().is_some_and(|name| name.contains("lora_")));
    assert!(copied.clone().count() == 8 && copied.clone().all(|one| one["action"] == "copied"));
    assert_eq!(json(&work, "newly/metrics.json")["classes"].as_array().map(Vec::len), Some(3));
    work.run().ran(&[]);
}

#[test]
fn a_killed_training_of_an_encoder_goes_on_to_the_same_bytes() {
    let (whole, work) = (study(""), study(""));
    let run = |work: &Workspace| work.run_with(&["--set", "epochs=250"]).succeeded();
    run(&whole);
    let mut moments = Moments(5);
    let killed = (0..4).take_while(|_| kill(&work, &["--set", "epochs=250"], None, &mut moments)).count();
    run(&work);
    assert!(killed >= 2, "the study ended before it could be killed: {killed}");
    assert_same_artifacts(&whole, &work);
}

#[test]
fn what_cannot_be_adapted_is_known_before_anything_runs() {
    let work = study("");
    let refusal = |work: &Workspace| {
        let output = work.runner(&["plan", "pipeline.yaml"]);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    work.edit("pipeline.yaml", "encoder: ./model", "encoder: tfidf");
    insta::assert_snapshot!(stable(&refusal(&work)), @"
    error: `tfidf`, which embeds 'title', has no layers to adapt
      --> pipeline.yaml:16:21
       |
    16 |     network: {text: {layers: [8]}, trunk: {layers: [16]}}
       |                     ^^^^^^^^^^^^^
       = help: embed it by a sentence-transformers model, or leave `adapt` out

    error: `tfidf`, which embeds 'title', has no layers to adapt
      --> pipeline.yaml:34:29
       |
    34 |     network: {text: {adapt: {layers: 1}}}
       |                             ^^^^^^^^^^^
    ");
    let work = study("");
    work.edit("pipeline.yaml", "adapt: {layers: 1}", "adapt: {layers: 1, alpha: 2}");
    insta::assert_snapshot!(stable(&refusal(&work)), @"
    error: network.text.adapt.alpha: only rank takes it: leave it out
      --> pipeline.yaml:34:48
       |
    34 |     network: {text: {adapt: {layers: 1, alpha: 2}}}
       |                                                ^
    ");
    let work = study("");
    work.edit("pipeline.yaml", "adapt: {layers: 1}", "adapt: {layers: 7}");
    insta::assert_snapshot!(stable(&refusal(&work)), @"
    error: layers: 7 of the 2 layers of './model', which embeds 'title'
      --> pipeline.yaml:34:38
       |
    34 |     network: {text: {adapt: {layers: 7}}}
       |                                      ^
       = help: 1 to 2 can learn
    ");
}
