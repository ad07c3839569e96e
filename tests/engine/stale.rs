//! Sources that changed although size and modification time are as they were, or while they were read: a result belongs to the bytes that it was
//! made from.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use runner::artifact::{Digest, FileStamp, Store};
use runner::engine::{
    self, CheckContext, InputPort, Kind, KindInfo, Outcome, OutputPort, Plan, PortType, Registry, RunOptions, Source,
    Stage, StageContext,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workspace::Workspace;

const STUDY: &str = "name: p\nstages:\n  rows: {kind: load, files: {all: data.csv}}\n  copy:\n    kind: command\n    run: [sh, -c, 'cat part.txt > \"$0/copy.txt\"', \"{out}\"]\n    files: [part.txt]\n    outputs: {copy: copy.txt}\n";

/// Two versions of every source, of one size and one modification time.
fn work() -> Workspace {
    let work = Workspace::with_songs().pipeline(STUDY);
    for (version, digit) in [("one", 1), ("two", 2)] {
        work.write(&format!("{version}/data.csv"), format!("x,y\n1,{digit}{digit}{digit}\n").as_bytes());
        work.write(&format!("{version}/part.txt"), format!("{digit}\n").as_bytes());
        for file in ["data.csv", "part.txt"] {
            let file = std::fs::File::options().write(true).open(work.path().join(version).join(file)).expect("a file");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000)).expect("a time");
        }
    }
    work
}

/// Puts a version in place, with its time.
fn put(work: &Workspace, version: &str, how: &str) {
    let script = format!("{how} {version}/data.csv {version}/part.txt .");
    let done = std::process::Command::new("sh").args(["-c", &script]).current_dir(work.path()).status();
    assert!(done.expect("a shell").success(), "{script}");
}

fn is(work: &Workspace, digit: u8) {
    assert_eq!(work.text("artifacts/p/copy/copy.txt"), format!("{digit}\n"));
    let shown = work.runner(&["show", "pipeline.yaml", "rows.all", "--json"]);
    let (text, wanted) = (String::from_utf8_lossy(&shown.stdout).into_owned(), format!("{digit}{digit}{digit}"));
    assert!(text.contains(&wanted), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn another_version_with_the_same_size_and_time_is_seen_and_the_first_comes_back() {
    // Written into the same file; another file in its place; a link to another file's content.
    for how in ["cp -p", "cp -p --remove-destination", "cp -pl --remove-destination"] {
        let work = work();
        put(&work, "one", how);
        work.run().ran(&["rows", "copy"]);
        is(&work, 1);
        work.run().ran(&[]);
        // So old that its stamp is believed.
        std::thread::sleep(Duration::from_millis(2100));
        work.run().ran(&[]);
        put(&work, "two", how);
        work.run().ran(&["rows", "copy"]);
        is(&work, 2);
        put(&work, "one", how);
        work.run_with(&["--force", "rows", "--force", "copy"]).ran(&["rows", "copy"]);
        is(&work, 1);
        put(&work, "two", how);
        work.run().ran(&[]).restored(&["rows", "copy"]);
        is(&work, 2);
    }
}

#[test]
#[cfg(unix)]
fn force_reads_the_sources_whatever_their_stamps_say() {
    let work = work();
    put(&work, "one", "cp");
    work.run().ran(&["rows", "copy"]);
    put(&work, "two", "cp");
    // What no program can do but a failing disk: the stamps of before.
    let believe = || {
        let store = Store::open(&work.path().join("artifacts")).expect("a store");
        for (file, content) in [("data.csv", "x,y\n1,111\n"), ("part.txt", "1\n")] {
            let stamp = FileStamp::at(&work.path().join(file)).expect("a stamp");
            let later = SystemTime::now() + Duration::from_secs(10);
            store.stats().note(stamp, Digest::of(content.as_bytes()), later);
        }
        store.stats().save();
    };
    believe();
    work.run().ran(&[]);
    work.run_with(&["--force", "rows", "--force", "copy"]).ran(&["rows", "copy"]);
    is(&work, 2);
    put(&work, "one", "cp");
    work.run().ran(&[]).restored(&["rows", "copy"]);
    is(&work, 1);
}

/// Reads its source, which somebody saves anew right after the first executions were decided on.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Meddled {
    file: String,
    times: usize,
}

static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);

impl Stage for Meddled {
    const KIND: &'static str = "meddled";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a source that changes";
    const INPUTS: &'static [InputPort] = &[];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("text", PortType::Files)]
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source { at: "file".to_owned(), path: self.file.clone().into() }]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let execution = EXECUTIONS.fetch_add(1, Ordering::Relaxed);
        if execution < self.times {
            std::fs::write(&self.file, format!("save {execution}"))?;
        }
        let (path, bytes) = context.source("file")?;
        // What comes later does not count: the bytes are read.
        std::fs::write(path, "later")?;
        context.put_file("text", "text.txt", &bytes)
    }
}

static KINDS: &[KindInfo] = &[Meddled::INFO];

#[test]
fn a_source_saved_between_the_decision_and_the_reading_is_decided_on_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source.txt");
    let run = |times: usize| {
        let yaml = format!("name: toy\nstages:\n  m: {{kind: meddled, file: {}, times: {times}}}\n", source.display());
        let spec =
            runner::spec::parse("toy.yaml", &yaml, &[]).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let plan = Plan::new(spec, Registry(KINDS)).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let store = Store::open(folder.path()).expect("a store");
        let workspace = engine::Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
        EXECUTIONS.store(0, Ordering::Relaxed);
        let errors = std::sync::Mutex::new(Vec::new());
        let sink = |event| {
            if let engine::Event::Finished { error: Some(error), .. } = event {
                errors.lock().expect("no poison").push(error);
            }
        };
        let summary = engine::run(&workspace, &plan.order, &RunOptions::default(), &sink, &|| false).expect("a run");
        (summary.with(Outcome::Ran).len(), errors.into_inner().expect("no poison"))
    };
    let text = || std::fs::read_to_string(folder.path().join("toy/m/text.txt")).expect("a result");
    std::fs::write(&source, "first").expect("written");
    assert_eq!(run(1), (1, Vec::new()));
    assert_eq!(text(), "save 0");
    // Under the key of what it was made from.
    std::fs::write(&source, "save 0").expect("written");
    assert_eq!(run(1), (0, Vec::new()));
    assert_eq!(EXECUTIONS.load(Ordering::Relaxed), 0);

    std::fs::write(&source, "other").expect("written");
    // Saved at every attempt: refused in the end, and nothing is kept.
    let (ran, errors) = run(1000);
    assert_eq!(ran, 0);
    assert!(errors[0].contains("source.txt' changed while the stage ran"), "{errors:?}");
}
