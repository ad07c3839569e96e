//! Files as people have them, through the whole program: other encodings, no header, patterns of several files; and what `plan` says of settings that cannot be.

use std::io::Write as _;

use arrow::array::AsArray as _;
use runner::artifact::Table;

use crate::screen::stable;
use crate::workspace::{Run, Workspace};

fn warnings(run: &Run) -> String {
    let warnings = run.lines.iter().filter(|line| line["event"] == "warning");
    warnings.filter_map(|line| line["message"].as_str()).collect::<Vec<_>>().join("\n")
}

/// Which file each row of port `train` comes from.
fn sources(work: &Workspace) -> Vec<String> {
    let table = Table::from_ipc(&work.read("artifacts/study/rows/train.arrow")).expect("a table");
    let column = table.column("runner.source").expect("a column");
    column.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

fn labelled(rows: usize, row: impl Fn(usize, &str) -> String) -> String {
    (0..rows).map(|i| row(i, if i % 3 == 0 { "q" } else { "p" })).collect()
}

const STUDY: &str = "name: study
stages:
  rows: {kind: load, files: {train: t.csv, new: n.csv}, label: LABEL, OPTIONS}
  folds: {kind: split, rows: rows.train, folds: 2}
  model: {kind: baseline, rows: folds, numeric: [NUMERIC], models: {majority: {}}}
  out: {kind: predict, model: model.majority, rows: rows.new, file: o.txt}
";

fn study(label: &str, options: &str, numeric: &str) -> String {
    STUDY.replace("LABEL", label).replace("OPTIONS", options).replace("NUMERIC", numeric)
}

#[test]
fn rows_of_another_encoding_are_predicted_as_text() {
    let work = Workspace::new().pipeline(&study("y", "encoding: latin1, delimiter: ';', decimal: ','", "x"));
    let latin = |text: &str| -> Vec<u8> { text.chars().map(|c| c as u8).collect() };
    let train = format!("x;name;y\n{}", labelled(60, |i, class| format!("{i},5;Zoë;{class}\n")));
    work.write("t.csv", &latin(&train));
    work.write("n.csv", &latin("x;name\r\n0,5;Zoë\r\n"));
    work.run().succeeded();
    assert_eq!(work.text("artifacts/study/out/o.txt"), "x;name;y\r\n0,5;Zoë;p\r\n");
    // The same file as UTF-8 is other bytes, and the same table.
    work.edit("pipeline.yaml", "encoding: latin1, ", "");
    work.write("t.csv", train.as_bytes());
    work.write("n.csv", "x;name\r\n0,5;Zoë\r\n".as_bytes());
    work.run().succeeded().ran(&["rows"]);
}

#[test]
fn rows_of_files_without_a_header_are_predicted_without_one() {
    let options = r#"header: false, quote: none, delimiter: "\t""#;
    let work = Workspace::new()
        .pipeline(&study("column_2", options, "column_1"))
        .file("t.csv", &labelled(60, |i, class| format!("{i}\t{class}\n")))
        .file("n.csv", "1\n\n\"2\n");
    work.edit("pipeline.yaml", "label: column_2", "label: column_2, types: {column_1: text}");
    work.edit("pipeline.yaml", "numeric: [column_1]", "categories: [column_1]");
    work.run().succeeded();
    assert_eq!(work.text("artifacts/study/out/o.txt"), "1\tp\n\n\"2\tp\n");
    // Named, the label may be called so in the table, though no line names it.
    work.edit("pipeline.yaml", "header: false,", "header: false, names: [x, y],");
    work.edit("pipeline.yaml", "label: column_2, types: {column_1: text}", "label: y, types: {x: text}");
    work.edit("pipeline.yaml", "categories: [column_1]", "categories: [x]");
    work.run().succeeded();
    assert_eq!(work.text("artifacts/study/out/o.txt"), "1\tp\n\n\"2\tp\n");
}

#[test]
fn a_class_that_no_field_can_hold_is_refused_where_there_are_no_quotes() {
    let work = Workspace::new()
        .pipeline(&study("y", "encoding: utf-8", "x"))
        .file("t.csv", &format!("x,y\n{}", labelled(60, |i, _| format!("{i},\"a\tb\"\n{i},c\n"))))
        .file("n.csv", "x\n1\n");
    let new = "  more: {kind: load, files: {new: n.csv}, quote: none, delimiter: \"\\t\"}\n  out: {kind: predict, model: model.majority, rows: more.new,";
    work.edit("pipeline.yaml", "  out: {kind: predict, model: model.majority, rows: rows.new,", new);
    let error = work.run().error();
    assert!(
        error.contains("holds what ends a field, and the files of these rows have no quotes around fields"),
        "{error}"
    );
}

#[test]
fn numbers_of_a_column_that_comes_as_text_are_read_as_the_file_writes_them() {
    // Above 500 it is q. With codes among them the amounts to predict are a column of texts: as a program writes numbers, 0.750 would be less than one.
    let train: String = (0..100).map(|i| format!("{},{}\n", i * 10, if i > 50 { "q" } else { "p" })).collect();
    let yaml = study("y", "encoding: utf-8", "x")
        .replace("majority: {}", "tree: {}")
        .replace("model.majority", "model.tree")
        .replace(
            "  out: {",
            "  more: {kind: load, files: {new: n.csv}, delimiter: ;, decimal: ',', thousands: '.'}\n  out: {",
        )
        .replace("rows: rows.new", "rows: more.new")
        .replace(", new: n.csv}, label", "}, label");
    let work = Workspace::new()
        .pipeline(&yaml)
        .file("t.csv", &format!("x,y\n{train}"))
        .file("n.csv", "x\n0.750\n900\n1.200\n7\n");
    work.run().succeeded();
    assert_eq!(work.text("artifacts/study/out/o.txt"), "x;y\n0.750;q\n900;q\n1.200;q\n7;p\n");
}

#[test]
fn packed_files_and_what_is_damaged_in_them() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(format!("x,y\n{}", labelled(60, |i, class| format!("{i},{class}\n"))).as_bytes()).expect("memory");
    let packed = packed.finish().expect("memory");
    let work = Workspace::new().pipeline(&study("y", "encoding: utf-8", "x")).file("n.csv", "x\n1\n");
    work.write("t.csv", &packed);
    work.run().succeeded();
    assert_eq!(work.text("artifacts/study/out/o.txt"), "x,y\n1,p\n");
    work.write("t.csv", &packed[..packed.len() - 20]);
    let error = work.run().error();
    assert!(error.contains("t.csv: the file is packed with gzip, and damaged: "), "{error}");
}

#[test]
fn settings_that_cannot_be_are_told_by_plan() {
    let options = "encoding: klingon, decimal: ';'";
    let work = Workspace::new().pipeline(&study("y", options, "x")).file("t.csv", "x,y\n1,p\n").file("n.csv", "x\n1\n");
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]));
    work.edit("pipeline.yaml", options, "names: [a, b], decimal: ',', thousands: ',', quote: none");
    insta::assert_snapshot!("settings_that_contradict_each_other", work.screen(&["plan", "pipeline.yaml"]));
    work.write("t.csv", b"x,y\nZo\xeb,p\n");
    work.edit("pipeline.yaml", "names: [a, b], decimal: ',', thousands: ',', quote: none", "encoding: utf-8");
    let error = work.run().error();
    assert!(error.contains("t.csv:2:3: byte 0xeb is not valid UTF-8; of 2 lines 1 is not: line 2"), "{error}");
    assert!(error.contains("write `encoding: windows-1252`"), "{error}");
}

const PATTERN: &str = "name: study
stages:
  rows: {kind: load, files: {train: 'data/2021-*.csv', new: n.csv}, label: y}
  folds: {kind: split, rows: rows.train, folds: 2}
  model: {kind: baseline, rows: folds, numeric: [x], models: {majority: {}}}
  out: {kind: predict, model: model.majority, rows: rows.train, file: o.csv}
";

fn part(start: usize) -> String {
    format!("x,y\n{}", labelled(30, |i, class| format!("{},{class}\n", start + i)))
}

#[test]
fn a_pattern_names_several_files_in_the_order_of_their_names() {
    let work = Workspace::new()
        .pipeline(PATTERN)
        .file("data/2021-02.csv", &part(100))
        .file("data/2021-01.csv", &part(0))
        .file("data/2020-12.csv", "other\n1\n")
        .file("data/.2021-3.csv", "other\n1\n")
        .file("n.csv", "x\n1\n");
    work.run().succeeded();
    let of = |file: &str| vec![file.to_owned(); 30];
    assert_eq!(sources(&work), [of("data/2021-01.csv"), of("data/2021-02.csv")].concat());
    assert!(work.run().succeeded().list("ran").is_empty());
    // One more is seen, and one less.
    work.write("data/2021-03.csv", part(500).as_bytes());
    insta::assert_snapshot!(stable(&work.screen(&["plan", "pipeline.yaml", "rows"])));
    work.run().succeeded();
    assert_eq!(sources(&work).len(), 90);
    std::fs::remove_file(work.path().join("data/2021-03.csv")).expect("removed");
    let run = work.run().succeeded();
    assert!(run.list("ran").is_empty(), "what is known is restored");
    // Conditions name the files.
    work.edit("pipeline.yaml", "label: y}", "label: y, where: {source: [data/2021-02.csv, new]}}");
    let run = work.run().succeeded();
    assert_eq!(sources(&work), of("data/2021-02.csv"), "{}", warnings(&run));
    work.edit("pipeline.yaml", "data/2021-02.csv, new", "train");
    let error = work.screen(&["plan", "pipeline.yaml"]);
    assert!(error.contains("no row can be left by the condition on `source`"), "{error}");
    assert!(error.contains("data/2021-01.csv"), "{error}");
}

#[test]
fn a_pattern_that_matches_nothing_or_unlike_files_is_a_mistake() {
    let work = Workspace::new()
        .pipeline(PATTERN)
        .file("n.csv", "x\n1\n")
        .file("data/2021-01.csv", &part(0))
        .file("data/2021-02.csv", "x,z\n1,2\n")
        .file("data/2021-03.csv", &part(0).replace("x,y", "y,x"));
    insta::assert_snapshot!(work.screen(&["plan", "pipeline.yaml"]));
    work.write("data/2021-02.csv", part(100).as_bytes());
    let error = work.screen(&["plan", "pipeline.yaml"]);
    assert!(
        error.contains("2021-03.csv has other columns than data/2021-01.csv: they stand in another order"),
        "{error}"
    );
    work.edit("pipeline.yaml", "2021-*", "2022-*");
    insta::assert_snapshot!("a_pattern_that_matches_nothing", work.screen(&["plan", "pipeline.yaml"]));
    // A file that a name stands for and a pattern matches too would count twice.
    work.edit("pipeline.yaml", "2022-*.csv', new: n.csv", "2021-0?.csv', again: data/2021-01.csv, new: n.csv");
    std::fs::remove_file(work.path().join("data/2021-03.csv")).expect("removed");
    let error = work.screen(&["plan", "pipeline.yaml"]);
    assert!(error.contains("'again' is the same file as 'data/2021-01.csv'"), "{error}");
    // A file that is called as a pattern stands for itself.
    let own = Workspace::new().pipeline(&PATTERN.replace("data/2021-*.csv", "a*.csv")).file("n.csv", "x\n1\n");
    let own = own.file("a*.csv", &part(0)).file("ab.csv", "other\n1\n");
    own.run().succeeded();
}
