//! A study that another pipeline includes is the same study; what of it does not hold is said.

use super::accepted;
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
    insta::assert_snapshot!(work("seed: 2\n").screen(&["plan", "pipeline.yaml"]), @"
    $ runner plan pipeline.yaml
      rows   run    no result yet
      folds  run    no result yet; 'rows' runs before it
      net    run    no result yet; 'folds' runs before it
      new    run    no result yet
      pred   run    no result yet; 'net' runs before it; 'new' runs before it

    5 to run, 0 to restore, 0 fresh
    [standard error]
    warning: the seed of 'study.yaml' does not hold here: its stages draw by this one, and its models are others
     --> pipeline.yaml:3:7
      |
    3 | seed: 2
      |       ^
     ::: study.yaml:2:7
      |
    2 | seed: 1
      |       - the seed there
      = help: leave `seed` out to use the models of that file; `seed` on a stage is that stage's own
    ");
    insta::assert_snapshot!(work("vars: {size: 8}\n").screen(&["plan", "pipeline.yaml"]), @"
    $ runner plan pipeline.yaml
      rows   run    no result yet
      folds  run    no result yet; 'rows' runs before it
      net    run    no result yet; 'folds' runs before it
      new    run    no result yet
      pred   run    no result yet; 'net' runs before it; 'new' runs before it

    5 to run, 0 to restore, 0 fresh
    [standard error]
    warning: the value of variable 'size' in 'study.yaml' does not hold here: this one does
     --> pipeline.yaml:3:8
      |
    3 | vars: {size: 8}
      |        ^^^^
     ::: study.yaml:3:8
      |
    3 | vars: {size: 4}
      |        ---- the value there
      = help: give this variable another name if the stages of that file shall keep theirs
    ");
    insta::assert_snapshot!(work("").screen(&["plan", "pipeline.yaml", "--set", "seed=3"]), @"
    $ runner plan pipeline.yaml --set seed=3
      rows   run    no result yet
      folds  run    no result yet; 'rows' runs before it
      net    run    no result yet; 'folds' runs before it
      new    run    no result yet
      pred   run    no result yet; 'net' runs before it; 'new' runs before it

    5 to run, 0 to restore, 0 fresh
    [standard error]
    warning: the seed of 'study.yaml' does not hold here: its stages draw by this one, and its models are others
     --> command line
      |
      | --set seed=3
      |            ^
     ::: study.yaml:2:7
      |
    2 | seed: 1
      |       - the seed there
      = help: leave `seed` out to use the models of that file; `seed` on a stage is that stage's own
    ");
    for same in ["seed: 1\n", "vars: {size: 4}\n"] {
        assert_eq!(accepted(&work(same)), "");
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
