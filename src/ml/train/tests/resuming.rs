//! Tests: trainings that are interrupted, prolonged or shortened end in the same bits as those that run through.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

/// One place for states, always willing.
#[derive(Default)]
struct Kept {
    bytes: Mutex<Option<Vec<u8>>>,
    saves: AtomicUsize,
}

impl Checkpoints for Kept {
    fn load(&self) -> Option<Vec<u8>> {
        self.bytes.lock().unwrap().clone()
    }
    fn is_due(&self) -> bool {
        true
    }
    fn save(&self, bytes: &[u8]) {
        self.saves.fetch_add(1, Ordering::Relaxed);
        *self.bytes.lock().unwrap() = Some(bytes.to_vec());
    }
}

/// Interrupts as soon as an epoch after `after` has ended.
struct Interrupt {
    after: u64,
    now: AtomicBool,
}

impl Progress for Interrupt {
    fn update(&self, done: u64, _: u64, _: &str, _: &str) {
        self.now.fetch_or(done > self.after, Ordering::Relaxed);
    }
    fn warn(&self, _: &str) {}
    fn cancelled(&self) -> bool {
        self.now.load(Ordering::Relaxed)
    }
}

fn spec(value: serde_json::Value) -> TrainingSpec {
    let mut whole = serde_json::json!({"epochs": 5, "batch_size": 32});
    whole.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    let spec: TrainingSpec = serde_json::from_value(whole).unwrap();
    assert_eq!(spec.problems(), []);
    spec
}

fn go_on(fixture: &Fixture, spec: &TrainingSpec, kept: &Kept) -> Fitted {
    train_on(fixture.data(), &small_network(), spec, 3, kept, &Silent).unwrap()
}

fn from_start(fixture: &Fixture, spec: &TrainingSpec) -> Fitted {
    train(fixture.data(), &small_network(), spec, 3, &Silent).unwrap()
}

#[test]
fn a_training_interrupted_after_every_epoch_ends_in_the_same_bits() {
    let fixture = Fixture::new(160, 3);
    let optimizers = [
        r#"{"kind": "sgd", "lr": 0.05, "momentum": 0}"#,
        r#"{"kind": "sgd", "lr": 0.02, "nesterov": true, "weight_decay": 0.01}"#,
        r#"{"kind": "adam", "weight_decay": 0.01}"#,
        r#"{"kind": "adamw"}"#,
        r#"{"kind": "rmsprop"}"#,
        r#"{"kind": "rmsprop", "momentum": 0.5}"#,
    ];
    let schedules = [
        r#"{"kind": "constant", "warmup_epochs": 1.5}"#,
        r#"{"kind": "step", "step_epochs": 2}"#,
        r#"{"kind": "cosine", "warmup_epochs": 1}"#,
        r#"{"kind": "one_cycle"}"#,
        r#"{"kind": "plateau", "patience": 1}"#,
    ];
    for optimizer in optimizers {
        for schedule in schedules {
            let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            let spec = spec(serde_json::json!({"optimizer": parsed(optimizer), "schedule": parsed(schedule)}));
            let kept = Kept::default();
            let mut interrupts = 0;
            let fitted = loop {
                let interrupt = Interrupt { after: interrupts, now: AtomicBool::new(false) };
                match train_on(fixture.data(), &small_network(), &spec, 3, &kept, &interrupt) {
                    Ok(fitted) => break fitted,
                    Err(TrainError::Cancelled(_)) => interrupts += 1,
                    Err(error) => panic!("{error}"),
                }
            };
            let what = format!("{optimizer} {schedule}");
            // Nothing asks for an interruption any more after the last epoch, so that the fifth run ends.
            assert_eq!((interrupts, fitted.resumed), (4, 4), "{what}");
            assert_eq!(kept.saves.load(Ordering::Relaxed), 5, "{what}");
            assert_eq!(digest(&fitted), digest(&from_start(&fixture, &spec)), "{what}");
            // The finished state gives the same again, with nothing computed.
            let again = go_on(&fixture, &spec, &kept);
            assert_eq!((again.resumed, digest(&again)), (5, digest(&fitted)), "{what}");
        }
    }
}

#[test]
fn more_epochs_go_on_where_the_schedule_permits() {
    let fixture = Fixture::new(160, 3);
    for schedule in ["constant", "step", "plateau", "cosine", "one_cycle"] {
        let of = |epochs: usize| {
            let schedule = match schedule {
                "step" => serde_json::json!({"kind": "step", "step_epochs": 2}),
                "plateau" => serde_json::json!({"kind": "plateau", "patience": 1, "factor": 0.3}),
                other => serde_json::json!({"kind": other}),
            };
            spec(serde_json::json!({"epochs": epochs, "schedule": schedule}))
        };
        // What the stages keep apart by key.
        assert_eq!(of(3).trajectory() == of(9).trajectory(), !of(3).schedule.looks_at_the_end(), "{schedule}");
        if of(3).schedule.looks_at_the_end() {
            continue;
        }
        let kept = Kept::default();
        for (epochs, resumed) in [(3, 0), (6, 3), (9, 6)] {
            let fitted = go_on(&fixture, &of(epochs), &kept);
            assert_eq!(fitted.resumed, resumed, "{schedule}");
            assert_eq!(digest(&fitted), digest(&from_start(&fixture, &of(epochs))), "{schedule}, {epochs} epochs");
        }
        // Fewer epochs: known as far as the best epoch is the same, else trained from the start; right either way.
        for epochs in (1..9).rev() {
            let kept = Kept { bytes: Mutex::new(kept.load()), saves: AtomicUsize::new(0) };
            let fitted = go_on(&fixture, &of(epochs), &kept);
            assert_eq!(digest(&fitted), digest(&from_start(&fixture, &of(epochs))), "{schedule}, {epochs} epochs");
            assert!(fitted.resumed == 0 || fitted.resumed == epochs, "{schedule}, {epochs} epochs");
        }
    }
    // A rise longer than the training depends on its length.
    let rising =
        |epochs| spec(serde_json::json!({"epochs": epochs, "schedule": {"kind": "constant", "warmup_epochs": 5}}));
    assert_ne!(rising(4).trajectory(), rising(6).trajectory());
    assert_eq!(rising(6).trajectory(), rising(7).trajectory());
}

#[test]
fn another_patience_or_metric_chooses_anew_from_the_same_course() {
    let mut fixture = Fixture::new(200, 2);
    // Labels without relation to the inputs: validation goes up and down.
    fixture.labels = (0..200).map(|i| (i * 7 / 3 % 2) as u32).collect();
    let of = |patience: serde_json::Value, metric: &str| {
        let stopping = serde_json::json!({"patience": patience, "metric": metric});
        spec(serde_json::json!({"epochs": 14, "schedule": {"kind": "constant"}, "early_stopping": stopping}))
    };
    let (mut known, mut computed) = (0, 0);
    for first in [serde_json::json!(1), serde_json::json!(4), serde_json::Value::Null] {
        for second in [serde_json::json!(2), serde_json::json!(3), serde_json::Value::Null] {
            for metric in ["accuracy", "loss", "macro_f1"] {
                let kept = Kept::default();
                go_on(&fixture, &of(first.clone(), "accuracy"), &kept);
                let spec = of(second.clone(), metric);
                let fitted = go_on(&fixture, &spec, &kept);
                assert_eq!(digest(&fitted), digest(&from_start(&fixture, &spec)), "{first} then {second} {metric}");
                known += usize::from(fitted.resumed > 0);
                computed += usize::from(fitted.resumed == 0);
            }
        }
    }
    assert!(known > 0 && computed > 0, "{known} {computed}");
    let plateau = |metric: &str| {
        let schedule = serde_json::json!({"kind": "plateau"});
        spec(serde_json::json!({"schedule": schedule, "early_stopping": {"metric": metric}})).trajectory()
    };
    assert_ne!(plateau("loss"), plateau("accuracy"));
    assert_eq!(of(2.into(), "loss").trajectory(), of(3.into(), "accuracy").trajectory());
}

#[test]
fn a_divergence_is_remembered() {
    let fixture = Fixture::new(200, 2);
    let text = r#"{"epochs": 8, "batch_size": 999, "clip_norm": null, "optimizer": {"kind": "sgd", "lr": 1e30},
        "schedule": {"kind": "one_cycle", "start_divisor": 1e33}}"#;
    let spec: TrainingSpec = serde_json::from_str(text).unwrap();
    let network = NetworkSpec { batch_norm: false, ..small_network() };
    let kept = Kept::default();
    let run = || train_on(fixture.data(), &network, &spec, 1, &kept, &Silent).unwrap();
    let (first, again) = (run(), run());
    assert_eq!((first.diverged, first.resumed), (Some(2), 0));
    assert_eq!((again.diverged, again.resumed), (Some(2), 1));
    assert_eq!(digest(&first), digest(&again));
}

#[test]
fn what_is_no_state_of_this_training_is_ignored() {
    let fixture = Fixture::new(160, 3);
    let spec = spec(serde_json::json!({"schedule": {"kind": "constant"}}));
    let kept = Kept::default();
    let whole = go_on(&fixture, &spec, &kept);
    let longer = TrainingSpec { epochs: 7, ..spec.clone() };
    let expected = digest(&from_start(&fixture, &longer));
    let bytes = kept.load().unwrap();
    let text = String::from_utf8_lossy(&bytes[..200]).into_owned();
    assert!(text.contains("runner checkpoint 1"), "{text}");
    let at = bytes.windows(19).position(|window| window == b"runner checkpoint 1").unwrap();
    let mut other_format = bytes.clone();
    other_format[at + 18] = b'9';
    let wider = {
        let network = serde_json::from_str(r#"{"trunk": {"layers": [17, 12]}, "text": {"layers": [6]}}"#).unwrap();
        let kept = Kept::default();
        train_on(fixture.data(), &network, &spec, 3, &kept, &Silent).unwrap();
        kept.load().unwrap()
    };
    for bad in [Vec::new(), b"{}".to_vec(), bytes[..bytes.len() / 2].to_vec(), other_format, wider] {
        let kept = Kept { bytes: Mutex::new(Some(bad)), saves: AtomicUsize::new(0) };
        let fitted = go_on(&fixture, &longer, &kept);
        assert_eq!((fitted.resumed, digest(&fitted)), (0, expected.clone()));
    }
    assert_ne!(digest(&whole), expected);
    assert_eq!(go_on(&fixture, &longer, &kept).resumed, 5);
}

/// Pauses after an epoch.
struct Paused<'a>(&'a Kept, Option<usize>);

impl Checkpoints for Paused<'_> {
    fn load(&self) -> Option<Vec<u8>> {
        self.0.load()
    }
    fn is_due(&self) -> bool {
        false
    }
    fn save(&self, bytes: &[u8]) {
        self.0.save(bytes);
    }
    fn pause(&self) -> Option<usize> {
        self.1
    }
}

#[test]
fn a_training_that_pauses_goes_on_to_the_same_bits_whatever_its_schedule() {
    let fixture = Fixture::new(160, 3);
    for schedule in ["constant", "step", "plateau", "cosine", "one_cycle"] {
        let spec = spec(serde_json::json!({"epochs": 6, "schedule": {"kind": schedule}}));
        let whole = from_start(&fixture, &spec);
        let kept = Kept::default();
        for (pause, resumed) in [(Some(2), 0), (Some(2), 2), (Some(5), 2), (None, 5), (Some(3), 6)] {
            let paused = Paused(&kept, pause);
            let fitted = train_on(fixture.data(), &small_network(), &spec, 3, &paused, &Silent).unwrap();
            assert_eq!(fitted.resumed, resumed, "{schedule}, to {pause:?}");
            // It has the beginning of the whole course: the rates still look at six epochs.
            let rows = fitted.curves.len();
            assert_eq!(rows, 1 + pause.unwrap_or(6).max(resumed));
            for ((name, found), (_, expected)) in fitted.curves.columns().into_iter().zip(whole.curves.columns()) {
                assert_eq!(found[..], expected[..rows], "{schedule}, {name} to {pause:?}");
            }
            let replay = crate::train::replay(&spec, &whole.curves, pause);
            assert_eq!(replay.is_over, pause.is_none());
            if rows == 1 + pause.unwrap_or(6) {
                assert_eq!(Some(fitted.best_epoch), replay.best_epoch, "{schedule}, to {pause:?}");
            }
        }
        let last = go_on(&fixture, &spec, &kept);
        assert_eq!(digest(&last), digest(&Fitted { resumed: 6, ..whole }), "{schedule}");
    }
}

#[test]
fn a_refit_of_the_chosen_epoch_has_the_weights_that_the_choice_kept() {
    let fixture = Fixture::new(160, 3);
    for schedule in [r#"{"kind": "one_cycle"}"#, r#"{"kind": "step", "step_epochs": 2}"#] {
        let schedule: serde_json::Value = serde_json::from_str(schedule).unwrap();
        let spec = spec(serde_json::json!({"epochs": 9, "schedule": schedule, "average": 0.5}));
        let chosen = from_start(&fixture, &spec);
        let data = Data { valid: &[], ..fixture.data() };
        let kept = Kept::default();
        // Interrupted once, it goes on.
        let interrupt = Interrupt { after: 1, now: AtomicBool::new(false) };
        let refit = |progress: &dyn Progress| {
            crate::train::refit(data, &small_network(), &spec, chosen.best_epoch, 3, &kept, progress)
        };
        assert!(chosen.best_epoch > 2, "{}", chosen.best_epoch);
        assert!(matches!(refit(&interrupt), Err(TrainError::Cancelled(_))));
        let again = refit(&Silent).unwrap();
        let weights = |fitted: &Fitted| fitted.model.to_parts().unwrap();
        assert_eq!((again.best_epoch, again.curves.len()), (chosen.best_epoch, chosen.best_epoch + 1));
        assert_eq!(again.resumed, 2);
        assert!(weights(&again) == weights(&chosen));
    }
}
