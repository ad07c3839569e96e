//! What options do: names, derived columns, filters, and the messages for slips.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeListArray, Float32Array, RecordBatch, UInt64Array,
};
use arrow::datatypes::{Float64Type, Int32Type};

use arrow::array::{Array as _, AsArray as _};

use super::super::{Filter, Input, LoadOptions, columns, load};
use super::{errors, header_of, integers, load_one, names, numbers, options, table, texts};

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

// d = pd.to_datetime(pd.Series(["2020-01-31 23:05", "25/12/2019 06:00", "March 5, 2024"]), format="mixed", dayfirst=True)
// d.dt.month, d.dt.isocalendar().day, d.dt.hour, (d.dt.normalize() - pd.Timestamp("2020-01-01")).dt.days
#[test]
fn parts_of_dates_are_derived() {
    let text = "d\n2020-01-31 23:05\n25/12/2019 06:00\n\"March 5, 2024\"\n01/03/1990\n\"\"\nsoon\n";
    let yaml = "derive: {m: {month_of: d}, w: {weekday_of: d}, h: {hour_of: d}, n: {days_of: d, since: 2020-01-01}, y: {year_of: d}}";
    let batch = table(text, yaml);
    assert_eq!(integers(&batch, "m"), [Some(1), Some(12), Some(3), None, None, None]);
    assert_eq!(integers(&batch, "w"), [Some(5), Some(3), Some(2), None, None, None]);
    assert_eq!(integers(&batch, "h"), [Some(23), Some(6), None, None, None, None]);
    assert_eq!(integers(&batch, "n"), [Some(30), Some(-7), Some(1525), None, None, None]);
    assert_eq!(integers(&batch, "y"), [Some(2020), Some(2019), Some(2024), Some(1990), None, None]);
    // pd.Timestamp("1990-03-01").isocalendar().weekday, pd.Timestamp("1990-01-03").isocalendar().weekday
    for (reading, month, weekday) in
        [("day_first: true", 3, 4), ("day_first: false", 1, 3), ("format: \"%d/%m/%Y\"", 3, 4)]
    {
        let batch = table(
            "d\n01/03/1990\n",
            &format!("derive: {{m: {{month_of: d, {reading}}}, w: {{weekday_of: d, {reading}}}}}"),
        );
        assert_eq!(
            (integers(&batch, "m"), integers(&batch, "w")),
            (vec![Some(month)], vec![Some(weekday)]),
            "{reading}"
        );
    }
}

#[test]
fn dates_that_can_be_read_both_ways_are_told_once() {
    let told = |rows: &str, yaml: &str| load_one(format!("d\n{rows}"), yaml).expect("the file loads").told();
    let found =
        told("01/03/1990\n02/03/1990\n05/05/1990\n", "derive: {m: {month_of: d}, w: {weekday_of: d}, y: {year_of: d}}");
    assert_eq!(
        found,
        [
            "derived columns m, w are missing in 2 rows, as the day and the month of 'd' cannot be told apart there, e.g. '01/03/1990' (a.csv:2), \
             '02/03/1990' (a.csv:3) (write `day_first: true`, `day_first: false` or a `format` beside it)"
        ]
    );
    let found = told("01/03/1990\n25/03/1990\n", "derive: {m: {month_of: d}}");
    assert!(found[0].ends_with("(write `day_first: true`, as 1 other row has the day first for certain)"), "{found:?}");
    // What does not fit what is said is told of too.
    let found = told("01/03/1990\n3/25/1990\n", "derive: {m: {month_of: d, day_first: true}}");
    assert!(found[0].starts_with("derived column 'm' is missing in 1 rows, as 1 of 2 values of 'd'"), "{found:?}");
    assert_eq!(told("01/03/1990\n", "derive: {y: {year_of: d}}"), [""; 0]);
}

#[test]
fn numbers_lengths_joined_texts_and_elements_are_derived() {
    let text = "n,a,b,g\n90 min,Été,x,\"Dramas, Comedies\"\n\"$1,200\",ab,,Dramas International\n12k,,,\n10-20,,y,\" Comedies ,Dramas\"\n";
    let yaml = "derive: {x: {number_of: n}, min: {number_of: n, unit: min}, l: {length_of: a}, j: {joined: [a, b], separator: ' / '}, \
                dramas: {has: Dramas, of: g}, long: {length_of: j}}";
    let batch = table(text, yaml);
    assert_eq!(numbers(&batch, "x"), [Some(90.0), Some(1200.0), Some(12_000.0), None]);
    assert_eq!(numbers(&batch, "min"), [Some(90.0), None, None, None]);
    assert_eq!(integers(&batch, "l"), [Some(3), Some(2), None, None]);
    assert_eq!(texts(&batch, "j"), [Some("Été / x".to_owned()), Some("ab".to_owned()), None, Some("y".to_owned())]);
    assert_eq!(integers(&batch, "dramas"), [Some(1), Some(0), None, Some(1)]);
    assert_eq!(integers(&batch, "long"), [Some(7), Some(2), None, Some(1)]);
    let found = load_one("n\n90 min\n2 Seasons\n1 Season\n3 or 4\n", "derive: {x: {number_of: n}}")
        .expect("the file loads")
        .told();
    assert!(found[0].contains("1 of 4 values of 'n' could not be used, e.g. '3 or 4' (a.csv:5)"), "{found:?}");
    assert!(
        found[1].contains("numbers of different units, which are not converted: 'season' (2 rows), 'min' (1 row)"),
        "{found:?}"
    );
    let german = "{delimiter: ';', decimal: ',', thousands: '.'}";
    let batch =
        table("n\n\"1.506,58 €\"\n\"1,5 €\"\n", &format!("{{dialect: {german}, derive: {{x: {{number_of: n}}}}}}"));
    assert_eq!(numbers(&batch, "x"), [Some(1506.58), Some(1.5)]);
}

/// The types of a column depend on all of its rows, a derived value on its own row alone.
#[test]
fn a_derived_value_does_not_depend_on_other_rows() {
    let yaml = "derive: {l: {length_of: n}, x: {number_of: n}}";
    let derived = |text: &str| {
        let batch = table(text, yaml);
        (integers(&batch, "l")[0], numbers(&batch, "x")[0])
    };
    assert_eq!(derived("n\n1.50\n2\n"), (Some(4), Some(1.5)));
    assert_eq!(derived("n\n1.50\nfar\naway\n"), (Some(4), Some(1.5)));
    let german = "dialect: {decimal: ',', thousands: '.'}";
    let batch = table("y\n1.990\n2021\n", &format!("{{{german}, derive: {{year: {{year_of: y}}}}}}"));
    assert_eq!(integers(&batch, "year"), [Some(1990), Some(2021)]);
    let batch = table("d\n25.10\n1.3\n", "derive: {month: {month_of: d, format: '%d.%m'}}");
    assert_eq!(integers(&batch, "month"), [Some(10), Some(3)]);
}

#[test]
fn misspelt_derivations_are_explained() {
    let cases = [
        ("{d: {days_of: key}}", "'key' needs the day that days are counted from"),
        ("{d: {days_of: key, since: 2020}}", "'2020' is no day"),
        ("{d: {days_of: key, since: 2020-02-30}}", "'2020-02-30' is no day"),
        ("{d: {month_of: key, since: 2020-01-01}}", "since belongs to days_of only"),
        ("{d: {month_of: key, format: '%Q'}}", "'%Q' is no format of a date"),
        ("{d: {month_of: key, format: '%Y'}}", "dates in the format '%Y' do not tell what month_of needs"),
        ("{d: {weekday_of: key, format: '%m/%Y'}}", "do not tell what weekday_of needs"),
        ("{d: {month_of: key, format: '%m/%Y', day_first: true}}", "give either `format` or `day_first`"),
        ("{d: {log_of: key, format: '%Y'}}", "a format belongs to"),
        ("{d: {joined: [key]}}", "needs two columns or more"),
        ("{d: {has: a}}", "'a' needs a column to be looked for in"),
        ("{d: {has: 'a,b', of: key}}", "can be no value between separators ','"),
        ("{d: {has: a, of: key, separator: ''}}", "a separator needs a character"),
        ("{d: {number_of: key, has: a, of: key}}", "exactly one of"),
        ("{d: {length_of: key, unit: m}}", "a unit belongs to number_of only"),
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

#[test]
fn texts_that_are_joined_again_and_again_are_refused_before_they_fill_the_memory() {
    let text: String = (0..500).map(|i| format!("some text {i},other {i}\n")).collect();
    let bytes = format!("a,b\n{text}");
    let input = Input { name: "all", path: "t.csv", bytes: bytes.as_bytes() };
    let joined = |of: [&str; 2]| serde_json::json!({"joined": of});
    let mut derive = serde_json::Map::new();
    derive.insert("j0".to_owned(), joined(["a", "b"]));
    (1..40).for_each(|i| _ = derive.insert(format!("j{i}"), joined([&format!("j{}", i - 1); 2])));
    let options_of = |derive: &serde_json::Map<String, serde_json::Value>| -> LoadOptions {
        serde_json::from_value(serde_json::json!({ "derive": derive })).expect("options")
    };
    let errors = load(&[input], &options_of(&derive)).expect_err("too large");
    let told = errors[0].to_string();
    assert!(told.starts_with("derive.j") && told.contains("MB, of at most 16 MB for these files"), "{told}");
    derive.retain(|name, _| name == "j0" || name == "j1");
    let loaded = load(&[input], &options_of(&derive)).expect("small ones are made");
    let column = loaded.batch.column_by_name("j1").expect("j1").as_string::<i32>();
    assert_eq!(column.value(7), "some text 7 other 7 some text 7 other 7");
}

#[test]
fn a_column_is_one_in_whichever_form_of_unicode_its_name_is_written() {
    let (composed, apart) = ("caf\u{e9},x\n1,2\n", "cafe\u{301},x\n3,4\n");
    let input = |name, text: &'static str| Input { name, path: name, bytes: text.as_bytes() };
    let loaded =
        load(&[input("one.csv", composed), input("two.csv", apart)], &LoadOptions::default()).expect("a table");
    assert_eq!(loaded.batch.num_columns(), 4 + 2);
    assert_eq!(loaded.batch.column_by_name("caf\u{e9}").expect("one column").null_count(), 0);
    let both = "caf\u{e9},cafe\u{301}\n1,2\n";
    let errors = load(&[input("both.csv", both)], &LoadOptions::default()).expect_err("two of one name");
    assert!(errors[0].to_string().contains("occurs twice in the header, as number 1 and 2"), "{}", errors[0]);
}
