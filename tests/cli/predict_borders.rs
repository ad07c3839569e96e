//! What `runner predict` says of files that are damaged, of rows whose class is known, and when it is stopped while it waits.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::workspace::Workspace;

const STUDY: &str = "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y, derive: {month: {month_of: when}}}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, month], models: {logistic: {}}}
";

fn line(i: usize) -> String {
    format!("{},2024-{:02}-03", i * 7 % 24, i % 12 + 1)
}

fn class(i: usize) -> &'static str {
    if i * 7 % 24 < 12 { "day" } else { "night" }
}

fn study() -> Workspace {
    let rows = (0..120).fold("a,when,y\n".to_owned(), |text, i| text + &format!("{},{}\n", line(i), class(i)));
    let work = Workspace::new().file("t.csv", &rows).pipeline(STUDY);
    work.run().succeeded();
    work
}

fn lines(count: usize) -> Vec<String> {
    std::iter::once("a,when".to_owned()).chain((0..count).map(line)).collect()
}

fn told(work: &Workspace, rest: &[&str]) -> String {
    let output = work.runner(&[&["predict", "pipeline.yaml", "base.logistic"], rest].concat());
    String::from_utf8(output.stderr).expect("UTF-8")
}

const SKIP: [&str; 6] = ["-o", "out.csv", "--on-bad-row", "skip", "--rejected", "rejected.csv"];

#[test]
fn damage_is_told_by_the_lines_of_the_file_and_left_out_byte_for_byte() {
    let work = study();
    // Behind the first part of the file, which has 16,384 rows.
    let mut bad = lines(20_000).join("\n").into_bytes();
    let at = bad.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(17_999).expect("a line").0 + 1;
    let end = at + bad[at..].iter().position(|byte| *byte == b'\n').expect("an end");
    bad.splice(at..end, *b"1\xe9,2024-01-03");
    work.write("bad.csv", &bad);
    let place = "bad.csv:18001:2: byte 0xe9 is not valid UTF-8 (";
    let refused = told(&work, &["bad.csv", "-o", "out.csv"]);
    assert!(refused.contains(&format!("error: {place}")), "{refused}");
    let skipped = told(&work, &[&["bad.csv"], SKIP.as_slice()].concat());
    assert!(skipped.contains(&format!("left out: {place}")) && skipped.contains("1 line left out"), "{skipped}");
    assert_eq!(work.read("rejected.csv"), b"a,when\n1\xe9,2024-01-03\n");
}

#[test]
fn a_quote_that_nothing_closes_says_how_much_it_takes_along() {
    let work = study();
    let mut rows = lines(20_000);
    rows[18_000] = "\"1,2024-01-03".to_owned();
    work.write("open.csv", rows.join("\n").as_bytes());
    let place = "open.csv:18001:1: a quote opened here is never closed";
    let refused = told(&work, &["open.csv", "-o", "out.csv"]);
    assert!(refused.contains(&format!("error: {place}")), "{refused}");
    let skipped = told(&work, &[&["open.csv"], SKIP.as_slice()].concat());
    assert!(skipped.contains(&format!("left out (2001 lines): {place}")), "{skipped}");
    assert!(skipped.contains("17,999 rows, 2,001 lines left out"), "{skipped}");
    // Closed far below it is one cell.
    rows[18_000] = "1,\"2024-01-03".to_owned();
    rows[19_000] = "2\",2024-01-03".to_owned();
    work.write("closed.csv", rows.join("\n").as_bytes());
    let skipped = told(&work, &[&["closed.csv"], SKIP.as_slice()].concat());
    assert!(skipped.contains("left out (1001 lines): closed.csv:18001: expected 2 fields, found 3"), "{skipped}");
    rows[19_000] = "2\"".to_owned();
    work.write("closed.csv", rows.join("\n").as_bytes());
    let said = told(&work, &["closed.csv", "-o", "out.csv"]);
    assert!(said.contains("one row has many lines, from line 18001 to 19001"), "{said}");
}

#[test]
fn a_derived_column_that_comes_out_empty_is_told() {
    let work = study();
    let text = lines(200).join("\n").replace("2024-", "the year 24, no. ");
    work.write("new.csv", text.replace(", no. ", " no. ").as_bytes());
    let said = told(&work, &["new.csv", "-o", "out.csv"]);
    assert!(said.contains("month") && said.contains("'the year 24 no. 01-03'"), "{said}");
}

// python: from sklearn.metrics import accuracy_score, f1_score, log_loss on the columns y, predicted_y and p_* of out.csv: as computed below
#[test]
fn rows_whose_class_is_known_are_scored() {
    let work = study();
    let mut rows: Vec<String> =
        (0..100).map(|i| format!("{},{}", line(i), class(i + usize::from(i % 10 == 0)))).collect();
    rows[3] = format!("{},", line(3));
    rows[4] = format!("{}, day ", line(4));
    rows[5] = format!("{},dusk", line(5));
    work.write("new.csv", format!("a,when,y\n{}\n", rows.join("\n")).as_bytes());
    let said = told(&work, &["new.csv", "-o", "out.csv", "--proba"]);
    let (mut right, mut loss, mut counts) = (0.0, 0.0, [[0.0f64; 2]; 2]);
    let mut scored = 0.0;
    for row in work.text("out.csv").lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let Some(truth) = ["day", "night"].iter().position(|class| *class == cells[2].trim()) else { continue };
        let predicted = usize::from(cells[3] == "night");
        scored += 1.0;
        right += f64::from(u8::from(truth == predicted));
        loss -= cells[4 + truth].parse::<f64>().expect("a probability").ln();
        counts[truth][predicted] += 1.0;
    }
    let f1 = |class: usize| {
        2.0 * counts[class][class] / (counts[class].iter().sum::<f64>() + counts[0][class] + counts[1][class])
    };
    let wanted = format!(
        "by 'y' of {scored} rows: accuracy {:.3}, macro-F1 {:.3}, log loss {:.3}; besides 1 row without it and 1 row of a class that the model does not know, e.g. 'dusk'",
        right / scored,
        (f1(0) + f1(1)) / 2.0,
        loss / scored
    );
    assert!(scored == 98.0 && said.contains(&wanted), "{wanted}\n{said}");
}

#[cfg(unix)]
#[test]
fn one_signal_ends_the_wait_for_input_and_for_a_reader() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let work = study();
    work.write("many.csv", lines(60_000).join("\n").as_bytes());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        for (input, begun) in [("-", ""), ("-", "a,when\n1,2024-01-03\n"), ("many.csv", "")] {
            let mut command = work.command(&["predict", "pipeline.yaml", "base.logistic", input]);
            command.stdin(Stdio::piped()).stderr(Stdio::piped());
            // Of a pipe that nobody reads.
            let (reader, writer) = std::io::pipe().expect("a pipe");
            let mut child = command.stdout(writer).spawn().expect("the program starts");
            drop(command);
            let mut stdin = child.stdin.take().expect("a pipe");
            stdin.write_all(begun.as_bytes()).expect("written");
            std::thread::sleep(Duration::from_millis(1500));
            assert!(child.try_wait().expect("a child").is_none(), "{input}: it waits");
            let sent = Instant::now();
            kill(Pid::from_raw(child.id() as i32), signal).expect("sent");
            let output = child.wait_with_output().expect("an end");
            assert_eq!(output.status.code(), Some(130), "{signal} {input} {begun:?}");
            assert!(sent.elapsed() < Duration::from_millis(1500), "{input}: {:?}", sent.elapsed());
            assert_eq!(String::from_utf8_lossy(&output.stderr), "interrupted\n");
            drop((reader, stdin));
        }
    }
}

#[test]
fn a_file_that_is_no_model_is_told_by_name_and_rows_of_two_faults_in_one_line() {
    let work = study();
    work.write("e.runner", b"");
    work.write("new.csv", b"a,when\n1,2024-01-03\n");
    let said = String::from_utf8(work.runner(&["predict", "e.runner", "new.csv"]).stderr).expect("UTF-8");
    assert!(said.contains("e.runner is no model that `runner export` wrote: the file is empty"), "{said}");
    work.write("bad.csv", b"a,when\nx,2024-01-03,\n1,2024-01-03\n");
    let said = told(&work, &[&["bad.csv"], SKIP.as_slice()].concat());
    assert!(!said.contains("\\n") && said.contains("left out: bad.csv:2: "), "{said}");
}
