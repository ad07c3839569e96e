//! One mistake gives one message, wherever its consequences are; whole outputs of `plan`.

use super::{each_refused, refused};
use crate::studies::STUDY;
use crate::workspace::Workspace;

#[track_caller]
fn said(yaml: &str) -> String {
    refused(&Workspace::with_songs().pipeline(yaml))
}

const STAGES: &str = "stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
";

#[test]
fn a_column_that_is_missing_is_told_once_with_all_places() {
    let yaml = format!(
        "{STAGES}  base: {{kind: baseline, rows: folds, numeric: [tempo, engery], models: {{tree: {{}}}}}}
  net: {{kind: train, rows: folds, numeric: [engery, tempi]}}
  map: {{kind: map, rows: folds, numeric: [engery], show: [engery]}}
  look: {{kind: describe, rows: songs, drop: [engery]}}
"
    );
    insta::assert_snapshot!(said(&yaml), @"
    error: no column 'engery' in 'folds' (did you mean 'energy'?)
     --> pipeline.yaml:4:56
      |
    4 |   base: {kind: baseline, rows: folds, numeric: [tempo, engery], models: {tree: {}}}
      |                                                        ^^^^^^
      = note: also at pipeline.yaml:5:45, pipeline.yaml:6:43, pipeline.yaml:6:59, pipeline.yaml:7:46
      = help: it has id, title, artist, tempo, energy, genre

    error: no column 'tempi' in 'folds' (did you mean 'tempo'?)
     --> pipeline.yaml:5:53
      |
    5 |   net: {kind: train, rows: folds, numeric: [engery, tempi]}
      |                                                     ^^^^^
    ");
}

#[test]
fn a_variable_or_stage_that_is_not_there_is_told_once() {
    let yaml = format!(
        "vars: {{data: x}}\n{STAGES}  a: {{kind: split, rows: sogns, train: \"${{shre}}\", valid: \"${{shre}}\"}}
  b: {{kind: describe, rows: sogns}}
  c: {{kind: describe, rows: sogns.all}}
  d: {{kind: report, title: \"${{shre}}\", stages: [a, b]}}
"
    );
    insta::assert_snapshot!(said(&yaml), @r#"
    error: unknown variable 'shre'
     --> pipeline.yaml:5:41
      |
    5 |   a: {kind: split, rows: sogns, train: "${shre}", valid: "${shre}"}
      |                                         ^^^^^^^
      = note: also at pipeline.yaml:5:59, pipeline.yaml:8:29
      = help: known here: data

    error: no stage 'sogns' (did you mean 'songs'?)
     --> pipeline.yaml:6:29
      |
    6 |   b: {kind: describe, rows: sogns}
      |                             ^^^^^
      = help: stages are songs, folds, b, c

    error: no stage 'sogns.all' (did you mean 'songs.all'?)
     --> pipeline.yaml:7:29
      |
    7 |   c: {kind: describe, rows: sogns.all}
      |                             ^^^^^^^^^
    "#);
}

/// A stage whose kind or parameters are wrong says so itself; what reads from it is not told that it lacks something.
#[test]
fn a_stage_at_fault_draws_nothing_else_in() {
    let works = [
        ("kind: embed", "kind: embbed"),
        ("columns: [title]", "columns: [titel]"),
        // A key that is misspelt is missing as well.
        ("encoder: tfidf", "encodr: tfidf"),
        ("kind: train", "kind: tran"),
        ("kind: load", "kind: laod"),
        ("songs.csv", "sogns.csv"),
    ]
    .map(|(from, to)| {
        let yaml = STUDY.replacen(from, to, 1);
        assert_ne!(yaml, STUDY, "{from}");
        Workspace::with_songs().pipeline(&yaml)
    });
    insta::assert_snapshot!(each_refused(works));
}

#[test]
fn mistakes_in_the_file_and_in_what_it_means_are_told_together() {
    let yaml = format!(
        "{STAGES}  a: {{kind: split, rows: songs, folds: \"${{nope}}\"}}
  b: {{kind: describe, rows: a}}
  c: {{kind: train, rows: folds, numeric: [tempo], epochs: 0}}
"
    );
    insta::assert_snapshot!(said(&yaml), @r#"
    error: unknown variable 'nope'
     --> pipeline.yaml:4:41
      |
    4 |   a: {kind: split, rows: songs, folds: "${nope}"}
      |                                         ^^^^^^^
      = help: define it under `vars`

    error: epochs must be at least 1; got 0
     --> pipeline.yaml:6:59
      |
    6 |   c: {kind: train, rows: folds, numeric: [tempo], epochs: 0}
      |                                                           ^
    "#);
}

#[test]
fn instances_of_a_matrix_share_their_mistakes() {
    let yaml = format!(
        "{STAGES}  a: {{kind: split, rows: songs, matrix: {{n: [2, 3, 4, 5]}}, folds: \"${{n}}\"}}
  b: {{kind: train, matrix: {{n: [1, 2, 3]}}, epochs: \"${{n}}\", numeric: [tempo], optimzer: {{}}}}
"
    );
    insta::assert_snapshot!(said(&yaml), @r#"
    error: stage 'b' lacks its input 'rows': split rows, e.g. a `split` stage
     --> pipeline.yaml:5:3
      |
    5 |   b: {kind: train, matrix: {n: [1, 2, 3]}, epochs: "${n}", numeric: [tempo], optimzer: {}}
      |   ^
      = help: write `rows: STAGE` or `rows: STAGE.PORT`

    error: unknown key 'optimzer' (did you mean 'optimizer'?)
     --> pipeline.yaml:5:78
      |
    5 |   b: {kind: train, matrix: {n: [1, 2, 3]}, epochs: "${n}", numeric: [tempo], optimzer: {}}
      |                                                                              ^^^^^^^^
      = help: keys of 'train' are rows, embeddings, numeric, text, categories, sample_weight, where,
              network, seeds, search, threshold, epochs, batch_size, optimizer, schedule, loss,
              label_smoothing, class_weights, clip_norm, early_stopping, dropout_schedule, average
    "#);
}

/// Mistakes, each of which has further consequences, and what is said of it.
#[test]
fn consequences_of_a_mistake_are_not_mistakes() {
    let net = "  net: {kind: train, rows: folds, numeric: [tempo], epochs: 2}\n";
    let base = "  base: {kind: baseline, rows: folds, numeric: [tempo], models: {logistic: {}, tree: {}}}\n";
    let works = [
        "  own: {kind: train, rows: folds, numeric: [tempi]}\n  look: {kind: inspect, model: own, rows: folds}\n  out: {kind: predict, model: own, rows: songs, file: o.csv}".to_owned(),
        "  own: {kind: train, rows: folds, numeric: [runner.label]}\n  other: {kind: baseline, rows: folds, numeric: [runner.label]}".to_owned(),
        "  own: {kind: train, rows: folds, categories: [genre]}\n  other: {kind: baseline, rows: folds, numeric: [genre]}".to_owned(),
        format!("{net}{base}  new: {{kind: load, files: {{n: wrong.csv}}}}\n  a: {{kind: predict, model: net, rows: new, file: a.csv}}\n  b: {{kind: predict, model: base.tree, rows: new, file: b.csv}}"),
        format!("{net}{base}  all: {{kind: ensemble, members: [net], models: [net, base]}}"),
        "  n t: {kind: train, rows: folds, numeric: [tempo]}\n  out: {kind: predict, model: net, rows: songs, file: o.csv}".to_owned(),
        "  parts: {kind: split, rows: songs, train: 0, valid: 0.5, test: 0.5}\n  own: {kind: train, rows: parts, numeric: [tempo]}".to_owned(),
        "  parts: {kind: split, rows: songs, valid: -0.1}\n  own: {kind: train, rows: parts, numeric: [tempo]}".to_owned(),
        "  parts: {kind: split, rows: songs, train: 80, valid: 10, test: 10}".to_owned(),
        "  a: {kind: train, rows: folds}\n  b: {kind: train, rows: folds}".to_owned(),
        "  own: {kind: train, rows: folds, numeric: [tempo], search: {trials: 3}}".to_owned(),
        "  own: {kind: train, rows: folds, numeric: [tempo], search: {space: {optimizer.lr: {choice: [1], uniform: [1, 2]}}}}".to_owned(),
        "  own: {kind: train, rows: folds, numeric: [tempo], search: {space: {seed: {choice: [1, 2]}}}}".to_owned(),
        "  own: {kind: load, files: {all: songs.csv}, derive: {a: {sin_of: tempo, period: .nan}}}".to_owned(),
        "  own: {kind: load, files: {all: songs.csv}, where: {tempo: {min: .inf}}}".to_owned(),
        "  own: {kind: map, rows: folds, numeric: [tempo], points: 2}".to_owned(),
        "  own: {extends: nope}".to_owned(),
    ]
    .map(|more| Workspace::with_songs().file("wrong.csv", "# c\n1\n").pipeline(&format!("{STAGES}{more}\n")));
    insta::assert_snapshot!(each_refused(works));
    let work = Workspace::new().file("a.csv", "x;y\n1;2\n").file("b.csv", "x;y\n1;2\n");
    let yaml = "stages:\n  rows: {kind: load, files: {a: a.csv, b: b.csv}}\n";
    insta::assert_snapshot!(refused(&work.pipeline(yaml)), @"
    error: a.csv:1: the header is one column, 'x;y' (is the delimiter ';'? write `delimiter: ';'`; if the column is really called so, put its name in quotes in the file)
     --> pipeline.yaml:2:33
      |
    2 |   rows: {kind: load, files: {a: a.csv, b: b.csv}}
      |                                 ^^^^^
      = note: also at pipeline.yaml:2:43
    ");
}

/// Nobody knows what a file that cannot be read would have brought.
#[test]
fn what_a_missing_file_may_hold_is_not_missed() {
    let yaml = format!(
        "include: no.yaml\n{STAGES}  own: {{extends: net, rows: folds, epochs: \"${{epochs}}\"}}\n  out: {{kind: predict, model: other, rows: songs, file: o.csv}}\n"
    );
    insta::assert_snapshot!(said(&yaml), @"
    error: cannot read 'no.yaml': No such file or directory (os error 2)
     --> pipeline.yaml:1:10
      |
    1 | include: no.yaml
      |          ^^^^^^^
      = help: name a pipeline file, e.g. `pipelines/full.yaml`
    ");
    insta::assert_snapshot!(said("include: no.yaml\n"), @"
    error: cannot read 'no.yaml': No such file or directory (os error 2)
     --> pipeline.yaml:1:10
      |
    1 | include: no.yaml
      |          ^^^^^^^
      = help: name a pipeline file, e.g. `pipelines/full.yaml`
    ");
    insta::assert_snapshot!(said(&STAGES.replace("stages:", "stage:")), @"
    error: unknown key 'stage' (did you mean 'stages'?)
     --> pipeline.yaml:1:1
      |
    1 | stage:
      | ^^^^^
      = help: keys of a pipeline are name, seed, metric, positive, costs, include, vars, templates,
              stages
    ");
    let yaml = format!(
        "templates: {{a: {{extends: b, kind: train}}, b: {{extends: a}}}}\n{STAGES}  x: {{extends: a}}\n  y: {{extends: b}}\n"
    );
    insta::assert_snapshot!(said(&yaml), @"
    error: templates extend each other in a circle: a → b → a
     --> pipeline.yaml:1:56
      |
    1 | templates: {a: {extends: b, kind: train}, b: {extends: a}}
      |                                                        ^
     ::: pipeline.yaml:1:13
      |
    1 | templates: {a: {extends: b, kind: train}, b: {extends: a}}
      |             - 'a' is defined here
      = help: one of them must not extend another
    ");
}

/// A key, a template or a column that is not there, and a setting that names nothing, leave all other mistakes to be told, and lead to none.
#[test]
fn what_names_nothing_hides_no_other_mistake() {
    const REST: &str = "  folds: {kind: split, rows: songs, train: 2}
  net: {kind: train, rows: folds, numeric: [temqo], epohcs: 3}
";
    const SONGS: &str = "  songs: {kind: load, files: {all: songs.csv}, label: genre}\n";
    let head = |top: &str| format!("{top}\nstages:\n{SONGS}{REST}");
    let works = [
        head("seeed: 3"),
        head("colours: {a: 1}"),
        // It is read as what was meant.
        format!("{}  spare: {{kind: \"${{k}}\", rows: folds}}\n", head("varz: {k: describe}")),
        head("stages: {}").replace("stages: {}\nstages:", "stagess:"),
        // What it holds may be missed, which is no mistake of its own.
        format!("{}  spare: {{kind: describe, rows: \"${{rows}}\"}}\n", head("constants: {rows: nowhere}")),
        format!("{}  more: {{extends: nett, rows: folds}}\n", head("templates: {net: {kind: train, epochs: many}}")),
        format!("{}  more: {{extends: other, rows: folds, epohcs: 1}}\n", head("templates: {net: {kind: describe}}")),
        format!(
            "stages:\n{}{REST}",
            SONGS.replace("label: genre", "label: gerne, types: {temqo: number}, drop: [year]")
        ),
    ];
    insta::assert_snapshot!(each_refused(works.iter().map(|yaml| Workspace::with_songs().pipeline(yaml))));
    // Settings: each mistake, and those of the file without them.
    let work = Workspace::with_songs().pipeline(&head("vars: {}"));
    let sets = ["nope=1", "tree.k=2", "net.numeric.tempo=1", "no", "folds.train=3"].map(|set| format!("--set={set}"));
    let arguments = ["plan", "pipeline.yaml"].into_iter().chain(sets.iter().map(String::as_str));
    let output = work.runner(&arguments.collect::<Vec<_>>());
    insta::assert_snapshot!(work.stable(&String::from_utf8(output.stderr).expect("UTF-8")));
}
