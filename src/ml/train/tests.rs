//! Tests: trainings through the public door: what is learnt, kept, repeated, stored and refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::{Fixture, short_training, small_network};
use super::*;
use crate::ml::frame::Column;
use crate::ml::progress::Silent;

fn fitted(fixture: &Fixture, seed: u64) -> Fitted {
    train(fixture.data(), &small_network(), &short_training(6), seed, &Silent).unwrap()
}

fn digest(fitted: &Fitted) -> String {
    let (weights, recipe) = fitted.model.to_parts().unwrap();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&weights);
    hasher.update(recipe.to_string().as_bytes());
    hasher.update(serde_json::to_string(&fitted.curves).unwrap().as_bytes());
    hasher.finalize().to_hex()[..16].to_string()
}

fn refused(result: Result<Fitted, TrainError>) -> String {
    match result {
        Ok(_) => panic!("training went through"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_network_learns_and_its_best_epoch_is_kept() {
    let fixture = Fixture::new(400, 3);
    let fitted = train(fixture.data(), &small_network(), &short_training(20), 1, &Silent).unwrap();
    let curves = &fitted.curves;
    assert_eq!(curves.epoch, (0..=20).collect::<Vec<u32>>());
    assert!(curves.valid_accuracy[0] < 0.6 && curves.valid_accuracy[fitted.best_epoch] > 0.85, "{curves:?}");
    let best = curves.valid_macro_f1[1..].iter().copied().fold(0.0, f64::max);
    assert_eq!(curves.valid_macro_f1[fitted.best_epoch], best);
    assert!(curves.gradient_norm[1..].iter().all(|norm| *norm > 0.0));
    // The model that is handed out scores what the curve says of the best epoch.
    let valid = fixture.frame.take(&fixture.valid);
    let predicted = fitted.model.predict_probabilities(&valid).unwrap();
    let hits = predicted.argmax_rows().iter().zip(&fixture.valid).filter(|(p, i)| **p == fixture.labels[**i]).count();
    assert_eq!(hits as f64 / fixture.valid.len() as f64, curves.valid_accuracy[fitted.best_epoch]);
    assert!((0..predicted.rows).all(|i| (predicted.row(i).iter().sum::<f32>() - 1.0).abs() < 1e-5));
}

#[test]
fn the_same_seed_gives_the_same_bytes_wherever_it_runs() {
    let fixture = Fixture::new(600, 3);
    let expected = digest(&fitted(&fixture, 1));
    assert_eq!(digest(&fitted(&fixture, 1)), expected);
    assert_ne!(digest(&fitted(&fixture, 2)), expected);
    let wide = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    assert_eq!(wide.install(|| digest(&fitted(&fixture, 1))), expected);
    std::thread::scope(|scope| {
        let twins: Vec<_> = (0..3).map(|_| scope.spawn(|| digest(&fitted(&fixture, 1)))).collect();
        twins.into_iter().for_each(|twin| assert_eq!(twin.join().unwrap(), expected));
    });
}

/// Layers wide enough that candle's thread settings could matter. Printed by a child process for each setting.
#[test]
fn thread_settings_of_candle_do_not_change_a_bit() {
    const CHILD: &str = "RUNNER_TEST_PRINT_DIGEST";
    if std::env::var_os(CHILD).is_some() {
        let fixture = Fixture::new(800, 3);
        let network = serde_json::from_str(r#"{"trunk": {"layers": [300, 256]}}"#).unwrap();
        let training = TrainingSpec { epochs: 2, batch_size: 256, ..TrainingSpec::default() };
        println!("digest {}", digest(&train(fixture.data(), &network, &training, 1, &Silent).unwrap()));
        return;
    }
    let run = |threads: &str| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "ml::train::tests::thread_settings_of_candle_do_not_change_a_bit"])
            .env(CHILD, "1")
            .env("RAYON_NUM_THREADS", threads)
            .env("CANDLE_NUM_THREADS", threads)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find_map(|line| line.split_once("digest ")).map(|(_, digest)| digest.to_string()).expect(&text)
    };
    let expected = run("1");
    assert_eq!(run("2"), expected);
    assert_eq!(run("5"), expected);
}

#[test]
fn a_model_survives_its_bytes_and_refuses_others() {
    let fixture = Fixture::new(300, 3);
    let model = fitted(&fixture, 3).model;
    let (weights, recipe) = model.to_parts().unwrap();
    let text = serde_json::to_string(&recipe).unwrap();
    let back = Classifier::from_parts(&weights, &serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(back.to_parts().unwrap(), (weights.clone(), recipe.clone()));
    let predict = |model: &Classifier| model.predict_probabilities(&fixture.frame).unwrap();
    assert_eq!(predict(&back), predict(&model));

    let error = |weights: &[u8], recipe: &serde_json::Value| match Classifier::from_parts(weights, recipe) {
        Ok(_) => panic!("read"),
        Err(error) => error.to_string(),
    };
    assert!(error(&weights[..weights.len() / 2], &recipe).contains("weights cannot be read"));
    assert!(error(b"", &recipe).contains("weights cannot be read"));
    let changed = |path: &str, value: serde_json::Value| {
        let mut recipe = recipe.clone();
        *recipe.pointer_mut(path).unwrap() = value;
        recipe
    };
    assert!(error(&weights, &changed("/network/trunk", vec![16, 13].into())).contains("has shape"));
    assert!(error(&weights, &changed("/network/trunk", vec![usize::MAX].into())).contains("impossible width"));
    assert!(error(&weights, &changed("/network/batch_norm", false.into())).contains("tensor"));
    assert!(error(&weights, &changed("/classes", vec!["x"].into())).contains("1 classes for 3 outputs"));
    assert!(error(&weights, &changed("/format", "other".into())).contains("format is 'other'"));
    assert!(error(&weights, &serde_json::json!({})).contains("recipe cannot be read"));
}

#[test]
fn predictions_need_the_columns_of_the_training() {
    let fixture = Fixture::new(200, 2);
    let model = fitted(&fixture, 1).model;
    let with = |name: &str, column: Column| {
        let mut frame = Frame::new(1);
        frame.insert("a", Column::Numeric(vec![f64::NAN]));
        frame.insert("b", Column::Numeric(vec![f64::NAN]));
        frame.insert("flat", Column::Numeric(vec![5.0]));
        frame.insert("title", Column::Vector { dim: 8, values: vec![0.0; 8] });
        frame.insert(name, column);
        model.predict_probabilities(&frame).map_err(|e| e.to_string())
    };
    assert!(with("unused", Column::Numeric(vec![f64::INFINITY])).unwrap().data.iter().all(|p| p.is_finite()));
    assert!(with("a", Column::Text(vec![None])).unwrap_err().contains("'a' is text"));
    assert!(with("a", Column::Numeric(vec![f64::NEG_INFINITY])).unwrap_err().contains("infinite value -inf in row 0"));
    assert!(with("title", Column::Vector { dim: 4, values: vec![0.0; 4] }).unwrap_err().contains("same encoder"));
    assert!(model.predict_probabilities(&Frame::new(3)).unwrap_err().to_string().contains("'a' is missing"));
    let none = model.predict_probabilities(&fixture.frame.take(&[])).unwrap();
    assert_eq!((none.rows, none.cols), (0, 2));
}

#[test]
fn a_last_batch_of_one_row_and_tiny_batches_work_with_batch_norm() {
    let fixture = Fixture::new(400, 2);
    for (rows, size) in [(33, 32), (33, 16), (65, 32), (34, 33), (5, 1), (3, 2), (2, 64)] {
        let mut data = fixture.data();
        data.train = &fixture.train[..rows];
        let training = TrainingSpec { batch_size: size, ..short_training(2) };
        let fitted = train(data, &small_network(), &training, 1, &Silent).unwrap();
        assert!(fitted.curves.objective.iter().all(|loss| loss.is_finite()), "{rows} rows in batches of {size}");
    }
}

#[test]
fn early_stopping_ends_after_its_patience() {
    let mut fixture = Fixture::new(200, 2);
    // Labels without relation to the inputs: validation cannot go on improving.
    fixture.labels = (0..200).map(|i| (i * 7 / 3 % 2) as u32).collect();
    let mut training = short_training(60);
    training.early_stopping = EarlyStoppingSpec { patience: Some(3), metric: Metric::Loss, min_delta: 1e-3 };
    let fitted = train(fixture.data(), &small_network(), &training, 1, &Silent).unwrap();
    let last = *fitted.curves.epoch.last().unwrap() as usize;
    assert!(last < 60 && last == fitted.best_epoch + 3, "best {} of {last}", fitted.best_epoch);
}

#[test]
fn divergence_keeps_the_best_epoch_or_is_an_error() {
    struct Warnings(std::sync::Mutex<Vec<String>>);
    impl Progress for Warnings {
        fn update(&self, _: u64, _: u64, _: &str) {}
        fn warn(&self, message: &str) {
            self.0.lock().unwrap().push(message.into());
        }
        fn cancelled(&self) -> bool {
            false
        }
    }
    let fixture = Fixture::new(200, 2);
    let spec = |schedule: &str| -> TrainingSpec {
        let optimizer = r#"{"kind": "sgd", "lr": 1e30}"#;
        let text = format!(r#"{{"epochs": 8, "batch_size": 999, "clip_norm": null, "optimizer": {optimizer}, "schedule": {schedule}}}"#);
        serde_json::from_str(&text).unwrap()
    };
    let network = NetworkSpec { batch_norm: false, ..small_network() };
    let run = |schedule: &str, progress: &dyn Progress| train(fixture.data(), &network, &spec(schedule), 1, progress);
    let message = refused(run(r#"{"kind": "constant"}"#, &Silent));
    assert!(message.contains("epoch 1") && message.contains("lower the learning rate"), "{message}");
    let warnings = Warnings(Default::default());
    let fitted = run(r#"{"kind": "one_cycle", "start_divisor": 1e33}"#, &warnings).unwrap();
    assert_eq!((fitted.best_epoch, fitted.diverged), (1, Some(2)));
    assert_eq!(fitted.curves.len(), 2);
    assert!(warnings.0.lock().unwrap()[0].contains("epoch 1 is kept"));
}

#[test]
fn cancelling_takes_effect_within_a_batch() {
    struct After(AtomicUsize);
    impl Progress for After {
        fn update(&self, _: u64, _: u64, _: &str) {}
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
        (r#"{"dropout": 1}"#, "{}", "'network.dropout': 1 is no share"),
        (r#"{"trunk": {"layers": [0]}}"#, "{}", "'network.trunk.layers': a layer of 0 units"),
        (r#"{"columns": {"artist": {}}}"#, "{}", "'network.columns.artist': 'artist' is not a text column of this network: title"),
        ("{}", r#"{"epochs": 0}"#, "'training.epochs'"),
        ("{}", r#"{"optimizer": {"lr": -1}}"#, "'training.optimizer.lr': -1 is not above 0"),
        ("{}", r#"{"optimizer": {"momentum": 0.9}}"#, "'training.optimizer.momentum': only sgd and rmsprop takes it"),
        ("{}", r#"{"schedule": {"kind": "cosine", "rise": 0.2}}"#, "'training.schedule.rise': only one_cycle takes it"),
        ("{}", r#"{"class_weights": {"pop": 2}}"#, "'training.class_weights.pop': there is no class 'pop'"),
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

// The interpreter needs numpy only. `.ci/run` sets the variable; without it there is nothing to compare with.
#[test]
fn a_numpy_script_gives_the_same_predictions() {
    let Some(python) = std::env::var_os("RUNNER_TEST_PYTHON") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/predict_json.py");
    let fixture = Fixture::new(200, 3);
    let folder = tempfile::tempdir().unwrap();
    let numbers = |values: &[f64]| values.iter().map(|x| serde_json::json!(x)).collect::<Vec<_>>();
    let mut rows = serde_json::Map::new();
    for (name, column) in &fixture.frame.columns {
        let values = match column {
            Column::Numeric(values) => numbers(values),
            Column::Vector { dim, values } => values.chunks(*dim).map(|v| serde_json::json!(v)).collect(),
            Column::Text(_) => continue,
        };
        rows.insert(name.clone(), values.into());
    }
    std::fs::write(folder.path().join("rows.json"), serde_json::to_string(&rows).unwrap()).unwrap();
    for (scaling, activation, batch_norm) in [
        ("standard", "relu", true),
        ("robust", "gelu", false),
        ("quantile", "mish", true),
        ("standard", "selu", false),
        ("quantile", "silu", true),
        ("robust", "tanh", true),
    ] {
        let network = serde_json::json!({
            "scaling": scaling, "activation": activation, "batch_norm": batch_norm, "numeric": {"layers": [7]},
        });
        let network = serde_json::from_value(network).unwrap();
        let model = train(fixture.data(), &network, &short_training(2), 1, &Silent).unwrap().model;
        let (weights, recipe) = model.to_parts().unwrap();
        std::fs::write(folder.path().join("model.safetensors"), weights).unwrap();
        std::fs::write(folder.path().join("model.json"), recipe.to_string()).unwrap();
        let files = ["model.safetensors", "model.json", "rows.json"].map(|name| folder.path().join(name));
        let output = std::process::Command::new(&python).arg(script).args(files).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs: Vec<Vec<f64>> = serde_json::from_slice(&output.stdout).unwrap();
        let ours = model.predict_probabilities(&fixture.frame).unwrap();
        for (i, row) in theirs.iter().enumerate() {
            for (ours, theirs) in ours.row(i).iter().zip(row) {
                assert!((f64::from(*ours) - theirs).abs() < 2e-5, "{scaling} {activation}: {ours} and {theirs}");
            }
        }
    }
}
