//! Costs of mistakes, through the program: what every kind of model predicts by them, and how they are checked.

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use runner::artifact::Table;
use runner::results::{Metric, baselines::Baselines, ensemble::Ensemble, read, scores::Scores, training::Training};

use crate::screen::stable;
use crate::workspace::Workspace;

/// Patients of three classes that overlap.
fn patients(rows: usize) -> String {
    let mut text = String::from("fever,pulse,finding\n");
    for row in 0..rows {
        let (fever, pulse) = (row * 37 % 101, row * 53 % 67);
        let sum = fever + pulse + row * 11 % 61;
        let class = ["well", "ill", "dying"][usize::from(sum > 100) + usize::from(sum > 145)];
        text.push_str(&format!("{fever},{pulse},{class}\n"));
    }
    text
}

const COSTS: &str = "costs: {dying: {well: 30, ill: 8}, ill: {well: 3}, well: {ill: 0.5}}\n";

/// Rows are true classes, columns predicted ones, both in the order of their names: dying, ill, well.
const MATRIX: [[f64; 3]; 3] = [[0.0, 8.0, 30.0], [1.0, 0.0, 3.0], [1.0, 0.5, 0.0]];

const CLASSES: [&str; 3] = ["dying", "ill", "well"];

const STUDY: &str = r#"name: study
seed: 3
metric: cost
COSTS
stages:
  data: {kind: load, files: {all: patients.csv}, label: finding}
  folds: {kind: split, rows: data, folds: 3}
  base:
    kind: baseline
    rows: folds
    numeric: [fever, pulse]
    models: {majority: {}, logistic: {}, random_forest: {trees: 20}, linear_svm: {}}
  net:
    kind: train
    rows: folds
    numeric: [fever, pulse]
    epochs: 8
  twins:
    kind: train
    rows: folds
    numeric: [fever, pulse]
    epochs: 3
    seeds: 2
  mix: {kind: ensemble, members: [base, net], models: [base, net]}
  again: {kind: refit, model: mix, rows: folds}
  moved: {kind: transfer, rows: folds, model: net, epochs: 2, strategies: [copy]}
"#;

fn study() -> Workspace {
    Workspace::new().file("patients.csv", &patients(600)).pipeline(&STUDY.replace("COSTS\n", COSTS))
}

/// What is predicted in a table and the probabilities of the three classes, for the rows of one part and model.
fn said(work: &Workspace, file: &str, model: Option<&str>) -> Vec<(String, [f64; 3], Option<String>)> {
    let table = Table::from_ipc(&work.read(file)).expect("predictions");
    let text = |name: &str| table.column(name).ok().map(|column| column.as_string::<i32>().clone());
    let p = CLASSES.map(|class| {
        let column = table.column(&format!("runner.p_{class}")).expect("probabilities").clone();
        column.as_primitive::<Float32Type>().values().to_vec()
    });
    let (predicted, labels, models) = (text("runner.predicted"), text("runner.label"), text("runner.model"));
    let parts = text("runner.part");
    let is_meant = |row: &usize| {
        let is_of_model = model.is_none_or(|model| models.as_ref().is_some_and(|models| models.value(*row) == model));
        is_of_model && parts.as_ref().is_none_or(|parts| parts.value(*row) == "test")
    };
    let one = |row: usize| {
        let label = labels.as_ref().map(|labels| labels.value(row).to_owned());
        let predicted = predicted.as_ref().expect("predicted").value(row).to_owned();
        (predicted, [0, 1, 2].map(|class| f64::from(p[class][row])), label)
    };
    (0..table.rows()).filter(is_meant).map(one).collect()
}

fn place(class: &str) -> usize {
    CLASSES.iter().position(|own| *own == class).expect("a class")
}

/// Every row's class is that of the least expected cost, and not always the likeliest one; returns the mean cost, where labels are there.
fn check(rows: &[(String, [f64; 3], Option<String>)], name: &str) -> f64 {
    let (mut moved, mut total) = (0, 0.0);
    for (predicted, p, label) in rows {
        let expected = [0, 1, 2].map(|class| (0..3).map(|truth| p[truth] * MATRIX[truth][class]).sum::<f64>());
        let own = expected[place(predicted)];
        assert!(expected.iter().all(|other| own <= other + 1e-9), "{name}: {predicted} of {p:?}, {expected:?}");
        moved += usize::from(p.iter().any(|other| *other > p[place(predicted)]));
        total += label.as_ref().map_or(0.0, |label| MATRIX[place(label)][place(predicted)]);
    }
    assert!(moved > 0, "{name}: costs move nothing");
    total / rows.len() as f64
}

#[test]
fn every_model_predicts_the_class_of_least_expected_cost() {
    let work = study();
    let models = ["base.logistic", "base.random_forest", "base.linear_svm", "net", "twins", "mix", "again", "moved"];
    let predicts = models.map(|model| {
        let name = model.replace('.', "_");
        format!("  new_{name}: {{kind: predict, model: {model}, rows: data, file: {name}.csv}}\n")
    });
    work.edit("pipeline.yaml", "  folds:", &format!("{}  folds:", predicts.concat()));
    work.run().succeeded();
    for model in models {
        let name = model.replace('.', "_");
        check(&said(&work, &format!("artifacts/study/new_{name}/rows.arrow"), None), model);
        // Without a pipeline it is the same.
        let file = work.text(&format!("artifacts/study/new_{name}/{name}.csv"));
        let output = work.runner(&["predict", "pipeline.yaml", model, "patients.csv"]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), file, "{model}");
        let package = format!("{name}.runner");
        assert!(work.runner(&["export", "pipeline.yaml", model, "-o", &package]).status.success(), "{model}");
        let output = work.runner(&["predict", &package, "patients.csv"]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), file, "{model} from its package");
    }
    let base: Baselines = read(&work.read("artifacts/study/base/baseline.json")).expect("baselines");
    let trained: Training = read(&work.read("artifacts/study/net/metrics.json")).expect("a training");
    let twins: Training = read(&work.read("artifacts/study/twins/metrics.json")).expect("a training");
    let moved: Training = read(&work.read("artifacts/study/moved/metrics.json")).expect("a training");
    let mix: Ensemble = read(&work.read("artifacts/study/mix/metrics.json")).expect("an ensemble");
    let of_base = |name: &str| {
        let one = base.evaluations.iter().find(|one| one.name == name).expect("a model");
        assert!(one.folds.iter().all(|fold| fold.value(Metric::Cost).is_some()), "{name}: folds");
        one.test.clone().expect("scores")
    };
    let tests: [(&str, Option<&str>, Scores); 7] = [
        ("base", Some("logistic"), of_base("logistic")),
        ("base", Some("random_forest"), of_base("random_forest")),
        ("base", Some("linear_svm"), of_base("linear_svm")),
        ("net", None, trained.parts.test.clone().expect("scores")),
        ("twins", None, twins.parts.test.expect("scores")),
        ("mix", None, mix.parts.test.expect("scores")),
        ("moved", None, moved.parts.test.expect("scores")),
    ];
    for (stage, model, scores) in tests {
        let rows = said(&work, &format!("artifacts/study/{stage}/predictions.arrow"), model);
        let mean = check(&rows, stage);
        let found = scores.value(Metric::Cost).expect("a cost");
        assert!((found - mean).abs() < 1e-9, "{stage} {model:?}: {found} for {mean}");
        assert!(scores.interval(Metric::Cost).is_some_and(|(low, high)| low < found && found < high), "{stage}");
    }
    assert_eq!(trained.training.early_stopping.metric(), Metric::Cost);
    assert_eq!(mix.metric, Some(Metric::Cost), "the weights are chosen by it");
    let shown = work.screen(&["show", "pipeline.yaml", "net"]);
    assert!(shown.contains("mean cost") && shown.contains("the class of least expected cost"), "{shown}");

    // Probabilities are what they are, whatever mistakes cost; and nothing of it is computed anew where nobody asks for the costs.
    let before = said(&work, "artifacts/study/base/predictions.arrow", Some("logistic"));
    work.edit("pipeline.yaml", "metric: cost\n", "metric: loss\n");
    work.edit("pipeline.yaml", COSTS, "");
    work.run_with(&["base", "net"]).succeeded();
    let after = said(&work, "artifacts/study/base/predictions.arrow", Some("logistic"));
    assert!(before.iter().zip(&after).all(|(one, other)| one.1 == other.1), "probabilities");
    assert!(before.iter().zip(&after).any(|(one, other)| one.0 != other.0), "decisions");
}

#[test]
fn the_threshold_of_two_classes_takes_its_costs_from_those_of_the_study() {
    let two = patients(600).replace("dying", "ill");
    let work = Workspace::new().file("patients.csv", &two).pipeline(
        "name: study\npositive: ill\ncosts: {ill: {well: 7}, well: {ill: 2}}\nstages:\n  \
         data: {kind: load, files: {all: patients.csv}, label: finding}\n  \
         folds: {kind: split, rows: data, folds: 3}\n  \
         base: {kind: baseline, rows: folds, numeric: [fever, pulse], models: {logistic: {}}, threshold: cost}\n  \
         given: {kind: baseline, rows: folds, numeric: [fever, pulse], models: {logistic: {}}, threshold: {cost: {false_positive: 2, false_negative: 7}}}\n",
    );
    work.run().succeeded();
    let threshold = |stage: &str| {
        let base: Baselines = read(&work.read(&format!("artifacts/study/{stage}/baseline.json"))).expect("baselines");
        let valid = base.evaluations[0].valid.clone().expect("scores");
        assert!(valid.value(Metric::Cost).is_some());
        valid.threshold.expect("a threshold")
    };
    assert_eq!(threshold("base"), threshold("given"));
    let shown = work.screen(&["show", "pipeline.yaml", "base"]);
    assert!(shown.contains("thresholds: logistic 0."), "{shown}");
}

#[test]
fn costs_that_are_not_meant_are_refused_with_their_place() {
    let work = study();
    work.edit("pipeline.yaml", COSTS, "");
    work.edit("pipeline.yaml", "    epochs: 8\n", "    epochs: 8\n    threshold: cost\n");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: `metric: cost` needs `costs` at the top of the file, which say what mistakes cost
     --> pipeline.yaml:3:9
      |
    3 | metric: cost
      |         ^^^^
      = help: e.g. `costs: {sick: {healthy: 10}}`: a row of the class `sick` that is predicted `healthy`
              costs 10, every other mistake 1

    error: `threshold: cost` needs to know what mistakes cost
      --> pipeline.yaml:17:16
       |
    17 |     threshold: cost
       |                ^^^^
       = help: write `costs` at the top of the file, e.g. `costs: {sick: {healthy: 10}}`, or `threshold:
               {cost: {false_positive: 1, false_negative: 10}}`
    ");
    work.edit("pipeline.yaml", "    threshold: cost\n", "");
    work.edit("pipeline.yaml", "metric: cost\n", "metric: cost\ncosts: {dying: {well: -1, dying: 2}}\n");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: costs.dying.well: a cost must be a number from 0 to 1e12; got -1
     --> pipeline.yaml:4:23
      |
    4 | costs: {dying: {well: -1, dying: 2}}
      |                       ^^

    error: costs.dying.dying: 'dying' predicted of a row of 'dying' is no mistake and costs 0; got 2
     --> pipeline.yaml:4:34
      |
    4 | costs: {dying: {well: -1, dying: 2}}
      |                                  ^
    ");
    work.edit("pipeline.yaml", "costs: {dying: {well: -1, dying: 2}}\n", "costs: {}\n");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: `costs` names no mistake
     --> pipeline.yaml:4:8
      |
    4 | costs: {}
      |        ^^
      = help: e.g. `costs: {sick: {healthy: 10}}`: a row of the class `sick` that is predicted `healthy`
              costs 10, every other mistake 1
    ");
    work.edit("pipeline.yaml", "costs: {}\n", "costs: {dyng: {well: 30}, ill: {wel: 2}}\n");
    insta::assert_snapshot!(stable(&work.run_with(&["base"]).error()), @"pipeline.yaml:4:8: costs: there are no classes 'dyng' (did you mean 'dying'?), 'wel' (did you mean 'well'?); the classes are 'dying', 'ill', 'well'");
    work.edit("pipeline.yaml", "costs: {dyng: {well: 30}, ill: {wel: 2}}\n", "costs: {dying: 30}\n");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: 'dying': expected a mapping, found 30
     --> pipeline.yaml:4:16
      |
    4 | costs: {dying: 30}
      |                ^^
    ");
    // Classes that `where` leaves out are classes all the same.
    work.edit("pipeline.yaml", "costs: {dying: 30}\n", COSTS);
    work.edit("pipeline.yaml", "    models: {maj", "    where: {finding: [ill, well]}\n    models: {maj");
    work.run_with(&["base"]).succeeded();
    work.run_with(&["base", "--set", "costs={ill: {well: 9}}"]).succeeded();
}
