//! Top level, variables, matrix and `--set`.

use super::read;
use serde_json::json;

const STUDY: &str = r#"
name: full
seed: 7
vars: {data: data/sample, rate: 0.001, layers: [64, 32]}
stages:
  songs: {kind: load, files: {train: "${data}/train.csv", test: "${data}/test.csv"}}
  numeric:
    kind: train
    rows: songs
    matrix: {lr: [1e-3, 0.01], depth: [2, 3]}
    optimizer: {lr: "${lr}", decay: "${rate}"}
    widths: ${layers}
    title: lr ${matrix.lr} × ${depth}, costs $${5}
"#;

#[test]
fn a_study_is_read_whole() {
    let spec = read(STUDY).spec();
    assert_eq!((spec.name.as_str(), spec.seed), ("full", 7));
    assert_eq!(spec.stages["songs"].kind, "load");
    let instance = &spec.stages["numeric@lr=1e-3,depth=3"];
    assert_eq!(instance.base, "numeric");
    assert_eq!(instance.choices["depth"], "3");
    assert_eq!(spec.sources.location(instance.name_span), "full.yaml:7:3");
    assert_eq!(spec.sources.location(instance.kind_span), "full.yaml:8:11");
}

#[test]
fn a_matrix_makes_the_product_of_its_keys() {
    read(STUDY)
        .stages(&[
            "songs",
            "numeric@lr=1e-3,depth=2",
            "numeric@lr=1e-3,depth=3",
            "numeric@lr=0.01,depth=2",
            "numeric@lr=0.01,depth=3",
        ])
        .body(
            "numeric@lr=0.01,depth=2",
            json!({"rows": "songs", "optimizer": {"lr": 0.01, "decay": 0.001}, "widths": [64, 32],
                   "title": "lr 0.01 × 2, costs ${5}"}),
        );
}

#[test]
fn named_choices_stand_for_whole_mappings() {
    read(
        "stages:
  net:
    kind: train
    matrix:
      model: {small: {depth: 1}, big: {depth: 9, wide: true}}
      encoder: [org/all-MiniLM]
    model: ${model}
    rows: \"${encoder}\"
",
    )
    .stages(&["net@model=small,encoder=org-all-MiniLM", "net@model=big,encoder=org-all-MiniLM"])
    .body(
        "net@model=big,encoder=org-all-MiniLM",
        json!({"model": {"depth": 9, "wide": true}, "rows": "org/all-MiniLM"}),
    );
}

#[test]
fn variables_may_use_each_other_in_any_order() {
    read("vars: {c: '${b}/c', a: 5, b: 'x${a}', d: '${a}', e: ['${d}', '${c}']}\nstages: {s: {kind: k}}")
        .var("c", json!("x5/c"))
        .var("d", json!(5))
        .var("e", json!([5, "x5/c"]));
}

#[test]
fn numbers_are_spliced_as_written() {
    read("vars: {a: 3e-4, b: '${a}', c: '0${b}|${a}'}\nstages: {s: {kind: k}}")
        .var("b", json!(0.0003))
        .var("c", json!("03e-4|3e-4"));
}

#[test]
fn settings_reach_variables_parameters_and_the_top_level() {
    read(STUDY)
        .set("data=elsewhere")
        .set("seed=3")
        .set("name=other")
        .set("numeric.matrix.lr=[0.5]")
        .set("numeric.matrix.depth={only: 4}")
        .set("numeric.optimizer.lr=${rate}")
        .set("numeric.\"dotted.key\".inner=new")
        .set("numeric.widths=[1, 2, 3]")
        .set("numeric.widths.1=20")
        .stages(&["songs", "numeric@lr=0.5,depth=only"])
        .body("songs", json!({"files": {"train": "elsewhere/train.csv", "test": "elsewhere/test.csv"}}))
        .body(
            "numeric@lr=0.5,depth=only",
            json!({"rows": "songs", "optimizer": {"lr": 0.001, "decay": 0.001}, "widths": [1, 20, 3],
                   "title": "lr 0.5 × 4, costs ${5}", "dotted.key": {"inner": "new"}}),
        )
        .written_at("numeric@lr=0.5,depth=only", &["widths", "1"], "--set numeric.widths.1=20")
        .written_at("songs", &["files", "train"], "--set data=elsewhere");
}

#[test]
fn a_variable_named_seed_is_set_rather_than_the_seed() {
    let spec = read("seed: 1\nvars: {seed: 2}\nstages: {s: {kind: k}}").set("seed=5").spec();
    assert_eq!(spec.seed, 1);
    assert_eq!(spec.vars["seed"].to_json(), json!(5));
}

#[test]
fn values_know_where_they_were_written() {
    read(STUDY)
        .written_at("songs", &["files"], "full.yaml:6:30")
        .written_at("songs", &["files", "train"], "full.yaml:4:14")
        .written_at("numeric@lr=0.01,depth=2", &["rows"], "full.yaml:9:11")
        .written_at("numeric@lr=0.01,depth=2", &["optimizer", "lr"], "full.yaml:10:25")
        .written_at("numeric@lr=0.01,depth=2", &["widths", "1"], "full.yaml:4:53")
        // never written: the nearest mapping around it
        .written_at("numeric@lr=0.01,depth=2", &["optimizer", "momentum"], "full.yaml:11:5")
        .written_at("numeric@lr=0.01,depth=2", &["epochs"], "full.yaml:7:3");
    assert_eq!(read(STUDY).spec().position_of("nobody", &[]), None);
}

#[test]
fn merged_blocks_keep_the_places_where_they_were_written() {
    read(
        "stages:
  one: &train
    kind: train
    rows: songs
    optimizer: {lr: 1}
  two:
    <<: *train
    rows: others
  three:
    <<: [{epochs: 3, rows: x}, *train]
",
    )
    .body("two", json!({"rows": "others", "optimizer": {"lr": 1}}))
    .body("three", json!({"epochs": 3, "rows": "x", "optimizer": {"lr": 1}}))
    .written_at("two", &["rows"], "full.yaml:8:11")
    .written_at("two", &["optimizer", "lr"], "full.yaml:5:21");
}

#[test]
fn a_setting_changes_one_stage_of_those_that_share_an_anchor() {
    read("stages: {a: &x {kind: k, p: {q: 1}}, b: *x}")
        .set("b.p.q=2")
        .body("a", json!({"p": {"q": 1}}))
        .body("b", json!({"p": {"q": 2}}));
}

#[test]
fn the_file_names_a_pipeline_that_does_not_name_itself() {
    assert_eq!(read("stages: {s: {kind: k}}").spec().name, "full");
    let spec = runner::spec::parse("a b/my study.yaml", "stages: {s: {kind: k}}", &[]).unwrap();
    assert_eq!((spec.name.as_str(), spec.seed), ("my-study", 0));
}

#[test]
fn every_fault_of_the_top_level_is_reported_at_once() {
    read(
        "nmae: x
seed: -1
vars: {a: \"${b}\", b: \"x${c}\", c: \"${a} ${dta}\", data: {x: 1}, p: \"in ${data}\"}
stages:
  1st: {kind: load}
  songs: {matrix: {lr: []}}
  none: 5
  some: {kind: load, \"k ${data}\": \"${daat}\"}
",
    )
    .says(
        r#"
error: unknown key 'nmae' (did you mean 'name'?)
 --> full.yaml:1:1
  |
1 | nmae: x
  | ^^^^
  = help: keys of a pipeline are name, seed, include, vars, templates, stages

error: 'seed' must be a whole number from 0 to 18446744073709551615
 --> full.yaml:2:7
  |
2 | seed: -1
  |       ^^

error: variables refer to each other in a circle: a → b → c → a
 --> full.yaml:3:8
  |
3 | vars: {a: "${b}", b: "x${c}", c: "${a} ${dta}", data: {x: 1}, p: "in ${data}"}
  |        ^
  = help: give one of them a value of its own

error: unknown variable 'dta' (did you mean 'data'?)
 --> full.yaml:3:40
  |
3 | vars: {a: "${b}", b: "x${c}", c: "${a} ${dta}", data: {x: 1}, p: "in ${data}"}
  |                                        ^^^^^^
  = help: known here: a, b, c, data, p

error: variable 'data' is a mapping, which cannot stand inside text
 --> full.yaml:3:70
  |
3 | vars: {a: "${b}", b: "x${c}", c: "${a} ${dta}", data: {x: 1}, p: "in ${data}"}
  |                                                                      ^^^^^^^
 ::: full.yaml:3:55
  |
3 | vars: {a: "${b}", b: "x${c}", c: "${a} ${dta}", data: {x: 1}, p: "in ${data}"}
  |                                                       ------ 'data' is set here
  = help: use "${data}" as the whole value, or give 'data' a text

error: '1st' cannot name a stage
 --> full.yaml:5:3
  |
5 |   1st: {kind: load}
  |   ^^^
  = help: names are letters, digits, '_' and '-', starting with a letter

error: stage 'songs' has no 'kind'
 --> full.yaml:6:3
  |
6 |   songs: {matrix: {lr: []}}
  |   ^^^^^
  = help: say what it does, e.g. `kind: load`

error: 'lr' has no choices
 --> full.yaml:6:24
  |
6 |   songs: {matrix: {lr: []}}
  |                        ^^
  = help: e.g. `matrix: {lr: [0.001, 0.01]}`

error: stage 'none' must be a mapping, not a number
 --> full.yaml:7:9
  |
7 |   none: 5
  |         ^
  = help: e.g. `none: {kind: load, file: data.csv}`

error: a variable in the key 'k ${data}'
 --> full.yaml:8:22
  |
8 |   some: {kind: load, "k ${data}": "${daat}"}
  |                      ^^^^^^^^^^^
  = help: variables stand in values only: write the key out

error: unknown variable 'daat' (did you mean 'data'?)
 --> full.yaml:8:36
  |
8 |   some: {kind: load, "k ${data}": "${daat}"}
  |                                    ^^^^^^^
  = help: known here: a, b, c, data, p
"#,
    );
}

#[test]
fn references_that_cannot_be_are_explained() {
    read("stages:\n  s:\n    kind: k\n    a: \"${env:HOME}\"\n    b: x ${} y\n    c: \"end ${\"\n").says(
        r#"
error: '${env:HOME}' reads the environment, which is not supported
 --> full.yaml:4:9
  |
4 |     a: "${env:HOME}"
  |         ^^^^^^^^^^^
  = help: a result may depend only on what the pipeline declares: use a variable and `--set
          name=value`

error: '' is not the name of a variable
 --> full.yaml:5:10
  |
5 |     b: x ${} y
  |          ^^^
  = help: names are letters, digits, '_' and '-'; write '$${' for a literal '${'

error: '${' without its '}'
 --> full.yaml:6:13
  |
6 |     c: "end ${"
  |             ^^
  = help: close it, or write '$${' for a literal '${'
"#,
    );
}

#[test]
fn a_matrix_that_cannot_be_is_explained() {
    let matrix = |matrix: &str| read(&format!("stages: {{s: {{kind: k, matrix: {matrix}}}}}")).messages();
    assert_eq!(matrix("5"), ["a matrix must be a mapping or a list of mappings, not a number"]);
    assert_eq!(matrix("[]"), ["a matrix must be a mapping or a list of mappings, not an empty list"]);
    assert_eq!(
        matrix("[1, {a: 1}, {b: 2}, {a: [1]}]"),
        ["a combination must be a mapping, not a number", "the choice of 'a' is a list"]
    );
    assert_eq!(matrix("[{a: 1, b: 2}, {a: 1}]"), ["this combination lacks 'b'"]);
    assert_eq!(matrix("[{a: 1}, {a: 1, b: 2}]"), ["not every combination has the same keys"]);
    assert_eq!(matrix("[{a: 1, b: 2}, {b: 2, a: 1}]"), ["two combinations have the same names"]);
    assert_eq!(matrix("{}"), ["an empty matrix"]);
    assert_eq!(
        matrix("{a: [[1], 2, 2], b: 5, 1: [1]}"),
        [
            "a choice of 'a' is a list",
            "two choices of 'a' are named '2'",
            "the choices of 'b' must be a list, not a number",
            "'1' cannot name a matrix key",
        ]
    );
    let many = "[1,2,3,4,5,6,7,8,9,10]";
    assert_eq!(
        matrix(&format!("{{a: {many}, b: {many}, c: {many}, d: [1, 2]}}")),
        ["a matrix of more than 1000 instances"]
    );
}

#[test]
fn settings_that_cannot_be_are_explained() {
    read(STUDY)
        .set("dta=x")
        .set("nmeric.lr=1")
        .set("songs=1")
        .set("numeric@lr=1.epochs=3")
        .set("numeric.widths.x=1")
        .set("numeric.matrix.depth.7=1")
        .set("nothing")
        .set("data=[1")
        .set("=5")
        .says(
            r#"
error: unknown variable 'dta' (did you mean 'data'?)
 --> command line
  |
  | --set dta=x
  |       ^^^
  = help: `--set` knows data, rate, layers, name, seed; a stage's parameter is `stage.key`

error: unknown stage 'nmeric' (did you mean 'numeric'?)
 --> command line
  |
  | --set nmeric.lr=1
  |       ^^^^^^
  = help: stages are songs, numeric

error: 'songs' is a stage, not a value
 --> command line
  |
  | --set songs=1
  |       ^^^^^
  = help: name one of its keys: `--set songs.key=value`

error: unknown variable 'numeric@lr'
 --> command line
  |
  | --set numeric@lr=1.epochs=3
  |       ^^^^^^^^^^
  = help: a setting reaches all instances of a matrix: write `--set numeric.key=value`

error: 'x' cannot be set inside text
  --> command line
   |
   | --set numeric.widths.x=1
   |                      ^
  ::: full.yaml:12:13
   |
12 |     widths: ${layers}
   |             --------- '${layers}' has no keys
   = help: set the variable, or this value as a whole

error: '7' is not an index of a list of 2
  --> command line
   |
   | --set numeric.matrix.depth.7=1
   |                            ^
  ::: full.yaml:10:39
   |
10 |     matrix: {lr: [1e-3, 0.01], depth: [2, 3]}
   |                                       ------ this list
   = help: items are counted from 0; set the whole list to make it longer

error: no '=' in 'nothing'
 --> command line
  |
  | --set nothing
  |       ^^^^^^^
  = help: write `--set name=value` or `--set stage.key=value`

error: invalid YAML: unclosed bracket '['
 --> command line
  |
  | --set data=[1
  |            ^

error: an empty name before '='
 --> command line
  |
  | --set =5
  |       ^
  = help: write `--set name=value` or `--set stage.key=value`
"#,
        );
}

#[test]
fn growth_without_measure_is_stopped() {
    let mut text = String::from("vars:\n  a0: [1, 1, 1, 1, 1, 1, 1, 1]\n");
    for level in 1..12 {
        let item = format!("'${{a{}}}',", level - 1).repeat(8);
        text.push_str(&format!("  a{level}: [{item}]\n"));
    }
    text.push_str("stages: {s: {kind: k}}\n");
    assert_eq!(read(&text).messages(), ["variables expand without measure"]);
}
