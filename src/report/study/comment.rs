//! Sentences that judge, each computed from the numbers it names. Knows nothing of pages.

use crate::figure::text::{count, decimals, percent};
use crate::read::Scores;

/// What a confusion matrix shows: the pair of classes most often mixed up, and the classes found best and worst.
pub fn confusion(scores: &Scores) -> Option<String> {
    let (classes, matrix) = (&scores.classes, &scores.confusion);
    let mut worst: Option<(u64, usize, usize)> = None;
    for (t, row) in matrix.iter().enumerate() {
        for (p, there) in row.iter().enumerate().take(t) {
            let mixed = there.saturating_add(matrix[p][t]);
            if mixed > worst.map_or(0, |w| w.0) {
                worst = Some((mixed, t, p));
            }
        }
    }
    let Some((mixed, a, b)) = worst else {
        return (!matrix.is_empty()).then(|| "Every row is on the diagonal: no class is confused.".to_string());
    };
    // The direction that takes the larger share of its true class comes first.
    let total = |class: usize| matrix[class].iter().sum::<u64>();
    let share = |t: usize, p: usize| matrix[t][p] as f64 / total(t).max(1) as f64;
    let (a, b) = if share(a, b) >= share(b, a) { (a, b) } else { (b, a) };
    let errors: u64 = (0..matrix.len()).map(|t| total(t) - matrix[t][t]).sum();
    let mut sentence = format!(
        "{} and {} are confused most: {} of {} {} rows ({}) are taken for {}, {} of {} the other way; together {} of all errors.",
        classes[a],
        classes[b],
        count(matrix[a][b]),
        count(total(a)),
        classes[a],
        percent(share(a, b)),
        classes[b],
        count(matrix[b][a]),
        count(total(b)),
        percent(mixed as f64 / errors.max(1) as f64),
    );
    let seen: Vec<usize> = (0..matrix.len()).filter(|&t| total(t) > 0).collect();
    let recall = |class: &&usize| share(**class, **class);
    let found = seen.iter().max_by(|x, y| recall(x).total_cmp(&recall(y)).then(y.cmp(x)));
    let lost = seen.iter().min_by(|x, y| recall(x).total_cmp(&recall(y)).then(x.cmp(y)));
    if let (Some(found), Some(lost)) = (found, lost)
        && found != lost
    {
        sentence.push_str(&format!(
            " {} is found best (recall {}), {} least ({}).",
            classes[*found],
            decimals(recall(&found), 2),
            classes[*lost],
            decimals(recall(&lost), 2),
        ));
    }
    Some(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_confusion_is_named_with_its_counts() {
        let scores = Scores {
            classes: ["latin", "pop", "rock"].map(String::from).to_vec(),
            confusion: vec![vec![50, 40, 10], vec![30, 60, 10], vec![1, 4, 95]],
            ..Scores::default()
        };
        assert_eq!(
            confusion(&scores).as_deref(),
            Some(
                "latin and pop are confused most: 40 of 100 latin rows (40.0 %) are taken for pop, 30 of 100 the other \
                 way; together 73.7 % of all errors. rock is found best (recall 0.95), latin least (0.50)."
            )
        );
    }
}
