//! What is wrong with a model's folder is said by name; nothing panics.

use std::fs;

use candle_core::Device;
use runner::ml::encoder::{TransformerOptions, open, open_on};
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use serde_json::{Value, json};

use crate::small_model::{HIDDEN, SmallModel, shapes};

fn refusal(model: &SmallModel) -> String {
    let options = TransformerOptions::default();
    let device = open_on(model.path(), &options, &Device::Cpu);
    assert!(device.is_err(), "candle's engine must refuse it too");
    open(model.path(), &options).err().expect("the folder must be refused").to_string()
}

#[test]
fn missing_files_are_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"] {
        let model = SmallModel::new("xlm-roberta");
        fs::remove_file(model.path().join(name)).unwrap();
        let message = refusal(&model);
        assert!(message.contains(name) && message.contains("is missing: "), "{message}");
    }
    let nowhere = open("/no/such/folder".as_ref(), &TransformerOptions::default());
    assert!(nowhere.err().unwrap().to_string().contains("'/no/such/folder' is missing"));
}

#[test]
fn truncated_and_garbled_files_are_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json"] {
        let model = SmallModel::new("xlm-roberta");
        let path = model.path().join(name);
        let bytes = fs::read(&path).unwrap();
        for damaged in [&bytes[..bytes.len() / 2], &bytes[..4], b"", b"\xff\xfe{}"] {
            fs::write(&path, damaged).unwrap();
            let message = refusal(&model);
            assert!(message.contains(name) && message.contains("is damaged: "), "{message}");
        }
    }
}

#[test]
fn impossible_configurations_are_refused() {
    let cases: [(&str, Value, &str); 10] = [
        ("model_type", json!("gpt9"), "model_type 'gpt9'; supported are bert"),
        ("model_type", Value::Null, "no model_type"),
        ("hidden_size", json!(0), "'hidden_size' is 0, not a number of 1 to 100000000"),
        ("hidden_size", json!("24"), "'hidden_size' is \"24\", not a number of 1 to 100000000"),
        ("num_attention_heads", json!(5), "24 dimensions cannot be shared by 5 heads"),
        ("hidden_act", json!("swish"), "activation \"swish\""),
        ("position_embedding_type", json!("relative_key"), "position_embedding_type 'relative_key'"),
        ("pad_token_id", json!(19), "pad_token_id 19 leaves none of 20 positions"),
        ("vocab_size", json!(u64::MAX), "'vocab_size'"),
        ("num_hidden_layers", json!(50_000_000), "not a number of 1 to 1000"),
    ];
    for (key, value, expected) in cases {
        let model = SmallModel::new("xlm-roberta");
        model.edit("config.json", key, value);
        let message = refusal(&model);
        assert!(message.contains(expected) && message.contains("config.json"), "{message}");
    }
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let model = SmallModel::new("bert");
    let name = "encoder.layer.1.output.dense.weight";
    let mut tensors = shapes("bert");
    tensors.insert(name.to_owned(), vec![HIDDEN, 41]);
    model.write_weights(&tensors);
    let message = refusal(&model);
    assert!(message.contains(name) && message.contains("[24, 41] instead of [24, 40]"), "{message}");
    tensors.remove(name);
    model.write_weights(&tensors);
    let message = refusal(&model);
    assert!(message.contains(name) && message.contains("not in the file"), "{message}");
    // A model saved with its head has a prefix.
    let prefixed = shapes("bert").into_iter().map(|(name, shape)| (format!("bert.{name}"), shape)).collect();
    model.write_weights(&prefixed);
    assert!(open(model.path(), &TransformerOptions::default()).is_ok());
}

#[test]
fn options_out_of_range_are_refused() {
    let model = SmallModel::new("xlm-roberta");
    for (options, expected) in [
        (json!({"max_length": 19}), "max_length: 19 is more than the model's 18 positions"),
        (json!({"max_length": 2}), "max_length: 2 leaves no room beside 2 special tokens"),
        (json!({"batch_tokens": 0}), "batch_tokens: 0"),
    ] {
        let options: TransformerOptions = serde_json::from_value(options).unwrap();
        let message = open(model.path(), &options).err().unwrap().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let model = SmallModel::new("bert");
    model.edit("config.json", "vocab_size", json!(30));
    let mut tensors = shapes("bert");
    tensors.insert("embeddings.word_embeddings.weight".to_owned(), vec![30, HIDDEN]);
    model.write_weights(&tensors);
    let encoder = open(model.path(), &TransformerOptions::default());
    let error = encoder.and_then(|encoder| encoder.encode(&["w35"], 1, &Silent)).unwrap_err();
    assert!(error.to_string().contains("token 35, but the model knows 30"), "{error}");
}

/// Whatever bytes a file holds, opening it and encoding with it end with vectors or an error.
#[test]
fn no_damage_panics() {
    let names = ["config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json"];
    for name in names {
        let model = SmallModel::new("bert");
        let path = model.path().join(name);
        let bytes = fs::read(&path).unwrap();
        // The header of a safetensors file is where damage is not just another number.
        let fragile = bytes.len().min(4000);
        for i in 0..300 {
            let mut draw = Stream::new(i, name, 0);
            let mut damaged = bytes.clone();
            for _ in 0..1 + draw.below(3) {
                let at = draw.below(fragile);
                damaged[at] = if draw.below(2) == 0 { draw.below(256) as u8 } else { b"0918\"{}[],-"[draw.below(11)] };
            }
            fs::write(&path, damaged).unwrap();
            if let Ok(encoder) = open(model.path(), &TransformerOptions::default()) {
                let _ = encoder.encode(&["w4 w5 w39", "", "w7 x"], 1, &Silent);
            }
        }
    }
}
