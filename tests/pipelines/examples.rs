//! The examples: a program with a kind of stage of its own, and the library without YAML.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::screen::stable;
use crate::workspace::Workspace;

/// `cargo test` builds examples beside the program before it runs any test; with `--test pipelines` alone it does not.
fn example(name: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_runner"));
    let folder = program.parent().map(|folder| folder.join("examples")).unwrap_or_default();
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "`cargo build --release --examples` makes {}", path.display());
    Command::new(path)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_kind_of_ones_own_is_planned_cached_and_shown() {
    let work = Workspace::new();
    let artifacts = work.path().join("artifacts");
    let own = |words: &[&str]| {
        let mut command = example("own_stage");
        command.current_dir(root()).args(words);
        if words[0] != "schema" {
            command.arg("--artifacts").arg(&artifacts);
        }
        command.output().expect("the example starts")
    };
    let pipeline = "examples/own_stage/words.yaml";
    said(&own(&["run", pipeline]));
    let again = own(&["run", pipeline, "--json"]);
    let end = said(&again).lines().last().unwrap_or_default().to_owned();
    assert!(end.contains("\"ran\":[]"), "it is cached: {end}");
    let shown = said(&own(&["show", pipeline, "titles"]));
    let words: Vec<&str> = shown.lines().skip_while(|line| !line.trim().is_empty()).skip(1).take(5).collect();
    assert!(words.iter().all(|line| line.split_whitespace().count() == 2), "a count and a word each: {shown}");
    let page = std::fs::read_to_string(artifacts.join("words/report/report.html")).expect("a page");
    assert!(page.contains("The most frequent words"), "the page shows what the kind says");
    assert!(said(&own(&["schema"])).contains("the most frequent words of a text column"));

    // Its parameters are checked as those of any kind, and only what it reads counts.
    let wrong = own(&["plan", pipeline, "--set", "titles.most=0", "--set", "titles.column=track_nme"]);
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(2), "{told}");
    insta::assert_snapshot!(stable(&told), @"
    error: most must be in [1, 1000]; got 0
     --> command line
      |
      | --set titles.most=0
      |                   ^

    error: no column 'track_nme' in 'songs' (did you mean 'track_name'?)
     --> command line
      |
      | --set titles.column=track_nme
      |                     ^^^^^^^^^
      = help: it has runner.row_id, runner.source, runner.line, runner.record, track_id, track_name,
              track_artist, track_popularity, track_album_id, track_album_name,
              track_album_release_date, playlist_name, playlist_id, playlist_genre, playlist_subgenre,
              danceability, energy, key, loudness, mode, speechiness, acousticness, instrumentalness,
              liveness, valence, tempo, duration_ms
    ");
    // A program without it does not know the kind.
    let without = Command::new(env!("CARGO_BIN_EXE_runner")).current_dir(root()).args(["plan", pipeline]).output();
    let told = String::from_utf8_lossy(&without.expect("it starts").stderr).into_owned();
    insta::assert_snapshot!(stable(&told), @"
    error: unknown stage kind 'words'
     --> examples/own_stage/words.yaml:5:18
      |
    5 |   titles: {kind: words, rows: songs, column: track_name, most: 5}
      |                  ^^^^^
      = help: kinds are load, split, describe, baseline, embed, train, variations, ensemble, inspect,
              map, transfer, refit, predict, report, article, bundle, command
    ");
}

#[test]
fn the_library_serves_without_yaml() {
    let boosting = said(&example("fit_boosting").output().expect("it starts"));
    let accuracy: f64 = boosting[9..14].parse().expect("accuracy 0.…");
    assert!(accuracy > 0.9, "{boosting}");
    let network = said(&example("train_network").output().expect("it starts"));
    assert!(network.contains("kept") && network.lines().count() == 22, "{network}");
    let titles = said(&example("embed_titles").output().expect("it starts"));
    assert!(titles.contains("Dancing in the Moonlight: "), "{titles}");
    let work = Workspace::new();
    let mut run = Command::new(env!("CARGO_BIN_EXE_runner"));
    run.current_dir(root()).args(["run", "pipelines/quick.yaml", "fused", "--artifacts"]).arg(work.path());
    said(&run.output().expect("it starts"));
    let read = said(&example("read_artifact").arg(work.path().join("quick/fused")).output().expect("it starts"));
    assert!(read.contains("test: accuracy 0."), "{read}");
}
