//! Same manifest, same bytes: in two folders, and for one and two threads.

use crate::studies::STUDY;
use crate::workspace::Workspace;

#[test]
fn two_folders_and_other_thread_counts_give_the_same_bytes() {
    let yaml = STUDY.replace("models: {majority: {}, logistic: {}}", "models: {logistic: {}, rbf_svm: {}, random_forest: {trees: 8}, boosting: {rounds: 5}}")
        .replace("    batch_size: 32\n", "    batch_size: 32\n    search: {method: random, trials: 3, space: {optimizer.lr: {log_uniform: [1e-3, 1e-1]}}}\n")
        + "  profile: {kind: describe, rows: folds, groups: [artist]}\n  report: {kind: report, title: T, stages: [songs, folds, profile, baseline, fused, predict]}\n";
    let works: Vec<Workspace> = ["1", "2", "3"]
        .iter()
        .map(|threads| {
            let work = Workspace::with_songs().pipeline(&yaml);
            work.run_with(&["-j", threads]).succeeded();
            work
        })
        .collect();
    let files = works[0].files_under("artifacts/study");
    assert!(files.len() > 15, "{files:?}");
    for other in &works[1..] {
        assert_eq!(files, other.files_under("artifacts/study"));
        for file in &files {
            let name = format!("artifacts/study/{}", file.display());
            assert!(works[0].read(&name) == other.read(&name), "{name} differs");
        }
    }
}
