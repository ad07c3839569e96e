//! Tests: what is refused, and in which words.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use runner_results::spec::{ClassWeights, NamedWeights};

#[test]
fn cancelling_takes_effect_within_a_batch() {
    struct After(AtomicUsize);
    impl Progress for After {
        fn update(&self, _: u64, _: u64, _: &str, _: &str) {}
        fn warn(&self, _: &str) {}
        fn cancelled(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) >= 7
        }
    }
    let after = After(AtomicUsize::new(0));
    let fixture = Fixture::new(400, 2);
    let result = train(fixture.data(), &small_network(), &short_training(50), 1, &after);
    assert!(matches!(result, Err(TrainError::Cancelled(_))));
    assert_eq!(after.0.load(Ordering::Relaxed), 8);
}

#[test]
fn what_cannot_be_trained_is_named() {
    let fixture = Fixture::new(40, 2);
    let try_with = |change: &dyn Fn(&mut Data<'static>)| {
        let fixture: &'static Fixture = Box::leak(Box::new(Fixture::new(40, 2)));
        let mut data = fixture.data();
        change(&mut data);
        refused(train(data, &small_network(), &short_training(1), 1, &Silent))
    };
    assert!(try_with(&|data| data.train = &[]).contains("training part has no rows"));
    assert!(try_with(&|data| data.valid = &[]).contains("validation part has no rows"));
    assert!(try_with(&|data| data.train = &[0, 2, 4]).contains("single class, 'class 0'"));
    assert!(try_with(&|data| data.train = &[0, 1, 400]).contains("row 400"));

    let mut data = fixture.data();
    let classes: Vec<String> = ["class 0", "class 1", "edm"].map(String::from).to_vec();
    data.classes = &classes;
    let message = refused(train(data, &small_network(), &short_training(1), 1, &Silent));
    assert!(message.contains("class 'edm' has no row in the training part"), "{message}");

    let spec = |network: &str, training: &str| {
        let (network, training) = (serde_json::from_str(network).unwrap(), serde_json::from_str(training).unwrap());
        refused(train(fixture.data(), &network, &training, 1, &Silent))
    };
    for (network, training, expected) in [
        (r#"{"dropout": 1}"#, "{}", "'network.dropout': must be in [0, 1)"),
        (r#"{"trunk": {"layers": [0]}}"#, "{}", "'network.trunk.layers': a layer of 0 units"),
        (
            r#"{"columns": {"artist": {}}}"#,
            "{}",
            "'network.columns.artist': 'artist' is not a text column of this network: title",
        ),
        ("{}", r#"{"epochs": 0}"#, "'epochs'"),
        ("{}", r#"{"optimizer": {"lr": -1}}"#, "'optimizer.lr': must be positive; got -1"),
        ("{}", r#"{"optimizer": {"momentum": 0.9}}"#, "'optimizer.momentum': only sgd and rmsprop take it"),
        ("{}", r#"{"schedule": {"kind": "cosine", "rise": 0.2}}"#, "'schedule.rise': only one_cycle takes it"),
        ("{}", r#"{"class_weights": {"pop": 2}}"#, "'class_weights.pop': there is no class 'pop'"),
    ] {
        let message = spec(network, training);
        assert!(message.contains(expected), "{message} lacks {expected}");
    }
}

#[test]
fn specs_come_back_from_yaml_and_refuse_unknown_keys() {
    let text = "{activation: mish, text: {dropout: 0.2}, columns: {artist: {layers: [256]}}}";
    let network: NetworkSpec = serde_yaml::from_str(text).unwrap();
    assert_eq!(network.columns["artist"].layers, Some(vec![256]));
    assert_eq!(network.text.layers, [64]);
    let again: NetworkSpec = serde_yaml::from_str(&serde_yaml::to_string(&network).unwrap()).unwrap();
    assert_eq!(again, network);
    let training: TrainingSpec = serde_yaml::from_str("{class_weights: balanced, optimizer: {kind: sgd}}").unwrap();
    assert_eq!(training.class_weights, ClassWeights::Named(NamedWeights::Balanced));
    let again: TrainingSpec = serde_yaml::from_str(&serde_yaml::to_string(&training).unwrap()).unwrap();
    assert_eq!(again, training);
    let error = |text: &str| serde_yaml::from_str::<TrainingSpec>(text).unwrap_err().to_string();
    assert!(error("{epoch: 3}").contains("unknown field `epoch`"));
    assert!(error("{class_weights: balance}").contains("expected `none` or `balanced`"));
    assert!(error("{class_weights: 3}").contains("none, balanced, or a map from class to weight"));
}
