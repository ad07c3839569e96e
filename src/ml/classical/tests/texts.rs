//! Texts: values of scikit-learn, and what every kind promises of them.

use super::{Estimator, Features, all, classes, fitted, rows_of};
use crate::classical::linear_svm::LinearSvm;
use crate::classical::logistic::Logistic;
use crate::classical::naive_bayes::NaiveBayes;
use crate::classical::texts::{Texts, Vocabulary, Weights};
use crate::classical::{Inputs, KeptFits, Task, TextOptions, evaluate};
use crate::frame::{Column, Frame};
use crate::matrix::Matrix;
use crate::progress::Silent;

const WORDS: [&str; 17] = [
    "der", "Die", "das", "nicht", "immer", "heute", "Schön", "böse", "gut", "schlecht", "wir", "ihr", "Tag", "nacht",
    "u", "s", "a",
];

/// Texts of three classes.
///
/// In Python, for the figures below:
/// ```python
/// def texts(rows):
///     state, out = 1, []
///     def below(n):
///         nonlocal state
///         state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
///         return (state >> 40) % n
///     for i in range(rows):
///         out.append(" ".join(WORDS[(below(12) + 3 * (i % 3)) % 17] for _ in range(3 + below(6))))
///     return out, np.arange(rows) % 3
/// T, y = texts(300); Tt, yt, Tv = T[:200], y[:200], T[200:]
/// own = dict(sublinear_tf=True, min_df=2)
/// words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **own)
/// union = FeatureUnion([("w", words), ("c", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **own))])
/// X, Xv = union.fit_transform(Tt), union.transform(Tv)
/// ```
fn texts(rows: usize) -> (Vec<Option<String>>, Vec<u32>) {
    let mut state = 1u64;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) % bound) as usize
    };
    let mut text = |i: usize| {
        // Python draws the length first too.
        let length = 3 + below(6);
        let words: Vec<&str> = (0..length).map(|_| WORDS[(below(12) + 3 * (i % 3)) % 17]).collect();
        Some(words.join(" "))
    };
    ((0..rows).map(&mut text).collect(), (0..rows as u32).map(|i| i % 3).collect())
}

/// Texts alone.
fn features(texts: &[Option<String>], options: &TextOptions) -> Features {
    let none = Features::new(texts.len(), 0, Vec::new(), Vec::new());
    none.with_texts(Texts::cut(&[texts], options, &Silent).unwrap())
}

/// Fitted on the first 200 rows of 300, and what it says of the others.
fn held_out(estimator: &dyn Estimator, x: &Features, y: &[u32], classes: usize) -> Matrix {
    let (train_x, train_y) = rows_of(x, y, 0..200);
    let (test_x, _) = rows_of(x, y, 200..300);
    estimator.fit(&train_x, &train_y, classes, 0, &Silent).unwrap().predict_probabilities(&test_x)
}

fn assert_rows(found: &Matrix, expected: &[&[f32]], tolerance: f32) {
    for (row, expected) in [0, 1, 2, 20].into_iter().zip(expected) {
        for (found, wanted) in found.row(row).iter().zip(*expected) {
            assert!((found - wanted).abs() <= tolerance, "row {row}: {found} instead of {wanted}");
        }
    }
}

// X.shape, X.nnz, X.sum(), X.multiply(np.arange(X.shape[1])).sum(), Xv.sum()
// -> (200, 397), 13217, 1997.5239835203438, 506554.54174012167, 1007.9327812994203
#[test]
fn weights_are_those_of_scikit_learn() {
    let (texts, y) = texts(300);
    let x = features(&texts, &TextOptions::default());
    let (train, _) = rows_of(&x, &y, 0..200);
    let (test, _) = rows_of(&x, &y, 200..300);
    let vocabularies = Vocabulary::fit(&train.texts, &y[..200], 3, None);
    assert_eq!(vocabularies.iter().map(Vocabulary::len).sum::<usize>(), 397);
    let (mut count, mut sum, mut by_column) = (0, 0.0, 0.0);
    let mut weights = Weights::new(&vocabularies, &train.texts);
    for row in 0..200 {
        for &(gram, weight) in weights.of_row(row) {
            count += 1;
            sum += f64::from(weight);
            by_column += f64::from(gram) * f64::from(weight);
        }
    }
    assert_eq!(count, 13217);
    assert!(
        (sum - 1_997.523_983_5).abs() < 1e-4 && (by_column / 506_554.541_740 - 1.0).abs() < 1e-7,
        "{sum}, {by_column}"
    );
    let mut weights = Weights::new(&vocabularies, &test.texts);
    let sum: f64 = (0..100).flat_map(|row| weights.of_row(row).to_vec()).map(|(_, weight)| f64::from(weight)).sum();
    assert!((sum - 1_007.932_781_3).abs() < 1e-4, "{sum}");
}

// LogisticRegression(tol=1e-10, max_iter=100000).fit(X, yt).predict_proba(Xv)[[0, 1, 2, 20]]; the same of yt == 1;
// with StandardScaler().fit_transform of the texts' lengths before X
// D = LinearSVC(tol=1e-8, max_iter=1000000, dual=True).fit(X, yt).decision_function(Xv); softmax(D, 1)[[0, 1, 2, 20]]
// D of yt == 1; (1 / (1 + np.exp(-2 * D)))[[0, 1, 2, 20]]
#[test]
fn sparse_linear_models_have_the_values_of_scikit_learn() {
    let (texts, y) = texts(300);
    let x = features(&texts, &TextOptions::default());
    let second: Vec<u32> = y.iter().map(|&label| u32::from(label == 1)).collect();
    let logistic = Logistic { tolerance: 1e-8, ..Logistic::default() };
    let three = held_out(&logistic, &x, &y, 3);
    assert_rows(
        &three,
        &[
            &[0.018757, 0.079183, 0.902059],
            &[0.910154, 0.054928, 0.034919],
            &[0.158356, 0.669527, 0.172118],
            &[0.100580, 0.717303, 0.182116],
        ],
        2e-5,
    );
    let two = held_out(&logistic, &x, &second, 2);
    assert_rows(
        &two,
        &[&[0.864708, 0.135292], &[0.909750, 0.090250], &[0.449589, 0.550411], &[0.386539, 0.613461]],
        2e-5,
    );
    let svm = LinearSvm { tolerance: 1e-8, max_iterations: 100_000, ..LinearSvm::default() };
    let three = held_out(&svm, &x, &y, 3);
    assert_rows(
        &three,
        &[
            &[0.049454, 0.060902, 0.889644],
            &[0.899477, 0.055111, 0.045412],
            &[0.257817, 0.565323, 0.176860],
            &[0.143433, 0.669439, 0.187127],
        ],
        2e-5,
    );
    let two = held_out(&svm, &x, &second, 2);
    assert_rows(
        &two,
        &[&[0.945680, 0.054320], &[0.948401, 0.051599], &[0.401053, 0.598947], &[0.254910, 0.745090]],
        2e-5,
    );
    // Numbers beside texts.
    let lengths = texts.iter().map(|text| text.as_deref().unwrap_or("").chars().count() as f64).collect();
    let both = Features::new(300, 1, lengths, Vec::new()).with_texts(x.texts.clone());
    assert_rows(&held_out(&logistic, &both, &y, 3), WITH_LENGTHS, 2e-5);
}

const WITH_LENGTHS: &[&[f32]] = &[
    &[0.010592, 0.048528, 0.940879],
    &[0.935554, 0.049483, 0.014963],
    &[0.141802, 0.648758, 0.209441],
    &[0.108742, 0.745106, 0.146152],
];

// C = CountVectorizer(token_pattern=r"(?u)\b\w+\b"); MultinomialNB().fit(C.fit_transform(Tt), yt).predict_proba(C.transform(Tv))[[0, 1, 2, 20]]
#[test]
fn counted_words_have_the_probabilities_of_scikit_learn() {
    let (texts, y) = texts(300);
    let options: TextOptions =
        serde_json::from_str(r#"{"characters": null, "words": {"ngram_range": [1, 1], "min_df": 1}}"#).unwrap();
    let found = held_out(&NaiveBayes::default(), &features(&texts, &options), &y, 3);
    assert_rows(
        &found,
        &[
            &[0.000533, 0.025680, 0.973786],
            &[0.999729, 0.000270, 0.000000],
            &[0.029063, 0.942524, 0.028413],
            &[0.001183, 0.966468, 0.032348],
        ],
        1e-5,
    );
}

// C = FeatureUnion([CountVectorizer(ngram_range=(1, 2), …, min_df=2), CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2)])
// chi2((C.fit_transform(Tt) > 0).astype(int), yt)[0].argsort()[::-1][:8] ->
// the word 'a', the characters ' a', ' a ', 'a ', ' d', the word 'die', the characters ' di', ' die'
#[test]
fn the_ngrams_that_tell_most_are_those_of_scikit_learn() {
    let (texts, y) = texts(300);
    let (x, y) = rows_of(&features(&texts, &TextOptions::default()), &y, 0..200);
    let vocabularies = Vocabulary::fit(&x.texts, &y, 3, Some(8));
    let lengths: Vec<usize> = vocabularies.iter().map(Vocabulary::len).collect();
    assert_eq!(lengths, [2, 6]);
    let mut arrays = crate::classical::Arrays::default();
    Vocabulary::put(&vocabularies, &mut arrays);
    let grams: String =
        arrays.take_whole("text_grams", None, 256).unwrap().into_iter().map(|byte| byte as u8 as char).collect();
    assert_eq!(grams, "a\ndie\n a\n a \n d\n di\n die\na \n");
}

#[test]
fn every_kind_learns_from_texts_alone() {
    let (texts, y) = texts(600);
    let x = features(&texts, &TextOptions::default());
    let (train_x, train_y) = rows_of(&x, &y, 0..450);
    let (test_x, test_y) = rows_of(&x, &y, 450..600);
    for (name, estimator) in all().into_iter().filter(|(name, _)| name != "majority") {
        let said = fitted(estimator.as_ref(), &train_x, &train_y).predict_probabilities(&test_x).argmax_rows();
        let right = said.iter().zip(&test_y).filter(|(a, b)| a == b).count() as f64 / 150.0;
        assert!(right > if name == "tree" { 0.6 } else { 0.72 }, "{name}: {right}");
    }
}

#[test]
fn words_of_other_rows_change_no_fit() {
    let (texts, y) = texts(300);
    let mut others = texts.clone();
    others[200..].iter_mut().for_each(|text| *text = text.as_ref().map(|text| format!("{text} unheard of words")));
    let options = TextOptions::default();
    for (name, estimator) in all() {
        let model = |texts: &[Option<String>]| {
            let (x, y) = rows_of(&features(texts, &options), &y, 0..200);
            fitted(estimator.as_ref(), &x, &y)
        };
        let rows = features(&texts[200..], &options);
        let said = [&texts, &others].map(|texts| model(texts).predict_probabilities(&rows));
        assert_eq!(said[0], said[1], "{name}");
    }
}

#[test]
fn threads_change_no_byte_of_models_of_texts() {
    let (texts, y) = texts(900);
    let x = features(&texts, &TextOptions::default());
    let with = |threads: usize, estimator: &dyn Estimator| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fitted(estimator, &x, &y).predict_probabilities(&x))
    };
    for (name, estimator) in all() {
        let one = with(1, estimator.as_ref());
        assert!([2, 5].into_iter().all(|threads| with(threads, estimator.as_ref()) == one), "{name}");
    }
}

#[test]
fn a_text_column_may_be_a_number_and_missing_is_an_empty_text() {
    let mut frame = Frame::new(4);
    frame.insert("t", Column::Numeric(vec![1.0, 2.0, 3.0, 4.0]));
    frame.insert_texts("t", [Some("a b"), None, Some(""), Some("b a")].map(|text| text.map(str::to_owned)).to_vec());
    let inputs = Inputs::of(&frame, &["t".to_owned()], &[], &[], &[0, 1, 2, 3]).unwrap();
    let inputs = inputs.with_texts(&["t".to_owned()], &TextOptions::default());
    let x = inputs.features(&frame, &Silent).unwrap();
    for (name, estimator) in all() {
        let model = estimator.fit(&x, &[0, 1, 1, 0], 2, 0, &Silent).unwrap();
        assert!(model.predict_probabilities(&x).data.iter().all(|share| share.is_finite()), "{name}");
    }
}

#[test]
fn texts_without_a_common_ngram_are_one_clear_error() {
    let texts = ["ab", "cd", "ef", "gh"].map(|text| Some(text.to_owned()));
    let options: TextOptions = serde_json::from_str(r#"{"characters": null}"#).unwrap();
    let x = features(&texts, &options);
    for (name, estimator) in all() {
        match estimator.fit(&x, &[0, 1, 0, 1], 2, 0, &Silent) {
            Ok(_) => assert!(["majority", "naive_bayes"].contains(&name.as_str()), "{name}"),
            Err(error) => assert_eq!(
                error.to_string(),
                "no n-gram of the texts occurs in enough of the 4 training rows: lower `min_df` of `tfidf`, or name other columns too",
                "{name}"
            ),
        }
    }
}

/// Fits by model and fold.
type Fits = std::collections::BTreeMap<(String, Option<usize>), Vec<u8>>;

/// Keeps fits in memory.
#[derive(Default)]
struct InMemory(std::sync::Mutex<Fits>);

impl KeptFits for InMemory {
    fn get(&self, model: &str, fold: Option<usize>) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(&(model.to_owned(), fold)).cloned()
    }

    fn put(&self, model: &str, fold: Option<usize>, bytes: &[u8]) {
        let before = self.0.lock().unwrap().insert((model.to_owned(), fold), bytes.to_vec());
        assert!(before.is_none(), "{model} is fitted twice");
    }
}

#[test]
fn an_interrupted_evaluation_goes_on_from_kept_models_of_texts() {
    let (texts, y) = texts(300);
    let x = features(&texts, &TextOptions::default());
    let (train, test): (Vec<usize>, Vec<usize>) = ((0..240).collect(), (240..300).collect());
    let folds: Vec<u32> = (0..240).map(|i| i / 3 % 2).collect();
    let kept = InMemory::default();
    let evaluated = || {
        let all = evaluate(
            &all(),
            &Task { test: &test, kept: &kept, ..Task::new(&x, &y, &classes(), &train, &folds) },
            2,
            &Silent,
        );
        all.unwrap().into_iter().map(|one| (one.evaluation, one.held_out)).collect::<Vec<_>>()
    };
    let first = evaluated();
    assert_eq!(first, evaluated());
}
