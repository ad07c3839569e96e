//! all-MiniLM-L6-v2 itself, where `RUNNER_TEST_ENCODER` names its folder: with the titles of the bundled sample, or of the CSV file that
//! `RUNNER_TEST_TITLES_CSV` names (column `track_name`). all-mpnet-base-v2, where `RUNNER_TEST_ENCODER_MPNET` names its folder.

use std::collections::BTreeSet;

use candle_core::Device;
use runner::ml::encoder::{Precision, TransformerOptions, open, open_on};
use runner::ml::matrix::Matrix;
use runner::ml::progress::Silent;

use super::assert_close;

use crate::workspace::skip;

// from sentence_transformers import SentenceTransformer
// m = SentenceTransformer(FOLDER, device="cpu")
// texts = ["", "A quiet morning in the harbour", "déjà vu 🎻 über straße", "long " * 400, "日本語の文章"]
// for v in m.encode(texts): print([round(float(x), 6) for x in v[:4]], [round(float(x), 6) for x in v[-2:]])
#[test]
fn minilm_agrees_with_sentence_transformers() {
    let Some(folder) = std::env::var_os("RUNNER_TEST_ENCODER") else {
        return skip("RUNNER_TEST_ENCODER is not set");
    };
    let encoder = open(folder.as_ref(), &TransformerOptions::default()).unwrap();
    let long = "long ".repeat(400);
    let texts = ["", "A quiet morning in the harbour", "déjà vu 🎻 über straße", &long, "日本語の文章"];
    let expected = [
        [-0.118838, 0.048299, -0.002548, -0.011011, 0.046549, -0.015717],
        [0.054955, 0.074907, 0.074413, 0.069875, -0.019752, 0.028615],
        [0.039743, 0.064252, 0.041833, 0.006225, 0.00735, -0.031382],
        [-0.033742, -0.041577, 0.061677, 0.001028, -0.009327, -0.000784],
        [-0.008905, 0.070652, -0.009731, 0.013337, -0.056931, -0.005383],
    ];
    let rows = encoder.encode(&texts, 2, &Silent).unwrap();
    assert_eq!(encoder.dim(), 384);
    for (i, expected) in expected.iter().enumerate() {
        let row = rows.row(i);
        assert_close(&[&row[..4], &row[382..]].concat(), expected, 2e-6);
    }
}

/// 2,000 distinct titles.
fn titles() -> Vec<String> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample/train.csv").into();
    let mut reader = csv::Reader::from_path(std::env::var_os("RUNNER_TEST_TITLES_CSV").unwrap_or(sample)).unwrap();
    let column = reader.headers().unwrap().iter().position(|name| name == "track_name").unwrap();
    let titles: BTreeSet<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
    let step = titles.len() / 2000;
    titles.into_iter().step_by(step).take(2000).collect()
}

/// Of corresponding rows.
fn cosines(a: &Matrix, b: &Matrix) -> Vec<f64> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let cosine = |a: &[f32], b: &[f32]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    (0..a.rows).map(|i| cosine(a.row(i), b.row(i))).collect()
}

fn least(cosines: &[f64]) -> f64 {
    cosines.iter().copied().fold(f64::MAX, f64::min)
}

#[test]
fn minilm_agrees_with_candle_on_titles_and_at_any_length() {
    let Some(folder) = std::env::var_os("RUNNER_TEST_ENCODER") else {
        return skip("RUNNER_TEST_ENCODER is not set");
    };
    // Texts of 2 to 512 tokens. All of them take candle a minute: `RUNNER_TEST_LENGTHS=all`.
    let step = if std::env::var_os("RUNNER_TEST_LENGTHS").is_some() { 1 } else { 37 };
    let words = ["time", "year", "people", "way", "day", "man", "thing"];
    let text = |length: usize| (0..length).map(|i| words[(i * i + length) % 7]).collect::<Vec<_>>().join(" ");
    let lengths = (0..=48).chain((49..=510).step_by(step)).chain([510]);
    let texts: Vec<String> = titles().into_iter().chain(lengths.map(text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let options = TransformerOptions { max_length: Some(512), ..TransformerOptions::default() };
    let packed = open(folder.as_ref(), &options).unwrap().encode(&texts, 2, &Silent).unwrap();
    let candle = open_on(folder.as_ref(), &options, &Device::Cpu).unwrap().encode(&texts, 2, &Silent).unwrap();
    let cosines = cosines(&packed, &candle);
    println!("{} texts, least cosine {:.9}", texts.len(), least(&cosines));
    assert!(least(&cosines) >= 0.999_999, "{}", least(&cosines));
}

#[test]
fn lower_precisions_of_minilm_keep_what_they_promise() {
    let Some(folder) = std::env::var_os("RUNNER_TEST_ENCODER") else {
        return skip("RUNNER_TEST_ENCODER is not set");
    };
    let titles = titles();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let run = |precision| {
        let options = TransformerOptions { precision, ..TransformerOptions::default() };
        open(folder.as_ref(), &options).unwrap().encode(&titles, 2, &Silent).unwrap()
    };
    let exact = run(Precision::F32);
    for (precision, mean) in [(Precision::Bf16, 0.9999), (Precision::Int8, 0.995)] {
        let cosines = cosines(&run(precision), &exact);
        let found = cosines.iter().sum::<f64>() / cosines.len() as f64;
        println!("{precision:?}: mean cosine {found:.6}, least {:.6}", least(&cosines));
        assert!(found >= mean, "{precision:?}: {found}");
    }
}
// The snippet above.
#[test]
fn mpnet_agrees_with_sentence_transformers() {
    let Some(folder) = std::env::var_os("RUNNER_TEST_ENCODER_MPNET") else {
        return println!("skipped: RUNNER_TEST_ENCODER_MPNET is not set");
    };
    let encoder = open(folder.as_ref(), &TransformerOptions::default()).unwrap();
    let long = "long ".repeat(400);
    let texts = ["", "A quiet morning in the harbour", "déjà vu 🎻 über straße", &long, "日本語の文章"];
    let expected = [
        [-0.012503, 0.061439, -0.006735, 0.025238, -0.050364, -0.019049],
        [-0.046955, 0.048464, -0.005878, -0.059695, -0.024202, -0.006748],
        [-0.015641, 0.026567, -0.006604, 0.019998, 0.024155, -0.039529],
        [0.003053, -0.022815, 0.003741, 0.064162, -0.039549, -0.029944],
        [0.04331, -0.03868, -0.008746, -0.02354, -0.019586, -0.045297],
    ];
    let rows = encoder.encode(&texts, 2, &Silent).unwrap();
    assert_eq!(encoder.dim(), 768);
    for (i, expected) in expected.iter().enumerate() {
        let row = rows.row(i);
        assert_close(&[&row[..4], &row[766..]].concat(), expected, 2e-6);
    }
}

/// `RUNNER_TEST_TITLES` names a JSON list of `{"title", "embedding"}` by sentence-transformers for the encoder
/// that `RUNNER_TEST_TITLES_ENCODER` names.
#[test]
fn titles_agree_with_sentence_transformers() {
    let (Some(titles), Some(folder)) =
        (std::env::var_os("RUNNER_TEST_TITLES"), std::env::var_os("RUNNER_TEST_TITLES_ENCODER"))
    else {
        return println!("skipped: RUNNER_TEST_TITLES and RUNNER_TEST_TITLES_ENCODER are not set");
    };
    let titles: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(titles).unwrap()).unwrap();
    let texts: Vec<&str> = titles.iter().map(|title| title["title"].as_str().unwrap()).collect();
    let encoder = open(folder.as_ref(), &TransformerOptions::default()).unwrap();
    let rows = encoder.encode(&texts, 2, &Silent).unwrap();
    let mut worst = 1.0f64;
    for (i, title) in titles.iter().enumerate() {
        let expected: Vec<f64> = serde_json::from_value(title["embedding"].clone()).unwrap();
        let row: Vec<f64> = rows.row(i).iter().map(|&x| f64::from(x)).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        worst = worst.min(dot(&row, &expected) / (dot(&row, &row) * dot(&expected, &expected)).sqrt());
    }
    println!("{} titles, least cosine {worst:.9}", titles.len());
    assert!(worst >= 0.999_999, "{worst}");
}
