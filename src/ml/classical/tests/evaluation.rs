//! What `evaluate` promises: scores by fold, the same bytes for any number of threads, clear
//! errors.

use std::sync::Mutex;

use super::{all, classes, table};
use crate::classical::{Baselines, Evaluated, Evaluation, Features, Task, evaluate};
use crate::matrix::Matrix;
use crate::progress::{Progress, Silent};

/// More rows than the largest block of any kind, so that threads have something to share.
fn evaluated(threads: usize, seed: u64) -> Vec<Evaluation> {
    let (x, y) = table(1500, true);
    let train: Vec<usize> = (0..1200).rev().collect();
    let folds: Vec<u32> = train.iter().map(|&row| row as u32 % 7 % 4).collect();
    let test: Vec<usize> = (1200..1500).collect();
    let evaluated = evaluate(
        &all(),
        &Task { test: &test, seed, ..Task::new(&x, &y, &classes(), &train, &folds) },
        threads,
        &Silent,
    )
    .unwrap();
    evaluated.into_iter().map(|one| one.evaluation).collect()
}

/// On the test part, which must be there.
fn accuracy(evaluation: &Evaluation) -> f64 {
    evaluation.test.as_ref().unwrap().accuracy
}

#[test]
fn threads_change_no_byte_and_seeds_do() {
    let text = |evaluations: &[Evaluation]| serde_json::to_string(evaluations).unwrap();
    let (one, two, three) = (evaluated(1, 5), evaluated(2, 5), evaluated(3, 5));
    assert_eq!(text(&one), text(&two));
    assert_eq!(text(&one), text(&three));
    let read: Vec<Evaluation> = serde_json::from_str(&text(&one)).unwrap();
    for (read, written) in read.iter().zip(&one) {
        assert_eq!((&read.name, &read.params, read.folds.len()), (&written.name, &written.params, 4));
        assert!((accuracy(read) - accuracy(written)).abs() < 1e-12);
    }
    let other = evaluated(1, 6);
    for (a, b) in one.iter().zip(&other) {
        let random = ["random_forest", "extra_trees"].contains(&a.name.as_str());
        assert_eq!(a != b, random, "{}", a.name);
    }
}

/// Remembers what it is told.
#[derive(Default)]
struct Notes {
    steps: Mutex<Vec<(String, u64, u64)>>,
    notes: Mutex<Vec<String>>,
}

impl Progress for Notes {
    fn update(&self, done: u64, total: u64, unit: &str, note: &str) {
        self.steps.lock().unwrap().push((unit.to_owned(), done, total));
        self.notes.lock().unwrap().push(note.to_owned());
    }
    fn warn(&self, _message: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}

#[test]
fn an_evaluation_scores_each_training_row_once_and_the_test_part_once() {
    let (x, y) = table(100, false);
    // Class 0 has most rows; folds differ in size, and fold 1 has no rows.
    let train: Vec<usize> = (0..80).filter(|row| row % 3 == 0 || row % 5 != 0).collect();
    let folds: Vec<u32> = (0..train.len()).map(|i| if i < 20 { 0 } else { 2 }).collect();
    let test: Vec<usize> = (80..100).collect();
    let block: Baselines = serde_json::from_str(r#"{"majority": {}, "tree": {"max_depth": 2}}"#).unwrap();
    let notes = Notes::default();
    let valid: Vec<usize> = (0..80).filter(|row| !train.contains(row)).collect();
    let evaluated = evaluate(
        &block.estimators(),
        &Task { valid: &valid, test: &test, ..Task::new(&x, &y, &classes(), &train, &folds) },
        2,
        &notes,
    )
    .unwrap();

    let evaluations: Vec<&Evaluation> = evaluated.iter().map(|one| &one.evaluation).collect();
    let names: Vec<&str> = evaluations.iter().map(|evaluation| evaluation.name.as_str()).collect();
    assert_eq!(names, ["majority", "tree"]);
    for Evaluated { evaluation, held_out: predicted, model, calibration, .. } in &evaluated {
        let mut said = model.predict_probabilities(&x.take(&test));
        // Leaves are surer of themselves than is right.
        assert_eq!(calibration.is_some(), evaluation.name == "tree");
        calibration.iter().for_each(|calibration| calibration.apply(&mut said));
        assert_eq!(said, predicted.test.probabilities);
        let share = |said: &Matrix, rows: &[usize]| {
            let hits = said.argmax_rows().iter().zip(rows).filter(|&(&class, &row)| class == y[row]).count();
            (said.rows, hits as f64 / rows.len() as f64)
        };
        assert_eq!(share(&predicted.test.probabilities, &test), (20, accuracy(evaluation)));
        let scores = evaluation.valid.as_ref().unwrap();
        assert_eq!(share(&predicted.valid.probabilities, &valid), (valid.len(), scores.accuracy));
        let interval = scores.intervals.as_ref().unwrap().accuracy;
        assert!(interval.low <= scores.accuracy && scores.accuracy <= interval.high, "{interval:?}");
    }
    assert_eq!(
        serde_json::Value::Object(evaluations[1].params.clone()),
        serde_json::json!({"max_depth": 2, "min_samples_leaf": 1})
    );
    let majority = evaluations[0];
    let rows: Vec<usize> = majority.folds.iter().map(|scores| scores.rows).collect();
    assert_eq!(rows, [20, train.len() - 20]);
    let accuracy_of_zero = |rows: &[usize]| rows.iter().filter(|&&row| y[row] == 0).count() as f64 / rows.len() as f64;
    let accuracies = [accuracy_of_zero(&train[..20]), accuracy_of_zero(&train[20..])];
    assert_eq!(majority.folds[0].accuracy, accuracies[0]);
    assert_eq!(majority.folds[1].accuracy, accuracies[1]);
    assert!((majority.cv_accuracy_mean - (accuracies[0] + accuracies[1]) / 2.0).abs() < 1e-12);
    assert!((majority.cv_accuracy_std - (accuracies[0] - accuracies[1]).abs() / 2.0).abs() < 1e-12);
    assert_eq!(accuracy(majority), accuracy_of_zero(&test));
    assert!(majority.test.as_ref().unwrap().log_loss.is_some());
    assert!(evaluations[1].cv_accuracy_mean > majority.cv_accuracy_mean);

    let timings = evaluated.iter().map(|one| &one.timing);
    assert!(timings.into_iter().all(|timing| timing.fit_seconds >= 0.0 && timing.predict_seconds >= 0.0));
    let mut steps = notes.steps.into_inner().unwrap();
    steps.sort_unstable();
    // What a fit of one model takes says nothing of those of another.
    let of = |unit: &str| (1..=3).map(|done| (unit.to_owned(), done, 3)).collect::<Vec<_>>();
    assert_eq!(steps, [of("fits of majority, model 1 of 2"), of("fits of tree, model 2 of 2")].concat());
}

#[test]
fn a_long_fit_tells_how_far_it_is() {
    let (x, y) = table(90, false);
    let rows: Vec<usize> = (0..90).collect();
    let folds: Vec<u32> = rows.iter().map(|&row| row as u32 / 3 % 2).collect();
    let block = r#"{"random_forest": {"trees": 5}, "boosting": {"rounds": 4}}"#;
    let block: Baselines = serde_json::from_str(block).unwrap();
    let notes = Notes::default();
    evaluate(&block.estimators(), &Task::new(&x, &y, &classes(), &rows, &folds), 2, &notes).unwrap();
    let told = notes.notes.into_inner().unwrap();
    for note in ["random_forest, fold 0: 5/5 trees", "random_forest: 3/5 trees", "boosting, fold 1: 3/4 rounds"] {
        assert_eq!(told.iter().filter(|said| *said == note).count(), 1, "{note}: {told:?}");
    }
}

#[test]
fn a_class_absent_from_a_fold_is_no_error_and_wrong_parts_are() {
    let (x, y) = table(90, true);
    let rows: Vec<usize> = (0..90).collect();
    // Class 2 is in fold 1 alone, so the model that scores fold 1 never saw it.
    let folds: Vec<u32> = rows.iter().map(|&row| if y[row] == 2 { 1 } else { row as u32 / 3 % 2 }).collect();
    let run = |x: &Features, y: &[u32], train: &[usize], folds: &[u32], test: &[usize]| {
        evaluate(&all(), &Task { test, ..Task::new(x, y, &classes(), train, folds) }, 2, &Silent)
            .map_err(|error| error.to_string())
    };
    for Evaluated { evaluation, .. } in run(&x, &y, &rows, &folds, &[]).unwrap() {
        assert_eq!(evaluation.folds[1].per_class[2].recall, 0.0, "{}", evaluation.name);
        assert_eq!(evaluation.test, None);
    }

    let refused = |result: Result<_, String>| result.err().unwrap();
    assert!(refused(run(&x, &y, &[], &[], &rows)).starts_with("no rows"));
    assert!(refused(run(&x, &y, &rows, &[4; 90], &rows)).starts_with("cross-validation needs at least 2 folds"));
    assert!(refused(run(&x, &y, &rows, &folds[1..], &rows)).starts_with("90 rows but 89 folds"));
    assert!(refused(run(&x, &y, &[0, 90], &[0, 1], &rows)).starts_with("row 90 is beyond the 90 rows"));
    let one_class: Vec<u32> = vec![1; 90];
    assert_eq!(
        refused(run(&x, &one_class, &rows, &folds, &rows)),
        "only one class occurs in the 90 training rows: a classifier needs at least two"
    );
    let halves: Vec<u32> = y.iter().map(|&label| u32::from(label == 0)).collect();
    let by_label: Vec<usize> = rows.iter().copied().filter(|&row| y[row] != 2).collect();
    let label_folds: Vec<u32> = by_label.iter().map(|&row| halves[row]).collect();
    assert!(
        refused(run(&x, &y, &by_label, &label_folds, &rows)).starts_with("majority, fold 0: only one class occurs")
    );
}

#[test]
fn scores_without_meaning_as_probabilities_get_no_log_loss() {
    for evaluation in evaluated(2, 5) {
        let is_svm = evaluation.name.ends_with("_svm");
        assert_eq!(evaluation.test.as_ref().unwrap().log_loss.is_none(), is_svm, "{}", evaluation.name);
        assert_eq!(evaluation.folds[0].log_loss.is_none(), is_svm, "{}", evaluation.name);
    }
}

#[test]
fn scores_become_probabilities_where_there_are_validation_rows() {
    let (x, y) = table(400, false);
    let rows =
        |part: usize| (0..400).filter(move |row| row % 4 == part || (part == 0 && row % 4 == 1)).collect::<Vec<_>>();
    let (train, valid, test) = (rows(0), rows(2), rows(3));
    let folds: Vec<u32> = (0..train.len()).map(|i| i as u32 / 2 % 2).collect();
    let groups: Vec<i64> = (0..400).map(|row| row / 8).collect();
    let block: Baselines = serde_json::from_str(r#"{"linear_svm": {}, "rbf_svm": {}, "majority": {}}"#).unwrap();
    let run = |groups: &[i64]| {
        let estimators = block.estimators();
        evaluate(
            &estimators,
            &Task { groups, valid: &valid, test: &test, ..Task::new(&x, &y, &classes(), &train, &folds) },
            2,
            &Silent,
        )
        .unwrap()
    };
    let (grouped, alone) = (run(&groups), run(&[]));
    let loss = |name: &str| {
        grouped
            .iter()
            .find(|one| one.evaluation.name == name)
            .and_then(|one| one.evaluation.test.as_ref()?.log_loss)
            .unwrap()
    };
    for Evaluated { evaluation, calibration, held_out, model, .. } in &grouped {
        assert_eq!(calibration.is_some(), evaluation.name.ends_with("_svm"));
        assert_eq!(held_out.test.predicted, model.predict_probabilities(&x.take(&test)).argmax_rows());
        assert!(loss(&evaluation.name) <= loss("majority") + 1e-9, "{}: {}", evaluation.name, loss(&evaluation.name));
        assert_eq!(evaluation.test.as_ref().unwrap().groups, Some(50));
    }
    for (grouped, alone) in grouped.iter().zip(&alone) {
        let [grouped, alone] = [grouped, alone].map(|one| one.evaluation.test.as_ref().unwrap());
        assert_eq!(alone.groups, None);
        assert_eq!(grouped.accuracy, alone.accuracy);
        assert_ne!(grouped.intervals, alone.intervals);
    }
}

#[test]
fn votes_of_leaves_and_neighbours_become_probabilities() {
    let (x, _) = table(1600, false);
    // One row in twenty, and the columns tell little of which.
    let y: Vec<u32> = (0..1600).map(|row| u32::from(row * 7919 % 1009 % 20 == 0)).collect();
    let names = ["common", "rare"].map(str::to_owned);
    let part = |wanted: [usize; 2]| -> Vec<usize> { (0..1600).filter(|row| wanted.contains(&(row % 4))).collect() };
    let (train, valid, test) = (part([0, 1]), part([2, 2]), part([3, 3]));
    let folds: Vec<u32> = (0..train.len() as u32).map(|i| i % 2).collect();
    let block = r#"{"tree": {}, "random_forest": {"trees": 30}, "knn": {"k": 5}, "naive_bayes": {}, "majority": {}}"#;
    let block: Baselines = serde_json::from_str(block).unwrap();
    let evaluated = evaluate(
        &block.estimators(),
        &Task { valid: &valid, test: &test, ..Task::new(&x, &y, &names, &train, &folds) },
        2,
        &Silent,
    )
    .unwrap();
    let loss = |one: &Evaluated| one.evaluation.test.as_ref().unwrap().log_loss.unwrap();
    let guess = evaluated.iter().find(|one| one.evaluation.name == "majority").map(loss).unwrap();
    for one in &evaluated {
        assert!(loss(one) < guess + 0.02, "{}: {} beside {guess} of the guess", one.evaluation.name, loss(one));
    }
}
