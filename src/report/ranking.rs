//! Which of several models is the best: one rule for pages, articles, the terminal and the stages that choose.
//!
//! Looks at no test row: a test score by which something was chosen is optimistically biased.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use runner_results::Metric;
use runner_results::baselines::Evaluation;
use runner_results::ensemble::Member;
use runner_results::{ensemble::Ensemble, scores::Scores, training::Training};

/// The rule, for readers.
pub fn rule(metric: Metric) -> String {
    let equals = match metric {
        Metric::Loss => "the higher accuracy",
        Metric::Accuracy => "the lower log loss there",
        _ => "the lower log loss there, then the higher accuracy",
    };
    format!(
        "best first: by {} on the validation part, or by cross-validation without one; of equals {equals}, then the order of the pipeline; last the \
         guess of the largest class, which is no model but the reference that models must beat",
        metric.title()
    )
}

/// The baseline that guesses the largest class.
const FLOOR: &str = "majority";

/// What rows say of a model that neither it learnt from nor the test part has.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// Every metric that has a value there.
    scores: BTreeMap<Metric, f64>,
    /// Rows of each class, by which a metric suits them.
    classes: Vec<u64>,
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
            None => Validation::by_folds(evaluation, is_floor),
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
            scores: Metric::ALL.into_iter().filter_map(|metric| Some((metric, scores.value(metric)?))).collect(),
            classes: scores.supports(),
            source: Source::ValidationPart,
            is_floor,
        }
    }

    /// From means over the folds of cross-validation.
    fn by_folds(evaluation: &Evaluation, is_floor: bool) -> Validation {
        let mean = |metric: Metric| match metric {
            Metric::MacroF1 => Some(evaluation.cv_macro_f1_mean),
            Metric::Accuracy => Some(evaluation.cv_accuracy_mean),
            _ => {
                let values: Option<Vec<f64>> = evaluation.folds.iter().map(|fold| fold.value(metric)).collect();
                values.filter(|all| !all.is_empty()).map(|all| all.iter().sum::<f64>() / all.len() as f64)
            }
        };
        let mut classes: Vec<u64> = Vec::new();
        for fold in &evaluation.folds {
            let own = fold.supports();
            classes.resize(own.len().max(classes.len()), 0);
            classes.iter_mut().zip(own).for_each(|(sum, rows)| *sum += rows);
        }
        let scores = Metric::ALL.into_iter().filter_map(|metric| Some((metric, mean(metric)?))).collect();
        Validation { scores, classes, source: Source::CrossValidation, is_floor }
    }

    /// The value of a metric there, if it has one.
    pub fn score(&self, metric: Metric) -> Option<f64> {
        self.scores.get(&metric).copied()
    }

    /// The better by the metric first. A score that is missing is worse than any.
    fn order(&self, other: &Validation, metric: Metric) -> Ordering {
        let better = |metric: Metric| {
            let merit = |one: &Validation| one.score(metric).map_or(f64::NEG_INFINITY, |score| metric.merit(score));
            merit(other).total_cmp(&merit(self))
        };
        (self.is_floor.cmp(&other.is_floor))
            .then_with(|| better(metric))
            .then_with(|| better(Metric::Loss))
            .then_with(|| better(Metric::Accuracy))
    }
}

/// The metric that ranks: the one that is named, or else the one that suits the classes of the first model of which anything is known.
pub fn governing<'v>(named: Option<Metric>, known: impl IntoIterator<Item = &'v Validation>) -> Metric {
    named.unwrap_or_else(|| {
        known.into_iter().next().map_or_else(Metric::default, |first| Metric::suited(&first.classes))
    })
}

/// Whether a model of a `baseline` stage is the guess of the largest class.
pub fn is_floor(name: &str) -> bool {
    name == FLOOR
}

/// Puts the best model first, and tells by which metric; those of which nothing is known but the test part come last, and none of them is the best.
pub fn rank<T>(models: &mut [T], named: Option<Metric>, validation: impl Fn(&T) -> Option<Validation>) -> Metric {
    let known: Vec<Option<Validation>> = models.iter().map(&validation).collect();
    let metric = governing(named, known.iter().flatten());
    // A stable sort: equals stay in the order of the pipeline.
    models.sort_by(|a, b| match (validation(a), validation(b)) {
        (Some(a), Some(b)) => a.order(&b, metric),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    metric
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
pub fn choose<T>(
    models: impl IntoIterator<Item = T>,
    named: Option<Metric>,
    validation: impl Fn(&T) -> Option<Validation>,
) -> Choice<T> {
    let mut known: Vec<T> = models.into_iter().filter(|model| validation(model).is_some()).collect();
    rank(&mut known, named, &validation);
    match known.into_iter().next() {
        Some(first) if validation(&first).is_some_and(|found| found.is_floor) => Choice::OnlyReference(first),
        Some(first) => Choice::Best(first),
        None => Choice::Unknown,
    }
}

/// The best of the models; `None` where there is none, but for a reference.
pub(crate) fn best<T>(
    models: impl IntoIterator<Item = T>,
    named: Option<Metric>,
    validation: impl Fn(&T) -> Option<Validation>,
) -> Option<T> {
    choose(models, named, validation).best()
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
        best(models, None, |model| Some(Validation::of_evaluation(model))).map(|model| model.name.as_str())
    }

    #[test]
    fn the_largest_class_guessed_is_not_the_best_nor_is_the_highest_test_score() {
        let majority = model("majority", Some([0.95, 0.69, 0.2]), 0.95);
        let tree = model("tree", Some([0.93, 0.66, 0.3]), 0.92);
        let lucky = model("lucky", Some([0.92, 0.65, 0.2]), 0.99);
        assert_eq!(best_of(&[majority, tree, lucky]), Some("tree"));
    }

    #[test]
    fn a_rare_class_of_two_ranks_by_average_precision_and_a_named_metric_by_itself() {
        let rare = |name: &str, accuracy: f64, precision: f64| {
            let truth: Vec<u32> = (0..100).map(|row| u32::from(row < 5)).collect();
            let mut scores = Scores::new(&["no", "yes"].map(String::from), &truth, &truth);
            scores.accuracy = accuracy;
            scores.by_probabilities.insert(Metric::AveragePrecision, precision);
            Evaluation { valid: Some(scores), ..model(name, None, 0.5) }
        };
        let models = [rare("majority", 0.95, 0.05), rare("accurate", 0.96, 0.3), rare("finds", 0.9, 0.6)];
        let validation = |model: &&Evaluation| Some(Validation::of_evaluation(model));
        let best = |named| best(&models, named, validation).map(|model| model.name.as_str());
        assert_eq!(best(None), Some("finds"));
        assert_eq!(best(Some(Metric::Accuracy)), Some("accurate"));
        let mut ranked: Vec<&Evaluation> = models.iter().collect();
        assert_eq!(rank(&mut ranked, None, validation), Metric::AveragePrecision);
        assert_eq!(ranked[2].name, "majority", "whatever its accuracy");
        assert!(rule(Metric::AveragePrecision).starts_with("best first: by average precision on"));
    }

    #[test]
    fn guessing_the_largest_class_is_the_best_of_nothing() {
        let majority = model("majority", Some([0.95, 0.487, 0.2]), 0.95);
        let tree = model("tree", Some([0.93, 0.482, 0.3]), 0.92);
        assert_eq!(best_of(&[majority.clone(), tree]), Some("tree"));
        assert_eq!(best_of(std::slice::from_ref(&majority)), None, "nor is it the best where there is nothing else");
        let chosen = choose([&majority], None, |model| Some(Validation::of_evaluation(model)));
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
        assert_eq!(best([&()], None, |_| None::<Validation>), None);
    }
}
