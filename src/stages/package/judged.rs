//! What was known of a model when it was exported: the scores of the model itself, or of the one that it was fitted again from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::documents::documents;
use runner_engine::{ActionRecord, Workspace};
use runner_results::refit::Refit;
use runner_results::scores::Scores;
use runner_results::{Metric, Part, Parts, baselines::Baselines, ensemble::Ensemble, training::Training};

/// Scores on rows that a model did not learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The model that was judged: `STAGE`, or `STAGE/MODEL`.
    pub of: String,
    /// The part of the rows, and how many they are.
    pub part: Part,
    /// Rows of that part.
    pub rows: usize,
    /// Every metric that has a value there.
    pub metrics: BTreeMap<Metric, f64>,
}

impl Judged {
    /// Of the model at that output of a stage; `None` where no scores are to be had.
    pub(super) fn of_stage(workspace: &Workspace, stage: usize, record: &ActionRecord, port: &str) -> Option<Judged> {
        let documents = documents(workspace.store, record, |_| true).ok()?;
        let name = &workspace.plan.stages[stage].name;
        if documents.get::<Refit>().is_some() {
            let input = workspace.plan.stages[stage].inputs.iter().find(|input| input.port == "model")?;
            let record = workspace.current_record(input.from)?;
            return Judged::of_stage(workspace, input.from, &record, input.output.as_deref().unwrap_or("model"));
        }
        if let Some(found) = documents.get::<Baselines>() {
            let own = found.evaluations.iter().find(|evaluation| evaluation.name == port)?;
            return Judged::on(format!("{name}/{port}"), own.test.as_ref(), own.valid.as_ref());
        }
        let of_parts = |parts: &Parts<Scores>| Judged::on(name.clone(), parts.test.as_ref(), parts.valid.as_ref());
        match (documents.get::<Training>(), documents.get::<Ensemble>()) {
            (Some(training), _) => of_parts(&training.parts),
            // Its weights are chosen on the validation part: its score there is optimistically biased.
            (None, Some(found)) => Judged::on(name.clone(), found.parts.test.as_ref(), Some(&found.cross_fitted_valid)),
            (None, None) => None,
        }
    }

    fn on(of: String, test: Option<&Scores>, valid: Option<&Scores>) -> Option<Judged> {
        let (part, scores) = test.map(|scores| (Part::Test, scores)).or(valid.map(|scores| (Part::Valid, scores)))?;
        let metrics = Metric::ALL.into_iter().filter_map(|metric| Some((metric, scores.value(metric)?))).collect();
        Some(Judged { of, part, rows: scores.rows, metrics })
    }
}
