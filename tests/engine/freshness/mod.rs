//! The engine with toy stages: one test for each row of the table at the head of `src/engine/mod.rs`.

mod toys;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use runner::artifact::Store;
use runner::engine::Outcome;

use toys::*;

const CHAIN: &str = "name: toy\nseed: 5\nstages:\n  a: {kind: numbers, file: DIR/a.txt}\n  s: {kind: sum, rows: a, column: value}\n  t: {kind: sum, rows: s, column: value, factor: 2}\n";

#[test]
fn nothing_changed_runs_nothing() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).ran(&[]).ran(&[]);
}

#[test]
fn a_parameter_reruns_its_stage_and_what_follows() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).edit("factor: 2", "factor: 3").ran(&["t"]);
    Toy::new(CHAIN)
        .ran(&["a", "s", "t"])
        .edit("rows: a, column: value", "rows: a, column: value, factor: 7")
        .ran(&["s", "t"]);
}

#[test]
fn comments_order_and_spelling_of_defaults_rerun_nothing() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).edit("stages:", "# a comment\nstages:").ran(&[]);
    toy.edit("{kind: sum, rows: a, column: value}", "{column: \"value\", factor: 1, rows: a, kind: sum}").ran(&[]);
}

#[test]
fn going_back_restores_without_computing() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).edit("factor: 2", "factor: 3").ran(&["t"]);
    toy.edit("factor: 3", "factor: 2").restored(&["t"]).ran(&[]);
}

#[test]
fn identical_output_upstream_cuts_off_early() {
    let mut toy = Toy::new(&CHAIN.replace("column: value}", "column: value, round_to: 100}"));
    toy.ran(&["a", "s", "t"]).write("a.txt", "1\n2\n4\n").ran(&["a", "s"]);
}

#[test]
fn an_unread_column_leaves_readers_fresh() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).edit("{kind: numbers,", "{kind: numbers, other: 9,").ran(&["a"]);
}

#[test]
fn content_counts_and_time_stamps_do_not() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).write("a.txt", "1\n2\n3\n").ran(&[]);
    toy.write("a.txt", "1\n2\n30\n").ran(&["a", "s", "t"]);
    std::fs::copy(toy.folder.path().join("a.txt"), toy.folder.path().join("c.txt")).expect("a copy");
    toy.edit("a.txt", "c.txt").ran(&[]);
}

#[test]
fn the_seed_reruns_the_kinds_that_draw() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).edit("seed: 5", "seed: 6").ran(&["s", "t"]);
}

#[test]
fn a_stage_with_a_seed_of_its_own_stays_when_the_pipelines_changes() {
    let own = CHAIN.replace("column: value}", "column: value, seed: 5}");
    Toy::new(&own)
        .ran(&["a", "s", "t"])
        .edit("toy\nseed: 5", "toy\nseed: 6")
        .ran(&["t"])
        .edit("seed: 5}", "seed: 7}")
        .ran(&["s", "t"]);
    let unused = CHAIN.replace("a.txt}", "a.txt, seed: 1}");
    let refused = Toy::new(&unused).planned().map(|_| ()).expect_err("a refusal");
    assert!(refused.contains("'seed' of stage 'a' has no use: kind 'numbers' draws no numbers"), "{refused}");
}

#[test]
fn the_device_reruns_everything_and_going_back_restores() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).device = "cuda";
    toy.ran(&["a", "s", "t"]).device = "cpu";
    toy.restored(&["a", "s", "t"]);
}

#[test]
fn what_is_fetched_counts_by_content_and_not_by_place() {
    let mut toy = Toy::new("name: toy\nstages:\n  f: {kind: fetched, from: DIR/a.txt}\n");
    let place = toy.folder.path().join("a.txt").display().to_string();
    assert_eq!(toy.reasons("f"), [format!("{place} has to be fetched")]);
    toy.ran(&["f"]).ran(&[]);
    // Another place with the same content, fetched anew, is the same input.
    std::fs::copy(toy.folder.path().join("a.txt"), toy.folder.path().join("c.txt")).expect("a copy");
    toy.edit("a.txt", "c.txt");
    let summary = toy.outcome(1);
    assert_eq!(summary.with(Outcome::Ran), [""; 0], "{summary:?}");
    toy.edit("c.txt", "b.txt").ran(&["f"]).ran(&[]);
}

#[test]
fn a_report_counts_what_it_is_told_of_stages_and_other_stages_do_not() {
    let yaml = format!("{CHAIN}  r: {{kind: report, stages: [s, t]}}\n");
    let mut toy = Toy::new(&yaml);
    toy.ran(&["a", "s", "t", "r"]).ran(&[]);
    // The same sum by another parameter: nothing changes but what the report tells.
    toy.edit("rows: s, column: value, factor: 2", "rows: s, column: value, round_to: 1, factor: 2").ran(&["t", "r"]);
    // Names and links too; the stages themselves are restored.
    toy.edit("  t:", "  total:").edit("[s, t]", "[s, total]").ran(&["r"]);
    toy.edit("{kind: numbers,", "{kind: numbers, other: 9,").ran(&["a"]);
}

/// Nothing is learnt anew because people call it otherwise, but what reports say changes.
#[test]
fn what_people_call_a_stage_is_part_of_reports_alone() {
    let yaml = format!("{CHAIN}  r: {{kind: report, stages: [s, t]}}\n");
    let mut toy = Toy::new(&yaml);
    toy.ran(&["a", "s", "t", "r"]);
    toy.edit("rows: s, column: value,", "rows: s, display_name: {en: the sum, fr: la somme}, column: value,");
    assert_eq!(toy.reasons("r"), ["'t': is called otherwise"]);
    toy.ran(&["r"]).ran(&[]);
}

#[test]
fn threads_hosts_and_times_do_not_count() {
    let toy = Toy::new(CHAIN);
    assert_eq!(toy.outcome(1).with(Outcome::Ran).len(), 3);
    assert_eq!(toy.outcome(7).with(Outcome::Fresh).len(), 3);
    // The same bytes on another day, under another thread count, in another folder.
    let other = Toy::new(CHAIN);
    other.outcome(7);
    for file in ["toy/a/rows.arrow", "toy/s/rows.arrow", "toy/t/rows.arrow"] {
        let read = |toy: &Toy| std::fs::read(toy.folder.path().join(file)).expect("a file");
        assert_eq!(read(&toy), read(&other), "{file}");
    }
    let keys = |toy: &Toy| {
        let (plan, store) = (toy.plan(), Store::open(toy.folder.path()).expect("a store"));
        plan.stages.iter().map(|stage| store.current("toy", &stage.name)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&toy), keys(&other));
}

#[test]
fn two_stages_that_do_the_same_are_computed_once_and_planned_so() {
    let mut toy = Toy::new(&format!("{CHAIN}  twin: {{kind: sum, rows: a, column: value}}\n"));
    toy.outcome(2);
    toy.edit("rows: a, column: value}", "rows: a, column: value, factor: 9}");
    assert_eq!(toy.reasons("twin"), ["'s' does the same"]);
    let summary = toy.outcome(2);
    assert_eq!((summary.with(Outcome::Ran).len(), summary.with(Outcome::Restored).len()), (2, 1), "{summary:?}");
}

#[test]
fn names_of_stages_and_pipeline_do_not_count() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).edit("  t:", "  total:").restored(&["total"]);
    toy.edit("name: toy", "name: other").restored(&["a", "s", "total"]);
}

#[test]
fn lost_and_damaged_files_come_back() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]);
    std::fs::remove_dir_all(toy.folder.path().join("toy")).expect("the folder for people");
    toy.restored(&["a", "s", "t"]).ran(&[]);
    let people = toy.folder.path().join("toy/t/rows.arrow");
    std::fs::remove_file(&people).expect("removed");
    std::fs::write(&people, "edited").expect("written");
    toy.restored(&["t"]).ran(&[]);
    std::fs::remove_dir_all(toy.folder.path().join(".store/blobs")).expect("the blobs");
    toy.ran(&["a", "s", "t"]).ran(&[]);
}

#[test]
fn a_bit_flipped_in_the_store_is_found() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]);
    let blobs = walk(&toy.folder.path().join(".store/blobs"));
    for blob in &blobs {
        let mut bytes = std::fs::read(blob).expect("a blob");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let _ = std::fs::remove_file(blob);
        std::fs::write(blob, bytes).expect("written");
    }
    assert_eq!(blobs.len(), 3);
    toy.ran(&["a", "s", "t"]).ran(&[]);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files.extend(walk(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

#[test]
fn a_failure_blocks_what_depends_on_it_and_nothing_else() {
    let yaml = "name: toy\nstages:\n  a: {kind: numbers, file: DIR/a.txt}\n  bad: {kind: sum, rows: a, column: value, fail: true}\n  below: {kind: sum, rows: bad, column: value}\n  good: {kind: sum, rows: a, column: other}\n";
    let summary = Toy::new(yaml).outcome(1);
    assert_eq!(summary.with(Outcome::Failed), ["bad"]);
    assert_eq!(summary.with(Outcome::Blocked), ["below"]);
    assert_eq!(summary.with(Outcome::Ran), ["a", "good"]);
}

#[test]
fn reasons_name_old_and_new_value_and_place() {
    let mut toy = Toy::new(CHAIN);
    assert_eq!(toy.reasons("a"), ["no result yet"]);
    assert_eq!(toy.reasons("s"), ["no result yet", "'a' runs before it"]);
    toy.ran(&["a", "s", "t"]).edit("factor: 2", "factor: 3");
    assert_eq!(toy.reasons("t"), ["factor 2 → 3 (toy.yaml:6:50)"]);
    assert!(toy.reasons("s").is_empty());
    toy.write("a.txt", "7\n");
    assert_eq!(toy.reasons("s"), ["'a' runs before it: runs if its output changes"]);
    assert_eq!(toy.reasons("t"), ["factor 2 → 3 (toy.yaml:6:50)", "'s' runs before it"]);
}

/// What a report is told of a stage is known before that stage runs: the report runs for certain.
#[test]
fn a_report_of_a_stage_with_other_parameters_runs_for_certain() {
    let yaml = format!("{CHAIN}  page: {{kind: report, stages: [s, t]}}\n");
    let mut toy = Toy::new(&yaml);
    toy.ran(&["a", "s", "t", "page"]).edit("factor: 2", "factor: 3");
    assert_eq!(toy.reasons("page"), ["'t': factor 2 → 3", "'t' runs before it"]);
    toy.edit("factor: 3", "factor: 2").write("a.txt", "7\n");
    let only_then = "runs before it: runs if its output changes";
    assert_eq!(toy.reasons("page"), ["s", "t"].map(|stage| format!("'{stage}' {only_then}")));
}

#[test]
fn a_bare_matrix_name_means_all_instances() {
    let yaml = "name: toy\nstages:\n  a: {kind: numbers, file: DIR/a.txt}\n  m: {kind: sum, matrix: {factor: [1, 2]}, rows: a, column: value, factor: \"${factor}\"}\n  all: {kind: sum, rows: m, column: value}\n";
    Toy::new(yaml)
        .ran(&["a", "m@factor=1", "m@factor=2", "all"])
        .edit("[1, 2]", "[1, 2, 3]")
        .ran(&["m@factor=3", "all"]);
}

#[test]
fn runners_side_by_side_compute_once() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let toy = Toy::new(CHAIN);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let summary = toy.outcome(1);
                RUNS.fetch_add(summary.with(Outcome::Ran).len(), Ordering::Relaxed);
                if !summary.succeeded() {
                    failures.lock().expect("no poison").push(format!("{summary:?}"));
                }
            });
        }
    });
    assert!(failures.lock().expect("no poison").is_empty(), "{failures:?}");
    assert_eq!(RUNS.load(Ordering::Relaxed), 3, "each of the three stages once");
}

#[test]
fn planning_changes_nothing_on_disk() {
    let toy = Toy::new(CHAIN);
    toy.reasons("t");
    assert!(!toy.folder.path().join(".store").exists());
}
