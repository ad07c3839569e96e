//! The program itself, killed at random instants of run, restore and gc, and side by side with itself on one store.
//!
//! What a process may leave behind when it is killed at a chosen operation is in `faults`; here nobody chooses, not even between two operations.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use runner::artifact::{Collect, Digest, Store};
use runner::engine::ActionRecord;

use crate::studies::STUDY;
use crate::workspace::{Workspace, songs};

/// The same study with another file name, another baseline and a longer training.
fn edited() -> String {
    let other = STUDY.replace("out.csv", "other.csv").replace("epochs: 3", "epochs: 4");
    other.replace("models: {majority: {}, logistic: {}}", "models: {majority: {}}")
}

fn deliverables(work: &Workspace) -> BTreeMap<PathBuf, Digest> {
    let root = work.path().join("artifacts/study");
    let digest = |path: &PathBuf| Digest::of_file(&root.join(path)).expect("a file");
    work.files_under("artifacts/study").into_iter().map(|path| (path.clone(), digest(&path))).collect()
}

/// Pseudo-random numbers below `n`.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What is killed: a run of the first or of the second configuration, perhaps one that only restores; or the tidying of the store.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Run,
    RunOfSomethingNew,
    Restore,
    Collection,
}

/// What is left of a store when only what the folders for people hold stays.
fn collect(work: &Workspace) {
    let store = Store::open(&work.path().join("artifacts")).expect("a store");
    let blobs = |record: &[u8]| -> Vec<Digest> {
        let record: ActionRecord = serde_json::from_slice(record).expect("a record");
        record.files().map(|file| file.digest).collect()
    };
    let all = Collect { grace: Duration::ZERO, used_since: SystemTime::now(), dry_run: false };
    store.collect(&HashSet::new(), &blobs, all).expect("nobody else has the store");
}

/// Goes on until `wanted` programs were killed while they worked; one that had ended before does not count.
fn random_kills(wanted: usize, seed: u64) {
    let studies = [STUDY.to_owned(), edited()];
    let (mut whole, mut reference, mut spans) = (HashSet::new(), Vec::new(), [Duration::from_millis(30); 3]);
    for study in &studies {
        let work = Workspace::with_songs().pipeline(study);
        let clock = Instant::now();
        work.run().succeeded();
        spans[0] = spans[0].max(clock.elapsed());
        reference.push(deliverables(&work));
        whole.extend(deliverables(&work).into_values());
    }
    let mut draw = Draw(seed);
    let work = Workspace::with_songs().pipeline(&studies[0]);
    let (mut killed, mut which, mut round, mut hit) = (0, 0, 0, [0; 4]);
    while killed < wanted {
        round += 1;
        assert!(round < 10 * wanted, "only {killed} of {round} were still running when they were killed");
        let victims = [Victim::Run, Victim::RunOfSomethingNew, Victim::Restore, Victim::Collection];
        let victim = victims[draw.below(4) as usize];
        match victim {
            Victim::Run => which = draw.below(2) as usize,
            // Nothing of it is known: a run, not a restore.
            Victim::RunOfSomethingNew => {
                collect(&work);
                which = 1 - which;
            }
            Victim::Restore => drop(std::fs::remove_dir_all(work.path().join("artifacts/study"))),
            // There must be something that nobody needs any more.
            Victim::Collection => {
                for study in [1 - which, which] {
                    work.write("pipeline.yaml", studies[study].as_bytes());
                    work.run().succeeded();
                }
            }
        }
        work.write("pipeline.yaml", studies[which].as_bytes());
        let mut child = work
            .command(match victim {
                Victim::Collection => &["gc", "--keep", "1", "--grace", "0s"],
                _ => &["run", "pipeline.yaml", "--json"],
            })
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        // How long a run and a restore take depends on what else the machine does: learnt from those that ended too early.
        let span = &mut spans[match victim {
            Victim::Run | Victim::RunOfSomethingNew => 0,
            Victim::Restore => 1,
            Victim::Collection => 2,
        }];
        std::thread::sleep(Duration::from_micros(draw.below(span.as_micros() as u64)));
        child.kill().expect("killed");
        let in_time = child.wait().expect("ended").code().is_none();
        killed += usize::from(in_time);
        hit[victim as usize] += usize::from(in_time);
        *span = span.mul_f64(if in_time { 1.1 } else { 0.8 }).max(Duration::from_millis(1));
        let when = format!("round {round}, {victim:?} of study {which}");
        for (path, digest) in deliverables(&work) {
            assert!(whole.contains(&digest), "{when}: {} is not whole", path.display());
        }
        // Every other time the next run is killed as well, so that accidents pile up.
        if draw.below(2) == 0 {
            continue;
        }
        let after = work.run();
        assert_eq!(after.code, Some(0), "{when}: {after:?}");
        assert_eq!(deliverables(&work), reference[which], "{when}");
        let store = Store::open(&work.path().join("artifacts")).expect("a store");
        let verified = store.verify(&|_, _| {}).expect("verified");
        assert!(verified.damaged.is_empty() && verified.orphaned.is_empty(), "{when}: {verified:?}");
        work.run().ran(&[]);
    }
    // Each of them dies in its share of cases.
    assert!(wanted < 100 || hit.iter().all(|&times| times > wanted / 20), "{hit:?}");
}

#[test]
#[cfg(unix)]
fn random_kills_leave_a_store_to_go_on_with() {
    random_kills(12, 1);
}

#[test]
#[cfg(unix)]
#[ignore = "long: run by .ci/run"]
fn three_hundred_random_kills_leave_a_store_to_go_on_with() {
    random_kills(300, 2);
}

#[test]
fn several_programs_at_once_compute_each_stage_once_and_end_the_same() {
    let alone = Workspace::with_songs().pipeline(STUDY);
    alone.run().succeeded();
    for programs in [2, 8] {
        let work = Workspace::with_songs().pipeline(STUDY);
        let runs: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..programs).map(|_| scope.spawn(|| work.run())).collect();
            running.into_iter().map(|run| run.join().expect("no panic")).collect()
        });
        let mut ran: Vec<String> = runs.iter().flat_map(|run| run.list("ran")).collect();
        ran.sort();
        assert_eq!(ran, ["baseline", "folds", "fused", "predict", "songs", "titles"], "each stage once");
        assert!(runs.iter().all(|run| run.code == Some(0)), "{runs:?}");
        assert_eq!(deliverables(&work), deliverables(&alone));
    }
}

#[test]
fn an_up_to_date_shared_stage_blocks_nobody() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    // Another runner is computing a stage of the same pipeline: its lock and its share of the store are taken.
    let store = Store::open(&work.path().join("artifacts")).expect("a store");
    let _running = store.share(&|| false).expect("shared");
    let locks: Vec<_> = ["songs", "folds", "titles"]
        .iter()
        .map(|stage| store.try_lock(store.current("study", stage).expect("a key")).expect("a lock").expect("free"))
        .collect();
    let clock = Instant::now();
    work.run().ran(&[]);
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    work.run().ran(&["fused", "predict"]);
    assert!(clock.elapsed() < Duration::from_secs(60));
    drop(locks);
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "long: run by .ci/run"]
fn a_disk_that_is_full_or_read_only_is_no_more_than_a_message() {
    let work = Workspace::with_songs().pipeline(STUDY);
    let artifacts = work.path().join("artifacts");
    std::fs::create_dir(&artifacts).expect("a folder");
    let mount = |arguments: &[&str]| {
        let done = std::process::Command::new("mount").args(arguments).arg(&artifacts).output();
        done.is_ok_and(|output| output.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        println!("skipped: mounting needs more rights");
        return;
    }
    let unmount = Unmount(artifacts.clone());
    let full = work.run();
    assert_eq!(full.code, Some(1), "{full:?}");
    assert!(full.error().contains("free some space"), "{}", full.error());
    assert!(mount(&["-o", "remount,size=64m"]));
    work.run().succeeded();
    assert!(mount(&["-o", "remount,ro"]));
    work.run().ran(&[]);
    assert!(work.plan().iter().all(|(_, status)| status == "fresh"));
    work.write("songs.csv", songs(200).as_bytes());
    assert!(work.plan().iter().all(|(_, status)| status == "run"));
    let refused = work.run();
    assert_eq!(refused.code, Some(1));
    let said = format!("{}{}", refused.error(), refused.stderr);
    assert!(said.contains("make the folder writable or choose another with --artifacts"), "{said}");
    drop(unmount);
}

/// Takes the file system away again, also after a failure.
#[cfg(target_os = "linux")]
struct Unmount(PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
