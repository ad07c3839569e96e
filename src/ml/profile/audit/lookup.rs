//! Looking one column's values up among other rows: purity, and cross-validated accuracy over given folds.

use std::cmp::Reverse;
use std::collections::HashSet;

use runner_results::interval::{Z, wilson};
use runner_results::profile::audit::ColumnScore;

use super::super::table::input::Checked;
use super::super::table::key::{Key, RowSets};

/// What looking a key up shows; see `TargetLeak` for the fields.
pub(super) struct Reading {
    pub(crate) distinct: u64,
    pub(crate) repeated: f64,
    pub(crate) purity: Option<f64>,
    pub(crate) row_folds: ColumnScore,
    pub(crate) group_folds: Option<ColumnScore>,
}

impl Reading {
    /// Over groups where there are any, else over rows.
    pub(crate) fn honest(&self) -> &ColumnScore {
        self.group_folds.as_ref().unwrap_or(&self.row_folds)
    }
}

/// What reading any column needs: labels, folds and the largest class.
pub(super) struct LookUp<'a> {
    label: &'a [Option<u32>],
    labelled: f64,
    folds: usize,
    row_folds: Vec<u32>,
    group_folds: Option<Vec<u32>>,
    /// Rows by class; decides ties in favour of the larger class, then of the first.
    class_rows: Vec<u64>,
    majority_class: usize,
    /// Rows of the largest class and of the others; rows of one group count as one.
    independent: [f64; 2],
}

impl<'a> LookUp<'a> {
    pub(crate) fn new(
        input: &Checked<'a>,
        row_folds: Vec<u32>,
        group_folds: Option<Vec<u32>>,
        groups: Option<&Key>,
    ) -> Self {
        let mut class_rows = vec![0u64; input.classes.len()];
        for label in input.label.iter().flatten() {
            class_rows[*label as usize] += 1;
        }
        let majority_class = most(&class_rows, &class_rows);
        let labelled = input.labelled as f64;
        let folds = input.options.folds;
        let independent = [true, false].map(|of_largest| {
            let is_own =
                |label: &Option<u32>| label.is_some_and(|label| (label as usize == majority_class) == of_largest);
            let own = (0..input.rows).filter(|&row| is_own(&input.label[row]));
            match groups {
                Some(groups) => own.map(|row| groups.codes[row]).collect::<HashSet<_>>().len() as f64,
                None => own.count() as f64,
            }
        });
        LookUp { label: input.label, labelled, folds, row_folds, group_folds, class_rows, majority_class, independent }
    }

    /// Labelled rows.
    pub(super) fn rows(&self) -> u64 {
        self.class_rows.iter().sum()
    }

    pub(super) fn read(&self, key: &Key) -> Reading {
        let sets = key.sets();
        let mut counts = Counts::new(self.class_rows.len());
        let (mut distinct, mut repeated, mut pure) = (0, 0, 0);
        for rows in sets.iter() {
            let (total, largest) = counts.of(rows, self.label);
            distinct += u64::from(total > 0);
            if total > 1 {
                repeated += total;
                pure += largest;
            }
        }
        Reading {
            distinct,
            repeated: repeated as f64 / self.labelled,
            purity: (repeated > 0).then(|| pure as f64 / repeated as f64),
            row_folds: self.score(&sets, &self.row_folds),
            group_folds: self.group_folds.as_ref().map(|folds| self.score(&sets, folds)),
        }
    }

    fn score(&self, sets: &RowSets, fold: &[u32]) -> ColumnScore {
        let classes = self.class_rows.len();
        // Counts of one value: all folds, then each fold. Only what a value has is looked at and cleared: of many classes it has few.
        let mut total = vec![0u64; classes];
        let mut by_fold = vec![0u64; self.folds * classes];
        let mut held_out = vec![0u64; self.folds];
        let (mut occurring, mut cells) = (Vec::new(), Vec::new());
        let (mut covered, mut right_on_covered, mut right) = (0u64, 0u64, 0u64);
        // Against guessing the largest class: errors avoided, errors added, and errors of that guess among covered rows.
        let (mut avoided, mut added, mut guess_wrong) = (0u64, 0u64, 0u64);
        for rows in sets.iter() {
            for &row in rows {
                let Some(label) = self.label[row as usize] else { continue };
                let (label, fold) = (label as usize, fold[row as usize] as usize);
                let cell = fold * classes + label;
                if total[label] == 0 {
                    occurring.push(label);
                }
                if by_fold[cell] == 0 {
                    cells.push(cell);
                }
                total[label] += 1;
                by_fold[cell] += 1;
                held_out[fold] += 1;
            }
            for (own, held_out) in by_fold.chunks(classes).zip(&mut held_out).filter(|(_, held_out)| **held_out > 0) {
                let others = |&label: &usize| (total[label] - own[label], self.class_rows[label], Reverse(label));
                match occurring.iter().map(others).max() {
                    Some((count, _, Reverse(label))) if count > 0 => {
                        covered += *held_out;
                        right_on_covered += own[label];
                        guess_wrong += *held_out - own[self.majority_class];
                        if label != self.majority_class {
                            avoided += own[label];
                            added += own[self.majority_class];
                        }
                    }
                    _ => right += own[self.majority_class],
                }
                *held_out = 0;
            }
            occurring.drain(..).for_each(|label| total[label] = 0);
            cells.drain(..).for_each(|cell| by_fold[cell] = 0);
        }
        ColumnScore {
            coverage: covered as f64 / self.labelled,
            accuracy_on_covered: (covered > 0).then(|| right_on_covered as f64 / covered as f64),
            accuracy: (right + right_on_covered) as f64 / self.labelled,
            gain: self.gain(avoided, added).0,
            gain_low: self.gain(avoided, added).1,
            gain_on_covered: match guess_wrong {
                0 => 0.0,
                wrong => (avoided as f64 - added as f64) / wrong as f64,
            },
        }
    }

    /// The share of the errors of guessing the largest class that are avoided, less those added; and the lower end of its interval, by Wilson's intervals of
    /// both shares (Donner and Zou 2012).
    fn gain(&self, avoided: u64, added: u64) -> (f64, f64) {
        let largest = self.class_rows[self.majority_class] as f64;
        let others = self.labelled - largest;
        if others == 0.0 {
            return (0.0, 0.0);
        }
        let (avoided, added) = (avoided as f64 / others, added as f64 / largest);
        let [of_largest, of_others] = self.independent;
        let fewer = avoided - wilson(avoided, of_others, Z).0;
        let more = wilson(added, of_largest, Z).1 - added;
        let gain = avoided - added * largest / others;
        (gain, gain - fewer.hypot(more * largest / others))
    }
}

/// Rows of one value by class; only the classes that it has cost anything.
pub(super) struct Counts {
    rows: Vec<u64>,
    occurring: Vec<usize>,
}

impl Counts {
    pub(crate) fn new(classes: usize) -> Counts {
        Counts { rows: vec![0; classes], occurring: Vec::new() }
    }

    /// The labelled ones of the rows, and how many of these are in the class that most of them have.
    pub(crate) fn of(&mut self, rows: &[u32], label: &[Option<u32>]) -> (u64, u64) {
        for label in rows.iter().filter_map(|&row| label[row as usize]) {
            if self.rows[label as usize] == 0 {
                self.occurring.push(label as usize);
            }
            self.rows[label as usize] += 1;
        }
        let (mut total, mut largest) = (0, 0);
        for class in self.occurring.drain(..) {
            let count = std::mem::take(&mut self.rows[class]);
            total += count;
            largest = largest.max(count);
        }
        (total, largest)
    }
}

/// Position of the largest count; among equals the class with more rows, then the first.
fn most(counts: &[u64], class_rows: &[u64]) -> usize {
    (0..counts.len()).max_by_key(|&c| (counts[c], class_rows[c], Reverse(c))).unwrap_or(0)
}
