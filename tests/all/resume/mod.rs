//! Work that was done is not done again: after kill -9, with more epochs, with more trials, with new texts.

mod baseline;
mod search;
mod texts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::workspace::Workspace;

/// Networks that take a second or so each, on texts without a model.
const STUDY: &str = r#"name: study
seed: 3
vars: {epochs: 300}
stages:
  songs:
    kind: load
    files: {all: songs.csv}
    label: genre
  folds:
    kind: split
    rows: songs
  titles:
    kind: embed
    rows: songs
    fit: folds.train
    columns: [title]
    encoder: tfidf
    tfidf: {dim: 8}
  trained:
    kind: train
    rows: folds
    embeddings: titles
    numeric: [tempo, energy]
    text: [title]
    network: {trunk: {layers: [48]}, text: {layers: [16]}, dropout: 0.2}
    epochs: ${epochs}
    batch_size: 16
    schedule: {kind: plateau, patience: 20}
  searched:
    kind: train
    rows: folds
    numeric: [tempo, energy]
    network: {trunk: {layers: [48]}}
    epochs: ${epochs}
    batch_size: 16
    search:
      method: grid
      space: {optimizer.lr: {choice: [0.001, 0.01]}, network.dropout: {choice: [0, 0.2]}}
  moved:
    kind: transfer
    model: trained
    rows: folds
    embeddings: titles
    strategies: [scratch, copy, frozen]
    seeds: 1
    epochs: ${epochs}
    batch_size: 16
"#;

/// When each file of the store that holds work in progress was last written.
fn progress(work: &Workspace) -> BTreeMap<PathBuf, SystemTime> {
    let mut files = BTreeMap::new();
    for folder in ["memo", "rows"] {
        let root = format!("artifacts/.store/{folder}");
        for file in work.files_under(&root).into_iter().filter(|file| !is_temporary(file)) {
            let path = work.path().join(&root).join(file);
            // A file may have been replaced between listing and looking.
            if let Ok(written) = std::fs::metadata(&path).and_then(|metadata| metadata.modified()) {
                files.insert(path, written);
            }
        }
    }
    files
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Runs the program and kills it with SIGKILL: `after` so long, or, without, some time after it has saved something. False if it
/// ended by itself before.
pub fn kill(work: &Workspace, more: &[&str], after: Option<Duration>, moments: &mut Moments) -> bool {
    let before = progress(work);
    let mut arguments = vec!["run", "pipeline.yaml", "--json"];
    arguments.extend(more);
    let mut child =
        work.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let clock = Instant::now();
    let mut seen: Option<Instant> = None;
    let pause = after.unwrap_or_else(|| moments.up_to(Duration::from_millis(80)));
    loop {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        let due = match after {
            Some(after) => clock.elapsed() >= after,
            None => {
                if seen.is_none() && progress(work) != before {
                    seen = Some(Instant::now());
                }
                seen.is_some_and(|seen| seen.elapsed() >= pause)
            }
        };
        if due {
            child.kill().expect("SIGKILL");
            child.wait().expect("a child");
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Repeatable random moments.
pub struct Moments(pub u64);

impl Moments {
    fn up_to(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        longest.mul_f64((self.0 >> 33) as f64 / f64::from(1u32 << 31))
    }
}

/// What the stage measured when it was last computed.
pub fn measured(work: &Workspace, stage: &str) -> BTreeMap<String, f64> {
    serde_json::from_value(record(work, stage)["provenance"]["measurements"].clone()).expect("numbers")
}

pub fn warnings(work: &Workspace, stage: &str) -> Vec<String> {
    serde_json::from_value(record(work, stage)["provenance"]["warnings"].clone()).expect("texts")
}

fn record(work: &Workspace, stage: &str) -> Value {
    let key = work.text(&format!("artifacts/.store/current/study/{stage}")).trim().to_owned();
    let text = work.text(&format!("artifacts/.store/records/{}/{key}.json", &key[..2]));
    // The last line is the record's own digest.
    serde_json::from_str(text.rsplit_once("\nblake3 ").expect("a sealed record").0).expect("a record")
}

pub fn headline(work: &Workspace, stage: &str) -> String {
    record(work, stage)["provenance"]["headline"].as_str().expect("text").to_owned()
}

#[track_caller]
pub fn assert_same_artifacts(one: &Workspace, other: &Workspace) {
    let files = one.files_under("artifacts/study");
    assert!(!files.is_empty());
    assert_eq!(files, other.files_under("artifacts/study"));
    for file in files {
        let name = format!("artifacts/study/{}", file.display());
        assert!(one.read(&name) == other.read(&name), "{name} differs");
    }
}

fn study() -> Workspace {
    Workspace::with_songs().pipeline(STUDY)
}

#[test]
fn a_study_killed_again_and_again_ends_in_the_same_bytes() {
    let whole = study();
    whole.run().succeeded();
    let work = study();
    let mut moments = Moments(1);
    let killed = (0..7).take_while(|_| kill(&work, &[], None, &mut moments)).count();
    work.run().succeeded();
    assert!(killed >= 3, "the study ended before it could be killed: {killed}");
    assert_same_artifacts(&whole, &work);
}

/// As many kills as it takes at any moment, in stages that go on from states, trials and strategies.
#[test]
#[ignore = "long: run by .ci/run"]
fn a_study_killed_at_random_moments_ends_in_the_same_bytes() {
    let whole = study();
    whole.edit("pipeline.yaml", "epochs: 300", "epochs: 1500");
    let clock = std::time::Instant::now();
    whole.run().succeeded();
    // The pace of the machine: about ten kills before the end.
    let longest = clock.elapsed() / 5;
    for seed in 0..3 {
        let work = study();
        work.edit("pipeline.yaml", "epochs: 300", "epochs: 1500");
        let mut moments = Moments(seed);
        let mut kills = 0;
        loop {
            let after = moments.up_to(longest);
            if !kill(&work, &["-j", ["1", "2", "3"][kills % 3]], Some(after), &mut moments) {
                break;
            }
            kills += 1;
            assert!(kills < 400, "it gets nowhere");
        }
        work.run().succeeded();
        assert!(kills > 5, "{kills}");
        assert_same_artifacts(&whole, &work);
    }
}

#[test]
fn a_killed_training_goes_on_from_its_last_state() {
    // Long enough for the signal to come in time, on whatever machine.
    let training = ["trained", "--set", "epochs=2000"];
    let whole = study();
    whole.run_with(&training).succeeded();
    assert_eq!(measured(&whole, "trained")["epochs_computed"], 2000.0);
    let work = study();
    work.run_with(&["titles"]).succeeded();
    assert!(kill(&work, &training, None, &mut Moments(2)));
    work.run_with(&training).succeeded();
    let measured = measured(&work, "trained");
    assert!(measured["resumed_epoch"] > 0.0 && measured["epochs_computed"] < 2000.0, "{measured:?}");
    assert_eq!(measured["resumed_epoch"] + measured["epochs_computed"], 2000.0);
    assert!(headline(&work, "trained").contains("; continued from epoch "), "{}", headline(&work, "trained"));
    assert_same_artifacts(&whole, &work);
}

#[test]
fn more_epochs_cost_only_themselves_where_the_schedule_permits() {
    let of = |epochs: &str, schedule: &str| {
        let work = study();
        work.edit("pipeline.yaml", "epochs: 300", &format!("epochs: {epochs}"));
        work.edit("pipeline.yaml", "{kind: plateau, patience: 20}", schedule);
        work.run_with(&["trained"]).succeeded();
        work
    };
    let work = of("20", "{kind: step, step_epochs: 8}");
    work.edit("pipeline.yaml", "epochs: 20", "epochs: 30");
    work.run_with(&["trained"]).ran(&["trained"]);
    assert_eq!(
        (measured(&work, "trained")["resumed_epoch"], measured(&work, "trained")["epochs_computed"]),
        (20.0, 10.0)
    );
    assert!(headline(&work, "trained").ends_with("; continued from epoch 20 of an earlier run"));
    assert_same_artifacts(&work, &of("30", "{kind: step, step_epochs: 8}"));
    // By force everything is computed, and comes out the same.
    work.run_with(&["trained", "--force", "trained"]).ran(&["trained"]);
    assert_eq!(measured(&work, "trained")["epochs_computed"], 30.0);
    assert_same_artifacts(&work, &of("30", "{kind: step, step_epochs: 8}"));

    let work = of("20", "{kind: one_cycle}");
    work.edit("pipeline.yaml", "epochs: 20", "epochs: 30");
    work.run_with(&["trained"]).ran(&["trained"]);
    assert_eq!(measured(&work, "trained")["epochs_computed"], 30.0);
    let said = "; one_cycle depends on the number of epochs: trained from the start";
    assert!(headline(&work, "trained").ends_with(said), "{}", headline(&work, "trained"));
}
#[test]
fn a_transfer_keeps_its_finished_trainings() {
    let work = study();
    work.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    work.run_with(&["moved"]).succeeded();
    work.edit("pipeline.yaml", "seeds: 1", "seeds: 2");
    work.run_with(&["moved"]).ran(&["moved"]);
    let found = measured(&work, "moved");
    assert_eq!((found["epochs_known"], found["epochs_computed"]), (12.0, 12.0));
    assert!(headline(&work, "moved").ends_with("; 12 of 24 epochs were known"), "{}", headline(&work, "moved"));
    let fresh = study();
    fresh.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    fresh.edit("pipeline.yaml", "seeds: 1", "seeds: 2");
    fresh.run_with(&["moved"]).succeeded();
    assert_same_artifacts(&work, &fresh);
}
