//! Both YAML parsers read the same: serde_yaml says what a value is, the outline where it stands.
//!
//! Every parse compares them, so a text that comes through has been read alike by both; what is
//! left to test is that they do agree, and that values are those of serde_yaml.

use super::read;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use runner::spec::parse;
use serde_json::{Value, json};

/// Values as serde_yaml 0.9.34 reads them (YAML 1.2 core schema, with its own additions).
#[test]
fn scalars_that_yaml_1_1_and_1_2_read_differently() {
    let cases = [
        ("no", json!("no")),
        ("Yes", json!("Yes")),
        ("on", json!("on")),
        ("true", json!(true)),
        ("False", json!(false)),
        ("~", json!(null)),
        ("null", json!(null)),
        ("", json!(null)),
        ("0x10", json!(16)),
        ("0o17", json!(15)),
        ("012", json!("012")),
        ("1e3", json!(1000.0)),
        ("3e-4", json!(0.0003)),
        (".5", json!(0.5)),
        ("+1", json!(1)),
        ("-0.5", json!(-0.5)),
        ("1_000", json!("1_000")),
        ("2020-01-02", json!("2020-01-02")),
        ("12:30:45", json!("12:30:45")),
        ("18446744073709551615", json!(18446744073709551615_u64)),
        ("-9223372036854775808", json!(-9223372036854775808_i64)),
        ("'5'", json!("5")),
        ("\"a\\tb\\u00e9\"", json!("a\tbé")),
        ("'it''s'", json!("it's")),
        ("!!str 12", json!("12")),
        ("plain words # comment", json!("plain words")),
        ("{a#b: no}", json!({"a#b": "no"})),
        ("|\n    two\n     lines\n", json!("two\n lines\n")),
        (">-\n    folded\n    lines\n\n    apart\n", json!("folded lines\napart")),
        ("plain\n    goes on\n", json!("plain goes on")),
        ("[a, [b], {c: d}, 'e', ]", json!(["a", ["b"], {"c": "d"}, "e"])),
        ("{1: a, true: b, 0.10: c}", json!({"1": "a", "true": "b", "0.10": "c"})),
    ];
    for (text, expected) in cases {
        let pipeline = format!("stages: {{s: {{kind: k}}}}\nvars:\n  v: {text}");
        let spec = read(&pipeline).spec();
        assert_eq!(spec.vars["v"].to_json(), expected, "{text:?}");
    }
}

#[test]
fn spans_cover_exactly_what_was_written() {
    let text = "vars:\n  é: {a: [12, 'x''y', \"日\"], b: plain words  # c\n    }\n  f: |\n    block\n  g:\n    - 1\n    - {h: 2}\n\n# end\nstages: {s: {kind: k}}\n";
    // Names of variables are ASCII; the rest of the text is read all the same.
    let text = text.replace("é:", "e:");
    let spec = read(&text).spec();
    let written = |path: &[runner::spec::Step]| {
        let runner::spec::Step::Key(name) = &path[0] else { panic!("a name") };
        spec.sources.slice(spec.vars[name].at(&path[1..]).unwrap().span)
    };
    assert_eq!(written(&["e".into(), "a".into()]), "[12, 'x''y', \"日\"]");
    assert_eq!(written(&["e".into(), "a".into(), 0.into()]), "12");
    assert_eq!(written(&["e".into(), "a".into(), 1.into()]), "'x''y'");
    assert_eq!(written(&["e".into(), "a".into(), 2.into()]), "\"日\"");
    assert_eq!(written(&["e".into(), "b".into()]), "plain words");
    assert_eq!(written(&["g".into()]), "- 1\n    - {h: 2}");
    assert_eq!(written(&["g".into(), 1.into(), "h".into()]), "2");
    assert!(written(&["f".into()]).contains("block"));
}

/// JSON-like values with texts that tempt YAML parsers.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~éß日\n\t]{0,12}",
        prop::sample::select(vec![
            "no", "~", "012", "1e3", "- a", "a: b", "#x", "'", "\"", "&a", "*a", "!t", "|", ">", "%", "@", "<<", "",
            " x ", "0x10", ".5", "-", "?", "[", "{}", "---", "...", "a\n\nb\n", "\n", "x:",
        ])
        .prop_map(str::to_string),
    ];
    let text = text.prop_map(|text| text.replace("${", "$("));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e12_f64..1e12).prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let key = text.clone().prop_filter("`<<` merges", |key| key != "<<");
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Pieces of YAML that, thrown together, are often a document and seldom a sensible one.
fn soup() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ",",
        "'x'",
        "\"y\"",
        "\"\\t\\u00e9\"",
        "# c",
        "|\n  t\n",
        "> \n   f\n   g\n",
        "&q ",
        "*q",
        " : ",
        ":",
        "12",
        "1e3",
        "~",
        "é日",
        "\t",
        "\r\n",
        "- - ",
        "? ",
        "k: v\n",
        "k2: [1, 2]\n",
        "k3: {a: 1}\n",
        "m:\n  - x\n  - y: 2\n",
        "---\n",
        "...\n",
        "${x}",
        "<<: ",
        "|-\n    z\n",
        "%",
        ".5",
        "'it''s\n   two'",
        " ",
        "plain word\n   more\n",
        "\u{feff}",
        "\u{2028}",
        "stages: ",
        "vars: ",
        "kind: ",
        "matrix: ",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat())
}

/// Reads a text, as a whole file and as a part of one; the messages of what is refused.
fn refusals(text: &str) -> Vec<String> {
    let whole = text.to_string();
    let value = format!("stages: {{s: {{kind: k}}}}\nvars: {{v: {text}}}");
    let stage = format!("stages:\n  {text}");
    let mut messages = Vec::new();
    for text in [whole, value, stage] {
        if let Err(problems) = parse("full.yaml", &text, &[]) {
            assert!(!problems.list.is_empty(), "{text:?}");
            assert!(problems.render(true).contains("error"), "{text:?}");
            messages.extend(problems.list.into_iter().map(|problem| problem.message));
        }
    }
    messages
}

/// A fixed seed: the same texts on every run.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 1500, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn generated_values_are_read_as_serde_yaml_reads_them(value in value()) {
        let block = serde_yaml::to_string(&json!({"stages": {"s": {"kind": "k"}}, "vars": {"v": value}})).unwrap();
        let flow = format!("stages: {{s: {{kind: k}}}}\nvars: {{\"v\": {value}}}\n");
        for text in [block, flow] {
            let record: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            let record: Value = serde_yaml::from_value(record["vars"]["v"].clone()).unwrap();
            let spec = parse("full.yaml", &text, &[]).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
            prop_assert_eq!(spec.vars["v"].to_json(), record, "{}", text);
        }
    }

    #[test]
    fn any_soup_of_yaml_is_read_alike_or_refused(text in soup()) {
        for message in refusals(&text) {
            prop_assert!(!message.contains("can be read in two ways"), "{:?}", text);
        }
    }

    /// Without a panic, that is. Some of it is even torn: `&x?` is an anchor `x?` by the
    /// standard and an anchor `x` with a text `?` to libyaml.
    #[test]
    fn any_text_at_all_is_read_or_refused(text in "\\PC{0,60}", set in "\\PC{0,30}") {
        refusals(&text);
        let _ = parse("full.yaml", "vars: {a: 1}\nstages: {s: {kind: k, p: [1]}}", &[set.clone(), format!("a={set}"), format!("s.p.{set}")]);
    }
}
