//! Categories: values of scikit-learn, and what every kind promises of them.

use super::{Estimator, Features, all, fitted, rows_of, table};
use crate::classical::boosting::Boosting;
use crate::classical::decision_tree::DecisionTree;
use crate::classical::logistic::Logistic;
use crate::classical::naive_bayes::NaiveBayes;
use crate::classical::{Fitted, Inputs, Model};
use crate::frame::{Column, Frame};
use crate::matrix::Matrix;
use crate::progress::Silent;
use crate::rng::Stream;

/// Rows with these categories, by column, each numbered from 1.
fn with_categories(x: Features, columns: &[Vec<u32>]) -> Features {
    let codes = (0..x.rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
    x.with_categories(columns.len(), codes)
}

/// Categories alone.
fn categories(columns: &[Vec<u32>]) -> Features {
    with_categories(Features::new(columns[0].len(), 0, Vec::new(), Vec::new()), columns)
}

fn fit(estimator: &dyn Estimator, x: &Features, y: &[u32], classes: usize) -> Box<dyn Model> {
    estimator.fit(x, y, classes, 0, &Silent).unwrap()
}

fn accuracy(probabilities: &Matrix, y: &[u32]) -> f64 {
    let hits = probabilities.argmax_rows().iter().zip(y).filter(|(predicted, truth)| predicted == truth).count();
    hits as f64 / y.len() as f64
}

/// `rows` draws below `bound`, from 1.
fn draws(rows: usize, bound: usize, stream: u64) -> Vec<u32> {
    let mut stream = Stream::new(5, "test", stream);
    (0..rows).map(|_| 1 + stream.below(bound) as u32).collect()
}

// import numpy as np
// from sklearn.compose import ColumnTransformer; from sklearn.preprocessing import OneHotEncoder
// from sklearn.naive_bayes import CategoricalNB, GaussianNB
// X, y = table(300, True); i = np.arange(300)
// C = np.stack([(i * i // 7 + i % 3) % 5, (i // 4 + 2 * (i % 3)) % 3], 1)
// Xt, yt, Xv, Ct, Cv = X[:200].astype("d"), y[:200], X[200:].astype("d"), C[:200], C[200:]
// columns = ColumnTransformer([
//     ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [0, 1, 2, 3]),
//     ("c", OneHotEncoder(), [4, 5])])
// p = make_pipeline(columns, LogisticRegression(tol=1e-10, max_iter=10000)).fit(np.hstack([Xt, Ct]), yt)
// p.predict_proba(np.hstack([Xv, Cv]))[[0, 1, 2, 20]]  # the first figures below
// g, c = GaussianNB().fit(Xt[:, :2], yt), CategoricalNB().fit(Ct, yt)
// s = g.predict_joint_log_proba(Xv[:, :2]) + c.predict_joint_log_proba(Cv) - np.log(g.class_prior_)
// p = np.exp(s - s.max(1, keepdims=True)); (p / p.sum(1, keepdims=True))[[0, 1, 2, 20]]  # the second
#[test]
fn one_hot_columns_and_counted_values_have_the_probabilities_of_scikit_learn() {
    let (x, y) = table(300, true);
    let columns = [
        (0..300).map(|i| 1 + (i * i / 7 + i % 3) % 5).collect::<Vec<u32>>(),
        (0..300).map(|i| 1 + (i / 4 + 2 * (i % 3)) % 3).collect(),
    ];
    let two: Vec<f64> = (0..300).flat_map(|i| [x.get(i, 0), x.get(i, 1)]).collect();
    let held_out = |estimator: &dyn Estimator, x: Features| {
        let x = with_categories(x, &columns);
        let (train_x, train_y) = rows_of(&x, &y, 0..200);
        let (test_x, _) = rows_of(&x, &y, 200..300);
        fitted(estimator, &train_x, &train_y).predict_probabilities(&test_x)
    };
    let logistic = held_out(&Logistic { tolerance: 1e-8, ..Logistic::default() }, x);
    let bayes = held_out(&NaiveBayes::default(), Features::new(300, 2, two, Vec::new()));
    let of_logistic = [
        [0.003745, 0.103659, 0.892596],
        [0.423499, 0.477716, 0.098784],
        [0.360585, 0.439854, 0.199561],
        [0.166463, 0.283854, 0.549683],
    ];
    let of_bayes = [
        [0.003208, 0.165300, 0.831492],
        [0.513251, 0.460506, 0.026243],
        [0.223514, 0.615773, 0.160713],
        [0.198225, 0.361061, 0.440714],
    ];
    for (found, expected, tolerance) in [(logistic, of_logistic, 2e-5), (bayes, of_bayes, 1e-5)] {
        for (row, expected) in [0, 1, 2, 20].into_iter().zip(expected) {
            for (found, wanted) in found.row(row).iter().zip(expected) {
                assert!((found - wanted).abs() <= tolerance, "row {row}: {found} instead of {wanted}");
            }
        }
    }
}

#[test]
fn a_label_that_is_a_set_of_categories_is_learnt() {
    // 40 values, in no order of their labels, of two and of three classes.
    let values = draws(4000, 40, 0);
    for classes in [2, 3] {
        let y: Vec<u32> = values.iter().map(|value| value * 7 % 11 % classes).collect();
        let (x, classes) = (categories(std::slice::from_ref(&values)), classes as usize);
        let boosting = Boosting { rounds: 60, ..Boosting::default() };
        let (kinds, rounds) = (all(), ("boosting".to_owned(), Box::new(boosting) as Box<dyn Estimator>));
        for (name, estimator) in kinds.into_iter().filter(|(name, _)| name != "majority").chain([rounds]) {
            let found = accuracy(&fit(estimator.as_ref(), &x, &y, classes).predict_probabilities(&x), &y);
            assert_eq!(found, 1.0, "{name}, {classes} classes");
        }
    }
}

#[test]
fn two_columns_decide_together() {
    // Neither column tells anything alone, which no rate of a value could make up for.
    let columns = [draws(4000, 8, 1), draws(4000, 8, 2), draws(4000, 3, 3)];
    let y: Vec<u32> = columns[0].iter().zip(&columns[1]).map(|(a, b)| (a * 3 % 5 + b) % 2).collect();
    let x = categories(&columns);
    let (train_x, train_y) = rows_of(&x, &y, 0..3000);
    let (test_x, test_y) = rows_of(&x, &y, 3000..4000);
    for name in ["random_forest", "extra_trees", "boosting"] {
        let (_, estimator) = all().into_iter().find(|(kind, _)| kind == name).unwrap();
        let found = accuracy(&fit(estimator.as_ref(), &train_x, &train_y, 2).predict_probabilities(&test_x), &test_y);
        assert!(found > 0.95, "{name}: {found}");
    }
}

/// Categories of a table, as a baseline's inputs read them.
fn of_names(columns: &[Vec<Option<String>>], train: usize) -> (Frame, Inputs) {
    let mut frame = Frame::new(columns[0].len());
    let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
    for (name, column) in names.iter().zip(columns) {
        frame.insert_categories(name, column.clone());
    }
    frame.insert("number", Column::Numeric((0..frame.rows).map(|row| (row * 37 % 101) as f64).collect()));
    let rows: Vec<usize> = (0..train).collect();
    let inputs = Inputs::of(&frame, &["number".to_owned()], &[], &names, &rows).unwrap();
    (frame, inputs)
}

#[test]
fn what_values_are_called_changes_nothing() {
    let (few, many) = (draws(900, 12, 4), draws(900, 150, 5));
    let y: Vec<u32> = few.iter().zip(&many).map(|(a, b)| (a * 5 % 7 + b % 2) % 3).collect();
    let said = |name: &dyn Fn(u32) -> String, estimator: &dyn Estimator| {
        let columns = [&few, &many].map(|column| column.iter().map(|&value| Some(name(value))).collect::<Vec<_>>());
        let (frame, inputs) = of_names(&columns, 900);
        fitted(estimator, &inputs.features(&frame, &Silent).unwrap(), &y)
            .predict_probabilities(&inputs.features(&frame, &Silent).unwrap())
    };
    for (name, estimator) in all() {
        let plain = said(&|value| format!("{value:04}"), estimator.as_ref());
        let other = said(&|value| format!("{:04}", value * 577 % 1009), estimator.as_ref());
        assert_eq!(plain, other, "{name}");
    }
}

#[test]
fn missing_is_a_value_and_unseen_is_none() {
    let value = |row: usize| match row % 4 {
        0 => None,
        1 => Some("a".to_owned()),
        2 => Some("b".to_owned()),
        _ => Some("c".to_owned()),
    };
    let column: Vec<Option<String>> = (0..400).map(value).collect();
    // Missing, and `b`, are of the second class.
    let y: Vec<u32> = (0..400).map(|row| u32::from(row % 2 == 0)).collect();
    let (frame, inputs) = of_names(&[column], 400);
    let x = inputs.features(&frame, &Silent).unwrap();
    let mut rows = Frame::new(4);
    rows.insert("number", Column::Numeric(vec![50.0; 4]));
    rows.insert_categories("c0", [None, Some("b"), Some("c"), Some("z")].map(|one| one.map(str::to_owned)).to_vec());
    for (name, estimator) in all().into_iter().filter(|(name, _)| name != "majority") {
        let model = fit(estimator.as_ref(), &x, &y, 2);
        let said = model.predict_probabilities(&inputs.features(&rows, &Silent).unwrap());
        assert_eq!(said.argmax_rows()[..3], [1, 1, 0], "{name}: {:?}", said.data);
        assert!(said.row(3).iter().all(|share| share.is_finite()), "{name}");
    }
}

#[test]
fn identifiers_of_noise_cost_nothing() {
    let (x, y) = table(2400, true);
    let loss = |x: &Features, estimator: &dyn Estimator| {
        let (train_x, train_y) = rows_of(x, &y, 0..1600);
        let (test_x, test_y) = rows_of(x, &y, 1600..2400);
        1.0 - accuracy(&fitted(estimator, &train_x, &train_y).predict_probabilities(&test_x), &test_y)
    };
    for (name, estimator) in all() {
        let without = loss(&x, estimator.as_ref());
        // One row each, three, and forty.
        for (values, stream) in [(100_000, 6), (800, 7), (60, 8)] {
            let with = loss(&with_categories(x.clone(), &[draws(2400, values, stream)]), estimator.as_ref());
            assert!(
                with < without + 0.03,
                "{name}, {values} values: errors {with:.4} with noise, {without:.4} without"
            );
        }
    }
}

#[test]
fn many_values_that_tell_something_are_learnt() {
    // 600 values of about five rows each, which no bin or column of its own could hold.
    let values = draws(4000, 600, 9);
    let mut noise = Stream::new(5, "test", 10);
    let y: Vec<u32> =
        values.iter().map(|value| if noise.uniform() < 0.1 { value / 7 % 2 } else { value * 31 % 7 % 2 }).collect();
    let x = categories(&[values]);
    let (train_x, train_y) = rows_of(&x, &y, 0..3000);
    let (test_x, test_y) = rows_of(&x, &y, 3000..4000);
    for (name, estimator) in all().into_iter().filter(|(name, _)| name != "majority") {
        let found = accuracy(&fit(estimator.as_ref(), &train_x, &train_y, 2).predict_probabilities(&test_x), &test_y);
        assert!(found > 0.8, "{name}: {found}");
    }
}

#[test]
fn threads_change_no_byte_of_models_of_categories() {
    let (x, y) = table(1500, true);
    let x = with_categories(x, &[draws(1500, 30, 11), draws(1500, 400, 12), draws(1500, 3, 13)]);
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
fn the_order_of_columns_of_numbers_and_categories_is_that_of_the_inputs() {
    let column = draws(300, 4, 14).into_iter().map(|value| Some(format!("v{value}"))).collect::<Vec<_>>();
    let y: Vec<u32> = column.iter().map(|value| u32::from(value.as_deref() == Some("v1"))).collect();
    let (frame, inputs) = of_names(&[column], 300);
    let models = serde_json::from_str(r#"{"tree": {}}"#).unwrap();
    let model = fit(&DecisionTree::default(), &inputs.features(&frame, &Silent).unwrap(), &y, 2);
    let kept = Fitted::new(&models, "tree", inputs, &["n", "y"].map(String::from), model, None);
    let (arrays, recipe) = kept.to_parts().unwrap();
    assert_eq!(recipe["inputs"]["categories"][0]["values"], serde_json::json!(["v1", "v2", "v3", "v4"]));
    let again = Fitted::from_parts(&arrays, &recipe).unwrap();
    assert_eq!(accuracy(&again.predict_probabilities(&frame).unwrap(), &y), 1.0);
}
