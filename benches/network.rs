//! What an epoch of training costs, beside the same network in PyTorch.
//!
//!     cargo bench --bench network                       # all networks
//!     cargo bench --bench network -- mlp                # those whose name holds the word
//!     RUNNER_TEST_PYTHON=python3 cargo bench --bench network    # a Python with torch: its twin in the same run, and the ratio
//!
//! The rows are drawn at random: time does not depend on what they say. PyTorch trains on as many threads as the machine has
//! cores. After each epoch both score the training and the validation rows; the last two ratios leave PyTorch's scores out and
//! keep ours in.
//!
//! The `mlp` is also made of candle-nn's own layers, loss and optimizer, on one thread: what the operations and the optimizer of
//! `ml::network` and `ml::train` are worth.

use std::process::Command;
use std::time::Instant;

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, BatchNorm, Dropout, Linear, Module as _, ModuleT as _, Optimizer as _, ParamsAdamW, VarBuilder, VarMap,
    batch_norm, linear, linear_no_bias, loss,
};

use runner::ml::frame::{Column, Frame};
use runner::ml::network::{NetworkSpec, on_threads};
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use runner::ml::train::{Data, TrainingSpec, train};
use runner::results::scores::PLAIN;

const ROWS: usize = 16_000;
const TRAINING: usize = 13_000;
const COLUMNS: usize = 14;
const EPOCHS: usize = 5;

/// Name (the twin's too) and `network` block.
const NETWORKS: [(&str, &str); 3] = [
    ("mlp", r#"{"trunk": {"layers": [256, 256, 256]}, "dropout": 0.3}"#),
    ("residual", r#"{"trunk": {"kind": "residual", "layers": [256, 256, 256]}, "dropout": 0.3}"#),
    ("tabm", r#"{"trunk": {"kind": "tabm", "layers": [256, 256], "members": 8}, "dropout": 0.1}"#),
];

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// candle reads these once; the program sets them before anything else.
const VARIABLES: [&str; 2] = ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"];

fn main() {
    if VARIABLES.iter().any(|name| std::env::var_os(name).is_none()) {
        let program = std::env::current_exe().expect("this program");
        let variables = VARIABLES.map(|name| (name, "1"));
        let status = Command::new(program).args(std::env::args().skip(1)).envs(variables).status();
        std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
    }
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with("--")).unwrap_or_default();
    let python = std::env::var_os("RUNNER_TEST_PYTHON");
    for (name, spec) in NETWORKS.iter().filter(|(name, _)| name.contains(&wanted)) {
        let (ours, two) = (epoch(spec, 1), epoch(spec, 2));
        print!("{name:12} {:7.1} ms an epoch on one thread, {:7.1} on two", 1e3 * ours, 1e3 * two);
        if *name == "mlp" {
            let plain = candle_nn_epoch().expect("an epoch of candle-nn");
            print!(", candle-nn {:7.1} ms, ratio {:.2}", 1e3 * plain, ours / plain);
        }
        if let Some(python) = &python {
            let script = format!("{}/tests/python/epoch_time.py", env!("CARGO_MANIFEST_DIR"));
            let output = Command::new(python).args([&script, *name]).env_clear().output().expect("python starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            let seconds: Vec<f64> = told.split_whitespace().map(|word| word.parse().expect("seconds")).collect();
            let (training, both) = (seconds[0], seconds[0] + seconds[1]);
            print!(", PyTorch {:7.1} ms, ratios {:.2} and {:.2}", 1e3 * both, ours / both, two / both);
            print!("; its steps alone {:7.1} ms, {:.2} and {:.2}", 1e3 * training, ours / training, two / training);
        }
        println!();
    }
}

/// Seconds of an epoch: of a training of several less one of a single epoch.
fn epoch(spec: &str, threads: usize) -> f64 {
    let network: NetworkSpec = serde_json::from_str(spec).expect("a network");
    let mut stream = Stream::new(1, "rows", 0);
    let mut frame = Frame::new(ROWS);
    let names: Vec<String> = (0..COLUMNS).map(|i| format!("x{i}")).collect();
    for name in &names {
        frame.insert(name.clone(), Column::Numeric((0..ROWS).map(|_| stream.normal()).collect()));
    }
    let labels: Vec<u32> = (0..ROWS).map(|_| stream.below(5) as u32).collect();
    let classes: Vec<String> = (0..5).map(|i| format!("class {i}")).collect();
    let (train_rows, valid_rows): (Vec<usize>, Vec<usize>) = ((0..TRAINING).collect(), (TRAINING..ROWS).collect());
    let data = Data {
        frame: &frame,
        numeric: &names,
        text: &[],
        categories: &[],
        labels: &labels,
        classes: &classes,
        weights: &[],
        train: &train_rows,
        valid: &valid_rows,
        scoring: &PLAIN,
    };
    let seconds = |epochs: usize| {
        let training = TrainingSpec { epochs, ..TrainingSpec::default() };
        let start = Instant::now();
        on_threads(threads, || train(data, &network, &training, 1, &Silent)).expect("a training");
        start.elapsed().as_secs_f64()
    };
    let once = seconds(1);
    (seconds(1 + EPOCHS) - once) / EPOCHS as f64
}

/// The network `mlp` of candle-nn's own parts.
struct Plain {
    hidden: Vec<(Linear, BatchNorm)>,
    dropout: Dropout,
    head: Linear,
}

impl Plain {
    fn new(at: &VarBuilder) -> Result<Self> {
        const WIDTH: usize = 256;
        let hidden = (0..3).map(|i| {
            let at = at.pp(format!("hidden.{i}"));
            let width = if i == 0 { COLUMNS } else { WIDTH };
            Ok((linear_no_bias(width, WIDTH, at.pp("linear"))?, batch_norm(WIDTH, 1e-5, at.pp("norm"))?))
        });
        Ok(Plain {
            hidden: hidden.collect::<Result<_>>()?,
            dropout: Dropout::new(0.3),
            head: linear(WIDTH, 5, at.pp("head"))?,
        })
    }

    fn forward(&self, rows: &Tensor, training: bool) -> Result<Tensor> {
        let mut x = rows.clone();
        for (linear, norm) in &self.hidden {
            x = norm.forward_t(&linear.forward(&x)?, training)?.relu()?;
            x = self.dropout.forward_t(&x, training)?;
        }
        self.head.forward(&x)
    }
}

/// Seconds of an epoch of the same batches, and of the same scores after it.
fn candle_nn_epoch() -> Result<f64> {
    const BATCH: usize = 256;
    let mut stream = Stream::new(1, "rows", 0);
    let rows: Vec<f32> = (0..ROWS * COLUMNS).map(|_| stream.normal() as f32).collect();
    let labels: Vec<u32> = (0..ROWS).map(|_| stream.below(5) as u32).collect();
    let tensors = |places: &[usize]| -> Result<(Tensor, Tensor)> {
        let of_row = |&row: &usize| &rows[row * COLUMNS..(row + 1) * COLUMNS];
        let values: Vec<f32> = places.iter().flat_map(of_row).copied().collect();
        let labels: Vec<u32> = places.iter().map(|&row| labels[row]).collect();
        Ok((
            Tensor::from_vec(values, (places.len(), COLUMNS), &Device::Cpu)?,
            Tensor::from_vec(labels, places.len(), &Device::Cpu)?,
        ))
    };
    let variables = VarMap::new();
    let network = Plain::new(&VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
    let mut optimizer = AdamW::new(variables.all_vars(), ParamsAdamW { lr: 2e-3, ..ParamsAdamW::default() })?;
    let parts = [(0..TRAINING).collect::<Vec<_>>(), (TRAINING..ROWS).collect()];
    let mut epoch = |number: u64| -> Result<()> {
        let order = Stream::new(1, "order", number).permutation(TRAINING);
        for places in order.chunks(BATCH) {
            let (rows, labels) = tensors(places)?;
            optimizer.backward_step(&loss::cross_entropy(&network.forward(&rows, true)?, &labels)?)?;
        }
        for part in &parts {
            for places in part.chunks(2048) {
                network.forward(&tensors(places)?.0, false)?.argmax(D::Minus1)?.to_vec1::<u32>()?;
            }
        }
        Ok(())
    };
    epoch(0)?;
    let start = Instant::now();
    (1..=EPOCHS as u64).try_for_each(&mut epoch)?;
    Ok(start.elapsed().as_secs_f64() / EPOCHS as f64)
}
