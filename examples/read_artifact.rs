//! Reads results of a run without running anything: a table, and a model's scores as their type.
//!
//! `cargo run --release -- run pipelines/quick.yaml`, then
//! `cargo run --release --example read_artifact -- artifacts/quick/fused`

use std::path::PathBuf;

use runner::artifact::Table;
use runner::results::{self, training::Training};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name the folder of a `train` stage's results")?);
    let predictions = Table::from_ipc(&std::fs::read(folder.join("predictions.arrow"))?)?;
    println!("{} rows of predictions, columns {}", predictions.rows(), predictions.column_names().join(", "));

    let training: Training = results::read(&std::fs::read(folder.join("metrics.json"))?)?;
    println!("the network of epoch {} was kept", training.fitted.best_epoch().unwrap_or_default());
    for (part, scores) in [("validation", &training.parts.valid), ("test", &training.parts.test)] {
        if let Some(scores) = scores {
            println!(
                "{part}: accuracy {:.3}, macro-F1 {:.3} of {} rows",
                scores.accuracy, scores.macro_f1, scores.rows
            );
        }
    }
    Ok(())
}
