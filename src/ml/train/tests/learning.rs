//! Tests: what is learnt, kept and repeated.

use super::*;
use runner_results::spec::EarlyStoppingSpec;

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
            .args(["--exact", "--nocapture", "train::tests::learning::thread_settings_of_candle_do_not_change_a_bit"])
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
    training.early_stopping = EarlyStoppingSpec { patience: Some(3), metric: Some(Metric::Loss), min_delta: 1e-3 };
    let fitted = train(fixture.data(), &small_network(), &training, 1, &Silent).unwrap();
    let last = *fitted.curves.epoch.last().unwrap() as usize;
    assert!(last < 60 && last == fitted.best_epoch + 3, "best {} of {last}", fitted.best_epoch);
}

#[test]
fn divergence_keeps_the_best_epoch_or_is_an_error() {
    struct Warnings(std::sync::Mutex<Vec<String>>);
    impl Progress for Warnings {
        fn update(&self, _: u64, _: u64, _: &str, _: &str) {}
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
        let text = format!(
            r#"{{"epochs": 8, "batch_size": 999, "clip_norm": null, "optimizer": {optimizer}, "schedule": {schedule}}}"#
        );
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
