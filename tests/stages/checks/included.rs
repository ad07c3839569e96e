//! A study that another pipeline includes is the same study; what of it does not hold is said.

use crate::workspace::Workspace;

const MODEL: &str = "name: study
seed: 1
vars: {size: 4}
stages:
  rows: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: rows, folds: 2}
  net: {kind: train, rows: folds, numeric: [tempo], epochs: 2, network: {trunk: {layers: [\"${size}\"]}}}
";

fn work(head: &str) -> Workspace {
    let using = format!(
        "name: use\ninclude: study.yaml\n{head}stages:\n  new: {{kind: load, files: {{n: songs.csv}}, label: genre}}\n  pred: {{kind: predict, model: net, rows: new, file: o.csv}}\n"
    );
    Workspace::with_songs().file("study.yaml", MODEL).pipeline(&using)
}

#[test]
fn the_model_of_an_included_study_is_used_and_not_trained_anew() {
    let work = work("");
    assert!(work.runner(&["run", "study.yaml"]).status.success());
    let run = work.run().ran(&["new", "pred"]).restored(&["folds", "net", "rows"]);
    assert_eq!(run.stderr, "", "nothing to warn of");
    let model = |folder: &str| work.read(&format!("artifacts/{folder}/net/model.safetensors"));
    assert_eq!(model("study"), model("use"));
}

#[test]
fn another_seed_and_other_variables_hold_and_are_announced() {
    for (head, set, expected) in [
        ("seed: 2\n", None, Some("warning: the seed of 'study.yaml' does not hold here")),
        ("seed: 1\n", None, None),
        ("vars: {size: 8}\n", None, Some("warning: the value of variable 'size' in 'study.yaml' does not hold here")),
        ("vars: {size: 4}\n", None, None),
        ("", Some("seed=3"), Some("warning: the seed of 'study.yaml' does not hold here")),
    ] {
        let work = work(head);
        let mut arguments = vec!["plan", "pipeline.yaml"];
        arguments.extend(set.into_iter().flat_map(|set| ["--set", set]));
        let output = work.runner(&arguments);
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(output.status.success(), "{text}");
        match expected {
            Some(expected) => assert!(text.contains(expected), "{head}: {text}"),
            None => assert_eq!(text, "", "{head}"),
        }
    }
}

/// Of several files that say a seed the outermost holds.
#[test]
fn the_outermost_seed_holds() {
    let work = Workspace::with_songs()
        .file("inner.yaml", "seed: 5\nstages:\n  rows: {kind: load, files: {all: songs.csv}, label: genre}\n  folds: {kind: split, rows: rows}\n")
        .file("middle.yaml", "include: inner.yaml\nseed: 6\nstages:\n  other: {kind: split, rows: rows}\n")
        .pipeline("include: middle.yaml\nstages:\n  own: {kind: split, rows: rows}\n");
    let seed = |stage: &str| {
        let output = work.runner(&["explain", "pipeline.yaml", stage]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let line = text.lines().find(|line| line.contains("seed")).unwrap_or_default();
        line.split_whitespace().find_map(|word| word.parse::<u64>().ok())
    };
    work.run().succeeded();
    assert_eq!((seed("folds"), seed("other"), seed("own")), (Some(6), Some(6), Some(0)));
}
