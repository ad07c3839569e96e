//! Tiny random models of every family and layout, against what sentence-transformers and model2vec make of them.
//! `tests/python/encoders.py` writes the folders and the expected vectors.

use std::path::PathBuf;

use runner::ml::encoder::{TransformerOptions, open, open_on};
use runner::ml::progress::Silent;
use serde::Deserialize;
use serde_json::{Value, json};

use super::assert_close;

#[derive(Deserialize)]
struct Zoo {
    texts: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    folder: String,
    options: Value,
    vectors: Vec<Vec<f32>>,
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pretrained/encoder/zoo").join(name)
}

fn zoo() -> Zoo {
    serde_json::from_slice(&std::fs::read(folder("cases.json")).unwrap()).unwrap()
}

fn options(value: &Value) -> TransformerOptions {
    serde_json::from_value(value.clone()).unwrap()
}

fn refusal(name: &str, wanted: Value) -> String {
    open(&folder(name), &options(&wanted)).err().expect("refused").to_string()
}

#[test]
fn every_model_agrees_with_the_library_that_made_it() {
    let Zoo { texts, cases } = zoo();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert!(cases.len() > 20);
    for case in cases {
        let encoder = open(&folder(&case.folder), &options(&case.options)).unwrap();
        let rows = encoder.encode(&texts, 2, &Silent).unwrap();
        for (i, expected) in case.vectors.iter().enumerate() {
            println!("{} {} text {i}", case.folder, case.options);
            // Whole numbers up to 127 have five digits in single precision where others have seven.
            let scale = if case.folder == "model2vec-int8" { 10.0 } else { 1.0 };
            assert_eq!(rows.row(i).len(), expected.len());
            assert_close(rows.row(i), expected, scale * 3e-6);
        }
    }
}

/// The engine of other devices goes through the same head, prompts and tokens.
#[test]
fn candle_engine_agrees_too() {
    let Zoo { texts, cases } = zoo();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    // candle has neither MPNet nor DistilBERT's exact gelu.
    for case in cases.iter().filter(|case| !["mpnet", "distilbert"].contains(&case.folder.as_str())) {
        let encoder = open_on(&folder(&case.folder), &options(&case.options), &candle_core::Device::Cpu).unwrap();
        let rows = encoder.encode(&texts, 2, &Silent).unwrap();
        for (i, expected) in case.vectors.iter().enumerate() {
            println!("{} {} text {i}", case.folder, case.options);
            assert_close(rows.row(i), expected, 3e-5);
        }
    }
}

#[test]
fn options_that_a_model_cannot_follow_are_refused() {
    for (name, wanted, expected) in [
        ("bert", json!({"dimensions": 9}), "dimensions: 9 is not between 1 and the model's 8"),
        ("bert", json!({"dimensions": 0}), "dimensions: 0 is not between"),
        ("distilbert", json!({"dimensions": 7}), "dimensions: 7 is not between 1 and the model's 6"),
        ("xlm-roberta", json!({"prompt": "topic"}), "prompt: 'topic' is none of the model's prompts"),
        (
            "model2vec",
            json!({"prompt": "query"}),
            "prompt: 'query': the model names no prompts; give its text as `prefix`",
        ),
        ("bert", json!({"prompt": "query", "prefix": "a"}), "prompt: 'query' beside a prefix"),
        ("static", json!({"pooling": "max"}), "pooling: static embeddings have no other than the mean"),
    ] {
        let message = refusal(name, wanted);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_recipe_tells_what_decides_the_vectors() {
    let recipe = |name: &str, wanted: Value| json!(open(&folder(name), &options(&wanted)).unwrap().recipe());
    let prompted = recipe("xlm-roberta", json!({}));
    assert_eq!((&prompted["prefix"], &prompted["normalize"]), (&json!("passage: "), &json!(true)));
    assert_eq!(recipe("xlm-roberta", json!({"prefix": ""})).get("prefix"), None);
    assert_eq!(recipe("distilbert", json!({}))["pooling"], json!(["cls", "weighted", "max"]));
    let cut = recipe("mpnet", json!({"dimensions": 3}));
    assert_eq!((&cut["dimensions"], &cut["normalize"]), (&json!(3), &json!(true)));
    assert_eq!(recipe("static", json!({}))["max_length"], Value::Null);
}
