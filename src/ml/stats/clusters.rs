//! Rows that belong together, e.g. the songs of one artist: they are not independent, so statistics draw and flip whole groups.

use std::collections::HashMap;
use std::hash::Hash;

use super::proportion::quantile;
use super::special::normal_tail;
use crate::rng::Stream;

/// With fewer groups, counted by [`Clusters::effective`], an interval or test of a score is rough.
pub const FEW_GROUPS: f64 = 20.0;
/// With more groups Student's distribution is the normal one.
const MANY_GROUPS: f64 = 10_000.0;

/// The groups of some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clusters {
    rows: usize,
    /// The rows of each group, by first occurrence; empty where every row stands alone.
    groups: Vec<Vec<usize>>,
}

impl Clusters {
    /// Rows of which each stands alone.
    pub(crate) fn singles(rows: usize) -> Self {
        Clusters { rows, groups: Vec::new() }
    }

    /// Rows with equal numbers belong together.
    pub fn of<T: Copy + Eq + Hash>(numbers: &[T]) -> Self {
        let mut places: HashMap<T, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (row, number) in numbers.iter().enumerate() {
            let place = *places.entry(*number).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
            }
            groups[place].push(row);
        }
        if groups.len() == numbers.len() {
            return Clusters::singles(numbers.len());
        }
        Clusters { rows: numbers.len(), groups }
    }

    /// The groups of those of the rows; without numbers each row stands alone.
    pub fn of_rows<T: Copy + Eq + Hash>(numbers: &[T], rows: &[usize]) -> Self {
        match numbers {
            [] => Clusters::singles(rows.len()),
            _ => Clusters::of(&rows.iter().map(|&row| numbers[row]).collect::<Vec<_>>()),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The rows of each group; none where every row stands alone.
    pub(super) fn members(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// How many groups there are, where any has more than one row.
    pub fn groups(&self) -> Option<usize> {
        (!self.groups.is_empty()).then_some(self.groups.len())
    }

    /// How many groups of equal size would tell as much: (Σ n)² / Σ n² (Kish 1965).
    pub fn effective(&self) -> f64 {
        let squares: f64 = self.groups.iter().map(|group| (group.len() as f64).powi(2)).sum();
        if self.groups.is_empty() { self.rows as f64 } else { (self.rows as f64).powi(2) / squares }
    }

    /// Whether too few groups are there for a figure to be taken at its word.
    pub fn are_few(&self) -> bool {
        !self.groups.is_empty() && self.effective() < FEW_GROUPS
    }

    /// Whether anything can be drawn: of a single group nobody knows how others would differ.
    pub(crate) fn can_vary(&self) -> bool {
        self.rows > 0 && self.groups.len() != 1
    }

    /// As many groups as there are, drawn with replacement, with all their rows.
    pub(super) fn draw(&self, stream: &mut Stream, drawn: &mut Vec<usize>) {
        drawn.clear();
        if self.groups.is_empty() {
            drawn.extend((0..self.rows).map(|_| stream.below(self.rows)));
        } else {
            (0..self.groups.len()).for_each(|_| drawn.extend(&self.groups[stream.below(self.groups.len())]));
        }
    }

    /// The sum of the values of each group.
    pub(super) fn sums(&self, values: impl Fn(usize) -> i64) -> Vec<i64> {
        match self.groups.as_slice() {
            [] => (0..self.rows).map(values).collect(),
            groups => groups.iter().map(|group| group.iter().map(|&row| values(row)).sum()).collect(),
        }
    }

    /// Standard error of the mean of the rows' values, groups being drawn whole; 0 of a single group.
    pub(crate) fn error_of_mean(&self, values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let squares: f64 = match self.groups.as_slice() {
            [] => values.iter().map(|value| (value - mean).powi(2)).sum(),
            groups => {
                let apart = |group: &Vec<usize>| group.iter().map(|&row| values[row] - mean).sum::<f64>();
                groups.iter().map(|group| apart(group).powi(2)).sum()
            }
        };
        let count = self.groups().unwrap_or(values.len()) as f64;
        if count < 2.0 { 0.0 } else { (squares * count / (count - 1.0)).sqrt() / values.len() as f64 }
    }

    /// The share of the bootstrap's distribution beyond each end of an interval.
    ///
    /// Of few groups percentiles are too narrow, by √((g − 1) / g) and by the normal distribution's tails where Student's are meant: the share
    /// is the normal tail beyond t·√(g / (g − 1)) (Hesterberg 2015, The American Statistician 69:371). Rows alone keep the plain percentiles.
    pub(super) fn tail(&self, level: f64) -> f64 {
        let plain = (1.0 - level) / 2.0;
        let effective = self.effective();
        if self.groups.is_empty() || effective > MANY_GROUPS {
            return plain;
        }
        let freedom = (effective.floor() as usize).saturating_sub(1).max(1);
        normal_tail(quantile(level, Some(freedom)) * (1.0 + 1.0 / freedom as f64).sqrt()).min(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_their_own_are_no_groups() {
        assert_eq!(Clusters::of(&[7, 3, 5]), Clusters::singles(3));
        assert_eq!(Clusters::of_rows::<i64>(&[], &[4, 5]), Clusters::singles(2));
        let grouped = Clusters::of_rows(&[1, 2, 1, 2, 2], &[0, 1, 2, 4]);
        assert_eq!((grouped.groups(), grouped.rows(), grouped.effective()), (Some(2), 4, 2.0));
        assert_eq!(grouped.sums(|row| row as i64), [2, 4]);
        assert!(grouped.are_few() && grouped.can_vary() && !Clusters::of(&[1, 1]).can_vary());
    }

    // import numpy as np, statsmodels.api as sm; y = np.array([1, 4, 2, 8, 5, 7.]); g = [0, 0, 1, 1, 1, 2]
    // sm.OLS(y, np.ones(6)).fit().bse; sm.OLS(y, np.ones(6)).fit(cov_type="cluster", cov_kwds=dict(groups=g)).bse
    #[test]
    fn errors_of_means_are_those_of_least_squares() {
        let values = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0];
        let plain = Clusters::singles(6).error_of_mean(&values);
        assert!((plain - (7.5f64 / 6.0).sqrt()).abs() < 1e-12, "{plain}");
        let grouped = Clusters::of(&[0, 0, 1, 1, 1, 2]).error_of_mean(&values);
        // Sums of residuals of the mean 4.5: −4, 1.5 and 2.5.
        assert!((grouped - ((16.0 + 2.25 + 6.25) * 1.5f64).sqrt() / 6.0).abs() < 1e-12, "{grouped}");
    }

    #[test]
    fn a_giant_among_groups_counts_as_few_groups() {
        let mut numbers: Vec<usize> = (0..100).collect();
        numbers.extend([0; 100]);
        assert!((Clusters::of(&numbers).effective() - 40_000.0 / (101.0 * 101.0 + 99.0)).abs() < 1e-12);
    }

    // from scipy.stats import norm, t
    // [norm.sf(t.ppf(.975, g - 1) * np.sqrt(g / (g - 1))) for g in (5, 20, 100)]   # 0.000954, 0.015885, 0.023049
    #[test]
    fn percentiles_of_few_groups_are_moved_outwards() {
        for (groups, expected) in [(5, 0.000_954_2), (20, 0.015_884), (100, 0.023_049)] {
            let numbers: Vec<usize> = (0..groups * 3).map(|row| row % groups).collect();
            let found = Clusters::of(&numbers).tail(0.95);
            assert!((found / expected - 1.0).abs() < 2e-3, "{groups}: {found} for {expected}");
        }
        assert_eq!(Clusters::singles(10).tail(0.95), (1.0 - 0.95) / 2.0);
    }
}
