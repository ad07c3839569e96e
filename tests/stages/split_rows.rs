//! Split rows that a program of the user's gives: what is no split is refused by whoever reads it, with the stage, the row and a remedy.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use runner::artifact::Table;

use crate::workspace::Workspace;

const ROWS: usize = 24;

/// What a split adds to rows, sound as it is.
struct Added {
    id: Vec<Option<i64>>,
    label: Vec<Option<String>>,
    part: Vec<Option<String>>,
    fold: Vec<Option<i64>>,
}

impl Added {
    fn sound() -> Self {
        let part = |i: usize| {
            if i < 16 {
                "train"
            } else if i < 20 {
                "valid"
            } else {
                "test"
            }
        };
        Added {
            id: (0..ROWS as i64).map(Some).collect(),
            label: (0..ROWS).map(|i| Some(["p", "q"][i % 2].to_owned())).collect(),
            part: (0..ROWS).map(|i| Some(part(i).to_owned())).collect(),
            fold: (0..ROWS).map(|i| (i < 16).then_some((i / 2 % 2) as i64)).collect(),
        }
    }

    fn with(change: impl FnOnce(&mut Added)) -> Self {
        let mut added = Added::sound();
        change(&mut added);
        added
    }

    fn ipc(&self) -> Vec<u8> {
        let numbers = |values: &[Option<i64>]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
        let texts = |values: &[Option<String>]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let x = Float64Array::from_iter_values((0..ROWS).map(|i| (i * 7 % 5) as f64 + (i % 2) as f64));
        let title: StringArray = (0..ROWS).map(|i| Some(format!("word{} other{}", i % 3, i % 2))).collect();
        let source: StringArray = (0..ROWS).map(|_| Some("made")).collect();
        let columns: [(&str, ArrayRef); 8] = [
            ("runner.row_id", numbers(&self.id)),
            ("runner.source", Arc::new(source)),
            ("runner.line", Arc::new(Int64Array::from_iter_values(2..ROWS as i64 + 2))),
            ("x", Arc::new(x)),
            ("title", Arc::new(title)),
            ("runner.label", texts(&self.label)),
            ("runner.part", texts(&self.part)),
            ("runner.fold", numbers(&self.fold)),
        ];
        Table::from_columns(columns).expect("a table").to_ipc().expect("Arrow")
    }
}

/// Stages that read `made`, each alone.
const READERS: [(&str, &str); 5] = [
    ("base", "{kind: baseline, rows: made, numeric: [x], models: {tree: {}}}"),
    ("net", "{kind: train, rows: made, numeric: [x], epochs: 1, network: {trunk: {layers: [4]}}}"),
    ("look", "{kind: inspect, model: good, rows: made, part: valid, repeats: 1}"),
    ("plane", "{kind: map, rows: made, numeric: [x], method: pca}"),
    ("text", "{kind: train, rows: made, text: [title], embeddings: words, epochs: 1, network: {trunk: {layers: [4]}}}"),
];

fn run(added: &Added, readers: &[&str]) -> crate::workspace::Run {
    run_on(&added.ipc(), readers)
}

fn run_on(made: &[u8], readers: &[&str]) -> crate::workspace::Run {
    let mut yaml = "name: made\nseed: 1\nstages:
  made: {kind: command, run: [cp, made.arrow, \"{out}/rows.arrow\"], outputs: {rows: rows.arrow}}
  sound: {kind: command, run: [cp, sound.arrow, \"{out}/rows.arrow\"], outputs: {rows: rows.arrow}}
  good: {kind: train, rows: sound, numeric: [x], epochs: 1, network: {trunk: {layers: [4]}}}\n"
        .to_owned();
    if ["text", "words"].iter().any(|name| readers.contains(name)) {
        yaml += "  words: {kind: embed, rows: made, fit: made, columns: [title], encoder: tfidf, tfidf: {dim: 3}}\n";
    }
    for (name, stage) in READERS.iter().filter(|(name, _)| readers.contains(name)) {
        yaml += &format!("  {name}: {stage}\n");
    }
    let work = Workspace::new().pipeline(&yaml);
    work.write("made.arrow", made);
    work.write("sound.arrow", &Added::sound().ipc());
    work.run()
}

#[track_caller]
fn refused(added: &Added, reader: &str, parts: &[&str]) {
    let run = run(added, &[reader]);
    assert_eq!(run.code, Some(1), "{reader}: {run:?}");
    let error = run.error();
    for part in parts {
        assert!(error.contains(part), "{reader}: '{part}' is not in: {error}");
    }
    assert!(error.contains("pipeline.yaml:") || run.stderr.contains("pipeline.yaml:"), "{run:?}");
}

#[test]
fn sound_rows_are_read() {
    run(&Added::sound(), &["base", "net", "look", "plane", "text"]).succeeded();
    // Without folds they serve whoever needs none.
    run(&Added::with(|added| added.fold.fill(None)), &["net", "look"]).succeeded();
}

#[test]
fn parts_that_are_none_are_refused_by_every_reader() {
    for (reader, _) in READERS {
        let tests = Added::with(|added| added.part[20..].fill(Some("tests".to_owned())));
        refused(&tests, reader, &["row 21 of 'made' has the runner.part 'tests'", "'train', 'valid'", "3 more rows"]);
    }
    let capital = Added::with(|added| added.part[2] = Some("Train".to_owned()));
    refused(&capital, "base", &["row 3 of 'made' has the runner.part 'Train'"]);
    let missing = Added::with(|added| added.part[23] = None);
    refused(&missing, "net", &["row 24 of 'made' is of no part", "leave rows out that are not to be used"]);
}

#[test]
fn folds_count_from_0_and_are_of_training_rows() {
    for reader in ["base", "net", "plane"] {
        let missing = Added::with(|added| added.fold[4] = None);
        refused(&missing, reader, &["row 5 of 'made' of the part 'train' has no runner.fold"]);
        let valid = Added::with(|added| added.fold[17] = Some(0));
        refused(&valid, reader, &["row 18 of 'made' of the part 'valid' has a runner.fold"]);
        for fold in [99, -5, 3] {
            let gap = Added::with(|added| added.fold[4] = Some(fold));
            refused(&gap, reader, &["the folds of the rows of 'made' are", &fold.to_string(), "without gaps"]);
        }
    }
}

#[test]
fn labels_are_no_blanks_and_numbers_of_rows_are_their_own() {
    for label in [None, Some(String::new()), Some(" \t".to_owned())] {
        for reader in ["base", "look"] {
            let blank = Added::with(|added| added.label[6] = label.clone());
            refused(&blank, reader, &["row 7 of 'made' has no runner.label"]);
        }
    }
    let equal = Added::with(|added| added.id.fill(Some(0)));
    refused(&equal, "text", &["'made' has the runner.row_id 0 in row 1 and in row 2"]);
    let run = run(&equal, &["net"]).succeeded();
    assert!(
        run.stderr.contains("take such rows for one") || format!("{:?}", run.lines).contains("take such rows for one"),
        "{run:?}"
    );
}

#[test]
fn columns_that_a_program_left_out_are_named() {
    let number: ArrayRef = Arc::new(Int64Array::from_iter_values(0..4));
    let one = Table::from_columns([("x", number)]).expect("a table");
    let none = one.project(&[]).expect("a table");
    for table in [one, none] {
        for (reader, columns) in [
            ("base", "columns 'runner.row_id', 'runner.label', 'runner.part'"),
            ("net", "columns 'runner.row_id', 'runner.label', 'runner.part'"),
            ("look", "columns 'runner.row_id', 'runner.label', 'runner.part'"),
            ("words", "column 'runner.row_id'"),
        ] {
            let run = run_on(&table.to_ipc().expect("Arrow"), &[reader]);
            let said = format!("{}{}", run.error(), run.stderr);
            assert!(said.contains(&format!("the output 'rows' of 'made' has no {columns} (")), "{reader}: {said}");
        }
    }
}
