//! What a store survives: an error or the end of the process before and after every file operation, damage, a full or read-only disk, a clock that jumps.
//!
//! With toy stages. After each accident the next run must end as a run from scratch does, and nothing that was committed may be lost.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use runner::artifact::disk::{Hook, Moment, Operation};
use runner::artifact::{Collect, Collected, Damaged, Digest, Store, StoreError, StoreOptions, Table};
use runner::engine::{
    self, ActionRecord, Arity, CheckContext, Event, Ground, InputPort, Kind, KindInfo, Outcome, OutputPort, Plan,
    PortType, Reads, Registry, RunOptions, RunSummary, Source, Stage, StageContext, Status,
};
use runner::spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Numbers of a text file, as a table and as a file of the given name.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lines {
    file: String,
    called: String,
}

impl Stage for Lines {
    const KIND: &'static str = "lines";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "numbers of a file";
    const INPUTS: &'static [InputPort] = &[];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table), OutputPort::new("copy", PortType::Files)]
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source { at: "file".to_owned(), path: self.file.clone().into() }]
    }

    fn check(&self, context: &mut CheckContext) {
        context.output("rows", vec!["value".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let (_, bytes) = context.source("file")?;
        let values: Vec<i64> = std::str::from_utf8(&bytes)?.lines().map(str::parse).collect::<Result<_, _>>()?;
        context.put_table("rows", &table(values))?;
        context.put_file("copy", &self.called, &bytes)
    }
}

/// The sum of a column, times a factor; counted in a memo first.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Total {
    factor: i64,
}

impl Stage for Total {
    const KIND: &'static str = "total";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a sum";
    const INPUTS: &'static [InputPort] = &[InputPort::table("rows", Arity::Many, "what to sum")];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table)]
    }

    fn check(&self, context: &mut CheckContext) {
        context.reads("rows", Reads::Columns(vec!["value".to_owned()]));
        context.output("rows", vec!["value".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let memo = context.memo(&serde_json::json!({"inputs": context.inputs_key()}));
        let total = match memo.get() {
            Some(bytes) => String::from_utf8(bytes)?.parse()?,
            None => {
                let mut total = 0i64;
                for input in context.inputs("rows") {
                    let table = input.table()?;
                    total += table.column("value")?.as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
                }
                memo.put(total.to_string().as_bytes())?;
                total
            }
        };
        context.put_table("rows", &table(vec![total * self.factor]))
    }
}

fn table(values: Vec<i64>) -> Table {
    let array: arrow::array::ArrayRef = Arc::new(arrow::array::Int64Array::from(values));
    Table::from_columns([("value", array)]).expect("a table")
}

static KINDS: &[KindInfo] = &[Lines::INFO, Total::INFO];

/// One of the configurations of the toy pipeline. B has another source, other file names and other factors; C only other factors.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Study {
    A,
    B,
    C,
}

fn pipeline(folder: &Path, study: Study) -> Plan {
    let (source, called, factor) = match study {
        Study::A => ("a.txt", "old.txt", 2),
        Study::B => ("b.txt", "new.txt", 3),
        Study::C => ("a.txt", "old.txt", 7),
    };
    let source = folder.join(source).display().to_string();
    let yaml = format!(
        "name: toy\nstages:\n  a: {{kind: lines, file: {source}, called: {called}}}\n  t: {{kind: total, rows: a, factor: {factor}}}\n  u: {{kind: total, rows: t, factor: 5}}\n"
    );
    let spec = spec::parse("toy.yaml", &yaml, &[]).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    Plan::new(spec, Registry(KINDS)).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// A folder with the sources, in which runs leave `toy` and `.store`.
fn fresh() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.txt"), "1\n2\n3\n").expect("a file");
    std::fs::write(folder.path().join("b.txt"), "10\n20\n").expect("a file");
    folder
}

/// What happened in a run: an error of the run itself, or its summary; and all events.
struct Ran {
    result: anyhow::Result<RunSummary>,
    warnings: Vec<String>,
    errors: Vec<String>,
}

impl Ran {
    fn succeeded(&self) -> bool {
        self.result.as_ref().is_ok_and(RunSummary::succeeded)
    }

    #[track_caller]
    fn ran(&self, stages: &[&str]) -> &Self {
        assert!(self.succeeded(), "{:?} {:?}", self.result, self.errors);
        assert_eq!(self.result.as_ref().expect("a summary").with(Outcome::Ran), stages);
        self
    }

    /// All that a person is told.
    fn messages(&self) -> Vec<String> {
        let whole = self.result.as_ref().err().map(|error| format!("{error:#}"));
        self.errors.iter().cloned().chain(whole).collect()
    }
}

fn run_with(folder: &Path, study: Study, options: StoreOptions) -> Ran {
    let plan = pipeline(folder, study);
    let (warnings, errors) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let sink = |event: Event| match event {
        Event::Warned { stage, message } => warnings.lock().expect("no poison").push(format!("{stage}: {message}")),
        Event::Finished { error: Some(error), .. } => errors.lock().expect("no poison").push(error),
        _ => {}
    };
    let go = || -> anyhow::Result<RunSummary> {
        let store = Store::open_with(folder, options)?;
        let ground = Ground { plan: &plan, store: &store, artifacts: folder, device: "cpu" };
        let options = RunOptions { threads: 1, ..RunOptions::default() };
        engine::run(&ground, &plan.order, &options, &sink, &|| false)
    };
    let result = go();
    let take = |list: Mutex<Vec<String>>| list.into_inner().expect("no poison");
    Ran { result, warnings: take(warnings), errors: take(errors) }
}

/// Not durable: these tests are about processes and devices that fail, which the kernel's cache survives.
fn quick() -> StoreOptions {
    StoreOptions { durable: false, hook: None }
}

fn run(folder: &Path, study: Study) -> Ran {
    run_with(folder, study, quick())
}

fn collect(folder: &Path, options: StoreOptions) -> Result<Collected, StoreError> {
    let all = Collect { grace: Duration::ZERO, used_since: SystemTime::now(), dry_run: false };
    Store::open_with(folder, options)?.collect(&HashSet::new(), &blobs_of, all)
}

fn blobs_of(record: &[u8]) -> Vec<Digest> {
    let record: Option<ActionRecord> = serde_json::from_slice(record).ok();
    record.iter().flat_map(ActionRecord::files).map(|file| file.digest).collect()
}

/// The digests of the files for people, by path in the folder.
fn deliverables(folder: &Path) -> BTreeMap<PathBuf, Digest> {
    let name = |path: &Path| path.strip_prefix(folder).expect("in the folder").to_owned();
    let digest = |path: &Path| Digest::of_file(path).expect("a file");
    files(&folder.join("toy")).iter().map(|path| (name(path), digest(path))).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

/// What is going on when the accident happens.
#[derive(Clone, Copy, Debug)]
enum Scenario {
    First,
    Edited,
    GoneBack,
    FolderLost,
    Collecting,
    Migrating,
}

const SCENARIOS: [Scenario; 6] = [
    Scenario::First,
    Scenario::Edited,
    Scenario::GoneBack,
    Scenario::FolderLost,
    Scenario::Collecting,
    Scenario::Migrating,
];

impl Scenario {
    /// The state before.
    fn prepare(self) -> tempfile::TempDir {
        let folder = fresh();
        let path = folder.path();
        match self {
            Scenario::First => {}
            Scenario::Edited => drop(run(path, Study::A).ran(&["a", "t", "u"])),
            Scenario::GoneBack | Scenario::Collecting => {
                run(path, Study::A).ran(&["a", "t", "u"]);
                run(path, Study::B).ran(&["a", "t", "u"]);
            }
            Scenario::FolderLost => {
                run(path, Study::A).ran(&["a", "t", "u"]);
                std::fs::remove_dir_all(path.join("toy")).expect("removed");
            }
            Scenario::Migrating => {
                run(path, Study::A).ran(&["a", "t", "u"]);
                as_format_one(path);
            }
        }
        folder
    }

    /// The configuration that is run when the accident happens, and again after it.
    fn study(self) -> Study {
        match self {
            Scenario::First | Scenario::GoneBack | Scenario::FolderLost => Study::A,
            Scenario::Edited | Scenario::Collecting | Scenario::Migrating => Study::B,
        }
    }

    /// What goes on; the messages of a failure.
    fn act(self, folder: &Path, options: StoreOptions) -> Result<(), Vec<String>> {
        match self {
            Scenario::Collecting => collect(folder, options).map(drop).map_err(|error| vec![error.to_string()]),
            _ => {
                let ran = run_with(folder, self.study(), options);
                if ran.succeeded() { Ok(()) } else { Err(ran.messages()) }
            }
        }
    }
}

/// Makes of a store what the first layout was.
fn as_format_one(folder: &Path) {
    let store = folder.join(".store");
    std::fs::write(store.join("format"), "runner store 1\n").expect("written");
    for record in files(&store.join("records")) {
        let text = std::fs::read_to_string(&record).expect("a record");
        std::fs::write(&record, text.split('\n').next().expect("a line")).expect("written");
    }
    std::fs::remove_dir_all(store.join("tmp")).expect("removed");
    std::fs::remove_file(store.join("lock")).expect("removed");
}

/// The results of all configurations, computed in folders of their own.
struct Reference {
    of: [BTreeMap<PathBuf, Digest>; 3],
    whole: HashSet<Digest>,
}

impl Reference {
    fn new() -> Self {
        let of = [Study::A, Study::B, Study::C].map(|study| {
            let folder = fresh();
            run(folder.path(), study).ran(&["a", "t", "u"]);
            deliverables(folder.path())
        });
        let whole = of.iter().flat_map(|files| files.values().copied()).collect();
        Reference { of, whole }
    }

    /// Every file for people is one that some run made, from its first to its last byte.
    #[track_caller]
    fn holds_only_whole_files(&self, folder: &Path, when: &str) {
        for (path, digest) in deliverables(folder) {
            assert!(self.whole.contains(&digest), "{when}: {} is not whole", path.display());
        }
    }

    /// The next run succeeds, ends as from scratch, and so does the other configuration; nothing in the store is damaged.
    #[track_caller]
    fn is_reached(&self, folder: &Path, study: Study, when: &str) {
        let other = if study == Study::A { Study::B } else { Study::A };
        for study in [study, other] {
            let ran = run(folder, study);
            assert!(ran.succeeded(), "{when}: {:?}", ran.messages());
            assert_eq!(deliverables(folder), self.of[study as usize], "{when}: {study:?}");
        }
        let verified = Store::open(folder).expect("a store").verify(&|_, _| {}).expect("verified");
        assert!(verified.damaged.is_empty() && verified.blobs >= 3, "{when}: {verified:?}");
    }
}

/// The records of a store with all their blobs sound.
fn committed(folder: &Path) -> HashSet<Digest> {
    let store = Store::open(folder).expect("a store");
    let names = files(&folder.join(".store/records"));
    let keys = names.iter().filter_map(|path| path.file_stem()?.to_str()?.parse::<Digest>().ok());
    let whole = |key: &Digest| {
        let record = store.get_record(*key);
        record.is_some_and(|record| blobs_of(&record).into_iter().all(|blob| store.get(blob).is_ok()))
    };
    keys.filter(whole).collect()
}

/// A hook that returns this error at the `n`-th moment and, if `lasting`, at every later writing one.
fn failing(n: usize, error: io::ErrorKind, lasting: bool) -> (Arc<Hook>, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let hook = move |operation: Operation, _: Moment, _: &Path| {
        let now = counter.fetch_add(1, Ordering::Relaxed);
        let fails = now == n || lasting && now > n && operation.writes();
        if fails { Err(error.into()) } else { Ok(()) }
    };
    (Arc::new(hook), seen)
}

fn every_operation_fails(step: usize) {
    let reference = Reference::new();
    for scenario in SCENARIOS {
        let template = scenario.prepare();
        let before = committed(template.path());
        for (first, kind, lasting) in [
            (0, io::ErrorKind::StorageFull, true),
            (1, io::ErrorKind::PermissionDenied, false),
            (2, io::ErrorKind::Other, false),
        ] {
            let mut failures = 0;
            for n in (first % step..).step_by(step) {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path();
                copy(template.path(), path);
                let (hook, seen) = failing(n, kind, lasting);
                let when = format!("{scenario:?}, {kind:?} at moment {n}");
                if let Err(messages) = scenario.act(path, StoreOptions { durable: false, hook: Some(hook) }) {
                    failures += 1;
                    assert_eq!(messages.len(), 1, "{when}: one clear message, not {messages:?}");
                    assert!(messages[0].starts_with("cannot "), "{when}: {messages:?}");
                    assert!(
                        kind != io::ErrorKind::StorageFull || messages[0].contains("free some space"),
                        "{messages:?}"
                    );
                }
                reference.holds_only_whole_files(path, &when);
                if !matches!(scenario, Scenario::Collecting) {
                    assert!(before.is_subset(&committed(path)), "{when}: something committed was lost");
                }
                reference.is_reached(path, scenario.study(), &when);
                if seen.load(Ordering::Relaxed) <= n {
                    break;
                }
            }
            assert!(failures * step > 10, "{scenario:?}: {failures} failures of {kind:?} in steps of {step}");
        }
    }
}

#[test]
fn an_error_in_any_file_operation_costs_nothing_but_the_run() {
    every_operation_fails(29);
}

#[test]
#[ignore = "long: run by .ci/run"]
fn an_error_in_every_single_file_operation_costs_nothing_but_the_run() {
    every_operation_fails(1);
}

/// What the child of the next test is told: the folder, the scenario, and the moment to die.
const CHILD: &str = "RUNNER_TEST_DIES";

/// Not a test of its own: the process that is ended in the midst of an operation.
#[test]
#[ignore = "started by the tests of killed processes"]
fn a_child_that_dies() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let mut words = told.splitn(3, ' ');
    let mut next = || words.next().expect("three words");
    let n: usize = next().parse().expect("a number");
    let scenario = SCENARIOS[next().parse::<usize>().expect("a number")];
    let folder = PathBuf::from(next());
    let seen = AtomicUsize::new(0);
    let hook = move |_: Operation, _: Moment, _: &Path| {
        if seen.fetch_add(1, Ordering::Relaxed) == n {
            std::process::abort();
        }
        Ok(())
    };
    let ended = scenario.act(&folder, StoreOptions { durable: false, hook: Some(Arc::new(hook)) });
    ended.unwrap_or_else(|messages| panic!("{messages:?}"));
}

fn every_moment_kills(step: usize) {
    let reference = Reference::new();
    for (number, scenario) in SCENARIOS.into_iter().enumerate() {
        let template = scenario.prepare();
        let before = committed(template.path());
        let mut kills = 0;
        for n in (number % step..).step_by(step) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path();
            copy(template.path(), path);
            let child = std::process::Command::new(std::env::current_exe().expect("this program"))
                .args(["a_child_that_dies", "--ignored", "--quiet"])
                .env(CHILD, format!("{n} {number} {}", path.display()))
                .output()
                .expect("the child starts");
            let when = format!("{scenario:?}, killed at moment {n}");
            if child.status.success() {
                break;
            }
            kills += 1;
            assert_eq!(child.status.code(), None, "{when}: {}", String::from_utf8_lossy(&child.stdout));
            reference.holds_only_whole_files(path, &when);
            if !matches!(scenario, Scenario::Collecting) {
                assert!(before.is_subset(&committed(path)), "{when}: something committed was lost");
            }
            reference.is_reached(path, scenario.study(), &when);
        }
        assert!(kills * step > 20, "{scenario:?}: {kills} kills in steps of {step}");
    }
}

#[test]
#[cfg(unix)]
fn a_process_killed_at_any_moment_leaves_a_store_to_go_on_with() {
    every_moment_kills(23);
}

#[test]
#[cfg(unix)]
#[ignore = "long: run by .ci/run"]
fn a_process_killed_at_every_single_moment_leaves_a_store_to_go_on_with() {
    every_moment_kills(1);
}

#[test]
fn a_full_disk_says_so_and_takes_nothing_away() {
    let reference = Reference::new();
    for capacity in [0, 100, 1_000, 2_000, 4_000] {
        let folder = fresh();
        let room = Mutex::new(capacity);
        let hook = move |operation: Operation, moment: Moment, path: &Path| {
            let mut room = room.lock().expect("no poison");
            if let (Operation::Write, Moment::After) = (operation, moment) {
                // By what is on disk: half a file may well have been written when the disk is full.
                *room = usize::saturating_sub(*room, path.metadata().map_or(0, |file| file.len() as usize).max(1));
            }
            if operation == Operation::Write && *room == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        let ran = run_with(folder.path(), Study::A, StoreOptions { durable: false, hook: Some(Arc::new(hook)) });
        assert!(!ran.succeeded());
        assert!(ran.messages()[0].contains("free some space"), "{:?}", ran.messages());
        reference.holds_only_whole_files(folder.path(), "full");
        reference.is_reached(folder.path(), Study::A, "after the disk was full");
    }
}

fn read_only() -> StoreOptions {
    let hook = |operation: Operation, _: Moment, _: &Path| match operation.writes() {
        true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        false => Ok(()),
    };
    StoreOptions { durable: true, hook: Some(Arc::new(hook)) }
}

#[test]
fn a_read_only_store_can_be_planned_on_and_is_no_obstacle_to_doing_nothing() {
    let folder = fresh();
    run(folder.path(), Study::A).ran(&["a", "t", "u"]);
    run_with(folder.path(), Study::A, read_only()).ran(&[]);
    let plan = pipeline(folder.path(), Study::B);
    let store = Store::open_with(folder.path(), read_only()).expect("a store");
    let ground = Ground { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
    let decisions = engine::survey(&ground, &plan.order).expect("decisions");
    assert!(decisions.iter().all(|(_, decision)| decision.status == Status::Run));
    let ran = run_with(folder.path(), Study::B, read_only());
    assert!(!ran.succeeded());
    assert_eq!(ran.messages().len(), 1);
    assert!(ran.messages()[0].contains("make the folder writable or choose another"), "{:?}", ran.messages());
}

/// Replaces a file's content and, if asked, its modification time of before: what a bad device does.
fn damage(path: &Path, keep_time: bool, change: impl FnOnce(&mut Vec<u8>)) {
    let modified = path.metadata().and_then(|metadata| metadata.modified()).expect("a time");
    let mut bytes = std::fs::read(path).expect("a file");
    change(&mut bytes);
    let mut permissions = path.metadata().expect("metadata").permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions).expect("permissions");
    // In place: the same inode.
    std::fs::write(path, bytes).expect("written");
    if keep_time {
        std::fs::File::options().write(true).open(path).and_then(|file| file.set_modified(modified)).expect("a time");
    }
}

fn blob_of(folder: &Path, stage: &str) -> PathBuf {
    let store = Store::open(folder).expect("a store");
    store.blob_path(Digest::of_file(&folder.join("toy").join(stage).join("rows.arrow")).expect("a digest"))
}

/// Cuts a blob off, turns a bit of it over, and so on.
type Change = fn(&mut Vec<u8>);

#[test]
fn damaged_blobs_are_found_said_and_computed_anew() {
    let reference = Reference::new();
    let changes: [(&str, Change); 3] = [
        ("cut off", |bytes| bytes.truncate(bytes.len() / 2)),
        ("a bit turned over", |bytes| bytes[100] ^= 4),
        ("emptied", Vec::clear),
    ];
    for (what, change) in changes {
        let folder = fresh();
        run(folder.path(), Study::A).ran(&["a", "t", "u"]);
        damage(&blob_of(folder.path(), "a"), false, change);
        let ran = run(folder.path(), Study::A);
        ran.ran(&["a"]);
        assert_eq!(ran.warnings, ["a: rows.arrow in the store was damaged; computed anew"], "{what}");
        reference.is_reached(folder.path(), Study::A, what);
    }
    let folder = fresh();
    run(folder.path(), Study::A).ran(&["a", "t", "u"]);
    std::fs::remove_file(blob_of(folder.path(), "a")).expect("removed");
    assert_eq!(
        run(folder.path(), Study::A).ran(&["a"]).warnings,
        ["a: rows.arrow was missing in the store; computed anew"]
    );
}

#[test]
fn damage_under_an_unchanged_time_stamp_is_found_when_it_is_read_and_mended_in_the_same_run() {
    let reference = Reference::new();
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let blob = blob_of(path, "a");
    damage(&blob, true, |bytes| bytes[500] ^= 1);
    run(path, Study::A).ran(&[]);
    let found = Store::open(path).expect("a store").verify(&|_, _| {}).expect("verified");
    assert_eq!(
        found.damaged.iter().map(|damage| (damage.kind, &damage.path)).collect::<Vec<_>>(),
        [(Damaged::Blob, &blob)]
    );
    // Another factor, and no memo of the sum: now the table is read.
    std::fs::remove_dir_all(path.join(".store/memo")).expect("removed");
    let ran = run(path, Study::C);
    ran.ran(&["t", "u"]);
    assert_eq!(ran.warnings[0], "a: rows.arrow of 'a' in the store was damaged; computed anew");
    assert!(Store::open(path).expect("a store").verify(&|_, _| {}).expect("verified").damaged.is_empty());
    reference.is_reached(path, Study::C, "mended");
}

#[test]
fn damaged_records_pointers_memos_and_stamps_cost_time_only() {
    let reference = Reference::new();
    let changes: [(&str, Change); 4] = [
        ("cut off", |bytes| bytes.truncate(bytes.len() / 2)),
        ("without its last line", |bytes| bytes.truncate(bytes.len() - 10)),
        ("a digit changed", |bytes| {
            let at = bytes.iter().rposition(|&byte| byte == b'1').unwrap_or(0);
            bytes[at] = b'2';
        }),
        ("garbage", |bytes| bytes.fill(0xfe)),
    ];
    for (what, change) in changes {
        let folder = fresh();
        let path = folder.path();
        run(path, Study::A).ran(&["a", "t", "u"]);
        for file in ["records", "memo", "current"].iter().flat_map(|name| files(&path.join(".store").join(name))) {
            damage(&file, false, change);
        }
        damage(&path.join(".store/stat"), false, change);
        let ran = run(path, Study::A);
        ran.ran(&["a", "t", "u"]);
        assert_eq!(ran.warnings[0], "a: its record in the store was damaged; computed anew", "{what}");
        assert_eq!(ran.warnings.len(), 3);
        reference.is_reached(path, Study::A, what);

        // Each by itself: only a record is worth computing for.
        assert!(run(path, Study::A).succeeded());
        for (name, restored) in [("memo", 0), ("current", 3)] {
            files(&path.join(".store").join(name)).iter().for_each(|file| damage(file, false, change));
            let ran = run(path, Study::A);
            ran.ran(&[]);
            assert_eq!(ran.result.expect("a summary").with(Outcome::Restored).len(), restored, "{what}: {name}");
        }
        damage(&path.join(".store/stat"), false, change);
        run(path, Study::A).ran(&[]);
    }
}

#[test]
fn a_clock_that_jumps_makes_nothing_stale_and_nothing_wrongly_fresh() {
    let reference = Reference::new();
    let day = Duration::from_secs(86_400);
    for time in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH - day, SystemTime::now() + 1000 * day] {
        let folder = fresh();
        let path = folder.path();
        let set_all = |time: SystemTime| {
            for file in files(path) {
                let handle = std::fs::File::open(&file).expect("a file");
                handle.set_modified(time).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            }
        };
        set_all(time);
        run(path, Study::A).ran(&["a", "t", "u"]);
        run(path, Study::A).ran(&[]);
        set_all(time);
        run(path, Study::A).ran(&[]);
        // The same size, and a time that is as wrong as before.
        std::fs::write(path.join("a.txt"), "1\n2\n4\n").expect("written");
        std::fs::File::open(path.join("a.txt"))
            .and_then(|file| file.set_modified(time + Duration::from_nanos(100)))
            .expect("set");
        run(path, Study::A).ran(&["a", "t", "u"]);
        std::fs::write(path.join("a.txt"), "1\n2\n3\n").expect("written");
        reference.is_reached(path, Study::A, "after the clock jumped");
        // Young or of the future, nothing is old enough to be collected.
        set_all(SystemTime::now() + day);
        let patient = Collect { grace: Duration::from_secs(60), used_since: SystemTime::UNIX_EPOCH, dry_run: false };
        let store = Store::open(path).expect("a store");
        assert_eq!(store.collect(&HashSet::new(), &blobs_of, patient).expect("collected"), Collected::default());
    }
}

#[test]
fn a_store_of_the_first_format_is_read_as_it_is_and_migrated_by_the_first_write() {
    let reference = Reference::new();
    let folder = Scenario::Migrating.prepare();
    let path = folder.path();
    let format = || std::fs::read_to_string(path.join(".store/format")).expect("a format");
    let listing =
        || files(path).into_iter().map(|path| (std::fs::read(&path).expect("a file"), path)).collect::<Vec<_>>();
    let before = listing();
    let plan = pipeline(path, Study::A);
    let store = Store::open(path).expect("a store");
    let ground = Ground { plan: &plan, store: &store, artifacts: path, device: "cpu" };
    let decisions = engine::survey(&ground, &plan.order).expect("decisions");
    assert!(decisions.iter().all(|(_, decision)| decision.status == Status::Fresh));
    assert_eq!(listing(), before, "planning changes nothing");
    run(path, Study::A).ran(&[]);
    assert_eq!(format(), "runner store 1\n", "nothing was written yet");
    run(path, Study::C).ran(&["t", "u"]);
    assert_eq!(format(), "runner store 2\n");
    run(path, Study::A).ran(&[]);
    reference.is_reached(path, Study::B, "migrated");
}

#[test]
fn a_store_of_a_newer_format_is_refused_and_left_alone() {
    let folder = fresh();
    run(folder.path(), Study::A).ran(&["a", "t", "u"]);
    for format in ["runner store 3\n", "something else", ""] {
        std::fs::write(folder.path().join(".store/format"), format).expect("written");
        let before = files(folder.path());
        let ran = run(folder.path(), Study::B);
        let message = &ran.messages()[0];
        assert!(message.contains(&format!("{format:?}")) && message.contains("update runner"), "{message}");
        assert!(matches!(collect(folder.path(), quick()), Err(StoreError::Format { .. })));
        assert_eq!(files(folder.path()), before);
    }
}

#[test]
fn what_no_root_needs_goes_with_its_blobs_and_the_rest_stays() {
    let reference = Reference::new();
    let folder = fresh();
    let path = folder.path();
    for study in [Study::A, Study::C, Study::B] {
        assert!(run(path, study).succeeded());
    }
    // A: a, t, u; C: t, u; B: a, t, u. The folder for people holds B.
    assert_eq!(committed(path).len(), 8);
    let store = Store::open(path).expect("a store");
    let go = |roots: &HashSet<Digest>, grace: u64, dry_run: bool| {
        let used_since = SystemTime::now() - Duration::from_secs(grace);
        store
            .collect(roots, &blobs_of, Collect { grace: Duration::from_secs(grace), used_since, dry_run })
            .expect("collected")
    };
    let before = files(path);
    assert_eq!(go(&HashSet::new(), 3600, false).records, 0, "all of it is young");
    let would = go(&HashSet::new(), 0, true);
    assert_eq!((would.records, would.blobs), (5, 6), "a has two files, t and u one each, twice");
    assert!(would.bytes > 0 && would.memos > 0 && would.leftovers > 0);
    assert_eq!(files(path), before, "a dry run changes nothing");
    assert_eq!(go(&HashSet::new(), 0, false), would, "what was told is what goes");
    assert_eq!(committed(path).len(), 3);
    run(path, Study::B).ran(&[]);
    run(path, Study::A).ran(&["a", "t", "u"]);

    // With the records of A as roots, B (no longer in the folder for people, after C) goes.
    let roots: HashSet<Digest> =
        ["a", "t", "u"].iter().flat_map(|stage| store.placed("toy", stage).expect("keys")).collect();
    run(path, Study::C).ran(&["t", "u"]);
    go(&roots, 0, false);
    run(path, Study::A).ran(&[]);
    reference.is_reached(path, Study::B, "collected");
}

#[test]
fn collecting_waits_for_nobody_and_takes_nothing_from_a_run() {
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let store = Store::open(path).expect("a store");
    let running = store.share(&|| false).expect("shared");
    assert!(running.is_held());
    let refused = collect(path, quick()).expect_err("a run goes on").to_string();
    assert!(refused.contains("another runner works with the store") && refused.contains("let it end"), "{refused}");
    if cfg!(target_os = "linux") {
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    }
    // Runs share it among themselves.
    run(path, Study::B).ran(&["a", "t", "u"]);
    drop(running);
    assert_eq!(collect(path, quick()).expect("collected").records, 3);
    // A run waits while the store is had alone, and can be interrupted.
    let alone = store.have_alone().expect("alone");
    let interrupted = Store::open(path).expect("a store").share(&|| true);
    assert!(matches!(interrupted, Err(StoreError::Interrupted)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(path, Study::A).succeeded());
        std::thread::sleep(Duration::from_millis(60));
        assert!(!waiting.is_finished());
        drop(alone);
        assert!(waiting.join().expect("no panic"));
    });
}

#[test]
fn eight_runners_at_once_compute_once_and_end_the_same() {
    let reference = Reference::new();
    for runners in [2, 8] {
        let folder = fresh();
        let results: Vec<Ran> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..runners).map(|_| scope.spawn(|| run(folder.path(), Study::A))).collect();
            running.into_iter().map(|run| run.join().expect("no panic")).collect()
        });
        let count = |outcome| -> usize {
            results.iter().map(|ran| ran.result.as_ref().expect("a summary").with(outcome).len()).sum()
        };
        assert!(results.iter().all(Ran::succeeded));
        assert_eq!(count(Outcome::Ran), 3, "each stage once");
        reference.is_reached(folder.path(), Study::A, "side by side");
    }
}

#[test]
fn runners_of_different_configurations_leave_one_whole_result() {
    let reference = Reference::new();
    let folder = fresh();
    for _ in 0..5 {
        std::thread::scope(|scope| {
            for study in [Study::A, Study::B, Study::C] {
                let path = folder.path();
                scope.spawn(move || assert!(run(path, study).succeeded()));
            }
        });
        // Stage by stage one of the results, never a mixture.
        for stage in ["a", "t", "u"] {
            let mine = |files: &BTreeMap<PathBuf, Digest>| -> BTreeMap<PathBuf, Digest> {
                let prefix = Path::new("toy").join(stage);
                files
                    .iter()
                    .filter(|(path, _)| path.starts_with(&prefix))
                    .map(|(path, digest)| (path.clone(), *digest))
                    .collect()
            };
            let found = mine(&deliverables(folder.path()));
            assert!(reference.of.iter().any(|files| mine(files) == found), "{stage}: {:?}", found.keys());
        }
    }
    reference.is_reached(folder.path(), Study::B, "after all");
}
