//! Spreads groups of rows over parts of given shares so that every class has its share in every part.
//!
//! Greedy, as scikit-learn's `StratifiedGroupKFold`, which this extends to unequal shares: large groups first, each to
//! where the class counts then deviate least from their targets. With one row per group this is Webster's method of
//! apportionment for each class. A last step moves groups into parts that a rare class has not reached.

use crate::rng::Stream;

/// How many rows of each class each group has.
pub(super) struct ClassCounts {
    /// For each group its classes in ascending order, with counts above 0: groups are small, classes may be many.
    groups: Vec<Vec<(usize, f64)>>,
    rows_of_class: Vec<f64>,
}

impl ClassCounts {
    /// `group` must be numbered from 0 without gaps, by first occurrence.
    pub(crate) fn new(labels: &[u32], group: &[u32], classes: usize) -> Self {
        let count = group.iter().max().map_or(0, |last| *last as usize + 1);
        let mut groups: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
        let mut rows_of_class = vec![0.0; classes];
        for (&label, &group) in labels.iter().zip(group) {
            let (class, counts) = (label as usize, &mut groups[group as usize]);
            rows_of_class[class] += 1.0;
            match counts.binary_search_by_key(&class, |(class, _)| *class) {
                Ok(found) => counts[found].1 += 1.0,
                Err(place) => counts.insert(place, (class, 1.0)),
            }
        }
        ClassCounts { groups, rows_of_class }
    }

    /// The number of groups.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn rows(&self, class: usize) -> usize {
        self.rows_of_class[class] as usize
    }

    /// For each class the number of groups with a row of it.
    pub(crate) fn groups_of_classes(&self) -> Vec<usize> {
        let mut groups = vec![0; self.rows_of_class.len()];
        self.groups.iter().flatten().for_each(|(class, _)| groups[*class] += 1);
        groups
    }
}

/// Groups spread over parts.
pub(super) struct Assignment<'a> {
    counts: &'a ClassCounts,
    shares: &'a [f64],
    pub(crate) part_of_group: Vec<usize>,
    /// Rows of each class in each part: `filled[part][class]`.
    filled: Vec<Vec<f64>>,
    rows_of_part: Vec<f64>,
}

impl<'a> Assignment<'a> {
    /// `shares` are above 0 and add up to 1.
    pub(crate) fn new(counts: &'a ClassCounts, shares: &'a [f64], stream: &mut Stream) -> Self {
        let mut assignment = Assignment {
            counts,
            shares,
            part_of_group: vec![0; counts.len()],
            filled: vec![vec![0.0; counts.rows_of_class.len()]; shares.len()],
            rows_of_part: vec![0.0; shares.len()],
        };
        // Small groups come last, to even out what large ones left; among equals the seed decides.
        let mut order = stream.permutation(counts.len());
        let size = |group: usize| counts.groups[group].iter().map(|(_, count)| count).sum::<f64>();
        let largest = |group: usize| counts.groups[group].iter().map(|(_, count)| *count).fold(0.0, f64::max);
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(largest(b).total_cmp(&largest(a))));
        for &group in &order {
            let part = assignment.best_part(group);
            assignment.part_of_group[group] = part;
            assignment.add(group, part, 1.0);
        }
        assignment.reach_every_part(&order);
        assignment
    }

    /// The number of parts with a row of `class`.
    pub(crate) fn parts_of_class(&self, class: usize) -> usize {
        self.filled.iter().filter(|part| part[class] > 0.0).count()
    }

    /// Where `group` does best; among equals the part that is filled least.
    fn best_part(&self, group: usize) -> usize {
        let fill = |part: usize| self.rows_of_part[part] / self.shares[part];
        (0..self.shares.len())
            .min_by(|&a, &b| {
                let change = self.change(group, a, 1.0).total_cmp(&self.change(group, b, 1.0));
                change.then(fill(a).total_cmp(&fill(b)))
            })
            .unwrap_or(0)
    }

    /// How the deviation Σ (filled − target)² / target of a part changes when `group` comes (`sign` 1) or goes (−1).
    fn change(&self, group: usize, part: usize, sign: f64) -> f64 {
        let terms = self.counts.groups[group].iter().map(|&(class, count)| {
            let target = self.shares[part] * self.counts.rows_of_class[class];
            let excess = self.filled[part][class] - target;
            count * (2.0 * sign * excess + count) / target
        });
        terms.sum()
    }

    fn add(&mut self, group: usize, part: usize, sign: f64) {
        for &(class, count) in &self.counts.groups[group] {
            self.filled[part][class] += sign * count;
            self.rows_of_part[part] += sign * count;
        }
    }

    /// Moves groups into parts that lack a class, where no other class loses its last row in a part by that.
    fn reach_every_part(&mut self, order: &[usize]) {
        let mut classes: Vec<usize> = (0..self.counts.rows_of_class.len()).collect();
        // Rare classes have the fewest groups to choose from.
        classes.sort_by(|&a, &b| self.counts.rows_of_class[a].total_cmp(&self.counts.rows_of_class[b]));
        for class in classes {
            for part in 0..self.shares.len() {
                if self.filled[part][class] == 0.0
                    && let Some(group) = self.spare_group(class, part, order)
                {
                    let from = self.part_of_group[group];
                    self.add(group, from, -1.0);
                    self.add(group, part, 1.0);
                    self.part_of_group[group] = part;
                }
            }
        }
    }

    /// The group with `class` that moves to `part` at the least cost.
    fn spare_group(&self, class: usize, part: usize, order: &[usize]) -> Option<usize> {
        let cost = |group: usize| {
            let from = self.part_of_group[group];
            self.change(group, from, -1.0) + self.change(group, part, 1.0)
        };
        order
            .iter()
            .copied()
            .filter(|&group| {
                let counts = &self.counts.groups[group];
                let from = &self.filled[self.part_of_group[group]];
                counts.iter().any(|(c, _)| *c == class) && counts.iter().all(|(c, count)| from[*c] > *count)
            })
            .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
    }
}
