//! Users' tables with surprises, through the whole program: what leaves the data is told of, and what cannot be learnt from is named.

use crate::screen::stable;
use crate::workspace::{Run, Workspace};

fn warnings(run: &Run) -> String {
    let warnings = run.lines.iter().filter(|line| line["event"] == "warning");
    warnings.filter_map(|line| line["message"].as_str()).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
}

const SPLIT: &str = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
";

/// 160 rows of two numbers and a label, with this amount in row 60, which is line 62.
fn amounts(odd: &str) -> String {
    let rows = (0..160).map(|i| {
        let amount = if i == 60 { odd.to_owned() } else { format!("{}.5", (i * 7) % 13 + i % 2 * 5) };
        format!("{}.25,{amount},{}\n", i * 3 % 11, ["p", "q"][i % 2])
    });
    "b,amount,y\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn labels_that_read_as_missing_leave_the_data_with_a_word() {
    let rows: String = (0..123).map(|i| format!("{i},{}\n", ["NA", "US", "FR"][i % 3])).collect();
    let work = Workspace::new().file("t.csv", &format!("a,y\n{rows}")).pipeline(SPLIT);
    let run = work.run().succeeded();
    insta::assert_snapshot!(stable(&warnings(&run)), @"label 'y': 41 rows have none and cannot be learnt from: 41 say 'NA', which stands for a missing value (t.csv:2, t.csv:5, t.csv:8); for classes of these names write `missing: {y: {remove: [NA]}}`");
    let summary: serde_json::Value =
        serde_json::from_slice(&work.read("artifacts/study/folds/split.json")).expect("JSON");
    assert_eq!((&summary["left_out"], &summary["without_label"]), (&41.into(), &41.into()));

    work.edit("pipeline.yaml", "label: y}", "label: y, missing: {y: []}}");
    let run = work.run().succeeded();
    assert_eq!(warnings(&run), "");
    let summary: serde_json::Value =
        serde_json::from_slice(&work.read("artifacts/study/folds/split.json")).expect("JSON");
    assert_eq!(summary["left_out"], 0);
}

#[test]
fn large_ids_stay_apart_as_groups() {
    let id = |i: u64| if i == 0 { "1.5".to_owned() } else { (9_007_199_254_740_993 + i).to_string() };
    let rows: String = (0..120).map(|i| format!("{},{i},{}\n", id(i), ["p", "q"][i as usize % 2])).collect();
    let yaml = SPLIT.replace("folds: 2}", "folds: 2, groups: [id]}");
    let work = Workspace::new().file("t.csv", &format!("id,a,y\n{rows}")).pipeline(&yaml);
    let run = work.run().succeeded();
    insta::assert_snapshot!(stable(&warnings(&run)), @"column 'id' is read as text: it has fractions, e.g. '1.5' (t.csv:2), and as fractions 59 whole numbers beyond 2^53 would be rounded and merge, e.g. '9007199254740995' (t.csv:4), '9007199254740997' (t.csv:6), '9007199254740999' (t.csv:8) (correct it, or declare `types: {id: number}` if they are no identifiers)");
    let summary: serde_json::Value =
        serde_json::from_slice(&work.read("artifacts/study/folds/split.json")).expect("JSON");
    assert_eq!(summary["groups"], 120);
}

#[test]
fn ids_that_a_float_would_merge_stay_apart_as_groups_and_classes() {
    let same = |i: usize| (i / 4) as u64 + 9_007_199_254_740_992;
    let ids: [&dyn Fn(usize) -> String; 3] =
        [&|i| format!("{}e0", same(i)), &|i| format!("0.1000000000000000{:04}", i / 4), &|i| {
            format!("9.0071992547409{:02}e15", i / 4)
        }];
    for id in ids {
        let rows: String = (0..120).map(|i| format!("{},{i},{}\n", id(i), ["p", "q"][i % 2])).collect();
        let yaml = SPLIT.replace("folds: 2}", "folds: 2, groups: [id]}");
        let work = Workspace::new().file("t.csv", &format!("id,a,y\n{rows}")).pipeline(&yaml);
        work.run().succeeded();
        let summary: serde_json::Value =
            serde_json::from_slice(&work.read("artifacts/study/folds/split.json")).expect("JSON");
        assert_eq!(summary["groups"], 30, "{}", id(0));
    }
    // As labels: two classes, of which no warning says that they are one number.
    let rows: String = (0..120).map(|i| format!("{i},900719925474099{}e0\n", 2 + i % 2)).collect();
    let work = Workspace::new().file("t.csv", &format!("a,y\n{rows}")).pipeline(SPLIT);
    let run = work.run().succeeded();
    assert!(!warnings(&run).contains("the same number"), "{}", warnings(&run));
    let summary: serde_json::Value =
        serde_json::from_slice(&work.read("artifacts/study/folds/split.json")).expect("JSON");
    assert_eq!(summary["parts"]["train"]["classes"].as_object().map(serde_json::Map::len), Some(2), "{summary}");
}

#[test]
fn predictions_keep_blank_lines_and_ends_of_lines() {
    let yaml = SPLIT.to_owned()
        + "  new: {kind: load, files: {first: first.csv, second: second.csv}}
  model: {kind: baseline, rows: folds, numeric: [a], models: {majority: {}}}
  one: {kind: predict, model: model.majority, rows: new.first, file: o.csv}
  both: {kind: predict, model: model.majority, rows: new.rows, file: o.csv}
";
    let rows: String = (0..60).map(|i| format!("{i},{}\n", if i % 3 == 0 { "q" } else { "p" })).collect();
    let (first, second) = ("a,b\r\n\r\n1,2\n\n\n3,4\r\n5,6", "a,b\n7,8\n\n");
    let work =
        Workspace::new().file("t.csv", &format!("a,y\n{rows}")).file("first.csv", first).file("second.csv", second);
    let work = work.pipeline(&yaml);
    work.run().succeeded();
    let expected = "a,b,y\r\n\r\n1,2,p\n\n\n3,4,p\r\n5,6,p";
    assert_eq!(work.text("artifacts/study/one/o.csv"), expected);
    // Of two files a record stands on a line of its own all the same.
    assert_eq!(work.text("artifacts/study/both/o.csv"), format!("{expected}\r\n7,8,p\n\n"));
}

#[test]
fn very_small_numbers_are_learnt_from_as_others_are() {
    let yaml = SPLIT.to_owned()
        + "  base:
    kind: baseline
    rows: folds
    numeric: [x]
    models: {logistic: {}, knn: {}, naive_bayes: {}, linear_svm: {}, rbf_svm: {}, tree: {}}
  standard: {kind: train, rows: folds, numeric: [x], epochs: 8, batch_size: 16, network: {scaling: standard, trunk: {layers: [8]}}}
  robust: {kind: train, rows: folds, numeric: [x], epochs: 8, batch_size: 16, network: {scaling: robust, trunk: {layers: [8]}}}
  profile: {kind: describe, rows: folds}
";
    for exponent in ["", "e-165", "e-300"] {
        // The classes are 6 apart, and 5 wide.
        let row = |i: usize| format!("{}.{}{exponent},{}\n", 1 + i * 7 % 5 + i % 2 * 6, i % 10, ["p", "q"][i % 2]);
        let rows: String = (0..200).map(row).collect();
        let work = Workspace::new().file("t.csv", &format!("x,y\n{rows}")).pipeline(&yaml);
        work.run().succeeded();
        let json = |file: &str| -> serde_json::Value {
            serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
        };
        let evaluations = json("base/baseline.json")["evaluations"].as_array().expect("a list").clone();
        assert_eq!(evaluations.len(), 6);
        for model in evaluations {
            assert!(model["test"]["accuracy"].as_f64().is_some_and(|all| all > 0.95), "{exponent}: {model}");
        }
        for network in ["standard", "robust"] {
            let metrics = json(&format!("{network}/metrics.json"));
            assert!(
                metrics["parts"]["test"]["accuracy"].as_f64().is_some_and(|all| all > 0.9),
                "{exponent}: {metrics}"
            );
        }
        let profile = json("profile/profile.json");
        let deviation = profile["columns"][0]["numeric"]["standard_deviation"].as_f64();
        assert!(deviation.is_some_and(|deviation| deviation > 0.0), "{exponent}: {profile}");
    }
}

#[test]
fn numbers_beyond_32_bits_are_refused_alike_with_column_and_line() {
    let yaml = SPLIT.to_owned()
        + "  base: {kind: baseline, rows: folds, numeric: [b, amount], models: {logistic: {}}}
  net: {kind: train, rows: folds, numeric: [b, amount], epochs: 2, network: {trunk: {layers: [4]}}}
  profile: {kind: describe, rows: folds}
";
    for odd in ["1e39", "-4e38", "1e300"] {
        let work = Workspace::new().file("t.csv", &amounts(odd)).pipeline(&yaml);
        let profile = work.run_with(&["profile"]).succeeded();
        says(&warnings(&profile), &["column 'amount'", "t.csv:62", "a number beyond"]);
        let (base, net) = (work.run_with(&["base"]), work.run_with(&["net"]));
        assert_eq!((base.code, net.code), (Some(1), Some(1)), "{base:?} {net:?}");
        let without_place = |error: String| error.split_once(": ").map(|(_, rest)| rest.to_owned());
        assert_eq!(without_place(base.error()), without_place(net.error()));
        says(&base.error(), &["column 'amount'", &format!("{odd} (t.csv:62)"), "±3.4e38"]);
        let profile: serde_json::Value =
            serde_json::from_slice(&work.read("artifacts/study/profile/profile.json")).expect("JSON");
        let column = profile["columns"].as_array().expect("a list").iter().find(|column| column["name"] == "amount");
        assert_eq!(column.expect("the column")["infinite"], 1);
    }
}

#[test]
fn numbers_beyond_32_bits_in_rows_to_predict_are_refused_by_line() {
    let yaml = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  news: {kind: load, files: {fresh: new.csv}}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [b, amount], models: {logistic: {}}}
  net: {kind: train, rows: folds, numeric: [b, amount], epochs: 2, network: {scaling: standard, trunk: {layers: [4]}}}
  by_base: {kind: predict, model: base, rows: news, file: base.csv}
  by_net: {kind: predict, model: net, rows: news, file: net.csv}
";
    let work = Workspace::new().file("t.csv", &amounts("1.0")).pipeline(yaml);
    work.write("new.csv", b"b,amount\n1.5,2.5\n2.5,1e39\n");
    for stage in ["by_base", "by_net"] {
        says(&work.run_with(&[stage]).error(), &["column 'amount'", "1e39 (new.csv:3)"]);
    }
    // What 32 bits hold is taken, however far it lies from what was learnt.
    work.write("new.csv", b"b,amount\n1.5,2.5\n2.5,3e38\n2.5,-3e38\n");
    work.run().succeeded();
    for file in ["by_base/base.csv", "by_net/net.csv"] {
        assert_eq!(work.text(&format!("artifacts/study/{file}")).lines().count(), 4);
    }
    let shown = work.runner(&["show", "pipeline.yaml", "by_net.rows", "--json"]);
    assert!(!String::from_utf8_lossy(&shown.stdout).contains("NaN"), "{}", String::from_utf8_lossy(&shown.stdout));
}

#[test]
fn all_rare_classes_are_named_at_once_with_a_way_out() {
    let classes = [("common", 60), ("usual", 60), ("okapi", 1), ("a, b", 2), ("dodo", 1), ("kakapo", 2)];
    let rows = classes.iter().flat_map(|(class, rows)| (0..*rows).map(move |i| format!("{i},\"{class}\"\n")));
    let work = Workspace::new().file("t.csv", &("a,y\n".to_owned() + &rows.collect::<String>())).pipeline(SPLIT);
    let run = work.run();
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(stable(&run.error()), @"
    pipeline.yaml:4:3: too rare to be in 3 parts and two folds: classes 'a, b' (2 rows), 'dodo' (1 row), 'kakapo' (2 rows), 'okapi' (1 row) (each needs 4 rows or more, in as many groups where rows are linked: bring more rows, or leave such classes out)
    to leave them out, write in this stage `where: {y: {not: ['a, b', dodo, kakapo, okapi]}}`
    ");
    let remedy = "where: {y: {not: ['a, b', dodo, kakapo, okapi]}}";
    insta::assert_snapshot!(stable(&run.error()), @"
    pipeline.yaml:4:3: too rare to be in 3 parts and two folds: classes 'a, b' (2 rows), 'dodo' (1 row), 'kakapo' (2 rows), 'okapi' (1 row) (each needs 4 rows or more, in as many groups where rows are linked: bring more rows, or leave such classes out)
    to leave them out, write in this stage `where: {y: {not: ['a, b', dodo, kakapo, okapi]}}`
    ");
    work.edit("pipeline.yaml", "folds: 2}", &format!("folds: 2, {remedy}}}"));
    work.run().succeeded();
}

/// The probability of class p for the first row of a table of predictions.
fn first_probability(work: &Workspace, port: &str) -> f64 {
    let shown = work.runner(&["show", "pipeline.yaml", port, "--json"]);
    let rows = String::from_utf8_lossy(&shown.stdout).into_owned();
    let first: serde_json::Value = serde_json::from_str(rows.lines().next().unwrap_or_default()).expect("JSON");
    first["p_p"].as_f64().unwrap_or_else(|| panic!("no probability in {rows}"))
}

#[test]
fn what_is_predicted_of_a_row_does_not_depend_on_the_other_rows_of_its_file() {
    let rows =
        (0..160).map(|i| format!("{},{},{}\n", i * 3 % 11, ["1", "2", "x", "1.0"][i % 4], ["p", "q", "q", "p"][i % 4]));
    let yaml = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  news: {kind: load, files: {fresh: new.csv}}
  folds: {kind: split, rows: rows, folds: 0}
  net: {kind: train, rows: folds, numeric: [b], categories: [k], epochs: 8, network: {trunk: {layers: [4]}}}
  by_net: {kind: predict, model: net, rows: news, file: net.csv}
";
    let work = Workspace::new().file("t.csv", &("b,k,y\n".to_owned() + &rows.collect::<String>())).pipeline(yaml);
    let mut found = Vec::new();
    for other in ["2", "2.0", "x", "NA"] {
        work.write("new.csv", format!("b,k\n1,1\n1,{other}\n").as_bytes());
        let run = work.run().succeeded();
        if found.is_empty() {
            says(&warnings(&run), &["column 'k': categories that are the same number count as one: '1.0' as '1'"]);
        }
        found.push(first_probability(&work, "by_net.rows"));
    }
    assert!(found.iter().all(|probability| *probability == found[0]), "{found:?}");
}

#[test]
fn signs_in_rows_to_predict_are_no_missing_values() {
    let yaml = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  news: {kind: load, files: {fresh: new.csv}}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [b, amount], models: {logistic: {}}}
  by_base: {kind: predict, model: base, rows: news, file: base.csv}
";
    let work = Workspace::new().file("t.csv", &amounts("1.0")).pipeline(yaml);
    // A column of two values, of which one is a sign, is read as text.
    for sign in ["-", "+nan"] {
        work.write("new.csv", format!("b,amount\n1.5,2.5\n2.5,{sign}\n").as_bytes());
        says(&work.run().error(), &["new.csv:3", "column 'amount'", &format!("'{sign}' is not a number")]);
    }
    work.write("new.csv", b"b,amount\n1.5,2.5\n2.5,NA\n");
    work.run().succeeded();
}

#[test]
fn rows_without_a_label_are_told_of_once_and_counted_alike() {
    let rows: String = (0..120).map(|i| format!("{i},{}\n", ["", "a", "b"][i % 3])).collect();
    let yaml = SPLIT.replace("{all: t.csv}", "{all: t.csv, new: n.csv}");
    let work = Workspace::new().file("t.csv", &format!("x,y\n{rows}")).file("n.csv", "x\n1\n2\n").pipeline(&yaml);
    let run = work.run().succeeded();
    assert_eq!(warnings(&run).matches("label 'y'").count(), 1, "{}", warnings(&run));
    assert!(!warnings(&run).contains("rows of files with labels"), "{}", warnings(&run));
    insta::assert_snapshot!(stable(&crate::records::headline(&work, "folds")), @"56 train, 12 valid, 12 test rows; 40 rows without a label and 2 of files without labels are left out");
    // Another label than that of `load`, which nobody told of yet.
    work.edit("pipeline.yaml", ", label: y}", "}");
    work.edit("pipeline.yaml", "folds: 2}", "folds: 2, label: y}");
    insta::assert_snapshot!(stable(&warnings(&work.run().succeeded())), @"
    n.csv has no column y (missing there)
    40 of the 120 rows of files with labels have none and are left out, as 'y' is blank or missing there (t.csv:2, t.csv:5, t.csv:8, …); `missing` of the `load` stage says which words count as missing
    ");
}

#[test]
fn folds_of_rows_without_groups_are_counted_in_rows() {
    let rows: String = (0..8).map(|i| format!("{i},{}\n", ["a", "b"][i % 2])).collect();
    let work =
        Workspace::new().file("t.csv", &format!("x,y\n{rows}")).pipeline(&SPLIT.replace("folds: 2}", "folds: 9}"));
    insta::assert_snapshot!(stable(&work.run().error()), @"pipeline.yaml:4:43: the train part has 4 rows, too few for 9 folds (lower `folds`, or set it to 0)");
}

/// The line that is advised splits the rows at once: with the classes that are too rare after others are gone, and those that are gone already.
#[test]
fn the_advice_on_rare_classes_needs_to_be_taken_once() {
    let class = |row: usize| match row {
        0 => "one",
        1..=4 => "four",
        5..=24 => "in_one_group",
        _ => ["a", "b"][row % 2],
    };
    let group = |row: usize| if (5..25).contains(&row) { format!("g{}", row % 3) } else { format!("r{row}") };
    let rows: String = (0..160).map(|row| format!("{row},{},{}\n", group(row), class(row))).collect();
    let yaml = SPLIT.replace("folds: 2}", "folds: 2, groups: [g]}");
    let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
    let advice = |error: &str| {
        error
            .split_once("to leave them out, write in this stage `")
            .expect("advice")
            .1
            .split_once('`')
            .unwrap()
            .0
            .to_owned()
    };
    let first = advice(&work.run().error());
    work.edit("pipeline.yaml", "groups: [g]}", &format!("groups: [g], {first}}}"));
    work.run().succeeded();
    says(&crate::records::headline(&work, "folds"), &["; `where` leaves out "]);
    // Of those that a user leaves out already, none comes back.
    let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
    work.edit("pipeline.yaml", "groups: [g]}", "groups: [g], where: {y: {not: [one]}}}");
    says(&advice(&work.run().error()), &["one", "in_one_group"]);
}

/// Names stand in every message, table and figure: texts are no classes, and an unclosed quote makes no column.
#[test]
fn names_that_are_too_long_are_refused() {
    let long = "x".repeat(1001);
    let rows = |class: &str| format!("1,a\n2,b\n3,{class}\n").repeat(20);
    let work = Workspace::new().file("t.csv", &format!("x,y\n{}", rows(&long))).pipeline(SPLIT);
    says(
        &work.run().error(),
        &["the label column 'y' holds texts of up to 1001 characters (t.csv:4)", "is it the right column?"],
    );
    Workspace::new().file("t.csv", &format!("x,y\n{}", rows(&long[1..]))).pipeline(SPLIT).run().succeeded();
    let work = Workspace::new().file("t.csv", &format!("x,{long},y\n1,2,a\n2,3,b\n")).pipeline(SPLIT);
    let run = work.run();
    assert_eq!(run.code, Some(2));
    says(&run.stderr, &["t.csv:1: the name of column 2 has 1001 characters"]);
    assert!(run.stderr.len() < 2000, "{}", run.stderr);
}

#[test]
fn few_groups_and_rows_without_a_group_are_told() {
    let rows: String = (0..80).map(|row| format!("{row},{},{}\n", ["f", "m"][row / 40], ["a", "b"][row % 2])).collect();
    let yaml = SPLIT.replace("folds: 2}", "folds: 2, groups: [g]}");
    let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
    says(&work.run().error(), &["the rows are in 2 groups, too few for 3 parts and two folds", "pipeline.yaml:"]);
    let key = |row: usize| if row.is_multiple_of(8) { String::new() } else { format!("g{}", row / 3) };
    let rows: String = (0..80).map(|row| format!("{row},{},{}\n", key(row), ["a", "b"][row % 2])).collect();
    let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
    says(&warnings(&work.run().succeeded()), &["10 rows have no `g`: each is a group of its own"]);
}

/// Of groups of equal size nothing is gained by saying so; one mistake in a split is told once, whoever reads its rows.
#[test]
fn what_is_known_of_a_split_is_told_once() {
    let rows: String = (0..96).map(|row| format!("{row},g{},{}\n", row / 3, ["a", "b"][row % 2])).collect();
    let yaml = SPLIT.replace("folds: 2}", "folds: 2, groups: [g]}");
    let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
    let told = warnings(&work.run().succeeded());
    assert!(told.contains(" groups: the intervals") && !told.contains("which tell as much"), "{told}");
    let yaml = SPLIT.replace("folds: 2}", "folds: 2, train: 0.8, valid: 0.0, test: 0.2}")
        + "  base: {kind: baseline, rows: folds, numeric: [x], models: {majority: {}, tree: {}}}
  net: {kind: train, rows: folds, numeric: [x], epochs: 2}
  both: {kind: ensemble, members: [base, net]}
";
    let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
    let told = work.run().stderr;
    assert_eq!(told.matches("no valid part here").count(), 1, "{told}");
    assert!(told.contains("also at pipeline.yaml:"), "{told}");
    let yaml = SPLIT.replace("label: y}", "label: y, derive: {l: {log_of: g}}}");
    let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
    let told = work.run().error();
    assert!(told.starts_with("pipeline.yaml:3:") && told.contains("declare `types: {g: number}`"), "{told}");
}

#[test]
fn mistakes_that_only_the_rows_show_are_told_with_their_place() {
    let rows: String = (0..120).map(|i| format!("{i},{},{}\n", i / 40, ["a", "b"][i % 2])).collect();
    let net = "\n  net: {kind: train, rows: folds, numeric: [x], epochs: 2, network: {trunk: {layers: [4]}}, ";
    let look = "\n  model: {kind: baseline, rows: folds, numeric: [x], models: {majority: {}}}\n  look: {kind: inspect, model: model.majority, rows: folds, ";
    let cases = [
        (String::new(), "label: y, where: {x: {min: 1000}}}", "folds: 2}", "where: no row is left of 120"),
        (String::new(), "label: y}", "where: {x: {min: 1000}}}", "where: no row is left of 120"),
        (String::new(), "label: y}", "where: {y: a}}", "only class 'a' occurs among the rows"),
        (
            String::new(),
            "label: y}",
            "train: 1.0, valid: 0.0, test: 0.0, folds: 5, groups: [g]}",
            "the train part has 3 groups, too few for 5 folds",
        ),
        (format!("{net}class_weights: {{c: 2}}}}"), "label: y}", "folds: 2}", "there is no class 'c'"),
        (format!("{net}where: {{x: {{min: 1000}}}}}}"), "label: y}", "folds: 2}", "where: no row is left of 120"),
        (format!("{net}where: {{y: a}}}}"), "label: y}", "folds: 2}", "there is nothing to learn"),
        (
            format!("{look}part: test, where: {{x: {{min: 1000}}}}}}"),
            "label: y}",
            "folds: 2}",
            "where: no row is left of 120",
        ),
    ];
    for (more, load, split, message) in cases {
        let yaml = SPLIT.replace("label: y}", load).replace("folds: 2}", split) + &more + "\n";
        let work = Workspace::new().file("t.csv", &format!("x,g,y\n{rows}")).pipeline(&yaml);
        let run = work.run();
        assert_eq!(run.code, Some(1), "{run:?}");
        let error = run.error();
        // The parameter of which the message speaks begins where it says.
        let place = error.split_once("pipeline.yaml:").unwrap_or_else(|| panic!("no place in: {error}")).1;
        let mut numbers = place.split(':').map(|number| number.trim().parse::<usize>());
        let (Some(Ok(line)), Some(Ok(column))) = (numbers.next(), numbers.next()) else { panic!("{error}") };
        let there = yaml.lines().nth(line - 1).and_then(|line| line.get(column - 1..)).unwrap_or_default();
        let parameters = ["where", "folds", "c: 2", "{", "2", "5"];
        assert!(parameters.iter().any(|parameter| there.starts_with(parameter)), "{error}\n{there}");
        says(&error, &[message]);
    }
}

#[test]
fn classes_are_named_as_the_file_writes_them() {
    let rows: String = (0..120).map(|i| format!("{},{}\n", i * 7 % 13, 1 + i % 2)).collect();
    let yaml = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y, types: {y: number}}
  folds: {kind: split, rows: rows, folds: 2}
  net: {kind: train, rows: folds, numeric: [x], epochs: 2, network: {trunk: {layers: [4]}}, class_weights: {1.0: 2}}
  by_net: {kind: predict, model: net, rows: rows, file: net.csv, column: p}
";
    let work = Workspace::new().file("t.csv", &format!("x,y\n{rows}")).pipeline(yaml);
    work.run().succeeded();
    let text = work.text("artifacts/study/by_net/net.csv");
    assert!(text.lines().skip(1).all(|line| line.ends_with(",1") || line.ends_with(",2")), "{text}");
}

#[test]
fn a_class_is_found_in_another_unicode_form_by_weights_and_conditions() {
    let rows: String =
        (0..120).map(|i| format!("{},{}\n", i * 7 % 13, ["caf\u{e9}", "cafe\u{301}", "x", "z"][i % 4])).collect();
    let yaml = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, where: {y: [\"cafe\\u0301\", x]}}
  net: {kind: train, rows: folds, numeric: [x], where: {y: [\"cafe\\u0301\", x, zz]}, epochs: 2, network: {trunk: {layers: [4]}},
        class_weights: {\"cafe\\u0301\": 2}}
";
    let work = Workspace::new().file("t.csv", &format!("x,y\n{rows}")).pipeline(yaml);
    let run = work.run().succeeded();
    // What no row has is told of by every stage with conditions.
    insta::assert_snapshot!(stable(&warnings(&run)), @r"
    label 'y': labels that are the same text in another Unicode form as others count as their class: 'cafe\u{301}' as 'caf\u{e9}' (30 rows, t.csv:3, t.csv:7, t.csv:11)
    where: no row has 'zz' in column 'y'
    ");
    let summary: serde_json::Value =
        serde_json::from_slice(&work.read("artifacts/study/folds/split.json")).expect("JSON");
    assert_eq!((&summary["filtered_out"], &summary["filtered_out_classes"]), (&30.into(), &1.into()));
}

#[test]
fn labels_that_differ_in_case_alone_are_told_of() {
    let rows: String = (0..120).map(|i| format!("{i},{}\n", ["yes", "no", "Yes", "no"][i % 4])).collect();
    let work = Workspace::new().file("t.csv", &format!("a,y\n{rows}")).pipeline(SPLIT);
    insta::assert_snapshot!(stable(&warnings(&work.run().succeeded())), @"label 'y': 'Yes' (30 rows, t.csv:4) and 'yes' (30 rows, t.csv:2) count as classes of their own, although they differ in upper and lower case alone (write them alike if they are one class, or declare `types: {y: text}` if they are not)");
    work.edit("pipeline.yaml", "label: y}", "label: y, types: {y: text}}");
    assert_eq!(warnings(&work.run().succeeded()), "");
}

#[test]
fn scores_of_a_handful_of_rows_are_warned_of() {
    let run = |rows: usize| {
        let rows: String = (0..rows).map(|i| format!("{i},{}\n", ["p", "q"][i % 2])).collect();
        let yaml = SPLIT.replace("folds: 2}", "train: 0.5, valid: 0.25, test: 0.25}");
        let work = Workspace::new().file("t.csv", &format!("a,y\n{rows}")).pipeline(&yaml);
        warnings(&work.run().succeeded())
    };
    insta::assert_snapshot!(stable(&run(12)), @"the test part has 3 rows, of which no score says much: give it a larger share, or bring more rows");
    assert_eq!(run(80), "");
}

#[test]
fn copies_of_rows_are_told_of_and_not_a_leak_of_their_columns() {
    // Noise, each row four times, without groups.
    let (mut seed, mut rows) = (7u64, String::new());
    let mut drawn = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    for _ in 0..150 {
        let row = format!("{}.{:03},{}\n", drawn() % 50, drawn() % 1000, ["a", "b"][drawn() as usize % 2]);
        rows.push_str(&row.repeat(4));
    }
    let yaml = SPLIT.to_owned()
        + "  profile: {kind: describe, rows: folds}\n  base: {kind: baseline, rows: folds, numeric: [x], models: {tree: {}}}\n";
    let work = Workspace::new().file("t.csv", &format!("x,y\n{rows}")).pipeline(&yaml);
    let run = work.run().succeeded();
    assert!(!warnings(&run).contains("leaks the label"), "{}", warnings(&run));
    let profile: serde_json::Value =
        serde_json::from_slice(&work.read("artifacts/study/profile/profile.json")).expect("JSON");
    let found = profile["audit"]["findings"].as_array().expect("a list");
    assert_eq!(
        (&found[0]["kind"], &found[0]["severity"]),
        (&"near_duplicates_in_train".into(), &"danger".into()),
        "{found:?}"
    );
    assert!(!found.iter().any(|one| one["kind"] == "leaks_label"), "{found:?}");
    let shown = String::from_utf8(work.runner(&["show", "pipeline.yaml", "base"]).stdout).expect("UTF-8");
    assert!(!shown.contains("leaks the label"), "{shown}");
}
