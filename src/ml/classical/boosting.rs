//! Gradient boosting for several classes: each round adds one regression tree for each class to its
//! score.
//!
//! The loss is the cross-entropy of the softmax of the scores; its second-order step and the
//! leaf-wise trees follow LightGBM (Ke et al. 2017; Friedman 2001).

use std::sync::Mutex;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::class_totals::class_weights;
use super::early_stopping::{Stopping, hold_out};
use super::encoding::Form;
use super::fit::{fit_occurring, require, softmax};
use super::kernel::exp_of_negative;
use super::trees::bins::{Bins, Cuts};
use super::trees::flat;
use super::trees::gradient::{Growth, GrowthData, Workspace, grow};
use super::trees::histogram::{Limits, SetLimits, Slope};
use super::trees::tree::{Tree, add_leaves};
use super::{ArrayError, Arrays, Estimator, Features, FitError, Model, Width};
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;
use crate::simd::dispatch;

/// Rows that one task handles.
const BLOCK: usize = 256;

/// Gradient boosted trees, as LightGBM's `LGBMClassifier(objective="multiclass")`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Boosting {
    /// Rounds at most, at least 1; each adds one tree for each class.
    #[schemars(range(min = 1, max = 100_000))]
    pub rounds: usize,
    /// What every tree is shrunk by, in (0, 1].
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// Leaves of a tree at most, at least 2; the leaf of largest gain is split next.
    #[schemars(range(min = 2, max = 131_072))]
    pub max_leaves: usize,
    /// Levels of a tree below its root at most, at least 1; null for no limit.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_depth: Option<usize>,
    /// Rows that a leaf holds at least, counted by their share of the Hessians as LightGBM does; at least 1.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_child_samples: u64,
    /// L2 penalty of the leaf values, at least 0.
    #[schemars(range(min = 0.0, max = 1e12))]
    pub l2: f64,
    /// Share of the rows, in (0, 1], that the trees of a round are grown on; drawn anew each round.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub row_fraction: f64,
    /// Share of the columns, in (0, 1], that a tree may use; drawn anew for each tree.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub column_fraction: f64,
    /// Share of the training rows, in (0, 1), that is held out to stop early; null to use all rows
    /// and rounds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub early_stopping_fraction: Option<f64>,
    /// Rounds without a better log loss on the held-out rows after which boosting stops, at least
    /// 1.
    #[schemars(range(min = 1, max = 100_000))]
    pub early_stopping_rounds: usize,
    /// Rows that a category has at least where a split looks for sets of categories, and what its Hessian is raised by when these are sorted; at least
    /// 0.
    #[schemars(range(min = 0.0, max = 1e9))]
    #[serde(skip_serializing_if = "Sets::has_its_smooth")]
    pub cat_smooth: f64,
    /// L2 penalty of the leaf values of such a split, beside `l2`; at least 0.
    #[schemars(range(min = 0.0, max = 1e12))]
    #[serde(skip_serializing_if = "Sets::has_its_l2")]
    pub cat_l2: f64,
    /// Categories on the smaller side of such a split at most, at least 1.
    #[schemars(range(min = 1, max = 255))]
    #[serde(skip_serializing_if = "Sets::has_its_threshold")]
    pub max_cat_threshold: usize,
    /// Rows that the categories between two such splits that are compared have together at least, at least 1; null for 100, or a tenth of the
    /// training rows where that is less.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_data_per_group: Option<u64>,
}

/// Defaults of the parameters of sets of categories, as in LightGBM. A model that keeps them is written down without them, as it was before there
/// were any.
struct Sets;

impl Sets {
    const SMOOTH: f64 = 10.0;
    const L2: f64 = 10.0;
    const THRESHOLD: usize = 32;
    const GROUP_ROWS: u64 = 100;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn has_its_smooth(value: &f64) -> bool {
        *value == Sets::SMOOTH
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn has_its_l2(value: &f64) -> bool {
        *value == Sets::L2
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn has_its_threshold(value: &usize) -> bool {
        *value == Sets::THRESHOLD
    }
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
            row_fraction: 1.0,
            column_fraction: 1.0,
            early_stopping_fraction: None,
            early_stopping_rounds: 20,
            cat_smooth: Sets::SMOOTH,
            cat_l2: Sets::L2,
            max_cat_threshold: Sets::THRESHOLD,
            min_data_per_group: None,
        }
    }
}

impl Estimator for Boosting {
    fn minimises_log_loss(&self) -> bool {
        true
    }

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
        for (parameter, share) in [("row_fraction", self.row_fraction), ("column_fraction", self.column_fraction)] {
            require(share > 0.0 && share <= 1.0, name, parameter, share, "above 0 and at most 1")?;
        }
        if let Some(share) = self.early_stopping_fraction {
            require(share > 0.0 && share < 1.0, name, "early_stopping_fraction", share, "between 0 and 1, or null")?;
        }
        for (parameter, value) in [("cat_smooth", self.cat_smooth), ("cat_l2", self.cat_l2)] {
            require(value >= 0.0 && value.is_finite(), name, parameter, value, "a finite number of at least 0")?;
        }
        require(self.max_cat_threshold > 0, name, "max_cat_threshold", self.max_cat_threshold, "at least 1")?;
        if let Some(rows) = self.min_data_per_group {
            require(rows > 0, name, "min_data_per_group", rows, "at least 1, or null")?;
        }
        let patience = self.early_stopping_rounds;
        require(patience > 0, name, "early_stopping_rounds", patience, "at least 1")
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
            let (kept, held_out) = match self.early_stopping_fraction {
                Some(share) => hold_out(y, classes, share, seed),
                None => ((0..y.len()).collect(), Vec::new()),
            };
            let labels = |rows: &[usize]| -> Vec<u32> { rows.iter().map(|&row| y[row]).collect() };
            let boosted = self.boost(
                (&x.take(&kept), &labels(&kept)),
                (&x.take(&held_out), &labels(&held_out)),
                classes,
                seed,
                progress,
            )?;
            Ok(Box::new(boosted))
        })
    }

    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError> {
        let cuts = Cuts::take(arrays, width)?;
        let start = arrays.take_f64("start", &[Some(classes)])?;
        let trees = flat::take(arrays, 1, width)?;
        if !trees.len().is_multiple_of(classes) {
            return Err(ArrayError::unfit("trees", format!("has {} trees for {classes} classes", trees.len())));
        }
        Ok(Box::new(Boosted { cuts, start, trees }))
    }
}

impl Boosting {
    fn boost(
        &self,
        (x, y): (&Features, &[u32]),
        (held_out_x, held_out_y): (&Features, &[u32]),
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Boosted, Cancelled> {
        let bins = Bins::fit(x, progress)?;
        let rows = y.len();
        let counts = class_weights(x, y, classes);
        let all: f64 = counts.iter().sum();
        // A class may miss here when only held-out rows have it; half a row keeps its logarithm
        // finite.
        let start: Vec<f64> = counts.iter().map(|&count| count.max(0.5) / all).map(f64::ln).collect();
        let group_rows = self.min_data_per_group.unwrap_or(Sets::GROUP_ROWS.min(rows as u64 / 10));
        let sets = SetLimits {
            smooth: self.cat_smooth,
            l2: self.cat_l2,
            most: self.max_cat_threshold,
            group_rows,
            // See `slopes`.
            noise: (classes as f64 - 1.0) / classes as f64,
        };
        let growth = Growth {
            max_leaves: self.max_leaves,
            max_depth: self.max_depth.unwrap_or(usize::MAX),
            limits: Limits { samples: self.min_child_samples, hessian: 1e-3, l2: self.l2, sets },
            learning_rate: self.learning_rate,
        };
        let mut rounds = Rounds {
            data: GrowthData { bins: &bins, codes: &bins.blocks(x), growth },
            y,
            weights: x.weights(),
            columns: x.width(),
            draws: Draws { rows: self.row_fraction, columns: self.column_fraction, seed },
            done: 0,
            scores: start.iter().map(|&score| vec![score; rows]).collect(),
            workspaces: Mutex::new(Vec::new()),
        };
        let mut stopping = Stopping::new(&bins, held_out_x, held_out_y, &start, self.early_stopping_rounds);
        let mut trees = Vec::with_capacity(self.rounds * classes);
        for number in 0..self.rounds {
            progress.update(number as u64, self.rounds as u64, "rounds", "");
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
        Ok(Boosted { cuts: bins.into_cuts(), start, trees })
    }
}

/// The state that one round of boosting hands to the next.
struct Rounds<'a> {
    data: GrowthData<'a>,
    y: &'a [u32],
    /// Empty where all rows count alike.
    weights: &'a [f64],
    columns: usize,
    draws: Draws,
    done: u64,
    /// For each class the score of each row.
    scores: Vec<Vec<f64>>,
    /// As many as ever grew trees at once.
    workspaces: Mutex<Vec<Workspace>>,
}

impl Rounds<'_> {
    /// One tree for each class, grown at once: all of them correct the same probabilities.
    fn next(&mut self, progress: &dyn Progress) -> Result<Vec<Tree>, Cancelled> {
        let classes = self.scores.len();
        let shares = shares(&self.scores);
        let rows = self.draws.rows(self.y.len(), self.done);
        let (data, y, weights, columns, draws) = (self.data, self.y, self.weights, self.columns, &self.draws);
        let (first_tree, workspaces) = (self.done * classes as u64, &self.workspaces);
        let grown: Vec<Result<Tree, Cancelled>> = self
            .scores
            .par_iter_mut()
            .enumerate()
            .map(|(class, scores)| {
                let spare = workspaces.lock().ok().and_then(|mut spare| spare.pop());
                let mut workspace = spare.unwrap_or_default();
                slopes(&shares, y, class, classes, &mut workspace.slopes);
                for (slope, &weight) in workspace.slopes.iter_mut().zip(weights) {
                    slope.gradient *= weight as f32;
                    slope.hessian *= weight as f32;
                }
                let columns = draws.columns(columns, first_tree + class as u64);
                let tree = match &rows {
                    None => grow(data, 0..y.len() as u32, &columns, &mut workspace, scores, progress),
                    Some(rows) => {
                        let tree = grow(data, rows.iter().copied(), &columns, &mut workspace, scores, progress)?;
                        for row in absent(rows, y.len() as u32) {
                            let leaf = tree.leaf_by(|column| data.codes.column(column).code(row));
                            scores[row as usize] += f64::from(leaf[0]);
                        }
                        Ok(tree)
                    }
                };
                if let Ok(mut spare) = workspaces.lock() {
                    spare.push(workspace);
                }
                tree
            })
            .collect();
        self.done += 1;
        grown.into_iter().collect()
    }
}

/// The softmax of the scores, in blocks of rows: in each the shares of one class after the other.
fn shares(scores: &[Vec<f64>]) -> Vec<f32> {
    let (classes, rows) = (scores.len(), scores[0].len());
    let mut shares = vec![0.0f32; classes * rows];
    shares.par_chunks_mut(BLOCK * classes).enumerate().for_each(|(block, out)| {
        dispatch(|| {
            let count = out.len() / classes;
            let scores = || scores.iter().map(|scores| &scores[block * BLOCK..][..count]);
            let (mut largest, mut sums) = ([f64::NEG_INFINITY; BLOCK], [0.0f32; BLOCK]);
            for scores in scores() {
                for (largest, &score) in largest.iter_mut().zip(scores) {
                    *largest = if score > *largest { score } else { *largest };
                }
            }
            for (out, scores) in out.chunks_exact_mut(count).zip(scores()) {
                for (((out, &score), largest), sum) in out.iter_mut().zip(scores).zip(&largest).zip(&mut sums) {
                    *out = exp_of_negative((score - largest) as f32);
                    *sum += *out;
                }
            }
            for out in out.chunks_exact_mut(count) {
                out.iter_mut().zip(&sums).for_each(|(out, sum)| *out /= sum);
            }
        });
    });
    shares
}

/// The derivatives of the cross-entropy by the scores of one class.
fn slopes(shares: &[f32], y: &[u32], class: usize, classes: usize, out: &mut Vec<Slope>) {
    // The diagonal of the Hessian understates the curvature of a softmax whose classes move
    // together (LightGBM).
    let factor = (classes as f64 / (classes as f64 - 1.0)) as f32;
    out.clear();
    for (shares, labels) in shares.chunks(BLOCK * classes).zip(y.chunks(BLOCK)) {
        let shares = &shares[class * labels.len()..][..labels.len()];
        out.extend(shares.iter().zip(labels).map(|(&share, &label)| {
            let target = if label as usize == class { 1.0 } else { 0.0 };
            Slope { gradient: share - target, hessian: factor * share * (1.0 - share) }
        }));
    }
}

/// Which rows and columns take part.
struct Draws {
    rows: f64,
    columns: f64,
    seed: u64,
}

impl Draws {
    /// Ascending; `None` for all.
    fn rows(&self, rows: usize, round: u64) -> Option<Vec<u32>> {
        let stream = || Stream::new(self.seed, "classical/boosting/rows", round);
        (self.rows < 1.0).then(|| draw(rows, self.rows, stream()).map(|row| row as u32).collect())
    }

    /// Ascending.
    fn columns(&self, columns: usize, tree: u64) -> Vec<usize> {
        if self.columns < 1.0 {
            draw(columns, self.columns, Stream::new(self.seed, "classical/boosting/columns", tree)).collect()
        } else {
            (0..columns).collect()
        }
    }
}

/// A share of the numbers below `count`, rounded, at least one of them: selection sampling (Knuth, The Art of Computer
/// Programming 2, algorithm 3.4.2 S).
fn draw(count: usize, share: f64, mut stream: Stream) -> impl Iterator<Item = usize> {
    let mut wanted = ((count as f64 * share).round() as usize).max(1);
    (0..count).filter(move |number| {
        let takes = stream.uniform() * ((count - number) as f64) < wanted as f64;
        wanted -= usize::from(takes);
        takes
    })
}

/// The numbers below `count` that the ascending `present` leaves out.
fn absent(present: &[u32], count: u32) -> impl Iterator<Item = u32> {
    let mut present = present.iter().copied().peekable();
    (0..count).filter(move |&number| present.next_if_eq(&number).is_none())
}

struct Boosted {
    cuts: Cuts,
    /// Scores before the first round: logarithms of the shares of the classes.
    start: Vec<f64>,
    /// rounds × classes.
    trees: Vec<Tree>,
}

impl Model for Boosted {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        let classes = self.start.len();
        let mut probabilities = Matrix::zeros(x.rows, classes);
        probabilities.data.par_chunks_mut(BLOCK * classes).enumerate().for_each(|(block, out)| {
            if progress.cancelled() {
                return;
            }
            let rows = out.len() / classes;
            let codes = self.cuts.rows(x, block * BLOCK..block * BLOCK + rows);
            let mut scores = self.start.repeat(rows);
            for round in self.trees.chunks_exact(classes) {
                for (scores, codes) in scores.chunks_exact_mut(classes).zip(codes.chunks_exact(x.width())) {
                    add_leaves(scores, round, codes);
                }
            }
            scores.chunks_exact_mut(classes).for_each(softmax);
            out.iter_mut().zip(&scores).for_each(|(out, &score)| *out = score as f32);
        });
        probabilities
    }

    fn put(&self, arrays: &mut Arrays) {
        self.cuts.put(arrays);
        arrays.put_f64("start", &[self.start.len()], &self.start);
        flat::put(&self.trees, 1, arrays);
    }
}
