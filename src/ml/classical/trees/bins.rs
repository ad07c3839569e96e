//! Cuts each column into at most 255 bins, so that split search counts instead of sorting. Columns of categories come after all others; their bins
//! are the places that rows bring along.

use std::ops::Range;

use rayon::prelude::*;

use crate::classical::arrays::{ArrayError, Arrays};
use crate::classical::{Features, Width};
use crate::progress::{Cancelled, Progress};

/// Bins of a column at most; their codes are 0..=254.
pub(crate) const MAX_BINS: usize = 255;
/// The code of a missing value.
pub(crate) const MISSING: u8 = 255;
/// Codes that a column can hold.
pub(crate) const CODES: usize = 256;

/// The bins of every column, fitted on training rows.
pub(crate) struct Bins {
    cuts: Cuts,
    /// By column the middle of the values of each bin.
    centres: Vec<Vec<f64>>,
    /// Bins of each column of categories.
    places: Vec<usize>,
}

/// Where the bins of every column end: what turns values into codes.
pub(crate) struct Cuts {
    /// By column the largest value of each bin but the last, in a sense: halfway to the smallest of the next.
    columns: Vec<Vec<f64>>,
    /// Columns of categories.
    categories: usize,
}

struct ColumnBins {
    cuts: Vec<f64>,
    centres: Vec<f64>,
}

/// Columns whose codes lie side by side in `BlockCodes`.
pub(crate) const LANES: usize = 8;

/// The codes of training rows by blocks of 8 columns, in each block one row after the other: a row that is visited alone
/// then costs one cache line for 8 columns instead of 8.
pub(crate) struct BlockCodes {
    rows: usize,
    /// blocks × rows; places beyond the last column hold 0.
    codes: Vec<[u8; LANES]>,
}

impl BlockCodes {
    pub(crate) fn block(&self, block: usize) -> &[[u8; LANES]] {
        &self.codes[block * self.rows..(block + 1) * self.rows]
    }

    pub(crate) fn column(&self, j: usize) -> BlockColumn<'_> {
        BlockColumn { codes: self.block(j / LANES), lane: j % LANES }
    }
}

/// The codes of one column in `BlockCodes`.
#[derive(Clone, Copy)]
pub(crate) struct BlockColumn<'a> {
    codes: &'a [[u8; LANES]],
    lane: usize,
}

impl BlockColumn<'_> {
    pub(crate) fn code(&self, row: u32) -> u8 {
        self.codes[row as usize][self.lane]
    }
}

/// The codes of training rows, one column after the other.
pub(crate) struct Codes {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    codes: Vec<u8>,
}

impl Codes {
    pub(crate) fn column(&self, j: usize) -> &[u8] {
        &self.codes[j * self.rows..(j + 1) * self.rows]
    }
}

impl Bins {
    pub(crate) fn fit(x: &Features, progress: &dyn Progress) -> Result<Bins, Cancelled> {
        let fitted = (0..x.cols.div_ceil(LANES)).into_par_iter().map(|block| {
            let columns = columns_of(x, block).into_iter().map(|values| {
                progress.go_on()?;
                Ok(ColumnBins::fit(values))
            });
            columns.collect::<Result<Vec<_>, Cancelled>>()
        });
        let fitted = fitted.collect::<Result<Vec<_>, Cancelled>>()?;
        let (columns, centres) =
            fitted.into_iter().flatten().map(|ColumnBins { cuts, centres }| (cuts, centres)).unzip();
        let mut places = vec![1; x.categories];
        for i in 0..x.rows {
            for (places, &code) in places.iter_mut().zip(x.codes(i)).filter(|(_, code)| **code != u32::from(MISSING)) {
                *places = (code as usize + 1).max(*places);
            }
        }
        Ok(Bins { cuts: Cuts { columns, categories: x.categories }, centres, places })
    }

    /// Codes column by column.
    pub(crate) fn columns(&self, x: &Features) -> Codes {
        let mut codes = vec![0; x.rows * x.width()];
        codes.par_chunks_mut(x.rows * LANES).enumerate().for_each(|(block, codes)| {
            for (codes, column) in codes.chunks_mut(x.rows).zip(self.cuts.codes(x, block)) {
                codes.copy_from_slice(&column);
            }
        });
        Codes { rows: x.rows, cols: x.width(), codes }
    }

    /// Codes block by block.
    pub(crate) fn blocks(&self, x: &Features) -> BlockCodes {
        let mut codes = vec![[0; LANES]; x.rows * x.width().div_ceil(LANES)];
        codes.par_chunks_mut(x.rows).enumerate().for_each(|(block, codes)| {
            for (lane, column) in self.cuts.codes(x, block).into_iter().enumerate() {
                codes.iter_mut().zip(column).for_each(|(codes, code)| codes[lane] = code);
            }
        });
        BlockCodes { rows: x.rows, codes }
    }

    pub(crate) fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    pub(crate) fn into_cuts(self) -> Cuts {
        self.cuts
    }

    /// Bins of column `j`; at least 1.
    pub(crate) fn count(&self, j: usize) -> usize {
        match j.checked_sub(self.cuts.columns.len()) {
            None => self.cuts.columns[j].len() + 1,
            Some(j) => self.places[j],
        }
    }

    /// Whether the codes of column `j` are in no order.
    pub(crate) fn is_category(&self, j: usize) -> bool {
        j >= self.cuts.columns.len()
    }

    /// The last bin of column `j` whose centre is at most `value`, given that the first is.
    pub(crate) fn bin_below(&self, j: usize, value: f64) -> u8 {
        let at = self.centres[j].partition_point(|&centre| centre <= value);
        at.saturating_sub(1) as u8
    }

    pub(crate) fn centre(&self, j: usize, code: u8) -> f64 {
        self.centres[j][usize::from(code)]
    }
}

impl Cuts {
    /// Codes of those rows, one row after the other, for predicting.
    ///
    /// Panics when `x` has another number of columns than the rows of the fit.
    pub(crate) fn rows(&self, x: &Features, rows: Range<usize>) -> Vec<u8> {
        assert_eq!(
            (x.cols, x.categories),
            (self.columns.len(), self.categories),
            "predict with the columns of the fit"
        );
        let mut codes = Vec::with_capacity(rows.len() * x.width());
        for i in rows {
            codes.extend(x.row(i).zip(&self.columns).map(|(value, cuts)| code_of(cuts, value)));
            codes.extend(x.codes(i).iter().map(|&code| code as u8));
        }
        codes
    }

    /// The codes of the columns of a block.
    fn codes(&self, x: &Features, block: usize) -> Vec<Vec<u8>> {
        let (start, end) = (block * LANES, ((block + 1) * LANES).min(x.width()));
        let numbers = start.min(x.cols)..end.min(x.cols);
        let cuts = &self.columns[numbers.start..];
        let code =
            |(values, cuts): (Vec<f64>, &Vec<f64>)| values.into_iter().map(|value| code_of(cuts, value)).collect();
        let mut codes: Vec<Vec<u8>> = x.columns(numbers).into_iter().zip(cuts).map(code).collect();
        let categories = start.max(x.cols) - x.cols..end.max(x.cols) - x.cols;
        codes.extend(categories.map(|j| (0..x.rows).map(|i| x.codes(i)[j] as u8).collect()));
        codes
    }

    pub(crate) fn put(&self, arrays: &mut Arrays) {
        arrays.put_whole("cut_counts", &self.columns.iter().map(|cuts| cuts.len() as u32).collect::<Vec<_>>());
        let all = self.columns.concat();
        arrays.put_f64("cuts", &[all.len()], &all);
    }

    pub(crate) fn take(arrays: &mut Arrays, Width { columns, categories, .. }: Width) -> Result<Cuts, ArrayError> {
        let counts = arrays.take_whole("cut_counts", Some(columns), MAX_BINS)?;
        let total = counts.iter().map(|&count| count as usize).sum();
        let all = arrays.take_f64("cuts", &[Some(total)])?;
        let mut rest = all.as_slice();
        let mut next = |&count: &u32| {
            let (cuts, after) = rest.split_at(count as usize);
            rest = after;
            cuts.to_vec()
        };
        Ok(Cuts { columns: counts.iter().map(&mut next).collect(), categories })
    }
}

fn code_of(cuts: &[f64], value: f64) -> u8 {
    if value.is_nan() { MISSING } else { cuts.partition_point(|&cut| cut < value) as u8 }
}

fn columns_of(x: &Features, block: usize) -> Vec<Vec<f64>> {
    x.columns(block * LANES..((block + 1) * LANES).min(x.cols))
}

impl ColumnBins {
    /// Values that fill a bin's share alone get a bin of their own; the others share the rest
    /// equally. So a column that is zero half of the time still resolves its other half.
    fn fit(mut values: Vec<f64>) -> ColumnBins {
        values.retain(|value| value.is_finite());
        values.sort_unstable_by(f64::total_cmp);
        // Runs of equal values: (value, count). −0 and 0 are equal.
        let mut runs: Vec<(f64, usize)> = Vec::new();
        for value in values {
            match runs.last_mut() {
                Some((last, count)) if *last == value => *count += 1,
                _ => runs.push((value, 1)),
            }
        }
        if runs.is_empty() {
            return ColumnBins { cuts: Vec::new(), centres: vec![0.0] };
        }
        let ends = bin_ends(&runs);
        let mut start = 0;
        let mut cuts = Vec::with_capacity(ends.len());
        let mut centres = Vec::with_capacity(ends.len());
        for &end in &ends {
            centres.push(middle(runs[start].0, runs[end - 1].0));
            if end < runs.len() {
                // Rounding may carry the middle up to the next value; a cut has to stay below it.
                let between = middle(runs[end - 1].0, runs[end].0);
                cuts.push(if between < runs[end].0 { between } else { runs[end - 1].0 });
            }
            start = end;
        }
        ColumnBins { cuts, centres }
    }
}

fn middle(a: f64, b: f64) -> f64 {
    (a + b) / 2.0
}

/// Where each bin ends in `runs` (exclusive); the last is `runs.len()`. At most `MAX_BINS`.
fn bin_ends(runs: &[(f64, usize)]) -> Vec<usize> {
    if runs.len() <= MAX_BINS {
        return (1..=runs.len()).collect();
    }
    let total: usize = runs.iter().map(|run| run.1).sum();
    let is_large = |count: usize| count * MAX_BINS >= total;
    let mut rest: usize = runs.iter().map(|run| run.1).filter(|&count| !is_large(count)).sum();
    let mut free = MAX_BINS - runs.iter().filter(|run| is_large(run.1)).count();
    let mut ends = Vec::with_capacity(MAX_BINS);
    let mut filled = 0;
    for (i, &(_, count)) in runs.iter().enumerate() {
        let last = i + 1 == runs.len();
        filled += count;
        let share = rest.div_ceil(free.max(1));
        let next_is_large = !last && is_large(runs[i + 1].1);
        let full = filled >= share || (next_is_large && 2 * filled >= share);
        // One bin stays in reserve for what remains behind the last cut.
        let room = ends.len() + 1 < MAX_BINS;
        if last || is_large(count) && room || full && room && free > 0 {
            ends.push(i + 1);
            if !is_large(count) {
                free = free.saturating_sub(1);
                rest = rest.saturating_sub(filled);
            }
            filled = 0;
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_column(values: Vec<f64>) -> Features {
        Features::new(values.len(), 1, values, Vec::new())
    }

    fn bins_of(values: Vec<f64>) -> (Bins, Vec<u8>) {
        let x = one_column(values);
        let bins = Bins::fit(&x, &crate::progress::Silent).unwrap();
        let codes = bins.columns(&x).column(0).to_vec();
        (bins, codes)
    }

    #[test]
    fn few_distinct_values_get_a_bin_each_and_cuts_halfway() {
        let (bins, codes) = bins_of(vec![3.0, 1.0, f64::NAN, 1.0, 7.0, -0.0, 0.0]);
        assert_eq!(codes, [2, 1, MISSING, 1, 3, 0, 0]);
        let others = one_column(vec![4.9, 5.0, 5.1, -9.0, 99.0, f64::INFINITY]);
        assert_eq!(bins.cuts().rows(&others, 0..6), [2, 2, 3, 0, 3, 3]);
        assert_eq!(bins.cuts().rows(&others, 2..4), [3, 0]);
    }

    #[test]
    fn many_values_share_the_bins_equally_beside_a_frequent_one() {
        let values: Vec<f64> = (0..10_000).map(|i| if i % 2 == 0 { 0.0 } else { f64::from(i) }).collect();
        let (bins, codes) = bins_of(values);
        assert!((250..=MAX_BINS).contains(&bins.count(0)), "{} bins", bins.count(0));
        let mut sizes = vec![0; CODES];
        codes.iter().for_each(|&code| sizes[usize::from(code)] += 1);
        assert_eq!(sizes[0], 5000);
        assert!(sizes[1..bins.count(0)].iter().all(|&size| (10..=40).contains(&size)), "{sizes:?}");
    }

    #[test]
    fn neighbouring_floats_and_missing_columns_are_told_apart() {
        assert_eq!(bins_of(vec![1.0, 1.0f64.next_up()]).1, [0, 1]);
        assert_eq!(bins_of(vec![f64::NAN; 3]).1, [MISSING; 3]);
    }
}
