//! What scores promise, through the program: probabilities that stay probabilities, rows of groups that are not independent, and one best model everywhere.

use std::fmt::Write as _;

use arrow::array::AsArray;
use arrow::datatypes::{Float32Type, Int64Type};
use runner::artifact::Table;
use serde_json::Value;

use crate::workspace::Workspace;
use crate::workspace::lines;

/// Numbers between 0 and 1 that follow from a count, evenly spread.
fn uniform(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 11) as f64 / (1u64 << 53) as f64
}

fn normal(seed: &mut u64) -> f64 {
    (0..12).map(|_| uniform(seed)).sum::<f64>() - 6.0
}

/// 5 % `yes`, of which two numbers tell something, the more the stronger.
fn rare(rows: usize, strength: f64) -> String {
    let (mut seed, mut text) = (7, "a,b,c,y\n".to_owned());
    for _ in 0..rows {
        let is = uniform(&mut seed) < 0.05;
        let at = |mean: f64, seed: &mut u64| normal(seed) + if is { mean } else { 0.0 };
        let (a, b, c) = (at(1.5 * strength, &mut seed), at(strength, &mut seed), at(0.0, &mut seed));
        writeln!(text, "{a:.3},{b:.3},{c:.3},{}", if is { "yes" } else { "no" }).expect("text");
    }
    text
}

const NETWORKS: &str = "name: p
seed: 3
templates:
  net:
    kind: train
    rows: folds
    numeric: [a, b, c]
    epochs: 8
    batch_size: 64
    network: {trunk: {layers: [8]}}
    early_stopping: {metric: loss}
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, train: 0.6, valid: 0.2, test: 0.2}
  plain: {extends: net}
  weighted: {extends: net, class_weights: balanced}
  map: {extends: net, class_weights: {'yes': 12}}
  by_f1: {extends: net, early_stopping: {metric: macro_f1}}
  seeds: {extends: net, class_weights: balanced, seeds: 2}
  both: {kind: ensemble, members: [weighted, map], models: [weighted, map], weights: equal}
  new: {kind: predict, model: weighted, rows: rows, file: out.csv}
  again: {kind: predict, model: both, rows: rows, file: again.csv}
";

fn table(work: &Workspace, file: &str) -> Table {
    Table::from_ipc(&work.read(&format!("artifacts/p/{file}"))).expect("a table")
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/p/{file}"))).expect("JSON")
}

/// The column of this name, as itself or among those that stages add.
fn place(table: &Table, name: &str) -> usize {
    let names = table.column_names();
    let found = names.iter().position(|own| own == name || *own == format!("runner.{name}"));
    found.unwrap_or_else(|| panic!("no {name} in {names:?}"))
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    table.batch().column(place(table, name)).as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

fn shares(table: &Table, name: &str) -> Vec<f64> {
    let column = table.batch().column(place(table, name)).as_primitive::<Float32Type>();
    column.values().iter().map(|value| f64::from(*value)).collect()
}

#[test]
fn weights_of_classes_leave_probabilities_what_they_say_and_predictions_what_they_weigh() {
    let work = Workspace::new().file("t.csv", &rare(2_000, 1.0)).pipeline(NETWORKS);
    work.run().succeeded();
    let judged = |stage: &str| {
        let table = table(&work, &format!("{stage}/predictions.arrow"));
        let (parts, labels, p) = (texts(&table, "part"), texts(&table, "label"), shares(&table, "p_yes"));
        let rows: Vec<usize> = (0..p.len()).filter(|&i| parts[i] == "test").collect();
        let loss = |&i: &usize| -(if labels[i] == "yes" { p[i] } else { 1.0 - p[i] }).max(1e-12).ln();
        let mean = |of: &dyn Fn(&usize) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
        (mean(&loss), mean(&|&i| p[i]))
    };
    let metrics = |stage: &str| json(&work, &format!("{stage}/metrics.json"));
    let of_test = |stage: &str, key: &str| metrics(stage)["parts"]["test"][key].as_f64().expect("a number");
    let plain = judged("plain");
    for stage in ["weighted", "map", "by_f1", "seeds", "both"] {
        let (loss, mean) = judged(stage);
        assert!(loss < 1.3 * plain.0, "{stage}: log loss {loss} against {}", plain.0);
        assert!((mean - 0.05).abs() < 0.035, "{stage}: mean probability {mean}");
        assert!((of_test(stage, "log_loss") - loss).abs() < 1e-6);
        let after = &metrics(stage)["calibration"]["parts"]["test"]["after"]["expected_error"];
        assert!(after.as_f64().expect("an error") < 0.05, "{stage}: {after}");
    }
    // The weights still decide what is predicted: rare classes are found.
    let recall = |stage: &str| {
        let classes = metrics(stage)["parts"]["test"]["per_class"].as_array().expect("classes").clone();
        classes.iter().find(|one| one["class"] == "yes").expect("yes")["recall"].as_f64().expect("a recall")
    };
    for stage in ["weighted", "map", "seeds", "both"] {
        assert!(recall(stage) > recall("plain") + 0.2, "{stage}: {} and {}", recall(stage), recall("plain"));
    }
    // New rows get the same probabilities and decisions.
    for (stage, of) in [("new", "weighted"), ("again", "both")] {
        let (new, known) =
            (table(&work, &format!("{stage}/rows.arrow")), table(&work, &format!("{of}/predictions.arrow")));
        let (p, predicted) = (shares(&new, "p_yes"), texts(&new, "predicted"));
        let ids = known.batch().column(place(&known, "row_id")).as_primitive::<Int64Type>();
        let (known_p, known_predicted) = (shares(&known, "p_yes"), texts(&known, "predicted"));
        for (i, id) in ids.values().iter().map(|id| *id as usize).enumerate() {
            assert!((p[id] - known_p[i]).abs() < 1e-5 && predicted[id] == known_predicted[i], "row {id}");
        }
        assert!(p.iter().zip(&predicted).any(|(p, predicted)| *p < 0.5 && predicted == "yes"));
    }
}

/// Groups of ten rows with one truth in most of them, so that a model is right or wrong of whole groups.
fn grouped() -> String {
    let (mut seed, mut text) = (11, "a,b,who,y\n".to_owned());
    for group in 0..120 {
        let (is, shift) = (group % 2 == 0, 1.2 * normal(&mut seed));
        for _ in 0..10 {
            let a = shift + if is { 1.0 } else { 0.0 } + 0.2 * normal(&mut seed);
            let b = normal(&mut seed);
            writeln!(text, "{a:.3},{b:.3},g{group},{}", if is { "yes" } else { "no" }).expect("text");
        }
    }
    text
}

const GROUPS: &str = "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, groups: [who], train: 0.4, valid: 0.2, test: 0.4}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {logistic: {}, majority: {}, tree: {max_depth: 3}}}
  net: {kind: train, rows: folds, numeric: [a, b], epochs: 3, network: {trunk: {layers: [4]}}}
  both: {kind: ensemble, members: [base, net]}
  report: {kind: report, title: t, stages: [folds, base, net, both]}
";

#[test]
fn intervals_and_tests_know_which_rows_belong_together() {
    let work = Workspace::new().file("t.csv", &grouped()).pipeline(GROUPS);
    work.run().succeeded();
    let width = |scores: &Value| {
        let of = |end: &str| scores["intervals"]["accuracy"][end].as_f64().expect("an end");
        of("high") - of("low")
    };
    let logistic = |work: &Workspace| {
        let all = json(work, "base/baseline.json")["evaluations"].as_array().expect("a list").clone();
        all.into_iter().find(|one| one["name"] == "logistic").expect("logistic")
    };
    let told = |work: &Workspace| lines(work, &["compare", "base/logistic", "base/tree", "--json"])[1]["test"].clone();
    let page = |work: &Workspace| work.text("artifacts/p/report/report.html");
    for scores in [
        &logistic(&work)["test"],
        &json(&work, "net/metrics.json")["parts"]["test"],
        &json(&work, "both/metrics.json")["parts"]["test"],
        &json(&work, "both/metrics.json")["cross_fitted_valid"],
    ] {
        assert!(scores["groups"].as_u64().is_some_and(|groups| (20..60).contains(&groups)), "{scores:#}");
    }
    let grouped_width = width(&logistic(&work)["test"]);
    let test = told(&work);
    assert!(test["groups"].is_u64() && test["mcnemar"]["method"] == "group_mid_p", "{test:#}");
    assert!(
        page(&work).contains("intervals allow for the groups") && page(&work).contains("sign-flip test over groups")
    );
    let text = String::from_utf8(work.runner(&["compare", "base/logistic", "net"]).stdout).expect("UTF-8");
    assert!(
        text.contains("bootstrap over the groups of rows that the split keeps together") && text.contains("sign flips"),
        "{text}"
    );

    // The same rows, dealt out as if each stood alone.
    work.edit("pipeline.yaml", "groups: [who], ", "");
    work.run().succeeded();
    let alone = logistic(&work)["test"].clone();
    assert!(alone["groups"].is_null() && width(&alone) < grouped_width / 1.5, "{} {grouped_width}", width(&alone));
    let test = told(&work);
    assert!(test["groups"].is_null() && test["mcnemar"]["method"] == "mid_p", "{test:#}");
    assert!(!page(&work).contains("allow for the groups") && !page(&work).contains("sign-flip"));
}

#[test]
fn few_groups_are_told() {
    let few: String = grouped().lines().take(1 + 300).fold(String::new(), |text, line| text + line + "\n");
    let work = Workspace::new().file("t.csv", &few).pipeline(GROUPS);
    let run = work.run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let warned = run.lines.iter().any(|line| line.to_string().contains("the test part has 12 groups"));
    assert!(warned, "{:#?}", run.lines);
    assert!(work.text("artifacts/p/report/report.html").contains("So few make intervals and tests rough"));
}

const MODELS: &str = "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 3}
  base: {kind: baseline, rows: folds, numeric: [a, b, c], models: {majority: {}, naive_bayes: {}, tree: {max_depth: 5}, knn: {k: 3}}}
  report: {kind: report, title: T, author: A, stages: [rows, folds, base]}
  article: {kind: article, title: T, author: A, stages: [rows, folds, base]}
";

#[test]
fn one_best_model_everywhere_chosen_by_validation() {
    // Of two classes of which one is rare average precision would choose.
    let yaml = MODELS.replacen("name: p\n", "name: p\nmetric: macro_f1\n", 1);
    let work = Workspace::new().file("t.csv", &rare(2_000, 0.7)).pipeline(&yaml);
    work.run().succeeded();
    let all = json(&work, "base/baseline.json")["evaluations"].as_array().expect("a list").clone();
    let score = |one: &Value, part: &str, key: &str| one[part][key].as_f64().expect("a score");
    let by = |part: &str, key: &str| {
        let best = all.iter().max_by(|a, b| score(a, part, key).total_cmp(&score(b, part, key)));
        best.and_then(|one| one["name"].as_str()).expect("a name").to_owned()
    };
    let best = by("valid", "macro_f1");
    assert_ne!(best, "majority");
    let accuracy = |name: &str| all.iter().find(|one| one["name"] == name).map(|one| score(one, "test", "accuracy"));
    assert!(accuracy("majority") > accuracy(&best), "else this shows nothing");
    let text = |arguments: &[&str]| String::from_utf8(work.runner(arguments).stdout).expect("UTF-8");
    let headline = format!("best on validation rows by macro-F1: {best}");
    let page = work.text("artifacts/p/report/report.html");
    let words = page.replace("<strong>", "").replace("</strong>", "");
    assert!(words.contains(&format!("{best} is the best model")), "the page");
    assert!(words.contains("by macro-F1 on the validation part"), "the rule");
    assert!(!words.contains("majority is the best"));
    assert!(text(&["runs"]).contains(&headline), "{}", text(&["runs"]));
    let shown = text(&["show", "pipeline.yaml", "base"]);
    let first = shown.lines().skip_while(|line| !line.contains("valid F1")).nth(1).unwrap_or_default().to_owned();
    assert!(first.trim_start().starts_with(&best), "{shown}");
    let compared = &lines(&work, &["compare", "base", "base/majority", "--json"])[1];
    assert_eq!(compared["a"], format!("base/{best}"), "{compared:#}");
    let article = work.text("artifacts/p/article/article.tex");
    assert!(article.contains("has the highest macro-F1 on validation rows"), "the article");
}

#[test]
fn a_plateau_is_one_to_the_last_epoch() {
    let yaml = "name: p
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows}
  net:
    kind: train
    matrix: {s: [1, 2, 3, 4, 5, 6]}
    rows: folds
    numeric: [a, b, c]
    seed: \"${s}\"
    epochs: 6
    batch_size: 16
    class_weights: balanced
    optimizer: {lr: 0.1}
    network: {trunk: {layers: [8]}}
    early_stopping: {metric: macro_f1, patience: 50}
";
    let work = Workspace::new().file("t.csv", &rare(300, 0.6)).pipeline(yaml);
    work.run().succeeded();
    let mut moving = 0;
    for seed in 1..=6 {
        let metrics = json(&work, &format!("net@s={seed}/metrics.json"));
        let curves = table(&work, &format!("net@s={seed}/curves.arrow"));
        let scores = curves.column("valid_macro_f1").expect("a column").as_primitive::<arrow::datatypes::Float64Type>();
        let scores = scores.values();
        let best = scores[metrics["best_epoch"].as_u64().expect("an epoch") as usize];
        moving += usize::from(scores[1..].iter().any(|score| (score - best).abs() > 0.05));
        for found in metrics["diagnosis"].as_array().expect("findings").iter().filter(|one| one["kind"] == "plateau") {
            let from = found["epoch"].as_u64().expect("an epoch") as usize;
            let (near, rest) = (found["near"].as_f64().expect("a number") + 1e-9, &scores[from..]);
            assert!(rest.iter().all(|score| (score - best).abs() <= near), "{found} {scores:?}");
        }
    }
    assert!(moving > 0, "no curve moves");
}
