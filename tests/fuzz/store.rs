//! Files of a store: whatever a disk or a program makes of them, the next run gives the right results or says what is wrong, and writes nowhere else.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use runner::artifact::{Collect, Digest, Store};

use super::{change, fuzz_by_chance};
use crate::toy_store::{Study, blobs_of, copy, deliverables, files, fresh, run};

fn names(folder: &Path) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
}

/// Writes over a file in place, as a bad device or a careless program does.
fn overwrite(path: &Path, bytes: &[u8]) {
    let mut permissions = std::fs::metadata(path).expect("a file").permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions).expect("permissions");
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_damaged_store_is_mended_or_refused() {
    let all_right = [Study::A, Study::B].map(|study| {
        let folder = fresh();
        run(folder.path(), study);
        deliverables(folder.path())
    });
    let whole = fresh();
    run(whole.path(), Study::A);
    run(whole.path(), Study::B);
    fuzz_by_chance("store", |stream| {
        let above = tempfile::tempdir().expect("a folder");
        let folder = above.path().join("study");
        copy(whole.path(), &folder);
        let all = files(&folder.join(".store"));
        let contents: Vec<Vec<u8>> = all.iter().map(|path| std::fs::read(path).expect("a file")).collect();
        let mut said = Vec::new();
        for _ in 0..=stream.below(3) {
            let at = stream.below(all.len());
            let mut content = contents[at].clone();
            change(
                &mut content,
                &contents,
                &["../../x", "/", "\0", "blake3", "0000", "placing\n", "runner store 9\n"],
                stream,
            );
            said.push(all[at].strip_prefix(&folder).expect("inside").display().to_string());
            overwrite(&all[at], &content);
        }
        for (study, right) in [Study::A, Study::B].into_iter().zip(&all_right) {
            let Ok(store) = Store::open(&folder) else { return };
            let _ = store.verify(&|_, _| {});
            drop(store);
            let ran = run(&folder, study);
            assert!(
                !ran.messages().iter().any(|message| message.contains("panicked")),
                "{said:?}: {:?}",
                ran.messages()
            );
            if ran.succeeded() {
                let found = deliverables(&folder);
                for (path, digest) in right {
                    let path_shown = path.display();
                    assert_eq!(found.get(path), Some(digest), "{said:?}: a wrong {path_shown} is called right");
                }
                // A pointer that is lost cannot tell what the other study left; but that is whole.
                let whole = |digest: &Digest| all_right.iter().any(|right| right.values().any(|known| known == digest));
                assert!(found.values().all(whole), "{said:?}: {found:?}");
            }
        }
        if let Ok(store) = Store::open(&folder) {
            let all = Collect { grace: Duration::ZERO, used_since: SystemTime::now(), dry_run: false };
            let _ = store.collect(&HashSet::new(), &blobs_of, all);
        }
        assert_eq!(names(above.path()).len(), 1, "{said:?}: something was written beside the study");
        let expected: BTreeSet<std::ffi::OsString> = [".store", "a.txt", "b.txt", "toy"].map(Into::into).into();
        assert_eq!(names(&folder), expected, "{said:?}");
    });
}
