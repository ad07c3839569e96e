//! From a node to a Rust type: all mistakes at once, each at its very place.

use super::read;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Train {
    rows: OneOrMany,
    epochs: usize,
    optimizer: Option<Optimizer>,
    #[serde(default)]
    activation: Activation,
    #[serde(default)]
    widths: Vec<u16>,
    schedule: Option<Schedule>,
    dropout: Option<Rate>,
    #[serde(default)]
    shuffle: bool,
    label: Option<String>,
    #[serde(default)]
    weights: BTreeMap<u32, f64>,
    betas: Option<(f64, f64)>,
    head: Option<Head>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Optimizer {
    lr: f64,
    #[serde(default)]
    weight_decay: f64,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Activation {
    #[default]
    Relu,
    Gelu,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Schedule {
    Cosine { warmup: f64 },
    Step { every: usize },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Head {
    Linear,
    Mlp { depth: usize },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged, expecting = "expected a stage or a list of stages")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(try_from = "f64")]
struct Rate(f64);

impl TryFrom<f64> for Rate {
    type Error = String;
    fn try_from(value: f64) -> Result<Self, String> {
        if (0.0..1.0).contains(&value) { Ok(Rate(value)) } else { Err(format!("{value} is not in [0, 1)")) }
    }
}

fn stage(body: &str) -> String {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("stages:\n  net:\n    kind: train\n{body}")
}

#[track_caller]
fn faults(body: &str) -> String {
    let spec = read(&stage(body)).spec();
    let problems = spec.stages["net"].params::<Train>().expect_err("faulty parameters");
    spec.problems(problems).render(false)
}

#[test]
fn a_valid_body_is_read() {
    let text = stage(
        "rows: [a, b]
epochs: 3
optimizer: {lr: 1}
activation: gelu
schedule: {kind: step, every: 2}
weights: {1: 0.5, 20: 2}
betas: [0.9, 0.95]
head: {mlp: {depth: 2}}
label: ~",
    );
    let params = read(&text).spec().stages["net"].params::<Train>().unwrap();
    assert_eq!(params.rows, OneOrMany::Many(vec!["a".into(), "b".into()]));
    assert_eq!(params.optimizer.unwrap().lr, 1.0);
    assert_eq!(params.schedule, Some(Schedule::Step { every: 2 }));
    assert_eq!(params.weights, BTreeMap::from([(1, 0.5), (20, 2.0)]));
    assert_eq!(params.betas, Some((0.9, 0.95)));
    assert_eq!(params.head, Some(Head::Mlp { depth: 2 }));
    assert_eq!(params.label, None);
}

#[test]
fn every_fault_is_found_at_once() {
    insta::assert_snapshot!(faults("rows: {}
epoch: 10
optimzer: {lr: 1}
activation: rellu
widths: [1, two, 3, -4, 70000]
shuffle: yes
dropout: 1.5
label: 12
optimizer: {lr: fast, weight_decy: 3}"), @"
    error: 'rows': expected a stage or a list of stages
     --> full.yaml:4:11
      |
    4 |     rows: {}
      |           ^^

    error: unknown key 'epoch' (did you mean 'epochs'?)
     --> full.yaml:5:5
      |
    5 |     epoch: 10
      |     ^^^^^
      = help: keys of 'train' are rows, epochs, optimizer, activation, widths, schedule, dropout,
              shuffle, label, weights, betas, head

    error: unknown key 'optimzer' (did you mean 'optimizer'?)
     --> full.yaml:6:5
      |
    6 |     optimzer: {lr: 1}
      |     ^^^^^^^^

    error: 'activation': unknown choice 'rellu' (did you mean 'relu'?)
     --> full.yaml:7:17
      |
    7 |     activation: rellu
      |                 ^^^^^
      = help: choices are relu, gelu

    error: 'widths[1]': expected a whole number, 0 or more, found text 'two'
     --> full.yaml:8:17
      |
    8 |     widths: [1, two, 3, -4, 70000]
      |                 ^^^

    error: 'widths[3]': expected a whole number from 0 to 65535, found -4
     --> full.yaml:8:25
      |
    8 |     widths: [1, two, 3, -4, 70000]
      |                         ^^

    error: 'widths[4]': expected a whole number from 0 to 65535, found 70000
     --> full.yaml:8:29
      |
    8 |     widths: [1, two, 3, -4, 70000]
      |                             ^^^^^

    error: 'shuffle': expected true or false, found text 'yes'
     --> full.yaml:9:14
      |
    9 |     shuffle: yes
      |              ^^^
      = help: write true

    error: 'dropout': 1.5 is not in [0, 1)
      --> full.yaml:10:14
       |
    10 |     dropout: 1.5
       |              ^^^

    error: 'label': expected text, found 12
      --> full.yaml:11:12
       |
    11 |     label: 12
       |            ^^
       = help: quote it to make it text

    error: 'optimizer.lr': expected a number, found text 'fast'
      --> full.yaml:12:21
       |
    12 |     optimizer: {lr: fast, weight_decy: 3}
       |                     ^^^^

    error: unknown key 'weight_decy' (did you mean 'weight_decay'?)
      --> full.yaml:12:27
       |
    12 |     optimizer: {lr: fast, weight_decy: 3}
       |                           ^^^^^^^^^^^
       = help: keys of 'optimizer' are lr, weight_decay
    ");
}

#[test]
fn tagged_choices_are_searched_for_the_fault() {
    insta::assert_snapshot!(faults("rows: a
epochs: 1e3
schedule: {kind: cosin, warmup: x}
head: {mlp: {depth: -1}}
optimizer: {}
betas: [1, 2, 3]"), @"
    error: 'epochs': expected a whole number, 0 or more, found 1000.0
     --> full.yaml:5:13
      |
    5 |     epochs: 1e3
      |             ^^^
      = help: write 1000

    error: 'schedule.kind': unknown choice 'cosin' (did you mean 'cosine'?)
     --> full.yaml:6:22
      |
    6 |     schedule: {kind: cosin, warmup: x}
      |                      ^^^^^
      = help: choices are cosine, step

    error: 'schedule.warmup': expected a number, found text 'x'
     --> full.yaml:6:37
      |
    6 |     schedule: {kind: cosin, warmup: x}
      |                                     ^

    error: 'head.mlp.depth': expected a whole number, 0 or more, found -1
     --> full.yaml:7:25
      |
    7 |     head: {mlp: {depth: -1}}
      |                         ^^

    error: missing key 'lr' in 'optimizer'
     --> full.yaml:8:5
      |
    8 |     optimizer: {}
      |     ^^^^^^^^^
      = help: add `lr: …`

    error: 'betas': expected 2 values, found 3 values
     --> full.yaml:9:12
      |
    9 |     betas: [1, 2, 3]
      |            ^^^^^^^^^
    ");
}

#[test]
fn the_keys_of_an_unknown_choice_are_not_judged() {
    insta::assert_snapshot!(faults("rows: a
epochs: 1
schedule: {kind: plateau, patience: 3}
head: relu"), @"
    error: 'schedule.kind': unknown choice 'plateau'
     --> full.yaml:6:22
      |
    6 |     schedule: {kind: plateau, patience: 3}
      |                      ^^^^^^^
      = help: choices are cosine, step

    error: 'head': unknown choice 'relu'
     --> full.yaml:7:11
      |
    7 |     head: relu
      |           ^^^^
      = help: choices are linear, mlp
    ");
}

#[test]
fn a_value_from_a_variable_or_the_command_line_shows_where_it_comes_from() {
    let pipeline = read("vars: {rate: 0.1}\nstages:\n  net:\n    kind: train\n    rows: a\n    epochs: 1\n    optimizer: {lr: \"${rate}\"}\n")
        .set("rate=fast")
        .set("net.epochs=many")
        .set("net.optimizer.lrr=1");
    let spec = pipeline.spec();
    let problems = spec.stages["net"].params::<Train>().unwrap_err();
    insta::assert_snapshot!(spec.problems(problems).render(false), @r#"
    error: 'optimizer.lr': expected a number, found text 'fast'
     --> full.yaml:7:21
      |
    7 |     optimizer: {lr: "${rate}"}
      |                     ^^^^^^^^^
     ::: command line
      |
      | --set rate=fast
      |            ---- 'rate' is set here

    error: 'epochs': expected a whole number, 0 or more, found text 'many'
     --> command line
      |
      | --set net.epochs=many
      |                  ^^^^

    error: unknown key 'lrr' (did you mean 'lr'?)
     --> command line
      |
      | --set net.optimizer.lrr=1
      |                     ^^^
      = help: keys of 'optimizer' are lr, weight_decay
    "#);
}

#[test]
fn instances_of_a_matrix_report_a_shared_fault_once() {
    let text = stage("rows: a\nepochs: x\nlabel: \"${lr}\"\nmatrix: {lr: [a, b, c]}");
    let spec = read(&text).spec();
    let found = spec.stages.values().flat_map(|stage| stage.params::<Train>().unwrap_err());
    assert_eq!(spec.problems(found.collect()).list.len(), 1);
}
