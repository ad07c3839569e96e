//! TF-IDF against scikit-learn, and what a fitted encoder must keep.

use runner::ml::encoder::{EncodeError, TextEncoder, Tfidf, TfidfOptions};
use runner::ml::matrix::Matrix;
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use serde_json::json;

use super::{Recorder, assert_close};

const TEXTS: [&str; 6] =
    ["red river", "red rose", "blue river blues", "a blue rose", "river rose red", "the red, red rose"];

fn fit(texts: &[&str], options: TfidfOptions) -> Tfidf {
    Tfidf::fit(texts, options, 7, 1, &Silent).unwrap()
}

fn options(dim: usize) -> TfidfOptions {
    TfidfOptions { dim, char_ngrams: [3, 4], ..Default::default() }
}

fn encode(tfidf: &Tfidf, texts: &[&str]) -> Matrix {
    tfidf.encode(texts, 1, &Silent).unwrap()
}

// import numpy as np
// from sklearn.feature_extraction.text import TfidfVectorizer as V
// from sklearn.pipeline import FeatureUnion
// from sklearn.preprocessing import normalize
// common = dict(sublinear_tf=True, min_df=2)
// union = FeatureUnion([("w", V(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **common)),
//                       ("c", V(analyzer="char_wb", ngram_range=(3, 4), **common))])
// x = union.fit_transform(TEXTS).toarray()
// v = np.linalg.svd(x)[2][:3].T
// v *= np.sign(v[np.abs(v).argmax(0), range(3)])
// normalize(x @ v).round(5)[[2, 5]]; normalize(union.transform(["Rose rivers"]).toarray() @ v).round(5)
#[test]
fn vectors_agree_with_scikit_learn() {
    let tfidf = fit(&TEXTS, options(3));
    let rows = encode(&tfidf, &[TEXTS[2], TEXTS[5], "Rose rivers"]);
    assert_close(rows.row(0), &[0.47677, 0.87875, 0.02214], 2e-5);
    assert_close(rows.row(1), &[0.84983, -0.48432, -0.20789], 2e-5);
    assert_close(rows.row(2), &[0.97044, 0.0266, -0.23989], 2e-5);
}

// As above, n = 5 and 40:
// normalize(union.transform(["rose " * n + "the red"]).toarray() @ v).round(5)
#[test]
fn words_that_come_again_count_as_in_scikit_learn() {
    let tfidf = fit(&TEXTS, options(3));
    let text = |times: usize| "rose ".repeat(times) + "the red";
    let rows = encode(&tfidf, &[&text(5), &text(40)]);
    assert_close(rows.row(0), &[0.83803, -0.31066, -0.44855], 2e-5);
    assert_close(rows.row(1), &[0.80329, -0.27219, -0.52976], 2e-5);
}

/// Texts of words drawn by a small linear congruential generator.
fn corpus(count: usize) -> Vec<String> {
    let mut state = 1u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..count)
        .map(|_| {
            let words: Vec<String> = (0..2 + draw(5))
                .map(|_| {
                    let below = 1 + draw(200);
                    format!("{}{}", ["ka", "lo", "mi", "ne", "tu"][draw(5) as usize], draw(below))
                })
                .collect();
            words.join(" ")
        })
        .collect()
}

#[test]
fn bytes_are_the_same_for_any_number_of_threads() {
    let texts = corpus(1500);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let options = TfidfOptions { dim: 20, normalize: false, ..Default::default() };
    let fitted = |seed, threads| Tfidf::fit(&texts, options.clone(), seed, threads, &Silent).unwrap();
    let one = fitted(1, 1);
    assert_eq!(one.to_bytes(), fitted(1, 3).to_bytes());
    assert_ne!(one.to_bytes(), fitted(2, 1).to_bytes());
    let rows = one.encode(&texts, 1, &Silent).unwrap();
    assert_eq!(rows, one.encode(&texts, 3, &Silent).unwrap());
    // Another sketch finds the same space.
    let other = fitted(2, 1).encode(&texts, 1, &Silent).unwrap();
    let strongest = |rows: &Matrix| (0..texts.len()).map(|i| rows.get(i, 0)).collect::<Vec<_>>();
    assert_close(&strongest(&rows), &strongest(&other), 1e-3);
}

#[test]
fn a_projection_of_some_texts_keeps_the_vocabulary_of_all() {
    let texts = corpus(1500);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let tensors = |projection_texts| {
        let options = TfidfOptions { dim: 20, normalize: false, projection_texts, ..Default::default() };
        let bytes = fit(&texts, options).to_bytes();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        ["idf", "vocabulary", "components"].map(|name| tensors.tensor(name).unwrap().data().to_vec())
    };
    let (all, enough, some) = (tensors(50_000), tensors(1500), tensors(300));
    assert_eq!(all, enough);
    assert_eq!(all[..2], some[..2]);
    assert_ne!(all[2], some[2]);
}

#[test]
fn components_are_orthonormal() {
    let texts = corpus(800);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let options = TfidfOptions { dim: 30, normalize: false, ..Default::default() };
    let bytes = fit(&texts, options).to_bytes();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let components = tensors.tensor("components").unwrap();
    let values: Vec<f32> = components.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    for a in 0..30 {
        for b in 0..=a {
            let dot: f32 = values.chunks_exact(30).map(|row| row[a] * row[b]).sum();
            let unit = if a == b { 1.0 } else { 0.0 };
            assert!((dot - unit).abs() < 1e-4, "{a}, {b}: {dot}");
        }
    }
}

#[test]
fn an_encoder_survives_storage() {
    let tfidf = fit(&TEXTS, options(3));
    let bytes = tfidf.to_bytes();
    let restored = Tfidf::from_bytes(&bytes).unwrap();
    assert_eq!(restored.to_bytes(), bytes);
    assert_eq!(restored.recipe(), tfidf.recipe());
    assert_eq!(encode(&restored, &TEXTS), encode(&tfidf, &TEXTS));
    assert_ne!(tfidf.recipe(), fit(&TEXTS[..4], options(3)).recipe(), "the recipe knows the fitted texts");
    for end in [0, 7, 30, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(Tfidf::from_bytes(&bytes[..end]), Err(EncodeError::Stored(_))), "{end} bytes");
    }
    let mut other = bytes.clone();
    let at = other.windows(5).position(|part| part == b"words").unwrap();
    other[at..at + 5].copy_from_slice(b"swords".get(..5).unwrap());
    assert!(matches!(Tfidf::from_bytes(&other), Err(EncodeError::Stored(_))));
}

#[test]
fn strange_texts_have_a_vector_or_zeros() {
    let tfidf = fit(&TEXTS, options(4));
    let long = "red ".repeat(200_000);
    let rows = encode(&tfidf, &["", "zzz qqq", "🎵", &long, "RED"]);
    for i in 0..3 {
        assert_eq!(rows.row(i), [0.0; 4]);
    }
    assert!((rows.row(3).iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    assert_close(rows.row(4), encode(&tfidf, &["red"]).row(0), 0.0);
    assert_eq!(encode(&tfidf, &[]), Matrix::zeros(0, 4));
}

#[test]
fn a_vector_depends_on_its_text_alone() {
    let texts = corpus(400);
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.extend(["ka1 ka1 ka1", "ka1 ka1 ka2 lo1 lo1", "", "lo1"]);
    let bytes = fit(&texts, TfidfOptions { dim: 40, ..Default::default() }).to_bytes();
    let fresh = || Tfidf::from_bytes(&bytes).unwrap();
    let together = encode(&fresh(), &texts);
    let backwards: Vec<&str> = texts.iter().rev().copied().collect();
    let met = fresh();
    encode(&met, &backwards);
    assert_eq!(encode(&met, &texts), together, "after others");
    for (i, text) in texts.iter().enumerate().step_by(7) {
        assert_eq!(encode(&fresh(), &[text]).row(0), together.row(i), "{text}");
    }
}

#[test]
fn more_words_than_are_kept_change_nothing() {
    // 32 kB a word: some 2,000 are kept.
    let tfidf = fit(&TEXTS, options(8192));
    let texts: Vec<String> = (0..2300).map(|i| format!("red{i} river")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let rows = encode(&tfidf, &texts);
    for i in [0, 1, 2046, 2047, 2048, 2299] {
        assert_eq!(encode(&tfidf, &texts[i..=i]).row(0), rows.row(i), "{}", texts[i]);
    }
}

#[test]
fn few_texts_leave_zeros_at_the_end() {
    let tfidf = fit(&["red rose", "red river"], options(16));
    assert_eq!(tfidf.dim(), 16);
    let rows = encode(&tfidf, &["red rose", "red river"]);
    // Only "red" and its parts occur twice.
    assert!((rows.get(0, 0) - 1.0).abs() < 1e-6 && rows.row(0)[1..] == [0.0; 15]);
    let single = fit(&["one text"], TfidfOptions { min_count: 1, ..Default::default() });
    assert_eq!(encode(&single, &["one text"]).cols, 256);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let refusal =
        |texts: &[&str], options: TfidfOptions| Tfidf::fit(texts, options, 7, 1, &Silent).err().unwrap().to_string();
    assert!(refusal(&[], options(3)).contains("no texts"));
    assert!(refusal(&["", " "], options(3)).contains("the 2 texts to learn from are all empty"));
    assert!(refusal(&["uvw", "xyz"], options(3)).contains("no n-gram occurs in 2 of the 2 texts"));
    for (value, expected) in [
        (json!({"dim": 0}), "dim: give 1 to"),
        (json!({"word_ngrams": [2, 1]}), "word_ngrams: give"),
        (json!({"char_ngrams": [0, 3]}), "char_ngrams: give"),
        (json!({"word_ngrams": [0, 0], "char_ngrams": [0, 0]}), "cannot both"),
        (json!({"max_features": 0}), "max_features: 0"),
    ] {
        let message = refusal(&TEXTS, serde_json::from_value(value).unwrap());
        assert!(message.contains(expected), "{message}");
    }
    assert!(serde_json::from_value::<TfidfOptions>(json!({"dims": 3})).is_err());
}

#[test]
fn fitting_stops_when_asked() {
    let texts = corpus(600);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for looks in [0, 3, 20, 100] {
        let progress = Recorder::stopping_after(looks);
        let outcome = Tfidf::fit(&texts, TfidfOptions::default(), 1, 2, &progress);
        assert!(matches!(outcome, Err(EncodeError::Cancelled(_))), "after {looks} looks");
    }
}

#[test]
fn no_damage_of_stored_bytes_panics() {
    let bytes = fit(&TEXTS, options(3)).to_bytes();
    for i in 0..500 {
        let mut draw = Stream::new(i, "damage", 0);
        let mut damaged = bytes.clone();
        for _ in 0..1 + draw.below(3) {
            let at = draw.below(damaged.len());
            damaged[at] = if draw.below(2) == 0 { draw.below(256) as u8 } else { b"0918\"{}[],-"[draw.below(11)] };
        }
        if let Ok(tfidf) = Tfidf::from_bytes(&damaged) {
            let _ = tfidf.encode(&TEXTS, 1, &Silent);
        }
    }
}
