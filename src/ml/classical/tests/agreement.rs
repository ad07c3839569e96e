//! Each kind against scikit-learn 1.9.1 or LightGBM 4.7.0. The table and `scaled` are those of
//! `table` in `mod.rs`.

use super::{fitted, rows_of, table};
use crate::classical::boosting::Boosting;
use crate::classical::decision_tree::DecisionTree;
use crate::classical::forest::{ExtraTrees, RandomForest};
use crate::classical::knn::Knn;
use crate::classical::linear_svm::LinearSvm;
use crate::classical::logistic::Logistic;
use crate::classical::naive_bayes::NaiveBayes;
use crate::classical::ordinal_logistic::OrdinalLogistic;
use crate::classical::rbf_svm::RbfSvm;
use crate::classical::{Estimator, Features};
use crate::matrix::Matrix;
use crate::metrics::{FromProbabilities as _, Scores};
use crate::progress::Silent;

/// Holds the probabilities of rows 0, 1, 2 and 20 against `expected`.
fn assert_probabilities(probabilities: &Matrix, expected: [[f32; 3]; 4], tolerance: f32) {
    for (row, expected) in [0, 1, 2, 20].into_iter().zip(expected) {
        for (found, wanted) in probabilities.row(row).iter().zip(expected) {
            let found_row = probabilities.row(row);
            assert!((found - wanted).abs() <= tolerance, "row {row}: {found_row:?}, expected {expected:?}");
        }
    }
}

fn correct(probabilities: &Matrix, y: &[u32]) -> usize {
    probabilities.argmax_rows().iter().zip(y).filter(|(predicted, truth)| predicted == truth).count()
}

fn log_loss(probabilities: &Matrix, y: &[u32]) -> f64 {
    let classes = ["a", "b", "c"].map(String::from);
    Scores::from_probabilities(&classes, y, probabilities).log_loss.unwrap()
}

/// Probabilities of the last 100 rows by the model of the first 200, and their labels.
fn held_out(estimator: &dyn Estimator, missing: bool) -> (Matrix, Vec<u32>) {
    let (x, y) = table(300, missing);
    let (train_x, train_y) = rows_of(&x, &y, 0..200);
    let (test_x, test_y) = rows_of(&x, &y, 200..300);
    (fitted(estimator, &train_x, &train_y).predict_probabilities(&test_x), test_y)
}

// from scipy.optimize import minimize; from scipy.special import expit
// S = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(Xt.astype("d")); Z, V = S.transform(Xt), S.transform(Xv)
// def probs(q, Z): return np.diff(expit(np.c_[[-np.inf] * len(Z), q[None, 4:] - (Z @ q[:4])[:, None], [np.inf] * len(Z)]), axis=1)
// for C, w in ((1., np.ones(200)), (.01, np.ones(200)), (1., 1. + np.arange(200) % 3)):
//     loss = lambda q: -(w * np.log(probs(q, Z)[np.arange(200), yt])).sum() + (q[:4] ** 2).sum() / 2 / C
//     q = minimize(loss, np.r_[np.zeros(4), -.7, .7], method="BFGS", options=dict(gtol=1e-9, maxiter=10000)).x
//     q = minimize(loss, q, method="Nelder-Mead", options=dict(xatol=1e-11, fatol=1e-13, maxiter=40000, maxfev=40000)).x
//     p = probs(q, V); p[[0, 1, 2, 20]], (p.argmax(1) == yv).sum()
#[test]
fn ordinal_logistic_regression_has_the_probabilities_of_proportional_odds() {
    let (p, y) = held_out(&OrdinalLogistic { tolerance: 1e-8, ..OrdinalLogistic::default() }, true);
    let expected = [
        [0.003657, 0.088014, 0.908329],
        [0.173531, 0.678841, 0.147628],
        [0.143365, 0.678131, 0.178504],
        [0.062049, 0.583231, 0.35472],
    ];
    assert_probabilities(&p, expected, 2e-5);
    assert_eq!(correct(&p, &y), 69);

    let (p, y) = held_out(&OrdinalLogistic { c: 0.01, tolerance: 1e-8, ..OrdinalLogistic::default() }, true);
    let expected = [
        [0.148341, 0.345963, 0.505696],
        [0.292488, 0.406305, 0.301207],
        [0.279921, 0.405766, 0.314313],
        [0.227097, 0.395388, 0.377514],
    ];
    assert_probabilities(&p, expected, 2e-5);
    assert_eq!(correct(&p, &y), 66);

    let (x, y) = table(300, true);
    let (train_x, train_y) = rows_of(&x, &y, 0..200);
    let weighted = train_x.with_weights((0..200).map(|row| 1.0 + f64::from(row % 3)).collect());
    let model = fitted(&OrdinalLogistic { tolerance: 1e-8, ..OrdinalLogistic::default() }, &weighted, &train_y);
    let (test_x, test_y) = rows_of(&x, &y, 200..300);
    let p = model.predict_probabilities(&test_x);
    let expected = [
        [0.001048, 0.052696, 0.946255],
        [0.065936, 0.726625, 0.207439],
        [0.050764, 0.692466, 0.25677],
        [0.01697, 0.466056, 0.516974],
    ];
    assert_probabilities(&p, expected, 2e-5);
    assert_eq!(correct(&p, &test_y), 59);
}

// p = scaled(LogisticRegression(C=C, tol=1e-10, max_iter=10000)).predict_proba(Xv)
// p[[0, 1, 2, 20]], (p.argmax(1) == yv).sum()
#[test]
fn logistic_regression_has_the_probabilities_of_scikit_learn() {
    let (p, y) = held_out(&Logistic { tolerance: 1e-8, ..Logistic::default() }, true);
    let expected = [
        [0.002983, 0.109552, 0.887465],
        [0.367391, 0.459261, 0.173348],
        [0.327946, 0.438797, 0.233257],
        [0.149475, 0.259069, 0.591456],
    ];
    assert_probabilities(&p, expected, 2e-5);
    assert_eq!(correct(&p, &y), 71);

    let (p, _) = held_out(&Logistic { c: 0.01, tolerance: 1e-8, ..Logistic::default() }, true);
    let expected = [
        [0.174576, 0.325672, 0.499752],
        [0.357894, 0.312798, 0.329308],
        [0.347127, 0.306287, 0.346586],
        [0.296888, 0.274974, 0.428138],
    ];
    assert_probabilities(&p, expected, 2e-5);
}

// x = np.array([[0.], [1], [2], [3], [4], [5], [6], [7], [8], [20]]); y = np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 1])
// LogisticRegression(C=C, tol=1e-10, max_iter=1000).fit(z := (x - x.mean(0)) / x.std(0), y).predict_proba(z)[[0, 3, 9], 1]
#[test]
fn logistic_regression_of_two_classes_is_penalised_as_that_of_scikit_learn() {
    let x = Features::new(10, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 20.0], Vec::new());
    let y = [0, 0, 0, 1, 0, 1, 1, 0, 1, 1];
    for (c, expected) in
        [(0.1, [0.446_323_97, 0.475_171_35, 0.636_156_5]), (1.0, [0.296_707_35, 0.410_170_16, 0.921_921])]
    {
        let logistic = Logistic { c, tolerance: 1e-9, ..Logistic::default() };
        let model = logistic.fit(&x, &y, 2, 0, &Silent).unwrap();
        let p = model.predict_probabilities(&x);
        for (row, wanted) in [0, 3, 9].into_iter().zip(expected) {
            assert!((p.get(row, 1) - wanted).abs() < 2e-5, "C = {c}, row {row}: {} for {wanted}", p.get(row, 1));
        }
    }
}

// p = softmax(scaled(LinearSVC(tol=1e-10, max_iter=100000)).decision_function(Xv), 1)
#[test]
fn linear_svm_has_the_decision_values_of_liblinear() {
    let (p, y) = held_out(&LinearSvm { tolerance: 1e-8, ..LinearSvm::default() }, true);
    let expected = [
        [0.048724, 0.237809, 0.713467],
        [0.399345, 0.307887, 0.292769],
        [0.378605, 0.295632, 0.325764],
        [0.275050, 0.215098, 0.509852],
    ];
    assert_probabilities(&p, expected, 2e-5);
    assert_eq!(correct(&p, &y), 70);
}

// p = softmax(scaled(SVC(C=3, tol=1e-8)).decision_function(Xv), 1)
#[test]
fn rbf_svm_has_the_votes_and_decision_values_of_libsvm() {
    let (p, y) = held_out(&RbfSvm { c: 3.0, tolerance: 1e-5, ..RbfSvm::default() }, true);
    let expected = [
        [0.058351, 0.201305, 0.740344],
        [0.200889, 0.734156, 0.064955],
        [0.222505, 0.702084, 0.075411],
        [0.062151, 0.233057, 0.704792],
    ];
    assert_probabilities(&p, expected, 1e-4);
    assert_eq!(correct(&p, &y), 70);
}

// p = scaled(KNeighborsClassifier(25)).predict_proba(Xv)
#[test]
fn nearest_neighbours_are_those_of_scikit_learn() {
    let (p, y) = held_out(&Knn { k: 25 }, true);
    let expected = [[0.04, 0.16, 0.8], [0.24, 0.4, 0.36], [0.28, 0.32, 0.4], [0.16, 0.36, 0.48]];
    assert_probabilities(&p, expected, 1e-6);
    assert_eq!(correct(&p, &y), 71);
}

// X, y = table(300, False); p = GaussianNB().fit(X[:200].astype("d"), yt).predict_proba(X[200:])
#[test]
fn naive_bayes_has_the_probabilities_of_scikit_learn() {
    let (p, y) = held_out(&NaiveBayes::default(), false);
    let expected = [
        [0.002358, 0.111890, 0.885752],
        [0.538966, 0.412458, 0.048576],
        [0.250434, 0.448232, 0.301334],
        [0.185117, 0.334108, 0.480775],
    ];
    assert_probabilities(&p, expected, 1e-5);
    assert_eq!(correct(&p, &y), 75);
}

// m = DecisionTreeClassifier(max_depth=4, random_state=0).fit(Xt, yt); p = m.predict_proba(Xt)
// p[[0, 1, 2, 20]], (p.argmax(1) == yt).sum(), log_loss(yt, p)
#[test]
fn a_tree_parts_its_training_rows_as_that_of_scikit_learn() {
    let (x, y) = table(200, true);
    let p = fitted(&DecisionTree { max_depth: Some(4), min_samples_leaf: 1 }, &x, &y).predict_probabilities(&x);
    let expected =
        [[0.631579, 0.350877, 0.017544], [0.0, 1.0, 0.0], [0.0, 0.035088, 0.964912], [0.0, 0.035088, 0.964912]];
    assert_probabilities(&p, expected, 1e-6);
    assert_eq!(correct(&p, &y), 168);
    assert!((log_loss(&p, &y) - 0.340_016_54).abs() < 1e-6);
}

// for s in range(5):
//     p = RandomForestClassifier(300, random_state=s).fit(Xt, yt).predict_proba(Xv)
//     print((p.argmax(1) == yv).sum(), log_loss(yv, p))
// -> 74 0.5111, 75 0.5107, 73 0.5222, 71 0.5290, 73 0.5093
// ExtraTreesClassifier -> 74 0.5255, 73 0.5251, 73 0.5209, 72 0.5320, 73 0.5147
#[test]
fn forests_are_as_good_as_those_of_scikit_learn() {
    for (estimator, losses) in
        [(&RandomForest::default() as &dyn Estimator, 0.50..0.54), (&ExtraTrees::default(), 0.505..0.54)]
    {
        let (p, y) = held_out(estimator, true);
        assert!((70..=76).contains(&correct(&p, &y)), "{}: {} correct", estimator.name(), correct(&p, &y));
        let loss = log_loss(&p, &y);
        assert!(losses.contains(&loss), "{}: log loss {loss}", estimator.name());
    }
}

// m = lightgbm.LGBMClassifier(n_estimators=5, learning_rate=.1, num_leaves=8, min_child_samples=10,
//                             min_data_in_bin=1)
// p = m.fit(Xt, yt).predict_proba(Xt); p[[0, 1, 2, 20]], log_loss(yt, p)
#[test]
fn boosting_grows_the_trees_of_lightgbm() {
    let (x, y) = table(200, true);
    let boosting =
        Boosting { rounds: 5, learning_rate: 0.1, max_leaves: 8, min_child_samples: 10, ..Boosting::default() };
    let p = fitted(&boosting, &x, &y).predict_probabilities(&x);
    let expected = [
        [0.584267, 0.241697, 0.174036],
        [0.192260, 0.618868, 0.188872],
        [0.185096, 0.199684, 0.615220],
        [0.190031, 0.205008, 0.604961],
    ];
    assert_probabilities(&p, expected, 2e-6);
    assert!((log_loss(&p, &y) - 0.610_864_68).abs() < 1e-6);
}

// X[(y == 2) & (i % 9 < 6), 0] = np.nan; X[(y == 0) & (i % 2 == 0), 1] = np.nan, where i = np.arange(200)
// m as above with n_estimators=1: p[[0, 1, 2, 20]], log_loss(yt, p), (p.argmax(1) == yt).sum();
// with n_estimators=5: log_loss(yt, p)
#[test]
fn boosting_sends_missing_values_where_lightgbm_does() {
    let (mut x, y) = table(200, true);
    for (i, label) in y.iter().enumerate() {
        match label {
            2 if i % 9 < 6 => x.row_mut(i)[0] = f64::NAN,
            0 if i % 2 == 0 => x.row_mut(i)[1] = f64::NAN,
            _ => {}
        }
    }
    let boosted = |rounds| {
        let boosting =
            Boosting { rounds, learning_rate: 0.1, max_leaves: 8, min_child_samples: 10, ..Boosting::default() };
        fitted(&boosting, &x, &y).predict_probabilities(&x)
    };
    let p = boosted(1);
    let expected = [
        [0.404495, 0.299880, 0.295625],
        [0.299880, 0.404495, 0.295625],
        [0.300054, 0.300054, 0.399892],
        [0.300054, 0.300054, 0.399892],
    ];
    assert_probabilities(&p, expected, 2e-6);
    assert!((log_loss(&p, &y) - 0.947_553_61).abs() < 1e-6);
    assert_eq!(correct(&p, &y), 182);
    // Later rounds choose another of two equally good cuts here and there.
    assert!((log_loss(&boosted(5), &y) - 0.580_466_17).abs() < 1e-3);
}
