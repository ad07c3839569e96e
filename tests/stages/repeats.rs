//! A split that is drawn several times, through the program: the mean of the models' scores and how far these move with the draw.

use runner::results::{Metric, baselines::Baselines, read, training::Training};

use crate::workspace::Workspace;

fn rows(count: usize) -> String {
    let mut text = String::from("x,z,kind\n");
    for row in 0..count {
        let (x, z) = (row * 37 % 101, row * 53 % 67);
        let kind = ["a", "b", "c"][usize::from(x + z + row * 11 % 61 > 100) + usize::from(x + z + row * 11 % 61 > 145)];
        text.push_str(&format!("{x},{z},{kind}\n"));
    }
    text
}

const STUDY: &str = r#"name: study
seed: 3
vars: {draws: [1, 2, 3, 4]}
stages:
  data: {kind: load, files: {all: t.csv}, label: kind}
  folds: {kind: split, rows: data, folds: 3, matrix: {draw: "${draws}"}, seed: "${draw}"}
  base:
    kind: baseline
    matrix: {draw: "${draws}"}
    rows: folds@draw=${draw}
    numeric: [x, z]
    models: {majority: {}, logistic: {}}
  net:
    kind: train
    matrix: {draw: "${draws}", rate: [0.01, 0.001]}
    rows: folds@draw=${draw}
    numeric: [x, z]
    epochs: 4
    optimizer: {lr: "${rate}"}
  page: {kind: report, title: Study, stages: [folds, base, net]}
"#;

/// `0.787 ± 0.029`, with the deviation of a sample as `numpy.std(ddof=1)`.
fn spread(values: &[f64]) -> String {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    format!("{mean:.3} ± {:.3}", (squares / (values.len() as f64 - 1.0)).sqrt())
}

fn baselines(work: &Workspace) -> Vec<Baselines> {
    let document = |draw| read(&work.read(&format!("artifacts/study/base@draw={draw}/baseline.json")));
    (1..=4).map(|draw| document(draw).expect("baselines")).collect()
}

/// The cells of the row that begins with a name.
fn line(screen: &str, name: &str) -> Vec<String> {
    let mut found = screen.lines().filter(|line| line.trim_start().starts_with(&format!("{name} ")));
    let found = found.rfind(|line| line.contains('±')).expect("a line of the table");
    found.trim().split("  ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn scores_are_told_over_the_draws_of_a_split() {
    let work = Workspace::new().file("t.csv", &rows(400)).pipeline(STUDY);
    work.run().succeeded();
    let screen = work.screen(&["show", "pipeline.yaml"]);
    let base = baselines(&work);
    let of_base = |metric: Metric, is_test: bool| {
        let values = base.iter().map(|draw| {
            let model = draw.evaluations.iter().find(|one| one.name == "logistic").expect("a model");
            let part = if is_test { model.test.as_ref() } else { model.valid.as_ref() };
            part.expect("scores").value(metric).expect("a value")
        });
        values.collect::<Vec<f64>>()
    };
    assert!(of_base(Metric::Accuracy, true).windows(2).any(|pair| pair[0] != pair[1]), "draws differ");
    let expected = [(Metric::MacroF1, false), (Metric::MacroF1, true), (Metric::Accuracy, true)];
    let expected = expected.map(|(metric, is_test)| spread(&of_base(metric, is_test)));
    assert_eq!(line(&screen, "logistic"), ["logistic", "4", &expected[0], &expected[1], &expected[2]], "{screen}");

    // What differs in more than the draw is told apart.
    for rate in ["0.01", "0.001"] {
        let accuracy = (1..=4).map(|draw| {
            let path = format!("artifacts/study/net@draw={draw},rate={rate}/metrics.json");
            let training: Training = read(&work.read(&path)).expect("a training");
            training.parts.test.expect("scores").accuracy
        });
        let name = format!("net@rate={rate}");
        assert_eq!(line(&screen, &name)[4], spread(&accuracy.collect::<Vec<f64>>()), "{screen}");
    }
    let page = work.text("artifacts/study/page/report.html");
    assert!(page.contains("Repeated splits") && page.contains(&expected[2]), "the page has them too");
    assert!(!page.contains("Splits side by side"), "draws of one split are not optimistic against each other");
    let ran = work.screen(&["run", "pipeline.yaml", "--force", "base"]);
    assert_eq!(line(&ran, "logistic"), line(&screen, "logistic"), "{ran}");
}

// As RepeatedStratifiedKFold: all rows are in the folds.
#[test]
fn folds_may_be_repeated_alone() {
    let study = STUDY.replace("folds: 3, matrix", "folds: 3, train: 1, valid: 0, test: 0, matrix");
    let (before, rest) = study.split_once("  net:").expect("a network");
    let study = format!("{before}{}", &rest[rest.find("  page:").expect("a page")..].replace(", net]", "]"));
    let work = Workspace::new().file("t.csv", &rows(400)).pipeline(&study);
    work.run().succeeded();
    let base = baselines(&work);
    let values = base.iter().map(|draw| draw.evaluations.iter().find(|one| one.name == "logistic").expect("a model"));
    let expected = spread(&values.map(|one| one.cv_macro_f1_mean).collect::<Vec<f64>>());
    let screen = work.screen(&["show", "pipeline.yaml"]);
    assert_eq!(line(&screen, "logistic"), ["logistic", "4", &expected], "{screen}");
    assert!(screen.contains("cv macro-F1"), "{screen}");
}

#[test]
fn splits_of_other_shares_stay_side_by_side() {
    let study = STUDY.replace(
        "kind: split, rows: data, folds: 3, matrix: {draw: \"${draws}\"}, seed: \"${draw}\"",
        "kind: split, rows: data, folds: 3, matrix: {draw: \"${draws}\"}, min_class_rows: \"${draw}\"",
    );
    let study = study.replace("[1, 2, 3, 4]", "[2, 3, 4, 5]");
    let work = Workspace::new().file("t.csv", &rows(400)).pipeline(&study);
    work.run().succeeded();
    let page = work.text("artifacts/study/page/report.html");
    assert!(page.contains("Splits side by side") && !page.contains("Repeated splits"));
}
