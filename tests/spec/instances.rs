//! What the instances of a matrix are called.

use super::read;
use serde_json::json;

const SIZES: &str = r#"
stages:
  fused:
    kind: train
    matrix: {size: {small: [64], large: [256, 256]}, lr: [1e-3]}
    as: "fused-${size}"
    layers: ${size}
    title: ${lr}
  report: {kind: report, stages: [fused]}
"#;

#[test]
fn chosen_names_stand_for_lists_and_mappings() {
    let plain = SIZES.replace("    as: \"fused-${size}\"\n", "");
    read(&plain)
        .stages(&["fused@size=small,lr=1e-3", "fused@size=large,lr=1e-3", "report"])
        .body("fused@size=large,lr=1e-3", json!({"layers": [256, 256], "title": 0.001}));
}

#[test]
fn as_names_instances_by_their_choices_names() {
    let spec = read(SIZES)
        .stages(&["fused-small", "fused-large", "report"])
        .body("fused-small", json!({"layers": [64], "title": 0.001}))
        .spec();
    assert_eq!(spec.stages["fused-large"].base, "fused");
    assert_eq!(spec.stages["fused-large"].choices["size"], "large");
}

#[test]
fn as_may_use_variables_and_every_key() {
    read("vars: {v: x}\nstages: {s: {kind: k, matrix: {a: [1, 2], b: [0.5]}, as: 'n-${v}-${matrix.a}_${b}'}}")
        .stages(&["n-x-1_0.5", "n-x-2_0.5"]);
}

#[test]
fn combinations_can_be_written_out() {
    read("stages: {s: {kind: k, matrix: [{lr: 1e-3, size: {small: [64]}}, {size: {large: [8, 8]}, lr: 0.1}], w: '${size}', lr: '${lr}'}}")
        .stages(&["s@lr=1e-3,size=small", "s@lr=0.1,size=large"])
        .body("s@lr=0.1,size=large", json!({"w": [8, 8], "lr": 0.1}));
}

#[test]
fn names_that_cannot_be_are_explained() {
    let named = |pattern: &str| {
        read(&format!(
            "stages:\n  s: {{kind: k, matrix: {{a: [1, 2], b: [3, 4]}}, as: '{pattern}'}}\n  t-1-3: {{kind: k}}\n  u: {{kind: k, matrix: {{a: [1]}}, as: 'u-${{a}}'}}\n"
        ))
        .messages()
    };
    assert_eq!(
        named("s-${a}"),
        [
            "two instances of 's' are called 's-1': a=1,b=3 and a=1,b=4",
            "two instances of 's' are called 's-2': a=2,b=3 and a=2,b=4"
        ]
    );
    assert_eq!(named("t-${a}-${b}"), ["'t-1-3' names a stage and an instance of 's'"]);
    assert_eq!(named("${a}-${b}")[0], "'1-3' cannot name an instance");
    assert_eq!(named("x ${b}")[0], "'x 3' cannot name an instance");
    assert_eq!(named("x-${c}"), ["unknown variable 'c'"]);
    assert_eq!(
        read("stages: {s: {kind: k, as: x}, t: {kind: k, matrix: {a: [1]}, as: t}}").messages(),
        [
            "`as` names the instances of a matrix, and stage 's' has none",
            "an instance of 't' cannot have the stage's own name"
        ]
    );
    assert_eq!(
        read("stages: {s: {kind: k, b: '${a}', matrix: {a: [1]}, as: x}, t: {kind: k, matrix: {a: [1]}, as: x}}")
            .messages(),
        ["'x' names instances of 's' and of 't'"]
    );
}

#[test]
fn both_places_of_a_clash_are_shown() {
    insta::assert_snapshot!(read("stages:\n  small: {kind: k}\n  s: {kind: k, matrix: {a: [small]}, as: \"${a}\"}\n").says(), @r#"
    error: 'small' names a stage and an instance of 's'
     --> full.yaml:3:42
      |
    3 |   s: {kind: k, matrix: {a: [small]}, as: "${a}"}
      |                                          ^^^^^^
     ::: full.yaml:2:3
      |
    2 |   small: {kind: k}
      |   ----- the stage
      = help: choose another `as`
    "#);
}
