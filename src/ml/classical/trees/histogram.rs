//! Histograms of gradients by blocks of columns, and the search for the best cut in them.
//!
//! Gradient and Hessian of a row are fixed-point numbers in the two halves of one integer. Adding a row to an entry is
//! one addition, a parent minus one child is exactly the other child, and neither the order of rows nor the number of
//! threads changes a bit (as in Shi et al. 2022, "Quantized training of gradient boosting decision trees", with 31 bits
//! for a sum where they have 16 or 32).

use super::bins::{Bins, BlockCodes, CODES, LANES, MISSING};
use super::tree::{Set, Split};
use crate::simd::dispatch;

/// A sum of rows: the gradients in the high half, the Hessians, none below 0, in the low half.
pub(crate) type Sum = i64;

/// Sums by code for each column of a block.
pub(crate) type Block = [[Sum; CODES]; LANES];

/// Cuts that are compared at once.
const CHUNK: usize = 16;

/// A training row of one tree.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    pub(crate) sum: Sum,
    pub(crate) row: u32,
}

/// Derivatives of the loss by the score of a row. The Hessian is not negative.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slope {
    pub(crate) gradient: f32,
    pub(crate) hessian: f32,
}

/// The sum of slopes to 40 binary places, the same for any order of the rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Total {
    gradient: i128,
    hessian: i128,
}

impl Total {
    const UNITS: f64 = (1u64 << 40) as f64;

    pub(crate) fn of(slopes: impl Iterator<Item = Slope>) -> Total {
        let exact = |value: f32| i128::from((f64::from(value) * Self::UNITS) as i64);
        slopes.fold(Total::default(), |sum, slope| Total {
            gradient: sum.gradient + exact(slope.gradient),
            hessian: sum.hessian + exact(slope.hessian),
        })
    }

    pub(crate) fn gradient(&self) -> f64 {
        self.gradient as f64 / Self::UNITS
    }

    pub(crate) fn hessian(&self) -> f64 {
        self.hessian as f64 / Self::UNITS
    }
}

/// The units of both halves: powers of two, so that scaling rounds nothing, as fine as no partial sum can overflow.
#[derive(Clone, Copy)]
pub(crate) struct FixedPoint {
    gradient_units: f64,
    hessian_units: f64,
}

impl FixedPoint {
    /// For the rows whose slopes are given.
    pub(crate) fn new(slopes: impl Iterator<Item = Slope> + Clone) -> Self {
        let rows = slopes.clone().count() as f64;
        let total = Total::of(slopes.map(|slope| Slope { gradient: slope.gradient.abs(), ..slope }));
        // No partial sum of the sizes exceeds the whole; rounding adds less than 1 for each row.
        let room = (f64::from(i32::MAX) - rows).max(1.0);
        let units = |whole: f64| (room / whole.max(f64::MIN_POSITIVE)).log2().floor().clamp(-60.0, 60.0).exp2();
        FixedPoint { gradient_units: units(total.gradient()), hessian_units: units(total.hessian()) }
    }

    pub(crate) fn sample(&self, row: u32, slope: Slope) -> Sample {
        let gradient = (f64::from(slope.gradient) * self.gradient_units).round_ties_even() as i64;
        let hessian = (f64::from(slope.hessian) * self.hessian_units).round_ties_even() as i64;
        Sample { sum: (gradient << 32) + hessian, row }
    }

    /// −G / (H + l2) is the best value of a leaf, G² / (H + l2) twice what it lowers the loss by: its score.
    fn score(&self, sum: Sum, l2: f64) -> f64 {
        let gradient = f64::from(gradient(sum)) / self.gradient_units;
        gradient * gradient / (f64::from(hessian(sum)) / self.hessian_units + l2)
    }
}

fn gradient(sum: Sum) -> i32 {
    (sum >> 32) as i32
}

fn hessian(sum: Sum) -> i32 {
    sum as i32
}

/// A leaf that may be split.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) sum: Sum,
    rows: i32,
    /// Rows for each unit of the Hessians.
    rows_per_unit: f32,
    /// Rows, and Hessians in units, that each side keeps at least; both at least 1.
    least_rows: i32,
    least_hessian: i32,
    /// G / (H + 2 l2) and H + 2 l2 and l2, in units.
    mean: f32,
    whole: f32,
    l2: f32,
    sets: SetLimits,
    /// One in the units of Hessians, and of gains.
    unit: f64,
    gain_unit: f64,
}

/// What holds of sets of categories.
#[derive(Clone, Copy)]
pub(crate) struct SetLimits {
    /// Rows of a category that is sorted, and what its Hessian is raised by when it is.
    pub(crate) smooth: f64,
    /// Damps the values of both sides, beside `Limits::l2`.
    pub(crate) l2: f64,
    /// Categories on the side that is looked for.
    pub(crate) most: usize,
    /// Rows between two sets that are compared, and on the other side.
    pub(crate) group_rows: u64,
    /// Variance of the gradients for each unit of the Hessians, where a model leaves nothing but chance.
    pub(crate) noise: f64,
}

/// What a set of `own` out of `all` categories gains, in variances of a row, by nothing but sorting them, beyond what the search for a cut of noise gains
/// as well. Of independent normals with their `own` largest on one side it is all φ(q)² / (f (1 − f)) with f = own / all and q the quantile of f;
/// (4/π) √(own (all − own)) is that for halves and a little more for fewer. Without it columns of many categories of noise would win over columns that
/// tell something.
pub(crate) fn gain_of_sorting(own: usize, all: usize) -> f64 {
    // About the expected largest square of a Brownian bridge over its deviation, at 255 places.
    const OF_A_CUT: f64 = 5.0;
    (4.0 / std::f64::consts::PI * ((own * (all - own)) as f64).sqrt() - OF_A_CUT).max(0.0)
}

/// What each side of a split keeps at least, and what damps its value.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Rows; see `counts`.
    pub(crate) samples: u64,
    pub(crate) hessian: f64,
    pub(crate) l2: f64,
    pub(crate) sets: SetLimits,
}

impl Open {
    pub(crate) fn new(rows: &[Sample], limits: Limits, fixed: FixedPoint) -> Self {
        let sum: Sum = rows.iter().map(|sample| sample.sum).sum();
        let at_least_one = |least: f64| least.ceil().clamp(1.0, f64::from(i32::MAX)) as i32;
        let l2 = limits.l2 * fixed.hessian_units;
        let whole = f64::from(hessian(sum)) + 2.0 * l2;
        Open {
            sum,
            rows: rows.len().min(i32::MAX as usize) as i32,
            rows_per_unit: (rows.len() as f64 / f64::from(hessian(sum))) as f32,
            least_rows: at_least_one(limits.samples as f64),
            least_hessian: at_least_one(limits.hessian * fixed.hessian_units),
            mean: (f64::from(gradient(sum)) / whole) as f32,
            whole: whole as f32,
            l2: l2 as f32,
            sets: limits.sets,
            unit: fixed.hessian_units,
            gain_unit: fixed.gradient_units * fixed.gradient_units / fixed.hessian_units,
        }
    }
}

/// The best cut so far of a leaf.
#[derive(Clone, Copy)]
pub(crate) struct Candidate {
    /// Grows with the gain, in a way that differs from leaf to leaf; for comparisons of cuts of one leaf.
    rank: f32,
    left: Sum,
    pub(crate) split: Split,
    /// Whether rows of the leaf lack the column's value, so that `split` says where they go.
    pub(crate) knows_missing: bool,
    /// What damps the values of both sides, beside `Limits::l2`.
    pub(crate) more_l2: f64,
    /// What of the gain is due to the search.
    spurious: f64,
}

impl Candidate {
    /// What the split adds to the scores of the leaf's rows; see `FixedPoint::score`.
    pub(crate) fn gain(&self, open: &Open, fixed: FixedPoint, l2: f64) -> f64 {
        let damped = l2 + self.more_l2;
        let gain =
            fixed.score(self.left, damped) + fixed.score(open.sum - self.left, damped) - fixed.score(open.sum, l2);
        // Where nothing else splits a leaf, such a set does: two columns may tell together what neither tells alone.
        if self.spurious > 0.0 { (gain - self.spurious).max(gain * 1e-3) } else { gain }
    }

    /// The better of two; of equals the first.
    pub(crate) fn better(first: Option<Candidate>, second: Option<Candidate>) -> Option<Candidate> {
        match (first, second) {
            (Some(a), Some(b)) if b.rank > a.rank => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        }
    }
}

/// The columns of one block that a tree may use.
#[derive(Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) block: usize,
    /// Their places in the block, ascending.
    pub(crate) lanes: &'a [u8],
}

/// Fills `part` with the sums of `rows` and takes them away from `whole`, which holds those of their parent, where the
/// other child is wanted. Then finds the best cut in each of both that is `Open`: in (`part`, `whole`).
pub(crate) fn divide(
    bins: &Bins,
    codes: &BlockCodes,
    chosen: Chosen,
    rows: &[Sample],
    (part, open_part): (&mut Block, Option<&Open>),
    whole: Option<(&mut Block, &Open)>,
) -> (Option<Candidate>, Option<Candidate>) {
    dispatch(|| {
        part.as_flattened_mut().fill(0);
        add(part, codes.block(chosen.block), rows, chosen.lanes);
        let search = |block: &Block, open: &Open| {
            let mut best = None;
            for &lane in chosen.lanes {
                let column = chosen.block * LANES + usize::from(lane);
                let search = if bins.is_category(column) { search_sets } else { search };
                search(&block[usize::from(lane)], column, bins.count(column), open, &mut best);
            }
            best
        };
        let in_part = open_part.and_then(|open| search(part, open));
        let in_whole = whole.and_then(|(whole, open)| {
            for &lane in chosen.lanes {
                let lane = usize::from(lane);
                whole[lane].iter_mut().zip(&part[lane]).for_each(|(whole, part)| *whole -= part);
            }
            search(whole, open)
        });
        (in_part, in_whole)
    })
}

/// One load of a row serves all columns of the block.
#[inline(always)]
fn add(block: &mut Block, codes: &[[u8; LANES]], rows: &[Sample], lanes: &[u8]) {
    #[inline(always)]
    fn add_some<const COUNT: usize>(block: &mut Block, codes: &[[u8; LANES]], rows: &[Sample], lanes: &[u8]) {
        let Some(lanes) = lanes.first_chunk::<COUNT>() else { return };
        let lanes = lanes.map(|lane| usize::from(lane) % LANES);
        for sample in rows {
            let codes = codes[sample.row as usize];
            for lane in lanes {
                block[lane][usize::from(codes[lane])] += sample.sum;
            }
        }
    }
    match lanes.len() {
        LANES => {
            for sample in rows {
                let codes = codes[sample.row as usize];
                for (entries, code) in block.iter_mut().zip(codes) {
                    entries[usize::from(code)] += sample.sum;
                }
            }
        }
        7 => add_some::<7>(block, codes, rows, lanes),
        6 => add_some::<6>(block, codes, rows, lanes),
        5 => add_some::<5>(block, codes, rows, lanes),
        4 => add_some::<4>(block, codes, rows, lanes),
        3 => add_some::<3>(block, codes, rows, lanes),
        2 => add_some::<2>(block, codes, rows, lanes),
        _ => add_some::<1>(block, codes, rows, lanes),
    }
}

/// Offers every cut of a column to `best`. Missing values go to the side where they gain more.
#[inline(always)]
fn search(entries: &[Sum; CODES], column: usize, bins: usize, open: &Open, best: &mut Option<Candidate>) {
    let missing = entries[usize::from(MISSING)];
    let counts = counts(entries, open);
    // LightGBM counts from the right, but for missing values on the right.
    let uncounted = open.rows - counts[..bins].iter().sum::<i32>();
    let mut offer = |missing_left: bool| {
        let before = match (missing, missing_left) {
            (0, _) => (0, uncounted),
            (_, true) => (missing, uncounted),
            (_, false) => (0, 0),
        };
        let Some((rank, cut, left)) = best_cut(entries, &counts, bins, before, open) else { return };
        if best.is_some_and(|best| rank <= best.rank) {
            return;
        }
        // A cut between two codes that occur lies in the middle.
        let next = entries[cut + 1..bins.max(cut + 1)].iter().position(|&entry| entry != 0);
        let cut = cut + next.map_or(0, |gap| gap.div_ceil(2));
        let split = Split { column: column as u32, cut: cut as u8, missing_left, set: None };
        *best = Some(Candidate { rank, left, split, knows_missing: missing != 0, more_l2: 0.0, spurious: 0.0 });
    };
    offer(false);
    if missing != 0 {
        offer(true);
    }
}

/// Columns of so few categories are split into one of them and all others.
const ONE_AGAINST_OTHERS: usize = 4;

/// Offers sets of categories to `best`, as LightGBM does: each category alone where there are few, else the beginnings and the ends of the
/// categories in the order of their gradients (Fisher 1958). Categories of too few rows are on the other side.
fn search_sets(entries: &[Sum; CODES], column: usize, bins: usize, open: &Open, best: &mut Option<Candidate>) {
    let SetLimits { smooth, l2, most, group_rows, noise } = open.sets;
    let counts = counts(entries, open);
    let (all_gradient, all_hessian) = (f64::from(gradient(open.sum)), f64::from(hessian(open.sum)));
    let whole = f64::from(open.whole);
    let before = all_gradient * all_gradient / whole;
    // What the scores of both sides add; a rank is that in parts of `whole`.
    let gain = |left: Sum, l2: f64| {
        let (own, size) = (f64::from(gradient(left)), f64::from(hessian(left)));
        let rest = all_gradient - own;
        let both = own * own / (size + l2) + rest * rest / (all_hessian - size + l2);
        both - before
    };
    let damped = f64::from(open.l2);
    let mut occurring = Set::default();
    let mut present: Vec<u8> = (0..bins as u8).filter(|&code| entries[usize::from(code)] != 0).collect();
    present.iter().for_each(|&code| occurring.add(code));
    let is_enough = |sum: Sum, count: i32| count >= open.least_rows && hessian(sum) >= open.least_hessian;
    let mut offer = |left: Sum, count: i32, more_l2: f64, spurious: f64, codes: &mut dyn Iterator<Item = u8>| {
        let gain = gain(left, damped + more_l2 * open.unit);
        let rank = ((gain - spurious * open.gain_unit) / whole) as f32;
        if gain <= 0.0 || best.is_some_and(|best| rank <= best.rank) {
            return;
        }
        let mut set = Set::default();
        codes.for_each(|code| set.add(code));
        // Categories that no row of the leaf has follow the larger side.
        if i64::from(count) * 2 > i64::from(open.rows) {
            set.add_all_but(&occurring);
        }
        let split = Split { column: column as u32, cut: 0, missing_left: false, set: Some(set) };
        *best = Some(Candidate { rank, left, split, knows_missing: true, more_l2, spurious });
    };
    if bins <= ONE_AGAINST_OTHERS {
        for &code in &present {
            let (left, count) = (entries[usize::from(code)], counts[usize::from(code)]);
            if is_enough(left, count) && is_enough(open.sum - left, open.rows - count) {
                offer(left, count, 0.0, 0.0, &mut std::iter::once(code));
            }
        }
        return;
    }
    present.retain(|&code| f64::from(counts[usize::from(code)]) >= smooth);
    let key = |code: u8| {
        let entry = entries[usize::from(code)];
        f64::from(gradient(entry)) / (f64::from(hessian(entry)) + smooth * open.unit)
    };
    let mut order: Vec<(f64, u8)> = present.into_iter().map(|code| (key(code), code)).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let most = most.min(order.len().div_ceil(2));
    let group_rows = group_rows.min(i32::MAX as u64) as i32;
    for backwards in [false, true] {
        let at = |place: usize| order[if backwards { order.len() - 1 - place } else { place }].1;
        let (mut left, mut count, mut group) = (0, 0, 0);
        for place in 0..most {
            let code = usize::from(at(place));
            left += entries[code];
            count += counts[code];
            group += counts[code];
            if !is_enough(left, count) {
                continue;
            }
            let (right, others) = (open.sum - left, open.rows - count);
            if !is_enough(right, others) || others < group_rows {
                break;
            }
            if group < group_rows {
                continue;
            }
            group = 0;
            let spurious = noise * gain_of_sorting(place + 1, order.len());
            offer(left, count, l2, spurious, &mut (0..=place).map(at));
        }
    }
}

/// How many rows each entry sums up, by their share of the leaf's Hessians and rounded, as in LightGBM: a count beside
/// every sum would make histograms half as large again. Where an entry has few rows of like Hessians, it is exact.
#[inline(always)]
fn counts(entries: &[Sum; CODES], open: &Open) -> [i32; CODES] {
    let mut counts = [0; CODES];
    for (count, &entry) in counts.iter_mut().zip(entries) {
        *count = (hessian(entry) as f32 * open.rows_per_unit + 0.5) as i32;
    }
    counts
}

/// The first cut of largest rank: (rank, cut, what lies to the left of it), if any leaves enough on both sides. `before`
/// counts as left of every cut.
///
/// With p and q the Hessians of both sides (each with l2) and m = G / (p + q), the scores of both sides add up to
/// (p + q) (G_left − m p)² / (p q) plus what is the same for all cuts of the leaf. The square is small where the gain
/// is, so that single precision tells small gains apart, which the difference of large scores would not.
#[inline(always)]
fn best_cut(
    entries: &[Sum; CODES],
    counts: &[i32; CODES],
    bins: usize,
    before: (Sum, i32),
    open: &Open,
) -> Option<(f32, usize, Sum)> {
    // One cut beyond the last bin parts missing values from all others; what follows is out of bounds by its Hessian.
    let used = (bins + 1).next_multiple_of(CHUNK).min(CODES);
    let (mut lefts, mut left_counts) = ([0; CODES], [0; CODES]);
    let (mut left, mut left_count) = before;
    for i in 0..used {
        left += entries[i];
        left_count += counts[i];
        lefts[i] = left;
        left_counts[i] = left_count;
    }
    let all = hessian(open.sum);
    let mut ranks = [0.0f32; CODES];
    let mut largest = [0.0f32; CHUNK];
    let sides = lefts.as_chunks::<CHUNK>().0.iter().zip(left_counts.as_chunks::<CHUNK>().0);
    for (ranks, (lefts, counts)) in ranks[..used].as_chunks_mut::<CHUNK>().0.iter_mut().zip(sides) {
        for i in 0..CHUNK {
            let (gradient, hessian) = (gradient(lefts[i]), hessian(lefts[i]));
            let (p, q) = (hessian as f32 + open.l2, open.whole - open.l2 - hessian as f32);
            let excess = gradient as f32 - open.mean * p;
            let rank = excess * excess / (p * q);
            let enough_rows = (counts[i] >= open.least_rows) & (open.rows - counts[i] >= open.least_rows);
            let enough = (hessian >= open.least_hessian) & (all.wrapping_sub(hessian) >= open.least_hessian);
            ranks[i] = if enough_rows & enough { rank } else { 0.0 };
        }
        for (largest, &rank) in largest.iter_mut().zip(&*ranks) {
            *largest = if rank > *largest { rank } else { *largest };
        }
    }
    let largest = largest.into_iter().fold(0.0, f32::max);
    if largest <= 0.0 {
        return None;
    }
    let cut = ranks[..used].iter().position(|&rank| rank == largest)?;
    Some((largest, cut, lefts[cut]))
}
