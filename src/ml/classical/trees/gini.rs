//! Grows classification trees depth first, by Gini impurity (Breiman, Friedman, Olshen and Stone
//! 1984).
//!
//! Three uses: one tree over all columns; a tree of a random forest (random columns at each node,
//! Breiman 2001); a tree of extremely randomised trees (random cuts as well, Geurts, Ernst and
//! Wehenkel 2006).

use super::bins::{Bins, CODES, Codes, MISSING};
use super::histogram::gain_of_sorting;
use super::tree::{Set, Split, Tree, partition};
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;

/// Row visits between two looks at whether the user wants to stop: some tens of milliseconds.
const VISITS_BETWEEN_CHECKS: usize = 4_000_000;

/// Rows of a node that let a category be sorted by their labels.
const ROWS_OF_A_CATEGORY: u64 = 5;

/// How a tree grows.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    /// Levels below the root at most.
    pub(crate) max_depth: usize,
    /// Rows (counted as often as they were drawn) that each side of a split keeps at least; where rows have weights, rows of mean weight.
    pub(crate) min_samples_leaf: u64,
    /// What a row of mean weight counts: 1 where rows have no weights.
    pub(crate) unit: u64,
    /// Columns that are tried at each node; more where all of those are constant.
    pub(crate) columns_per_split: usize,
    /// One random cut for each column instead of the best.
    pub(crate) random_cuts: bool,
}

impl Growth {
    /// One row may be a leaf whatever it weighs.
    fn least_of_leaf(&self) -> u64 {
        if self.min_samples_leaf > 1 { self.min_samples_leaf * self.unit } else { 1 }
    }
}

/// A training row of one tree.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    pub(crate) row: u32,
    pub(crate) class: u16,
    /// How often the bootstrap drew it, times its weight.
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
        if self.total < 2 * self.growth.least_of_leaf() || self.counts.contains(&self.total) {
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
            let varies = match (self.growth.random_cuts, self.bins.is_category(column as usize)) {
                (true, true) => self.try_random_set(rows, column, &mut best),
                (true, false) => self.try_random_cut(rows, column, &mut best),
                (false, _) => self.try_all_cuts(rows, column, &mut best),
            };
            varying += usize::from(varies);
        }
        best.map(|candidate| candidate.split)
    }

    /// Offers every cut of `column`; false when the column is constant in the node.
    fn try_all_cuts(&mut self, rows: &[Sample], column: u32, best: &mut Option<Candidate>) -> bool {
        let codes = self.codes.column(column as usize);
        let classes = self.classes;
        let mut occupied = Set::default();
        for sample in rows {
            let code = codes[sample.row as usize];
            self.histogram[usize::from(code) * classes + usize::from(sample.class)] += u32::from(sample.weight);
            occupied.add(code);
        }
        let missing = occupied.has(MISSING);
        let varies = occupied.len() > 1;
        if varies && self.bins.is_category(column as usize) {
            self.offer_sets(column, &occupied, best);
        } else if varies {
            self.offer_cuts(column, &occupied, false, best);
            if missing {
                self.offer_cuts(column, &occupied, true, best);
            }
        }
        occupied.for_each(|code| self.histogram[usize::from(code) * classes..][..classes].fill(0));
        varies
    }

    /// One pass over the occupied codes from low to high. A cut between two of them lies in the
    /// middle.
    fn offer_cuts(&mut self, column: u32, occupied: &Set, missing_left: bool, best: &mut Option<Candidate>) {
        let missing_at = usize::from(MISSING) * self.classes;
        let has_missing = occupied.has(MISSING);
        for (class, left) in self.left.iter_mut().enumerate() {
            *left = if missing_left { u64::from(self.histogram[missing_at + class]) } else { 0 };
        }
        let mut previous: Option<u8> = None;
        occupied.for_each(|code| {
            // With missing values on the right the last cut parts them from all others.
            if code == MISSING && missing_left {
                return;
            }
            if let Some(previous) = previous {
                let cut = if code == MISSING { MISSING - 1 } else { previous + (code - previous) / 2 };
                self.offer(Split { column, cut, missing_left, set: None }, has_missing, best);
            }
            for (left, &count) in self.left.iter_mut().zip(&self.histogram[usize::from(code) * self.classes..]) {
                *left += u64::from(count);
            }
            previous = Some(code);
        });
    }

    /// Sorts the categories by the share of one class, which for two classes has the best of all sets among its beginnings (Breiman et al. 1984), and
    /// offers each beginning. The class is the one whose shares differ most. Categories of few rows stay together: sorted by so few labels they would
    /// seem to foretell any label.
    fn offer_sets(&mut self, column: u32, occupied: &Set, best: &mut Option<Candidate>) {
        let classes = self.classes;
        let mut items: Vec<(Set, Vec<u64>, u64)> = Vec::with_capacity(occupied.len());
        let mut rare = (Set::default(), vec![0; classes], 0);
        occupied.for_each(|code| {
            let counts: Vec<u64> = self.histogram[usize::from(code) * classes..][..classes]
                .iter()
                .map(|&count| u64::from(count))
                .collect();
            let total = counts.iter().sum();
            if total < ROWS_OF_A_CATEGORY * self.growth.unit {
                rare.0.add(code);
                rare.1.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += count);
                rare.2 += total;
            } else {
                let mut set = Set::default();
                set.add(code);
                items.push((set, counts, total));
            }
        });
        if rare.2 > 0 {
            items.push(rare);
        }
        // Σ count² / total over the categories, less the same of the node.
        let spread = |class: usize| {
            let square = |count: u64, total: u64| (count as f64).powi(2) / total as f64;
            let within: f64 = items.iter().map(|(_, counts, total)| square(counts[class], *total)).sum();
            within - square(self.counts[class], self.total)
        };
        let mut chosen = (0, f64::NEG_INFINITY);
        for class in 0..classes {
            let spread = spread(class);
            if spread > chosen.1 {
                chosen = (class, spread);
            }
        }
        // a / b against c / d without rounding.
        items.sort_by(|(_, a, b), (_, c, d)| {
            let product = |count: u64, total: u64| u128::from(count) * u128::from(total);
            product(a[chosen.0], *d).cmp(&product(c[chosen.0], *b))
        });
        // The variance of a row's class, and what it brings along in the other classes.
        let share = |class: usize| self.counts[class] as f64 / self.total as f64;
        let rest = 1.0 - share(chosen.0);
        let others = (0..classes).filter(|&class| class != chosen.0).map(|class| (share(class) / rest).powi(2));
        let noise = if rest > 0.0 { share(chosen.0) * rest * (1.0 + others.sum::<f64>()) } else { 0.0 };
        self.left.fill(0);
        let (mut set, mut left_total) = (Set::default(), 0);
        let last = items.len() - 1;
        for (place, (own, counts, total)) in items[..last].iter().enumerate() {
            own.for_each(|code| set.add(code));
            self.left.iter_mut().zip(counts).for_each(|(left, count)| *left += count);
            left_total += total;
            let spurious = noise * gain_of_sorting(place + 1, items.len());
            self.offer_less(spurious, self.set_split(column, set, left_total, occupied), true, best);
        }
    }

    /// Categories that no row of the node has follow the larger side.
    fn set_split(&self, column: u32, mut set: Set, left_total: u64, occupied: &Set) -> Split {
        if 2 * left_total > self.total {
            set.add_all_but(occupied);
        }
        Split { column, cut: 0, missing_left: false, set: Some(set) }
    }

    /// Draws for each category of the node on which side it is.
    fn try_random_set(&mut self, rows: &[Sample], column: u32, best: &mut Option<Candidate>) -> bool {
        let codes = self.codes.column(column as usize);
        let mut occupied = Set::default();
        rows.iter().for_each(|sample| occupied.add(codes[sample.row as usize]));
        let count = occupied.len();
        if count < 2 {
            return false;
        }
        // One side is never empty: that of a category drawn for it.
        let (alone, on_left) = (self.stream.below(count), self.stream.uniform() < 0.5);
        let (mut set, mut at) = (Set::default(), 0);
        occupied.for_each(|code| {
            if (at == alone && on_left) || (at != alone && self.stream.uniform() < 0.5) {
                set.add(code);
            }
            at += 1;
        });
        if set.len() == count || set.len() == 0 {
            set = Set::default();
            at = 0;
            occupied.for_each(|code| {
                if (at == alone) == on_left {
                    set.add(code);
                }
                at += 1;
            });
        }
        self.left.fill(0);
        let mut left_total = 0;
        for sample in rows.iter().filter(|sample| set.has(codes[sample.row as usize])) {
            self.left[usize::from(sample.class)] += u64::from(sample.weight);
            left_total += u64::from(sample.weight);
        }
        self.offer(self.set_split(column, set, left_total, &occupied), true, best);
        true
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
            Split { column, cut, missing_left: missing && self.stream.uniform() < 0.5, set: None }
        } else if missing && low == high {
            Split { column, cut: MISSING - 1, missing_left: false, set: None }
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
    fn offer(&self, split: Split, has_missing: bool, best: &mut Option<Candidate>) {
        self.offer_less(0.0, split, has_missing, best);
    }

    /// The same where so much of the purity is due to the search.
    fn offer_less(&self, spurious: f64, mut split: Split, has_missing: bool, best: &mut Option<Candidate>) {
        let (mut left_total, mut left_squares, mut right_squares) = (0, 0, 0);
        for (&left, &count) in self.left.iter().zip(&self.counts) {
            let right = count - left;
            left_total += left;
            left_squares += left * left;
            right_squares += right * right;
        }
        let right_total = self.total - left_total;
        if left_total.min(right_total) < self.growth.least_of_leaf() {
            return;
        }
        let purity = left_squares as f64 / left_total as f64 + right_squares as f64 / right_total as f64 - spurious;
        if best.is_none_or(|best| purity > best.purity) {
            // Rows that lack a value where no training row of the node did follow the larger side.
            if !has_missing {
                split.missing_left = left_total > right_total;
            }
            *best = Some(Candidate { purity, split });
        }
    }
}
