//! Which of several models is the best: one rule for pages, articles, the terminal and the stages that choose.
//!
//! Looks at no test row: a test score by which something was chosen is optimistically biased.

use std::cmp::Ordering;

use serde_json::Value;

use super::read::{Scores, number, text};

/// The rule, for readers.
pub const RULE: &str = "best first: by macro-F1 on the validation part, or by cross-validation without one; of equals the lower log loss there, then the \
                        higher accuracy, then the order of the pipeline; last the guess of the largest class, which is no model but what others are held against";

/// The baseline that guesses the largest class.
const FLOOR: &str = "majority";

/// What rows say of a model that neither it learnt from nor the test part has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    /// The score that ranks: it does not reward guessing the largest class where classes are unbalanced, as accuracy does.
    pub macro_f1: Option<f64>,
    pub accuracy: Option<f64>,
    pub log_loss: Option<f64>,
    pub source: Source,
    /// It is of the guess of the largest class, which models are held against.
    pub is_floor: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The validation part.
    ValidationPart,
    /// Means over the folds of the training part, where there is no validation part.
    CrossValidation,
}

impl Source {
    /// As it stands in sentences, e.g. `on validation rows`.
    pub fn words(self) -> &'static str {
        match self {
            Source::ValidationPart => "on validation rows",
            Source::CrossValidation => "in cross-validation",
        }
    }
}

impl Validation {
    /// From the JSON of one model: an evaluation of a `baseline`, a member of an ensemble, or the metrics of a stage that has one model. `None` where none
    /// tells of validation or cross-validation.
    pub fn read(model: &Value) -> Option<Validation> {
        // An ensemble's weights are chosen on the validation part: its own score there is too kind.
        let fair = model.get("cross_fitted_valid").or_else(|| model.get("valid"));
        let valid = fair.or_else(|| model.get("parts")?.get("valid")).and_then(Scores::read);
        // Evaluations have parameters; members of an ensemble are called STAGE/MODEL.
        let name = text(model, "name").unwrap_or_default();
        let is_baseline = model.get("params").is_some();
        let is_floor = (is_baseline && name == FLOOR) || name.rsplit_once('/').is_some_and(|(_, name)| name == FLOOR);
        let cross_validated = || {
            let (macro_f1, accuracy) = (number(model, "cv_macro_f1_mean"), number(model, "cv_accuracy_mean"));
            let source = Source::CrossValidation;
            (macro_f1.is_some() || accuracy.is_some()).then_some(Validation {
                macro_f1,
                accuracy,
                log_loss: None,
                source,
                is_floor,
            })
        };
        valid.as_ref().map(|scores| Validation::of(scores, is_floor)).or_else(cross_validated)
    }

    /// From scores on the validation part.
    pub(crate) fn of(scores: &Scores, is_floor: bool) -> Validation {
        let finite = |value: f64| value.is_finite().then_some(value);
        Validation {
            macro_f1: finite(scores.macro_f1),
            accuracy: finite(scores.accuracy),
            log_loss: finite(scores.log_loss),
            source: Source::ValidationPart,
            is_floor,
        }
    }

    /// The better first. A score that is missing is worse than any.
    fn order(&self, other: &Validation) -> Ordering {
        let higher =
            |a: Option<f64>, b: Option<f64>| b.unwrap_or(f64::NEG_INFINITY).total_cmp(&a.unwrap_or(f64::NEG_INFINITY));
        let lower = |a: Option<f64>, b: Option<f64>| higher(a.map(|loss| -loss), b.map(|loss| -loss));
        (self.is_floor.cmp(&other.is_floor))
            .then_with(|| higher(self.macro_f1, other.macro_f1))
            .then_with(|| lower(self.log_loss, other.log_loss))
            .then_with(|| higher(self.accuracy, other.accuracy))
    }
}

/// Whether a model of a `baseline` stage is the guess of the largest class.
pub fn is_floor(name: &str) -> bool {
    name == FLOOR
}

/// Puts the best model first; those of which nothing is known but the test part come last, and none of them is the best.
pub fn rank<T>(models: &mut [T], validation: impl Fn(&T) -> Option<Validation>) {
    // A stable sort: equals stay in the order of the pipeline.
    models.sort_by(|a, b| match (validation(a), validation(b)) {
        (Some(a), Some(b)) => a.order(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
}

/// What validation chooses among models.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice<T> {
    Best(T),
    /// There is nothing but the guess of the largest class, which is no model: the best of nothing.
    OnlyReference(T),
    /// Nothing is known of any but its test part.
    Unknown,
}

impl<T> Choice<T> {
    pub fn best(self) -> Option<T> {
        match self {
            Choice::Best(model) => Some(model),
            Choice::OnlyReference(_) | Choice::Unknown => None,
        }
    }

    /// What comes first, a reference too.
    pub fn any(self) -> Option<T> {
        match self {
            Choice::Best(model) | Choice::OnlyReference(model) => Some(model),
            Choice::Unknown => None,
        }
    }
}

pub fn choose<T>(models: impl IntoIterator<Item = T>, validation: impl Fn(&T) -> Option<Validation>) -> Choice<T> {
    let mut known: Vec<T> = models.into_iter().filter(|model| validation(model).is_some()).collect();
    rank(&mut known, &validation);
    match known.into_iter().next() {
        Some(first) if validation(&first).is_some_and(|found| found.is_floor) => Choice::OnlyReference(first),
        Some(first) => Choice::Best(first),
        None => Choice::Unknown,
    }
}

/// The best of the models; `None` where there is none, but for a reference.
pub fn best<T>(models: impl IntoIterator<Item = T>, validation: impl Fn(&T) -> Option<Validation>) -> Option<T> {
    choose(models, validation).best()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn best_of(models: &[Value]) -> Option<&str> {
        best(models, |model| Validation::read(model)).and_then(|model| model["name"].as_str())
    }

    fn model(name: &str, [accuracy, macro_f1, log_loss]: [f64; 3], test: f64) -> Value {
        json!({
            "name": name,
            "valid": {"accuracy": accuracy, "macro_f1": macro_f1, "log_loss": log_loss},
            "test": {"accuracy": test, "macro_f1": test},
        })
    }

    #[test]
    fn the_largest_class_guessed_is_not_the_best_nor_is_the_highest_test_score() {
        let majority = model("majority", [0.95, 0.49, 0.2], 0.95);
        let tree = model("tree", [0.93, 0.66, 0.3], 0.92);
        let lucky = model("lucky", [0.92, 0.65, 0.2], 0.99);
        assert_eq!(best_of(&[majority, tree, lucky]), Some("tree"));
    }

    #[test]
    fn guessing_the_largest_class_is_the_best_of_nothing() {
        let floor = |mut floor: Value| {
            floor["params"] = json!({});
            floor
        };
        let majority = floor(model("majority", [0.95, 0.487, 0.2], 0.95));
        let tree = model("tree", [0.93, 0.482, 0.3], 0.92);
        assert_eq!(best_of(&[majority.clone(), tree.clone()]), Some("tree"));
        assert_eq!(best_of(&[model("base/majority", [0.95, 0.487, 0.2], 0.95), tree]), Some("tree"));
        assert_eq!(best_of(std::slice::from_ref(&majority)), None, "nor is it the best where there is nothing else");
        assert!(matches!(choose([&majority], |model| Validation::read(model)), Choice::OnlyReference(_)));
    }

    #[test]
    fn equals_are_told_apart_by_log_loss_then_accuracy_then_order() {
        let a = model("a", [0.8, 0.7, 0.5], 0.7);
        let b = model("b", [0.7, 0.7, 0.4], 0.7);
        assert_eq!(best_of(&[a.clone(), b]), Some("b"));
        assert_eq!(best_of(&[model("c", [0.7, 0.7, 0.5], 0.7), a.clone()]), Some("a"));
        assert_eq!(best_of(&[model("first", [0.8, 0.7, 0.5], 0.1), a]), Some("first"));
    }

    #[test]
    fn folds_stand_in_for_a_validation_part_and_test_scores_for_nothing() {
        let folds =
            json!({"name": "folds", "cv_accuracy_mean": 0.6, "cv_macro_f1_mean": 0.6, "test": {"accuracy": 0.5}});
        let silent = json!({"name": "silent", "test": {"accuracy": 0.99, "macro_f1": 0.99}});
        assert_eq!(best_of(&[silent.clone(), folds.clone()]), Some("folds"));
        assert_eq!(best_of(&[silent]), None);
        assert_eq!(Validation::read(&folds).unwrap().source, Source::CrossValidation);
        // Of a single model's metrics, and of an ensemble, whose fair score counts.
        let part = json!({"accuracy": 0.9, "macro_f1": 0.9});
        let metrics = json!({"parts": {"valid": part}, "cross_fitted_valid": {"accuracy": 0.7, "macro_f1": 0.6}});
        assert_eq!(Validation::read(&metrics).unwrap().macro_f1, Some(0.6));
        assert_eq!(Validation::read(&json!({"parts": {"valid": part}})).unwrap().macro_f1, Some(0.9));
    }
}
