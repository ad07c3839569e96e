//! Tests: every parameter of every shape of network gets a gradient, and it is the slope of the loss.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::*;
use crate::input::Input;
use crate::matrix::Matrix;
use crate::rng::Stream;

const ACTIVATIONS: [Activation; 6] =
    [Activation::Relu, Activation::Selu, Activation::Gelu, Activation::Silu, Activation::Mish, Activation::Tanh];

fn blueprint(branches: &[(usize, &[usize])], trunk: &[usize], activation: Activation, batch_norm: bool) -> Blueprint {
    let branches = branches.iter().enumerate().map(|(i, (input, layers))| BranchBlueprint {
        key: format!("b{i}"),
        input: *input,
        dropout: 0.2,
        embedding: Embedding::None,
        scale: false,
        layers: layers.to_vec(),
    });
    Blueprint {
        branches: branches.collect(),
        fusion: Fusion::Concat,
        fusion_width: 0,
        branch_dropout: 0.0,
        trunk_kind: TrunkKind::Mlp,
        trunk: trunk.to_vec(),
        members: 1,
        classes: 3,
        activation,
        parametrization: Parametrization::Standard,
        batch_norm,
        batch_norm_epsilon: 1e-5,
        dropout: 0.25,
    }
}

fn inputs(blueprint: &Blueprint, rows: usize) -> Vec<Input> {
    let mut stream = Stream::new(5, "inputs", 0);
    let mut draw = |width| Matrix::from_vec(rows, width, (0..rows * width).map(|_| stream.normal() as f32).collect());
    let mut input = |branch: &BranchBlueprint| match branch.embedding {
        Embedding::Table { values, .. } => Matrix::from_vec(rows, 1, (0..rows).map(|i| (i % values) as f32).collect()),
        _ => draw(branch.input),
    };
    blueprint.branches.iter().map(|branch| input(branch).into()).collect()
}

/// The loss of a batch with dropout masks that are the same at each call.
fn loss(network: &mut Network, frozen: usize) -> Tensor {
    let labels: Vec<u32> = (0..12).map(|i| i % 3).collect();
    let rows = inputs(&network.blueprint().clone(), labels.len());
    let pass = Training { frozen, dropout: 1.0, masks: &mut Stream::new(9, "masks", 0) };
    let logits = network.forward_training(rows, pass).unwrap();
    let members = network.blueprint().members;
    let labels = labels.into_iter().flat_map(|label| std::iter::repeat_n(label, members)).collect();
    cross_entropy(&logits, labels, &Arc::new(vec![1.0, 2.0, 0.5]), Vec::new(), 0.1).unwrap()
}

fn shapes() -> Vec<Blueprint> {
    let mut all = Vec::new();
    for batch_norm in [true, false] {
        for activation in ACTIVATIONS {
            all.push(blueprint(&[(4, &[])], &[6, 5], activation, batch_norm));
            all.push(blueprint(&[(4, &[5]), (7, &[3]), (6, &[6, 4])], &[5], activation, batch_norm));
        }
        all.push(blueprint(&[(4, &[])], &[], Activation::Relu, batch_norm));
        all.push(blueprint(&[(7, &[3])], &[], Activation::Tanh, batch_norm));
        all.push(blueprint(&[(4, &[]), (7, &[])], &[4, 4, 4], Activation::Gelu, batch_norm));
        all.extend(kinds(batch_norm));
    }
    all
}

/// Every kind of embedding with every kind of fusion and trunk.
fn kinds(batch_norm: bool) -> Vec<Blueprint> {
    let mut all = Vec::new();
    for fusion in [Fusion::Concat, Fusion::Gated, Fusion::Late] {
        for trunk_kind in [TrunkKind::Mlp, TrunkKind::Residual, TrunkKind::Tabm] {
            for parametrization in [Parametrization::Standard, Parametrization::Ntk] {
                let mut one =
                    blueprint(&[(3, &[4]), (2, &[]), (5, &[4]), (1, &[])], &[5, 5], Activation::Mish, batch_norm);
                one.branches[0].embedding = Embedding::Periodic { frequencies: 3, width: 3, sigma: 0.5 };
                one.branches[1].embedding = Embedding::PiecewiseLinear { bins: 4, width: 2 };
                one.branches[3].embedding = Embedding::Table { values: 5, width: 3 };
                one.branches[0].scale = true;
                one.fusion_width = if fusion == Fusion::Gated { 4 } else { 0 };
                one.members = if trunk_kind == TrunkKind::Tabm { 3 } else { 1 };
                one.branch_dropout = 0.2;
                all.push(Blueprint { fusion, trunk_kind, parametrization, ..one });
            }
        }
    }
    let mut linear = blueprint(&[(4, &[])], &[], Activation::Relu, batch_norm);
    (linear.trunk_kind, linear.members) = (TrunkKind::Tabm, 2);
    all.push(linear);
    all
}

#[test]
fn every_parameter_gets_a_gradient_unless_it_is_frozen() {
    for blueprint in shapes() {
        for frozen in 0..=blueprint.levels() {
            let mut network = Network::new(&blueprint, 1).unwrap();
            let gradients = loss(&mut network, frozen).backward().unwrap();
            for parameter in network.parameters() {
                let moving = parameter.level.is_none_or(|level| level >= frozen);
                let gradient = gradients.get(&parameter.var);
                assert_eq!(gradient.is_some(), moving, "{} with {frozen} levels frozen", parameter.name);
                if let Some(gradient) = gradient {
                    assert_eq!(gradient.dims(), parameter.var.dims(), "{}", parameter.name);
                }
            }
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    for blueprint in shapes() {
        let mut network = Network::new(&blueprint, 2).unwrap();
        let gradients = loss(&mut network, 0).backward().unwrap();
        let snapshot = network.snapshot().unwrap();
        // The loss is known to about 2e-7, so a slope to about 1e-4 with this step.
        let step = 1e-3;
        let centre = f64::from(loss(&mut network, 0).to_scalar::<f32>().unwrap());
        let (mut checked, mut kinks) = (0, 0);
        for parameter in network.parameters() {
            let gradient = gradients.get(&parameter.var).unwrap();
            let slopes: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
            for at in [0, slopes.len() / 2, slopes.len() - 1] {
                let mut beside = |distance: f32| {
                    let mut moved = snapshot.clone();
                    moved.get_mut(&parameter.name).unwrap().1[at] += distance;
                    network.restore(&moved).unwrap();
                    f64::from(loss(&mut network, 0).to_scalar::<f32>().unwrap())
                };
                let (above, below) = (beside(step), beside(-step));
                let (right, left) = ((above - centre) / f64::from(step), (centre - below) / f64::from(step));
                if (right - left).abs() > 0.01 {
                    // The step crosses a kink of ReLU or SELU, where the slope is one of two.
                    kinks += 1;
                    continue;
                }
                checked += 1;
                let (found, slope) = (f64::from(slopes[at]), (right + left) / 2.0);
                let what = format!("{}[{at}] of {blueprint:?}", parameter.name);
                let near = (found - slope).abs() < 2e-3 * (1.0 + slope.abs());
                assert!(near, "{what}: {found} where the slope is {slope}");
            }
        }
        assert!(checked > 4 * kinks, "{checked} slopes checked, {kinks} kinks");
    }
}

#[test]
fn a_class_weight_of_pytorch_and_smoothing_change_the_loss_as_there() {
    // torch.nn.functional.cross_entropy(torch.tensor([[1., 2., 3.], [0., -1., 1.]]), torch.tensor([0, 2]),
    //     weight=torch.tensor([1., 2., .5]), label_smoothing=.1)
    let logits = Tensor::new(&[[1f32, 2.0, 3.0], [0.0, -1.0, 1.0]], &Device::Cpu).unwrap();
    let loss = cross_entropy(&logits, vec![0, 2], &Arc::new(vec![1.0, 2.0, 0.5]), Vec::new(), 0.1).unwrap();
    assert!((loss.to_scalar::<f32>().unwrap() - 1.830_251).abs() < 1e-5, "{loss}");
}

// import numpy as np
// z = np.array([[1., 2., 3., -1.], [0., -1., 1., .5], [-2., 3., 0., 1.]]); y = np.array([0, 2, 3])
// w = np.array([1., 2., .5, 3.]); r = np.array([2., 1., .5]); e = .1
// def loss(z):
//     p = np.exp(z); p = p / p.sum(1, keepdims=True); q = np.eye(4)[y] * (1 - e) + e / 4; total = 0
//     for k in range(3):
//         a, t = p[:, k + 1:].sum(1), q[:, k + 1:].sum(1); total = total - t * np.log(a) - (1 - t) * np.log(1 - a)
//     return (total / 3 * w[y] * r).sum() / (w[y] * r).sum()
// def step(i, j): d = np.zeros((3, 4), complex); d[i, j] = 1e-20j; return loss(z + d).imag / 1e-20
// loss(z), [[step(i, j) for j in range(4)] for i in range(3)]
#[test]
fn the_ordinal_loss_and_its_slopes_are_those_of_the_cuts() {
    let rows = [[1f32, 2.0, 3.0, -1.0], [0.0, -1.0, 1.0, 0.5], [-2.0, 3.0, 0.0, 1.0]];
    let logits = candle_core::Var::new(&rows, &Device::Cpu).unwrap();
    let (classes, of_rows) = (Arc::new(vec![1.0, 2.0, 0.5, 3.0]), vec![2.0, 1.0, 0.5]);
    let loss = ordinal(&logits, vec![0, 2, 3], &classes, of_rows, 0.1).unwrap();
    assert!((loss.to_scalar::<f32>().unwrap() - 1.103_303_1).abs() < 1e-6, "{loss}");
    let slopes = loss.backward().unwrap().get(&logits).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let expected = [
        -0.166_905_62,
        -0.037_945_41,
        0.203_313_92,
        0.001_537_11,
        0.009_289_64,
        0.000_644_29,
        -0.015_738_26,
        0.005_804_34,
        -0.001_106_63,
        0.196_715_11,
        -0.021_833_84,
        -0.173_774_64,
    ];
    assert!(slopes.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{slopes:?}");
}

#[test]
fn the_ordinal_loss_of_two_classes_is_the_cross_entropy_and_bears_extreme_logits() {
    let both = |rows: [[f32; 2]; 2], labels: Vec<u32>| {
        let logits = candle_core::Var::new(&rows, &Device::Cpu).unwrap();
        let classes = Arc::new(vec![1.0, 2.0]);
        [cross_entropy, ordinal].map(|loss| {
            let loss = loss(&logits, labels.clone(), &classes, Vec::new(), 0.0).unwrap();
            let slopes = loss.backward().unwrap().get(&logits).unwrap().flatten_all().unwrap();
            (loss.to_scalar::<f32>().unwrap(), slopes.to_vec1::<f32>().unwrap())
        })
    };
    let [(one, of_one), (other, of_other)] = both([[1.0, -0.5], [0.2, 3.0]], vec![1, 0]);
    assert!((one - other).abs() < 1e-6, "{one} and {other}");
    assert!(of_one.iter().zip(&of_other).all(|(a, b)| (a - b).abs() < 1e-6), "{of_one:?} and {of_other:?}");
    let logits = candle_core::Var::new(&[[500f32, -500.0, 0.0, -500.0], [-1e4, 1e4, 0.0, 1.0]], &Device::Cpu).unwrap();
    let loss = ordinal(&logits, vec![3, 0], &Arc::new(vec![1.0; 4]), Vec::new(), 0.0).unwrap();
    let slopes = loss.backward().unwrap().get(&logits).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(loss.to_scalar::<f32>().unwrap() > 100.0, "{loss}");
    assert!(slopes.iter().all(|slope| slope.is_finite()), "{slopes:?}");
}

#[test]
fn a_row_of_weight_2_counts_as_two_rows_and_one_of_0_as_none() {
    let logits = Tensor::new(&[[1f32, 2.0, 3.0], [0.0, -1.0, 1.0], [2.0, 0.5, -1.0]], &Device::Cpu).unwrap();
    let classes = Arc::new(vec![1.0, 2.0, 0.5]);
    let of = |rows: &[u32], labels: Vec<u32>, weights: Vec<f32>| {
        let logits = candle_core::Var::from_tensor(&logits).unwrap();
        let chosen = logits.index_select(&Tensor::new(rows, &Device::Cpu).unwrap(), 0).unwrap();
        let loss = cross_entropy(&chosen, labels, &classes, weights, 0.1).unwrap();
        let slopes = loss.backward().unwrap().get(&logits).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        (loss.to_scalar::<f32>().unwrap(), slopes)
    };
    let (loss, slopes) = of(&[0, 1, 2], vec![0, 2, 1], vec![2.0, 1.0, 0.0]);
    let (repeated, of_repeated) = of(&[0, 0, 1], vec![0, 0, 2], Vec::new());
    assert!((loss - repeated).abs() < 1e-6, "{loss} and {repeated}");
    assert!(slopes.iter().zip(&of_repeated).all(|(a, b)| (a - b).abs() < 1e-6), "{slopes:?} and {of_repeated:?}");
    let (none, slopes) = of(&[0, 1], vec![0, 2], vec![0.0, 0.0]);
    assert!(none == 0.0 && slopes.iter().all(|slope| *slope == 0.0), "{none}");
}

/// The layers of candle-nn with the same weights: the plain forward pass that the fused operations stand for.
#[test]
fn predictions_are_those_of_plain_candle_layers() {
    use candle_nn::{BatchNorm, Linear, Module, ModuleT};
    let blueprint = blueprint(&[(4, &[5]), (7, &[])], &[6], Activation::Silu, true);
    let mut network = Network::new(&blueprint, 3).unwrap();
    for _ in 0..3 {
        loss(&mut network, 0);
    }
    let snapshot = network.snapshot().unwrap();
    let tensor = |name: &str| {
        let (shape, values) = &snapshot[name];
        Tensor::from_slice(values, shape.as_slice(), &Device::Cpu).unwrap()
    };
    let layer = |prefix: &str, x: &Tensor| {
        let linear = Linear::new(tensor(&format!("{prefix}linear.weight")), None);
        let norm = |part: &str| tensor(&format!("{prefix}norm.{part}"));
        let (mean, variance) = (norm("running_mean"), norm("running_var"));
        let (weight, bias) = (norm("weight"), norm("bias"));
        let norm = BatchNorm::new(mean.dim(0).unwrap(), mean, variance, weight, bias, 1e-5).unwrap();
        norm.forward_t(&linear.forward(x).unwrap(), false).unwrap().silu().unwrap()
    };
    let rows = inputs(&blueprint, 9);
    let [first, second] = [0, 1].map(|i: usize| match &rows[i] {
        Input::Matrix(rows) => Tensor::from_slice(&rows.data, (9, rows.cols), &Device::Cpu).unwrap(),
        Input::Texts(_) => panic!("texts"),
    });
    let joined = Tensor::cat(&[layer("branches.b0.layers.0.", &first), second], 1).unwrap();
    let head = Linear::new(tensor("head.weight"), Some(tensor("head.bias")));
    let expected = head.forward(&layer("trunk.layers.0.", &joined)).unwrap();
    let found = network.infer(rows).unwrap();
    let distance = (found - expected).unwrap().abs().unwrap().max_all().unwrap();
    assert!(distance.to_scalar::<f32>().unwrap() < 1e-5, "{distance}");
}
