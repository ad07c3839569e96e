//! Which of several models is the best: one rule for pages, articles, the terminal and the stages that choose.
//!
//! Looks at no test row: a test score by which something was chosen is optimistically biased.

use std::cmp::Ordering;

use runner_results::baselines::Evaluation;
use runner_results::ensemble::Member;
use runner_results::{ensemble::Ensemble, scores::Scores, training::Training};

/// The rule, for readers.
pub const RULE: &str = "best first: by macro-F1 on the validation part, or by cross-validation without one; of equals the lower log loss there, then the \
                        higher accuracy, then the order of the pipeline; last the guess of the largest class, which is no model but the reference that models must beat";

/// The baseline that guesses the largest class.
const FLOOR: &str = "majority";

/// What rows say of a model that neither it learnt from nor the test part has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    /// The score that ranks: it does not reward guessing the largest class where classes are unbalanced, as accuracy does.
    pub macro_f1: Option<f64>,
    pub(crate) accuracy: Option<f64>,
    pub(crate) log_loss: Option<f64>,
    /// What the score is of.
    pub source: Source,
    /// It is of the guess of the largest class, the reference that models must beat.
    pub(crate) is_floor: bool,
}

/// Where a validation score comes from.
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
    /// Of a model of a `baseline` stage.
    pub fn of_evaluation(evaluation: &Evaluation) -> Validation {
        let is_floor = is_floor(&evaluation.name);
        match &evaluation.valid {
            Some(scores) => Validation::of(scores, is_floor),
            None => {
                Validation::by_folds(Some(evaluation.cv_macro_f1_mean), Some(evaluation.cv_accuracy_mean), is_floor)
            }
        }
    }

    /// Of a member of an ensemble, alone.
    pub(crate) fn of_member(member: &Member) -> Validation {
        // Of a stage with several models it is called STAGE/MODEL.
        Validation::of(&member.valid, member.name.rsplit_once('/').is_some_and(|(_, name)| is_floor(name)))
    }

    /// `None` where there are no validation rows.
    pub fn of_training(training: &Training) -> Option<Validation> {
        training.parts.valid.as_ref().map(|scores| Validation::of(scores, false))
    }

    /// Its weights are chosen on the validation part, so that its own score there is optimistically biased: by weights of other rows.
    pub fn of_ensemble(ensemble: &Ensemble) -> Validation {
        Validation::of(&ensemble.cross_fitted_valid, false)
    }

    /// From scores on the validation part.
    pub(crate) fn of(scores: &Scores, is_floor: bool) -> Validation {
        Validation {
            macro_f1: Some(scores.macro_f1),
            accuracy: Some(scores.accuracy),
            log_loss: scores.log_loss,
            source: Source::ValidationPart,
            is_floor,
        }
    }

    /// From means over the folds of cross-validation.
    pub(crate) fn by_folds(macro_f1: Option<f64>, accuracy: Option<f64>, is_floor: bool) -> Validation {
        Validation { macro_f1, accuracy, log_loss: None, source: Source::CrossValidation, is_floor }
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
    /// The highest validation score.
    Best(T),
    /// There is nothing but the guess of the largest class, which is no model: the best of nothing.
    OnlyReference(T),
    /// Nothing is known of any but its test part.
    Unknown,
}

impl<T> Choice<T> {
    pub(crate) fn best(self) -> Option<T> {
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

/// The best of some models by the validation part.
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
pub(crate) fn best<T>(models: impl IntoIterator<Item = T>, validation: impl Fn(&T) -> Option<Validation>) -> Option<T> {
    choose(models, validation).best()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores([accuracy, macro_f1, log_loss]: [f64; 3]) -> Scores {
        Scores { rows: 100, accuracy, macro_f1, log_loss: Some(log_loss), ..Scores::new(&[], &[], &[]) }
    }

    /// An evaluation with these scores on the validation part, and this accuracy on the test part.
    fn model(name: &str, valid: Option<[f64; 3]>, test: f64) -> Evaluation {
        Evaluation {
            name: name.to_owned(),
            params: serde_json::Map::new(),
            folds: Vec::new(),
            cv_accuracy_mean: 0.6,
            cv_accuracy_std: 0.0,
            cv_macro_f1_mean: 0.6,
            cv_macro_f1_std: 0.0,
            valid: valid.map(scores),
            test: Some(scores([test, test, 0.1])),
        }
    }

    fn best_of(models: &[Evaluation]) -> Option<&str> {
        best(models, |model| Some(Validation::of_evaluation(model))).map(|model| model.name.as_str())
    }

    #[test]
    fn the_largest_class_guessed_is_not_the_best_nor_is_the_highest_test_score() {
        let majority = model("majority", Some([0.95, 0.69, 0.2]), 0.95);
        let tree = model("tree", Some([0.93, 0.66, 0.3]), 0.92);
        let lucky = model("lucky", Some([0.92, 0.65, 0.2]), 0.99);
        assert_eq!(best_of(&[majority, tree, lucky]), Some("tree"));
    }

    #[test]
    fn guessing_the_largest_class_is_the_best_of_nothing() {
        let majority = model("majority", Some([0.95, 0.487, 0.2]), 0.95);
        let tree = model("tree", Some([0.93, 0.482, 0.3]), 0.92);
        assert_eq!(best_of(&[majority.clone(), tree]), Some("tree"));
        assert_eq!(best_of(std::slice::from_ref(&majority)), None, "nor is it the best where there is nothing else");
        let chosen = choose([&majority], |model| Some(Validation::of_evaluation(model)));
        assert!(matches!(chosen, Choice::OnlyReference(_)));
        let member = |name: &str| Member { name: name.to_owned(), weight: 0.5, valid: scores([0.9, 0.8, 0.2]) };
        assert!(Validation::of_member(&member("base/majority")).is_floor);
        assert!(!Validation::of_member(&member("majority")).is_floor, "a stage of that name is no guess");
    }

    #[test]
    fn equals_are_told_apart_by_log_loss_then_accuracy_then_order() {
        let a = model("a", Some([0.8, 0.7, 0.5]), 0.7);
        let b = model("b", Some([0.7, 0.7, 0.4]), 0.7);
        assert_eq!(best_of(&[a.clone(), b]), Some("b"));
        assert_eq!(best_of(&[model("c", Some([0.7, 0.7, 0.5]), 0.7), a.clone()]), Some("a"));
        assert_eq!(best_of(&[model("first", Some([0.8, 0.7, 0.5]), 0.1), a]), Some("first"));
    }

    #[test]
    fn folds_stand_in_for_a_validation_part_and_test_scores_for_nothing() {
        let folds = model("folds", None, 0.5);
        assert_eq!(Validation::of_evaluation(&folds).source, Source::CrossValidation);
        // `folds` has 0.6 by cross-validation.
        assert_eq!(best_of(&[model("lower", Some([0.5, 0.5, 0.5]), 0.99), folds]), Some("folds"));
        assert_eq!(best([&()], |_| None::<Validation>), None);
    }
}
