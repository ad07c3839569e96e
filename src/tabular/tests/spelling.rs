//! Values in two spellings: labels become one class, of other texts a note tells.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::{load_all, load_one, some_texts, texts};

const COMPOSED: &str = "caf\u{e9}";
const DECOMPOSED: &str = "cafe\u{301}";

#[test]
fn one_number_is_one_class_however_files_write_it() {
    let files: [(&str, &[u8]); 2] = [("train", b"x,y\n1,0\n2,1\n3,-0\n"), ("test", b"x,y\n4,0.0\n5,1.0\n6,1e0\n")];
    let loaded = load_all(&files, "label: y").unwrap();
    assert_eq!(texts(&loaded.batch, "y"), some_texts(["0", "1", "0", "0", "1", "1"]));
    assert_eq!(
        loaded.told(),
        [
            "label 'y': labels that are the same number as others count as their class: '-0' as '0' (1 row, train.csv:4), \
          '0.0' as '0' (1 row, test.csv:2), '1.0' as '1' (1 row, test.csv:3), '1e0' as '1' (1 row, test.csv:4) (to keep them \
          apart: `types: {y: text}`)"
        ]
    );
    // The user's own word.
    let kept = load_all(&files, "{label: y, types: {y: text}}").unwrap();
    assert_eq!(texts(&kept.batch, "y")[3].as_deref(), Some("0.0"));
    assert!(kept.told().is_empty());
    let alone = load_one("x,y\n1,0.0\n2,1.0\n3,0.50\n", "label: y").unwrap();
    // One spelling in all files: its class has the name that another table's spelling would have.
    assert_eq!(texts(&alone.batch, "y"), some_texts(["0", "1", "0.5"]));
    assert_eq!(
        alone.told(),
        ["label 'y': numbers are named in their plain form: '0.0' as '0', '0.50' as '0.5', '1.0' as '1' (to keep the \
          spelling: `types: {y: text}`)"]
    );
    let declared = load_one("x,y\n1,0.0\n2,1.0\n3,0.50\n", "{label: y, types: {y: number}}").unwrap();
    assert!(declared.told().is_empty(), "{:?}", declared.told());
    // Missing labels are no texts among numbers.
    let gaps = load_one("x,y\n1,2\n2,2.0\n3,NA\n4,\n", "label: y").unwrap();
    assert_eq!(texts(&gaps.batch, "y")[..2], some_texts(["2", "2"]));
}

#[test]
fn what_is_declared_a_number_is_one_class_in_any_spelling() {
    for kind in ["number", "integer"] {
        let loaded =
            load_one("x,y\n1,0\n2,00\n3,0.0\n4,1\n5,01\n6,1e0\n", &format!("{{label: y, types: {{y: {kind}}}}}"));
        let loaded = loaded.unwrap();
        let numbers = loaded.batch.column_by_name("y").expect("a label");
        let numbers = arrow::compute::cast(numbers, &arrow::datatypes::DataType::Int64).unwrap();
        assert_eq!(numbers.as_primitive::<Int64Type>().values().to_vec(), [0, 0, 0, 1, 1, 1], "{kind}");
        assert!(loaded.told().is_empty(), "{:?}", loaded.told());
    }
    // A label that is none is the one thing to say.
    let found = load_one("x,y\n1,0\n2,00\n3,No\n4,no\n", "{label: y, types: {y: number}}").unwrap_err();
    assert!(found.iter().all(|error| error.to_string().contains("is not a number")), "{found:?}");
}

// Codes and ids that only look alike stay apart.
#[test]
fn numbers_among_other_labels_stay_classes_of_their_own_and_are_told_of() {
    let loaded = load_one("x,y\n1,1\n2,1.0\n3,other\n", "label: y").unwrap();
    assert_eq!(texts(&loaded.batch, "y"), some_texts(["1", "1.0", "other"]));
    assert!(
        loaded.told()[0]
            .starts_with("label 'y': '1' (a.csv:2) and '1.0' (a.csv:3) count as classes of their own, although"),
        "{:?}",
        loaded.told()
    );
    let zeros = load_one("x,y\n1,01\n2,1\n3,7\n", "label: y").unwrap();
    assert!(zeros.told()[0].contains("'01' (a.csv:2) and '1' (a.csv:3)"), "{:?}", zeros.told());
    let ids = load_one("x,y\n1,9007199254740993\n2,9007199254740992.0\n", "label: y").unwrap();
    assert_eq!(texts(&ids.batch, "y"), some_texts(["9007199254740993", "9007199254740992"]));
}

#[test]
fn unicode_forms_of_one_label_are_one_class() {
    let text = format!("x,y\n1,{DECOMPOSED}\n2,{COMPOSED}\n3,tea\n");
    let loaded = load_one(text, "label: y").unwrap();
    assert_eq!(texts(&loaded.batch, "y"), some_texts([COMPOSED, COMPOSED, "tea"]));
    assert_eq!(
        loaded.told(),
        [
            "label 'y': labels that are the same text in another Unicode form as others count as their class: 'cafe\\u{301}' as \
          'caf\\u{e9}' (1 row, a.csv:2)"
        ]
    );
    let alone = load_one(format!("x,y\n1,{DECOMPOSED}\n2,tea\n"), "label: y").unwrap();
    assert_eq!(texts(&alone.batch, "y"), some_texts([DECOMPOSED, "tea"]));
    assert!(alone.told().is_empty());
}

#[test]
fn spellings_of_one_text_are_told_of_by_column() {
    let text = format!("g,h,x\npop,{COMPOSED},1\n pop,{DECOMPOSED},2\nrock,{DECOMPOSED},3\nfunk ,tea,4\n");
    let loaded = load_one(text, "{}").unwrap();
    assert_eq!(texts(&loaded.batch, "h")[1].as_deref(), Some(DECOMPOSED), "texts stay as they stand");
    assert_eq!(
        loaded.told(),
        [
            "values that differ from others by white space alone count as values of their own: 'g' (1 row, e.g. ' pop' \
          (a.csv:3) beside 'pop' (a.csv:2))",
            "values that differ from others by their Unicode form alone count as values of their own: 'h' (2 rows, e.g. \
          'cafe\\u{301}' (a.csv:3) beside 'caf\\u{e9}' (a.csv:2))",
        ]
    );
    // Two forms of which none is the plain one.
    let odd = load_one("g,x\n pop,1\npop ,2\n", "{}").unwrap();
    assert!(odd.told()[0].ends_with("'g' (1 row, e.g. 'pop ' (a.csv:3) beside ' pop' (a.csv:2))"), "{:?}", odd.told());
}
