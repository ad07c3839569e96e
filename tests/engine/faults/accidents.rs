//! Errors and ends of the process before and after every file operation; full and read-only disks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use runner::artifact::disk::{Hook, Moment, Operation};
use runner::artifact::{Store, StoreOptions};
use runner::engine::{self, Status, Workspace};

use super::scenario::*;
use crate::toy_store::*;

/// A hook that returns this error at the `n`-th moment and, if `lasting`, at every later writing one.
pub(super) fn failing(n: usize, error: io::ErrorKind, lasting: bool) -> (Arc<Hook>, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let hook = move |operation: Operation, _: Moment, _: &Path| {
        let now = counter.fetch_add(1, Ordering::Relaxed);
        let fails = now == n || lasting && now > n && operation.writes();
        if fails { Err(error.into()) } else { Ok(()) }
    };
    (Arc::new(hook), seen)
}

pub(super) fn every_operation_fails(step: usize) {
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
pub(super) fn an_error_in_any_file_operation_costs_nothing_but_the_run() {
    every_operation_fails(29);
}

#[test]
#[ignore = "long: run by .ci/run"]
pub(super) fn an_error_in_every_single_file_operation_costs_nothing_but_the_run() {
    every_operation_fails(1);
}

/// What the child of the next test is told: the folder, the scenario, and the moment to die.
pub(super) const CHILD: &str = "RUNNER_TEST_DIES";

/// Not a test of its own: the process that is ended in the midst of an operation.
#[test]
#[ignore = "started by the tests of killed processes"]
pub(super) fn a_child_that_dies() {
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

pub(super) fn every_moment_kills(step: usize) {
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
pub(super) fn a_process_killed_at_any_moment_leaves_a_store_to_go_on_with() {
    every_moment_kills(23);
}

#[test]
#[cfg(unix)]
#[ignore = "long: run by .ci/run"]
pub(super) fn a_process_killed_at_every_single_moment_leaves_a_store_to_go_on_with() {
    every_moment_kills(1);
}

#[test]
pub(super) fn a_full_disk_says_so_and_takes_nothing_away() {
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

pub(super) fn read_only() -> StoreOptions {
    let hook = |operation: Operation, _: Moment, _: &Path| match operation.writes() {
        true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        false => Ok(()),
    };
    StoreOptions { durable: true, hook: Some(Arc::new(hook)) }
}

#[test]
pub(super) fn a_read_only_store_can_be_planned_on_and_is_no_obstacle_to_doing_nothing() {
    let folder = fresh();
    run(folder.path(), Study::A).ran(&["a", "t", "u"]);
    run_with(folder.path(), Study::A, read_only()).ran(&[]);
    let plan = pipeline(folder.path(), Study::B);
    let store = Store::open_with(folder.path(), read_only()).expect("a store");
    let workspace = Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
    let decisions = engine::plan_decisions(&workspace, &plan.order).expect("decisions");
    assert!(decisions.iter().all(|(_, decision)| decision.status() == Status::Run));
    let ran = run_with(folder.path(), Study::B, read_only());
    assert!(!ran.succeeded());
    assert_eq!(ran.messages().len(), 1);
    assert!(ran.messages()[0].contains("make the folder writable or choose another"), "{:?}", ran.messages());
}
