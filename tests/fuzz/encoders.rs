//! Bytes of encoder folders and zips: opening them ends with an encoder or an error, soon and in little memory.

use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};
use runner::ml::encoder::{TransformerOptions, open, open_on};
use runner::ml::progress::Silent;
use runner::pretrained::{self, import};

use super::{damage, fuzz_by_chance};
use crate::machine::machine;
use crate::small_model::SmallModel;
use crate::zips;

/// What JSON may have in the place of a number.
const WORDS: [&str; 4] = ["-1", "1e308", "null", "\""];

/// What an encoder gives is finite, whatever its files say.
fn try_folder(folder: &Path) {
    let options = TransformerOptions::default();
    for encoder in [open(folder, &options), open_on(folder, &options, &Device::Cpu)].into_iter().flatten() {
        if let Ok(rows) = encoder.encode(&["w4 w5 w39", "", "w7 x"], 1, &Silent) {
            assert!(rows.data.iter().all(|value| value.is_finite()));
        }
    }
}

const FILES: [&str; 6] = [
    "model.safetensors",
    "tokenizer.json",
    "config.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
];

fn damaged_folders(target: &str, model: &SmallModel) {
    let files = FILES.map(|name| fs::read(model.path().join(name)).ok());
    fuzz_by_chance(target, |stream| {
        let file = stream.below(FILES.len());
        let Some(bytes) = &files[file] else { return };
        let path = model.path().join(FILES[file]);
        fs::write(&path, damage(bytes, &WORDS, stream)).unwrap();
        try_folder(model.path());
        fs::write(&path, bytes).unwrap();
    });
}

#[test]
fn folders_of_transformers() {
    damaged_folders("bert", &SmallModel::new("bert"));
    damaged_folders("mpnet", &SmallModel::new("mpnet"));
    // The one family here that candle runs as well.
    damaged_folders("xlm-roberta", &SmallModel::new("xlm-roberta"));
}

#[test]
fn folders_of_static_embeddings() {
    let model = SmallModel::new("bert");
    fs::write(model.path().join("config.json"), r#"{"model_type": "model2vec", "normalize": true, "max_length": 64}"#)
        .unwrap();
    fs::remove_file(model.path().join("modules.json")).unwrap();
    let rows: Vec<f32> = (0..40 * 6).map(|i| (i % 13) as f32 - 6.0).collect();
    let mapping: Vec<i64> = (0..40).rev().collect();
    let tensors = [
        ("embeddings".to_owned(), Tensor::from_vec(rows, (40, 6), &Device::Cpu).unwrap()),
        ("mapping".to_owned(), Tensor::from_vec(mapping, 40, &Device::Cpu).unwrap()),
        ("weights".to_owned(), Tensor::from_vec(vec![0.5f32; 40], 40, &Device::Cpu).unwrap()),
    ];
    let path = model.path().join("model.safetensors");
    candle_core::safetensors::save(&tensors.into_iter().collect(), path).unwrap();
    assert!(open(model.path(), &TransformerOptions::default()).is_ok());
    damaged_folders("static", &model);
}

#[test]
fn zips_and_what_is_in_them() {
    let model = SmallModel::new("bert");
    let entries: Vec<zips::Entry> = FILES
        .iter()
        .map(|name| zips::file(&format!("m/{name}"), &fs::read(model.path().join(name)).unwrap()))
        .collect();
    let whole = zips::zip(&entries);
    let machine = machine().unpinned();
    let path = machine.path("toy.zip");
    let own = machine.path("own");
    fs::write(&own, "mine").unwrap();
    // The directory is at the end: half of the damage goes there.
    let directory = whole.len() - 900;
    fuzz_by_chance("zip", |stream| {
        let damaged = match stream.below(2) {
            0 => [&whole[..directory], &damage(&whole[directory..], &WORDS, stream)].concat(),
            _ => damage(&whole, &WORDS, stream),
        };
        fs::write(&path, damaged).unwrap();
        if let Ok(imported) = import(&machine.resolver, std::slice::from_ref(&path), Some("toy"), &pretrained::Silent) {
            assert!(imported.folder.starts_with(&machine.resolver.models));
            try_folder(&imported.folder);
        }
        assert_eq!(fs::read(&own).unwrap(), b"mine");
        let beside = fs::read_dir(machine.root.path()).unwrap().count();
        assert!(beside <= 4, "something was written beside the models folder");
    });
}
