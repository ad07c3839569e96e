//! What a confusion matrix shows: which classes are mixed up, and which are found best and worst.

use crate::scores::Scores;

/// The two classes that are mixed up in most rows, both directions together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostConfused {
    /// The direction of more rows: of true class `truth`, predicted as `taken_for`.
    pub truth: usize,
    /// The class predicted instead; an index into the classes, as `truth`.
    pub taken_for: usize,
    /// Rows of `truth` predicted as `taken_for`.
    pub rows: u64,
    /// All rows of `truth`.
    pub of: u64,
    /// The other way.
    pub back: u64,
    /// All rows of `taken_for`.
    pub back_of: u64,
    /// Mistakes of all classes.
    pub errors: u64,
}

/// The classes of highest and lowest recall, with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recalls {
    /// Index of the class, and its recall.
    pub best: (usize, f64),
    /// Index of the class, and its recall.
    pub worst: (usize, f64),
}

impl Scores {
    fn rows_of(&self, class: usize) -> u64 {
        self.confusion[class].iter().sum()
    }

    /// By counts: a share would rank one row of one before four of forty. `None` where no row is off the diagonal.
    pub fn most_confused(&self) -> Option<MostConfused> {
        let matrix = &self.confusion;
        let mut most: Option<(u64, usize, usize)> = None;
        for (t, row) in matrix.iter().enumerate() {
            for (p, there) in row.iter().enumerate().take(t) {
                let mixed = there.saturating_add(matrix[p][t]);
                if mixed > most.map_or(0, |most| most.0) {
                    most = Some((mixed, t, p));
                }
            }
        }
        let (_, a, b) = most?;
        let (truth, taken_for) = if matrix[b][a] > matrix[a][b] { (b, a) } else { (a, b) };
        Some(MostConfused {
            truth,
            taken_for,
            rows: matrix[truth][taken_for],
            of: self.rows_of(truth),
            back: matrix[taken_for][truth],
            back_of: self.rows_of(taken_for),
            errors: (0..matrix.len()).map(|class| self.rows_of(class) - matrix[class][class]).sum(),
        })
    }

    /// Of the classes that have rows; `None` without two that differ.
    pub fn recalls(&self) -> Option<Recalls> {
        let seen = (0..self.confusion.len()).filter(|&class| self.rows_of(class) > 0);
        let recalls: Vec<(usize, f64)> =
            seen.map(|class| (class, self.confusion[class][class] as f64 / self.rows_of(class) as f64)).collect();
        let best = *recalls.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        let worst = *recalls.iter().min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))?;
        (best.0 != worst.0).then_some(Recalls { best, worst })
    }

    /// The class that every row is predicted as, where there are rows of several: such a model tells no class from another, whatever its accuracy.
    pub fn only_predicted(&self) -> Option<usize> {
        let mut predicted = (0..self.confusion.len()).filter(|&p| self.confusion.iter().any(|row| row[p] > 0));
        let only = predicted.next().filter(|_| predicted.next().is_none())?;
        (0..self.confusion.len()).any(|class| class != only && self.rows_of(class) > 0).then_some(only)
    }

    /// Classes by falling number of mistakes.
    pub fn worst_first(&self) -> Vec<usize> {
        by_mistakes(&self.confusion)
    }
}

/// The classes of a confusion matrix by falling number of mistakes, as truth or as prediction; of equals the first.
pub fn by_mistakes(counts: &[Vec<u64>]) -> Vec<usize> {
    let mut mistakes = vec![0u64; counts.len()];
    for (t, row) in counts.iter().enumerate() {
        for (p, rows) in row.iter().enumerate().filter(|(p, _)| *p != t) {
            mistakes[t] = mistakes[t].saturating_add(*rows);
            if let Some(predicted) = mistakes.get_mut(p) {
                *predicted = predicted.saturating_add(*rows);
            }
        }
    }
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(mistakes[class]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_of_one_is_not_what_is_confused_most() {
        let scores = |confusion: Vec<Vec<u64>>| Scores {
            confusion,
            ..Scores::new(&["a", "b", "c"].map(String::from), &[], &[])
        };
        let found = scores(vec![vec![36, 4, 0], vec![5, 35, 0], vec![1, 0, 0]]).most_confused().unwrap();
        assert_eq!((found.truth, found.taken_for, found.rows, found.back, found.errors), (1, 0, 5, 4, 10));
        assert_eq!(scores(vec![vec![3, 0, 0], vec![0, 2, 0], vec![0, 0, 1]]).most_confused(), None);
        assert_eq!(scores(vec![vec![0, 9, 0], vec![0, 30, 0], vec![0, 2, 0]]).only_predicted(), Some(1));
        assert_eq!(scores(vec![vec![0, 9, 0], vec![1, 30, 0], vec![0, 2, 0]]).only_predicted(), None);
        assert_eq!(scores(vec![vec![0, 0, 0], vec![0, 30, 0], vec![0, 0, 0]]).only_predicted(), None);
    }
}
