//! Every screen of a study whole, from the first plan to what is removed in the end.

use crate::screen::without_decimals;
use crate::studies::STUDY;
use crate::workspace::Workspace;

fn done() -> Workspace {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    work
}

#[test]
fn a_first_plan_and_a_first_run() {
    let work = Workspace::with_songs().pipeline(STUDY);
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]), @"
    $ runner plan pipeline.yaml
      songs     run    no result yet
      folds     run    no result yet; 'songs' runs before it
      baseline  run    no result yet; 'folds' runs before it
      titles    run    no result yet; 'songs' runs before it; 'folds' runs before it
      fused     run    no result yet; 'folds' runs before it; 'titles' runs before it
      predict   run    no result yet; 'songs' runs before it; 'titles' runs before it; and 1 more

    6 to run, 0 to restore, 0 fresh
    ");
    assert!(!work.exists("artifacts"), "a plan changes nothing");
    insta::assert_snapshot!(without_decimals(&work.screen(&["run", "pipeline.yaml", "-j", "1"])));
    insta::assert_snapshot!(without_decimals(&work.screen(&["run", "pipeline.yaml", "-j", "1"])));
}

#[test]
fn an_edit_in_the_plan_the_explanation_and_the_graph() {
    let work = done();
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 5");
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]), @"
    $ runner plan pipeline.yaml
      songs     fresh
      folds     fresh
      baseline  fresh
      titles    fresh
      fused     run    ≈ [time]  epochs 3 → 5 (pipeline.yaml:32:13)
      predict   run    ≈ [time]  'fused' runs before it: runs if its output changes

    2 to run, 0 to restore, 4 fresh; about [time], [size]
    ");
    insta::assert_snapshot!(work.screen(&["explain", "pipeline.yaml", "fused"]));
    insta::assert_snapshot!(work.screen(&["explain", "pipeline.yaml", "folds"]), @r#"
    $ runner explain pipeline.yaml folds
    folds is fresh: nothing that it depends on has changed

    key [digest]
      engine                              1
      kind                                split
      version                             [version]
      device                              cpu
      seed                                3
      params.folds                        3
      params.groups.0                     "artist"
      params.label                        null
      params.test                         0.15
      params.train                        0.7
      params.valid                        0.15
      params.where                        {}
      input.rows.0.metadata               [digest]
      input.rows.0.columns.runner.row_id  [digest]
      input.rows.0.columns.runner.source  [digest]
      input.rows.0.columns.runner.line    [digest]
      input.rows.0.columns.runner.record  [digest]
      input.rows.0.columns.id             [digest]
      input.rows.0.columns.title          [digest]
      input.rows.0.columns.artist         [digest]
      input.rows.0.columns.tempo          [digest]
      input.rows.0.columns.energy         [digest]
      input.rows.0.columns.genre          [digest]
    "#);
    insta::assert_snapshot!(work.screen(&["graph", "pipeline.yaml"]), @"
    $ runner graph pipeline.yaml
      ✓ fresh  songs     load
      ✓ fresh  folds     split     ← songs.rows
      ✓ fresh  baseline  baseline  ← folds.rows
      ✓ fresh  titles    embed     ← songs.rows, folds.train
      ● run    fused     train     ← folds.rows, titles.rows
      ● run    predict   predict   ← fused.model, songs.rows, titles.rows

    2 to run, 0 to restore, 4 fresh
    ");
    work.run().succeeded();
    work.edit("pipeline.yaml", "epochs: 5", "epochs: 3");
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]), @"
    $ runner plan pipeline.yaml
      songs     fresh
      folds     fresh
      baseline  fresh
      titles    fresh
      fused     restore    epochs 5 → 3 (pipeline.yaml:32:13)
      predict   restore    'fused' has changed

    0 to run, 2 to restore, 4 fresh
    ");
    insta::assert_snapshot!(work.screen(&["graph", "pipeline.yaml", "--format", "mermaid"]), @r#"
    $ runner graph pipeline.yaml --format mermaid
    graph TD
      s0["songs<br/><i>load</i>"]:::fresh
      s1["folds<br/><i>split</i>"]:::fresh
      s2["baseline<br/><i>baseline</i>"]:::fresh
      s3["titles<br/><i>embed</i>"]:::fresh
      s4["fused<br/><i>train</i>"]:::restore
      s5["predict<br/><i>predict</i>"]:::restore
      s0 --> s1
      s0 --> s3
      s0 --> s5
      s1 --> s2
      s1 --> s3
      s1 --> s4
      s3 --> s4
      s3 --> s5
      s4 --> s5
      classDef fresh fill:#e3f4e6,stroke:#2e7d43,color:#1a1a1a
      classDef restore fill:#dff0fa,stroke:#1f6f9f,color:#1a1a1a
    "#);
    insta::assert_snapshot!(work.screen(&["graph", "pipeline.yaml", "--format", "dot"]), @r##"
    $ runner graph pipeline.yaml --format dot
    digraph pipeline {
      rankdir=LR;
      node [shape=box, fontname="sans-serif"];
      s0 [label="songs\nload", style=filled, fillcolor="#e3f4e6", color="#2e7d43", tooltip="fresh"];
      s1 [label="folds\nsplit", style=filled, fillcolor="#e3f4e6", color="#2e7d43", tooltip="fresh"];
      s2 [label="baseline\nbaseline", style=filled, fillcolor="#e3f4e6", color="#2e7d43", tooltip="fresh"];
      s3 [label="titles\nembed", style=filled, fillcolor="#e3f4e6", color="#2e7d43", tooltip="fresh"];
      s4 [label="fused\ntrain", style=filled, fillcolor="#dff0fa", color="#1f6f9f", tooltip="restore"];
      s5 [label="predict\npredict", style=filled, fillcolor="#dff0fa", color="#1f6f9f", tooltip="restore"];
      s0 -> s1 [label="rows"];
      s0 -> s3 [label="rows"];
      s0 -> s5 [label="rows"];
      s1 -> s2 [label="rows"];
      s1 -> s3 [label="fit"];
      s1 -> s4 [label="rows"];
      s3 -> s4 [label="embeddings"];
      s3 -> s5 [label="embeddings"];
      s4 -> s5 [label="model"];
    }
    "##);
}

/// Names of the user's are shown as they are, and what has no end is cut with its count and the way to the rest.
#[test]
fn names_are_not_rewritten_and_wide_tables_are_bounded() {
    let columns: Vec<String> = (0..300).map(|i| format!("c_{i}")).collect();
    let marked = format!("e{}", "\u{301}".repeat(3000));
    let rows: String = (0..40)
        .map(|i| {
            let numbers: Vec<String> = (0..300).map(|j| ((i + j) % 7 + i % 2 * 9).to_string()).collect();
            format!("{},{marked},{}\n", ["a_b", "__x__"][i % 2], numbers.join(","))
        })
        .collect();
    let yaml = format!(
        "name: study
stages:
  rows: {{kind: load, files: {{all: t.csv}}, label: y}}
  folds: {{kind: split, rows: rows, folds: 2}}
  base: {{kind: baseline, rows: folds, numeric: [{}], models: {{tree: {{}}}}}}
  new: {{kind: predict, model: base.tree, rows: rows, file: p.csv}}
",
        columns.join(", ")
    );
    let work = Workspace::new().file("t.csv", &format!("y,text,{}\n{rows}", columns.join(","))).pipeline(&yaml);
    work.run().succeeded();
    let shown = |arguments: &[&str]| String::from_utf8(work.runner(arguments).stdout).expect("UTF-8");
    let predicted = shown(&["show", "pipeline.yaml", "new"]);
    assert!(predicted.contains("predicted · a_b ") && predicted.contains("predicted · __x__ "), "{predicted}");
    assert!(predicted.contains("mean confidence "), "{predicted}");
    let table = shown(&["show", "pipeline.yaml", "rows.rows"]);
    assert!(table.chars().count() < 20_000, "{} characters", table.chars().count());
    assert!(
        table.contains("; to the right: c_94, c_95, ") && table.contains(" and 176 more (--json has all)"),
        "{table}"
    );
    let json = shown(&["show", "pipeline.yaml", "rows.rows", "--json"]);
    assert!(json.contains(&marked) && json.contains("\"c_299\":"));
    let explained = shown(&["explain", "pipeline.yaml", "base"]);
    assert!(
        explained.contains("params.numeric") && explained.contains("… and 200 more (--all shows them)"),
        "{explained}"
    );
    assert!(explained.contains("params.text"), "what follows a long list is shown: {explained}");
    let all = shown(&["explain", "pipeline.yaml", "base", "--all"]);
    assert!(all.contains("params.numeric.299") && all.contains("input.rows.0.columns.c_299") && !all.contains("more"));
}

/// One after the other, by their names.
#[test]
fn what_is_shown_of_each_stage() {
    let work = done();
    for stage in ["songs", "folds", "baseline", "titles", "fused", "predict"] {
        let screen = work.screen(&["show", "pipeline.yaml", stage]);
        insta::assert_snapshot!(format!("show_{stage}"), without_decimals(&screen));
    }
    insta::assert_snapshot!("show_of_a_port", work.screen(&["show", "pipeline.yaml", "songs.rows"]));
    insta::assert_snapshot!(work.screen(&["show", "pipeline.yaml", "fusde"]), @"
    $ runner show pipeline.yaml fusde
    error: unknown stage 'fusde' (did you mean 'fused'?)
    [exit code 2]
    ");
}

#[test]
fn runs_their_comparison_and_what_becomes_of_them() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run_with(&["-j", "1"]).succeeded();
    let arguments = ["--set", "fused.epochs=9", "--set", "fused.optimizer.lr=0.02", "-j", "1"];
    work.run_with(&arguments).ran(&["fused", "predict"]);
    insta::assert_snapshot!(without_decimals(&work.screen(&["runs"])), @"
    $ runner runs
      run                 when  pipeline  outcome  ran  restored  fresh  time  result
      [run]  [when]  study     done     2    ·         4 [time]  fused: test accuracy #.###, macro-F1 #.### (epoch 8)
      [run]  [when]  study     done     6    ·         · [time]  baseline: logistic: test accuracy #.###, macro-F1 #.###
    ");
    insta::assert_snapshot!(without_decimals(&work.screen(&["runs", "show", "last"])));
    insta::assert_snapshot!(without_decimals(&work.screen(&["compare", "--flips", "2"])));
    let models = ["compare", "baseline/majority", "last:baseline/logistic"];
    insta::assert_snapshot!(without_decimals(&work.screen(&models)));
    insta::assert_snapshot!(work.screen(&["gc", "--dry-run"]), @"
    $ runner gc --dry-run
    nothing to remove; kept runs: 2
    ");
    insta::assert_snapshot!(work.screen(&["gc", "--dry-run", "--keep", "1", "--grace", "0s"]), @"
    $ runner gc --dry-run --keep 1 --grace 0s
    would remove
       1  run              older than those that are kept
       2  results          of stages, which only such runs had
      15  blobs [size]  the files of these results
    would free [size]; 1 run is kept
    ");
    insta::assert_snapshot!(work.screen(&["verify", "pipeline.yaml", "--rerun"]), @"
    $ runner verify pipeline.yaml --rerun
    sound: 45 blobs ([size]), 8 records, 10 memos; readable: 2 runs, 6 notes of what is in the folders
    songs the same bytes
    folds the same bytes
    baseline the same bytes
    titles the same bytes
    fused the same bytes
    predict the same bytes
    6 stages gave the same again
    ");
}

#[test]
fn wrong_names_are_answered_with_the_right_ones() {
    let work = done();
    let screens = [
        &["run", "pipelin.yaml"][..],
        &["run", "pipeline.yaml", "fold"],
        &["run", "pipeline.yaml", "--set", "fusde.epochs=3"],
        &["run", "pipeline.yaml", "--set", "fused.epochs=many"],
        &["frobnicate"],
        &["graph", "pipeline.yaml", "--format", "png"],
        &["gc", "--grace", "soon"],
        &["runs", "show", "last~1"],
        &["compare", "last~1", "last"],
        &["compare", "fused", "numeric"],
        &["compare", "last", "fused"],
        &["compare", "baseline/svm", "fused"],
    ]
    .map(|arguments| work.screen(arguments));
    insta::assert_snapshot!(screens.join("\n"));
}

#[test]
fn help() {
    let work = Workspace::new();
    let commands = work.screen(&["--help"]);
    let names = commands.split_once("Commands:\n").expect("the commands").1;
    let names: Vec<&str> = names
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next().filter(|name| *name != "help"))
        .collect();
    assert!(names.len() > 8, "{commands}");
    insta::assert_snapshot!("help", commands);
    for name in names {
        insta::assert_snapshot!(format!("help_{name}"), work.screen(&[name, "--help"]));
    }
}
