//! The other commands, as a user types them.

use crate::studies::STUDY;
use crate::workspace::Workspace;

fn said(work: &Workspace, arguments: &[&str]) -> String {
    let output = work.runner(arguments);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[test]
fn plan_and_explain_name_old_and_new_value() {
    let work = Workspace::with_songs().pipeline(STUDY);
    let text = said(&work, &["plan", "pipeline.yaml"]);
    assert!(text.contains("no result yet") && text.contains("6 to run"), "{text}");
    assert!(!work.exists("artifacts"), "a plan changes nothing");
    work.run().succeeded();
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 5");
    let text = said(&work, &["plan", "pipeline.yaml"]);
    assert!(text.contains("epochs 3 → 5 (pipeline.yaml:32:13)"), "{text}");
    let text = said(&work, &["explain", "pipeline.yaml", "fused"]);
    assert!(text.contains("must run") && text.contains("epochs 3 → 5") && text.contains("params.network"), "{text}");
    let text = said(&work, &["explain", "pipeline.yaml", "songs"]);
    assert!(text.contains("is fresh"), "{text}");
}

#[test]
fn show_prints_scores_tables_and_curves() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let text = said(&work, &["show", "pipeline.yaml", "fused"]);
    assert!(text.contains("accuracy") && text.contains("Curves") && text.contains("fused.model"), "{text}");
    let text = said(&work, &["show", "pipeline.yaml", "songs.rows"]);
    assert!(text.contains("tempo") && text.contains("240 rows"), "{text}");
    let text = said(&work, &["show", "pipeline.yaml", "baseline"]);
    assert!(text.contains("logistic") && text.contains("time to fit"), "{text}");
    let output = work.runner(&["show", "pipeline.yaml", "fusde"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean 'fused'?"));
}

#[test]
fn graph_speaks_three_languages() {
    let work = Workspace::with_songs().pipeline(STUDY);
    assert!(said(&work, &["graph", "pipeline.yaml"]).contains("← folds.rows, titles.rows"));
    assert!(said(&work, &["graph", "pipeline.yaml", "--format", "mermaid"]).starts_with("graph TD"));
    assert!(said(&work, &["graph", "pipeline.yaml", "--format", "dot"]).contains("digraph"));
}

#[test]
fn init_makes_a_study_that_runs_and_keeps_what_is_there() {
    let work = Workspace::new();
    said(&work, &["init"]);
    let text = said(&work, &["plan", "pipelines/quick.yaml"]);
    assert!(text.contains("7 to run"), "{text}");
    work.write("pipelines/quick.yaml", b"mine");
    let output = work.runner(&["init"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(work.text("pipelines/quick.yaml"), "mine");
    said(&work, &["init", "--overwrite"]);
    assert_ne!(work.text("pipelines/quick.yaml"), "mine");
    // Of each pipeline that the README names.
    let readme = include_str!("../../README.md");
    let named = readme.split("pipelines/").skip(1).filter_map(|rest| Some(rest.split_once(".yaml")?.0));
    let named: std::collections::BTreeSet<&str> =
        named.filter(|name| name.chars().all(char::is_alphanumeric)).collect();
    assert!(named.len() > 4, "{named:?}");
    for name in named {
        said(&work, &["plan", &format!("pipelines/{name}.yaml")]);
    }
}

#[test]
fn a_loaded_table_is_shown_once() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    let text = said(&work, &["show", "pipeline.yaml", "songs"]);
    assert_eq!(text.matches("row_id  source").count(), 1, "{text}");
}

#[test]
fn wrong_command_lines_exit_with_two() {
    let work = Workspace::with_songs().pipeline(STUDY);
    for arguments in [
        &["run", "pipelin.yaml"][..],
        &["run", "pipeline.yaml", "fold"],
        &["run", "pipeline.yaml", "--set", "fusde.epochs=3"],
        &["run", "pipeline.yaml", "--set", "fused.epochs=many"],
        &["frobnicate"],
    ] {
        let output = work.runner(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
