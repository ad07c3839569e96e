//! `runner init`: what it writes is a study that can be run, and what is there stays.

use crate::workspace::Workspace;

pub(crate) fn succeeds(work: &Workspace, arguments: &[&str]) -> String {
    let output = work.runner(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
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
    error: there is no column 'chrun' (did you mean 'churn'?); the columns are id, joined, plan, usage, note, region, copy, churn
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
fn names_of_columns_end_no_comment_and_name_no_variable() {
    let row = |row: usize| {
        format!("{},{},{}\n", row * 7 % 13, if row.is_multiple_of(9) { "?" } else { "5" }, ["p", "q"][row % 2])
    };
    let rows: String = (0..60).map(row).collect();
    let work = Workspace::new().file("t.csv", &format!("\"a\nseed: 9 #\",${{b}},y\n{rows}"));
    assert!(work.runner(&["init", "a", "--from", "t.csv", "--label", "y"]).status.success());
    let pipeline = work.text("a/pipeline.yaml");
    assert_eq!(pipeline.lines().filter(|line| line.starts_with("seed:")).collect::<Vec<_>>(), ["seed: 1"]);
    let plan = work.command(&["plan", "pipeline.yaml"]).current_dir(work.path().join("a")).output().expect("runner");
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));
}

/// A number with leading zeros among others is a number, not a word that stands for a missing value.
#[test]
fn numbers_with_leading_zeros_are_not_lost() {
    let cell = |i: usize| match i {
        7 => "02".to_owned(),
        9 => "none".to_owned(),
        _ => format!("{}.25", i / 2),
    };
    let rows: String = (0..60).map(|i| format!("{},{},{}\n", cell(i), i % 7, ["p", "q"][i % 2])).collect();
    let work = Workspace::new().file("t.csv", &format!("d,a,y\n{rows}"));
    succeeds(&work, &["init", "st", "--from", "t.csv", "--label", "y"]);
    let yaml = work.text("st/pipeline.yaml");
    assert!(yaml.contains("\n    types: {d: number}\n") && yaml.contains("\n      d: {add: [none]}\n"), "{yaml}");
    assert!(yaml.contains("d: numbers, 31 different, 1 missing"), "{yaml}");
}

/// Houses of a German office: Latin-1, semicolons, decimal commas, points between thousands.
fn houses(rows: usize) -> Vec<u8> {
    let row = |i: usize| {
        let sort = ["gro\u{df}", "klein"][i % 2];
        format!(
            "{}.{:03},{};{};{sort};{}\n",
            1 + i % 9,
            i * 37 % 1000,
            i % 10,
            i * 7 % 50,
            ["ja", "nein"][i * 13 % 7 / 4]
        )
    };
    let text = "preis;fl\u{e4}che;art;verkauft\n".to_owned() + &(0..rows).map(row).collect::<String>();
    text.chars().map(|c| c as u8).collect()
}

#[test]
fn how_a_file_is_read_is_found_and_said() {
    let work = Workspace::new();
    work.write("h.csv", &houses(120));
    succeeds(&work, &["init", "h", "--from", "h.csv", "--label", "verkauft"]);
    let pipeline = work.text("h/pipeline.yaml");
    let load = |text: &str| -> String {
        text.lines()
            .skip_while(|line| !line.contains("kind: load"))
            .take_while(|line| !line.is_empty())
            .map(|line| line.to_owned() + "\n")
            .collect()
    };
    insta::assert_snapshot!(load(&pipeline), @"
    kind: load
    files: {train: '../h.csv'}
    label: verkauft
    # 61 of 121 lines are not valid UTF-8, so windows-1252 is likely.
    encoding: 'windows-1252'
    # Each of the first 121 lines has 4 fields with it.
    delimiter: ';'
    # Fractions stand behind a comma, e.g. '1.000,0'.
    decimal: ','
    # Thousands are set apart, e.g. '1.000,0'.
    thousands: '.'
    ");
    let inside = |folder: &str, arguments: &[&str]| {
        let output = work.command(arguments).current_dir(work.path().join(folder)).output().expect("runner");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    inside("h", &["run", "pipeline.yaml", "folds"]);
    // Without a header columns are counted, in the file to predict too, which has no label.
    let tweets = |row: usize| format!("@somebody{row} says \"no\" to {} things of {} kinds\t", row * 7 % 100, row % 9);
    let labelled: String =
        (0..120).map(|row| tweets(row) + ["OTHER\tOTHER\n", "OFFENSE\tINSULT\n"][row * 13 % 7 / 4]).collect();
    let new: String = (0..9).map(|row| tweets(row + 500).trim_end().to_owned() + "\n").collect();
    work.write("t.tsv", labelled.as_bytes());
    work.write("n.tsv", new.as_bytes());
    insta::assert_snapshot!(work.screen(&["init", "t", "--from", "t.tsv", "--test", "n.tsv"]), @"
    $ runner init t --from t.tsv --test n.tsv
    error: which column is the label? Name it, e.g.
      --label column_2  (2 classes)
      --label column_3  (2 classes)
    [exit code 2]
    ");
    succeeds(&work, &["init", "t", "--from", "t.tsv", "--label", "2", "--test", "n.tsv"]);
    insta::assert_snapshot!(load(&work.text("t/pipeline.yaml")), @r#"
    kind: load
    files: {train: '../t.tsv', new: '../n.tsv'}
    label: column_2
    # Each of the first 120 lines has 3 fields with it.
    delimiter: "\t"
    # Quotes stand within fields, and around none.
    quote: none
    # The first line is a record as the others: '@somebody0 says "no" to 0 things of 0 ki…' is a text as those below; 'OTHER' occurs 68 times below.
    header: false
    "#);
    let cheap = ["--set", "network.epochs=1", "--set", "baseline.models={majority: {}}"];
    inside("t", &[&["run", "pipeline.yaml"], cheap.as_slice()].concat());
    let predicted = work.text("t/artifacts/t/predictions/predictions.tsv");
    assert_eq!(predicted.lines().count(), 9);
    assert!(
        predicted.lines().zip(new.lines()).all(|(line, own)| line.starts_with(&format!("{own}\tO"))),
        "{predicted}"
    );
    // Where the label comes first, a file without it cannot be told from one without the rest.
    let first: String = labelled
        .lines()
        .map(|line| line.rsplit_once('\t').expect("fields").1.to_owned() + "\t" + line + "\n")
        .collect();
    work.write("f.tsv", first.as_bytes());
    insta::assert_snapshot!(work.screen(&["init", "f", "--from", "f.tsv", "--label", "1", "--test", "n.tsv"]), @"
    $ runner init f --from f.tsv --label 1 --test n.tsv
    error: n.tsv has 1 of the 4 columns of f.tsv, and no line says which: if it lacks 'column_1', write a line of names above both files
    [exit code 2]
    ");
}

#[test]
fn a_line_that_holds_the_labels_name_is_a_header_however_much_it_looks_like_a_record() {
    // A class is called as its column.
    let rows: String = (0..80).map(|row| format!("{},{}\n", row * 7 % 40, ["l", "m"][row % 2])).collect();
    let work = Workspace::new().file("t.csv", &format!("v,l\n{rows}"));
    insta::assert_snapshot!(work.screen(&["init", "t", "--from", "t.csv", "--label", "x"]), @"
    $ runner init t --from t.csv --label x
    error: there is no column 'x'; the columns are column_1, column_2
    the first line looks like a record, so columns are counted: give the number of the label's, or if that line does name the columns, the label's name as it stands there
    [exit code 2]
    ");
    work.screen(&["init", "t", "--from", "t.csv", "--label", "l"]);
    let pipeline = work.text("t/pipeline.yaml");
    assert!(pipeline.contains("label: l\n") && !pipeline.contains("header"), "{pipeline}");
    assert!(pipeline.contains("# 80 labelled rows, 2 classes: l 40, m 40."), "{pipeline}");
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
    # Chooses epochs, the weights of the ensemble and the best model. Only 8.3 % of the rows are of class leaves: accuracy and F1 depend on a threshold, how early those rows are found does not.
    metric: average_precision
    # The class that `metric` is about. The likelier class is predicted; with `threshold: f1` on `average` more rows of this one are found.
    positive: leaves
    ");
    let plan =
        work.command(&["plan", "pipeline.yaml"]).current_dir(work.path().join("churn")).output().expect("runner");
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));
}

#[test]
fn an_encoding_that_cannot_be_told_is_named() {
    let work = Workspace::new();
    // Shift JIS of Python: '日本語'.encode('shift_jis').
    let class = |i: usize| [b"\x93\xfa\x96{\x8c\xea".as_slice(), b"x"][i % 2];
    let rows = (0..60).flat_map(|i| [format!("{},", i * 7 % 13).as_bytes(), class(i), b"\n"].concat());
    work.write("j.csv", &b"n,y\n".iter().copied().chain(rows).collect::<Vec<u8>>());
    insta::assert_snapshot!(work.screen(&["init", "j", "--from", "j.csv", "--label", "2"]), @"
    $ runner init j --from j.csv --label 2
    error: j.csv:2:3: byte 0x93 is not valid UTF-8; of 61 lines 30 are not: lines 2, 4, 6, 8, 10 and 25 more (find the file's encoding, e.g. in the program that wrote it, and write it, e.g. `encoding: windows-1251` or `encoding: shift_jis`)
    to go on, name it: `--encoding NAME`
    [exit code 2]
    ");
    insta::assert_snapshot!(work.screen(&["init", "j", "--from", "j.csv", "--label", "2", "--encoding", "sjis8"]), @"
    $ runner init j --from j.csv --label 2 --encoding sjis8
    error: invalid value 'sjis8' for '--encoding <NAME>': it is no encoding of the WHATWG's standard, e.g. windows-1252, iso-8859-2, utf-16le, shift_jis, gb18030, koi8-r

    For more information, try '--help'.
    [exit code 2]
    ");
    succeeds(&work, &["init", "j", "--from", "j.csv", "--label", "2", "--encoding", "shift_jis"]);
    let pipeline = work.text("j/pipeline.yaml");
    assert!(pipeline.contains("label: y\n    # As asked for.\n    encoding: Shift_JIS\n"), "{pipeline}");
    assert!(pipeline.contains("--label y --encoding Shift_JIS"), "{pipeline}");
}

#[test]
fn rows_to_predict_are_not_learnt_from_although_they_have_labels() {
    // The label is noise, so that what is right on the new rows beyond chance was learnt from them.
    let row = |i: usize| format!("{},{},{}\n", i * 7919 % 1009, i * 31 % 977, ["p", "q"][i * 7919 / 13 % 7 % 2]);
    let rows = |from: usize, to: usize| (from..to).fold("a,b,y\n".to_owned(), |text, i| text + &row(i));
    let work = Workspace::new().file("tr.csv", &rows(0, 200)).file("te.csv", &rows(200, 300));
    succeeds(&work, &["init", "s", "--from", "tr.csv", "--label", "y", "--test", "te.csv"]);
    let run = [
        "run",
        "pipeline.yaml",
        "best",
        "--set",
        "network.epochs=1",
        "--set",
        "baseline.models={random_forest: {trees: 9}}",
    ];
    let output = work.command(&run).current_dir(work.path().join("s")).output().expect("runner");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let fitted: serde_json::Value =
        serde_json::from_slice(&work.read("s/artifacts/tr/best/metrics.json")).expect("JSON");
    assert_eq!(fitted["rows"], 200);
    insta::assert_snapshot!(work.screen(&["init", "t", "--from", "tr.csv", "--label", "y", "--test", "./tr.csv"]));
}

#[test]
fn what_no_pipeline_can_be_made_for_is_told() {
    let work = Workspace::new();
    work.write("measured.csv", (0..40).fold("a,y\n".to_owned(), |text, i| text + &format!("{i},{i}.5\n")).as_bytes());
    work.write(
        "rare.csv",
        (0..60)
            .fold("a,y\n".to_owned(), |text, i| text + &format!("{i},{}\n", if i < 57 { "big" } else { "small" }))
            .as_bytes(),
    );
    let told =
        ["measured", "rare"].map(|name| work.screen(&["init", name, "--from", &format!("{name}.csv"), "--label", "y"]));
    insta::assert_snapshot!(told.join("\n"));
    // A few rows of each class, and a column that has the name of a derived one, are no obstacle.
    let row = |i: usize| format!("20{:02}-03-01,{},{}\n", i % 20, i * 7 % 10, ["p", "q"][i % 2]);
    let small = (0..10).fold("joined,joined year,y\n".to_owned(), |text, i| text + &row(i));
    work.write("small.csv", small.as_bytes());
    succeeds(&work, &["init", "small", "--from", "small.csv", "--label", "y", "--budget", "30s"]);
    let run = ["run", "pipeline.yaml", "--set", "network.epochs=1", "--set", "baseline.models={tree: {}}"];
    let output = work.command(&run).current_dir(work.path().join("small")).output().expect("runner");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Films with dates of two years, of which some can be read both ways, lengths of two units, several kinds in a cell, prices, and a class of three rows.
fn films(rows: usize) -> String {
    let kinds = ["Dramas", "Comedies", "Horror", "Cult", "Kids", "Docs", "War"];
    let row = |i: usize| {
        let length =
            if i.is_multiple_of(4) { format!("{} Seasons", i % 5 + 1) } else { format!("{} min", i * 7 % 90 + 60) };
        let class = match i {
            0..3 => "rare",
            _ if i * 7 % 24 < 12 => "day",
            _ => "night",
        };
        format!(
            "{:02}/{:02}/{} {:02}:30,{length},\"{}, {}, {}\",\"1,{:03}.5{}\",{class}\n",
            i % 28 + 1,
            i % 12 + 1,
            2020 + i % 2,
            i * 7 % 24,
            kinds[i % 7],
            kinds[i / 7 % 7],
            kinds[i / 49 % 7],
            i * 37 % 1000,
            i % 10,
        )
    };
    (0..rows).fold("added,length,kinds,price,y\n".to_owned(), |text, i| text + &row(i))
}

#[test]
fn dates_numbers_in_texts_and_several_values_become_columns() {
    let work = Workspace::new().file("films.csv", &films(240));
    succeeds(&work, &["init", "st", "--from", "films.csv", "--label", "y"]);
    let yaml = work.text("st/pipeline.yaml");
    let part = yaml.split_once("stages:\n").expect("stages").1.split_once("\n  # Distributions").expect("a profile").0;
    insta::assert_snapshot!(part.replace("\n\n", "\n"), @"
    # Numbers:
    #   price: numbers, 240 different
    # Numbers in texts:
    #   length: texts with a number, 'min' in 180 rows, 'season' in 60 rows
    # Dates:
    #   added: dates in 240 rows: year, month, weekday, days and hour count
    # Several values:
    #   kinds: several of 7 values in a cell
    data:
      kind: load
      files: {train: '../films.csv'}
      label: y
      # Thousands are set apart, e.g. '1,000.50'.
      thousands: ','
      derive:
        'added year': {year_of: added}
        'added month': {month_of: added, day_first: true}
        'added weekday': {weekday_of: added, day_first: true}
        'added days': {days_of: added, since: 2020-01-01, day_first: true}
        'added hour': {hour_of: added}
        'length min': {number_of: length, unit: min}
        'length season': {number_of: length, unit: season}
        'kinds Comedies': {has: Comedies, of: kinds}
        'kinds Dramas': {has: Dramas, of: kinds}
        'kinds Cult': {has: Cult, of: kinds}
        'kinds Horror': {has: Horror, of: kinds}
        'kinds Kids': {has: Kids, of: kinds}
        'kinds Docs': {has: Docs, of: kinds}
        'kinds War': {has: War, of: kinds}
    # 240 labelled rows, 3 classes: night 119, day 118, rare 3.
    folds:
      kind: split
      rows: data
      folds: 3
      # Rarer classes cannot be learnt and tested; `rare_classes: other` makes one of them.
      min_class_rows: 8
    ");
    let faster = ["run", "pipeline.yaml", "--set", "network.epochs=1", "--set", "baseline.models={logistic: {}}"];
    let output = work.command(&faster).current_dir(work.path().join("st")).output().expect("runner");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
