//! Bytes of encoder folders and zips, damaged at random: opening them ends with an encoder or an error, without a panic, soon
//! and in little memory. Seeded; `RUNNER_FUZZ_SECONDS` says how long each target is tried (2 by default).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use runner::ml::encoder::{TransformerOptions, open, open_on};
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use runner::pretrained::{self, import};

use crate::encoder::small_model::SmallModel;
use crate::models::fixtures::machine;
use crate::models::zips;

const SEED: u64 = 15;

/// One try may take so long; a few milliseconds are usual.
const SLOWEST: Duration = Duration::from_secs(5);

/// Tries numbered inputs until time is up. A panic names the number, which makes the input again.
fn each(target: &str, mut attempt: impl FnMut(&mut Stream)) {
    let seconds = std::env::var("RUNNER_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(2.0);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut number = 0;
    while Instant::now() < end {
        let begun = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            attempt(&mut Stream::new(SEED, target, number));
        }));
        assert!(outcome.is_ok(), "{target}: input {number} of seed {SEED} panics");
        assert!(begun.elapsed() < SLOWEST, "{target}: input {number} of seed {SEED} took {:?}", begun.elapsed());
        number += 1;
    }
    assert!(number > 0, "{target}: not tried");
}

/// Flips, overwrites, repeats, cuts out and cuts off; digits become long numbers, where headers and JSON have their sizes.
fn mutate(bytes: &[u8], draw: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + draw.below(4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = match draw.below(2) {
            // Beginnings and ends are where formats keep their sizes.
            0 => draw.below(bytes.len().min(600)),
            _ => draw.below(bytes.len()),
        };
        let end = (at + 1 + draw.below(40)).min(bytes.len());
        match draw.below(8) {
            0 => bytes[at] ^= 1 << draw.below(8),
            1 => bytes[at] = draw.below(256) as u8,
            2 => bytes[at] = [0, 0xff, 0x7f, 0x80][draw.below(4)],
            3 => bytes[at..end].fill([0, 0xff][draw.below(2)]),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            6 => bytes.truncate(at),
            _ => {
                let digits: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i].is_ascii_digit()).collect();
                if let Some(&digit) = digits.get(draw.below(digits.len().max(1))) {
                    let long =
                        ["18446744073709551615", "99999999", "-1", "1e308", "4294967296", "0", "null"][draw.below(7)];
                    bytes.splice(digit..=digit, long.bytes());
                }
            }
        }
    }
    bytes
}

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
    each(target, |draw| {
        let file = draw.below(FILES.len());
        let Some(bytes) = &files[file] else { return };
        let path = model.path().join(FILES[file]);
        fs::write(&path, mutate(bytes, draw)).unwrap();
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
    each("zip", |draw| {
        let damaged = match draw.below(2) {
            0 => [&whole[..directory], &mutate(&whole[directory..], draw)].concat(),
            _ => mutate(&whole, draw),
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
