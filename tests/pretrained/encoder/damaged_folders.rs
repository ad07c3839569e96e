//! What is wrong with a model's folder is said by name; nothing panics.

use std::fs;

use candle_core::Device;
use runner::ml::encoder::{TransformerOptions, check, open, open_on};
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use crate::screen::stable;
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
    insta::assert_snapshot!(stable(&message), @"tensor 'encoder.layer.1.output.dense.weight' in '[temporary]/model.safetensors' does not fit the model's config.json: its shape is [24, 41] instead of [24, 40]");
    tensors.remove(name);
    model.write_weights(&tensors);
    let message = refusal(&model);
    insta::assert_snapshot!(stable(&message), @"tensor 'encoder.layer.1.output.dense.weight' in '[temporary]/model.safetensors' does not fit the model's config.json: it is not in the file");
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

/// Both engines and the check of `plan` refuse it in the same words.
#[track_caller]
fn refused(model: &SmallModel, expected: &[&str]) {
    let message = refusal(model);
    let planned = check(model.path(), &TransformerOptions::default()).expect_err("the plan must refuse it too");
    assert_eq!(planned.to_string(), message);
    for part in expected {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

#[test]
fn settings_of_another_form_are_refused_in_every_small_file() {
    let length = "not a number of tokens from 1";
    for (file, value, expected) in [
        ("config.json", json!([]), "it holds a list, not an object of settings"),
        ("sentence_bert_config.json", json!([]), "it holds a list, not an object of settings"),
        ("sentence_bert_config.json", json!("18"), "it holds a text, not an object of settings"),
        ("sentence_bert_config.json", json!({"max_seq_length": "4"}), length),
        ("sentence_bert_config.json", json!({"max_seq_length": 4.5}), length),
        ("sentence_bert_config.json", json!({"max_seq_length": -1}), length),
        ("sentence_bert_config.json", json!({"max_seq_length": 0}), length),
        ("sentence_bert_config.json", json!({"max_seq_length": 18, "do_lower_case": "no"}), "not true or false"),
        ("1_Pooling/config.json", json!([]), "it holds a list, not an object of settings"),
        ("1_Pooling/config.json", json!({"pooling_mode_mean_tokens": "yes"}), "not true or false"),
        (
            "1_Pooling/config.json",
            json!({"pooling_mode_mean_tokens": true, "word_embedding_dimension": 768}),
            "'word_embedding_dimension' is 768, not 24, the dimensions of the model's tokens",
        ),
        ("config_sentence_transformers.json", json!([]), "it holds a list, not an object of settings"),
        ("config_sentence_transformers.json", json!({"default_prompt_name": 5}), "not the name of a prompt"),
        ("config_sentence_transformers.json", json!({"prompts": []}), "not an object of texts by name"),
    ] {
        let model = SmallModel::new("bert");
        model.write(file, &value);
        refused(&model, &[file, expected]);
    }
    let model = SmallModel::new("bert");
    model.write("sentence_bert_config.json", &json!({"max_seq_length": null}));
    model.write("tokenizer_config.json", &json!({"model_max_length": 1e30}));
    model.write("config_sentence_transformers.json", &json!({"prompts": {}, "default_prompt_name": null}));
    model.edit("1_Pooling/config.json", "word_embedding_dimension", json!(HIDDEN));
    assert!(open(model.path(), &TransformerOptions::default()).is_ok());
}

#[test]
fn what_decides_the_vectors_and_is_not_there_is_refused() {
    for key in ["is_decoder", "is_encoder_decoder", "add_cross_attention"] {
        let model = SmallModel::new("bert");
        model.edit("config.json", key, json!(true));
        refused(&model, &["config.json", key, "whose tokens all see one another"]);
        model.edit("config.json", key, json!(false));
        assert!(open(model.path(), &TransformerOptions::default()).is_ok());
    }
    let model = SmallModel::new("bert");
    model.write("modules.json", &json!([{"path": "", "type": "sentence_transformers.models.Transformer"}]));
    refused(&model, &["modules.json", "a Transformer without a Pooling", "set the option pooling"]);
    let pooled: TransformerOptions = serde_json::from_value(json!({"pooling": "mean"})).unwrap();
    assert!(open(model.path(), &pooled).is_ok());
}

#[test]
fn weights_of_a_type_that_is_not_read_are_refused_by_the_plan_too() {
    let model = SmallModel::new("bert");
    let (name, path) = ("encoder.layer.1.output.dense.weight", model.path().join("model.safetensors"));
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter().map(|(tensor, view)| {
        let kind = if tensor == name { Dtype::I32 } else { view.dtype() };
        (tensor, TensorView::new(kind, view.shape().to_vec(), view.data()).unwrap())
    });
    fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
    refused(&model, &[name, "its type is I32 instead of F32"]);
}
