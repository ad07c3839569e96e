//! Tests: a small labelled frame with signal in numbers and in vectors, missing values and a constant column.

use super::*;
use crate::frame::Column;
use crate::rng::Stream;
use runner_results::scores::PLAIN;

/// Rows of `classes` classes: numeric `a`, `b` (some missing), `flat` (constant); vectors `title` of 8 components.
pub(crate) struct Fixture {
    pub(crate) frame: Frame,
    pub(crate) labels: Vec<u32>,
    pub(crate) classes: Vec<String>,
    pub(crate) numeric: Vec<String>,
    pub(crate) text: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) train: Vec<usize>,
    pub(crate) valid: Vec<usize>,
}

impl Fixture {
    pub(crate) fn new(rows: usize, classes: usize) -> Self {
        let mut stream = Stream::new(11, "fixture", 0);
        let labels: Vec<u32> = (0..rows).map(|i| (i % classes) as u32).collect();
        let mut frame = Frame::new(rows);
        let mut noisy = |centre: &dyn Fn(f64) -> f64| -> Vec<f64> {
            labels.iter().map(|&label| centre(f64::from(label)) + 0.6 * stream.normal()).collect()
        };
        let a = noisy(&|label| label);
        let mut b = noisy(&|label| -100.0 + 3.0 * (label * 2.0).sin());
        b.iter_mut().step_by(13).for_each(|value| *value = f64::NAN);
        let mut title = Vec::new();
        for k in 0..8 {
            title.push(noisy(&|label| if label as usize == k { 1.0 } else { 0.0 }));
        }
        let values = (0..rows).flat_map(|i| title.iter().map(move |component| component[i] as f32)).collect();
        frame.insert("a", Column::Numeric(a));
        frame.insert("b", Column::Numeric(b));
        frame.insert("flat", Column::Numeric(vec![4.2; rows]));
        frame.insert("title", Column::Vector { dim: 8, values });
        Fixture {
            frame,
            labels,
            classes: (0..classes).map(|class| format!("class {class}")).collect(),
            numeric: ["a", "b", "flat"].map(String::from).to_vec(),
            text: vec!["title".into()],
            categories: Vec::new(),
            train: (0..rows * 3 / 4).collect(),
            valid: (rows * 3 / 4..rows).collect(),
        }
    }

    /// The same with categories: six artists, of two for each class of the first three; a seventh that no training row has.
    pub(crate) fn with_artists(mut self) -> Self {
        let artist = |i: usize| {
            let last = i + 1 == self.labels.len();
            Some(if last {
                "artist 6".to_owned()
            } else {
                format!("artist {}", self.labels[i] as usize % 3 * 2 + i / 3 % 2)
            })
        };
        self.frame.insert_categories("artist", (0..self.labels.len()).map(artist).collect());
        self.categories.push("artist".into());
        self
    }

    pub(crate) fn data(&self) -> Data<'_> {
        Data {
            frame: &self.frame,
            numeric: &self.numeric,
            text: &self.text,
            categories: &self.categories,
            labels: &self.labels,
            classes: &self.classes,
            weights: &[],
            train: &self.train,
            valid: &self.valid,
            scoring: &PLAIN,
        }
    }
}

/// A network that trains in milliseconds.
pub(crate) fn small_network() -> NetworkSpec {
    serde_json::from_str(r#"{"trunk": {"layers": [16, 12]}, "text": {"layers": [6]}, "dropout": 0.1}"#).unwrap()
}

pub(crate) fn short_training(epochs: usize) -> TrainingSpec {
    TrainingSpec { epochs, batch_size: 32, ..TrainingSpec::default() }
}
