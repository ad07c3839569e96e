//! Every parameter of every kind at the ends of the range that its schema gives.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::table;
use crate::classical::fit::restore;
use crate::classical::{Baselines, Estimator, FitError};
use crate::progress::Progress;

/// Says stop after a while, and remembers warnings.
struct Patient {
    until: Instant,
    warnings: Mutex<Vec<String>>,
}

impl Patient {
    fn new() -> Self {
        Patient { until: Instant::now() + Duration::from_millis(300), warnings: Mutex::default() }
    }
}

impl Progress for Patient {
    fn update(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}
    fn warn(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }
    fn cancelled(&self) -> bool {
        Instant::now() > self.until
    }
}

/// The ends of a parameter's range; just within it where an end does not belong to it.
fn ends(schema: &Value) -> Vec<Value> {
    let mut ends: Vec<Value> = ["minimum", "maximum"].iter().filter_map(|key| schema.get(*key)).cloned().collect();
    if schema["exclusiveMinimum"] == 0.0 {
        ends.extend([json!(f64::MIN_POSITIVE), json!(1e-300), json!(1e-30)]);
    }
    if let Some(below) = schema["exclusiveMaximum"].as_f64() {
        ends.push(json!(below.next_down()));
    }
    ends
}

/// Every kind with one parameter at an end of its range.
fn cases() -> Vec<(String, Value)> {
    let schema = serde_json::to_value(schemars::schema_for!(Baselines)).unwrap();
    let mut cases = Vec::new();
    for (kind, _) in Baselines::all().estimators() {
        let reference = &schema["properties"][&kind]["anyOf"][0]["$ref"];
        let name = reference.as_str().and_then(|path| path.rsplit('/').next()).unwrap();
        for (parameter, rule) in schema["$defs"][name]["properties"].as_object().into_iter().flatten() {
            cases.extend(ends(rule).into_iter().map(|value| (kind.clone(), json!({parameter: value}))));
        }
    }
    cases
}

fn estimator(kind: &str, parameters: &Value) -> Box<dyn Estimator> {
    let models: Baselines = serde_json::from_value(json!({kind: parameters})).unwrap();
    models.estimators().remove(0).1
}

#[test]
fn every_parameter_at_its_ends_gives_probabilities_or_one_clear_error() {
    let (x, y) = table(60, true);
    let cases = cases();
    assert!(cases.len() > 60, "{}", cases.len());
    for (kind, parameters) in cases {
        let estimator = estimator(&kind, &parameters);
        let (progress, begun) = (Patient::new(), Instant::now());
        let fitted = estimator.fit(&x, &y, 3, 1, &progress);
        assert!(begun.elapsed() < Duration::from_secs(10), "{kind} {parameters}: {:?}", begun.elapsed());
        let model = match fitted {
            Ok(model) => model,
            Err(FitError::Cancelled(_)) => continue,
            Err(error) => panic!("{kind} {parameters} is in its range, but {error}"),
        };
        let probabilities = model.predict_probabilities(&x);
        for i in 0..x.rows {
            let row = probabilities.row(i);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{kind} {parameters}: {row:?}");
        }
        let mut arrays = crate::classical::Arrays::default();
        model.put(&mut arrays);
        let arrays = crate::classical::Arrays::from_bytes(&arrays.to_bytes().unwrap()).unwrap();
        let again = restore(estimator.as_ref(), arrays, x.shape(), 3).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(again.predict_probabilities(&x), probabilities, "{kind} {parameters}");
    }
}

#[test]
fn machines_without_support_vectors_say_so() {
    let (x, y) = table(60, true);
    for parameters in [json!({"tolerance": 3}), json!({"tolerance": 1e6}), json!({"c": 1e-300})] {
        let progress = Patient::new();
        let model = estimator("rbf_svm", &parameters).fit(&x, &y, 3, 1, &progress).unwrap();
        let probabilities = model.predict_probabilities(&x);
        assert!((1..60).all(|i| probabilities.row(i) == probabilities.row(0)), "{parameters}");
        let warnings = progress.warnings.into_inner().unwrap();
        assert!(warnings.iter().any(|warning| warning.contains("no support vectors")), "{warnings:?}");
    }
}
