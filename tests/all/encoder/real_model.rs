//! all-MiniLM-L6-v2 itself, where `RUNNER_TEST_ENCODER` names its folder.

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
