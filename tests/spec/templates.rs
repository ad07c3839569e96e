//! `templates` and `extends`.

use super::read;
use runner::engine::{Plan, Registry};
use runner::spec;
use serde_json::json;

const NETS: &str = r#"
vars: {rate: 1e-3}
templates:
  net:
    kind: train
    rows: folds
    epochs: 60
    optimizer: {kind: adamw, lr: "${rate}", weight_decay: 0.01}
    layers: [1, 2, 3]
  long:
    extends: net
    epochs: ${epochs}
    optimizer: {lr: 5}
stages:
  one:
    extends: net
    optimizer: {lr: 2}
    layers: [9]
  two:
    extends: [long]
    matrix: {epochs: [100, 200]}
    optimizer: {weight_decay: null}
    rows: null
"#;

#[test]
fn mappings_merge_and_everything_else_is_replaced() {
    let spec = read(NETS).body(
        "one",
        json!({"rows": "folds", "epochs": 60, "optimizer": {"kind": "adamw", "lr": 2, "weight_decay": 0.01}, "layers": [9]}),
    );
    assert_eq!(spec.spec().stages["one"].kind, "train");
}

#[test]
fn templates_extend_each_other_null_takes_away_and_choices_reach_them() {
    read(NETS)
        .stages(&["one", "two@epochs=100", "two@epochs=200"])
        .body("two@epochs=200", json!({"epochs": 200, "optimizer": {"kind": "adamw", "lr": 5}, "layers": [1, 2, 3]}));
}

#[test]
fn a_later_template_wins() {
    read("templates: {a: {kind: k, x: 1, y: {p: 1}}, b: {x: 2, y: {q: 2}}}\nstages: {s: {extends: [a, b], z: null}}")
        .body("s", json!({"x": 2, "y": {"p": 1, "q": 2}, "z": null}));
}

#[test]
fn values_keep_the_place_where_they_were_written() {
    read(NETS)
        .written_at("one", &["epochs"], "full.yaml:7:13")
        .written_at("one", &["optimizer", "weight_decay"], "full.yaml:8:59")
        .written_at("one", &["optimizer", "lr"], "full.yaml:17:21")
        .written_at("two@epochs=100", &["optimizer", "lr"], "full.yaml:13:21");
}

#[test]
fn settings_reach_what_is_inherited_and_templates_as_a_whole() {
    read(NETS)
        .set("one.optimizer.lr=7")
        .set("one.optimizer.weight_decay=0.5")
        .set("net.layers.1=20")
        .set("two.layers.0=8")
        .set("two.extends=net")
        .body(
            "one",
            json!({"rows": "folds", "epochs": 60, "optimizer": {"kind": "adamw", "lr": 7, "weight_decay": 0.5}, "layers": [9]}),
        )
        .body("two@epochs=100", json!({"epochs": 60, "optimizer": {"kind": "adamw", "lr": 0.001}, "layers": [8, 20, 3]}));
}

#[test]
fn a_setting_may_name_the_section_of_the_file() {
    // The same as without it.
    let two = json!({"epochs": 60, "optimizer": {"kind": "adamw", "lr": 0.5}, "layers": [1, 20, 3]});
    let sets = |spec: super::Pipeline, prefix: [&str; 3]| {
        spec.set(&format!("{}rate=0.5", prefix[0]))
            .set(&format!("{}net.layers.1=20", prefix[1]))
            .set(&format!("{}two.extends=net", prefix[2]))
    };
    sets(read(NETS), ["", "", ""]).body("two@epochs=100", two.clone());
    sets(read(NETS), ["vars.", "templates.", "stages."]).body("two@epochs=100", two);
    // Where a stage and a template share a name, the section says which is meant.
    let shared = "templates: {a: {kind: k, x: 1}}\nstages: {a: {extends: a}, b: {extends: a}}";
    read(shared).set("a.x=2").body("a", json!({"x": 2})).body("b", json!({"x": 1}));
    read(shared).set("templates.a.x=2").body("a", json!({"x": 2})).body("b", json!({"x": 2}));
    // A stage may be called so.
    read("stages: {templates: {kind: k, x: 1}}").set("templates.x=2").body("templates", json!({"x": 2}));
    assert_eq!(read(NETS).set("templates.neet.epochs=1").messages(), ["unknown template 'neet' (did you mean 'net'?)"]);
    assert_eq!(read(NETS).set("net=1").messages(), ["'net' is a template, not a value"]);
    assert_eq!(read(NETS).set("templates.net=1").messages(), ["'net' is a template, not a value"]);
}

#[test]
fn templates_that_cannot_be_are_explained() {
    insta::assert_snapshot!(read(
        "templates:
  a: {extends: b, kind: k}
  b: {extends: [a]}
  c: 5
  1d: {}
  e: {extends: nett, x: '${unknown}'}
stages:
  s: {extends: neet, kind: k}
  t: {extends: [7, 'n${x}'], kind: k}
  net: {kind: k}
",
    ).says(), @"
    error: templates extend each other in a circle: a → b → a
     --> full.yaml:3:17
      |
    3 |   b: {extends: [a]}
      |                 ^
     ::: full.yaml:2:3
      |
    2 |   a: {extends: b, kind: k}
      |   - 'a' is defined here
      = help: one of them must not extend another

    error: template 'c' must be a mapping, not a number
     --> full.yaml:4:6
      |
    4 |   c: 5
      |      ^
      = help: e.g. `c: {kind: train, epochs: 60}`

    error: '1d' cannot name a template
     --> full.yaml:5:3
      |
    5 |   1d: {}
      |   ^^
      = help: names are letters, digits, '_' and '-', starting with a letter

    error: unknown template 'nett'
     --> full.yaml:6:16
      |
    6 |   e: {extends: nett, x: '${unknown}'}
      |                ^^^^
      = help: templates are a, b, c, 1d, e

    error: unknown template 'neet'
     --> full.yaml:8:16
      |
    8 |   s: {extends: neet, kind: k}
      |                ^^^^

    error: `extends` wants names of templates, not a number
     --> full.yaml:9:17
      |
    9 |   t: {extends: [7, 'n${x}'], kind: k}
      |                 ^
      = help: e.g. `extends: net` or `extends: [net, long]`

    error: a variable in the template's name 'n${x}'
     --> full.yaml:9:20
      |
    9 |   t: {extends: [7, 'n${x}'], kind: k}
      |                    ^^^^^^^
      = help: templates are resolved before variables: write the name out
    ");
    assert_eq!(
        read("templates: {network: {}}\nstages: {s: {extends: netwrok, kind: k}}").messages(),
        ["unknown template 'netwrok' (did you mean 'network'?)"]
    );
    assert_eq!(
        read("templates: [1]\nstages: {s: {kind: k}}").messages(),
        ["`templates` must be a mapping, not a list"]
    );
}

#[test]
fn a_fault_in_a_template_names_the_stages_that_take_it_over() {
    insta::assert_snapshot!(read(
        "templates:
  net: {kind: k, x: '${nope}', y: '${none}'}
stages:
  own: {extends: net, x: 1, y: 2}
  one: {extends: net, y: 3}
  two: {extends: net, y: 4}
",
    ).says(), @"
    error: unknown variable 'nope'
     --> full.yaml:2:22
      |
    2 |   net: {kind: k, x: '${nope}', y: '${none}'}
      |                      ^^^^^^^
     ::: full.yaml:5:3
      |
    5 |   one: {extends: net, y: 3}
      |   --- stage 'one' (and 1 more) takes it from the template 'net'
      = help: define it under `vars`
    ");
}

#[test]
fn a_later_check_names_the_stage_too() {
    let text = "templates:\n  net:\n    kind: trian\nstages:\n  fused: {extends: net}\n";
    let spec = spec::parse("full.yaml", text, &[]).expect("a valid text");
    let problems = match Plan::new(spec, Registry(&[])) {
        Ok(_) => panic!("an unknown kind"),
        Err(problems) => problems,
    };
    insta::assert_snapshot!(problems.render(false), @"
    error: unknown stage kind 'trian'
     --> full.yaml:3:11
      |
    3 |     kind: trian
      |           ^^^^^
     ::: full.yaml:5:3
      |
    5 |   fused: {extends: net}
      |   ----- stage 'fused' takes it from the template 'net'
      = help: kinds are
    ");
}
