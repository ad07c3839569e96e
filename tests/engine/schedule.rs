//! The scheduler: who runs beside whom, who first, and who waits for whom.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use runner::artifact::{Digest, Store, StoreOptions};
use runner::engine::{
    self, Arity, CheckContext, Event, InputPort, Kind, KindInfo, Outcome, OutputPort, Plan, PortType, Registry,
    RunOptions, RunSummary, Stage, StageContext, Threads, Workspace,
};
use runner::spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes its time, and counts who else does.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nap {
    #[serde(default)]
    ms: u64,
    #[serde(default)]
    all_threads: bool,
    #[serde(default)]
    fail: bool,
}

/// Stages that nap at this moment, and the most there ever were.
#[derive(Default)]
struct Sleepers {
    now: AtomicUsize,
    most: AtomicUsize,
}

static SLEEPERS: Mutex<Vec<(u64, &'static Sleepers)>> = Mutex::new(Vec::new());

/// The sleepers of a seed: each test has its own.
fn sleepers(seed: u64) -> &'static Sleepers {
    let mut all = SLEEPERS.lock().expect("no poison");
    if let Some((_, found)) = all.iter().find(|(of, _)| *of == seed) {
        return found;
    }
    let new: &'static Sleepers = Box::leak(Box::default());
    all.push((seed, new));
    new
}

impl Stage for Nap {
    const KIND: &'static str = "nap";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a pause";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: "after",
        accepts: engine::Accepts::Only(PortType::Json),
        arity: Arity::Any,
        summary: "who comes first",
    }];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("note", PortType::Json)]
    }

    fn threads(&self) -> Threads {
        if self.all_threads { Threads::All } else { Threads::One }
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let sleepers = sleepers(context.seed());
        let now = sleepers.now.fetch_add(1, Ordering::SeqCst) + 1;
        sleepers.most.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(self.ms));
        sleepers.now.fetch_sub(1, Ordering::SeqCst);
        context.measure("threads", context.threads() as f64);
        context.measure("beside", now as f64);
        anyhow::ensure!(!self.fail, "told to fail");
        context.put_json("note", "note.json", &self.ms)
    }
}

static KINDS: &[KindInfo] = &[Nap::INFO];

fn plan(seed: u64, stages: &str) -> Plan {
    let text = format!("name: toy\nseed: {seed}\nstages:\n{stages}");
    let spec = spec::parse("toy.yaml", &text, &[]).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    Plan::new(spec, Registry(KINDS)).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

fn store(folder: &Path) -> Store {
    Store::open_with(folder, StoreOptions { durable: false, ..StoreOptions::default() }).expect("a store")
}

fn run(plan: &Plan, folder: &Path, options: &RunOptions, sink: &(dyn Fn(Event) + Sync)) -> RunSummary {
    let store = store(folder);
    let workspace = Workspace { plan, store: &store, artifacts: folder, device: "cpu" };
    engine::run(&workspace, &plan.order, options, sink, &|| false).expect("a run")
}

fn threads(threads: usize) -> RunOptions {
    RunOptions { threads, ..RunOptions::default() }
}

fn measured(summary: &RunSummary, stage: &str, what: &str) -> f64 {
    let found = summary.stages.iter().find(|result| result.stage == stage).expect("the stage");
    found.record.as_ref().expect("a record").provenance.measurements[what]
}

/// So many stages with the same words, which differ in their pauses.
fn many(count: usize, words: &str) -> String {
    (0..count).map(|i| format!("  s{i}: {{kind: nap, ms: {}, {words}}}\n", 20 + i)).collect()
}

#[test]
fn stages_share_the_threads_and_each_keeps_to_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(1, &many(6, "resources: {cpus: 2}"));
    let summary = run(&plan, folder.path(), &threads(5), &|_| {});
    assert!(summary.succeeded());
    assert_eq!(sleepers(1).most.load(Ordering::SeqCst), 2, "2 × 2 of 5");
    assert!(summary.stages.iter().all(|stage| measured(&summary, &stage.stage, "threads") == 2.0));
}

#[test]
fn stages_share_the_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(2, &many(6, "resources: {memory: 30 MB}"));
    let options = RunOptions { memory: 100_000_000, ..threads(8) };
    assert!(run(&plan, folder.path(), &options, &|_| {}).succeeded());
    assert_eq!(sleepers(2).most.load(Ordering::SeqCst), 3);
}

#[test]
fn exclusive_stages_and_those_beyond_the_budget_run_alone_and_not_never() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(
        3,
        &format!(
            "{}  alone: {{kind: nap, ms: 40, resources: {{exclusive: true}}}}\n  wide: {{kind: nap, ms: 41, resources: {{cpus: 64}}}}\n  \
             large: {{kind: nap, ms: 42, resources: {{memory: 5 GB}}}}\n  all: {{kind: nap, ms: 43, all_threads: true}}\n",
            many(8, "")
        ),
    );
    let options = RunOptions { memory: 1_000_000_000, ..threads(3) };
    let summary = run(&plan, folder.path(), &options, &|_| {});
    assert!(summary.succeeded());
    assert_eq!(sleepers(3).most.load(Ordering::SeqCst), 3);
    for stage in ["alone", "wide", "large", "all"] {
        assert_eq!(measured(&summary, stage, "beside"), 1.0, "{stage}");
    }
    assert_eq!(measured(&summary, "wide", "threads"), 3.0);
    assert_eq!(measured(&summary, "large", "threads"), 1.0);
}

#[test]
fn the_longest_chain_starts_first_once_times_are_known() {
    let folder = tempfile::tempdir().expect("a folder");
    // Alone `short` is the longest; with what follows it `first` is.
    let plan = plan(
        4,
        "  brief: {kind: nap, ms: 1}\n  short: {kind: nap, ms: 60}\n  first: {kind: nap, ms: 30}\n  last: {kind: nap, ms: 90, after: first}\n",
    );
    let order = |options: &RunOptions| {
        let started = Mutex::new(Vec::new());
        run(&plan, folder.path(), options, &|event| {
            if let Event::Started { stage, .. } = event {
                started.lock().expect("no poison").push(stage);
            }
        });
        started.into_inner().expect("no poison")
    };
    assert_eq!(order(&threads(1)), ["brief", "short", "first", "last"], "nothing is known: the order of the file");
    let force = plan.stages.iter().map(|stage| stage.name.clone()).collect();
    assert_eq!(order(&RunOptions { force, ..threads(1) }), ["first", "last", "short", "brief"]);
}

#[test]
fn a_large_stage_is_not_passed_over_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    // Two rows of small stages would keep one of two threads busy to the end.
    let small: String = (0..60)
        .map(|i| {
            let after = if i < 2 { String::new() } else { format!(", after: s{}", i - 2) };
            format!("  s{i}: {{kind: nap, ms: {}{after}}}\n", 3 + i % 2 * 2)
        })
        .collect();
    let plan = plan(
        5,
        &format!("  zero: {{kind: nap}}\n  large: {{kind: nap, ms: 7, all_threads: true, after: zero}}\n{small}"),
    );
    let ended = Mutex::new(Vec::new());
    run(&plan, folder.path(), &threads(2), &|event| {
        if let Event::Finished { stage, .. } = event {
            ended.lock().expect("no poison").push(stage);
        }
    });
    let ended = ended.into_inner().expect("no poison");
    let place = ended.iter().position(|stage| stage == "large").expect("it ran");
    assert!(place < 40, "place {place} of {}", ended.len());
}

/// A mistake that only the work finds is said with the place of its stage.
#[test]
fn a_failure_has_a_place() {
    let plan = plan(8, "  good: {kind: nap}\n  bad: {kind: nap, fail: true}\n");
    let folder = tempfile::tempdir().expect("a folder");
    let errors = Mutex::new(Vec::new());
    run(&plan, folder.path(), &threads(1), &|event| {
        if let Event::Finished { error: Some(error), .. } = event {
            errors.lock().expect("no poison").push(error);
        }
    });
    assert_eq!(errors.into_inner().expect("no poison"), ["toy.yaml:5:3: told to fail"]);
}

#[test]
fn a_failure_stops_the_run_or_only_what_depends_on_it() {
    let stages = "  bad: {kind: nap, ms: 1, fail: true}\n  below: {kind: nap, ms: 2, after: bad}\n  far: {kind: nap, ms: 3, after: below}\n  \
                  beside: {kind: nap, ms: 4}\n  more: {kind: nap, ms: 5, after: beside}\n";
    let plan = plan(6, stages);
    let folder = tempfile::tempdir().expect("a folder");
    let summary = run(&plan, folder.path(), &threads(1), &|_| {});
    assert_eq!(summary.with(Outcome::Failed), ["bad"]);
    assert_eq!(summary.with(Outcome::Ran), [""; 0]);
    assert_eq!(summary.with(Outcome::Blocked), ["below", "far"], "nothing stands in the way of the others");
    assert_eq!(summary.with(Outcome::NotReached), ["beside", "more"]);
    assert!(!summary.succeeded());
    let events = Mutex::new(Vec::new());
    let summary = run(&plan, folder.path(), &RunOptions { keep_going: true, ..threads(1) }, &|event| {
        if let Event::Finished { stage, outcome: Outcome::Blocked, .. } = event {
            events.lock().expect("no poison").push(stage);
        }
    });
    assert_eq!(summary.with(Outcome::Ran), ["beside", "more"]);
    assert_eq!(summary.with(Outcome::Blocked), ["below", "far"]);
    assert_eq!(events.into_inner().expect("no poison"), ["below", "far"], "each is told once");
}

/// The key of a stage, known once it has run.
fn key(plan: &Plan, folder: &Path, stage: &str) -> Digest {
    store(folder).current(&plan.spec.name, stage).expect("it ran")
}

#[test]
fn who_waits_for_another_runner_holds_nothing_back() {
    let plan = plan(
        7,
        "  shared: {kind: nap, ms: 1}\n  own: {kind: nap, ms: 2}\n  more: {kind: nap, ms: 3, after: own}\n  below: {kind: nap, ms: 4, after: shared}\n",
    );
    let elsewhere = tempfile::tempdir().expect("a folder");
    run(&plan, elsewhere.path(), &threads(1), &|_| {});
    let folder = tempfile::tempdir().expect("a folder");
    let other = store(folder.path());
    other.prepare().expect("a store");
    let lock = Mutex::new(other.try_lock(key(&plan, elsewhere.path(), "shared")).expect("a lock"));
    assert!(lock.lock().expect("no poison").is_some());
    let told = Mutex::new(Vec::new());
    let summary = run(&plan, folder.path(), &threads(1), &|event| {
        let mut told = told.lock().expect("no poison");
        match event {
            Event::Waiting { stage } => told.push(format!("{stage} waits")),
            Event::Finished { stage, .. } => {
                // The other runner ends when there is nothing else left to do.
                if stage == "more" {
                    lock.lock().expect("no poison").take();
                }
                told.push(stage);
            }
            _ => {}
        }
    });
    assert!(summary.succeeded());
    let told = told.into_inner().expect("no poison");
    assert_eq!(told, ["shared waits", "own", "more", "shared", "below"]);
}

#[test]
fn waiting_for_another_runner_is_interrupted_at_once() {
    let plan = plan(8, "  shared: {kind: nap, ms: 1}\n  below: {kind: nap, ms: 2, after: shared}\n");
    let elsewhere = tempfile::tempdir().expect("a folder");
    run(&plan, elsewhere.path(), &threads(1), &|_| {});
    let folder = tempfile::tempdir().expect("a folder");
    let other = store(folder.path());
    other.prepare().expect("a store");
    let _lock = other.try_lock(key(&plan, elsewhere.path(), "shared")).expect("a lock").expect("nobody else has it");
    let cancelled = AtomicBool::new(false);
    let store = store(folder.path());
    let workspace = Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
    let waits = |event| {
        if let Event::Waiting { .. } = event {
            cancelled.store(true, Ordering::SeqCst);
        }
    };
    let clock = Instant::now();
    let summary =
        engine::run(&workspace, &plan.order, &threads(2), &waits, &|| cancelled.load(Ordering::SeqCst)).expect("a run");
    assert!(summary.interrupted);
    assert!(clock.elapsed() < Duration::from_secs(1), "{:?}", clock.elapsed());
}

#[test]
fn a_stage_that_is_up_to_date_waits_for_nobody() {
    let plan = plan(9, "  shared: {kind: nap, ms: 1}\n  below: {kind: nap, ms: 2, after: shared}\n");
    let folder = tempfile::tempdir().expect("a folder");
    run(&plan, folder.path(), &threads(1), &|_| {});
    let other = store(folder.path());
    let _lock = other.try_lock(key(&plan, folder.path(), "shared")).expect("a lock").expect("nobody else has it");
    let summary = run(&plan, folder.path(), &threads(1), &|_| {});
    assert_eq!(summary.with(Outcome::Fresh), ["shared", "below"]);
}

#[test]
fn resources_are_checked_where_they_are_written() {
    let wrong = |resources: &str| {
        let text = format!("stages:\n  a: {{kind: nap, resources: {resources}}}\n");
        let spec = spec::parse("toy.yaml", &text, &[]).expect("a pipeline");
        Plan::new(spec, Registry(KINDS)).map(|_| ()).expect_err("wrong resources").render(false)
    };
    for (resources, message) in [
        ("{cpu: 2}", "'cpu'"),
        ("{cpus: 0}", "toy.yaml:2:36"),
        ("{memory: 4}", "toy.yaml:2:38"),
        ("{memory: four GB}", "'four GB' is not an amount of memory"),
        ("{exclusive: perhaps}", "toy.yaml:2:41"),
        ("all", "toy.yaml:2:29"),
    ] {
        let told = wrong(resources);
        assert!(told.contains(message), "{resources}: {told}");
    }
}

/// What a run that the user ended had at work is told apart from what it had not begun.
#[test]
fn what_was_not_begun_was_not_interrupted() {
    let stages = "  first: {kind: nap, ms: 40}\n  second: {kind: nap, ms: 1, after: first}\n  third: {kind: nap, ms: 2, after: second}\n";
    let plan = plan(7, stages);
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let workspace = Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
    let stop = AtomicBool::new(false);
    let sink = |event: Event| {
        if let Event::Started { .. } = event {
            stop.store(true, Ordering::SeqCst);
        }
    };
    let cancelled = || stop.load(Ordering::SeqCst);
    let summary = engine::run(&workspace, &plan.order, &threads(2), &sink, &cancelled).expect("a run");
    assert!(summary.interrupted);
    assert_eq!(summary.with(Outcome::Interrupted), ["first"]);
    assert_eq!(summary.with(Outcome::NotReached), ["second", "third"]);
}
