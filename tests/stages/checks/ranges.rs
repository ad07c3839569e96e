//! Every number that a stage takes has a range: in the schema for editors, and refused by `plan` beyond either end.

use runner::engine::Plan;
use runner::{spec, stages};
use serde_json::{Value, json};

use super::{each_refused, refused};
use crate::studies::STUDY;
use crate::workspace::Workspace;

/// A number among the parameters of a kind.
struct Parameter {
    kind: String,
    path: Vec<String>,
    schema: Value,
}

/// Values of the user's table, words of a command line: nobody can know their range.
const FREE: [&str; 7] = ["where", "class_order", "parts", "run", "derive", "search.space", "resources"];

fn parameters() -> Vec<Parameter> {
    let schema = stages::schema::pipeline_schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    let mut found = Vec::new();
    for (name, definition) in definitions {
        if let Some(kind) = name.strip_prefix("stage.") {
            collect(definition, &schema, kind, &mut Vec::new(), &mut found);
        }
    }
    found
}

fn collect(schema: &Value, root: &Value, kind: &str, path: &mut Vec<String>, found: &mut Vec<Parameter>) {
    if path.len() > 8
        || FREE.contains(&path.join(".").as_str())
        || path.first().is_some_and(|first| first == "seed" && kind != "train" && path.len() == 1)
    {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        if !["extends", "matrix"].contains(&name) {
            collect(&root["$defs"][name], root, kind, path, found);
        }
        return;
    }
    let is = |wanted: &str| {
        schema["type"] == wanted || schema["type"].as_array().is_some_and(|types| types.contains(&json!(wanted)))
    };
    if is("integer") || is("number") {
        found.push(Parameter { kind: kind.to_owned(), path: path.clone(), schema: schema.clone() });
    }
    for choice in ["anyOf", "oneOf"].into_iter().flat_map(|key| schema[key].as_array()).flatten() {
        collect(choice, root, kind, path, found);
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        path.push(key.clone());
        collect(property, root, kind, path, found);
        path.pop();
    }
    for (key, part) in [("0", &schema["items"]), ("x", &schema["additionalProperties"])] {
        if part.is_object() {
            path.push(key.to_owned());
            collect(part, root, kind, path, found);
            path.pop();
        }
    }
}

#[test]
fn every_number_has_both_ends() {
    let all = parameters();
    assert!(all.len() > 100, "only {} numbers were found", all.len());
    for Parameter { kind, path, schema } in &all {
        let has = |keys: [&str; 2]| keys.iter().any(|key| schema[key].is_number());
        let path = path.join(".");
        assert!(has(["minimum", "exclusiveMinimum"]), "{kind}: {path} has no least value: {schema}");
        assert!(has(["maximum", "exclusiveMaximum"]), "{kind}: {path} has no greatest value: {schema}");
    }
}

/// The nearest values outside.
fn outside(schema: &Value) -> Vec<Value> {
    let whole = !schema["type"].to_string().contains("number");
    let number = |value: f64| if whole { json!(value as i64) } else { json!(value) };
    let of = |key: &str| schema[key].as_f64();
    let low = of("exclusiveMinimum").or(of("minimum").map(|low| if whole { low - 1.0 } else { low - 0.25 }));
    let high = of("exclusiveMaximum").or(of("maximum").map(|high| if whole { high + 1.0 } else { high * 2.0 }));
    low.into_iter().chain(high).map(number).collect()
}

#[test]
fn values_beyond_either_end_are_refused_with_their_place() {
    for Parameter { kind, path, schema } in parameters() {
        for value in outside(&schema) {
            let mut written = value.clone();
            for key in path.iter().rev() {
                written = if key == "0" { json!([written]) } else { json!({ key: written }) };
            }
            written["kind"] = json!(kind);
            let text = json!({"stages": {"s": written}}).to_string();
            let spec = spec::parse("p.yaml", &text, &[]).expect("a pipeline");
            let problems = Plan::new(spec, stages::registry()).err().expect("refused");
            let path = path.join(".").replace(".0", "[0]");
            let wanted = format!("{path} must be ");
            let about: Vec<_> = problems.list.iter().filter(|problem| problem.message.starts_with(&wanted)).collect();
            assert_eq!(about.len(), 1, "{kind}: {path} = {value}\n{problems}");
            let slice = problems.sources.slice(about[0].span.expect("a place"));
            assert_eq!(slice.parse::<f64>().ok(), value.as_f64(), "{kind}: {path} = {value}\n{problems}");
        }
    }
}

#[test]
fn values_of_a_matrix_and_of_a_search_are_checked_as_written_ones() {
    let more = "    epochs: 0
    matrix: {rate: [0.1, -2]}
    optimizer: {lr: \"${rate}\"}
    search:
      trials: 3
      space:
        optimizer.weight_decay: {uniform: [-1, 1]}
        batch_size: {choice: [8, 0]}
        network.trunk.layers: {choice: [[8], [0]]}";
    let yaml = STUDY.replace("    epochs: 3", more).replace("network: {trunk", "network: {dropout: 1.4, trunk");
    let yaml = yaml.split("  predict:").next().expect("what stands before").to_owned();
    insta::assert_snapshot!(refused(&Workspace::with_songs().pipeline(&yaml)));
}

#[test]
fn numbers_that_are_none_and_conditions_that_nothing_meets_are_refused() {
    let yaml = STUDY
        .replace("    epochs: 3", "    epochs: 1e18\n    label_smoothing: .nan")
        .replace("    folds: 3", "    folds: 3\n    where: {tempo: {min: 100, max: 60}}");
    let finite = yaml.replace("    label_smoothing: .nan", "");
    let works = [yaml, finite].map(|yaml| Workspace::with_songs().pipeline(&yaml));
    insta::assert_snapshot!(each_refused(works), @"
    error: where.tempo: min must be at most max; got 100 and 60
      --> pipeline.yaml:13:20
       |
    13 |     where: {tempo: {min: 100, max: 60}}
       |                    ^^^^^^^^^^^^^^^^^^^

    error: epochs must be at most 1000000; got 1e+18
      --> pipeline.yaml:33:13
       |
    33 |     epochs: 1e18
       |             ^^^^

    error: '.nan' is not a finite number
      --> pipeline.yaml:34:22
       |
    34 |     label_smoothing: .nan
       |                      ^^^^
       = help: write a finite number, or quote it to make it text

    ----

    error: where.tempo: min must be at most max; got 100 and 60
      --> pipeline.yaml:13:20
       |
    13 |     where: {tempo: {min: 100, max: 60}}
       |                    ^^^^^^^^^^^^^^^^^^^

    error: epochs must be at most 1000000; got 1e+18
      --> pipeline.yaml:33:13
       |
    33 |     epochs: 1e18
       |             ^^^^
    ");
}
