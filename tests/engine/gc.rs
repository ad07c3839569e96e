//! `runner gc`: old results go with their runs; kept, pinned and placed ones stay.

use serde_json::Value;

use crate::studies::SHORT;
use crate::studies::STUDY;
use crate::workspace::Workspace;
use crate::workspace::lines;

fn gc(work: &Workspace, more: &[&str]) -> Value {
    let mut arguments = vec!["gc", "--json", "--grace", "0s"];
    arguments.extend(more);
    lines(work, &arguments).pop().expect("a line")
}

/// Three runs with 3, 4 and 5 folds; the last one is in place.
fn three_runs() -> Workspace {
    let work = Workspace::with_songs().pipeline(SHORT);
    work.run().ran(&["songs", "folds"]);
    for folds in [4, 5] {
        work.edit("pipeline.yaml", &format!("folds: {}", folds - 1), &format!("folds: {folds}"));
        work.run().ran(&["folds"]);
    }
    work
}

#[test]
fn a_dry_run_tells_what_the_real_one_does() {
    let work = three_runs();
    let before = work.files_under("artifacts");
    let planned = gc(&work, &["--keep", "1", "--dry-run"]);
    assert_eq!((&planned["runs"], &planned["records"]), (&2.into(), &2.into()), "{planned}");
    assert!(planned["bytes"].as_u64().expect("bytes") > 1000 && planned["dry_run"] == true);
    assert_eq!(work.files_under("artifacts"), before);
    let done = gc(&work, &["--keep", "1"]);
    assert_eq!(
        (&done["runs"], &done["records"], &done["blobs"]),
        (&planned["runs"], &planned["records"], &planned["blobs"])
    );
    assert_eq!(lines(&work, &["runs", "--json"]).len(), 1);
    work.run().ran(&[]);
    work.edit("pipeline.yaml", "folds: 5", "folds: 4");
    work.run().ran(&["folds"]);
    assert_eq!(gc(&work, &["--keep", "9"])["records"], 0);
}

#[test]
fn kept_and_pinned_runs_can_be_gone_back_to() {
    let work = three_runs();
    assert!(work.runner(&["runs", "pin", "last~2"]).status.success());
    let done = gc(&work, &["--keep", "1"]);
    assert_eq!((&done["runs"], &done["records"]), (&1.into(), &1.into()), "{done}");
    work.edit("pipeline.yaml", "folds: 5", "folds: 3");
    work.run().ran(&[]).restored(&["folds"]);
    work.edit("pipeline.yaml", "folds: 3", "folds: 4");
    work.run().ran(&["folds"]);
}

#[test]
fn the_grace_keeps_what_is_young() {
    let work = three_runs();
    let told = lines(&work, &["gc", "--json", "--keep", "0"]).pop().expect("a line");
    assert_eq!((&told["runs"], &told["records"], &told["bytes"]), (&0.into(), &0.into(), &0.into()), "{told}");
    insta::assert_snapshot!(work.screen(&["gc"]), @"
    $ runner gc
    nothing to remove; kept runs: 3
    ");
}

#[test]
fn a_plan_forecasts_what_the_last_run_took() {
    let work = three_runs();
    work.edit("pipeline.yaml", "folds: 5", "folds: 6");
    let told = lines(&work, &["plan", "pipeline.yaml", "--json"]);
    assert_eq!((&told[0]["stage"], &told[0]["status"]), (&"songs".into(), &"fresh".into()));
    assert!(told[0]["seconds"].is_null() && told[1]["seconds"].as_f64().expect("seconds") > 0.0, "{told:?}");
    #[cfg(target_os = "linux")]
    assert!(told[1]["memory"].as_u64().expect("bytes") > 1_000_000, "{told:?}");
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]), @"
    $ runner plan pipeline.yaml
      songs  fresh
      folds  run    took [time]  folds 5 → 6 (pipeline.yaml:5:62)

    1 to run, 0 to restore, 1 fresh; 1 timed with other parameters only
    ");
    assert_eq!(told[1]["basis"], "other_parameters");
    let text = work.screen(&["explain", "pipeline.yaml", "folds"]);
    insta::assert_snapshot!(text.split("\nkey").next().expect("a head"), @"
    $ runner explain pipeline.yaml folds
    folds must run
      • folds 5 → 6 (pipeline.yaml:5:62)
      with other parameters it took [time], [size]
    ");
    // A stage that never ran is like the last one of its kind.
    work.edit("pipeline.yaml", "  folds:", "  parts:");
    let told = lines(&work, &["plan", "pipeline.yaml", "--json"]);
    assert!(told[1]["stage"] == "parts" && told[1]["seconds"].as_f64().expect("seconds") > 0.0, "{told:?}");
    assert_eq!(told[1]["basis"], "kind");
    // But another stage's time is not its own.
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]), @"
    $ runner plan pipeline.yaml
      songs  fresh
      parts  run      no result yet

    1 to run, 0 to restore, 1 fresh
    ");
}

#[test]
fn a_forecast_grows_with_the_epochs() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run_with(&["fused"]).succeeded();
    let forecast = |set: &str| {
        let told = lines(&work, &["plan", "pipeline.yaml", "fused", "--set", set, "--json"]);
        let fused = told.into_iter().find(|line| line["stage"] == "fused").expect("the stage");
        (fused["basis"].as_str().expect("a basis").to_owned(), fused["seconds"].as_f64().expect("seconds"))
    };
    let (basis, then) = forecast("fused.batch_size=16");
    assert_eq!(basis, "other_parameters");
    let (basis, now) = forecast("fused.epochs=30");
    assert_eq!(basis, "in_proportion");
    assert!((now / then - 10.0).abs() < 1e-6, "{then} s of 3 epochs, {now} s of 30");
    let plan = ["plan", "pipeline.yaml", "fused", "--set", "fused.epochs=30"];
    insta::assert_snapshot!(work.screen(&plan), @"
    $ runner plan pipeline.yaml fused --set fused.epochs=30
      songs   fresh
      folds   fresh
      titles  fresh
      fused   run    ≈ [time]  epochs 3 → 30 (--set fused.epochs=30)

    1 to run, 0 to restore, 3 fresh; about [time], [size]
    ");
    // With something else beside it, it is no proportion of anything.
    insta::assert_snapshot!(work.screen(&[&plan[..], &["--set", "fused.batch_size=16"]].concat()), @"
    $ runner plan pipeline.yaml fused --set fused.epochs=30 --set fused.batch_size=16
      songs   fresh
      folds   fresh
      titles  fresh
      fused   run    took [time]  batch_size 32 → 16 (--set fused.batch_size=16); epochs 3 → 30 (--set fused.epochs=30)

    1 to run, 0 to restore, 3 fresh; 1 timed with other parameters only
    ");
}
