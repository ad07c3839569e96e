//! Tests: trainings through the public door.

mod learning;
mod models;
mod refusals;
mod resuming;

use super::fixture::{Fixture, short_training, small_network};
use super::*;
use crate::progress::Silent;

fn fitted(fixture: &Fixture, seed: u64) -> Fitted {
    train(fixture.data(), &small_network(), &short_training(6), seed, &Silent).unwrap()
}

fn digest(fitted: &Fitted) -> String {
    let (weights, recipe) = fitted.model.to_parts().unwrap();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&weights);
    hasher.update(recipe.to_string().as_bytes());
    hasher.update(serde_json::to_string(&fitted.curves).unwrap().as_bytes());
    hasher.finalize().to_hex()[..16].to_string()
}

fn refused(result: Result<Fitted, TrainError>) -> String {
    match result {
        Ok(_) => panic!("training went through"),
        Err(error) => error.to_string(),
    }
}
