//! What the declared types, the names of files and the parts of a split say of conditions and of columns to learn from, before anything runs.

use super::{BETWEEN, accepted, each_refused};
use crate::workspace::Workspace;

const HEAD: &str = "name: p
stages:
  songs: {kind: load, files: {all: songs.csv, more: more.csv}, label: genre, types: {tempo: number, artist: text}, derive: {loud: {log_of: energy}}}
  folds: {kind: split, rows: songs, folds: 2}
  net: {kind: train, rows: folds, numeric: [tempo], epochs: 1}
";

fn work(stages: &str) -> Workspace {
    let work = Workspace::with_songs().pipeline(&format!("{HEAD}{stages}\n"));
    work.write("more.csv", &work.read("songs.csv"));
    work
}

/// What is said of each of these stages below the others.
#[track_caller]
fn said(stages: &[&str]) -> String {
    each_refused(stages.iter().map(|stage| work(stage)))
}

#[track_caller]
fn is_fine(stage: &str) {
    accepted(&work(stage));
}

#[test]
fn conditions_that_leave_nothing_of_a_part_that_is_needed() {
    let net = "  own: {kind: train, rows: folds, numeric: [tempo], epochs: 1, where: ";
    is_fine(&format!("{net}{{part: [train, valid]}}}}"));
    is_fine(&format!("{net}{{fold: {{not: 1}}}}}}"));
    let baseline = "  own: {kind: baseline, rows: folds, numeric: [tempo], models: {majority: {}}, where: ";
    is_fine(&format!("{baseline}{{part: train}}}}"));
    let inspect = "  own: {kind: inspect, model: net, rows: folds, part: test, where: ";
    let transfer = "  own: {kind: transfer, model: net, rows: folds, where: ";
    is_fine("  own: {kind: describe, rows: folds, where: {part: test}}");
    insta::assert_snapshot!(said(&[
        &format!("{net}{{part: train}}}}"),
        &format!("{net}{{fold: 1}}}}"),
        &format!("{net}{{part: {{not: train}}}}}}"),
        &format!("{net}{{part: trian}}}}"),
        &format!("{net}{{part: train, fold: 2}}}}"),
        &format!("{baseline}{{part: [valid, test]}}}}"),
        &format!("{inspect}{{part: valid}}}}"),
        &format!("{transfer}{{part: train}}}}"),
        "  own: {kind: describe, rows: folds.train, where: {part: test}}",
    ]));
}

#[test]
fn parts_where_there_are_none_yet() {
    insta::assert_snapshot!(said(&[
        "  own: {kind: split, rows: songs, where: {part: train}}",
        "  own: {kind: describe, rows: songs, where: {part: train}}",
        "  own: {kind: load, files: {all: songs.csv}, where: {part: train}}",
    ]));
}

#[test]
fn conditions_on_files() {
    is_fine("  own: {kind: load, files: {all: songs.csv}, where: {source: {not: more}}}");
    is_fine("  own: {kind: describe, rows: songs, where: {source: [more, others]}}");
    insta::assert_snapshot!(said(&[
        "  own: {kind: load, files: {all: songs.csv}, where: {source: al}}",
        "  own: {kind: describe, rows: songs, where: {source: alll}}",
        "  own: {kind: describe, rows: songs.more, where: {source: all}}",
    ]));
}

#[test]
fn conditions_of_another_type_than_their_column() {
    let mut said = Vec::new();
    for stage in [
        "  own: {kind: describe, rows: songs, where: ",
        "  own: {kind: train, rows: folds, numeric: [tempo], epochs: 1, where: ",
        "  own: {kind: load, files: {all: songs.csv}, label: genre, types: {tempo: number, artist: text}, derive: {loud: {log_of: energy}}, where: ",
    ] {
        said.push(self::said(&[
            &format!("{stage}{{tempo: fast}}}}"),
            &format!("{stage}{{artist: {{min: 3}}}}}}"),
            &format!("{stage}{{genre: {{max: 3}}}}}}"),
            &format!("{stage}{{loud: {{min: soft}}}}}}"),
            &format!("{stage}{{line: first}}}}"),
        ]));
        is_fine(&format!("{stage}{{tempo: {{min: 90}}, genre: [rock, rap], line: {{max: 100000}}}}}}"));
    }
    said.push(self::said(&["  own: {kind: describe, rows: folds, where: {fold: first}}"]));
    insta::assert_snapshot!(said.join(BETWEEN));
    // A column of the user's of the same name is the user's.
    let own = Workspace::new()
        .file("rows.csv", "part,a,y\nx,1,p\ny,2,q\n")
        .pipeline("name: p\nstages:\n  rows: {kind: load, files: {all: rows.csv}, label: y}\n  own: {kind: describe, rows: rows, where: {part: x}}\n");
    accepted(&own);
}

#[test]
fn texts_as_numbers() {
    // Undeclared, it is a matter of its values.
    is_fine("  own: {kind: train, rows: folds, numeric: [id], epochs: 1}");
    insta::assert_snapshot!(said(&[
        "  own: {kind: train, rows: folds, numeric: [artist, tempo], epochs: 1}",
        "  own: {kind: baseline, rows: folds, numeric: [tempo, artist]}",
        "  own: {kind: load, files: {all: songs.csv}, types: {artist: text}, derive: {x: {log_of: artist}}}",
        "  own: {kind: load, files: {all: songs.csv}, label: genre, derive: {x: {sin_of: genre, period: 2}}}",
    ]));
}

/// Both lack the same key: two places, and nothing about what follows from it.
#[test]
fn a_key_that_two_stages_lack_is_one_line_for_each() {
    insta::assert_snapshot!(said(&[
        "  one: {kind: predict, model: net, rows: songs}\n  two: {kind: predict, model: net, rows: songs.more}",
    ]));
}
