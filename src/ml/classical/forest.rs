//! Random forests and extremely randomised trees: the mean of many trees that differ by chance.
//!
//! Each tree draws from a stream of its own, so the forest is the same for any number of threads.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encoding::Form;
use super::fit::{fit_occurring, require};
use super::trees::bins::{Bins, Cuts};
use super::trees::flat;
use super::trees::gini::{Growth, Sample, grow};
use super::trees::tree::Tree;
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;

/// Rows that one task sends through all trees.
const BLOCK: usize = 256;

/// How many columns are tried at each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MaxFeatures {
    /// The square root of the number of columns, rounded down.
    Sqrt,
    /// The binary logarithm of the number of columns, rounded down.
    Log2,
    /// All columns.
    All,
}

impl MaxFeatures {
    fn of(self, columns: usize) -> usize {
        match self {
            MaxFeatures::Sqrt => columns.isqrt(),
            MaxFeatures::Log2 => columns.ilog2() as usize,
            MaxFeatures::All => columns,
        }
        .max(1)
    }
}

/// Random forest (Breiman 2001), as scikit-learn's `RandomForestClassifier`, on at most 255 bins a
/// column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomForest {
    /// Number of trees, at least 1.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) trees: usize,
    /// Levels below the root at most, at least 1; null for no limit.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_depth: Option<usize>,
    /// Rows that a leaf holds at least, counted as often as the bootstrap drew them; at least 1.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(crate) min_samples_leaf: u64,
    /// Columns tried at each node.
    pub(crate) max_features: MaxFeatures,
    /// Whether each tree sees as many rows as there are, drawn with replacement, instead of all of
    /// them.
    pub(crate) bootstrap: bool,
}

impl Default for RandomForest {
    fn default() -> Self {
        RandomForest {
            trees: 300,
            max_depth: None,
            min_samples_leaf: 1,
            max_features: MaxFeatures::Sqrt,
            bootstrap: true,
        }
    }
}

/// Extremely randomised trees (Geurts, Ernst and Wehenkel 2006), as scikit-learn's
/// `ExtraTreesClassifier`, on at most 255 bins a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExtraTrees {
    /// Number of trees, at least 1.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) trees: usize,
    /// Levels below the root at most, at least 1; null for no limit.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) max_depth: Option<usize>,
    /// Rows that a leaf holds at least; at least 1.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub(crate) min_samples_leaf: u64,
    /// Columns tried at each node, each with one random cut.
    pub(crate) max_features: MaxFeatures,
    /// Whether each tree sees as many rows as there are, drawn with replacement, instead of all of
    /// them.
    pub(crate) bootstrap: bool,
}

impl Default for ExtraTrees {
    fn default() -> Self {
        ExtraTrees {
            trees: 300,
            max_depth: None,
            min_samples_leaf: 1,
            max_features: MaxFeatures::Sqrt,
            bootstrap: false,
        }
    }
}

impl Estimator for RandomForest {
    fn name(&self) -> &'static str {
        "random_forest"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        self.recipe().check()
    }

    fn fit(
        &self,
        x: &Features,
        y: &[u32],
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Box<dyn Model>, FitError> {
        self.recipe().fit(x, y, classes, seed, progress)
    }

    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        Ok(Box::new(Forest::take(arrays, width, classes)?))
    }
}

impl RandomForest {
    fn recipe(&self) -> Recipe {
        Recipe {
            model: "random_forest",
            stream: "classical/random_forest",
            trees: self.trees,
            max_depth: self.max_depth,
            min_samples_leaf: self.min_samples_leaf,
            max_features: self.max_features,
            bootstrap: self.bootstrap,
            random_cuts: false,
        }
    }
}

impl Estimator for ExtraTrees {
    fn name(&self) -> &'static str {
        "extra_trees"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        self.recipe().check()
    }

    fn fit(
        &self,
        x: &Features,
        y: &[u32],
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Box<dyn Model>, FitError> {
        self.recipe().fit(x, y, classes, seed, progress)
    }

    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        Ok(Box::new(Forest::take(arrays, width, classes)?))
    }
}

impl ExtraTrees {
    fn recipe(&self) -> Recipe {
        Recipe {
            model: "extra_trees",
            stream: "classical/extra_trees",
            trees: self.trees,
            max_depth: self.max_depth,
            min_samples_leaf: self.min_samples_leaf,
            max_features: self.max_features,
            bootstrap: self.bootstrap,
            random_cuts: true,
        }
    }
}

/// What both kinds of forest have in common.
struct Recipe {
    model: &'static str,
    /// The purpose of the random streams, one for each tree.
    stream: &'static str,
    trees: usize,
    max_depth: Option<usize>,
    min_samples_leaf: u64,
    max_features: MaxFeatures,
    bootstrap: bool,
    random_cuts: bool,
}

impl Recipe {
    fn check(&self) -> Result<(), FitError> {
        require(self.trees > 0, self.model, "trees", self.trees, "at least 1")?;
        if let Some(depth) = self.max_depth {
            require(depth > 0, self.model, "max_depth", depth, "at least 1, or null for no limit")?;
        }
        require(self.min_samples_leaf > 0, self.model, "min_samples_leaf", self.min_samples_leaf, "at least 1")
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
                columns_per_split: self.max_features.of(x.width()),
                random_cuts: self.random_cuts,
            };
            let done = AtomicU64::new(0);
            let grown: Vec<Result<Tree, Cancelled>> = (0..self.trees)
                .into_par_iter()
                .map(|number| {
                    if progress.cancelled() {
                        return Err(Cancelled);
                    }
                    let mut stream = Stream::new(seed, self.stream, number as u64);
                    let samples = self.draw(y, &weights, &mut stream);
                    let tree = grow(&bins, &codes, samples, classes, growth, stream, progress)?;
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress.update(done, self.trees as u64, "trees", "");
                    Ok(tree)
                })
                .collect();
            let trees = grown.into_iter().collect::<Result<Vec<Tree>, Cancelled>>()?;
            Ok(Box::new(Forest { cuts: bins.into_cuts(), trees, classes }))
        })
    }

    /// The rows of one tree: all of them, or a bootstrap sample as distinct rows with weights.
    fn draw(&self, y: &[u32], of_rows: &[u16], stream: &mut Stream) -> Vec<Sample> {
        let mut weights = vec![u16::from(!self.bootstrap); y.len()];
        if self.bootstrap {
            for _ in 0..y.len() {
                let weight = &mut weights[stream.below(y.len())];
                *weight = weight.saturating_add(1);
            }
        }
        y.iter()
            .zip(weights)
            .zip(of_rows)
            .zip(0..)
            .filter(|&(((_, drawn), _), _)| drawn > 0)
            .map(|(((&label, drawn), own), row)| Sample {
                row,
                class: label as u16,
                weight: drawn.saturating_mul(*own),
            })
            .collect()
    }
}

/// The mean of the leaves that a row falls into.
pub(super) struct Forest {
    pub(crate) cuts: Cuts,
    pub(crate) trees: Vec<Tree>,
    pub(crate) classes: usize,
}

impl Forest {
    pub(crate) fn take(arrays: &mut Arrays, width: Width, classes: usize) -> Result<Forest, ArrayError> {
        let cuts = Cuts::take(arrays, width)?;
        Ok(Forest { cuts, trees: flat::take(arrays, classes, width)?, classes })
    }
}

impl Model for Forest {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        let mut probabilities = Matrix::zeros(x.rows, self.classes);
        probabilities.data.par_chunks_mut(BLOCK * self.classes).enumerate().for_each(|(block, out)| {
            if progress.cancelled() {
                return;
            }
            let codes = self.cuts.rows(x, block * BLOCK..block * BLOCK + out.len() / self.classes);
            // Tree by tree, because a tree fits the cache and a forest does not.
            for tree in &self.trees {
                for (out, codes) in out.chunks_exact_mut(self.classes).zip(codes.chunks_exact(x.width())) {
                    out.iter_mut().zip(tree.leaf(codes)).for_each(|(sum, share)| *sum += share);
                }
            }
            out.iter_mut().for_each(|sum| *sum /= self.trees.len() as f32);
        });
        probabilities
    }

    fn put(&self, arrays: &mut Arrays) {
        self.cuts.put(arrays);
        flat::put(&self.trees, self.classes, arrays);
    }
}
