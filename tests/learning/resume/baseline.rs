//! Baselines keep the scores of each fold, and each model until all are done.

use super::{Moments, assert_same_artifacts, kill, measured, warnings};
use crate::workspace::{Workspace, songs};

fn study(models: &str) -> Workspace {
    Workspace::new().file("songs.csv", &songs(600)).pipeline(&format!(
        "name: study
seed: 3
stages:
  songs: {{kind: load, files: {{all: songs.csv}}, label: genre}}
  folds: {{kind: split, rows: songs, folds: 4}}
  base: {{kind: baseline, rows: folds, numeric: [tempo, energy], models: {models}}}
"
    ))
}

fn known(work: &Workspace) -> f64 {
    measured(work, "base").get("fits_known").copied().unwrap_or(0.0)
}

#[test]
fn killed_again_and_again_they_end_in_the_same_bytes() {
    // Linear machines of few iterations warn of it, be they fitted or known.
    let models = "{logistic: {}, linear_svm: {max_iterations: 1}, rbf_svm: {}, tree: {}, random_forest: {trees: 60}, boosting: {rounds: 60}}";
    let whole = study(models);
    whole.run().succeeded();
    assert_eq!(known(&whole), 0.0);
    let work = study(models);
    work.run_with(&["folds"]).succeeded();
    let mut moments = Moments(5);
    let killed = (0..6).take_while(|_| kill(&work, &[], None, &mut moments)).count();
    assert!(killed >= 2, "it ended before it could be killed: {killed}");
    work.run().succeeded();
    assert!(known(&work) >= killed as f64, "{} known after {killed} kills", known(&work));
    assert_same_artifacts(&whole, &work);
    whole.run_with(&["--force", "base"]).succeeded();
    assert_eq!(known(&whole), 0.0, "what is forced is computed anew");
    assert!(!warnings(&whole, "base").is_empty());
    assert_eq!(warnings(&work, "base"), warnings(&whole, "base"), "fits that were known warn as well");
    assert_same_artifacts(&whole, &work);
}

#[test]
fn a_fold_counts_for_the_same_model_on_the_same_rows_only() {
    let work = study("{logistic: {}, tree: {}}");
    work.run().succeeded();
    let with = |models: &str| {
        work.edit("pipeline.yaml", "models: {logistic: {}, tree: {}}", &format!("models: {models}"));
        work.run().succeeded();
        let known = known(&work);
        let fresh = study(models);
        fresh.run().succeeded();
        assert_same_artifacts(&fresh, &work);
        work.edit("pipeline.yaml", &format!("models: {models}"), "models: {logistic: {}, tree: {}}");
        known
    };
    assert_eq!(with("{logistic: {}, knn: {}, tree: {}}"), 8.0, "the folds of two models");
    assert_eq!(with("{logistic: {c: 3}, tree: {}}"), 4.0, "another model is another fit");
    for (from, to) in
        [("seed: 3", "seed: 4"), ("numeric: [tempo, energy]", "numeric: [tempo]"), ("folds: 4", "folds: 3")]
    {
        work.edit("pipeline.yaml", from, to);
        work.run().succeeded();
        assert_eq!(known(&work), 0.0, "{to}");
        work.edit("pipeline.yaml", to, from);
    }
}
