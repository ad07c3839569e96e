//! Every stage kind looks at whether the user wants to stop, and then ends within a second, whatever it is doing.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use runner::artifact::Store;
use runner::engine::{self, Event, Outcome, Plan, RunOptions, Workspace};
use runner::{spec, stages};

use crate::studies::noise;

/// A second, and room for a machine that has much else to do.
const LIMIT: Duration = Duration::from_secs(3);

/// One piece of work: a stage called `target`, and how long after its start the user asks it to stop.
struct Work {
    kind: &'static str,
    target: &'static str,
    after: Duration,
}

/// Work that would go on for many seconds.
const fn long(kind: &'static str, target: &'static str) -> Work {
    Work { kind, target, after: Duration::from_millis(400) }
}

/// Work that no small table makes long: the user asks as it starts.
const fn short(kind: &'static str, target: &'static str) -> Work {
    Work { kind, target, after: Duration::ZERO }
}

/// At least one for every kind.
const WORK: &[Work] = &[
    short("load", "{kind: load, files: {all: large.csv}, label: y}"),
    short("split", "{kind: split, rows: rows, groups: [word], folds: 10}"),
    long("describe", "{kind: describe, rows: wide, options: {folds: 100}}"),
    long("baseline", "{kind: baseline, rows: folds, numeric: [a, b, c], models: {boosting: {rounds: 100000}}}"),
    long("baseline", "{kind: baseline, rows: folds, numeric: [a, b, c], models: {random_forest: {trees: 100000}}}"),
    long(
        "baseline",
        "{kind: baseline, rows: folds, numeric: [a, b, c], models: {rbf_svm: {c: 100000, tolerance: 1.0e-9}}}",
    ),
    // It ends by rounding long before its iterations do.
    short(
        "baseline",
        "{kind: baseline, rows: folds, numeric: [a, b, c], models: {logistic: {c: 1.0e9, tolerance: 1.0e-300, max_iterations: 1000000}}}",
    ),
    long("embed", "{kind: embed, rows: rows, fit: folds.train, columns: [text], encoder: tfidf, tfidf: {dim: 700}}"),
    long(
        "train",
        "{kind: train, rows: folds, numeric: [a, b, c], network: {trunk: {layers: [64]}}, epochs: 1000000, early_stopping: {patience: 1000000}}",
    ),
    short("ensemble", "{kind: ensemble, members: [base, net], models: [base, net]}"),
    long("inspect", "{kind: inspect, model: net, rows: folds, repeats: 10000}"),
    long("map", "{kind: map, rows: folds, numeric: [a, b, c], points: 2500, iterations: 100000}"),
    short("predict", "{kind: predict, model: net, rows: rows, file: out.csv}"),
    long(
        "transfer",
        "{kind: transfer, model: net, rows: folds, strategies: [copy], seeds: 1, epochs: 1000000, early_stopping: {patience: 1000000}}",
    ),
    short("report", "{kind: report, title: t, stages: [rows, folds, base, net]}"),
    short("article", "{kind: article, title: t, author: a, stages: [rows, folds, base, net]}"),
    long("bundle", "{kind: bundle, name: all, stages: [pages], files: {large.csv: large.csv}}"),
    long("command", "{kind: command, run: [sh, -c, 'sleep 60', \"{out}\"], outputs: {out: out.txt}}"),
];

/// What the work reads: small tables, so that it is there in seconds.
const BASE: &str = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: rows.csv}, label: y}
  wide: {kind: load, files: {all: wide.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {majority: {}, naive_bayes: {}}}
  net: {kind: train, rows: folds, numeric: [a, b, c], network: {trunk: {layers: [8]}}, epochs: 1}
  pages: {kind: report, title: t, stages: [rows]}
";

fn write_tables(folder: &Path) {
    let mut rows = String::from("a,b,c,word,text,y\n");
    for i in 0..4000 {
        let [a, b, c] = [1, 2, 3].map(|k| noise(i * 7 + k));
        let text: Vec<String> = (0..12).map(|k| format!("w{}", (noise(i * 13 + k) * 5000.0) as usize)).collect();
        let _ = writeln!(rows, "{a},{b},{c},g{},{},k{}", i / 3, text.join(" "), (noise(i) * 6.0) as usize);
    }
    std::fs::write(folder.join("rows.csv"), rows).expect("rows.csv");
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
    let missing: Vec<&str> =
        stages::registry().names().filter(|name| !WORK.iter().any(|work| work.kind == *name)).collect();
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
    let mut text = BASE.to_owned();
    for (i, work) in WORK.iter().enumerate() {
        let _ = writeln!(text, "  work{i}: {}", work.target);
    }
    let spec = spec::parse("study.yaml", &placed(&text), &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = Plan::new(spec, stages::registry()).unwrap_or_else(|problems| panic!("{problems}"));
    let workspace = Workspace { plan: &plan, store: &store, artifacts: &artifacts, device: "cpu" };
    let options = RunOptions { threads: 2, ..RunOptions::default() };
    let names = ["rows", "wide", "folds", "base", "net", "pages"].map(str::to_owned);
    let below = plan.select(&names).expect("stages");
    let summary = engine::run(&workspace, &below, &options, &|_| {}, &|| false).expect("a run");
    assert!(summary.succeeded(), "{:?}", summary.with(Outcome::Failed));
    for (i, work) in WORK.iter().enumerate() {
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
        let told = format!("{}: {}", work.kind, work.target);
        assert!(started.load(Ordering::SeqCst), "{told} never began");
        assert_eq!(summary.with(Outcome::Interrupted), [name.as_str()], "{told} was over before it was asked to stop");
        assert!(summary.interrupted && took < LIMIT, "{told} ended {took:?} after it was asked");
        assert!(!artifacts.join("study").join(&name).exists(), "{told} left something");
        assert_eq!(store.current("study", &name), None, "{told} left a result");
    }
}
