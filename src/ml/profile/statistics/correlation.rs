//! Pearson's and Spearman's correlation of numeric columns: of every pair, or in a wide table of those that a screening finds strongest.

use rayon::prelude::*;
use runner_results::profile::{CorrelatedPair, Correlations, PairCounts};

use super::super::table::input::Checked;
use super::screening::{self, ALIKE, STRONG, Screened};
use crate::progress::Cancelled;

/// Numeric columns whose coefficients with one another are all kept. Their number grows with the square of the columns.
const MOST_COLUMNS: usize = 40;
/// The strongest pairs that are listed.
const MOST_PAIRS: usize = 100;

type Coefficients = (Option<f64>, Option<f64>);

pub(super) fn of_columns(input: &Checked) -> Result<Correlations, Cancelled> {
    let names: Vec<&str> = input.numeric().map(|(column, _, _)| column.name).collect();
    let columns: Vec<Numeric> = input.numeric().map(|(_, values, order)| Numeric { values, order }).collect();
    let screened = if columns.len() > MOST_COLUMNS { Some(screen(input, &columns)?) } else { None };
    let chosen: Vec<usize> = match &screened {
        Some(screened) => screened.most_related(MOST_COLUMNS),
        None => (0..columns.len()).collect(),
    };
    let pairs: Vec<(usize, usize)> = (0..chosen.len()).flat_map(|i| (i..chosen.len()).map(move |j| (i, j))).collect();
    let computed = exact(input, &columns, pairs.iter().map(|&(i, j)| (chosen[i], chosen[j])).collect())?;
    let mut result = Correlations {
        columns: chosen.iter().map(|&column| names[column].to_owned()).collect(),
        pearson: vec![vec![None; chosen.len()]; chosen.len()],
        spearman: vec![vec![None; chosen.len()]; chosen.len()],
        numeric_columns: columns.len() as u64,
        strongest: Vec::new(),
        pairs_from_half: PairCounts::default(),
        alike: 0,
    };
    for (&(i, j), &(linear, ranked)) in pairs.iter().zip(&computed) {
        (result.pearson[i][j], result.pearson[j][i]) = (linear, linear);
        (result.spearman[i][j], result.spearman[j][i]) = (ranked, ranked);
    }
    let mut strongest: Vec<(usize, usize, Coefficients)> = match screened {
        Some(screened) => {
            (result.pairs_from_half, result.alike) = (screened.pairs_from_half, screened.alike);
            let found = exact(input, &columns, screened.strongest.clone())?;
            screened.strongest.into_iter().zip(found).map(|((i, j), found)| (i, j, found)).collect()
        }
        None => {
            let between = pairs.iter().zip(&computed).filter(|((i, j), _)| i != j);
            for (_, (linear, ranked)) in between.clone() {
                let from = |least: f64, value: &Option<f64>| u64::from(value.is_some_and(|value| value.abs() >= least));
                result.pairs_from_half.pearson += from(STRONG, linear);
                result.pairs_from_half.spearman += from(STRONG, ranked);
                result.alike += from(ALIKE, linear) | from(ALIKE, ranked);
            }
            between.map(|(&(i, j), &found)| (i, j, found)).collect()
        }
    };
    let size = |(linear, ranked): Coefficients| linear.unwrap_or(0.0).abs().max(ranked.unwrap_or(0.0).abs());
    strongest.retain(|(_, _, found)| size(*found) > 0.0);
    strongest.sort_by(|x, y| size(y.2).total_cmp(&size(x.2)));
    let named = |(i, j, (pearson, spearman)): (usize, usize, Coefficients)| {
        let [a, b] = [i, j].map(|column| names[column].to_owned());
        CorrelatedPair { a, b, pearson, spearman }
    };
    result.strongest = strongest.into_iter().take(MOST_PAIRS).map(named).collect();
    Ok(result)
}

fn screen(input: &Checked, columns: &[Numeric]) -> Result<Screened, Cancelled> {
    let complete: Vec<bool> = columns.iter().map(|column| column.order.len() == input.rows).collect();
    // One after the other, so that only one copy of the table is there at a time.
    let coefficients = |of: &(dyn Fn(&Numeric) -> Vec<f64> + Sync)| {
        let standardised = columns.par_iter().map(|column| {
            input.go_on()?;
            Ok(screening::standardised(of(column)))
        });
        let standardised = standardised.collect::<Result<Vec<_>, Cancelled>>()?;
        screening::coefficients(&standardised, &complete, &|| input.go_on())
    };
    let linear = coefficients(&|column| column.values.to_vec())?;
    let ranked = coefficients(&|column| column.ranks(|_| true))?;
    screening::screen(&linear, &ranked, MOST_PAIRS, &|| input.go_on())
}

/// The coefficients of pairs of columns.
fn exact(input: &Checked, columns: &[Numeric], pairs: Vec<(usize, usize)>) -> Result<Vec<Coefficients>, Cancelled> {
    // Ranks are made once for each column that is needed and has a value on every row.
    let mut is_needed = vec![false; columns.len()];
    pairs.iter().for_each(|&(i, j)| (is_needed[i], is_needed[j]) = (true, true));
    let ranks = columns.par_iter().zip(is_needed).map(|(column, is_needed)| {
        input.go_on()?;
        Ok(if is_needed { column.ranks(|_| true) } else { Vec::new() })
    });
    let ranks: Vec<Vec<f64>> = ranks.collect::<Result<_, Cancelled>>()?;
    let computed = pairs.into_par_iter().map(|(i, j)| {
        input.go_on()?;
        let (a, b) = (&columns[i], &columns[j]);
        let linear = pearson(a.values, b.values);
        let complete = a.order.len() == input.rows && b.order.len() == input.rows;
        let ranked = if complete || i == j {
            pearson(&ranks[i], &ranks[j])
        } else {
            // Ranks among the complete pairs differ from ranks among all values.
            let both = |row: usize| a.values[row].is_finite() && b.values[row].is_finite();
            pearson(&a.ranks(both), &b.ranks(both))
        };
        Ok((linear, ranked))
    });
    computed.collect()
}

struct Numeric<'a> {
    values: &'a [f64],
    order: &'a [u32],
}

impl Numeric<'_> {
    /// Ranks from 1 among the rows that `keep` holds, NaN elsewhere; ties share their mean rank.
    fn ranks(&self, keep: impl Fn(usize) -> bool) -> Vec<f64> {
        let mut ranks = vec![f64::NAN; self.values.len()];
        let kept: Vec<usize> = self.order.iter().map(|&row| row as usize).filter(|&row| keep(row)).collect();
        let mut before = 0.0;
        for ties in kept.chunk_by(|&a, &b| self.values[a] == self.values[b]) {
            let rank = before + (ties.len() as f64 + 1.0) / 2.0;
            for &row in ties {
                ranks[row] = rank;
            }
            before += ties.len() as f64;
        }
        ranks
    }
}

/// Over the rows where both are finite, in two passes.
fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let complete = || a.iter().zip(b).filter(|(x, y)| x.is_finite() && y.is_finite());
    let (first_x, first_y) = complete().next()?;
    let (mut count, mut sum_x, mut sum_y) = (0.0, 0.0, 0.0);
    let mut varies = (false, false);
    for (x, y) in complete() {
        count += 1.0;
        sum_x += x;
        sum_y += y;
        varies = (varies.0 || x != first_x, varies.1 || y != first_y);
    }
    if !varies.0 || !varies.1 {
        return None;
    }
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in complete() {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    let correlation = xy / (xx.sqrt() * yy.sqrt());
    correlation.is_finite().then(|| correlation.clamp(-1.0, 1.0))
}
