//! Work that was done is not done again: after kill -9, with more epochs, with more trials, with new texts.

mod baseline;
mod search;
mod texts;

use crate::kill::{Moments, kill};
use crate::records::{assert_same_artifacts, headline, measured, warnings};
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
