//! Pearson's and Spearman's correlation of every pair of numeric columns. Knows nothing of the label.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::input::Checked;

/// Symmetric matrices over `columns`, each pair over the rows where both have a value (pairwise complete, as pandas does).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlations {
    /// The numeric columns, in the table's order.
    pub columns: Vec<String>,
    /// −1 to 1; absent where a column does not vary or fewer than two rows are complete.
    pub pearson: Vec<Vec<Option<f64>>>,
    /// Pearson's correlation of ranks, ties at their mean rank.
    pub spearman: Vec<Vec<Option<f64>>>,
}

pub(super) fn of_columns(input: &Checked) -> Correlations {
    let columns: Vec<Numeric> = input.numeric().map(|(_, values, order)| Numeric { values, order }).collect();
    let ranks: Vec<Vec<f64>> = columns.par_iter().map(|column| column.ranks(|_| true)).collect();
    let pairs: Vec<(usize, usize)> = (0..columns.len()).flat_map(|i| (i..columns.len()).map(move |j| (i, j))).collect();
    let computed: Vec<(Option<f64>, Option<f64>)> = pairs
        .par_iter()
        .map(|&(i, j)| {
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
            (linear, ranked)
        })
        .collect();
    let mut result = Correlations {
        columns: input.numeric().map(|(column, _, _)| column.name.to_string()).collect(),
        pearson: vec![vec![None; columns.len()]; columns.len()],
        spearman: vec![vec![None; columns.len()]; columns.len()],
    };
    for ((i, j), (linear, ranked)) in pairs.into_iter().zip(computed) {
        (result.pearson[i][j], result.pearson[j][i]) = (linear, linear);
        (result.spearman[i][j], result.spearman[j][i]) = (ranked, ranked);
    }
    result
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
