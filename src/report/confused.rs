//! Confusion matrices that stay readable: of many classes those that are confused most, and all others in sum.

use runner_results::confusion::by_mistakes;
use runner_results::scores::Scores;

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
    pub(crate) of: usize,
    /// Classes summed in the last row and column.
    pub(crate) others: usize,
}

impl Confused {
    /// The matrix of these scores as it is shown; without classes if there is none.
    pub fn of(scores: &Scores, most: usize) -> Confused {
        Confused::new(&scores.classes, &scores.confusion, most)
    }

    /// The classes with most mistakes, as truth or as prediction, at most `most` of them; of equals the first.
    pub(crate) fn new(classes: &[String], counts: &[Vec<u64>], most: usize) -> Confused {
        let of = classes.len();
        if of <= most + 1 {
            return Confused { classes: classes.to_vec(), counts: counts.to_vec(), of, others: 0 };
        }
        let mut shown = by_mistakes(counts);
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

#[cfg(test)]
mod tests {
    use super::*;

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
