//! Tests: whole trainings beside PyTorch's, step by step.
//!
//! The expected values are what `tests/python/pytorch_twin.py` prints. Every epoch is one batch of all rows, so that the
//! order of rows does not matter.

use super::*;
use crate::matrix::Matrix;
use crate::network::BranchBlueprint;
use crate::progress::Silent;
use runner_results::scores::PLAIN;
use runner_results::spec::{ClassWeights, NamedWeights};

struct Case {
    name: &'static str,
    /// What differs from `network`'s blueprint.
    network: &'static str,
    optimizer: &'static str,
    training: &'static str,
    objective: [f64; 8],
    valid_loss: [f64; 8],
    gradient_norm: [f64; 8],
}

const ROWS: usize = 40;

fn pattern(count: usize, a: usize, b: usize) -> Vec<f32> {
    (0..count).map(|k| ((k * a + (k * k) % b) % 101) as f32 / 50.0 - 1.0).collect()
}

fn network(changes: &str) -> Network {
    let mut blueprint = serde_json::json!({
        "branches": [{"key": "numeric", "input": 4}, {"key": "text_title", "input": 6, "layers": [5]}],
        "trunk": [8, 7], "classes": 3, "activation": "relu", "batch_norm": true, "batch_norm_epsilon": 1e-5, "dropout": 0,
    });
    let changes: serde_json::Map<String, serde_json::Value> = serde_json::from_str(changes).unwrap();
    blueprint.as_object_mut().unwrap().extend(changes);
    for branch in blueprint["branches"].as_array_mut().unwrap() {
        branch["dropout"] = 0.into();
        let layers = branch.get("layers").cloned().unwrap_or(serde_json::json!([]));
        branch["layers"] = layers;
    }
    let blueprint: Blueprint = serde_json::from_value(blueprint).unwrap();
    let mut network = Network::new(&blueprint, 0).unwrap();
    let mut snapshot = network.snapshot().unwrap();
    for (name, (shape, values)) in &mut snapshot {
        let size = if shape.len() == 1 { 0.1 } else { 0.4 };
        if name.ends_with(".adapter") {
            values.fill(1.0);
        }
        let kept = ["norm.weight", ".scale", ".adapter", "running_mean", "running_var"];
        if !kept.iter().any(|end| name.ends_with(end)) {
            *values = pattern(values.len(), 11, 17).into_iter().map(|x| x * size).collect();
        }
    }
    network.restore(&snapshot).unwrap();
    network
}

/// The inputs of the network's branches.
fn examples(network: &Network, rows: std::ops::Range<usize>) -> Examples {
    let rows: Vec<usize> = rows.collect();
    let input = |branch: &BranchBlueprint| match branch.key.as_str() {
        "numeric" => Matrix::from_vec(ROWS, 4, pattern(ROWS * 4, 7, 13)),
        "text_title" => Matrix::from_vec(ROWS, 6, pattern(ROWS * 6, 5, 31)),
        _ => Matrix::from_vec(ROWS, 1, (0..ROWS).map(|i| (i * i % 4) as f32).collect()),
    };
    Examples {
        inputs: network.blueprint().branches.iter().map(|branch| input(branch).take(&rows).into()).collect(),
        labels: rows.iter().map(|&i| ((i * i + 3 * i + i % 7) % 3) as u32).collect(),
        weights: Vec::new(),
    }
}

#[test]
fn trainings_follow_pytorch_step_by_step() {
    let classes: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
    for case in cases() {
        let mut training: serde_json::Value = serde_json::from_str(case.training).unwrap();
        training["optimizer"] = serde_json::from_str(case.optimizer).unwrap();
        for (key, value) in
            [("label_smoothing", 0.into()), ("clip_norm", serde_json::Value::Null), ("epochs", 8.into())]
        {
            if training.get(key).is_none() {
                training[key] = value;
            }
        }
        if training.get("schedule").is_none() {
            training["schedule"] = serde_json::json!({"kind": "constant"});
        }
        let spec: TrainingSpec = serde_json::from_value(training).unwrap();
        assert_eq!(spec.problems(), [], "{}", case.name);
        let mut net = network(case.network);
        let (train, valid) = (examples(&net, 0..30), examples(&net, 30..40));
        let job = Job {
            train: &train,
            keep: Keep::Best(&valid),
            classes: &classes,
            scoring: &PLAIN,
            spec: &spec,
            seed: 1,
            restraint: Restraint::NONE,
        };
        let outcome = run(&mut net, &job, &NoCheckpoints, &Silent).unwrap();
        let near = |what: &str, found: &[f64], expected: &[f64; 8]| {
            assert_eq!(found.len(), 9);
            let is_near = found[1..].iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4);
            assert!(is_near, "{} {what} after each step: {:.6?} not {expected:.6?}", case.name, &found[1..]);
        };
        near("objective", &outcome.curves.objective, &case.objective);
        // With class weights the loss of a part takes them back; PyTorch's values are those of the probabilities as they are.
        if spec.class_weights == ClassWeights::Named(NamedWeights::None) {
            near("valid loss", &outcome.curves.valid_loss, &case.valid_loss);
        }
        near("gradient norm", &outcome.curves.gradient_norm, &case.gradient_norm);
    }
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "sgd",
            network: r#"{"activation": "relu", "batch_norm": true}"#,
            optimizer: r#"{"kind": "sgd", "lr": 0.05}"#,
            training: r#"{}"#,
            objective: [1.187200, 1.129309, 1.067178, 1.025785, 0.994754, 0.973564, 0.952625, 0.929954],
            valid_loss: [1.080209, 1.079211, 1.079956, 1.083123, 1.086662, 1.091320, 1.097749, 1.106787],
            gradient_norm: [1.104305, 0.985263, 0.580586, 0.476252, 0.367826, 0.320845, 0.340514, 0.347358],
        },
        Case {
            name: "nesterov",
            network: r#"{"activation": "gelu", "batch_norm": false}"#,
            optimizer: r#"{"kind": "sgd", "lr": 0.05, "momentum": 0.8, "nesterov": true, "weight_decay": 0.01}"#,
            training: r#"{}"#,
            objective: [1.098488, 1.097538, 1.096300, 1.094877, 1.093347, 1.091773, 1.090198, 1.088654],
            valid_loss: [1.089359, 1.092023, 1.095178, 1.098679, 1.102398, 1.106228, 1.110077, 1.113868],
            gradient_norm: [0.103660, 0.101582, 0.098875, 0.095765, 0.092444, 0.089075, 0.085788, 0.082688],
        },
        Case {
            name: "adam",
            network: r#"{"activation": "silu", "batch_norm": true}"#,
            optimizer: r#"{"kind": "adam", "lr": 0.01, "betas": [0.8, 0.95], "weight_decay": 0.02}"#,
            training: r#"{"class_weights": {"b": 2, "c": 0.5}}"#,
            objective: [1.219650, 1.103596, 1.040211, 0.996412, 0.959671, 0.926661, 0.896874, 0.870811],
            valid_loss: [1.080029, 1.073691, 1.067868, 1.062474, 1.057547, 1.053137, 1.049339, 1.046388],
            gradient_norm: [1.633447, 1.007615, 0.646168, 0.533822, 0.484136, 0.451871, 0.417308, 0.386699],
        },
        Case {
            name: "adamw",
            network: r#"{"activation": "mish", "batch_norm": true}"#,
            optimizer: r#"{"kind": "adamw", "lr": 0.01, "weight_decay": 0.1}"#,
            training: r#"{"label_smoothing": 0.1, "class_weights": {"b": 2, "c": 0.5}, "clip_norm": 0.05}"#,
            objective: [1.246049, 1.131196, 1.062990, 1.013185, 0.971966, 0.936142, 0.904806, 0.878222],
            valid_loss: [1.074486, 1.067126, 1.060305, 1.053950, 1.048183, 1.043015, 1.038583, 1.035460],
            gradient_norm: [1.489596, 0.980296, 0.668058, 0.547295, 0.480105, 0.435258, 0.392778, 0.354226],
        },
        Case {
            name: "rmsprop",
            network: r#"{"activation": "tanh", "batch_norm": false}"#,
            optimizer: r#"{"kind": "rmsprop", "lr": 0.003, "momentum": 0.5, "weight_decay": 0.01}"#,
            training: r#"{}"#,
            objective: [1.127906, 1.059493, 0.995976, 0.938907, 0.894821, 0.863612, 0.838732, 0.816250],
            valid_loss: [1.068066, 1.091985, 1.127083, 1.175411, 1.249943, 1.334250, 1.401459, 1.443485],
            gradient_norm: [0.262876, 0.198641, 0.180002, 0.161987, 0.134033, 0.116430, 0.109733, 0.109119],
        },
        Case {
            name: "one_cycle",
            network: r#"{"activation": "selu", "batch_norm": true}"#,
            optimizer: r#"{"kind": "adamw", "lr": 0.02}"#,
            training: r#"{"schedule": {"kind": "one_cycle"}, "label_smoothing": 0.05, "clip_norm": 1}"#,
            objective: [1.357785, 1.338154, 1.118164, 0.967861, 0.898191, 0.865800, 0.850935, 0.846585],
            valid_loss: [1.018310, 1.018682, 1.021018, 1.033760, 1.054370, 1.072879, 1.084021, 1.090226],
            gradient_norm: [2.423899, 2.374740, 1.438855, 0.740116, 0.500926, 0.434059, 0.432476, 0.437180],
        },
        Case {
            name: "tabm",
            network: r#"{"branches": [{"key": "numeric", "input": 4, "embedding": {"kind": "piecewise_linear", "bins": 5, "width": 2}}, {"key": "text_title", "input": 6, "layers": [5]}, {"key": "category_artist", "input": 1, "embedding": {"kind": "table", "values": 4, "width": 3}}], "trunk_kind": "tabm", "members": 3}"#,
            optimizer: r#"{"kind": "adamw", "lr": 0.01}"#,
            training: r#"{"clip_norm": 1}"#,
            objective: [1.115880, 1.105552, 1.094933, 1.082972, 1.070350, 1.057267, 1.043493, 1.028880],
            valid_loss: [1.099514, 1.106982, 1.117555, 1.130584, 1.145290, 1.161646, 1.178633, 1.196208],
            gradient_norm: [0.118089, 0.112882, 0.111789, 0.115850, 0.121026, 0.123461, 0.124107, 0.128417],
        },
        Case {
            name: "realmlp",
            network: r#"{"activation": "selu", "batch_norm": false, "branches": [{"key": "numeric", "input": 4, "embedding": {"kind": "periodic", "frequencies": 3, "width": 3, "sigma": 1}, "scale": true}], "parametrization": "ntk"}"#,
            optimizer: r#"{"kind": "adamw", "lr": 0.02, "betas": [0.9, 0.95], "weight_decay": 0.02, "decay_weights_only": true, "factors": {"biases": 0.1, "scales": 6, "embeddings": 0.1}}"#,
            training: r#"{"label_smoothing": 0.1, "schedule": {"kind": "coslog4"}}"#,
            objective: [1.096542, 1.096542, 1.091518, 1.088820, 1.085506, 1.085053, 1.079324, 1.072585],
            valid_loss: [1.091068, 1.089353, 1.088264, 1.086771, 1.086551, 1.083741, 1.080470, 1.079256],
            gradient_norm: [0.084714, 0.084714, 0.083829, 0.084398, 0.084532, 0.084598, 0.086264, 0.089178],
        },
        Case {
            name: "residual",
            network: r#"{"activation": "mish", "branches": [{"key": "numeric", "input": 4}, {"key": "text_title", "input": 6, "layers": [4]}, {"key": "category_artist", "input": 1, "embedding": {"kind": "table", "values": 4, "width": 3}}], "trunk_kind": "residual", "fusion": "gated", "fusion_width": 8}"#,
            optimizer: r#"{"kind": "adamw", "lr": 0.01}"#,
            training: r#"{"clip_norm": 1}"#,
            objective: [1.173051, 1.044431, 0.960928, 0.913360, 0.889040, 0.867955, 0.847001, 0.829213],
            valid_loss: [1.074774, 1.074751, 1.074820, 1.074427, 1.074286, 1.075460, 1.077930, 1.081282],
            gradient_norm: [1.095069, 0.839924, 0.621247, 0.496739, 0.510996, 0.475574, 0.398454, 0.343529],
        },
        Case {
            name: "late",
            network: r#"{"activation": "silu", "batch_norm": false, "branches": [{"key": "numeric", "input": 4, "embedding": {"kind": "periodic", "frequencies": 3, "width": 3, "sigma": 1}, "scale": true}, {"key": "category_artist", "input": 1, "embedding": {"kind": "table", "values": 4, "width": 3}}], "fusion": "late", "trunk_kind": "tabm", "members": 2}"#,
            optimizer: r#"{"kind": "adamw", "lr": 0.01}"#,
            training: r#"{"clip_norm": 1}"#,
            objective: [1.132061, 1.125101, 1.118919, 1.113240, 1.107859, 1.102600, 1.097301, 1.091815],
            valid_loss: [1.140909, 1.134432, 1.129792, 1.126693, 1.125056, 1.124850, 1.126059, 1.128714],
            gradient_norm: [0.090344, 0.083469, 0.077690, 0.072700, 0.068276, 0.064363, 0.061055, 0.058587],
        },
        Case {
            name: "average",
            network: r#"{}"#,
            optimizer: r#"{"kind": "adamw", "lr": 0.01}"#,
            training: r#"{"clip_norm": 1, "average": 0.6}"#,
            objective: [1.187200, 1.098178, 1.043923, 1.007362, 0.979224, 0.955314, 0.932268, 0.908007],
            valid_loss: [1.079883, 1.078674, 1.078179, 1.077658, 1.077248, 1.077329, 1.077966, 1.079504],
            gradient_norm: [1.104305, 0.810239, 0.534281, 0.426686, 0.431156, 0.396121, 0.382646, 0.377028],
        },
    ]
}
