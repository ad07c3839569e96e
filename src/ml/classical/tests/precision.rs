//! Numbers far from zero: what matters are their differences, as of the same numbers near zero.

use super::{all, classes, fitted};
use crate::classical::{Baselines, Features, Fitted, Inputs};
use crate::frame::{Column, Frame};
use crate::progress::Silent;
use crate::rng::Stream;

/// Whole numbers below 20, of which the size decides the class; a second column is noise.
fn steps(rows: usize) -> (Vec<f64>, Vec<f64>, Vec<u32>) {
    let mut stream = Stream::new(5, "test", 0);
    let steps: Vec<f64> = (0..rows).map(|_| stream.below(20) as f64).collect();
    let noise = (0..rows).map(|_| stream.uniform()).collect();
    let labels = steps.iter().map(|&step| if step < 7.0 { 0 } else { u32::from(step >= 13.0) + 1 }).collect();
    (steps, noise, labels)
}

fn features(steps: &[f64], noise: &[f64], offset: f64) -> Features {
    let numbers = steps.iter().zip(noise).flat_map(|(step, noise)| [offset + step, *noise]).collect();
    Features::new(steps.len(), 2, numbers, Vec::new())
}

fn accuracy(predicted: &[u32], truth: &[u32]) -> f64 {
    predicted.iter().zip(truth).filter(|(a, b)| a == b).count() as f64 / truth.len() as f64
}

// In 32 bits milliseconds since 1970 fall into steps of 131,072, and 1e15 into steps of 67 million.
#[test]
fn every_kind_learns_from_numbers_of_more_than_24_bits_as_without_their_offset() {
    let (steps, noise, labels) = steps(900);
    for (name, estimator) in all().into_iter().filter(|(name, _)| name != "majority") {
        let with = |offset| {
            let all = features(&steps, &noise, offset);
            let (seen, unseen): (Vec<usize>, Vec<usize>) = ((0..600).collect(), (600..900).collect());
            let model = fitted(estimator.as_ref(), &all.take(&seen), &labels[..600]);
            accuracy(&model.predict_probabilities(&all.take(&unseen)).argmax_rows(), &labels[600..])
        };
        let plain = with(0.0);
        assert!(plain > 0.85, "{name}: {plain}");
        for offset in [1.7e12, 1e15, -1.7e12] {
            let far = with(offset);
            assert!((far - plain).abs() < 0.01, "{name}: {far} at {offset:e}, {plain} without");
        }
    }
}

// A model that was written down and read again decides alike: its cuts and means keep all digits.
#[test]
fn a_kept_model_tells_neighbouring_large_numbers_apart() {
    let (steps, noise, labels) = steps(600);
    let mut frame = Frame::new(600);
    frame.insert("at", Column::Numeric(steps.iter().map(|step| 1.7e12 + step).collect()));
    frame.insert("noise", Column::Numeric(noise));
    let inputs = Inputs::of(&frame, &["at", "noise"].map(String::from), &[], &[], &[]).unwrap();
    for (name, estimator) in all().into_iter().filter(|(name, _)| name != "majority") {
        let models: Baselines = serde_json::from_value(serde_json::json!({name.as_str(): estimator.params()})).unwrap();
        let model = fitted(estimator.as_ref(), &inputs.features(&frame, &Silent).unwrap(), &labels);
        let kept = Fitted::new(&models, &name, inputs.clone(), &classes(), model, None);
        let (arrays, recipe) = kept.to_parts().unwrap();
        let again = Fitted::from_parts(&arrays, &recipe).unwrap();
        let predicted = again.predict_probabilities(&frame).unwrap();
        assert_eq!(predicted, kept.predict_probabilities(&frame).unwrap(), "{name}");
        assert!(accuracy(&predicted.argmax_rows(), &labels) > 0.85, "{name}");
    }
}
