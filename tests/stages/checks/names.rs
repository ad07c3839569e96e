//! Names that become files and folders are refused by `plan`, all at once, each at its place.

use super::{errors, refused};
use crate::workspace::Workspace;

#[test]
fn every_name_that_some_disk_cannot_hold_is_refused_at_its_place() {
    let long = "p".repeat(250);
    let yaml = format!(
        r#"name: con
stages:
  s:
    kind: load
    files: {{"../x": songs.csv, ".": songs.csv, "": songs.csv, 'a\b': songs.csv, "a:b": songs.csv, nul: songs.csv, "{long}": songs.csv, One: songs.csv, one: songs.csv, ROWS: songs.csv}}
  aux: {{kind: load, files: {{a: songs.csv}}}}
  Twin: {{kind: load, files: {{a: songs.csv}}}}
  twin: {{kind: load, files: {{a: songs.csv}}}}
  c:
    kind: command
    run: [cat, "{{out}}/x"]
    outputs: {{a: t.arrow, b: [x.txt, a.arrow], d: X.txt, e: "end.", "{long}": u.arrow}}
  b: {{kind: bundle, name: "p.csv/", stages: [s, c], files: {{readme.md: songs.csv, C: songs.csv, ok.txt: songs.csv}}}}
"#
    );
    let work = Workspace::with_songs().pipeline(&yaml);
    let text = refused(&work);
    let cut = format!("'{}…' cannot be the name of a file: it has 256 bytes with '.arrow'", "p".repeat(40));
    let expected = [
        "'con' cannot be the name of a file: it is a device of Windows",
        "'../x' cannot be the name of a file: it holds '/'",
        "'.' cannot be the name of a file: it means a folder",
        "'' cannot be the name of a file: it is empty",
        "'a\\b' cannot be the name of a file: it holds '\\'",
        "'a:b' cannot be the name of a file: it holds ':', which Windows does not allow",
        "'nul' cannot be the name of a file: it is a device of Windows",
        &cut,
        "'one' cannot be the name of a file: 'One.arrow' is the same file on many disks",
        "'ROWS' cannot be the name of a file: 'rows.arrow' is the same file on many disks",
        "'aux' cannot be the name of a file: it is a device of Windows",
        "'twin' cannot be the name of a file: 'Twin' is the same file on many disks",
        "'a.arrow' cannot be the name of a file: it is taken",
        "the file 'X.txt' is named twice",
        "'end.' cannot be the name of a file: it ends with '.', which Windows drops",
        "'p.csv/' cannot be the name of a file: it holds '/'",
        "'readme.md' cannot be the name of a file: 'README.md' is the same file on many disks",
        "'C' cannot be the name of a file: 'c' is the same file on many disks",
    ];
    let found = errors(&text).len();
    let mut all = in_process(&work);
    let told = all.len();
    // That they are all one file is another mistake.
    all.retain(|(message, _)| !message.contains("is the same file as"));
    for message in expected {
        assert!(all.iter().any(|(found, _)| found == message), "'{message}' is not in {all:#?}");
    }
    assert!(all.iter().all(|(_, place)| place.contains("pipeline.yaml:")), "{all:#?}");
    assert_eq!(all.len(), expected.len() + 1, "the long name is refused at two ports: {all:#?}");
    // At most so many are shown in full.
    assert_eq!(found, told.min(50), "{text}");
}

/// Every message of `plan` with its place.
fn in_process(work: &Workspace) -> Vec<(String, String)> {
    use runner::engine::Plan;
    use runner::{spec, stages};
    let text = work.text("pipeline.yaml").replace("songs.csv", &work.path().join("songs.csv").display().to_string());
    let further = |rest| Plan::new(rest, stages::registry()).err().map(|found| found.list).unwrap_or_default();
    let found = spec::parse("pipeline.yaml", &text, &[]).map_err(|problems| problems.with_rest(further));
    let found = found.and_then(|spec| Plan::new(spec, stages::registry())).err().expect("refused");
    let place = |problem: &spec::Problem| problem.span.map(|span| found.sources.location(span)).unwrap_or_default();
    found.list.iter().map(|problem| (problem.message.clone(), place(problem))).collect()
}

#[test]
fn names_of_instances_are_checked_as_those_of_stages() {
    let long = "v".repeat(260);
    let yaml = format!(
        "stages:\n  s: {{kind: load, files: {{a: songs.csv}}, matrix: {{x: [{long}]}}}}\n  t: {{kind: load, files: {{a: songs.csv}}, matrix: {{x: [One, one]}}, as: \"t-${{x}}\"}}\n  u: {{kind: load, files: {{a: songs.csv}}, matrix: {{x: [1]}}, as: \"end.\"}}\n"
    );
    insta::assert_snapshot!(refused(&Workspace::with_songs().pipeline(&yaml)), @r#"
    error: 's@x=vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv…' cannot be the name of a file: it has 264 bytes
     --> pipeline.yaml:2:3
      |
    2 |   s: {kind: load, files: {a: songs.csv}, matrix: {x: [vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv…
      |   ^
      = help: choose a shorter one: a file's name has at most 255 bytes

    error: 't-one' cannot be the name of a file: 't-One' is the same file on many disks
     --> pipeline.yaml:3:71
      |
    3 |   t: {kind: load, files: {a: songs.csv}, matrix: {x: [One, one]}, as: "t-${x}"}
      |                                                                       ^^^^^^^^
      = help: choose another name: upper and lower case, and the ways to write an accent, are the same
              on many disks

    error: 'end.' cannot be the name of a file: it ends with '.', which Windows drops
     --> pipeline.yaml:4:64
      |
    4 |   u: {kind: load, files: {a: songs.csv}, matrix: {x: [1]}, as: "end."}
      |                                                                ^^^^^^
      = help: choose letters, digits, '-' and '_'
    "#);
}

/// A survey's columns are whole questions; their figures have short names of their own.
#[test]
fn columns_with_names_of_any_length_and_script_are_described_and_reported() {
    let latin = format!("How often did you {}much", "very ".repeat(56));
    let twin = format!("{}k", &latin[..latin.len() - 1]);
    let other = "日本語の質問です".repeat(12);
    let mut csv = format!("{latin},{twin},{other},Tempo,tempo,nul,y\n");
    for i in 0..80 {
        csv.push_str(&format!(
            "{}.{},{},{}.5,{},{},{},{}\n",
            i % 7,
            i % 10,
            i % 11,
            i % 5,
            i % 13,
            i % 3,
            i % 4,
            ["p", "q"][i % 2]
        ));
    }
    let numeric = [latin.as_str(), &twin, &other, "Tempo", "tempo", "nul"];
    let numeric = serde_json::to_string(&numeric).expect("JSON");
    let yaml = format!(
        "name: p\nseed: 3\nstages:\n  rows: {{kind: load, files: {{all: t.csv}}, label: y}}\n  folds: {{kind: split, rows: rows, folds: 2}}\n  profile: {{kind: describe, rows: folds}}\n  base: {{kind: baseline, rows: folds, numeric: {numeric}, models: {{logistic: {{}}, tree: {{}}}}}}\n  report: {{kind: report, title: T, stages: [rows, folds, profile, base]}}\n"
    );
    let work = Workspace::new().file("t.csv", &csv).pipeline(&yaml);
    work.run().succeeded();
    for folder in ["artifacts/p/profile", "artifacts/p/report"] {
        let names: Vec<String> = work.files_under(folder).iter().map(|path| path.display().to_string()).collect();
        assert!(names.iter().all(|name| name.rsplit('/').next().is_some_and(|name| name.len() < 120)), "{names:#?}");
        let distinct: std::collections::BTreeSet<String> = names.iter().map(|name| name.to_uppercase()).collect();
        assert_eq!(distinct.len(), names.len(), "{names:#?}");
        assert!(names.len() > 6, "{names:#?}");
    }
}
