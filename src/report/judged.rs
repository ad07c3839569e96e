//! The part of a split that a model is judged on: the test part, or the validation part where there are no test rows.
//!
//! One place decides, so that no page, article or line of the terminal tells of a part without rows.

use runner_results::{Part, Parts, scores::Scores};

use super::figure::text::decimals;

/// A part as it stands in English sentences: the … part, … rows.
pub fn part_name(part: Part) -> &'static str {
    match part {
        Part::Test => "test",
        Part::Valid => "validation",
    }
}

/// A model's scores in a line, e.g. `test accuracy 0.812, macro-F1 0.790 (epoch 3)`, with what else is to be said.
pub fn score_line(parts: &Parts<Scores>, remark: Option<String>) -> String {
    let has_rows = |part: Part| Some((part, parts.get(part).filter(|scores| scores.rows > 0)?));
    let Some((part, scores)) = [Part::Test, Part::Valid].into_iter().find_map(has_rows) else {
        return "no scores: neither test nor validation rows".to_owned();
    };
    let (accuracy, macro_f1) = (decimals(scores.accuracy, 3), decimals(scores.macro_f1, 3));
    let none = (part == Part::Valid).then(|| "no test rows".to_owned());
    let remarks = remark.into_iter().chain(none).collect::<Vec<_>>().join("; ");
    let remarks = if remarks.is_empty() { remarks } else { format!(" ({remarks})") };
    format!("{} accuracy {accuracy}, macro-F1 {macro_f1}{remarks}", part_name(part))
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
        assert_eq!(score_line(&parts, None), "test accuracy 0.250, macro-F1 0.200");
        for test in [None, empty.clone()] {
            let line = score_line(&Parts { train: None, valid: valid.clone(), test }, Some("epoch 3".to_owned()));
            assert_eq!(line, "validation accuracy 0.500, macro-F1 0.400 (epoch 3; no test rows)");
        }
        let parts = Parts { train: None, valid: None, test: empty };
        assert_eq!(score_line(&parts, None), "no scores: neither test nor validation rows");
    }
}
