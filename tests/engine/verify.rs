//! `runner verify`: damage is found by reading, and what does not come out again by running.

use std::sync::atomic::{AtomicI64, Ordering};

use runner::artifact::{Digest, FileStamp, Store, Table};
use runner::engine::{self, CheckContext, Kind, OutputPort, Plan, PortType, Registry, RunOptions, Stage, StageContext};
use runner::engine::{AuditOptions, Audited, audit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::studies::SHORT;
use crate::workspace::Workspace;
use crate::workspace::lines;

/// Everything under a folder with content and times, but for the stat cache, a shortcut: it learns of files that were too young when the run ended.
fn image(work: &Workspace, folder: &str) -> Vec<(std::path::PathBuf, Vec<u8>, std::time::SystemTime)> {
    let root = work.path().join(folder);
    let files = work.files_under(folder).into_iter().filter(|path| !path.ends_with(".store/stat"));
    files
        .map(|path| {
            let whole = root.join(&path);
            let modified = whole.metadata().and_then(|metadata| metadata.modified()).expect("a time");
            (path, std::fs::read(whole).expect("content"), modified)
        })
        .collect()
}

#[test]
fn a_sound_store_is_sound_and_stays_as_it_is() {
    let work = Workspace::with_songs().pipeline(crate::studies::STUDY);
    work.run().succeeded();
    let before = image(&work, "artifacts");
    let told = lines(&work, &["verify", "pipeline.yaml", "--rerun", "--json"]);
    assert_eq!((&told[0]["event"], &told[0]["damaged"]), (&"verified".into(), &0.into()), "{told:?}");
    let same = told.iter().filter(|line| line["event"] == "rerun" && line["outcome"] == "same").count();
    assert_eq!(same, 6, "{told:?}");
    assert!(told.last().expect("a line")["first_difference"].is_null());
    let after = image(&work, "artifacts");
    let changed: Vec<_> = after.iter().filter(|file| !before.contains(file)).map(|(path, _, _)| path).collect();
    assert!(changed.is_empty() && after.len() == before.len(), "a verification changes nothing: {changed:?}");
    insta::assert_snapshot!(work.screen(&["verify", "pipeline.yaml", "folds"]), @"
    $ runner verify pipeline.yaml folds
    sound: 7 files ([size])
    ");
}

/// Columns that are gone or renamed stop a run, but not a look at what was computed from them.
#[test]
fn results_can_be_looked_at_when_a_source_has_other_columns() {
    let work = Workspace::with_songs().pipeline(crate::studies::STUDY);
    work.run().succeeded();
    work.edit("songs.csv", "tempo", "speed");
    for arguments in [&["show", "pipeline.yaml", "folds"][..], &["explain", "pipeline.yaml", "folds"]] {
        let output = work.runner(arguments);
        let (told, warned) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}{warned}");
        assert!(!told.is_empty() && warned.contains("warning: no column 'tempo'"), "{arguments:?}: {warned}");
    }
    let run = work.run();
    assert!(run.code == Some(2) && run.stderr.contains("error: no column 'tempo'"), "{}", run.stderr);
}

#[test]
fn results_can_be_looked_at_when_a_source_is_gone() {
    let work = Workspace::with_songs().pipeline(crate::studies::STUDY);
    work.run().succeeded();
    std::fs::remove_file(work.path().join("songs.csv")).expect("removed");
    for arguments in [
        &["show", "pipeline.yaml", "folds"][..],
        &["show", "pipeline.yaml", "folds.rows"],
        &["explain", "pipeline.yaml", "folds"],
        &["report", "pipeline.yaml"],
        &["verify", "pipeline.yaml"],
        &["verify", "pipeline.yaml", "folds"],
        &["graph", "pipeline.yaml"],
    ] {
        let output = work.runner(arguments);
        let (told, warned) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}{warned}");
        assert!(!told.is_empty(), "{arguments:?}");
        assert!(warned.contains("warning: songs.csv: cannot be read"), "{arguments:?}: {warned}");
    }
    insta::assert_snapshot!(work.screen(&["explain", "pipeline.yaml", "folds"]));
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml"]), @"
    $ runner report pipeline.yaml
    artifacts/study/page.html [size]
      no earlier run of this pipeline had other results
      ! whether the results are up to date is not known: pipeline.yaml:6:18: cannot read 'songs.csv': No such file or directory (os error 2)
    [standard error]
    warning: songs.csv: cannot be read: No such file or directory (os error 2)
     --> pipeline.yaml:6:18
      |
    6 |     files: {all: songs.csv}
      |                  ^^^^^^^^^
      = help: paths count from where runner is started: [folder]
    ");
    // What computes refuses, and so does looking at what is written wrongly.
    for command in ["run", "plan"] {
        let output = work.runner(&[command, "pipeline.yaml"]);
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
    work.edit("pipeline.yaml", "kind: split", "kind: spilt");
    assert_eq!(work.runner(&["show", "pipeline.yaml", "folds"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn what_stands_in_the_place_of_a_result_is_to_be_moved_away() {
    let work = Workspace::with_songs().pipeline(crate::studies::STUDY);
    work.run().succeeded();
    let file = work.path().join("artifacts/study/folds/split.json");
    std::fs::remove_file(&file).expect("removed");
    let mut screens = Vec::new();
    for what in ["a folder", "a symbolic link"] {
        match what {
            "a folder" => std::fs::create_dir(&file).expect("a folder"),
            _ => std::os::unix::fs::symlink("elsewhere", &file).expect("a link"),
        }
        screens.push(work.screen(&["verify", "pipeline.yaml"]));
        if what == "a folder" {
            std::fs::remove_dir(&file).expect("removed");
        }
    }
    insta::assert_snapshot!(screens.join("\n"), @"
    $ runner verify pipeline.yaml
    damaged: folds/split.json: a folder stands in its place: move it away and run again
    [exit code 1]

    $ runner verify pipeline.yaml
    damaged: folds/split.json: a symbolic link stands in its place: move it away and run again
    [exit code 1]
    ");
}

/// Turns a bit over, as a failing disk does: whoever looked at the file believes that it is as it was.
#[cfg(unix)]
fn rot(work: &Workspace, path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let held = Digest::of_file(path).expect("a digest");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("permissions");
    let mut bytes = std::fs::read(path).expect("content");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).expect("written");
    let store = Store::open(&work.path().join("artifacts")).expect("a store");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(10);
    store.stats().note(FileStamp::at(path).expect("a stamp"), held, later);
    store.stats().save();
}

#[cfg(unix)]
#[test]
fn damage_is_named_by_its_stage_and_gone_after_the_run_that_is_advised() {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().succeeded();
    let file = work.path().join("artifacts/short/folds/rows.arrow");
    let store = Store::open(&work.path().join("artifacts")).expect("a store");
    let (digest, whole) = (Digest::of_file(&file).expect("a digest"), std::fs::read(&file).expect("content"));
    let verify = |arguments: &[&str]| {
        let output = work.runner(&[&["verify", "pipeline.yaml"], arguments].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for arguments in [&[][..], &["folds"]] {
        // The blob; the file for people; both.
        for paths in [vec![store.blob_path(digest)], vec![file.clone()], vec![store.blob_path(digest), file.clone()]] {
            paths.iter().for_each(|path| rot(&work, path));
            work.run().ran(&[]);
            let (code, text) = verify(arguments);
            assert_eq!(code, Some(1), "{text}");
            assert!(text.contains("damaged: folds/rows.arrow: ") && text.contains("run again to"), "{text}");
            assert!(!text.contains("songs/") && text.matches("damaged:").count() == 1, "{text}");
            let blob = paths.len() + usize::from(paths[0] != file) > 1;
            assert_eq!(store.blob_path(digest).exists(), !blob, "out of the store");
            work.run().ran(if blob { &["folds"] } else { &[] });
            assert_eq!(std::fs::read(&file).expect("content"), whole);
            assert_eq!(verify(arguments).0, Some(0));
        }
    }
    work.write("artifacts/short/songs/all.arrow.txt", b"mine");
    assert_eq!(verify(&["songs"]).0, Some(0), "strangers' files are theirs");
}

#[test]
fn runs_and_notes_that_cannot_be_read_are_named_with_a_way_out() {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().succeeded();
    let verify = || {
        let output = work.runner(&["verify", "pipeline.yaml"]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = verify();
    assert!(code == Some(0) && text.contains("readable: 1 run, 2 notes of what is in the folders"), "{text}");
    let store = work.path().join("artifacts/.store");
    let runs = std::fs::read_dir(store.join("runs")).expect("runs").flatten().map(|entry| entry.path());
    let run = runs.into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).expect("a record");
    std::fs::write(&run, "{\"format\":1,").expect("written");
    let note = store.join("current/short/folds");
    let whole = std::fs::read(&note).expect("a note");
    std::fs::write(&note, "0123").expect("written");
    let (code, text) = verify();
    assert!(code == Some(1) && text.matches("damaged:").count() == 2, "{text}");
    // As it says.
    assert!(text.contains("(remove the file)") && text.contains("(run again to write it anew)"), "{text}");
    std::fs::remove_file(&run).expect("removed");
    work.run().succeeded();
    assert_eq!(std::fs::read(&note).expect("a note"), whole);
    assert_eq!(verify().0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_source_that_changed_under_its_stamp_is_named_and_read_by_the_next_run() {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().succeeded();
    rot(&work, &work.path().join("songs.csv"));
    work.run().ran(&[]);
    insta::assert_snapshot!(work.screen(&["verify", "pipeline.yaml"]), @"
    $ runner verify pipeline.yaml
    damaged: songs.csv: its content changed, its time stamps did not (run again to compute what needs it)
    [exit code 1]
    ");
    work.run().ran(&["songs", "folds"]);
}

/// Gives other numbers each time.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Dice {
    /// What is added at each execution to the third row.
    step: f64,
}

static EXECUTIONS: AtomicI64 = AtomicI64::new(0);

impl Stage for Dice {
    const KIND: &'static str = "dice";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "for tests";
    const INPUTS: &'static [engine::InputPort] = &[];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table), OutputPort::new("metrics", PortType::Json)]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        use std::sync::Arc;
        let shift = EXECUTIONS.fetch_add(1, Ordering::Relaxed) as f64 * self.step;
        let steady: arrow::array::ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![1.0, 2.0, 3.0]));
        let moved: arrow::array::ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![1.0, 2.0, 3.0 + shift]));
        context.put_table("rows", &Table::from_columns([("steady", steady), ("moved", moved)])?)?;
        context.put_json("metrics", "metrics.json", &serde_json::json!({"scores": {"accuracy": [0.5, 0.25 + shift]}}))
    }
}

static KINDS: &[engine::KindInfo] = &[Dice::INFO];

#[test]
fn the_place_that_differs_is_named_and_small_differences_can_be_tolerated() {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = "name: toy\nstages:\n  still: {kind: dice, step: 0}\n  near: {kind: dice, step: 1e-9}\n  far: {kind: dice, step: 1}\n";
    let spec =
        runner::spec::parse("toy.yaml", yaml, &[]).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let plan = Plan::new(spec, Registry(KINDS)).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let store = Store::open(folder.path()).expect("a store");
    let workspace = engine::Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
    let told = |tolerance: Option<f64>| {
        let mut all = Vec::new();
        let options = AuditOptions { threads: 1, tolerance };
        audit(&workspace, &plan.order, options, &|_| {}, &|| false, &mut |stage, one| {
            all.push((stage.to_owned(), one.clone()))
        })
        .expect("an audit");
        all
    };
    assert!(told(None).iter().all(|(_, one)| *one == Audited::NotUpToDate));
    let options = RunOptions { threads: 1, ..RunOptions::default() };
    assert!(engine::run(&workspace, &plan.order, &options, &|_| {}, &|| false).expect("a run").succeeded());
    let exact = told(None);
    assert_eq!(exact[0], ("still".to_owned(), Audited::Same));
    let places = |one: &Audited| match one {
        Audited::Differs { places } => {
            places.iter().map(|place| format!("{}: {}", place.file, place.at)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(places(&exact[1].1).len(), 2);
    let far = places(&exact[2].1);
    assert!(far[0].starts_with("rows.arrow: column 'moved', row 2: ") && far[0].contains(" before, "), "{far:?}");
    assert!(far[1].starts_with("metrics.json: scores.accuracy.1: "), "{far:?}");
    let near = told(Some(1e-6));
    assert_eq!(near[1].1, Audited::Tolerated { files: vec!["rows.arrow".to_owned(), "metrics.json".to_owned()] });
    assert!(matches!(near[2].1, Audited::Differs { .. }));
}
