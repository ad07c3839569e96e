//! What an epoch of training costs, beside the same network in PyTorch.
//!
//!     cargo bench --bench network                       # all networks
//!     cargo bench --bench network -- mlp                # those whose name holds the word
//!     RUNNER_TEST_PYTHON=python3 cargo bench --bench network    # a Python with torch: its twin in the same run, and the ratio
//!
//! The rows are drawn at random: time does not depend on what they say. PyTorch trains on as many threads as the machine has
//! cores. After each epoch both score the training and the validation rows; the last two ratios leave PyTorch's scores out and
//! keep ours in.

use std::process::Command;
use std::time::Instant;

use runner::ml::frame::{Column, Frame};
use runner::ml::network::{NetworkSpec, on_threads};
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use runner::ml::train::{Data, TrainingSpec, train};

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
        train: &train_rows,
        valid: &valid_rows,
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
