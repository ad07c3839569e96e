//! Kinds of transformers that run through candle-transformers, against what sentence-transformers makes of them.
//! `tests/python/candle_encoders.py` writes the models without their weights, and the expected vectors.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use candle_core::Device;
use proptest::prelude::*;
use runner::ml::encoder::{EncodeError, TransformerOptions, check, open, open_on, trainable_layers};
use runner::ml::matrix::Matrix;
use runner::ml::progress::Silent;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Recorder, assert_close};
use crate::screen::stable;
use crate::small_model::SmallModel;

#[derive(Deserialize)]
struct Models {
    texts: Vec<String>,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    files: BTreeMap<String, Value>,
    /// The shapes of each file's.
    tensors: BTreeMap<String, Shapes>,
    cases: Vec<Case>,
}

type Shapes = BTreeMap<String, Vec<usize>>;

#[derive(Deserialize)]
struct Case {
    options: TransformerOptions,
    vectors: Vec<Vec<f32>>,
}

const WEIGHTS: &str = "model.safetensors";

fn models() -> Models {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pretrained/encoder/candle.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn model(name: &str) -> Model {
    models().models.into_iter().find(|model| model.name == name).unwrap()
}

impl Model {
    fn folder(&self) -> SmallModel {
        SmallModel::of_files(&self.files, &self.tensors)
    }

    fn shapes(&self) -> Shapes {
        self.tensors[WEIGHTS].clone()
    }

    /// The same model as the library that made it saves it with a head, under this prefix.
    fn with_prefix(&self, prefix: &str) -> SmallModel {
        let folder = self.folder();
        let path = folder.path().join(WEIGHTS);
        let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let tensors = tensors.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect();
        candle_core::safetensors::save(&tensors, path).unwrap();
        folder
    }

    fn assert_agrees(&self, folder: &SmallModel) {
        let texts = models().texts;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        check(folder.path(), &TransformerOptions::default()).unwrap();
        for case in &self.cases {
            let rows = open(folder.path(), &case.options).unwrap().encode(&texts, 2, &Silent).unwrap();
            for (i, expected) in case.vectors.iter().enumerate() {
                println!("{} {:?} text {i}", self.name, case.options);
                assert_eq!(rows.row(i).len(), expected.len());
                assert_close(rows.row(i), expected, 3e-5);
            }
        }
    }
}

#[test]
fn every_kind_agrees_with_the_library_that_made_it() {
    for model in models().models {
        model.assert_agrees(&model.folder());
    }
}

fn encode(folder: &SmallModel, texts: &[&str]) -> Matrix {
    open(folder.path(), &TransformerOptions::default()).unwrap().encode(texts, 2, &Silent).unwrap()
}

fn refusal(folder: &SmallModel) -> String {
    let options = TransformerOptions::default();
    let opened = open(folder.path(), &options).err().expect("refused").to_string();
    assert_eq!(check(folder.path(), &options).expect_err("the plan must refuse it too").to_string(), opened);
    opened
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Texts of other lengths beside a text, and the order of all, leave its vector as it is.
    #[test]
    fn a_text_in_company_has_the_vector_that_it_has_alone(
        words in prop::collection::vec(prop::collection::vec(4..40usize, 0..80), 1..12),
        batch_tokens in 1..400usize,
    ) {
        let texts: Vec<String> = words
            .iter()
            .map(|words| words.iter().map(|word| format!("w{word} ")).collect())
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for model in models().models {
            let folder = model.folder();
            let options = TransformerOptions { batch_tokens: Some(batch_tokens), ..Default::default() };
            let encoder = open(folder.path(), &options).unwrap();
            let together = encoder.encode(&texts, 2, &Silent).unwrap();
            for (i, text) in texts.iter().enumerate() {
                let alone = encoder.encode(&[text], 1, &Silent).unwrap();
                for (a, b) in together.row(i).iter().zip(alone.row(0)) {
                    prop_assert!((a - b).abs() <= 1e-5, "{} text {i}: {a} in company, {b} alone", model.name);
                }
            }
        }
    }
}

#[test]
fn tensors_that_are_not_finite_are_refused_by_name() {
    for model in models().models {
        for (i, (name, dims)) in model.shapes().into_iter().enumerate() {
            let folder = model.folder();
            let path = folder.path().join(WEIGHTS);
            let mut bytes = fs::read(&path).unwrap();
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let start = file.tensor(&name).unwrap().data().as_ptr() as usize - bytes.as_ptr() as usize;
            let (at, value) = [(0, f32::NAN), (dims.iter().product::<usize>() - 1, f32::NEG_INFINITY)][i % 2];
            bytes[start + 4 * at..][..4].copy_from_slice(&value.to_le_bytes());
            fs::write(&path, bytes).unwrap();
            let error = open(folder.path(), &TransformerOptions::default()).err().expect(&name);
            assert!(matches!(&error, EncodeError::NotFinite { name: told, .. } if *told == name), "{error}");
        }
    }
}

#[test]
fn tensors_that_are_missing_of_another_shape_or_left_over_are_named() {
    for model in models().models {
        for (name, dims) in model.shapes() {
            let changed = |dims: Option<Vec<usize>>| {
                let (folder, mut shapes) = (model.folder(), model.shapes());
                shapes.remove(&name);
                shapes.extend(dims.map(|dims| (name.clone(), dims)));
                folder.write_weights(&shapes);
                refusal(&folder)
            };
            let message = changed(None);
            assert!(message.contains(&name) && message.contains("it is not in the file"), "{name}: {message}");
            let mut wider = dims.clone();
            wider[0] += 1;
            let message = changed(Some(wider.clone()));
            let reason = format!("its shape is {wider:?} instead of {dims:?}");
            assert!(message.contains(&name) && message.contains(&reason), "{name}: {message}");
        }
        // Of each layer's tensors one more, as a file of more layers or of a variant has.
        let (folder, mut shapes) = (model.folder(), model.shapes());
        let last = shapes.keys().filter(|name| name.contains("layer")).next_back().unwrap().clone();
        let extra = last.replace(".weight", ".bias_of_a_variant");
        shapes.insert(extra.clone(), vec![3]);
        folder.write_weights(&shapes);
        let message = refusal(&folder);
        assert!(message.contains(&extra) && message.contains("has no such tensor"), "{message}");
        // A head beside the encoder is none of its tensors.
        shapes.remove(&extra);
        shapes.insert("classifier.weight".to_owned(), vec![2, 3]);
        folder.write_weights(&shapes);
        check(folder.path(), &TransformerOptions::default()).unwrap();
    }
}

#[test]
fn a_file_saved_with_a_head_has_a_prefix_before_every_name() {
    for model in models().models {
        let (plain, prefixed) = (model.folder(), model.with_prefix("model."));
        assert_eq!(encode(&plain, &["w4 w9 w30"]), encode(&prefixed, &["w4 w9 w30"]), "{}", model.name);
        check(prefixed.path(), &TransformerOptions::default()).unwrap();
    }
}

#[test]
fn what_only_the_packed_engine_can_do_is_refused() {
    let folder = model("modernbert").folder();
    let lower: TransformerOptions = serde_json::from_value(json!({"precision": "int8"})).unwrap();
    let error = open(folder.path(), &lower).err().unwrap().to_string();
    assert_eq!(check(folder.path(), &lower).unwrap_err().to_string(), error);
    insta::assert_snapshot!(error, @"encoder option precision: this encoder (modernbert) runs through candle-transformers, which computes in f32 alone; leave it out");
    let reason = trainable_layers(folder.path(), &TransformerOptions::default()).unwrap().unwrap_err();
    insta::assert_snapshot!(reason, @"layers of model_type 'modernbert' cannot be adapted; those of BERT, RoBERTa, XLM-RoBERTa and DistilBERT can");
    // On a device it is the same engine.
    let device = open_on(folder.path(), &TransformerOptions::default(), &Device::Cpu).unwrap();
    assert_eq!(device.encode(&["w4 w9"], 1, &Silent).unwrap(), encode(&folder, &["w4 w9"]));
    let recipe = json!(device.recipe());
    assert_eq!(
        (&recipe["engine"], &recipe["pooling"], &recipe["max_length"]),
        (&json!("candle"), &json!("mean"), &json!(60))
    );
}

#[test]
fn a_long_computation_stops_when_asked() {
    let folder = model("modernbert").folder();
    let encoder = open(folder.path(), &TransformerOptions::default()).unwrap();
    for looks in [0, 1, 2] {
        let outcome = encoder.encode(&["w4 w5", "w6", "w7 w8 w9"], 1, &Recorder::stopping_after(looks));
        assert!(matches!(outcome, Err(EncodeError::Cancelled(_))), "after {looks} looks");
    }
}

#[test]
fn unknown_kinds_are_told_the_known_ones() {
    let folder = model("modernbert").folder();
    folder.edit("config.json", "model_type", json!("gemma3_text"));
    insta::assert_snapshot!(stable(&refusal(&folder)), @"encoder file '[temporary]/config.json' is not supported: model_type 'gemma3_text'; supported are bert, roberta, xlm-roberta, camembert, distilbert, mpnet, modernbert");
}

/// Each change of a setting, with what is said of it.
#[track_caller]
fn changes_are_refused(name: &str, changes: &[(&str, Value, &str)]) {
    for (key, value, expected) in changes {
        let folder = model(name).folder();
        folder.edit("config.json", key, value.clone());
        let message = refusal(&folder);
        assert!(message.contains(expected) && message.contains("config.json"), "{key}: {message}");
    }
}

#[test]
fn modernbert_of_older_files_and_of_variants() {
    let model = model("modernbert");
    let folder = model.with_prefix("model.");
    for (key, value) in [
        ("layer_types", Value::Null),
        ("rope_parameters", Value::Null),
        ("norm_eps", Value::Null),
        ("layer_norm_eps", json!(1e-5)),
        ("global_attn_every_n_layers", json!(3)),
        ("global_rope_theta", json!(160000.0)),
        ("local_rope_theta", json!(10000.0)),
    ] {
        folder.edit("config.json", key, value);
    }
    model.assert_agrees(&folder);
    let linear = json!({"full_attention": {"rope_theta": 160000.0, "rope_type": "linear", "factor": 2.0}});
    changes_are_refused(
        "modernbert",
        &[
            ("attention_bias", json!(true), "attention_bias true; supported is false"),
            ("norm_bias", json!(true), "norm_bias true; supported is false"),
            ("hidden_activation", json!("relu"), "hidden_activation \"relu\"; supported is \"gelu\""),
            ("num_attention_heads", json!(3), "16 dimensions cannot be shared by 3 heads"),
            ("num_attention_heads", json!(16), "heads of 1 dimensions cannot have rotary positions"),
            ("num_hidden_layers", json!(6), "layer_types other than full_attention for every nth of 6 layers"),
            ("rope_parameters", linear, "rope_type \"linear\"; supported is \"default\""),
            ("rope_parameters", Value::Null, "'global_rope_theta' is null"),
            ("local_attention", json!(0), "'local_attention' is 0"),
        ],
    );
}
