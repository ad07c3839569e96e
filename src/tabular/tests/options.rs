//! What options do: names, derived columns, filters, and the messages for slips.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Float32Array, RecordBatch, UInt64Array,
};
use arrow::datatypes::{Float64Type, Int32Type};

use super::super::{Filter, LoadOptions, columns};
use super::{errors, header_of, integers, names, numbers, options, table};

#[test]
fn unknown_names_in_the_options_are_told_with_the_nearest() {
    let yaml = "{types: {tempi: number}, drop: [nope], derive: {year: {year_of: relase}, \
                tempo: {log_of: tempo}}, where: {genr: pop}}";
    assert_eq!(
        errors("tempo,release,genre\n1,2,3\n", yaml),
        [
            "types: no file has a column 'tempi' (did you mean 'tempo'?)",
            "derive.year: no file has a column 'relase' (did you mean 'release'?)",
            "derive.tempo: a column of this name exists already (choose another name)",
            "drop: no file has a column 'nope'",
            "where: no file has a column 'genr' (did you mean 'genre'?)",
        ]
    );
    let headers = [("a.csv", header_of(&b"tempo"[..]).unwrap())];
    assert_eq!(columns(&headers, &options("keep: [temp]")).unwrap_err().len(), 1);
}

#[test]
fn a_files_own_columns_may_have_any_name() {
    let text = "line,source,runner.line,_runner.line,,unnamed_1\n8,a,6,5,4,3\n9,b,7,6,5,4\n";
    let batch = table(text, "{}");
    let own = ["line", "source", "_runner.line", "__runner.line", "unnamed_1_2", "unnamed_1"];
    assert_eq!(names(&batch)[4..], own);
    assert_eq!(integers(&batch, "line"), [Some(8), Some(9)]);
    assert_eq!(integers(&batch, "runner.line"), [Some(2), Some(3)]);
    // A condition is on the file's own column, else on the one that loading adds.
    assert_eq!(integers(&table(text, "where: {line: 9}"), "runner.line"), [Some(3)]);
    assert_eq!(integers(&table(text, "where: {runner.line: 3}"), "line"), [Some(9)]);
    assert_eq!(integers(&table(text, "where: {row_id: 1}"), "line"), [Some(9)]);
    assert_eq!(numbers(&table(text, "derive: {d: {log_of: line}}"), "d"), [Some(8f64.ln()), Some(9f64.ln())]);
    let refused = errors(text, "derive: {runner.d: {log_of: line}}");
    assert!(refused[0].starts_with("derive.runner.d: names of columns that begin with 'runner.'"), "{refused:?}");
    assert_eq!(
        errors(text, "label: runner.line"),
        ["label: no file has a column 'runner.line' (did you mean '_runner.line'?)"]
    );
}

#[test]
fn a_column_without_a_value_fits_every_condition_and_derivation() {
    let text = "x,y\n,1\n,2\n";
    assert_eq!(table(text, "where: {x: {not: pop}}").num_rows(), 2);
    assert_eq!(errors(text, "where: {x: {min: 3}}"), ["where: no row is left of 2"]);
    assert_eq!(errors(text, "where: {x: pop}"), ["where: no row is left of 2"]);
    assert_eq!(numbers(&table(text, "derive: {d: {log_of: x}}"), "d"), [None, None]);
}

#[test]
fn columns_are_derived() {
    let text = "date,key,ms\n2015-10-23,3,1000\n1999,6,0\n2001-02,,-5\nsoon,9,\n20015-01-01,0,1\n";
    let yaml = "derive: {year: {year_of: date}, key_sin: {sin_of: key, period: 12}, \
                key_cos: {cos_of: key, period: 12}, log_ms: {log_of: ms}, log2: {log_of: log_ms}}";
    let batch = table(text, yaml);
    assert_eq!(names(&batch)[7..], ["year", "key_sin", "key_cos", "log_ms", "log2"]);
    assert_eq!(integers(&batch, "year"), [Some(2015), Some(1999), Some(2001), None, None]);
    // np.sin(2 * np.pi * np.array([3, 6, 9, 0]) / 12), np.log(1000), np.log(np.log(1000))
    let near = |name: &str, expected: [Option<f64>; 5]| {
        for (found, expected) in numbers(&batch, name).into_iter().zip(expected) {
            assert_eq!(found.is_some(), expected.is_some(), "{name}");
            let difference = found.unwrap_or(0.0) - expected.unwrap_or(0.0);
            assert!(difference.abs() < 1e-12, "{name}: {found:?} is not {expected:?}");
        }
    };
    near("key_sin", [Some(1.0), Some(0.0), None, Some(-1.0), Some(0.0)]);
    near("key_cos", [Some(0.0), Some(-1.0), None, Some(0.0), Some(1.0)]);
    near("log_ms", [Some(6.907_755_278_982_137), None, None, None, Some(0.0)]);
    near("log2", [Some(1.932_644_733_916_065_5), None, None, None, None]);
    // Years alone are inferred as integers.
    let batch = table("date\n1999\n2001\n", "derive: {year: {year_of: date}}");
    assert_eq!(integers(&batch, "year"), [Some(1999), Some(2001)]);
    assert_eq!(
        errors("t,x\na,1\n", "derive: {d: {log_of: t}}"),
        [
            "derive.d: column 't' holds text, not numbers, e.g. 'a' (a.csv:2) (if it holds numbers, declare `types: {t: number}`; else derive from another column)"
        ]
    );
}

#[test]
fn misspelt_derivations_are_explained() {
    let cases = [
        ("{d: {sin_of: key}}", "'key' needs a period"),
        ("{d: {sin_of: key, period: 0}}", "must be positive"),
        ("{d: {log_of: key, period: 3}}", "a period belongs to"),
        ("{d: {log_off: key}}", "unknown field `log_off`"),
        ("{d: {}}", "exactly one of"),
    ];
    for (yaml, message) in cases {
        let error = serde_yaml::from_str::<LoadOptions>(&format!("derive: {yaml}")).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn rows_are_filtered_and_keep_their_numbers() {
    let text = "g,x,d\npop,1,2001-05-01\nrap,2,1999\n,3,\nrock,4,2010-01-01\n";
    let kept = |condition: &str| -> Vec<i64> {
        let batch = table(text, &format!("{{label: g, where: {condition}}}"));
        integers(&batch, "runner.row_id").into_iter().flatten().collect()
    };
    assert_eq!(kept("{g: pop}"), [0]);
    assert_eq!(kept("{g: [pop, rock]}"), [0, 3]);
    assert_eq!(kept("{g: {not: pop}}"), [1, 2, 3]);
    assert_eq!(kept("{g: {not: [pop, rap], missing: false}}"), [3]);
    assert_eq!(kept("{g: {missing: true}}"), [2]);
    assert_eq!(kept("{x: {min: 2, max: 3}}"), [1, 2]);
    assert_eq!(kept("{x: {min: 1.5}, g: {missing: false}}"), [1, 3]);
    assert_eq!(kept("{x: 2.0}"), [1]);
    assert_eq!(kept("{d: {min: '2001', max: '2001-12-31'}}"), [0]);
    assert_eq!(kept("{line: {max: 2}}"), [0]);
    assert_eq!(errors(text, "where: {x: 9}"), ["where: no row is left of 4 (no row has 9 in column 'x')"]);
    assert_eq!(
        errors(text, "where: {x: pop}"),
        ["where: column 'x' holds numbers, which cannot be compared with 'pop' (write a number)"]
    );
    let wrong = errors(text, "where: {g: 1.5}");
    assert!(wrong[0].contains("holds text, which cannot be compared with 1.5"), "{wrong:?}");
}

#[test]
fn a_large_integer_is_not_confused_with_its_neighbour() {
    let batch = table("id\n9007199254740993\n9007199254740992\n", "where: {id: 9007199254740993}");
    assert_eq!(integers(&batch, "id"), [Some(9_007_199_254_740_993)]);
}

#[test]
fn misspelt_conditions_are_explained() {
    let cases = [
        ("{x: {mn: 3}}", "unknown field `mn`"),
        ("{x: {}}", "needs one of min, max, not, missing"),
        ("{x: }", "for missing values write `{missing: true}`"),
        ("{x: {min: [1]}}", "expected a text, a number, true or false"),
    ];
    for (yaml, message) in cases {
        let error = serde_yaml::from_str::<LoadOptions>(&format!("where: {yaml}")).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    let error = serde_yaml::from_str::<LoadOptions>("lable: x").unwrap_err().to_string();
    assert!(error.contains("unknown field `lable`"), "{error}");
}

#[test]
fn options_survive_a_round_trip_and_have_a_schema() {
    let yaml = "{label: g, types: {x: number}, derive: {y: {year_of: d}, s: {sin_of: k, period: 12.0}}, \
                where: {g: [pop, 1], x: {min: 2, not: 5}, b: true, m: {missing: false}}, keep: [x]}";
    let first = options(yaml);
    let json = serde_json::to_value(&first).unwrap();
    assert_eq!(serde_json::from_value::<LoadOptions>(json).unwrap(), first);
    let schema = serde_json::to_string(&schemars::schema_for!(LoadOptions)).unwrap();
    for word in ["year_of", "sin_of", "\"min\"", "\"where\"", "additionalProperties"] {
        assert!(schema.contains(word), "{word} is absent from {schema}");
    }
}

#[test]
fn columns_kept_for_derivation_only_do_not_stay() {
    let text = "date,x,y\n2001-01-01,1,bad\n";
    let yaml = "{keep: [x, year], derive: {year: {year_of: date}}}";
    let batch = table(text, yaml);
    assert_eq!(names(&batch)[4..], ["x", "year"]);
    let headers = [("a.csv", header_of(text.as_bytes()).unwrap())];
    assert_eq!(columns(&headers, &options(yaml)).unwrap(), names(&batch));
}

#[test]
fn filters_work_on_tables_from_elsewhere() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("f", Arc::new(Float32Array::from(vec![0.5, f32::NAN, 2.0]))),
        ("u", Arc::new(UInt64Array::from(vec![1, 2, u64::MAX]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("d", Arc::new(DictionaryArray::<Int32Type>::from_iter(["x", "y", "x"]))),
        (
            "v",
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(vec![Some(vec![Some(1.0)]); 3], 1)),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let rows = |yaml: &str| serde_yaml::from_str::<Filter>(yaml).unwrap().rows(&batch);
    assert_eq!(rows("{f: {min: 1}}").unwrap(), [false, false, true]);
    assert_eq!(rows("{f: {missing: true}}").unwrap(), [false, true, false]);
    assert_eq!(rows("{u: {max: 2}}").unwrap(), [true, true, false]);
    assert_eq!(rows("{b: true}").unwrap(), [true, false, false]);
    assert_eq!(rows("{b: {not: true}}").unwrap(), [false, true, true]);
    assert_eq!(rows("{d: x, u: 1}").unwrap(), [true, false, false]);
    assert_eq!(rows("{}").unwrap(), [true; 3]);
    let error = rows("{v: 1}").unwrap_err().to_string();
    assert!(error.starts_with("column 'v' of type"), "{error}");
    let error = rows("{bb: 1}").unwrap_err().to_string();
    assert!(error.starts_with("there is no column 'bb'"), "{error}");
}
