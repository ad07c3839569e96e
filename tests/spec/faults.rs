//! What is wrong at the top level, in references, matrices and settings: told at once, each at its place.

use super::pipeline::STUDY;
use super::read;

#[test]
fn every_fault_of_the_top_level_is_reported_at_once() {
    insta::assert_snapshot!(read(
        "nmae: x
seed: -1
vars: {a: \"${b}\", b: \"x${c}\", c: \"${a} ${dta}\", data: {x: 1}, p: \"in ${data}\"}
stages:
  1st: {kind: load}
  songs: {matrix: {lr: []}}
  none: 5
  some: {kind: load, \"k ${data}\": \"${daat}\"}
",
    ).says(), @r#"
    error: unknown key 'nmae' (did you mean 'name'?)
     --> full.yaml:1:1
      |
    1 | nmae: x
      | ^^^^
      = help: keys of a pipeline are name, seed, metric, positive, costs, include, vars, templates,
              stages

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
      = help: e.g. `none: {kind: load, files: {all: data.csv}}`

    error: a variable in the key 'k ${data}'
     --> full.yaml:8:22
      |
    8 |   some: {kind: load, "k ${data}": "${daat}"}
      |                      ^^^^^^^^^^^
      = help: variables stand in values only: write the key out, with '$${' for a literal '${'

    error: unknown variable 'daat' (did you mean 'data'?)
     --> full.yaml:8:36
      |
    8 |   some: {kind: load, "k ${data}": "${daat}"}
      |                                    ^^^^^^^
    "#);
}

#[test]
fn references_that_cannot_be_are_explained() {
    insta::assert_snapshot!(read("stages:\n  s:\n    kind: k\n    a: \"${env:HOME}\"\n    b: x ${} y\n    c: \"end ${\"\n").says(), @r#"
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
    "#);
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
    insta::assert_snapshot!(read(STUDY)
        .set("dta=x")
        .set("nmeric.lr=1")
        .set("songs=1")
        .set("numeric@lr=1.epochs=3")
        .set("numeric.widths.x=1")
        .set("numeric.matrix.depth.7=1")
        .set("nothing")
        .set("data=[1")
        .set("=5").says(), @"
    error: unknown variable 'dta' (did you mean 'data'?)
     --> command line
      |
      | --set dta=x
      |       ^^^
      = help: `--set` knows data, rate, layers, name, seed, metric, positive, costs; a stage's parameter
              is `stage.key`

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
    ");
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
