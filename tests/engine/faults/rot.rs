//! Damage that leaves a file's stamp as it was, as on a failing disk: no program can set a change time back, so the stat cache is told here that
//! it has seen the damaged file as whole.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use runner::artifact::disk::{Moment, Operation};
use runner::artifact::{Damaged, Digest, FileStamp, Store, StoreOptions};
use runner::engine::{Event, Outcome, Plan};

use super::damage::{blob_of, damage, delivered};
use super::scenario::*;
use crate::toy_store::*;

/// Turns a bit over in a file that is believed to hold what it held before.
fn rot(folder: &Path, path: &Path) {
    let held = Digest::of_file(path).expect("a digest");
    damage(path, true, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o444)).expect("permissions");
    let store = Store::open(folder).expect("a store");
    store.stats().note(FileStamp::at(path).expect("a stamp"), held, SystemTime::now() + Duration::from_secs(10));
    store.stats().save();
}

#[test]
fn it_is_found_when_it_is_read_and_mended_in_the_same_run() {
    let reference = Reference::new();
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let blob = blob_of(path, "a");
    rot(path, &blob);
    run(path, Study::A).ran(&[]);
    let found = Store::open(path).expect("a store").verify(&|_, _| {}).expect("verified");
    let damaged: Vec<_> = found.damaged.iter().map(|damage| (damage.kind, &damage.path)).collect();
    assert_eq!(damaged, [(Damaged::Blob, &blob)]);
    // Another factor, and no memo of the sum: now the table is read.
    std::fs::remove_dir_all(path.join(".store/memo")).expect("removed");
    let ran = run(path, Study::C);
    ran.ran(&["t", "u"]);
    assert_eq!(ran.warnings, ["a: rows.arrow in the store was damaged; computed anew"]);
    assert!(Store::open(path).expect("a store").verify(&|_, _| {}).expect("verified").damaged.is_empty());
    reference.is_reached(path, Study::C, "mended");
}

#[test]
fn going_back_to_an_earlier_configuration_restores_no_damaged_bytes() {
    let reference = Reference::new();
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let blobs = ["a", "t", "u"].map(|stage| blob_of(path, stage));
    run(path, Study::B).ran(&["a", "t", "u"]);
    rot(path, &blobs[0]);
    rot(path, &blobs[2]);
    let ran = run(path, Study::A);
    ran.ran(&["a", "u"]);
    let damaged = |stage: &str| format!("{stage}: rows.arrow in the store was damaged; computed anew");
    assert_eq!(ran.warnings, [damaged("a"), damaged("u")]);
    reference.is_reached(path, Study::A, "gone back");
}

#[test]
fn what_verify_finds_is_out_of_the_store_so_that_the_next_run_computes_it() {
    let reference = Reference::new();
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let memo = files(&path.join(".store/memo")).remove(0);
    let record = files(&path.join(".store/records")).remove(0);
    rot(path, &blob_of(path, "u"));
    rot(path, &memo);
    rot(path, &record);
    let store = Store::open(path).expect("a store");
    let found = store.verify(&|_, _| {}).expect("verified");
    assert_eq!(found.damaged.len(), 3);
    assert!(found.damaged.iter().all(|damage| store.discard(damage) && !damage.path.exists()));
    store.stats().save();
    assert!(store.verify(&|_, _| {}).expect("verified").damaged.is_empty());
    drop(store);
    let ran = run(path, Study::A);
    assert!(ran.succeeded());
    assert!(ran.result.as_ref().expect("a summary").with(Outcome::Ran).contains(&"u"));
    reference.is_reached(path, Study::A, "verified");
}

/// Four stages that read one table, in another configuration at each call.
fn readers(folder: &Path, factor: u32) -> Plan {
    let source = folder.join("a.txt").display().to_string();
    let mut yaml = format!("name: toy\nstages:\n  a: {{kind: lines, file: {source}, called: copy.txt}}\n");
    for i in 0..4 {
        yaml += &format!("  r{i}: {{kind: eager, rows: a, factor: {}}}\n", 10 * factor + i);
    }
    plan(&yaml)
}

#[test]
fn several_readers_of_damaged_files_wait_for_one_repair() {
    for round in 1..9 {
        let folder = fresh();
        let path = folder.path();
        let go = |factor: u32| run_plan(path, &readers(path, factor), quick(), 4, &|_| {});
        assert!(go(0).succeeded());
        let store = Store::open(path).expect("a store");
        let copy = store.blob_path(Digest::of_file(&path.join("toy/a/copy.txt")).expect("a digest"));
        rot(path, &blob_of(path, "a"));
        rot(path, &copy);
        let ran = go(round);
        assert!(ran.succeeded(), "{:?}", ran.result);
        let mut warnings = ran.warnings;
        warnings.sort();
        let damaged = |file: &str| format!("a: {file} in the store was damaged; computed anew");
        assert_eq!(warnings, [damaged("copy.txt"), damaged("rows.arrow")], "each once, and nothing else");
        assert!(Store::open(path).expect("a store").verify(&|_, _| {}).expect("verified").damaged.is_empty());
    }
}

#[test]
fn a_blob_that_a_reader_finds_missing_is_made_again() {
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    std::fs::remove_dir_all(path.join(".store/memo")).expect("removed");
    let blob = blob_of(path, "a");
    // It goes when all is decided and `t` begins.
    let begun = std::sync::Once::new();
    let watch = |event: &Event| {
        if matches!(event, Event::Started { stage, .. } if stage == "t") {
            begun.call_once(|| std::fs::remove_file(&blob).expect("removed"));
        }
    };
    let ran = run_plan(path, &pipeline(path, Study::C), quick(), 1, &watch);
    assert!(ran.succeeded() && begun.is_completed(), "{:?}", ran.messages());
    assert!(blob.exists());
}

#[test]
fn a_delivered_file_is_no_second_name_of_a_blob_and_is_restored_when_it_was_written_to() {
    let reference = Reference::new();
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let (blob, file) = (blob_of(path, "a"), delivered(path, "a"));
    for path in [&blob, &file] {
        let metadata = path.metadata().expect("a file");
        assert_eq!((metadata.nlink(), metadata.permissions().mode() & 0o777), (1, 0o444), "{}", path.display());
    }
    let whole = std::fs::read(&blob).expect("content");
    damage(&file, true, |bytes| bytes[100] ^= 1);
    assert_eq!(std::fs::read(&blob).expect("content"), whole);
    let ran = run(path, Study::A);
    ran.ran(&[]);
    assert_eq!(ran.result.as_ref().expect("a summary").with(Outcome::Restored), ["a"]);
    let folder_of_a = path.join("toy/a").display().to_string();
    assert_eq!(
        ran.warnings,
        [format!("a: rows.arrow in '{folder_of_a}' was changed or damaged; replaced from the store")]
    );
    assert_eq!(std::fs::read(&file).expect("content"), whole);

    // What an older version left, one file under two names, becomes two.
    std::fs::remove_file(&file).expect("removed");
    std::fs::hard_link(&blob, &file).expect("linked");
    run(path, Study::A).ran(&[]);
    assert_eq!(blob.metadata().expect("a file").nlink(), 1);
    reference.is_reached(path, Study::A, "two files");
}

/// A result that is put in place is whole there, also those of its files that were believed to be.
#[test]
fn a_result_that_is_placed_holds_no_file_that_has_rotted_there() {
    let folder = fresh();
    let path = folder.path();
    let go = || run_plan(path, &readers(path, 0), quick(), 4, &|_| {});
    assert!(go().succeeded());
    let copy = path.join("toy/a/copy.txt");
    let held = std::fs::read(&copy).expect("a copy");
    rot(path, &copy);
    std::fs::remove_file(path.join("toy/a/rows.arrow")).expect("removed");
    let ran = go();
    assert!(ran.succeeded(), "{:?}", ran.result);
    assert_eq!(std::fs::read(&copy).expect("a copy"), held);
    assert!(ran.warnings.iter().any(|warning| warning.starts_with("a: copy.txt in '")), "{:?}", ran.warnings);
}

#[test]
fn who_removes_a_damaged_blob_never_takes_the_sound_one_that_came_in_its_place() {
    let folder = fresh();
    let path = folder.path();
    Store::open(path).expect("a store").prepare().expect("prepared");
    let digest = Store::open(path).expect("a store").put(b"rows").expect("put");
    let blob = Store::open(path).expect("a store").blob_path(digest);
    rot(path, &blob);
    // The removal begins, and rests until another thread had its time to put the blob there again.
    let (begun, told) = std::sync::mpsc::channel();
    let hook = move |operation: Operation, moment: Moment, at: &Path| {
        if operation == Operation::Remove && moment == Moment::Before && at == blob && begun.send(()).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        Ok(())
    };
    let store = Store::open_with(path, StoreOptions { durable: false, hook: Some(std::sync::Arc::new(hook)) });
    let store = store.expect("a store");
    std::thread::scope(|threads| {
        threads.spawn(|| assert!(store.get(digest).is_err(), "damaged"));
        told.recv().expect("a removal");
        assert_eq!(store.put(b"rows").expect("put"), digest);
    });
    assert_eq!(store.get(digest).expect("there"), b"rows");
}
