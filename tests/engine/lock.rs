//! The lock file: what was run can be committed, and held against what is run elsewhere.

use crate::studies::SHORT;
use crate::workspace::Workspace;

fn locked() -> Workspace {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run_with(&["--lock"]).ran(&["songs", "folds"]);
    work
}

#[test]
fn a_lock_is_sorted_stable_and_kept() {
    let work = locked();
    let text = work.text("pipeline.lock");
    insta::assert_snapshot!(work.stable(&text), @"
    # Written by `runner run --lock`. `runner run --locked` fails if anything would differ.
    format: 1
    pipeline: short
    stages:
      folds:
        kind: split
        key: [digest]
        outputs:
          rows.arrow: [digest]
          split.json: [digest]
          test.arrow: [digest]
          train.arrow: [digest]
          valid.arrow: [digest]
      songs:
        kind: load
        key: [digest]
        sources:
          files.all: [digest]
        outputs:
          all.arrow: [digest]
          rows.arrow: [digest]
    ");
    work.run_with(&["--locked"]).ran(&[]);
    work.run_with(&["--lock"]).ran(&[]);
    assert_eq!(work.text("pipeline.lock"), text);
    // Nothing of the place or the time is in it: another folder gives the same text.
    assert_eq!(locked().text("pipeline.lock"), text);
}

#[test]
fn a_fresh_store_gives_what_was_locked() {
    let work = locked();
    std::fs::remove_dir_all(work.path().join("artifacts")).expect("removed");
    work.run_with(&["--locked"]).ran(&["songs", "folds"]);
}

#[test]
fn what_differs_is_named_before_anything_runs() {
    let work = locked();
    work.edit("pipeline.yaml", "folds: 3", "folds: 4");
    let run = work.run_with(&["--locked"]);
    assert_eq!(run.code, Some(1));
    let last = run.lines.last().expect("a summary");
    assert_eq!(
        (&last["outcome"], &last["failed"][0], last["ran"].as_array().map(Vec::len)),
        (&"failed".into(), &"folds".into(), Some(0))
    );
    insta::assert_snapshot!(run.error(), @"differs from the lock: folds 3 → 4 (pipeline.yaml:5:62) (pipeline.lock)");
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "--locked"]), @"
    $ runner run pipeline.yaml --locked
    error: folds: differs from the lock: folds 3 → 4 (pipeline.yaml:5:62)
    nothing was run: 'pipeline.lock' says otherwise (`runner run --lock` renews it)
    [exit code 1]
    ");
    // Without the old record only the lock's own lines can tell.
    work.edit("pipeline.yaml", "folds: 4", "folds: 3");
    work.write("songs.csv", crate::workspace::songs(200).as_bytes());
    std::fs::remove_dir_all(work.path().join("artifacts")).expect("removed");
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "--locked"]), @"
    $ runner run pipeline.yaml --locked
    error: songs: differs from the lock: source.files.all [digest] → [digest]
    nothing was run: 'pipeline.lock' says otherwise (`runner run --lock` renews it)
    [exit code 1]
    ");
    assert!(!work.exists("artifacts/short/songs"));
}

#[test]
fn a_stage_whose_inputs_come_out_otherwise_fails_when_it_is_its_turn() {
    // The lock of `folds` is changed: that cannot be known before `songs` has run.
    let work = locked();
    std::fs::remove_dir_all(work.path().join("artifacts")).expect("removed");
    let text = work.text("pipeline.lock");
    let key = text.split("kind: split\n    key: ").nth(1).expect("a key")[..64].to_owned();
    work.edit("pipeline.lock", &key, &"0".repeat(64));
    let run = work.run_with(&["--locked"]);
    assert_eq!(run.code, Some(1));
    let last = run.lines.last().expect("a summary");
    assert_eq!((&last["ran"][0], &last["failed"][0]), (&"songs".into(), &"folds".into()));
    insta::assert_snapshot!(work.stable(&run.error()), @"differs from the lock: its key is [digest], the lock has [digest] (made with other parameters, inputs or versions)");
    assert!(!work.exists("artifacts/short/folds"));
}

#[test]
fn other_bytes_under_the_same_key_are_refused() {
    let work = locked();
    let text = work.text("pipeline.lock");
    let digest = text.split("rows.arrow: ").nth(1).expect("a digest")[..64].to_owned();
    work.edit("pipeline.lock", &digest, &"1".repeat(64));
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "--locked"]), @"
    $ runner run pipeline.yaml --locked
    error: folds: the result in the store has other bytes than the lock in rows.arrow: it is not reproducible
    nothing was run: 'pipeline.lock' says otherwise (`runner run --lock` renews it)
    [exit code 1]
    ");
    std::fs::remove_dir_all(work.path().join("artifacts")).expect("removed");
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "--locked"]), @"
    $ runner run pipeline.yaml --locked

    Results
      songs  240 rows, 10 columns

    failed: 1 ran, 1 failed in [time]
    [standard error]
    ✓ songs  ran [time]
    ! folds  the test part has 12 groups: the intervals and tests of its scores, which go by groups, are wide and rough below 20; give it a larger share, or narrower `groups`
    ✗ folds  failed
      this execution has other bytes than the lock in rows.arrow: it is not reproducible
    [exit code 1]
    ");
    assert!(!work.exists("artifacts/short/folds/rows.arrow"), "nothing of it is committed");
}

#[test]
fn stages_that_one_side_lacks_are_named() {
    let work = locked();
    work.edit("pipeline.yaml", "  folds:", "  parts:");
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "--locked"]), @"
    $ runner run pipeline.yaml --locked
    error: folds: the lock has this stage, the pipeline has not
    error: parts: the pipeline has this stage, the lock has not
    nothing was run: 'pipeline.lock' says otherwise (`runner run --lock` renews it)
    [exit code 1]
    ");
}

#[test]
fn absent_and_damaged_locks_get_clear_words() {
    let work = Workspace::with_songs().pipeline(SHORT);
    let mut screens = vec![work.screen(&["run", "pipeline.yaml", "--locked"])];
    for text in [
        "format: 1\npipeline: short\nstages: {folds: {kind: split",
        "format: 1\npipeline: short\nstages:\n  folds: {kind: split, key: abc, outputs: {}}\n",
        "format: 7\n",
    ] {
        work.write("pipeline.lock", text.as_bytes());
        screens.push(work.screen(&["run", "pipeline.yaml", "--locked"]));
    }
    insta::assert_snapshot!(screens.join("\n"), @"
    $ runner run pipeline.yaml --locked
    error: there is no lock file 'pipeline.lock' (write one with `runner run --lock`)
    [exit code 1]

    $ runner run pipeline.yaml --locked
    error: the lock file 'pipeline.lock' is damaged: did not find expected ',' or '}' at line 4 column 1, while parsing a flow mapping at line 3 column 17 (restore it from version control, or write it anew with `runner run --lock`)
    [exit code 1]

    $ runner run pipeline.yaml --locked
    error: the lock file 'pipeline.lock' is damaged: stages.folds: 'abc' is not a digest (64 hexadecimal digits) at line 4 column 10 (restore it from version control, or write it anew with `runner run --lock`)
    [exit code 1]

    $ runner run pipeline.yaml --locked
    error: the lock file 'pipeline.lock' has format 7, this runner reads 1
    [exit code 1]
    ");
    assert_eq!(work.run_with(&["--lock", "songs"]).code, Some(2), "a lock is of the whole pipeline");
}

#[test]
fn the_list_of_a_bundle_is_no_lock_of_a_pipeline() {
    let work = locked();
    let digest = "0".repeat(64);
    let list = format!(
        "# What the files of this bundle were made from.\n\"folds\":\n  kind: \"split\"\n  outputs:\n    \"a\": {digest}\n"
    );
    work.write("pipeline.lock", list.as_bytes());
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "--locked"]), @"
    $ runner run pipeline.yaml --locked
    error: 'pipeline.lock' lists the digests of a bundle's files, as `results.lock` does: a run cannot be held to it (a lock file of a pipeline is written by `runner run --lock`; to compare results with a bundle, hold the digests of their files against this list)
    [exit code 1]
    ");
    // A lock that lacks its head is damaged all the same.
    work.write("pipeline.lock", b"pipeline: short\nstages: {}\n");
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml", "--locked"]), @"
    $ runner run pipeline.yaml --locked
    error: the lock file 'pipeline.lock' is damaged: missing field `format` (restore it from version control, or write it anew with `runner run --lock`)
    [exit code 1]
    ");
}

/// As cargo does of `Cargo.lock`: who keeps the file elsewhere finds it there.
#[test]
fn a_lock_that_is_a_symbolic_link_stays_one() {
    let work = Workspace::with_songs().pipeline(SHORT);
    std::fs::create_dir_all(work.path().join("locks")).expect("a folder");
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(to, work.path().join(from)).expect("a link");
    link("pipeline.lock", "locks/current.lock");
    link("locks/current.lock", "short.lock");
    let is_link = |name: &str| work.path().join(name).symlink_metadata().expect("it is there").is_symlink();
    // First of a file that is not there yet, then of one that is replaced.
    for more in [&[][..], &["--set", "stages.folds.folds=4"]] {
        work.run_with(&[&["--lock"], more].concat()).succeeded();
        assert!(is_link("pipeline.lock") && is_link("locks/current.lock") && !is_link("locks/short.lock"));
        assert!(work.text("locks/short.lock").contains("pipeline: short"));
        work.run_with(&[&["--locked"], more].concat()).ran(&[]);
    }
    assert_eq!(work.files_under("locks").len(), 2, "no temporary file is left");
    std::fs::remove_file(work.path().join("locks/short.lock")).expect("removed");
    link("locks/short.lock", "../pipeline.lock");
    let run = work.run_with(&["--lock"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(work.stable(&run.stderr), @"error: cannot write 'pipeline.lock': its symbolic links lead in a circle");
}

#[test]
fn pages_and_files_of_init_are_written_through_links_too() {
    let work = locked();
    std::os::unix::fs::symlink("elsewhere.html", work.path().join("page.html")).expect("a link");
    assert!(work.runner(&["report", "pipeline.yaml", "--out", "page.html"]).status.success());
    assert!(work.text("elsewhere.html").contains("<html") && work.path().join("page.html").is_symlink());
    std::fs::create_dir_all(work.path().join("new/pipelines")).expect("folders");
    std::os::unix::fs::symlink("mine.yaml", work.path().join("new/pipelines/quick.yaml")).expect("a link");
    assert!(work.runner(&["init", "new"]).status.success());
    assert!(work.text("new/pipelines/mine.yaml").contains("stages:"));
    // Among the results a link is replaced: nothing is written outside of them.
    std::os::unix::fs::symlink("../../outside.html", work.path().join("artifacts/short/page.html")).expect("a link");
    assert!(work.runner(&["report", "pipeline.yaml"]).status.success());
    assert!(!work.exists("outside.html") && work.text("artifacts/short/page.html").contains("<html"));
}
