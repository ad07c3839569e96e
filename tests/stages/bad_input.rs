//! Bad input: one clear error with its place, a non-zero exit, and nothing that existed is lost.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::checks::{accepted, each_refused};
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
    work.stable(text.trim_start())
}

/// What a run of this pipeline, which is refused, says.
#[track_caller]
fn refused(work: &Workspace) -> String {
    let run = work.run();
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(run.lines.last().expect("a line")["outcome"], "invalid");
    work.stable(&run.stderr)
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
    insta::assert_snapshot!(refused(&work), @"
    error: songs.csv: cannot be read: No such file or directory (os error 2)
     --> pipeline.yaml:6:18
      |
    6 |     files: {all: songs.csv}
      |                  ^^^^^^^^^
      = help: paths count from where runner is started: [folder]
    ");
}

#[test]
fn a_missing_column() {
    let work = Workspace::with_songs().pipeline(&STUDY.replace("[tempo, energy]", "[temp, energy]"));
    insta::assert_snapshot!(refused(&work), @"
    error: no column 'temp' in 'folds' (did you mean 'tempo'?)
      --> pipeline.yaml:29:15
       |
    29 |     numeric: [temp, energy]
       |               ^^^^
       = help: it has id, title, artist, tempo, energy, genre
    ");
}

#[test]
fn a_word_among_numbers() {
    insta::assert_snapshot!(error_of(&with_line(5, "s3,\"a, b\",band 1,fast,0.5,rap")), @"songs.csv:5: column 'tempo': 'fast' is not a number, but 99.6 % of the column is (correct it, make it missing by `missing: {tempo: {add: [fast]}}`, or declare `types: {tempo: text}`)");
}

#[test]
fn an_empty_file_and_a_lone_header() {
    insta::assert_snapshot!(error_of(b""), @"
    error: songs.csv: the file is empty (expected a header line and rows)
     --> pipeline.yaml:6:18
      |
    6 |     files: {all: songs.csv}
      |                  ^^^^^^^^^
    ");
    insta::assert_snapshot!(error_of(b"id,title,artist,tempo,energy,genre\n"), @"songs.csv: the file has a header but no rows (add some below it, or leave the file out of `files`)");
}

#[test]
fn a_ragged_row() {
    insta::assert_snapshot!(error_of(&with_line(9, "s7,a,band 1,100.0,rap")), @"songs.csv:9: expected 6 fields, found 5 (write what is missing, a delimiter for each field though it is empty; quote fields that hold a line break)");
}

#[test]
fn bytes_that_are_not_utf8() {
    let mut bytes = songs(240).into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'b').expect("a letter");
    bytes[at] = 0xe9;
    insta::assert_snapshot!(error_of(&bytes), @"songs.csv:2:20: byte 0xe9 is not valid UTF-8; of 241 lines 1 is not: line 2 (correct it; or, if the file is Latin-1 or Windows-1252, write `encoding: windows-1252`)");
}

#[test]
fn a_header_twice() {
    insta::assert_snapshot!(error_of(&edited("tempo,energy", "tempo,tempo")), @"
    error: songs.csv:1: column 'tempo' occurs twice in the header, as number 4 and 5 (rename one; if the file has no header, write `header: false`)
     --> pipeline.yaml:6:18
      |
    6 |     files: {all: songs.csv}
      |                  ^^^^^^^^^
    ");
}

#[test]
fn a_single_class() {
    insta::assert_snapshot!(error_of(songs(240).replace(",rap\n", ",rock\n").as_bytes()), @"pipeline.yaml:8:3: only class 'rock' occurs among the rows (classification needs at least two)");
}

#[test]
fn infinities() {
    insta::assert_snapshot!(error_of(&with_line(4, "s2,a,band 0,inf,0.5,rock")), @"songs.csv:4: column 'tempo': 'inf' is infinite or too large for a number (write a finite number, or make it missing by `missing: {tempo: {add: [inf]}}`)");
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
    assert_eq!(run.code, Some(1), "{run:?}");
    insta::assert_snapshot!(run.error(), @"
    pipeline.yaml:11:13: too rare to be in 3 parts and two folds: class 'jazz' (1 row) (each needs 4 rows or more, in as many groups where rows are linked: bring more rows, or leave such classes out)
    to leave them out, write in this stage `where: {genre: {not: [jazz]}}`
    ");
}

#[test]
fn all_mistakes_of_a_pipeline_at_once() {
    let yaml = STUDY
        .replace("epochs: 3", "epochz: 3")
        .replace("rows: songs\n    groups", "rows: song\n    groups")
        .replace("kind: embed", "kind: embbed")
        .replace("folds: 3", "folds: three");
    insta::assert_snapshot!(refused(&Workspace::with_songs().pipeline(&yaml)));
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
        assert!(told.contains(" more (`runner plan --json` lists all)"), "{told}");
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
    let works = [
        "keep: [title, titel]",
        "drop: [title, titel]",
        "where: {tempo: {min: 1}, temp: {min: 1}}",
        "derive: {year: {year_of: dat}}",
        "types: {tempo: number, temp: number}",
    ]
    .map(|key| {
        let yaml = format!("name: p\nstages:\n  rows: {{kind: load, files: {{all: songs.csv}}, {key}}}\n");
        Workspace::with_songs().pipeline(&yaml)
    });
    insta::assert_snapshot!(each_refused(works));
}

#[test]
fn a_name_of_no_stage_is_told_what_there_is() {
    let work = Workspace::with_songs().pipeline(STUDY);
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "elsewhere"]), @"
    $ runner run pipeline.yaml elsewhere
    error: unknown stage 'elsewhere' (the pipeline has songs, folds, baseline, titles, fused, predict)
    [exit code 2]
    ");
}

#[test]
fn a_circle() {
    let yaml = STUDY.replace("rows: songs\n    groups", "rows: titles\n    groups");
    insta::assert_snapshot!(refused(&Workspace::with_songs().pipeline(&yaml)), @"
    error: stages depend on each other in a circle: folds, titles
     --> pipeline.yaml:8:3
      |
    8 |   folds:
      |   ^^^^^
      = help: one of these must not read from another
    ");
}

#[test]
fn an_artifacts_folder_that_cannot_be_written() {
    let work = Workspace::with_songs().pipeline(STUDY);
    // A file where the folder should be: unlike permissions, it stops the superuser too.
    work.write("artifacts/.store", b"in the way");
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml"]), @"
    $ runner run pipeline.yaml
    error: cannot read 'artifacts/.store/format': not a directory (a file lies where a folder is meant: choose another with --artifacts)
    [exit code 1]
    ");
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
    assert!(text.contains("cannot write"), "{text}");
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
    insta::assert_snapshot!(error, @"
    pipeline.yaml:5:3: songs.csv:2: column 'title': 'stone, song 0' is not a number, nor are 239 more of its values (correct it, list it under `missing` of the `load` stage, or leave 'title' out of `numeric`: `types: {title: text}` makes a text of it, for `categories` or an `embed` stage)
    songs.csv:2: column 'artist': 'band 0' is not a number, nor are 239 more of its values (correct it, list it under `missing` of the `load` stage, or leave 'artist' out of `numeric`: `types: {artist: text}` makes a text of it, for `categories` or an `embed` stage)
    ");
}

#[test]
fn a_corrupt_encoder() {
    let work = Workspace::with_songs()
        .file("model/config.json", "{\"model_type\": \"bert\"")
        .file("model/model.safetensors", "not weights")
        .file("model/tokenizer.json", "{}")
        .pipeline(&STUDY.replace("encoder: tfidf", "encoder: ./model"));
    insta::assert_snapshot!(refused(&work), @"
    error: encoder file './model/config.json' is damaged: EOF while parsing an object at line 1 column 21
      --> pipeline.yaml:23:14
       |
    23 |     encoder: ./model
       |              ^^^^^^^
       = help: put a sound copy of the file there, or name another encoder
    ");
}

#[test]
fn a_key_one_level_too_high_is_told_its_place() {
    let work = Workspace::with_songs().pipeline(STUDY);
    let screens = ["titles.precision=int8", "fused.weight_decay=0.1", "fused.wieght=0.1", "fused.embedding=titles"]
        .map(|set| work.screen(&["plan", "pipeline.yaml", "--set", set]));
    insta::assert_snapshot!(screens.join("\n"), @"
    $ runner plan pipeline.yaml --set titles.precision=int8
    error: unknown key 'precision' (did you mean 'transformer.precision'?)
     --> command line
      |
      | --set titles.precision=int8
      |              ^^^^^^^^^
      = help: keys of 'embed' are rows, fit, columns, encoder, transformer, tfidf
    [exit code 2]

    $ runner plan pipeline.yaml --set fused.weight_decay=0.1
    error: unknown key 'weight_decay' (did you mean 'optimizer.weight_decay'?)
     --> command line
      |
      | --set fused.weight_decay=0.1
      |             ^^^^^^^^^^^^
      = help: keys of 'train' are rows, embeddings, numeric, text, categories, sample_weight, where,
              network, seeds, search, threshold, epochs, batch_size, optimizer, schedule, loss,
              label_smoothing, class_weights, clip_norm, early_stopping, dropout_schedule, average
    [exit code 2]

    $ runner plan pipeline.yaml --set fused.wieght=0.1
    error: unknown key 'wieght'
     --> command line
      |
      | --set fused.wieght=0.1
      |             ^^^^^^
      = help: keys of 'train' are rows, embeddings, numeric, text, categories, sample_weight, where,
              network, seeds, search, threshold, epochs, batch_size, optimizer, schedule, loss,
              label_smoothing, class_weights, clip_norm, early_stopping, dropout_schedule, average
    [exit code 2]

    $ runner plan pipeline.yaml --set fused.embedding=titles
    error: unknown key 'embedding' (did you mean 'embeddings'?)
     --> command line
      |
      | --set fused.embedding=titles
      |             ^^^^^^^^^
      = help: keys of 'train' are rows, embeddings, numeric, text, categories, sample_weight, where,
              network, seeds, search, threshold, epochs, batch_size, optimizer, schedule, loss,
              label_smoothing, class_weights, clip_norm, early_stopping, dropout_schedule, average
    [exit code 2]
    ");
}

/// What `plan` says of a pipeline, with its exit code.
fn planned(yaml: &str) -> (Option<i32>, String) {
    let work = Workspace::with_songs().pipeline(yaml);
    let output = work.runner(&["plan", "pipeline.yaml"]);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_value_at_fault_hides_no_other() {
    let works = [
        "seed: 99999999999999999999999",
        "seed: .inf",
        "? [a, b]\n: 1",
        "name: !!python/object:os.system {a: 1}",
        "name: !!timestamp 2001-01-01",
    ]
    .map(|line| {
        Workspace::with_songs().pipeline(&format!(
            "{line}\nstages:\n  songs: {{kind: load, files: {{all: songs.csv}}, lable: genre}}\n  other: {{kind: lod}}\n"
        ))
    });
    insta::assert_snapshot!(each_refused(works));
}

#[test]
fn halves_of_a_character_are_told_how_to_be_written() {
    let yaml = "name: \"a\\ud83d\\ude00\"\nstages: {}\n";
    insta::assert_snapshot!(refused(&Workspace::new().pipeline(yaml)), @r#"
    error: invalid YAML: '\ud83d\ude00' is an escape of JSON's for one character
     --> pipeline.yaml:1:9
      |
    1 | name: "a\ud83d\ude00"
      |         ^^^^^^^^^^^^
      = help: write the character itself, or \U0001f600
    "#);
}

#[test]
fn what_nothing_uses_is_a_warning() {
    const USED: &str = "name: p\nvars: {genre: genre, spare: 1}\ntemplates:\n  net: {kind: train, epohcs: 3}\n  base: {kind: load}\n  csv: {extends: base, label: \"${genre}\"}\nstages:\n  songs: {extends: csv, files: {all: songs.csv}}\n";
    insta::assert_snapshot!(accepted(&Workspace::with_songs().pipeline(USED)), @"
    warning: nothing uses the variable 'spare'
     --> pipeline.yaml:2:22
      |
    2 | vars: {genre: genre, spare: 1}
      |                      ^^^^^
      = help: remove it, or write ${spare} where it is meant

    warning: no stage extends the template 'net', so nothing in it is checked
     --> pipeline.yaml:4:3
      |
    4 |   net: {kind: train, epohcs: 3}
      |   ^^^
      = help: remove it, or extend it
    ");
    // An included file serves others, too.
    let work = Workspace::with_songs().file("shared.yaml", USED).pipeline("name: q\ninclude: shared.yaml\n");
    assert_eq!(accepted(&work), "");
}

#[test]
fn a_program_that_is_not_there_is_told_before_it_is_started() {
    let command = |run: &str| format!("name: p\nstages:\n  it: {{kind: command, run: {run}, outputs: {{x: x.txt}}}}\n");
    let work = |run: &str| Workspace::with_songs().pipeline(&command(run));
    // Warnings alone: known results need no program.
    let words = ["nosuchprogram", "./songs.csv", "./nothing.sh", "./", "/dev/null", "songs.csv"];
    let warned = words.map(|program| accepted(&work(&format!("[{program}, \"{{out}}/x.txt\"]"))));
    insta::assert_snapshot!(warned.join("\n"));
    insta::assert_snapshot!(refused(&work("[sh, \"a\\0b\", \"{out}/x.txt\"]")), @r#"
    error: a NUL character in a word
     --> pipeline.yaml:3:33
      |
    3 |   it: {kind: command, run: [sh, "a\0b", "{out}/x.txt"], outputs: {x: x.txt}}
      |                                 ^^^^^^
      = help: words of a program cannot hold it: write such text to a file, and name that
    "#);
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
        assert!(told.contains("zz0'") && told.contains(" more (`runner plan --json` lists all)"), "{told}");
        assert!(started.elapsed() < Duration::from_secs(30), "{:?} {}", started.elapsed(), &rest[..40]);
    }
}

/// 2^53 and the number after it are one float, as the next odd ones are each with a neighbour; numbers far apart are merely rounded.
#[test]
fn whole_numbers_that_a_float_does_not_hold_are_refused_or_told_of() {
    let run = |id: &dyn Fn(u64) -> u64| {
        let rows =
            (0..60).fold("id,y\n".to_owned(), |text, i| text + &format!("{},{}\n", id(i), ["p", "q"][i as usize % 2]));
        let stages = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows}
  base: {kind: baseline, rows: folds, numeric: [id], models: {tree: {}}}
";
        let run = Workspace::new().file("t.csv", &rows).pipeline(stages).run();
        let lines: Vec<String> = run.lines.iter().map(ToString::to_string).collect();
        (run.code, lines.join("\n"))
    };
    let (code, told) = run(&|i| (1 << 53) + i % 2);
    let merged =
        "column 'id': '9007199254740992' and '9007199254740993' have more digits than a number holds, and would be one";
    assert!(code == Some(1) && told.contains(merged), "{told}");
    let (code, told) = run(&|i| (1 << 53) + 1 + 64 * i);
    let rounded = "column 'id' has whole numbers of more digits than a number holds, which are rounded, e.g. 9007199254740993 to 9007199254740992 (";
    assert!(code == Some(0) && told.contains(rounded), "{told}");
    let (code, told) = run(&|i| (1 << 53) - 1 - i);
    assert!(code == Some(0) && !told.contains("more digits"), "{told}");
}
