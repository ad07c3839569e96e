//! Mutual information with the label, in nats: for discrete values by counting, for continuous ones by neighbours.

use super::super::table::key::{Key, RowSets};
use crate::rng::Stream;
use crate::stats::ln_gamma;

/// Mutual information of a discrete value with the label.
pub(super) struct Discrete {
    /// Plug-in estimate from the counts, as `mutual_info_score` in scikit-learn.
    plug_in: f64,
    /// What the plug-in would be on average if labels were shuffled over the rows: exact, by the hypergeometric law
    /// (Vinh, Epps and Bailey 2010, equation 24a), as `expected_mutual_information` in scikit-learn. High for columns with
    /// nearly one value per row.
    pub(crate) by_chance: f64,
}

impl Discrete {
    /// What is beyond chance, the numerator of the adjusted mutual information of Vinh, Epps and Bailey: 0 on average, hence at
    /// times below, where value and label are independent, however many values there are.
    pub(crate) fn beyond_chance(&self) -> f64 {
        self.plug_in - self.by_chance
    }
}

/// The plug-in estimate alone, over rows that have a label and a value.
pub(super) fn plug_in(sets: &RowSets, label: &[Option<u32>], classes: usize) -> f64 {
    let mut class_rows = vec![0u64; classes];
    let mut cells = vec![0u64; classes];
    let (mut joint, mut of_values) = (0.0, 0.0);
    for set in sets.iter() {
        let mut rows = 0u64;
        for label in set.iter().filter_map(|&row| label[row as usize]) {
            cells[label as usize] += 1;
            rows += 1;
        }
        of_values += x_ln_x(rows as f64);
        // Each class of the value once: its count is taken when it is first met.
        for label in set.iter().filter_map(|&row| label[row as usize]) {
            let count = std::mem::take(&mut cells[label as usize]);
            joint += x_ln_x(count as f64);
            class_rows[label as usize] += count;
        }
    }
    let n = class_rows.iter().sum::<u64>() as f64;
    if n == 0.0 {
        return 0.0;
    }
    let of_classes: f64 = class_rows.iter().map(|&count| x_ln_x(count as f64)).sum();
    ((joint - of_values - of_classes + x_ln_x(n)) / n).max(0.0)
}

/// Over rows that have a label and a value; `None` without any.
pub(super) fn discrete(key: &Key, label: &[Option<u32>], classes: usize) -> Option<Discrete> {
    let mut class_rows = vec![0u64; classes];
    let mut value_rows: Vec<u64> = Vec::new();
    let mut joint = 0.0;
    let mut own: Vec<u32> = Vec::new();
    for set in key.sets().iter() {
        own.clear();
        own.extend(set.iter().filter_map(|&row| label[row as usize]));
        if own.is_empty() {
            continue;
        }
        value_rows.push(own.len() as u64);
        // By class in ascending order, without a look at the many classes that a value does not have.
        own.sort_unstable();
        for same in own.chunk_by(|a, b| a == b) {
            class_rows[same[0] as usize] += same.len() as u64;
            joint += x_ln_x(same.len() as f64);
        }
    }
    let rows: u64 = class_rows.iter().sum();
    if rows == 0 {
        return None;
    }
    let n = rows as f64;
    let of_values: f64 = value_rows.iter().map(|&count| x_ln_x(count as f64)).sum();
    let of_classes: f64 = class_rows.iter().map(|&count| x_ln_x(count as f64)).sum();
    let plug_in = ((joint - of_values - of_classes + x_ln_x(n)) / n).max(0.0);
    Some(Discrete { plug_in, by_chance: expected_by_chance(&mut value_rows, &class_rows, rows) })
}

/// Entropy of the label in nats.
pub(super) fn entropy(counts: &[u64]) -> f64 {
    let n: f64 = counts.iter().map(|&count| count as f64).sum();
    if n == 0.0 { 0.0 } else { (n.ln() - counts.iter().map(|&count| x_ln_x(count as f64)).sum::<f64>() / n).max(0.0) }
}

fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

fn expected_by_chance(value_rows: &mut [u64], class_rows: &[u64], rows: u64) -> f64 {
    let n = rows as f64;
    let ln_factorial: Vec<f64> = {
        // Summed logarithms would drift over a million rows; Stirling does not.
        (0..=rows).map(|i| if i < 2 { 0.0 } else { ln_gamma(i as f64 + 1.0) }).collect()
    };
    let f = |i: u64| ln_factorial[i as usize];
    value_rows.sort_unstable();
    let mut expected = 0.0;
    // Values with the same count contribute the same, so an identifier with a value per row costs one term.
    for equal in value_rows.chunk_by(|a, b| a == b) {
        let a = equal[0];
        let mut term = 0.0;
        for &b in class_rows.iter().filter(|&&b| b > 0) {
            let least = (a + b).saturating_sub(rows).max(1);
            for cell in least..=a.min(b) {
                let ln_probability = f(a) + f(b) + f(rows - a) + f(rows - b)
                    - f(rows)
                    - f(cell)
                    - f(a - cell)
                    - f(b - cell)
                    - f(rows + cell - a - b);
                let gain = (cell as f64 / n) * (n * cell as f64 / (a as f64 * b as f64)).ln();
                term += gain * ln_probability.exp();
            }
        }
        expected += term * equal.len() as f64;
    }
    expected.max(0.0)
}

/// Mutual information of a continuous value with the label by nearest neighbours (Ross 2014, "Mutual information between
/// discrete and continuous data sets"), as `mutual_info_classif(n_neighbors=neighbours)` in scikit-learn.
///
/// Nothing need be taken off for chance: with shuffled labels the number of rows within the distance of the k-th neighbour of
/// the same class is negative hypergeometric, so that the estimate is 0 on average, hence at times below (scikit-learn cuts it off there).
///
/// `order` holds the rows to use by ascending value. Tied values are told apart by seeded noise of 1e-10
/// standard deviations, since the estimate assumes a density. `None` when no class has two values.
pub(super) fn continuous(
    values: &[f64],
    order: &[u32],
    label: &[Option<u32>],
    classes: usize,
    neighbours: usize,
    mut noise: Stream,
) -> Option<f64> {
    let mut class_rows = vec![0usize; classes];
    for &row in order {
        if let Some(label) = label[row as usize] {
            class_rows[label as usize] += 1;
        }
    }
    let used = order.iter().filter_map(|&row| {
        let label = label[row as usize]?;
        // A class of one row has no neighbour and is left out, as in scikit-learn.
        (class_rows[label as usize] > 1).then(|| (values[row as usize], label))
    });
    let mut points: Vec<(f64, u32)> = used.collect();
    if points.is_empty() {
        return None;
    }
    let only: Vec<f64> = points.iter().map(|point| point.0).collect();
    let scale = super::column::mean_and_deviation(&only).1.filter(|deviation| *deviation > 0.0)?;
    let tied = points.windows(2).any(|pair| pair[0].0 == pair[1].0);
    // About the middle value: noise that is larger far from zero would drown the differences between large numbers.
    let centre = only[only.len() / 2];
    for point in &mut points {
        point.0 = (point.0 - centre) / scale + if tied { 1e-10 * noise.normal() } else { 0.0 };
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let sorted: Vec<f64> = points.iter().map(|point| point.0).collect();
    let digamma = digamma_table(points.len());
    let mut by_class: Vec<Vec<f64>> = class_rows.iter().map(|&rows| Vec::with_capacity(rows)).collect();
    points.iter().for_each(|point| by_class[point.1 as usize].push(point.0));
    let mut sum = 0.0;
    for (own, &rows) in by_class.iter().zip(&class_rows).filter(|(_, rows)| **rows > 1) {
        let k = neighbours.min(rows - 1);
        for i in 0..own.len() {
            let radius = kth_distance(own, i, k).next_down().max(0.0);
            let low = sorted.partition_point(|&x| x < own[i] && own[i] - x > radius);
            let high = sorted.partition_point(|&x| x <= own[i] || x - own[i] <= radius);
            sum += digamma[k] - digamma[rows] - digamma[high - low];
        }
    }
    Some(digamma[points.len()] + sum / points.len() as f64)
}

/// Distance from `sorted[i]` to its `k`-th nearest other value; `k < sorted.len()`.
fn kth_distance(sorted: &[f64], i: usize, k: usize) -> f64 {
    let (mut low, mut high) = (i, i);
    let mut distance = 0.0;
    for _ in 0..k {
        let below = if low > 0 { sorted[i] - sorted[low - 1] } else { f64::INFINITY };
        let above = if high + 1 < sorted.len() { sorted[high + 1] - sorted[i] } else { f64::INFINITY };
        if below <= above {
            low -= 1;
            distance = below;
        } else {
            high += 1;
            distance = above;
        }
    }
    distance
}

/// ψ(0..=last) at whole numbers: ψ(n) = −γ + Σ 1/i for i < n. Entry 0 is not used.
fn digamma_table(last: usize) -> Vec<f64> {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    let mut table = vec![0.0; last + 1];
    let mut harmonic = 0.0;
    for (n, entry) in table.iter_mut().enumerate().skip(1) {
        *entry = harmonic - EULER_GAMMA;
        harmonic += 1.0 / n as f64;
    }
    table
}
