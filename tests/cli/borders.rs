//! What a command line may not do to a user's files, and what it says of limits, names and secrets.

use std::process::Command;

use crate::studies::SHORT;
use crate::workspace::{Workspace, program};

#[test]
fn a_page_takes_the_place_of_a_page_alone() {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().succeeded();
    let blob = work.files_under("artifacts/.store/blobs").into_iter().next().expect("a blob");
    let blob = format!("artifacts/.store/blobs/{}", blob.display());
    for out in [
        "songs.csv",
        "pipeline.yaml",
        "artifacts/.store/format",
        &blob,
        "artifacts/.store/new.html",
        "artifacts/.store/new/page.html",
    ] {
        let before = work.exists(out).then(|| work.read(out));
        let output = work.runner(&["report", "pipeline.yaml", "--out", out]);
        assert_eq!(output.status.code(), Some(2), "{out}");
        assert_eq!(work.exists(out).then(|| work.read(out)), before, "{out}");
    }
    assert!(!work.exists("artifacts/.store/new"), "a folder for what is refused");
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml", "--out", "songs.csv"]), @"
    $ runner report pipeline.yaml --out songs.csv
    error: 'songs.csv' is there and is no page of HTML: give --out another name, or remove the file
    [exit code 2]
    ");
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml", "--out", "artifacts/.store/new.html"]), @"
    $ runner report pipeline.yaml --out artifacts/.store/new.html
    error: 'artifacts/.store/new.html' lies in the store, where only results are kept: give --out another folder
    [exit code 2]
    ");
    // A new page, and the same again.
    for _ in 0..2 {
        assert!(work.runner(&["report", "pipeline.yaml", "--out", "new/page.html"]).status.success());
    }
}

#[test]
fn two_files_of_one_name_are_told_apart() {
    let work = Workspace::with_songs().pipeline(SHORT).file("other.yaml", &SHORT.replace("folds: 3", "folds: 4"));
    work.run().succeeded();
    insta::assert_snapshot!(work.screen(&["run", "other.yaml"]));
    // Renamed, it is no other file.
    std::fs::rename(work.path().join("other.yaml"), work.path().join("third.yaml")).expect("renamed");
    let output = work.runner(&["run", "third.yaml"]);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success() && !said.contains("has the name"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_file_beyond_the_limit_of_the_shell_is_an_error_with_a_message() {
    let work = Workspace::with_songs().pipeline(SHORT);
    let limited = format!("ulimit -f 4; exec '{}' run pipeline.yaml", program().display());
    let output = Command::new("bash").args(["-c", &limited]).current_dir(work.path()).output().expect("bash");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("file too large (raise the limit on the size of files, see `ulimit -f`"), "{said}");
    work.run().succeeded();
}

#[test]
fn a_matrix_that_is_set_and_that_nothing_reads_is_a_mistake() {
    let work = Workspace::with_songs().pipeline(SHORT);
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml", "--set", "folds.matrix={a: [1, 2]}"]), @r#"
    $ runner plan pipeline.yaml --set folds.matrix={a: [1, 2]}
    error: nothing in stage 'folds' reads the matrix key 'a': its instances would be equal
     --> command line
      |
      | --set folds.matrix={a: [1, 2]}
      |                     ^
      = help: write "${a}" where its value belongs, or take 'a' out of the matrix
    [exit code 2]
    "#);
}

#[test]
fn a_password_of_a_hub_is_not_shown() {
    let work = Workspace::new();
    let variables = [("HF_ENDPOINT", "http://user:secret@127.0.0.1:1"), ("HF_HOME", "hf"), ("RUNNER_MODELS", "models")];
    let screen = work.screen_with(&["models", "pull", "some/model"], &variables);
    assert!(screen.contains("http://…@127.0.0.1:") && !screen.contains("secret"), "{screen}");
}

#[test]
fn no_runs_are_not_asked_for() {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().succeeded();
    insta::assert_snapshot!(work.screen(&["runs", "-n", "0"]), @"
    $ runner runs -n 0
    error: invalid value '0' for '--limit <N>': 0 is not in 1..=4294967295

    For more information, try '--help'.
    [exit code 2]
    ");
}
