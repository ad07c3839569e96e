//! Grows classification trees depth first, by Gini impurity (Breiman, Friedman, Olshen and Stone
//! 1984).
//!
//! Three uses: one tree over all columns; a tree of a random forest (random columns at each node,
//! Breiman 2001); a tree of extremely randomised trees (random cuts as well, Geurts, Ernst and
//! Wehenkel 2006).

use super::bins::{Bins, CODES, Codes, MISSING};
use super::tree::{Split, Tree, partition};
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;

/// Row visits between two looks at whether the user wants to stop: some tens of milliseconds.
const VISITS_BETWEEN_CHECKS: usize = 4_000_000;

/// How a tree grows.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    /// Levels below the root at most.
    pub(crate) max_depth: usize,
    /// Rows (counted as often as they were drawn) that each side of a split keeps at least.
    pub(crate) min_samples_leaf: u64,
    /// Columns that are tried at each node; more where all of those are constant.
    pub(crate) columns_per_split: usize,
    /// One random cut for each column instead of the best.
    pub(crate) random_cuts: bool,
}

/// A training row of one tree.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    pub(crate) row: u32,
    pub(crate) class: u16,
    /// How often the bootstrap drew it.
    pub(crate) weight: u16,
}

/// Grows a tree on `samples`; the leaves hold the shares of the classes.
pub(crate) fn grow(
    bins: &Bins,
    codes: &Codes,
    mut samples: Vec<Sample>,
    classes: usize,
    growth: Growth,
    stream: Stream,
    progress: &dyn Progress,
) -> Result<Tree, Cancelled> {
    let mut search = Search::new(bins, codes, classes, growth, stream);
    let mut tree = Tree::new(classes);
    let mut spare = Vec::with_capacity(samples.len());
    let mut pending = vec![Pending { node: 0, start: 0, end: samples.len(), depth: 0 }];
    let mut visits = 0;
    while let Some(Pending { node, start, end, depth }) = pending.pop() {
        visits += (end - start) * growth.columns_per_split.min(codes.cols) + CODES;
        if visits > VISITS_BETWEEN_CHECKS {
            visits = 0;
            if progress.cancelled() {
                return Err(Cancelled);
            }
        }
        let rows = &mut samples[start..end];
        search.count(rows);
        match if depth < growth.max_depth { search.split(rows) } else { None } {
            Some(split) => {
                let column = codes.column(split.column as usize);
                let left = partition(rows, &mut spare, |sample| split.goes_left(column[sample.row as usize]));
                let (left_node, right_node) = tree.split(node, split);
                pending.push(Pending { node: right_node, start: start + left, end, depth: depth + 1 });
                pending.push(Pending { node: left_node, start, end: start + left, depth: depth + 1 });
            }
            None => {
                let total = search.total as f64;
                tree.set_leaf(node, search.counts.iter().map(|&count| (count as f64 / total) as f32));
            }
        }
    }
    Ok(tree)
}

struct Pending {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
}

/// The search for a split of one node after the other, with its buffers.
struct Search<'a> {
    bins: &'a Bins,
    codes: &'a Codes,
    classes: usize,
    growth: Growth,
    stream: Stream,
    /// The columns in an order that each node shuffles further.
    order: Vec<u32>,
    /// Weights of the node's rows by class, and their sum.
    counts: Vec<u64>,
    total: u64,
    /// Weights by code and class; all zero between two columns.
    histogram: Vec<u32>,
    left: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Candidate {
    /// Sum over both sides of Σ count² / total; the largest has the least impurity.
    purity: f64,
    split: Split,
}

impl<'a> Search<'a> {
    fn new(bins: &'a Bins, codes: &'a Codes, classes: usize, growth: Growth, stream: Stream) -> Self {
        Search {
            bins,
            codes,
            classes,
            growth,
            stream,
            order: (0..codes.cols as u32).collect(),
            counts: vec![0; classes],
            total: 0,
            histogram: vec![0; CODES * classes],
            left: vec![0; classes],
        }
    }

    fn count(&mut self, rows: &[Sample]) {
        self.counts.fill(0);
        for sample in rows {
            self.counts[usize::from(sample.class)] += u64::from(sample.weight);
        }
        self.total = self.counts.iter().sum();
    }

    /// The best of the splits that are tried, or `None` where the node is pure, too small or
    /// constant.
    fn split(&mut self, rows: &[Sample]) -> Option<Split> {
        if self.total < 2 * self.growth.min_samples_leaf.max(1) || self.counts.contains(&self.total) {
            return None;
        }
        let columns = self.order.len();
        let tries = self.growth.columns_per_split.min(columns);
        let mut best: Option<Candidate> = None;
        let mut varying = 0;
        for i in 0..columns {
            // As in scikit-learn: go on beyond the number of tries until one column is not
            // constant.
            if i >= tries && varying > 0 {
                break;
            }
            if tries < columns || self.growth.random_cuts {
                let other = i + self.stream.below(columns - i);
                self.order.swap(i, other);
            }
            let column = self.order[i];
            let varies = if self.growth.random_cuts {
                self.try_random_cut(rows, column, &mut best)
            } else {
                self.try_all_cuts(rows, column, &mut best)
            };
            varying += usize::from(varies);
        }
        best.map(|candidate| candidate.split)
    }

    /// Offers every cut of `column`; false when the column is constant in the node.
    fn try_all_cuts(&mut self, rows: &[Sample], column: u32, best: &mut Option<Candidate>) -> bool {
        let codes = self.codes.column(column as usize);
        let classes = self.classes;
        let mut occupied = [0u64; CODES / 64];
        for sample in rows {
            let code = codes[sample.row as usize];
            self.histogram[usize::from(code) * classes + usize::from(sample.class)] += u32::from(sample.weight);
            occupied[usize::from(code >> 6)] |= 1 << (code & 63);
        }
        let missing = bit(&occupied, MISSING);
        let varies = occupied.iter().map(|word| word.count_ones()).sum::<u32>() > 1;
        if varies {
            self.offer_cuts(column, &occupied, false, best);
            if missing {
                self.offer_cuts(column, &occupied, true, best);
            }
        }
        for_each_code(&occupied, |code| self.histogram[usize::from(code) * classes..][..classes].fill(0));
        varies
    }

    /// One pass over the occupied codes from low to high. A cut between two of them lies in the
    /// middle.
    fn offer_cuts(
        &mut self,
        column: u32,
        occupied: &[u64; CODES / 64],
        missing_left: bool,
        best: &mut Option<Candidate>,
    ) {
        let missing_at = usize::from(MISSING) * self.classes;
        let has_missing = bit(occupied, MISSING);
        for (class, left) in self.left.iter_mut().enumerate() {
            *left = if missing_left { u64::from(self.histogram[missing_at + class]) } else { 0 };
        }
        let mut previous: Option<u8> = None;
        for_each_code(occupied, |code| {
            // With missing values on the right the last cut parts them from all others.
            if code == MISSING && missing_left {
                return;
            }
            if let Some(previous) = previous {
                let cut = if code == MISSING { MISSING - 1 } else { previous + (code - previous) / 2 };
                self.offer(Split { column, cut, missing_left }, has_missing, best);
            }
            for (left, &count) in self.left.iter_mut().zip(&self.histogram[usize::from(code) * self.classes..]) {
                *left += u64::from(count);
            }
            previous = Some(code);
        });
    }

    /// Draws one cut uniformly between the smallest and the largest value of the node; missing
    /// values take a random side.
    fn try_random_cut(&mut self, rows: &[Sample], column: u32, best: &mut Option<Candidate>) -> bool {
        let codes = self.codes.column(column as usize);
        let (mut low, mut high, mut missing) = (MISSING, 0, false);
        for sample in rows {
            let code = codes[sample.row as usize];
            if code == MISSING {
                missing = true;
            } else {
                low = low.min(code);
                high = high.max(code);
            }
        }
        let split = if low < high {
            let (from, to) = (self.bins.centre(column as usize, low), self.bins.centre(column as usize, high));
            let value = from + self.stream.uniform() * (to - from);
            let cut = self.bins.bin_below(column as usize, value).clamp(low, high - 1);
            Split { column, cut, missing_left: missing && self.stream.uniform() < 0.5 }
        } else if missing && low == high {
            Split { column, cut: MISSING - 1, missing_left: false }
        } else {
            return false;
        };
        self.left.fill(0);
        for sample in rows {
            if split.goes_left(codes[sample.row as usize]) {
                self.left[usize::from(sample.class)] += u64::from(sample.weight);
            }
        }
        self.offer(split, missing, best);
        true
    }

    /// Keeps the split when its left side, whose counts are in `left`, makes it the best so far.
    fn offer(&self, mut split: Split, has_missing: bool, best: &mut Option<Candidate>) {
        let (mut left_total, mut left_squares, mut right_squares) = (0, 0, 0);
        for (&left, &count) in self.left.iter().zip(&self.counts) {
            let right = count - left;
            left_total += left;
            left_squares += left * left;
            right_squares += right * right;
        }
        let right_total = self.total - left_total;
        if left_total.min(right_total) < self.growth.min_samples_leaf.max(1) {
            return;
        }
        let purity = left_squares as f64 / left_total as f64 + right_squares as f64 / right_total as f64;
        if best.is_none_or(|best| purity > best.purity) {
            // Rows that lack a value where no training row of the node did follow the larger side.
            if !has_missing {
                split.missing_left = left_total > right_total;
            }
            *best = Some(Candidate { purity, split });
        }
    }
}

fn bit(words: &[u64; CODES / 64], code: u8) -> bool {
    words[usize::from(code >> 6)] >> (code & 63) & 1 == 1
}

/// Calls `visit` with each code whose bit is set, in ascending order.
fn for_each_code(words: &[u64; CODES / 64], mut visit: impl FnMut(u8)) {
    for (k, &word) in words.iter().enumerate() {
        let mut word = word;
        while word != 0 {
            visit((k * 64) as u8 + word.trailing_zeros() as u8);
            word &= word - 1;
        }
    }
}
