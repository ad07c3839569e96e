//! Damage in the store, clocks that jump, other formats.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use runner::artifact::{Collect, Collected, Digest, Store, StoreError};
use runner::engine::{self, Outcome, Status, Workspace};

use super::accidents::read_only;
use super::scenario::*;
use crate::screen::stable;
use crate::toy_store::*;

/// Replaces a file's content and, if asked, its modification time of before: what a bad device does.
pub(super) fn damage(path: &Path, keep_time: bool, change: impl FnOnce(&mut Vec<u8>)) {
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

pub(super) fn blob_of(folder: &Path, stage: &str) -> PathBuf {
    let store = Store::open(folder).expect("a store");
    store.blob_path(Digest::of_file(&delivered(folder, stage)).expect("a digest"))
}

pub(super) fn delivered(folder: &Path, stage: &str) -> PathBuf {
    folder.join("toy").join(stage).join("rows.arrow")
}

/// Cuts a blob off, turns a bit of it over, and so on.
pub(super) type Change = fn(&mut Vec<u8>);

#[test]
pub(super) fn damaged_blobs_are_found_said_and_computed_anew() {
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
pub(super) fn damaged_records_pointers_memos_and_stamps_cost_time_only() {
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
        // Young as all of it is, no stamp was noted.
        let stat = path.join(".store/stat");
        std::fs::write(&stat, b"stamps2\n0123456789").expect("written");
        damage(&stat, false, change);
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
        std::fs::write(&stat, [0xfe; 100]).expect("written");
        run(path, Study::A).ran(&[]);
    }
}

#[test]
pub(super) fn a_clock_that_jumps_makes_nothing_stale_and_nothing_wrongly_fresh() {
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
pub(super) fn a_store_of_the_first_format_is_read_as_it_is_and_migrated_by_the_first_write() {
    let reference = Reference::new();
    let folder = Scenario::Migrating.prepare();
    let path = folder.path();
    let format = || std::fs::read_to_string(path.join(".store/format")).expect("a format");
    let listing =
        || files(path).into_iter().map(|path| (std::fs::read(&path).expect("a file"), path)).collect::<Vec<_>>();
    let before = listing();
    let plan = pipeline(path, Study::A);
    let store = Store::open(path).expect("a store");
    let workspace = Workspace { plan: &plan, store: &store, artifacts: path, device: "cpu" };
    let decisions = engine::plan_decisions(&workspace, &plan.order).expect("decisions");
    assert!(decisions.iter().all(|(_, decision)| decision.status() == Status::Fresh));
    assert_eq!(listing(), before, "planning changes nothing");
    run(path, Study::A).ran(&[]);
    assert_eq!(format(), "runner store 1\n", "nothing was written yet");
    run(path, Study::C).ran(&["t", "u"]);
    assert_eq!(format(), "runner store 2\n");
    run(path, Study::A).ran(&[]);
    reference.is_reached(path, Study::B, "migrated");
}

#[test]
pub(super) fn a_store_of_a_newer_format_is_refused_and_left_alone() {
    let folder = fresh();
    run(folder.path(), Study::A).ran(&["a", "t", "u"]);
    std::fs::write(folder.path().join(".store/format"), "runner store 3\n").expect("written");
    let before = files(folder.path());
    let ran = run(folder.path(), Study::B);
    let message = &ran.messages()[0];
    insta::assert_snapshot!(stable(message), @"the store '[temporary]/.store' has a newer format (3; this runner reads 2 and older): update runner, or use another --artifacts folder; if no newer runner was ever used on it, its file `format` is damaged: remove that file");
    assert!(matches!(collect(folder.path(), quick()), Err(StoreError::Format { .. })));
    assert_eq!(files(folder.path()), before);
}

#[test]
pub(super) fn a_damaged_or_lost_format_beside_whole_results_is_written_anew() {
    let reference = Reference::new();
    let folder = fresh();
    let format = folder.path().join(".store/format");
    run(folder.path(), Study::A).ran(&["a", "t", "u"]);
    for text in [Some("rqnner store 2\n"), Some("something else"), Some(""), Some("runner"), None] {
        match text {
            Some(text) => std::fs::write(&format, text).expect("written"),
            None => std::fs::remove_file(&format).expect("removed"),
        }
        run_with(folder.path(), Study::A, read_only()).ran(&[]);
        run(folder.path(), Study::A).ran(&[]);
        assert_eq!(std::fs::read_to_string(&format).expect("a format"), "runner store 2\n", "{text:?}");
    }
    reference.is_reached(folder.path(), Study::A, "with a new format");
}
