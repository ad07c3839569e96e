//! Searches keep their trials, and what each of them has learned.

use runner::artifact::Table;
use serde_json::Value;

use super::{Moments, assert_same_artifacts, headline, kill, measured, study};
use crate::workspace::Workspace;

#[test]
fn a_search_computes_the_trials_that_it_does_not_know() {
    let short = |work: &Workspace| work.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    let trials = |work: &Workspace| {
        let measured = measured(work, "searched");
        (measured["trials_known"], measured["trials_computed"], measured["epochs_computed"])
    };
    let work = study();
    short(&work);
    work.run_with(&["searched"]).succeeded();
    // The best trial's state is the final training already.
    assert_eq!(trials(&work), (0.0, 4.0, 0.0));
    work.edit("pipeline.yaml", "[0.001, 0.01]", "[0.001, 0.003, 0.01]");
    work.run_with(&["searched"]).ran(&["searched"]);
    assert_eq!((trials(&work).0, trials(&work).1), (4.0, 2.0));
    // Another name, another metric of the search, another order: the same trials.
    work.edit("pipeline.yaml", "searched:", "sought:");
    work.edit("pipeline.yaml", "method: grid", "method: grid\n      metric: loss");
    work.edit("pipeline.yaml", "[0.001, 0.003, 0.01]", "[0.01, 0.003, 0.001]");
    work.run_with(&["sought"]).ran(&["sought"]);
    assert_eq!(measured(&work, "sought")["trials_computed"], 0.0);
    let fresh = study();
    short(&fresh);
    fresh.write("pipeline.yaml", &work.read("pipeline.yaml"));
    fresh.run_with(&["sought"]).succeeded();
    assert_same_artifacts_of("sought", &work, &fresh);

    work.edit("pipeline.yaml", "{choice: [0.01, 0.003, 0.001]}", "{log_uniform: [0.001, 0.1]}");
    work.edit("pipeline.yaml", "method: grid", "method: random\n      trials: 3");
    work.run_with(&["sought"]).ran(&["sought"]);
    work.edit("pipeline.yaml", "trials: 3", "trials: 5");
    work.run_with(&["sought"]).ran(&["sought"]);
    assert_eq!((measured(&work, "sought")["trials_known"], measured(&work, "sought")["trials_computed"]), (3.0, 2.0));
}

#[track_caller]
fn assert_same_artifacts_of(stage: &str, one: &Workspace, other: &Workspace) {
    let folder = format!("artifacts/study/{stage}");
    let files = one.files_under(&folder);
    assert!(!files.is_empty());
    assert_eq!(files, other.files_under(&folder));
    for file in files {
        let name = format!("{folder}/{}", file.display());
        assert!(one.read(&name) == other.read(&name), "{name} differs");
    }
}

#[test]
fn a_killed_search_goes_on_within_its_trials() {
    let whole = study();
    whole.run_with(&["searched"]).succeeded();
    let work = study();
    assert!(kill(&work, &["searched", "-j", "2"], None, &mut Moments(4)));
    work.run_with(&["searched"]).succeeded();
    let measured = measured(&work, "searched");
    assert!(measured["trial_epochs_computed"] < 4.0 * 300.0, "{measured:?}");
    assert_same_artifacts(&whole, &work);
    // The states of the trials that lost are gone: what is left is four results, the best trial's state, and a remark.
    assert!(work.files_under("artifacts/.store/memo").len() <= 6, "{:?}", work.files_under("artifacts/.store/memo"));
}

/// The study with a search that learns from its trials and stops bad ones.
fn halving(epochs: &str) -> Workspace {
    let work = study();
    work.edit("pipeline.yaml", "epochs: 300", &format!("epochs: {epochs}"));
    work.edit(
        "pipeline.yaml",
        "method: grid\n      space: {optimizer.lr: {choice: [0.001, 0.01]}, network.dropout: {choice: [0, 0.2]}}",
        "method: tpe\n      trials: 14\n      batch: 6\n      pruning: {factor: 2, min_epochs: 10}\n      \
         space: {optimizer.lr: {log_uniform: [0.0001, 0.1]}, network.dropout: {uniform: [0, 0.3]}}",
    );
    work
}

#[test]
fn a_search_that_stops_trials_goes_on_where_it_was_killed_and_where_each_trial_stood() {
    let whole = halving("80");
    whole.run_with(&["searched", "-j", "1"]).succeeded();
    let found = measured(&whole, "searched");
    // Batches of 6, 6 and 2 trials: 6 to epoch 10, 3 on to 20, one to 40 and to 80; of two one goes all the way.
    assert_eq!(found["trial_epochs_computed"], f64::from(2 * (6 * 10 + 3 * 10 + 20 + 40) + 2 * 10 + 10 + 20 + 40));
    assert_eq!(found["epochs_computed"], 0.0, "the best trial is the final training");
    let said = headline(&whole, "searched");
    assert!(said.ends_with("; test set evaluated once, after 14 trials (3 complete, 11 pruned)"), "{said}");
    let work = halving("80");
    for kill_number in 0..3 {
        kill(&work, &["searched", "-j", "2"], None, &mut Moments(kill_number));
    }
    work.run_with(&["searched", "-j", "2"]).succeeded();
    assert_same_artifacts(&whole, &work);
    // The curves of all trials are there, those of stopped ones too, with the network before its first epoch.
    let trials = Table::from_ipc(&work.read("artifacts/study/searched/trials.arrow")).expect("a table");
    assert_eq!(trials.rows(), 3 * 81 + 2 * (3 * 11 + 2 * 21) + 11);
    // Without stopping, the trials that ran to their end are known; the others go on from nothing, their states have served.
    work.edit("pipeline.yaml", "      pruning: {factor: 2, min_epochs: 10}\n", "");
    work.edit("pipeline.yaml", "method: tpe", "method: random");
    work.run_with(&["searched"]).ran(&["searched"]);
    assert!(measured(&work, "searched")["trials_known"] >= 1.0);
}

#[test]
fn a_search_in_minutes_is_one_of_as_many_trials() {
    let work = study();
    work.edit("pipeline.yaml", "epochs: 300", "epochs: 4");
    work.edit(
        "pipeline.yaml",
        "{choice: [0.001, 0.01]}, network.dropout: {choice: [0, 0.2]}",
        "{log_uniform: [0.001, 0.1]}",
    );
    // Less than one trial takes, which is done nevertheless.
    work.edit("pipeline.yaml", "method: grid", "minutes: 0.0000001");
    work.run_with(&["searched"]).succeeded();
    let said = headline(&work, "searched");
    assert!(said.ends_with("; test set evaluated once, after 1 trial, out of time"), "{said}");
    // In this time a few can be done, if not all.
    work.edit("pipeline.yaml", "minutes: 0.0000001", "minutes: 0.04\n      trials: 5000");
    work.run_with(&["searched"]).ran(&["searched"]);
    let trials = serde_json::from_slice::<Value>(&work.read("artifacts/study/searched/search.json")).expect("JSON");
    let count = trials["trials"].as_array().expect("a list").len();
    assert!((2..5000).contains(&count) && trials["out_of_time"] == true, "{count}");
    // As many trials, counted: the same ones.
    work.edit("pipeline.yaml", "minutes: 0.04\n      trials: 5000", &format!("trials: {count}"));
    work.run_with(&["searched"]).ran(&["searched"]);
    let counted = serde_json::from_slice::<Value>(&work.read("artifacts/study/searched/search.json")).expect("JSON");
    assert_eq!((&counted["trials"], &counted["best"]), (&trials["trials"], &trials["best"]));
    assert_eq!(measured(&work, "searched")["trials_computed"], 0.0);
}
