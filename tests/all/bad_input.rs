//! Bad input: one clear error with its place, a non-zero exit, and nothing that existed is lost.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::cache::STUDY;
use crate::workspace::{Workspace, songs};

/// Runs the study over this CSV and returns the error; what an earlier good run left must still be there.
#[track_caller]
fn error_of(csv: &[u8]) -> String {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let kept = work.read("artifacts/study/predict/out.csv");
    work.write("songs.csv", csv);
    let run = work.run();
    assert!(matches!(run.code, Some(1 | 2)), "{run:?}");
    assert_eq!(work.read("artifacts/study/predict/out.csv"), kept, "an earlier result was lost");
    let text = format!("{}\n{}", run.error(), run.stderr);
    assert!(!text.contains("panicked") && !text.contains("internal error"), "{text}");
    text
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
}

fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = songs(240);
    assert!(text.contains(from));
    text.replacen(from, to, 1).into_bytes()
}

fn with_line(number: usize, line: &str) -> Vec<u8> {
    let text = songs(240);
    let mut lines: Vec<&str> = text.lines().collect();
    lines[number - 1] = line;
    (lines.join("\n") + "\n").into_bytes()
}

#[test]
fn a_missing_file() {
    let work = Workspace::new().pipeline(STUDY);
    let run = work.run();
    assert_eq!(run.code, Some(2));
    says(&run.stderr, &["songs.csv", "pipeline.yaml:6"]);
}

#[test]
fn a_missing_column() {
    let run = Workspace::with_songs().pipeline(&STUDY.replace("[tempo, energy]", "[temp, energy]")).run();
    assert_eq!(run.code, Some(2));
    says(&run.stderr, &["no column 'temp'", "did you mean 'tempo'?", "pipeline.yaml:29:15"]);
}

#[test]
fn a_word_among_numbers() {
    says(&error_of(&with_line(5, "s3,\"a, b\",band 1,fast,0.5,rap")), &["songs.csv:5", "tempo", "fast"]);
}

#[test]
fn an_empty_file_and_a_lone_header() {
    says(&error_of(b""), &["songs.csv", "empty"]);
    says(&error_of(b"id,title,artist,tempo,energy,genre\n"), &["songs.csv", "no rows"]);
}

#[test]
fn a_ragged_row() {
    says(&error_of(&with_line(9, "s7,a,band 1,100.0,rap")), &["songs.csv:9", "expected 6 fields, found 5"]);
}

#[test]
fn bytes_that_are_not_utf8() {
    let mut bytes = songs(240).into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'b').expect("a letter");
    bytes[at] = 0xe9;
    says(&error_of(&bytes), &["songs.csv:", "UTF-8"]);
}

#[test]
fn a_header_twice() {
    says(&error_of(&edited("tempo,energy", "tempo,tempo")), &["songs.csv", "tempo", "twice"]);
}

#[test]
fn a_single_class() {
    says(&error_of(songs(240).replace(",rap\n", ",rock\n").as_bytes()), &["only class 'rock' occurs"]);
}

#[test]
fn infinities() {
    says(&error_of(&with_line(4, "s2,a,band 0,inf,0.5,rock")), &["songs.csv:4", "tempo", "infinite"]);
}

#[test]
fn nan_counts_as_missing() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.write("songs.csv", &with_line(4, "s2,a,band 0,NaN,0.5,rock"));
    work.run().succeeded();
}

#[test]
fn a_class_unseen_in_training() {
    // Both songs of the third genre share a group with nothing else, so one part gets them all.
    let work = Workspace::with_songs().pipeline(STUDY);
    let csv = songs(240) + "x1,a,one band,100.0,0.5,jazz\n";
    work.write("songs.csv", csv.as_bytes());
    let run = work.run();
    assert_ne!(run.code, Some(0));
    says(&format!("{}{}", run.error(), run.stderr), &["jazz"]);
}

#[test]
fn all_mistakes_of_a_pipeline_at_once() {
    let yaml = STUDY
        .replace("epochs: 3", "epochz: 3")
        .replace("rows: songs\n    groups", "rows: song\n    groups")
        .replace("kind: embed", "kind: embbed")
        .replace("folds: 3", "folds: three");
    let run = Workspace::with_songs().pipeline(&yaml).run();
    assert_eq!(run.code, Some(2));
    says(
        &run.stderr,
        &[
            "unknown key 'epochz'",
            "did you mean 'epochs'?",
            "no stage 'song'",
            "did you mean 'songs'?",
            "unknown stage kind 'embbed'",
            "did you mean 'embed'?",
            "three",
            "pipeline.yaml:32:5",
            "^^^^^^",
        ],
    );
    assert_eq!(run.lines.last().expect("a line")["outcome"], "invalid");
}

#[test]
fn a_circle() {
    let yaml = STUDY.replace("rows: songs\n    groups", "rows: titles\n    groups");
    let run = Workspace::with_songs().pipeline(&yaml).run();
    assert_eq!(run.code, Some(2));
    says(&run.stderr, &["circle", "folds", "titles"]);
}

#[test]
fn an_artifacts_folder_that_cannot_be_written() {
    let work = Workspace::with_songs().pipeline(STUDY);
    // A file where the folder should be: unlike permissions, it stops the superuser too.
    work.write("artifacts/.store", b"in the way");
    let run = work.run();
    assert_ne!(run.code, Some(0));
    says(&format!("{}{}", run.stderr, run.error()), &["artifacts/.store"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    // A limit on the size of files stands for the disk: the larger blobs cannot be written.
    let work = Workspace::new().file("songs.csv", &songs(3000)).pipeline(STUDY);
    let limited = format!("ulimit -f 40 && trap '' XFSZ && exec {} run pipeline.yaml", env!("CARGO_BIN_EXE_runner"));
    let output =
        std::process::Command::new("bash").args(["-c", &limited]).current_dir(work.path()).output().expect("bash");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    says(&text, &["cannot write"]);
    assert!(!work.exists("artifacts/study/songs"), "nothing partial is seen");
    work.run().succeeded();
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_within_a_second_and_the_next_run_goes_on() {
    let yaml = STUDY.replace("epochs: 3", "epochs: 100000\n    early_stopping: {patience: 100000}");
    let work = Workspace::with_songs().pipeline(&yaml);
    let child = work.command(&["run", "pipeline.yaml", "--json"]).stdout(Stdio::piped()).spawn().expect("starts");
    let started = Instant::now();
    while !work.exists("artifacts/study/titles/rows.arrow") {
        assert!(started.elapsed() < Duration::from_secs(60), "the titles were never embedded");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    let asked = Instant::now();
    let output = child.wait_with_output().expect("ends");
    assert!(asked.elapsed() < Duration::from_secs(1), "took {:?}", asked.elapsed());
    assert_eq!(output.status.code(), Some(130));
    let last = String::from_utf8_lossy(&output.stdout).lines().last().map(str::to_owned).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_str(&last).expect("JSON");
    assert_eq!(summary["interrupted"], serde_json::json!(["fused", "predict"]), "{summary}");
    assert_eq!((&summary["failed"], &summary["blocked"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert!(!work.exists("artifacts/study/fused"));
    work.edit("pipeline.yaml", "epochs: 100000", "epochs: 2");
    work.run().ran(&["fused", "predict"]);
}

#[test]
fn words_in_several_columns_to_learn_numbers_from_are_told_together() {
    let work = Workspace::with_songs().pipeline(
        "name: p\nstages:\n  songs: {kind: load, files: {all: songs.csv}, label: genre}\n  folds: {kind: split, rows: songs}\n  net: {kind: train, rows: folds, numeric: [title, tempo, artist], epochs: 1}\n",
    );
    let error = work.run().error();
    says(&error, &["column 'title': '", "column 'artist': '", "nor are", "songs.csv:2: "]);
    assert_eq!(error.lines().count(), 2, "{error}");
}

#[test]
fn a_corrupt_encoder() {
    let work = Workspace::with_songs()
        .file("model/config.json", "{\"model_type\": \"bert\"")
        .file("model/model.safetensors", "not weights")
        .file("model/tokenizer.json", "{}")
        .pipeline(&STUDY.replace("encoder: tfidf", "encoder: ./model"));
    let run = work.run();
    assert!(matches!(run.code, Some(1 | 2)), "{run:?}");
    says(&format!("{}{}", run.error(), run.stderr), &["model"]);
}

#[test]
fn a_key_one_level_too_high_is_told_its_place() {
    let work = Workspace::with_songs().pipeline(crate::cache::STUDY);
    for (set, place) in [
        ("titles.precision=int8", "unknown key 'precision' (did you mean 'transformer.precision'?)"),
        ("fused.weight_decay=0.1", "(did you mean 'optimizer.weight_decay'?)"),
        ("fused.wieght=0.1", "unknown key 'wieght'"),
    ] {
        let run = work.run_with(&["--set", set]);
        assert_eq!(run.code, Some(2));
        says(&run.stderr, &[place, set]);
    }
}
