//! Sentences that judge, each computed from the numbers it names.

use crate::figure::text::{count, decimals, percent};
use runner_results::scores::Scores;

/// What a confusion matrix shows: the pair of classes most often mixed up, and the classes found best and worst; of a model that tells no class
/// from another, that.
pub fn confusion_sentence(scores: &Scores) -> Option<String> {
    let classes = &scores.classes;
    if let Some(only) = scores.only_predicted() {
        return Some(format!(
            "Every row is predicted as {}: the model tells no class from another, and does what guessing one class does.",
            classes[only]
        ));
    }
    let Some(most) = scores.most_confused() else {
        return (!scores.confusion.is_empty())
            .then(|| "Every row is on the diagonal: no class is confused.".to_string());
    };
    let share = most.rows as f64 / most.of.max(1) as f64;
    let mixed = most.rows.saturating_add(most.back);
    let taken = format!(
        "{} of {} {} rows ({}) are taken for {}, {} of {} the other way",
        count(most.rows),
        count(most.of),
        classes[most.truth],
        percent(share),
        classes[most.taken_for],
        count(most.back),
        count(most.back_of),
    );
    // Of two classes there is no other pair.
    let mut sentence = match classes.len() {
        2 => format!("{taken}."),
        _ => format!(
            "{} and {} are confused most: {taken}; together {} of all errors.",
            classes[most.truth],
            classes[most.taken_for],
            percent(mixed as f64 / most.errors.max(1) as f64)
        ),
    };
    if let Some(recalls) = scores.recalls() {
        sentence.push_str(&format!(
            " {} is found best (recall {}), {} least ({}).",
            classes[recalls.best.0],
            decimals(recalls.best.1, 2),
            classes[recalls.worst.0],
            decimals(recalls.worst.1, 2),
        ));
    }
    Some(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_classes_there_is_no_pair_that_is_confused_most() {
        let scores = Scores::new(&["a", "b"].map(String::from), &[0, 0, 0, 1, 1], &[0, 0, 1, 1, 0]);
        let sentence = confusion_sentence(&scores).unwrap();
        assert!(sentence.starts_with("1 of 2 b rows (50.0 %) are taken for a, 1 of 3 the other way."), "{sentence}");
        assert!(!sentence.contains("most") && !sentence.contains("of all errors"), "{sentence}");
    }

    #[test]
    fn the_largest_confusion_is_named_with_its_counts() {
        let scores = Scores {
            confusion: vec![vec![50, 40, 10], vec![30, 60, 10], vec![1, 4, 95]],
            ..Scores::new(&["latin", "pop", "rock"].map(String::from), &[], &[])
        };
        assert_eq!(
            confusion_sentence(&scores).as_deref(),
            Some(
                "latin and pop are confused most: 40 of 100 latin rows (40.0 %) are taken for pop, 30 of 100 the other \
                 way; together 73.7 % of all errors. rock is found best (recall 0.95), latin least (0.50)."
            )
        );
    }
}
