//! Tests of whole searches on made-up curves, of the space, and of the estimator behind TPE.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::space::Axis;
use super::tpe::{Coordinates, Parzen, good};
use super::*;
use crate::progress::Silent;
use crate::train::{Curves, Metric};
use runner_results::search::Aspect;

fn spec(value: Value) -> SearchSpec {
    let spec: SearchSpec = serde_json::from_value(value).unwrap();
    assert_eq!(spec.problems(), []);
    spec
}

fn run(
    spec: &SearchSpec,
    seed: u64,
    threads: usize,
    trial: &RunTrial,
) -> Result<runner_results::search::Search, SearchError> {
    let written = json!({"lr": 0.9, "depth": 2});
    Search { spec, written: &written, epochs: 9, seed, threads, is_over: &|_| false }
        .run(&Silent, trial)
        .map(|found| found.search)
}

/// Curves that rise to a score in nine epochs.
fn rising(score: f64, rung: Option<usize>) -> TrialRun {
    let mut curves = Curves::default();
    for epoch in 0..=rung.unwrap_or(9) {
        let now = score * epoch as f64 / 9.0;
        curves.epoch.push(epoch as u32);
        curves.columns_mut().into_iter().for_each(|(_, values)| values.push(now));
        curves.valid_loss[epoch] = 1.0 - now;
    }
    TrialRun { best_epoch: Some(curves.len() - 1), diverged: None, curves }
}

/// A score that is largest at lr = 0.01 and depth = 2.
fn hill(params: &Point, rung: Option<usize>) -> Result<TrialRun, String> {
    let lr = params["lr"].as_f64().ok_or("lr is not a number")?;
    let depth = params.get("depth").and_then(Value::as_f64).unwrap_or(2.0);
    Ok(rising(1.0 - (lr.log10() + 2.0).abs() / 4.0 - (depth - 2.0).abs() / 10.0, rung))
}

#[test]
fn a_grid_tries_every_combination_and_finds_the_best() {
    let spec =
        spec(json!({"method": "grid", "space": {"lr": {"choice": [0.1, 0.01, 0.001]}, "depth": {"choice": [1, 2]}}}));
    let result = run(&spec, 0, 2, &hill).unwrap();
    assert_eq!(result.trials.len(), 6);
    assert_eq!(result.trials[result.best].params["lr"], json!(0.01));
    assert_eq!(result.trials[result.best].params["depth"], json!(2));
    assert!(result.trials.iter().all(|trial| trial.state == State::Complete && trial.epochs == 9));
}

#[test]
fn random_trials_are_the_same_for_any_number_of_threads_and_more_of_them_leave_the_first() {
    let forty = spec(json!({"method": "random", "trials": 40, "space": {"lr": {"log_uniform": [1e-4, 1.0]}}}));
    let one = run(&forty, 7, 1, &hill).unwrap();
    assert_eq!(one, run(&forty, 7, 3, &hill).unwrap());
    assert_eq!(one.trials[0].params["lr"], json!(0.9), "the parameters as written come first");
    assert_ne!(one, run(&forty, 8, 1, &hill).unwrap());
    let best = one.trials[one.best].params["lr"].as_f64().unwrap();
    assert!((0.004..0.025).contains(&best), "{best}");
    let more = run(&SearchSpec { trials: Some(50), ..forty }, 7, 2, &hill).unwrap();
    assert_eq!(one.trials[..], more.trials[..40]);
}

#[test]
fn tpe_is_the_same_for_any_number_of_threads_and_closes_in_on_the_best() {
    let space = json!({"lr": {"log_uniform": [1e-6, 1.0]}, "depth": {"integer": [1, 8]}});
    let tpe = spec(json!({"method": "tpe", "trials": 60, "space": space}));
    let random = SearchSpec { method: Method::Random, ..tpe.clone() };
    let mut gained = 0.0;
    for seed in 0..10 {
        let found = run(&tpe, seed, 1, &hill).unwrap();
        assert_eq!(found, run(&tpe, seed, 3, &hill).unwrap());
        let merit =
            |result: &runner_results::search::Search| result.trials[result.best].merit(Metric::MacroF1).unwrap();
        gained += merit(&found) - merit(&run(&random, seed, 1, &hill).unwrap());
        // A batch at the end of which a search stops is the same in a longer one.
        let more = run(&SearchSpec { trials: Some(80), ..tpe.clone() }, seed, 2, &hill).unwrap();
        assert_eq!(found.trials[..56], more.trials[..56]);
    }
    assert!(gained > 0.1, "over ten seeds TPE gains {gained} on random search");
}

#[test]
fn halving_lets_the_best_go_on_from_rung_to_rung() {
    let spec = spec(json!({
        "trials": 9, "pruning": {"factor": 3, "min_epochs": 1}, "space": {"lr": {"log_uniform": [1e-4, 1.0]}}
    }));
    let asked = Mutex::new(Vec::new());
    let trial = |params: &Point, rung: Option<usize>| {
        asked.lock().unwrap().push(rung);
        hill(params, rung)
    };
    let found = run(&spec, 3, 2, &trial).unwrap();
    let mut asked = asked.into_inner().unwrap();
    asked.sort();
    assert_eq!(asked, [vec![None], vec![Some(1); 9], vec![Some(3); 3]].concat());
    let epochs = |epochs: usize| found.trials.iter().filter(|trial| trial.epochs == epochs).count();
    assert_eq!([1, 3, 9].map(epochs), [6, 2, 1]);
    let best = &found.trials[found.best];
    assert_eq!((best.state, best.epochs), (State::Complete, 9));
    // Here the order never changes, so the best of all goes through.
    let all = run(&SearchSpec { pruning: None, ..spec.clone() }, 3, 1, &hill).unwrap();
    assert_eq!(all.best, found.best);
    assert_eq!(found, run(&spec, 3, 1, &hill).unwrap());
}

#[test]
fn hyperband_is_the_same_for_any_number_of_threads() {
    for method in ["random", "tpe"] {
        let spec = spec(json!({
            "method": method, "trials": 30, "pruning": {"kind": "hyperband", "min_epochs": 1},
            "space": {"lr": {"log_uniform": [1e-4, 1.0]}}
        }));
        let found = run(&spec, 3, 1, &hill).unwrap();
        assert_eq!(found, run(&spec, 3, 4, &hill).unwrap());
        assert_eq!(found.trials.len(), 30);
        let complete = found.trials.iter().filter(|trial| trial.state == State::Complete).count();
        // Brackets of 9, 5, 3 trials, again of 9, and the 4 that are left of a bracket of 5.
        assert_eq!(complete, 1 + 1 + 3 + 1 + 1);
    }
}

#[test]
fn the_error_of_the_first_failing_trial_is_told() {
    let spec = spec(json!({"method": "grid", "space": {"lr": {"choice": [0.1, "high"]}}}));
    let error = run(&spec, 0, 2, &hill).unwrap_err();
    assert_eq!(error.to_string(), "trial 1 (lr \"high\"): lr is not a number");
}

#[test]
fn a_diverging_trial_is_a_result_and_never_the_best() {
    let trial = |params: &Point, rung: Option<usize>| -> Result<TrialRun, String> {
        let lr = params["lr"].as_f64().unwrap();
        if lr > 1.0 {
            return Ok(TrialRun { curves: Curves::default(), best_epoch: None, diverged: Some(1) });
        }
        Ok(if lr > 0.5 { TrialRun { diverged: Some(3), ..rising(1.0, Some(2)) } } else { rising(0.1, rung) })
    };
    for pruning in [json!(null), json!({"min_epochs": 1})] {
        let spec = spec(
            json!({"method": "grid", "pruning": pruning, "space": {"lr": {"choice": [2.0, 0.7, 0.1]}}, "batch": 3}),
        );
        let found = run(&spec, 0, 1, &trial).unwrap();
        assert_eq!(found.best, 2);
        let states: Vec<State> = found.trials.iter().map(|trial| trial.state).collect();
        assert_eq!(states, [State::Diverged, State::Diverged, State::Complete]);
        assert_eq!(found.trials[0].valid, None);
    }
    let all = spec(json!({"method": "grid", "space": {"lr": {"choice": [2.0, 3.0]}}}));
    assert!(run(&all, 0, 1, &trial).unwrap_err().to_string().contains("every one of 2 trials"));
}

#[test]
fn loss_is_minimised() {
    let spec = spec(json!({"method": "grid", "metric": "loss", "space": {"lr": {"choice": [0.1, 0.01]}}}));
    assert_eq!(run(&spec, 0, 1, &hill).unwrap().best, 1);
}

#[test]
fn equal_points_run_once() {
    let spec = spec(json!({"trials": 20, "space": {"lr": {"choice": [0.1, 0.01]}}}));
    let runs = AtomicUsize::new(0);
    let trial = |params: &Point, rung: Option<usize>| {
        runs.fetch_add(1, Ordering::Relaxed);
        hill(params, rung)
    };
    let found = run(&spec, 0, 3, &trial).unwrap();
    assert_eq!((found.trials.len(), runs.into_inner()), (20, 3), "two choices, and what is written");
    assert!(found.trials.iter().all(|trial| trial.valid.is_some()));
}

#[test]
fn the_clock_ends_a_search_after_whole_trials_and_never_before_one() {
    let written = json!({"lr": 0.9});
    let space = json!({"lr": {"log_uniform": [1e-4, 1.0]}});
    for (rest, expected) in [
        (json!({}), 11),
        (json!({"method": "tpe"}), 11),
        // Competitors begin and end together.
        (json!({"pruning": {"min_epochs": 1}, "batch": 6}), 12),
        (json!({"trials": 4}), 4),
    ] {
        let mut value = json!({"minutes": 5, "space": space});
        value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let spec = spec(value);
        for threads in [1, 3] {
            let search = |is_over| {
                Search { spec: &spec, written: &written, epochs: 9, seed: 1, threads, is_over }
                    .run(&Silent, &hill)
                    .map(|found| found.search)
            };
            let found = search(&|begun| begun >= 11).unwrap();
            assert_eq!(found.trials.len(), expected, "{spec:?}");
            assert_eq!(found.out_of_time, expected > 4);
            assert_eq!(search(&|_| true).unwrap().trials.len(), if spec.batch == Some(6) { 6 } else { 1 });
            // The same number of trials, the same trials.
            let counted = SearchSpec { trials: Some(expected), minutes: None, ..spec.clone() };
            let counted =
                Search { spec: &counted, written: &written, epochs: 9, seed: 1, threads, is_over: &|_| false };
            assert_eq!(counted.run(&Silent, &hill).unwrap().search.trials, found.trials);
        }
    }
}

#[test]
fn lists_of_widths_are_judged_by_depth_and_width() {
    let spec = spec(json!({"method": "grid", "space": {
        "layers": {"choice": [[8], [8, 8], [32], [32, 32]]}, "lr": {"choice": [0.1, 0.2]}, "kind": {"choice": ["a", "b"]}
    }}));
    let trial = |params: &Point, rung: Option<usize>| -> Result<TrialRun, String> {
        let layers = params["layers"].as_array().unwrap();
        Ok(rising(0.2 * layers.len() as f64 + layers[0].as_f64().unwrap() / 320.0, rung))
    };
    let found = run(&spec, 0, 1, &trial).unwrap();
    let names: Vec<_> = found.factors.iter().map(|factor| (factor.path.as_str(), factor.aspect)).collect();
    let depth_and_width = [("layers", Some(Aspect::Depth)), ("layers", Some(Aspect::Width))];
    assert_eq!(names, [depth_and_width[0], depth_and_width[1], ("lr", None), ("kind", None)]);
    assert_eq!(found.factors[0].values[..5], [json!(1), json!(1), json!(1), json!(1), json!(2)]);
    // 0.2² against 0.075², and nothing else.
    let shares: Vec<f64> = found.factors.iter().map(|factor| factor.importance.unwrap()).collect();
    assert!((shares[0] - 0.877).abs() < 0.05 && (shares[1] - 0.123).abs() < 0.05, "{shares:?}");
    assert!(shares[2] < 0.02 && shares[3] < 0.02, "{shares:?}");
}

// With optuna 5.0.0; equal values in the order of trials, which numpy leaves open:
//
// sort = numpy.argsort; numpy.argsort = lambda a, **k: sort(a, **{**k, "kind": "stable"})
// P = _ParzenEstimatorParameters(prior_weight=1.0, consider_magic_clip=True, consider_endpoints=False, weights=default_weights, multivariate=True)
// space = {"lr": FloatDistribution(1e-4, 1e-1, log=True), "dropout": FloatDistribution(0.0, 0.5), "depth": IntDistribution(1, 5),
//          "width": IntDistribution(16, 512, log=True), "kind": CategoricalDistribution(["a", "b", "c"])}
// def seen(n):
//     i = np.arange(n)
//     return {"lr": 1e-4 * 1000 ** (((7 * i) % 11) / 11), "dropout": 0.5 * ((3 * i) % 7) / 7, "depth": 1.0 + (2 * i) % 5,
//             "width": 16.0 + (37 * i) % 400, "kind": (i % 3).astype(float)}
// at = {"lr": np.array([1e-4, 3e-3, 1e-1]), "dropout": np.array([0.0, 0.2, 0.5]), "depth": np.array([1.0, 3, 5]),
//       "width": np.array([16.0, 100, 512]), "kind": np.array([0.0, 1, 2])}
// for n in (0, 1, 2, 9, 40): print(_ParzenEstimator(seen(n), space, P).log_pdf(at))
// print([default_gamma(n) for n in (1, 10, 11, 40, 400)])
#[test]
fn the_density_is_that_of_optuna() {
    let line = |low, high, is_log, is_whole| Axis::Line { low, high, is_log, is_whole };
    let axes = [
        line(1e-4, 1e-1, true, false),
        line(0.0, 0.5, false, false),
        line(1.0, 5.0, false, true),
        line(16.0, 512.0, true, true),
        Axis::Choices(3),
    ];
    let seen = |i: usize| -> Coordinates {
        let lr = 1e-4 * 1000f64.powf(((7 * i) % 11) as f64 / 11.0);
        let dropout = 0.5 * ((3 * i) % 7) as f64 / 7.0;
        vec![lr, dropout, 1.0 + ((2 * i) % 5) as f64, 16.0 + ((37 * i) % 400) as f64, (i % 3) as f64]
    };
    let at = [[1e-4, 0.0, 1.0, 16.0, 0.0], [3e-3, 0.2, 3.0, 100.0, 1.0], [1e-1, 0.5, 5.0, 512.0, 2.0]];
    for (trials, expected) in EXPECTED_DENSITIES {
        let trials: Vec<Coordinates> = (0..trials).map(seen).collect();
        let parzen = Parzen::new(&axes, &trials);
        for (at, expected) in at.iter().zip(expected) {
            let found = parzen.log_density(at);
            assert!((found - expected).abs() < 1e-8, "{} trials at {at:?}: {found} is not {expected}", trials.len());
        }
    }
    assert_eq!([1, 10, 11, 40, 400].map(good), [1, 1, 2, 4, 25]);
}

const EXPECTED_DENSITIES: [(usize, [f64; 3]); 5] = [
    (0, [-8.260_204_256_995_682, -9.648_357_540_733_322, -11.730_543_664_847_948]),
    (1, [-7.268_702_882_120_99, -9.868_628_305_680_609, -12.223_736_224_658_195]),
    (2, [-5.993_951_304_767_565, -9.138_063_253_015_225, -12.771_264_014_641_757]),
    (9, [-2.731_047_787_991_895_5, -8.621_899_608_682_252, -14.031_809_762_655_657]),
    (40, [-3.521_090_376_853_696_3, -12.348_348_189_954_399, -15.247_670_513_517_162]),
];

#[test]
fn draws_follow_the_density() {
    let axis = Axis::Line { low: 0.0, high: 1.0, is_log: false, is_whole: false };
    let axes = [axis];
    let trials = vec![vec![0.2], vec![0.25], vec![0.9]];
    let parzen = Parzen::new(&axes, &trials);
    let mut stream = crate::rng::Stream::new(1, "test", 0);
    let draws: Vec<f64> = (0..20_000).map(|_| parzen.draw(&mut stream)[0]).collect();
    for bin in 0..10 {
        let (low, high) = (f64::from(bin) / 10.0, f64::from(bin + 1) / 10.0);
        let share = draws.iter().filter(|x| (low..high).contains(*x)).count() as f64 / draws.len() as f64;
        let mass: f64 =
            (0..100).map(|i| parzen.log_density(&[low + (f64::from(i) + 0.5) / 1000.0]).exp() / 1000.0).sum();
        assert!((share - mass).abs() < 0.012, "{low}: {share} drawn, {mass} expected");
    }
}

#[test]
fn points_are_put_at_their_paths() {
    let params = json!({"optimizer": {"lr": 0.1}, "network": {"trunk": {"layers": [8, 8]}}});
    let point = Point::from([
        ("optimizer.lr".to_owned(), json!(0.2)),
        ("network.trunk.layers.1".to_owned(), json!(4)),
        ("optimizer.momentum".to_owned(), json!(0.9)),
    ]);
    let applied = apply(&params, &point).unwrap();
    assert_eq!(applied, json!({"optimizer": {"lr": 0.2, "momentum": 0.9}, "network": {"trunk": {"layers": [8, 4]}}}));
    let nowhere = Point::from([("optimizer.lr.base".to_owned(), json!(1))]);
    assert!(apply(&params, &nowhere).unwrap_err().contains("optimizer.lr.base"));
}

#[test]
fn problems_name_their_path() {
    let paths = |value: Value| -> Vec<String> {
        let spec: SearchSpec = serde_json::from_value(value).unwrap();
        spec.problems().into_iter().map(|(path, _)| path).collect()
    };
    let space = json!({"a": {"uniform": [0, 1]}, "b": {"choice": []}});
    assert_eq!(paths(json!({"method": "grid", "space": space})), ["space.a", "space.b"]);
    let space = json!({"a": {"log_integer": [1, 8]}});
    assert_eq!(paths(json!({"minutes": 1, "pruning": {}, "space": space})), ["batch"]);
    assert_eq!(paths(json!({"batch": 9, "pruning": {"kind": "hyperband"}, "space": space})), ["batch"]);
    assert_eq!(paths(json!({"method": "grid", "trials": 3, "space": {"a": {"choice": [1]}}})), ["trials"]);
    assert_eq!(
        paths(json!({"pruning": {"factor": 1}, "space": {"epochs": {"integer": [1, 8]}}})),
        ["pruning.factor", "space.epochs"]
    );
}
