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
use runner::ml::rng::Stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Recorder, assert_close};
use crate::records::{headline, measured};
use crate::screen::stable;
use crate::small_model::SmallModel;
use crate::workspace::Workspace;

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

    /// Texts of other lengths beside a text, and the order of all, leave its vector as it is, to the bit: so that it can be kept.
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
            prop_assert!(encoder.is_exact());
            let together = encoder.encode(&texts, 2, &Silent).unwrap();
            for (i, text) in texts.iter().enumerate() {
                let alone = encoder.encode(&[text], 1, &Silent).unwrap();
                prop_assert_eq!(together.row(i), alone.row(0), "{} text {}", &model.name, i);
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
            // T5's table of words may have either name.
            let told = if name == "shared.weight" { "encoder.embed_tokens.weight" } else { name.as_str() };
            assert!(message.contains(told) && message.contains("it is not in the file"), "{name}: {message}");
            let mut wider = dims.clone();
            wider[0] += 1;
            let message = changed(Some(wider.clone()));
            let reason = format!("its shape is {wider:?} instead of {dims:?}");
            assert!(message.contains(&name) && message.contains(&reason), "{name}: {message}");
        }
        // Of each layer's tensors one more, as a file of more layers or of a variant has.
        let (folder, mut shapes) = (model.folder(), model.shapes());
        let last = shapes.keys().rfind(|name| name.contains("layer")).unwrap().clone();
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
    // In the midst of one text that takes the network a second: nobody looks any more once it is done.
    let folder = model("t5").folder();
    let long = TransformerOptions { max_length: Some(2500), ..Default::default() };
    let text = "w4 w9 ".repeat(1250);
    let outcome = open(folder.path(), &long).unwrap().encode(&[&text], 1, &Recorder::stopping_after(5));
    assert!(matches!(outcome, Err(EncodeError::Cancelled(_))));
}

#[test]
fn unknown_kinds_are_told_the_known_ones() {
    let folder = model("modernbert").folder();
    folder.edit("config.json", "model_type", json!("gemma3_text"));
    insta::assert_snapshot!(stable(&refusal(&folder)), @"encoder file '[temporary]/config.json' is not supported: model_type 'gemma3_text'; supported are bert, roberta, xlm-roberta, camembert, distilbert, mpnet, modernbert, nomic_bert, t5, deberta-v2, qwen3, bert with alibi (Jina 2)");
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

/// The expected vectors would show it if one of these were not heeded.
#[test]
fn settings_decide_the_vectors() {
    let rope = |theta: f64| json!({"rope_theta": theta, "rope_type": "default"});
    for (name, key, value) in [
        ("modernbert", "local_attention", json!(8)),
        ("modernbert", "norm_eps", json!(1e-2)),
        (
            "modernbert",
            "rope_parameters",
            json!({"full_attention": rope(160000.0), "sliding_attention": rope(20000.0)}),
        ),
        ("modernbert", "rope_parameters", json!({"full_attention": rope(100.0), "sliding_attention": rope(10000.0)})),
        ("nomic_bert", "rope_parameters", rope(20.0)),
        ("t5", "relative_attention_max_distance", json!(128)),
        ("t5-gated", "layer_norm_epsilon", json!(1e-2)),
        ("deberta-v2", "max_relative_positions", json!(40)),
        ("qwen3", "rope_parameters", rope(5000.0)),
        ("jina", "layer_norm_eps", json!(1e-2)),
    ] {
        let model = model(name);
        let folder = model.folder();
        folder.edit("config.json", key, value.clone());
        let texts = models().texts;
        let rows = encode(&folder, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        let expected = &model.cases[0].vectors;
        let differ = |i: usize| rows.row(i).iter().zip(&expected[i]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let most = (0..texts.len()).map(differ).fold(0.0, f32::max);
        assert!(most > 1e-3, "{name} {key} {value}: {most}");
    }
}

#[test]
fn nomic_of_the_hub_and_of_variants() {
    let model = model("nomic_bert");
    let folder = model.folder();
    // As nomic-embed-text-v1.5 has it.
    folder.write(
        "config.json",
        &json!({
            "activation_function": "swiglu", "architectures": ["NomicBertModel"], "causal": false, "layer_norm_epsilon": 1e-12,
            "max_trained_positions": 2048, "mlp_fc1_bias": false, "mlp_fc2_bias": false, "model_type": "nomic_bert", "n_embd": 16,
            "n_head": 2, "n_inner": 20, "n_layer": 2, "n_positions": 64, "pad_vocab_size_multiple": 64, "parallel_block": false,
            "prenorm": false, "qkv_proj_bias": false, "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0,
            "rotary_emb_interleaved": false, "rotary_emb_scale_base": null, "rotary_scaling_factor": null,
            "scale_attn_by_inverse_layer_idx": false, "scale_attn_weights": true, "type_vocab_size": 2, "use_flash_attn": true,
            "use_rms_norm": false, "use_xentropy": true, "vocab_size": 40,
        }),
    );
    model.assert_agrees(&folder);
    changes_are_refused(
        "nomic_bert",
        &[
            ("num_experts", json!(8), "num_experts 8; supported is 0"),
            ("rotary_scaling_factor", json!(2), "rotary_scaling_factor 2; supported is null"),
            ("rotary_emb_fraction", json!(0.5), "rotary_emb_fraction 0.5; supported is 1"),
            ("qkv_proj_bias", json!(true), "qkv_proj_bias true; supported is false"),
            ("hidden_act", json!("gelu"), "hidden_act \"gelu\"; supported is \"silu\""),
            ("head_dim", json!(4), "head_dim 4; supported is 8"),
            ("rope_parameters", json!({"rope_theta": 0.0}), "'rope_theta' is 0.0, not a number of 1 to"),
        ],
    );
}

#[test]
fn t5_of_other_files_and_of_variants() {
    let model = model("t5");
    let folder = model.folder();
    let mut shapes = model.shapes();
    // A table of words that is there twice, and a decoder, are nothing to the encoder; a formula by number would change with them.
    let path = folder.path().join(WEIGHTS);
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let words = tensors["shared.weight"].clone();
    tensors.insert("encoder.embed_tokens.weight".to_owned(), words.copy().unwrap());
    tensors.insert("decoder.block.0.layer.0.SelfAttention.k.weight".to_owned(), words.copy().unwrap());
    candle_core::safetensors::save(&tensors, &path).unwrap();
    model.assert_agrees(&folder);
    tensors.remove("shared.weight");
    candle_core::safetensors::save(&tensors, &path).unwrap();
    model.assert_agrees(&folder);
    // No text is too long for it, but 512 tokens are usual.
    let length = |options: Value| {
        let options: TransformerOptions = serde_json::from_value(options).unwrap();
        open(folder.path(), &options).map(|encoder| json!(encoder.recipe())["max_length"].clone())
    };
    assert_eq!(length(json!({"max_length": 5000})).unwrap(), json!(5000));
    fs::remove_file(folder.path().join("tokenizer_config.json")).unwrap();
    assert_eq!(length(json!({})).unwrap(), json!(512));
    let error = length(json!({"max_length": 70_000})).unwrap_err().to_string();
    assert!(error.contains("max_length: 70000 is more than the model's 65536 positions"), "{error}");
    shapes.remove("shared.weight");
    folder.write_weights(&shapes);
    assert!(refusal(&folder).contains("encoder.embed_tokens.weight"));
    changes_are_refused(
        "t5",
        &[
            (
                "feed_forward_proj",
                json!("gated-silu"),
                "feed_forward_proj \"gated-silu\"; supported is \"relu\", \"gated-gelu\"",
            ),
            ("dense_act_fn", json!("gelu"), "dense_act_fn \"gelu\"; supported is \"relu\""),
            ("is_decoder", json!(true), "is_decoder true; supported is false"),
            ("relative_attention_num_buckets", json!(30), "30 buckets for positions up to 60 apart"),
            ("relative_attention_max_distance", json!(8), "32 buckets for positions up to 8 apart"),
        ],
    );
}

#[test]
fn deberta_of_older_files_and_of_variants() {
    for name in ["deberta-v2", "deberta-v2-unshared"] {
        let model = model(name);
        let folder = model.with_prefix("deberta.");
        folder.edit("config.json", "pos_att_type", json!("p2c|c2p"));
        model.assert_agrees(&folder);
    }
    changes_are_refused(
        "deberta-v2",
        &[
            ("model_type", json!("deberta"), "model_type 'deberta'; supported are"),
            ("conv_kernel_size", json!(3), "conv_kernel_size 3; supported is 0"),
            ("pos_att_type", json!(["c2p"]), "pos_att_type [\"c2p\"]; supported is [\"p2c\", \"c2p\"]"),
            ("relative_attention", Value::Null, "relative_attention false; supported is true"),
            ("embedding_size", json!(8), "embedding_size 8; supported is 16"),
            ("position_buckets", json!("8"), "'position_buckets' is \"8\", not a number of positions, or -1"),
            ("hidden_act", json!("relu"), "hidden_act \"relu\"; supported is \"gelu\""),
        ],
    );
}

#[test]
fn qwen3_of_older_files_and_of_variants() {
    let model = model("qwen3");
    let folder = model.with_prefix("model.");
    for (key, value) in [("rope_parameters", Value::Null), ("rope_theta", json!(10000)), ("layer_types", Value::Null)] {
        folder.edit("config.json", key, value);
    }
    model.assert_agrees(&folder);
    // The same text again: what it has seen is not carried over.
    let encoder = open(folder.path(), &TransformerOptions::default()).unwrap();
    let first = encoder.encode(&["w4 w5 w6"], 1, &Silent).unwrap();
    assert_eq!(encoder.encode(&["w4 w5 w6"], 1, &Silent).unwrap(), first);
    changes_are_refused(
        "qwen3",
        &[
            ("attention_bias", json!(true), "attention_bias true; supported is false"),
            ("use_sliding_window", json!(true), "use_sliding_window true; supported is false"),
            ("rope_scaling", json!({"type": "yarn", "factor": 4.0}), "rope_scaling {"),
            ("layer_types", json!(["full_attention", "sliding_attention"]), "layer_types ["),
            ("num_key_value_heads", json!(3), "4 heads cannot share 3 keys and values"),
            ("head_dim", json!(7), "heads of 7 dimensions cannot have rotary positions"),
            ("head_dim", json!(99_999_998), "64 rotary positions of 99999998 dimensions are too many"),
        ],
    );
}

#[test]
fn variants_of_jina_are_refused() {
    changes_are_refused(
        "jina",
        &[
            ("feed_forward_type", json!("reglu"), "feed_forward_type \"reglu\" with alibi; supported is \"geglu\""),
            ("feed_forward_type", Value::Null, "feed_forward_type null with alibi; supported is \"geglu\""),
            ("is_decoder", json!(true), "is_decoder true; supported is false"),
            ("num_attention_heads", json!(5), "12 dimensions cannot be shared by 5 heads"),
        ],
    );
}

/// Whatever bytes a file holds, opening it and encoding with it end with vectors or an error.
#[test]
fn no_damage_panics_or_fills_the_memory() {
    for model in models().models {
        for name in ["config.json", WEIGHTS] {
            let folder = model.folder();
            let path = folder.path().join(name);
            let bytes = fs::read(&path).unwrap();
            // The header of a safetensors file is where damage is not just another number.
            let fragile = bytes.len().min(2000);
            for i in 0..150 {
                let mut draw = Stream::new(i, &model.name, 0);
                let mut damaged = bytes.clone();
                for _ in 0..1 + draw.below(3) {
                    let at = draw.below(fragile);
                    damaged[at] = b"0918\"{}[],-"[draw.below(11)];
                }
                fs::write(&path, damaged).unwrap();
                let checked = check(folder.path(), &TransformerOptions::default()).is_ok();
                if let Ok(encoder) = open(folder.path(), &TransformerOptions::default()) {
                    assert!(checked, "{}: the plan refuses what a run takes", model.name);
                    let _ = encoder.encode(&["w4 w5 w39", "", "w7 x"], 1, &Silent);
                }
            }
        }
    }
}

#[test]
fn a_run_says_that_it_is_slow_and_computes_each_text_once() {
    let work = Workspace::with_songs().pipeline(
        "name: study\nseed: 1\nstages:\n  songs: {kind: load, files: {all: songs.csv}, label: genre}\n  \
         vectors:\n    kind: embed\n    rows: songs\n    columns: [title]\n    encoder: ./encoder\n    transformer: {prompt: query}\n",
    );
    let model = model("qwen3");
    for (name, file) in &model.files {
        work.write(&format!("encoder/{name}"), file.to_string().as_bytes());
    }
    let weights = fs::read(model.folder().path().join(WEIGHTS)).unwrap();
    work.write("encoder/model.safetensors", &weights);
    work.run().ran(&["songs", "vectors"]);
    let said = headline(&work, "vectors");
    assert!(said.contains(", through candle-transformers at ") && said.ends_with(" tokens/s"), "{said}");
    assert!(measured(&work, "vectors")["tokens_per_second"] > 0.0);
    // Rows are kept by text, as those of the packed engine are.
    work.edit("songs.csv", "\"road, song", "\"road road road, song");
    work.run().ran(&["songs", "vectors"]);
    let said = headline(&work, "vectors");
    assert!(said.contains(" of them new, through candle-transformers at "), "{said}");
    work.edit("pipeline.yaml", "prompt: query", "precision: bf16");
    let refused = work.command(&["plan", "pipeline.yaml"]).output().unwrap();
    insta::assert_snapshot!(stable(&String::from_utf8_lossy(&refused.stderr)), @"
    error: transformer.precision: this encoder (qwen3) runs through candle-transformers, which computes in f32 alone; leave it out
      --> pipeline.yaml:10:30
       |
    10 |     transformer: {precision: bf16}
       |                              ^^^^
    ");
}
