//! The transformer encoder against PyTorch, against candle-transformers and against itself.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use runner::ml::encoder::{EncodeError, Pooling, Precision, TransformerOptions, open, open_on};
use runner::ml::matrix::Matrix;
use runner::ml::progress::Silent;
use serde_json::json;

use super::{Recorder, assert_close};
use crate::small_model::{HIDDEN, SmallModel};

const TEXT: &str = "w7 w30 w8 w19 w4 w25 w11 w5 w6 w39 w9 w21 w13 w4 w4 w17";

fn encode(model: &SmallModel, options: &TransformerOptions, texts: &[&str]) -> Matrix {
    open(model.path(), options).unwrap().encode(texts, 1, &Silent).unwrap()
}

// import torch, transformers as t
// common = dict(vocab_size=40, max_position_embeddings=20)
// shape = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40)
// models = {
//     "bert": (t.BertModel, t.BertConfig(**common, **shape, hidden_act="gelu_new")),
//     "xlm-roberta": (t.XLMRobertaModel, t.XLMRobertaConfig(**common, **shape, pad_token_id=1, layer_norm_eps=1e-5)),
//     "distilbert": (t.DistilBertModel, t.DistilBertConfig(**common, dim=24, n_layers=2, n_heads=3, hidden_dim=40)),
//     "mpnet": (t.MPNetModel, t.MPNetConfig(**common, **shape)),
// }
// for name, (kind, config) in models.items():
//     model = kind(config, **({} if name == "distilbert" else {"add_pooling_layer": False})).eval()
//     state = {k: v for k, v in model.state_dict().items() if not k.endswith("position_ids")}
//     for i, key in enumerate(sorted(state)):
//         j = torch.arange(state[key].numel(), dtype=torch.int64)
//         value = ((j * 7919 + (i + 1) * 104729) % 1009).double() / 1009 - 0.5
//         if "orm.weight" in key: value = value + 1
//         state[key] = value.float().reshape(state[key].shape)
//     model.load_state_dict(state, strict=False)
//     ids = torch.tensor([[2, 7, 30, 8, 19, 4, 25, 11, 5, 6, 39, 9, 21, 13, 4, 4, 17, 3]])
//     with torch.no_grad(): hidden = model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
//     print(name, [round(x, 5) for x in hidden.mean(0)[:6].tolist()])
#[test]
fn each_family_agrees_with_pytorch() {
    let expected: [(&str, [f32; 6]); 4] = [
        ("bert", [2.59528, 0.1165, -1.13656, 0.5678, -1.06817, -0.0555]),
        ("xlm-roberta", [2.44219, 0.04043, -1.13321, 0.34299, -0.93574, 0.12805]),
        ("distilbert", [0.21853, 0.14966, 0.51027, 0.28815, -0.29167, 0.17293]),
        ("mpnet", [0.13636, 1.79587, 0.14116, -0.94256, 0.55827, -1.6376]),
    ];
    for (kind, expected) in expected {
        let model = SmallModel::new(kind);
        let rows = encode(&model, &TransformerOptions::default(), &[TEXT]);
        println!("{kind}");
        assert_close(rows.row(0), &expected, 3e-5);
    }
}

/// Some 200 texts of 0 to 40 words (16 fit), several of them twice.
fn many_texts() -> Vec<String> {
    (0..200usize).map(|i| (0..i % 41).map(|j| format!("w{} ", 4 + (i * 7 + j * j) % 36)).collect()).collect()
}

#[test]
fn packed_and_candle_engines_agree() {
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for kind in ["bert", "xlm-roberta"] {
        let model = SmallModel::new(kind);
        // candle's BERT has no 'gelu_new'.
        model.edit("config.json", "hidden_act", json!("gelu"));
        for pooling in [Pooling::Mean, Pooling::Cls, Pooling::Max] {
            let options = TransformerOptions { pooling: Some(pooling), ..Default::default() };
            let packed = encode(&model, &options, &texts);
            let candle = open_on(model.path(), &options, &Device::Cpu).unwrap();
            let candle = candle.encode(&texts, 2, &Silent).unwrap();
            for i in 0..texts.len() {
                let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
                let (a, b) = (packed.row(i), candle.row(i));
                let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
                assert!(cosine > 0.999_999, "{kind} {pooling:?} text {i}: {cosine}");
            }
        }
    }
}

#[test]
fn vectors_depend_on_nothing_but_their_text() {
    let model = SmallModel::new("bert");
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for pooling in [Pooling::Mean, Pooling::Cls] {
        let options = TransformerOptions { pooling: Some(pooling), ..Default::default() };
        let all = encode(&model, &options, &texts);
        let few = TransformerOptions { batch_tokens: Some(20), ..options.clone() };
        let encoder = open(model.path(), &few).unwrap();
        assert_eq!(encoder.encode(&texts, 3, &Silent).unwrap(), all, "threads and batches");
        for i in [0, 1, 5, 40, 199] {
            assert_eq!(encoder.encode(&texts[i..=i], 1, &Silent).unwrap().row(0), all.row(i), "alone");
        }
    }
}

/// What a memo of rows rests on: another run meets a text in other company.
#[test]
fn rows_are_handed_out_one_by_one_and_have_the_same_bits_in_any_company() {
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).chain(["W7", "w7 ", "", "w7"]).collect();
    for kind in ["bert", "xlm-roberta", "distilbert", "mpnet"] {
        let model = SmallModel::new(kind);
        let encoder = open(model.path(), &TransformerOptions::default()).unwrap();
        assert!(encoder.is_exact());
        let all = encoder.encode(&texts, 2, &Silent).unwrap();
        for step in [1, 3, 7, 50] {
            // Every so-manieth text, from the end: other neighbours, other batches.
            let some: Vec<usize> = (0..texts.len()).rev().step_by(step).collect();
            let company: Vec<&str> = some.iter().map(|&i| texts[i]).collect();
            let mut handed: Vec<Option<Vec<f32>>> = vec![None; some.len()];
            let mut ready = |i: usize, row: &[f32]| assert!(handed[i].replace(row.to_vec()).is_none(), "row {i} twice");
            let rows = encoder.encode_by_row(&company, 2, &Silent, &mut ready).unwrap();
            for (i, &text) in some.iter().enumerate() {
                assert_eq!(rows.row(i), all.row(text), "{kind}, every {step}th, text {text}");
                assert_eq!(handed[i].as_deref(), Some(rows.row(i)), "{kind}, every {step}th, text {text}");
            }
        }
    }
    // candle's products may differ in the last bits with the size of a batch, so that on a CPU each text is computed alone.
    let model = SmallModel::new("xlm-roberta");
    let candle = open_on(model.path(), &TransformerOptions::default(), &Device::Cpu).unwrap();
    assert!(candle.is_exact());
    let (all, alone) = (candle.encode(&texts, 2, &Silent).unwrap(), candle.encode(&texts[40..41], 1, &Silent).unwrap());
    assert_eq!(all.row(40), alone.row(0));
}

#[test]
fn long_texts_are_cut_and_reported() {
    let model = SmallModel::new("bert");
    let encoder = open(model.path(), &TransformerOptions::default()).unwrap();
    let long = format!("{TEXT} {}", "w9 ".repeat(100_000));
    let progress = Recorder::stopping_after(usize::MAX);
    let rows = encoder.encode(&[&long, TEXT, TEXT, "w7 W7", "W7  w7"], 2, &progress).unwrap();
    assert_eq!((rows.row(0), rows.row(3)), (rows.row(1), rows.row(4)));
    assert_eq!(*progress.warnings.lock().unwrap(), ["1 of 4 distinct texts are longer than 18 tokens and were cut"]);
    // Two distinct sequences were left.
    assert_eq!(progress.updates.lock().unwrap().last(), Some(&(2, 2)));
    let short = TransformerOptions { max_length: Some(4), ..Default::default() };
    let rows = encode(&model, &short, &["w4 w5 w6 w7", "w4 w5"]);
    assert_eq!(rows.row(0), rows.row(1));
}

#[test]
fn odd_texts_have_finite_vectors() {
    let model = SmallModel::new("bert");
    let texts = ["", "   ", "🎵🎶", "\u{0}\u{feff}", "unknown", "w4\n\nw5\r"];
    let rows = encode(&model, &TransformerOptions::default(), &texts);
    assert_eq!((rows.rows, rows.cols), (6, HIDDEN));
    assert!(rows.data.iter().all(|x| x.is_finite()) && rows.data.iter().any(|x| *x != 0.0));
    assert_eq!(rows.row(0), rows.row(1));
    let none = encode(&model, &TransformerOptions::default(), &[]);
    assert_eq!((none.rows, none.cols, none.data.len()), (0, HIDDEN, 0));
}

#[test]
fn half_precision_files_are_widened() {
    let model = SmallModel::new("xlm-roberta");
    let path = model.path().join("model.safetensors");
    let full = encode(&model, &TransformerOptions::default(), &[TEXT]);
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    for (kind, tolerance) in [(DType::F16, 5e-3), (DType::BF16, 4e-2)] {
        let half: HashMap<String, Tensor> =
            tensors.iter().map(|(name, tensor)| (name.clone(), tensor.to_dtype(kind).unwrap())).collect();
        candle_core::safetensors::save(&half, &path).unwrap();
        let rows = encode(&model, &TransformerOptions::default(), &[TEXT]);
        assert_ne!(rows, full);
        assert_close(rows.row(0), full.row(0), tolerance);
        let candle = open_on(model.path(), &TransformerOptions::default(), &Device::Cpu).unwrap();
        assert_close(rows.row(0), candle.encode(&[TEXT], 1, &Silent).unwrap().row(0), 1e-5);
    }
}

#[test]
fn files_and_options_decide_pooling_and_length() {
    let model = SmallModel::new("bert");
    let recipe = |options| json!(open(model.path(), &options).unwrap().recipe());
    let standard = json!({
        "kind": "transformer", "version": 2, "engine": "packed", "pooling": "mean", "normalize": false,
        "max_length": 18, "lowercase": false,
    });
    // As a text: rows are kept under it.
    assert_eq!(recipe(TransformerOptions::default()).to_string(), standard.to_string());

    model.write("1_Pooling/config.json", &json!({"pooling_mode": "max"}));
    let mut modules = json!([
        {"path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]);
    model.write("modules.json", &modules);
    model.write("sentence_bert_config.json", &json!({"max_seq_length": 512, "do_lower_case": true}));
    let changed = recipe(TransformerOptions::default());
    assert_eq!((&changed["pooling"], &changed["normalize"]), (&json!("max"), &json!(true)));
    assert_eq!((&changed["max_length"], &changed["lowercase"]), (&json!(20), &json!(true)));
    let row = encode(&model, &TransformerOptions::default(), &[TEXT]);
    assert!((row.data.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6);

    let options: TransformerOptions =
        serde_json::from_value(json!({"pooling": "cls", "normalize": false, "max_length": 9})).unwrap();
    let overruled = recipe(options);
    assert_eq!((&overruled["pooling"], &overruled["normalize"]), (&json!("cls"), &json!(false)));
    assert_eq!(overruled["max_length"], json!(9));
    assert!(serde_json::from_value::<TransformerOptions>(json!({"poling": "cls"})).is_err());

    for (kind, expected) in [
        ("LSTM", "module 'sentence_transformers.models.LSTM'; supported are Transformer"),
        ("Transformer", "module 'sentence_transformers.models.Transformer' in this place"),
    ] {
        modules[1]["type"] = json!(format!("sentence_transformers.models.{kind}"));
        model.write("modules.json", &modules);
        let error = open(model.path(), &TransformerOptions::default()).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
    modules[1] = json!({"path": "../1_Pooling", "type": "sentence_transformers.models.Pooling"});
    model.write("modules.json", &modules);
    let error = open(model.path(), &TransformerOptions::default()).err().unwrap();
    assert!(error.to_string().contains("the path '../1_Pooling' of a module leaves the folder"), "{error}");
    std::fs::remove_file(model.path().join("modules.json")).unwrap();
    let bare = recipe(TransformerOptions::default());
    assert_eq!((&bare["pooling"], &bare["normalize"]), (&json!("mean"), &json!(false)));
}

#[test]
fn work_stops_when_asked() {
    let model = SmallModel::new("bert");
    let options = TransformerOptions { batch_tokens: Some(20), ..Default::default() };
    let encoder = open(model.path(), &options).unwrap();
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for looks in [0, 1, 100, 220, 260] {
        let outcome = encoder.encode(&texts, 2, &Recorder::stopping_after(looks));
        assert!(matches!(outcome, Err(EncodeError::Cancelled(_))), "after {looks} looks");
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn lower_precisions_keep_the_direction_and_stand_alone() {
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for kind in ["bert", "mpnet"] {
        let model = SmallModel::new(kind);
        let exact = encode(&model, &TransformerOptions::default(), &texts);
        for (precision, least) in [(Precision::Bf16, 0.9999), (Precision::Int8, 0.999)] {
            let options = TransformerOptions { precision, ..Default::default() };
            let all = encode(&model, &options, &texts);
            for i in 0..texts.len() {
                let cosine = cosine(all.row(i), exact.row(i));
                assert!(cosine > least, "{kind} {precision:?} text {i}: {cosine}");
            }
            assert!(all != exact, "{kind} {precision:?} is f32");
            let few = TransformerOptions { batch_tokens: Some(20), ..options.clone() };
            let encoder = open(model.path(), &few).unwrap();
            assert!(encoder.is_exact());
            assert_eq!(encoder.encode(&texts, 3, &Silent).unwrap(), all, "{kind} {precision:?} in other batches");
            assert_eq!(json!(encoder.recipe())["precision"], json!(precision));
        }
    }
    let model = SmallModel::new("bert");
    let options = TransformerOptions { precision: Precision::Int8, ..Default::default() };
    let error = open_on(model.path(), &options, &Device::Cpu).err().unwrap();
    assert!(matches!(error, EncodeError::Option { option: "precision", .. }), "{error}");
}
