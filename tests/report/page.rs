//! `runner report`: the page with what only the history knows, from results that are there already.

use serde_json::Value;

use crate::studies::STUDY;
use crate::workspace::Workspace;
use crate::workspace::lines;

/// With a report of some stages.
const REPORTED: &str =
    "  report: {kind: report, title: Of genres, author: A. Student, stages: [songs, folds, baseline, fused]}\n";

pub(crate) fn study() -> Workspace {
    let work = Workspace::with_songs().pipeline(&format!("{STUDY}{REPORTED}"));
    work.run().succeeded();
    work
}

#[track_caller]
fn told(work: &Workspace, more: &[&str]) -> String {
    let output = work.runner(&[&["report", "pipeline.yaml"], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a reader sees between the tags.
fn words(html: &str) -> String {
    let body = html.split_once("<body>").expect("a body").1;
    let texts = body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    texts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_changed_stands_with_its_place_in_the_file() {
    let work = study();
    let cached = work.text("artifacts/study/report/report.html");
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml"]), @"
    $ runner report pipeline.yaml
    artifacts/study/page.html [size]
      no earlier run of this pipeline had other results
    ");
    assert!(
        words(&work.text("artifacts/study/page.html")).contains("No earlier run of this pipeline had other results.")
    );
    work.edit("pipeline.yaml", "    epochs: 3\n", "    epochs: 9\n    optimizer: {kind: adamw, lr: 0.2}\n");
    let run = work.run().ran(&["fused", "predict", "report"]);
    let before = lines(&work, &["runs", "--json"])[1]["id"].as_str().expect("an id").to_owned();
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml"]), @"
    $ runner report pipeline.yaml
    artifacts/study/page.html [size]
      compared with the run [run] of [date]
    ");
    let page = words(&work.text("artifacts/study/page.html"));
    let line = work.text("pipeline.yaml").lines().position(|line| line.contains("epochs: 9")).expect("it is there") + 1;
    for told in [
        "Of genres A. Student, 4 stages".to_owned(),
        format!("({before}): 1 stage with another result"),
        "3 as before".to_owned(),
        format!("fused epochs 3 → 9 pipeline.yaml:{line}:13"),
        "optimizer.lr 0.002 → 0.2".to_owned(),
        "Compared with the run of".to_owned(),
    ] {
        assert!(page.contains(&told), "{told}: {page}");
    }
    assert!(!page.contains("predict.csv") && run.list("ran").len() == 3);
    // The artifact itself knows of no run.
    let now = work.text("artifacts/study/report/report.html");
    assert_ne!(now, cached);
    for history in ["Computed on", "Since the run", before.as_str()] {
        assert!(!now.contains(history), "{history}");
    }
}

#[test]
fn then_and_now_are_those_of_compare() {
    let work = study();
    work.run_with(&["--set", "fused.optimizer.lr=0.2", "--set", "fused.epochs=9"]).succeeded();
    told(&work, &["--set", "fused.optimizer.lr=0.2", "--set", "fused.epochs=9", "--out", "deep/page.html"]);
    let page = words(&work.text("deep/page.html"));
    let compared = lines(&work, &["compare", "last~1", "last", "--json", "--flips", "1"]);
    let fused = compared.iter().find(|line| line["b"] == "fused").expect("fused");
    let (test, number) = (&fused["test"], |value: &Value| value.as_f64().expect("a number"));
    for (place, name) in ["accuracy", "macro_f1", "log_loss"].into_iter().enumerate() {
        let score = &test["scores"][place];
        assert_eq!(score["metric"], name);
        let both = format!("{:.3} → {:.3}", number(&score["a"]), number(&score["b"]));
        assert!(page.contains(&both), "{name} {both}: {page}");
    }
    let flipped = number(&test["right_to_wrong"]) + number(&test["wrong_to_right"]);
    assert!(flipped > 0.0 && page.contains("that flipped"), "{page}");
    let title = fused["flips"][0]["texts"]["title"].as_str().expect("a title");
    assert!(page.contains(title), "{title}");
    assert!(page.contains("--set fused.epochs=9"), "where a value comes from the command line");
    // Nothing in it depends on the moment of its making.
    let first = work.read("deep/page.html");
    told(&work, &["--set", "fused.optimizer.lr=0.2", "--set", "fused.epochs=9", "--out", "deep/page.html"]);
    assert!(first == work.read("deep/page.html"), "the same history gives another page");
}

#[test]
fn what_is_out_of_date_is_said_to_be() {
    let work = study();
    work.edit("pipeline.yaml", "    epochs: 3\n", "    epochs: 4\n");
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml"]), @"
    $ runner report pipeline.yaml
    artifacts/study/page.html [size]
      no earlier run of this pipeline had other results
      ! out of date: fused (`runner run pipeline.yaml` brings them up to date)
    ");
    let page = words(&work.text("artifacts/study/page.html"));
    assert!(page.contains("1 stage is out of date"), "{page}");
    assert!(
        page.contains("Out of date: the pipeline file as it is now asks for another result. epochs 3 → 4"),
        "{page}"
    );
}

#[test]
fn any_run_can_be_held_against_and_any_stages_told_of() {
    let work = study();
    for epochs in ["4", "5"] {
        work.run_with(&["--set", &format!("fused.epochs={epochs}")]).succeeded();
    }
    told(&work, &["--set", "fused.epochs=5", "--against", "last~2"]);
    let page = words(&work.text("artifacts/study/page.html"));
    assert!(page.contains("epochs 3 → 5"), "{page}");
    // Without a report stage all stages are told of, under the pipeline's name.
    work.edit("pipeline.yaml", REPORTED, "");
    told(&work, &["--set", "fused.epochs=5"]);
    let page = words(&work.text("artifacts/study/page.html"));
    assert!(page.contains("study 6 stages") && page.contains("epochs 4 → 5"), "{page}");
}

#[test]
fn wrong_wishes_are_answered() {
    let work = study();
    let twice = format!("{REPORTED}{}", REPORTED.replace("report:", "again:"));
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml", "--against", "last~9"]), @"
    $ runner report pipeline.yaml --against last~9
    error: no run 'last~9' (`runner runs` lists them; `last`, `last~1` … count back from the newest of 1)
    [exit code 2]
    ");
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml", "fused"]), @"
    $ runner report pipeline.yaml fused
    error: 'fused' is a stage of kind 'train', not 'report'
    [exit code 2]
    ");
    work.edit("pipeline.yaml", REPORTED, &twice);
    insta::assert_snapshot!(work.screen(&["report", "pipeline.yaml"]), @"
    $ runner report pipeline.yaml
    error: the pipeline has several reports: name one of report, again
    [exit code 2]
    ");
    let new = Workspace::with_songs().pipeline(STUDY);
    insta::assert_snapshot!(new.screen(&["report", "pipeline.yaml"]), @"
    $ runner report pipeline.yaml
    error: no stage has a result yet (`runner run pipeline.yaml`)
    [exit code 1]
    ");
}

#[test]
fn a_value_that_reaches_several_stages_is_told_once() {
    let work = study();
    work.run_with(&["--set", "seed=4"]).succeeded();
    told(&work, &["--set", "seed=4"]);
    let page = words(&work.text("artifacts/study/page.html"));
    let summary = page.split_once("What was changed; the rest follows from it").expect("a table").1;
    let summary = summary.split_once(" stages ").map_or(summary, |(table, _)| table);
    assert!(summary.contains("folds, baseline, fused seed 3 → 4"), "{summary}");
    assert_eq!(
        page.matches("seed 3 → 4").count(),
        4,
        "once in the summary, and in the panel of each of the three: {page}"
    );
}
