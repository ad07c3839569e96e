//! What is going on when the accident happens, and what must be true after it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use runner::artifact::{Digest, Store, StoreOptions};

use crate::toy_store::*;

/// What is going on when the accident happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scenario {
    First,
    Edited,
    GoneBack,
    FolderLost,
    Collecting,
    Migrating,
}

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario::First,
    Scenario::Edited,
    Scenario::GoneBack,
    Scenario::FolderLost,
    Scenario::Collecting,
    Scenario::Migrating,
];

impl Scenario {
    /// The state before.
    pub(super) fn prepare(self) -> tempfile::TempDir {
        let folder = fresh();
        let path = folder.path();
        match self {
            Scenario::First => {}
            Scenario::Edited => drop(run(path, Study::A).ran(&["a", "t", "u"])),
            Scenario::GoneBack | Scenario::Collecting => {
                run(path, Study::A).ran(&["a", "t", "u"]);
                run(path, Study::B).ran(&["a", "t", "u"]);
            }
            Scenario::FolderLost => {
                run(path, Study::A).ran(&["a", "t", "u"]);
                std::fs::remove_dir_all(path.join("toy")).expect("removed");
            }
            Scenario::Migrating => {
                run(path, Study::A).ran(&["a", "t", "u"]);
                as_format_one(path);
            }
        }
        folder
    }

    /// The configuration that is run when the accident happens, and again after it.
    pub(super) fn study(self) -> Study {
        match self {
            Scenario::First | Scenario::GoneBack | Scenario::FolderLost => Study::A,
            Scenario::Edited | Scenario::Collecting | Scenario::Migrating => Study::B,
        }
    }

    /// What goes on; the messages of a failure.
    pub(super) fn act(self, folder: &Path, options: StoreOptions) -> Result<(), Vec<String>> {
        match self {
            Scenario::Collecting => collect(folder, options).map(drop).map_err(|error| vec![error.to_string()]),
            _ => {
                let ran = run_with(folder, self.study(), options);
                if ran.succeeded() { Ok(()) } else { Err(ran.messages()) }
            }
        }
    }
}

/// Makes of a store what the first layout was.
pub(super) fn as_format_one(folder: &Path) {
    let store = folder.join(".store");
    std::fs::write(store.join("format"), "runner store 1\n").expect("written");
    for record in files(&store.join("records")) {
        let text = std::fs::read_to_string(&record).expect("a record");
        std::fs::write(&record, text.split('\n').next().expect("a line")).expect("written");
    }
    std::fs::remove_dir_all(store.join("tmp")).expect("removed");
    std::fs::remove_file(store.join("lock")).expect("removed");
}

/// The results of all configurations, computed in folders of their own.
pub(super) struct Reference {
    pub(super) of: [BTreeMap<PathBuf, Digest>; 3],
    pub(super) whole: HashSet<Digest>,
}

impl Reference {
    pub(super) fn new() -> Self {
        let of = [Study::A, Study::B, Study::C].map(|study| {
            let folder = fresh();
            run(folder.path(), study).ran(&["a", "t", "u"]);
            deliverables(folder.path())
        });
        let whole = of.iter().flat_map(|files| files.values().copied()).collect();
        Reference { of, whole }
    }

    /// Every file for people is one that some run made, from its first to its last byte.
    #[track_caller]
    pub(super) fn holds_only_whole_files(&self, folder: &Path, when: &str) {
        for (path, digest) in deliverables(folder) {
            assert!(self.whole.contains(&digest), "{when}: {} is not whole", path.display());
        }
    }

    /// The next run succeeds, ends as from scratch, and so does the other configuration; nothing in the store is damaged.
    #[track_caller]
    pub(super) fn is_reached(&self, folder: &Path, study: Study, when: &str) {
        let other = if study == Study::A { Study::B } else { Study::A };
        for study in [study, other] {
            let ran = run(folder, study);
            assert!(ran.succeeded(), "{when}: {:?}", ran.messages());
            assert_eq!(deliverables(folder), self.of[study as usize], "{when}: {study:?}");
        }
        let verified = Store::open(folder).expect("a store").verify(&|_, _| {}).expect("verified");
        assert!(verified.damaged.is_empty() && verified.blobs >= 3, "{when}: {verified:?}");
    }
}

/// The records of a store with all their blobs sound.
pub(super) fn committed(folder: &Path) -> HashSet<Digest> {
    let store = Store::open(folder).expect("a store");
    let names = files(&folder.join(".store/records"));
    let keys = names.iter().filter_map(|path| path.file_stem()?.to_str()?.parse::<Digest>().ok());
    let whole = |key: &Digest| {
        let record = store.get_record(*key);
        record.is_some_and(|record| blobs_of(&record).into_iter().all(|blob| store.get(blob).is_ok()))
    };
    keys.filter(whole).collect()
}
