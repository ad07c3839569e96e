//! What becomes of values: missing tokens by column, labels, identifiers, numbers too large, derived columns. Nothing is lost without a note.

use std::fmt::Write as _;

use arrow::datatypes::DataType;

use super::super::{BEYOND_F32, LoadOptions};
use super::{errors, integers, load_all, load_one, numbers, options, some_texts, table, texts};

#[track_caller]
fn notes(text: &str, yaml: &str) -> Vec<String> {
    load_one(text, yaml).expect("the file loads").told()
}

#[test]
fn missing_tokens_are_declared_by_column() {
    let text = "c,d,n\nNA,NA,1\n-,-,-\n?,x,3\n";
    let batch = table(text, "missing: {c: [], n: {add: ['-']}}");
    assert_eq!(texts(&batch, "c"), some_texts(["NA", "-", "?"]));
    assert_eq!(texts(&batch, "d"), [None, Some("-".into()), Some("x".into())]);
    assert_eq!(integers(&batch, "n"), [Some(1), None, Some(3)]);
    let batch = table(text, "missing: {'*': {add: ['-'], remove: [NA]}, c: {add: ['?']}}");
    assert_eq!(texts(&batch, "c"), [Some("NA".into()), None, None]);
    assert_eq!(texts(&batch, "d"), [Some("NA".into()), None, Some("x".into())]);
    let found = errors(text, "missing: {cc: []}");
    assert_eq!(found, ["missing: no file has a column 'cc' (did you mean 'c'?)"]);
    for (yaml, message) in [("{c: {ad: [x]}}", "unknown field `ad`"), ("3", "a list of tokens, or a mapping")] {
        let error = serde_yaml::from_str::<LoadOptions>(&format!("missing: {yaml}")).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let first = options("missing: {c: [], '*': {add: ['-']}}");
    assert_eq!(serde_json::from_value::<LoadOptions>(serde_json::to_value(&first).unwrap()).unwrap(), first);
}

#[test]
fn labels_that_read_as_missing_are_counted_and_named() {
    let text = "x,country\n1,NA\n2,US\n3,NA\n4,\n5, \n6,null\n7,FR\n";
    let found = notes(text, "label: country");
    assert_eq!(
        found,
        ["label 'country': 5 rows have none and cannot be learnt from: 2 say 'NA', which stands for a missing value \
          (a.csv:2, a.csv:4); 2 are blank (a.csv:5, a.csv:6); 1 says 'null', which stands for a missing value (a.csv:7); \
          for classes of these names write `missing: {country: {remove: [NA, 'null']}}`"]
    );
    let loaded = load_one(text, "{label: country, missing: {country: {remove: [NA, 'null']}}}").unwrap();
    assert_eq!(texts(&loaded.batch, "country")[5].as_deref(), Some("null"));
    // A blank label is none, whatever the tokens.
    assert_eq!(texts(&loaded.batch, "country")[3..5], [None, None]);
    assert!(loaded.told()[0].starts_with("label 'country': 2 rows have none and cannot be learnt from: 2 are blank"));
    // Rows that the user takes out are no news.
    assert!(notes(text, "{label: country, where: {country: {missing: false}}}").is_empty());
}

#[test]
fn a_file_without_a_single_label_is_one_to_predict() {
    let files: [(&str, &[u8]); 2] = [("train", b"x,y\n1,p\n2,\n"), ("test", b"x,y\n3,\n4,\n")];
    let found = load_all(&files, "label: y").unwrap().told();
    assert_eq!(found, ["label 'y': 1 row has none and cannot be learnt from: 1 is blank (train.csv:3)"]);
}

#[test]
fn labels_lose_the_white_space_around_them() {
    let loaded = load_one("x,y\n1,pop\n2,pop \n3, rap\n", "label: y").unwrap();
    assert_eq!(texts(&loaded.batch, "y"), some_texts(["pop", "pop", "rap"]));
    assert_eq!(
        loaded.told(),
        ["label 'y': white space around 2 labels is left out, e.g. 'pop ' (a.csv:3), ' rap' (a.csv:4)"]
    );
}

#[test]
fn words_of_text_columns_that_read_as_missing_are_told_of() {
    let found = notes("country,title\nNA,x\nUS,null\nNA,y\n", "{}");
    assert_eq!(
        found,
        [
            "words that stand for a missing value are taken so in 'country' in 2 rows (e.g. 'NA' at a.csv:2), 'title' in 1 \
          row (e.g. 'null' at a.csv:3) (to keep them as texts: `missing: {country: {remove: [NA]}}`)"
        ]
    );
    // Among numbers they are nothing else.
    assert!(notes("n\n1\nNA\n", "{}").is_empty());
}

#[test]
fn identifiers_never_pass_through_a_float() {
    let ids = |odd: &str| {
        let mut text = String::from("id,x\n");
        (0..120).for_each(|i| writeln!(text, "{},1", 9_007_199_254_740_993_u64 + i).unwrap());
        text + odd + ",2\n"
    };
    for odd in ["1.5", "1e20", "9007199254740993.0", "0.5"] {
        let loaded = load_one(ids(odd), "{}").unwrap();
        let mut found = texts(&loaded.batch, "id");
        assert_eq!(found[1].as_deref(), Some("9007199254740994"), "{odd}");
        found.dedup();
        assert_eq!(found.len(), 121, "{odd}");
        assert!(loaded.told()[0].starts_with("column 'id' is read as text: it has fractions"), "{:?}", loaded.told());
        assert!(loaded.told()[0].contains("(a.csv:122)"), "{:?}", loaded.told());
    }
    // Beyond 64 bits: text, and no word among numbers.
    let loaded = load_one(ids("99999999999999999999"), "{}").unwrap();
    assert_eq!(loaded.batch.column_by_name("id").unwrap().data_type(), &DataType::Utf8);
    assert!(loaded.told()[0].contains("'99999999999999999999' (a.csv:122)"), "{:?}", loaded.told());
    // Fractions that a float holds are numbers, also beside whole ones that it holds.
    assert_eq!(numbers(&table("n\n9007199254740992\n0.5\n", "{}"), "n")[0], Some(9_007_199_254_740_992.0));
    // Whoever asks for numbers gets them, and is told.
    let loaded = load_one(ids("1.5"), "types: {id: number}").unwrap();
    assert!(loaded.told()[0].contains("60 whole numbers beyond 2^53 are rounded"), "{:?}", loaded.told());
}

#[test]
fn numbers_that_a_float_would_merge_are_text() {
    let column = |values: &[&str]| format!("id,x\n{}", values.iter().map(|v| format!("{v},1\n")).collect::<String>());
    for ids in [
        ["9007199254740992e0", "9007199254740993e0"],
        ["9.007199254740992e15", "9.007199254740993e15"],
        ["0.10000000000000000000", "0.10000000000000000001"],
        ["0.30000000000000000001", "0.30000000000000000002"],
    ] {
        let loaded = load_one(column(&ids), "{}").unwrap();
        assert_eq!(texts(&loaded.batch, "id"), some_texts(ids));
        assert!(loaded.told()[0].contains("is read as text: as fractions different numbers would become one"));
        let places = format!("'{}' (a.csv:2), '{}' (a.csv:3)", ids[0], ids[1]);
        assert!(loaded.told()[0].contains(&places), "{:?}", loaded.told());
        let declared = load_one(column(&ids), "types: {id: number}").unwrap();
        assert!(declared.told()[0].contains("different numbers become one"), "{:?}", declared.told());
        // As labels they are two classes, of which nobody says that they are the same number.
        let labels = load_one(column(&ids), "label: id").unwrap();
        assert_eq!(texts(&labels.batch, "id"), some_texts(ids));
        assert!(labels.told().is_empty(), "{:?}", labels.told());
    }
    // A float's own digits, however many of them, and digits beyond them that tell no two rows apart.
    for fine in [
        ["0.1", "0.10000000000000001"],
        ["0.1000000000000000055511", "0.1"],
        ["0.33333333333333333333", "0.66666666666666666667"],
        ["9007199254740992e0", "9007199254740994e0"],
    ] {
        let loaded = load_one(column(&fine), "{}").unwrap();
        assert_eq!(loaded.batch.column_by_name("id").unwrap().data_type(), &DataType::Float64, "{fine:?}");
        assert!(loaded.told().is_empty(), "{:?}", loaded.told());
    }
}

#[test]
fn leading_zeros_make_a_column_text() {
    let zips = |zeros: usize| {
        let mut text = String::from("zip\n");
        (0..100).for_each(|i| writeln!(text, "{}", if i < zeros { "00123" } else { "10123" }).unwrap());
        text
    };
    let loaded = load_one(zips(3), "{}").unwrap();
    assert_eq!(texts(&loaded.batch, "zip")[0].as_deref(), Some("00123"));
    assert!(
        loaded.told()[0]
            .starts_with("column 'zip' is read as text, as 3 of its 100 whole numbers are with leading zeros")
    );
    // Where they are frequent that is what the column is.
    assert!(notes(&zips(50), "{}").is_empty());
    assert_eq!(integers(&table(&zips(3), "types: {zip: integer}"), "zip")[0], Some(123));
}

#[test]
fn conditions_compare_ids_exactly() {
    let rows = |text: &str, condition: &str| -> usize {
        let yaml = format!("where: {{id: {condition}}}");
        load_one(text, &yaml).map_or(0, |loaded| loaded.batch.num_rows())
    };
    let text = "id\n9007199254740992\n9007199254740993\n9007199254740994\n";
    assert_eq!(rows(text, "[9007199254740993, 1.5]"), 1);
    assert_eq!(rows(text, "{min: 9007199254740993, max: 1e300}"), 2);
    assert_eq!(rows(text, "{not: 9007199254740993}"), 2);
    let large = "id\n18446744073709551614\n18446744073709551615\n";
    assert_eq!(rows(large, "18446744073709551615"), 1);
    assert_eq!(rows("id\n0.5\n9007199254740992\n", "9007199254740993"), 0);
}

#[test]
fn conditions_that_no_row_meets_are_explained() {
    let text = "g,x\npop,1\nrock,2\nNA,3\n";
    assert_eq!(
        notes(text, "{where: {g: [pop, rocc]}}"),
        ["where: no row has 'rocc' in column 'g' (did you mean 'rock'?)"]
    );
    let found = errors(text, "{where: {g: NA}}");
    assert!(
        found[0].starts_with(
            "where: no row is left of 3 (no row has 'NA' in column 'g': it stands for a missing value there"
        )
    );
    assert!(found[0].contains("`missing: {g: {remove: [NA]}}`"), "{found:?}");
}

#[test]
fn numbers_beyond_32_bits_are_told_of_and_marked() {
    let loaded = load_one("x,y\n1,2\n1e39,3\n-4e38,4\n3e38,5\n", "{}").unwrap();
    assert_eq!(
        loaded.told(),
        [
            "column 'x': 2 numbers are beyond ±3.4e38, the range of 32-bit numbers in which models compute, so none will take \
          the column: 1e39 (a.csv:3), -4e38 (a.csv:4)"
        ]
    );
    let schema = loaded.batch.schema();
    let marked = |name: &str| schema.field_with_name(name).unwrap().metadata().get(BEYOND_F32).cloned();
    assert_eq!(marked("x").as_deref(), Some(r#"{"1":"a.csv:3","2":"a.csv:4"}"#));
    assert_eq!(marked("y"), None);
    let derived = table("x\n1e39\n1e300\n", "derive: {log: {log_of: x}}");
    assert!((numbers(&derived, "log")[1].unwrap() - 300.0 * 10f64.ln()).abs() < 1e-9);
}

#[test]
fn derived_columns_that_lose_values_say_which() {
    let text = "date,ms\nsoon,1\n2001-05-01,0\n01/03/90,-5\n\"September 25, 2021\",2\n,3\n";
    let found = notes(text, "derive: {year: {year_of: date}, log: {log_of: ms}}");
    assert_eq!(found.len(), 2);
    assert!(
        found[0].starts_with(
            "derived column 'year' is missing in 2 rows, as 2 of 4 values of 'date' could not be used, e.g. 'soon' \
             (a.csv:2), '01/03/90' (a.csv:4) (dates such as"
        ),
        "{found:?}"
    );
    assert!(
        found[1].contains("2 of 5 values of 'ms' could not be used, e.g. '0' (a.csv:3), '-5' (a.csv:4)"),
        "{found:?}"
    );
    let found = notes("date\nsoon\nlater\n", "derive: {year: {year_of: date}}");
    assert!(found[0].starts_with("derived column 'year' is empty, as none of the 2 values"), "{found:?}");
    let years = table("d\n03/25/1990\n\"5 Mar, 1991\"\n1992/01/02\n", "derive: {year: {year_of: d}}");
    assert_eq!(integers(&years, "year"), [Some(1990), Some(1991), Some(1992)]);
    // Of a column without any value nothing can be said to be text.
    assert_eq!(numbers(&table("d,x\n,1\n", "derive: {log: {log_of: d}}"), "log"), [None]);
}

#[test]
fn examples_of_lost_values_are_as_the_file_has_them() {
    let found = notes("x\n 1.50\n0\n-2.0\n", "derive: {l: {log_of: x}}");
    assert!(found[0].contains("e.g. '0' (a.csv:3), '-2.0' (a.csv:4)"), "{found:?}");
}

/// A spreadsheet's fraction makes no numbers of codes, and no code is to be made missing.
#[test]
fn a_fraction_among_codes_leaves_them_text() {
    let rows: String = (0..40)
        .map(|i| format!("{}\n", if i % 8 == 0 { format!("0{}", 501 + i) } else { format!("{}", 10_115 + i) }))
        .collect();
    let loaded = load_one(format!("zip\n{rows}46843.0\n"), "{}").unwrap();
    let zips = texts(&loaded.batch, "zip");
    assert_eq!((zips[0].as_deref(), zips[40].as_deref()), (Some("0501"), Some("46843.0")));
    assert_eq!(loaded.told().len(), 1, "{:?}", loaded.told());
    for part in [
        "is read as text, as 5 of its 41 numbers have leading zeros, e.g. '0501' (a.csv:2)",
        "although one has a fraction: '46843.0' (a.csv:42) (correct it, or declare `types: {zip: number}`",
    ] {
        assert!(loaded.told()[0].contains(part), "'{part}' is not in {:?}", loaded.told());
    }
    // One code among fractions is a slip, which to make missing nobody is told.
    let numbers: String = (0..40).map(|i| format!("{i}.5\n")).collect();
    let found = errors(format!("x\n{numbers}007\n"), "{}");
    assert_eq!(
        found,
        [
            "a.csv:42: column 'x': '007' is a number with a leading zero, but 97.6 % of the column is other numbers (declare \
          `types: {x: number}` if it is one, or declare `types: {x: text}`)"
        ]
    );
    // As it says.
    let loaded = load_one(format!("x\n{numbers}007\n"), "types: {x: number}").unwrap();
    assert!(loaded.told().is_empty(), "{:?}", loaded.told());
}

/// Values that cannot be read in one column hide none of another.
#[test]
fn every_column_with_wrong_values_is_told_of() {
    let mut text = String::from("a,b,c,d\n");
    for row in 0..20 {
        text += &format!("v{row},w{row},{row},x{row}\n");
    }
    let found = errors(&text, "types: {a: number, b: number, c: number, d: integer}");
    let of = |column: &str| found.iter().filter(|one| one.contains(&format!("column '{column}'"))).count();
    assert_eq!([of("a"), of("b"), of("c"), of("d"), found.len()], [4, 3, 0, 3, 11], "{found:?}");
    assert!(found[0].starts_with("a.csv:2: column 'a': 'v0' is not a number (correct it,"), "{found:?}");
    assert!(found[4].starts_with("a.csv:2: column 'b': 'w0' is not a number (correct it,"), "{found:?}");
    assert_eq!(found[10], "and 50 more problems of this kind");
    // Of more columns than there are lines the others are named.
    let names: Vec<String> = (0..13).map(|i| format!("c{i}")).collect();
    let text = format!("{}\n{}\n", names.join(","), ["word"; 13].join(","));
    let types: Vec<String> = names.iter().map(|name| format!("{name}: number")).collect();
    let found = errors(&text, &format!("types: {{{}}}", types.join(", ")));
    assert_eq!(found.len(), 11, "{found:?}");
    assert_eq!(found[10], "and 3 more problems of this kind, among them some of columns c10, c11, c12");
}

#[test]
fn every_condition_that_does_not_fit_its_column_is_told_of() {
    let found = errors("a,b\n1,x\n2,y\n", "where: {a: fast, b: {min: 3}}");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("column 'a' holds numbers") && found[0].contains("; column 'b' holds text"), "{found:?}");
}

#[test]
fn thousands_of_mistakes_make_a_short_message_in_little_time() {
    let names: Vec<String> = (0..5000).map(|i| format!("column_{i}")).collect();
    let text = names.join(",") + "\n" + &["1"; 5000].join(",") + "\n";
    let wrong: Vec<String> = (0..5000).map(|i| format!("colunm_{i}")).collect();
    let started = std::time::Instant::now();
    let found = errors(&text, &format!("keep: [{}]", wrong.join(", ")));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    assert_eq!(found.len(), 11);
    assert_eq!(found[10], "and 4990 more problems of this kind");
    let twice = "x,".repeat(5000) + "x\n1\n";
    assert_eq!(errors(twice, "{}").len(), 11);
}

#[test]
fn numbers_written_for_people_stay_text_and_are_told_of() {
    let loaded =
        load_one("price,plz,rate,note\n1 000,01234,5 %,a b\n900,10115,6 %,1 000 songs\n12 500,04109,7 %,c\n", "{}")
            .unwrap();
    assert_eq!(texts(&loaded.batch, "price"), some_texts(["1 000", "900", "12 500"]));
    // A code keeps its zeros.
    assert_eq!(texts(&loaded.batch, "plz"), some_texts(["01234", "10115", "04109"]));
    assert_eq!(loaded.told().len(), 2, "{:?}", loaded.told());
    assert!(
        loaded.told()[0].starts_with(
            "column 'price' is read as text, as 2 of its 3 values are numbers with a thousands separator, e.g. '1 000' (a.csv:2), '12 500' (a.csv:4)"
        ),
        "{:?}",
        loaded.told()
    );
    assert!(
        loaded.told()[1]
            .starts_with("column 'rate' is read as text, as 3 of its 3 values are numbers with a percent sign")
    );
    let declared = load_one("price\n1 000\n2 000\n", "types: {price: text}").unwrap();
    assert!(declared.told().is_empty());
}
