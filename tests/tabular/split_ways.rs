//! Parts that are not drawn: by time, or as a column says; and classes that are too rare.

use arrow::array::AsArray;
use runner::artifact::Table;

use crate::records::headline;
use crate::screen::stable;
use crate::workspace::{Run, Workspace};

const LOAD: &str = "name: study\nseed: 3\nstages:\n  rows: {kind: load, files: {all: t.csv}, label: y}\n";

/// 100 rows of two classes in no order of their days; `day` writes a number from 0 to 99 as a date.
fn dated(day: impl Fn(usize) -> String) -> String {
    let row = |i: usize| format!("{i},{},{},{}\n", day(i * 37 % 100), ["a", "b", "a"][i % 3], ["p", "q"][i / 3 % 2]);
    (0..100).fold("x,day,fold,y\n".to_owned(), |text, i| text + &row(i))
}

fn iso(day: usize) -> String {
    format!("2021-{:02}-{:02}", day / 28 + 1, day % 28 + 1)
}

fn study(text: &str, split: &str) -> Workspace {
    let yaml = format!("{LOAD}  folds: {{kind: split, rows: rows, {split}}}\n");
    Workspace::new().file("t.csv", text).pipeline(&yaml)
}

fn warnings(run: &Run) -> String {
    run.lines.iter().filter_map(|line| line["message"].as_str()).collect::<Vec<_>>().join("\n")
}

/// The texts of a column of the split rows.
fn cells(work: &Workspace, port: &str, name: &str) -> Vec<String> {
    let table = Table::from_ipc(&work.read(&format!("artifacts/study/folds/{port}.arrow"))).expect("a table");
    let column = table.column(name).expect("a column");
    let column = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).expect("texts");
    column.as_string::<i32>().iter().map(|cell| cell.expect("a value").to_owned()).collect()
}

// days = sorted(df.day); df.day < days[70], days[70] <= df.day < days[85], df.day >= days[85]
#[test]
fn the_newest_rows_are_judged_by() {
    for (text, first) in [(dated(iso), [iso(70), iso(85)]), (dated(|day| day.to_string()), ["70".into(), "85".into()])]
    {
        let work = study(&text, "folds: 3, order_by: day");
        work.run().succeeded();
        assert_eq!(headline(&work, "folds"), "70 train, 15 valid, 15 test rows");
        assert!(work.screen(&["show", "pipeline.yaml", "folds"]).contains("order by"));
        let days = |port: &str| {
            let mut days = cells(&work, port, "day");
            days.sort_by_key(|day| (day.len(), day.clone()));
            days
        };
        assert_eq!([&days("valid")[0], &days("test")[0]], [&first[0], &first[1]]);
        assert_eq!(days("train").len(), 70);
    }
    // Of what is no order something is said.
    for (day, says) in [
        (&(|day: usize| format!("{}/3/2021", day % 28 + 1)) as &dyn Fn(usize) -> String, "is no date in ISO order"),
        (&|day| if day == 7 { String::new() } else { iso(day) }, "column 'day' has no value: leave such rows out"),
        (
            &|day| format!("{}T10:00{}", iso(day), ["Z", "+02:00"][day % 2]),
            "times of several zones, '+02:00', 'Z', whose texts",
        ),
        (&|day| (day % 2).to_string(), "there are 2 places in the order, too few for 3 parts"),
    ] {
        let error = stable(&study(&dated(day), "folds: 3, order_by: day").run().error());
        assert!(error.contains(says) && error.contains("pipeline.yaml:5:"), "{error}");
    }
    // What is advised of missing days works.
    let gaps = dated(|day| if day == 7 { String::new() } else { iso(day) });
    study(&gaps, "folds: 3, order_by: day, where: {day: {missing: false}}").run().succeeded();
}

#[test]
fn a_class_that_only_newer_rows_have_cannot_be_learnt() {
    let late = |line: &str| {
        if line.contains("2021-04-1") { format!("{},r\n", &line[..line.len() - 2]) } else { format!("{line}\n") }
    };
    let late: String = dated(iso).lines().map(late).collect();
    let work = study(&late, "folds: 3, order_by: day");
    insta::assert_snapshot!(stable(&work.run().error()), @"
    pipeline.yaml:5:56: no row of the train part has class 'r' (7 rows): what no model can learn cannot be judged (bring rows of the train part that have it, or leave the class out)
    to leave them out, write in this stage `where: {y: {not: [r]}}`
    ");
    let valid_lacks: String = dated(iso)
        .lines()
        .map(|line| if line.contains("2021-04") { line.replace(",q", ",p") + "\n" } else { format!("{line}\n") })
        .collect();
    let work = study(&valid_lacks, "folds: 3, order_by: day");
    work.edit(
        "pipeline.yaml",
        "  folds:",
        "  base: {kind: baseline, rows: folds, numeric: [x], models: {logistic: {}, majority: {}}}\n  folds:",
    );
    let run = work.run().succeeded();
    assert!(
        warnings(&run).contains("no row of the test part has the class 'q', of which its scores say nothing"),
        "{}",
        warnings(&run)
    );
}

#[test]
fn a_column_may_say_what_part_each_row_is_of() {
    let text = dated(iso);
    let work = study(&text, "folds: 3, parts: {column: fold, train: [a], test: [b]}");
    work.run().succeeded();
    // sum(i % 3 != 1 for i in range(100))
    assert_eq!(headline(&work, "folds"), "67 train, 0 valid, 33 test rows");
    assert!(cells(&work, "train", "fold").iter().all(|fold| fold == "a"));
    // Numbers are known in any spelling.
    let numbered = dated(|day| format!("{}.0", day % 3));
    study(&numbered, "folds: 0, parts: {column: day, train: [0], valid: [1], test: ['2']}").run().succeeded();
    let told = ["parts: {column: fold, train: [a]}", "parts: {column: fold, train: [a, b], valid: [c]}"]
        .map(|parts| stable(&study(&text, parts).run().error()));
    insta::assert_snapshot!(told.join("\n"), @"
    pipeline.yaml:5:43: 33 rows in column 'fold' have a value, which `parts` does not name: 'b' (33 rows) (name it under `train`, `valid` or `test`, or leave such rows out by `where`)
    pipeline.yaml:5:43: the valid part has no rows: no labelled row has 'c' in column 'fold'
    ");
    let refused = [
        "parts: {column: fald, train: [a], valid: [a]}, test: 0.3",
        "parts: {column: fold, train: []}, order_by: day",
        "rare_classes: other, order_by: dya, min_class_rows: 1",
        "rare_classes: other",
    ]
    .map(|split| stable(&study(&text, split).run().stderr));
    insta::assert_snapshot!(refused.join("\n"), @"
    error: the value 'a' is named twice
     --> pipeline.yaml:5:43
      |
    5 |   folds: {kind: split, rows: rows, parts: {column: fald, train: [a], valid: [a]}, test: 0.3}
      |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: a row is of one part: name each value once

    error: no column 'fald' in 'rows' (did you mean 'fold'?)
     --> pipeline.yaml:5:52
      |
    5 |   folds: {kind: split, rows: rows, parts: {column: fald, train: [a], valid: [a]}, test: 0.3}
      |                                                    ^^^^
      = help: it has runner.row_id, runner.source, runner.line, runner.record, x, day, fold, y

    error: a share of `test` beside `parts`, which says what part each row is of
     --> pipeline.yaml:5:89
      |
    5 |   folds: {kind: split, rows: rows, parts: {column: fald, train: [a], valid: [a]}, test: 0.3}
      |                                                                                         ^^^
      = help: leave it out

    error: the training part needs a value
     --> pipeline.yaml:5:65
      |
    5 |   folds: {kind: split, rows: rows, parts: {column: fold, train: []}, order_by: day}
      |                                                                 ^^
      = help: name the values of the rows to learn from

    error: `parts` says already what part each row is of
     --> pipeline.yaml:5:80
      |
    5 |   folds: {kind: split, rows: rows, parts: {column: fold, train: []}, order_by: day}
      |                                                                                ^^^
      = help: leave one of them out

    error: no column 'dya' in 'rows' (did you mean 'day'?)
     --> pipeline.yaml:5:67
      |
    5 |   folds: {kind: split, rows: rows, rare_classes: other, order_by: dya, min_class_rows: 1}
      |                                                                   ^^^
      = help: it has runner.row_id, runner.source, runner.line, runner.record, x, day, fold, y

    error: min_class_rows must be at least 2; got 1
     --> pipeline.yaml:5:88
      |
    5 |   folds: {kind: split, rows: rows, rare_classes: other, order_by: dya, min_class_rows: 1}
      |                                                                                        ^

    error: no class is rare without `min_class_rows`
     --> pipeline.yaml:5:50
      |
    5 |   folds: {kind: split, rows: rows, rare_classes: other}
      |                                                  ^^^^^
      = help: say from how many rows on a class is not rare, e.g. `min_class_rows: 10`
    ");
}

#[test]
fn rare_classes_are_left_out_or_joined_and_all_are_named() {
    let classes = [("common", 60), ("usual", 60), ("okapi", 4), ("a, b", 2), ("dodo", 3), ("kakapo", 2)];
    let rows = classes.iter().flat_map(|(class, rows)| (0..*rows).map(move |i| format!("{i},\"{class}\"\n")));
    let text = "x,y\n".to_owned() + &rows.collect::<String>();
    let work = study(&text, "folds: 2, min_class_rows: 5");
    let mut told = vec![warnings(&work.run().succeeded()), headline(&work, "folds")];
    let work = study(&text, "folds: 2, min_class_rows: 5, rare_classes: other");
    told.extend([warnings(&work.run().succeeded()), headline(&work, "folds")]);
    let work = study(&text, "folds: 2, min_class_rows: 61");
    told.push(work.run().error());
    insta::assert_snapshot!(stable(&told.join("\n")), @"
    4 classes of fewer than 5 rows are left out, 11 rows in all (`min_class_rows`): 'okapi' (4 rows), 'dodo' (3 rows), 'a, b' (2 rows), 'kakapo' (2 rows)
    84 train, 18 valid, 18 test rows; 11 rows of rare classes are left out
    4 classes of fewer than 5 rows are now the class 'other' of 11 rows (`min_class_rows`): 'okapi' (4 rows), 'dodo' (3 rows), 'a, b' (2 rows), 'kakapo' (2 rows)
    91 train, 20 valid, 20 test rows
    pipeline.yaml:5:62: every class is rare: none has as many rows as `min_class_rows` asks for (give a smaller number)
    ");
}
