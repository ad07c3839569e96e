//! `runner predict` and `runner export`: predictions without YAML are those of a `predict` stage, on this machine and elsewhere.

use std::io::Write as _;
use std::process::{Output, Stdio};

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use runner::artifact::Table;

use crate::small_model::SmallModel;
use crate::workspace::Workspace;
use crate::zips;

/// Numbers, a derived one, a category that looks like a number, a text; the class follows from them.
fn line(i: usize) -> String {
    let (hour, code) = (i * 7 % 24, i * 31 % 5);
    let word = ["red sun", "blue moon", "green sea", "grey \"fog\""][i * 13 % 4];
    format!("{}.5,{hour},{code:02},\"{}, {i}\"", i * 17 % 89, word.replace('"', "\"\""))
}

fn rows(count: usize) -> String {
    let class = |i: usize| if i * 7 % 24 < 12 { "day" } else { "night" };
    (0..count).fold("size,hour,code,note,y\n".to_owned(), |text, i| text + &format!("{},{}\n", line(i), class(i)))
}

fn new_rows(count: usize) -> String {
    (1000..1000 + count).fold("size,hour,code,note\n".to_owned(), |text, i| text + &line(i) + "\n")
}

const STUDY: &str = "name: study
seed: 3
stages:
  rows:
    kind: load
    files: {all: t.csv}
    label: y
    types: {code: text}
    missing: {size: {add: ['?']}}
    derive: {turn: {sin_of: hour, period: 24}}
  folds: {kind: split, rows: rows, folds: 2}
  notes: {kind: embed, rows: rows, fit: folds.train, columns: [note], encoder: tfidf, tfidf: {dim: 12}}
  base: {kind: baseline, rows: folds, numeric: [size, turn], categories: [code], models: {logistic: {}, random_forest: {trees: 9}}}
  net: {kind: train, rows: folds, embeddings: notes, numeric: [size, turn], text: [note], categories: [code], network: {trunk: {layers: [8]}}, epochs: 3, seeds: 2}
  mean: {kind: ensemble, members: [base, net], models: [base, net], weights: equal}
  best: {kind: refit, model: mean, rows: folds, embeddings: notes}
";

/// The same rows predicted by a stage: the file that it writes, and its probabilities.
const BY_STAGE: &str = "  new: {kind: load, files: {new: new.csv}, types: {code: text}, missing: {size: {add: ['?']}}, derive: {turn: {sin_of: hour, period: 24}}}
  new_notes: {kind: embed, rows: new, fit: folds.train, columns: [note], encoder: tfidf, tfidf: {dim: 12}}
  said: {kind: predict, model: best, rows: new, embeddings: new_notes, file: said.csv}
";

fn study() -> Workspace {
    let work = Workspace::new().file("t.csv", &rows(240)).pipeline(STUDY);
    work.run().succeeded();
    work
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn from_stdin(work: &Workspace, arguments: &[&str], text: &str) -> Output {
    let mut command = work.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runner");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    child.wait_with_output().expect("an end")
}

#[test]
fn predictions_are_those_of_a_stage_here_and_on_another_machine() {
    let work = Workspace::new()
        .file("t.csv", &rows(240))
        .file("new.csv", &new_rows(60))
        .pipeline(&format!("{STUDY}{BY_STAGE}"));
    work.run().succeeded();
    let here = succeeded(work.runner(&["predict", "pipeline.yaml", "best", "new.csv"]));
    assert_eq!(here, work.text("artifacts/study/said/said.csv"));

    succeeded(work.runner(&["export", "pipeline.yaml", "best", "-o", "best.runner"]));
    let elsewhere = Workspace::new().file("new.csv", &new_rows(60));
    elsewhere.write("best.runner", &work.read("best.runner"));
    assert_eq!(succeeded(elsewhere.runner(&["predict", "best.runner", "new.csv"])), here);
    assert_eq!(succeeded(from_stdin(&elsewhere, &["predict", "best.runner", "-"], &new_rows(60))), here);
    succeeded(elsewhere.runner(&["predict", "best.runner", "new.csv", "-o", "out.csv", "--proba"]));
    let text = elsewhere.text("out.csv");
    assert_eq!(text.lines().next(), Some("size,hour,code,note,y,p_day,p_night"));
    let table = Table::from_ipc(&work.read("artifacts/study/said/rows.arrow")).expect("a table");
    let expected = table.column("runner.p_day").expect("probabilities").as_primitive::<Float32Type>().values().to_vec();
    let shares =
        text.lines().skip(1).map(|line| line.rsplit(',').nth(1).and_then(|p| p.parse::<f32>().ok()).expect("p"));
    assert_eq!(shares.collect::<Vec<f32>>(), expected);
    // Nothing of a store is needed, nor made.
    assert!(!elsewhere.exists("artifacts"));
}

#[test]
fn one_model_of_a_baseline_is_named_by_its_port() {
    let work = study();
    work.write("new.csv", new_rows(5).as_bytes());
    succeeded(work.runner(&["predict", "pipeline.yaml", "base.logistic", "new.csv"]));
    insta::assert_snapshot!(
        [
            work.screen(&["predict", "pipeline.yaml", "base", "new.csv"]),
            work.screen(&["predict", "pipeline.yaml", "base.tree", "new.csv"]),
            work.screen(&["predict", "pipeline.yaml", "notes", "new.csv"]),
            work.screen(&["predict", "pipeline.yaml", "bset", "new.csv"]),
            work.screen(&["predict", "pipeline.yaml", "new.csv"]),
            work.screen(&["predict", "pipeline.yaml", "best", "nowhere.csv"]),
        ]
        .join("\n")
    );
}

#[test]
fn columns_stand_in_any_order_and_what_is_missing_is_named() {
    let work = study();
    let plain = "size,hour,code,note\n3.5,7,01,red sun\n?,7,01,red sun\n";
    work.write("plain.csv", plain.as_bytes());
    let class = |file: &str| -> Vec<String> {
        let text = succeeded(work.runner(&["predict", "pipeline.yaml", "best", file]));
        // A cell has a line break.
        let last = text.lines().skip(1).filter_map(|line| line.rsplit(',').next());
        last.filter(|field| ["day", "night"].contains(field)).map(str::to_owned).collect()
    };
    let expected = class("plain.csv");
    // Other columns may hold anything; the label's, too, which does not change what is predicted.
    work.write(
        "other.csv",
        b"\xef\xbb\xbfnote,y,x,code,hour,size\r\nred sun,night,\"a\r\nb\",01,7,3.5\r\nred sun,,,01,7,?",
    );
    assert_eq!(class("other.csv"), expected);
    let text = succeeded(work.runner(&["predict", "pipeline.yaml", "best", "other.csv"]));
    assert!(
        text.starts_with("\u{feff}note,y,x,code,hour,size,predicted_y\r\n")
            || text.starts_with("note,y,x,code,hour,size,predicted_y\r\n"),
        "{text}"
    );
    work.write("fewer.csv", b"size,note,extra\n1,a,b\n");
    insta::assert_snapshot!(work.screen(&["predict", "pipeline.yaml", "best", "fewer.csv"]));
}

#[test]
fn a_file_in_utf8_is_read_as_such_whatever_the_models_files_were() {
    let word = |i: usize| ["caf\u{e9}", "th\u{e9}"][i % 2];
    let rows = (0..60).fold("w,y\n".to_owned(), |text, i| text + &format!("{} {i},{}\n", word(i), ["p", "q"][i % 2]));
    let work = Workspace::new().pipeline(
        "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y, encoding: windows-1252}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, texts: [w], models: {logistic: {}}}
",
    );
    work.write("t.csv", &rows.chars().map(|c| c as u8).collect::<Vec<u8>>());
    work.run().succeeded();
    let new = "w\ncaf\u{e9} 99\nth\u{e9} 98\n";
    let expected = "w,y\ncaf\u{e9} 99,p\nth\u{e9} 98,q\n";
    for bytes in [new.as_bytes().to_vec(), new.chars().map(|c| c as u8).collect()] {
        work.write("n.csv", &bytes);
        assert_eq!(succeeded(work.runner(&["predict", "pipeline.yaml", "base.logistic", "n.csv"])), expected);
    }
    insta::assert_snapshot!({
        work.write("n.csv", new.as_bytes());
        work.screen(&["predict", "pipeline.yaml", "base.logistic", "n.csv", "-o", "o.csv"])
    });
}

#[test]
fn a_rows_category_depends_on_no_other_row() {
    let row = |i: usize| format!("{},{}\n", [1, 2, 3, 4][i * 13 % 4], ["p", "q"][i * 13 % 4 / 2]);
    let work = Workspace::new().file("t.csv", &(0..80).fold("k,y\n".to_owned(), |text, i| text + &row(i))).pipeline(
        "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, categories: [k], models: {tree: {}}}
",
    );
    work.run().succeeded();
    let class = |rows: &str| {
        work.write("n.csv", format!("k\n1.0\n{rows}").as_bytes());
        let text = succeeded(work.runner(&["predict", "pipeline.yaml", "base.tree", "n.csv"]));
        text.lines().nth(1).map(str::to_owned)
    };
    let alone = class("");
    assert_eq!(alone.as_deref(), Some("1.0,p"));
    for others in ["2\n3\n", "x\n", "01\n2.5\n2.5\n2.5\n", "inf\n"] {
        assert_eq!(class(others), alone, "{others:?}");
    }
}

#[test]
fn rows_that_cannot_be_read_are_refused_by_line_or_left_out() {
    let work = study();
    // More than one part, with a row at fault in each of two.
    let mut lines: Vec<String> = new_rows(40_000).lines().map(str::to_owned).collect();
    lines[20_003] = "many,7,01,red sun".to_owned();
    lines[39_000] = "1.5,7,01".to_owned();
    let text = lines.join("\n");
    work.write("bad.csv", text.as_bytes());
    let refused = work.runner(&["predict", "pipeline.yaml", "base.logistic", "bad.csv", "-o", "out.csv"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && told.contains("bad.csv:20004: column 'size': 'many'"), "{told}");
    assert!(!work.exists("out.csv"));
    let skip = [
        "predict",
        "pipeline.yaml",
        "base.logistic",
        "bad.csv",
        "-o",
        "out.csv",
        "--on-bad-row",
        "skip",
        "--rejected",
        "rejected.csv",
    ];
    let output = work.runner(&skip);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("bad.csv:39001") && told.contains("2 lines left out"), "{told}");
    assert_eq!(work.text("rejected.csv"), "size,hour,code,note\nmany,7,01,red sun\n1.5,7,01\n");
    let sound: Vec<&String> =
        lines.iter().enumerate().filter(|(i, _)| ![20_003, 39_000].contains(i)).map(|(_, line)| line).collect();
    let out = work.text("out.csv");
    assert!(out.lines().skip(1).zip(sound.iter().skip(1)).all(|(out, line)| out.starts_with(line.as_str())));
    assert_eq!(out.lines().count(), sound.len());
    work.write("empty.csv", b"size,hour,code,note\n");
    insta::assert_snapshot!(work.screen(&["predict", "pipeline.yaml", "best", "empty.csv"]));
}

#[test]
fn an_exported_model_and_a_whole_pipeline_are_shown() {
    let work = study();
    for (stage, file) in [("best", "best.runner"), ("base.logistic", "logistic.runner")] {
        succeeded(work.runner(&["export", "pipeline.yaml", stage, "-o", file]));
    }
    let head: serde_json::Value =
        serde_json::from_str(&succeeded(work.runner(&["show", "best.runner", "--json"]))).expect("JSON");
    let parts: serde_json::Value =
        serde_json::from_slice(&work.read("artifacts/study/mean/metrics.json")).expect("JSON");
    assert_eq!(head["judged"]["of"], "mean");
    assert_eq!(head["judged"]["metrics"]["macro_f1"], parts["parts"]["test"]["macro_f1"]);
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    let lines = succeeded(work.runner(&["show", "pipeline.yaml", "--json"]));
    assert_eq!(lines.lines().count(), 7, "{lines}");
    insta::assert_snapshot!(
        [
            work.screen(&["show", "best.runner"]),
            work.screen(&["show", "logistic.runner"]),
            work.screen(&["show", "best.runner", "best"]),
            work.screen(&["show", "pipeline.yaml"]),
            Workspace::new().pipeline(STUDY).file("t.csv", &rows(40)).screen(&["show", "pipeline.yaml"]),
        ]
        .join("\n")
    );
}

#[test]
fn what_is_wrong_with_a_file_is_told_without_the_options_of_a_pipeline_where_there_is_none() {
    let work = study();
    succeeded(work.runner(&["export", "pipeline.yaml", "best", "-o", "best.runner"]));
    let files: [(&str, &[u8]); 7] = [
        ("word.csv", b"size,hour,code,note\nmany,7,01,red sun\n"),
        ("infinite.csv", b"size,hour,code,note\n1e999,7,01,red sun\n"),
        ("twice.csv", b"size,hour,code,note,size\n1,7,01,red sun,2\n"),
        ("semicolons.csv", b"size;hour;code;note\n1;7;01;red sun\n"),
        ("latin1.csv", b"size,hour,code,note\n1,7,01,caf\xe9\n"),
        ("wide.csv", b"s\0i\0z\0e\0,\0h\0o\0u\0r\0,\0c\0o\0d\0e\0,\0n\0o\0t\0e\0\n\0\x31\0,\x007\0,\x001\0,\0r\0\n\0"),
        ("empty.csv", b"size,hour,code,note\n"),
    ];
    let mut screens = Vec::new();
    for (name, bytes) in files {
        work.write(name, bytes);
        screens.push(work.screen(&["predict", "best.runner", name]));
        let of_pipeline = work.runner(&["predict", "pipeline.yaml", "best", name]);
        assert_eq!(of_pipeline.status.code(), Some(1), "{name}");
    }
    insta::assert_snapshot!(screens.join("\n"));
}

#[test]
fn a_model_that_the_pipeline_no_longer_asks_for_is_refused() {
    let work = study();
    work.write("new.csv", new_rows(3).as_bytes());
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    insta::assert_snapshot!(
        [
            work.screen(&["predict", "pipeline.yaml", "best", "new.csv"]),
            work.screen(&["export", "pipeline.yaml", "best", "-o", "b.runner"]),
        ]
        .join("\n")
    );
    // What is not touched by the edit still predicts.
    succeeded(work.runner(&["predict", "pipeline.yaml", "base.logistic", "new.csv"]));
}

#[test]
fn an_encoder_that_is_packed_need_not_be_there() {
    let model = SmallModel::new("bert");
    let stages = STUDY
        .replace("encoder: tfidf, tfidf: {dim: 12}", &format!("encoder: {}", model.path().display()))
        .replace("fit: folds.train, ", "");
    let work = Workspace::new().file("t.csv", &rows(120)).file("new.csv", &new_rows(9)).pipeline(&stages);
    work.run().succeeded();
    let here = succeeded(work.runner(&["predict", "pipeline.yaml", "best", "new.csv"]));
    succeeded(work.runner(&["export", "pipeline.yaml", "best", "-o", "without.runner"]));
    succeeded(work.runner(&["export", "pipeline.yaml", "best", "-o", "with.runner", "--encoders"]));
    assert_eq!(succeeded(work.runner(&["predict", "without.runner", "new.csv"])), here);
    drop(model);
    assert_eq!(succeeded(work.runner(&["predict", "with.runner", "new.csv"])), here);
    let lacking = work.runner(&["predict", "without.runner", "new.csv"]);
    assert_eq!(lacking.status.code(), Some(1), "{}", String::from_utf8_lossy(&lacking.stderr));
}

/// What becomes of an entry of a package: its name and its bytes.
type Change<'a> = dyn Fn(&str, Vec<u8>) -> (String, Vec<u8>) + 'a;

#[test]
fn a_package_that_lies_is_refused() {
    let work = study();
    work.write("new.csv", new_rows(3).as_bytes());
    succeeded(work.runner(&["export", "pipeline.yaml", "base.logistic", "-o", "a.runner"]));
    // Equal models give equal bytes.
    succeeded(work.runner(&["export", "pipeline.yaml", "base.logistic", "-o", "b.runner"]));
    let whole = work.read("a.runner");
    assert!(whole == work.read("b.runner"));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&whole)).expect("a zip");
    let mut entries = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).expect("an entry");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("its bytes");
        entries.push((entry.name().expect("a name").into_owned(), bytes));
    }
    let with = |change: &Change| {
        let entries: Vec<zips::Entry> = entries
            .iter()
            .map(|(name, bytes)| {
                let (name, bytes) = change(name, bytes.clone());
                zips::file(&name, &bytes)
            })
            .collect();
        zips::zip(&entries)
    };
    let in_head = |from: &str, to: &str| {
        with(&|name, bytes| {
            let text = if name == "package.json" {
                String::from_utf8_lossy(&bytes).replace(from, to).into_bytes()
            } else {
                bytes
            };
            (name.to_owned(), text)
        })
    };
    let hostile: [(&str, Vec<u8>); 7] = [
        ("cut", whole[..whole.len() - 100].to_vec()),
        ("other format", in_head("runner package 1", "runner package 2")),
        ("unknown key", in_head("\"stage\"", "\"stge\"")),
        ("other class", in_head("\"night\"", "\"nigth\"")),
        (
            "leads outside",
            with(&|name, bytes| {
                let text =
                    String::from_utf8_lossy(&bytes).replace("model/logistic.json", "model/../x.json").into_bytes();
                (
                    name.replace("model/logistic.json", "model/../x.json"),
                    if name == "package.json" { text } else { bytes },
                )
            }),
        ),
        (
            "other bytes",
            with(&|name, mut bytes| {
                if name.ends_with(".safetensors") {
                    let last = bytes.len() - 1;
                    bytes[last] ^= 1;
                }
                (name.to_owned(), bytes)
            }),
        ),
        ("no model", with(&|name, bytes| (name.replace("model/", "modle/"), bytes))),
    ];
    assert!(work.runner(&["predict", "a.runner", "new.csv"]).status.success());
    for (what, bytes) in hostile {
        work.write("h.runner", &bytes);
        let output = work.runner(&["predict", "h.runner", "new.csv"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{what}: {told}");
        assert!(told.contains("h.runner") && !told.contains("panicked"), "{what}: {told}");
        assert!(output.stdout.is_empty(), "{what}");
    }
}

/// Of a stage's rows and of another file, in which other cells stand beside them.
#[test]
fn derived_columns_of_a_later_file_are_those_of_the_study() {
    let line = |i: usize| {
        let length = if i.is_multiple_of(3) { format!("{} min", i % 90 + 5) } else { format!("{}.50", i % 90 + 5) };
        format!(
            "{length},{:02}/{:02}/2021 {:02}:15,\"{}\",n{i}",
            i % 28 + 1,
            i % 12 + 1,
            i % 24,
            ["Dramas, Comedies", "Comedies", "Horror, Dramas"][i % 3]
        )
    };
    let class = |i: usize| if i % 24 < 12 { "day" } else { "night" };
    let header = "length,when,kinds,note";
    let all = (0..240).fold(format!("{header},y\n"), |text, i| text + &format!("{},{}\n", line(i), class(i)));
    // Of lengths that are all plain numbers: another type than in the study.
    let new =
        (0..60usize).filter(|i| !i.is_multiple_of(3)).fold(format!("{header}\n"), |text, i| text + &line(i) + "\n");
    let stages = "name: study
seed: 3
stages:
  rows:
    kind: load
    files: {all: t.csv, new: new.csv}
    label: y
    derive:
      size: {number_of: length}
      month: {month_of: when, day_first: true}
      weekday: {weekday_of: when, format: '%d/%m/%Y %H:%M'}
      hour: {hour_of: when}
      days: {days_of: when, since: 2021-01-01, day_first: true}
      drama: {has: Dramas, of: kinds}
      characters: {length_of: length}
      both: {joined: [kinds, note], separator: ': '}
      long: {length_of: both}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [size, month, weekday, hour, days, drama, characters, long], models: {random_forest: {trees: 9}}}
  said: {kind: predict, model: base.random_forest, rows: rows.new, file: said.csv}
";
    let work = Workspace::new().file("t.csv", &all).file("new.csv", &new).pipeline(stages);
    work.run().succeeded();
    let here = succeeded(work.runner(&["predict", "pipeline.yaml", "base.random_forest", "new.csv"]));
    assert_eq!(here, work.text("artifacts/study/said/said.csv"));
    // pd.to_datetime("06/06/2021 05:15", dayfirst=True).isocalendar().weekday, (… - pd.Timestamp("2021-01-01")).days
    let table = Table::from_ipc(&work.read("artifacts/study/rows/new.arrow")).expect("a table");
    let first = |name: &str| {
        let column = arrow::compute::cast(table.column(name).expect("a column"), &arrow::datatypes::DataType::Utf8);
        column.expect("texts").as_string::<i32>().value(3).to_owned()
    };
    let found = ["when", "size", "month", "weekday", "hour", "days", "drama", "characters", "both", "long"].map(first);
    let expected = ["06/06/2021 05:15", "10.5", "6", "7", "5", "156", "1", "5", "Horror, Dramas: n5", "18"];
    assert_eq!(found, expected);
}

#[cfg(unix)]
#[test]
fn nothing_that_is_read_is_written_over_and_files_are_for_whoever_may_read_them() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let work = study();
    work.write("new.csv", new_rows(4).as_bytes());
    let before = work.read("new.csv");
    let predict = |more: &[&str]| work.runner(&[&["predict", "pipeline.yaml", "best", "new.csv"], more].concat());
    for more in [
        ["-o", "./new.csv", "--on-bad-row", "skip"].as_slice(),
        &["-o", "pipeline.yaml"],
        &["--on-bad-row", "skip", "--rejected", "new.csv"],
        &["-o", "x.csv", "--on-bad-row", "skip", "--rejected", "./x.csv"],
        &["--rejected", "r.csv"],
    ] {
        assert_eq!(predict(more).status.code(), Some(2), "{more:?}");
    }
    assert!(work.read("new.csv") == before && !work.exists("x.csv"));
    let pipe = work.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    assert_eq!(predict(&["-o", "pipe"]).status.code(), Some(1));
    work.write("target.csv", b"old");
    symlink("target.csv", work.path().join("link.csv")).expect("a link");
    succeeded(predict(&["-o", "link.csv"]));
    assert!(work.text("target.csv").starts_with("size,"));
    assert!(work.path().join("link.csv").symlink_metadata().expect("a link").is_symlink());
    succeeded(work.runner(&["export", "pipeline.yaml", "best", "-o", "best.runner"]));
    let mode = |name: &str| work.path().join(name).metadata().expect("a file").permissions().mode() & 0o044;
    assert_eq!([mode("best.runner"), mode("target.csv")], [0o044, 0o044]);
}
