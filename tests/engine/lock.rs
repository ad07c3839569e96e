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
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no '{what}' in {text}"));
    assert!(text.starts_with("# Written by `runner run --lock`") && at("format: 1") < at("pipeline: short"), "{text}");
    assert!(at("  folds:\n    kind: split\n    key: ") < at("  songs:\n    kind: load\n    key: "), "{text}");
    assert!(at("    sources:\n      files.all: ") < at("      all.arrow: "), "{text}");
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
    assert!(run.error().contains("differs from the lock: folds 3 → 4 (pipeline.yaml:"), "{}", run.error());
    let output = work.runner(&["run", "pipeline.yaml", "--locked"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(1)
            && text.contains("folds: differs from the lock")
            && text.contains("nothing was run"),
        "{text}"
    );
    // Without the old record only the lock's own lines can tell.
    work.edit("pipeline.yaml", "folds: 4", "folds: 3");
    work.write("songs.csv", crate::workspace::songs(200).as_bytes());
    std::fs::remove_dir_all(work.path().join("artifacts")).expect("removed");
    let run = work.run_with(&["--locked"]);
    assert!(run.code == Some(1) && run.error().contains("differs from the lock: source.files.all "), "{}", run.error());
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
    assert!(run.error().contains("the lock has 000000000000"), "{}", run.error());
    assert!(!work.exists("artifacts/short/folds"));
}

#[test]
fn other_bytes_under_the_same_key_are_refused() {
    let work = locked();
    let text = work.text("pipeline.lock");
    let digest = text.split("rows.arrow: ").nth(1).expect("a digest")[..64].to_owned();
    work.edit("pipeline.lock", &digest, &"1".repeat(64));
    let run = work.run_with(&["--locked"]);
    assert!(run.code == Some(1) && run.error().contains("other bytes than the lock in rows.arrow"), "{}", run.error());
    std::fs::remove_dir_all(work.path().join("artifacts")).expect("removed");
    let run = work.run_with(&["--locked"]);
    assert!(
        run.code == Some(1) && run.error().contains("this execution has other bytes than the lock"),
        "{}",
        run.error()
    );
    assert!(!work.exists("artifacts/short/folds/rows.arrow"), "nothing of it is committed");
}

#[test]
fn stages_that_one_side_lacks_are_named() {
    let work = locked();
    work.edit("pipeline.yaml", "  folds:", "  parts:");
    let run = work.run_with(&["--locked"]);
    assert!(run.code == Some(1), "{run:?}");
    assert!(run.error().contains("the lock has this stage, the pipeline has not"), "{}", run.error());
    assert!(run.error().contains("the pipeline has this stage, the lock has not"), "{}", run.error());
}

#[test]
fn absent_and_damaged_locks_get_clear_words() {
    let work = Workspace::with_songs().pipeline(SHORT);
    for (text, said) in [
        (None, "there is no lock file 'pipeline.lock'"),
        (Some("format: 1\npipeline: short\nstages: {folds: {kind: split"), "is damaged"),
        (
            Some("format: 1\npipeline: short\nstages:\n  folds: {kind: split, key: abc, outputs: {}}\n"),
            "'abc' is not a digest",
        ),
        (Some("format: 7\n"), "has format 7, this runner reads 1"),
    ] {
        if let Some(text) = text {
            work.write("pipeline.lock", text.as_bytes());
        }
        let run = work.run_with(&["--locked"]);
        assert!(run.code == Some(1) && run.stderr.contains(said), "{said}: {}", run.stderr);
    }
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
    let out = work.runner(&["run", "pipeline.yaml", "--locked"]);
    let said = String::from_utf8(out.stderr).expect("UTF-8");
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("bundle") && said.contains("runner run --lock") && !said.contains("damaged"), "{said}");
    // A lock that lacks its head is damaged all the same.
    work.write("pipeline.lock", b"pipeline: short\nstages: {}\n");
    let out = work.runner(&["run", "pipeline.yaml", "--locked"]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("damaged"), "{out:?}");
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
    assert!(run.code == Some(1) && run.stderr.contains("lead in a circle"), "{}", run.stderr);
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
