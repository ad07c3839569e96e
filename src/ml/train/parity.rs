//! Tests: whole trainings beside PyTorch's, step by step.
//!
//! The expected values are what `tests/python/pytorch_twin.py` prints. Every epoch is one batch of all rows, so that the
//! order of rows does not matter; `network` has a numeric branch without layers and a text branch with one.

use super::*;
use crate::ml::matrix::Matrix;
use crate::ml::network::{Activation, BranchBlueprint, Embedding, Fusion, Parametrization, TrunkKind};
use crate::ml::progress::Silent;

struct Case {
    name: &'static str,
    activation: Activation,
    batch_norm: bool,
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

fn network(activation: Activation, batch_norm: bool) -> Network {
    let branch = |key: &str, input, layers: &[usize]| BranchBlueprint {
        key: key.into(),
        input,
        dropout: 0.0,
        embedding: Embedding::None,
        scale: false,
        layers: layers.to_vec(),
    };
    let blueprint = Blueprint {
        branches: vec![branch("numeric", 4, &[]), branch("text_title", 6, &[5])],
        fusion: Fusion::Concat,
        fusion_width: 0,
        branch_dropout: 0.0,
        trunk_kind: TrunkKind::Mlp,
        trunk: vec![8, 7],
        members: 1,
        classes: 3,
        activation,
        parametrization: Parametrization::Standard,
        batch_norm,
        batch_norm_epsilon: 1e-5,
        dropout: 0.0,
    };
    let mut network = Network::new(&blueprint, 0).unwrap();
    let mut snapshot = network.snapshot().unwrap();
    for (name, (shape, values)) in &mut snapshot {
        let size = if shape.len() == 2 { 0.4 } else { 0.1 };
        if name.ends_with("linear.weight") || name.ends_with("bias") || name.starts_with("head") {
            *values = pattern(values.len(), 11, 17).into_iter().map(|x| x * size).collect();
        }
    }
    network.restore(&snapshot).unwrap();
    network
}

fn examples(rows: std::ops::Range<usize>) -> Examples {
    let all =
        [Matrix::from_vec(ROWS, 4, pattern(ROWS * 4, 7, 13)), Matrix::from_vec(ROWS, 6, pattern(ROWS * 6, 5, 31))];
    let rows: Vec<usize> = rows.collect();
    Examples {
        inputs: all.iter().map(|matrix| matrix.take(&rows)).collect(),
        labels: rows.iter().map(|&i| ((i * i + 3 * i + i % 7) % 3) as u32).collect(),
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
        let (train, valid) = (examples(0..30), examples(30..40));
        let job =
            Job { train: &train, valid: &valid, classes: &classes, spec: &spec, seed: 1, restraint: Restraint::NONE };
        let outcome = run(&mut network(case.activation, case.batch_norm), &job, &NoCheckpoints, &Silent).unwrap();
        let near = |what: &str, found: &[f64], expected: &[f64; 8]| {
            assert_eq!(found.len(), 9);
            for (epoch, (found, expected)) in found[1..].iter().zip(expected).enumerate() {
                let text = format!("{} {what} after {} steps: {found} not {expected}", case.name, epoch + 1);
                assert!((found - expected).abs() < 1e-4, "{text}");
            }
        };
        near("objective", &outcome.curves.objective, &case.objective);
        near("valid loss", &outcome.curves.valid_loss, &case.valid_loss);
        near("gradient norm", &outcome.curves.gradient_norm, &case.gradient_norm);
    }
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "sgd",
            activation: Activation::Relu,
            batch_norm: true,
            optimizer: r#"{"kind": "sgd", "lr": 0.05}"#,
            training: r#"{}"#,
            objective: [1.187200, 1.129309, 1.067178, 1.025785, 0.994754, 0.973564, 0.952625, 0.929954],
            valid_loss: [1.080209, 1.079211, 1.079956, 1.083123, 1.086662, 1.091320, 1.097749, 1.106787],
            gradient_norm: [1.104305, 0.985263, 0.580586, 0.476252, 0.367826, 0.320845, 0.340514, 0.347358],
        },
        Case {
            name: "nesterov",
            activation: Activation::Gelu,
            batch_norm: false,
            optimizer: r#"{"kind": "sgd", "lr": 0.05, "momentum": 0.8, "nesterov": true, "weight_decay": 0.01}"#,
            training: r#"{}"#,
            objective: [1.098488, 1.097538, 1.096300, 1.094877, 1.093347, 1.091773, 1.090198, 1.088654],
            valid_loss: [1.089359, 1.092023, 1.095178, 1.098679, 1.102398, 1.106228, 1.110077, 1.113868],
            gradient_norm: [0.103660, 0.101582, 0.098875, 0.095765, 0.092444, 0.089075, 0.085788, 0.082688],
        },
        Case {
            name: "adam",
            activation: Activation::Silu,
            batch_norm: true,
            optimizer: r#"{"kind": "adam", "lr": 0.01, "betas": [0.8, 0.95], "weight_decay": 0.02}"#,
            training: r#"{"class_weights": {"b": 2, "c": 0.5}}"#,
            objective: [1.219650, 1.103596, 1.040211, 0.996412, 0.959671, 0.926661, 0.896874, 0.870811],
            valid_loss: [1.080029, 1.073691, 1.067868, 1.062474, 1.057547, 1.053137, 1.049339, 1.046388],
            gradient_norm: [1.633447, 1.007615, 0.646168, 0.533822, 0.484136, 0.451871, 0.417308, 0.386699],
        },
        Case {
            name: "adamw",
            activation: Activation::Mish,
            batch_norm: true,
            optimizer: r#"{"kind": "adamw", "lr": 0.01, "weight_decay": 0.1}"#,
            training: r#"{"label_smoothing": 0.1, "class_weights": {"b": 2, "c": 0.5}, "clip_norm": 0.05}"#,
            objective: [1.246049, 1.131196, 1.062990, 1.013185, 0.971966, 0.936142, 0.904806, 0.878222],
            valid_loss: [1.074486, 1.067126, 1.060305, 1.053950, 1.048183, 1.043015, 1.038583, 1.035460],
            gradient_norm: [1.489596, 0.980296, 0.668058, 0.547295, 0.480105, 0.435258, 0.392778, 0.354226],
        },
        Case {
            name: "rmsprop",
            activation: Activation::Tanh,
            batch_norm: false,
            optimizer: r#"{"kind": "rmsprop", "lr": 0.003, "momentum": 0.5, "weight_decay": 0.01}"#,
            training: r#"{}"#,
            objective: [1.127906, 1.059493, 0.995976, 0.938907, 0.894821, 0.863612, 0.838732, 0.816250],
            valid_loss: [1.068066, 1.091985, 1.127083, 1.175411, 1.249943, 1.334250, 1.401459, 1.443485],
            gradient_norm: [0.262876, 0.198641, 0.180002, 0.161987, 0.134033, 0.116430, 0.109733, 0.109119],
        },
        Case {
            name: "one_cycle",
            activation: Activation::Selu,
            batch_norm: true,
            optimizer: r#"{"kind": "adamw", "lr": 0.02}"#,
            training: r#"{"schedule": {"kind": "one_cycle"}, "label_smoothing": 0.05, "clip_norm": 1}"#,
            objective: [1.357785, 1.338154, 1.118164, 0.967861, 0.898191, 0.865800, 0.850935, 0.846585],
            valid_loss: [1.018310, 1.018682, 1.021018, 1.033760, 1.054370, 1.072879, 1.084021, 1.090226],
            gradient_norm: [2.423899, 2.374740, 1.438855, 0.740116, 0.500926, 0.434059, 0.432476, 0.437180],
        },
    ]
}
