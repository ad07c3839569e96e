//! Categories as the models of numbers and the tree engine take them, fitted on the rows of a fit.
//!
//! A value with enough rows has a place of its own: a bin for the trees, a column of 0 and 1 for linear models, kernels and distances. The others
//! share one place, and so does what training never saw. Where these others are many, as in a column of names or identifiers, the column also
//! gives *rates*: numbers that say how much more frequent each class is with the value than without it, damped where the value has few rows. The
//! rate of a training row is that of the rows of other folds (cross-fitting), so that no row's own label is among what it is predicted by.
//!
//! Nothing depends on how values are called: places go by the number of rows, then by the first of them.

use super::Features;
use super::arrays::{ArrayError, Arrays};
use super::trees::bins::MAX_BINS;
use crate::rng::Stream;

/// A value with fewer rows is unknown.
pub(super) const LEAST_ROWS: usize = 2;
/// Rows that give a value a place of its own in a column of more than `FEW` values; so few values are no identifiers.
const ROWS_OF_A_PLACE: usize = 10;
const FEW: usize = 16;
/// Folds of rates; rows at the classes' overall shares that each value has beside its own; classes that have a rate.
const FOLDS: usize = 5;
const PRIOR_ROWS: f64 = 10.0;
const MOST_RATES: usize = 10;

/// What turns the categories of a column into what a model was fitted on.
pub(super) struct ColumnEncoding {
    /// By number of a value: 0 where it has no place of its own, else 1 + its place.
    places: Vec<u32>,
    /// Places of values.
    own: usize,
    /// Whether the values without a place share one, which comes last.
    shares: bool,
    /// By number of a value the rates of the classes that have one; empty where the column has none.
    rates: Vec<f32>,
    /// Classes with a rate.
    pub(super) rated: usize,
}

impl ColumnEncoding {
    pub(super) fn place(&self, code: u32) -> Option<usize> {
        let own = self.places.get(code as usize).and_then(|place| place.checked_sub(1));
        own.map(|place| place as usize).or_else(|| self.shares.then_some(self.own))
    }

    pub(super) fn rates(&self, code: u32) -> &[f32] {
        let code = if (code as usize) < self.places.len() { code as usize } else { 0 };
        &self.rates[code * self.rated..(code + 1) * self.rated]
    }

    pub(super) fn indicators(&self) -> usize {
        self.own + usize::from(self.shares)
    }
}

impl ColumnEncoding {
    /// One for each column of categories, of at most `most` places each; also gives for each the rates of the rows of the fit, by the rows of other folds.
    pub(super) fn fit(x: &Features, y: &[u32], classes: usize, most: usize, seed: u64) -> (Vec<Self>, Vec<Vec<f32>>) {
        let mut folds = None;
        let (mut columns, mut cross_fitted) = (Vec::new(), Vec::new());
        for column in 0..x.categories {
            let values = Values::of(x, column);
            let own = values.own(most);
            let mut encoding = ColumnEncoding {
                places: vec![0; values.counts.len()],
                own: own.len(),
                shares: own.iter().map(|&value| values.counts[value]).sum::<usize>() < x.rows,
                rates: Vec::new(),
                rated: 0,
            };
            own.iter().zip(1..).for_each(|(&value, place)| encoding.places[value] = place);
            if values.order.len() - own.len() > FEW {
                let folds = folds.get_or_insert_with(|| folds_of(y, classes, seed));
                cross_fitted.push(encoding.fit_rates(&values, y, classes, folds));
            } else {
                cross_fitted.push(Vec::new());
            }
            columns.push(encoding);
        }
        (columns, cross_fitted)
    }
}

/// Arrays of an encoding: by column how many values, whether the others share a place and how many rates a value has; then of all columns in turn the
/// places, and the rates.
const VALUES: &str = "category_values";
const SHARES: &str = "category_shares_place";
const RATED: &str = "category_rated";
const PLACES: &str = "category_places";
const RATES: &str = "category_rates";

impl ColumnEncoding {
    pub(super) fn put(all: &[Self], arrays: &mut Arrays) {
        if all.is_empty() {
            return;
        }
        let each = |of: &dyn Fn(&ColumnEncoding) -> u32| all.iter().map(of).collect::<Vec<_>>();
        arrays.put_whole(VALUES, &each(&|column| column.places.len() as u32));
        arrays.put_whole(SHARES, &each(&|column| u32::from(column.shares)));
        arrays.put_whole(RATED, &each(&|column| column.rated as u32));
        arrays.put_whole(PLACES, &all.iter().flat_map(|column| column.places.iter().copied()).collect::<Vec<_>>());
        let rates: Vec<f32> = all.iter().flat_map(|column| column.rates.iter().copied()).collect();
        arrays.put_f32(RATES, &[rates.len()], &rates);
    }

    pub(super) fn take(arrays: &mut Arrays, categories: usize) -> Result<Vec<Self>, ArrayError> {
        if categories == 0 {
            return Ok(Vec::new());
        }
        let values = arrays.take_whole(VALUES, Some(categories), usize::MAX)?;
        let shares = arrays.take_whole(SHARES, Some(categories), 2)?;
        let rated = arrays.take_whole(RATED, Some(categories), MOST_RATES + 1)?;
        let total = values.iter().map(|&count| count as usize).sum();
        let places = arrays.take_whole(PLACES, Some(total), MAX_BINS)?;
        let of_rates = values.iter().zip(&rated).map(|(&count, &rated)| count as usize * rated as usize).sum();
        let rates = arrays.take_f32(RATES, &[Some(of_rates)])?;
        let (mut places, mut rates) = (places.as_slice(), rates.as_slice());
        let mut columns = Vec::with_capacity(categories);
        for ((&count, &shares), &rated) in values.iter().zip(&shares).zip(&rated) {
            let (own_places, more) = places.split_at(count as usize);
            let (own_rates, more_rates) = rates.split_at((count * rated) as usize);
            (places, rates) = (more, more_rates);
            if count == 0 {
                return Err(ArrayError::unfit(VALUES, "has a column without values"));
            }
            columns.push(ColumnEncoding {
                own: own_places.iter().copied().max().unwrap_or(0) as usize,
                places: own_places.to_vec(),
                shares: shares == 1,
                rates: own_rates.to_vec(),
                rated: rated as usize,
            });
        }
        Ok(columns)
    }
}

/// The values of a column in the rows of a fit, by number; those with fewer than `LEAST_ROWS` rows are unknown.
pub(super) struct Values {
    /// By row.
    pub(super) of_row: Vec<u32>,
    /// Rows by number.
    pub(super) counts: Vec<usize>,
    /// The known ones with their rows: those of most rows first, of as many those that come first.
    order: Vec<usize>,
}

impl Values {
    pub(super) fn of(x: &Features, column: usize) -> Values {
        let mut of_row: Vec<u32> = (0..x.rows).map(|row| x.codes(row)[column]).collect();
        let size = of_row.iter().max().map_or(1, |&largest| largest as usize + 1);
        let (mut counts, mut first) = (vec![0; size], vec![usize::MAX; size]);
        for (row, &value) in of_row.iter().enumerate() {
            counts[value as usize] += 1;
            first[value as usize] = first[value as usize].min(row);
        }
        of_row.iter_mut().filter(|value| counts[**value as usize] < LEAST_ROWS).for_each(|value| *value = 0);
        let mut kept = vec![0; size];
        of_row.iter().for_each(|&value| kept[value as usize] += 1);
        let mut order: Vec<usize> = (1..size).filter(|&value| kept[value] > 0).collect();
        order.sort_by_key(|&value| (std::cmp::Reverse(kept[value]), first[value]));
        Values { of_row, counts: kept, order }
    }

    /// Those that have a place of their own, at most `most`.
    fn own(&self, most: usize) -> &[usize] {
        let least = if self.order.len() <= FEW { LEAST_ROWS } else { ROWS_OF_A_PLACE };
        let enough = self.order.partition_point(|&value| self.counts[value] >= least);
        &self.order[..enough.min(most)]
    }
}

impl ColumnEncoding {
    /// The rates of every value; gives those of every row, by the rows of other folds.
    fn fit_rates(&mut self, values: &Values, y: &[u32], classes: usize, folds: &[u8]) -> Vec<f32> {
        let rated = rated_classes(y, classes);
        let width = rated.len();
        // By value, fold and rated class; last the rows of any class.
        let mut counts = vec![0u32; values.counts.len() * FOLDS * (width + 1)];
        let mut of_folds = vec![0u32; FOLDS * (width + 1)];
        let place: Vec<Option<usize>> =
            (0..classes as u32).map(|class| rated.iter().position(|&one| one == class)).collect();
        for ((&value, &label), &fold) in values.of_row.iter().zip(y).zip(folds) {
            for at in place[label as usize].into_iter().chain([width]) {
                counts[(value as usize * FOLDS + usize::from(fold)) * (width + 1) + at] += 1;
                of_folds[usize::from(fold) * (width + 1) + at] += 1;
            }
        }
        // Of all folds but one, or of all.
        let sums = |of: &[u32], without: Option<usize>| -> Vec<f64> {
            let mut sums = vec![0.0; width + 1];
            for (_, fold) in of.chunks_exact(width + 1).enumerate().filter(|(fold, _)| Some(*fold) != without) {
                sums.iter_mut().zip(fold).for_each(|(sum, &count)| *sum += f64::from(count));
            }
            sums
        };
        let rates = |value: u32, without: Option<usize>, all: &[f64]| -> Vec<f32> {
            let own = sums(&counts[value as usize * FOLDS * (width + 1)..][..FOLDS * (width + 1)], without);
            let rate = |class: usize| (own[class] - own[width] * all[class] / all[width]) / (own[width] + PRIOR_ROWS);
            (0..width).map(|class| if all[width] > 0.0 { rate(class) as f32 } else { 0.0 }).collect()
        };
        let all = sums(&of_folds, None);
        let without: Vec<Vec<f64>> = (0..FOLDS).map(|fold| sums(&of_folds, Some(fold))).collect();
        self.rated = width;
        self.rates = (0..values.counts.len() as u32)
            .flat_map(|value| rates(if values.counts[value as usize] > 0 { value } else { 0 }, None, &all))
            .collect();
        let rows = values.of_row.iter().zip(folds);
        rows.flat_map(|(&value, &fold)| rates(value, Some(fold.into()), &without[usize::from(fold)])).collect()
    }
}

/// The classes that have a rate: of two the second, else those of most rows.
fn rated_classes(y: &[u32], classes: usize) -> Vec<u32> {
    if classes == 2 {
        return vec![1];
    }
    let mut counts = vec![0usize; classes];
    y.iter().for_each(|&label| counts[label as usize] += 1);
    let mut order: Vec<u32> = (0..classes as u32).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(counts[class as usize]));
    order.truncate(MOST_RATES);
    order.sort_unstable();
    order
}

/// A fold for every row, drawn so that each class is shared out evenly: the shares of the classes outside a fold then tell nothing of those inside.
fn folds_of(y: &[u32], classes: usize, seed: u64) -> Vec<u8> {
    let mut folds = vec![0; y.len()];
    let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); classes];
    y.iter().enumerate().for_each(|(row, &label)| rows_of[label as usize].push(row));
    let mut next = 0;
    for (class, mut rows) in rows_of.into_iter().enumerate() {
        Stream::new(seed, "classical/categories", class as u64).shuffle(&mut rows);
        for row in rows {
            folds[row] = next;
            next = (next + 1) % FOLDS as u8;
        }
    }
    folds
}
