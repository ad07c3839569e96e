//! Grows regression trees leaf by leaf for gradient boosting.
//!
//! Each time the leaf with the largest gain is split (Shi 2007; Ke et al. 2017, LightGBM); a
//! parent's histogram minus that of its smaller child is that of the other. Gradients and Hessians
//! are fixed-point integers: sums and differences are exact, so that neither the order of the rows
//! nor subtraction changes a bit. Knows nothing of losses or of ensembles.

use super::bins::{Bins, CODES, Codes, MISSING};
use super::tree::{Split, Tree, partition};
use crate::ml::progress::{Cancelled, Progress};

/// How a tree grows.
#[derive(Clone, Copy)]
pub struct Growth {
    pub max_leaves: usize,
    /// Levels below the root at most.
    pub max_depth: usize,
    /// Rows that each side of a split keeps at least.
    pub min_samples_leaf: u64,
    /// Sum of Hessians that each side of a split keeps at least.
    pub min_hessian: f64,
    /// L2 penalty of the leaf values.
    pub l2: f64,
    /// What the leaf values −G / (H + l2) are multiplied by.
    pub learning_rate: f64,
}

/// How real sums are held in integers, for up to a given number of rows.
///
/// The Hessian and the count of a row share one integer, count in the low bits: a histogram entry
/// then takes 16 bytes and one vector addition. With r rows of 2^b > r, Hessians below 1 keep
/// min(40, 62 − 2b) binary places and gradients of at most 1 in size keep min(40, 62 − b).
#[derive(Clone, Copy)]
pub struct FixedPoint {
    count_bits: u32,
    /// Units of the integers for 1; powers of two, so that scaling rounds nothing.
    gradient_units: f64,
    hessian_units: f64,
}

/// A smaller gain is rounding.
const MIN_GAIN: f64 = 1e-10;

/// A sum over rows: gradients, and Hessians with the count. Meaningless without its `FixedPoint`.
type Sum = [i64; 2];

impl FixedPoint {
    pub fn new(rows: usize) -> Self {
        let count_bits = usize::BITS - rows.leading_zeros();
        let places = |free: u32| f64::from(2u32).powi(free.min(40) as i32);
        FixedPoint {
            count_bits,
            gradient_units: places(62 - count_bits.min(62)),
            hessian_units: places(62u32.saturating_sub(2 * count_bits)),
        }
    }

    /// One row with a gradient of at most 1 in size and a Hessian in [0, 1).
    pub fn sample(&self, row: u32, gradient: f64, hessian: f64) -> Sample {
        let packed = (((hessian * self.hessian_units) as i64) << self.count_bits) | 1;
        Sample { sum: [(gradient * self.gradient_units) as i64, packed], row }
    }

    fn count(&self, sum: Sum) -> u64 {
        (sum[1] & ((1 << self.count_bits) - 1)) as u64
    }

    fn gradient(&self, sum: Sum) -> f64 {
        sum[0] as f64 * self.gradient_units.recip()
    }

    fn hessian(&self, sum: Sum) -> f64 {
        (sum[1] >> self.count_bits) as f64 * self.hessian_units.recip()
    }
}

/// A training row of one tree.
#[derive(Clone, Copy)]
pub struct Sample {
    sum: Sum,
    row: u32,
}

/// Buffers that one tree after another uses.
#[derive(Default)]
pub struct Workspace {
    pub samples: Vec<Sample>,
    spare: Vec<Sample>,
    free: Vec<Vec<Sum>>,
}

/// Grows a tree on `workspace.samples` and adds the value of its leaf to the score of each of their
/// rows.
pub fn grow(
    bins: &Bins,
    codes: &Codes,
    fixed: FixedPoint,
    growth: Growth,
    workspace: &mut Workspace,
    scores: &mut [f64],
    progress: &dyn Progress,
) -> Result<Tree, Cancelled> {
    let mut tree = Tree::new(1);
    let Workspace { samples, spare, free } = workspace;
    let search = Search { bins, codes, fixed, growth };
    let histogram = search.histogram(samples, free);
    let mut leaves = vec![search.leaf(0, 0, samples.len(), 0, total(samples), Some(histogram))];
    while leaves.len() < growth.max_leaves {
        if progress.cancelled() {
            return Err(Cancelled);
        }
        let Some(at) = best_leaf(&leaves) else { break };
        let Leaf { node, start, end, depth, sum, histogram, best } = &mut leaves[at];
        let (node, start, end, depth, sum) = (*node, *start, *end, *depth + 1, *sum);
        let (Some(Candidate { split, .. }), Some(mut parent)) = (best.take(), histogram.take()) else {
            break;
        };
        let rows = &mut samples[start..end];
        let column = codes.column(split.column as usize);
        let left = partition(rows, spare, |sample| split.goes_left(column[sample.row as usize]));
        let (left_node, right_node) = tree.split(node, split);
        let (left_rows, right_rows) = rows.split_at(left);
        let left_sum = total(left_rows);
        let right_sum = difference(sum, left_sum);

        // Leaves that cannot be split any more need no histogram.
        let last = leaves.len() + 1 == growth.max_leaves || depth >= growth.max_depth;
        let (left_histogram, right_histogram) = if last {
            free.push(parent);
            (None, None)
        } else {
            let smaller = if left_rows.len() <= right_rows.len() { left_rows } else { right_rows };
            let part = search.histogram(smaller, free);
            parent.iter_mut().zip(&part).for_each(|(whole, part)| *whole = difference(*whole, *part));
            if left_rows.len() <= right_rows.len() { (Some(part), Some(parent)) } else { (Some(parent), Some(part)) }
        };
        let middle = start + left;
        leaves[at] = search.leaf(left_node, start, middle, depth, left_sum, left_histogram);
        leaves.push(search.leaf(right_node, middle, end, depth, right_sum, right_histogram));
        for leaf in [at, leaves.len() - 1] {
            if leaves[leaf].best.is_none() {
                free.extend(leaves[leaf].histogram.take());
            }
        }
    }
    for leaf in leaves {
        let value = (-growth.learning_rate * fixed.gradient(leaf.sum) / (fixed.hessian(leaf.sum) + growth.l2)) as f32;
        // No Hessian at all: every row of the leaf is certain, there is nothing to correct.
        let value = if value.is_finite() { value } else { 0.0 };
        for sample in &samples[leaf.start..leaf.end] {
            scores[sample.row as usize] += f64::from(value);
        }
        tree.set_leaf(leaf.node, std::iter::once(value));
        free.extend(leaf.histogram);
    }
    Ok(tree)
}

struct Leaf {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
    sum: Sum,
    histogram: Option<Vec<Sum>>,
    best: Option<Candidate>,
}

#[derive(Clone, Copy)]
struct Candidate {
    gain: f64,
    split: Split,
}

/// The leaf of largest gain; of equals the first.
fn best_leaf(leaves: &[Leaf]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, leaf) in leaves.iter().enumerate() {
        if let Some(candidate) = leaf.best
            && best.is_none_or(|(_, gain)| candidate.gain > gain)
        {
            best = Some((at, candidate.gain));
        }
    }
    best.map(|(at, _)| at)
}

struct Search<'a> {
    bins: &'a Bins,
    codes: &'a Codes,
    fixed: FixedPoint,
    growth: Growth,
}

impl Search<'_> {
    fn leaf(&self, node: usize, start: usize, end: usize, depth: usize, sum: Sum, histogram: Option<Vec<Sum>>) -> Leaf {
        let best = histogram.as_ref().and_then(|histogram| self.best_split(histogram, sum));
        Leaf { node, start, end, depth, sum, histogram, best }
    }

    /// Sums by column and code, in a buffer of `free` where there is one.
    fn histogram(&self, rows: &[Sample], free: &mut Vec<Vec<Sum>>) -> Vec<Sum> {
        let mut histogram = free.pop().unwrap_or_default();
        histogram.clear();
        histogram.resize(self.codes.cols * CODES, [0, 0]);
        let (columns, _) = histogram.as_chunks_mut::<CODES>();
        for (j, entries) in columns.iter_mut().enumerate() {
            let codes = self.codes.column(j);
            for sample in rows {
                let entry = &mut entries[usize::from(codes[sample.row as usize])];
                entry[0] += sample.sum[0];
                entry[1] += sample.sum[1];
            }
        }
        histogram
    }

    /// The split of largest gain over the leaf as it is, if any gains. Missing values go to the
    /// side where they gain more.
    fn best_split(&self, histogram: &[Sum], sum: Sum) -> Option<Candidate> {
        let rows = self.fixed.count(sum);
        let least = self.growth.min_samples_leaf.max(1);
        if rows < 2 * least {
            return None;
        }
        let now = self.score(sum);
        let mut best: Option<Candidate> = None;
        let mut offer = |column: usize, cut: usize, missing: Option<bool>, left: Sum| {
            let left_rows = self.fixed.count(left);
            if left_rows < least || rows - left_rows < least {
                return;
            }
            let right = difference(sum, left);
            if self.fixed.hessian(left).min(self.fixed.hessian(right)) < self.growth.min_hessian {
                return;
            }
            let gain = self.score(left) + self.score(right) - now;
            if gain > best.map_or(MIN_GAIN, |best| best.gain) {
                // Rows that lack a value where no training row of the leaf did follow the larger
                // side.
                let missing_left = missing.unwrap_or(2 * left_rows > rows);
                best = Some(Candidate { gain, split: Split { column: column as u32, cut: cut as u8, missing_left } });
            }
        };
        for (column, entries) in histogram.chunks_exact(CODES).enumerate() {
            let missing = entries[usize::from(MISSING)];
            let has_missing = self.fixed.count(missing) > 0;
            let mut left = [0, 0];
            let mut previous = None;
            for (code, &entry) in entries[..self.bins.count(column)].iter().enumerate() {
                if entry[1] == 0 {
                    continue;
                }
                // A cut between two codes that occur lies in the middle.
                if let Some(previous) = previous {
                    let cut = (previous + code) / 2;
                    if has_missing {
                        offer(column, cut, Some(false), left);
                        offer(column, cut, Some(true), plus(left, missing));
                    } else {
                        offer(column, cut, None, left);
                    }
                }
                left = plus(left, entry);
                previous = Some(code);
            }
            // Behind the last code a cut parts missing values from all others.
            if has_missing && previous.is_some() {
                offer(column, usize::from(MISSING) - 1, Some(false), left);
            }
        }
        best
    }

    fn score(&self, sum: Sum) -> f64 {
        let gradient = self.fixed.gradient(sum);
        gradient * gradient / (self.fixed.hessian(sum) + self.growth.l2)
    }
}

fn total(rows: &[Sample]) -> Sum {
    rows.iter().fold([0, 0], |sum, sample| plus(sum, sample.sum))
}

fn plus(a: Sum, b: Sum) -> Sum {
    [a[0] + b[0], a[1] + b[1]]
}

fn difference(a: Sum, b: Sum) -> Sum {
    [a[0] - b[0], a[1] - b[1]]
}
