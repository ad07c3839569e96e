//! Every stage kind looks at whether the user wants to stop, and then ends within a second, whatever it is doing.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use runner::artifact::Store;
use runner::engine::{self, Event, Outcome, Plan, RunOptions, Workspace};
use runner::{spec, stages};

use crate::kinds::{self, BASE, EXAMPLES, Work};
use crate::studies::noise;

/// A second, and room for a machine that has much else to do.
const LIMIT: Duration = Duration::from_secs(3);

/// What one of the examples' long variants reads.
const WIDE: &str = "  wide: {kind: load, files: {all: wide.csv}, label: y}\n";

fn write_tables(folder: &Path) {
    std::fs::write(folder.join("rows.csv"), kinds::table(4000)).expect("rows.csv");
    let columns: Vec<String> = (0..500).map(|j| format!("f{j}")).collect();
    let mut wide = format!("{},y\n", columns.join(","));
    for i in 0..1500 {
        let values: Vec<String> = (0..500).map(|j| format!("{:.4}", noise(i * 501 + j))).collect();
        let _ = writeln!(wide, "{},{}", values.join(","), ["p", "q"][i % 2]);
    }
    std::fs::write(folder.join("wide.csv"), wide).expect("wide.csv");
    let mut large = String::from("a,b,y\n");
    for i in 0..200_000 {
        let _ = writeln!(large, "{},{},k{}", noise(i), noise(i + 1), i % 3);
    }
    // Long enough that packing it takes seconds.
    let body = large.split_once('\n').expect("a header").1.repeat(8);
    std::fs::write(folder.join("large.csv"), large + &body).expect("large.csv");
}

#[test]
fn every_kind_ends_soon_after_the_user_asks_and_leaves_nothing_behind() {
    let interrupted =
        |kind: &str| EXAMPLES.iter().any(|example| example.kind == kind && !example.interrupted.is_empty());
    let missing: Vec<&str> = stages::registry().names().filter(|kind| !interrupted(kind)).collect();
    assert!(missing.is_empty(), "kinds that nothing here interrupts: {missing:?}");
    let folder = tempfile::tempdir().expect("a folder");
    write_tables(folder.path());
    let artifacts = folder.path().join("artifacts");
    let store = Store::open(&artifacts).expect("a store");
    let placed = |text: &str| {
        let at = |text: String, name: &str| {
            text.replace(&format!(": {name}"), &format!(": {}/{name}", folder.path().display()))
        };
        ["rows.csv", "wide.csv", "large.csv"].into_iter().fold(text.to_owned(), at)
    };
    let works: Vec<&Work> = EXAMPLES.iter().flat_map(|example| example.interrupted).collect();
    let mut text = BASE.to_owned() + WIDE;
    for (i, work) in works.iter().enumerate() {
        let _ = writeln!(text, "  work{i}: {}", work.stage);
    }
    let spec = spec::parse("study.yaml", &placed(&text), &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = Plan::new(spec, stages::registry()).unwrap_or_else(|problems| panic!("{problems}"));
    let workspace = Workspace { plan: &plan, store: &store, artifacts: &artifacts, device: "cpu" };
    let options = RunOptions { threads: 2, ..RunOptions::default() };
    let names = ["rows", "wide", "folds", "base", "net", "pages"].map(str::to_owned);
    let below = plan.select(&names).expect("stages");
    let summary = engine::run(&workspace, &below, &options, &|_| {}, &|| false).expect("a run");
    assert!(summary.succeeded(), "{:?}", summary.with(Outcome::Failed));
    for (i, work) in works.iter().enumerate() {
        let name = format!("work{i}");
        let selected = plan.select(std::slice::from_ref(&name)).expect("a stage");
        let (stop, asked) = (AtomicBool::new(false), Mutex::new(None));
        let ask = || {
            asked.lock().expect("no poison").get_or_insert_with(Instant::now);
            stop.store(true, Ordering::SeqCst);
        };
        let started = AtomicBool::new(false);
        let sink = |event: Event| match event {
            Event::Started { stage, .. } if stage == name => {
                started.store(true, Ordering::SeqCst);
                if work.after.is_zero() {
                    ask();
                }
            }
            _ => {}
        };
        let over = AtomicBool::new(false);
        let summary = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !started.load(Ordering::SeqCst) && !over.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                std::thread::sleep(work.after);
                ask();
            });
            let summary = engine::run(&workspace, &selected, &options, &sink, &|| stop.load(Ordering::SeqCst));
            over.store(true, Ordering::SeqCst);
            summary.expect("a run")
        });
        let took = asked.lock().expect("no poison").expect("it was asked").elapsed();
        let told = work.stage;
        assert!(started.load(Ordering::SeqCst), "{told} never began");
        assert_eq!(summary.with(Outcome::Interrupted), [name.as_str()], "{told} was over before it was asked to stop");
        assert!(summary.interrupted && took < LIMIT, "{told} ended {took:?} after it was asked");
        assert!(!artifacts.join("study").join(&name).exists(), "{told} left something");
        assert_eq!(store.current("study", &name), None, "{told} left a result");
    }
}
