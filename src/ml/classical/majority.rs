//! The majority class: what any classifier must beat.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::class_totals::class_counts;
use super::encoding::Form;
use super::fit::fit_occurring;
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::progress::Progress;

/// Predicts the shares of the classes in the training rows, whatever the row:
/// `DummyClassifier(strategy="prior")`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Majority {}

impl Estimator for Majority {
    fn minimises_log_loss(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "majority"
    }

    /// It is what the classes are in the data, which others must beat, whatever is wished of them.
    fn heeds_weights(&self) -> bool {
        false
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        Ok(())
    }

    fn fit(
        &self,
        x: &Features,
        y: &[u32],
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Box<dyn Model>, FitError> {
        fit_occurring(Form::AsTheyAre, (x, y, classes), seed, progress, |_, y, classes| {
            let rows = y.len() as f64;
            let shares = class_counts(y, classes).iter().map(|&count| (count as f64 / rows) as f32).collect();
            Ok(Box::new(Shares { shares }))
        })
    }

    fn restore(&self, arrays: &mut Arrays, _width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        Ok(Box::new(Shares { shares: arrays.take_f32("shares", &[Some(classes)])? }))
    }
}

struct Shares {
    shares: Vec<f32>,
}

impl Model for Shares {
    fn predict(&self, x: &Features, _progress: &dyn Progress) -> Matrix {
        Matrix::from_vec(x.rows, self.shares.len(), self.shares.repeat(x.rows))
    }

    fn put(&self, arrays: &mut Arrays) {
        arrays.put_f32("shares", &[self.shares.len()], &self.shares);
    }
}
