//! Run records: what `runner runs` knows of runs that ended well, badly or not at all.

use serde_json::Value;

use crate::screen::stable;
use crate::studies::{SHORT, STUDY};
use crate::workspace::{Workspace, lines};

fn runs(work: &Workspace) -> Vec<Value> {
    lines(work, &["runs", "--json"])
}

#[test]
fn a_run_is_recorded_with_keys_headlines_and_machine() {
    let work = Workspace::with_songs().pipeline(STUDY);
    let run = work.run_with(&["--set", "fused.epochs=2", "-j", "2"]).succeeded();
    let all = runs(&work);
    assert_eq!(all.len(), 1);
    let one = &all[0];
    assert_eq!(one["id"], run.lines.last().expect("a summary")["id"]);
    assert_eq!(
        (&one["outcome"], &one["pipeline"], &one["file"]),
        (&"done".into(), &"study".into(), &"pipeline.yaml".into())
    );
    assert_eq!((&one["set"][0], &one["threads"]), (&"fused.epochs=2".into(), &2.into()));
    assert!(
        one["seconds"].as_f64().expect("seconds") > 0.0 && one["ended"].as_u64() >= one["started"].as_u64(),
        "{one}"
    );
    let fused =
        one["stages"].as_array().expect("stages").iter().find(|stage| stage["stage"] == "fused").expect("fused");
    assert_eq!((&fused["outcome"], &fused["kind"]), (&"ran".into(), &"train".into()));
    assert!(fused["headline"].as_str().expect("a headline").contains("test accuracy"), "{fused}");
    assert_eq!(fused["key"].as_str().map(str::len), Some(64));
    #[cfg(target_os = "linux")]
    {
        assert!(one["host"].is_string() && one["os"].as_str().expect("a system").starts_with("linux"), "{one}");
        let (stage, process) =
            (fused["peak_memory"].as_u64().expect("memory"), one["peak_memory"].as_u64().expect("memory"));
        assert!(stage > 5_000_000 && process > 5_000_000, "{stage} {process}");
    }
    let text = String::from_utf8(work.runner(&["runs", "show", "last"]).stdout).expect("UTF-8");
    assert!(text.contains(&fused["key"].as_str().expect("a key")[..12]), "{text}");
}

#[test]
fn runs_with_nothing_to_do_are_counted_at_the_run_before() {
    let work = Workspace::with_songs().pipeline(SHORT);
    let first = work.run().succeeded().lines.last().expect("a summary")["id"].clone();
    for _ in 0..3 {
        let again = work.run().ran(&[]);
        assert_eq!(again.lines.last().expect("a summary")["id"], first);
    }
    let all = runs(&work);
    assert_eq!((all.len(), &all[0]["repeated"], &all[0]["id"]), (1, &3.into(), &first));
    work.edit("pipeline.yaml", "folds: 3", "folds: 4");
    work.run().ran(&["folds"]);
    work.edit("pipeline.yaml", "folds: 4", "folds: 3");
    work.run().restored(&["folds"]);
    let all = runs(&work);
    assert_eq!(all.len(), 3, "going back is a run of its own");
    assert_eq!(all[2]["id"], first);
    assert_eq!(lines(&work, &["runs", "show", "last~2", "--json"])[0]["id"], first);
}

#[test]
fn failures_are_recorded_with_their_words() {
    let work = Workspace::with_songs()
        .pipeline(&SHORT.replace("groups: [artist]", "groups: [artist], where: {tempo: {min: 1e9}}"));
    let run = work.run();
    assert_eq!(run.code, Some(1), "{run:?}");
    let one = &runs(&work)[0];
    assert_eq!(one["outcome"], "failed");
    assert_eq!(one["stages"][1]["outcome"], "failed");
    assert_eq!(one["stages"][1]["error"].as_str(), Some(run.error().as_str()));
    assert!(one["stages"][1]["key"].is_null());
}

#[cfg(unix)]
#[test]
fn a_killed_run_is_told_from_a_running_one() {
    let work = Workspace::with_songs()
        .pipeline(&STUDY.replace("epochs: 3", "epochs: 100000\n    early_stopping: {patience: null}"));
    let mut child = work
        .command(&["run", "pipeline.yaml", "fused", "--json"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a process");
    let patience = std::time::Instant::now();
    let journal = || -> Option<String> {
        let folder = work.path().join("artifacts/.store/runs");
        let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        std::fs::read_to_string(files.into_iter().find(|path| path.extension().is_some_and(|end| end == "stages"))?)
            .ok()
    };
    while !journal().is_some_and(|text| text.contains("\"fused\"")) {
        assert!(
            patience.elapsed().as_secs() < 30 && child.try_wait().expect("a state").is_none(),
            "the run got nowhere"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let told = || {
        let one = runs(&work).remove(0);
        let outcomes = one["stages"].as_array().expect("stages").iter();
        let outcomes = outcomes.map(|stage| format!("{} {}", stage["stage"], stage["outcome"]).replace('"', ""));
        (one["outcome"].as_str().expect("an outcome").to_owned(), outcomes.collect::<Vec<_>>(), one)
    };
    let (outcome, stages, _) = told();
    assert_eq!(
        (outcome.as_str(), stages),
        ("running", ["songs ran", "folds ran", "titles ran"].map(str::to_owned).to_vec())
    );
    child.kill().expect("a signal");
    child.wait().expect("an end");
    let (outcome, stages, one) = told();
    assert_eq!(
        (outcome.as_str(), stages.join(", ")),
        ("killed", "songs ran, folds ran, titles ran, fused interrupted".to_owned())
    );
    let folds = &one["stages"][1];
    assert!(folds["key"].is_string() && !folds["headline"].as_str().expect("a headline").is_empty(), "{folds}");
    assert!(one["ended"].is_null());
    // A line that was being written at that moment hides no other.
    let path = work.path().join("artifacts/.store/runs").join(format!("{}.stages", one["id"].as_str().expect("an id")));
    let whole = std::fs::read_to_string(&path).expect("lines");
    std::fs::write(&path, format!("{whole}{{\"stage\":\"fu")).expect("written");
    assert_eq!(told().1.len(), 4);
    // What had ended is known to the next run, which is recorded beside it; a run that has ended needs no lines of its own.
    work.run_with(&["folds"]).ran(&[]);
    let stages = work.files_under("artifacts/.store/runs");
    let stages: Vec<_> = stages.iter().filter(|path| path.extension().is_some_and(|end| end == "stages")).collect();
    assert_eq!(stages.len(), 1, "{stages:?}");
    let recorded = work.files_under("artifacts/.store/runs");
    assert!(recorded.iter().any(|path| path.extension().is_some_and(|end| end == "json")), "{recorded:?}");
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_fails_no_run_with_nothing_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().succeeded();
    let folder = work.path().join("artifacts/.store/runs");
    let before = work.files_under("artifacts/.store/runs");
    // A limit on the size of files stops root, too.
    let limited = format!("ulimit -f 0 && trap '' XFSZ && exec {} run pipeline.yaml", env!("CARGO_BIN_EXE_runner"));
    let output = std::process::Command::new("bash").args(["-c", &limited]).current_dir(work.path()).output();
    let output = output.expect("bash");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).expect("permissions");
    let run = work.run().ran(&[]);
    // Root writes there all the same.
    if std::fs::File::create(folder.join("probe")).is_err() {
        assert!(run.lines.last().expect("a summary")["id"].is_null() && run.stderr.is_empty(), "{run:?}");
        work.edit("pipeline.yaml", "folds: 3", "folds: 4");
        let run = work.run().ran(&["folds"]);
        let told = format!("missing in the history: cannot write in '{}'", "artifacts/.store/runs");
        assert!(run.stderr.contains(&told) && run.stderr.contains("(make the folder writable"), "{}", run.stderr);
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    assert!(work.files_under("artifacts/.store/runs").is_superset(&before));
}

#[test]
fn pins_are_put_and_taken_by_any_name_of_a_run() {
    let work = Workspace::with_songs().pipeline(SHORT);
    let id = work.run().succeeded().lines.last().expect("a summary")["id"].as_str().expect("an id").to_owned();
    assert!(work.runner(&["runs", "pin", "last"]).status.success());
    assert_eq!(runs(&work)[0]["pinned"], true);
    assert!(work.runner(&["runs", "unpin", &id[9..]]).status.success());
    assert_eq!(runs(&work)[0]["pinned"], false);
    insta::assert_snapshot!(Workspace::new().screen(&["runs", "show", "last"]), @"
    $ runner runs show last
    error: no run is recorded in 'artifacts/.store/runs' yet
    [exit code 1]
    ");
}

#[test]
fn torn_records_are_passed_over() {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().succeeded();
    work.write("artifacts/.store/runs/29991231-235959-00.json", b"");
    work.write("artifacts/.store/runs/29991231-235959-01.json", b"{\"format\": 99}");
    assert_eq!(runs(&work).len(), 1);
    assert_eq!(lines(&work, &["runs", "show", "last", "--json"])[0]["pipeline"], "short");
}

#[test]
fn a_damaged_record_of_a_run_is_told_of() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let runs = work.files_under("artifacts/.store/runs");
    let record = runs.iter().find(|path| path.extension().is_some_and(|end| end == "json")).expect("a record");
    let path = work.path().join("artifacts/.store/runs").join(record);
    let text = std::fs::read_to_string(&path).expect("a record");
    std::fs::write(&path, text.replace("\"ran\"", "\"rbn\"")).expect("written");
    insta::assert_snapshot!(work.screen(&["runs"]), @"
    $ runner runs
    no run is recorded in 'artifacts' yet
    [standard error]
    warning: 'artifacts/.store/runs/[run].json' cannot be read: that run is not listed and keeps no results (remove the file)
    ");
    insta::assert_snapshot!(work.screen(&["gc", "--dry-run"]), @"
    $ runner gc --dry-run
    nothing to remove; kept runs: 0
    [standard error]
    warning: 'artifacts/.store/runs/[run].json' cannot be read: that run is not listed and keeps no results (remove the file)
    ");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_lock_is_refused_and_nothing_is_made_where_it_leads() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let outside = work.path().join("outside");
    let link = |name: &str| {
        let path = work.path().join("artifacts/.store").join(name);
        std::fs::remove_file(&path).expect("a lock");
        std::os::unix::fs::symlink(&outside, &path).expect("a link");
        path
    };
    let locks = work.files_under("artifacts/.store/locks");
    let locks: Vec<_> = locks.iter().map(|lock| link(&format!("locks/{}", lock.display()))).collect();
    let run = work.run_with(&["--force", "songs"]);
    insta::assert_snapshot!(stable(&run.stderr), @"error: 'artifacts/.store/locks/[digest]' is a symbolic link, and nothing is written or removed through links: remove it (for results on another disk, name a folder there with --artifacts)");
    locks.iter().for_each(|lock| std::fs::remove_file(lock).expect("a link"));
    let lock = link("lock");
    insta::assert_snapshot!(work.screen(&["run", "pipeline.yaml"]), @"
    $ runner run pipeline.yaml
    error: 'artifacts/.store/lock' is a symbolic link, and nothing is written or removed through links: remove it (for results on another disk, name a folder there with --artifacts)
    [exit code 1]
    ");
    std::fs::remove_file(lock).expect("a link");
    assert!(!outside.exists());
    work.run().succeeded();
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_in_the_place_of_a_folder_of_the_store() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let outside = work.path().join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    let store = work.path().join("artifacts/.store");
    for name in ["", "runs", "current", "current/study", "locks", "memo", "records", "tmp"] {
        // With everything fresh, too.
        let path = if name.is_empty() { store.clone() } else { store.join(name) };
        let aside = work.path().join("aside");
        std::fs::rename(&path, &aside).expect("moved");
        std::os::unix::fs::symlink(&outside, &path).expect("a link");
        for arguments in [&["run", "pipeline.yaml"][..], &["runs", "pin", "last"], &["gc", "--grace", "0s"]] {
            let output = work.runner(arguments);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{name} {arguments:?}: {told}");
            if arguments[0] == "run" {
                assert!(told.contains("is a symbolic link"), "{name}: {told}");
            }
            assert_eq!(work.files_under("outside").len(), 0, "{name} {arguments:?}");
            assert_eq!(std::fs::read_dir(&outside).expect("a folder").count(), 0, "{name} {arguments:?}");
            if name == "current/study" {
                break;
            }
        }
        std::fs::remove_file(&path).expect("a link");
        std::fs::rename(&aside, &path).expect("moved");
    }
    let pin = |id: &str| store.join("runs").join(format!("{id}.pin"));
    let id = work
        .files_under("artifacts/.store/runs")
        .into_iter()
        .find_map(|file| file.to_str()?.strip_suffix(".json").map(str::to_owned));
    let id = id.expect("a run");
    std::fs::write(outside.join("precious"), "precious").expect("written");
    std::os::unix::fs::symlink(outside.join("precious"), pin(&id)).expect("a link");
    work.runner(&["runs", "pin", &id]);
    assert_eq!(work.text("outside/precious"), "precious");
}

#[cfg(unix)]
#[test]
fn what_stands_in_the_place_of_the_runs_is_moved_away() {
    for obstacle in ["file", "pipe"] {
        let work = Workspace::with_songs().pipeline(STUDY);
        work.run_with(&["songs"]).succeeded();
        let runs = work.path().join("artifacts/.store/runs");
        std::fs::remove_dir_all(&runs).expect("removed");
        match obstacle {
            "file" => std::fs::write(&runs, "of somebody").expect("written"),
            _ => nix::unistd::mkfifo(&runs, nix::sys::stat::Mode::S_IRWXU).expect("a pipe"),
        }
        let run = work.run_with(&["folds"]).succeeded();
        assert!(run.stderr.is_empty(), "{}", run.stderr);
        let listed = work.runner(&["runs", "--json"]);
        assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 1, "{obstacle}");
    }
}

#[test]
fn a_record_that_no_run_wrote_is_computed_anew() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run_with(&["folds"]).succeeded();
    let store = runner::artifact::Store::open(&work.path().join("artifacts")).expect("a store");
    let key = store.current("study", "folds").expect("a result");
    let record: serde_json::Value = serde_json::from_slice(&store.get_record(key).expect("a record")).expect("JSON");
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut record = record.clone();
        change(&mut record);
        serde_json::to_vec(&record).expect("JSON")
    };
    for (what, bytes, said) in [
        ("no outputs", changed(&|record| record["outputs"] = serde_json::json!([])), "lacked what the output"),
        (
            "one output less",
            changed(&|record| drop(record["outputs"].as_array_mut().map(Vec::pop))),
            "lacked what the output",
        ),
        (
            "no files",
            changed(&|record| record["outputs"][0]["files"] = serde_json::json!([])),
            "lacked what the output",
        ),
        (
            "no table",
            changed(&|record| record["outputs"][0]["table"] = serde_json::Value::Null),
            "lacked what the output",
        ),
        (
            "a long name",
            changed(&|record| record["outputs"][0]["files"][0]["name"] = "x".repeat(300).into()),
            "cannot lie in",
        ),
        (
            "a long path",
            changed(&|record| record["outputs"][0]["files"][0]["name"] = "x/".repeat(3000).into()),
            "cannot lie in",
        ),
    ] {
        store.put_record(key, &bytes).expect("written");
        let run = work.run_with(&["baseline"]).succeeded();
        let warned =
            run.lines.iter().any(|line| line["message"].as_str().is_some_and(|message| message.contains(said)));
        assert!(warned, "{what}: {:#?}", run.lines);
        assert!(run.list("ran").contains(&"folds".to_owned()), "{what}");
        work.run_with(&["folds"]).ran(&[]);
    }
}

#[cfg(unix)]
#[test]
fn an_endless_format_is_not_read_to_its_end() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run_with(&["songs"]).succeeded();
    let format = work.path().join("artifacts/.store/format");
    // Sparse: more than any memory holds.
    std::fs::File::options().write(true).open(&format).and_then(|file| file.set_len(1 << 42)).expect("a large file");
    work.run_with(&["songs"]).ran(&[]);
    assert_eq!(work.text("artifacts/.store/format"), "runner store 2\n");
}

#[cfg(unix)]
#[test]
fn a_runner_whose_results_another_one_replaced_says_so() {
    // The second runner is a program of the first one's pipeline.
    let study = |seed: u32, more: &str| {
        format!(
            "name: study\nstages:\n  songs: {{kind: load, files: {{all: songs.csv}}, label: genre}}\n  folds: {{kind: split, rows: songs, seed: {seed}}}\n{more}"
        )
    };
    let other = format!("'{} run other.yaml folds && echo done > \"$1\"'", env!("CARGO_BIN_EXE_runner"));
    let command = format!(
        "  other: {{kind: command, run: [/bin/sh, -c, {other}, sh, '{{out}}/done.txt'], inputs: {{rows: folds.train}}, outputs: {{done: done.txt}}}}\n"
    );
    let work = Workspace::with_songs().file("other.yaml", &study(2, "")).pipeline(&study(1, &command));
    let run = work.run().succeeded();
    let warnings: Vec<&str> = run.lines.iter().filter_map(|line| line["message"].as_str()).collect();
    let told = "another runner has put other results in 'artifacts/study/folds' meanwhile";
    assert!(warnings.iter().any(|warning| warning.contains(told)), "{run:?}");
    let run = work.run().succeeded();
    assert!(!run.lines.iter().any(|line| line["message"].as_str().is_some_and(|told| told.contains("another runner"))));
}
