//! Numbers from outside that are not finite: refused by the tensor's name where they lie, or by the text that reaches them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use runner::ml::encoder::Tokens;
use runner::ml::encoder::{Precision, TransformerOptions, open, open_on};
use runner::ml::progress::Silent;
use serde_json::json;

use crate::screen::stable;
use crate::small_model::{HIDDEN, SmallModel, shapes};
use crate::workspace::Workspace;

/// Writes `value` at a place of a tensor.
fn spoil(folder: &Path, name: &str, at: usize, value: f32) {
    let path = folder.join("model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let tensor = &tensors[name];
    let mut values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
    values[at] = value;
    let spoilt = Tensor::from_vec(values, tensor.shape(), &Device::Cpu).unwrap();
    tensors.insert(name.to_owned(), spoilt);
    candle_core::safetensors::save(&tensors, path).unwrap();
}

/// Every tensor that a family reads, at its first value, in the middle, at its last.
#[test]
fn every_tensor_of_every_family_is_refused_by_name() {
    for kind in ["bert", "xlm-roberta", "distilbert", "mpnet"] {
        for (i, (name, shape)) in shapes(kind).into_iter().enumerate() {
            let size: usize = shape.iter().product();
            let (at, value) = [(0, f32::NAN), (size / 2, f32::INFINITY), (size - 1, f32::NEG_INFINITY)][i % 3];
            let model = SmallModel::new(kind);
            spoil(model.path(), &name, at, value);
            let message = open(model.path(), &TransformerOptions::default()).err().expect("refused").to_string();
            let last = at % shape.last().unwrap();
            assert!(message.contains(&name) && message.contains("model.safetensors"), "{message}");
            assert!(message.contains(&format!("{value} at [")) && message.contains(&format!("{last}];")), "{message}");
            // The others' activations are not candle's.
            if kind == "xlm-roberta" {
                let device = open_on(model.path(), &TransformerOptions::default(), &Device::Cpu);
                let message = device.err().expect("refused").to_string();
                assert!(message.contains(&name) && message.contains(&format!("{value} at [")), "{message}");
            }
        }
    }
}

#[test]
fn what_becomes_infinite_when_read_is_refused() {
    let name = "encoder.layer.0.intermediate.dense.weight";
    let rewritten = |kind: DType, value: f64| {
        let model = SmallModel::new("bert");
        let path = model.path().join("model.safetensors");
        let mut tensors: HashMap<String, Tensor> = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let wide = tensors[name].to_dtype(DType::F64).unwrap();
        let spoilt = Tensor::full(value, wide.shape(), &Device::Cpu).unwrap().to_dtype(kind).unwrap();
        tensors.insert(name.to_owned(), spoilt);
        candle_core::safetensors::save(&tensors, path).unwrap();
        open(model.path(), &TransformerOptions::default()).err().map(|error| error.to_string())
    };
    let message = rewritten(DType::F64, 1e300).expect("beyond f32");
    insta::assert_snapshot!(stable(&message), @"tensor 'encoder.layer.0.intermediate.dense.weight' in '[temporary]/model.safetensors' is not finite: inf as f32 at [0, 0]; the file is damaged, or the model's training diverged");
    for kind in [DType::F16, DType::BF16] {
        let message = rewritten(kind, f64::NAN).expect("refused");
        assert!(message.contains(name) && message.contains("NaN at [0, 0]"), "{message}");
    }
    assert_eq!(rewritten(DType::F64, 1e-300), None, "what becomes zero is a number");
    // f32's largest numbers are beyond bfloat16's.
    let model = SmallModel::new("bert");
    spoil(model.path(), name, 5, 3.4e38);
    assert!(open(model.path(), &TransformerOptions::default()).is_ok());
    let half = TransformerOptions { precision: Precision::Bf16, ..Default::default() };
    let message = open(model.path(), &half).err().expect("refused").to_string();
    insta::assert_snapshot!(stable(&message), @"tensor 'encoder.layer.0.intermediate.dense.weight' in '[temporary]/model.safetensors' is not finite: inf as bf16 at [0, 5]; the file is damaged, or the model's training diverged");
}

#[test]
fn tensors_that_the_model_does_not_read_may_hold_anything() {
    let model = SmallModel::new("xlm-roberta");
    let mut all = shapes("xlm-roberta");
    all.insert("pooler.dense.weight".to_owned(), vec![HIDDEN, HIDDEN]);
    model.write_weights(&all);
    spoil(model.path(), "pooler.dense.weight", 3, f32::NAN);
    assert!(open(model.path(), &TransformerOptions::default()).is_ok());
    assert!(open_on(model.path(), &TransformerOptions::default(), &Device::Cpu).is_ok());
}

#[test]
fn dense_layers_and_adapted_layers_are_refused_by_name() {
    let model = SmallModel::new("bert");
    model.write(
        "modules.json",
        &json!([
            {"path": "", "type": "sentence_transformers.models.Transformer"},
            {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"path": "2_Dense", "type": "sentence_transformers.models.Dense"},
        ]),
    );
    model.write("2_Dense/config.json", &json!({"in_features": HIDDEN, "out_features": 3}));
    let dense = model.path().join("2_Dense");
    let tensor = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let tensors =
        HashMap::from([("linear.weight".to_owned(), tensor(&[3, HIDDEN])), ("linear.bias".to_owned(), tensor(&[3]))]);
    candle_core::safetensors::save(&tensors, dense.join("model.safetensors")).unwrap();
    assert!(open(model.path(), &TransformerOptions::default()).is_ok());
    spoil(&dense, "linear.bias", 2, f32::NAN);
    let message = open(model.path(), &TransformerOptions::default()).err().expect("refused").to_string();
    insta::assert_snapshot!(stable(&message), @"tensor 'linear.bias' in '[temporary]/2_Dense/model.safetensors' is not finite: NaN at [2]; the file is damaged, or the model's training diverged");

    // The layers above the cut are read on a way of their own.
    for layer in [0, 1] {
        let model = SmallModel::new("bert");
        let name = format!("encoder.layer.{layer}.attention.output.LayerNorm.weight");
        spoil(model.path(), &name, 7, f32::NAN);
        let (tokens, _) = Tokens::read(model.path(), &TransformerOptions::default(), &["w4 w5"], 1, &Silent).unwrap();
        let message = tokens.cut(1, 1, &Silent).err().expect("refused").to_string();
        assert!(message.contains(&name) && message.contains("NaN at [7]"), "{message}");
    }
}

#[test]
fn a_text_that_alone_reaches_beyond_f32_is_named() {
    let model = SmallModel::new("xlm-roberta");
    // Sound numbers, whose sum is not: the row of token 9.
    for at in 9 * HIDDEN..10 * HIDDEN {
        spoil(model.path(), "embeddings.word_embeddings.weight", at, 3e38);
    }
    for encoder in [
        open(model.path(), &TransformerOptions::default()).unwrap(),
        open_on(model.path(), &TransformerOptions::default(), &Device::Cpu).unwrap(),
    ] {
        assert!(encoder.encode(&["w4 w5", "w8"], 2, &Silent).is_ok());
        let mut handed = Vec::new();
        let texts = ["w4 w5", "w8", "w7 w9 w6", "w8"];
        let outcome = encoder.encode_by_row(&texts, 2, &Silent, &mut |text, row| handed.push((text, row.to_vec())));
        let Err(error) = outcome else { panic!("not finite") };
        let message = error.to_string();
        assert!(message.contains("'w7 w9 w6'") && message.contains("not finite"), "{message}");
        assert!(handed.iter().all(|(text, row)| *text != 2 && row.iter().all(|value| value.is_finite())));
    }
    let (tokens, _) = Tokens::read(model.path(), &TransformerOptions::default(), &["w9"], 1, &Silent).unwrap();
    let message = tokens.cut(1, 1, &Silent).err().expect("not finite").to_string();
    insta::assert_snapshot!(stable(&message), @"the layers of the encoder that stand still give NaN for a token: its numbers grow beyond f32; use another encoder, or leave `adapt` out");
}

/// A table of static embeddings in a folder of the workspace: ten words of four numbers.
fn table(work: &Workspace, folder: &str, at: usize, value: f32) {
    let words = ["[PAD]", "[UNK]", "stone", "road", "fire", "street", "cash", "crown", "song", "band"];
    let vocabulary: serde_json::Map<_, _> =
        words.iter().enumerate().map(|(i, word)| ((*word).to_owned(), json!(i))).collect();
    let tokenizer = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}});
    let modules = json!([{"path": "", "type": "sentence_transformers.models.StaticEmbedding"}]);
    work.write(&format!("{folder}/modules.json"), modules.to_string().as_bytes());
    work.write(&format!("{folder}/tokenizer.json"), tokenizer.to_string().as_bytes());
    let mut values: Vec<f32> = (0..40).map(|i| (i * 7 % 11) as f32 - 5.0).collect();
    values[at] = value;
    let weight = Tensor::from_vec(values, (10, 4), &Device::Cpu).unwrap();
    let path = work.path().join(folder).join("model.safetensors");
    candle_core::safetensors::save(&HashMap::from([("embedding.weight", weight)]), path).unwrap();
}

#[test]
fn a_run_names_the_encoder_and_stores_nothing_of_it() {
    let work = Workspace::with_songs().pipeline(
        "name: study\nseed: 1\nstages:\n  songs: {kind: load, files: {all: songs.csv}, label: genre}\n  \
         vectors: {kind: embed, rows: songs, columns: [title], encoder: ./encoder}\n",
    );
    for (value, said) in [(f32::NAN, "NaN at [3, 1]"), (f32::INFINITY, "inf at [3, 1]")] {
        table(&work, "encoder", 13, value);
        let run = work.run();
        assert_eq!(run.code, Some(1), "{run:?}");
        let text = format!("{}{}", run.error(), run.stderr);
        assert!(text.contains("embedding.weight") && text.contains("encoder/model.safetensors"), "{text}");
        assert!(text.contains(said) && !text.contains("panicked"), "{text}");
        assert!(!work.exists("artifacts/study/vectors"));
    }
    table(&work, "encoder", 13, 1.0);
    work.run().ran(&["vectors"]);
    // A table whose sums overflow for one title alone.
    table(&work, "encoder", 13, f32::MAX);
    work.edit("songs.csv", "\"road, song", "\"road road road, song");
    let run = work.run();
    let text = format!("{}{}", run.error(), run.stderr);
    assert!(run.code == Some(1) && text.contains("'road road road"), "{text}");
}

#[test]
fn files_beyond_what_an_encoder_has_are_refused() {
    let model = SmallModel::new("bert");
    for (name, length) in [("config.json", 17 << 20), ("modules.json", 17 << 20), ("tokenizer.json", 257 << 20)] {
        let path = model.path().join(name);
        let bytes = fs::read(&path).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        let message = open(model.path(), &TransformerOptions::default()).err().expect("refused").to_string();
        assert!(message.contains(name) && message.contains("more than the"), "{message}");
        fs::write(path, bytes).unwrap();
    }
    let modules = vec![json!({"path": "", "type": "sentence_transformers.models.Normalize"}); 1000];
    model.write("modules.json", &json!(modules));
    let message = open(model.path(), &TransformerOptions::default()).err().expect("refused").to_string();
    insta::assert_snapshot!(stable(&message), @"encoder file '[temporary]/modules.json' is not supported: 1000 modules; at most 32");
}

#[test]
#[cfg(unix)]
fn special_files_in_a_folder_are_refused_at_once() {
    for name in ["config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json"] {
        let model = SmallModel::new("bert");
        let path = model.path().join(name);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let message = open(model.path(), &TransformerOptions::default()).err().expect("refused").to_string();
        assert!(message.contains(name) && message.contains("not a regular file"), "{message}");
    }
}

#[test]
fn tokenizers_that_would_never_end_or_throw_dice_are_refused() {
    let doubling = |times: usize| {
        let step = json!({"type": "Replace", "pattern": {"String": "w"}, "content": "ww"});
        json!({"type": "Sequence", "normalizers": vec![step; times]})
    };
    let model = SmallModel::new("bert");
    model.edit("tokenizer.json", "normalizer", doubling(3));
    assert!(open(model.path(), &TransformerOptions::default()).is_ok());
    model.edit("tokenizer.json", "normalizer", doubling(60));
    let message = open(model.path(), &TransformerOptions::default()).err().expect("refused").to_string();
    insta::assert_snapshot!(stable(&message), @"encoder file '[temporary]/tokenizer.json' is damaged: its normalizer makes texts up to 1152921504606846976 times longer");
    let model = SmallModel::new("bert");
    let bpe = json!({"type": "BPE", "dropout": 0.1, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "vocab": {"a": 0, "[CLS]": 2, "[SEP]": 3}, "merges": []});
    model.edit("tokenizer.json", "model", bpe);
    let message = open(model.path(), &TransformerOptions::default()).err().expect("refused").to_string();
    insta::assert_snapshot!(stable(&message), @"encoder file '[temporary]/tokenizer.json' is not supported: dropout in its tokenizer, which would part the same text in other ways each time; set it to null");
}

#[test]
fn numbers_of_a_config_that_make_no_sense_are_refused() {
    for (key, value) in [
        ("layer_norm_eps", json!(1e300)),
        ("layer_norm_eps", json!(-1.0)),
        ("pad_token_id", json!(u64::MAX)),
        ("max_position_embeddings", json!(99_999_999)),
        ("intermediate_size", json!(99_999_999)),
        ("vocab_size", json!(99_999_999)),
        ("num_hidden_layers", json!(1000)),
        ("type_vocab_size", json!(99_999_999)),
    ] {
        let model = SmallModel::new("xlm-roberta");
        model.edit("config.json", key, value);
        assert!(open(model.path(), &TransformerOptions::default()).is_err(), "{key}");
    }
    for buckets in [1, 2, 3, 31, 33, 600, 99_999_999] {
        let model = SmallModel::new("mpnet");
        model.edit("config.json", "relative_attention_num_buckets", json!(buckets));
        if buckets < 1000 {
            let mut all = shapes("mpnet");
            all.insert("encoder.relative_attention_bias.weight".to_owned(), vec![buckets, 3]);
            model.write_weights(&all);
            let encoder = open(model.path(), &TransformerOptions::default()).expect("a table of that size");
            assert!(encoder.encode(&["w4 w5 w6"], 1, &Silent).is_ok());
        } else {
            assert!(open(model.path(), &TransformerOptions::default()).is_err());
        }
    }
    let model = SmallModel::new("bert");
    let options = TransformerOptions { max_length: Some(usize::MAX), ..Default::default() };
    assert!(open(model.path(), &options).is_err());
}
