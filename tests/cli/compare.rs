//! `runner compare`: two runs, two models, with paired statistics and the rows that flipped.

use serde_json::Value;

use crate::screen::stable;
use crate::studies::STUDY;
use crate::workspace::Workspace;
use crate::workspace::lines;

fn study() -> Workspace {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    work
}

fn stage<'a>(lines: &'a [Value], name: &str) -> &'a Value {
    lines
        .iter()
        .find(|line| line["b"] == name && line["event"] == "stage")
        .unwrap_or_else(|| panic!("no {name} in {lines:#?}"))
}

fn score<'a>(line: &'a Value, metric: &str) -> &'a Value {
    let scores = line["test"]["scores"].as_array().unwrap_or_else(|| panic!("no scores in {line:#}"));
    scores.iter().find(|score| score["metric"] == metric).expect("that score")
}

#[test]
fn two_runs_differ_where_a_parameter_did() {
    let work = study();
    work.run_with(&["--set", "fused.optimizer.lr=0.2", "--set", "fused.epochs=9"]).ran(&["fused", "predict"]);
    let told = lines(&work, &["compare", "last~1", "last", "--json", "--flips", "3"]);
    assert!(stage(&told, "folds")["same"].as_bool().expect("a bool") && stage(&told, "baseline")["same"] == true);
    let fused = stage(&told, "fused");
    let changed: Vec<(&str, &str, &str)> = (fused["changes"].as_array().expect("changes").iter())
        .map(|change| (change["what"].as_str().unwrap(), change["a"].as_str().unwrap(), change["b"].as_str().unwrap()))
        .collect();
    assert!(changed.contains(&("params.epochs", "3", "9")), "{changed:?}");
    assert!(changed.iter().any(|(what, _, new)| *what == "params.optimizer.lr" && *new == "0.2"), "{changed:?}");
    // What is told agrees with what the stage itself wrote.
    let metrics: Value = serde_json::from_slice(&work.read("artifacts/study/fused/metrics.json")).expect("JSON");
    let test = &fused["test"];
    assert_eq!(test["rows"], metrics["parts"]["test"]["rows"]);
    for name in ["accuracy", "macro_f1", "log_loss"] {
        let (found, written) =
            (score(fused, name)["b"].as_f64().unwrap(), metrics["parts"]["test"][name].as_f64().unwrap());
        assert!((found - written).abs() < 1e-9, "{name}: {found} and {written}");
        let difference = &score(fused, name)["difference"];
        assert!(
            difference["low"].as_f64() <= difference["estimate"].as_f64()
                && difference["estimate"].as_f64() <= difference["high"].as_f64()
        );
    }
    let count = |name: &str| test[name].as_u64().expect("a count");
    assert_eq!(
        count("both_right") + count("both_wrong") + count("right_to_wrong") + count("wrong_to_right"),
        count("rows")
    );
    let flips = fused["flips"].as_array().expect("flips");
    assert_eq!(flips.len() as u64, (count("right_to_wrong") + count("wrong_to_right")).min(3));
    for flip in flips {
        assert!((flip["a"] == flip["label"]) != (flip["b"] == flip["label"]), "{flip}");
        let id = flip["row_id"].as_u64().expect("a number");
        assert!(flip["texts"]["title"].as_str().expect("a title").ends_with(&format!("song {id}")), "{flip}");
    }
}

#[test]
fn two_models_of_one_run_and_of_one_stage() {
    let work = study();
    let told = lines(&work, &["compare", "baseline/majority", "baseline/logistic", "--json"]);
    let one = stage(&told, "baseline/logistic");
    assert_eq!(one["a"], "baseline/majority");
    assert!(score(one, "accuracy")["b"].as_f64() > score(one, "accuracy")["a"].as_f64(), "{one:#}");
    assert_eq!(one["test"]["verdict"], "more_accurate", "{one:#}");
    assert_eq!(one["test"]["pairing"], "number", "{one:#}");
    let metrics: Vec<&Value> =
        one["test"]["scores"].as_array().expect("scores").iter().map(|score| &score["metric"]).collect();
    assert_eq!(metrics, ["accuracy", "macro_f1", "log_loss"]);
    work.run_with(&["--set", "baseline.models.rbf_svm={}"]).ran(&["baseline"]);
    let told = lines(&work, &["compare", "baseline/logistic", "baseline/rbf_svm", "--json"]);
    let scores = stage(&told, "baseline/rbf_svm")["test"]["scores"].as_array().expect("scores");
    assert_eq!(scores.len(), 3, "margins are made probabilities on the validation part");
    let told = lines(&work, &["compare", "baseline", "last:fused", "--json"]);
    let best = told[1]["a"].as_str().expect("a name");
    assert!(best.starts_with("baseline/") && best != "baseline/majority", "the best by validation stands: {best}");
    // Each interval says what it is.
    let method = |metric: &str| score(one, metric)["difference"]["method"].clone();
    assert_eq!((method("accuracy"), method("macro_f1")), ("group_bootstrap".into(), "group_bootstrap".into()));
}

/// The same pair has the same numbers in the terminal and on the page, but for the correction, which each says of itself.
#[test]
fn a_pair_is_told_alike_in_the_terminal_and_on_the_page() {
    let work = study();
    work.edit(
        "pipeline.yaml",
        "models: {majority: {}, logistic: {}}",
        "models: {majority: {}, logistic: {}, tree: {}}",
    );
    let more = "  report: {kind: report, title: t, stages: [songs, folds, baseline, fused]}\n";
    let pipeline = work.text("pipeline.yaml") + more;
    work.write("pipeline.yaml", pipeline.as_bytes());
    work.run().succeeded();
    let html = work.text("artifacts/study/report/report.html");
    let told = lines(&work, &["compare", "baseline/logistic", "baseline/tree", "--json"]);
    let test = &stage(&told, "baseline/tree")["test"];
    let p = test["mcnemar"]["p"].as_f64().expect("a p");
    assert_eq!(test["adjusted_p"].as_f64(), Some(p), "one comparison");
    let difference = &score(stage(&told, "baseline/tree"), "accuracy")["difference"];
    let [low, high] = ["low", "high"].map(|end| difference[end].as_f64().expect("an end"));
    let shown = |value: f64| format!("{value:.3}").replace('-', "−");
    let either = [(low, high), (-high, -low)].map(|(low, high)| format!("{} to {}", shown(low), shown(high)));
    assert!(either.iter().any(|interval| html.contains(interval)), "{either:?}");
    let p = if p < 0.001 { "&lt; 0.001".to_owned() } else { shown(p) };
    assert!(html.contains(&format!(">{p}<")), "{p}");
    // Several comparisons say how many.
    work.run_with(&["--set", "seed=4"]).succeeded();
    let text = String::from_utf8(work.runner(&["compare"]).stdout).expect("UTF-8");
    assert!(text.contains("corrected by Holm over these ") && text.contains(" comparisons"), "{text}");
}

#[test]
fn without_a_validation_part_the_folds_that_rank_are_shown() {
    let told = |work: &Workspace| {
        String::from_utf8(work.runner(&["show", "pipeline.yaml", "baseline"]).stdout).expect("UTF-8")
    };
    let work = Workspace::with_songs().pipeline(STUDY.split("  fused:").next().expect("a beginning"));
    work.run_with(&["baseline"]).succeeded();
    assert!(told(&work).contains("valid F1") && !told(&work).contains("cv F1"), "{}", told(&work));
    work.edit("pipeline.yaml", "folds: 3", "folds: 3\n    train: 0.8\n    valid: 0\n    test: 0.2");
    work.run_with(&["baseline"]).succeeded();
    let text = told(&work);
    assert!(text.contains("cv F1: macro-F1 by cross-validation") && !text.contains("valid F1"), "{text}");
    let evaluations: Value =
        serde_json::from_slice(&work.read("artifacts/study/baseline/baseline.json")).expect("JSON");
    for one in evaluations["evaluations"].as_array().expect("models") {
        let f1 = format!("{:.3}", one["cv_macro_f1_mean"].as_f64().expect("a score"));
        let name = one["name"].as_str().expect("a name");
        assert!(text.lines().any(|line| line.contains(name) && line.contains(&f1)), "{name} {f1}: {text}");
    }
}

const NOISY: &str = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows}
  base: {kind: baseline, rows: folds, numeric: [x, z], models: {logistic: {}}}
";

/// Rows with a name each, of two numbers that tell something of the class.
fn noisy(rows: std::ops::Range<u64>) -> String {
    let drawn =
        |i: u64| (i.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33) % 1000;
    let row = |i: u64| {
        let class = drawn(7 * i + 1) % 2;
        format!("n{i},{}.{},{},{}\n", class * 30 + drawn(i) % 60, i % 10, drawn(3 * i), ["a", "b"][class as usize])
    };
    rows.map(row).collect()
}

/// The names of the test rows.
fn tested(work: &Workspace) -> std::collections::BTreeSet<String> {
    use arrow::array::AsArray;
    let table = runner::artifact::Table::from_ipc(&work.read("artifacts/study/folds/test.arrow")).expect("a table");
    let names = table.column("name").expect("a column").as_string::<i32>();
    names.iter().map(|name| name.expect("a name").to_owned()).collect()
}

#[test]
fn the_same_results_are_said_to_be_the_same() {
    let work = study();
    insta::assert_snapshot!(work.screen(&["compare", "last", "last"]), @"
    $ runner compare last last
    A [run] study
    B [run] study

    6 stages have the same result in both
    ");
    let told = lines(&work, &["compare", "baseline/logistic", "baseline/logistic", "--json"]);
    assert_eq!(told[1]["same"], true);
}

#[test]
fn rows_are_paired_by_their_content_where_others_were_loaded() {
    let header = "name,x,z,y\n";
    let work = Workspace::new().file("t.csv", &(header.to_owned() + &noisy(0..400))).pipeline(NOISY);
    work.run().succeeded();
    let then = tested(&work);
    // A record above all others, and the rest the other way round.
    let mut records: Vec<String> = noisy(0..400).lines().map(|line| format!("{line}\n")).collect();
    records.reverse();
    work.write("t.csv", (header.to_owned() + &noisy(400..401) + &records.concat()).as_bytes());
    work.run().succeeded();
    let now = tested(&work);
    let common: Vec<&String> = then.intersection(&now).collect();
    assert!(!common.is_empty() && common.len() < now.len(), "{}", common.len());
    let told = lines(&work, &["compare", "--json", "--flips", "99"]);
    let one = stage(&told, "base/logistic");
    let test = &one["test"];
    assert_eq!((&test["pairing"], &test["rows"]), (&"content".into(), &common.len().into()), "{one:#}");
    assert_eq!(test["left_out"], then.len() + now.len() - 2 * common.len());
    // A row that flipped is shown by its own name, of both runs.
    for flip in one["flips"].as_array().expect("flips") {
        let name = flip["texts"]["name"].as_str().expect("a name").to_owned();
        assert!(common.contains(&&name), "{flip}");
    }
    let text = String::from_utf8(work.runner(&["compare"]).stdout).expect("UTF-8");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("other rows were loaded, so the same rows are told by their content"), "{text}");
    work.runner(&["report", "pipeline.yaml", "--against", "last~1"]);
    assert!(work.text("artifacts/study/page.html").contains("told by their content"));
    // A column more changes no row.
    let more: String = work
        .text("t.csv")
        .lines()
        .enumerate()
        .fold(String::new(), |text, (i, line)| text + line + if i == 0 { ",w\n" } else { ",1\n" });
    work.write("t.csv", more.as_bytes());
    work.edit("pipeline.yaml", "logistic: {}", "logistic: {c: 0.1}");
    work.run().succeeded();
    let told = lines(&work, &["compare", "--json"]);
    assert_eq!(stage(&told, "base/logistic")["test"]["rows"], now.len());
}

#[test]
fn what_is_less_accurate_may_have_better_other_scores() {
    // One row in ten is of class b, which the numbers tell poorly.
    let drawn =
        |i: u64| (i.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33) % 1000;
    let row = |i: u64| {
        let class = u64::from(i.is_multiple_of(10));
        format!("n{i},{}.5,{},{}\n", class * 40 + drawn(i) % 80, drawn(3 * i), ["a", "b"][class as usize])
    };
    let rows: String = (0..4000).map(row).collect();
    let yaml = NOISY.replace("logistic: {}}}", "majority: {}}}\n  net: {kind: train, rows: folds, numeric: [x], epochs: 12, batch_size: 32, class_weights: balanced, network: {trunk: {layers: [8]}}}");
    let work = Workspace::new().file("t.csv", &format!("name,x,z,y\n{rows}")).pipeline(&yaml);
    work.run().succeeded();
    let text = String::from_utf8(work.runner(&["compare", "base/majority", "net"]).stdout).expect("UTF-8");
    assert!(
        text.contains("B is less accurate") && text.contains("a higher average precision, a higher macro-F1 and"),
        "{text}"
    );
}

#[test]
fn models_of_other_rows_are_not_ranked_and_an_ensemble_says_which_rows_it_judged() {
    let rows = noisy(0..400).lines().fold(String::new(), |text, line| {
        let is_easy = line.as_bytes()[line.len() - 3].is_multiple_of(2);
        text + line + if is_easy { ",p\n" } else { ",q\n" }
    });
    let yaml = NOISY.replace(
        "  base: {kind: baseline, rows: folds, numeric: [x, z], models: {logistic: {}}}\n",
        "  all: {kind: train, rows: folds, numeric: [x], epochs: 4, network: {trunk: {layers: [8]}}}
  n: {kind: train, rows: folds, numeric: [x], where: {src: p}, epochs: 4, network: {trunk: {layers: [8]}}}
  ens: {kind: ensemble, members: [all, n]}
",
    );
    let work = Workspace::new().file("t.csv", &format!("name,x,z,y,src\n{rows}")).pipeline(&yaml);
    let run = work.run().succeeded();
    let warnings: String = run.lines.iter().filter_map(|line| line["message"].as_str()).collect();
    insta::assert_snapshot!(stable(&warnings), @"the members were not tried on the same rows: only the 26 of 60 validation and 29 of 60 test rows that all of them have are averaged and judged, so its scores do not compare with theirs (give all members the same `where`)");
    assert!(crate::records::headline(&work, "ens").contains(" of 60 test rows"));
    let text =
        String::from_utf8(work.command(&["runs"]).env("COLUMNS", "400").output().expect("runs").stdout).expect("UTF-8");
    assert!(text.contains("all: ") && text.contains("[judged on other rows: n, ens]"), "{text}");
}

#[test]
fn other_rows_and_other_classes_are_called_that() {
    let mut text = "x,k,y\n".to_owned();
    for row in 0..150 {
        let class = ["a", "b", "c"][row % 3];
        text.push_str(&format!("{},{},{class}\n", (row % 3) as f64 + (row * 7 % 10) as f64 / 9.0, row % 2));
    }
    let work = Workspace::new().file("t.csv", &text).pipeline(
        "name: p
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  whole: {kind: baseline, rows: folds, numeric: [x], models: {tree: {}}}
  half: {kind: baseline, rows: folds, where: {k: {min: 1}}, numeric: [x], models: {tree: {}}}
  two: {kind: baseline, rows: folds, where: {y: {not: c}}, numeric: [x], models: {tree: {}}}
",
    );
    work.run().succeeded();
    let notes = |a: &str, b: &str| -> String {
        let told = lines(&work, &["compare", a, b, "--json"]);
        let notes = told.iter().find(|line| line["event"] == "stage").expect("a comparison")["notes"].clone();
        notes.as_array().expect("notes").iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
    };
    let rows = "learnt from different sets of rows";
    let other = notes("whole/tree", "half/tree");
    assert!(other.contains(rows) && !other.contains("different classes"), "{other}");
    let other = notes("two/tree", "whole/tree");
    insta::assert_snapshot!(stable(&other), @"
    the two learnt from different sets of rows: they are compared on those that both have
    they know different classes (only A: none; only B: 'c'): whoever predicts a class that the other does not know is wrong on the rows that both have
    ");
}
