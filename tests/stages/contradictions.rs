//! What is given twice, contradicts itself or is read by nothing is told, never taken in silence.

use crate::workspace::{Workspace, songs};

const STAGES: &str = "name: p
seed: 1
stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

fn work(stages: &str) -> Workspace {
    Workspace::with_songs().pipeline(&format!("{STAGES}{stages}\n"))
}

/// The code of `plan`, and what it says in one line.
fn planned(work: &Workspace) -> (Option<i32>, String) {
    let output = work.runner(&["plan", "pipeline.yaml"]);
    let text = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    (output.status.code(), text)
}

#[track_caller]
fn says(stages: &str, code: i32, expected: &[&str]) {
    let (found, text) = planned(&work(stages));
    assert_eq!(found, Some(code), "{text}");
    expected.iter().for_each(|part| assert!(text.contains(part), "'{part}' is not in {text}"));
}

/// What a run warns of, one line each.
#[track_caller]
fn warned(work: &Workspace) -> String {
    let run = work.run().succeeded();
    let messages = run.lines.iter().filter_map(|line| line["message"].as_str());
    messages.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_under_two_names_is_refused_and_two_of_one_content_are_told() {
    let two = |second: &str| format!("  more: {{kind: load, files: {{a: songs.csv, b: {second}}}}}");
    let expected = ["'b' is the same file as 'a': all of its rows would be there twice", "pipeline.yaml:6:"];
    says(&two("./songs.csv"), 2, &expected);
    says(&two("./nowhere/../songs.csv"), 2, &["nowhere"]);
    let work = work(&two("copy.csv"));
    work.write("copy.csv", songs(240).as_bytes());
    assert!(warned(&work).contains("'b' (copy.csv) has the same content as 'a' (songs.csv)"), "{}", warned(&work));
    #[cfg(unix)]
    {
        std::fs::remove_file(work.path().join("copy.csv")).expect("removed");
        std::os::unix::fs::symlink("songs.csv", work.path().join("copy.csv")).expect("a link");
        let (code, text) = planned(&work);
        assert!(code == Some(2) && text.contains(expected[0]), "{text}");
    }
    let hash = "a".repeat(64);
    let download = format!("{{url: 'https://example.org/a.csv', sha256: {hash}}}");
    let downloads = format!("  more: {{kind: load, downloads: {{a: {download}, b: {download}}}}}");
    says(&downloads, 2, &["'b' has the same `sha256` as 'a'"]);
}

#[test]
fn lists_that_contradict_each_other() {
    says(
        "  more: {kind: load, files: {a: songs.csv}, missing: {tempo: {add: ['1'], remove: ['1']}}}",
        2,
        &["missing.tempo: '1' is to be added and to be removed"],
    );
    let describe = |rest: &str| format!("  look: {{kind: describe, rows: songs, {rest}}}");
    says(&describe("options: {near_duplicate_columns: [title, title]}"), 2, &["names 'title' twice"]);
    says(
        &describe("drop: [title], options: {near_duplicate_columns: [title]}"),
        2,
        &["'title' is under `drop` too, so that no duplicate can be found by it"],
    );
    says(&describe("options: {near_duplicate_columns: [genre]}"), 2, &["'genre' is the label"]);
    says(&describe("drop: [genre]"), 0, &["warning: 'genre' is the label", "it is not dropped"]);
}

#[test]
fn settings_of_another_encoder_are_told() {
    let embed = "kind: embed, rows: songs, fit: folds.train, columns: [title]";
    says(
        &format!("  v: {{{embed}, encoder: tfidf, transformer: {{max_length: 4}}}}"),
        0,
        &["warning: nothing reads `transformer`: the encoder is tfidf"],
    );
    says(
        &format!("  v: {{{embed}, encoder: sentence-transformers/all-MiniLM-L6-v2, tfidf: {{dim: 4}}}}"),
        0,
        &["warning: nothing reads `tfidf`: the encoder is sentence-transformers/all-MiniLM-L6-v2"],
    );
}

#[test]
fn more_neighbours_than_rows_are_told_with_both_numbers() {
    let base = |k: usize| {
        work(&format!("  base: {{kind: baseline, rows: folds, numeric: [tempo], models: {{knn: {{k: {k}}}}}}}"))
    };
    let text = warned(&base(1000));
    assert!(text.contains("`k` is 1000, but the model is fitted on 1"), "{text}");
    assert!(!warned(&base(5)).contains("knn"));
}

#[test]
fn every_wrong_class_of_the_weights_is_told_at_once() {
    for kind in ["epochs: 1", "epochs: 1, seeds: 2"] {
        let weights = "class_weights: {' rock': 3, rapp: 2, jazz: 4, rap: 1}";
        let work = work(&format!("  net: {{kind: train, rows: folds, numeric: [tempo], {kind}, {weights}}}"));
        let run = work.run();
        let error = run.error();
        assert_eq!(run.code, Some(1), "{error}");
        for part in
            ["' rock' (did you mean 'rock'?)", "'rapp' (did you mean 'rap'?)", "'jazz'", "the classes are 'rap'"]
        {
            assert!(error.contains(part), "'{part}' is not in {error}");
        }
        assert!(error.contains("pipeline.yaml:6:"), "{error}");
    }
}

#[test]
fn the_ending_of_predictions_is_that_of_their_fields() {
    let stages = |delimiter: &str, file: &str| {
        let net = "  net: {kind: baseline, rows: folds, numeric: [tempo], models: {tree: {}}}\n";
        format!(
            "{net}  new: {{kind: load, files: {{new: new.txt}}, delimiter: {delimiter}}}\n  pred: {{kind: predict, model: net, rows: new, file: {file}}}"
        )
    };
    let with = |delimiter: char, written: &str, file: &str| {
        let work = work(&stages(written, file));
        let rows: Vec<String> = (1..30).map(|i| format!("n{i}{delimiter}{}", 80 + i)).collect();
        work.write("new.txt", format!("name{delimiter}tempo\n{}\n", rows.join("\n")).as_bytes());
        work
    };
    for (delimiter, written, file) in [
        ('\t', "\"\\t\"", "out.tsv"),
        ('\t', "\"\\t\"", "out.txt"),
        (';', "\";\"", "out.csv"),
        (';', "\";\"", "out.txt"),
    ] {
        let work = with(delimiter, written, file);
        let (code, text) = planned(&work);
        assert!(code == Some(0) && text.is_empty(), "{text}");
        work.run().succeeded();
        let text = work.text(&format!("artifacts/p/pred/{file}"));
        assert!(text.starts_with(&format!("name{delimiter}tempo{delimiter}genre\n")), "{text}");
    }
    let (code, text) = planned(&with('\t', "\"\\t\"", "out.csv"));
    assert!(code == Some(0) && text.contains("'out.csv' will have tabs between its fields"), "{text}");
    assert!(text.contains("call it 'out.tsv'"), "{text}");
    let (code, text) = planned(&with(';', "\";\"", "out.tsv"));
    assert!(code == Some(2) && text.contains("'out.tsv' would have ';' between its fields, not tabs"), "{text}");
    let (code, text) = planned(&with(';', "\";\"", "out.xlsx"));
    assert!(code == Some(2) && text.contains("does not end in .csv, .tsv or .txt"), "{text}");
}
