//! Fits gradient boosting to two rings of points and scores it on points that it has not seen.
//!
//! `cargo run --release --example fit_boosting`

use runner::ml::classical::Boosting;
use runner::ml::classical::{Estimator as _, Features};
use runner::ml::metrics::{FromProbabilities as _, Scores};
use runner::ml::progress::Silent;
use runner::ml::rng::Stream;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (x, y) = rings(2_000, "train");
    let boosting = Boosting { rounds: 100, ..Boosting::default() };
    let model = boosting.fit(&x, &y, 2, 7, &Silent)?;

    let (x, y) = rings(1_000, "test");
    let classes = ["inner".to_owned(), "outer".to_owned()];
    let scores = Scores::from_probabilities(&classes, &y, &model.predict_probabilities(&x));
    println!("accuracy {:.3}, macro-F1 {:.3}", scores.accuracy, scores.macro_f1);
    for class in &scores.per_class {
        println!(
            "{}: precision {:.3}, recall {:.3} of {} rows",
            class.class, class.precision, class.recall, class.support
        );
    }
    Ok(())
}

/// Points around circles of radius 1 and 2, in turn.
fn rings(rows: usize, part: &str) -> (Features, Vec<u32>) {
    let mut stream = Stream::new(7, part, 0);
    let y: Vec<u32> = (0..rows).map(|row| (row % 2) as u32).collect();
    let point = |&class: &u32| {
        let (angle, radius) = (std::f64::consts::TAU * stream.uniform(), f64::from(1 + class) + 0.3 * stream.normal());
        [radius * angle.cos(), radius * angle.sin()]
    };
    let numbers: Vec<f64> = y.iter().flat_map(point).collect();
    (Features::new(rows, 2, numbers, Vec::new()), y)
}
