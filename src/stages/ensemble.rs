//! `ensemble`: the predictions of other stages as one, weighted by how well they do together on the validation part.
//!
//! Knows members by their tables of predictions, so that networks and baselines serve alike; of models only that they can be
//! written down again.

use std::collections::{HashMap, HashSet};

use anyhow::{anyhow, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapter::Adapter;
use super::aims::{self, COSTS, METRIC, POSITIVE};
use super::columns::{LABEL, LABEL_COLUMN, NOT_ROWS, PART, PREDICTED, PREDICTIONS, ROW_ID, shown_as};
use super::dataset::Dataset;
use super::documents::put_document;
use super::ensemble_scores::{Averaged, averaged};
use super::figures::put_figures;
use super::predictions::{ModelPredictions, united_groups};
use super::predictor::{NO_NETWORK, Predictor, Several, UNSERVED, distinct, model_name};
use super::required::{require_part, tell_not_rows};
use super::{fitted_on, procedure, unnamed};
use runner_engine::{
    Aim, Arity, CheckContext, InputPort, InputShape, OutputPort, PortType, Stage, StageContext, listed,
};
use runner_ml::ensemble::{self, Average, Combination, Weighting, cross_fitted};
use runner_ml::frame::Frame;
use runner_ml::matrix::Matrix;
use runner_ml::metrics::{FromProbabilities as _, Scores};
use runner_ml::threshold;
use runner_report::counted;
use runner_report::score_line;
use runner_results::ensemble::Member;
use runner_results::scores::Scoring;
use runner_results::threshold::{ThresholdAim, ThresholdRows};
use runner_results::{Documents, Metric, Parts};

/// Folds of the validation part for a score that the weights did not see.
const FOLDS: usize = 5;

/// Averages the predictions of its members; weights and temperature are chosen on the validation part, the test part is scored once. A stage that
/// fitted several models brings all of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ensemble {
    /// What is averaged: logits or probabilities.
    #[serde(default)]
    average: Average,
    /// How the weights are chosen: convex, greedy or equal.
    ///
    /// Unless given, greedy by the pipeline's `metric`, or convex where that is missing or the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<Weighting>,
    /// Of two classes, the threshold on the probability of the positive one from which on it is predicted, chosen on the validation part: `f1`, `cost` by the
    /// pipeline's `costs`,
    /// `{cost: {false_positive: 1, false_negative: 5}}`, or `{recall: 0.9}` for at least that recall with the fewest false alarms. Without it the
    /// average decides as its members do, or by the pipeline's `costs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<ThresholdAim>,
}

impl Stage for Ensemble {
    const KIND: &'static str = "ensemble";
    const VERSION: u32 = 10;
    const SUMMARY: &'static str = "a weighted average of other stages' predictions";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("members", Arity::Many, "stages with predictions, e.g. `[baseline, numeric, fused]`"),
        InputPort {
            name: "models",
            accepts: runner_engine::Accepts::Only(PortType::Model),
            arity: Arity::Any,
            summary: "the members' fitted models, for `predict` and `inspect`, e.g. `[baseline, numeric, fused]`; of a stage of several, \
                      `baseline.forest` makes that one a member and leaves out the others",
        },
    ];

    const AIMS: &'static [Aim] = &[METRIC, POSITIVE, COSTS];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![
            OutputPort::new("model", PortType::Model),
            OutputPort::new("metrics", PortType::Json),
            OutputPort::new("predictions", PortType::Table),
            OutputPort::new("figures", PortType::Files),
        ]
    }

    fn check(&self, context: &mut CheckContext) {
        aims::check(context);
        aims::check_threshold(self.threshold, context);
        let lacking = |columns: &Vec<String>| {
            [ROW_ID, PART, LABEL, PREDICTED].into_iter().any(|name| columns.iter().all(|own| own != name))
        };
        let is_other = |shape: &InputShape| shape.facts.get(NOT_ROWS).is_some_and(|what| *what != PREDICTIONS);
        let shapes = context.inputs("members").iter().enumerate();
        let silent = shapes.filter(|(_, shape)| shape.columns.as_ref().is_some_and(lacking) || is_other(shape));
        let silent: Vec<(usize, String)> = silent.map(|(i, shape)| (i, shape.stage.clone())).collect();
        for (i, stage) in silent {
            let message = format!("'{stage}' predicts nothing, so that there is nothing of it to average");
            let help = Some("e.g. `members: [baseline, fused]`, or `fused.predictions`".to_owned());
            context.input_problem("members", i, message, help);
        }
        fitted_on::check_alike(context, "members");
        require_part(context, "members", "valid", "on which the weights are chosen");
        let stages = |context: &CheckContext, port: &str| -> Vec<String> {
            context.inputs(port).iter().map(|shape| shape.stage.clone()).collect()
        };
        let (members, models) = (stages(context, "members"), stages(context, "models"));
        // A reference that leads to nothing, as `txt.boosting`, is told already.
        let is_of = |member: &String, stage: &str| {
            member.strip_prefix(stage).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_stranger = |stage: &str| !members.is_empty() && !members.iter().any(|member| is_of(member, stage));
        let strangers = models.iter().enumerate().filter(|(_, stage)| is_stranger(stage));
        for (i, stage) in strangers {
            let message = format!("'{stage}' is not among the members");
            context.input_problem(
                "models",
                i,
                message,
                Some(format!("name it under `members` too: `members: [{stage}]`")),
            );
        }
        // Where members are at fault nobody knows which models will be missed.
        let unserved = members.iter().filter(|member| !models.iter().any(|stage| is_of(member, stage)));
        let unserved: Vec<String> = unserved.cloned().collect();
        if !unserved.is_empty() && context.found() == 0 {
            context.tell("model", UNSERVED, unserved);
        }
        context.tell("model", NO_NETWORK, "an ensemble");
        tell_not_rows(context, "predictions", PREDICTIONS);
        if let Some(columns) = context.columns("models") {
            context.output("model", distinct(columns));
        }
        fitted_on::pass_on(context, "models", "model");
        unnamed::pass_on(context, "models", "model");
        procedure::pass_on(context, "models", "model");
        fitted_on::pass_on(context, "members", "predictions");
        if let Some(label) = context.fact("models", LABEL_COLUMN).cloned() {
            context.tell("model", LABEL_COLUMN, label);
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let members = Members::read(context)?;
        let shared = members.shared();
        if let Some(rows) = &shared {
            context.report().warn(&format!(
                "the members were not tried on the same rows: only the {rows} that all of them have are averaged and judged, so its scores do not compare with \
                 theirs (give all members the same `where`)"
            ));
        }
        let valid: Vec<&Matrix> = members.valid.iter().collect();
        let labels = &members.labels[0];
        let data = members.dataset(context)?;
        let threshold = aims::threshold(self.threshold, &data, context)?;
        let metric = aims::metric(context).unwrap_or(Metric::Loss);
        let weighting = match (self.weights, metric) {
            (Some(own), _) => own,
            (None, Metric::Loss) => Weighting::Convex,
            (None, _) => Weighting::Greedy,
        };
        if weighting == Weighting::Greedy {
            aims::require_meaning(metric, None, &data, context)?;
        }
        let given = ensemble::Members {
            decisions: &members.decisions,
            threshold,
            metric,
            scoring: &data.scoring,
            ..ensemble::Members::plain(&valid)
        };
        let progress = Adapter(context.report());
        let combination = Combination::fit(given, labels, self.average, weighting, &progress)?;
        if threshold.is_some() && combination.calibration.decision.is_empty() {
            aims::warn_of_no_threshold("", context);
        }
        let (fair, predicted) = cross_fitted(given, labels, self.average, weighting, FOLDS, context.seed(), &progress)?;
        let mut scores = Scores::new(&members.classes, labels, &predicted).with_loss(labels, &fair);
        scores = scores.with_metrics(labels, &fair, &data.scoring, true);
        scores.threshold = threshold.and_then(|wanted| {
            threshold::told(wanted, &data.classes, &combination.calibration, ThresholdRows::Validation)
        });
        let fair = scores.with_intervals(
            labels,
            &predicted,
            &fair,
            &data.clusters(&data.valid),
            &Adapter(context.report()),
        )?;
        let given = Parts {
            train: None,
            valid: Some((data.valid.as_slice(), members.valid.iter().collect())),
            test: Some((data.test.as_slice(), members.test.iter().collect())),
        };
        let Averaged { parts, calibration, predictions } =
            averaged(&combination, &data, threshold, &given, &Adapter(context.report()))?;
        let used = combination.weights.iter().filter(|weight| **weight > 0.0).count();
        // Its weights are chosen on validation rows: without test rows the fair score is that by weights of other rows.
        let judged = Parts { train: None, valid: Some(fair.clone()), test: parts.test.clone() };
        let remark = shared.map(|rows| format!("on {rows}"));
        context.headline(format!(
            "{used} of {}; {}",
            counted(members.names.len() as u64, "member"),
            score_line(&judged, aims::metric(context), remark)
        ));
        let told = (members.names.iter().zip(&combination.weights).zip(&valid).zip(&members.predicted)).map(
            |(((name, &weight), said), predicted)| {
                let valid = Scores::new(&members.classes, labels, predicted).with_loss(labels, said);
                let valid = valid.with_metrics(labels, said, &data.scoring, true);
                Member { name: name.clone(), weight, valid }
            },
        );
        let document = runner_results::ensemble::Ensemble {
            parts,
            members: told.collect(),
            average: self.average,
            weights: weighting,
            metric: Some(metric).filter(|metric| weighting == Weighting::Greedy && *metric != Metric::Loss),
            cross_fitted_valid: fair,
            calibration,
            classes: members.classes.clone(),
        };
        let mut models = models(context)?;
        let named = members.names.iter().map(|name| (name.clone(), models.remove(name))).collect();
        Predictor::Several(Several { combination, alike: false, members: named }).put(context, "model")?;
        context.put_table("predictions", &predictions)?;
        put_document(context, "metrics", "metrics", &document)?;
        let mut documents = Documents::default();
        documents.insert("metrics", document);
        put_figures(context, Self::KIND, documents, &[])
    }
}

/// The models at the input `models`, named as the members are.
fn models(context: &StageContext) -> anyhow::Result<HashMap<String, Predictor>> {
    context.inputs("models").iter().map(|input| Ok((model_name(input), Predictor::read(input)?))).collect()
}

/// What all members say of the rows that all of them have, validation and test part, in the order of the row numbers.
struct Members {
    names: Vec<String>,
    classes: Vec<String>,
    /// Whether the classes have an order, that of `classes`.
    is_ordered: bool,
    /// By member.
    valid: Vec<Matrix>,
    test: Vec<Matrix>,
    /// By member: the classes predicted of the validation part, and the decision weights in the common order of classes.
    predicted: Vec<Vec<u32>>,
    decisions: Vec<Vec<f64>>,
    /// Of the validation and of the test part.
    labels: [Vec<u32>; 2],
    row_id: [Vec<i64>; 2],
    /// How many rows any member has.
    all: [usize; 2],
    /// Empty where every row stands alone.
    groups: [Vec<i64>; 2],
    /// Of two classes, the one that the members take for the positive one.
    positive: Option<String>,
}

impl Members {
    fn read(context: &StageContext) -> anyhow::Result<Members> {
        let mut all: Vec<(String, ModelPredictions)> = Vec::new();
        let models: Vec<String> = context.inputs("models").iter().map(model_name).collect();
        for input in context.inputs("members") {
            let said = ModelPredictions::read(&input.table()?)?;
            let mut said: Vec<_> = said.into_iter().map(|said| (said.name(input.stage()), said)).collect();
            // Of a stage of which some models are given, these are meant.
            if said.iter().any(|(name, _)| models.contains(name)) {
                said.retain(|(name, _)| models.contains(name));
            }
            all.extend(said);
        }
        let Some((first_name, first)) = all.first() else { bail!("an ensemble needs members") };
        let order = all.iter().find(|(_, said)| said.is_ordered).map(|(_, said)| said.classes.clone());
        let mut classes = first.classes.clone();
        classes.sort_unstable();
        for (name, said) in &all {
            let mut own = said.classes.clone();
            own.sort_unstable();
            if own != classes {
                bail!(
                    "'{first_name}' and '{name}' know different classes ({} and {}): they have no common average",
                    listed(classes),
                    listed(own)
                );
            }
        }
        let mut members = Members {
            names: all.iter().map(|(name, _)| name.clone()).collect(),
            is_ordered: order.is_some(),
            classes: order.unwrap_or(classes),
            valid: Vec::new(),
            test: Vec::new(),
            predicted: Vec::new(),
            decisions: Vec::new(),
            labels: [Vec::new(), Vec::new()],
            row_id: [Vec::new(), Vec::new()],
            all: [0, 0],
            groups: [Vec::new(), Vec::new()],
            positive: all.iter().find_map(|(_, said)| said.positive.clone()),
        };
        let number = |classes: &[String], label: &String, id: i64| -> anyhow::Result<u32> {
            let place = classes.iter().position(|class| class == label);
            place.map(|place| place as u32).ok_or_else(|| anyhow!("no member knows the class '{label}' of row {id}"))
        };
        for (p, part) in ["valid", "test"].into_iter().enumerate() {
            let places: Vec<HashMap<i64, usize>> = all.iter().map(|(_, said)| places(said, part)).collect();
            let mut common: Vec<i64> =
                places[0].keys().copied().filter(|id| places.iter().all(|own| own.contains_key(id))).collect();
            common.sort_unstable();
            members.all[p] = places.iter().flat_map(HashMap::keys).collect::<HashSet<_>>().len();
            if common.is_empty() && part == "valid" {
                bail!(
                    "the members have no row of the validation part in common (do they read the same `split` stage?)"
                );
            }
            let mut groups: Vec<Vec<i64>> = Vec::new();
            for ((name, said), place) in all.iter().zip(&places) {
                let rows: Vec<usize> = common.iter().map(|id| place[id]).collect();
                if let Some(&row) = rows
                    .iter()
                    .zip(&common)
                    .find(|(row, id)| said.labels[**row] != first.labels[places[0][*id]])
                    .map(|(row, _)| row)
                {
                    bail!("'{first_name}' and '{name}' have different labels for row {}", said.row_id[row]);
                }
                let matrix = in_order(said, &rows, &members.classes);
                if said.groups.is_empty() {
                    groups.push(Vec::new());
                } else {
                    groups.push(rows.iter().map(|&row| said.groups[row]).collect());
                }
                if p == 0 {
                    let predicted =
                        rows.iter().map(|&row| number(&members.classes, &said.predicted[row], said.row_id[row]));
                    members.predicted.push(predicted.collect::<anyhow::Result<_>>()?);
                    members.decisions.push(decision_in_order(said, &members.classes));
                    members.valid.push(matrix);
                } else {
                    members.test.push(matrix);
                }
            }
            members.groups[p] = united_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let labels = common.iter().map(|id| number(&members.classes, &first.labels[places[0][id]], *id));
            members.labels[p] = labels.collect::<anyhow::Result<_>>()?;
            members.row_id[p] = common;
        }
        Ok(members)
    }

    /// `85 of 180 validation and 102 of 180 test rows`, where not all rows are those of all members.
    fn shared(&self) -> Option<String> {
        let common = self.row_id.each_ref().map(Vec::len);
        let [valid, test] = [0, 1].map(|part| format!("{} of {}", common[part], self.all[part]));
        let words = match self.all[1] {
            0 => format!("{valid} validation rows"),
            _ => format!("{valid} validation and {test} test rows"),
        };
        (common != self.all).then_some(words)
    }

    /// The common rows as those of a dataset without columns, validation part first.
    fn dataset(&self, context: &StageContext) -> anyhow::Result<Dataset> {
        let [valid, test] = &self.row_id;
        let own = aims::positive(context, &self.classes, self.labels.iter().flatten().copied())?;
        let theirs = self.positive.as_ref().and_then(|own| self.classes.iter().position(|class| class == own));
        let is_said = context.aim(POSITIVE.key).is_some();
        let positive = theirs.map(|class| class as u32).filter(|_| !is_said).or(own);
        // Which names are those of classes is checked where the members learn.
        let costs = aims::costs(context, &self.classes, None)?;
        Ok(Dataset {
            frame: Frame::new(valid.len() + test.len()),
            row_id: valid.iter().chain(test).copied().collect(),
            // Either part alone may have lost its groups only if it has no rows.
            groups: self.groups.concat(),
            encoders: Vec::new(),
            labels: self.labels.concat(),
            classes: self.classes.clone(),
            label_name: shown_as(LABEL).to_owned(),
            train: Vec::new(),
            valid: (0..valid.len()).collect(),
            test: (valid.len()..valid.len() + test.len()).collect(),
            weights: Vec::new(),
            folds: Vec::new(),
            scoring: Scoring { positive, costs, is_ordered: self.is_ordered },
        })
    }
}

/// The place of each row of the part, by its number.
fn places(said: &ModelPredictions, part: &str) -> HashMap<i64, usize> {
    let rows = said.parts.iter().zip(&said.row_id).enumerate().filter(|(_, (own, _))| *own == part);
    rows.map(|(place, (_, id))| (*id, place)).collect()
}

fn decision_in_order(said: &ModelPredictions, classes: &[String]) -> Vec<f64> {
    if said.decision.is_empty() {
        return Vec::new();
    }
    let places = classes.iter().filter_map(|class| said.classes.iter().position(|own| own == class));
    places.filter_map(|place| said.decision.get(place).copied()).collect()
}

/// These rows' probabilities with the classes in the common order.
fn in_order(said: &ModelPredictions, rows: &[usize], classes: &[String]) -> Matrix {
    let columns: Vec<usize> =
        classes.iter().filter_map(|class| said.classes.iter().position(|own| own == class)).collect();
    let data = rows.iter().flat_map(|&row| columns.iter().map(move |&column| said.probabilities.get(row, column)));
    Matrix::from_vec(rows.len(), classes.len(), data.collect())
}
