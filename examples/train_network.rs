//! Trains a small network on two columns, with early stopping on a validation part, and prints its learning curves.
//!
//! `cargo run --release --example train_network`

use runner::ml::frame::{Column, Frame};
use runner::ml::network::NetworkSpec;
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;
use runner::ml::train::{Data, TrainingSpec, train};
use runner::results::scores::PLAIN;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const ROWS: usize = 3_000;
    let mut stream = Stream::new(7, "points", 0);
    let points: Vec<[f64; 2]> = (0..ROWS).map(|_| [stream.normal(), stream.normal()]).collect();
    // In a checkerboard neither column tells anything alone.
    let labels: Vec<u32> = points.iter().map(|[x, y]| u32::from((*x > 0.0) != (*y > 0.0))).collect();
    let mut frame = Frame::new(ROWS);
    for (i, name) in ["x", "y"].into_iter().enumerate() {
        frame.insert(name, Column::Numeric(points.iter().map(|point| point[i]).collect()));
    }

    let network: NetworkSpec = serde_json::from_str(r#"{"trunk": {"layers": [32, 32]}, "dropout": 0.1}"#)?;
    let training = TrainingSpec { epochs: 20, ..TrainingSpec::default() };
    let (columns, classes) = (["x".to_owned(), "y".to_owned()], ["same".to_owned(), "different".to_owned()]);
    let rows: Vec<usize> = (0..ROWS).collect();
    let (learnt, valid) = rows.split_at(2_400);
    let data = Data {
        frame: &frame,
        numeric: &columns,
        text: &[],
        categories: &[],
        labels: &labels,
        classes: &classes,
        weights: &[],
        train: learnt,
        valid,
        scoring: &PLAIN,
    };
    let fitted = train(data, &network, &training, 7, &Silent)?;
    println!("epoch  train loss  valid loss  valid accuracy");
    let curves = &fitted.curves;
    for epoch in 0..curves.len() {
        let [train, valid, accuracy] =
            [&curves.train_loss, &curves.valid_loss, &curves.valid_accuracy].map(|of| of[epoch]);
        let kept = if epoch == fitted.best_epoch { "  kept" } else { "" };
        println!("{epoch:>5}  {train:>10.3}  {valid:>10.3}  {accuracy:>14.3}{kept}");
    }
    Ok(())
}
