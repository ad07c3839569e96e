//! `runner compare`: two runs, two models, with paired statistics and the rows that flipped.

use serde_json::Value;

use crate::cache::STUDY;
use crate::history::lines;
use crate::workspace::Workspace;

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
    assert_eq!(one["test"]["verdict"], "better", "{one:#}");
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
    let text = String::from_utf8(work.runner(&["compare", "baseline/majority", "last:baseline/logistic"]).stdout)
        .expect("UTF-8");
    // Each interval says what it is; the text sums that up.
    let method = |metric: &str| score(one, metric)["difference"]["method"].clone();
    assert_eq!((method("accuracy"), method("macro_f1")), ("group_bootstrap".into(), "group_bootstrap".into()));
    assert!(text.contains("bootstrap over the groups of rows") && !text.contains("Tango"), "{text}");
    assert!(text.contains("B is better") && text.contains("wrong → right") && text.contains("95 %"), "{text}");
}

#[test]
fn the_same_results_are_said_to_be_the_same() {
    let work = study();
    let text = String::from_utf8(work.runner(&["compare", "last", "last"]).stdout).expect("UTF-8");
    assert!(text.contains("6 stages have the same result in both"), "{text}");
    let told = lines(&work, &["compare", "baseline/logistic", "baseline/logistic", "--json"]);
    assert_eq!(told[1]["same"], true);
}

#[test]
fn wrong_names_are_answered_with_the_right_ones() {
    let work = study();
    for (arguments, code, said) in [
        (&["compare", "last~1", "last"][..], 1, "no run 'last~1'"),
        (&["compare", "fused", "numeric"], 2, "has no stage 'numeric'; it has songs, folds, baseline"),
        (&["compare", "last", "fused"], 2, "two runs or two stages"),
        (&["compare", "baseline/svm", "fused"], 1, "no model 'svm'; it has majority, logistic"),
    ] {
        let output = work.runner(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}
