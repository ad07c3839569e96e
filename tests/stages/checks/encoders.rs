//! An encoder on this machine that cannot be opened is refused before anything runs, at the line that names it.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{errors, refused};
use crate::small_model::{SmallModel, shapes};
use crate::workspace::Workspace;

const REMEDY: &str = "put a sound copy of the file there, or name another encoder";

fn study(folder: &Path, more: &str) -> Workspace {
    let encoder = folder.display();
    Workspace::with_songs().pipeline(&format!(
        "name: p\nstages:\n  songs: {{kind: load, files: {{all: songs.csv}}, label: genre}}\n  vectors:\n    kind: embed\n    rows: songs\n    columns: [title]\n    encoder: {encoder}\n{more}"
    ))
}

/// What is said of an encoder, by `plan` and by `run`, which runs nothing before.
#[track_caller]
fn said(folder: &Path, more: &str, line: &str) -> String {
    let work = study(folder, more);
    let text = refused(&work);
    assert!(text.contains(&format!("pipeline.yaml:{line}")), "{text}");
    let found = errors(&text);
    assert_eq!(found.len(), 1, "{text}");
    let run = work.run();
    assert!(run.code == Some(2) && run.stderr.contains(found[0]), "{}", run.stderr);
    assert!(run.list("ran").is_empty() && !work.exists("artifacts"), "nothing was run");
    text
}

#[test]
fn damaged_files_of_a_folder() {
    for name in ["config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json"] {
        let model = SmallModel::new("bert");
        let path = model.path().join(name);
        let bytes = fs::read(&path).expect("a file");
        // Cut short in the middle, in the head, and at its last byte.
        for length in [bytes.len() / 2, 4, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).expect("written");
            let text = said(model.path(), "", "8:");
            assert!(text.contains(&format!("{name}' is damaged: ")) && text.contains(REMEDY), "{text}");
            assert!(!text.contains("fetch"), "{text}");
        }
    }
}

#[test]
fn what_would_make_other_vectors_without_a_word() {
    let model = SmallModel::new("bert");
    model.edit("config.json", "num_hidden_layers", json!(1));
    let text = said(model.path(), "", "8:");
    assert!(text.contains("config.json says that there are 1 layers"), "{text}");
    let model = SmallModel::new("bert");
    model.write("1_Pooling/config.json", &json!({"pooling_mode_mean_tokens": false, "pooling_mode_cls_token": false}));
    let text = said(model.path(), "", "8:");
    assert!(text.contains("every pooling mode is false"), "{text}");
}

#[test]
fn what_is_no_file_in_a_folder() {
    for name in ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"] {
        let model = SmallModel::new("bert");
        let path = model.path().join(name);
        fs::remove_file(&path).expect("removed");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let text = said(model.path(), "", "8:");
        assert!(text.contains(&format!("{name}' is a named pipe, not a file")) && text.contains(REMEDY), "{text}");
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder");
        assert!(said(model.path(), "", "8:").contains(&format!("{name}' is a folder, not a file")));
        fs::remove_dir(&path).expect("removed");
        std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
        assert!(said(model.path(), "", "8:").contains(&format!("{name}' is a device, not a file")));
    }
}

/// A folder in the working folder needs no `./`; a pipe in it makes no id of the hub of its name.
#[test]
fn a_pipe_in_a_folder_of_a_bare_name() {
    let work = study(Path::new("model"), "");
    fs::create_dir(work.path().join("model")).expect("a folder");
    nix::unistd::mkfifo(&work.path().join("model/config.json"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let text = refused(&work);
    assert!(text.contains("model/config.json' is a named pipe, not a file"), "{text}");
}

#[test]
fn tensors_and_files_that_are_missing_or_do_not_fit() {
    let model = SmallModel::new("xlm-roberta");
    let mut tensors = shapes("xlm-roberta");
    let name = "encoder.layer.1.output.dense.weight";
    tensors.insert(name.to_owned(), vec![24, 41]);
    model.write_weights(&tensors);
    let text = said(model.path(), "", "8:");
    assert!(text.contains(&format!("tensor '{name}'")) && text.contains("[24, 41] instead of [24, 40]"), "{text}");
    tensors.remove(name);
    model.write_weights(&tensors);
    assert!(said(model.path(), "", "8:").contains("it is not in the file"));
    model.edit("config.json", "model_type", json!("gpt9"));
    assert!(said(model.path(), "", "8:").contains("model_type 'gpt9'; supported are"));
    fs::remove_file(model.path().join("tokenizer.json")).expect("removed");
    assert!(said(model.path(), "", "8:").contains("lacks tokenizer.json"));
}

#[test]
fn options_that_the_model_cannot_have() {
    let model = SmallModel::new("bert");
    for (options, expected) in [
        ("max_length: 21", "transformer.max_length: 21 is more than the model's 20 positions"),
        ("dimensions: 25", "transformer.dimensions: 25 is not between 1 and the model's 24"),
    ] {
        let text = said(model.path(), &format!("    transformer: {{{options}}}\n"), "9:");
        assert!(text.contains(expected), "{text}");
    }
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
    let other =
        format!("  other: {{kind: embed, rows: songs, columns: [artist], encoder: \"{}\"}}\n", model.path().display());
    let work = study(model.path(), &other);
    let text = refused(&work);
    assert_eq!(errors(&text).len(), 1, "{text}");
    assert!(text.contains("pipeline.yaml:8:") && text.contains("pipeline.yaml:9:"), "{text}");
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
    let text = said(model.path(), &train("{text: {adapt: {layers: 3}}}"), "15:38");
    assert!(text.contains("which embeds 'title', has 2 layers; got 3"), "{text}");
    let text = said(model.path(), &train("{columns: {title: {adapt: {layers: 5}}}}"), "15:49");
    assert!(text.contains("which embeds 'title', has 2 layers; got 5"), "{text}");
    let model = SmallModel::new("mpnet");
    let text = said(model.path(), &train("{text: {adapt: {layers: 1}}}"), "15:29");
    assert!(text.contains("cannot be adapted: layers of the MpNet family"), "{text}");
}
