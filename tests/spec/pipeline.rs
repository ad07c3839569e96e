//! Top level, variables, matrix and `--set`, as they are read; what is wrong with them is in `faults`.

use super::read;
use serde_json::json;

pub(super) const STUDY: &str = r#"
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
