//! What models say of themselves and do together, through the program: diagnosis, calibration, importance, mistakes, ensembles, paired tests.

use arrow::array::AsArray;
use arrow::datatypes::{Float32Type, Float64Type};
use runner::artifact::Table;
use serde_json::Value;

use crate::screen::stable;
use crate::studies::{AVERAGES, STUDY};
use crate::workspace::Workspace;

const MORE: &str = r#"  look:
    kind: inspect
    model: both
    rows: folds
    embeddings: titles
    show: [title, artist]
    repeats: 3
  predict_both:
    kind: predict
    model: both
    rows: songs
    embeddings: titles
    file: both.csv
  report:
    kind: report
    title: t
    stages: [songs, folds, baseline, fused, tempo, both, all, look, plane]
"#;

fn study() -> Workspace {
    Workspace::with_songs().pipeline(&format!("{STUDY}{AVERAGES}{MORE}"))
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

fn table(work: &Workspace, file: &str) -> Table {
    Table::from_ipc(&work.read(&format!("artifacts/study/{file}"))).expect("a table")
}

fn numbers(table: &Table, column: &str) -> Vec<f64> {
    let column = table.column(column).expect("the column");
    match column.as_primitive_opt::<Float64Type>() {
        Some(values) => values.values().to_vec(),
        None => column.as_primitive::<Float32Type>().values().iter().map(|value| f64::from(*value)).collect(),
    }
}

fn texts(table: &Table, column: &str) -> Vec<String> {
    table.column(column).expect("the column").as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

#[test]
fn a_training_explains_itself_and_its_calibration_reaches_every_prediction() {
    let work = study();
    work.run().succeeded();
    let metrics = json(&work, "fused/metrics.json");
    let kinds: Vec<&str> =
        metrics["diagnosis"].as_array().expect("findings").iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"epoch_kept") && kinds.contains(&"gap") && kinds.contains(&"dead_units"), "{kinds:?}");
    let temperature = metrics["calibration"]["temperature"].as_f64().expect("a temperature");
    assert_eq!(json(&work, "fused/model.json")["network"]["temperature"].as_f64(), Some(temperature));
    // The scores are those of the calibrated model, and the temperature is the best one for the validation part.
    let valid = &metrics["calibration"]["parts"]["valid"];
    let loss = |when: &str| valid[when]["log_loss"].as_f64().expect("a loss");
    assert!(temperature != 1.0 && loss("after") < loss("before"), "{valid:#}");
    assert!((metrics["parts"]["valid"]["log_loss"].as_f64().unwrap() - loss("after")).abs() < 1e-6);
    if metrics["calibration"]["bias"].is_null() {
        assert_eq!(valid["before"]["accuracy"], valid["after"]["accuracy"]);
    }
    let interval = &metrics["parts"]["test"]["intervals"]["accuracy"];
    assert_eq!(interval["method"], "group_wilson", "songs of one artist stay together");
    assert!(interval["low"].as_f64() <= metrics["parts"]["test"]["accuracy"].as_f64());
    assert!(interval["high"].as_f64() >= metrics["parts"]["test"]["accuracy"].as_f64());
    // `predict` says of a test row what the stage itself said of it.
    let (own, new) = (table(&work, "fused/predictions.arrow"), table(&work, "predict/rows.arrow"));
    let of = |table: &Table| -> std::collections::HashMap<i64, f64> {
        let ids =
            table.column("runner.row_id").unwrap().as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
        ids.into_iter().zip(numbers(table, "runner.p_rock")).collect()
    };
    let new = of(&new);
    assert!(of(&own).iter().all(|(id, p)| (new[id] - p).abs() < 1e-6));
    let shown = String::from_utf8(work.runner(&["show", "pipeline.yaml", "fused"]).stdout).expect("UTF-8");
    assert!(shown.contains("are kept: validation") && shown.contains("expected calibration error"), "{shown}");
}

#[test]
fn an_ensemble_is_the_average_that_its_weights_say_and_serves_predictions() {
    let work = study();
    work.run().succeeded();
    let metrics = json(&work, "both/metrics.json");
    let members = metrics["members"].as_array().expect("members");
    let weights: Vec<f64> = members.iter().map(|member| member["weight"].as_f64().unwrap()).collect();
    assert_eq!(members.iter().map(|member| member["name"].as_str().unwrap()).collect::<Vec<_>>(), ["tempo", "fused"]);
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let temperature = metrics["calibration"]["temperature"].as_f64().unwrap();
    let [tempo, fused, both] =
        ["tempo", "fused", "both"].map(|stage| table(&work, &format!("{stage}/predictions.arrow")));
    assert_eq!(texts(&both, "runner.label"), texts(&fused, "runner.label"));
    let [tempo, fused, both] =
        [tempo, fused, both].map(|table| [numbers(&table, "runner.p_rap"), numbers(&table, "runner.p_rock")]);
    let bias = ["rap", "rock"].map(|class| metrics["calibration"]["bias"][class].as_f64().unwrap_or(0.0));
    for row in 0..both[0].len() {
        let logit = |class: usize| {
            let log = |p: f64| p.max(1e-4).ln();
            (weights[0] * log(tempo[class][row]) + weights[1] * log(fused[class][row])) / temperature + bias[class]
        };
        let expected = 1.0 / (1.0 + (logit(1) - logit(0)).exp());
        assert!((both[0][row] - expected).abs() < 1e-5, "row {row}: {} for {expected}", both[0][row]);
    }
    // No worse on the rows that chose the weights than any member alone.
    let loss = |value: &Value| value["log_loss"].as_f64().expect("a loss");
    let own = loss(&metrics["parts"]["valid"]);
    assert!(members.iter().all(|member| loss(&member["valid"]) >= own - 1e-6), "{metrics:#}");
    let csv = work.text("artifacts/study/predict_both/both.csv");
    assert!(csv.lines().next().unwrap().ends_with(",genre,predicted_genre"), "{csv}");
    assert_eq!(csv.lines().count(), 241);

    // Baselines are members by their names; a member whose model is not named cannot be served: said before anything runs.
    let all = json(&work, "all/metrics.json");
    let names: Vec<&str> = all["members"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["baseline/majority", "baseline/logistic", "tempo", "fused"]);
    work.edit("pipeline.yaml", "model: both\n    rows: songs\n", "model: all\n    rows: songs\n");
    let refused = work.run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: the ensemble 'all' cannot predict new rows: it was not given the models of its members 'baseline', 'tempo', 'fused'
      --> pipeline.yaml:74:12
       |
    74 |     model: all
       |            ^^^
       = help: add baseline, tempo, fused to `models` of 'all', or leave them out of `members`
    ");
}

/// Of a stage of several models those are members of which the models are named, so that what is judged is what predicts.
#[test]
fn models_named_one_by_one_are_the_members() {
    let work = study();
    work.edit(
        "pipeline.yaml",
        "members: [baseline, tempo, fused]",
        "members: [baseline, tempo]\n    models: [baseline.logistic, tempo]",
    );
    work.run_with(&["all"]).succeeded();
    let all = json(&work, "all/metrics.json");
    let names: Vec<&str> = all["members"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["baseline/logistic", "tempo"]);
    work.edit("pipeline.yaml", "model: both\n    rows: songs\n", "model: all\n    rows: songs\n");
    work.run_with(&["predict_both"]).succeeded();
    assert_eq!(work.text("artifacts/study/predict_both/both.csv").lines().count(), 241);
    work.edit("pipeline.yaml", "members: [baseline, tempo]", "members: [baseline.logistic, tempo]");
    let refused = work.run();
    assert_eq!((refused.code, refused.stderr.matches("error:").count()), (Some(2), 1), "{}", refused.stderr);
}

#[test]
fn members_must_agree_in_their_classes_and_predict_something() {
    let work = study();
    work.edit("pipeline.yaml", "members: [tempo, fused]", "members: [songs, fused]");
    let refused = work.run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: 'songs' predicts nothing, so that there is nothing of it to average
      --> pipeline.yaml:49:15
       |
    49 |     members: [songs, fused]
       |               ^^^^^
       = help: e.g. `members: [baseline, fused]`, or `fused.predictions`

    error: 'tempo' is not among the members
      --> pipeline.yaml:50:14
       |
    50 |     models: [tempo, fused]
       |              ^^^^^
       = help: name it under `members` too: `members: [tempo]`
    ");
    // Who predicts with such an ensemble is not told that it lacks a model.
    assert_eq!(refused.stderr.matches("error:").count(), 2, "{}", refused.stderr);
}

#[test]
fn an_inspection_finds_the_columns_that_matter_and_the_mistakes() {
    let work = study();
    work.run_with(&["look", "--set", "fused.epochs=12", "--set", "tempo.epochs=12"]).succeeded();
    let found = json(&work, "look/findings.json");
    let drop = |name: &str| {
        let all = found["importance"].as_array().expect("a list");
        let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:#?}"));
        one["accuracy"]["mean"].as_f64().expect("a number")
    };
    // Energy is noise; tempo and title tell the genres apart.
    assert!(drop("tempo") > drop("energy") && drop("all numbers") > 0.0, "{found:#}");
    let mistakes = table(&work, "look/mistakes.arrow");
    let (label, predicted) = (texts(&mistakes, "runner.label"), texts(&mistakes, "runner.predicted"));
    assert!(label.iter().zip(&predicted).all(|(label, predicted)| label != predicted));
    let confidence = numbers(&mistakes, "runner.confidence");
    assert!(confidence.windows(2).all(|pair| pair[0] >= pair[1]), "{confidence:?}");
    let wrong = (1.0 - found["scores"]["accuracy"].as_f64().unwrap()) * found["scores"]["rows"].as_f64().unwrap();
    assert_eq!(mistakes.rows(), (wrong.round() as usize).min(20));
    assert!(texts(&mistakes, "title").iter().all(|title| title.contains("song")));
    // Looking at more mistakes trains nothing anew.
    work.run_with(&["look", "--set", "fused.epochs=12", "--set", "tempo.epochs=12", "--set", "look.mistakes=3"])
        .ran(&["look"]);
}

#[test]
fn the_report_tells_of_it_all() {
    let work = study();
    // After few epochs no loss can be told from chance.
    work.run_with(&["--set", "fused.epochs=12", "--set", "tempo.epochs=12"]).succeeded();
    let page = work.text("artifacts/study/report/report.html");
    for said in [
        "are kept: validation",
        "expected calibration error",
        "matters most: shuffled, it costs",
        "The most confident mistakes on the validation part",
        "A weighted average of the logits of 2 models",
        "by a sign-flip test over groups after Holm's correction over all of them",
        "Every pair of models",
    ] {
        assert!(page.contains(said) || page.contains(&said.replace('\'', "&#39;")), "'{said}' is not in the report");
    }
}

#[test]
fn splits_are_held_side_by_side() {
    let yaml = r#"name: study
seed: 3
stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  by_row: {kind: split, rows: songs}
  by_artist: {kind: split, rows: songs, groups: [artist]}
  baseline:
    kind: baseline
    matrix: {split: [by_row, by_artist]}
    rows: ${split}
    numeric: [tempo]
    models: {logistic: {}}
  report: {kind: report, title: t, stages: [by_row, by_artist, baseline]}
"#;
    let work = Workspace::with_songs().pipeline(yaml);
    work.run().succeeded();
    let page = work.text("artifacts/study/report/report.html");
    assert!(page.contains("Splits side by side") && page.contains("logistic: accuracy"), "no gap is told");
    assert!(page.contains("Newcombe"), "the interval's kind is not told");
}

#[test]
fn a_map_shows_rows_of_the_training_part_and_says_what_it_keeps() {
    let work = study();
    work.run().succeeded();
    let (points, map) = (table(&work, "plane/points.arrow"), json(&work, "plane/map.json"));
    assert_eq!((points.rows(), map["points"].as_u64()), (60, Some(60)));
    let (x, y) = (numbers(&points, "runner.x"), numbers(&points, "runner.y"));
    assert!(x.iter().chain(&y).all(|value| value.is_finite()));
    let part: std::collections::HashMap<i64, String> = {
        let rows = table(&work, "folds/rows.arrow");
        let ids = rows.column("runner.row_id").unwrap().as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
        ids.into_iter().zip(texts(&rows, "runner.part")).collect()
    };
    let ids = points.column("runner.row_id").unwrap().as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
    assert!(ids.iter().all(|id| part[id] == "train"));
    let near = &map["neighbours"];
    for share in ["of_own_class", "by_chance", "kept_in_plane"] {
        assert!((0.0..=1.0).contains(&near[share].as_f64().expect("a share")), "{share}: {map:#}");
    }
    // The tempo tells the genre in these songs.
    assert!(near["of_own_class"].as_f64() > near["by_chance"].as_f64(), "{map:#}");
    let page = work.text("artifacts/study/report/report.html");
    assert!(page.contains("Maps of the vectors") && page.contains("<title>rap: "), "the map is missing");
    work.edit("pipeline.yaml", "perplexity: 5", "perplexity: 80");
    let run = work.run();
    let said = format!("{}{}", run.error(), run.stderr);
    insta::assert_snapshot!(stable(&said), @"
    error: perplexity 80 must lie between 1 and the number of points less 1
      --> pipeline.yaml:62:17
       |
    62 |     perplexity: 80
       |                 ^^
    ");
}

#[test]
fn a_class_has_its_colour_also_where_others_are_left_out() {
    let work = crate::studies::many_classes();
    let yaml = work.text("pipeline.yaml");
    let (head, _) = yaml.split_once("  net:").expect("a network");
    let some = "where: {genre: [ambient, jazz, funk]}";
    let more = format!(
        "  look: {{kind: describe, rows: folds, {some}}}
  plane: {{kind: map, rows: folds, numeric: [tempo], method: pca, points: 40, {some}}}
  report: {{kind: report, title: t, stages: [plane]}}
"
    );
    work.write("pipeline.yaml", format!("{head}{more}").as_bytes());
    work.run().succeeded();
    // In the order of all genres ambient is the second, funk the ninth, which begins the eight colours again, and jazz the twelfth.
    let legend = |text: &str, class: &str, colour: usize| {
        let (before, _) = text.split_once(&format!(">{class}</text>")).unwrap_or_else(|| panic!("no {class}: {text}"));
        let swatch = before.rsplit_once("<circle class=\"").expect("a circle").1;
        assert!(swatch.starts_with(&format!("f-c{colour}\"")), "{class}: {swatch}");
    };
    let page = work.text("artifacts/many/report/report.html");
    let own = work.text("artifacts/many/plane/map-of-tempo.svg");
    for text in [&own, &page] {
        legend(text, "ambient", 1);
        legend(text, "funk", 0);
        legend(text, "jazz", 3);
    }
    let rows = work.text("artifacts/many/look/rows-by-class.svg");
    assert!(rows.contains("class=\"f-c3") && !rows.contains("class=\"f-c2"), "{rows}");
}
