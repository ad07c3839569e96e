//! all-MiniLM-L6-v2 itself, where `RUNNER_TEST_ENCODER` names its folder; all-mpnet-base-v2, where `RUNNER_TEST_ENCODER_MPNET` does.

use runner::ml::encoder::{TransformerOptions, open};
use runner::ml::progress::Silent;

use super::assert_close;

// from sentence_transformers import SentenceTransformer
// m = SentenceTransformer(FOLDER, device="cpu")
// texts = ["", "A quiet morning in the harbour", "déjà vu 🎻 über straße", "long " * 400, "日本語の文章"]
// for v in m.encode(texts): print([round(float(x), 6) for x in v[:4]], [round(float(x), 6) for x in v[-2:]])
#[test]
fn minilm_agrees_with_sentence_transformers() {
    let Some(folder) = std::env::var_os("RUNNER_TEST_ENCODER") else {
        return;
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

// The snippet above.
#[test]
fn mpnet_agrees_with_sentence_transformers() {
    let Some(folder) = std::env::var_os("RUNNER_TEST_ENCODER_MPNET") else {
        return;
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
        return;
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
