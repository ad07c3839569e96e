//! Which of very many columns correlate, by matrix products in single precision: half a million pairs in a second.
//!
//! Coefficients here choose pairs and count them; what is shown is computed exactly (`correlation`). Where values are missing, a column's
//! mean and ranks are those over all its own values, not over the rows that a pair shares.

use std::ops::Range;

use rayon::prelude::*;

use runner_results::profile::PairCounts;

use crate::matmul::{View, matmul};
use crate::progress::Cancelled;

/// Absolute correlation from which two columns say the same.
pub(in crate::profile) const ALIKE: f64 = 0.95;
/// Absolute correlation from which pairs are counted.
pub(super) const STRONG: f64 = 0.5;

/// Columns of one block; a product is one block with another.
const BLOCK: usize = 64;

/// What a screening finds.
pub(super) struct Screened {
    /// The strongest pairs, strongest first; of equals the first in the table's order.
    pub(crate) strongest: Vec<(usize, usize)>,
    pub(crate) pairs_from_half: PairCounts,
    /// Pairs that say the same by either coefficient.
    pub(crate) alike: u64,
    /// By column, the size of its strongest coefficient with any other.
    reach: Vec<f32>,
}

impl Screened {
    /// The columns with the strongest coefficients, in the table's order.
    pub(crate) fn most_related(&self, count: usize) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.reach.len()).collect();
        ranked.sort_by(|&a, &b| self.reach[b].total_cmp(&self.reach[a]));
        ranked.truncate(count);
        ranked.sort_unstable();
        ranked
    }
}

/// Mean 0 and length 1; 0 where a value is missing, and everywhere if the values do not vary.
pub(super) fn standardised(values: Vec<f64>) -> Vec<f32> {
    let (mean, deviation) = super::column::mean_and_deviation(&known(&values));
    let count = values.iter().filter(|value| value.is_finite()).count();
    let scale =
        deviation.filter(|deviation| *deviation > 0.0).map_or(0.0, |one| 1.0 / (one * (count as f64 - 1.0).sqrt()));
    let scaled = |value: f64| if value.is_finite() { ((value - mean) * scale) as f32 } else { 0.0 };
    // A huge value may leave the range of single precision.
    values.into_iter().map(|value| Some(scaled(value)).filter(|value| value.is_finite()).unwrap_or(0.0)).collect()
}

fn known(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| value.is_finite()).collect()
}

/// One pair's coefficients, in the block where it was found.
struct Found {
    size: f32,
    pair: (usize, usize),
}

/// The coefficients of all pairs of columns, block by block.
pub(super) struct Coefficients {
    columns: usize,
    /// By pair of blocks, the second not before the first: row-major.
    blocks: Vec<Vec<f32>>,
}

/// `columns` are standardised; `complete`: which have a value on every row.
pub(super) fn coefficients(columns: &[Vec<f32>], complete: &[bool], go_on: GoOn) -> Result<Coefficients, Cancelled> {
    let blocks = pairs(columns.len()).into_par_iter().map(|(left, right)| {
        go_on()?;
        let partial = !complete[left.clone()].iter().chain(&complete[right.clone()]).all(|all| *all);
        let complete = partial.then_some((&complete[left.clone()], &complete[right.clone()]));
        Ok(cosines(&Block::new(&columns[left]), &Block::new(&columns[right]), complete))
    });
    Ok(Coefficients { columns: columns.len(), blocks: blocks.collect::<Result<_, Cancelled>>()? })
}

type GoOn<'a> = &'a (dyn Fn() -> Result<(), Cancelled> + Sync);

/// Each pair of blocks once, as ranges of columns.
fn pairs(columns: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let blocks = columns.div_ceil(BLOCK);
    let range = |block: usize| block * BLOCK..((block + 1) * BLOCK).min(columns);
    (0..blocks).flat_map(|a| (a..blocks).map(move |b| (range(a), range(b)))).collect()
}

/// What the coefficients of values and of ranks say. Keeps the `most` strongest pairs.
pub(super) fn screen(
    linear: &Coefficients,
    ranked: &Coefficients,
    most: usize,
    go_on: GoOn,
) -> Result<Screened, Cancelled> {
    let columns = linear.columns;
    let mut whole =
        Screened { strongest: Vec::new(), pairs_from_half: PairCounts::default(), alike: 0, reach: vec![0.0; columns] };
    let mut all: Vec<Found> = Vec::new();
    for ((left, right), (linear, ranked)) in pairs(columns).into_iter().zip(linear.blocks.iter().zip(&ranked.blocks)) {
        go_on()?;
        for (i, j) in left.clone().flat_map(|i| right.clone().map(move |j| (i, j))).filter(|(i, j)| i < j) {
            let at = (i - left.start) * right.len() + (j - right.start);
            let (linear, ranked) = (linear[at].abs(), ranked[at].abs());
            let size = linear.max(ranked);
            whole.pairs_from_half.pearson += u64::from(f64::from(linear) >= STRONG);
            whole.pairs_from_half.spearman += u64::from(f64::from(ranked) >= STRONG);
            whole.alike += u64::from(f64::from(size) >= ALIKE);
            whole.reach[i] = whole.reach[i].max(size);
            whole.reach[j] = whole.reach[j].max(size);
            all.push(Found { size, pair: (i, j) });
        }
        strongest_first(&mut all, most);
    }
    whole.strongest = all.into_iter().map(|found| found.pair).collect();
    Ok(whole)
}

fn strongest_first(found: &mut Vec<Found>, most: usize) {
    found.sort_by(|x, y| y.size.total_cmp(&x.size).then(x.pair.cmp(&y.pair)));
    found.truncate(most);
}

/// Some columns one after the other, row-major with a column in each row.
struct Block {
    data: Vec<f32>,
    columns: usize,
    rows: usize,
}

impl Block {
    fn new(columns: &[Vec<f32>]) -> Block {
        Block { data: columns.concat(), columns: columns.len(), rows: columns[0].len() }
    }

    fn view(&self) -> View<'_, f32> {
        View::new(&self.data, self.columns, self.rows)
    }

    fn map(&self, to: impl Fn(f32) -> f32) -> Block {
        Block { data: self.data.iter().map(|&value| to(value)).collect(), ..*self }
    }

    /// Products of each own column with each of another block.
    fn with(&self, other: &Block) -> Vec<f32> {
        let mut out = vec![0.0; self.columns * other.columns];
        matmul(&mut out, self.view(), other.view().transposed());
        out
    }
}

/// Cosines of each column of one block with each of another; where values are missing, over the rows that both have.
fn cosines(left: &Block, right: &Block, complete: Option<(&[bool], &[bool])>) -> Vec<f32> {
    let mut cosines = left.with(right);
    if let Some((left_complete, right_complete)) = complete {
        // A standardised value is 0 where it is missing, and hardly anywhere else.
        let has_value = |value: f32| f32::from(u8::from(value != 0.0));
        let of_left = left.map(|value| value * value).with(&right.map(has_value));
        let of_right = left.map(has_value).with(&right.map(|value| value * value));
        for (at, cosine) in cosines.iter_mut().enumerate() {
            let (i, j) = (at / right.columns, at % right.columns);
            let length = |complete: bool, shared: f32| if complete { 1.0 } else { shared };
            let lengths = length(right_complete[j], of_left[at]) * length(left_complete[i], of_right[at]);
            *cosine = if lengths > 0.0 { *cosine / lengths.sqrt() } else { 0.0 };
        }
    }
    cosines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn the_strongest_of_many_pairs_are_found_whatever_the_threads() {
        let mut stream = Stream::new(5, "screening", 0);
        let mut columns: Vec<Vec<f64>> = (0..150).map(|_| (0..80).map(|_| stream.normal()).collect()).collect();
        columns[140] = columns[3].iter().map(|x| 2.0 * x + 1.0).collect();
        // Half of the rows are missing in one of two equal columns, so that half are shared.
        columns[77] = columns[9].iter().enumerate().map(|(row, x)| if row % 2 == 0 { -x } else { f64::NAN }).collect();
        columns[50] = vec![4.0; 80];
        let complete: Vec<bool> = columns.iter().map(|column| column.iter().all(|x| x.is_finite())).collect();
        let standardised: Vec<Vec<f32>> = columns.iter().map(|column| standardised(column.clone())).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| coefficients(&standardised, &complete, &|| Ok(()))).unwrap();
            screen(&found, &found, 7, &|| Ok(())).unwrap()
        };
        let (one, four) = (on(1), on(4));
        assert_eq!((&one.strongest, &one.reach), (&four.strongest, &four.reach));
        let mut first = one.strongest[..2].to_vec();
        first.sort_unstable();
        assert_eq!((first, one.strongest.len(), one.alike), (vec![(3, 140), (9, 77)], 7, 2));
        assert_eq!(one.reach[50], 0.0);
        let related = one.most_related(4);
        assert_eq!(related, [3, 9, 77, 140]);
        assert!(coefficients(&standardised, &complete, &|| Err(Cancelled)).is_err());
    }
}
