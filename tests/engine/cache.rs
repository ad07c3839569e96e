//! What re-runs after an edit, through the program, with the real stage kinds.

use crate::screen::stable;
use crate::studies::STUDY;
use crate::workspace::Workspace;

const ALL: [&str; 6] = ["songs", "folds", "baseline", "titles", "fused", "predict"];

fn study() -> Workspace {
    Workspace::with_songs().pipeline(STUDY)
}

#[test]
fn a_second_run_does_nothing_and_plan_agrees() {
    let work = study();
    work.run().ran(&ALL);
    work.run().ran(&[]);
    assert!(work.plan().iter().all(|(_, status)| status == "fresh"));
}

#[test]
fn one_value_reruns_its_stage_and_what_depends_on_it() {
    let work = study();
    work.run().ran(&ALL);
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    let planned: Vec<String> =
        work.plan().into_iter().filter(|(_, status)| status == "run").map(|(stage, _)| stage).collect();
    assert_eq!(planned, ["fused", "predict"]);
    work.run().ran(&["fused", "predict"]);
    work.edit("pipeline.yaml", "epochs: 4", "epochs: 3");
    work.run().ran(&[]).restored(&["fused", "predict"]);
    work.edit("pipeline.yaml", "name: study", "# said in passing\nname:   study");
    work.run().ran(&[]);
}

#[test]
fn another_encoder_reruns_the_titles_and_what_follows() {
    let work = study();
    work.run().ran(&ALL);
    work.edit("pipeline.yaml", "dim: 8", "dim: 6");
    work.run().ran(&["titles", "fused", "predict"]);
}

#[test]
fn a_new_column_that_nobody_reads_trains_nothing_anew() {
    let work = study();
    work.run().ran(&ALL);
    let mut lines = work.text("songs.csv").lines().map(|line| format!("{line},x\n")).collect::<String>();
    lines = lines.replacen("genre,x", "genre,mood", 1);
    work.write("songs.csv", lines.as_bytes());
    // `predict` writes the input file anew, so it must see the column.
    work.run().ran(&["songs", "folds", "predict"]);
}

#[test]
fn a_model_names_the_columns_that_are_read_with_it() {
    let work = study();
    let transfer = "  more:\n    kind: transfer\n    model: fused\n    rows: folds\n    embeddings: titles\n    strategies: [scratch]\n    seeds: 1\n    epochs: 1\n  told: {kind: report, title: t, stages: [more]}\n";
    work.write("pipeline.yaml", format!("{STUDY}{transfer}").as_bytes());
    work.run().ran(&["songs", "folds", "baseline", "titles", "fused", "predict", "more", "told"]);
    // `predict` copies the record of each row, which has not changed; `transfer` reads what its model does.
    work.edit("pipeline.yaml", "label: genre", "label: genre\n    derive: {year: {year_of: title}}");
    work.run().ran(&["songs", "folds"]);
    let lines = work.text("songs.csv").lines().map(|line| format!("{line},x\n")).collect::<String>();
    work.write("songs.csv", lines.replacen("genre,x", "genre,mood", 1).as_bytes());
    work.run().ran(&["songs", "folds", "predict"]);
    work.write("songs.csv", lines.replacen("genre,x", "genre,mood", 1).replace(",12", ",13").as_bytes());
    let ran = work.run().succeeded();
    assert!(ran.lines.last().is_some_and(|last| last["ran"].to_string().contains("more")), "{ran:?}");
}

#[test]
fn resources_are_no_part_of_a_result_and_are_checked() {
    let work = study();
    work.run().ran(&ALL);
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 3\n    resources: {cpus: 1, memory: 2 GB, exclusive: true}");
    work.run_with(&["--memory", "1 GB"]).ran(&[]);
    work.edit("pipeline.yaml", "memory: 2 GB", "memory: 2 apples");
    let run = work.run();
    assert_eq!(run.code, Some(2));
    insta::assert_snapshot!(stable(&run.stderr), @"
    error: 'memory': '2 apples' is not an amount of memory (write e.g. `4 GB` or `512 MiB`)
      --> pipeline.yaml:33:34
       |
    33 |     resources: {cpus: 1, memory: 2 apples, exclusive: true}
       |                                  ^^^^^^^^
    ");
}

#[test]
fn a_display_name_is_a_text_in_known_languages() {
    let work = study();
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 3\n    display_name: {de: Netz}");
    let run = work.run();
    assert_eq!(run.code, Some(2));
    insta::assert_snapshot!(stable(&run.stderr), @"
    error: unknown language 'de': there are en, fr
      --> pipeline.yaml:33:19
       |
    33 |     display_name: {de: Netz}
       |                   ^^^^^^^^^^
    ");
}

#[test]
fn values_can_be_set_by_path_from_the_command_line() {
    let work = study();
    work.run().ran(&ALL);
    work.run_with(&["--set", "fused.optimizer.lr=0.01"]).ran(&["fused", "predict"]);
    work.run().ran(&[]).restored(&["fused", "predict"]);
}

#[test]
fn named_stages_run_with_what_they_need_and_no_more() {
    let work = study();
    work.run_with(&["baseline"]).ran(&["songs", "folds", "baseline"]);
    work.run_with(&["--force", "folds", "baseline"]).ran(&["folds"]);
}

#[test]
fn files_of_an_earlier_result_are_taken_away_and_strangers_are_left() {
    let work = study();
    work.run().ran(&ALL);
    work.write("artifacts/study/predict/notes.txt", b"mine");
    work.edit("pipeline.yaml", "out.csv", "new.csv");
    work.run().ran(&["predict"]);
    assert!(work.exists("artifacts/study/predict/new.csv"));
    assert!(!work.exists("artifacts/study/predict/out.csv"));
    assert!(work.exists("artifacts/study/predict/notes.txt"));
}

/// A bundle's folder and its zip: the folder of one name may be where the zip of the other was.
#[test]
fn a_file_takes_the_place_of_a_folder_of_the_result_before_it_and_back() {
    let yaml = "name: p\nstages:\n  rows: {kind: load, files: {all: songs.csv}, label: genre}\n  hand: {kind: bundle, name: b, stages: [rows]}\n";
    let work = Workspace::with_songs().pipeline(yaml);
    work.run().ran(&["rows", "hand"]);
    assert!(work.path().join("artifacts/p/hand/b.zip").is_file());
    work.edit("pipeline.yaml", "name: b,", "name: b.zip,");
    work.run().ran(&["hand"]);
    assert!(work.path().join("artifacts/p/hand/b.zip").is_dir() && work.exists("artifacts/p/hand/b.zip.zip"));
    assert!(!work.exists("artifacts/p/hand/b"));
    work.edit("pipeline.yaml", "name: b.zip,", "name: b,");
    work.run().succeeded();
    assert!(work.path().join("artifacts/p/hand/b.zip").is_file() && !work.exists("artifacts/p/hand/b.zip.zip"));
}

#[test]
fn predictions_are_the_input_file_with_one_column_added() {
    let work = study();
    work.run().ran(&ALL);
    let input = work.text("songs.csv");
    let output = work.text("artifacts/study/predict/out.csv");
    for (before, after) in input.lines().zip(output.lines()) {
        let added = after.strip_prefix(before).and_then(|rest| rest.strip_prefix(',')).expect("one field more");
        assert!(["predicted_genre", "rock", "rap"].contains(&added), "{added}");
    }
    assert_eq!(input.lines().count(), output.lines().count());
}

#[test]
fn crlf_files_are_predicted_with_crlf() {
    let work = study();
    work.write("songs.csv", work.text("songs.csv").replace('\n', "\r\n").as_bytes());
    work.run().ran(&ALL);
    let output = work.text("artifacts/study/predict/out.csv");
    assert!(output.split("\r\n").count() > 200);
    assert!(!output.replace("\r\n", "").contains(['\r', '\n']));
}
