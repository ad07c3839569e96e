//! Gradient boosting for several classes: each round adds one regression tree for each class to its
//! score.
//!
//! The loss is the cross-entropy of the softmax of the scores; its second-order step and the
//! leaf-wise trees follow LightGBM (Ke et al. 2017; Friedman 2001). Knows nothing of how one tree
//! grows (`trees::gradient`).

use std::sync::Mutex;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::early_stopping::{Stopping, hold_out};
use super::fit::{class_counts, fit_occurring, require, softmax};
use super::trees::bins::{Bins, Codes};
use super::trees::gradient::{FixedPoint, Growth, Workspace, grow};
use super::trees::tree::Tree;
use super::{Estimator, FitError, Model};
use crate::ml::matrix::Matrix;
use crate::ml::progress::{Cancelled, Progress};

/// Rows that one task handles.
const BLOCK: usize = 256;

/// Gradient boosted trees, as LightGBM's `LGBMClassifier(objective="multiclass")`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Boosting {
    /// Rounds at most, at least 1; each adds one tree for each class.
    pub rounds: usize,
    /// What every tree is shrunk by, in (0, 1].
    pub learning_rate: f64,
    /// Leaves of a tree at most, at least 2; the leaf of largest gain is split next.
    pub max_leaves: usize,
    /// Levels of a tree below its root at most, at least 1; null for no limit.
    pub max_depth: Option<usize>,
    /// Rows that a leaf holds at least, at least 1.
    pub min_child_samples: u64,
    /// L2 penalty of the leaf values, at least 0.
    pub l2: f64,
    /// Share of the training rows, in (0, 1), that is held out to stop early; null to use all rows
    /// and rounds.
    pub early_stopping_fraction: Option<f64>,
    /// Rounds without a better log loss on the held-out rows after which boosting stops, at least
    /// 1.
    pub early_stopping_rounds: usize,
}

impl Default for Boosting {
    fn default() -> Self {
        Boosting {
            rounds: 200,
            learning_rate: 0.05,
            max_leaves: 31,
            max_depth: None,
            min_child_samples: 20,
            l2: 0.0,
            early_stopping_fraction: None,
            early_stopping_rounds: 20,
        }
    }
}

impl Estimator for Boosting {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn params(&self) -> Value {
        serde_json::json!(self)
    }

    fn check(&self) -> Result<(), FitError> {
        let name = self.name();
        require(self.rounds > 0, name, "rounds", self.rounds, "at least 1")?;
        let rate = self.learning_rate;
        require(rate > 0.0 && rate <= 1.0, name, "learning_rate", rate, "above 0 and at most 1")?;
        require(self.max_leaves > 1, name, "max_leaves", self.max_leaves, "at least 2")?;
        if let Some(depth) = self.max_depth {
            require(depth > 0, name, "max_depth", depth, "at least 1, or null for no limit")?;
        }
        require(self.min_child_samples > 0, name, "min_child_samples", self.min_child_samples, "at least 1")?;
        require(self.l2 >= 0.0 && self.l2.is_finite(), name, "l2", self.l2, "a finite number of at least 0")?;
        if let Some(share) = self.early_stopping_fraction {
            require(share > 0.0 && share < 1.0, name, "early_stopping_fraction", share, "between 0 and 1, or null")?;
        }
        let patience = self.early_stopping_rounds;
        require(patience > 0, name, "early_stopping_rounds", patience, "at least 1")
    }

    fn fit(
        &self,
        x: &Matrix,
        y: &[u32],
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Box<dyn Model>, FitError> {
        self.check()?;
        fit_occurring(x, y, classes, |y, classes| {
            let (kept, held_out) = match self.early_stopping_fraction {
                Some(share) => hold_out(y, classes, share, seed),
                None => ((0..y.len()).collect(), Vec::new()),
            };
            let labels = |rows: &[usize]| -> Vec<u32> { rows.iter().map(|&row| y[row]).collect() };
            let boosted = self.boost(
                (&x.take(&kept), &labels(&kept)),
                (&x.take(&held_out), &labels(&held_out)),
                classes,
                progress,
            )?;
            Ok(Box::new(boosted))
        })
    }
}

impl Boosting {
    fn boost(
        &self,
        (x, y): (&Matrix, &[u32]),
        (held_out_x, held_out_y): (&Matrix, &[u32]),
        classes: usize,
        progress: &dyn Progress,
    ) -> Result<Boosted, Cancelled> {
        let bins = Bins::fit(x);
        let rows = y.len();
        let counts = class_counts(y, classes);
        // A class may miss here when only held-out rows have it; half a row keeps its logarithm
        // finite.
        let start: Vec<f64> = counts.iter().map(|&count| (count as f64).max(0.5) / rows as f64).map(f64::ln).collect();
        let mut rounds = Rounds {
            codes: &bins.columns(x),
            bins: &bins,
            y,
            growth: Growth {
                max_leaves: self.max_leaves,
                max_depth: self.max_depth.unwrap_or(usize::MAX),
                min_samples_leaf: self.min_child_samples,
                min_hessian: 1e-3,
                l2: self.l2,
                learning_rate: self.learning_rate,
            },
            fixed: FixedPoint::new(rows),
            scores: start.iter().map(|&score| vec![score; rows]).collect(),
            workspaces: Mutex::new(Vec::new()),
        };
        let mut stopping = Stopping::new(&bins, held_out_x, held_out_y, &start, self.early_stopping_rounds);
        let mut trees = Vec::with_capacity(self.rounds * classes);
        for _ in 0..self.rounds {
            let round = rounds.next(progress)?;
            let stop = stopping.as_mut().is_some_and(|stopping| stopping.after(&round));
            trees.extend(round);
            if stop {
                break;
            }
        }
        if let Some(stopping) = stopping {
            trees.truncate(stopping.best_round * classes);
        }
        Ok(Boosted { bins, start, trees })
    }
}

/// The state that one round of boosting hands to the next.
struct Rounds<'a> {
    bins: &'a Bins,
    codes: &'a Codes,
    y: &'a [u32],
    growth: Growth,
    fixed: FixedPoint,
    /// For each class the score of each row.
    scores: Vec<Vec<f64>>,
    /// As many as ever grew trees at once.
    workspaces: Mutex<Vec<Workspace>>,
}

impl Rounds<'_> {
    /// One tree for each class, grown at once: all of them correct the same probabilities.
    fn next(&mut self, progress: &dyn Progress) -> Result<Vec<Tree>, Cancelled> {
        let classes = self.scores.len();
        let normalizers = self.normalizers();
        // The diagonal of the Hessian understates the curvature of a softmax whose classes move
        // together (LightGBM).
        let factor = classes as f64 / (classes as f64 - 1.0);
        let (bins, codes, y, growth, fixed, workspaces) =
            (self.bins, self.codes, self.y, self.growth, self.fixed, &self.workspaces);
        let grown: Vec<Result<Tree, Cancelled>> = self
            .scores
            .par_iter_mut()
            .enumerate()
            .map(|(class, scores)| {
                let spare = workspaces.lock().ok().and_then(|mut spare| spare.pop());
                let mut workspace = spare.unwrap_or_default();
                workspace.samples.clear();
                for (row, ((&score, &normalizer), &label)) in scores.iter().zip(&normalizers).zip(y).enumerate() {
                    let share = (score - normalizer).exp().min(1.0);
                    let target = if label as usize == class { 1.0 } else { 0.0 };
                    // With two classes the Hessian reaches 0.5, with more less.
                    let hessian = factor * share * (1.0 - share);
                    workspace.samples.push(fixed.sample(row as u32, share - target, hessian));
                }
                let tree = grow(bins, codes, fixed, growth, &mut workspace, scores, progress);
                if let Ok(mut spare) = workspaces.lock() {
                    spare.push(workspace);
                }
                tree
            })
            .collect();
        grown.into_iter().collect()
    }

    /// For each row the logarithm of the sum of the exponentials of its scores.
    fn normalizers(&self) -> Vec<f64> {
        let mut normalizers = vec![0.0; self.y.len()];
        normalizers.par_chunks_mut(4 * BLOCK).enumerate().for_each(|(block, out)| {
            for (i, out) in out.iter_mut().enumerate() {
                let row = block * 4 * BLOCK + i;
                let largest = self.scores.iter().map(|scores| scores[row]).fold(f64::NEG_INFINITY, f64::max);
                *out = largest + self.scores.iter().map(|scores| (scores[row] - largest).exp()).sum::<f64>().ln();
            }
        });
        normalizers
    }
}

pub(super) fn add_leaves(scores: &mut [f64], trees: &[Tree], codes: &[u8]) {
    scores.iter_mut().zip(trees).for_each(|(score, tree)| *score += f64::from(tree.leaf(codes)[0]));
}

struct Boosted {
    bins: Bins,
    /// Scores before the first round: logarithms of the shares of the classes.
    start: Vec<f64>,
    /// rounds × classes.
    trees: Vec<Tree>,
}

impl Model for Boosted {
    fn predict_probabilities(&self, x: &Matrix) -> Matrix {
        let classes = self.start.len();
        let mut probabilities = Matrix::zeros(x.rows, classes);
        probabilities.data.par_chunks_mut(BLOCK * classes).zip(x.data.par_chunks(BLOCK * x.cols)).for_each(
            |(out, values)| {
                let codes = self.bins.rows(values);
                let mut scores = self.start.repeat(out.len() / classes);
                for round in self.trees.chunks_exact(classes) {
                    for (scores, codes) in scores.chunks_exact_mut(classes).zip(codes.chunks_exact(x.cols)) {
                        add_leaves(scores, round, codes);
                    }
                }
                scores.chunks_exact_mut(classes).for_each(softmax);
                out.iter_mut().zip(&scores).for_each(|(out, &score)| *out = score as f32);
            },
        );
        probabilities
    }
}
