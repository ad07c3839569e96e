//! What `runner init` makes of single columns and of the label.

use crate::init::succeeds;
use crate::workspace::Workspace;

/// `column,number,y` of so many rows.
fn table(column: &str, rows: usize, row: impl Fn(usize) -> (String, f64, &'static str)) -> String {
    let line = |i: usize| {
        let (cell, number, class) = row(i);
        format!("{cell},{number},{class}\n")
    };
    (0..rows).fold(format!("{column},number,y\n"), |text, i| text + &line(i))
}

#[test]
fn ids_of_more_digits_than_a_float_holds_are_told_apart() {
    let id = |i: usize| 9_007_199_254_740_993 + i as u64;
    let of = |name: &str, row: &dyn Fn(usize) -> (String, f64, &'static str)| {
        let work = Workspace::new().file("t.csv", &table("id", 120, row));
        let said = succeeds(&work, &["init", name, "--from", "t.csv", "--label", "y"]);
        (said, work.text(&format!("{name}/pipeline.yaml")))
    };
    let class = |i: usize| ["p", "q"][i * 7 % 11 % 2];
    // Neighbours are one float.
    let (said, yaml) = of("every", &|i| (id(i).to_string(), (i * 37 % 91) as f64, class(i)));
    assert!(said.contains("left out: id (another value in every one of 120 rows: an identifier)"), "{said}\n{yaml}");
    let (_, yaml) = of("some", &|i| (id(i % 40).to_string(), (i * 37 % 91) as f64, class(i)));
    assert!(yaml.contains("#   id: 40 categories"), "{yaml}");
}

#[test]
fn a_number_beyond_those_of_models_is_left_out_and_a_label_that_stands_for_missing_is_a_class() {
    let class = |i: usize| ["FR", "NA"][i * 7 % 11 % 2];
    let row =
        |i: usize| (if i == 60 { "1e39".to_owned() } else { format!("{}.5", i % 50) }, (i * 37 % 91) as f64, class(i));
    let work = Workspace::new().file("t.csv", &table("size", 120, row));
    let said = succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "y"]);
    assert!(
        said.contains("left out: size (1e39 (t.csv:62) is beyond the numbers that models learn from, ±3.4e38"),
        "{said}"
    );
    let yaml = work.text("st/pipeline.yaml");
    let kept = "label 'y': 55 rows are 'NA', which stands for a missing value by default; it is kept as a class, as without it the label would not have two";
    assert!(said.contains(kept) && yaml.contains(kept) && yaml.contains("y: {remove: [NA]}"), "{said}\n{yaml}");
    let faster = ["run", "pipeline.yaml", "--set", "network.epochs=1", "--set", "baseline.models={logistic: {}}"];
    let output = work.command(&faster).current_dir(work.path().join("st")).output().expect("runner");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Beside two other classes it is missing, and that is told with its remedy.
    let class = |i: usize| ["FR", "DE", "NA"][i * 7 % 11 % 3];
    let work = Workspace::new().file("t.csv", &table("size", 120, |i| (format!("{}.5", i % 50), i as f64, class(i))));
    let said = succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "y"]);
    let told = "say 'NA', which stands for a missing value (t.csv:";
    assert!(
        said.contains(told) && said.contains("for classes of these names write `missing: {y: {remove: [NA]}}`"),
        "{said}"
    );
    assert!(work.text("st/pipeline.yaml").contains(told));
}

/// Of classes that are as far apart as those of flowers every column is right by itself.
#[test]
fn columns_that_tell_the_classes_by_themselves_are_learnt_from_where_there_are_no_others() {
    let class = |i: usize| ["p", "q"][i * 7 % 11 % 2];
    let far = |i: usize| (i * 7 % 11 % 2) as f64 * 50.0 + (i % 7) as f64;
    let work = Workspace::new().file("t.csv", &table("same", 120, |i| ("x".to_owned(), far(i), class(i))));
    let said = succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "y"]);
    let told = "may leak the label: number (numbers, 14 different; alone it is right on 100.0 % of the rows: leave it out if it is not known";
    assert!(said.contains(told), "{said}");
    assert!(work.text("st/pipeline.yaml").contains("numeric: [number]"));
    let work = Workspace::new().file("t.csv", &("y\n".to_owned() + &"p\nq\n".repeat(20)));
    let output = work.runner(&["init", "st", "--from", "t.csv", "--label", "y"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("t.csv has no column but the label 'y'"), "{output:?}");
}

/// What stands in the file to predict alone, and in texts with numbers, would end the run as well.
#[test]
fn numbers_beyond_those_of_models_are_found_wherever_they_stand() {
    let class = |i: usize| ["p", "q"][i * 7 % 11 % 2];
    let train = table("size", 120, |i| (format!("{} kg", i % 50 + 1), (i * 37 % 91) as f64, class(i)));
    let new = "size,number\n3 kg,7\n4 kg,-4e38\n";
    let work = Workspace::new().file("t.csv", &train).file("n.csv", new);
    let said = succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "y", "--test", "n.csv"]);
    assert!(said.contains("left out: number (-4e38 (n.csv:3) is beyond the numbers that models learn from"), "{said}");
    let faster = ["run", "pipeline.yaml", "--set", "network.epochs=1", "--set", "baseline.models={logistic: {}}"];
    let output = work.command(&faster).current_dir(work.path().join("st")).output().expect("runner");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let long = format!("{}9 kg", "9".repeat(40));
    let cell = |i: usize| if i == 7 { long.clone() } else { format!("{} kg", i % 50 + 1) };
    let train = table("size", 120, |i| (cell(i), (i * 37 % 91) as f64, class(i)));
    let work = Workspace::new().file("t.csv", &train);
    let said = succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "y"]);
    assert!(said.contains("left out: size ('9999") && said.contains("is beyond the numbers"), "{said}");
}

#[test]
fn a_label_is_found_in_whichever_form_of_unicode_it_is_asked_for() {
    let rows = table("a", 60, |i| ((i * 5 % 13).to_string(), i as f64 / 8.0, ["p", "q"][i * 7 % 11 % 2]));
    let work = Workspace::new().file("t.csv", &rows.replacen(",y\n", ",l\u{e9}\n", 1));
    succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "le\u{301}"]);
    assert!(work.text("st/pipeline.yaml").contains("label: 'l\u{e9}'"));
}

#[test]
fn a_column_that_may_leak_the_label_is_told_of_at_once() {
    let class = |i: usize| ["p", "q"][i * 7 % 11 % 2];
    // Wrong in one row of 60: less than the label under another name.
    let told = |i: usize| if i % 60 == 59 { "r" } else { ["u", "v"][i * 7 % 11 % 2] };
    let work = Workspace::new()
        .file("t.csv", &table("colour", 600, |i| (told(i).to_owned(), (i * 37 % 91) as f64 / 8.0, class(i))));
    let said = succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "y"]);
    assert!(said.contains("  may leak the label: colour (3 categories; alone it is right on 98."), "{said}");
    assert!(said.contains("leave it out if it is not known when you predict"), "{said}");
    assert!(work.text("st/pipeline.yaml").contains("categories: [colour]"));
}

#[test]
fn a_label_that_is_not_there_is_told_with_the_nearest_and_of_many_columns_some() {
    let header: Vec<String> = (0..400).map(|i| format!("col {i}")).chain(["income".to_owned()]).collect();
    let row = |i: usize| (0..400).map(|c| ((i + c) % 3).to_string() + ",").collect::<String>() + ["p", "q"][i % 2];
    let text = (0..40).fold(header.join(","), |text, i| text + "\n" + &row(i));
    let work = Workspace::new().file("t.csv", &(text + "\n"));
    let said = |arguments: &[&str]| {
        let output = work.runner(&[&["init", "st", "--from", "t.csv"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let unknown = said(&["--label", "incom"]);
    assert!(
        unknown.contains("there is no column 'incom' (did you mean 'income'?); the columns are col 0, col 1"),
        "{unknown}"
    );
    assert!(unknown.contains(" and 371 more"), "{unknown}");
    let any = said(&[]);
    assert!(any.contains("  --label income  (2 classes)\n  --label 'col 0'  (3 classes)\n"), "{any}");
    assert!(any.ends_with("  and 381 more columns with up to 100 values\n") && any.lines().count() == 22, "{any}");
}

#[test]
fn classes_whose_names_tell_an_order_are_put_into_it() {
    let mut text = String::from("x,z,risk,code\n");
    for row in 0..240 {
        let (x, z) = (row * 37 % 101, row * 53 % 17);
        let step = usize::from(x > 40) + usize::from(x + z > 80);
        text.push_str(&format!("{x},{z},{} risk,{}\n", ["low", "mid", "high"][step], [11, 2, 7][step]));
    }
    let work = Workspace::new().file("t.csv", &text);
    succeeds(&work, &["init", "words", "--from", "t.csv", "--label", "risk", "--budget", "30s"]);
    let lines = |study: &str, wanted: &str| -> Vec<String> {
        let pipeline = work.text(&format!("{study}/pipeline.yaml"));
        pipeline.lines().filter(|line| line.contains(wanted)).map(|line| line.trim().to_owned()).collect()
    };
    assert_eq!(lines("words", "class_order:"), ["class_order: ['low risk', 'mid risk', 'high risk']"]);
    assert_eq!(lines("words", "ordinal_logistic"), ["ordinal_logistic: {}"]);
    // As the message of `init` says: from the folder of the study.
    let inside = |study: &str, arguments: &[&str]| {
        work.command(arguments).current_dir(work.path().join(study)).output().expect("the program starts")
    };
    let output = inside("words", &["run", "pipeline.yaml", "baseline", "average"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // Numbers may be codes: the user decides.
    succeeds(&work, &["init", "codes", "--from", "t.csv", "--label", "code", "--budget", "30s"]);
    assert_eq!(lines("codes", "class_order:"), ["# class_order: [2, 7, 11]"]);
    assert!(lines("codes", "ordinal_logistic").is_empty());
    work.edit("codes/pipeline.yaml", "# class_order:", "class_order:");
    let output = inside("codes", &["plan", "pipeline.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
