//! Collecting, and several runners at once.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use runner::artifact::{Collect, Digest, Store, StoreError};
use runner::engine::Outcome;

use super::scenario::*;
use crate::screen::stable;
use crate::toy_store::*;

#[test]
pub(super) fn what_no_root_needs_goes_with_its_blobs_and_the_rest_stays() {
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
    std::fs::write(path.join(".store/tmp/cut-short"), "hal").expect("written");
    let before = files(path);
    assert_eq!(go(&HashSet::new(), 3600, false).records, 0, "all of it is young");
    let would = go(&HashSet::new(), 0, true);
    assert_eq!((would.records, would.blobs), (5, 6), "a has two files, t and u one each, twice");
    assert!(would.bytes > 0 && would.memos > 0 && would.leftovers == 1);
    assert_eq!(files(path), before, "a dry run changes nothing");
    assert_eq!(go(&HashSet::new(), 0, false), would, "what was told is what goes");
    assert_eq!(committed(path).len(), 3);
    run(path, Study::B).ran(&[]);
    run(path, Study::A).ran(&["a", "t", "u"]);

    // With the records of A as roots, B (no longer in the folder for people, after C) goes.
    let roots: HashSet<Digest> = ["a", "t", "u"]
        .iter()
        .flat_map(|stage| store.placed("toy", stage).expect("keys").unwrap_or_default())
        .collect();
    run(path, Study::C).ran(&["t", "u"]);
    go(&roots, 0, false);
    run(path, Study::A).ran(&[]);
    reference.is_reached(path, Study::B, "collected");
}

#[test]
pub(super) fn collecting_waits_for_nobody_and_takes_nothing_from_a_run() {
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let store = Store::open(path).expect("a store");
    let running = store.share(&|| false).expect("shared");
    assert!(running.is_held());
    let refused = collect(path, quick()).expect_err("a run goes on").to_string();
    insta::assert_snapshot!(stable(&refused), @"another runner works with the store '[temporary]/.store' (process [number]: [command]): let it end, then try again");
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
pub(super) fn eight_runners_at_once_compute_once_and_end_the_same() {
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
pub(super) fn runners_of_different_configurations_leave_one_whole_result() {
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
