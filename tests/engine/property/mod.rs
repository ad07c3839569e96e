//! Random graphs of toy stages through random edits: after each step the results are those of a run from scratch, exactly the necessary stages
//! were executed, and the plan had said so.
//!
//! What is necessary is predicted by a model that shares no code with the engine: it knows values, not digests.

mod model;
mod toys;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use runner::artifact::{Digest, Store, StoreOptions};
use runner::engine::{self, Decision, Outcome, Plan, RunOptions, StaleReason, Status, Workspace};

use model::*;
use toys::*;

#[derive(Clone, Debug)]
enum Edit {
    Nothing,
    Factor(usize, i64),
    Rounding(usize, i64),
    Column(usize),
    Unread(usize),
    Fail(usize),
    Wiring(usize, usize),
    Source(usize, usize),
    Code,
    Seed(i64),
    Name(usize),
    BlobGone(usize),
    BlobDamaged(usize),
    FolderGone(usize),
    FileChanged(usize),
    /// Back to how the study was after that many steps.
    Back(usize),
}

fn edits() -> impl Strategy<Value = Edit> {
    let any = 0..1000usize;
    prop_oneof![
        1 => Just(Edit::Nothing),
        3 => (any.clone(), 1..4i64).prop_map(|(i, value)| Edit::Factor(i, value)),
        2 => (any.clone(), prop_oneof![Just(1i64), Just(100), Just(100_000)]).prop_map(|(i, value)| Edit::Rounding(i, value)),
        1 => any.clone().prop_map(Edit::Column),
        2 => any.clone().prop_map(Edit::Unread),
        1 => any.clone().prop_map(Edit::Fail),
        2 => (any.clone(), any.clone()).prop_map(|(i, from)| Edit::Wiring(i, from)),
        3 => (0..FILES, 0..CONTENTS.len()).prop_map(|(file, content)| Edit::Source(file, content)),
        1 => Just(Edit::Code),
        1 => (0..3i64).prop_map(Edit::Seed),
        2 => any.clone().prop_map(Edit::Name),
        2 => any.clone().prop_map(Edit::BlobGone),
        1 => any.clone().prop_map(Edit::BlobDamaged),
        1 => any.clone().prop_map(Edit::FolderGone),
        1 => any.clone().prop_map(Edit::FileChanged),
        3 => any.prop_map(Edit::Back),
    ]
}

/// 3 to 12 stages, each reading from earlier ones.
fn studies() -> impl Strategy<Value = Study> {
    let stage = (0..8u8, prop::collection::vec((0..1000usize, any::<bool>()), 1..4), 0..FILES, 0..3usize);
    let shape = prop::collection::vec(stage, 2..12);
    (shape, prop::array::uniform3(0..CONTENTS.len())).prop_map(|(shape, files)| {
        let mut stages = vec![Toy { name: "s0".to_owned(), extra: 0, work: Work::Lines { file: 0 } }];
        for (kind, inputs, file, coarse) in shape {
            let i = stages.len();
            let tables: Vec<usize> = (0..i).filter(|&j| !matches!(stages[j].work, Work::Tell { .. })).collect();
            let work = match kind {
                0 => Work::Lines { file },
                1 => {
                    let mut told: Vec<usize> = inputs.iter().map(|(from, _)| from % i).collect();
                    told.sort_unstable();
                    told.dedup();
                    Work::Tell { stages: told }
                }
                _ => Work::Sum {
                    rows: each_once(
                        inputs.iter().map(|(from, head)| (tables[from % tables.len()], *head)),
                        &heads(&stages),
                    ),
                    reads_extra: false,
                    factor: 1,
                    round_to: [1, 1, 1000][coarse],
                    fail: false,
                },
            };
            stages.push(Toy { name: format!("s{i}"), extra: 100_000 * i as i64, work });
        }
        Study { files, stages, seed: 1, version: 1 }
    })
}

/// Which stages have a port `head`.
fn heads(stages: &[Toy]) -> Vec<bool> {
    stages.iter().map(|toy| matches!(toy.work, Work::Lines { .. })).collect()
}

/// An input names no output twice.
fn each_once(rows: impl Iterator<Item = (usize, bool)>, heads: &[bool]) -> Vec<(usize, bool)> {
    let mut seen = std::collections::HashSet::new();
    rows.filter(|&(from, head)| seen.insert((from, head && heads[from]))).collect()
}

/// A folder with sources and a store, and the model of it.
struct Bench {
    folder: tempfile::TempDir,
    model: Model,
    names: usize,
}

impl Bench {
    fn store(folder: &Path) -> Store {
        Store::open_with(folder, StoreOptions { durable: false, ..StoreOptions::default() }).expect("a store")
    }

    fn sources(&self) -> PathBuf {
        self.folder.path().join("sources")
    }

    fn apply(&mut self, study: &mut Study, edit: &Edit, history: &[Study]) {
        let count = study.stages.len();
        let blobs = || {
            let mut known: Vec<&String> = self.model.blobs.iter().collect();
            known.sort();
            known
        };
        match edit {
            Edit::Nothing => {}
            Edit::Factor(i, value) => {
                if let Work::Sum { factor, .. } = &mut study.stages[i % count].work {
                    *factor = *value;
                }
            }
            Edit::Rounding(i, value) => {
                if let Work::Sum { round_to, .. } = &mut study.stages[i % count].work {
                    *round_to = *value;
                }
            }
            Edit::Column(i) => {
                if let Work::Sum { reads_extra, .. } = &mut study.stages[i % count].work {
                    *reads_extra = !*reads_extra;
                }
            }
            Edit::Unread(i) => study.stages[i % count].extra += 1,
            Edit::Fail(i) => {
                if let Work::Sum { fail, .. } = &mut study.stages[i % count].work {
                    *fail = !*fail;
                }
            }
            Edit::Wiring(i, from) => {
                let i = i % count;
                let tables: Vec<usize> =
                    (0..i).filter(|&j| !matches!(study.stages[j].work, Work::Tell { .. })).collect();
                let heads = heads(&study.stages);
                match &mut study.stages[i].work {
                    Work::Sum { rows, .. } => {
                        rows[0] = (tables[from % tables.len()], from % 2 == 0);
                        *rows = each_once(rows.iter().copied(), &heads);
                    }
                    Work::Lines { file } => *file = from % FILES,
                    Work::Tell { stages } => *stages = vec![from % i],
                }
            }
            Edit::Source(file, content) => study.files[*file] = *content,
            Edit::Code => study.version = 3 - study.version,
            Edit::Seed(seed) => study.seed = *seed,
            Edit::Name(i) => {
                self.names += 1;
                study.stages[i % count].name = format!("n{}", self.names);
            }
            Edit::BlobGone(n) | Edit::BlobDamaged(n) => {
                let known = blobs();
                if known.is_empty() {
                    return;
                }
                let content = known[n % known.len()].clone();
                let path = Bench::store(self.folder.path()).blob_path(self.model.digests[&content]);
                // A new file in its place: the links for people keep the sound one.
                let mut bytes = std::fs::read(&path).expect("a blob");
                std::fs::remove_file(&path).expect("removed");
                if matches!(edit, Edit::BlobDamaged(_)) {
                    bytes.push(0);
                    std::fs::write(&path, bytes).expect("written");
                }
                self.model.blobs.remove(&content);
            }
            Edit::FolderGone(i) => {
                let name = &study.stages[i % count].name;
                let _ = std::fs::remove_dir_all(self.folder.path().join("toy").join(name));
                self.model.people.retain(|(stage, _)| stage != name);
            }
            Edit::FileChanged(i) => {
                let name = study.stages[i % count].name.clone();
                let mut own: Vec<&'static str> =
                    self.model.people.iter().filter(|(stage, _)| *stage == name).map(|(_, file)| *file).collect();
                own.sort_unstable();
                let Some(file) = own.first() else { return };
                let path = self.folder.path().join("toy").join(&name).join(file);
                std::fs::remove_file(&path).expect("a file for people");
                std::fs::write(&path, "edited").expect("written");
                self.model.people.remove(&(name, *file));
            }
            Edit::Back(step) => *study = history[step % history.len()].clone(),
        }
    }

    /// One step: the plan, the run, the model and a run from scratch must agree.
    fn check(&mut self, study: &Study, threads: usize) {
        let sources = self.sources();
        for (file, content) in study.files.iter().enumerate() {
            let path = sources.join(format!("{file}.txt"));
            // A file that is the same is not written, as an editor would not.
            if std::fs::read_to_string(&path).ok().as_deref() != Some(CONTENTS[*content]) {
                std::fs::write(path, CONTENTS[*content]).expect("a source");
            }
        }
        let plan = study.plan(&sources);
        let artifacts = self.folder.path();
        let before = listing(artifacts);
        let decisions = {
            let store = Bench::store(artifacts);
            let workspace = Workspace { plan: &plan, store: &store, artifacts, device: "cpu" };
            engine::plan_decisions(&workspace, &plan.order).expect("decisions")
        };
        assert_eq!(before, listing(artifacts), "planning changed something on disk");

        let summary = run(&plan, artifacts, threads);
        let answers = answers(study, &sources);
        let current = self.model.current.clone();
        let expected = self.model.run(study, &answers);
        let outcome = |name: &str| {
            let stage = summary.stages.iter().find(|stage| stage.stage == name);
            stage.unwrap_or_else(|| panic!("'{name}' has no outcome")).outcome
        };
        for ((toy, expected), answer) in study.stages.iter().zip(&expected).zip(&answers) {
            let decision = decision_on(&decisions, &plan, toy);
            assert_eq!(outcome(&toy.name), *expected, "{}; the plan said {decision:?}", toy.name);
            let asked_again = answer.as_ref().is_some_and(|answer| current.get(&toy.name) == Some(&answer.key));
            assert!(may_end(decision, *expected, asked_again), "{}: planned {decision:?}, but {expected:?}", toy.name);
        }

        let fresh = workplace();
        run(&plan, fresh.path(), 1);
        for (toy, answer) in study.stages.iter().zip(&answers) {
            let Some(answer) = answer else { continue };
            for (file, content) in &answer.files {
                let read = |root: &Path| {
                    let path = root.join("toy").join(&toy.name).join(file);
                    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                };
                let (found, scratch) = (read(artifacts), read(fresh.path()));
                assert!(found == scratch, "{file} of {} differs from that of a run from scratch", toy.name);
                self.model.digests.insert(content.clone(), Digest::of(&found));
            }
        }
    }
}

/// In memory where the system has such a place: thousands of runs need no disk.
fn workplace() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}

fn run(plan: &Plan, artifacts: &Path, threads: usize) -> engine::RunSummary {
    let store = Bench::store(artifacts);
    let workspace = Workspace { plan, store: &store, artifacts, device: "cpu" };
    let options = RunOptions { threads, keep_going: true, ..RunOptions::default() };
    engine::run(&workspace, &plan.order, &options, &|_| {}, &|| false).expect("a run")
}

fn decision_on<'d>(decisions: &'d [(usize, Decision)], plan: &Plan, toy: &Toy) -> &'d Decision {
    let found = decisions.iter().find(|(i, _)| plan.stages[*i].name == toy.name);
    &found.unwrap_or_else(|| panic!("'{}' was not decided on", toy.name)).1
}

/// Whether a plan that said so kept its word. `asked_again`: the stage was asked for just what lies in its folder.
fn may_end(decision: &Decision, outcome: Outcome, asked_again: bool) -> bool {
    let upstream = decision.reasons().iter().find_map(|reason| match reason {
        StaleReason::Upstream { only_if_changed, .. } => Some(*only_if_changed),
        _ => None,
    });
    match (decision.status(), upstream) {
        (Status::Fresh, _) => outcome == Outcome::Fresh,
        (Status::Restore, _) => outcome == Outcome::Restored,
        (Status::Run, None) => matches!(outcome, Outcome::Ran | Outcome::Failed),
        (Status::Run, Some(true)) => asked_again == (outcome == Outcome::Fresh),
        // It has a reason of its own, so that it cannot stay as it is.
        (Status::Run, Some(false)) => outcome != Outcome::Fresh,
    }
}

/// Every path with all that tells of a change.
fn listing(root: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let metadata = entry.metadata().expect("metadata");
            found.push((entry.path(), metadata.len(), metadata.modified().expect("a time")));
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn never_stale_never_wasteful(cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let steps = prop::collection::vec((edits(), 1..4usize), 1..10);
    proptest!(config, |(study in studies(), steps in steps)| {
        let folder = workplace();
        std::fs::create_dir(folder.path().join("sources")).expect("a folder");
        let mut bench = Bench { folder, model: Model::default(), names: 0 };
        let mut study = study;
        bench.check(&study, 2);
        let mut history = vec![study.clone()];
        for (edit, threads) in &steps {
            bench.apply(&mut study, edit, &history);
            bench.check(&study, *threads);
            history.push(study.clone());
        }
    });
}

#[test]
fn random_edits_are_never_stale_and_never_wasteful() {
    never_stale_never_wasteful(40);
}

#[test]
#[ignore = "long: run by .ci/run"]
fn many_random_edits_are_never_stale_and_never_wasteful() {
    never_stale_never_wasteful(1500);
}
