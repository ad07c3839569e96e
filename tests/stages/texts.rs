//! Baselines that read texts themselves, from the pipeline to predictions, inspections and averages.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use runner::artifact::Table;
use serde_json::Value;

use crate::workspace::Workspace;

const WORDS: [&str; 8] = ["gut", "schön", "Haus", "Baum", "nicht", "böse", "schlecht", "der"];

/// 600 rows: the class is whether the text says `gut` or `schön`; the note tells nothing.
fn rows() -> String {
    let row = |i: usize| {
        let (a, b, c) = (i * 7919 % 997 % 8, i * 104_729 % 887 % 8, i * 31 % 211 % 8);
        let class = if [a, b].iter().any(|&word| word < 2) { "p" } else { "q" };
        format!("{} {},{} {},{},{class}\n", WORDS[a], WORDS[b], WORDS[c], i % 5, i * 13 % 89)
    };
    format!("text,note,number,y\n{}", (0..600).map(row).collect::<String>())
}

const STAGES: &str = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  new: {kind: load, files: {all: new.csv}}
  folds: {kind: split, rows: rows, folds: 2, train: 0.6, valid: 0.2, test: 0.2}
  base: {kind: baseline, rows: folds, texts: [text]}
  both: {kind: baseline, rows: folds, numeric: [number], texts: [text, note], tfidf: {characters: null}, models: {logistic: {}, linear_svm: {}, boosting: {rounds: 40}}}
  said: {kind: predict, model: both.logistic, rows: new, file: o.csv}
  machine: {kind: predict, model: base.linear_svm, rows: new, file: o.csv}
  look: {kind: inspect, model: both.logistic, rows: folds, part: test}
  mean: {kind: ensemble, members: [both, base], models: [both, base], weights: equal}
  joint: {kind: predict, model: mean, rows: new, file: o.csv}
  report: {kind: report, title: Words, author: A, stages: [rows, folds, base, both, look, mean]}
";

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

#[test]
fn a_baseline_learns_predicts_and_is_inspected_with_texts() {
    let new = "text,note,number\nGut der,x,1\nböse Baum,x,2\nschöne Sachen,x,3\n,x,4\n";
    let work = Workspace::new().file("t.csv", &rows()).file("new.csv", new).pipeline(STAGES);
    work.run().succeeded();
    for stage in ["base", "both"] {
        let scores = json(&work, &format!("{stage}/baseline.json"));
        for one in scores["evaluations"].as_array().expect("evaluations").iter().filter(|one| one["name"] != "majority")
        {
            let cross_validated = one["cv_accuracy_mean"].as_f64().expect("a number");
            let test = one["test"]["accuracy"].as_f64().expect("a number");
            let least = if one["name"] == "knn" { 0.8 } else { 0.9 };
            assert!(test >= least && cross_validated >= least, "{stage}, {}: {cross_validated}, {test}", one["name"]);
        }
    }
    for stage in ["said", "machine", "joint"] {
        let table = Table::from_ipc(&work.read(&format!("artifacts/study/{stage}/rows.arrow"))).expect("a table");
        let found = table.column("runner.p_p").expect("probabilities").as_primitive::<Float32Type>().values().to_vec();
        assert!(found[0] > 0.5 && found[1] < 0.5, "{stage}: {found:?}");
        // `schöne` is known by its characters alone.
        assert_eq!(found[2] > 0.5, stage != "said", "{stage}: {found:?}");
    }
    let findings = json(&work, "look/findings.json");
    let drops = findings["importance"].as_array().expect("columns").iter();
    let drops: BTreeMap<&str, f64> = drops
        .map(|one| (one["name"].as_str().unwrap_or(""), one["accuracy"]["mean"].as_f64().unwrap_or(0.0)))
        .collect();
    assert_eq!(drops.keys().copied().collect::<Vec<_>>(), ["all texts", "note", "number", "text"]);
    assert!(drops["text"] > 0.2 && drops["note"].abs() < 0.1 && drops["number"].abs() < 0.05, "{drops:?}");

    let recipe = json(&work, "both/logistic.json");
    assert_eq!(recipe["baseline"]["format"], "runner baseline 5");
    assert_eq!(recipe["baseline"]["inputs"]["texts"], serde_json::json!(["text", "note"]));
    assert_eq!(recipe["baseline"]["inputs"]["tfidf"]["words"]["ngram_range"], serde_json::json!([1, 2]));
    // What is known is not computed again.
    let again = work.run().succeeded();
    assert!(!again.stderr.contains("error"), "{}", again.stderr);
}

#[test]
fn options_of_texts_are_held_against_their_ranges() {
    let plan = |stage: &str| {
        let stages = STAGES.replace("base: {kind: baseline, rows: folds, texts: [text]}", stage);
        let work = Workspace::new().file("t.csv", &rows()).file("new.csv", "text,note,number\n").pipeline(&stages);
        String::from_utf8_lossy(&work.runner(&["plan", "pipeline.yaml"]).stderr).into_owned()
    };
    let base = |options: &str| format!("base: {{kind: baseline, rows: folds, {options}}}");
    let told = plan(&base("texts: [text], tfidf: {words: {ngram_range: [3, 2]}}"));
    assert!(told.contains("pipeline.yaml:7:") && told.contains("give [shortest, longest] of 1 to 64"), "{told}");
    let told = plan(&base("texts: [text], tfidf: {words: {min_df: 0}}"));
    assert!(told.contains("pipeline.yaml:7:") && told.contains("min_df"), "{told}");
    let told = plan(&base("texts: [text], tfidf: {words: null, characters: null}"));
    assert!(told.contains("`words` and `characters` cannot both be left out"), "{told}");
    let told = plan(&base("texts: [tex]"));
    assert!(told.contains("pipeline.yaml:7:") && told.contains("did you mean 'text'"), "{told}");
    let told = plan(&base("texts: [y]"));
    assert!(told.contains("a model must not be given what it is to predict"), "{told}");
    let told = plan(&base("numeric: [number], tfidf: {lowercase: false}"));
    assert!(told.contains("nothing reads `tfidf`"), "{told}");
}

#[test]
fn a_text_that_leaks_is_named_when_a_baseline_reads_it() {
    let csv: String =
        (0..200).map(|i| format!("{},{},{}\n", i * 37 % 101, ["u", "v"][i % 2], ["p", "q"][i % 2])).collect();
    let work = Workspace::new().file("t.csv", &format!("n,copy,y\n{csv}")).pipeline(
        "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  profile: {kind: describe, rows: folds}
  base: {kind: baseline, rows: folds, numeric: [n], texts: [copy], models: {logistic: {}}}
  report: {kind: report, title: Leak, author: A, stages: [folds, profile, base]}
",
    );
    work.run().succeeded();
    let page = work.text("artifacts/study/report/report.html");
    assert!(page.contains("leaks the label"), "the page does not tell that 'copy' leaks");
}

#[test]
fn numbers_are_one_text_whatever_makes_vectors_or_tokens_of_them() {
    // With a fraction in one row, all of them are read as such; written out, whole ones have none.
    let rows = |first: &str| format!("n,y\n{first}\n{}", "7,p\n12,q\n31,p\n40,q\n".repeat(10));
    let work = Workspace::new().file("t.csv", &rows("2.5,p")).file("whole.csv", &rows("2,p")).pipeline(
        "name: study
stages:
  as_numbers: {kind: load, files: {all: t.csv}, label: y}
  as_texts: {kind: load, files: {all: t.csv}, label: y, types: {n: text}}
  whole: {kind: load, files: {all: whole.csv}, label: y}
  folds: {kind: split, rows: as_texts, folds: 2}
  of_numbers: {kind: embed, rows: as_numbers, fit: folds.train, columns: [n], encoder: tfidf, tfidf: {dim: 4, min_count: 1}}
  of_texts: {kind: embed, rows: as_texts, fit: folds.train, columns: [n], encoder: tfidf, tfidf: {dim: 4, min_count: 1}}
  of_whole: {kind: embed, rows: whole, fit: folds.train, columns: [n], encoder: tfidf, tfidf: {dim: 4, min_count: 1}}
",
    );
    work.run().succeeded();
    let vectors = |stage: &str| {
        let folder = format!("artifacts/study/{stage}");
        let file =
            work.files_under(&folder).into_iter().find(|path| path.extension().is_some_and(|end| end == "arrow"));
        let file = format!("{folder}/{}", file.expect("a file").display());
        let table = Table::from_ipc(&work.read(&file)).expect("a table");
        let name = table.column_names().pop().expect("a column");
        let list = table.column(&name).expect("vectors").as_fixed_size_list();
        list.values().as_primitive::<Float32Type>().values().to_vec()
    };
    let (numbers, texts, whole) = (vectors("of_numbers"), vectors("of_texts"), vectors("of_whole"));
    assert!(numbers == texts && numbers.iter().any(|value| *value != 0.0), "{numbers:?}\n{texts:?}");
    assert_eq!(numbers[4..], whole[4..], "all rows but the first");
}
