//! The user's columns: any name is theirs, what a model learnt decides what a new file's columns hold, and predictions can be loaded again.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use runner::artifact::Table;
use serde_json::Value;

use crate::screen::stable;
use crate::workspace::{Run, Workspace};

/// Numbers from 0 to 999 that look drawn at random.
fn scattered(i: usize) -> usize {
    (i * 7919 + 104_729) % 1000
}

/// 240 rows under this header; `row` is handed the class (`p` or `q`) and the index.
fn rows(header: &str, row: impl Fn(&str, usize) -> String) -> String {
    let lines = (0..240).map(|i| row(if scattered(i).is_multiple_of(2) { "p" } else { "q" }, i) + "\n");
    format!("{header}\n{}", lines.collect::<String>())
}

fn study(stages: &str) -> String {
    format!("name: study\nseed: 3\nstages:\n{stages}")
}

fn table(work: &Workspace, file: &str) -> Table {
    Table::from_ipc(&work.read(&format!("artifacts/study/{file}"))).expect("a table")
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    let column = table.column(name).expect("a column").as_string::<i32>();
    (0..column.len()).map(|i| column.value(i).to_owned()).collect()
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

/// The last field of each line below the header.
fn last_fields(csv: &str) -> Vec<&str> {
    csv.lines().skip(1).map(|line| line.rsplit(',').next().expect("a field")).collect()
}

#[track_caller]
fn says(run: &Run, parts: &[&str]) {
    let told = told(run);
    for part in parts {
        assert!(told.contains(part), "'{part}' is not in:\n{told}");
    }
}

/// The error of a stage, or what was refused before any ran.
fn told(run: &Run) -> String {
    format!("{}{}", run.error(), run.stderr)
}

fn warnings(run: &Run) -> String {
    run.lines.iter().filter_map(|line| line["message"].as_str()).collect::<Vec<_>>().join("\n")
}

/// Every name that a stage adds a column under, now or before it had names of its own.
const NAMES: [&str; 14] = [
    "row_id",
    "source",
    "line",
    "record",
    "label",
    "part",
    "fold",
    "predicted",
    "confidence",
    "model",
    "p_p",
    "x",
    "runner.label",
    "word_embedding",
];

#[test]
fn a_model_learns_from_the_users_column_whatever_its_name() {
    for name in NAMES {
        // Nothing but this column tells the classes apart, and none that a stage adds has such numbers.
        let own = |class: &str, i: usize| scattered(i) % 40 + if class == "p" { 50 } else { 0 };
        let csv = rows(&format!("{name},word,y"), |class, i| format!("{},w{},{class}", own(class, i), i % 5));
        let column = if name.starts_with("runner.") { format!("_{name}") } else { name.to_owned() };
        let work = Workspace::new().file("t.csv", &csv).pipeline(&study(&format!(
            "  rows: {{kind: load, files: {{all: t.csv}}, label: y}}
  folds: {{kind: split, rows: rows, folds: 2}}
  words: {{kind: embed, rows: rows, fit: folds.train, columns: [word], encoder: tfidf, tfidf: {{dim: 2}}}}
  model: {{kind: baseline, rows: folds, embeddings: words, numeric: ['{column}'], text: [word], models: {{tree: {{}}}}}}
  new: {{kind: predict, model: model.tree, rows: rows, embeddings: words, file: o.csv}}
  look: {{kind: inspect, model: model.tree, rows: folds, embeddings: words, part: test, show: ['{column}']}}
  profile: {{kind: describe, rows: folds}}
"
        )));
        work.run().succeeded();
        let accuracy =
            json(&work, "model/baseline.json")["evaluations"][0]["test"]["accuracy"].as_f64().expect("a number");
        assert!(accuracy > 0.95, "{name}: {accuracy}");
        let csv = work.text("artifacts/study/new/o.csv");
        let right = csv
            .lines()
            .skip(1)
            .filter(|line| line.split(',').rev().take(2).collect::<Vec<_>>().windows(2).all(|two| two[0] == two[1]));
        assert!(right.count() > 228, "{name}");
        let profile = json(&work, "profile/profile.json");
        let described = profile["columns"]
            .as_array()
            .expect("columns")
            .iter()
            .map(|column| column["name"].as_str().expect("a name"));
        assert_eq!(described.collect::<Vec<_>>(), [column.as_str(), "word"]);
        assert!(table(&work, "look/mistakes.arrow").column(&column).is_ok(), "{name} is not shown");
    }
}

#[test]
fn columns_without_a_name_are_the_same_in_files_that_lack_others() {
    // The first of them tells the classes apart, the second is noise of the same range.
    let own = |class: &str, i: usize| scattered(i) % 40 + if class == "p" { 50 } else { 0 };
    let train = rows("y,name,,", |class, i| format!("{class},n{i},{},{}", own(class, i), scattered(i + 1) % 90));
    let new = rows("name,,", |class, i| format!("{class}{i},{},{}", own(class, i), scattered(i + 1) % 90));
    let other = new.replacen("name,,", "name,,extra", 1);
    let work = Workspace::new().file("t.csv", &train).file("n.csv", &new).file("o.csv", &other);
    let stages = |load: &str, rows: &str| {
        study(&format!(
            "  rows: {{kind: load, files: {{train: t.csv, new: n.csv}}, label: y}}
{load}  folds: {{kind: split, rows: rows, folds: 2}}
  model: {{kind: baseline, rows: folds, numeric: [unnamed_1, unnamed_2], models: {{tree: {{}}}}}}
  predict: {{kind: predict, model: model.tree, rows: {rows}, file: p.csv}}
"
        ))
    };
    let work = work.pipeline(&stages("", "rows.new"));
    let run = work.run().succeeded();
    assert!(!warnings(&run).contains("no column"), "{}", warnings(&run));
    let csv = work.text("artifacts/study/predict/p.csv");
    // The file says its class in the name.
    let right = csv.lines().skip(1).filter(|line| line.get(..1) == line.rsplit(',').next());
    assert!(right.count() > 228, "columns are mixed up");
    // One column without a name, where the model learnt from two.
    let work = work.pipeline(&stages("  later: {kind: load, files: {o: o.csv}}\n", "later"));
    says(
        &work.run(),
        &[
            "'unnamed_1' has no name in the files: those behind 'model' have 2 such columns, those behind 'later' 1, so it may be another column there",
            "write names into the header lines",
        ],
    );
    let joined = stages("  later: {kind: load, files: {o: o.csv}}\n", "rows.new")
        .replace("split, rows: rows,", "split, rows: [rows, later],");
    says(&work.pipeline(&joined).run(), &["those behind 'rows' have 2 such columns, those behind 'later' 1"]);
}

#[test]
fn categories_groups_conditions_and_labels_mean_the_users_columns_too() {
    // `label` is noise here, `part` the group, `source` a condition, and the label is called `fold`.
    let csv = rows("label,part,source,line,fold", |class, i| {
        format!(
            "{},g{},{},{i},{class}",
            ["Decca", "Verve", "Motown"][scattered(i) / 7 % 3],
            i / 4,
            ["a", "b"][usize::from(i >= 200)]
        )
    });
    let work = Workspace::new().file("t.csv", &csv).pipeline(&study(
        "  rows: {kind: load, files: {all: t.csv}, label: fold, where: {line: {min: 4}}}
  folds: {kind: split, rows: rows, folds: 2, groups: [part], where: {source: a}}
  model: {kind: train, rows: folds, categories: [label], epochs: 5, network: {trunk: {layers: [4]}}}
  map: {kind: map, rows: folds, numeric: [line], show: [label, source, runner.source], method: pca, points: 50, perplexity: 5}
",
    ));
    work.run().succeeded();
    let accuracy = json(&work, "model/metrics.json")["parts"]["test"]["accuracy"].as_f64().expect("a number");
    assert!(accuracy < 0.8, "the model was given the answer: {accuracy}");
    let folds = table(&work, "folds/rows.arrow");
    assert_eq!(folds.rows(), 196);
    let (groups, parts) = (texts(&folds, "part"), texts(&folds, "runner.part"));
    for (group, part) in groups.iter().zip(&parts) {
        let elsewhere = groups.iter().zip(&parts).find(|(other, of)| *other == group && *of != part);
        assert!(elsewhere.is_none(), "{group} is torn apart");
    }
    let points = table(&work, "map/points.arrow");
    assert!(["Decca", "Verve", "Motown"].contains(&texts(&points, "label")[0].as_str()));
    assert_eq!((texts(&points, "source")[0].as_str(), texts(&points, "runner.source")[0].as_str()), ("a", "all"));
    // Where the data has no such column, the short name means the one that was added.
    work.edit("t.csv", "label,part,source,", "label,part,origin,");
    work.edit("pipeline.yaml", "where: {source: a}", "where: {source: all}");
    work.edit("pipeline.yaml", "show: [label, source, runner.source]", "show: [label, source]");
    work.run().succeeded();
    assert_eq!(table(&work, "folds/rows.arrow").rows(), 236);
    assert_eq!(texts(&table(&work, "map/points.arrow"), "runner.source")[0], "all");
}

#[test]
fn nothing_is_learnt_from_an_added_column() {
    let csv = rows("a,y", |class, i| format!("{},{class}", scattered(i)));
    for (key, name) in
        [("numeric", "fold"), ("numeric", "runner.fold"), ("categories", "label"), ("categories", "runner.part")]
    {
        let work = Workspace::new().file("t.csv", &csv).pipeline(&study(&format!(
            "  rows: {{kind: load, files: {{all: t.csv}}, label: y}}
  folds: {{kind: split, rows: rows, folds: 2}}
  model: {{kind: train, rows: folds, {key}: [{name}]}}
"
        )));
        let run = work.run();
        assert_eq!(run.code, Some(2));
        says(
            &run,
            &[
                &format!("no column '{name}' in the data of 'folds'"),
                "is added by runner",
                "the data has a, y",
                "pipeline.yaml:6:",
            ],
        );
    }
}

const PREDICTS: &str = "  rows: {kind: load, files: {all: t.csv}, label: y}
  new: {kind: load, files: {new: new.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {logistic: {}, boosting: {rounds: 5}}}
  net: {kind: train, rows: folds, numeric: [a, b], categories: [c], epochs: 20, batch_size: 16, optimizer: {lr: 0.02}, network: {trunk: {layers: [8]}}}
  first: {kind: predict, model: base.logistic, rows: new, file: o.csv}
  second: {kind: predict, model: base.boosting, rows: new, file: o.csv}
  third: {kind: predict, model: net, rows: new, file: o.csv}
";

/// Two numbers, the first with fractions, and a category of which `1` stands for `p`.
fn predicts(new: &str) -> Workspace {
    let csv = rows("a,b,c,y", |class, i| {
        let of = |class: &str, i: usize| scattered(i) + if class == "p" { 400 } else { 0 };
        format!("{}.5,{},{},{class}", of(class, i), of("q", i + 1), 1 + usize::from(class == "q") * (1 + i / 2 % 2))
    });
    Workspace::new().file("t.csv", &csv).file("new.csv", new).pipeline(&study(PREDICTS))
}

#[test]
fn a_new_files_columns_are_what_the_model_learnt() {
    let new = [
        ("a,b,c\n,1,1\n", 1),
        ("a,b,c\n,,\n,,\n", 2),
        ("a,b,c\nNA,,1\nNA,7,2\n,3,3\n", 3),
        // Integers for fractions, fractions for integers, and leading zeros.
        ("a,b,c\n700,1.5,1\n007,2.5,2\n", 2),
    ];
    let work = predicts(new[0].0);
    for (csv, count) in new {
        work.write("new.csv", csv.as_bytes());
        work.run().succeeded();
        for stage in ["first", "second", "third"] {
            let written = work.text(&format!("artifacts/study/{stage}/o.csv"));
            let predicted = last_fields(&written);
            assert!(
                predicted.len() == count && predicted.iter().all(|class| ["p", "q"].contains(class)),
                "{stage}: {written}"
            );
        }
    }
    // A category is the same however its number is written.
    let predicted = |csv: &str| {
        work.write("new.csv", csv.as_bytes());
        work.run().succeeded();
        let rows = table(&work, "third/rows.arrow");
        rows.column("runner.p_p").expect("probabilities").clone()
    };
    let plain = predicted("a,b,c\n,,1\n,,2\n,,3\n");
    assert_eq!(&plain, &predicted("a,b,c\n,,1.0\n,,2.0\n,,3.0\n"));
    assert_eq!(&plain, &predicted("a,b,c\n,,1.0\n,,2\n,,3\n,,unheard of\n").slice(0, 3));
    assert_ne!(&plain, &predicted("a,b,c\n,,01\n,,02\n,,03\n"), "01 is another text");
}

#[test]
fn a_value_that_is_no_number_is_told_with_its_place() {
    let work = predicts("a,b,c\n1.5,2,1\n\"far\",3,1\nnear,4,1\n");
    let run = work.run();
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(stable(&told(&run)), @"pipeline.yaml:9:3: new.csv:3: column 'a': 'far' is not a number, nor is one more of its values (the model was trained on numbers in 'a': correct the value, or list it under `missing` of the `load` stage of these rows to have it filled in)");
    // In training, where the column might serve as something else.
    let words = rows("a,w,y", |class, i| format!("{},w{i},{class}", scattered(i)));
    let stages = "  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, w], models: {majority: {}}}
";
    let run = Workspace::new().file("t.csv", &words).pipeline(&study(stages)).run();
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(stable(&told(&run)), @"pipeline.yaml:6:3: t.csv:2: column 'w': 'w0' is not a number, nor are 239 more of its values (correct it, list it under `missing` of the `load` stage, or leave 'w' out of `numeric`: `types: {w: text}` makes a text of it, for `categories` or an `embed` stage)");
}

/// Numbers of which more than every tenth is a sign or a repeated word: a text, until `missing` says otherwise.
#[test]
fn placeholders_among_numbers_are_told_of_with_the_remedy() {
    let word = |i: usize| match i % 20 {
        0 | 7 => "?".to_owned(),
        13 => "unknown".to_owned(),
        _ => scattered(i).to_string(),
    };
    let csv = rows("a,w,y", |class, i| format!("{},{},{class}", scattered(i), word(i)));
    let stages = |missing: &str| {
        study(&format!(
            "  rows: {{kind: load, files: {{all: t.csv}}, label: y{missing}}}
  folds: {{kind: split, rows: rows, folds: 2}}
  base: {{kind: baseline, rows: folds, numeric: [a, w], models: {{majority: {{}}}}}}
"
        ))
    };
    let work = Workspace::new().file("t.csv", &csv).pipeline(&stages(""));
    let run = work.run();
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(stable(&told(&run)), @"pipeline.yaml:6:3: t.csv:2: column 'w': '?' is not a number, nor are 35 more of its values; '?' (24 rows), 'unknown' (12 rows) may stand for a missing value: if so, write `w: {add: ['?', unknown]}` under `missing` in the `load` stage (correct it, list it under `missing` of the `load` stage, or leave 'w' out of `numeric`: `types: {w: text}` makes a text of it, for `categories` or an `embed` stage)");
    insta::assert_snapshot!(stable(&warnings(&run)), @"column 'w' is read as text, although 204 of its 240 values are numbers: '?' (24 rows), 'unknown' (12 rows) may stand for a missing value: if so, write `missing: {w: {add: ['?', unknown]}}`");
    let mended = work.pipeline(&stages(", missing: {w: {add: ['?', unknown]}}"));
    mended.run().succeeded();
}

/// Classes of two files, and of two tables, that a reader takes for one.
#[test]
fn a_class_is_one_however_its_files_spell_it() {
    let labelled = |zero: &str, one: &str| {
        rows("a,y", |class, i| format!("{},{}", scattered(i), if class == "p" { zero } else { one }))
    };
    let stages = "  rows: {kind: load, files: {train: t.csv, test: u.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a], models: {majority: {}}}
";
    let work = Workspace::new()
        .file("t.csv", &labelled("0", "1"))
        .file("u.csv", &labelled("0.0", "1.0"))
        .pipeline(&study(stages));
    let run = work.run().succeeded();
    insta::assert_snapshot!(stable(&warnings(&run)), @"label 'y': labels that are the same number as others count as their class: '0.0' as '0' (120 rows, u.csv:3, u.csv:5, u.csv:7), '1.0' as '1' (120 rows, u.csv:2, u.csv:4, u.csv:6) (to keep them apart: `types: {y: text}`)");
    let report = json(&work, "base/baseline.json");
    let test = &report["evaluations"][0]["test"];
    assert_eq!(test["classes"].as_array().map(Vec::len), Some(2), "{test:#}");

    // Another table, whose own labels agree with each other, and with those of the first.
    let stages = "  rows: {kind: load, files: {train: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a], models: {majority: {}}}
  others: {kind: load, files: {train: u.csv}, label: y}
  parts: {kind: split, rows: others, folds: 2}
  look: {kind: inspect, model: base.majority, rows: parts}
";
    let work = work.pipeline(&study(stages));
    let run = work.run().succeeded();
    insta::assert_snapshot!(stable(&warnings(&run)), @"label 'y': numbers are named in their plain form: '0.0' as '0', '1.0' as '1' (to keep the spelling: `types: {y: text}`)");
    // Unless the spelling is meant: the model of the first does not know it.
    work.edit("pipeline.yaml", "files: {train: u.csv}, label: y", "files: {train: u.csv}, label: y, types: {y: text}");
    let run = work.run();
    assert_eq!(run.code, Some(1));
    let told = format!("{}{}", run.error(), run.stderr);
    insta::assert_snapshot!(stable(&told), @"pipeline.yaml:9:3: the model does not know the class '0.0' of these rows, but '0', the same number: write both alike in the files");
}

#[test]
fn a_model_is_never_given_its_label() {
    let csv = rows("a,y", |class, i| format!("{},{class}", scattered(i)));
    for inputs in ["numeric: [a, y]", "numeric: [a], categories: [y]"] {
        let work = Workspace::new().file("t.csv", &csv).pipeline(&study(&format!(
            "  rows: {{kind: load, files: {{all: t.csv}}, label: y}}
  folds: {{kind: split, rows: rows, folds: 2}}
  net: {{kind: train, rows: folds, {inputs}}}
"
        )));
        let run = work.run();
        assert_eq!(run.code, Some(2));
        says(&run, &["'y' is the label", "leave it out"]);
    }
    // A label that no file has is told before anything runs.
    let work = Workspace::new().file("t.csv", &csv).pipeline(&study(
        "  rows: {kind: load, files: {all: t.csv}, label: Y}
  folds: {kind: split, rows: rows, folds: 2}
",
    ));
    let run = work.run();
    assert_eq!(run.code, Some(2));
    insta::assert_snapshot!(stable(&told(&run)), @"
    error: no column 'Y' in 'rows' (did you mean 'y'?)
     --> pipeline.yaml:4:50
      |
    4 |   rows: {kind: load, files: {all: t.csv}, label: Y}
      |                                                  ^
      = help: it has a, y
    ");
}

#[test]
fn a_column_without_any_value_is_missing_numbers_in_training_too() {
    let csv = rows("a,b,y", |class, i| format!("{},,{class}", scattered(i) + if class == "p" { 900 } else { 0 }));
    let work = Workspace::new().file("t.csv", &csv).pipeline(&study(
        "  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {majority: {}, logistic: {}, linear_svm: {}, rbf_svm: {}, knn: {}, naive_bayes: {},
         tree: {}, random_forest: {trees: 5}, extra_trees: {trees: 5}, boosting: {rounds: 5}}}
  net: {kind: train, rows: folds, numeric: [a, b], epochs: 20, batch_size: 16, optimizer: {lr: 0.02}, network: {trunk: {layers: [8]}}}
  profile: {kind: describe, rows: folds}
  map: {kind: map, rows: folds, numeric: [a, b], method: pca, points: 50, perplexity: 5}
",
    ));
    let run = work.run().succeeded();
    insta::assert_snapshot!(stable(&warnings(&run)), @"
    column 'b' holds no value at all
    column 'b' has no value in the training part, so nothing can be learnt from it (leave it out of `numeric`)
    column 'b' has no value in the training part, so nothing can be learnt from it (leave it out of `numeric`)
    column 'b' has no value in the training part, so nothing can be learnt from it (leave it out of `numeric`)
    ");
    for model in json(&work, "base/baseline.json")["evaluations"].as_array().expect("models") {
        let accuracy = model["test"]["accuracy"].as_f64().expect("a number");
        assert!(accuracy > 0.8 || model["name"] == "majority", "{model}");
    }
    assert!(json(&work, "net/metrics.json")["parts"]["test"]["accuracy"].as_f64().expect("a number") > 0.8);
}

#[test]
fn predictions_can_be_loaded_and_predicted_again() {
    let new = [
        "a,b,c,y\n1,2,1,p\n0,1,2,q\n",
        "a,b,c\n1,2,1\n0,1,2\n",
        "a,b,c, Y\n1,2,1,p\n",
        "predicted_y,a,b,y,c\nq,1,2,p,1\nq,0,1,q,2\n",
        "\u{feff}\"y\",a,b,c,Predicted_Y\r\n,1,2,1,z\r\n",
    ];
    let work = predicts(new[0]);
    for csv in new {
        work.write("new.csv", csv.as_bytes());
        for _ in 0..3 {
            work.run_with(&["first"]).succeeded();
            let (before, after) = (work.text("new.csv"), work.text("artifacts/study/first/o.csv"));
            for (line, longer) in before.lines().zip(after.lines()) {
                assert_eq!(longer.rsplit_once(',').expect("a field").0, line, "the file's own text is kept");
            }
            work.write("new.csv", after.as_bytes());
        }
        let header =
            work.text("new.csv").lines().next().expect("a header").trim_start_matches('\u{feff}').to_lowercase();
        let mut names: Vec<&str> = header.split(',').map(|name| name.trim().trim_matches('"')).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{header}");
    }
    let work = predicts(new[0]);
    let run = work.run_with(&["first"]).succeeded();
    insta::assert_snapshot!(stable(&warnings(&run)), @"the file has a column 'y' already, so the predictions stand under 'predicted_y'");
    assert_eq!(json(&work, "first/metrics.json")["column"], "predicted_y");
}

#[test]
fn a_column_to_add_is_not_one_that_the_file_has() {
    for (column, free) in [("a", false), (" A ", false), ("' '", false), ("guess", true)] {
        let work = predicts("a,b,c\n1,2,1\n");
        let settings = [format!("first.column={column}")];
        let run = work.run_with(&["--set", &settings[0], "first"]);
        assert_eq!(run.code, Some(if free { 0 } else { 2 }), "{column}: {}", run.stderr);
        if !free {
            says(&run, &["column", "first"]);
        }
    }
}

#[test]
fn tables_of_several_load_stages_are_joined_by_name() {
    let one = rows("a,b,y", |class, i| format!("{i},{},{class}", if class == "p" { 7 } else { 5 }));
    let two = rows("y,b,a,more", |class, i| format!("{class},{}.5,,m{i}", if class == "p" { 7 } else { 5 }));
    let work = Workspace::new().file("one.csv", &one).file("two.csv", &two).pipeline(&study(
        "  one: {kind: load, files: {one: one.csv}, label: y}
  two: {kind: load, files: {two: two.csv}, label: y}
  folds: {kind: split, rows: [one, two], folds: 2}
  model: {kind: baseline, rows: folds, numeric: [b], models: {tree: {}}}
",
    ));
    work.run().succeeded();
    let folds = table(&work, "folds/rows.arrow");
    assert_eq!(folds.rows(), 480);
    let a = folds.column("a").expect("a column").as_primitive::<Int64Type>();
    assert_eq!((a.null_count(), a.value(239)), (240, 239));
    assert_eq!(folds.column("more").expect("a column").null_count(), 240);
    let accuracy = json(&work, "model/baseline.json")["evaluations"][0]["test"]["accuracy"].as_f64().expect("a number");
    assert!(accuracy > 0.99, "{accuracy}");
}

#[test]
fn ids_of_many_digits_are_not_learnt_from_as_one_number() {
    let mut text = "id,x,y\n".to_owned();
    (0..60u64).for_each(|row| {
        text.push_str(&format!("{},{},{}\n", (1u64 << 63) + row, row * 7 % 10, ["a", "b"][row as usize % 2]))
    });
    let work = Workspace::new().file("t.csv", &text).pipeline(
        "name: p
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [id, x], models: {tree: {}}}
",
    );
    let output = work.runner(&["run", "pipeline.yaml"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    insta::assert_snapshot!(stable(&told), @"
    ✓ rows   ran [time]
    ! folds  the test part has 9 rows, of which no score says much: give it a larger share, or bring more rows
    ✓ folds  ran [time]
    ✗ base   failed
      pipeline.yaml:5:3: column 'id': '9223372036854775808' and '9223372036854775809' have more digits than a number holds, and would be one: leave it out of `numeric`, or list it under `categories`
    ");
}

#[test]
fn derivations_that_cannot_be_are_refused_before_anything_runs() {
    let derive = "j: {joined: [a, b]}, l: {log_of: j}, m: {month_of: d, format: '%Y'}, h: {has: x, of: kinds}";
    let yaml = study(&format!("  rows: {{kind: load, files: {{all: t.csv}}, derive: {{{derive}}}}}\n"));
    let work = Workspace::new().file("t.csv", "a,b,d\n1,2,2021\n").pipeline(&yaml);
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: derive.l: 'j' is a derived text, not numbers
     --> pipeline.yaml:4:76
      |
    4 | …l: t.csv}, derive: {j: {joined: [a, b]}, l: {log_of: j}, m: {month_of: d, format: '%Y'}, h: {has: x,…
      |                                              ^^^^^^^^^^^
      = help: derive from another column, or take a number out of the text by `number_of`

    error: 'derive.m': dates in the format '%Y' do not tell what month_of needs
     --> pipeline.yaml:4:92
      |
    4 | …rive: {j: {joined: [a, b]}, l: {log_of: j}, m: {month_of: d, format: '%Y'}, h: {has: x, of: kinds}}}
      |                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: derive.h: no file has a column 'kinds'
     --> pipeline.yaml:4:124
      |
    4 | …rive: {j: {joined: [a, b]}, l: {log_of: j}, m: {month_of: d, format: '%Y'}, h: {has: x, of: kinds}}}
      |                                                                                 ^^^^^^^^^^^^^^^^^^^
    ");
}
