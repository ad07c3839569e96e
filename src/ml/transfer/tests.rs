//! Tests: transfers through the public door.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use runner_results::transfer::{Action, MatchedRows, TransferFinding};

use super::*;
use crate::progress::Silent;
use crate::rng::Stream;
use crate::train::fixture::{Fixture, short_training, small_network};
use crate::train::{NoCheckpoints, train};

/// Three classes learnt, then a fourth one, with the classes in another order.
struct Case {
    old: Classifier,
    new: Fixture,
    test: Vec<usize>,
}

impl Case {
    fn new() -> Self {
        Case::with(small_network(), |_| {})
    }

    /// With another network, and what `change` makes of both data sets.
    fn with(network: NetworkSpec, change: impl Fn(&mut Fixture)) -> Self {
        let mut before = Fixture::new(400, 4);
        change(&mut before);
        before.train.retain(|&i| before.labels[i] < 3);
        before.valid.retain(|&i| before.labels[i] < 3);
        before.classes.truncate(3);
        let old = train(before.data(), &network, &short_training(15), 1, &Silent).unwrap().model;
        let mut new = Fixture::new(400, 4);
        change(&mut new);
        new.classes = ["class 2", "class 3", "class 0", "class 1"].map(String::from).to_vec();
        new.labels.iter_mut().for_each(|label| *label = [2, 3, 0, 1][*label as usize]);
        let test = new.valid.split_off(new.valid.len() / 2);
        Case { old, new, test }
    }

    /// With a column of categories: the old classes' rows know five artists, the new class' rows two others.
    fn with_artists() -> Self {
        let network =
            serde_json::json!({"trunk": {"layers": [16]}, "text": {"layers": [6]}, "categories": {"width": 4}});
        Case::with(serde_json::from_value(network).unwrap(), |fixture| {
            let mut stream = Stream::new(3, "artists", 0);
            let mut name = |label: u32| match label {
                3 => format!("new {}", stream.below(2)),
                label => format!("old {}", (label as usize + stream.below(3)) % 5),
            };
            let names = fixture.labels.iter().map(|label| Some(name(*label))).collect();
            fixture.frame.insert_categories("artist", names);
            fixture.categories = vec!["artist".into()];
        })
    }

    fn run(&self, spec: &TransferSpec, threads: usize) -> Result<TransferResult, TrainError> {
        let checkpoints = |_: &Variant| -> Box<dyn Checkpoints> { Box::new(NoCheckpoints) };
        let execution = Execution { seed: 5, threads, groups: &[], checkpoints: &checkpoints, progress: &Silent };
        transfer(&self.old, self.new.data(), &self.test, &short_training(6), spec, execution)
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
    let head = report.found.tensors.iter().find(|t| t.tensor == "head.weight").unwrap();
    assert_eq!(head.action, Action::RowsMatchedByClass);
    let names = |classes: &[u32]| classes.iter().map(|class| format!("class {class}")).collect();
    let rows =
        MatchedRows::Classes { kept: names(&[2, 0, 1]), added: names(&[3]), dropped: Vec::new(), start: NewRows::Mean };
    assert_eq!(head.rows, Some(rows));
    assert_eq!((head.old_shape.clone(), head.new_shape.clone()), (Some(vec![3, 12]), Some(vec![4, 12])));
    assert!(report.found.tensors.iter().filter(|t| !t.tensor.starts_with("head")).all(|t| t.action == Action::Copied));
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
        (&run.valid.old_classes.classes[..], &run.valid.new_classes.classes[..]),
        (&["class 2", "class 0", "class 1"].map(String::from)[..], &["class 3".to_string()][..])
    );
    let scores = &run.valid;
    assert_eq!(scores.old_classes.rows + scores.new_classes.rows, scores.all.rows as u64);
    let (retained, right) = (scores.retained.unwrap(), scores.old_classes.accuracy.unwrap());
    assert!(retained >= right, "{retained} {right}");
    assert_eq!(run.test.as_ref().unwrap().all.rows, case.test.len());
    assert_eq!(result.best_model().classes(), case.new.classes);
    assert_eq!(report.found.comparisons.len(), 2);
    let is_start =
        |finding: &TransferFinding| matches!(finding, TransferFinding::Start { strategy: Strategy::Copy, .. });
    assert!(report.found.findings.iter().any(is_start), "{:#?}", report.found.findings);
}

#[test]
fn threads_change_neither_report_nor_weights() {
    let case = Case::new();
    let spec = spec(serde_json::json!({"seeds": 2, "release_epoch": 2, "shares": [0.3]}));
    let bytes = |threads| {
        let result = case.run(&spec, threads).unwrap();
        let models: Vec<_> = result.models.iter().map(|model| model.to_parts().unwrap()).collect();
        (format!("{:?}", result.report), models)
    };
    assert_eq!(bytes(1), bytes(3));
}

/// States by strategy and seed.
#[derive(Default)]
struct States(Mutex<BTreeMap<Training, Vec<u8>>>);

type Training = (&'static str, u64, String);

struct State<'a>(&'a States, Training);

impl Checkpoints for State<'_> {
    fn load(&self) -> Option<Vec<u8>> {
        self.0.0.lock().unwrap().get(&self.1).cloned()
    }
    fn is_due(&self) -> bool {
        true
    }
    fn save(&self, bytes: &[u8]) {
        self.0.0.lock().unwrap().insert(self.1.clone(), bytes.to_vec());
    }
}

/// Wants to stop after so many looks.
struct Looks(AtomicUsize);

impl Progress for Looks {
    fn update(&self, _: u64, _: u64, _: &str, _: &str) {}
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
        let place = |variant: &Variant| -> Box<dyn Checkpoints + '_> {
            Box::new(State(&states, (variant.strategy.name(), variant.seed, variant.share.to_string())))
        };
        let progress = Looks(AtomicUsize::new(looks));
        let execution = Execution { seed: 5, threads: 2, groups: &[], checkpoints: &place, progress: &progress };
        transfer(&case.old, case.new.data(), &case.test, &short_training(6), spec, execution)
    };
    let bytes = |result: &TransferResult| {
        let models: Vec<_> = result.models.iter().map(|model| model.to_parts().unwrap()).collect();
        (format!("{:?}", result.report), models)
    };
    let two =
        spec(serde_json::json!({"seeds": 2, "release_epoch": 2, "strategies": ["copy", "frozen"], "shares": [0.5]}));
    let mut interrupts = 0;
    let result = loop {
        // Nine or ten steps an epoch, 48 epochs: a few of them at a time.
        match run(&two, 47) {
            Ok(result) => break result,
            Err(TrainError::Cancelled(_)) => interrupts += 1,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(interrupts > 3 && result.resumed > 12, "{interrupts} {}", result.resumed);
    assert_eq!(bytes(&result), bytes(&case.run(&two, 1).unwrap()));
    let three = TransferSpec { seeds: 3, ..two };
    let more = run(&three, usize::MAX).unwrap();
    assert_eq!(more.resumed, 48);
    assert_eq!(bytes(&more), bytes(&case.run(&three, 1).unwrap()));
}

#[test]
fn frozen_layers_stand_still_until_they_are_released() {
    let case = Case::new();
    let old = case.old.tensors().unwrap();
    let moved = |release: Option<f64>, layers: usize| -> Vec<String> {
        let spec = serde_json::json!({"strategies": ["frozen"], "seeds": 1, "frozen_layers": layers, "release_share": release});
        let result = case.run(&self::spec(spec), 1).unwrap();
        let new = result.best_model().tensors().unwrap();
        new.into_iter().filter(|(name, value)| old.get(name) != Some(value)).map(|(name, _)| name).collect()
    };
    let is_first = |name: &String| name.starts_with("branches.");
    let one = moved(None, 1);
    assert!(!one.iter().any(is_first), "{one:?}");
    assert!(one.iter().any(|name| name == "trunk.layers.0.norm.running_mean"));
    assert_eq!(moved(None, 3), ["head.bias", "head.weight"]);
    // One epoch of six.
    assert!(moved(Some(0.2), 1).iter().any(is_first));
}

#[test]
fn another_shape_is_copied_as_far_as_it_fits() {
    let case = Case::new();
    let network = serde_json::json!({"trunk": {"layers": [16, 10, 9]}, "text": {"layers": [6]}, "dropout": 0.1});
    let spec = spec(serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 1, "network": network}));
    let report = case.run(&spec, 2).unwrap().report;
    let action = |name: &str| report.found.tensors.iter().find(|t| t.tensor == name).unwrap().action;
    assert_eq!(action("trunk.layers.0.linear.weight"), Action::Copied);
    assert_eq!(action("trunk.layers.1.linear.weight"), Action::Sliced);
    assert_eq!(action("trunk.layers.2.norm.running_var"), Action::Reinitialised);
    assert_eq!(action("head.weight"), Action::Sliced);
    assert_eq!(action("head.bias"), Action::RowsMatchedByClass);
    let network = serde_json::json!({"trunk": {"layers": [16]}, "text": {"layers": [6]}});
    let frozen = self::spec(serde_json::json!({"strategies": ["copy"], "seeds": 1, "network": network}));
    let report = case.run(&frozen, 1).unwrap().report;
    assert!(
        report.found.tensors.iter().any(|t| t.tensor == "trunk.layers.1.linear.weight" && t.action == Action::Skipped)
    );
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
    assert!(error(&case, serde_json::json!({"shares": [0.5, 0.2]})).contains("from the least to the greatest"));
    assert!(error(&case, serde_json::json!({"shares": [1.0]})).contains("each must be in (0, 1); got 1"));
    let both = serde_json::json!({"release_share": 0.3, "release_epoch": 2});
    assert!(error(&case, both).contains("release_epoch says when, too"));
    let network = serde_json::json!({"trunk": {"layers": [20]}, "text": {"layers": [7]}});
    assert!(error(&case, serde_json::json!({"network": network})).contains("would stay random"));
    case.new.numeric.pop();
    assert!(error(&case, serde_json::json!({})).contains("the old network reads"));
}

#[test]
fn rows_of_categories_are_matched_by_value() {
    let case = Case::with_artists();
    let result =
        case.run(&spec(serde_json::json!({"strategies": ["scratch", "copy", "frozen"], "seeds": 1})), 1).unwrap();
    let name = "branches.category_artist.embedding.table";
    let table = result.report.found.tensors.iter().find(|t| t.tensor == name).unwrap();
    assert_eq!(table.action, Action::RowsMatchedByValue);
    assert_eq!((table.old_shape.clone(), table.new_shape.clone()), (Some(vec![6, 4]), Some(vec![8, 4])));
    assert_eq!(table.rows, Some(MatchedRows::Values { kept: 5, added: 2, start: NewRows::Mean }));
    let values = |model: &Classifier| model.preprocessing().categories[0].values.clone();
    assert_eq!(values(&case.old), ["old 0", "old 1", "old 2", "old 3", "old 4"]);
    assert_eq!(values(result.best_model()), ["new 0", "new 1", "old 0", "old 1", "old 2", "old 3", "old 4"]);
    // The table stands still in the frozen network: its rows are what the transfer made of them.
    let rows = |model: &Classifier| -> Vec<Vec<f32>> {
        model.tensors().unwrap()[name].1.chunks(4).map(<[f32]>::to_vec).collect()
    };
    let (old, new) = (rows(&case.old), rows(&result.models[2]));
    assert_eq!((&new[0], &new[3..]), (&old[0], &old[1..]));
    let near = |row: &[f32]| row.iter().zip(&old[0]).all(|(new, unknown)| (new - unknown).abs() < 0.1);
    assert!(near(&new[1]) && near(&new[2]) && new[1] != new[2], "{new:?} {old:?}");
    let fresh = serde_json::json!({"strategies": ["frozen"], "seeds": 1, "new_rows": "fresh"});
    let error = case.run(&spec(fresh), 1).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("embedding.table' cannot be copied"), "{error}");
}

#[test]
fn values_of_few_rows_stay_unknown() {
    let case = Case::with_artists();
    let strategies = serde_json::json!({"strategies": ["copy"], "seeds": 1, "min_count": 1000});
    let result = case.run(&spec(strategies), 1).unwrap();
    let table = result.report.found.tensors.iter().find(|t| t.tensor.ends_with("table")).unwrap();
    assert_eq!(table.action, Action::Copied);
}

#[test]
fn lower_layers_move_less_at_lower_rates() {
    let case = Case::new();
    let old = case.old.tensors().unwrap();
    let moved = |strategy: &str, rate: f64| -> Vec<f64> {
        let spec = serde_json::json!({"strategies": [strategy], "seeds": 1, "layer_rate": rate});
        let new = case.run(&self::spec(spec), 1).unwrap().best_model().tensors().unwrap();
        let distance = |name: &&str| -> f64 {
            let pairs = old[*name].1.iter().zip(&new[*name].1);
            (pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / old[*name].1.len() as f64).sqrt()
        };
        let lower = ["branches.text_title.layers.0.linear.weight", "trunk.layers.0.linear.weight"];
        lower.iter().chain(&["trunk.layers.1.linear.weight"]).map(distance).collect()
    };
    let (alike, slower) = (moved("copy", 1.0), moved("discriminative", 0.1));
    assert_eq!(moved("discriminative", 1.0), alike);
    let share: Vec<f64> = slower.iter().zip(&alike).map(|(slower, alike)| slower / alike).collect();
    assert!(share[0] < 0.01 && share[1] < 0.05 && share[2] < 0.4, "{share:?}");
    assert!(share[0] < share[1] && share[1] < share[2], "{share:?}");
}

#[test]
fn shares_of_the_new_rows_are_nested_and_leave_the_old_rows_alone() {
    let case = Case::new();
    let data = case.new.data();
    let at = |share: f64, seed: u64| inputs::part_of_new(&data, case.old.classes(), share, seed);
    let is_new = |row: &&usize| data.labels[**row] == 1;
    let (few, many) = (at(0.1, 5), at(0.5, 5));
    assert!(few.iter().all(|row| many.contains(row)));
    // 75 of the 300 training rows are of the new class.
    assert_eq!([&few, &many].map(|rows| rows.iter().filter(is_new).count()), [8, 38]);
    assert_eq!([&few, &many].map(|rows| rows.len()), [225 + 8, 225 + 38]);
    assert_eq!(at(1.0, 5), case.new.train);
    assert_ne!(at(0.5, 6), many);
    let report =
        case.run(&spec(serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 2, "shares": [0.1, 0.5]})), 2);
    let report = report.unwrap().report;
    let runs: Vec<(f64, &str, u64, u64)> =
        report.share_runs.iter().map(|run| (run.share, run.strategy.name(), run.seed, run.new_rows)).collect();
    let expected = [(0.1, "scratch", 5, 8), (0.1, "scratch", 6, 8), (0.1, "copy", 5, 8), (0.1, "copy", 6, 8)];
    assert_eq!(runs[..4], expected);
    assert_eq!(runs[4..].iter().map(|run| run.3).collect::<Vec<_>>(), [38; 4]);
    assert_eq!(report.found.share_comparisons.len(), 2);
    let tells_of_shares =
        |finding: &TransferFinding| matches!(finding, TransferFinding::Shares { strategy: Strategy::Copy, .. });
    assert!(report.found.findings.iter().any(tells_of_shares), "{:#?}", report.found.findings);
}

#[test]
fn an_ensemble_that_shares_its_trunk_is_carried_over_whole() {
    let network = serde_json::json!({"trunk": {"kind": "tabm", "layers": [12], "members": 3}, "text": {"layers": [6]},
        "numeric": {"embedding": "periodic", "scale": true}, "fusion": "gated", "fusion_width": 8});
    let case = Case::with(serde_json::from_value(network).unwrap(), |_| {});
    let report = case.run(&spec(serde_json::json!({"strategies": ["copy"], "seeds": 1})), 1).unwrap().report;
    assert!(report.found.tensors.iter().any(|t| t.tensor == "trunk.layers.0.adapter"));
    for tensor in &report.found.tensors {
        let head = tensor.tensor.starts_with("head.");
        let expected = if head { Action::RowsMatchedByClass } else { Action::Copied };
        assert_eq!(tensor.action, expected, "{tensor:?}");
    }
    let accuracy = report.runs[0].curves.valid_accuracy[0];
    assert!(accuracy > 0.5, "the old classes are known from the start: {accuracy}");
}
