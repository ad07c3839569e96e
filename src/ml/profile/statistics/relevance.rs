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

/// Standard deviations over shuffled labels that information must exceed.
const DEVIATIONS: f64 = 2.0;
/// Shufflings for the deviation of one column's counts, and of the estimate by neighbours, which is found once for all columns.
const SHUFFLES_OF_COUNTS: usize = 20;
const SHUFFLES_OF_NEIGHBOURS: usize = 60;
/// Labels kept of the former.
const MOST_LABELS: usize = 2_000_000;
/// Rows of the latter; the deviation falls with the root of the rows.
const MOST_ROWS: usize = 5_000;

pub(super) fn of_columns(input: &Checked) -> Result<Vec<Relevance>, Cancelled> {
    let mut class_rows = vec![0u64; input.classes.len()];
    for label in input.label.iter().flatten() {
        class_rows[*label as usize] += 1;
    }
    let label_entropy = information::entropy(&class_rows);
    let chance = Chance::of(input, &class_rows);
    let of_each = input.columns.par_iter().enumerate().map(|(index, column)| {
        input.go_on()?;
        Ok(of_column(input, column, index, label_entropy, &chance))
    });
    of_each.collect()
}

fn of_column(input: &Checked, column: &PreparedColumn, index: usize, label_entropy: f64, chance: &Chance) -> Relevance {
    let (label, classes) = (input.label, input.classes.len());
    let mut relevance = Relevance {
        column: column.name.into(),
        anova_f: None,
        p_value: None,
        eta_squared: None,
        mutual_information: None,
        estimator: InformationEstimator::Counts,
        by_chance: 0.0,
        chance_limit: 0.0,
        information_share: 0.0,
    };
    if let ColumnData::Numeric { values, order } = &column.data {
        if let Some(variance) = analysis_of_variance(values, label, classes) {
            relevance.anova_f = variance.f;
            relevance.p_value = variance.p_value;
            relevance.eta_squared = finite(variance.eta_squared);
        }
        let is_continuous = column.key.distinct > 1 && column.key.distinct * classes * ROWS_PER_CELL > order.len();
        let found = is_continuous.then(|| of_neighbours(input, column, (values, order), index, chance)).flatten();
        if let Some((information, by_chance, deviation)) = found {
            relevance.estimator = InformationEstimator::Neighbours;
            relevance.mutual_information = Some(information);
            relevance.by_chance = by_chance;
            relevance.chance_limit = DEVIATIONS * deviation;
            relevance.information_share = share(&relevance, label_entropy);
            return relevance;
        }
    }
    let has_value = column.key.codes.iter().zip(label).any(|(&code, label)| code != MISSING && label.is_some());
    let key = column.key.with_missing_as_value();
    if has_value && let Some(information) = information::discrete(&key, label, classes) {
        relevance.mutual_information = Some(information.beyond_chance());
        relevance.by_chance = information.by_chance;
        relevance.chance_limit = DEVIATIONS * chance.of_counts(&key, classes);
        relevance.information_share = share(&relevance, label_entropy);
    }
    relevance
}

/// The information of a continuous column, what of its counts is chance, and its deviation over shuffled labels; `None` where too few rows have a value.
fn of_neighbours(
    input: &Checked,
    column: &PreparedColumn,
    (values, order): (&[f64], &[u32]),
    index: usize,
    chance: &Chance,
) -> Option<(f64, f64, f64)> {
    let (label, classes) = (input.label, input.classes.len());
    let noise = Stream::new(input.seed, "profile: ties", index as u64);
    let rows = without_duplicates(input, &column.key, order);
    let of_values = information::continuous(values, &rows, label, classes, input.options.neighbours, noise)?;
    // The chain rule: whether there is a value, and where there is one, which.
    let filled = order.iter().filter(|&&row| label[row as usize].is_some()).count();
    let weight = filled as f64 / input.labelled as f64;
    let weighted = of_values * weight;
    let used = rows.iter().filter(|&&row| label[row as usize].is_some()).count();
    let deviation = weight * chance.of_neighbours(used);
    if filled == input.labelled {
        return Some((weighted, 0.0, deviation));
    }
    let presence = column.key.presence();
    let of_missing = information::discrete(&presence, label, classes)?;
    let deviation = deviation.hypot(chance.of_counts(&presence, classes));
    Some((weighted + of_missing.beyond_chance(), of_missing.by_chance, deviation))
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

fn share(found: &Relevance, entropy: f64) -> f64 {
    match found.mutual_information {
        Some(information) if entropy > 0.0 && found.is_beyond_chance() => (information / entropy).clamp(0.0, 1.0),
        _ => 0.0,
    }
}

/// How far estimates of independent columns are from 0, by shuffling labels.
struct Chance {
    /// Shuffled labels, rows without one staying so.
    shuffled: Vec<Vec<Option<u32>>>,
    /// Deviation of the estimate by neighbours, times the root of the rows.
    by_root_of_rows: f64,
}

impl Chance {
    fn of(input: &Checked, class_rows: &[u64]) -> Chance {
        let labelled: Vec<usize> = (0..input.rows).filter(|&row| input.label[row].is_some()).collect();
        let shuffle = |index: usize| {
            let mut shuffled = input.label.to_vec();
            let order = Stream::new(input.seed, "profile: shuffled labels", index as u64).permutation(labelled.len());
            labelled.iter().zip(order).for_each(|(&row, other)| shuffled[row] = input.label[labelled[other]]);
            shuffled
        };
        Chance {
            // Of many rows fewer do: the limit is far below anything worth a word.
            shuffled: (0..(MOST_LABELS / input.rows.max(1)).clamp(8, SHUFFLES_OF_COUNTS)).map(shuffle).collect(),
            by_root_of_rows: neighbours_by_chance(input, class_rows),
        }
    }

    /// Deviation of what counting shows of shuffled labels.
    fn of_counts(&self, key: &Key, classes: usize) -> f64 {
        let sets = key.sets();
        let found: Vec<f64> = self.shuffled.iter().map(|label| information::plug_in(&sets, label, classes)).collect();
        deviation(&found)
    }

    fn of_neighbours(&self, rows: usize) -> f64 {
        if rows == 0 { 0.0 } else { self.by_root_of_rows / (rows as f64).sqrt() }
    }
}

/// Which values there are hardly matters to how many of a row's neighbours are of its class: one sample of uniform values stands for all columns.
fn neighbours_by_chance(input: &Checked, class_rows: &[u64]) -> f64 {
    let rows = input.labelled.min(MOST_ROWS);
    // Each class in its share, by position among the rows sorted by class.
    let ends: Vec<u64> = class_rows
        .iter()
        .scan(0, |sum, rows| {
            *sum += rows;
            Some(*sum)
        })
        .collect();
    let class_at =
        |place: usize| ends.partition_point(|&end| end <= (place * input.labelled / rows.max(1)) as u64) as u32;
    let classes: Vec<u32> = (0..rows).map(class_at).collect();
    let order: Vec<u32> = (0..rows as u32).collect();
    let found = (0..SHUFFLES_OF_NEIGHBOURS).into_par_iter().filter_map(|index| {
        let mut stream = Stream::new(input.seed, "profile: neighbours by chance", index as u64);
        let mut values: Vec<f64> = (0..rows).map(|_| stream.uniform()).collect();
        values.sort_by(f64::total_cmp);
        let label: Vec<Option<u32>> = stream.permutation(rows).into_iter().map(|place| Some(classes[place])).collect();
        information::continuous(&values, &order, &label, class_rows.len(), input.options.neighbours, stream)
    });
    deviation(&found.collect::<Vec<f64>>()) * (rows as f64).sqrt()
}

/// Sample standard deviation.
fn deviation(values: &[f64]) -> f64 {
    super::column::mean_and_deviation(values).1.unwrap_or(0.0)
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
