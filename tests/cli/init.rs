//! `runner init`: what it writes is a study that can be run, and what is there stays.

use crate::workspace::Workspace;

fn succeeds(work: &Workspace, arguments: &[&str]) {
    let output = work.runner(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn init_makes_a_study_that_runs_and_keeps_what_is_there() {
    let work = Workspace::new();
    succeeds(&work, &["init"]);
    insta::assert_snapshot!(work.screen(&["plan", "pipelines/quick.yaml"]), @"
    $ runner plan pipelines/quick.yaml
      songs     run    no result yet
      folds     run    no result yet; 'songs' runs before it
      baseline  run    no result yet; 'folds' runs before it
      titles    run    no result yet; 'songs' runs before it; 'folds' runs before it
      fused     run    no result yet; 'folds' runs before it; 'titles' runs before it
      predict   run    no result yet; 'songs' runs before it; 'titles' runs before it; and 1 more
      report    run    no result yet; 'songs' runs before it; 'folds' runs before it; and 4 more

    7 to run, 0 to restore, 0 fresh
    ");
    work.write("pipelines/quick.yaml", b"mine");
    insta::assert_snapshot!(work.screen(&["init"]), @"
    $ runner init
    error: these files are there with another content: ./pipelines/quick.yaml (`--overwrite` replaces them)
    [exit code 2]
    ");
    assert_eq!(work.text("pipelines/quick.yaml"), "mine");
    succeeds(&work, &["init", "--overwrite"]);
    assert_ne!(work.text("pipelines/quick.yaml"), "mine");
    // Of each pipeline that the README names.
    let readme = include_str!("../../README.md");
    let named = readme.split("pipelines/").skip(1).filter_map(|rest| Some(rest.split_once(".yaml")?.0));
    let named: std::collections::BTreeSet<&str> =
        named.filter(|name| name.chars().all(char::is_alphanumeric)).collect();
    assert!(named.len() > 4, "{named:?}");
    for name in named {
        succeeds(&work, &["plan", &format!("pipelines/{name}.yaml")]);
    }
}

/// Customers with a column of every sort, whose label follows from some of them; blanks around cells, a semicolon between them.
fn customers(rows: usize, labelled: bool) -> String {
    let label = |row: usize| if (row * 7 % 10 < 6) == row.is_multiple_of(3) { "leaves" } else { "stays" };
    let mut text = format!("id;joined;plan;usage;note;region;copy{}\n", if labelled { ";churn" } else { "" });
    for row in 0..rows {
        let plan = ["basic", "plus", "team"][row % 3];
        let usage = if row % 41 == 0 { "unknown".to_owned() } else { format!("{}.5", row * 7 % 10) };
        let note =
            format!("asked for {} at visit number {}", ["help", "a refund", "an upgrade"][row % 3], row * 31 % 997);
        text.push_str(&format!(
            "{};20{:02}-03-0{};{plan};{usage};{note};north;x{}",
            5000 + row,
            row % 20 + 1,
            row % 9 + 1,
            row * row % 7
        ));
        if labelled {
            text.push_str(&format!(";{}", label(row)));
        }
        text.push('\n');
    }
    text
}

#[test]
fn a_table_of_the_users_gets_a_pipeline_that_runs() {
    let work = Workspace::new().file("customers.csv", &customers(240, true)).file("new.csv", &customers(30, false));
    let arguments = ["init", "churn", "--from", "customers.csv", "--label", "churn", "--test", "new.csv"];
    insta::assert_snapshot!(work.screen(&arguments));
    insta::assert_snapshot!("the_pipeline_of_a_table", work.text("churn/pipeline.yaml"));
    let inside =
        |arguments: &[&str]| work.command(arguments).current_dir(work.path().join("churn")).output().expect("runner");
    let faster =
        ["run", "pipeline.yaml", "--set", "network.epochs=2", "--set", "baseline.models={boosting: {rounds: 5}}"];
    let output = inside(&faster);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let predictions = work.text("churn/artifacts/customers/predictions/predictions.csv");
    let mut lines = predictions.lines();
    assert_eq!(lines.next(), Some("id;joined;plan;usage;note;region;copy;churn"));
    assert_eq!(lines.count(), 30);
    // A second time nothing is replaced.
    work.edit("churn/pipeline.yaml", "folds: 3", "folds: 4");
    insta::assert_snapshot!(work.screen(&arguments), @"
    $ runner init churn --from customers.csv --label churn --test new.csv
    error: these files are there with another content: churn/pipeline.yaml (`--overwrite` replaces them)
    [exit code 2]
    ");
}

#[test]
fn the_label_may_be_a_number_and_is_asked_for() {
    let work = Workspace::new().file("customers.csv", &customers(240, true));
    insta::assert_snapshot!(work.screen(&["init", "a", "--from", "customers.csv"]), @"
    $ runner init a --from customers.csv
    error: which column is the label? Name it, e.g.
      --label churn  (2 classes)
      --label plan  (3 classes)
      --label copy  (4 classes)
      --label usage  (10 classes)
    [exit code 2]
    ");
    insta::assert_snapshot!(work.screen(&["init", "a", "--from", "customers.csv", "--label", "chrun"]), @"
    $ runner init a --from customers.csv --label chrun
    error: there is no column 'chrun'; the columns are id, joined, plan, usage, note, region, copy, churn
    [exit code 2]
    ");
    insta::assert_snapshot!(work.screen(&["init", "a", "--from", "none.csv", "--label", "churn"]), @"
    $ runner init a --from none.csv --label churn
    error: cannot read 'none.csv': No such file or directory (os error 2)
    [exit code 2]
    ");
    insta::assert_snapshot!(work.screen(&["init", "a", "--label", "churn"]), @"
    $ runner init a --label churn
    error: the following required arguments were not provided:
      --from <FILE>

    Usage: runner init --from <FILE> --label <COLUMN> <FOLDER>

    For more information, try '--help'.
    [exit code 2]
    ");
    assert!(!work.exists("a"));
    work.screen(&["init", "a", "--from", "customers.csv", "--label", "8"]);
    assert!(work.text("a/pipeline.yaml").contains("label: churn"));
}

#[test]
fn a_column_that_leaks_and_one_that_is_not_to_be_had_are_left_out() {
    let mut text = "answer,x,later,y\n".to_owned();
    for row in 0..200 {
        let class = ["no", "yes"][row * 13 % 7 / 4];
        text.push_str(&format!("{}{},{},{},{class}\n", class.len(), row % 3, row * 7 % 50, row % 5));
    }
    let work = Workspace::new().file("t.csv", &text).file("n.csv", "answer,x\n21,5\n");
    insta::assert_snapshot!(work.screen(&["init", ".", "--from", "t.csv", "--label", "y", "--test", "n.csv"]));
}

#[test]
fn a_table_with_nothing_to_learn_from_gets_no_pipeline() {
    let rows: String = (0..60).map(|row| format!("{row},same,{}\n", ["p", "q"][row % 2])).collect();
    let work = Workspace::new().file("t.csv", &format!("id,x,y\n{rows}"));
    insta::assert_snapshot!(work.screen(&["init", "a", "--from", "t.csv", "--label", "y"]), @"
    $ runner init a --from t.csv --label y
    error: no column is left to learn from
      'id': another value in every one of 60 rows: an identifier
      'x': the same in every row
    [exit code 2]
    ");
    assert!(!work.exists("a"));
}

#[test]
fn names_of_columns_end_no_comment_of_the_pipeline() {
    let rows: String = (0..60).map(|row| format!("{},{}\n", row * 7 % 13, ["p", "q"][row % 2])).collect();
    let work = Workspace::new().file("t.csv", &format!("\"a\nseed: 9 #\",y\n{rows}"));
    assert!(work.runner(&["init", "a", "--from", "t.csv", "--label", "y"]).status.success());
    let pipeline = work.text("a/pipeline.yaml");
    assert_eq!(pipeline.lines().filter(|line| line.starts_with("seed:")).collect::<Vec<_>>(), ["seed: 1"]);
    let plan = work.command(&["plan", "pipeline.yaml"]).current_dir(work.path().join("a")).output().expect("runner");
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));
}

#[test]
fn a_rare_class_of_two_is_found_by_average_precision() {
    let rare = customers(240, true).replace(";leaves\n", ";stays\n");
    let mut lines: Vec<String> = rare.lines().map(str::to_owned).collect();
    for line in lines.iter_mut().skip(1).step_by(12) {
        *line = line.replace(";stays", ";leaves");
    }
    let work = Workspace::new().file("customers.csv", &(lines.join("\n") + "\n"));
    work.screen(&["init", "churn", "--from", "customers.csv", "--label", "churn"]);
    let pipeline = work.text("churn/pipeline.yaml");
    let head: Vec<&str> = pipeline.lines().skip(2).take_while(|line| !line.is_empty()).collect();
    insta::assert_snapshot!(head.join("\n"), @"
    name: customers
    seed: 1
    # Chooses epochs, the weights of the ensemble and the best model. Of the rows 8.3 % are of leaves: accuracy and F1 depend on a threshold, how early those rows are found does not.
    metric: average_precision
    # The class that it is of. Predicted is the likelier class; `threshold: f1` on `best` finds more rows of this one.
    positive: leaves
    ");
    let plan =
        work.command(&["plan", "pipeline.yaml"]).current_dir(work.path().join("churn")).output().expect("runner");
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));
}
