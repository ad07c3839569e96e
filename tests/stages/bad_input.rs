//! Bad input: one clear error with its place, a non-zero exit, and nothing that existed is lost.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::studies::STUDY;
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
fn with_json_every_mistake_is_a_line() {
    let stages: String = (10..70).map(|i| format!("  s{i}: {{kind: load, fils: {{a: t{i}.csv}}}}\n")).collect();
    let work = Workspace::new().pipeline(&format!("name: p\nstages:\n{stages}"));
    for command in ["run", "plan"] {
        let output = work.runner(&[command, "pipeline.yaml", "--json"]);
        assert_eq!(output.status.code(), Some(2));
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        let lines: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mistakes: Vec<_> = lines.iter().filter(|line| line["event"] == "mistake").collect();
        assert!(mistakes.len() >= 60, "{command}: {}", mistakes.len());
        for i in 0..60 {
            let at = format!("pipeline.yaml:{}:21", i + 3);
            let own =
                mistakes.iter().find(|line| line["at"] == at.as_str()).unwrap_or_else(|| panic!("{at}: {mistakes:#?}"));
            assert!(own["message"].as_str().is_some_and(|message| message.starts_with("unknown key 'fils'")), "{own}");
        }
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        says(&told, &["… and ", " more (`runner plan --json` lists all)"]);
    }
    let run = work.run();
    let last = run.lines.last().expect("a line");
    assert_eq!(last["outcome"], "invalid");
    for list in ["ran", "restored", "fresh", "failed", "blocked", "not_reached", "interrupted"] {
        assert_eq!(last[list], serde_json::json!([]), "{list}");
    }
}

#[test]
fn a_mistake_of_a_load_stage_points_at_its_key() {
    let work = Workspace::with_songs();
    for (key, at) in [
        ("keep: [title, titel]", "3:61"),
        ("drop: [title, titel]", "3:61"),
        ("where: {tempo: {min: 1}, temp: {min: 1}}", "3:78"),
        ("derive: {year: {year_of: dat}}", "3:62"),
        ("types: {tempo: number, temp: number}", "3:76"),
    ] {
        let work = &work;
        work.write(
            "pipeline.yaml",
            format!("name: p\nstages:\n  rows: {{kind: load, files: {{all: songs.csv}}, {key}}}\n").as_bytes(),
        );
        let output = work.runner(&["plan", "pipeline.yaml"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{key}: {told}");
        says(&told, &[&format!("pipeline.yaml:{at}")]);
    }
}

#[test]
fn a_name_of_no_stage_is_told_what_there_is() {
    let work = Workspace::with_songs().pipeline(STUDY);
    let output = work.runner(&["run", "pipeline.yaml", "elsewhere"]);
    says(&String::from_utf8_lossy(&output.stderr), &["unknown stage 'elsewhere' (the pipeline has songs, folds, "]);
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
    assert_eq!(summary["interrupted"], serde_json::json!(["fused"]), "{summary}");
    assert_eq!(summary["not_reached"], serde_json::json!(["predict"]), "{summary}");
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
    let work = Workspace::with_songs().pipeline(crate::studies::STUDY);
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

/// What `plan` says of a pipeline, with its exit code.
fn planned(yaml: &str) -> (Option<i32>, String) {
    let work = Workspace::with_songs().pipeline(yaml);
    let output = work.runner(&["plan", "pipeline.yaml"]);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_value_at_fault_hides_no_other() {
    for (line, said) in [
        ("seed: 99999999999999999999999", "is too large for a whole number"),
        ("seed: .inf", "is not a finite number"),
        ("? [a, b]\n: 1", "a list or mapping cannot be a key"),
        ("name: !!python/object:os.system {a: 1}", "tag '!!python/object:os.system' on a value"),
        ("name: !!timestamp 2001-01-01", "tag '!!timestamp' on a value"),
    ] {
        let (code, told) = planned(&format!(
            "{line}\nstages:\n  songs: {{kind: load, files: {{all: songs.csv}}, lable: genre}}\n  other: {{kind: lod}}\n"
        ));
        assert_eq!(code, Some(2), "{line}");
        says(&told, &[said, "unknown key 'lable'", "unknown stage kind 'lod'"]);
    }
}

#[test]
fn halves_of_a_character_are_told_how_to_be_written() {
    let (code, told) = planned("name: \"a\\ud83d\\ude00\"\nstages: {}\n");
    assert_eq!(code, Some(2));
    says(
        &told,
        &[r"'\ud83d\ude00' is an escape of JSON's", r"write the character itself, or \U0001f600", "pipeline.yaml:1:9"],
    );
}

#[test]
fn what_nothing_uses_is_a_warning() {
    const USED: &str = "name: p\nvars: {genre: genre, spare: 1}\ntemplates:\n  net: {kind: train, epohcs: 3}\n  base: {kind: load}\n  csv: {extends: base, label: \"${genre}\"}\nstages:\n  songs: {extends: csv, files: {all: songs.csv}}\n";
    let (code, told) = planned(USED);
    assert_eq!(code, Some(0), "{told}");
    says(&told, &["warning: nothing uses the variable 'spare'", "warning: no stage extends the template 'net'"]);
    assert_eq!(told.matches("warning:").count(), 2, "{told}");
    // An included file serves others, too.
    let work = Workspace::with_songs().file("shared.yaml", USED).pipeline("name: q\ninclude: shared.yaml\n");
    let output = work.runner(&["plan", "pipeline.yaml"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_program_that_is_not_there_is_told_before_it_is_started() {
    let command = |run: &str| format!("name: p\nstages:\n  it: {{kind: command, run: {run}, outputs: {{x: x.txt}}}}\n");
    let (code, told) = planned(&command("[nosuchprogram, \"{out}/x.txt\"]"));
    assert_eq!(code, Some(0), "known results need no program: {told}");
    says(&told, &["warning: there is no program 'nosuchprogram'", "pipeline.yaml:3:"]);
    let (_, told) = planned(&command("[./songs.csv, \"{out}/x.txt\"]"));
    says(
        &told,
        &[
            "warning: './songs.csv' is a file that may not be executed",
            "chmod +x ./songs.csv",
            "run: [sh, ./songs.csv]",
        ],
    );
    let (_, told) = planned(&command("[./nothing.sh, \"{out}/x.txt\"]"));
    says(&told, &["warning: there is no program './nothing.sh'", "paths count from where runner is started"]);
    let (_, told) = planned(&command("[./, \"{out}/x.txt\"]"));
    says(&told, &["warning: './' is a folder, not a program"]);
    let (_, told) = planned(&command("[/dev/null, \"{out}/x.txt\"]"));
    says(&told, &["warning: '/dev/null' is neither a file nor a folder, and no program"]);
    let (_, told) = planned(&command("[songs.csv, \"{out}/x.txt\"]"));
    says(&told, &["warning: there is no program 'songs.csv'", "a file beside the pipeline is `./songs.csv`"]);
    let (code, told) = planned(&command("[sh, \"a\\0b\", \"{out}/x.txt\"]"));
    assert_eq!(code, Some(2));
    says(&told, &["a NUL character in a word"]);
    assert!(!told.contains("there is no program"), "{told}");
}

#[test]
fn many_unknown_columns_take_no_time_of_their_square() {
    let names: Vec<String> = (0..30_000).map(|i| format!("zz{i}")).collect();
    let names = names.join(", ");
    let head = "name: p\nstages:\n  songs: {kind: load, files: {all: songs.csv}, label: genre";
    for rest in [
        format!(", keep: [{names}]}}"),
        format!("}}\n  folds: {{kind: split, rows: songs, groups: [{names}]}}"),
        format!("}}\n  folds: {{kind: split, rows: songs}}\n  net: {{kind: train, rows: folds, numeric: [{names}]}}"),
        format!("}}\n  words: {{kind: embed, rows: songs, encoder: tfidf, columns: [{names}]}}"),
    ] {
        let started = Instant::now();
        let (code, told) = planned(&format!("{head}{rest}\n"));
        assert_eq!(code, Some(2));
        says(&told, &["zz0'", " more (`runner plan --json` lists all)"]);
        assert!(started.elapsed() < Duration::from_secs(30), "{:?} {}", started.elapsed(), &rest[..40]);
    }
}
