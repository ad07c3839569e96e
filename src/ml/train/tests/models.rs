//! Tests: models as bytes, and what they predict.

use super::*;
use crate::calibration::Calibration;
use crate::frame::Column;

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
    assert!(error(&weights, &changed("/temperature", 0.into())).contains("temperature is 0"));
    assert!(error(&weights, &changed("/format", "other".into())).contains("format is 'other'"));
    assert!(error(&weights, &serde_json::json!({})).contains("recipe cannot be read"));
}

#[test]
fn weights_that_are_not_finite_are_refused_by_name() {
    use safetensors::tensor::{SafeTensors, TensorView};
    let fixture = Fixture::new(300, 3);
    let (weights, recipe) = fitted(&fixture, 1).model.to_parts().unwrap();
    let file = SafeTensors::deserialize(&weights).unwrap();
    for (i, name) in file.names().into_iter().enumerate() {
        let mut values = file.tensor(name).unwrap().data().to_vec();
        let end = values.len();
        values[end - 4..].copy_from_slice(&[f32::NAN, f32::INFINITY][i % 2].to_le_bytes());
        let tensors = file.tensors().into_iter().map(|(own, view)| {
            let data = if own == *name { values.as_slice() } else { view.data() };
            let view = TensorView::new(view.dtype(), view.shape().to_vec(), data).unwrap();
            (own, view)
        });
        let damaged = safetensors::serialize(tensors.collect::<Vec<_>>(), None).unwrap();
        let error = Classifier::from_parts(&damaged, &recipe).err().expect("refused").to_string();
        assert!(error.contains(&format!("'{name}'")) && error.contains("not finite"), "{error}");
    }
}

/// What a damaged store gives back ends in a model or an error.
#[test]
fn no_damage_to_a_models_files_panics() {
    let fixture = Fixture::new(60, 3);
    let (weights, recipe) = fitted(&fixture, 1).model.to_parts().unwrap();
    let recipe = recipe.to_string().into_bytes();
    for i in 0..400 {
        let mut draw = crate::rng::Stream::new(15, "damage", i);
        let mut damaged = [weights.clone(), recipe.clone()];
        let file = &mut damaged[draw.below(2)];
        for _ in 0..1 + draw.below(3) {
            let at = draw.below(file.len());
            file[at] = if draw.below(2) == 0 { draw.below(256) as u8 } else { b"0918\"{}[],-"[draw.below(11)] };
        }
        let [weights, recipe] = damaged;
        let Ok(recipe) = serde_json::from_slice::<serde_json::Value>(&recipe) else { continue };
        if let Ok(model) = Classifier::from_parts(&weights, &recipe) {
            let _ = model.predict_probabilities(&fixture.frame);
        }
    }
}

#[test]
fn a_temperature_changes_confidence_and_no_class() {
    let fixture = Fixture::new(300, 3);
    let mut model = fitted(&fixture, 3).model;
    let before = model.predict_probabilities(&fixture.frame).unwrap();
    model.set_calibration(Calibration { temperature: 2.0, ..Calibration::NONE });
    let (weights, recipe) = model.to_parts().unwrap();
    let after = Classifier::from_parts(&weights, &recipe).unwrap().predict_probabilities(&fixture.frame).unwrap();
    assert_eq!(after.argmax_rows(), before.argmax_rows());
    for (after, before) in after.data.chunks(3).zip(before.data.chunks(3)) {
        let roots: Vec<f64> = before.iter().map(|p| f64::from(*p).sqrt()).collect();
        let total: f64 = roots.iter().sum();
        assert!(after.iter().zip(&roots).all(|(after, root)| (f64::from(*after) - root / total).abs() < 1e-5));
    }
}

#[test]
fn a_bias_moves_probabilities_and_leaves_what_is_predicted() {
    let fixture = Fixture::new(300, 3);
    let mut model = fitted(&fixture, 3).model;
    let before = model.predict_probabilities(&fixture.frame).unwrap();
    let bias = vec![-1.0, 0.0, 2.0];
    let decision = bias.iter().map(|bias: &f64| -bias).collect();
    model.set_calibration(Calibration { temperature: 1.5, bias, decision, ..Calibration::NONE });
    let (weights, recipe) = model.to_parts().unwrap();
    let read = Classifier::from_parts(&weights, &recipe).unwrap();
    let after = read.predict_probabilities(&fixture.frame).unwrap();
    assert_eq!(read.calibration().decide(&after), before.argmax_rows());
    assert_ne!(after.argmax_rows(), before.argmax_rows());
    let mut short = recipe.clone();
    short["bias"] = serde_json::json!([1.0]);
    let error = Classifier::from_parts(&weights, &short).err().unwrap().to_string();
    assert!(error.contains("for each of 3 classes"), "{error}");
}

#[test]
fn units_that_never_fire_are_counted() {
    use safetensors::tensor::{SafeTensors, TensorView};
    let fixture = Fixture::new(300, 3);
    let network = serde_json::from_str(r#"{"trunk": {"layers": [16, 12]}, "batch_norm": false}"#).unwrap();
    let model = train(fixture.data(), &network, &short_training(2), 1, &Silent).unwrap().model;
    let all: Vec<usize> = (0..300).collect();
    let alive = model.silent_units(&fixture.frame, &all).unwrap().unwrap();
    let (weights, recipe) = model.to_parts().unwrap();
    // Five units of the second layer get a threshold that no row reaches.
    let file = SafeTensors::deserialize(&weights).unwrap();
    let name = "trunk.layers.1.linear.bias";
    let mut bias = file.tensor(name).unwrap().data().to_vec();
    bias.chunks_exact_mut(4).take(5).for_each(|bytes| bytes.copy_from_slice(&(-1e6f32).to_le_bytes()));
    let tensors = file.tensors().into_iter().map(|(own, view)| {
        let data = if own == name { bias.as_slice() } else { view.data() };
        let view = TensorView::new(view.dtype(), view.shape().to_vec(), data).unwrap();
        (own, view)
    });
    let silenced = safetensors::serialize(tensors.collect::<Vec<_>>(), None).unwrap();
    let units =
        Classifier::from_parts(&silenced, &recipe).unwrap().silent_units(&fixture.frame, &all).unwrap().unwrap();
    assert!(units.all == alive.all && units.all >= 28, "{units:?} {alive:?}");
    assert!((5..=5 + alive.dead).contains(&units.dead), "{units:?} {alive:?}");
    // An activation that is never exactly zero has no dead units.
    let mish = serde_json::from_str(r#"{"trunk": {"layers": [4]}, "activation": "mish"}"#).unwrap();
    let model = train(fixture.data(), &mish, &short_training(1), 1, &Silent).unwrap().model;
    assert_eq!(model.silent_units(&fixture.frame, &all).unwrap(), None);
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
    assert!(with("a", Column::Numeric(vec![f64::NEG_INFINITY])).unwrap_err().contains("-inf in row 0"));
    assert!(with("title", Column::Vector { dim: 4, values: vec![0.0; 4] }).unwrap_err().contains("same encoder"));
    assert!(model.predict_probabilities(&Frame::new(3)).unwrap_err().to_string().contains("'a' is missing"));
    let none = model.predict_probabilities(&fixture.frame.take(&[])).unwrap();
    assert_eq!((none.rows, none.cols), (0, 2));
}

// Interpreters with numpy, or with numpy and torch; `.ci/run` names the first. Without them there is nothing to compare with.
#[test]
fn a_numpy_script_gives_the_same_predictions() {
    agrees_with("RUNNER_TEST_PYTHON", "python/predict_json.py");
}

#[test]
fn a_pytorch_module_loads_the_weights_and_gives_the_same_predictions() {
    agrees_with("RUNNER_TEST_PYTORCH", "python/pytorch_predict.py");
}

/// Runs a script of `tests/` with the interpreter that the variable names, on models of every scaling, activation and kind.
fn agrees_with(variable: &str, script: &str) {
    let Some(python) = std::env::var_os(variable) else {
        return;
    };
    let script = format!("{}/../../tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let fixture = Fixture::new(200, 3).with_artists();
    let folder = tempfile::tempdir().unwrap();
    let numbers = |values: &[f64]| -> serde_json::Value { values.iter().map(|x| serde_json::json!(x)).collect() };
    let mut rows = serde_json::Map::new();
    for (name, column) in &fixture.frame.columns {
        let values = match column {
            Column::Numeric(values) => numbers(values),
            Column::Vector { dim, values } => values.chunks(*dim).map(|v| serde_json::json!(v)).collect(),
            Column::Text(values) => serde_json::json!(values),
            Column::Tokens { .. } => continue,
        };
        rows.insert(name.clone(), values);
    }
    std::fs::write(folder.path().join("rows.json"), serde_json::to_string(&rows).unwrap()).unwrap();
    for network in [
        serde_json::json!({"scaling": "standard", "numeric": {"layers": [7]}}),
        serde_json::json!({"scaling": "robust", "activation": "gelu", "batch_norm": false, "numeric": {"layers": [7]}}),
        serde_json::json!({"activation": "mish", "numeric": {"layers": [7]}, "text": {"normalize": true}}),
        serde_json::json!({"scaling": "standard", "activation": "selu", "batch_norm": false, "fusion": "gated"}),
        serde_json::json!({"activation": "silu", "numeric": {"embedding": "piecewise_linear"}, "trunk": {"kind": "tabm", "members": 3}}),
        serde_json::json!({"scaling": "robust", "activation": "tanh", "numeric": {"embedding": "periodic", "scale": true},
            "parametrization": "ntk", "fusion": "late", "trunk": {"kind": "residual", "layers": [8, 8]}}),
    ] {
        let what = network.to_string();
        let network = serde_json::from_value(network).unwrap();
        let mut model = train(fixture.data(), &network, &short_training(2), 1, &Silent).unwrap().model;
        let bias = vec![0.4, -0.3, 0.0];
        model.set_calibration(Calibration { temperature: 1.3, bias, ..Calibration::NONE });
        let (weights, recipe) = model.to_parts().unwrap();
        std::fs::write(folder.path().join("model.safetensors"), weights).unwrap();
        std::fs::write(folder.path().join("model.json"), recipe.to_string()).unwrap();
        let files = ["model.safetensors", "model.json", "rows.json"].map(|name| folder.path().join(name));
        let output = std::process::Command::new(&python).arg(&script).args(files).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs: Vec<Vec<f64>> = serde_json::from_slice(&output.stdout).unwrap();
        let ours = model.predict_probabilities(&fixture.frame).unwrap();
        assert_eq!(theirs.len(), ours.rows);
        for (i, row) in theirs.iter().enumerate() {
            for (ours, theirs) in ours.row(i).iter().zip(row) {
                assert!((f64::from(*ours) - theirs).abs() < 2e-5, "{what}: {ours} and {theirs}");
            }
        }
    }
}

#[test]
fn a_missing_category_that_training_saw_is_one_of_its_own() {
    let mut fixture = Fixture::new(300, 3).with_artists();
    let mut values = fixture.frame.categories("artist").unwrap().to_vec();
    values.iter_mut().step_by(5).for_each(|value| *value = None);
    fixture.frame.insert_categories("artist", values);
    let model = fitted(&fixture, 1).model;
    let column = &model.preprocessing().categories[0];
    assert!(column.missing && column.values.len() == 6);
    let with = |value: Option<&str>| {
        let mut frame = fixture.frame.take(&[0]);
        frame.insert_categories("artist", vec![value.map(str::to_owned)]);
        model.predict_probabilities(&frame).unwrap()
    };
    assert_ne!(with(None), with(Some("somebody else")));
    // Kept with the model.
    let text = serde_json::to_string(column).unwrap();
    assert!(text.ends_with(r#""missing":true}"#), "{text}");
}

#[test]
fn a_value_that_training_did_not_see_is_predicted_as_an_unknown_one() {
    let fixture = Fixture::new(300, 3).with_artists();
    let model = fitted(&fixture, 1).model;
    let values = &model.preprocessing().categories[0].values;
    assert_eq!(values[..], ["artist 0", "artist 1", "artist 2", "artist 3", "artist 4", "artist 5"]);
    let with = |value: Option<&str>| {
        let mut frame = fixture.frame.take(&[0]);
        frame.insert_categories("artist", vec![value.map(str::to_owned)]);
        model.predict_probabilities(&frame).unwrap()
    };
    assert_eq!(with(Some("somebody else")), with(None));
    assert_ne!(with(Some("artist 0")), with(None));
    // Six artists have 37 or 38 training rows each: none is frequent enough.
    let rare = serde_json::from_str(r#"{"categories": {"min_count": 39}}"#).unwrap();
    let model = train(fixture.data(), &rare, &short_training(1), 1, &Silent).unwrap().model;
    assert!(model.preprocessing().categories[0].values.is_empty());
}
