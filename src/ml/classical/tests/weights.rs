//! Weights of rows and classes: values of scikit-learn, and what every kind promises of them.

use runner_results::spec::{ClassWeights, NamedWeights};

use super::{Estimator, Features, all, classes, fitted, rows_of, table};
use crate::classical::boosting::Boosting;
use crate::classical::decision_tree::DecisionTree;
use crate::classical::forest::{ExtraTrees, RandomForest};
use crate::classical::linear_svm::LinearSvm;
use crate::classical::logistic::Logistic;
use crate::classical::naive_bayes::NaiveBayes;
use crate::classical::rbf_svm::RbfSvm;
use crate::classical::{Baselines, Evaluated, Task, evaluate};
use crate::matrix::Matrix;
use crate::progress::Silent;

/// Rows of weights 0 to 3, three times as much in class 1.
fn weights(y: &[u32]) -> Vec<f64> {
    y.iter().enumerate().map(|(i, &label)| (i % 4) as f64 * if label == 1 { 3.0 } else { 1.0 }).collect()
}

fn held_out(estimator: &dyn Estimator) -> Matrix {
    let (x, y) = table(300, false);
    let (train_x, train_y) = rows_of(&x, &y, 0..200);
    let (test_x, _) = rows_of(&x, &y, 200..300);
    let weights = weights(&train_y);
    fitted(estimator, &train_x.with_weights(weights), &train_y).predict_probabilities(&test_x)
}

fn assert_rows(found: &Matrix, expected: [[f32; 3]; 4], tolerance: f32) {
    for (row, expected) in [0, 1, 2, 20].into_iter().zip(expected) {
        for (found, wanted) in found.row(row).iter().zip(expected) {
            assert!((found - wanted).abs() <= tolerance, "row {row}: {found} instead of {wanted}");
        }
    }
}

// X, y = table(300, False); Xt, yt, Xv = X[:200].astype("d"), y[:200], X[200:].astype("d")
// w = np.arange(200) % 4 * np.where(yt == 1, 3.0, 1.0); S = StandardScaler().fit(Xt[w > 0]); A, B = S.transform(Xt), S.transform(Xv)
// LogisticRegression(tol=1e-10, max_iter=10000).fit(A, yt, w).predict_proba(B)[[0, 1, 2, 20]]
// softmax(LinearSVC(tol=1e-9, max_iter=1000000).fit(A, yt, w).decision_function(B), 1)[[0, 1, 2, 20]]
// GaussianNB().fit(Xt[w > 0], yt[w > 0], w[w > 0]).predict_proba(Xv)[[0, 1, 2, 20]]
// np.bincount(DecisionTreeClassifier(max_depth=3).fit(Xt, yt, w).predict(Xt[w > 0])); the same of SVC(gamma=0.25, tol=1e-6).fit(A, yt, w)
#[test]
fn weighted_fits_have_the_values_of_scikit_learn() {
    let logistic = [
        [0.001221, 0.286604, 0.712174],
        [0.137409, 0.821821, 0.040771],
        [0.133584, 0.668061, 0.198355],
        [0.129915, 0.573756, 0.296329],
    ];
    assert_rows(&held_out(&Logistic { tolerance: 1e-9, ..Logistic::default() }), logistic, 1e-5);
    let svm = [
        [0.046972, 0.434721, 0.518307],
        [0.274116, 0.538788, 0.187096],
        [0.277559, 0.409887, 0.312555],
        [0.293828, 0.334505, 0.371666],
    ];
    assert_rows(&held_out(&LinearSvm { tolerance: 1e-9, ..LinearSvm::default() }), svm, 1e-5);
    let bayes = [
        [0.001232, 0.228991, 0.769777],
        [0.251498, 0.733277, 0.015225],
        [0.122901, 0.687621, 0.189478],
        [0.142354, 0.554934, 0.302712],
    ];
    assert_rows(&held_out(&NaiveBayes::default()), bayes, 1e-5);
    let counts = |found: Matrix| {
        let predicted = found.argmax_rows();
        [0, 1, 2].map(|class| predicted.iter().filter(|&&one| one == class).count())
    };
    assert_eq!(counts(held_out(&RbfSvm::default())), [18, 54, 28]);
    // Of new rows between two values trees of both differ, as our cuts lie between the values of all rows, not of those in the node.
    let (x, y) = table(200, false);
    let kept: Vec<usize> = (0..200).filter(|row| row % 4 > 0).collect();
    let tree = DecisionTree { max_depth: Some(3), ..DecisionTree::default() };
    let tree = fitted(&tree, &x.clone().with_weights(weights(&y)), &y);
    assert_eq!(counts(tree.predict_probabilities(&x.take(&kept))), [27, 66, 57]);
}

#[test]
fn every_kind_predicts_a_heavy_class_more_often_and_equal_weights_change_nothing() {
    let (x, y) = table(300, true);
    // Trees whose leaves hold rows of several classes; others have nothing to weigh.
    let mut kinds = Baselines::all();
    kinds.tree = Some(DecisionTree { max_depth: Some(3), ..DecisionTree::default() });
    kinds.random_forest = Some(RandomForest { trees: 20, min_samples_leaf: 20, ..RandomForest::default() });
    kinds.extra_trees = Some(ExtraTrees { trees: 20, min_samples_leaf: 20, ..ExtraTrees::default() });
    kinds.boosting = Some(Boosting { rounds: 20, ..Boosting::default() });
    for (name, estimator) in kinds.estimators().into_iter().filter(|(name, _)| name != "majority") {
        let said = |weights: Vec<f64>| {
            fitted(estimator.as_ref(), &x.clone().with_weights(weights), &y).predict_probabilities(&x)
        };
        let share = |found: &Matrix| (0..found.rows).map(|row| f64::from(found.get(row, 1))).sum::<f64>();
        let (plain, equal) = (said(Vec::new()), said(vec![1.0; 300]));
        assert_eq!(plain, equal, "{name}");
        let heavy = said(y.iter().map(|&label| if label == 1 { 4.0 } else { 1.0 }).collect());
        assert!(share(&heavy) > share(&plain) + 3.0, "{name}: {} and {}", share(&plain), share(&heavy));
    }
}

#[test]
fn a_weight_of_0_leaves_a_row_out() {
    let (x, y) = table(300, true);
    let kept: Vec<usize> = (0..300).filter(|row| row % 5 > 0).collect();
    let labels: Vec<u32> = kept.iter().map(|&row| y[row]).collect();
    let weights = (0..300).map(|row| f64::from(u8::from(row % 5 > 0))).collect();
    let weighted = x.clone().with_weights(weights);
    for (name, estimator) in all() {
        let [out, zero] =
            [fitted(estimator.as_ref(), &x.take(&kept), &labels), fitted(estimator.as_ref(), &weighted, &y)];
        assert_eq!(out.predict_probabilities(&x), zero.predict_probabilities(&x), "{name}");
    }
}

/// Nine of ten rows of class `a`, in folds of every class.
fn rare() -> (Features, Vec<u32>) {
    let (x, y) = table(3000, false);
    let kept: Vec<usize> = (0..3000).filter(|row| y[*row] == 0 || row % 10 == 1 || row % 10 == 2).collect();
    (x.take(&kept), kept.iter().map(|&row| y[row]).collect())
}

#[test]
fn class_weights_move_decisions_and_leave_probabilities_honest() {
    let (x, y) = rare();
    let part = |from: usize| -> Vec<usize> { (0..x.rows).filter(|row| row % 5 / 2 == from).collect() };
    let (train, valid, test) = (part(0), part(1), part(2));
    let folds: Vec<u32> = (0..train.len() as u32).map(|i| i % 3).collect();
    let judged = |weights: ClassWeights, valid: &[usize]| -> Vec<Evaluated> {
        let kinds = all().into_iter().filter(|(name, _)| ["majority", "logistic", "boosting"].contains(&name.as_str()));
        let kinds: Vec<_> = kinds.collect();
        evaluate(
            &kinds,
            &Task { valid, test: &test, class_weights: &weights, ..Task::new(&x, &y, &classes(), &train, &folds) },
            2,
            &Silent,
        )
        .unwrap()
    };
    for valid in [valid.as_slice(), &[]] {
        let plain = judged(ClassWeights::Named(NamedWeights::None), valid);
        let balanced = judged(ClassWeights::Named(NamedWeights::Balanced), valid);
        assert_eq!(plain[0].evaluation, balanced[0].evaluation);
        for (plain, balanced) in plain.iter().zip(&balanced).skip(1) {
            let name = &plain.evaluation.name;
            let counts = |one: &Evaluated| one.held_out.test.predicted.iter().filter(|&&class| class > 0).count();
            assert!(counts(balanced) > counts(plain) + 10, "{name}: {} and {}", counts(plain), counts(balanced));
            // The mean probability of a class is its share.
            for class in 0..3 {
                let said = &balanced.held_out.test.probabilities;
                let mean = (0..said.rows).map(|row| f64::from(said.get(row, class))).sum::<f64>() / said.rows as f64;
                let share = test.iter().filter(|&&row| y[row] as usize == class).count() as f64 / test.len() as f64;
                assert!((mean - share).abs() < 0.06, "{name}, class {class}: {mean} instead of {share}");
            }
            let loss = |one: &Evaluated| one.evaluation.test.as_ref().and_then(|scores| scores.log_loss).unwrap();
            assert!(loss(balanced) < loss(plain) + 0.06, "{name}: {} and {}", loss(plain), loss(balanced));
            let folds =
                |one: &Evaluated| one.evaluation.folds.iter().filter_map(|scores| scores.log_loss).sum::<f64>() / 3.0;
            assert!(folds(balanced) < folds(plain) + 0.15, "{name}: {} and {}", folds(plain), folds(balanced));
        }
    }
}
