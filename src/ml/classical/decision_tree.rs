//! A single classification tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encoding::Form;
use super::fit::{fit_occurring, require};
use super::forest::Forest;
use super::trees::bins::Bins;
use super::trees::gini::{Growth, Sample, grow};
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::progress::Progress;
use crate::rng::Stream;

/// One decision tree by Gini impurity, as scikit-learn's `DecisionTreeClassifier`, on at most 255
/// bins a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionTree {
    /// Levels below the root at most, at least 1; null for no limit.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_depth: Option<usize>,
    /// Rows that a leaf holds at least, at least 1.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(crate) min_samples_leaf: u64,
}

impl Default for DecisionTree {
    fn default() -> Self {
        DecisionTree { max_depth: Some(9), min_samples_leaf: 1 }
    }
}

impl Estimator for DecisionTree {
    fn name(&self) -> &'static str {
        "tree"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        if let Some(depth) = self.max_depth {
            require(depth > 0, self.name(), "max_depth", depth, "at least 1, or null for no limit")?;
        }
        require(self.min_samples_leaf > 0, self.name(), "min_samples_leaf", self.min_samples_leaf, "at least 1")
    }

    fn fit(
        &self,
        x: &Features,
        y: &[u32],
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Box<dyn Model>, FitError> {
        self.check()?;
        fit_occurring(Form::Places, (x, y, classes), seed, progress, |x, y, classes| {
            let bins = Bins::fit(x, progress)?;
            let codes = bins.columns(x);
            let (weights, unit) = x.whole_weights();
            let growth = Growth {
                max_depth: self.max_depth.unwrap_or(usize::MAX),
                min_samples_leaf: self.min_samples_leaf,
                unit,
                columns_per_split: x.width(),
                random_cuts: false,
            };
            let samples = y
                .iter()
                .zip(weights)
                .zip(0..)
                .map(|((&label, weight), row)| Sample { row, class: label as u16, weight })
                .collect();
            let stream = Stream::new(seed, "classical/tree", 0);
            let tree = grow(&bins, &codes, samples, classes, growth, stream, progress)?;
            Ok(Box::new(Forest { cuts: bins.into_cuts(), trees: vec![tree], classes }))
        })
    }

    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        Ok(Box::new(Forest::take(arrays, width, classes)?))
    }
}
