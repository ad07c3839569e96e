//! What the declared types, the names of files and the parts of a split say of conditions and of columns to learn from, before anything runs.

use super::{errors, refused};
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

/// The stage is one mistake, told at line 6 with these words.
#[track_caller]
fn says(stage: &str, expected: &str) {
    let text = refused(&work(stage));
    let found = errors(&text);
    assert!(found.len() == 1 && found[0].contains(expected), "{stage}\n{text}");
    assert!(text.contains("pipeline.yaml:6:"), "{text}");
}

#[track_caller]
fn is_fine(stage: &str) {
    let output = work(stage).runner(&["plan", "pipeline.yaml"]);
    assert!(output.status.success(), "{stage}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn conditions_that_leave_nothing_of_a_part_that_is_needed() {
    let net = "  own: {kind: train, rows: folds, numeric: [tempo], epochs: 1, where: ";
    says(&format!("{net}{{part: train}}}}"), "where: no row of the valid part is left, on which the epoch is chosen");
    says(&format!("{net}{{fold: 1}}}}"), "where: no row of the valid part is left");
    says(
        &format!("{net}{{part: {{not: train}}}}}}"),
        "where: no row of the train part is left, from which networks learn",
    );
    says(&format!("{net}{{part: trian}}}}"), "where: no row can be left by the conditions on `part` and `fold`");
    says(
        &format!("{net}{{part: train, fold: 2}}}}"),
        "where: no row can be left by the conditions on `part` and `fold`",
    );
    is_fine(&format!("{net}{{part: [train, valid]}}}}"));
    is_fine(&format!("{net}{{fold: {{not: 1}}}}}}"));
    let baseline = "  own: {kind: baseline, rows: folds, numeric: [tempo], models: {majority: {}}, where: ";
    says(
        &format!("{baseline}{{part: [valid, test]}}}}"),
        "where: no row of the train part is left, from which models learn",
    );
    is_fine(&format!("{baseline}{{part: train}}}}"));
    let inspect = "  own: {kind: inspect, model: net, rows: folds, part: test, where: ";
    says(&format!("{inspect}{{part: valid}}}}"), "where: no row of the test part is left, which is to be looked at");
    let transfer = "  own: {kind: transfer, model: net, rows: folds, where: ";
    says(&format!("{transfer}{{part: train}}}}"), "where: no row of the valid part is left");
    // Another split, which has not all parts.
    says(
        "  own: {kind: describe, rows: folds.train, where: {part: test}}",
        "where: no row can be left by the conditions on `part` and `fold`",
    );
    is_fine("  own: {kind: describe, rows: folds, where: {part: test}}");
}

#[test]
fn parts_where_there_are_none_yet() {
    says("  own: {kind: split, rows: songs, where: {part: train}}", "no column 'part' in 'songs'");
    says("  own: {kind: describe, rows: songs, where: {part: train}}", "no column 'part' in 'songs'");
    says("  own: {kind: load, files: {all: songs.csv}, where: {part: train}}", "where: no file has a column 'part'");
}

#[test]
fn conditions_on_files() {
    says(
        "  own: {kind: load, files: {all: songs.csv}, where: {source: al}}",
        "where: no row can be left by the condition on `source`",
    );
    is_fine("  own: {kind: load, files: {all: songs.csv}, where: {source: {not: more}}}");
    says(
        "  own: {kind: describe, rows: songs, where: {source: alll}}",
        "where: no row can be left by the condition on `source`",
    );
    says(
        "  own: {kind: describe, rows: songs.more, where: {source: all}}",
        "where: no row can be left by the condition",
    );
    is_fine("  own: {kind: describe, rows: songs, where: {source: [more, others]}}");
}

#[test]
fn conditions_of_another_type_than_their_column() {
    for stage in [
        "  own: {kind: describe, rows: songs, where: ",
        "  own: {kind: train, rows: folds, numeric: [tempo], epochs: 1, where: ",
        "  own: {kind: load, files: {all: songs.csv}, label: genre, types: {tempo: number, artist: text}, derive: {loud: {log_of: energy}}, where: ",
    ] {
        says(
            &format!("{stage}{{tempo: fast}}}}"),
            "where: column 'tempo' holds numbers, which cannot be compared with 'fast'",
        );
        says(
            &format!("{stage}{{artist: {{min: 3}}}}}}"),
            "where: column 'artist' holds text, which cannot be compared with 3",
        );
        says(
            &format!("{stage}{{genre: {{max: 3}}}}}}"),
            "where: column 'genre' holds text, which cannot be compared with 3",
        );
        says(
            &format!("{stage}{{loud: {{min: soft}}}}}}"),
            "where: column 'loud' holds numbers, which cannot be compared with 'soft'",
        );
        says(
            &format!("{stage}{{line: first}}}}"),
            "where: column 'line' holds numbers, which cannot be compared with 'first'",
        );
        is_fine(&format!("{stage}{{tempo: {{min: 90}}, genre: [rock, rap], line: {{max: 100000}}}}}}"));
    }
    says("  own: {kind: describe, rows: folds, where: {fold: first}}", "where: column 'fold' holds numbers");
    // A column of the user's of the same name is the user's.
    let own = Workspace::new()
        .file("rows.csv", "part,a,y\nx,1,p\ny,2,q\n")
        .pipeline("name: p\nstages:\n  rows: {kind: load, files: {all: rows.csv}, label: y}\n  own: {kind: describe, rows: rows, where: {part: x}}\n");
    assert!(own.runner(&["plan", "pipeline.yaml"]).status.success());
}

#[test]
fn texts_as_numbers() {
    let text = "column 'artist' holds text, not numbers";
    says("  own: {kind: train, rows: folds, numeric: [artist, tempo], epochs: 1}", text);
    says("  own: {kind: baseline, rows: folds, numeric: [tempo, artist]}", text);
    // Undeclared, it is a matter of its values.
    is_fine("  own: {kind: train, rows: folds, numeric: [id], epochs: 1}");
    says(
        "  own: {kind: load, files: {all: songs.csv}, types: {artist: text}, derive: {x: {log_of: artist}}}",
        "derive.x: column 'artist' holds text, not numbers",
    );
    says(
        "  own: {kind: load, files: {all: songs.csv}, label: genre, derive: {x: {sin_of: genre, period: 2}}}",
        "derive.x: column 'genre' holds text, not numbers",
    );
}

/// Both lack the same key: two places, and nothing about what follows from it.
#[test]
fn a_key_that_two_stages_lack_is_one_line_for_each() {
    let text = refused(&work(
        "  one: {kind: predict, model: net, rows: songs}\n  two: {kind: predict, model: net, rows: songs.more}",
    ));
    let found = errors(&text);
    assert_eq!(found.len(), 2, "{text}");
    assert!(text.contains("pipeline.yaml:6:") && text.contains("pipeline.yaml:7:"), "{text}");
}
