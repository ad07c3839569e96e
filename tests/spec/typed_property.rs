//! Whatever a stage's body is: it is taken or refused as serde_json would, and what is wrong has a place.

use super::read;
use super::typed::Train;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use runner::spec::typed;
use serde_json::json;

/// JSON-like bodies in which each key of `Train` is right, wrong or absent.
fn body() -> impl Strategy<Value = serde_json::Value> {
    let any_value = prop::sample::select(vec![
        json!(null),
        json!(1),
        json!(-1),
        json!(0.5),
        json!("x"),
        json!("relu"),
        json!("linear"),
        json!(true),
        json!([]),
        json!([1, 2]),
        json!(["a", 2]),
        json!({}),
        json!({"lr": 1}),
        json!({"lr": "x", "b": 2}),
        json!({"kind": "step", "every": 1}),
        json!({"kind": "cosine", "every": 1}),
        json!({"kind": "steep", "every": "x"}),
        json!({"every": 1}),
        json!({"mlp": {"depth": 1}}),
        json!({"mlp": 1}),
        json!({"linear": 1}),
        json!({"linear": null}),
        json!({"mlp": {}, "b": 1}),
        json!({"1": 2.0}),
        json!({"x": 2.0}),
    ]);
    let key = prop::sample::select(vec![
        "rows",
        "epochs",
        "optimizer",
        "activation",
        "widths",
        "schedule",
        "dropout",
        "shuffle",
        "label",
        "weights",
        "betas",
        "head",
        "extra",
    ]);
    prop::collection::btree_map(key, any_value, 0..13).prop_map(|map| json!(map))
}

/// A fixed seed: the same texts on every run.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Accepts exactly what serde_json accepts, with the same result; else it names at least one
    /// problem, and none twice.
    #[test]
    fn agrees_with_serde_json(body in body()) {
        let text = format!("stages: {{s: {{kind: k, body: {body}}}}}");
        let spec = read(&text).spec();
        let node = spec.stages["s"].body.get("body").unwrap();
        match (typed::<Train>(node), serde_json::from_value::<Train>(body.clone())) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(problems), Err(_)) => {
                prop_assert!(!problems.is_empty());
                let count = problems.len();
                prop_assert_eq!(spec.problems(problems).list.len(), count, "{}", body);
            }
            (ours, theirs) => prop_assert!(false, "{}: {:?} but {:?}", body, ours, theirs),
        }
    }

    /// What is wrong stays wrong: every reported place is a place of the text.
    #[test]
    fn points_into_the_text(body in body()) {
        let text = format!("stages: {{s: {{kind: k, body: {body}}}}}");
        let spec = read(&text).spec();
        let node = spec.stages["s"].body.get("body").unwrap();
        for problem in typed::<Train>(node).err().unwrap_or_default() {
            let span = problem.span.unwrap();
            prop_assert!(span.start.offset >= node.span.start.offset && span.end.offset <= node.span.end.offset);
            prop_assert!(!spec.sources.slice(span).is_empty());
        }
    }
}
