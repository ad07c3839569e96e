//! From bytes to columns: syntax, types, damage, and the way back to bytes.

use std::collections::HashMap;
use std::fmt::Write as _;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;

use super::{errors, header_of, integers, load_all, load_one, names, numbers, some_texts, table, texts};

/// Writes a source back from the table, as `predict` does.
fn written_back(batch: &RecordBatch, source: &str) -> String {
    let metadata = batch.schema().metadata().clone();
    let entry = |key: &str| metadata[&format!("{key}.{source}")].clone();
    let ends: HashMap<String, String> = metadata
        .get(&format!("ends.{source}"))
        .map(|json| serde_json::from_str(json).expect("JSON"))
        .unwrap_or_default();
    let end = |record: &str| ends.get(record).cloned().unwrap_or_else(|| entry("terminator"));
    let mut text = entry("header") + &end("header");
    let rows = integers(batch, "runner.row_id").into_iter().flatten();
    for ((row, record), name) in rows.zip(texts(batch, "runner.record")).zip(texts(batch, "runner.source")) {
        if name.as_deref() == Some(source) {
            text += &record.expect("a record is never missing");
            text += &end(&row.to_string());
        }
    }
    text
}

#[test]
fn types_are_inferred_over_all_files() {
    let files: [(&str, &[u8]); 2] = [("a", b"n,x,t\n1,1,7\n2,2,b\n"), ("b", b"t,n,x\nc,3,0.5\n,,\n")];
    let loaded = load_all(&files, "{}").unwrap();
    let batch = &loaded.batch;
    assert_eq!(names(batch), ["runner.row_id", "runner.source", "runner.line", "runner.record", "n", "x", "t"]);
    assert_eq!(integers(batch, "n"), [Some(1), Some(2), Some(3), None]);
    assert_eq!(numbers(batch, "x"), [Some(1.0), Some(2.0), Some(0.5), None]);
    assert_eq!(texts(batch, "t")[..3], some_texts(["7", "b", "c"]));
    assert_eq!(texts(batch, "t")[3], None);
    assert_eq!(integers(batch, "runner.row_id"), [Some(0), Some(1), Some(2), Some(3)]);
    assert_eq!(integers(batch, "runner.line"), [Some(2), Some(3), Some(2), Some(3)]);
    assert_eq!(texts(batch, "runner.source"), some_texts(["a", "a", "b", "b"]));
    assert!(loaded.told().is_empty(), "{:?}", loaded.told());
}

#[test]
fn a_column_or_label_that_a_file_lacks_is_missing_there() {
    let files: [(&str, &[u8]); 2] = [("train", b"x,genre\n1,2\n"), ("test", b"x,extra\n2,3\n")];
    let loaded = load_all(&files, "label: genre").unwrap();
    // The classes 1, 2, ... are names.
    assert_eq!(texts(&loaded.batch, "genre"), [Some("2".to_owned()), None]);
    assert_eq!(integers(&loaded.batch, "extra"), [None, Some(3)]);
    // Files to predict have no label.
    assert_eq!(loaded.told(), ["train.csv has no column extra (missing there)"]);
    let alone = load_all(&files[1..], "{label: genre, keep: [x]}").unwrap();
    assert_eq!(alone.told(), ["no file has the label column 'genre'"]);
    assert_eq!(names(&alone.batch)[4..], ["x"]);
}

#[test]
fn every_way_to_end_and_quote_a_line_is_read_and_written_back() {
    let body = "id,\"na,me\",x{}1,\"a \"\"quoted\"\"{}, name\",5{}2,plain,6{}3,\"é\",7";
    for terminator in ["\n", "\r\n", "\r"] {
        for mark in ["", "\u{feff}"] {
            for trailer in ["", "{}", "{}{}{}"] {
                let text = format!("{mark}{body}{trailer}").replace("{}", terminator);
                let batch = table(&text, "{}");
                assert_eq!(names(&batch)[4..], ["id", "na,me", "x"], "{text:?}");
                let quoted = format!("a \"quoted\"{terminator}, name");
                assert_eq!(texts(&batch, "na,me"), some_texts([&quoted, "plain", "é"]));
                // The quoted line break makes the first record two lines long.
                assert_eq!(integers(&batch, "runner.line"), [Some(2), Some(4), Some(5)], "{text:?}");
                assert_eq!(integers(&batch, "x"), [Some(5), Some(6), Some(7)]);
                assert_eq!(written_back(&batch, "a"), text);
            }
        }
    }
    for text in ["a,b\r\n\r\n1,2\n\n\r\n3,4\r\n", "a,b\n1,2\r\n3,4\r5,6", "a,b\n\n\n1,2"] {
        assert_eq!(written_back(&table(text, "{}"), "a"), text);
    }
}

#[test]
fn blank_lines_do_not_shift_line_numbers() {
    let loaded = load_one("\n\nx\r\n\r\n1\r\n\r\n\r\n2\r\n", "{}").unwrap();
    assert_eq!(integers(&loaded.batch, "runner.line"), [Some(5), Some(8)]);
    assert_eq!(texts(&loaded.batch, "runner.record"), some_texts(["1", "2"]));
    assert_eq!(loaded.told(), ["a.csv: 5 blank lines were skipped"]);
    let mixed = load_one("x\n1\r\n2\n", "{}").unwrap();
    assert_eq!(texts(&mixed.batch, "runner.record"), some_texts(["1", "2"]));
    assert_eq!(mixed.told(), ["a.csv: 1 lines do not end in \"\\n\" like the header"]);
}

#[test]
fn another_delimiter_and_nameless_columns_are_read() {
    let loaded = load_one(";x\nr1;\"1;5\"\n", "dialect: {delimiter: ';'}").unwrap();
    assert_eq!(texts(&loaded.batch, "x"), some_texts(["1;5"]));
    assert_eq!(texts(&loaded.batch, "unnamed_1"), some_texts(["r1"]));
    assert_eq!(loaded.told(), ["a.csv: column 1 has no name, it is called 'unnamed_1'"]);
    assert_eq!(loaded.batch.schema().metadata()["delimiter"], ";");
    let tab = table("x\ty\n1\t2\n", "dialect: {delimiter: \"\\t\"}");
    assert_eq!(integers(&tab, "y"), [Some(2)]);
    let refused = ["dialect: {delimiter: '\"'}", "dialect: {delimiter: é}"];
    for yaml in refused {
        assert!(errors("x\n1\n", yaml)[0].starts_with("delimiter: "), "{yaml}");
    }
}

#[test]
fn numbers_are_read_in_every_usual_spelling() {
    let batch = table("x\n 1 \n+2\n-.5\n3.\n9.38e-5\n1E3\nNaN\n\n\"\"\nnan\n", "{}");
    let expected = [1.0, 2.0, -0.5, 3.0, 9.38e-5, 1000.0];
    assert_eq!(numbers(&batch, "x")[..6], expected.map(Some));
    assert_eq!(numbers(&batch, "x")[6..], [None, None, None]);
    // Identifiers stay as they are written.
    let batch = table("zip,id\n00501,99999999999999999999\n10001,99999999999999999998\n", "{}");
    assert_eq!(texts(&batch, "zip"), some_texts(["00501", "10001"]));
    assert_eq!(batch.column_by_name("id").unwrap().data_type(), &DataType::Utf8);
    let yaml = "types: {zip: integer, id: number}";
    let batch = table("zip,id\n00501,99999999999999999999\n", &yaml.replace("id: number", "id: text"));
    assert_eq!(integers(&batch, "zip"), [Some(501)]);
}

#[test]
fn missing_tokens_are_exact_and_can_be_declared() {
    let batch = table("t,n\nNA,1\nNAN,-\n\" \",2\nNone,3\n", "missing: ['', NA, '-']");
    assert_eq!(texts(&batch, "t"), [None, Some("NAN".into()), None, Some("None".into())]);
    assert_eq!(integers(&batch, "n"), [Some(1), None, Some(2), Some(3)]);
}

#[test]
fn text_in_a_declared_numeric_column_names_every_line_up_to_a_limit() {
    let text = "x,y\n1,1\nfast,1\n2,1.5\n";
    assert_eq!(
        errors(text, "types: {x: number, y: integer}"),
        [
            "a.csv:3: column 'x': 'fast' is not a number (correct it, or make it missing by `missing: {x: {add: [fast]}}`)",
            "a.csv:4: column 'y': '1.5' is not a 64-bit integer"
        ]
    );
    let mut long = String::from("x,y,z\n");
    for row in 0..100 {
        writeln!(long, "w{row},w,w").unwrap();
    }
    let found = errors(&long, "types: {x: number, y: number, z: number}");
    assert_eq!(found.len(), 8);
    let remedy = "(correct it, or make it missing by `missing: {x: {add: [w0, w1, w2, w3, w4]}}`)";
    assert_eq!(found[4], format!("a.csv:6: column 'x': 'w4' is not a number {remedy}"));
    let remedy = "(correct it, or make it missing by `missing: {y: {add: [w]}}`)";
    assert_eq!(found[5], format!("a.csv:2: column 'y': 'w' is not a number (100 rows) {remedy}"));
    assert_eq!(found[7], "and 95 more problems of this kind");
}

#[test]
fn a_stray_word_never_turns_a_column_to_text() {
    let with_words = |words: usize| {
        let mut text = String::from("tempo\n");
        (0..100 - words).for_each(|i| writeln!(text, "{i}.5").unwrap());
        (0..words).for_each(|_| text.push_str("fast\n"));
        text
    };
    let found = errors(with_words(10), "{}");
    assert_eq!(
        found[0],
        "a.csv:92: column 'tempo': 'fast' is not a number (10 rows), but 90.0 % of the column is ('fast' (10 rows) may stand \
         for a missing value: if so, write `missing: {tempo: {add: [fast]}}`; else correct it, or declare `types: {tempo: text}`)"
    );
    assert_eq!(found.len(), 1);
    // Once it is rather a slip.
    assert_eq!(
        errors(with_words(1), "{}"),
        [
            "a.csv:101: column 'tempo': 'fast' is not a number, but 99.0 % of the column is (correct it, make it missing by \
         `missing: {tempo: {add: [fast]}}`, or declare `types: {tempo: text}`)"
        ]
    );
    let batch = table(&with_words(11), "{}");
    assert_eq!(batch.column_by_name("tempo").unwrap().data_type(), &DataType::Utf8);
    let batch = table(&with_words(10), "missing: [fast]");
    assert_eq!(batch.column_by_name("tempo").unwrap().null_count(), 10);
    let batch = table(&with_words(10), "types: {tempo: text}");
    assert_eq!(texts(&batch, "tempo")[0].as_deref(), Some("0.5"));
}

// Each message says of all of them what they may be, most frequent first, so that one line of YAML mends the column.
#[test]
fn repeated_words_and_signs_among_numbers_may_stand_for_missing_values() {
    let with = |others: &[(&str, usize)]| {
        let mut text = String::from("age\n");
        (0..200).for_each(|i| writeln!(text, "{i}").unwrap());
        for (other, rows) in others {
            (0..*rows).for_each(|_| writeln!(text, "{other}").unwrap());
        }
        text
    };
    let hint = "'unknown' (4 rows), '?' (2 rows) may stand for a missing value: if so, write \
                `missing: {age: {add: [unknown, '?']}}`";
    let found = errors(with(&[("?", 2), ("unknown", 4), ("12 years", 1)]), "{}");
    assert_eq!(found.len(), 3);
    let hinted: Vec<bool> = found.iter().map(|error| error.contains("may stand for a missing value")).collect();
    assert_eq!(hinted, [true, true, false], "{found:?}");
    // One setting for all, which nothing has to be added to.
    let all = "`missing: {age: {add: [unknown, '?', '12 years']}}`";
    assert!(found.iter().all(|error| error.contains(all)), "{found:?}");
    assert!(found[2].contains("(correct it, make it missing by `missing"), "{found:?}");
    let remedied = load_one(with(&[("?", 2), ("unknown", 4), ("12 years", 1)]), &all.replace('`', "")).unwrap();
    assert_eq!(remedied.batch["age"].null_count(), 7);
    for kind in ["number", "integer"] {
        let found = errors(with(&[("?", 2), ("unknown", 4)]), &format!("types: {{age: {kind}}}"));
        assert!(found[0].starts_with("a.csv:202: column 'age': '?' is not a"), "{found:?}");
        assert!(found.iter().all(|error| error.ends_with(&format!("({hint}; else correct it)"))), "{found:?}");
    }
    // Too many for errors: the column is text, and a note says why.
    let loaded = load_one(with(&[("?", 40), ("n/a", 30)]), "{}").unwrap();
    assert_eq!(
        loaded.told(),
        [
            "column 'age' is read as text, although 200 of its 270 values are numbers: '?' (40 rows), 'n/a' (30 rows) may \
          stand for a missing value: if so, write `missing: {age: {add: ['?', 'n/a']}}`"
        ]
    );
    assert_eq!(
        load_one(with(&[("?", 40), ("n/a", 30)]), "missing: {age: {add: ['?', 'n/a']}}").unwrap().told().len(),
        0
    );
    // Signs are no texts, however frequent.
    assert_eq!(load_one(with(&[("?", 900)]), "{}").unwrap().told().len(), 1);
    // Words are, where they prevail, differ much or have digits.
    let words: Vec<String> = (0..40).map(|i| format!("w{}", "abcdefghij".chars().nth(i % 10).unwrap())).collect();
    let many: Vec<(&str, usize)> = words.iter().map(|word| (word.as_str(), 1)).collect();
    for others in [&[("low", 300)][..], &many, &[("12a", 60)]] {
        assert!(load_one(with(others), "{}").unwrap().told().is_empty(), "{others:?}");
    }
}

#[test]
fn infinities_are_refused_in_numbers_and_kept_in_text() {
    for token in ["inf", "-Infinity", "1e999", "+inf"] {
        let found = errors(format!("x\n1\n{token}\n"), "{}");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with(&format!("a.csv:3: column 'x': '{token}' is infinite or too large")), "{found:?}");
    }
    let batch = table("title\nInfinity\nnan\nInf\nHello\n", "missing: []");
    assert_eq!(texts(&batch, "title"), some_texts(["Infinity", "nan", "Inf", "Hello"]));
}

#[test]
fn damaged_files_are_refused_at_the_place_of_the_damage() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "a.csv: the file is empty"),
        (b"\n\r\n", "a.csv: the file is empty"),
        (b"\xef\xbb\xbf", "a.csv: the file is empty"),
        (b"x,y\n", "a.csv: the file has a header but no rows"),
        (b"x,y,x\n1,2,3\n", "a.csv:1: column 'x' occurs twice in the header, as number 1 and 3"),
        (b"x,y\n1,2\n\"a\nb\",2\n3\n", "a.csv:5: expected 2 fields, found 1"),
        (b"x,y\n1,\"2\n3,4\n5,6\",7\n", "a.csv:2: expected 2 fields, found 3 (the record reaches to line 4"),
        (b"x,y\n1,2\n3,\"4\n5,6\n", "a.csv:3:3: a quote opened here is never closed"),
        (b"x,\"y\n1,2\n", "a.csv:1:3: a quote opened here is never closed"),
        (b"x,y\n1,\xc3\xa9\xe9\n", "a.csv:2:4: byte 0xe9 is not valid UTF-8"),
        (b"x,y\n1,a\0b\n", "a.csv:2:4: NUL byte"),
        (b"\xff\xfex\0\n\0", "a.csv: the file has a header but no rows"),
    ];
    for (bytes, message) in cases {
        let found = errors(bytes, "{}");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(message), "{} instead of {message}", found[0]);
    }
}

#[test]
fn a_quote_within_a_field_is_literal() {
    // The last record begins with no quote, and ends with one.
    let batch = table("t,x\n7\" edit,1\n\"a\"\"\",2\n12\",\"\"\"\"", "{}");
    assert_eq!(texts(&batch, "t"), some_texts(["7\" edit", "a\"", "12\""]));
    assert_eq!(texts(&batch, "x"), some_texts(["1", "2", "\""]));
}

#[test]
fn every_file_is_checked_before_giving_up() {
    let files: [(&str, &[u8]); 3] = [("a", b""), ("b", b"x,x\n1,2\n"), ("c", b"x\n1\n")];
    let found = load_all(&files, "{}").unwrap_err();
    assert_eq!(found.len(), 2);
    assert!(found[1].starts_with("b.csv:1: column 'x' occurs twice"));
    let files: [(&str, &[u8]); 3] = [("a", b"x,y\n1\n2,3\n4\n"), ("b", b"x\n\xe9\n"), ("c", b"x,y\n1,2,3\n")];
    let found = load_all(&files, "{}").unwrap_err();
    let places = ["b.csv:2:1: byte", "a.csv:2: expected 2", "a.csv:4: expected 2", "c.csv:2: expected 2"];
    assert_eq!(found.len(), places.len());
    places.iter().zip(&found).for_each(|(place, found)| assert!(found.starts_with(place), "{found}"));
    let found = load_all(&[("a", b"x\n1\n"), ("a", b"x\n1\n")], "{}").unwrap_err();
    assert_eq!(found, ["two files are named 'a' (give each its own name)"]);
    assert_eq!(load_all(&[], "{}").unwrap_err(), ["no file was given"]);
}

#[test]
fn a_header_is_read_without_its_file() {
    // The bytes that follow are no text, which only loading notices.
    let names = header_of(&b"\xef\xbb\xbfx,\"y z\"\r\n1,\xff"[..]).unwrap();
    assert_eq!(names.names, ["x", "y z"]);
    assert_eq!(header_of(&b"x"[..]).unwrap().names, ["x"]);
    let errors = header_of(&b"x,y,x,y\n"[..]).unwrap_err();
    assert_eq!(errors.len(), 2);
    assert_eq!((errors[0].line, errors[0].column), (Some(1), None));
    let endless = "x,\"".to_owned() + &"y".repeat(2 << 20);
    let error = header_of(endless.as_bytes()).unwrap_err()[0].to_string();
    assert!(error.contains("longer than 1048576 bytes"), "{error}");
}

// What was written before stays, in whatever form, so that no remedy takes another back.
#[test]
fn remedies_keep_what_was_written_of_missing_values() {
    let text = |words: &[&str]| {
        let rows = (0..100).map(|i| format!("{i},{i}\n")).chain(words.iter().map(|word| format!("{word},{word}\n")));
        format!("x,y\n{}", rows.collect::<String>())
    };
    let words = ["NR", "5/5", "NR", "1/4"];
    for (before, after) in [
        ("missing: {x: {add: [Unrated]}}", "`missing: {x: {add: [Unrated, NR, '5/5', '1/4']}}`"),
        ("missing: {x: {add: [U], remove: [NA]}}", "`missing: {x: {add: [U, NR, '5/5', '1/4'], remove: [NA]}}`"),
        ("missing: {x: ['']}", "`missing: {x: ['', NR, '5/5', '1/4']}`"),
        ("missing: ['?']", "`missing: {'*': ['?'], x: {add: [NR, '5/5', '1/4']}}`"),
        ("missing: {y: {add: [U]}}", "`x: {add: [NR, '5/5', '1/4']}` under `missing`"),
    ] {
        let found = errors(text(&words), before);
        let own: Vec<&String> = found.iter().filter(|error| error.contains("column 'x'")).collect();
        assert_eq!(own.len(), 3, "{found:?}");
        assert!(own.iter().all(|error| error.contains(after)), "{before}: {found:?}");
        let whole = match after.strip_prefix("`missing") {
            Some(_) => after.replace('`', ""),
            None => "missing: {y: {add: [U]}, x: {add: [NR, '5/5', '1/4']}}".to_owned(),
        };
        let again = load_one(text(&words), &whole).map(|_| Vec::new()).unwrap_or_else(|found| found);
        assert!(again.iter().all(|error| !error.contains("column 'x'")), "{whole}: {again:?}");
    }
    // A token that was taken away comes back where it is asked for.
    let found = errors(text(&["NA"]), "missing: {x: {remove: [NA]}}");
    assert!(found[0].contains("by `missing: {x: {add: [NA]}}`"), "{found:?}");
    // The same of words that are to be kept.
    let label = load_one("t,x\nNA,1\nb,2\n", "{label: t, missing: {t: {add: [U]}}}").unwrap();
    assert!(label.told()[0].ends_with("write `missing: {t: {add: [U], remove: [NA]}}`"), "{:?}", label.told());
}

#[test]
fn remedies_are_yaml_of_the_very_text() {
    let rows: String = (0..100).map(|i| format!("{i}\n")).collect();
    for word in ["\u{feff}1", "\u{1b}[31mN", "tab\there", "it's", "a\\tb", "\u{e0041}\"\\"] {
        let text = format!("x\n{rows}\"{}\"\n", word.replace('"', "\"\""));
        let found = errors(&text, "{}");
        let (_, remedy) = found[0].split_once("missing by `").expect("a remedy");
        let (remedy, _) = remedy.split_once('`').expect("its end");
        assert_eq!(load_one(&text, remedy).unwrap().batch["x"].null_count(), 1, "{remedy}");
        assert!(!remedy.contains(char::is_control), "{remedy:?}");
    }
}

#[test]
fn a_record_of_another_length_is_told_what_helps() {
    let remedy = |text: &str| errors(text, "{}").remove(0);
    let short = remedy("x,y,z\n1,2\n");
    assert!(short.ends_with("found 2 (write what is missing, a delimiter for each field though it is empty; quote fields that hold a line break)"), "{short}");
    assert!(remedy("x,y\n1,2,3\n").ends_with("found 3 (quote fields that hold the delimiter)"));
    // A carriage return alone ends a line as well: both parts of what it tears apart are too short.
    let torn = errors("x,y\n1,a\rb\n2,c\n", "{}");
    assert_eq!(torn.len(), 1, "{torn:?}");
    assert!(torn[0].contains("expected 2 fields, found 1 (a carriage return stands alone here"), "{torn:?}");
    assert!(errors("x,y\n1\r2,c\n", "{}").iter().all(|one| one.contains("a carriage return stands alone")));
    assert!(load_one("x,y\n1,\"a\rb\"\n2,c\n", "{}").is_ok());
}

#[test]
fn columns_without_a_name_match_by_their_order_wherever_they_stand() {
    let (train, test) = (&b"y,name,,\na,n0,2,72\n"[..], &b"name,,\nn1,104,62\n"[..]);
    let loaded = load_all(&[("train", train), ("test", test)], "label: y").unwrap();
    assert_eq!(integers(&loaded.batch, "unnamed_1"), [Some(2), Some(104)]);
    assert_eq!(integers(&loaded.batch, "unnamed_2"), [Some(72), Some(62)]);
    // The label is absent from files to predict: no news.
    assert_eq!(
        loaded.told(),
        [
            "train.csv: columns 3, 4 have no names, they are called unnamed_1, unnamed_2",
            "test.csv: columns 2, 3 have no names, they are called unnamed_1, unnamed_2"
        ]
    );
    // Where a file has none of them, none can be another.
    let plain = load_all(&[("train", train), ("test", b"name\nn1\n")], "label: y").unwrap();
    assert_eq!(plain.told()[1], "test.csv has no column unnamed_1, unnamed_2 (missing there)");
}

#[test]
fn columns_without_a_name_that_could_be_one_another_are_refused() {
    let (three, two) = (&b"a,,,\n1,2,3,4\n"[..], &b"a,,\n5,6,7\n"[..]);
    let files = [("three", three), ("two", two)];
    let why = "three.csv has 3 columns without a name and two.csv 2, so which of them are the same cannot be told (write names into the header lines";
    let drop = ", or leave these columns out by `drop: [unnamed_1, unnamed_2, unnamed_3]`)";
    assert_eq!(load_all(&files, "{}").unwrap_err(), [format!("{why}{drop}")]);
    let dropped = load_all(&files, "drop: [unnamed_1, unnamed_2, unnamed_3]").unwrap();
    assert_eq!(names(&dropped.batch)[4..], ["a"]);
    assert_eq!(names(&load_all(&files, "keep: [a]").unwrap().batch)[4..], ["a"]);
    for used in ["label: unnamed_3", "where: {unnamed_1: 2}", "keep: [unnamed_1]", "derive: {d: {log_of: unnamed_1}}"] {
        assert_eq!(load_all(&files, used).unwrap_err(), [format!("{why})")], "{used}");
    }
    let written = b"unnamed_1,a\n1,2\n";
    let found = load_all(&[("one", b",a\n3,4\n"), ("written", written)], "{}").unwrap_err();
    assert_eq!(
        found,
        [
            "'unnamed_1' is the name of a column in written.csv, and stands for one without a name in one.csv (write a name into the header line of one.csv)"
        ]
    );
}

#[test]
fn text_behind_a_closing_quote_is_told_with_examples() {
    let plain = b"id,t\n1,\"a, b\"\n2,\"say \"\"so\"\" twice\"\n3,it \"is\"\n4,\"\"\n5,\"two\nlines\"\n";
    assert!(load_one(plain, "{}").unwrap().told().is_empty());
    let loose = b"id,t\n1,\"Great\" ramen\n2,\"A\" or \"B\"\n3,\"x\ny\" z\n5,plain\n6,\"C\" D\n";
    let loaded = load_one(loose, "{}").unwrap();
    let read = ["Great ramen", "A or \"B\"", "x\ny z", "plain", "C D"];
    assert_eq!(texts(&loaded.batch, "t"), some_texts(read));
    assert_eq!(loaded.told().len(), 1, "{:?}", loaded.told());
    for part in [
        ": 4 cells have text behind a closing quote",
        "line 2: '\"Great\" ramen' is read as 'Great ramen'; line 3: '\"A\" or \"B\"' is read as 'A or \"B\"'; line 4: ",
        " … (write a quote",
    ] {
        assert!(loaded.told()[0].contains(part), "'{part}' is not in {}", loaded.told()[0]);
    }
    let one = load_one(b"id,t\n1,\"a\" b\n", "{}").unwrap();
    assert!(one.told()[0].contains(": a cell has text behind a closing quote"), "{:?}", one.told());
}
