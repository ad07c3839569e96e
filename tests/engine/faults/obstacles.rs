//! Folders, pipes and files in the places of the store's own: found, named, and out of the way with the next result.

use std::path::{Path, PathBuf};

use runner::artifact::{Damaged, Store};

use super::damage::{blob_of, damage};
use super::scenario::*;
use crate::toy_store::*;

/// Puts something at a path, or changes what is there.
type Change = fn(&Path);

/// What stands where a file should.
const OBSTACLES: [(&str, Change); 4] = [
    ("a folder with something in it", |path| {
        std::fs::create_dir_all(path.join("deep")).expect("a folder");
        std::fs::write(path.join("deep/note.txt"), "of somebody").expect("written");
    }),
    ("an empty folder", |path| std::fs::create_dir(path).expect("a folder")),
    ("a pipe", |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe")),
    ("a link to a device", |path| std::os::unix::fs::symlink("/dev/zero", path).expect("a link")),
];

fn replace(path: &Path, obstacle: Change) {
    std::fs::remove_file(path).expect("removed");
    obstacle(path);
}

fn all_of(folder: &Path, kind: &str) -> Vec<PathBuf> {
    files(&folder.join(".store").join(kind))
}

#[test]
fn blobs_records_memos_and_pointers_are_repaired_whatever_stands_in_their_place() {
    let reference = Reference::new();
    for (what, obstacle) in OBSTACLES {
        for kind in ["blobs", "records", "memo", "current"] {
            let folder = fresh();
            let path = folder.path();
            run(path, Study::A).ran(&["a", "t", "u"]);
            std::fs::remove_dir_all(path.join("toy")).expect("removed");
            all_of(path, kind).iter().for_each(|file| replace(file, obstacle));
            // Memos are asked only where something is computed.
            if kind == "memo" {
                all_of(path, "records").iter().for_each(|file| std::fs::remove_file(file).expect("removed"));
            }
            let ran = run(path, Study::A);
            assert!(ran.succeeded(), "{what} among {kind}: {:?}", ran.messages());
            reference.is_reached(path, Study::A, &format!("{what} among {kind}"));
        }
    }
}

#[test]
fn a_damaged_input_is_repaired_for_its_reader() {
    for (what, obstacle) in OBSTACLES {
        let folder = fresh();
        let path = folder.path();
        run(path, Study::A).ran(&["a", "t", "u"]);
        replace(&blob_of(path, "a"), obstacle);
        let ran = run(path, Study::C);
        assert!(ran.succeeded(), "{what}: {:?}", ran.messages());
    }
}

#[test]
fn verify_names_what_is_no_file_and_takes_it_away() {
    for (what, obstacle) in OBSTACLES {
        for (kind, damaged) in [("blobs", Damaged::Blob), ("records", Damaged::Record), ("memo", Damaged::Memo)] {
            let folder = fresh();
            let path = folder.path();
            run(path, Study::A).ran(&["a", "t", "u"]);
            let file = all_of(path, kind).remove(0);
            replace(&file, obstacle);
            let store = Store::open(path).expect("a store");
            let found = store.verify(&|_, _| {}).expect("verified");
            let named: Vec<_> = found.damaged.iter().map(|damage| (damage.kind, damage.path.clone())).collect();
            assert_eq!(named, [(damaged, file.clone())], "{what} among {kind}");
            assert!(found.orphaned.is_empty(), "{what} among {kind}: {:?}", found.orphaned);
            assert!(store.discard(&found.damaged[0]), "{what} among {kind}");
            assert!(file.symlink_metadata().is_err(), "{what} among {kind}");
            // What was laid aside goes when nobody needs it.
            collect(path, quick()).expect("collected");
            assert!(all_of(path, "tmp").is_empty(), "{what} among {kind}");
        }
    }
}

#[test]
fn a_format_that_is_no_file_is_damaged_and_written_anew() {
    for (what, obstacle) in OBSTACLES {
        let folder = fresh();
        let path = folder.path();
        run(path, Study::A).ran(&["a", "t", "u"]);
        let format = path.join(".store/format");
        replace(&format, obstacle);
        assert!(Store::open(path).expect("a store").has_damaged_format(), "{what}");
        run(path, Study::B).ran(&["a", "t", "u"]);
        assert_eq!(std::fs::read(&format).expect("a file"), b"runner store 2\n", "{what}");
        let empty = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(empty.path().join(".store")).expect("a folder");
        obstacle(&empty.path().join(".store/format"));
        let error = Store::open(empty.path()).map(drop).expect_err("nothing speaks for it").to_string();
        assert!(error.contains("is damaged") && error.contains("remove that file"), "{what}: {error}");
    }
}

#[test]
fn a_file_in_the_place_of_a_folder_of_the_store_is_moved_away() {
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let blob = blob_of(path, "a");
    let shard = blob.parent().expect("a folder");
    std::fs::remove_dir_all(shard).expect("removed");
    std::fs::write(shard, "no folder").expect("written");
    let ran = run(path, Study::C);
    assert!(ran.succeeded(), "{:?}", ran.messages());
    assert!(blob.is_file());
}

/// The pointer alone says whose files lie in a folder; without it the records do.
#[test]
fn a_damaged_or_lost_pointer_leaves_no_file_of_an_older_result() {
    let reference = Reference::new();
    let changes: [(&str, Change); 4] = [
        ("emptied", |path| damage(path, false, Vec::clear)),
        ("another digit", |path| {
            damage(path, false, |bytes| bytes[5] = if bytes[5] == b'0' { b'1' } else { b'0' });
        }),
        ("garbage", |path| damage(path, false, |bytes| bytes.fill(0xfe))),
        ("lost", |path| std::fs::remove_file(path).expect("removed")),
    ];
    for (what, change) in changes {
        let folder = fresh();
        let path = folder.path();
        run(path, Study::A).ran(&["a", "t", "u"]);
        std::fs::write(path.join("toy/a/own.txt"), "of somebody").expect("written");
        all_of(path, "current").iter().for_each(|file| change(file));
        run(path, Study::B).ran(&["a", "t", "u"]);
        std::fs::remove_file(path.join("toy/a/own.txt")).expect("what is not runner's stays");
        assert_eq!(deliverables(path), reference.of[Study::B as usize], "{what}");
    }
}
