//! What every kind promises: probabilities, clear errors and prompt cancellation.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{all, classes, fitted, rows_of, table};
use crate::classical::boosting::Boosting;
use crate::classical::decision_tree::DecisionTree;
use crate::classical::rbf_svm::RbfSvm;
use crate::classical::{Estimator, Features, FitError, Task, evaluate};
use crate::matrix::Matrix;
use crate::progress::{Progress, Silent};
use crate::rng::Stream;

#[test]
fn predictions_are_probabilities_whatever_is_missing() {
    let (mut x, y) = table(150, true);
    // One column is constant, and the rows to predict miss what training rows never did.
    for i in 0..x.rows {
        x.row_mut(i)[1] = 3.0;
    }
    let mut unseen = x.take(&[0, 1, 2, 3]);
    unseen.row_mut(0).fill(f64::NAN);
    unseen.row_mut(1)[0] = 1e30;
    unseen.row_mut(2)[1] = -1e30;
    for (name, estimator) in all() {
        let model = fitted(estimator.as_ref(), &x, &y);
        for rows in [&x, &unseen] {
            let probabilities = model.predict_probabilities(rows);
            assert_eq!((probabilities.rows, probabilities.cols), (rows.rows, 3), "{name}");
            for i in 0..rows.rows {
                let row = probabilities.row(i);
                assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{name}: {row:?}");
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}: {row:?}");
            }
        }
        assert_eq!(model.predict_probabilities(&x.take(&[])).rows, 0, "{name}");
    }
}

#[test]
fn columns_without_any_value_change_nothing_but_are_no_error() {
    let (x, y) = table(120, false);
    let hollow = Features::new(x.rows, 1, vec![f64::NAN; x.rows], vec![f32::NAN; x.rows]);
    for (name, estimator) in all() {
        let model = fitted(estimator.as_ref(), &hollow, &y);
        let row = model.predict_probabilities(&hollow);
        assert!((row.row(0).iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}: {:?}", row.row(0));
        assert!(fitted(estimator.as_ref(), &x, &y).predict_probabilities(&x).rows == x.rows);
    }
}

#[test]
fn a_class_that_never_occurred_has_probability_zero() {
    let (x, mut y) = table(120, true);
    y.iter_mut().for_each(|label| *label = if *label == 1 { 0 } else { *label });
    for (name, estimator) in all() {
        let probabilities = fitted(estimator.as_ref(), &x, &y).predict_probabilities(&x);
        for i in 0..x.rows {
            let row = probabilities.row(i);
            assert_eq!(row[1], 0.0, "{name}");
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}");
        }
    }
}

#[test]
fn input_that_nothing_can_be_learnt_from_is_one_clear_error() {
    let (x, y) = table(30, true);
    let mut infinite = x.clone();
    infinite.row_mut(4)[3] = f64::NEG_INFINITY;
    // Two components beside a number.
    let mut beyond = vec![0.0; 60];
    beyond[7] = f32::INFINITY;
    let beyond = Features::new(30, 1, vec![0.0; 30], beyond);
    let cases: [(Features, Vec<u32>, &str); 7] = [
        (x.take(&[]), vec![], "no rows to learn from"),
        (Features::from(Matrix::zeros(30, 0)), y.clone(), "no columns to learn from"),
        (x.clone(), vec![2; 30], "only one class occurs in the 30 training rows"),
        (infinite, y.clone(), "infinite value in row 4, column 3"),
        (beyond, y.clone(), "infinite value in row 3, column 2"),
        (x.clone(), vec![3; 30], "label 3 of row 0 is not below the number of classes, 3"),
        (x.clone(), y[..29].to_vec(), "30 rows but 29 labels"),
    ];
    for (name, estimator) in all() {
        for (x, y, expected) in &cases {
            let Err(error) = estimator.fit(x, y, 3, 0, &Silent) else { panic!("{name} accepted: {expected}") };
            assert!(error.to_string().starts_with(expected), "{name}: {error}");
        }
    }
}

/// Says stop at the given question and all later ones.
struct StopAt {
    left: AtomicU64,
}

impl Progress for StopAt {
    fn update(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}
    fn warn(&self, _message: &str) {}
    fn cancelled(&self) -> bool {
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1)));
        before == Ok(0)
    }
}

#[test]
fn long_fits_stop_when_told() {
    let (x, y) = table(300, true);
    for (name, estimator) in all() {
        if ["majority", "knn", "naive_bayes", "tree"].contains(&name.as_str()) {
            continue;
        }
        let stop = StopAt { left: AtomicU64::new(2) };
        let result = estimator.fit(&x, &y, 3, 0, &stop);
        assert!(matches!(result, Err(FitError::Cancelled(_))), "{name}");
    }
    let folds: Vec<u32> = (0..300).map(|i| i / 3 % 5).collect();
    let rows: Vec<usize> = (0..300).collect();
    for after in [0, 1, 5, 20] {
        let stop = StopAt { left: AtomicU64::new(after) };
        let result =
            evaluate(&all(), &Task { test: &rows, seed: 1, ..Task::new(&x, &y, &classes(), &rows, &folds) }, 2, &stop);
        assert!(matches!(result, Err(FitError::Cancelled(_))), "after {after}");
    }
}

#[test]
fn a_small_kernel_memory_is_slower_but_finds_the_same_machines() {
    let (x, y) = table(1000, true);
    let (train_x, train_y) = rows_of(&x, &y, 0..900);
    let (test_x, _) = rows_of(&x, &y, 900..1000);
    // 600 rows of a pair need 1.4 MiB.
    let fit = |cache_mib| {
        fitted(&RbfSvm { cache_mib, ..RbfSvm::default() }, &train_x, &train_y).predict_probabilities(&test_x)
    };
    let (whole, bounded) = (fit(400), fit(1));
    for (a, b) in whole.data.iter().zip(&bounded.data) {
        assert!((a - b).abs() < 1e-3);
    }
}

#[test]
fn early_stopping_keeps_boosting_from_overfitting() {
    let (x, y) = table(600, true);
    let (train_x, train_y) = rows_of(&x, &y, 0..400);
    let (test_x, test_y) = rows_of(&x, &y, 400..600);
    let loss = |early_stopping_fraction| {
        let boosting = Boosting { rounds: 300, learning_rate: 0.3, early_stopping_fraction, ..Boosting::default() };
        let probabilities = fitted(&boosting, &train_x, &train_y).predict_probabilities(&test_x);
        <crate::metrics::Scores as crate::metrics::FromProbabilities>::from_probabilities(
            &classes(),
            &test_y,
            &probabilities,
        )
        .log_loss
        .unwrap()
    };
    let (stopped, all_rounds) = (loss(Some(0.2)), loss(None));
    assert!(stopped < 0.8 * all_rounds, "{stopped} against {all_rounds}");
}

/// Many columns of noise beside those of `table`, so that several threads share the columns of one leaf.
fn wide_table(rows: usize, columns: usize) -> (Features, Vec<u32>) {
    let (x, y) = table(rows, true);
    let mut stream = Stream::new(1, "test", 0);
    let noise = (0..rows * (columns - x.cols)).map(|_| stream.uniform_f32()).collect();
    (Features::new(rows, x.cols, x.numbers, noise), y)
}

#[test]
fn threads_that_share_a_leaf_change_no_byte() {
    let (x, y) = wide_table(300, 700);
    let boosting =
        Boosting { rounds: 4, max_leaves: 6, row_fraction: 0.8, column_fraction: 0.6, ..Boosting::default() };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fitted(&boosting, &x, &y).predict_probabilities(&x))
    };
    let one = with(1);
    assert!([2, 3, 8].into_iter().all(|threads| with(threads) == one));
    let all_columns = Boosting { column_fraction: 1.0, ..boosting.clone() };
    let all_rows = Boosting { row_fraction: 1.0, ..boosting.clone() };
    for other in [all_columns, all_rows] {
        assert_ne!(fitted(&other, &x, &y).predict_probabilities(&x), one);
    }
}

#[test]
fn trees_without_draws_do_not_depend_on_the_order_of_rows() {
    let (x, y) = table(600, true);
    let order = Stream::new(4, "test", 0).permutation(600);
    let shuffled: Vec<u32> = order.iter().map(|&row| y[row]).collect();
    let boosting = Boosting { rounds: 30, ..Boosting::default() };
    let estimators: [&dyn Estimator; 2] = [&DecisionTree::default(), &boosting];
    for estimator in estimators {
        let as_given = fitted(estimator, &x, &y).predict_probabilities(&x);
        let permuted = fitted(estimator, &x.take(&order), &shuffled).predict_probabilities(&x);
        assert_eq!(as_given, permuted, "{}", estimator.name());
    }
}

#[test]
fn sampling_rows_and_columns_costs_little_accuracy() {
    let (x, y) = table(900, true);
    let (train_x, train_y) = rows_of(&x, &y, 0..600);
    let (test_x, test_y) = rows_of(&x, &y, 600..900);
    let loss = |row_fraction, column_fraction| {
        let boosting = Boosting { rounds: 60, row_fraction, column_fraction, ..Boosting::default() };
        let probabilities = fitted(&boosting, &train_x, &train_y).predict_probabilities(&test_x);
        <crate::metrics::Scores as crate::metrics::FromProbabilities>::from_probabilities(
            &classes(),
            &test_y,
            &probabilities,
        )
        .log_loss
        .unwrap()
    };
    let all = loss(1.0, 1.0);
    for (rows, columns) in [(0.7, 1.0), (1.0, 0.5), (0.7, 0.5)] {
        let sampled = loss(rows, columns);
        assert!(sampled < all + 0.05, "{rows} of the rows, {columns} of the columns: {sampled} against {all}");
    }
}
