//! How much each column, taken alone, says about the label: analysis of variance and mutual information.

use std::collections::HashSet;

use rayon::prelude::*;
use runner_results::profile::{InformationEstimator, Relevance};

use super::super::table::input::{Checked, ColumnData, PreparedColumn};
use super::super::table::key::{Key, MISSING};
use super::column::finite;
use super::fisher;
use super::information;
use crate::progress::Cancelled;
use crate::rng::Stream;

/// A numeric column is counted value by value when every value × class cell holds this many rows on average; else
/// its values are taken as draws from a density.
const ROWS_PER_CELL: usize = 10;

pub(super) fn of_columns(input: &Checked) -> Result<Vec<Relevance>, Cancelled> {
    let mut class_rows = vec![0u64; input.classes.len()];
    for label in input.label.iter().flatten() {
        class_rows[*label as usize] += 1;
    }
    let label_entropy = information::entropy(&class_rows);
    let of_each = input.columns.par_iter().enumerate().map(|(index, column)| {
        input.go_on()?;
        Ok(of_column(input, column, index, label_entropy))
    });
    of_each.collect()
}

fn of_column(input: &Checked, column: &PreparedColumn, index: usize, label_entropy: f64) -> Relevance {
    let (label, classes) = (input.label, input.classes.len());
    let mut relevance = Relevance {
        column: column.name.into(),
        anova_f: None,
        p_value: None,
        eta_squared: None,
        mutual_information: None,
        estimator: InformationEstimator::Counts,
        by_chance: 0.0,
        information_share: 0.0,
    };
    if let ColumnData::Numeric { values, order } = &column.data {
        if let Some(variance) = analysis_of_variance(values, label, classes) {
            relevance.anova_f = variance.f;
            relevance.p_value = variance.p_value;
            relevance.eta_squared = finite(variance.eta_squared);
        }
        let is_continuous = column.key.distinct > 1 && column.key.distinct * classes * ROWS_PER_CELL > order.len();
        let found = is_continuous.then(|| of_neighbours(input, column, (values, order), index)).flatten();
        if let Some((information, by_chance)) = found {
            relevance.estimator = InformationEstimator::Neighbours;
            relevance.mutual_information = Some(information);
            relevance.by_chance = by_chance;
            relevance.information_share = share(information, label_entropy);
            return relevance;
        }
    }
    let has_value = column.key.codes.iter().zip(label).any(|(&code, label)| code != MISSING && label.is_some());
    if has_value && let Some(information) = information::discrete(&column.key.with_missing_as_value(), label, classes) {
        relevance.mutual_information = Some(information.beyond_chance());
        relevance.by_chance = information.by_chance;
        relevance.information_share = share(information.beyond_chance(), label_entropy);
    }
    relevance
}

/// The information of a continuous column and what of its counts is chance; `None` where too few rows have a value.
fn of_neighbours(
    input: &Checked,
    column: &PreparedColumn,
    (values, order): (&[f64], &[u32]),
    index: usize,
) -> Option<(f64, f64)> {
    let (label, classes) = (input.label, input.classes.len());
    let noise = Stream::new(input.seed, "profile: ties", index as u64);
    let rows = without_duplicates(input, &column.key, order);
    let of_values = information::continuous(values, &rows, label, classes, input.options.neighbours, noise)?;
    // The chain rule: whether there is a value, and where there is one, which.
    let filled = order.iter().filter(|&&row| label[row as usize].is_some()).count();
    let weighted = of_values * filled as f64 / input.labelled as f64;
    if filled == input.labelled {
        return Some((weighted, 0.0));
    }
    let of_missing = information::discrete(&column.key.presence(), label, classes)?;
    Some((weighted + of_missing.beyond_chance(), of_missing.by_chance))
}

/// Rows of one group with the same value count once, by a row drawn from them: duplicates would be each other's nearest
/// neighbours and pass for information.
fn without_duplicates(input: &Checked, key: &Key, order: &[u32]) -> Vec<u32> {
    let Some(groups) = &input.connected else {
        return order.to_vec();
    };
    let mut seen = HashSet::new();
    let mut kept = vec![false; input.rows];
    for row in Stream::new(input.seed, "profile: twins", 0).permutation(input.rows) {
        kept[row] = input.label[row].is_some() && seen.insert((groups.codes[row], key.codes[row]));
    }
    order.iter().copied().filter(|&row| kept[row as usize]).collect()
}

fn share(information: f64, entropy: f64) -> f64 {
    if entropy > 0.0 { (information / entropy).clamp(0.0, 1.0) } else { 0.0 }
}

struct Variance {
    f: Option<f64>,
    p_value: Option<f64>,
    eta_squared: f64,
}

/// `None` with fewer than two classes, no row to spare, or a column that does not vary.
fn analysis_of_variance(values: &[f64], label: &[Option<u32>], classes: usize) -> Option<Variance> {
    let rows = || {
        let labelled = values.iter().zip(label).filter_map(|(&x, label)| label.map(|label| (x, label as usize)));
        labelled.filter(|(x, _)| x.is_finite())
    };
    let (first, _) = rows().next()?;
    if rows().all(|(x, _)| x == first) {
        return None;
    }
    let mut count = vec![0.0; classes];
    let mut mean = vec![0.0; classes];
    for (x, class) in rows() {
        count[class] += 1.0;
        mean[class] += (x - mean[class]) / count[class];
    }
    let total: f64 = count.iter().sum();
    let grand = mean.iter().zip(&count).map(|(mean, count)| mean * (count / total)).sum::<f64>();
    let between: f64 = mean.iter().zip(&count).map(|(mean, count)| count * (mean - grand).powi(2)).sum();
    let within: f64 = rows().map(|(x, class)| (x - mean[class]).powi(2)).sum();
    let groups = count.iter().filter(|count| **count > 0.0).count() as f64;
    let (freedom_between, freedom_within) = (groups - 1.0, total - groups);
    if freedom_between < 1.0 || freedom_within < 1.0 {
        return None;
    }
    let f = finite((between / freedom_between) / (within / freedom_within));
    let p_value = match f {
        Some(f) => Some(fisher::upper_tail(f, freedom_between, freedom_within)),
        None => (within == 0.0).then_some(0.0),
    };
    Some(Variance { f, p_value, eta_squared: between / (between + within) })
}
