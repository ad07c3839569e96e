//! Confusion matrices that stay readable: of many classes those that are confused most, and all others in sum.

use super::read::Scores;

/// Classes of a matrix that is shown whole. Its cells grow with the square of the classes.
pub const MOST_CLASSES: usize = 20;

/// A confusion matrix as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Confused {
    /// In the order of the class list; the last one stands for all others, where there are any.
    pub classes: Vec<String>,
    /// `counts[t][p]`: rows of true class `t` predicted as `p`.
    pub counts: Vec<Vec<u64>>,
    /// Classes of the whole matrix.
    pub of: usize,
    /// Classes summed in the last row and column.
    pub others: usize,
}

impl Confused {
    /// The classes with most mistakes, as truth or as prediction, at most `most` of them; of equals the first.
    pub fn new(classes: &[String], counts: &[Vec<u64>], most: usize) -> Confused {
        let of = classes.len();
        if of <= most + 1 {
            return Confused { classes: classes.to_vec(), counts: counts.to_vec(), of, others: 0 };
        }
        let mut shown = classes_by_mistakes(counts);
        shown.truncate(most);
        shown.sort_unstable();
        let mut place = vec![most; of];
        shown.iter().enumerate().for_each(|(at, &class)| place[class] = at);
        let mut summed = vec![vec![0u64; most + 1]; most + 1];
        for (t, row) in counts.iter().enumerate() {
            for (p, rows) in row.iter().enumerate() {
                let sum = &mut summed[place[t]][place[p]];
                *sum = sum.saturating_add(*rows);
            }
        }
        let others = of - most;
        let mut names: Vec<String> = shown.into_iter().map(|class| classes[class].clone()).collect();
        names.push(format!("{others} others"));
        Confused { classes: names, counts: summed, of, others }
    }

    /// What is shown, where that is not everything; ends with a full stop.
    pub fn note(&self) -> Option<String> {
        (self.others > 0).then(|| {
            format!(
                "The {} most confused of {} classes; the others are summed, so that their cell on the diagonal counts their mistakes among \
                 each other too.",
                self.of - self.others,
                self.of
            )
        })
    }
}

/// The two classes that are mixed up in most rows, both directions together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostConfused {
    /// The direction of more rows: of true class `truth`, predicted as `taken_for`.
    pub truth: usize,
    pub taken_for: usize,
    pub rows: u64,
    /// All rows of `truth`.
    pub of: u64,
    /// The other way.
    pub back: u64,
    pub back_of: u64,
    /// Mistakes of all classes.
    pub errors: u64,
}

/// The classes of highest and lowest recall, with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recalls {
    pub best: (usize, f64),
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

    /// The confusion matrix as it is shown; without classes if there is none.
    pub fn confused(&self, most: usize) -> Confused {
        Confused::new(&self.classes, &self.confusion, most)
    }

    /// Classes by falling number of mistakes, where there is a confusion matrix; else by rising F1.
    pub fn worst_first(&self) -> Vec<usize> {
        if self.confusion.len() == self.per_class.len() {
            return classes_by_mistakes(&self.confusion);
        }
        let mut order: Vec<usize> = (0..self.per_class.len()).collect();
        order.sort_by(|&a, &b| self.per_class[a].f1.total_cmp(&self.per_class[b].f1));
        order
    }
}

fn classes_by_mistakes(counts: &[Vec<u64>]) -> Vec<usize> {
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
            classes: ["a", "b", "c"].map(String::from).to_vec(),
            confusion,
            ..Scores::default()
        };
        let found = scores(vec![vec![36, 4, 0], vec![5, 35, 0], vec![1, 0, 0]]).most_confused().unwrap();
        assert_eq!((found.truth, found.taken_for, found.rows, found.back, found.errors), (1, 0, 5, 4, 10));
        assert_eq!(scores(vec![vec![3, 0, 0], vec![0, 2, 0], vec![0, 0, 1]]).most_confused(), None);
        assert_eq!(scores(vec![vec![0, 9, 0], vec![0, 30, 0], vec![0, 2, 0]]).only_predicted(), Some(1));
        assert_eq!(scores(vec![vec![0, 9, 0], vec![1, 30, 0], vec![0, 2, 0]]).only_predicted(), None);
        assert_eq!(scores(vec![vec![0, 0, 0], vec![0, 30, 0], vec![0, 0, 0]]).only_predicted(), None);
    }

    #[test]
    fn the_most_confused_classes_stay_and_the_rest_is_summed() {
        let classes: Vec<String> = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let mut counts = vec![vec![0u64; 5]; 5];
        (0..5).for_each(|class| counts[class][class] = 10);
        counts[1][3] = 4;
        counts[0][4] = 1;
        let confused = Confused::new(&classes, &counts, 2);
        assert_eq!(confused.classes, ["b", "d", "3 others"]);
        assert_eq!(confused.counts, [[10, 4, 0], [0, 10, 0], [0, 0, 31]]);
        let rows: u64 = counts.iter().flatten().sum();
        assert_eq!(confused.counts.iter().flatten().sum::<u64>(), rows);
        assert!(confused.note().unwrap().starts_with("The 2 most confused of 5 classes"));
        let whole = Confused::new(&classes, &counts, 4);
        assert_eq!((whole.classes.len(), whole.note()), (5, None));
    }
}
