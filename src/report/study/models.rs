//! Every fitted model of a study with its scores, as the summary and the comparison need them.
//!
//! Knows how kinds of stages write scores; knows nothing of tables or figures.

use serde_json::Value;

use super::Study;
use crate::JudgedOn;
use crate::ranking::{self, Choice, Source, Validation};
use crate::read::{Scores, StageArtifacts, list, number, text};

/// One model and what is known of its quality.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// What the reader calls it, e.g. `fused` or `random_forest`.
    pub name: String,
    pub stage: String,
    /// The `split` stage whose parts it was scored on, where the pipeline tells.
    pub split: Option<String>,
    /// Mean and deviation of the accuracy over cross-validation folds.
    pub cv_accuracy: Option<(f64, f64)>,
    pub cv_macro_f1: Option<(f64, f64)>,
    pub train: Option<Scores>,
    pub valid: Option<Scores>,
    pub test: Option<Scores>,
}

impl Model {
    /// What the model is chosen by; nothing of the test part.
    pub fn validation(&self) -> Option<Validation> {
        let is_floor = self.is_reference();
        let folds = || {
            let (macro_f1, accuracy) = (self.cv_macro_f1.map(|c| c.0), self.cv_accuracy.map(|c| c.0));
            let is_there = macro_f1.is_some() || accuracy.is_some();
            let source = Source::CrossValidation;
            is_there.then_some(Validation { macro_f1, accuracy, log_loss: None, source, is_floor })
        };
        self.valid.as_ref().map(|scores| Validation::of(scores, is_floor)).or_else(folds)
    }

    /// The scores to compare by: test, else validation.
    pub fn judged(&self) -> Option<&Scores> {
        self.test.as_ref().or(self.valid.as_ref())
    }

    /// The part that they are of.
    pub fn judged_on(&self) -> JudgedOn {
        if self.test.is_some() { JudgedOn::Test } else { JudgedOn::Validation }
    }

    /// Whether it is the guess of the largest class, which is no model.
    pub fn is_reference(&self) -> bool {
        // A stage may have any name, its model has that of the stage then.
        ranking::is_floor(&self.name) && self.name != self.stage
    }
}

/// Models of all stages that have scores, in the order of the pipeline.
pub fn models(study: &Study) -> Vec<Model> {
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
pub fn baselines(stage: &StageArtifacts) -> Vec<Model> {
    let Some(document) = stage.document("evaluations") else {
        return Vec::new();
    };
    list(document, "evaluations")
        .map(|evaluation| {
            let pair = |mean: &str, deviation: &str| {
                Some((number(evaluation, mean)?, number(evaluation, deviation).unwrap_or(f64::NAN)))
            };
            Model {
                name: text(evaluation, "name").unwrap_or("unnamed").to_string(),
                stage: stage.stage.clone(),
                split: None,
                cv_accuracy: pair("cv_accuracy_mean", "cv_accuracy_std"),
                cv_macro_f1: pair("cv_macro_f1_mean", "cv_macro_f1_std"),
                train: evaluation.get("train").and_then(Scores::read),
                valid: evaluation.get("valid").and_then(Scores::read),
                test: evaluation.get("test").and_then(Scores::read),
            }
        })
        .collect()
}

/// The one model of a train, transfer or ensemble stage.
pub fn network(stage: &StageArtifacts) -> Option<Model> {
    let document = stage.document("parts")?;
    let parts = document.get("parts")?;
    let part = |name: &str| parts.get(name).and_then(Scores::read);
    let model = Model {
        name: stage.stage.clone(),
        stage: stage.stage.clone(),
        train: part("train"),
        // An ensemble's weights are chosen on the validation part: its score there is too kind.
        valid: document.get("cross_fitted_valid").and_then(Scores::read).or_else(|| part("valid")),
        test: part("test"),
        ..Model::default()
    };
    model.judged().is_some().then_some(model)
}

/// Models judged on the same rows: the same part of the same split, number of rows and classes. Only these compare.
pub struct Group {
    pub part: JudgedOn,
    pub rows: u64,
    pub classes: Vec<String>,
    pub split: Option<String>,
    /// Best first by [`ranking`].
    pub models: Vec<Model>,
}

/// Splits models into groups that compare, in order of first appearance.
pub fn groups(models: &[Model]) -> Vec<Group> {
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
                groups.push(Group { part, rows, classes, split, models: vec![model.clone()] });
            }
        }
    }
    for group in &mut groups {
        ranking::rank(&mut group.models, Model::validation);
    }
    groups
}

impl Group {
    pub fn choice(&self) -> Choice<&Model> {
        ranking::choose(&self.models, |model| model.validation())
    }

    /// The model that validation chooses; `None` where nothing is known of any but its test part, and of a reference alone.
    pub fn chosen(&self) -> Option<&Model> {
        self.choice().best()
    }

    /// The first model with the highest accuracy on the part that they are judged on.
    pub fn highest(&self) -> Option<(&Model, &Scores)> {
        let scored = self.models.iter().filter_map(|model| Some((model, model.judged()?)));
        scored.reduce(|a, b| if b.1.accuracy > a.1.accuracy { b } else { a })
    }
}

/// The nearest `split` stage above a stage, where there is just one.
pub fn split_of<'a>(study: &Study<'a>, stage: &str) -> Option<&'a str> {
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
pub fn inputs(study: &Study, stage: &StageArtifacts) -> (Option<bool>, Option<bool>) {
    let named = |key: &str| {
        let documents = stage.json.values().chain([&stage.params]);
        documents
            .flat_map(|value| [value.get("inputs").and_then(|i| i.get(key)), value.get(key)])
            .flatten()
            .find_map(Value::as_array)
            .map(|columns| !columns.is_empty())
    };
    let embedded = study.parents(&stage.stage).any(|parent| study.kind_of(parent) == Some("embed"));
    (named("numeric"), named("text").or(Some(embedded)))
}
