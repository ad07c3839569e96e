//! Stores made by others: records, pointers and links that lead out of the folders that are ours.

use std::os::unix::fs::symlink;
use std::path::Path;

use runner::artifact::{Digest, Store, StoreError};
use runner::engine::{ActionRecord, Entry, Outcome};

use super::scenario::*;
use crate::toy_store::*;

/// Changes the names in the record of `a` and seals it anew.
fn forge(folder: &Path, change: impl FnOnce(&mut ActionRecord)) {
    let store = Store::open(folder).expect("a store");
    let key = store.current("toy", "a").expect("a key");
    let mut record = ActionRecord::load(&store, key).expect("a record");
    change(&mut record);
    store.put_record(key, &serde_json::to_vec(&record).expect("JSON")).expect("written");
}

#[test]
fn a_record_that_names_files_elsewhere_is_refused_said_and_made_again() {
    let reference = Reference::new();
    let outside = tempfile::tempdir().expect("a folder");
    let victim = outside.path().join("victim.txt");
    let absolute = victim.display().to_string();
    for name in [
        "../t/rows.arrow",
        "../../../victim.txt",
        absolute.as_str(),
        "..",
        "x/../../../up.txt",
        "a\\b",
        "bell\u{7}",
        "",
    ] {
        let folder = fresh();
        let path = folder.path();
        run(path, Study::A).ran(&["a", "t", "u"]);
        std::fs::write(&victim, "precious").expect("written");
        forge(path, |record| record.outputs[1].files[0].name = name.to_owned());
        std::fs::remove_dir_all(path.join("toy/a")).expect("removed");
        let ran = run(path, Study::A);
        ran.ran(&["a"]);
        assert_eq!(ran.warnings.len(), 1, "{:?}", ran.warnings);
        assert!(ran.warnings[0].contains("its record in the store named") && ran.warnings[0].contains("computed anew"));
        assert!(!ran.warnings[0].contains('\u{7}'), "shown escaped");
        assert_eq!(std::fs::read_to_string(&victim).expect("there"), "precious");
        reference.is_reached(path, Study::A, name);
    }
}

#[test]
fn a_port_that_is_a_path_and_a_record_of_another_key_are_refused() {
    let reference = Reference::new();
    for change in [
        (|record: &mut ActionRecord| record.outputs[0].port = "../../rows".to_owned()) as fn(&mut ActionRecord),
        |record| record.manifest.add(Entry::parse("more"), 1),
        |record| record.outputs[1].files[0].name = record.outputs[0].files[0].name.clone(),
    ] {
        let folder = fresh();
        run(folder.path(), Study::A).ran(&["a", "t", "u"]);
        forge(folder.path(), change);
        let ran = run(folder.path(), Study::A);
        ran.ran(&["a"]);
        assert!(ran.warnings[0].starts_with("a: its record in the store "), "{:?}", ran.warnings);
        reference.is_reached(folder.path(), Study::A, "forged");
    }
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_and_one_above_it_is_refused() {
    let reference = Reference::new();
    let folder = fresh();
    let path = folder.path();
    run(path, Study::A).ran(&["a", "t", "u"]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let precious = elsewhere.path().join("precious");
    // Even where it leads to the right content: whoever owns that file may change it.
    for content in [std::fs::read(path.join("toy/a/old.txt")).expect("content"), b"precious".to_vec()] {
        std::fs::write(&precious, &content).expect("written");
        std::fs::remove_file(path.join("toy/a/old.txt")).expect("removed");
        symlink(&precious, path.join("toy/a/old.txt")).expect("linked");
        let ran = run(path, Study::A);
        ran.ran(&[]);
        assert_eq!(ran.result.as_ref().expect("a summary").with(Outcome::Restored), ["a"]);
        assert_eq!(std::fs::read(&precious).expect("there"), content);
        assert!(path.join("toy/a/old.txt").symlink_metadata().expect("there").is_file());
    }

    for link in ["toy/a", "toy"] {
        std::fs::remove_dir_all(path.join(link)).expect("removed");
        symlink(elsewhere.path(), path.join(link)).expect("linked");
        let ran = run(path, Study::A);
        assert!(!ran.succeeded());
        let message = &ran.messages()[0];
        assert!(message.contains(link) && message.contains("is a symbolic link"), "{message}");
        assert!(message.contains("remove it") && message.contains("--artifacts"), "{message}");
        assert_eq!(files(elsewhere.path()), std::slice::from_ref(&precious));
        std::fs::remove_file(path.join(link)).expect("removed");
    }
    reference.is_reached(path, Study::A, "without links");
}

#[test]
fn nothing_is_collected_behind_a_link() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let precious = elsewhere.path().join("precious");
    let digest = Digest::of(b"unneeded").to_string();
    let named = elsewhere.path().join(&digest[..2]).join(&digest);
    std::fs::create_dir_all(named.parent().expect("a folder")).expect("a folder");
    for file in [&precious, &named] {
        std::fs::write(file, "precious").expect("written");
    }
    for link in ["blobs", "tmp", "locks", "memo", "rows", "records"] {
        let folder = fresh();
        let path = folder.path();
        run(path, Study::A).ran(&["a", "t", "u"]);
        // Beside what is in the folder, and in its place.
        let inside = path.join(".store").join(link);
        std::fs::create_dir_all(&inside).expect("a folder");
        symlink(elsewhere.path(), inside.join("more")).expect("linked");
        collect(path, quick()).expect("collected");
        assert_eq!(files(elsewhere.path()).len(), 2, "{link}");
        std::fs::rename(&inside, path.join("kept")).expect("moved");
        symlink(elsewhere.path(), &inside).expect("linked");
        assert!(matches!(collect(path, quick()), Err(StoreError::Link { .. })), "{link}");
        assert_eq!(files(elsewhere.path()).len(), 2, "{link}");
    }
}

#[test]
fn a_pointer_that_is_damaged_or_names_nothing_costs_a_restore() {
    let reference = Reference::new();
    for content in ["", "placing\n", "../../victim\n", "\u{0}\u{0}", &format!("{}\n", Digest::of(b"nothing"))] {
        let folder = fresh();
        let path = folder.path();
        run(path, Study::A).ran(&["a", "t", "u"]);
        std::fs::write(path.join(".store/current/toy/a"), content).expect("written");
        run(path, Study::A).ran(&[]);
        collect(path, quick()).expect("collected");
        reference.is_reached(path, Study::A, content);
    }
}
