//! Classes that have an order, through the program: in which order they are listed, what learns from it, and how it is checked.

use arrow::array::AsArray;
use runner::artifact::Table;
use runner::results::spec::Loss;
use runner::results::{
    Metric, Split, baselines::Baselines, ensemble::Ensemble, read, scores::Scores, training::Training,
};

use crate::screen::stable;
use crate::workspace::Workspace;

/// Wines whose quality rises with the sum of both columns.
fn wines(rows: usize) -> String {
    let mut text = String::from("sugar,acid,quality\n");
    for row in 0..rows {
        let (sugar, acid) = (row * 37 % 101, row * 53 % 67);
        let sum = sugar + acid + row * 11 % 61;
        let step = [80, 110, 145].iter().filter(|least| sum > **least).count();
        text.push_str(&format!("{sugar},{acid},{}\n", ORDER[step]));
    }
    text
}

/// Not that of the alphabet.
const ORDER: [&str; 4] = ["poor", "fair", "good", "excellent"];

const STUDY: &str = r#"name: study
seed: 3
metric: quadratic_kappa
stages:
  data:
    kind: load
    files: {all: wines.csv}
    label: quality
    class_order: [poor, fair, good, excellent]
  folds: {kind: split, rows: data, folds: 3}
  base:
    kind: baseline
    rows: folds
    numeric: [sugar, acid]
    models: {majority: {}, logistic: {}, ordinal_logistic: {}, linear_svm: {}}
  net:
    kind: train
    rows: folds
    numeric: [sugar, acid]
    epochs: 8
    loss: ordinal
  mix: {kind: ensemble, members: [base, net], models: [base, net]}
  again: {kind: refit, model: mix, rows: folds}
  moved: {kind: transfer, rows: folds, model: net, epochs: 2, strategies: [copy], loss: ordinal}
  paper: {kind: article, title: Wines, author: A, stages: [folds, base, net, mix]}
"#;

fn study() -> Workspace {
    Workspace::new().file("wines.csv", &wines(600)).pipeline(STUDY)
}

/// The places in the order of the true and the predicted class of the test rows.
fn said(work: &Workspace, stage: &str, model: Option<&str>) -> Vec<(usize, usize)> {
    let table = Table::from_ipc(&work.read(&format!("artifacts/study/{stage}/predictions.arrow"))).expect("a table");
    let text = |name: &str, row: usize| table.column(name).expect(name).as_string::<i32>().value(row).to_owned();
    let place = |class: String| ORDER.iter().position(|own| *own == class).expect("a class");
    let is_meant = |row: &usize| {
        text("runner.part", *row) == "test" && model.is_none_or(|model| text("runner.model", *row) == model)
    };
    let pair = |row: usize| (place(text("runner.label", row)), place(text("runner.predicted", row)));
    (0..table.rows()).filter(is_meant).map(pair).collect()
}

/// Cohen's kappa with squared weights as 1 − Σ w·observed / Σ w·expected, and the mean distance.
fn by_definition(pairs: &[(usize, usize)]) -> (f64, f64) {
    let square = |a: usize, b: usize| (a as f64 - b as f64).powi(2);
    let observed: f64 = pairs.iter().map(|(truth, said)| square(*truth, *said)).sum::<f64>() / pairs.len() as f64;
    let all = pairs.iter().flat_map(|(truth, _)| pairs.iter().map(move |(_, said)| square(*truth, *said)));
    let expected = all.sum::<f64>() / (pairs.len() * pairs.len()) as f64;
    let distance = pairs.iter().map(|(truth, said)| truth.abs_diff(*said) as f64).sum::<f64>() / pairs.len() as f64;
    (1.0 - observed / expected, distance)
}

#[test]
fn classes_stand_in_their_order_and_scores_reckon_with_it() {
    let work = study();
    work.run().succeeded();
    let base: Baselines = read(&work.read("artifacts/study/base/baseline.json")).expect("baselines");
    let net: Training = read(&work.read("artifacts/study/net/metrics.json")).expect("a training");
    let moved: Training = read(&work.read("artifacts/study/moved/metrics.json")).expect("a training");
    let mix: Ensemble = read(&work.read("artifacts/study/mix/metrics.json")).expect("an ensemble");
    let of_base = |name: &str| {
        let one = base.evaluations.iter().find(|one| one.name == name).expect("a model");
        assert!(one.folds.iter().all(|fold| fold.value(Metric::QuadraticKappa).is_some()), "{name}: folds");
        one.test.clone().expect("scores")
    };
    let tests: [(&str, Option<&str>, Scores); 6] = [
        ("base", Some("logistic"), of_base("logistic")),
        ("base", Some("ordinal_logistic"), of_base("ordinal_logistic")),
        ("base", Some("linear_svm"), of_base("linear_svm")),
        ("net", None, net.parts.test.clone().expect("scores")),
        ("mix", None, mix.parts.test.clone().expect("scores")),
        ("moved", None, moved.parts.test.clone().expect("scores")),
    ];
    for (stage, model, scores) in tests {
        let at = format!("{stage} {model:?}");
        assert_eq!(scores.classes, ORDER, "{at}");
        let pairs = said(&work, stage, model);
        for (i, row) in scores.confusion.iter().enumerate() {
            for (j, found) in row.iter().enumerate() {
                assert_eq!(*found as usize, pairs.iter().filter(|pair| **pair == (i, j)).count(), "{at}: {i} {j}");
            }
        }
        let (kappa, distance) = by_definition(&pairs);
        for (metric, expected) in [(Metric::QuadraticKappa, kappa), (Metric::RankError, distance)] {
            let found = scores.value(metric).expect("a value");
            assert!((found - expected).abs() < 1e-9, "{at}: {metric:?} {found} for {expected}");
            assert!(scores.interval(metric).is_some_and(|(low, high)| low < found && found < high), "{at}");
        }
        assert!(kappa > 0.7, "{at}: {kappa}");
    }
    assert_eq!((net.training.loss, moved.training.loss), (Loss::Ordinal, Loss::Ordinal));
    assert_eq!(
        (net.training.early_stopping.metric(), mix.metric),
        (Metric::QuadraticKappa, Some(Metric::QuadraticKappa))
    );
    let paper = work.text("artifacts/study/paper/article.tex");
    assert!(paper.contains("cross-entropy of the cuts between the ordered classes"), "the loss is told");
    assert!(paper.contains("ordinal logistic regression"), "and the classifier");
    let split: Split = read(&work.read("artifacts/study/folds/split.json")).expect("a split");
    assert_eq!(split.parts.test.classes.keys().collect::<Vec<_>>(), ORDER, "rows by class");
    let table = work.screen(&["show", "pipeline.yaml", "net"]);
    let head = table.lines().find(|line| line.contains("← predicted")).expect("a confusion matrix");
    assert_eq!(head.split_whitespace().collect::<Vec<_>>()[2..6], ORDER, "{head}");

    // Parts are drawn as without an order, and models that do not learn from it are the same.
    let before = base.evaluations.iter().find(|one| one.name == "logistic").and_then(|one| one.test.clone());
    work.edit("pipeline.yaml", "metric: quadratic_kappa\n", "");
    work.edit("pipeline.yaml", "    class_order: [poor, fair, good, excellent]\n", "");
    work.edit("pipeline.yaml", " ordinal_logistic: {},", "");
    work.edit("pipeline.yaml", "    loss: ordinal\n", "");
    work.edit("pipeline.yaml", ", loss: ordinal}", "}");
    work.run_with(&["base"]).succeeded();
    let base: Baselines = read(&work.read("artifacts/study/base/baseline.json")).expect("baselines");
    let after = base.evaluations.iter().find(|one| one.name == "logistic").and_then(|one| one.test.clone());
    let (before, after) = (before.expect("scores"), after.expect("scores"));
    assert_eq!(after.classes, ["excellent", "fair", "good", "poor"]);
    assert_eq!(before.accuracy, after.accuracy);
    assert!((before.log_loss.expect("a loss") - after.log_loss.expect("a loss")).abs() < 1e-6);
    assert_eq!(after.value(Metric::QuadraticKappa), None);
}

#[test]
fn what_learns_from_an_order_is_refused_where_there_is_none() {
    let work = study();
    work.edit("pipeline.yaml", "    class_order: [poor, fair, good, excellent]\n", "");
    work.edit("pipeline.yaml", "    epochs: 8\n", "    epochs: 8\n    early_stopping: {metric: rank_error}\n");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: `metric: quadratic_kappa` needs the order of the classes
     --> pipeline.yaml:3:9
      |
    3 | metric: quadratic_kappa
      |         ^^^^^^^^^^^^^^^
      = help: name all classes beside `label`, the lowest first, e.g. `class_order: [poor, fair, good]`

    error: `ordinal_logistic` learns from the order of the classes, and these have none
      --> pipeline.yaml:14:60
       |
    14 |     models: {majority: {}, logistic: {}, ordinal_logistic: {}, linear_svm: {}}
       |                                                            ^^

    error: `metric: rank_error` needs the order of the classes
      --> pipeline.yaml:20:30
       |
    20 |     early_stopping: {metric: rank_error}
       |                              ^^^^^^^^^^

    error: `loss: ordinal` learns from the order of the classes, and these have none
      --> pipeline.yaml:21:11
       |
    21 |     loss: ordinal
       |           ^^^^^^^

    error: `loss: ordinal` learns from the order of the classes, and these have none
      --> pipeline.yaml:24:89
       |
    24 |   moved: {kind: transfer, rows: folds, model: net, epochs: 2, strategies: [copy], loss: ordinal}
       |                                                                                         ^^^^^^^
    ");
}

#[test]
fn an_order_that_does_not_fit_the_classes_is_refused_with_its_place() {
    let work = study();
    let order = "[poor, fair, good, excellent]";
    work.edit("pipeline.yaml", order, "[poor, good, good]");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: class_order names 'good' twice: leave one out
     --> pipeline.yaml:9:31
      |
    9 |     class_order: [poor, good, good]
      |                               ^^^^
    ");
    work.edit("pipeline.yaml", "[poor, good, good]", "[poor]");
    work.edit("pipeline.yaml", "    label: quality\n", "");
    insta::assert_snapshot!(stable(&work.run_with(&["data"]).stderr), @"
    error: an order of classes needs the label that has them
     --> pipeline.yaml:8:18
      |
    8 |     class_order: [poor]
      |                  ^^^^^^
      = help: say which column is to be predicted, e.g. `label: quality`

    error: one class has no order
     --> pipeline.yaml:8:18
      |
    8 |     class_order: [poor]
      |                  ^^^^^^
      = help: name all classes, the lowest first

    error: no label: neither this stage nor 'data' says which column is to be predicted
     --> pipeline.yaml:9:3
      |
    9 |   folds: {kind: split, rows: data, folds: 3}
      |   ^^^^^
      = help: set `label` of the `load` stage, or here
    ");
    work.edit(
        "pipeline.yaml",
        "    class_order: [poor]\n",
        "    label: quality\n    class_order: [poor, fare, good]\n",
    );
    insta::assert_snapshot!(stable(&work.run_with(&["data"]).error()), @"pipeline.yaml:9:18: class_order lacks 'excellent', 'fair', which rows have; no row has 'fare' (name every label where it belongs, or leave rows out by `where`)");
    // Of a label that `split` names, its own order.
    work.edit("pipeline.yaml", "    label: quality\n    class_order: [poor, fare, good]\n", "");
    let own = "rows: data, label: quality, class_order: [poor, fair, good, excellent, superb], folds: 3";
    work.edit("pipeline.yaml", "rows: data, folds: 3", own);
    work.run_with(&["base"]).succeeded();
    work.edit("pipeline.yaml", own, &format!("{own}, rare_classes: other, min_class_rows: 3"));
    insta::assert_snapshot!(stable(&work.run_with(&["base"]).stderr), @"
    error: rare classes made one, `other`, have no place in the order of the classes
     --> pipeline.yaml:8:128
      |
    8 | …lass_order: [poor, fair, good, excellent, superb], folds: 3, rare_classes: other, min_class_rows: 3}
      |                                                                             ^^^^^
      = help: leave `rare_classes` out, which drops their rows
    ");
}

#[test]
fn numbers_are_ordered_as_the_user_writes_them() {
    let mut text = wines(300);
    for (step, class) in ORDER.iter().enumerate() {
        text = text.replace(class, ["2", "10", "30", "100"][step]);
    }
    let study = STUDY.replace("[poor, fair, good, excellent]", "[2, 10, 30.0, 100]");
    let work = Workspace::new().file("wines.csv", &text).pipeline(&study);
    work.run_with(&["base"]).succeeded();
    let base: Baselines = read(&work.read("artifacts/study/base/baseline.json")).expect("baselines");
    assert_eq!(base.evaluations[0].test.as_ref().expect("scores").classes, ["2", "10", "30", "100"]);
}
