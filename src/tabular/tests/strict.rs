//! What could be taken for something else in silence: signs for missing values, texts for numbers, records for headers.

use super::{errors, integers, load_all, load_one, numbers, some_texts, table, texts};

#[track_caller]
fn notes(text: &str, yaml: &str) -> Vec<String> {
    load_one(text, yaml).expect("the file loads").told()
}

/// 40 numbers, of which the third is this token.
fn one_among_numbers(token: &str) -> String {
    let rows = (0..40).map(|i| format!("{},1\n", if i == 2 { token.to_owned() } else { i.to_string() }));
    "x,y\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn only_the_listed_tokens_are_missing_among_numbers() {
    for token in ["-", "+", "-nan", "+nan", "NAN", "--", "?"] {
        let found = errors(one_among_numbers(token), "{}");
        assert!(found[0].starts_with(&format!("a.csv:4: column 'x': '{token}' is not a number")), "{found:?}");
        let declared = errors(one_among_numbers(token), "types: {x: number}");
        assert!(declared[0].contains("is not a number"), "{declared:?}");
        let listed = table(&one_among_numbers(token), &format!("missing: {{x: {{add: ['{token}']}}}}"));
        assert_eq!(integers(&listed, "x")[1..4], [Some(1), None, Some(3)], "{token}");
    }
    for token in ["", "NA", "NaN", "nan"] {
        assert_eq!(integers(&table(&one_among_numbers(token), "{}"), "x")[2], None);
        // An empty list means that every cell has a value.
        let found = errors(one_among_numbers(token), "missing: {x: []}");
        assert!(found[0].starts_with(&format!("a.csv:4: column 'x': '{token}' is not a number")), "{found:?}");
        let remedy = format!("missing: {{x: [{}]}}", if token.is_empty() { "''" } else { token });
        assert!(found[0].contains(&remedy), "{found:?}");
    }
    // The same of labels that are declared numbers: no row leaves the data for a sign.
    let found = errors("x,t\n1,0\n2,1\n3,-\n", "{label: t, types: {t: integer}}");
    assert!(found[0].starts_with("a.csv:4: column 't': '-' is not a 64-bit integer"), "{found:?}");
}

#[test]
fn texts_are_not_compared_with_numbers_by_size() {
    let text = "zip,id\n00007,50000000000000000001\n00011,50000000000000000002\n00041,50000000000000000003\n";
    for condition in ["{zip: {max: 30}}", "{zip: {min: 10}}", "{zip: {min: true}}"] {
        let found = errors(text, &format!("where: {condition}"));
        assert!(
            found[0].contains("holds text, which cannot be compared with") && found[0].contains("types: {"),
            "{found:?}"
        );
    }
    assert_eq!(table(text, "where: {zip: {min: '00010'}}").num_rows(), 2);
    assert_eq!(table(text, "{types: {zip: integer}, where: {zip: {max: 30}}}").num_rows(), 2);
    assert_eq!(table(text, "where: {id: '50000000000000000002'}").num_rows(), 1);
}

#[test]
fn conditions_on_large_integers_are_exact_or_refused() {
    let text = "id\n9007199254740992\n9007199254740993\n18446744\n";
    for condition in ["9007199254740993.0", "{max: 9007199254740993.0}", "{not: 1e16}"] {
        let found = errors(text, &format!("where: {{id: {condition}}}"));
        assert!(found[0].contains("write all its digits"), "{found:?}");
    }
    assert_eq!(table(text, "where: {id: {min: 1e3, max: 1e300}}").num_rows(), 3);
}

#[test]
fn a_condition_finds_a_class_in_whatever_spelling() {
    let text = "x,t\n1,1\n2,1.0\n3,2\n4,1\n";
    let rows = |condition: &str| table(text, &format!("{{label: t, where: {{t: {condition}}}}}")).num_rows();
    assert_eq!((rows("1"), rows("1.0"), rows("[1.0, 2]"), rows("{not: 1.0}")), (3, 3, 4, 1));
    let accents = "x,t\n1,\u{e9}\n2,e\u{301}\n3,x\n";
    let loaded = load_one(accents, "{label: t, where: {t: [\"e\\u0301\", x]}}").unwrap();
    assert_eq!(texts(&loaded.batch, "t"), some_texts(["\u{e9}", "\u{e9}", "x"]));
    // Two texts of one number: which is meant is up to the user.
    let found = errors("v,x\n1.10,1\n1.1,2\nb,3\n", "where: {v: 1.1}");
    assert!(
        found[0].contains("the texts \"1.10\", \"1.1\" are this value: put those that you mean in quotes"),
        "{found:?}"
    );
    assert_eq!(table("v,x\n1.10,1\n1.1,2\nb,3\n", "where: {v: '1.10'}").num_rows(), 1);
}

#[test]
fn a_value_of_another_kind_gets_the_remedy_that_fits() {
    let remedy = |value: &str| errors("f\n1.5\n2.5\n", &format!("where: {{f: {{max: {value}}}}}")).remove(0);
    assert!(remedy("true").ends_with("(write a number)"), "{}", remedy("true"));
    assert!(remedy("'2'").ends_with("(write the number without quotes)"), "{}", remedy("'2'"));
    assert!(remedy("'1e400'").contains("no number of 64 bits is that large"), "{}", remedy("'1e400'"));
}

#[test]
fn large_labels_are_one_class_in_two_spellings() {
    let loaded = load_one("x,t\n1,9007199254740993\n2,9007199254740993.0\n3,9007199254740992\n", "label: t").unwrap();
    let id = "9007199254740993";
    assert_eq!(texts(&loaded.batch, "t"), some_texts([id, id, "9007199254740992"]));
    assert!(loaded.told()[0].contains("'9007199254740993.0' as '9007199254740993'"), "{:?}", loaded.told());
    let mixed = notes("x,t\n1,9007199254740993\n2,9007199254740993.0\n3,other\n", "label: t");
    assert!(mixed[0].contains("count as classes of their own, although they are the same number"), "{mixed:?}");
}

#[test]
fn derived_numbers_are_finite_and_derived_columns_have_names() {
    let text = "x\n1e10\n0\n-1e10\n";
    for kind in ["sin_of", "cos_of"] {
        let loaded = load_one(text, &format!("derive: {{d: {{{kind}: x, period: 1e-300}}}}")).unwrap();
        let found = numbers(&loaded.batch, "d");
        assert_eq!((found[0], found[2]), (None, None));
        assert!(found[1].is_some_and(f64::is_finite));
        assert!(loaded.told()[0].contains("2 of 3 values of 'x' could not be used"), "{:?}", loaded.told());
        assert!(loaded.told()[0].contains("is the period right?"), "{:?}", loaded.told());
    }
    for name in ["''", "'  '"] {
        let found = errors(text, &format!("derive: {{{name}: {{log_of: x}}}}"));
        assert_eq!(found, [format!("derive: a column needs a name (write it in place of {name})")]);
    }
}

#[test]
fn a_file_that_loses_all_rows_is_told_of() {
    let files: [(&str, &[u8]); 2] = [("train", b"x,c\n1,JP\n2,TW\n3,US\n"), ("test", b"x\n4\n5\n")];
    let found = load_all(&files, "{label: c, where: {c: [JP, TW]}}").unwrap().told();
    let lost = "where: no row of test.csv is left, as it has no column c (to choose rows to learn from only, write `where` in the `split` stage instead)";
    assert!(found.iter().any(|note| note == lost), "{found:?}");
    let found = load_all(&files, "{label: c, where: {x: {max: 3}}}").unwrap().told();
    assert!(found.iter().any(|note| note.starts_with("where: no row of test.csv is left (to choose")), "{found:?}");
    // Asked for by file, it is what was meant.
    let found = load_all(&files, "{label: c, where: {source: train}}").unwrap().told();
    assert!(!found.iter().any(|note| note.contains("is left")), "{found:?}");
}

#[test]
fn a_tab_is_a_tab_in_either_quotes() {
    for delimiter in [r#""\t""#, r"'\t'"] {
        assert_eq!(integers(&table("a\tb\n1\t2\n", &format!("dialect: {{delimiter: {delimiter}}}")), "b"), [Some(2)]);
    }
    for wrong in ["''", "';;'", r"'\s'"] {
        let error = serde_yaml::from_str::<super::LoadOptions>(&format!("dialect: {{delimiter: {wrong}}}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("a delimiter is one character"), "{error}");
    }
}

#[test]
fn a_delimiter_that_other_files_have_is_not_to_be_changed() {
    let files: [(&str, &[u8]); 2] = [("train", b"a\tb\n1\t2\n"), ("test", b"a,b\n1,2\n")];
    let found = load_all(&files, r#"dialect: {delimiter: "\t"}"#).unwrap_err();
    let expected = "test.csv:1: the header is one column, 'a,b', although train.csv has several columns with `delimiter: \"\\t\"` (if the column is really";
    assert!(found[0].starts_with(expected), "{found:?}");
    assert!(!found[0].contains("is the delimiter"), "{found:?}");
}

#[test]
fn a_header_that_looks_like_a_record_is_told_of() {
    let iris = "5.1,3.5,setosa\n4.9,3.0,setosa\n4.7,3.2,setosa\n6.1,2.9,virginica\n";
    let found = notes(iris, "{}");
    assert!(
        found[0].starts_with("a.csv: the first line, which is taken for the names of the columns, looks like a record: 'setosa' (a.csv:2) occurs again"),
        "{found:?}"
    );
    let texts = "OTHER,one text\nOTHER,another\nDATE,more\nOTHER,yet more\n";
    assert!(notes(texts, "{}")[0].contains("'OTHER' (a.csv:2) occurs again below"));
    let numbers = notes("0.5,-1.25\n0.75,3.5\n1.5,2.0\n", "{}");
    assert!(numbers[0].contains("'0.5' is a number, as are the values below"), "{numbers:?}");
    // Two files put together, the header of the second in the middle.
    assert!(notes("a,b\np,q\na,b\nr,s\n", "{}")[0].contains("'a' (a.csv:3), 'b' (a.csv:3) occur again below"));
    for named in ["2019,2020,name\n1,2,a\n3,4,b\n", "title,x,y\ntitle,1,2\nother,2,3\nmore,3,4\n", "x,t\n1,a\n2,b\n"] {
        assert!(notes(named, "{}").is_empty(), "{:?}", notes(named, "{}"));
    }
    let twice = errors("OTHER,OTHER\na,b\n", "{}");
    assert!(twice[0].contains("if the file has no header, write `header: false`"), "{twice:?}");
    assert!(errors("a,b\n", "{}")[0].contains("add some below it, or leave the file out of `files`"));
}
