//! The part of a split that a model is judged on: the test part, or the validation part where there are no test rows.
//!
//! One place decides, so that no page, article or line of the terminal tells of a part without rows.

use runner_results::Part;
use serde_json::Value;

use super::figure::text::decimals;
use super::read::Scores;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JudgedOn {
    Test,
    Validation,
}

impl JudgedOn {
    /// The scores by which a model is judged, of an object that has them by part.
    pub fn read(parts: &Value) -> Option<(JudgedOn, Scores)> {
        [JudgedOn::Test, JudgedOn::Validation].into_iter().find_map(|part| Some((part, part.of(parts)?)))
    }

    /// What is there of this part.
    pub fn of(self, parts: &Value) -> Option<Scores> {
        Scores::read(parts.get(self.key())?)
    }

    /// The part that a document names, e.g. `"part": "valid"`.
    pub fn named(document: &Value) -> JudgedOn {
        match document.get("part").and_then(Value::as_str) {
            Some("test") => JudgedOn::Test,
            _ => JudgedOn::Validation,
        }
    }

    /// The part of a document.
    pub fn from(part: Part) -> JudgedOn {
        match part {
            Part::Test => JudgedOn::Test,
            Part::Valid => JudgedOn::Validation,
        }
    }

    /// As artifacts call it.
    pub fn key(self) -> &'static str {
        match self {
            JudgedOn::Test => "test",
            JudgedOn::Validation => "valid",
        }
    }

    /// As it stands in sentences: the … part, … rows.
    pub fn name(self) -> &'static str {
        match self {
            JudgedOn::Test => "test",
            JudgedOn::Validation => "validation",
        }
    }
}

/// A model's scores in a line, e.g. `test accuracy 0.812, macro-F1 0.790 (epoch 3)`, of an object that has them by part, with what else is to be said.
pub fn score_line(parts: &Value, remark: Option<String>) -> String {
    let Some((part, scores)) = JudgedOn::read(parts) else {
        return "no scores: neither test nor validation rows".to_owned();
    };
    let (accuracy, macro_f1) = (decimals(scores.accuracy, 3), decimals(scores.macro_f1, 3));
    let none = (part == JudgedOn::Validation).then(|| "no test rows".to_owned());
    let remarks = remark.into_iter().chain(none).collect::<Vec<_>>().join("; ");
    let remarks = if remarks.is_empty() { remarks } else { format!(" ({remarks})") };
    format!("{} accuracy {accuracy}, macro-F1 {macro_f1}{remarks}", part.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_part_without_rows_is_no_part_to_be_judged_on() {
        let valid = json!({"rows": 30, "accuracy": 0.5, "macro_f1": 0.4});
        let empty = json!({"rows": 0, "accuracy": 0.0, "macro_f1": 0.0});
        let full = json!({"rows": 20, "accuracy": 0.25, "macro_f1": 0.2});
        assert_eq!(score_line(&json!({"valid": valid, "test": full}), None), "test accuracy 0.250, macro-F1 0.200");
        for parts in [json!({"valid": valid}), json!({"valid": valid, "test": empty})] {
            let line = score_line(&parts, Some("epoch 3".to_owned()));
            assert_eq!(line, "validation accuracy 0.500, macro-F1 0.400 (epoch 3; no test rows)");
        }
        assert_eq!(score_line(&json!({"test": empty}), None), "no scores: neither test nor validation rows");
    }
}
