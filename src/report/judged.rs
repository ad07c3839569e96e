//! The part of a split that a model is judged on: the test part, or the validation part where there are no test rows.
//!
//! One place decides, so that no page, article or line of the terminal tells of a part without rows.

use runner_results::threshold::{Costs, Threshold, ThresholdAim, ThresholdRows};
use runner_results::{Metric, Part, Parts, scores::Scores};

use super::figure::text::decimals;

/// A part as it stands in English sentences: the … part, … rows.
pub fn part_name(part: Part) -> &'static str {
    match part {
        Part::Test => "test",
        Part::Valid => "validation",
    }
}

/// `average precision 0.412, accuracy 0.953, macro-F1 0.610`: the metric that is named, or that suits the classes, before the two that are always told,
/// and by which threshold rows of two classes were told apart.
pub fn scores_in_words(scores: &Scores, named: Option<Metric>) -> String {
    let metric = named.unwrap_or_else(|| Metric::suited(&scores.supports()));
    let first = Some(metric).filter(|metric| ![Metric::Accuracy, Metric::MacroF1].contains(metric));
    let first = first.and_then(|metric| Some((metric, scores.value(metric)?)));
    let first = first.map(|(metric, value)| format!("{} {}, ", metric.title(), decimals(value, 3))).unwrap_or_default();
    let at = scores.threshold.as_ref().map(at_threshold).unwrap_or_default();
    let (accuracy, macro_f1) = (decimals(scores.accuracy, 3), decimals(scores.macro_f1, 3));
    format!("{first}accuracy {accuracy}, macro-F1 {macro_f1}{at}")
}

/// ` at the threshold 0.23`.
pub fn at_threshold(threshold: &Threshold) -> String {
    format!(" at the threshold {}", decimals(threshold.value, 3))
}

/// `'yes' is predicted from a probability of 0.231 on: the threshold of at least 0.9 recall, chosen on the validation part`.
pub fn threshold_told(threshold: &Threshold) -> String {
    let aim = match threshold.aim {
        ThresholdAim::F1 => "of the highest F1".to_owned(),
        ThresholdAim::Cost(None) => "of least cost".to_owned(),
        ThresholdAim::Cost(Some(Costs { false_positive, false_negative })) => {
            format!(
                "of the least cost, a false positive costing {false_positive} and a false negative {false_negative}"
            )
        }
        ThresholdAim::Recall(share) => format!("of the fewest false alarms at a recall of at least {share}"),
    };
    let on = match threshold.fitted_on {
        ThresholdRows::Validation => "on the validation part, whose scores by it are optimistic",
        ThresholdRows::CrossFitted => "on the training part by models of the other folds",
    };
    let Threshold { value, positive, .. } = threshold;
    format!(
        "'{positive}' is predicted from a probability of {} on: the threshold {aim}, chosen {on}",
        decimals(*value, 3)
    )
}

/// How classes are predicted where mistakes have costs and no threshold was asked for.
pub fn costs_told(scores: &Scores) -> Option<&'static str> {
    // Scores that are no probabilities have no expected cost.
    let is_by_cost = scores.costs.is_some() && scores.threshold.is_none() && scores.log_loss.is_some();
    is_by_cost.then_some("predicted is the class of least expected cost, by the costs of the study")
}

/// A model's scores in a line, e.g. `test accuracy 0.812, macro-F1 0.790 (epoch 3)`, with what else is to be said.
pub fn score_line(parts: &Parts<Scores>, named: Option<Metric>, remark: Option<String>) -> String {
    let has_rows = |part: Part| Some((part, parts.get(part).filter(|scores| scores.rows > 0)?));
    let Some((part, scores)) = [Part::Test, Part::Valid].into_iter().find_map(has_rows) else {
        return "no scores: neither test nor validation rows".to_owned();
    };
    let none = (part == Part::Valid).then(|| "no test rows".to_owned());
    let remarks = remark.into_iter().chain(none).collect::<Vec<_>>().join("; ");
    let remarks = if remarks.is_empty() { remarks } else { format!(" ({remarks})") };
    format!("{} {}{remarks}", part_name(part), scores_in_words(scores, named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_rows_is_no_part_to_be_judged_on() {
        let scores = |rows: usize, accuracy: f64, macro_f1: f64| {
            Some(Scores { rows, accuracy, macro_f1, ..Scores::new(&[], &[], &[]) })
        };
        let (valid, empty, full) = (scores(30, 0.5, 0.4), scores(0, 0.0, 0.0), scores(20, 0.25, 0.2));
        let parts = Parts { train: None, valid: valid.clone(), test: full };
        assert_eq!(score_line(&parts, None, None), "test accuracy 0.250, macro-F1 0.200");
        for test in [None, empty.clone()] {
            let line = score_line(&Parts { train: None, valid: valid.clone(), test }, None, Some("epoch 3".to_owned()));
            assert_eq!(line, "validation accuracy 0.500, macro-F1 0.400 (epoch 3; no test rows)");
        }
        let parts = Parts { train: None, valid: None, test: empty };
        assert_eq!(score_line(&parts, None, None), "no scores: neither test nor validation rows");
    }
}
