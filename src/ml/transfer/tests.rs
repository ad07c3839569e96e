//! Tests: transfers through the public door, and the sentences made from known figures.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::compare::compare;
use super::*;
use crate::ml::progress::Silent;
use crate::ml::train::fixture::{Fixture, short_training, small_network};
use crate::ml::train::{Curves, Metric, NoCheckpoints, train};

/// Three classes learnt, then a fourth one, with the classes in another order.
struct Case {
    old: Classifier,
    new: Fixture,
}

impl Case {
    fn new() -> Self {
        let mut before = Fixture::new(400, 4);
        before.train.retain(|&i| before.labels[i] < 3);
        before.valid.retain(|&i| before.labels[i] < 3);
        before.classes.truncate(3);
        let old = train(before.data(), &small_network(), &short_training(15), 1, &Silent).unwrap().model;
        let mut new = Fixture::new(400, 4);
        new.classes = ["class 2", "class 3", "class 0", "class 1"].map(String::from).to_vec();
        new.labels.iter_mut().for_each(|label| *label = [2, 3, 0, 1][*label as usize]);
        Case { old, new }
    }

    fn run(&self, spec: &TransferSpec, threads: usize) -> Result<TransferResult, TrainError> {
        let checkpoints = |_: Strategy, _: u64| -> Box<dyn Checkpoints> { Box::new(NoCheckpoints) };
        let execution = Execution { seed: 5, threads, checkpoints: &checkpoints, progress: &Silent };
        transfer(&self.old, self.new.data(), &short_training(6), spec, execution)
    }
}

fn spec(json: serde_json::Value) -> TransferSpec {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_copy_starts_with_what_the_old_network_knows() {
    let case = Case::new();
    let result = case.run(&spec(serde_json::json!({"seeds": 2})), 1).unwrap();
    let report = &result.report;
    let head = report.tensors.iter().find(|t| t.tensor == "head.weight").unwrap();
    assert_eq!(head.action, Action::RowsMatchedByClass);
    assert_eq!(head.detail, "old rows of class 2, class 0, class 1; mean of the old rows and 1 % noise for class 3");
    assert_eq!((head.old_shape.clone(), head.new_shape.clone()), (Some(vec![3, 12]), Some(vec![4, 12])));
    assert!(report.tensors.iter().filter(|t| !t.tensor.starts_with("head")).all(|t| t.action == Action::Copied));
    let start = |strategy| report.runs.iter().find(|run| run.strategy == strategy).unwrap().curves.valid_accuracy[0];
    assert!(
        start(Strategy::Copy) > start(Strategy::Scratch) + 0.2,
        "{} {}",
        start(Strategy::Copy),
        start(Strategy::Scratch)
    );
    assert_eq!(start(Strategy::Copy), start(Strategy::Frozen));
    let seeds: Vec<u64> = report.runs.iter().map(|run| run.seed).collect();
    assert_eq!(seeds, [5, 6, 5, 6, 5, 6]);
    let run = &report.runs[report.best];
    assert_eq!(
        (&run.old_classes.classes[..], &run.new_classes.classes[..]),
        (&["class 2", "class 0", "class 1"].map(String::from)[..], &["class 3".to_string()][..])
    );
    assert_eq!(run.old_classes.rows + run.new_classes.rows, run.valid.rows as u64);
    assert_eq!(result.best_model().classes(), case.new.classes);
    assert_eq!(report.comparisons.len(), 2);
    assert!(
        report.comments.iter().any(|comment| comment.starts_with("before any step copy")),
        "{:#?}",
        report.comments
    );
}

#[test]
fn threads_change_neither_report_nor_weights() {
    let case = Case::new();
    let spec = spec(serde_json::json!({"seeds": 2, "release_epoch": 2}));
    let bytes = |threads| {
        let result = case.run(&spec, threads).unwrap();
        let models: Vec<_> = result.models.iter().map(|model| model.to_parts().unwrap()).collect();
        (serde_json::to_string(&result.report).unwrap(), models)
    };
    assert_eq!(bytes(1), bytes(3));
}

/// States by strategy and seed.
#[derive(Default)]
struct States(Mutex<BTreeMap<Training, Vec<u8>>>);

type Training = (&'static str, u64);

struct State<'a>(&'a States, Training);

impl Checkpoints for State<'_> {
    fn load(&self) -> Option<Vec<u8>> {
        self.0.0.lock().unwrap().get(&self.1).cloned()
    }
    fn is_due(&self) -> bool {
        true
    }
    fn save(&self, bytes: &[u8]) {
        self.0.0.lock().unwrap().insert(self.1, bytes.to_vec());
    }
}

/// Wants to stop after so many looks.
struct Looks(AtomicUsize);

impl Progress for Looks {
    fn update(&self, _: u64, _: u64, _: &str) {}
    fn warn(&self, _: &str) {}
    fn cancelled(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn an_interrupted_transfer_goes_on_and_further_seeds_cost_only_themselves() {
    let case = Case::new();
    let states = States::default();
    let run = |spec: &TransferSpec, looks: usize| {
        let place = |strategy: Strategy, seed: u64| -> Box<dyn Checkpoints + '_> {
            Box::new(State(&states, (strategy.name(), seed)))
        };
        let progress = Looks(AtomicUsize::new(looks));
        let execution = Execution { seed: 5, threads: 2, checkpoints: &place, progress: &progress };
        transfer(&case.old, case.new.data(), &short_training(6), spec, execution)
    };
    let bytes = |result: &TransferResult| {
        let models: Vec<_> = result.models.iter().map(|model| model.to_parts().unwrap()).collect();
        (serde_json::to_string(&result.report).unwrap(), models)
    };
    let two = spec(serde_json::json!({"seeds": 2, "release_epoch": 2}));
    let mut interrupts = 0;
    let result = loop {
        // Ten steps an epoch, 36 epochs: a few of them at a time.
        match run(&two, 47) {
            Ok(result) => break result,
            Err(TrainError::Cancelled(_)) => interrupts += 1,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(interrupts > 3 && result.resumed.iter().sum::<usize>() > 12, "{interrupts} {:?}", result.resumed);
    assert_eq!(bytes(&result), bytes(&case.run(&two, 1).unwrap()));
    let three = TransferSpec { seeds: 3, ..two };
    let more = run(&three, usize::MAX).unwrap();
    assert_eq!(more.resumed, [6, 6, 0, 6, 6, 0, 6, 6, 0]);
    assert_eq!(bytes(&more), bytes(&case.run(&three, 1).unwrap()));
}

#[test]
fn frozen_layers_stand_still_until_they_are_released() {
    let case = Case::new();
    let old = case.old.tensors().unwrap();
    let moved = |release: Option<usize>, layers: usize| -> Vec<String> {
        let spec = serde_json::json!({"strategies": ["frozen"], "seeds": 1, "frozen_layers": layers, "release_epoch": release});
        let result = case.run(&self::spec(spec), 1).unwrap();
        let new = result.best_model().tensors().unwrap();
        new.into_iter().filter(|(name, value)| old.get(name) != Some(value)).map(|(name, _)| name).collect()
    };
    let is_first = |name: &String| name.starts_with("branches.");
    let one = moved(None, 1);
    assert!(!one.iter().any(is_first), "{one:?}");
    assert!(one.iter().any(|name| name == "trunk.layers.0.norm.running_mean"));
    assert_eq!(moved(None, 3), ["head.bias", "head.weight"]);
    assert!(moved(Some(1), 1).iter().any(is_first));
}

#[test]
fn another_shape_is_copied_as_far_as_it_fits() {
    let case = Case::new();
    let network = serde_json::json!({"trunk": {"layers": [16, 10, 9]}, "text": {"layers": [6]}, "dropout": 0.1});
    let spec = spec(serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 1, "network": network}));
    let report = case.run(&spec, 2).unwrap().report;
    let action = |name: &str| report.tensors.iter().find(|t| t.tensor == name).unwrap().action;
    assert_eq!(action("trunk.layers.0.linear.weight"), Action::Copied);
    assert_eq!(action("trunk.layers.1.linear.weight"), Action::Reinitialised);
    assert_eq!(action("trunk.layers.2.norm.running_var"), Action::Reinitialised);
    assert_eq!(action("head.weight"), Action::Reinitialised);
    let network = serde_json::json!({"trunk": {"layers": [16]}, "text": {"layers": [6]}});
    let frozen = self::spec(serde_json::json!({"strategies": ["copy"], "seeds": 1, "network": network}));
    let report = case.run(&frozen, 1).unwrap().report;
    assert!(report.tensors.iter().any(|t| t.tensor == "trunk.layers.1.linear.weight" && t.action == Action::Skipped));
}

#[test]
fn what_cannot_be_transferred_is_named() {
    let mut case = Case::new();
    let error = |case: &Case, json| match case.run(&spec(json), 1) {
        Ok(_) => panic!("went through"),
        Err(error) => error.to_string(),
    };
    assert!(error(&case, serde_json::json!({"frozen_layers": 4})).contains("4 of 3 hidden layers cannot be frozen"));
    assert!(error(&case, serde_json::json!({"frozen_layers": 0})).contains("the same as copy"));
    assert!(error(&case, serde_json::json!({"seeds": 0})).contains("at least 1 training"));
    assert!(error(&case, serde_json::json!({"strategies": ["copy", "copy"]})).contains("copy is named twice"));
    let network = serde_json::json!({"trunk": {"layers": [20]}, "text": {"layers": [7]}});
    assert!(error(&case, serde_json::json!({"network": network})).contains("would stay random"));
    case.new.numeric.pop();
    assert!(error(&case, serde_json::json!({})).contains("the old network reads"));
}

fn made_run(strategy: Strategy, seed: u64, course: &[f64]) -> StrategyRun {
    let mut curves = Curves::default();
    for (epoch, score) in course.iter().enumerate() {
        curves.epoch.push(epoch as u32);
        curves.valid_macro_f1.push(*score);
    }
    let classes: Vec<String> = ["pop", "edm"].map(String::from).to_vec();
    let truth = [0, 0, 1, 1];
    let predicted = if strategy == Strategy::Copy { [0, 0, 1, 0] } else { [0, 1, 1, 1] };
    let (valid, old_classes, new_classes) = score_groups(&classes, &classes[..1], &truth, &predicted);
    let mut best_epoch = 1;
    for epoch in 2..course.len() {
        best_epoch = if course[epoch] > course[best_epoch] { epoch } else { best_epoch };
    }
    StrategyRun { strategy, seed, curves, best_epoch, diverged: None, valid, old_classes, new_classes }
}

#[test]
fn comments_say_what_the_figures_say() {
    let comments = |runs: Vec<StrategyRun>, strategies: &[&str], seeds: usize| {
        let spec = spec(serde_json::json!({"strategies": strategies, "seeds": seeds}));
        let classes: Vec<String> = ["pop", "edm"].map(String::from).to_vec();
        compare(runs, Vec::new(), &classes[..1], &classes, Metric::MacroF1, &spec)
    };
    let report = comments(
        vec![
            made_run(Strategy::Scratch, 1, &[0.1, 0.3, 0.5, 0.6]),
            made_run(Strategy::Scratch, 2, &[0.1, 0.3, 0.61, 0.55]),
            made_run(Strategy::Copy, 1, &[0.4, 0.6, 0.62, 0.701]),
            made_run(Strategy::Copy, 2, &[0.4, 0.62, 0.7, 0.71]),
        ],
        &["scratch", "copy"],
        2,
    );
    assert_eq!(
        report.comments,
        [
            "before any step copy has a validation macro-F1 of 0.400, scratch of 0.100",
            "copy reaches scratch's best validation macro-F1 (0.605 on average) after 1 epoch instead of 2.5 (medians)",
            "copy ends better than scratch: validation macro-F1 0.706 ± 0.006 against 0.605 ± 0.007, a difference of 0.100 (paired t-test over 2 seeds, p = 0.003)",
            "of the old classes' rows (pop) copy gets 100.0 % right, scratch 50.0 %",
            "of the new classes' rows (edm) copy gets 50.0 % right, scratch 100.0 %",
            "chosen on the validation part: copy (seed 2), macro-F1 0.710",
        ]
    );
    assert_eq!(report.best, 3);
    let report = comments(
        vec![
            made_run(Strategy::Scratch, 1, &[0.1, 0.60]),
            made_run(Strategy::Scratch, 2, &[0.1, 0.62]),
            made_run(Strategy::Frozen, 1, &[0.1, 0.62]),
            made_run(Strategy::Frozen, 2, &[0.1, 0.59]),
        ],
        &["scratch", "frozen"],
        2,
    );
    assert_eq!(
        report.comments[1..3],
        [
            "frozen reaches scratch's best validation macro-F1 (0.610 on average) after 1 epoch while the latter needs 1, with 1 of 2 seeds",
            "no difference beyond seed noise: validation macro-F1 of frozen 0.605 ± 0.021, of scratch 0.610 ± 0.014 (paired t-test over 2 seeds, p = 0.874)",
        ]
    );
    assert_eq!(report.best, 1);
    let report = comments(
        vec![made_run(Strategy::Scratch, 1, &[0.1, 0.6]), made_run(Strategy::Copy, 1, &[0.1, 0.5])],
        &["scratch", "copy"],
        1,
    );
    assert!(
        report.comments[1]
            .starts_with("copy never reaches scratch's best validation macro-F1 (0.600 on average) in 1 epoch")
    );
    assert!(report.comments[2].ends_with("one seed cannot tell this from chance"));
}
