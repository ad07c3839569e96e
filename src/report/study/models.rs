//! Every fitted model of a study with its scores, as the summary and the comparison need them.
//!
//! Knows how kinds of stages write scores; knows nothing of tables or figures.

use runner_results::baselines::Evaluation;
use runner_results::{baselines::Baselines, ensemble::Ensemble, scores::Scores, training::Training};

use super::Study;
use crate::ranking::{self, Choice, Validation};
use crate::read::StageArtifacts;
use runner_results::{Metric, Part};

/// One model and what is known of its quality.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// What the reader calls it, e.g. `fused` or `random_forest`.
    pub(crate) name: String,
    pub(crate) stage: String,
    /// The `split` stage whose parts it was scored on, where the pipeline tells.
    pub(crate) split: Option<String>,
    /// Mean and deviation of the accuracy over cross-validation folds.
    pub(crate) cv_accuracy: Option<(f64, f64)>,
    pub(crate) cv_macro_f1: Option<(f64, f64)>,
    /// By the folds alone, where there is no validation part.
    pub(crate) by_folds: Option<Validation>,
    pub(crate) train: Option<Scores>,
    pub(crate) valid: Option<Scores>,
    /// Whether these are of weights that were chosen on other validation rows.
    pub(crate) is_cross_fitted: bool,
    pub(crate) test: Option<Scores>,
}

impl Model {
    /// What the model is chosen by; nothing of the test part.
    pub(crate) fn validation(&self) -> Option<Validation> {
        let is_floor = self.is_reference();
        self.valid.as_ref().map(|scores| Validation::of(scores, is_floor)).or_else(|| self.by_folds.clone())
    }

    /// The scores to compare by: test, else validation.
    pub(crate) fn judged(&self) -> Option<&Scores> {
        self.test.as_ref().or(self.valid.as_ref())
    }

    /// The part that they are of.
    pub(crate) fn judged_on(&self) -> Part {
        if self.test.is_some() { Part::Test } else { Part::Valid }
    }

    /// Whether it is the guess of the largest class, which is no model.
    pub(crate) fn is_reference(&self) -> bool {
        // A stage may have any name, its model has that of the stage then.
        ranking::is_floor(&self.name) && self.name != self.stage
    }
}

/// Models of all stages that have scores, in the order of the pipeline.
pub(crate) fn models(study: &Study) -> Vec<Model> {
    study
        .stages
        .iter()
        .flat_map(|stage| {
            let mut found = baselines(stage);
            found.extend(network(stage));
            let split = split_of(study, &stage.stage).map(String::from);
            found.into_iter().map(move |model| Model { split: split.clone(), ..model }).collect::<Vec<_>>()
        })
        .filter(|model| model.judged().is_some() || model.cv_accuracy.is_some())
        .collect()
}

/// The evaluations of a baseline stage.
pub(crate) fn baselines(stage: &StageArtifacts) -> Vec<Model> {
    let Some(document) = stage.documents.get::<Baselines>() else {
        return Vec::new();
    };
    let model = |evaluation: &Evaluation| Model {
        name: evaluation.name.clone(),
        stage: stage.stage.clone(),
        split: None,
        cv_accuracy: Some((evaluation.cv_accuracy_mean, evaluation.cv_accuracy_std)),
        cv_macro_f1: Some((evaluation.cv_macro_f1_mean, evaluation.cv_macro_f1_std)),
        by_folds: evaluation.valid.is_none().then(|| Validation::of_evaluation(evaluation)),
        train: None,
        valid: evaluation.valid.clone(),
        is_cross_fitted: false,
        test: evaluation.test.clone(),
    };
    document.evaluations.iter().map(model).collect()
}

/// The one model of a train, transfer or ensemble stage.
pub(crate) fn network(stage: &StageArtifacts) -> Option<Model> {
    let (parts, valid) = match (stage.documents.get::<Training>(), stage.documents.get::<Ensemble>()) {
        (Some(training), _) => (&training.parts, training.parts.valid.as_ref()),
        // Its weights are chosen on the validation part: its score there is optimistically biased.
        (None, Some(ensemble)) => (&ensemble.parts, Some(&ensemble.cross_fitted_valid)),
        (None, None) => return None,
    };
    let model = Model {
        name: stage.stage.clone(),
        stage: stage.stage.clone(),
        train: parts.train.clone(),
        valid: valid.cloned(),
        is_cross_fitted: stage.documents.get::<Ensemble>().is_some(),
        test: parts.test.clone(),
        ..Model::default()
    };
    model.judged().is_some().then_some(model)
}

/// Models judged on the same rows: the same part of the same split, number of rows and classes. Only these compare.
pub(crate) struct Group {
    pub(crate) part: Part,
    pub(crate) rows: usize,
    pub(crate) classes: Vec<String>,
    pub(crate) split: Option<String>,
    /// Which of them is the best is decided by it.
    pub(crate) metric: Metric,
    /// Best first by [`ranking`].
    pub(crate) models: Vec<Model>,
}

/// Splits models into groups that compare, in order of first appearance.
pub(crate) fn groups(models: &[Model], named: Option<Metric>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for model in models {
        let Some(scores) = model.judged() else {
            continue;
        };
        let part = model.judged_on();
        let mut classes = scores.classes.clone();
        classes.sort();
        let found = groups
            .iter_mut()
            .find(|g| g.part == part && g.rows == scores.rows && g.classes == classes && g.split == model.split);
        match found {
            Some(group) => group.models.push(model.clone()),
            None => {
                let (rows, split) = (scores.rows, model.split.clone());
                let models = vec![model.clone()];
                groups.push(Group { part, rows, classes, split, metric: Metric::default(), models });
            }
        }
    }
    for group in &mut groups {
        group.metric = ranking::rank(&mut group.models, named, Model::validation);
    }
    groups
}

impl Group {
    pub(crate) fn choice(&self) -> Choice<&Model> {
        ranking::choose(&self.models, Some(self.metric), |model| model.validation())
    }

    /// The model that validation chooses; `None` where nothing is known of any but its test part, and of a reference alone.
    pub(crate) fn chosen(&self) -> Option<&Model> {
        self.choice().best()
    }

    /// The first model with the best accuracy on the part that they are judged on, or the best value of the metric that ranks where that is neither
    /// accuracy nor macro-F1; with the metric and the value.
    pub(crate) fn highest(&self) -> Option<(&Model, Metric, f64)> {
        let metric = self.other_metric().unwrap_or(Metric::Accuracy);
        let scored = self.models.iter().filter_map(|model| Some((model, metric, model.judged()?.value(metric)?)));
        scored.reduce(|a, b| if metric.merit(b.2) > metric.merit(a.2) { b } else { a })
    }

    /// The metric beside accuracy and macro-F1, if another one ranks.
    pub(crate) fn other_metric(&self) -> Option<Metric> {
        Some(self.metric).filter(|metric| ![Metric::Accuracy, Metric::MacroF1].contains(metric))
    }
}

/// The nearest `split` stage above a stage, where there is just one.
pub(crate) fn split_of<'a>(study: &Study<'a>, stage: &str) -> Option<&'a str> {
    let mut level = vec![stage];
    // A pipeline has no cycles; the bound is for edges that nobody checked.
    for _ in 0..study.stages.len() {
        let mut above: Vec<&'a str> = level.iter().flat_map(|stage| study.parents(stage)).collect();
        above.sort_unstable();
        above.dedup();
        let splits: Vec<&'a str> =
            above.iter().copied().filter(|stage| study.kind_of(stage) == Some("split")).collect();
        match splits.as_slice() {
            [] if above.is_empty() => return None,
            [] => level = above,
            [only] => return Some(only),
            _ => return None,
        }
    }
    None
}

/// What a network reads, where its artifacts or its place in the pipeline tell: (numbers, text).
pub(crate) fn inputs(study: &Study, stage: &StageArtifacts) -> (Option<bool>, Option<bool>) {
    let read = stage.documents.get::<Training>().map(|training| &training.inputs);
    let asked = stage.settings();
    let has_any = |columns: Vec<String>| !columns.is_empty();
    let numeric = read.map(|inputs| !inputs.numeric.is_empty()).or(asked.numeric.map(has_any));
    let text = read.map(|inputs| !inputs.text.is_empty()).or(asked.text.map(has_any));
    let embedded = study.parents(&stage.stage).any(|parent| study.kind_of(parent) == Some("embed"));
    (numeric, text.or(Some(embedded)))
}
