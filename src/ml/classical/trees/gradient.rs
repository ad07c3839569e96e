//! Grows regression trees leaf by leaf for gradient boosting.
//!
//! Each time the leaf with the largest gain is split (Shi 2007; Ke et al. 2017, LightGBM); of both children only the
//! smaller is counted, the other is what remains of the parent.

use rayon::prelude::*;

use super::bins::{Bins, BlockCodes, CODES, LANES};
use super::histogram::{Block, Candidate, Chosen, FixedPoint, Limits, Open, Sample, Slope, Total, divide};
use super::tree::{Tree, partition};
use crate::progress::{Cancelled, Progress};

/// How a tree grows.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) max_leaves: usize,
    /// Levels below the root at most.
    pub(crate) max_depth: usize,
    pub(crate) limits: Limits,
    /// What the leaf values −G / (H + l2) are multiplied by.
    pub(crate) learning_rate: f64,
}

/// A smaller gain is rounding.
const MIN_GAIN: f64 = 1e-10;
/// Blocks that one task handles where several threads share the columns of a leaf, and the least work, in row and column
/// visits, that is worth sharing.
const BLOCKS: usize = 8;
const SHARED_VISITS: usize = 200_000;
/// A search costs as much as visits to so many rows.
const SEARCH_ROWS: usize = 512;

/// Buffers that one tree after another uses.
#[derive(Default)]
pub(crate) struct Workspace {
    /// The derivatives of every row, also of those that do not take part.
    pub(crate) slopes: Vec<Slope>,
    samples: Vec<Sample>,
    spare: Vec<Sample>,
    free: Vec<Vec<Block>>,
}

/// What trees are grown from.
#[derive(Clone, Copy)]
pub(crate) struct GrowthData<'a> {
    pub(crate) bins: &'a Bins,
    pub(crate) codes: &'a BlockCodes,
    pub(crate) growth: Growth,
}

/// Grows a tree on `workspace.slopes` of the given rows and columns, both ascending, and adds the value of its leaf to
/// the score of each of those rows.
pub(crate) fn grow(
    data: GrowthData,
    rows: impl Iterator<Item = u32> + Clone,
    columns: &[usize],
    workspace: &mut Workspace,
    scores: &mut [f64],
    progress: &dyn Progress,
) -> Result<Tree, Cancelled> {
    let GrowthData { codes, growth, .. } = data;
    let Workspace { slopes, samples, spare, free } = workspace;
    let fixed = FixedPoint::new(rows.clone().map(|row| slopes[row as usize]));
    samples.clear();
    samples.extend(rows.map(|row| fixed.sample(row, slopes[row as usize])));
    let lanes: Vec<u8> = columns.iter().map(|column| (column % LANES) as u8).collect();
    let mut chosen = Vec::new();
    let mut start = 0;
    for block in columns.chunk_by(|a, b| a / LANES == b / LANES) {
        let end = start + block.len();
        chosen.push(Chosen { block: block[0] / LANES, lanes: &lanes[start..end] });
        start = end;
    }
    let search = Search { data, fixed, chosen: &chosen };

    let mut tree = Tree::new(1);
    let mut histogram = search.buffer(free);
    let open = search.open(samples, 0);
    let (best, _) = search.divide(samples, (&mut histogram, open.as_ref()), None);
    let l2 = growth.limits.l2;
    let mut leaves = vec![search.leaf(0, (0, samples.len()), 0, open, histogram, best, l2)];
    while leaves.len() < growth.max_leaves {
        if progress.cancelled() {
            return Err(Cancelled);
        }
        let Some(at) = best_leaf(&leaves) else { break };
        let Leaf { node, rows: (start, end), depth, histogram, best, .. } = &mut leaves[at];
        let (node, start, end, depth) = (*node, *start, *end, *depth + 1);
        let (Some((_, best)), Some(mut whole)) = (best.take(), histogram.take()) else { break };
        let l2 = growth.limits.l2 + best.more_l2;
        let mut split = best.split;
        let rows = &mut samples[start..end];
        let column = codes.column(split.column as usize);
        let middle = partition(rows, spare, |sample| split.goes_left(column.code(sample.row)));
        let (left_rows, right_rows) = rows.split_at(middle);
        if !best.knows_missing {
            // Rows that lack a value where no training row of the leaf did follow the larger side.
            split.missing_left = left_rows.len() > right_rows.len();
        }
        let (left_node, right_node) = tree.split(node, split);

        let last = leaves.len() + 1 == growth.max_leaves;
        let mut part = search.buffer(free);
        let [left_open, right_open] =
            [left_rows, right_rows].map(|rows| if last { None } else { search.open(rows, depth) });
        let left_is_part = left_rows.len() <= right_rows.len();
        let (part_rows, part_open, whole_open) =
            if left_is_part { (left_rows, &left_open, &right_open) } else { (right_rows, &right_open, &left_open) };
        let (mut part_best, mut whole_best) = (None, None);
        if part_open.is_some() || whole_open.is_some() {
            let other = whole_open.as_ref().map(|open| (&mut *whole, open));
            (part_best, whole_best) = search.divide(part_rows, (&mut part, part_open.as_ref()), other);
        }
        let (left, right) = if left_is_part {
            ((part, part_best), (whole, whole_best))
        } else {
            ((whole, whole_best), (part, part_best))
        };
        let middle = start + middle;
        leaves[at] = search.leaf(left_node, (start, middle), depth, left_open, left.0, left.1, l2);
        leaves.push(search.leaf(right_node, (middle, end), depth, right_open, right.0, right.1, l2));
        for leaf in [at, leaves.len() - 1] {
            if leaves[leaf].best.is_none() {
                free.extend(leaves[leaf].histogram.take());
            }
        }
    }
    for leaf in leaves {
        let rows = &samples[leaf.rows.0..leaf.rows.1];
        let value = leaf_value(rows, slopes, growth.learning_rate, leaf.l2);
        for sample in rows {
            scores[sample.row as usize] += f64::from(value);
        }
        tree.set_leaf(leaf.node, std::iter::once(value));
        free.extend(leaf.histogram);
    }
    Ok(tree)
}

/// From the derivatives themselves: the fixed-point sums of the histograms are for comparing cuts.
fn leaf_value(rows: &[Sample], slopes: &[Slope], learning_rate: f64, l2: f64) -> f32 {
    let total = Total::of(rows.iter().map(|sample| slopes[sample.row as usize]));
    let value = (-learning_rate * total.gradient() / (total.hessian() + l2)) as f32;
    // No Hessian at all: every row of the leaf is certain, there is nothing to correct.
    if value.is_finite() { value } else { 0.0 }
}

struct Leaf {
    node: usize,
    /// From, to.
    rows: (usize, usize),
    depth: usize,
    histogram: Option<Vec<Block>>,
    /// With its gain.
    best: Option<(f64, Candidate)>,
    /// What damps its value.
    l2: f64,
}

/// The leaf of largest gain; of equals the first.
fn best_leaf(leaves: &[Leaf]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, leaf) in leaves.iter().enumerate() {
        if let Some((gain, _)) = leaf.best
            && best.is_none_or(|(_, most)| gain > most)
        {
            best = Some((at, gain));
        }
    }
    best.map(|(at, _)| at)
}

struct Search<'a> {
    data: GrowthData<'a>,
    fixed: FixedPoint,
    chosen: &'a [Chosen<'a>],
}

type Found = (Option<Candidate>, Option<Candidate>);

impl Search<'_> {
    fn buffer(&self, free: &mut Vec<Vec<Block>>) -> Vec<Block> {
        let mut buffer = free.pop().unwrap_or_default();
        buffer.resize(self.chosen.len(), [[0; CODES]; LANES]);
        buffer
    }

    /// `None` where a leaf of these rows cannot be split any more.
    fn open(&self, rows: &[Sample], depth: usize) -> Option<Open> {
        let Growth { max_depth, limits, .. } = self.data.growth;
        let may = depth < max_depth && rows.len() as u64 >= 2 * limits.samples.max(1);
        may.then(|| Open::new(rows, limits, self.fixed))
    }

    #[allow(clippy::too_many_arguments, reason = "a struct would only repeat these names")]
    fn leaf(
        &self,
        node: usize,
        rows: (usize, usize),
        depth: usize,
        open: Option<Open>,
        histogram: Vec<Block>,
        best: Option<Candidate>,
        l2: f64,
    ) -> Leaf {
        let usual = self.data.growth.limits.l2;
        let gain = |candidate: Candidate| open.map(|open| (candidate.gain(&open, self.fixed, usual), candidate));
        let best = best.and_then(gain).filter(|(gain, _)| *gain > MIN_GAIN);
        Leaf { node, rows, depth, histogram: Some(histogram), best, l2 }
    }

    /// `histogram::divide` for all blocks, on several threads where that is worth it.
    fn divide(
        &self,
        rows: &[Sample],
        (part, open_part): (&mut [Block], Option<&Open>),
        whole: Option<(&mut [Block], &Open)>,
    ) -> Found {
        let GrowthData { bins, codes, .. } = self.data;
        let visits = (rows.len() + SEARCH_ROWS) * self.chosen.len() * LANES;
        let blocks = if visits > SHARED_VISITS { BLOCKS } else { self.chosen.len() };
        let (whole, open_whole) = whole.map_or((&mut [][..], None), |(whole, open)| (whole, Some(open)));
        let mut whole = whole.chunks_mut(blocks);
        let tasks = self.chosen.chunks(blocks).zip(part.chunks_mut(blocks));
        let tasks: Vec<_> = tasks.map(|(chosen, part)| (chosen, part, whole.next())).collect();
        let better = |a: Found, b: Found| (Candidate::better(a.0, b.0), Candidate::better(a.1, b.1));
        let run = |(chosen, part, whole): (&[Chosen], &mut [Block], Option<&mut [Block]>)| {
            let mut whole = whole.into_iter().flatten();
            let each = chosen.iter().zip(part).map(|(chosen, part)| {
                let whole = whole.next().zip(open_whole);
                divide(bins, codes, *chosen, rows, (part, open_part), whole)
            });
            each.fold((None, None), better)
        };
        tasks.into_par_iter().map(run).reduce(|| (None, None), better)
    }
}
