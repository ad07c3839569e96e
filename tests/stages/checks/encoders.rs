//! An encoder on this machine that cannot be opened is refused before anything runs, at the line that names it.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{BETWEEN, errors, refused};
use crate::small_model::{SmallModel, shapes};
use crate::workspace::Workspace;

/// The encoder is `model` in the working folder, a link to this folder.
fn study(folder: &Path, more: &str) -> Workspace {
    let work = Workspace::with_songs().pipeline(&format!(
        "name: p\nstages:\n  songs: {{kind: load, files: {{all: songs.csv}}, label: genre}}\n  vectors:\n    kind: embed\n    rows: songs\n    columns: [title]\n    encoder: ./model\n{more}"
    ));
    std::os::unix::fs::symlink(folder, work.path().join("model")).expect("a link");
    work
}

/// What is said of an encoder, by `plan` and by `run`, which runs nothing before.
#[track_caller]
fn said(folder: &Path, more: &str) -> String {
    let work = study(folder, more);
    let text = refused(&work);
    let found = errors(&text);
    assert_eq!(found.len(), 1, "{text}");
    let run = work.run();
    assert!(run.code == Some(2) && work.stable(&run.stderr).contains(found[0]), "{}", run.stderr);
    assert!(run.list("ran").is_empty() && !work.exists("artifacts"), "nothing was run");
    text
}

#[test]
fn damaged_files_of_a_folder() {
    let mut all = Vec::new();
    for name in ["config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json"] {
        let model = SmallModel::new("bert");
        let path = model.path().join(name);
        let bytes = fs::read(&path).expect("a file");
        // Cut short in the middle, in the head, and at its last byte.
        for length in [bytes.len() / 2, 4, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).expect("written");
            all.push(said(model.path(), ""));
        }
    }
    insta::assert_snapshot!(all.join(BETWEEN));
}

#[test]
fn what_would_make_other_vectors_without_a_word() {
    let model = SmallModel::new("bert");
    model.edit("config.json", "num_hidden_layers", json!(1));
    insta::assert_snapshot!(said(model.path(), ""), @"
    error: tensor 'encoder.layer.1.attention.self.query.weight' in './model/model.safetensors' does not fit the model's config.json: the number of layers there is 1
     --> pipeline.yaml:8:14
      |
    8 |     encoder: ./model
      |              ^^^^^^^
      = help: put a sound copy of the file there, or name another encoder
    ");
    let model = SmallModel::new("bert");
    model.write("1_Pooling/config.json", &json!({"pooling_mode_mean_tokens": false, "pooling_mode_cls_token": false}));
    insta::assert_snapshot!(said(model.path(), ""), @"
    error: encoder file './model/1_Pooling/config.json' is not supported: every pooling mode is false; switch one on, or set the option pooling
     --> pipeline.yaml:8:14
      |
    8 |     encoder: ./model
      |              ^^^^^^^
    ");
}

#[test]
fn what_is_no_file_in_a_folder() {
    let mut all = Vec::new();
    for name in ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"] {
        let model = SmallModel::new("bert");
        let path = model.path().join(name);
        fs::remove_file(&path).expect("removed");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        all.push(said(model.path(), ""));
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder");
        all.push(said(model.path(), ""));
        fs::remove_dir(&path).expect("removed");
        std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
        all.push(said(model.path(), ""));
    }
    insta::assert_snapshot!(all.join(BETWEEN));
}

/// A folder in the working folder needs no `./`; a pipe in it makes no id of the hub of its name.
#[test]
fn a_pipe_in_a_folder_of_a_bare_name() {
    let model = SmallModel::new("bert");
    fs::remove_file(model.path().join("config.json")).expect("removed");
    let work = study(model.path(), "");
    work.edit("pipeline.yaml", "./model", "model");
    nix::unistd::mkfifo(&work.path().join("model/config.json"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    insta::assert_snapshot!(refused(&work), @"
    error: 'model/config.json' is a named pipe, not a file; refused
     --> pipeline.yaml:8:14
      |
    8 |     encoder: model
      |              ^^^^^
      = help: put a sound copy of the file there, or name another encoder
    ");
}

#[test]
fn tensors_and_files_that_are_missing_or_do_not_fit() {
    let model = SmallModel::new("xlm-roberta");
    let mut tensors = shapes("xlm-roberta");
    let name = "encoder.layer.1.output.dense.weight";
    tensors.insert(name.to_owned(), vec![24, 41]);
    model.write_weights(&tensors);
    let mut all = vec![said(model.path(), "")];
    tensors.remove(name);
    model.write_weights(&tensors);
    all.push(said(model.path(), ""));
    model.edit("config.json", "model_type", json!("gpt9"));
    all.push(said(model.path(), ""));
    fs::remove_file(model.path().join("tokenizer.json")).expect("removed");
    all.push(said(model.path(), ""));
    insta::assert_snapshot!(all.join(BETWEEN));
}

#[test]
fn options_that_the_model_cannot_have() {
    let model = SmallModel::new("bert");
    let [length, dimensions] = ["max_length: 21", "dimensions: 25"]
        .map(|options| said(model.path(), &format!("    transformer: {{{options}}}\n")));
    insta::assert_snapshot!(length, @"
    error: transformer.max_length: 21 is more than the model's 20 positions
     --> pipeline.yaml:9:31
      |
    9 |     transformer: {max_length: 21}
      |                               ^^
    ");
    insta::assert_snapshot!(dimensions, @"
    error: transformer.dimensions: 25 is not between 1 and the model's 24
     --> pipeline.yaml:9:31
      |
    9 |     transformer: {dimensions: 25}
      |                               ^^
    ");
    let work = study(model.path(), "    transformer: {max_length: 12, dimensions: 8}\n");
    work.run().ran(&["songs", "vectors"]);
}

/// Several stages with one encoder have one mistake; a file that is mended is looked at anew.
#[test]
fn one_mistake_of_several_stages() {
    let model = SmallModel::new("bert");
    let path = model.path().join("tokenizer.json");
    let bytes = fs::read(&path).expect("a file");
    fs::write(&path, "{}").expect("written");
    let other = "  other: {kind: embed, rows: songs, columns: [artist], encoder: ./model}\n";
    let work = study(model.path(), other);
    insta::assert_snapshot!(refused(&work), @"
    error: encoder file './model/tokenizer.json' is damaged: Model missing. at line 1 column 2
     --> pipeline.yaml:8:14
      |
    8 |     encoder: ./model
      |              ^^^^^^^
      = note: also at pipeline.yaml:9:65
      = help: put a sound copy of the file there, or name another encoder
    ");
    fs::write(&path, bytes).expect("written");
    work.run().ran(&["songs", "vectors", "other"]);
}

/// Which layers of an encoder can learn is known from its configuration.
#[test]
fn layers_that_cannot_be_adapted() {
    let train = |adapt: &str| {
        format!(
            "  folds: {{kind: split, rows: songs}}\n  net:\n    kind: train\n    rows: folds\n    embeddings: vectors\n    text: [title]\n    \
             network: {adapt}\n"
        )
    };
    let model = SmallModel::new("bert");
    insta::assert_snapshot!(said(model.path(), &train("{text: {adapt: {layers: 3}}}")), @"
    error: layers: 3 of the 2 layers of './model', which embeds 'title'
      --> pipeline.yaml:15:38
       |
    15 |     network: {text: {adapt: {layers: 3}}}
       |                                      ^
       = help: 1 to 2 can learn
    ");
    insta::assert_snapshot!(said(model.path(), &train("{columns: {title: {adapt: {layers: 5}}}}")), @"
    error: layers: 5 of the 2 layers of './model', which embeds 'title'
      --> pipeline.yaml:15:49
       |
    15 |     network: {columns: {title: {adapt: {layers: 5}}}}
       |                                                 ^
       = help: 1 to 2 can learn
    ");
    let model = SmallModel::new("mpnet");
    insta::assert_snapshot!(said(model.path(), &train("{text: {adapt: {layers: 1}}}")), @"
    error: './model', which embeds 'title', cannot be adapted: layers of model_type 'mpnet' cannot be adapted; those of BERT, RoBERTa, XLM-RoBERTa and DistilBERT can
      --> pipeline.yaml:15:29
       |
    15 |     network: {text: {adapt: {layers: 1}}}
       |                             ^^^^^^^^^^^
       = help: leave `adapt` out, or take another encoder
    ");
}
