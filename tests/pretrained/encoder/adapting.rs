//! Networks that train the last layers of their encoder, against PyTorch, against the encoder as it comes, and against
//! the slopes of their own loss.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use runner::ml::encoder::{Pooling, Tokens, TransformerOptions, open};
use runner::ml::frame::{Column, Frame};
use runner::ml::input::{Input, Texts};
use runner::ml::matrix::Matrix;
use runner::ml::network::{Blueprint, Network, NetworkSpec, Parameter, Training, Widths, cross_entropy, on_threads};
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use runner::ml::train::{Data, Fitted, TrainingSpec, train};
use serde_json::{Value, json};

use crate::screen::stable;
use crate::small_model::{HIDDEN, SmallModel};

const TEXTS: [&str; 6] = ["w7 w30 w8", "w19 w4 w25 w11 w5 w6", "w39", "w9 w21 w13 w4 w4", "w7 w30 w8", "w17 w5"];

/// The texts of some rows, as an encoder of `kind` reads them.
fn texts(kind: &str, options: &TransformerOptions, rows: &[&str]) -> Texts {
    let model = SmallModel::new(kind);
    let (tokens, of_row) = Tokens::read(model.path(), options, rows, 1, &Silent).unwrap();
    // The folder goes with this function.
    for layers in 1..=tokens.shape().depth {
        tokens.cut(layers, 1, &Silent).unwrap();
    }
    Texts { tokens: Arc::new(tokens), of_row, normalize: false, factor: 1.0 }
}

/// A linear head over adapted texts alone.
fn network(texts: &Texts, adapt: &Value) -> Network {
    let spec: NetworkSpec = serde_json::from_value(json!({
        "text": {"layers": [], "dropout": 0, "adapt": adapt},
        "trunk": {"layers": []}, "batch_norm": false, "dropout": 0,
    }))
    .unwrap();
    assert_eq!(spec.problems(), []);
    let column = "title".to_owned();
    let widths =
        Widths { text: &[(column.clone(), HIDDEN)], encoders: &[(column, texts.tokens.shape())], ..Widths::default() };
    let network = Network::new(&Blueprint::new(&spec, widths, 3).unwrap(), 1).unwrap();
    network.begin_as_given(&[Input::Texts(texts.clone())]).unwrap();
    for Parameter { name, var, .. } in network.parameters() {
        if name.starts_with("head.") || name.contains("lora_") {
            var.set(&Tensor::from_vec(pattern(var.elem_count()), var.shape(), &Device::Cpu).unwrap()).unwrap();
        }
    }
    network
}

fn pattern(count: usize) -> Vec<f32> {
    (0..count).map(|k| (((k * 11 + k * k % 17) % 101) as f32 / 50.0 - 1.0) * 0.4).collect()
}

fn loss(network: &mut Network, texts: &Texts) -> Tensor {
    let pass = Training { frozen: 0, dropout: 1.0, masks: &mut Stream::new(1, "masks", 0) };
    let logits = network.forward_training(vec![Input::Texts(texts.clone())], pass).unwrap();
    cross_entropy(&logits, vec![0, 1, 2, 0, 1, 2], &Arc::new(vec![1.0; 3]), Vec::new(), 0.0).unwrap()
}

fn options(pooling: Pooling, normalize: bool) -> TransformerOptions {
    TransformerOptions { pooling: Some(pooling), normalize: Some(normalize), ..Default::default() }
}

// import torch, transformers as t
// from torch.nn.utils.parametrize import register_parametrization
// TEXTS = [[2, 7, 30, 8, 3], [2, 19, 4, 25, 11, 5, 6, 3], [2, 39, 3], [2, 9, 21, 13, 4, 4, 3], [2, 7, 30, 8, 3], [2, 17, 5, 3]]
// def pattern(*shape):
//     k = torch.arange(torch.Size(shape).numel())
//     return (((k * 11 + k * k % 17) % 101).double() / 50 - 1).float().reshape(shape) * 0.4
// class Update(torch.nn.Module):
//     def __init__(self):
//         super().__init__()
//         self.a, self.b = torch.nn.Parameter(pattern(2, 24)), torch.nn.Parameter(pattern(24, 2))
//     def forward(self, weight): return weight + 1.5 * self.b @ self.a
// for layers, rank, pooling, unit in [(1, 0, "mean", True), (2, 2, "cls", False), (2, 0, "max", True)]:
//     model = BERT of the snippet in `transformers`, with its weights, .eval(); model.requires_grad_(False)
//     for layer in model.encoder.layer[2 - layers:]:
//         if rank:
//             for part in (layer.attention.self.query, layer.attention.self.value):
//                 register_parametrization(part, "weight", Update())
//         else: layer.requires_grad_(True)
//     head = torch.nn.Linear(24, 3); head.load_state_dict({"weight": pattern(3, 24), "bias": pattern(3)})
//     moving = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
//     for step in range(5):
//         rows = []
//         for ids in TEXTS:
//             h = model(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids))).last_hidden_state[0]
//             rows.append({"mean": h.mean(0), "cls": h[0], "max": h.max(0).values}[pooling])
//         x = torch.nn.functional.normalize(torch.stack(rows), dim=1) if unit else torch.stack(rows)
//         loss = torch.nn.functional.cross_entropy(head(x), torch.tensor([0, 1, 2, 0, 1, 2])); print(loss.item())
//         with torch.no_grad():
//             for p, g in zip(moving, torch.autograd.grad(loss, moving)): p -= (0.5 if unit else 0.05) * g
#[test]
fn steps_of_adapted_layers_are_those_of_pytorch() {
    let cases = [
        (json!({"layers": 1}), options(Pooling::Mean, true), 0.5, [1.135879, 1.109207, 1.095207, 1.084048, 1.072446]),
        (
            json!({"layers": 2, "rank": 2, "alpha": 3}),
            options(Pooling::Cls, false),
            0.05,
            [1.386374, 1.281592, 1.206973, 1.155509, 1.119682],
        ),
        (json!({"layers": 2}), options(Pooling::Max, true), 0.5, [1.177283, 1.094962, 1.054894, 1.01853, 0.992726]),
    ];
    for (adapt, options, rate, expected) in cases {
        let texts = texts("bert", &options, &TEXTS);
        let mut network = network(&texts, &adapt);
        for (step, expected) in expected.into_iter().enumerate() {
            let loss = loss(&mut network, &texts);
            let found = f64::from(loss.to_scalar::<f32>().unwrap());
            assert!((found - expected).abs() < 2e-5, "{adapt}, step {step}: {found} instead of {expected}");
            let gradients = loss.backward().unwrap();
            for Parameter { var, .. } in network.parameters() {
                let step = (gradients.get(&var).unwrap() * rate).unwrap();
                var.set(&var.sub(&step).unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn gradients_of_adapted_layers_are_the_slopes_of_the_loss() {
    for (kind, adapt, pooling) in [
        ("bert", json!({"layers": 1}), Pooling::Mean),
        ("xlm-roberta", json!({"layers": 2}), Pooling::Cls),
        // Not by the largest: its slope jumps where another token takes over. PyTorch's losses above hold for it.
        ("distilbert", json!({"layers": 2}), Pooling::Mean),
        ("bert", json!({"layers": 2, "rank": 3}), Pooling::Mean),
        ("bert", json!({"layers": 1, "rank": 3}), Pooling::MeanSqrtLen),
        ("bert", json!({"layers": 1, "rank": 3}), Pooling::Weighted),
        ("bert", json!({"layers": 1, "rank": 3}), Pooling::Last),
    ] {
        let texts = texts(kind, &options(pooling, true), &TEXTS);
        let mut network = network(&texts, &adapt);
        let gradients = loss(&mut network, &texts).backward().unwrap();
        let mut checked = 0;
        for Parameter { name, var, .. } in network.parameters() {
            let gradient = gradients.get(&var).unwrap_or_else(|| panic!("no gradient reached {name}"));
            let slopes: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
            let values: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
            for at in [0, values.len() / 3, values.len() - 1] {
                let mut beside = |by: f32| {
                    let mut moved = values.clone();
                    moved[at] += by;
                    var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
                    f64::from(loss(&mut network, &texts).to_scalar::<f32>().unwrap())
                };
                // The loss is known to about 1e-7, so that a slope is known to about 1e-5.
                let (below, above) = (beside(-1e-2), beside(1e-2));
                let (slope, found) = ((above - below) / 2e-2, f64::from(slopes[at]));
                let near = (found - slope).abs() < 1e-4 + 0.01 * slope.abs();
                checked += 1;
                assert!(near, "{name}[{at}]: {found}, the slope is {slope}");
            }
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
        }
        assert!(checked > 12, "{checked} slopes");
    }
}

/// 60 texts of 1 to 9 words, some of them twice, one empty; the first word tells the class.
fn many_texts() -> Vec<String> {
    let words = |i: usize| (0..1 + i % 8).map(move |j| format!(" w{}", 7 + (i * 5 + j * j) % 30));
    let text = |i: usize| format!("w{}{}", 4 + i % 3, words(i % 50).collect::<String>());
    (0..59).map(text).chain([String::new()]).collect()
}

/// What `runner` gives a network: the vectors of the encoder as it comes, and the texts' tokens.
fn frame(kind: &str) -> Frame {
    let model = SmallModel::new(kind);
    let all = many_texts();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let options = options(Pooling::Mean, true);
    let vectors = open(model.path(), &options).unwrap().encode(&all, 1, &Silent).unwrap();
    let mut frame = Frame::new(all.len());
    frame.insert("title", Column::Vector { dim: HIDDEN, values: vectors.data });
    let Texts { tokens, of_row, .. } = texts(kind, &options, &all);
    frame.insert_tokens("title", tokens, of_row);
    frame
}

fn fit(frame: &Frame, network: &Value, training: &Value) -> Fitted {
    let network: NetworkSpec = serde_json::from_value(network.clone()).unwrap();
    let training: TrainingSpec = serde_json::from_value(training.clone()).unwrap();
    let labels: Vec<u32> = (0..frame.rows).map(|i| (i % 3) as u32).collect();
    let rows: Vec<usize> = (0..frame.rows).collect();
    let data = Data {
        frame,
        numeric: &[],
        text: &["title".to_owned()],
        categories: &[],
        labels: &labels,
        classes: &["a", "b", "c"].map(str::to_owned),
        weights: &[],
        train: &rows[..40],
        valid: &rows[40..],
        scoring: &runner::results::scores::PLAIN,
    };
    train(data, &network, &training, 5, &Silent).unwrap()
}

fn adapting(adapt: &Value) -> Value {
    json!({"text": {"layers": [8], "dropout": 0.1, "adapt": adapt}, "trunk": {"layers": [8]}, "dropout": 0.1})
}

fn training(encoder: f64) -> Value {
    json!({"epochs": 6, "batch_size": 16, "optimizer": {"kind": "adamw", "lr": 0.01, "factors": {"encoder": encoder}}})
}

#[test]
fn what_has_not_learnt_reads_as_the_encoder_does() {
    for kind in ["bert", "xlm-roberta", "distilbert"] {
        let frame = frame(kind);
        let Some(Column::Vector { values, .. }) = frame.columns.get("title") else { panic!("vectors") };
        let (tokens, of_row) = frame.tokens("title").unwrap();
        for adapt in [json!({"layers": 1}), json!({"layers": 2}), json!({"layers": 1, "rank": 4})] {
            let spec = json!({"text": {"layers": [], "adapt": adapt}, "trunk": {"layers": []}});
            let spec: NetworkSpec = serde_json::from_value(spec).unwrap();
            let widths = Widths {
                text: &[("title".to_owned(), HIDDEN)],
                encoders: &[("title".to_owned(), tokens.shape())],
                ..Widths::default()
            };
            let network = Network::new(&Blueprint::new(&spec, widths, HIDDEN).unwrap(), 1).unwrap();
            let texts = Texts { tokens: Arc::clone(tokens), of_row: of_row.to_vec(), normalize: false, factor: 1.0 };
            let input = Input::Texts(texts);
            network.begin_as_given(std::slice::from_ref(&input)).unwrap();
            // A head that shows what it is given.
            for Parameter { name, var, .. } in network.parameters() {
                let value = match name.as_str() {
                    "head.weight" => Tensor::eye(HIDDEN, var.dtype(), &Device::Cpu).unwrap(),
                    "head.bias" => var.zeros_like().unwrap(),
                    _ => continue,
                };
                var.set(&value).unwrap();
            }
            let found: Vec<f32> = network.infer(vec![input]).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            for (i, (found, given)) in found.chunks(HIDDEN).zip(values.chunks(HIDDEN)).enumerate() {
                let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
                let cosine = dot(found, given) / (dot(found, found) * dot(given, given)).sqrt();
                assert!(cosine > 0.999_999, "{kind} {adapt} text {i}: {cosine}");
            }
        }
    }
}

#[test]
fn a_rate_of_next_to_nothing_trains_as_the_vectors_do() {
    let frame = frame("bert");
    let slow = fit(&frame, &adapting(&json!({"layers": 1})), &training(1e-12));
    let plain = fit(
        &frame,
        &json!({"text": {"layers": [8], "dropout": 0.1}, "trunk": {"layers": [8]}, "dropout": 0.1}),
        &training(1.0),
    );
    for (a, b) in slow.curves.valid_loss.iter().zip(&plain.curves.valid_loss) {
        assert!((a - b).abs() < 1e-3, "{a} and {b}");
    }
    let quick = fit(&frame, &adapting(&json!({"layers": 1})), &training(0.5));
    assert!((quick.curves.valid_loss[6] - plain.curves.valid_loss[6]).abs() > 1e-2, "the layers learn nothing");
}

#[test]
fn threads_change_no_bit_and_a_model_survives_its_file() {
    let frame = frame("bert");
    for adapt in [json!({"layers": 1}), json!({"layers": 2, "rank": 2})] {
        let mut training = training(0.5);
        training["average"] = json!(0.9);
        let [one, three] =
            [1, 3].map(|threads| on_threads(threads, || fit(&frame, &adapting(&adapt), &training).model));
        let (weights, recipe) = one.to_parts().unwrap();
        assert_eq!((weights.clone(), recipe.clone()), three.to_parts().unwrap());
        let again = runner::ml::network::Classifier::from_parts(&weights, &recipe).unwrap();
        let said: Matrix = one.predict_probabilities(&frame).unwrap();
        assert_eq!(said, again.predict_probabilities(&frame).unwrap());
        // Alone a text is read as among others.
        for row in [3, 59] {
            assert_eq!(said.row(row), again.predict_probabilities(&frame.take(&[row])).unwrap().row(0));
        }
        let tensors = one.tensors().unwrap();
        let adapted: Vec<&String> = tensors.keys().filter(|name| name.contains(".encoder.")).collect();
        // What stands still is not in the file.
        assert_eq!(adapted.len(), if adapt["rank"].is_null() { 16 } else { 8 }, "{adapted:?}");
    }
}

#[test]
fn states_that_are_not_kept_are_computed_again_to_the_same_bits() {
    let model = SmallModel::new("bert");
    let all = many_texts();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let read = || Tokens::read(model.path(), &TransformerOptions::default(), &all, 2, &Silent).unwrap();
    let ((kept, of_row), (other, _)) = (read(), read());
    let kept = kept.cut(1, 3, &Silent).unwrap().states(&of_row).unwrap();
    let again = other.cut_keeping(1, 0, 3, &Silent).unwrap().states(&of_row).unwrap();
    assert_eq!((kept.starts, kept.values), (again.starts, again.values));
}

#[test]
fn what_cannot_be_adapted_is_refused_with_a_remedy() {
    let refusal = |kind: &str| {
        let model = SmallModel::new(kind);
        Tokens::read(model.path(), &TransformerOptions::default(), &["w4"], 1, &Silent).unwrap_err().to_string()
    };
    assert!(refusal("mpnet").contains("leave `adapt` out, or take another encoder"));
    let problems = |adapt: Value| {
        let spec: NetworkSpec = serde_json::from_value(json!({"text": {"adapt": adapt}})).unwrap();
        spec.problems().into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    assert_eq!(problems(json!({"layers": 0})), ["text.adapt.layers"]);
    assert_eq!(problems(json!({"layers": 1, "rank": 0})), ["text.adapt.rank"]);
    assert_eq!(problems(json!({"layers": 1, "alpha": 2})), ["text.adapt.alpha"]);
    assert_eq!(problems(json!({"layers": 1, "rank": 2, "alpha": -1})), ["text.adapt.alpha"]);
    let texts = texts("bert", &TransformerOptions::default(), &TEXTS);
    let spec: NetworkSpec = serde_json::from_value(json!({"text": {"adapt": {"layers": 3}}})).unwrap();
    let (column, shape) = ("title".to_owned(), texts.tokens.shape());
    let widths = Widths { text: &[(column.clone(), HIDDEN)], encoders: &[(column, shape)], ..Widths::default() };
    let (_, message) = Blueprint::new(&spec, widths, 3).unwrap_err();
    insta::assert_snapshot!(stable(&message), @"the encoder has 2 layers, not 3");
}
