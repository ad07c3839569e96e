//! Sentences that judge, each computed from the numbers it names. Knows nothing of pages.

use super::curves::Curves;
use crate::report::figure::text::{count, decimals, percent};
use crate::report::read::Scores;

/// A gap between training and validation accuracy from here on is called over-fitting, and strong from the second on.
const GAP: f64 = 0.05;
const STRONG_GAP: f64 = 0.15;

/// Scores within this of the best count as equal to it when a plateau is looked for.
const PLATEAU: f64 = 0.01;

/// How far training scores run ahead of validation scores at the best epoch.
pub fn over_fitting(curves: &Curves, best_epoch: f64) -> Option<String> {
    let train = curves.at(&curves.train_accuracy, best_epoch)?;
    let valid = curves.at(&curves.valid_accuracy, best_epoch)?;
    let gap = train - valid;
    let judgement = if gap >= STRONG_GAP {
        "the network has learnt much of the training part by heart (strong over-fitting)"
    } else if gap >= GAP {
        "some over-fitting"
    } else if gap >= -GAP {
        "no sign of over-fitting at that epoch"
    } else {
        "validation rows score higher than training rows, so that the parts may differ in difficulty"
    };
    Some(format!(
        "At epoch {best_epoch} accuracy is {} on training and {} on validation rows, a gap of {}: {judgement}.",
        decimals(train, 3),
        decimals(valid, 3),
        decimals(gap, 3),
    ))
}

/// Whether the validation loss turned while the training loss still fell.
pub fn divergence(curves: &Curves) -> Option<String> {
    let (lowest, at) = least(&curves.epoch, &curves.valid_loss)?;
    let last = *curves.epoch.last()?;
    let valid = curves.at(&curves.valid_loss, last)?;
    let (train_then, train_last) = (curves.at(&curves.train_loss, at)?, curves.at(&curves.train_loss, last)?);
    if at >= last {
        return Some(format!("Validation loss was still falling at the last epoch ({last}): more epochs may help."));
    }
    let rise = valid - lowest;
    if rise > lowest.abs() * 0.02 && train_last < train_then {
        return Some(format!(
            "From epoch {at} to epoch {last} validation loss rose from {} to {} while training loss fell from {} to {}: \
             later epochs only over-fit.",
            decimals(lowest, 3),
            decimals(valid, 3),
            decimals(train_then, 3),
            decimals(train_last, 3),
        ));
    }
    Some(format!(
        "Validation loss is lowest at epoch {at} ({}) and nearly flat after it ({} at epoch {last}).",
        decimals(lowest, 3),
        decimals(valid, 3),
    ))
}

/// From which epoch on the validation score was as good as it ever got.
pub fn plateau(curves: &Curves) -> Option<String> {
    let (name, scores) = curves.valid_score()?;
    let best = scores.iter().copied().filter(|s| s.is_finite()).fold(f64::NAN, f64::max);
    let reached = scores.iter().position(|score| *score >= best - PLATEAU)?;
    let (epoch, last) = (*curves.epoch.get(reached)?, *curves.epoch.last()?);
    let share = if last > 0.0 {
        epoch / last
    } else {
        return None;
    };
    let tail = if share <= 0.5 {
        "the rest is a plateau"
    } else if share <= 0.9 {
        "it gains little after that"
    } else {
        "it peaks near the end"
    };
    Some(format!(
        "Validation {name} comes within {PLATEAU} of its best ({}) at epoch {epoch} of {last}: {tail}.",
        decimals(best, 3)
    ))
}

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

/// Whether two accuracies differ beyond their intervals. Overlap is a cautious test: intervals that overlap a little
/// can still hide a difference that a paired test on the same rows would find.
pub fn overlap(a: &Scores, b: &Scores) -> Option<bool> {
    let ((a_low, a_high), (b_low, b_high)) = (a.interval()?, b.interval()?);
    Some(a_low <= b_high && b_low <= a_high)
}

fn least(epochs: &[f64], values: &[f64]) -> Option<(f64, f64)> {
    epochs
        .iter()
        .zip(values)
        .filter(|(_, value)| value.is_finite())
        .min_by(|a, b| a.1.total_cmp(b.1))
        .map(|(epoch, value)| (*value, *epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(train_loss: &[f64], valid_loss: &[f64], train: &[f64], valid: &[f64]) -> Curves {
        Curves {
            epoch: (1..=valid.len()).map(|e| e as f64).collect(),
            train_loss: train_loss.to_vec(),
            valid_loss: valid_loss.to_vec(),
            train_accuracy: train.to_vec(),
            valid_accuracy: valid.to_vec(),
            ..Curves::default()
        }
    }

    #[test]
    fn a_gap_is_named_by_its_size() {
        let say =
            |train: f64, valid: f64| over_fitting(&curves(&[1.0], &[1.0], &[train], &[valid]), 1.0).unwrap_or_default();
        assert!(say(0.92, 0.60).contains("a gap of 0.320: the network has learnt much"));
        assert!(say(0.68, 0.60).contains("some over-fitting"));
        assert!(say(0.61, 0.60).contains("no sign of over-fitting"));
        assert!(say(0.50, 0.60).contains("differ in difficulty"));
        assert_eq!(over_fitting(&Curves::default(), 1.0), None);
    }

    #[test]
    fn a_rising_validation_loss_is_told_with_its_epochs() {
        let rising = curves(&[1.0, 0.5, 0.2], &[1.1, 0.9, 1.3], &[0.5; 3], &[0.5; 3]);
        assert_eq!(
            divergence(&rising).as_deref(),
            Some(
                "From epoch 2 to epoch 3 validation loss rose from 0.900 to 1.300 while training loss fell from 0.500 \
                 to 0.200: later epochs only over-fit."
            )
        );
        let falling = curves(&[1.0, 0.5], &[1.1, 0.9], &[0.5; 2], &[0.5; 2]);
        assert!(divergence(&falling).is_some_and(|s| s.contains("still falling")));
    }

    #[test]
    fn a_plateau_begins_where_the_score_is_as_good_as_it_gets() {
        let valid = [0.3, 0.5, 0.6, 0.602, 0.601, 0.603, 0.6, 0.602];
        let flat = curves(&[], &[], &[], &valid);
        assert_eq!(
            plateau(&flat).as_deref(),
            Some("Validation accuracy comes within 0.01 of its best (0.603) at epoch 3 of 8: the rest is a plateau.")
        );
    }

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

    #[test]
    fn intervals_decide_what_is_called_a_difference() {
        let of = |accuracy, rows| Scores { accuracy, rows, ..Scores::default() };
        assert_eq!(overlap(&of(0.60, 3000), &of(0.61, 3000)), Some(true));
        assert_eq!(overlap(&of(0.60, 3000), &of(0.71, 3000)), Some(false));
        assert_eq!(overlap(&of(0.60, 0), &of(0.71, 3000)), None);
    }
}
